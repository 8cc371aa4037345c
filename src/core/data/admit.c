/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which frames go out by the interface's port, and which come in by a peer's. */
#include "core/data/admit.h"

#include <string.h>

#include "core/data/guard.h"
#include "core/data/own_datagram.h"

/* ---- out ---- */

static bool may_be_own(const struct view *v, const struct frame *f)
{
	return v->own != NULL && own_datagram_likely(v->own, f->data, f->len);
}

static bool is_own_datagram(struct edge_worker *w, const struct view *v, unsigned community,
	const struct frame *f, uint64_t now_ms)
{
	const struct addressee of = {
		.community = (uint8_t)community, .generation = v->community[community].generation};
	struct endpoint to;

	if (!own_datagram(v->own, f->data, f->len, &to))
		return false;
	drops_add(&w->drops, DROP_OWN_DATAGRAM, 1);
	notes_own(w->notes, &of, &to, now_ms);
	return true;
}

/* Only a bridge sends from addresses that are not its interface's. */
static bool is_of_others(const struct view_community *c, const struct frame *f)
{
	return !c->bridge && c->own != 0 && frame_source(f->data) != c->own;
}

static bool same_source(const struct frame *a, const struct frame *b)
{
	return memcmp(a->data + 6, b->data + 6, 6) == 0;
}

bool admit_out(struct edge_worker *w, const struct view *v, unsigned community,
	const struct frame *f, const struct frame *before, uint64_t now_ms)
{
	if (f->len < FRAME_MIN || f->len > FRAME_MAX) {
		drops_add(&w->drops, f->len < FRAME_MIN ? DROP_FRAME_SHORT : DROP_FRAME_LONG, 1);
		return false;
	}
	if ((may_be_own(v, f) && is_own_datagram(w, v, community, f, now_ms)) ||
		!guard_out(w, v, community, f, now_ms))
		return false;
	if (before != NULL && same_source(f, before))
		return true;
	if (is_of_others(&v->community[community], f)) {
		drops_add(&w->drops, DROP_FOREIGN_SOURCE, 1);
		return false;
	}
	return true;
}

/* ---- in ---- */

/*
 * A member may send only from its own address: it cannot pose as another. A bridge may bring
 * others, but none that a member owns.
 */
void admit_in(struct edge_worker *w, const struct view *v, struct rx *x)
{
	uint64_t owned = atomic_load_explicit(&x->link->mac, memory_order_relaxed);
	struct frame f = {.data = x->data, .len = x->len, .offload = x->offload};
	enum drop why;

	if (x->len > FRAME_MAX) {
		receive_drop(&w->rx, x, DROP_FRAME_LONG);
	} else if (owned == 0) { /* the control thread takes whole frames */
		x->why = DROP_MALFORMED;
		x->verdict = offload_fill(&f) ? VERDICT_EARLY : VERDICT_DROP;
		if (x->verdict == VERDICT_DROP)
			drops_add(&w->drops, DROP_MALFORMED, 1);
		x->header.csum_unset = false;
	} else if (owned != frame_source(x->data) &&
		   !view_learn(v, x->link, frame_source(x->data))) {
		guard_source(x->link);
		receive_drop(&w->rx, x, DROP_SOURCE_MAC);
	} else if ((why = guard_in(v, x->link, x->data, x->len)) != DROP_COUNT) {
		receive_drop(&w->rx, x, why);
	}
}
