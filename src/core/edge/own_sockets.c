/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which sockets are ours, and what is done when an interface of ours brings what they sent. */
#include <stdlib.h>

#include "core/edge/edge_state.h"

#define LED_MS 90000u /* longer than a refused way is left alone */

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

static bool is_candidate(const struct session *s, const struct way *way)
{
	for (unsigned i = 0; s->search != NULL && i < s->search->n; i++)
		if (way_same_remote(&s->search->c[i].way, way))
			return true;
	return false;
}

/* True when the peer was spoken to there: not any more. */
static bool refuse(struct core *core, struct session *s, const struct way *way)
{
	const struct path *p = link_direct(&s->link);
	bool last = way_same_remote(&s->route.direct, way);

	if (s->link.kind != LINK_PEER)
		return false;
	if (last)
		s->route.direct = (struct way){.carrier = CARRIER_UDP};
	if (p != NULL && way_same_remote(&p->way, way))
		path_refuse(core, s);
	else if (is_candidate(s, way))
		search_refuse(s, way, core->now_ms + REFUSED_MS);
	else
		return last;
	return true;
}

/* Whose address it is, for the event; what leads to peers is given up. */
static void find_receiver(struct edge *e, const struct way *way, struct event *event)
{
	struct core *core = &e->node.core;
	const struct community *c;

	event->value = OWN_TO_OTHERS;
	for (struct session *s = core->sessions; s != NULL; s = s->hh.next) {
		if (!refuse(core, s, way))
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
}

/* Its place, or a free one; NULL: it is told of enough others. */
static struct led *find_led(struct edge *e, unsigned community, const struct endpoint *to)
{
	struct led *place = NULL;

	for (unsigned i = 0; i < LED_MAX; i++) {
		struct led *l = &e->led[i];

		if (l->until_ms == 0)
			place = l;
		else if (l->community == community && endpoint_equal(&l->to, to))
			return l;
	}
	return place;
}

void own_led(struct node *n, const struct addressee *of, const struct endpoint *to)
{
	struct edge *e = edge_of(n);
	struct event event = {
		.kind = EVENT_OWN_DATAGRAMS, .community = of->community, .remote = *to};
	const struct way way = way_to(to);
	struct led *l;
	bool begins;

	if (e->community[of->community] == NULL ||
		e->community[of->community]->generation != of->generation)
		return;
	find_receiver(e, &way, &event);
	l = find_led(e, of->community, to);
	if (l == NULL)
		return;
	begins = l->until_ms == 0;
	*l = (struct led){
		.to = *to, .community = of->community, .until_ms = n->core.now_ms + LED_MS};
	if (begins)
		core_event(&n->core, &event);
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
		if (e->led[i].until_ms != 0 && (c == NULL || e->led[i].community == c->index))
			end(e, &e->led[i]);
}
