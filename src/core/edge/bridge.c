/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Probes, and what is known of the LAN and of loops made known: to workers, members and the user.
 */
#include "core/edge/bridge.h"

#include <stdlib.h>
#include <string.h>

#include "core/edge/edge.h"

#define PROBE_MS    1000u /* between probes */
#define HASTY_MS    400u  /* while nothing passes */
#define AT_LEAST_MS 200u  /* whatever asks for one */
#define JITTER	    20	  /* per cent */
#define LISTEN_MS   2500u /* whoever is there was heard by then */
#define PATIENCE_MS 6000u /* for members that are listed and were not met */
#define LISTEN_MORE 500u  /* of two that begin together one is first */
#define ANNOUNCED   1024u /* addresses, when a LAN becomes ours */
#define BPDU_MS	    60000u
#define CLAIM_MS    1000u /* between two that differ in who stands by */

#define ANNOUNCED_BURST 4096   /* addresses, in all VLANs, ... */
#define ANNOUNCED_PER_S 500    /* ... and more in a second */
#define TOLD_BURST	6      /* times that the user hears of standby at once ... */
#define TOLD_PER_MS	60000u /* ... and once more in this time */

static bool is_bridge(const struct community *c)
{
	return (c->roles & ROLE_BRIDGE) != 0;
}

/* ---- to the LAN ---- */

static void write_frame(struct community *c, const struct loop_frame *l)
{
	const struct core_io *io = &core_of(c)->io;
	uint8_t slot[SLOT_LEN];
	struct frame f = {.data = slot + SLOT_HEADROOM};

	f.len = loop_frame_encode(f.data, l);
	io->deliver(io->ctx, c->index, &f);
}

static bool is_shut(const struct bridge *b)
{
	return b->listen_until_ms != 0 || b->loop.state == LOOP_FOUND;
}

static void probe(struct community *c)
{
	struct bridge *b = c->bridge;
	uint64_t now_ms = core_of(c)->now_ms;
	struct loop_frame f = {.kind = LOOP_PROBE, .source = loop_source(c->loop_tag)};

	if (now_ms < b->probe_ms)
		return;
	f.number = ++b->number;
	memcpy(f.tag, c->loop_tag, sizeof(f.tag));
	atomic_store_explicit(&b->seen->number, b->number, memory_order_relaxed);
	b->probed_ms = now_ms;
	b->probe_ms = now_ms + random_jitter(&core_of(c)->io.random,
				       is_shut(b) ? HASTY_MS : PROBE_MS, JITTER);
	for (size_t i = 0; i < b->n_lans; i++) {
		f.vlan = b->lan[i].vlan;
		f.flags = b->serves && !is_shut(b) ? LOOP_SERVES : 0;
		if (b->lan[i].carries)
			f.flags |= LOOP_CARRIES;
		write_frame(c, &f);
	}
}

static void probe_soon(struct community *c)
{
	struct bridge *b = c->bridge;

	if (b->probe_ms > b->probed_ms + AT_LEAST_MS)
		b->probe_ms = b->probed_ms + AT_LEAST_MS;
}

/* ---- what becomes ours ---- */

/* Goes through the addresses behind others than these, of which the first were announced before. */
struct announcing {
	struct community *c;
	const struct port_set *here;
	struct lan *lan;
	size_t at;
};

/*
 * Frames for this address are to come to us: switches learn it from one that comes from it. False:
 * there were enough for now.
 */
static bool announce(struct announcing *a, const struct mac *mac)
{
	struct community *c = a->c;
	struct loop_frame f = {.kind = LOOP_ANNOUNCEMENT, .source = *mac, .vlan = a->lan->vlan};

	if (a->at++ < a->lan->announced)
		return true;
	if (a->lan->announced == ANNOUNCED ||
		!bucket_take(&c->bridge->announcements, core_of(c)->now_ms, ANNOUNCED_PER_S,
			ANNOUNCED_BURST))
		return false;
	memcpy(f.tag, c->loop_tag, sizeof(f.tag));
	write_frame(c, &f);
	a->lan->announced++;
	return true;
}

/* Addresses of members that are elsewhere. */
static bool announce_members(struct announcing *a)
{
	for (size_t i = 0; i < a->c->owners.n; i++) {
		const struct owner *o = &a->c->owners.at[i];

		if (o->peer != NULL && o->peer->up &&
			!port_set_has(a->here, o->peer->port->number) && !announce(a, &o->mac))
			return false;
	}
	return true;
}

