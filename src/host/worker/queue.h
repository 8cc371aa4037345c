/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notes from a worker to the control thread: a bounded ring for one producer and one consumer,
 * without locks. A full ring refuses; the producer counts that and goes on.
 */
#ifndef N2N_HOST_WORKER_QUEUE_H
#define N2N_HOST_WORKER_QUEUE_H

#include <stdatomic.h>

#include "core/data/note.h"

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
