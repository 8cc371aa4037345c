/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/data/flood.h"

#include <string.h>

#include "core/data/audience.h"
#include "core/data/neighbours.h"
#include "core/data/streams.h"
#include "core/data/unreached.h"
#include "core/data/unsent.h"
#include "core/frame/flooded.h"

/*
 * A copy of a frame, which may be sealed and be on its way until the next transmit_flush: there is
 * room for as many as leave together.
 */
static struct frame copy_of(struct edge_worker *w, const struct frame *f)
{
	struct frame copy = {.len = f->len, .offload = f->offload};

	if (w->n_copies == BATCH_MAX) {
		transmit_flush(&w->tx);
		w->n_copies = 0;
	}
	copy.data = w->copies[w->n_copies++] + SLOT_HEADROOM;
	memcpy(copy.data, f->data, f->len);
	return copy;
}

static struct tx packet_of(const struct frame *f, struct link *l, struct send_keys *keys)
{
	return (struct tx){
		.link = l,
		.keys = keys,
		.packet = f->data - DATA_HEADER_LEN,
		.len = f->len,
		.kind = KIND_ETHERNET,
		.csum_unset = f->offload.csum_unset,
	};
}

static bool send_one(struct edge_worker *w, struct link *l, struct frame *f, uint64_t now_ms)
{
	struct tx x = packet_of(f, l, link_sending(l, now_ms));

	if (x.keys == NULL || !transmit_run(&w->tx, &x, 1, now_ms))
		return false;
	notes_sent(w->notes, l);
	return true;
}

static bool is_relayed(const struct port *p)
{
	const struct path *path = p->kind == PORT_LINK ? link_path(p->link) : NULL;

	return path != NULL && path->hop != NULL;
}

/* More than a few are behind a relay: a set in use says so without a walk over all ports. */
static bool is_for_many(const struct view_community *c)
{
	const struct group_set *set = c->group != NULL ? c->group->set[FLOOD_ALL] : NULL;
	const struct table_entry *e;
	unsigned n = 0;

	if (set != NULL && set->n > STORM_RELAYED_MAX)
		return true;
	for (uint32_t at = 0; n <= STORM_RELAYED_MAX && (e = table_next(c->ports, &at)) != NULL;)
		n += is_relayed(e->value);
	return n > STORM_RELAYED_MAX;
}

/* That of everybody. */
static const struct group_set *set_of_all(const struct group_plan *plan, uint64_t now_ms)
{
	if (plan == NULL)
		return NULL;
	atomic_store_explicit(&plan->use->used_ms, now_ms, memory_order_relaxed);
	return plan->set[FLOOD_ALL];
}

/* The set that a frame goes by; NULL: none. */
static const struct group_set *choose_set(struct edge_worker *w, const struct view *v,
	unsigned community, const struct frame *f, const struct audience *a, uint64_t now_ms)
{
	if (a->listed)
		return streams_take(
			w->storm, v, community, a, frame_destination(f->data), f->len, now_ms);
	return set_of_all(v->community[community].group, now_ms);
}

/* The set whose members have the frame by that; NULL: nobody has. */
static const struct group_set *send_group(struct edge_worker *w, const struct view *v,
	unsigned community, const struct frame *f, const struct audience *a, uint64_t now_ms)
{
	const struct group_plan *plan = v->community[community].group;
	const struct group_set *set = choose_set(w, v, community, f, a, now_ms);
	struct frame copy;
	struct tx x;

	if (set == NULL)
		return NULL;
	copy = copy_of(w, f);
	x = packet_of(&copy, NULL, set->keys);
	x.group = true;
	if (!transmit_group(&w->tx, &x, 1, &set->path, now_ms))
		return NULL;
	atomic_fetch_add_explicit(&plan->use->frames, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&plan->use->copies, set->n - 1, memory_order_relaxed);
	return set;
}

/* In one way or the other to each; those without keys are left to the control thread. */
static void flood_one(struct edge_worker *w, const struct view *v, unsigned community,
	struct frame *f, struct audience *a, bool relayed, uint64_t now_ms)
{
	const struct group_set *set = relayed ? send_group(w, v, community, f, a, now_ms) : NULL;
	const struct port *p;
	struct unreached others;