/* And of hosts behind them. */
static bool announce_learned(struct announcing *a)
{
	struct community *c = a->c;
	unsigned step = core_of(c)->view.community[c->index].next.step;
	struct fdb_entry entry;
	uint32_t at = 0;

	while (c->fdb != NULL && fdb_next(c->fdb, step, &at, &entry)) {
		const struct mac mac = mac_from_number(entry.address);

		if (entry.port != PORT_HERE && !port_set_has(a->here, entry.port) &&
			!announce(a, &mac))
			return false;
	}
	return true;
}

/* What we learned of those who served the LAN so far is not behind them any more. */
static void take_over(struct community *c)
{
	struct bridge *b = c->bridge;
	struct port_set here;

	lan_ports(c, &here);
	if (c->fdb != NULL)
		fdb_forget(c->fdb, &here);
	for (size_t i = 0; i < b->n_lans; i++) {
		struct lan *l = &b->lan[i];

		if (l->taken) {
			l->announcing = true;
			l->announced = 0;
		}
		l->taken = false;
	}
}

/* Where there is more to announce than goes at once, the rest follows. */
static void announce_tick(struct community *c)
{
	struct bridge *b = c->bridge;
	struct port_set here;

	for (size_t i = 0; i < b->n_lans; i++) {
		struct announcing a = {.c = c, .here = &here, .lan = &b->lan[i]};

		if (!a.lan->announcing)
			continue;
		lan_ports(c, &here);
		if (a.lan->standby || is_shut(b) ||
			(announce_members(&a) && announce_learned(&a)) ||
			a.lan->announced == ANNOUNCED)
			a.lan->announcing = false;
		else
			return;
	}
}

/* ---- to workers, members and the user ---- */

/* Whose probes are to be told. */
static void know(struct gate *g, const struct community *c)
{
	static const uint8_t none[LOOP_TAG_LEN];

	g->all_known = true;
	for (const struct peer *p = c->peers; p != NULL && g->all_known; p = p->hh.next) {
		if (p->left || !link_has_role(&p->session->link, ROLE_BRIDGE) ||
			memcmp(p->claim.tag, none, LOOP_TAG_LEN) == 0)
			continue;
		g->all_known = g->n_known < GATE_KNOWN;
		if (g->all_known)
			memcpy(g->known[g->n_known++], p->claim.tag, LOOP_TAG_LEN);
	}
}

static void fill(struct gate *g, const struct community *c)
{
	const struct bridge *b = c->bridge;

	memset(g, 0, sizeof(*g));
	memcpy(g->tag, c->loop_tag, sizeof(g->tag));
	g->bridge = is_bridge(c);
	g->bpdu_guard = c->bpdu_guard;
	g->listening = b->listen_until_ms != 0 && b->loop.state != LOOP_FOUND;
	g->closed = is_shut(b);
	g->shut = g->closed;
	g->seen = b->seen;
	g->n_lans = b->n_lans;
	know(g, c);
	if (b->n_lans > 0 && b->lan[0].standby)
		memset(g->standby, 0xff, sizeof(g->standby));
	for (size_t i = 0; i < b->n_lans; i++) {
		uint64_t bit = UINT64_C(1) << b->lan[i].vlan % 64;
		uint64_t *word = &g->standby[b->lan[i].vlan / 64];

		g->lan[i] = b->lan[i].vlan;
		*word = b->lan[i].standby ? *word | bit : *word & ~bit;
		g->shut = g->shut || b->lan[i].standby;
	}
}

/* Without memory workers have the gate of before; the next tick tries again. */
static void show_gate(struct community *c)
{
	struct core *core = core_of(c);
	const struct gate *shown = core->view.community[c->index].gate;
	struct gate *next = malloc(sizeof(*next));

	if (next == NULL)
		return;
	fill(next, c);
	if (shown != NULL && memcmp(next, shown, sizeof(*next)) == 0)
		free(next);
	else
		view_set_gate(&core->view, c->index, next, core_retire_any, core);
}

