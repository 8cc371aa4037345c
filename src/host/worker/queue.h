/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notes from a worker to the control thread: a bounded ring for one producer and one consumer,
 * without locks. A full ring refuses; the producer counts that and goes on.
 */
#ifndef N2N_HOST_WORKER_QUEUE_H
#define N2N_HOST_WORKER_QUEUE_H

#include <stdatomic.h>

#include "core/session/session.h"

enum note_kind {
	NOTE_CONTROL, /* an opened control packet: index, origin, data */
	NOTE_EARLY,   /* an opened frame whose sender has not claimed its address: index, data */
	NOTE_UNKNOWN, /* a datagram nobody could place: origin, data */
	NOTE_HEARD,   /* first packet under a key set, or from a new address: index, origin */
	NOTE_FRAME    /* a frame that has to wait: community, index is the session's id, data */
};

struct note {
	enum note_kind kind;
	uint32_t index;
	unsigned community;
	struct origin origin;
	size_t len;
	uint8_t data[SLOT_LEN];
};

struct queue {
	struct note *notes;
	size_t mask;
	_Atomic size_t head; /* notes ever put in; written by the producer */
	_Atomic size_t tail; /* notes ever taken out; written by the consumer */
};

/* size is a power of two. N2N_ENOMEM. */
MUST_CHECK int queue_init(struct queue *q, size_t size);
void queue_fini(struct queue *q); /* a zeroed one is fine */

/* Producer: a note to fill in, or NULL when the queue is full; push makes it visible. */
struct note *queue_next(struct queue *q);
void queue_push(struct queue *q);
/* Producer: how many notes are in it; the consumer may have taken some of them since. */
size_t queue_filled(struct queue *q);
/* Consumer: the oldest note, or NULL; it stays valid until pop. */
struct note *queue_first(struct queue *q);
void queue_pop(struct queue *q);

#endif
