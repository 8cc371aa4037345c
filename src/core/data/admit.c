/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which frames go out by the interface's port, and which come in by a peer's. */
#include "core/data/admit.h"

#include "core/frame/flooded.h"
#include "core/frame/membership.h"

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

/* ---- the gate, both ways ---- */

/*
 * What a member elsewhere sends may come out of another bridge, and shows no VLAN of this LAN. Nor
 * does who asks in it: bridges would keep asking each other.
 */
static bool is_of_lan(const struct view *v, unsigned community, uint64_t source)
{
	return source == v->community[community].own || view_owner(v, community, source) == NULL;
}

/* from: the peer; NULL: the interface. False: the frame is counted, and ends here. */
static bool passes_gate(struct edge_worker *w, const struct view *v, unsigned community,
	const struct link *from, const struct frame *f, uint64_t now_ms)
{
	const struct gate *g = v->community[community].gate;
	const struct addressee of = {
		.community = (uint8_t)community, .generation = v->community[community].generation};
	struct gate_verdict verdict =
		from != NULL ? gate_in(g, from, f->data, f->len) : gate_out(g, f->data, f->len);

	if (verdict.vlan != 0 && is_of_lan(v, community, frame_source(f->data)) &&
		multicast_kind(f->data, f->len) != MULTICAST_ROUTER)
		gate_note_vlan(g, verdict.vlan);
	if (verdict.told)
		notes_loop(w->notes, &of, from, &verdict, f, now_ms);
	if (!verdict.passes)
		drops_add(&w->drops, verdict.why, 1);
	return verdict.passes;
}

static bool same_source(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a + 6, b + 6, 6) == 0;
}

/* Only a bridge sends from addresses that are not its interface's: none that a member owns. */
static bool is_from_here(struct edge_worker *w, const struct view *v, unsigned community,
	uint64_t source, uint64_t now_ms)
{
	const struct view_community *c = &v->community[community];
	const struct addressee of = {.community = (uint8_t)community, .generation = c->generation};

	if (c->own == source || c->own == 0)
		return true;
	if (!c->bridge) {
		drops_add(&w->drops, DROP_FOREIGN_SOURCE, 1);
		notes_foreign(w->notes, &of, source, now_ms);
		return false;
	}
	if (view_learn_here(v, community, source))
		return true;
	drops_add(&w->drops, DROP_CLAIMED_SOURCE, 1);
	notes_foreign(w->notes, &of, source, now_ms);
	return false;
}

bool admit_out(struct edge_worker *w, const struct view *v, unsigned community,
	const struct frame *f, const struct frame *before, uint64_t now_ms)
{
	if (f->len < FRAME_MIN || f->len > FRAME_MAX) {
		drops_add(&w->drops, f->len < FRAME_MIN ? DROP_FRAME_SHORT : DROP_FRAME_LONG, 1);
		return false;
	}
	if (gate_concerns(v->community[community].gate, f->data) &&
		!passes_gate(w, v, community, NULL, f, now_ms))
		return false;
	if ((may_be_own(v, f) && is_own_datagram(w, v, community, f, now_ms)) ||
		!guard_out(w, v, community, f, now_ms))
		return false;
	return (before != NULL && same_source(f->data, before->data)) ||
	       is_from_here(w, v, community, frame_source(f->data), now_ms);
}

/* ---- in ---- */

static void wait_for_claim(struct edge_worker *w, struct rx *x)
{
	struct frame f = {.data = x->data, .len = x->len, .offload = x->offload};

	x->why = DROP_MALFORMED;
	x->verdict = offload_fill(&f) ? VERDICT_EARLY : VERDICT_DROP;
	if (x->verdict == VERDICT_DROP)
		drops_add(&w->drops, DROP_MALFORMED, 1);
	x->header.csum_unset = false;
}

/* Where there is a ring bridges bring us our own frames: that is nobody's deceit. */
static void refuse_source(struct edge_worker *w, const struct view *v, struct rx *x)
{
	if (frame_source(x->data) != v->community[x->link->community].own ||
		!link_has_role(x->link, ROLE_BRIDGE))
		guard_source(x->link, frame_source(x->data));
	receive_drop(&w->rx, x, DROP_SOURCE_MAC);
}

/*
 * A member may send only from its own address: it cannot pose as another. A bridge may bring
 * others, but none that a member owns.
 */
void admit_in(struct edge_worker *w, const struct view *v, struct rx *x, const struct rx *before,
	uint64_t now_ms)
{
	uint64_t owned = atomic_load_explicit(&x->link->mac, memory_order_relaxed);
	enum drop why;

	if (x->len > FRAME_MAX) {
		receive_drop(&w->rx, x, DROP_FRAME_LONG);
	} else if (owned == 0) { /* the control thread takes whole frames */
		wait_for_claim(w, x);
	} else if (owned != frame_source(x->data) &&
		   !(before != NULL && before->link == x->link &&
			   same_source(x->data, before->data)) &&
		   !view_learn(v, x->link, frame_source(x->data))) {
		refuse_source(w, v, x);
	} else if ((why = guard_in(v, x->link, x->data, x->len)) != DROP_COUNT) {
		receive_drop(&w->rx, x, why);
	} else if (gate_concerns(v->community[x->link->community].gate, x->data) &&
		   !passes_gate(w, v, x->link->community, x->link,
			   &(struct frame){.data = x->data, .len = x->len}, now_ms)) {
		x->verdict = VERDICT_DROP;
	} else if ((x->data[0] & 1) != 0 &&
		   !storm_lets_in(x->link, flooded_kind(x->data, x->len), now_ms)) {
		receive_drop(&w->rx, x, DROP_PEER_STORM);
	}
}
