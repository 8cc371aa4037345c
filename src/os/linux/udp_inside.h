/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the two halves of UDP on Linux share: the sockets (udp_linux.c) and the datagrams
 * (udp_io_linux.c).
 */
#ifndef N2N_OS_LINUX_UDP_INSIDE_H
#define N2N_OS_LINUX_UDP_INSIDE_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "os/udp.h"

struct udp {
	int fd[UDP_FAMILIES]; /* -1: not available */
	uint16_t port[UDP_FAMILIES];
	struct endpoint at;		  /* as given to udp_open */
	atomic_uint uses;		  /* a set of enum udp_use */
	size_t send_buffer[UDP_FAMILIES]; /* as the system counts, with its own costs */
};

union udp_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static inline struct endpoint udp_address_get(const union udp_address *a)
{
	struct endpoint e;

	if (a->any.sa_family == AF_INET)
		return endpoint_v4(ntohl(a->v4.sin_addr.s_addr), ntohs(a->v4.sin_port));
	memcpy(e.ip, &a->v6.sin6_addr, sizeof(e.ip));
	e.port = ntohs(a->v6.sin6_port);
	return e;
}

/* Returns the length of the address. */
static inline socklen_t udp_address_put(
	union udp_address *a, enum udp_family family, const struct endpoint *e)
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
