/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worker of a supernode: relays between sockets. */
#ifndef N2N_HOST_WORKER_SUPERNODE_H
#define N2N_HOST_WORKER_SUPERNODE_H

#include "core/data/supernode_data.h"
#include "host/worker/worker.h"

struct worker_supernode {
	struct worker base; /* first */
	struct supernode_worker core;
};

/* pairs: of all workers of the supernode, borrowed. Control thread. N2N_E* of worker_init. */
MUST_CHECK int worker_supernode_create(
	struct worker_supernode **out, const struct worker_config *c, struct relay_pairs *pairs);
/* Stops its thread, if it runs, and frees it. Control thread. NULL is fine. */
void worker_supernode_destroy(struct worker_supernode *w);

#endif
