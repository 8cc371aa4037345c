/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * By which interfaces of this host datagrams come out of an n2n network, by their index: written by
 * the control thread, read by workers for each train. While it is written a reader may see some of
 * the old and some of the new, which is as good as having looked a moment earlier or later.
 */
#ifndef N2N_HOST_WORKER_OVERLAYS_H
#define N2N_HOST_WORKER_OVERLAYS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define OVERLAYS_MAX 64u /* more are not known here */

/* Zeroed: none. */
struct overlays {
	atomic_uint n;
	atomic_uint link[OVERLAYS_MAX];
};

/* Control thread. */
static inline void overlays_set(struct overlays *o, const unsigned *link, size_t n)
{
	unsigned kept = n < OVERLAYS_MAX ? (unsigned)n : OVERLAYS_MAX;

	for (unsigned i = 0; i < kept; i++)
		atomic_store_explicit(&o->link[i], link[i], memory_order_relaxed);
	atomic_store_explicit(&o->n, kept, memory_order_release);
}

/* Any thread; o NULL: none. */
static inline bool overlays_has(const struct overlays *o, unsigned link)
{
	unsigned n = o != NULL ? atomic_load_explicit(&o->n, memory_order_acquire) : 0;

	for (unsigned i = 0; i < n; i++)
		if (atomic_load_explicit(&o->link[i], memory_order_relaxed) == link)
			return true;
	return false;
}

#endif
