/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What passes between the interface and the peers of a community, before anybody asks where to: the
 * rules of a switch port, for frames that go out and for those that come in. Workers, with what
 * edge_data.h gives them; frames are of at least FRAME_MIN bytes.
 */
#ifndef N2N_CORE_DATA_ADMIT_H
#define N2N_CORE_DATA_ADMIT_H

#include "core/data/edge_data.h"

/* Whether a frame of the interface may go out; if not it is counted. before: the one before, that
 * passed, or NULL. */
bool admit_out(struct edge_worker *w, const struct view *v, unsigned community,
	const struct frame *f, const struct frame *before, uint64_t now_ms);
/* Whether a frame that a peer sent may come in, as its verdict says afterwards (PROTOCOL.md 9.4).
 */
void admit_in(struct edge_worker *w, const struct view *v, struct rx *x);

#endif
