/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ways: where a datagram came in and where one leaves. Values, copied freely; any thread.
 */
#ifndef N2N_CORE_LINK_WAY_H
#define N2N_CORE_LINK_WAY_H

#include <stddef.h>

#include "base/endpoint.h"

/*
 * What carries datagrams. 0 is the UDP sockets of a worker; other numbers are the host's, for
 * further sockets or streams, and mean nothing to the core but that they differ.
 */
#define CARRIER_UDP 0

struct way {
	uint16_t carrier;
	struct endpoint remote;
	struct endpoint
		local; /* our address: where it came in, or should leave from; may be none */
};

struct datagram {
	uint8_t *data;
	size_t len;
	struct way way;
};

/* The same remote side, whichever of our addresses it talks to. */
static inline bool way_same_remote(const struct way *a, const struct way *b)
{
	/* The port first: it differs mostly, and spares a call. */
	return a->carrier == b->carrier && a->remote.port == b->remote.port &&
	       endpoint_same_ip(&a->remote, &b->remote);
}

/* True when it leads nowhere. */
static inline bool way_is_none(const struct way *w)
{
	return endpoint_is_none(&w->remote);
}

/* By UDP to this address, from wherever the system chooses. */
static inline struct way way_to(const struct endpoint *remote)
{
	return (struct way){.remote = *remote};
}

/* How a datagram came in, and how an answer goes back. */
struct origin {
	struct way way;
	uint32_t hop_id; /* relayed: the id of the link to the relay; 0: direct */
	uint32_t handle; /* relayed: the source */
};

/* From the same place: the same remote side, or the same source handle of one relay. */
static inline bool origin_same(const struct origin *a, const struct origin *b)
{
	return a->hop_id != 0 || b->hop_id != 0 ? a->hop_id == b->hop_id && a->handle == b->handle
						: way_same_remote(&a->way, &b->way);
}

#endif
