/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One fan-out set of a community at its supernode (PROTOCOL.md 10.2), at the sender: who is in it
 * at the version in use, and the one change that is on its way.
 *
 * A peer that is in the set gets no copies of its own, and one that is not gets no group packets.
 * So nobody leaves or comes before the supernode has said that it has the next version, but for one
 * who cannot get group packets any more: who was restarted, and has lost the key, or whose handle
 * is gone. Such a one is struck: it has copies of its own at once, stays on the supernode's list
 * until the next version, and may come back after that.
 *
 * Control thread. Peers and communities are borrowed.
 */
#ifndef N2N_CORE_EDGE_FAN_H
#define N2N_CORE_EDGE_FAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/switch/port_set.h"
#include "wire/control.h"

struct community;
struct peer;

struct fan_entry {
	struct peer *peer; /* NULL: it is forgotten */
	uint32_t handle;   /* as the supernode has it */
	bool struck;
};

struct fan {
	uint32_t version;     /* that the supernode has, and that is used; 0: none */
	uint32_t pending;     /* that FANOUT asks for; 0: nothing is on its way */
	struct fan_entry *in; /* at version */
	size_t n_in, cap;
	struct fan_entry coming[FANOUT_CHANGES_MAX]; /* with pending */
	struct control_fanout change;		     /* as it is sent, over and over */
	unsigned tries;
	unsigned refused;    /* of these, as far as the supernode said so */
	unsigned full;	     /* changes in a row for which it had no room; nobody comes ... */
	uint64_t full_ms;    /* ... before */
	uint64_t next_ms;    /* when it is sent again, or, without one, may change */
	struct port_set who; /* whom it is for, of those who can be in it ... */
	bool all;	     /* ... or everybody */
	uint64_t group;	     /* to which these listen, as an address; 0 with everybody */
};

/* For whom a set is, by the numbers of their ports; NULL: everybody. N2N_ENOMEM gives NULL. */
struct fan *fan_create(uint64_t group, const struct port_set *who);
/* Nobody is in it, nor about to be. */
bool fan_is_empty(const struct fan *f);
/* No peer is in it any more, or there are none; accepts NULL. */
void fan_free(struct fan *f);
/* The supernode has lost it, or what was sent by it is over: nobody is in it. */
void fan_reset(struct community *c, unsigned set);
/*
 * FANOUT goes out if who is in the set are not those who should be, or again if it was not
 * answered.
 */
void fan_tick(struct community *c, unsigned set);
/* FANNED named this version. True: others are in it now. */
bool fan_answered(struct community *c, unsigned set, uint32_t version);
/* The peer gets nothing by any set from now on; gone: nor does its memory live. True: it did. */
bool fan_strike(struct peer *p, bool gone);
/* True when the set has it under another handle than its own. */
bool fan_handle_differs(const struct fan *f, const struct peer *p);
/* True when all in it, and all who come, have acknowledged the key with this index. */
bool fan_has_key(const struct fan *f, uint32_t index);

#endif
