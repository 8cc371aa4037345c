/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns what a supernode's worker does with a batch: the core relays, the rest is passed on. */
#include "host/worker/supernode.h"

#include <stdlib.h>

#include "base/resident.h"

static uint64_t relayed(const struct supernode_worker *w)
{
	return atomic_load_explicit(&w->packets, memory_order_relaxed) +
	       atomic_load_explicit(&w->copier.packets, memory_order_relaxed);
}

static void datagrams_in(struct worker *base, const struct view *v, size_t n)
{
	struct worker_supernode *w = (struct worker_supernode *)base;
	uint64_t before = relayed(&w->core);

	supernode_datagrams_in(&w->core, v, base->rx, n, base->now_ms);
	if (relayed(&w->core) != before)
		base->moved = true;
	for (size_t i = 0; i < n; i++)
		notes_rx(&base->notes, &base->rx[i], base->now_ms);
}

static const struct worker_role role = {.datagrams = datagrams_in};

int worker_supernode_create(
	struct worker_supernode **out, const struct worker_config *c, struct relay_pairs *pairs)
{
	struct worker_supernode *w = resident_calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return N2N_ENOMEM;
	rc = worker_init(&w->base, c, &role);
	if (rc == 0)
		rc = supernode_worker_init(&w->core, c->number, pairs, worker_sink(&w->base));
	if (rc != 0) {
		worker_supernode_destroy(w);
		return rc;
	}
	worker_count(&w->base, &w->core.drops);
	*out = w;
	return 0;
}

void worker_supernode_destroy(struct worker_supernode *w)
{
	if (w == NULL)
		return;
	worker_stop(&w->base);
	supernode_worker_fini(&w->core);
	worker_fini(&w->base);
	free(w);
}
