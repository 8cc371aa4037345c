/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worker of an edge: frames between interfaces and sockets. */
#ifndef N2N_HOST_WORKER_EDGE_H
#define N2N_HOST_WORKER_EDGE_H

#include "core/data/edge_data.h"
#include "host/worker/worker.h"
#include "os/tap.h"

struct worker_edge {
	struct worker base; /* first */
	struct edge_worker core;
	unsigned n_taps;
	struct tap *tap[COMMUNITIES_MAX]; /* by community; borrowed */
	uint8_t *super;			  /* what was read: TAP_FRAME_MAX bytes */
	uint8_t (*slots)[SLOT_LEN];	  /* BATCH_MAX, for frames cut from it */
	struct frame frames[BATCH_MAX];
	size_t n_frames;
};

MUST_CHECK int worker_edge_create(struct worker_edge **out, const struct worker_config *c,
	struct tap *const *taps, unsigned n_taps);
void worker_edge_destroy(struct worker_edge *w); /* NULL is fine */

#endif
