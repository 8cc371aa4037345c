/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Routes of this host, one at a time, to name them to people. Each call talks to the kernel by
 * itself; any thread. Every system; where a route cannot be asked for there is none.
 */
#ifndef N2N_OS_ROUTE_H
#define N2N_OS_ROUTE_H

#include "base/endpoint.h"

#define ROUTE_DEVICE_MAX 16  /* with the 0 at the end */
#define ROUTE_TEXT_MAX	 160 /* the same */

struct os_route {
	struct endpoint net; /* port 0 */
	uint8_t prefix;	     /* in bits of its family; 0: everywhere */
	struct endpoint via; /* none: what it leads to is on the link; of either family */
	char device[ROUTE_DEVICE_MAX];
	uint32_t metric; /* the lower the better, of the same prefix */
};

/*
 * The route that a datagram to this address takes from a socket with this mark (0: none); link not
 * 0: if it has to leave by the interface with this index. N2N_ENOENT: there is none.
 */
MUST_CHECK int os_route_find(
	struct os_route *out, const struct endpoint *to, unsigned link, uint32_t mark);
/* Writes "default via 192.0.2.1 dev eth0", as commands show and take it, and returns buf. */
char *os_route_format(const struct os_route *r, char buf[ROUTE_TEXT_MAX]);
/* What comes behind the address in such a command: "via 192.0.2.1 dev eth0"; returns buf. */
char *os_route_format_hop(const struct os_route *r, char buf[ROUTE_TEXT_MAX]);

#endif
