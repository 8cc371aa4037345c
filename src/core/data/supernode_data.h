/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The data path of a supernode: relaying. Run by workers, each with its own struct
 * supernode_worker and the newest view, in batches.
 */
#ifndef N2N_CORE_DATA_SUPERNODE_DATA_H
#define N2N_CORE_DATA_SUPERNODE_DATA_H

#include "core/data/copies.h"
#include "core/data/relay_budget.h"

struct supernode_worker {
	struct transmitter tx;
	struct receiver rx;
	struct drops drops;
	struct relay_budget *budget;	 /* owned */
	struct copier copier;		 /* of group packets */
	_Atomic uint64_t packets, bytes; /* relayed; written by its thread, read by any */
};

/*
 * thread: its number, below core_config.nworkers. pairs is shared by all workers and borrowed.
 * N2N_ENOMEM: nothing is held.
 */
MUST_CHECK int supernode_worker_init(struct supernode_worker *w, unsigned thread,
	struct relay_pairs *pairs, struct datagram_sink sink);
/* Once its thread has ended; a zeroed one is fine. */
void supernode_worker_fini(struct supernode_worker *w);

/*
 * Relays what is to be relayed of n <= BATCH_MAX datagrams, and gives the rest a verdict as
 * edge_datagrams_in does; a relayed one's is VERDICT_EMPTY, that of one
 * for a group VERDICT_REFUSED where its sender is to be told why not. Then notes_rx is to be called
 * for all.
 */
void supernode_datagrams_in(
	struct supernode_worker *w, const struct view *v, struct rx *x, size_t n, uint64_t now_ms);

#endif
