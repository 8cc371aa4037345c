/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an edge tells of itself. */
#include "core/edge/misfit.h"
#include "core/edge/presence.h"

/* Other members of a community. */
struct tally {
	unsigned listed, keyed;
	unsigned met[PEER_AWAY + 1]; /* those met in this run, by state */
};

static struct tally count_peers(const struct community *c, uint64_t now_ms)
{
	struct tally t = {.listed = 0};

	for (const struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		t.listed += p->listed;
		t.keyed += session_sending(p->session, now_ms) != NULL;
		t.met[presence_state(p, now_ms)] += p->up;
	}
	return t;
}

static bool is_refused(const struct community *c)
{
	for (unsigned i = 0; i < c->edge->n_supernodes; i++)
		if (c->hop.refused[i].result != REGISTER_OK)
			return true;
	return false;
}

/* Registered, and it answers: who is listed is there, and is reached. */
static bool is_served(const struct community *c, uint64_t now_ms)
{
	return hop_state(c, now_ms) == SUPERNODE_UP;
}

static enum community_state state_of(
	const struct community *c, const struct tally *t, uint64_t now_ms)
{
	bool served = is_served(c, now_ms);

	if (twins_are_refused(c))
		return COMMUNITY_REFUSED; /* and nothing else is tried meanwhile */
	if (t->met[PEER_UP] > 0 || (served && t->met[PEER_IDLE] > 0))
		return COMMUNITY_UP;
	if (misfit_wrong_passphrase(c))
		return COMMUNITY_WRONG_PASSPHRASE;
	if (misfit_wrong_key(c))
		return COMMUNITY_WRONG_KEY;
	if (!served)
		return is_refused(c) ? COMMUNITY_REFUSED : COMMUNITY_NO_SUPERNODE;
	if (t->met[PEER_SILENT] > 0)
		return COMMUNITY_SILENT;
	return t->listed > 0 ? COMMUNITY_JOINING : COMMUNITY_ALONE;
}

enum community_state community_state(const struct community *c)
{
	uint64_t now_ms = core_of(c)->now_ms;
	const struct tally t = count_peers(c, now_ms);

	return state_of(c, &t, now_ms);
}

static uint64_t ago(uint64_t now_ms, const _Atomic uint64_t *when)
{
	uint64_t at = atomic_load_explicit(when, memory_order_relaxed);

	return at == 0 || at > now_ms ? NEVER_MS : now_ms - at;
}

/* Which address it asked for in vain, and whose that is. */
static void describe_refusal(const struct peer *p, struct status_peer *t)
{
	const struct community *c = p->community;
	const uint8_t *whose = claims_whose(p, &p->refused.mac);

	t->refused = !mac_is_zero(&p->refused.mac);
	if (!t->refused)
		return;
	t->refused_mac = p->refused.mac;
	t->n_addresses = p->refused.n;
	t->address = p->refused.address;
	if (whose != NULL)
		edge_id(t->owner, whose);
	else if (mac_equal(&p->refused.mac, &c->mac))
		edge_id(t->owner, c->party.self.public);
}

static struct status_peer describe(const struct peer *p, uint64_t now_ms)
{
	const struct session *s = p->session;
	const struct path *direct = link_direct(&s->link);
	const struct keyset *k = session_sending(s, now_ms);
	struct status_peer t = {
		.community = s->link.community,
		.listed = p->listed,
		.state = presence_state(p, now_ms),
		.up = k != NULL,
		.has_mac = !mac_is_zero(&p->claim.mac),
		.mac = p->claim.mac,
		.n_addresses = p->claim.n,
		.address = p->claim.address,
		.direct = direct != NULL,
		.reason = s->search != NULL ? s->search->reason : RELAY_SEARCHING,
		.rtt_us = s->search != NULL ? s->search->shown_us : 0,
		.heard_ms = ago(now_ms, &s->link.rx_ms),
		.tx_frames = link_word(&s->link.tx_frames),
		.tx_bytes = link_word(&s->link.tx_bytes),
		.rx_frames = link_word(&s->link.rx_frames),
		.rx_bytes = link_word(&s->link.rx_bytes),
		.label = labels_other(p),
		.says = p->claim.roles | p->refused.roles,
		.roles = atomic_load_explicit(&s->link.roles, memory_order_relaxed),
	};

	edge_id(t.edge_id, p->remote);
	for (unsigned i = 0; i < BARRED_KINDS; i++)
		t.barred[i] = link_word(&s->link.barred[i]);
	describe_refusal(p, &t);
	listeners_describe(p, &t.groups);
	if (t.direct)
		t.remote = direct->way.remote;
	if (k != NULL) {
		t.suite = k->tx.suite;
		t.key_age_ms = now_ms - k->born_ms;
	}
	return t;
}

