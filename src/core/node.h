/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The node: what an edge and a supernode have in common. All sessions by id, handshakes waiting
 * for confirmation, what was retired and not yet freed, and the way out of the core. What differs
 * is a table of functions, struct role. One node per process; everything here is for the control
 * thread. No I/O, no clock, no randomness of its own: they are passed in.
 */
#ifndef N2N_CORE_NODE_H
#define N2N_CORE_NODE_H

#include "base/bucket.h"
#include "core/data/transmit.h"
#include "core/event.h"
#include "core/link/drop.h"
#include "core/session/session.h"

#define TICK_MS		    100 /* node_tick is to be called so often */
#define WAITING_MAX	    256 /* frames held for all sessions together */
#define WAITING_PER_SESSION 16
#define WAITING_MS	    5000u

/* The way out. Called on the control thread, never from within the data functions of workers. */
struct node_io {
	void *ctx;
	/* Sends one datagram; the buffer is the core's and valid during the call. */
	void (*send)(void *ctx, const struct datagram *d);
	/* A frame for the community's interface that was opened on the control thread. */
	void (*deliver)(void *ctx, unsigned community, const struct frame *f);
	void (*event)(void *ctx, const struct event *e);
	struct random random;
};

struct node_config {
	struct node_io io;
	const struct aead_library *ciphers; /* outlives the node; NULL: what is built in */
	unsigned nworkers;  /* threads that run data functions; the control thread is one more */
	uint64_t wall_ms;   /* milliseconds since 1970 when the monotonic clock was 0; a hint */
	uint64_t freshness; /* lowest handshake freshness to use, from the state of earlier runs */
	unsigned embryos;   /* handshakes that may wait for confirmation at once */
	uint32_t first_counter; /* 0 but in tests of the limits */
};

struct view;

/* Where a frame waits for a session. From a bounded pool. */
struct waiting {
	struct waiting *next;
	uint64_t since_ms;
	size_t len;
	uint8_t slot[SLOT_LEN]; /* the frame is at SLOT_HEADROOM */
};

/* Memory that a worker may still look at: freed when all have passed a point of rest. */
struct retired {
	struct retired *next;
	void *memory;
	void (*destroy)(void *memory);
};

/*
 * What an edge does differently from a supernode. Static tables; see edge.c and supernode.c. Only
 * edges begin handshakes: what belongs to that is NULL at a supernode, and never called.
 */
struct role {
	/* Our side of a handshake begun by remote, or NULL: then nobody is there for it. */
	struct session *(*find)(
		struct node *n, const struct party *self, const uint8_t remote[KEY_LEN]);
	/* May this handshake of a static never confirmed be answered now? NULL: always. */
	bool (*admit)(struct node *n, const struct party *self, const uint8_t remote[KEY_LEN],
		const struct origin *from, uint64_t now_ms);
	/* The remote side has confirmed and has no session yet. NULL when there is no room. */
	struct session *(*create)(
		struct node *n, const struct party *self, const uint8_t remote[KEY_LEN]);
	/* May an attempt of ours start now? Pace and budgets. */
	bool (*may_start)(struct node *n, struct session *s, uint64_t now_ms);
	/* Where messages of an attempt go; false: nowhere yet. */
	bool (*way)(struct node *n, struct session *s, struct origin *to);
	/* A new path through the relay, or NULL when there is none; the caller owns it. */
	struct path *(*fallback)(struct node *n, struct session *s);
	/* An attempt of ours was answered; the key set is not confirmed yet. */
	void (*keyed)(struct node *n, struct session *s, uint64_t now_ms);
	/* A new key set was confirmed; restarted: by another process of the remote side. */
	void (*confirmed)(struct node *n, struct session *s, bool restarted, uint64_t now_ms);
	/*
	 * A handshake came to nothing: ours without an answer (answered is false), or one of either
	 * side whose keys did not fit. s may be NULL. May itself be NULL.
	 */
	void (*failed)(struct node *n, const struct party *self, struct session *s, bool answered,
		uint64_t now_ms);
	/* One control message of a packet opened under k. */
	void (*message)(struct node *n, struct session *s, const struct keyset *k,
		const struct control_msg *m, const struct origin *from, uint64_t now_ms);
	/* Writes the current state of a reliable message. */
	void (*encode)(struct node *n, struct session *s, enum control_type type, uint32_t seq,
		struct writer *w);
	/* Such a message was acknowledged. May be NULL. */
	void (*acked)(struct node *n, struct session *s, enum control_type type);
	/* What else is to do every tick, after the sessions. */
	void (*tick)(struct node *n, uint64_t now_ms);
	/* Fills in a new view. */
	struct view *(*view)(struct node *n);
};