	unreached_begin(&others, w, v, community, f);
	others.reached = set != NULL || a->listed; /* nobody else is to be */
	while ((p = audience_next(a)) != NULL) {
		struct frame one;

		if (!relayed && is_relayed(p)) {
			others.reached = true;
			continue;
		}
		if (set != NULL && port_set_has(&set->ports, p->number))
			continue;
		one = copy_of(w, f);
		if (p->kind == PORT_SINK)
			unsent_give(w, p, &one);
		else if (send_one(w, p->link, &one, now_ms))
			others.reached = true;
		else
			unreached_add(&others, p->number);
	}
	unreached_leave(&others);
}

static void refuse(struct edge_worker *w, const struct view *v, unsigned community,
	const struct frame *f, enum flood_kind kind, uint64_t now_ms)
{
	const struct addressee of = {
		.community = (uint8_t)community, .generation = v->community[community].generation};
	uint32_t over = storm_over(w->storm, community, now_ms);

	drops_add(&w->drops, kind == FLOOD_UNKNOWN ? DROP_FLOOD : DROP_STORM, 1);
	if (over > 0)
		notes_storm(w->notes, &of, frame_source(f->data), kind, over);
}

/* By relay to more than a few, who are then left out alone, a frame has the relay's limits. */
static bool may_relay(struct edge_worker *w, const struct view *v, unsigned community,
	const struct frame *f, enum flood_kind kind, uint64_t now_ms)
{
	const struct view_community *c = &v->community[community];
	const struct group_set *set = c->group != NULL ? c->group->set[FLOOD_ALL] : NULL;
	size_t len = set != NULL ? transmit_group_len(set->keys, &set->path, f->len)
				 : DATA_OVERHEAD + f->len;

	return !is_for_many(c) ||
	       storm_lets_relay(w->storm, community, c->group, kind, len, now_ms);
}

static void take_for_all(struct edge_worker *w, const struct view *v, unsigned community,
	struct frame *f, struct audience *a, uint64_t now_ms)
{
	enum flood_kind kind = flooded_kind(f->data, f->len);
	bool relayed;

	if (!storm_lets_out(
		    w->storm, v->hash_key, community, frame_source(f->data), kind, now_ms)) {
		refuse(w, v, community, f, kind, now_ms);
		return;
	}
	relayed = may_relay(w, v, community, f, kind, now_ms);
	if (!relayed)
		refuse(w, v, community, f, kind, now_ms);
	flood_one(w, v, community, f, a, relayed, now_ms);
}

/* To one who is alone to have it. */
static void send_alone(struct edge_worker *w, const struct view *v, unsigned community,
	struct link *l, const struct frame *f, uint64_t now_ms)
{
	struct frame copy = copy_of(w, f);

	if (!send_one(w, l, &copy, now_ms))
		unsent_leave(w, v, community, l, &copy);
}

/* What cannot be heard may be that somebody listens. */
static void tell_membership(struct edge_worker *w, const struct view_community *c,
	const struct addressee *of, const struct frame *f, uint64_t now_ms)
{
	if (!notes_membership(w->notes, of, f) && c->group != NULL)
		atomic_store_explicit(&c->group->use->unheard_ms, now_ms, memory_order_relaxed);
}

/* What is said of groups concerns us, whether it goes to anybody or not. */
static void take_group(struct edge_worker *w, const struct view *v, unsigned community,
	struct frame *f, uint64_t now_ms)
{
	const struct addressee of = {
		.community = (uint8_t)community, .generation = v->community[community].generation};
	struct audience a;
	bool anybody = audience_of(&a, v, community, f->data, f->len);

	if (a.kind == MULTICAST_REPORT || a.kind == MULTICAST_ROUTER)
		tell_membership(w, &v->community[community], &of, f, now_ms);
	if (!anybody)
		drops_add(&w->drops, DROP_NO_LISTENER, 1);
	else if (a.listed)
		flood_one(w, v, community, f, &a, true, now_ms);
	else
		take_for_all(w, v, community, f, &a, now_ms);
}

static void take(struct edge_worker *w, const struct view *v, unsigned community, struct frame *f,
	uint64_t now_ms)
{
	const struct port *to = neighbours_ask(w, v, community, f, now_ms);

	if (to == NULL)
		return;
	if (to->kind == PORT_LINK)
		send_alone(w, v, community, to->link, f, now_ms);
	else
		take_group(w, v, community, f, now_ms);
}

void flood(struct edge_worker *w, const struct view *v, unsigned community, struct frame *frames[],
	size_t n, uint64_t now_ms)
{
	transmit_hold(&w->tx);
	for (size_t i = 0; i < n; i++)
		take(w, v, community, frames[i], now_ms);
	transmit_release(&w->tx);
	w->n_copies = 0;
}
