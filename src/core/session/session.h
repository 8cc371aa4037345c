/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A session: the lasting association with one remote static key, over which key sets come and go
 * (PROTOCOL.md 3). Between two edges, on an edge towards a supernode, or at a supernode for one
 * edge; the machinery is the same.
 *
 * It embeds the link, which workers see; everything else is the control thread's, and every
 * function here is for the control thread. A session belongs to its owner (a peer, a hop, a
 * member), which creates and retires it. Functions that change it say what happened, as a set of
 * enum session_effect, and call nobody above: who called them lets the owner act (node.h).
 */
#ifndef N2N_CORE_SESSION_SESSION_H
#define N2N_CORE_SESSION_SESSION_H

#include "base/bucket.h"
#include "core/keys/keyset.h"
#include "core/link/link.h"
#include "core/session/core.h"
#include "core/session/hash.h"
#include "core/session/outbox.h"

/* PROTOCOL.md 5.7; all in milliseconds. */
#define REKEY_INITIATOR_MS 120000u
#define REKEY_RESPONDER_MS 150000u
#define KEYS_ERASE_MS	   240000u
#define ATTEMPT_GIVE_UP_MS 60000u
#define CONFIRM_GIVE_UP_MS 5000u
#define SESSION_ACTIVE_MS  60000u /* without frames for so long, keys are let die */
#define SESSION_IDLE_MS	   6000u  /* without frames for so long it is looked at rarely */
#define SESSION_TICK_MS	   90u /* how often it is looked at when not idle: before the next tick */

enum session_effect {
	SESSION_KEYED = 1,	 /* an attempt was answered; the key set is not confirmed yet */
	SESSION_CONFIRMED = 2,	 /* a new key set was confirmed */
	SESSION_RESTARTED = 4,	 /* by another process of the remote side than the last */
	SESSION_FIRST = 8,	 /* this static had never confirmed before */
	SESSION_UNANSWERED = 16, /* our attempt got no answer */
	SESSION_UNFIT = 32,	 /* a handshake of either side whose keys did not fit */
	SESSION_TWICE = 64	 /* the process before the last is back: there are two at once */
};

/* Where handshakes and relayed packets go, kept up to date by the owner. */
struct route {
	struct link *relay; /* the hop whose supernode relays to it, or NULL */
	uint32_t handle;    /* of the remote side there */
	struct way direct;  /* where it was last reached or heard directly; may be none */
};

struct session {
	struct link link;    /* first: what workers see of it */
	UT_hash_handle hh;   /* core->sessions, by link.id */
	struct deadline due; /* when it is looked at next */
	const struct party *party;
	void *owner; /* struct peer, hop's community or member, by link.kind */
	uint8_t remote[KEY_LEN];
	struct keyset *keys[LINK_POSITIONS]; /* owned; link.rx[i] is a half of keys[i] */
	struct keyset *current;		     /* of them, the one whose half link.tx is */
	bool bound;		 /* the last handshake with this peer went directly, or came so */
	bool gone;		 /* retired: nothing more is to be done with it */
	bool confirmed;		 /* this static has confirmed a key set, now or in an earlier run */
	uint64_t freshness;	 /* highest taken from it; counts once confirmed */
	uint64_t told_freshness; /* of our next attempt, and counted on; 0: the core's */
	uint32_t incarnation;	 /* of the last confirmed key set */
	uint32_t former;	 /* of the process before that; 0: none was met */
	uint32_t caps;
	uint16_t mtu;
	bool mask_known;
	uint8_t mask[MASK_LEN]; /* its direct mask key, or hop mask key */
	struct origin origin;	/* how its last handshake message came */
	struct route route;
	struct embryo *embryo;	 /* its handshake waiting for confirmation, or NULL */
	struct attempt *attempt; /* ours under way, or NULL */
	uint64_t attempt_ms;	 /* when it began */
	uint64_t attempt_next_ms;
	uint64_t cookie_ms; /* last stale cookie sent */
	uint8_t attempt_tries;
	uint8_t result;		 /* with which it refused us last, told with attempts; a hop's */
	bool attempt_quiet;	 /* crossing, and the other side goes first */
	struct way attempt_also; /* where it went beside the relay; none: nowhere */
	bool wanted;		 /* a session is wanted: start when allowed */
	uint64_t not_before_ms;	 /* no own start earlier */
	uint8_t failures;	 /* attempts in a row without result */
	uint32_t late_index;	 /* of our last key set let go unconfirmed, to know ...; 0: none */
	uint8_t late_mask[MASK_LEN]; /* ... what the other side still sends under it */
	uint64_t confirm_next_ms;    /* next empty confirm packet, 0 for none */
	uint8_t confirm_tries;
	struct outbox out;
	uint32_t rx_seq[CONTROL_TYPES];
	struct bucket answers; /* to its PINGs and probes, and probes of new sources */
	struct bucket probes;
	struct waiting_list early; /* frames of the peer that came before its first CLAIM */
	struct waiting_list waiting;
	struct search *search; /* owned; NULL until its path is searched (core/path/search.h) */
};

