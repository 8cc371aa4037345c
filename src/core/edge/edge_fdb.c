/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is known of addresses, for people: our own, those that members own, and the learned ones. */
#include "core/edge/presence.h"

static void say_peer(struct status_address *t, const struct peer *p)
{
	edge_id(t->edge_id, p->remote);
	t->state = presence_state(p, core_of(p->community)->now_ms);
}

void edge_owned_addresses(
	const struct edge *e, unsigned community, status_address_fn *say, void *ctx)
{
	const struct community *c = e->community[community];
	struct status_address t = {.how = ADDRESS_OWN, .mac = c->mac, .here = true};

	edge_id(t.edge_id, c->party.self.public);
	say(ctx, &t);
	for (size_t i = 0; i < c->owners.n; i++) {
		const struct owner *o = &c->owners.at[i];

		t = (struct status_address){
			.how = ADDRESS_CLAIMED, .mac = o->mac, .state = PEER_AWAY};
		edge_id(t.edge_id, o->remote);
		if (o->peer != NULL)
			say_peer(&t, o->peer);
		say(ctx, &t);
	}
}

/* How long it was not heard, at least. Within the present step nothing is known. */
static uint64_t age_ms(const struct community *c, unsigned steps)
{
	uint64_t began_ms = c->fdb_step_ms - LEARNED_STEP_MS, now_ms = core_of(c)->now_ms;
	uint64_t into_ms = now_ms > began_ms ? now_ms - began_ms : 0;

	/* A worker that was quicker than we are has begun a step that we have not. */
	if (steps == 0 || steps > FDB_AGE_MAX || into_ms > LEARNED_STEP_MS)
		return 0;
	return (steps - 1) * (uint64_t)LEARNED_STEP_MS + into_ms;
}

/* False: what it was learned from is gone. */
static bool describe(
	const struct community *c, const struct fdb_entry *entry, struct status_address *t)
{
	struct core *core = core_of(c);
	const struct port *p = table_get(&core->view.community[c->index].ports, entry->port);
	const struct session *s;

	*t = (struct status_address){.how = ADDRESS_LEARNED,
		.mac = mac_from_number(entry->address),
		.age_ms = age_ms(c, entry->age),
		.here = entry->port == PORT_HERE};
	if (t->here) {
		edge_id(t->edge_id, c->party.self.public);
		return true;
	}
	s = p != NULL && p->kind == PORT_LINK ? session_by_id(core, p->link->id) : NULL;
	if (s != NULL)
		say_peer(t, s->owner);
	return s != NULL;
}

bool edge_learned_addresses(const struct edge *e, unsigned community, uint32_t *at, unsigned max,
	status_address_fn *say, void *ctx)
{
	const struct community *c = e->community[community];
	unsigned step = core_of(c)->view.community[community].next.step;
	struct fdb_entry entry;
	struct status_address t;

	while (c->fdb != NULL && fdb_next(c->fdb, step, at, &entry)) {
		if (describe(c, &entry, &t))
			say(ctx, &t);
		if (--max == 0)
			return true;
	}
	return false;
}
