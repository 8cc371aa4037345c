/* SPDX-License-Identifier: GPL-3.0-or-later */
/* This program as the script of a DHCP client, which says by its environment what it got. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "os/linux/dhcp_clients.h"
#include "os/linux/netif_lease.h"

#define LEAVE_MS   300
#define LEASE_ANY  3600u /* where nothing is said of it */
#define PREFIX_MIN 8	 /* RFC 1918: the largest private network */

/* A number in the environment from 1 on; 0: there is none. */
static unsigned number_of(const char *name)
{
	const char *text = getenv(name);
	char *end;
	unsigned long n;

	if (text == NULL || *text < '0' || *text > '9')
		return 0;
	n = strtoul(text, &end, 10);
	return *end == 0 && n <= UINT32_MAX ? (unsigned)n : 0;
}

/* What a server says must not draw the traffic of half the world, or of this host itself. */
static bool is_lease(const struct endpoint *ip, unsigned prefix)
{
	struct endpoint with_port = *ip;

	with_port.port = 1;
	return endpoint_is_v4(ip) && endpoint_is_usable(&with_port) && !endpoint_is_loopback(ip) &&
	       prefix >= PREFIX_MIN && prefix <= 32;
}

static int give(const char *interface)
{
	const char *text = getenv("ip");
	unsigned prefix = number_of("mask"), seconds = number_of("lease");
	struct endpoint ip;

	if (text == NULL || endpoint_parse(&ip, text, 1) != 0 || !is_lease(&ip, prefix))
		return EXIT_FAILURE;
	return netif_lease(interface, &ip, prefix, seconds != 0 ? seconds : LEASE_ANY) == 0
		       ? EXIT_SUCCESS
		       : EXIT_FAILURE;
}

/* What gives the address back may wait until it is known where the server is. */
static int take_away(const char *interface)
{
	if (netif_is_leased(interface))
		(void)poll(NULL, 0, LEAVE_MS);
	return netif_lease_end(interface, NULL) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

bool dhcp_is_hook(int argc, char **argv, int *status)
{
	/* Where the file gives rights, whoever calls it has others, and chooses the environment. */
	const char *interface = secure_getenv(DHCP_HOOK_VARIABLE);

	if (interface == NULL || argc < 2)
		return false;
	*status = EXIT_SUCCESS;
	if (strcmp(argv[1], "bound") == 0 || strcmp(argv[1], "renew") == 0)
		*status = give(interface);
	else if (strcmp(argv[1], "deconfig") == 0)
		*status = take_away(interface);
	return true;
}
