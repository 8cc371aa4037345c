/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the control side of one node shares: the way out, time, random bytes, ids, what waits and
 * what is retired. No I/O, no clock, no randomness of its own: they are passed in. Everything here
 * is for the control thread; what drives it is node.h.
 *
 * One clock: who enters (node.h, edge.h) sets it with core_enter, everybody inside reads now_ms.
 */
#ifndef N2N_CORE_SESSION_CORE_H
#define N2N_CORE_SESSION_CORE_H

#include "base/random.h"
#include "core/data/transmit.h"
#include "core/session/deadline.h"
#include "core/session/embryo.h"
#include "core/session/event.h"
#include "core/session/retire.h"
#include "core/session/waiting.h"
#include "core/view/view.h"

struct frame;

#define PATH_LIMIT_MIN 512 /* less is taken for this: every link carries 576 bytes */

/* The way out. Called on the control thread, never from within the data functions of workers. */
struct core_io {
	void *ctx;
	/* Sends one datagram; the buffer is the core's and valid during the call. */
	void (*send)(void *ctx, const struct datagram *d);
	/* A frame for the community's interface that was opened on the control thread. */
	void (*deliver)(void *ctx, unsigned community, const struct frame *f);
	void (*event)(void *ctx, const struct event *e);
	/*
	 * False: what is sent to this address by UDP leaves by an interface of an n2n network, ours
	 * or another's on this host, and would be carried by the very paths that it is to be for
	 * (PROTOCOL.md 9.2). Asked of peers' addresses only, for each no more often than it is
	 * probed. NULL: there is no such thing here.
	 */
	bool (*is_underlay)(void *ctx, const struct endpoint *to);
	/*
	 * How many bytes a datagram to this address may have, without IP and UDP headers, by the
	 * MTU of the link that it leaves by. NULL: as on a link of 1,500.
	 */
	uint16_t (*limit)(void *ctx, const struct endpoint *to);
	struct random random;
	/* A monotonic clock in microseconds, to measure round trips by; NULL: now_ms must do. */
	uint64_t (*now_us)(void *ctx);
};

struct core_config {
	struct core_io io;
	const struct aead_library *ciphers; /* outlives the node; NULL: what is built in */
	unsigned nworkers;  /* threads that run data functions; the control thread is one more */
	uint64_t now_ms;    /* of the monotonic clock */
	uint64_t wall_ms;   /* milliseconds since 1970 when the monotonic clock was 0; a hint */
	uint64_t freshness; /* lowest handshake freshness to use, from the state of earlier runs */
	unsigned embryos;   /* handshakes that may wait for confirmation at once */
	uint32_t first_counter; /* 0 but in tests of the limits */
};

struct core {
	struct core_io io;
	const struct aead_library *ciphers;
	unsigned nthreads;
	uint32_t first_counter;
	uint8_t hash_key[SIPHASH_KEY_LEN]; /* of hash tables keyed with what strangers choose */
	uint64_t wall_ms;
	uint64_t freshness; /* next to use at least */
	uint64_t now_ms;
	uint64_t flush_ms; /* when what is posted now is sent: many changes make one packet */
	uint32_t next_seq;
	struct session *sessions; /* by id */
	struct embryos embryos;
	struct deadlines deadlines; /* of sessions */
	struct retired *retired;
	struct waiting_pool waiting;
	struct view_editor view; /* what workers look up */
	unsigned n_bound;	 /* peers' sessions that are bound (session.h) */
	struct transmitter tx;	 /* the control thread's own packet buffers and cipher state */
	struct drops drops;
	/* Of the control packet being worked on: its plaintext, and whether it had its one answer.
	 */
	size_t asked_len;
	bool answered;
};

/* N2N_ENOMEM: nothing is held. */
MUST_CHECK int core_init(struct core *core, const struct core_config *c);
/* Frees everything, the retired included; sessions must be gone, and no worker may run any more. */
void core_fini(struct core *core);

/*
 * Who enters has this time: sets now_ms, and keeps flush_ms after it. Else, when a tick is late,
 * what is posted while the due are looked at would be due at once, and that would never end.
 */
void core_enter(struct core *core, uint64_t now_ms);

/* Sends through io.send, for data functions that the control thread runs. */
struct datagram_sink core_sink(struct core *core);
/* Hands memory over to be destroyed once no worker can look at it. Accepts NULL memory. */
void core_retire(struct core *core, void *memory, void (*destroy)(void *memory));
/* The retired so far, newest first; the caller destroys them after a grace period. */
struct retired *core_take_retired(struct core *core);
/* The same, for what gives memory away by itself; core is a struct core. */
table_retire core_retire_any;
/* What is written anew with every view changed (struct view_doors). */
void core_view_touch(struct core *core);
/*
 * Whether workers leave what may be under a split mask, and comes directly: from now on. False
 * holds only if nobody sends so any more, as found when the view is written anew.
 */
void core_let_split(struct core *core, bool pass);
/* The next freshness for a handshake of ours. */
uint64_t core_freshness(struct core *core);
/* Whether a peer may be spoken to there; what goes by other carriers than UDP always may. */
bool core_is_underlay(const struct core *core, const struct way *way);
/* How many bytes a datagram that way may have, without IP and UDP headers. */
uint16_t core_limit(const struct core *core, const struct way *way);
/* Tells the host at once; what e points to is borrowed for the call. */
void core_event(struct core *core, const struct event *e);
/* The finer clock: for differences only. */
uint64_t core_now_us(const struct core *core);
/* Counts one that the control thread had to drop. */
void core_drop(struct core *core, enum drop why);

#endif
