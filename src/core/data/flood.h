/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames that are for more than one: to groups, and to addresses that nobody knows (PROTOCOL.md
 * 10). Workers, with what edge_data.h gives them.
 */
#ifndef N2N_CORE_DATA_FLOOD_H
#define N2N_CORE_DATA_FLOOD_H

#include "core/data/edge_data.h"

#define FLOOD_ALL 0 /* the fan-out set of everybody */

/*
 * Sends 0 < n <= BATCH_MAX frames of a community's interface to all for whom they are; for those
 * whom they cannot reach now they are left to the control thread. The frames stay as they are, but
 * for what the interface left undone.
 */
void flood(struct edge_worker *w, const struct view *v, unsigned community, struct frame *frames[],
	size_t n, uint64_t now_ms);

#endif
