/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns listing the addresses of the host on Linux. */
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "os/netif.h"

/* False for what is no address of IP. */
static bool take(struct endpoint *e, const struct sockaddr *a)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	*e = (struct endpoint){.port = 0};
	if (a != NULL && a->sa_family == AF_INET) {
		memcpy(&v4, a, sizeof(v4));
		*e = endpoint_v4(ntohl(v4.sin_addr.s_addr), 0);
		return true;
	}
	if (a == NULL || a->sa_family != AF_INET6)
		return false;
	memcpy(&v6, a, sizeof(v6));
	memcpy(e->ip, &v6.sin6_addr, sizeof(e->ip));
	return true;
}

int netif_addresses(struct endpoint **out)
{
	struct ifaddrs *all;
	size_t n = 0;

	if (getifaddrs(&all) != 0)
		return os_errno(errno);
	for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next)
		n++;
	*out = calloc(n + 1, sizeof(**out));
	n = 0;
	for (const struct ifaddrs *a = all; *out != NULL && a != NULL; a = a->ifa_next)
		n += take(&(*out)[n], a->ifa_addr);
	freeifaddrs(all);
	return *out != NULL ? (int)n : N2N_ENOMEM;
}
