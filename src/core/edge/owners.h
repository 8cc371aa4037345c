/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who owns which Ethernet address in one community: pairs of an address and a static (PROTOCOL.md
 * 9.4). No address and no static occurs twice. Data alone; who gets an address is for claims.c to
 * say. They stand in the order in which they were taken, oldest first, and move when others come or
 * go. There are at most MAC_OWNERS_MAX, and a few look-ups for each handshake: a walk finds them
 * soon enough. Control thread.
 */
#ifndef N2N_CORE_EDGE_OWNERS_H
#define N2N_CORE_EDGE_OWNERS_H

#include <stddef.h>

#include "base/limits.h"
#include "base/mac.h"
#include "crypto/crypto.h"

struct peer;

struct owner {
	struct mac mac;
	uint8_t remote[KEY_LEN]; /* its static */
	uint64_t absent_ms;	 /* how long we ran without it; 0: it is here */
	uint64_t trial_ms;	 /* until then who brings frames from it may take it; 0: nobody */
	uint64_t doubted_ms;	 /* since when somebody brings such frames; 0: nobody does */
	struct peer *peer;	 /* borrowed: the member as it is known here; NULL: it is not */
};

/* Begins zeroed. */
struct owners {
	struct owner *at; /* owned */
	size_t n, room;
};

/* The address that comes of a static, and the interface's unless another one is chosen. */
struct mac owners_derive(const uint8_t remote[KEY_LEN]);

/* Who owns this address; NULL: nobody. */
struct owner *owners_of_mac(const struct owners *o, const struct mac *mac);
/* What this static owns; NULL: nothing. */
struct owner *owners_of_static(const struct owners *o, const uint8_t remote[KEY_LEN]);
/*
 * Adds one that is here, as the newest. Neither the address nor the static may be in the table.
 * NULL: no memory, or it is full.
 */
struct owner *owners_add(
	struct owners *o, const struct mac *mac, const uint8_t remote[KEY_LEN], struct peer *peer);
/* Takes one out. */
void owners_remove(struct owners *o, struct owner *which);
/* Whether there is no room for another one. */
bool owners_is_full(const struct owners *o);
/*
 * Which one has to give way then: the newest that is not here, so that owners who come and go to
 * fill the table push out each other. NULL: all are here.
 */
struct owner *owners_surplus(const struct owners *o);
/* Whether its claim is on trial at this time (PROTOCOL.md 9.4). */
static inline bool owners_on_trial(const struct owner *o, uint64_t now_ms)
{
	return now_ms < o->trial_ms;
}
/* One that was away for longer than this; NULL: none. */
struct owner *owners_expired(const struct owners *o, uint64_t hold_ms);
/* Frees all. */
void owners_fini(struct owners *o);

#endif
