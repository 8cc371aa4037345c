/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses as the system's sockets take them, from endpoints and back. Any thread. */
#ifndef N2N_OS_POSIX_ADDRESS_H
#define N2N_OS_POSIX_ADDRESS_H

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "os/udp.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* As the kernel gave it: of family AF_INET or AF_INET6. A zone (scope id) is left away. */
static inline struct endpoint address_get(const union address *a)
{
	struct endpoint e;

	if (a->any.sa_family == AF_INET)
		return endpoint_v4(ntohl(a->v4.sin_addr.s_addr), ntohs(a->v4.sin_port));
	memcpy(e.ip, &a->v6.sin6_addr, sizeof(e.ip));
	e.port = ntohs(a->v6.sin6_port);
	return e;
}

/* e is of the family, or none. Returns the length of the address, for bind and connect. */
static inline socklen_t address_put(
	union address *a, enum udp_family family, const struct endpoint *e)
{
	if (family == UDP_V4) {
		a->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(e->port)};
		memcpy(&a->v4.sin_addr, e->ip + 12, sizeof(a->v4.sin_addr));
		return sizeof(a->v4);
	}
	a->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(e->port)};
	memcpy(&a->v6.sin6_addr, e->ip, sizeof(e->ip));
	return sizeof(a->v6);
}

#endif
