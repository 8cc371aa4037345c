/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A session: the lasting association with one remote static key, over which key sets come and go
 * (PROTOCOL.md 3). Between two edges, on an edge towards a supernode, or at a supernode for one
 * registered edge; the machinery is the same.
 *
 * The first part is shared: workers reach sessions through the view and read and write the atomic
 * words; the control thread swaps the pointers, so a rekey or a change of path publishes nothing.
 * What is swapped out is retired through the node. The second part is the control thread's alone.
 *
 * A session's 30-bit id is random; the index of a key set is the id and, in the two low bits, the
 * key set's position in rx.
 */
#ifndef N2N_CORE_SESSION_SESSION_H
#define N2N_CORE_SESSION_SESSION_H

#include "base/bucket.h"
#include "core/frame/frame.h"
#include "core/keys/handshake.h"
#include "core/path/search.h"
#include "core/session/table.h"

#define SESSION_POSITIONS     4
#define INDEX_ID(index)	      ((index) >> 2)
#define INDEX_POSITION(index) ((index)&3u)

/* PROTOCOL.md 5.7; all in milliseconds. */
#define REKEY_INITIATOR_MS 120000u
#define REKEY_RESPONDER_MS 150000u
#define KEYS_REJECT_MS	   180000u
#define KEYS_ERASE_MS	   240000u
#define ATTEMPT_GIVE_UP_MS 60000u
#define CONFIRM_GIVE_UP_MS 5000u
#define EMBRYO_HOLD_MS	   5000u /* no own start while one is younger */
#define EMBRYO_LIFE_MS	   15000u
#define SESSION_ACTIVE_MS  60000u /* without frames for so long, keys are let die */

struct node;

enum session_kind {
	SESSION_PEER,  /* edge to edge */
	SESSION_HOP,   /* edge to supernode, at the edge */
	SESSION_MEMBER /* the same, at the supernode */
};

/* A way to the remote side. Immutable; replaced as a whole. */
struct path {
	struct endpoint remote; /* direct: where to send */
	struct endpoint local;	/* direct: from which of our addresses; none: the system chooses */
	uint8_t mask[MASK_LEN]; /* direct: the receiver's mask key */
	bool mask_known;	/* false: the split's mask key is used */
	struct session *hop;	/* relayed: through this hop session; else NULL */
	uint32_t handle;	/* relayed: the destination */
	uint8_t hop_limit;	/* relayed */
};

/* How a datagram came in, and how an answer goes back. */
struct origin {
	struct endpoint remote;
	struct endpoint local;
	uint32_t hop_id; /* relayed: the hop session's id; 0: direct */
	uint32_t handle; /* relayed: the source */
};

/* Reliable control messages wait here, one per type, until acknowledged. */
struct outgoing {
	uint32_t seq; /* 0: nothing to send */
	uint64_t next_ms;
	uint8_t tries;
};

struct waiting; /* a frame held until there are keys, node.h */
struct embryo;	/* a handshake answered and not yet confirmed, responder.h */

struct session {
	/* Fixed. */
	uint32_t id;
	enum session_kind kind;
	unsigned community; /* index; 0 at a supernode */

	/* Shared words. */
	_Atomic(struct keyset *) rx[SESSION_POSITIONS];
	_Atomic(struct keyset *) tx;  /* one of rx, or NULL */
	_Atomic(struct path *) path;  /* where packets go */
	_Atomic(struct path *) copy;  /* and a second time, while the first is doubted */
	_Atomic uint64_t mac;	      /* peer: the address it claimed, 48 bits; 0: none yet */
	_Atomic uint64_t tx_ms;	      /* last packet sent */
	_Atomic uint64_t tx_frame_ms; /* last frame sent */
	_Atomic uint64_t rx_ms;	      /* last packet opened */
	_Atomic uint64_t rx_frame_ms;
	_Atomic uint64_t rx_direct_ms; /* last packet opened that came from where path leads */
	_Atomic uint64_t tx_frames, tx_bytes, rx_frames, rx_bytes;

