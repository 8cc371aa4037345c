/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Our own UDP sockets, as the datagrams that leave them show it: by the addresses of this host and
 * the ports. A set that never changes; workers see it in the view, which owns it.
 */
#ifndef N2N_CORE_VIEW_OWN_H
#define N2N_CORE_VIEW_OWN_H

#include "base/endpoint.h"

struct own_sockets {
	uint16_t port_v4, port_v6; /* 0: no socket of that family */
	size_t n;
	uint8_t ip[][16]; /* as in struct endpoint */
};

/*
 * All addresses of this host from which a socket of ours may send, each with the port of the socket
 * of its family; those without a port are left out. The caller frees it. NULL: no memory.
 */
struct own_sockets *own_create(const struct endpoint *addresses, size_t n);
/* Whether the sets hold the same, in the same order; NULL is like nothing else. */
bool own_equal(const struct own_sockets *a, const struct own_sockets *b);
/* Whether an address is in it. Any thread. */
bool own_has(const struct own_sockets *own, const uint8_t ip[16]);

#endif
