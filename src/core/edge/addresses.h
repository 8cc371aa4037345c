/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which member of a community has which IP address (PROTOCOL.md 9.6): the first one here that
 * claims it. No frame is sent elsewhere because of that; nobody else's are taken that say where the
 * address is (core/data/guard.h), hosts of this side are told where it is from now on, and people
 * that two members have the same. Control thread;
 * time is the core's now_ms. Pointers to a community or a peer are borrowed.
 */
#ifndef N2N_CORE_EDGE_ADDRESSES_H
#define N2N_CORE_EDGE_ADDRESSES_H

#include "base/bucket.h"
#include "wire/control.h"

struct community;
struct peer;
struct address;

/* Begins zeroed; embedded in a community. */
struct addresses {
	struct address *all; /* by IP address */
	struct address *due; /* to be announced, the newest first */
	struct bucket announced, told;
	uint64_t looked_ms;
};

/*
 * What the peer claims is another than before, which *before is: its MAC address, which is zero
 * where it has none, or its IP addresses. Those of a peer without a MAC address count for nothing.
 */
void addresses_claimed(struct peer *p, const struct control_claim *before);
/*
 * The peer has another MAC address than when it claimed what before says: hosts that know its
 * former one are told.
 */
void addresses_moved(struct peer *p, const struct control_claim *before);
/* The peer may have come, or gone: with it its claims. */
void addresses_look(struct peer *p);
/* Ours are known to workers from the next view on. N2N_ENOMEM. */
MUST_CHECK int addresses_show_ours(struct community *c);
/* Ours are these from now on: what others claim of the former ones is theirs. N2N_ENOMEM. */
MUST_CHECK int addresses_change_ours(
	struct community *c, const struct claim_address *list, unsigned n);
/* A peer spoke for an address of another. */
struct spoken_for {
	uint8_t ip[16];
	const struct peer *owner; /* NULL: it is ours */
	bool rival;		  /* the peer claims it too: EVENT_IP_CONFLICT is to tell */
};
/* The address with this key (view_ip_key), of which the peer said where it is. False: nobody's. */
bool addresses_find(const struct peer *p, uint64_t key, struct spoken_for *out);
/*
 * A bridge says where the address with this key is. If the user named it as a bridge, and another
 * member claimed the address lately, the address is the bridge's for a time, or for longer. True:
 * so it is, or will be at once.
 */
bool addresses_brought(struct peer *by, uint64_t key);
/* It is forgotten. */
void addresses_part(struct peer *p);
/* Announces, tells, sees who is gone, as the time demands. */
void addresses_tick(struct community *c);
/* Frees all, at the end of the community. */
void addresses_fini(struct community *c);

#endif