	/* The control thread's. */
	UT_hash_handle hh; /* node->sessions, by id */
	const struct party *party;
	void *owner; /* struct peer, hop or member, by kind */
	uint8_t remote[KEY_LEN];
	bool gone;	      /* retired: nothing more is to be done with it */
	bool confirmed;	      /* this static has confirmed a key set, now or in an earlier run */
	uint64_t freshness;   /* highest taken from it; counts once confirmed */
	uint32_t incarnation; /* of the last confirmed key set */
	uint32_t caps;
	uint16_t mtu;
	bool mask_known;
	uint8_t mask[MASK_LEN];	 /* its direct mask key, or hop mask key */
	struct origin origin;	 /* how its last handshake message came */
	struct embryo *embryo;	 /* its handshake waiting for confirmation, or NULL */
	struct attempt *attempt; /* ours under way, or NULL */
	uint64_t attempt_ms;	 /* when it began */
	uint64_t attempt_next_ms;
	uint64_t cookie_ms; /* last stale cookie sent */
	uint8_t attempt_tries;
	bool attempt_quiet;	  /* crossing, and the other side goes first */
	bool wanted;		  /* a session is wanted: start when allowed */
	uint64_t not_before_ms;	  /* no own start earlier */
	uint8_t failures;	  /* attempts in a row without result */
	uint64_t confirm_next_ms; /* next empty confirm packet, 0 for none */
	uint8_t confirm_tries;
	struct outgoing out[CONTROL_TYPES];
	uint32_t rx_seq[CONTROL_TYPES];
	struct bucket answers; /* to its PINGs and probes, and probes of new sources */
	struct bucket probes;
	struct waiting *waiting;
	unsigned n_waiting;
	struct search search;
};

static inline struct keyset *session_tx(const struct session *s)
{
	return atomic_load_explicit(&s->tx, memory_order_acquire);
}

static inline struct path *session_path(const struct session *s)
{
	return atomic_load_explicit(&s->path, memory_order_acquire);
}

/* The key set with exactly this index, or NULL. Any thread. */
struct keyset *session_keys(const struct session *s, uint32_t index);
/* True while the key set may send and receive. Tested per burst. */
bool keyset_alive(const struct keyset *k, uint64_t now_ms);
/* The key set to send with now, or NULL. Any thread. */
struct keyset *session_sending(const struct session *s, uint64_t now_ms);

/* True when the key set for sending has no counters left. */
bool session_used_up(const struct session *s);

/* Everything below is for the control thread. */

/*
 * A session, entered into node->sessions. Its id is random, or the one that was announced in a
 * handshake with this remote that waits for confirmation. NULL when memory is short.
 */
struct session *session_create(struct node *n, enum session_kind kind, const struct party *party,
	unsigned community, const uint8_t remote[KEY_LEN]);
/* Takes it out of the node and retires it with all it holds. Accepts NULL. */
void session_retire(struct node *n, struct session *s);
struct session *session_by_id(const struct node *n, uint32_t id);
/* The session that has a key set with this index, and the key set; NULL if it is gone. */
struct session *session_by_index(const struct node *n, uint32_t index, struct keyset **keys);

/* A position no key set, attempt or embryo uses, evicting the least useful one if need be. */
unsigned session_free_position(struct node *n, struct session *s);
/* The highest generation of a confirmed key set, 0 for none. */
uint32_t session_generation(const struct session *s);
/* Puts a new key set at its position. */
void session_add_keys(struct node *n, struct session *s, struct keyset *k);
/* The first packet under a key set was opened: it counts as confirmed from now on. */
void session_confirm(struct node *n, struct session *s, struct keyset *k);
/* Takes over what the remote side said of itself in a handshake. */
void session_learn(struct session *s, const struct payload *theirs, const struct origin *from);
/* Chooses the key set to send with; call after any change of the sets. */
void session_pick_tx(struct node *n, struct session *s);
/* Drops all keys, attempts and embryos, so that the next frame starts anew. */
void session_forget_keys(struct node *n, struct session *s);
/* Replaces a path pointer (s->path or s->copy); takes ownership of path, which may be NULL. */
void session_set_path(struct node *n, _Atomic(struct path *) *where, struct path *path);

/* Key set ages, attempts, confirms. Called every tick. */
void session_tick(struct node *n, struct session *s, uint64_t now_ms);
/* A session is wanted, because of a frame, a roster entry or age. */
void session_want(struct session *s);
/* Takes a RESPONSE or a cookie for an attempt of ours; false when it was not for this one. */
bool session_response(struct node *n, struct session *s, const struct msg_response *m,
	const struct origin *from, uint64_t now_ms);

#endif