static void tell_standby(struct community *c)
{
	const struct bridge *b = c->bridge;
	struct event e = {.kind = EVENT_STANDBY,
		.community = c->index,
		.value = b->lan[0].standby,
		.key = NULL};

	for (size_t i = 0; i < b->n_neighbours; i++)
		if (memcmp(b->neighbour[i].id, b->lan[0].server, EDGE_ID_LEN) == 0)
			e.key = b->neighbour[i].remote;
	memcpy(e.edge, b->lan[0].server, EDGE_ID_LEN);
	core_event(core_of(c), &e);
}

static void show(struct community *c)
{
	struct bridge *b = c->bridge;
	bool serves_nothing = b->loop.state == LOOP_FOUND || b->lan[0].standby;
	bool stands_by = b->listen_until_ms == 0 && serves_nothing;
	uint64_t now_ms = core_of(c)->now_ms;

	show_gate(c);
	c->gated = b->listen_until_ms != 0 || serves_nothing;
	if (b->listen_until_ms == 0 && b->told_standby != b->lan[0].standby &&
		bucket_take(&b->told, now_ms * 1000 / TOLD_PER_MS, 1, TOLD_BURST)) {
		b->told_standby = b->lan[0].standby;
		tell_standby(c);
	}
	/* What it is then is said at the end of that time. */
	if (c->stands_by == stands_by || (b->claimed_ms != 0 && now_ms < b->claimed_ms + CLAIM_MS))
		return;
	c->stands_by = stands_by;
	b->claimed_ms = now_ms;
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		session_post(core_of(c), p->session, CONTROL_CLAIM);
}

/* ---- time ---- */

/* Nobody was met so far, or not everybody who is there: one of those may be on the LAN. */
static bool is_meeting(const struct community *c)
{
	bool met = false;

	for (const struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		if (p->listed && !p->up && core_of(c)->now_ms < c->bridge->patient_until_ms)
			return true;
		met = met || p->up;
	}
	return !met;
}

static void listen_on(struct community *c)
{
	struct bridge *b = c->bridge;

	b->listen_until_ms =
		core_of(c)->now_ms + LISTEN_MS + random_below(&core_of(c)->io.random, LISTEN_MORE);
}

/* Whose probes they are that it hears, it knows by sessions alone. */
static void listen_tick(struct community *c)
{
	struct bridge *b = c->bridge;

	if (b->listen_until_ms == 0)
		return;
	if (is_meeting(c)) {
		listen_on(c);
	} else if (core_of(c)->now_ms >= b->listen_until_ms) {
		b->listen_until_ms = 0;
		loop_listened(c);
		b->probe_ms = core_of(c)->now_ms;
	}
}

static void tell_bpdu(struct community *c, bool begins)
{
	struct event e = {.kind = EVENT_BPDU,
		.community = c->index,
		.value = begins,
		.key = c->bridge->bpdu_from};

	edge_id(e.edge, c->bridge->bpdu_from);
	core_event(core_of(c), &e);
}

static void bpdu_tick(struct community *c)
{
	struct bridge *b = c->bridge;

	if (b->bpdu_until_ms == 0 || core_of(c)->now_ms < b->bpdu_until_ms)
		return;
	b->bpdu_until_ms = 0;
	tell_bpdu(c, false);
}

/* Of several members that send some the first is named. */
static void bpdu_came(struct community *c, const struct peer *p)
{
	struct bridge *b = c->bridge;
	bool begins = b->bpdu_until_ms == 0;

	if (!begins && memcmp(b->bpdu_from, p->remote, KEY_LEN) != 0)
		return;
	memcpy(b->bpdu_from, p->remote, KEY_LEN);
	b->bpdu_until_ms = core_of(c)->now_ms + BPDU_MS;
	if (begins)
		tell_bpdu(c, true);
}

static void settle(struct community *c)
{
	struct bridge *b = c->bridge;
	bool was_shut = is_shut(b), opens, taken;

	listen_tick(c);
	if (loop_tick(c))
		probe_soon(c);
	opens = was_shut && !is_shut(b);
	taken = lan_tick(c, !is_shut(b));
	for (size_t i = 0; opens && i < b->n_lans; i++)
		b->lan[i].taken = true;
	if (opens || taken) {
		take_over(c);
		snoop_again(c);
	}
	announce_tick(c);
	probe(c);
	show(c);
}