bool edge_peer_status(const struct edge *e, unsigned community, const uint8_t remote[KEY_LEN],
	uint64_t now_ms, struct status_peer *out)
{
	struct community *c = community < COMMUNITIES_MAX ? e->community[community] : NULL;
	const struct peer *p = c != NULL ? peer_find(c, remote) : NULL;

	if (p == NULL)
		return false;
	*out = describe(p, now_ms);
	return true;
}

bool edge_is_registered(const struct edge *e)
{
	const struct community *c;

	for (unsigned at = 0; (c = edge_next_community(e, &at)) != NULL;)
		if (hop_is_up(c))
			return true;
	return false;
}

static enum supernode_state unused_state(const struct supernode_entry *e, const struct refusal *r)
{
	if (e->n == 0)
		return SUPERNODE_UNRESOLVED;
	return r->result != REGISTER_OK ? SUPERNODE_REFUSED : SUPERNODE_SPARE;
}

static void tell_supernodes(
	const struct community *c, uint64_t now_ms, const struct status_sink *sink)
{
	const struct edge *e = c->edge;
	const struct hop *h = &c->hop;

	for (unsigned i = 0; i < e->n_supernodes; i++) {
		const struct supernode_entry *entry = &e->supernode[i];
		struct status_supernode t = {
			.index = i,
			.community = c->index,
			.has_key = entry->has_key,
			.key_changed = entry->changed,
			.state = unused_state(entry, &h->refused[i]),
			.refused = h->refused[i].result,
			.heard_ms = NEVER_MS,
		};

		memcpy(t.key, entry->key, KEY_LEN);
		if (entry->n > 0)
			t.remote = entry->address[0];
		if (i == h->supernode && h->state != SUPERNODE_UNRESOLVED) {
			t.state = hop_state(c, now_ms);
			t.remote = h->way.remote;
			t.handle = h->handle;
			t.observed = h->observed;
			if (h->session != NULL)
				t.heard_ms = ago(now_ms, &h->session->link.rx_ms);
		}
		if (t.state == SUPERNODE_REFUSED && now_ms < h->refused[i].until_ms)
			t.retry_ms = h->refused[i].until_ms - now_ms;
		if (entry->mismatch)
			t.state = SUPERNODE_MISMATCH;
		sink->supernode(sink->ctx, &t);
	}
}

static struct status_switch describe_switch(const struct community *c)
{
	return (struct status_switch){
		.bridge = (c->roles & ROLE_BRIDGE) != 0,
		.learned = c->fdb != NULL ? fdb_count(c->fdb) : 0,
		.room = c->fdb != NULL ? c->learn : 0,
		.unlearned = c->fdb != NULL ? fdb_unlearned(c->fdb) : 0,
	};
}

static struct status_broadcast describe_broadcast(const struct community *c, unsigned keyed)
{
	const struct group *g = &c->group;

	return (struct status_broadcast){
		.relayed = g->relayed,
		.fanned = g->fanned,
		.copies = keyed > g->fanned ? keyed - g->fanned : 0,
		.is_signed = g->is_signed,
		.frames = link_word(&g->use->frames),
		.saved = link_word(&g->use->copies),
		.refused = g->refused,
	};
}

static struct status_community describe_community(const struct community *c, uint64_t now_ms)
{
	const struct tally peers = count_peers(c, now_ms);
	struct status_community t = {
		.index = c->index,
		.name = c->name,
		.by_key = c->party.mode == MODE_KEY,
		.mac = c->mac,
		.state = state_of(c, &peers, now_ms),
		.listed = peers.listed,
		.up = peers.keyed,
		.supernode = is_served(c, now_ms) ? (int)c->hop.supernode : -1,
		.n_addresses = c->n_addresses,
		.address = c->address,
		.broadcast = describe_broadcast(c, peers.keyed),
	};

	edge_id(t.edge_id, c->party.self.public);
	bridge_describe(c, &t.gate);
	snoop_describe(c, &t.groups);
	return t;
}

bool edge_community_status(
	const struct edge *e, unsigned community, uint64_t now_ms, struct status_community *out)
{
	const struct community *c = community < COMMUNITIES_MAX ? e->community[community] : NULL;

	if (c == NULL)
		return false;
	*out = describe_community(c, now_ms);
	return true;
}

void edge_status(const struct edge *e, uint64_t now_ms, const struct status_sink *sink)
{
	const struct community *c;

	for (unsigned at = 0; (c = edge_next_community(e, &at)) != NULL;) {
		struct status_community t = describe_community(c, now_ms);

		t.fdb = describe_switch(c);
		sink->community(sink->ctx, &t);
		for (const struct peer *p = c->peers; p != NULL; p = p->hh.next) {
			struct status_peer peer = describe(p, now_ms);

			sink->peer(sink->ctx, &peer);
		}
		tell_supernodes(c, now_ms, sink);
	}
}
