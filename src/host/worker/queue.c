/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the rings between workers and the control thread. */
#include "host/worker/queue.h"

#include <assert.h>
#include <stdlib.h>

#include "base/resident.h"

int queue_init(struct queue *q, size_t size)
{
	assert(size > 0 && (size & (size - 1)) == 0);
	*q = (struct queue){.mask = size - 1};
	q->notes = resident_calloc(size, sizeof(*q->notes));
	return q->notes != NULL ? 0 : N2N_ENOMEM;
}

void queue_fini(struct queue *q)
{
	if (q->notes != NULL)
		crypto_wipe(q->notes, (q->mask + 1) * sizeof(*q->notes));
	free(q->notes);
	q->notes = NULL;
}

size_t queue_filled(struct queue *q)
{
	size_t head = atomic_load_explicit(&q->head, memory_order_relaxed);
	size_t tail = atomic_load_explicit(&q->tail, memory_order_acquire);

	return head - tail;
}

struct note *queue_next(struct queue *q)
{
	size_t head = atomic_load_explicit(&q->head, memory_order_relaxed);

	return queue_filled(q) <= q->mask ? &q->notes[head & q->mask] : NULL;
}

void queue_push(struct queue *q)
{
	size_t head = atomic_load_explicit(&q->head, memory_order_relaxed);

	atomic_store_explicit(&q->head, head + 1, memory_order_release);
}

struct note *queue_first(struct queue *q)
{
	size_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
	size_t head = atomic_load_explicit(&q->head, memory_order_acquire);

	return tail != head ? &q->notes[tail & q->mask] : NULL;
}

void queue_pop(struct queue *q)
{
	size_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);

	atomic_store_explicit(&q->tail, tail + 1, memory_order_release);
}