void bridge_tick(struct community *c)
{
	if (c->bridge == NULL)
		return;
	bpdu_tick(c);
	if (is_bridge(c))
		settle(c);
}

void bridge_told(
	struct node *n, const struct addressee *of, uint32_t link_id, const struct frame *f)
{
	struct community *c = edge_of(n)->community[of->community];
	const struct session *s = link_id != 0 ? session_by_id(&n->core, link_id) : NULL;
	struct loop_frame p;

	if (c == NULL || c->generation != of->generation || c->bridge == NULL ||
		(link_id != 0 &&
			(s == NULL || s->link.kind != LINK_PEER || s->link.community != c->index)))
		return;
	if (loop_frame_decode(&p, f->data, f->len) != 0) {
		if (s != NULL)
			bpdu_came(c, s->owner);
		return;
	}
	if (!is_bridge(c) || p.kind != LOOP_PROBE)
		return;
	if (s == NULL) {
		if (lan_heard(c, &p))
			probe_soon(c);
	} else if (memcmp(p.tag, c->loop_tag, sizeof(p.tag)) == 0) {
		loop_back(c, s->owner, &p);
	}
	settle(c);
}

/* ---- set-up ---- */

int bridge_open(struct community *c)
{
	struct bridge *b;

	if (!is_bridge(c) && !c->bpdu_guard)
		return 0;
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return N2N_ENOMEM;
	c->bridge = b;
	if (is_bridge(c)) {
		b->seen = calloc(1, sizeof(*b->seen));
		if (b->seen == NULL)
			return N2N_ENOMEM;
		random_bytes(&core_of(c)->io.random, c->loop_tag, sizeof(c->loop_tag));
		b->number = random_u32(&core_of(c)->io.random);
		b->probe_ms = core_of(c)->now_ms;
		b->n_lans = 1;
	}
	show_gate(c);
	return core_of(c)->view.community[c->index].gate != NULL ? 0 : N2N_ENOMEM;
}

void bridge_close(struct community *c)
{
	if (c->bridge == NULL)
		return;
	core_retire(core_of(c), c->bridge->seen, free);
	c->bridge->seen = NULL;
	bridge_destroy(c);
}

void bridge_destroy(struct community *c)
{
	if (c->bridge != NULL)
		free(c->bridge->seen);
	free(c->bridge);
	c->bridge = NULL;
}

void edge_bridged(struct edge *e, unsigned community, uint32_t master, uint64_t now_ms)
{
	struct community *c = e->community[community];

	core_enter(&e->node.core, now_ms);
	if (c == NULL || c->bridge == NULL || !is_bridge(c) || c->bridge->master == master)
		return;
	c->bridge->master = master;
	c->bridge->listen_until_ms = 0;
	c->bridge->patient_until_ms = now_ms + PATIENCE_MS;
	if (master != 0)
		listen_on(c);
	c->bridge->probe_ms = now_ms;
	snoop_again(c);
	settle(c);
}

void bridge_describe(const struct community *c, struct status_gate *out)
{
	const struct bridge *b = c->bridge;

	*out = (struct status_gate){.state = GATE_OPEN};
	if (b == NULL || !is_bridge(c))
		return;
	out->bridge = true;
	if (b->loop.state == LOOP_FOUND) {
		out->state = GATE_LOOP;
		out->has_peer = true;
		edge_id(out->peer, b->loop.remote);
	} else if (b->listen_until_ms != 0) {
		out->state = GATE_LISTENING;
	} else if (b->lan[0].standby) {
		out->state = GATE_STANDBY;
		out->has_peer = true;
		memcpy(out->peer, b->lan[0].server, EDGE_ID_LEN);
	}
	for (size_t i = 1; i < b->n_lans; i++) {
		struct status_vlan *v = &out->vlan[out->n_vlans];

		if (out->n_vlans == STATUS_VLANS_MAX || is_shut(b) ||
			(b->lan[i].standby == b->lan[0].standby &&
				memcmp(b->lan[i].server, b->lan[0].server, EDGE_ID_LEN) == 0))
			continue;
		v->id = b->lan[i].vlan % VLAN_SERVICE;
		v->service = b->lan[i].vlan >= VLAN_SERVICE;
		v->standby = b->lan[i].standby;
		memcpy(v->peer, b->lan[i].server, EDGE_ID_LEN);
		out->n_vlans++;
	}
}