struct node {
	struct node_io io;
	const struct role *role;
	const struct aead_library *ciphers;
	unsigned nthreads;
	uint32_t first_counter;
	uint8_t hash_key[SIPHASH_KEY_LEN]; /* of hash tables keyed with what strangers choose */
	uint8_t cookie_secret[2][KEY_LEN]; /* current and previous */
	uint64_t cookie_ms;
	uint64_t wall_ms;
	uint64_t freshness; /* next to use at least */
	uint64_t now_ms;
	uint32_t next_seq;
	struct session *sessions;
	struct embryo *embryos;
	unsigned n_embryos;
	struct retired *retired;
	struct waiting *waiting_free;
	struct waiting *waiting_pool;
	unsigned n_waiting;
	struct view *view;     /* newest built, maybe not yet published; owned */
	bool view_stale;       /* something changed since it was built */
	bool view_fresh;       /* it was built and not yet asked for */
	struct transmitter tx; /* the control thread's own packet buffers and cipher state */
	struct drops drops;
	bool answered; /* the control packet being worked on had its one answer */
};

/* Sends through io.send, for data functions that the control thread runs. */
struct datagram_sink node_sink(struct node *n);
MUST_CHECK int node_init(struct node *n, const struct role *role, const struct node_config *c);
/* Frees everything, the retired included: no worker may run any more. */
void node_fini(struct node *n);

/* Hands memory over to be destroyed once no worker can look at it. Accepts NULL memory. */
void node_retire(struct node *n, void *memory, void (*destroy)(void *memory));
/* The retired so far, newest first; the caller destroys them after a grace period. */
struct retired *node_take_retired(struct node *n);
void retired_destroy(struct retired *list);

/* Ages, retransmissions, searches: every TICK_MS. */
void node_tick(struct node *n, uint64_t now_ms);
/*
 * A new view, if anything changed since the last call, else NULL. The node keeps owning it and
 * retires it when it makes the next.
 */
const struct view *node_view_changed(struct node *n);
/* The newest view, built if stale. */
const struct view *node_view(struct node *n);
void node_view_touch(struct node *n);

/* An id that no session and no embryo has: random, 30 bits, not 0. */
uint32_t node_new_id(struct node *n);
/* The next freshness for a handshake of ours. */
uint64_t node_freshness(struct node *n);
void node_event(struct node *n, const struct event *e);
/* An event about the remote side of a peer session. */
void node_peer_event(struct node *n, const struct session *s, enum event_kind kind, uint32_t value);
/* Sends an envelope back the way something came; buf has RELAY_HEADER_LEN writable before it. */
void node_reply(struct node *n, const struct origin *to, uint8_t *buf, size_t len);

/* Seals and sends one packet now, on the session's path, or on via if that is not NULL. */
void node_send(struct node *n, struct session *s, enum frame_kind kind, const uint8_t *plain,
	size_t len, struct path *via);

/*
 * An empty packet under exactly this key set, back the way its handshake came: the session's path
 * may be one to a process that is gone.
 */
void node_send_under(struct node *n, struct session *s, struct keyset *k);

/* Marks a reliable control message as to be sent, with a new sequence. */
void control_post(struct node *n, struct session *s, enum control_type type);
/* Sends what is due, together with what w holds already (may be NULL). */
void control_flush(struct node *n, struct session *s, struct writer *w, uint64_t now_ms);
/* Works through the messages of one control packet, opened under k. */
void control_input(struct node *n, struct session *s, const struct keyset *k, const uint8_t *plain,
	size_t len, const struct origin *from, uint64_t now_ms);

/* Frames held back. wait_frame copies; false when the pool or the session's share is full. */
bool wait_frame(struct node *n, struct session *s, const struct frame *f, uint64_t now_ms);
void wait_flush(struct node *n, struct session *s, uint64_t now_ms);
void wait_expire(struct node *n, struct session *s, uint64_t now_ms);
void wait_drop(struct node *n, struct session *s);

#endif
