/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A network in memory: to each who takes datagrams leads a bounded ring, into which any thread
 * puts them. What finds no room is lost, as in a socket's buffer.
 */
#ifndef N2N_TESTS_CHURN_WIRE_H
#define N2N_TESTS_CHURN_WIRE_H

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/receive.h"
#include "core/frame/frame.h"
#include "os/thread.h"

#define WIRE_LEN 512

struct wire_datagram {
	struct endpoint from;
	size_t len;
	uint8_t data[DATAGRAM_MAX];
};

struct wire {
	atomic_flag lock;
	size_t head, tail; /* datagrams ever put in, ever taken out */
	struct wire_datagram at[WIRE_LEN];
};

/* NULL: no memory. */
static inline struct wire *wire_create(void)
{
	struct wire *w = calloc(1, sizeof(*w));

	if (w != NULL)
		atomic_flag_clear(&w->lock);
	return w;
}

static inline void wire_lock(struct wire *w)
{
	while (atomic_flag_test_and_set_explicit(&w->lock, memory_order_acquire))
		thread_yield();
}

static inline void wire_unlock(struct wire *w)
{
	atomic_flag_clear_explicit(&w->lock, memory_order_release);
}

static inline void wire_put(struct wire *w, const struct endpoint *from, const struct datagram *d)
{
	wire_lock(w);
	if (w->head - w->tail < WIRE_LEN && d->len <= DATAGRAM_MAX) {
		struct wire_datagram *p = &w->at[w->head++ % WIRE_LEN];

		p->from = *from;
		p->len = d->len;
		memcpy(p->data, d->data, d->len);
	}
	wire_unlock(w);
}

/* Takes at most max datagrams, each into the slot of its number; returns how many. */
static inline size_t wire_take(
	struct wire *w, uint8_t (*slots)[SLOT_LEN], struct rx *rx, size_t max)
{
	size_t n = 0;

	wire_lock(w);
	for (; n < max && w->tail != w->head; n++) {
		const struct wire_datagram *p = &w->at[w->tail++ % WIRE_LEN];

		memcpy(slots[n], p->data, p->len);
		rx[n].in = (struct datagram){slots[n], p->len, way_to(&p->from)};
	}
	wire_unlock(w);
	return n;
}

static inline size_t wire_filled(struct wire *w)
{
	size_t n;

	wire_lock(w);
	n = w->head - w->tail;
	wire_unlock(w);
	return n;
}

#endif
