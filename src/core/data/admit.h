/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What passes between the interface and the peers of a community, before anybody asks where to: the
 * rules of a switch port, for frames that go out and for those that come in. Workers, with what
 * edge_data.h gives them; frames are of at least FRAME_MIN bytes.
 */
#ifndef N2N_CORE_DATA_ADMIT_H
#define N2N_CORE_DATA_ADMIT_H

#include <string.h>

#include "core/data/gate.h"
#include "core/data/guard.h"
#include "core/data/own_datagram.h"

/* False for most frames. */
static inline bool admit_may_be_own(const struct view *v, const struct frame *f)
{
	return v->own != NULL && own_datagram_likely(v->own, f->data, f->len);
}

/* All that is to be asked of a frame of the interface. */
bool admit_out_asked(struct edge_worker *w, const struct view *v, unsigned community,
	const struct frame *f, const struct frame *before, uint64_t now_ms);

/*
 * Whether a frame of the interface may go out; if not it is counted. before: the one before, that
 * passed, or NULL: of most frames that is all there is to ask.
 */
static inline bool admit_out(struct edge_worker *w, const struct view *v, unsigned community,
	const struct frame *f, const struct frame *before, uint64_t now_ms)
{
	if (before != NULL && f->len >= FRAME_MIN && f->len <= FRAME_MAX &&
		memcmp(f->data + 6, before->data + 6, 6) == 0 && !admit_may_be_own(v, f) &&
		!first_hop_likely(f->data, f->len) &&
		!gate_concerns(v->community[community].gate, f->data))
		return true;
	return admit_out_asked(w, v, community, f, before, now_ms);
}

/*
 * Whether a frame that a peer sent may come in, as its verdict says afterwards (PROTOCOL.md 9.4).
 * before: one before it in the same batch, that may, or NULL.
 */
void admit_in(struct edge_worker *w, const struct view *v, struct rx *x, const struct rx *before,
	uint64_t now_ms);

#endif