/* The session around a link; control thread only, as workers see no more than the link. */
static inline struct session *session_of(struct link *l)
{
	return (struct session *)l;
}

/*
 * A session, entered into core->sessions. Its id is random, or the one that was announced in a
 * handshake with this remote that waits for confirmation. NULL when memory is short.
 */
struct session *session_create(struct core *core, enum link_kind kind, const struct party *party,
	unsigned community, const uint8_t remote[KEY_LEN]);
/* Takes it out of the core and retires it with all it holds. Accepts NULL. */
void session_retire(struct core *core, struct session *s);
/* The session whose link has this id, which may be any number of a stranger's; NULL: none. */
struct session *session_by_id(const struct core *core, uint32_t id);
/* The session that has a key set with this index, and the key set; NULL if it is gone. */
struct session *session_by_index(const struct core *core, uint32_t index, struct keyset **keys);
/* The key set with exactly this index, or NULL. */
struct keyset *session_keyset(const struct session *s, uint32_t index);
/* An id that no session and no embryo has: random, 30 bits, not 0. */
uint32_t session_new_id(struct core *core);

/* The key set to send with now, or NULL. */
struct keyset *session_sending(const struct session *s, uint64_t now_ms);
/* True when the key set for sending has no counters left. */
bool session_used_up(const struct session *s);
/* A position no key set, attempt or embryo uses, evicting the least useful one if need be. */
unsigned session_free_position(struct core *core, struct session *s);
/* The highest generation of a confirmed key set, 0 for none. */
uint32_t session_generation(const struct session *s);
/* Makes a key set as this session's are; NULL when memory is short. */
struct keyset *session_make_keys(
	const struct core *core, enum link_kind kind, const struct handshake_result *r);
/* Puts a new key set at its position; takes ownership. */
void session_add_keys(struct core *core, struct session *s, struct keyset *k);
/* The first packet under a key set was opened: it counts as confirmed from now on. */
unsigned session_confirm(struct core *core, struct session *s, struct keyset *k);
/*
 * A handshake with this peer goes directly, or not any more. Who answers may not know our mask key
 * yet: while there is such a session workers must let packets under the split's pass.
 */
void session_bind(struct core *core, struct session *s, bool bound);
/* Takes over what the remote side said of itself in a handshake. */
void session_learn(struct core *core, struct session *s, const struct payload *theirs,
	const struct origin *from);
/* Drops the key set at a position, if there is one. */
void session_drop_keys(struct core *core, struct session *s, unsigned position);
/* Drops all keys, attempts and embryos, so that the next frame starts anew. */
void session_forget_keys(struct core *core, struct session *s);
/* Ends a handshake that waits for confirmation; its place is free then. */
void session_discard_embryo(struct embryo *e);
/* Ends our attempt, if there is one. */
void session_end_attempt(struct session *s);

/* Replaces a path pointer of the link (path or copy); takes ownership of path, may be NULL. */
void session_set_path(struct core *core, _Atomic(struct path *) *where, struct path *path);
/* A new path through the relay of the route, or NULL when there is none; the caller owns it. */
struct path *session_relay_path(const struct session *s);
/* It was heard or reached there directly: route.direct, unless it leads into an n2n network. */
void session_reached(struct core *core, struct session *s, const struct way *way);
/* Where messages of a handshake go; false: nowhere yet. */
bool session_way(const struct session *s, struct origin *to);

/* A session is wanted, because of a frame, a roster entry or age. */
void session_want(struct core *core, struct session *s);
/* Marks a reliable control message as to be sent, with a new sequence, before long. */
void session_post(struct core *core, struct session *s, enum control_type type);
/* The same, but it is not to be sent before this time. */
void session_post_at(struct core *core, struct session *s, enum control_type type, uint64_t at_ms);
/* It is to be looked at by then, or earlier. */
void session_look_at(struct core *core, struct session *s, uint64_t at_ms);
/* Key sets age, and frames that wait; whenever the session is looked at. */
void session_tick(struct core *core, struct session *s);
/*
 * When it has to be looked at again if nothing else happens. While it has something under way or
 * frames move, every SESSION_TICK_MS; else when the next of its key sets changes its state.
 */
uint64_t session_next_ms(struct core *core, struct session *s);

#endif
