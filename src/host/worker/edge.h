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
	_Atomic(struct tap *) tap[COMMUNITIES_MAX]; /* by community; borrowed; NULL: none */
	atomic_bool gone[COMMUNITIES_MAX];	    /* it was removed from under us */
	_Atomic unsigned takes;			    /* of what all of them take */
	uint8_t *super;				    /* what was read: TAP_FRAME_MAX bytes */
	uint8_t (*slots)[SLOT_LEN];		    /* BATCH_MAX, for frames cut from it */
	struct frame frames[BATCH_MAX];
	size_t n_frames;
};

/* It has no interfaces yet. Control thread. N2N_E* of worker_init. */
MUST_CHECK int worker_edge_create(struct worker_edge **out, const struct worker_config *c);
/*
 * A queue of the interface of the community of this index, which has none; also while it runs.
 * Control thread. Errors of poll_add_tap.
 */
MUST_CHECK int worker_edge_attach(struct worker_edge *w, unsigned community, struct tap *tap);
/*
 * Takes it away again: frames for it are dropped from now on. It may be closed when the worker has
 * rested since (publication.h), or has been stopped. One that is not there is fine. Control thread.
 */
void worker_edge_detach(struct worker_edge *w, unsigned community);
/* Its interface was removed by somebody else; it is to be detached. Any thread. */
bool worker_edge_has_lost(const struct worker_edge *w, unsigned community);
/* Stops its thread, if it runs, and frees it. Control thread. NULL is fine. */
void worker_edge_destroy(struct worker_edge *w);

#endif
