/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The node: an edge or a supernode as a whole, driven by its host. It lets time pass, takes what
 * workers left (inbox.c), and lets its role act on what came of it. What differs between edges and
 * supernodes is a table of functions, struct role; nothing below the driver calls it.
 *
 * One node per process. Control thread, all of it. No I/O, no clock, no randomness of its own.
 */
#ifndef N2N_CORE_NODE_H
#define N2N_CORE_NODE_H

#include "core/data/note.h"
#include "core/session/budget.h"
#include "core/session/session.h"

#define TICK_MS	      100 /* node_tick is to be called so often, give or take a few */
#define LISTENERS_MAX (2 * COMMUNITIES_MAX)

#define REFUSED_IN_SILENCE UINT16_MAX

struct node;

/* One of our parties that a datagram may be for. */
struct listener {
	const struct party *self;
	const uint8_t *mask; /* that senders who know us use */
	struct addressee to; /* how envelopes name it */
};

struct role {
	/* Whom a datagram from there may be for, in the order to try; returns how many. */
	unsigned (*listeners)(
		struct node *n, const struct origin *from, struct listener out[LISTENERS_MAX]);
	/* Is a datagram that nobody could place yet expected from there? NULL: never. Others need
	 * room in the budget of strangers. */
	bool (*expected)(struct node *n, const struct origin *from);
	/* Our side of a handshake begun by remote, or NULL: then nobody is there for it. */
	struct session *(*find)(
		struct node *n, const struct party *self, const uint8_t remote[KEY_LEN]);
	/*
	 * May a handshake that this static began from there be answered now? stale: its freshness
	 * is no higher than one seen, so that anybody may have repeated it. NULL: always.
	 */
	bool (*admit)(struct node *n, const struct party *self, const uint8_t remote[KEY_LEN],
		const struct origin *from, bool stale);
	/*
	 * The result with which a handshake is refused, for what its sender says of itself; 0: none
	 * is; REFUSED_IN_SILENCE: it is not answered at all. NULL: never.
	 */
	uint16_t (*refuses)(struct node *n, struct session *s, const struct payload *theirs,
		const struct origin *from);
	/* A hop's attempt was refused so, and has ended. May retire the session. */
	void (*refused)(struct node *n, struct session *s, uint16_t result);
	/* May a message 1 of this freshness be answered? s: its sender's, or NULL. NULL: always. */
	bool (*fresh)(struct node *n, const struct session *s, uint64_t freshness);
	/* May an attempt of ours that is due begin? NULL: always. */
	bool (*begin)(struct node *n, struct session *s);
	/* It was answered: may the handshake go on? NULL: always. */
	bool (*accept)(struct node *n, struct session *s);
	/* The remote side has confirmed and has no session yet. NULL when there is no room. */
	struct session *(*create)(
		struct node *n, const struct party *self, const uint8_t remote[KEY_LEN]);
	/* What happened to a session: a set of enum session_effect. May retire it. */
	void (*effects)(struct node *n, struct session *s, unsigned effects);
	/* A handshake that we answered was not confirmed in time and ends. May be NULL. */
	void (*unconfirmed)(struct node *n, const struct embryo *e);
	/* Something came under keys that were let go unconfirmed: they fitted, and were late. May
	 * be NULL. */
	void (*late)(struct node *n, struct session *s);
	/* What came to confirm it is under other keys than ours. NULL where nobody asks. */
	void (*misfit)(struct node *n, const struct embryo *e);
	/* One control message of a packet opened under k. May retire the session. */
	void (*message)(struct node *n, struct session *s, const struct keyset *k,
		const struct control_msg *m, const struct origin *from);
	/* Writes the current state of a reliable message, or withdraws it. */
	void (*encode)(struct node *n, struct session *s, enum control_type type, uint32_t seq,
		struct writer *w);
	/* Such a message was acknowledged. May be NULL. */
	void (*acked)(struct node *n, struct session *s, enum control_type type);
	/* An envelope that may answer one of ours, not a handshake's; true when it did. NULL where
	 * nothing is ever asked. */
	bool (*answer)(struct node *n, const uint8_t *data, size_t len, const struct origin *from);
	/* HELLO: body, then the datagram's tag. NULL where nobody asks. */
	void (*hello)(
		struct node *n, const uint8_t *body, size_t body_len, const struct origin *from);
	/* NOTE_FRAME: a frame of ours could not go out. NULL where there are none. */
	void (*frame)(struct node *n, struct note *note);
	/* Our own datagram to this receiver came by an interface. NULL where there are none. */
	void (*own)(struct node *n, const struct addressee *of, const struct endpoint *to);
	/* None of the group keys that the remote side told opens its packets. NULL where there are
	 * none. */
	void (*lacking)(struct node *n, struct session *s);
	/* A frame of an interface was not let out, as it speaks for others. NULL where there are
	 * none. */
	void (*barred)(struct node *n, const struct addressee *of, enum barred what);
	/* A frame with this source came by an interface that is no bridge. NULL where none are. */
	void (*foreign)(struct node *n, const struct addressee *of, const struct mac *source);
	/*
	 * An interface brought so many frames for many too many in a second, one of them with this
	 * source. NULL where none are.
	 */
	void (*storm)(struct node *n, const struct addressee *of, const struct mac *source,
		enum flood_kind kind, uint32_t per_s);
	/* What a gate told (core/data/gate.h); link_id 0: of a frame read from the interface. NULL
	 * where there are none. */
	/* A frame of an interface, of: whose, says something of groups; or NULL. */
	void (*membership)(struct node *n, const struct addressee *of, const struct frame *f);
	void (*loop)(struct node *n, const struct addressee *of, uint32_t link_id,
		const struct frame *f);
	/* The role's part of looking at a session; may retire it. Returns when to look again. */
	uint64_t (*look)(struct node *n, struct session *s);
	/* What else is to do every TICK_MS. */
	void (*tick)(struct node *n);
	/* Writes what is written anew with every view, but env_version. */
	void (*doors)(struct node *n, struct view_doors *d);
};

struct node {
	struct core core; /* first */
	const struct role *role;
	struct receiver rx;    /* of the control thread, for what views are too old for */
	struct budget *budget; /* of what strangers send; owned */
	uint32_t env_version;  /* of the keys of our envelopes; a role raises it with each change */
};

/* The node around its core. */
static inline struct node *node_of(struct core *core)
{
	return (struct node *)core;
}

/* N2N_ENOMEM: nothing is held. */
MUST_CHECK int node_init(struct node *n, const struct role *role, const struct core_config *c);
/* Frees everything, sessions and the retired included: no worker may run any more. */
void node_fini(struct node *n);

/* Looks at what is due: every TICK_MS. */
void node_tick(struct node *n, uint64_t now_ms);
/* Takes a note that a worker left; its data may be changed. */
void node_note(struct node *n, struct note *note, uint64_t now_ms);
/* Looks at a session now, as when its deadline is due. */
void node_look(struct node *n, struct session *s);
/* Looks at all sessions that are due. */
void node_look_due(struct node *n);
/* Lets the role act on effects, and sends what came of it. */
void node_act(struct node *n, struct session *s, unsigned effects);

/*
 * A new view, if anything changed since the last call, else NULL, or when memory is short: then it
 * is still due (node_view_is_due). The node keeps owning it and retires it when it makes the next.
 */
const struct view *node_view_changed(struct node *n);
/*
 * True when a view is due: until it is shown, what was retired may be found, and must not be
 * destroyed.
 */
bool node_view_is_due(const struct node *n);

#endif
