/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Owns the published view and the epochs.
 *
 * Why it is safe: a worker writes its word, then reads the epoch. The control thread unhooks
 * memory, advances the epoch, then reads the words; all in the one order of seq_cst operations. If
 * it finds a word at 0 that the worker is about to write, the worker's read of the epoch comes
 * after the advance and synchronises with it, so the worker can no longer find the memory.
 */
#include "host/worker/publication.h"

#include <assert.h>
#include <stddef.h>

#include "core/session/retire.h"

void publication_init(struct publication *p, unsigned n_readers)
{
	assert(n_readers <= READERS_MAX);
	*p = (struct publication){.n_readers = n_readers};
	atomic_store(&p->epoch, 1);
}

const struct view *publication_enter(struct publication *p, unsigned reader)
{
	uint64_t epoch, seen = atomic_load(&p->epoch);

	do {
		epoch = seen;
		atomic_store(&p->reader[reader], epoch);
		seen = atomic_load(&p->epoch);
	} while (seen != epoch);
	return atomic_load(&p->view);
}

void publication_leave(struct publication *p, unsigned reader)
{
	atomic_store_explicit(&p->reader[reader], 0, memory_order_release);
}

void publication_show(struct publication *p, const struct view *v)
{
	atomic_store(&p->view, v);
}

void publication_retire(struct publication *p, struct retired *list)
{
	assert(p->limbo == NULL);
	p->limbo = list;
	p->limbo_epoch = atomic_fetch_add(&p->epoch, 1);
}

bool publication_reclaim(struct publication *p)
{
	for (unsigned i = 0; p->limbo != NULL && i < p->n_readers; i++) {
		uint64_t entered = atomic_load(&p->reader[i]);

		if (entered != 0 && entered <= p->limbo_epoch)
			return false;
	}
	publication_fini(p);
	return true;
}

void publication_fini(struct publication *p)
{
	retired_destroy(p->limbo);
	p->limbo = NULL;
}
