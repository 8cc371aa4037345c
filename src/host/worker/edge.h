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
	struct tap *tap[COMMUNITIES_MAX]; /* by community; borrowed; NULL: none */
	uint8_t *super;			  /* what was read: TAP_FRAME_MAX bytes */
	uint8_t (*slots)[SLOT_LEN];	  /* BATCH_MAX, for frames cut from it */
	struct frame frames[BATCH_MAX];
	size_t n_frames;
};

/*
 * taps: a queue of the interface of each community, by index, NULL where there is none; they are
 * closed by the caller after worker_edge_destroy. Control thread. N2N_E* of worker_init.
 */
MUST_CHECK int worker_edge_create(struct worker_edge **out, const struct worker_config *c,
	struct tap *const taps[COMMUNITIES_MAX]);
/* Stops its thread, if it runs, and frees it. Control thread. NULL is fine. */
void worker_edge_destroy(struct worker_edge *w);

#endif
