/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames that came in halves (PROTOCOL.md 6.8), made whole again within a batch of opened packets:
 * what lies side by side at once, the rest by the pool (pieces.h). Workers.
 */
#ifndef N2N_CORE_DATA_HALVES_H
#define N2N_CORE_DATA_HALVES_H

#include "core/data/pieces.h"
#include "core/data/receive.h"

#define WHOLE_SLOT_LEN 1536 /* a frame of FRAME_MAX */

/* One for each worker: where frames lie whose halves did not lie one behind the other. */
struct halves {
	uint8_t whole[BATCH_MAX][WHOLE_SLOT_LEN];
};

/*
 * Half x[at] of n <= BATCH_MAX opened packets is to become a frame: with x[at + 1], if that is the
 * other half, or with one that waits. Otherwise it waits, or was no half of a frame, and dropped.
 * The frame takes the place of the first half, or of the one that came last, with the verdict that
 * it has as a frame; the other one of the two is VERDICT_EMPTY then. Its bytes are those of the
 * datagrams, or in h until the same place of another batch. From the first of a batch to the last.
 */
void halves_join(struct halves *h, struct receiver *r, struct pieces *pool, struct rx *x, size_t at,
	size_t n, uint64_t now_ms);

#endif
