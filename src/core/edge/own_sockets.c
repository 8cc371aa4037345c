/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which sockets are ours, and what is done when an interface of ours brings what they sent. */
#include <stdlib.h>

#include "core/edge/edge_state.h"

#define LED_MS	  90000u /* longer than a refused way is left alone */
#define MENDED_MS 3000u	 /* and longer than a supernode is left alone */
#define LATE_MS	  300u	 /* so old a datagram may be that waited at the interface */

int edge_own_sockets(struct edge *e, const struct endpoint *addresses, size_t n, uint64_t now_ms)
{
	struct core *core = &e->node.core;
	struct own_sockets *own = own_create(addresses, n);

	core_enter(core, now_ms);
	if (own == NULL)
		return N2N_ENOMEM;
	if (own_equal(own, core->view.own))
		free(own);
	else
		view_set_own(&core->view, own, core_retire_any, core);
	return 0;
}

/* How a peer was spoken to there: not any more. */
enum use {
	USE_NONE,
	USE_PROBED, /* there was no more than that to lose */
	USE_PATH
};

static enum use refuse(struct core *core, struct session *s, const struct way *way, bool told)
{
	const struct path *p = link_direct(&s->link);
	bool last = way_same_remote(&s->route.direct, way), probed;

	if (s->link.kind != LINK_PEER)
		return USE_NONE;
	if (last)
		s->route.direct = (struct way){.carrier = CARRIER_UDP};
	if (p != NULL && way_same_remote(&p->way, way)) {
		path_refuse(core, s);
		return USE_PATH;
	}
	/* What is told is seen to hold by the next probe. */
	probed = search_refuse_probed(core, s, way, !told);
	if (last)
		return USE_PATH;
	return probed ? USE_PROBED : USE_NONE;
}

/*
 * Whose address it is, for the event; what leads to peers is given up. False: that was probed
 * alone. So it is where each has its address in the tunnel at a bridge: nothing is wrong.
 */
static bool find_receiver(struct edge *e, const struct way *way, bool told, struct event *event)
{
	struct core *core = &e->node.core;
	const struct community *c;
	bool probed = false;

	event->value = OWN_TO_OTHERS;
	for (struct session *s = core->sessions; s != NULL; s = s->hh.next) {
		enum use use = refuse(core, s, way, told);

		probed = probed || use == USE_PROBED;
		if (use != USE_PATH)
			continue;
		event->value = OWN_TO_PEER;
		event->key = s->remote;
		edge_id(event->edge, s->remote);
	}
	for (unsigned at = 0; (c = edge_next_community(e, &at)) != NULL;) {
		if (!way_same_remote(&c->hop.way, way))
			continue;
		event->value = OWN_TO_SUPERNODE;
		event->supernode = c->hop.supernode;
	}
	return event->value != OWN_TO_OTHERS || !probed;
}

static struct led *find_led(struct edge *e, unsigned community, const struct endpoint *to)
{
	for (unsigned i = 0; i < LED_MAX; i++)
		if (e->led[i].until_ms != 0 && e->led[i].community == community &&
			endpoint_equal(&e->led[i].to, to))
			return &e->led[i];
	return NULL;
}

/* NULL: enough others are told of. */
static struct led *free_led(struct edge *e)
{
	for (unsigned i = 0; i < LED_MAX; i++)
		if (e->led[i].until_ms == 0)
			return &e->led[i];
	return NULL;
}

/*
 * While addresses move from a card to a bridge peers tell theirs anew: what was probed at one that
 * is not told any more is nobody's for a moment.
 */
static bool is_stray(const struct edge *e)
{
	return e->rerouted_ms != 0 && e->node.core.now_ms < e->rerouted_ms + MENDED_MS;
}

static void led_in(struct edge *e, const struct addressee *of, const struct endpoint *to)
{
	struct event event = {
		.kind = EVENT_OWN_DATAGRAMS, .community = of->community, .remote = *to};
	struct led *l = find_led(e, of->community, to);
	bool tell = find_receiver(e, &(struct way){.remote = *to}, l != NULL, &event);
	uint64_t until_ms = e->node.core.now_ms + LED_MS;

	if (l != NULL) {
		l->until_ms = until_ms;
		return;
	}
	l = free_led(e);
	if (!tell || l == NULL || (event.value == OWN_TO_OTHERS && is_stray(e)))
		return;
	*l = (struct led){*to, of->community, until_ms};
	core_event(&e->node.core, &event);
}

void own_led(struct node *n, const struct addressee *of, const struct endpoint *to)
{
	struct edge *e = edge_of(n);
	const struct community *c = e->community[of->community];

	if (c == NULL || c->generation != of->generation ||
		(n->core.now_ms < e->rerouted_ms + LATE_MS &&
			find_led(e, of->community, to) != NULL))
		return;
	led_in(e, of, to);
}

void edge_led_in(struct edge *e, const struct endpoint *to, uint64_t now_ms)
{
	const struct way way = way_to(to);
	const struct community *c;

	core_enter(&e->node.core, now_ms);
	for (unsigned at = 0; (c = edge_next_community(e, &at)) != NULL;) {
		const struct addressee of = {
			.community = (uint8_t)c->index, .generation = c->generation};

		if (way_same_remote(&c->hop.way, &way))
			led_in(e, &of, to);
	}
}

/* Who is still led in is so again within that time. */
void own_rerouted(struct edge *e)
{
	uint64_t soon_ms = e->node.core.now_ms + MENDED_MS;

	e->rerouted_ms = e->node.core.now_ms;
	for (unsigned i = 0; i < LED_MAX; i++)
		if (e->led[i].until_ms > soon_ms)
			e->led[i].until_ms = soon_ms;
}

bool own_is_led(const struct edge *e, const struct endpoint *to)
{
	for (unsigned i = 0; i < LED_MAX; i++)
		if (e->led[i].until_ms != 0 && endpoint_equal(&e->led[i].to, to))
			return true;
	return false;
}

static void end(struct edge *e, struct led *l)
{
	const struct event event = {.kind = EVENT_OWN_DATAGRAMS,
		.community = l->community,
		.value = OWN_ENDED,
		.remote = l->to};

	l->until_ms = 0;
	core_event(&e->node.core, &event);
}

void own_tick(struct edge *e)
{
	for (unsigned i = 0; i < LED_MAX; i++)
		if (e->led[i].until_ms != 0 && e->node.core.now_ms >= e->led[i].until_ms)
			end(e, &e->led[i]);
}

void own_end(struct edge *e, const struct community *c)
{
	for (unsigned i = 0; i < LED_MAX; i++)
		if (e->led[i].until_ms != 0 && e->led[i].community == c->index)
			end(e, &e->led[i]);
}
