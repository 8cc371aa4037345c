/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Broadcast by way of the supernode (PROTOCOL.md 10): our group key, whom it was told, whom a group
 * packet reaches, and the keys of others.
 *
 *   no key --a frame for many, and more than four behind one relay--> a key
 *   a peer: told (50 a second) --acknowledged--> FANOUT --FANNED--> in the set, no copies any more
 *   a key: an hour old --> the next one is told beside it --all in the set have it--> in its place
 *
 * Without any answer of the supernode, or when it loses the set, copies go to each as ever. Control
 * thread.
 */
#ifndef N2N_CORE_EDGE_GROUP_H
#define N2N_CORE_EDGE_GROUP_H

#include "base/bucket.h"
#include "core/edge/fan.h"
#include "core/keys/group_key.h"
#include "core/view/group_plan.h"

#define GROUP_RELAYED_MIN 5 /* below, copies cost no more than they are worth */

struct core;
struct link;

/* Of a peer. */
struct group_member {
	uint32_t told;	    /* index of the key posted last; 0: none */
	uint32_t has;	    /* of ours in use, it acknowledged this one ... */
	uint32_t has_next;  /* ... and of the next */
	uint16_t sets;	    /* bits of those that it is in, at some version */
	bool asked;	    /* it has lost it, and says so */
	bool removed;	    /* it is never told one */
	struct bucket keys; /* of its own, that are taken */
	struct bucket asks; /* of its own, that are heard */
	uint64_t ask_ms;    /* when it may be asked again */
};

/* Of a community. */
struct group {
	struct group_use *use;
	struct group_plan *plan; /* as workers have it */
	struct group_key *key;	 /* in use; NULL: none */
	struct group_key *next;	 /* told, to take its place; NULL: none */
	bool is_signed;		 /* ours, as the user wants it */
	uint32_t spread_ms;	 /* in which next is told */
	struct fan *fan[FANOUT_SETS];
	uint64_t streams_ms;  /* when groups are looked at ... */
	bool streams_changed; /* ... or now, those with a set, as others listen */
	struct bucket telling;
	unsigned relayed; /* peers behind our relay, and ... */
	unsigned fanned;  /* ... of them in the set of everybody */
	/* As FANNED said, for whoever may hold back before the supernode does; 0: not known. */
	uint32_t packets_s, bytes_s;
	bool shut;	     /* that supernode sends no group packets on */
	bool counts;	     /* refused is what it said last; else it has said nothing yet */
	uint32_t refused;    /* by it, since the registration, which may be older than we know */
	uint64_t refused_ms; /* when that grew last; 0: never, or it is over */
	bool told_refused;
	unsigned full; /* fan-out sets that it has no room for; EVENT_FANOUT_REFUSED told of any */
};

/* N2N_ENOMEM: group_destroy is needed as well. The community is in the view already. */
MUST_CHECK int group_open(struct community *c);
/* Frees everything, which no worker may look at any more; a zeroed one is fine. */
void group_destroy(struct group *g);
/* Its peers are gone; what workers may see is retired. */
void group_close(struct community *c);
/* Tells, asks, rolls; every tick. */
void group_tick(struct community *c);
/* The registration, or the session with the supernode, is not what it was: its sets are lost. */
void group_hop_lost(struct community *c);
/* FANNED. */
void group_fanned(struct community *c, const struct control_fanned *m);

/*
 * Fan-out set 1 to FANOUT_SETS - 1 is for frames to this group, and these peers, from now on, by
 * the numbers of their ports; NULL: for nobody, and may be used for others. Who of them is in it is
 * up to the supernode and their paths: workers find that in the view (struct group_plan).
 * N2N_ENOMEM.
 */
MUST_CHECK int group_want(
	struct community *c, unsigned set, uint64_t group, const struct port_set *who);

/* Writes GROUP_KEY as it is now, or withdraws it. */
void group_encode(struct peer *p, uint32_t seq, struct writer *w);
/* It was acknowledged. */
void group_acked(struct peer *p);
/* GROUP_KEY and GROUP_ASK of a peer. */
void group_take_key(struct peer *p, const struct control_group_key *m);
void group_take_ask(struct peer *p, const struct control_group_ask *m);
/* It sends group packets that its keys do not open. */
void group_lacking(struct peer *p);
/* Those of its keys that are too old open nothing any more; returns when the next one will be. */
uint64_t group_age_keys(struct peer *p);
/* None of its keys opens anything any more. */
void group_forget_keys(struct peer *p);
/* It is another process: it has none of our keys, nor are its keys any more. */
void group_restarted(struct peer *p);
/* Its handle may be another one. */
void group_follow(struct peer *p);
/* It is forgotten. */
void group_part(struct peer *p);
/* It was removed by whoever may do so: nothing more goes out under keys that it has. */
void group_remove(struct peer *p);

/* ---- group_streams.c ---- */

/*
 * Groups that frames go to and that have more than four listeners by the relay get a set of their
 * own, as long as both is so; every tick. What it changes is sent with group_tick.
 */
void group_streams_tick(struct community *c);

/* ---- group_reach.c ---- */

/* Whether what goes to it goes through our supernode, and that only, under keys. */
bool group_is_relayed(const struct peer *p);
/* Whether group packets may go to it as things are. */
bool group_may_fan(const struct peer *p);
/* Whether it has acknowledged the key with this index. */
bool group_has_acked(const struct peer *p, uint32_t index);

#endif
