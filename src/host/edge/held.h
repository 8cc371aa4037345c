/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses that this host had a moment ago. What our sockets sent from one is still under way when
 * it is taken from an interface, and when an address moves from a card to the bridge that the card
 * becomes a port of, it is away for as long as nobody looks. Pure; any thread.
 */
#ifndef N2N_HOST_EDGE_HELD_H
#define N2N_HOST_EDGE_HELD_H

#include "base/endpoint.h"

#define HELD_MAX 64 /* of a host with more the others are forgotten at once */
#define HELD_MS	 60000u

struct held {
	struct held_address {
		struct endpoint at; /* none: free */
		uint64_t gone_ms;   /* since when it is not there; 0: it is */
	} address[HELD_MAX];
};

/*
 * The host has these n addresses now. Writes those to gone, at most HELD_MAX, which it had at a
 * look within HELD_MS and has no more, and returns their number. A zeroed held knows of none.
 */
size_t held_look(struct held *h, const struct endpoint *list, size_t n, uint64_t now_ms,
	struct endpoint gone[HELD_MAX]);

#endif
