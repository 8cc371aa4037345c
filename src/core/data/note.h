/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker leaves for the control thread: notes. Decided here, for the programs, the simulator
 * and the fuzzers alike; the host brings the queues. A note is a copy: what it names by index or
 * number may be gone when it is taken, and who takes it looks (core/inbox.c).
 *
 * Each worker has a struct notes of its own.
 */
#ifndef N2N_CORE_DATA_NOTE_H
#define N2N_CORE_DATA_NOTE_H

#include "core/data/gate.h"
#include "core/data/receive.h"
#include "core/frame/frame.h"

enum note_kind {
	NOTE_CONTROL,  /* an opened control packet: index, origin, data */
	NOTE_EARLY,    /* an opened frame whose sender has not claimed its address: index, data */
	NOTE_ENVELOPE, /* an opened envelope: origin, to, data is its body and the 16-byte tag */
	NOTE_UNKNOWN,  /* a datagram nobody could place: origin, tried, data */
	NOTE_HEARD,    /* first packet under a key set, or from a new address: index, origin */
	NOTE_AWAKE,    /* first frame after idle, either way, or a group packet that was refused:
			* index is the link's id */
	NOTE_FRAME,    /* a frame that has to wait: to, data; index is the link's id, 0: for all of
			* missed */
	NOTE_LACKING,  /* a group packet under none of the keys told: index is the link's id */
	NOTE_BARRED,   /* to: whose interface wanted to speak for others, index: enum barred */
	NOTE_OWN,  /* our own datagram came by an interface: to, origin.way.remote its receiver */
	NOTE_LOOP, /* a probe or BPDU that the gate tells: to, data; index is the link's id, 0: of
		    * the interface */
	NOTE_MEMBERSHIP, /* a frame of an interface that says something of groups: to, data */
	NOTE_FOREIGN,	 /* a frame of an interface whose source may not go out: to, data is that */
	NOTE_STORM /* an interface brings too many frames for many: to; index: enum flood_kind;
		    * data: the source of one, and how many too many in a second */
};

enum note_queue {
	QUEUE_CONTROL, /* of sessions, early frames too: behind nobody */
	QUEUE_OWN,     /* frames of ours that wait, and word of what was heard */
	QUEUE_LOOP,    /* what the gate tells: no storm of frames comes before it */
	QUEUE_GROUPS,  /* what hosts say of groups, as many as they like */
	QUEUE_RELAYED, /* handshakes that came through a relay */
	QUEUE_UNKNOWN, /* handshakes from anywhere else */
	QUEUE_HELLO,   /* who asks for a key: as many as anybody likes, so in nobody's way */
	NOTE_QUEUES
};

/*
 * Whom of all a frame did not reach. Numbers of ports, 2 bytes each in the host's order, lie behind
 * the frame in data: n of them, at most MISSED_MAX.
 */
struct missed {
	uint32_t view; /* version of the view by which it went: who came later is missed as well */
	uint16_t n;
	bool all;  /* it reached nobody; n is 0 */
	bool more; /* these are added to the note before, of the same frame */
};

#define MISSED_MAX 256 /* there is room for them behind any frame */

struct note {
	enum note_kind kind;
	uint32_t index;
	struct addressee to;  /* whom an envelope, or whose interface a frame, was for */
	uint32_t tried;	      /* the version of the envelope keys that did not open it */
	struct missed missed; /* of a frame for all */
	struct origin origin;
	size_t len;
	uint8_t data[SLOT_LEN]; /* may be worked on in place */
};

/* Bounded queues, each with room for size notes. Called on the worker's thread. */
struct note_sink {
	/* A note to fill in, or NULL: the queue is full. It is seen by nobody before push. */
	struct note *(*next)(void *ctx, enum note_queue queue);
	void (*push)(void *ctx, enum note_queue queue);
	/* How many notes are in it; some may have been taken since. */
	size_t (*filled)(void *ctx, enum note_queue queue);
	size_t size[NOTE_QUEUES];
	void *ctx;
};

#define NOTE_STORM_LEN (6 + 4)

#define NOTES_OWN  16
#define NOTES_ECHO 64

struct notes {
	struct note_sink sink;
	struct drops *drops;	      /* of the worker: what finds no room is counted */
	uint64_t loop_ms[GATE_SLOTS]; /* when the gate may tell again, by its slots ... */
	uint64_t echo_ms[NOTES_ECHO][GATE_OWN_SLOTS]; /* ... and of our own, by a hash of peers */
	uint64_t own_ms[NOTES_OWN]; /* when NOTE_OWN may be left again, by a hash of receivers */
	uint64_t barred_ms[BARRED_KINDS];     /* and NOTE_BARRED */
	uint64_t foreign_ms[COMMUNITIES_MAX]; /* and NOTE_FOREIGN */
};

/* *sink is copied; its ctx and drops are borrowed. */
void notes_init(struct notes *n, const struct note_sink *sink, struct drops *drops);

/* Leaves what the verdict of this datagram wants left, which may be nothing. */
void notes_rx(struct notes *n, const struct rx *x, uint64_t now_ms);
/*
 * A whole frame, its checksum filled in, that cannot go out to this peer yet; of: whose interface
 * it came from. It is copied.
 */
void notes_frame(struct notes *n, const struct addressee *of, const struct link *link,
	const struct frame *f);
/*
 * The same of a frame for all that did not reach those of m, with m->n numbers at ports. In a queue
 * that is half full is room only for what hosts cannot do without (frame_is_vital) and somebody
 * missed.
 */
void notes_missed(struct notes *n, const struct addressee *of, const struct missed *m,
	const uint16_t *ports, const struct frame *f);
/*
 * A group packet of this peer was under a key that it has not told. Leaves word once a second at
 * most for each peer.
 */
void notes_lacking(struct notes *n, struct link *link, uint64_t now_ms);
/*
 * Our own datagram to this receiver was read from an interface, of: whose. Leaves word once a
 * second at most for each receiver.
 */
void notes_own(
	struct notes *n, const struct addressee *of, const struct endpoint *to, uint64_t now_ms);
/*
 * A frame of an interface, of: whose, was not let out, as it speaks for others. Leaves word once a
 * second at most for each kind.
 */
void notes_barred(struct notes *n, const struct addressee *of, enum barred what, uint64_t now_ms);
/*
 * A frame with this source was read from an interface, of: whose, that is no bridge, or a bridge
 * while another member owns the source. Leaves word once a second at most for each interface.
 */
void notes_foreign(struct notes *n, const struct addressee *of, uint64_t source, uint64_t now_ms);
/*
 * An interface, of: whose, brought so many frames of this kind too many in the last second, one of
 * them from this source. To be called once a second at most.
 */
void notes_storm(struct notes *n, const struct addressee *of, uint64_t source, enum flood_kind kind,
	uint32_t per_s);
/*
 * What the gate tells of a frame, of: of whose interface; from: the peer that sent it, NULL: it was
 * read from the interface. Each slot is left once in 100 ms at most, our own probes twice as often,
 * and for each peer.
 */
void notes_loop(struct notes *n, const struct addressee *of, const struct link *from,
	const struct gate_verdict *v, const struct frame *f, uint64_t now_ms);
/*
 * A frame of an interface, of: whose, says something of groups (core/frame/membership.h). False:
 * there is no room, and it is not heard.
 */
MUST_CHECK bool notes_membership(
	struct notes *n, const struct addressee *of, const struct frame *f);
/* Frames went out on this link: leaves word if it had been idle. */
void notes_sent(struct notes *n, struct link *link);

#endif
