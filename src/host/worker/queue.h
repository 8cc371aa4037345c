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

/* size is a power of two, in notes. N2N_ENOMEM. Before there are two threads. */
MUST_CHECK int queue_init(struct queue *q, size_t size);
/* Wipes what is in it and frees, when one of both threads is left. A zeroed one is fine. */
void queue_fini(struct queue *q);

/* Producer: a note to fill in, the same until push, or NULL when the queue is full. */
struct note *queue_next(struct queue *q);
/* Producer: makes the note that queue_next gave visible. */
void queue_push(struct queue *q);
/* Producer: how many notes are in it; the consumer may have taken some of them since. */
size_t queue_filled(struct queue *q);
/* Consumer: the oldest note, or NULL; it stays valid until pop. */
struct note *queue_first(struct queue *q);
/* Consumer: gives the place of the oldest note back; queue_first has returned it. */
void queue_pop(struct queue *q);

#endif
