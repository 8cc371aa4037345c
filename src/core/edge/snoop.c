/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/edge/snoop.h"

#include <stdlib.h>
#include <string.h>

#include "core/edge/bridge.h"

#define QUERY_S	      125u
#define QUERY_MS      (QUERY_S * 1000)
#define ANSWER_MS     10000u /* to a query, at most */
#define QUICK_MS      1000u /* of queries at the start, and of one group: between two, and answers */
#define QUICK_QUERIES 3
#define LEARN_MS      (QUICK_QUERIES * QUICK_MS + 500)
#define GROUP_MS      (2 * QUERY_MS + ANSWER_MS)     /* RFC 3376, 8.4 */
#define OTHER_MS      (2 * QUERY_MS + ANSWER_MS / 2) /* RFC 3376, 8.5 */
#define LAST_QUERIES  2
#define LAST_MS	      (LAST_QUERIES * QUICK_MS + 100)

/* What is told at once, and how often from then on: more members are more to tell. */
#define ANNOUNCE_BURST 10
#define ANNOUNCE_MS    1000u
#define ANNOUNCE_EACH  10u
#define WAKE_MS	       1000u

static uint64_t now_of(const struct community *c)
{
	return core_of(c)->now_ms;
}

static void later(uint64_t *ms, uint64_t until_ms)
{
	if (*ms < until_ms)
		*ms = until_ms;
}

/* ---- asking ---- */

static void give(struct community *c, uint8_t *slot, size_t len)
{
	const struct core_io *io = &core_of(c)->io;
	struct frame f = {.data = slot + SLOT_HEADROOM, .len = len};

	io->deliver(io->ctx, c->index, &f);
}

/* group NULL: about all. Where we are a bridge its switches are to know that we want to hear. */
static void ask(
	struct community *c, uint16_t vlan, bool v6, const uint8_t *group, uint32_t response_ms)
{
	uint8_t slot[SLOT_HEADROOM + MEMBERSHIP_FRAME_MAX + DATA_TAG_LEN];
	struct membership_query q = {.source = loop_source(c->loop_tag),
		.v6 = v6,
		.vlan = vlan,
		.response_ms = response_ms,
		.interval_s = QUERY_S};

	if (group != NULL)
		memcpy(q.group, group, sizeof(q.group));
	give(c, slot, membership_query(slot + SLOT_HEADROOM, &q));
	if (group == NULL && (c->roles & ROLE_BRIDGE) != 0)
		give(c, slot, membership_advertise(slot + SLOT_HEADROOM, &q));
}

static void query_tick(struct community *c, struct group_vlan *v)
{
	uint64_t now_ms = now_of(c);

	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct querier *q = &v->querier[v6];
		bool quick = q->quick > 0;

		if (now_ms < q->next_ms || now_ms < q->other_until_ms)
			continue;
		ask(c, v->vlan, v6, NULL, quick ? QUICK_MS : ANSWER_MS);
		if (quick)
			q->quick--;
		q->next_ms = now_ms + (q->quick > 0 ? QUICK_MS : QUERY_MS);
	}
}

static void quickly(struct community *c, struct group_vlan *v)
{
	for (unsigned v6 = 0; v6 < 2; v6++) {
		v->querier[v6].quick = QUICK_QUERIES;
		v->querier[v6].next_ms = now_of(c);
	}
}

/* NULL: there are too many. */
static struct group_vlan *find_vlan(struct community *c, uint16_t vlan)
{
	struct snoop *g = c->snoop;
	struct group_vlan *v;

	for (size_t i = 0; i < g->n_vlans; i++)
		if (g->vlan[i].vlan == vlan)
			return &g->vlan[i];
	if (g->n_vlans == GROUP_VLANS_MAX) {
		later(&g->crowded_until_ms, now_of(c) + GROUP_MS);
		return NULL;
	}
	v = &g->vlan[g->n_vlans++];
	*v = (struct group_vlan){.vlan = vlan};
	quickly(c, v);
	return v;
}

static void vlans_tick(struct community *c)
{
	struct snoop *g = c->snoop;

	for (size_t i = 1; c->bridge != NULL && i < c->bridge->n_lans; i++) {
		struct group_vlan *v = find_vlan(c, c->bridge->lan[i].vlan);

		if (v != NULL)
			v->until_ms = now_of(c) + GROUP_MS;
	}
	for (size_t i = 0; i < g->n_vlans; i++) {
		if (i > 0 && g->vlan[i].until_ms <= now_of(c))
			g->vlan[i--] = g->vlan[--g->n_vlans];
		else
			query_tick(c, &g->vlan[i]);
	}
}

/* ---- telling ---- */

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct mac));
}

/* What holds now. */
static void compose(const struct community *c, struct control_listeners *m)
{
	const struct snoop *g = c->snoop;
	uint64_t now_ms = now_of(c);
	struct mac mac[SNOOPED_MAX];

	memset(m, 0, sizeof(*m));
	m->all = now_ms < g->learned_ms || now_ms < g->router_until_ms ||
		 now_ms < g->crowded_until_ms;
	if (m->all)
		return;
	for (size_t i = 0; i < g->n; i++)
		mac[i] = membership_mac(g->at[i].ip);
	qsort(mac, g->n, sizeof(mac[0]), by_bytes);
	for (size_t i = 0; i < g->n && !m->all; i++) {
		if (m->n > 0 && mac_equal(&m->group[m->n - 1], &mac[i]))
			continue;
		m->all = m->n == LISTENED_MAX;
		if (!m->all)
			m->group[m->n++] = mac[i];
	}
	if (m->all)
		*m = (struct control_listeners){.all = true};
}

static bool listens_to_more(
	const struct control_listeners *now, const struct control_listeners *old)
{
	unsigned at = 0;

	if (now->all || old->all)
		return now->all && !old->all;
	for (unsigned i = 0; i < now->n; i++) {
		while (at < old->n && by_bytes(&old->group[at], &now->group[i]) < 0)
			at++;
		if (at == old->n || !mac_equal(&old->group[at], &now->group[i]))
			return true;
	}
	return false;
}

/*
 * Sessions sleep where nothing moves, and who believes that we want nothing sends nothing that
 * would wake them.
 */
static void wake(struct peer *p)
{
	struct core *core = core_of(p->community);
	struct session *s = p->session;

	p->listened.owed = p->listened.owed && outbox_holds(&s->out, CONTROL_LISTENERS);
	if (!p->listened.owed || !p->listed || s->wanted || s->attempt != NULL ||
		session_sending(s, core->now_ms) != NULL)
		return;
	session_want(core, s);
	session_look_at(core, s, core->now_ms);
}

static void wake_tick(struct community *c)
{
	if (now_of(c) < c->snoop->wake_ms)
		return;
	c->snoop->wake_ms = now_of(c) + WAKE_MS;
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		wake(p);
}

static void tell(struct peer *p, bool more)
{
	session_post(core_of(p->community), p->session, CONTROL_LISTENERS);
	p->listened.owed = p->listened.owed || more;
	wake(p);
}

static void announce(struct community *c)
{
	struct snoop *g = c->snoop;
	uint64_t each_ms = ANNOUNCE_MS + ANNOUNCE_EACH * HASH_COUNT(c->peers);
	struct control_listeners m;
	bool more;

	compose(c, &m);
	if (memcmp(&m, &g->said, sizeof(m)) == 0)
		return;
	/* What changes before that is sent costs nothing. */
	if (g->flush_ms != core_of(c)->flush_ms &&
		!bucket_take(&g->announcements, now_of(c) * 1000 / each_ms, 1, ANNOUNCE_BURST))
		return;
	g->flush_ms = core_of(c)->flush_ms;
	more = listens_to_more(&m, &g->said);
	g->said = m;
	g->told = true;
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		tell(p, more);
}

void snoop_keyed(struct peer *p)
{
	/* Before that it takes us for one who wants all. */
	if (p->community->snoop->told)
		session_post(core_of(p->community), p->session, CONTROL_LISTENERS);
}

void snoop_encode(const struct community *c, uint32_t seq, struct writer *w)
{
	control_listeners_encode(w, seq, &c->snoop->said);
}

/* ---- hearing ---- */

static struct snooped *find(struct snoop *g, const uint8_t ip[16], uint16_t vlan)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->at[i].vlan == vlan && memcmp(g->at[i].ip, ip, 16) == 0)
			return &g->at[i];
	return NULL;
}

static void joined(struct community *c, const uint8_t ip[16], uint16_t vlan)
{
	struct snoop *g = c->snoop;
	struct snooped *it;

	if (!membership_is_limited(ip))
		return;
	it = find(g, ip, vlan);
	if (it == NULL && g->n == SNOOPED_MAX) {
		later(&g->crowded_until_ms, now_of(c) + GROUP_MS);
		return;
	}
	if (it == NULL)
		it = &g->at[g->n++];
	*it = (struct snooped){.vlan = vlan, .until_ms = now_of(c) + GROUP_MS};
	memcpy(it->ip, ip, sizeof(it->ip));
}

static bool is_v6(const struct snooped *it)
{
	return it->ip[0] == 0xff;
}

/* Another one may still listen, and is asked: by us, or by who asks here. */
static void may_have_left(struct community *c, const uint8_t ip[16], uint16_t vlan)
{
	struct snooped *it = find(c->snoop, ip, vlan);
	const struct group_vlan *v = it != NULL ? find_vlan(c, vlan) : NULL;

	if (v == NULL || it->asks > 0 || now_of(c) < v->querier[is_v6(it)].other_until_ms)
		return;
	it->asks = LAST_QUERIES;
	it->ask_ms = now_of(c);
	if (it->until_ms > now_of(c) + LAST_MS)
		it->until_ms = now_of(c) + LAST_MS;
}

static void ask_tick(struct community *c)
{
	struct snoop *g = c->snoop;
	uint64_t now_ms = now_of(c);

	for (size_t i = 0; i < g->n; i++) {
		struct snooped *it = &g->at[i];

		if (it->asks > 0 && now_ms >= it->ask_ms) {
			ask(c, it->vlan, is_v6(it), it->ip, QUICK_MS);
			it->asks--;
			it->ask_ms = now_ms + QUICK_MS;
		}
		if (now_ms >= it->until_ms)
			g->at[i--] = g->at[--g->n];
	}
}

/* Whether another bridge of ours on the LAN sent it: what it wants is told to the members. */
static bool is_of_members(const struct community *c, uint64_t source)
{
	for (const struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		struct mac its = loop_source(p->claim.tag);

		if (mac_number(&its) == source)
			return true;
	}
	return false;
}

static bool has_no_address(const struct membership *m)
{
	static const uint8_t none_v4[16] = {[10] = 0xff, 0xff}, none_v6[16];

	return memcmp(m->source, m->v6 ? none_v6 : none_v4, 16) == 0;
}

/* Of IPv6 the lower address asks, of IPv4 whoever has one. */
static bool gives_way(const struct community *c, const struct membership *m)
{
	const struct mac mac = loop_source(c->loop_tag);
	uint8_t ours[16];

	membership_querier(ours, &mac);
	return m->v6 ? memcmp(m->source, ours, sizeof(ours)) < 0 : !has_no_address(m);
}

static void query_heard(struct community *c, const struct membership *m)
{
	struct snoop *g = c->snoop;
	struct snooped *it = m->ends ? find(c->snoop, m->group, m->vlan) : NULL;
	uint64_t now_ms = now_of(c), until_ms = now_ms + LAST_QUERIES * m->response_ms + 100;

	if (has_no_address(m) || !gives_way(c, m))
		return;
	for (size_t i = 0; i < g->n_vlans; i++)
		if (g->vlan[i].vlan == m->vlan)
			g->vlan[i].querier[m->v6].other_until_ms = now_ms + OTHER_MS;
	if (!m->v6 || !membership_is_edge(m->source))
		later(&g->router_until_ms, now_ms + OTHER_MS);
	if (it != NULL && it->until_ms > until_ms)
		it->until_ms = until_ms;
}

static void records_heard(struct community *c, struct membership *m)
{
	struct membership_record r;

	while (membership_next(m, &r)) {
		if (r.joins)
			joined(c, r.group, m->vlan);
		else if (r.leaves)
			may_have_left(c, r.group, m->vlan);
	}
}

/* A VLAN in which somebody listens is one to ask in; nobody asks behind two tags. */
static void vlan_heard(struct community *c, const struct membership *m)
{
	struct group_vlan *v = find_vlan(c, m->vlan);

	if (v != NULL)
		v->until_ms = now_of(c) + GROUP_MS;
	if (m->nested)
		later(&c->snoop->crowded_until_ms, now_of(c) + GROUP_MS);
}

static void heard(struct community *c, struct membership *m, uint64_t source)
{
	struct snoop *g = c->snoop;
	struct mac ours = loop_source(c->loop_tag);

	if (mac_number(&ours) == source)
		return;
	if (m->kind != MEMBERSHIP_QUERY && m->kind != MEMBERSHIP_ROUTER)
		vlan_heard(c, m);
	switch (m->kind) {
	case MEMBERSHIP_QUERY:
		query_heard(c, m);
		break;
	case MEMBERSHIP_JOIN:
		joined(c, m->group, m->vlan);
		break;
	case MEMBERSHIP_LEAVE:
		may_have_left(c, m->group, m->vlan);
		break;
	case MEMBERSHIP_RECORDS:
		records_heard(c, m);
		break;
	case MEMBERSHIP_ROUTER:
		if (!is_of_members(c, source))
			later(&g->router_until_ms, now_of(c) + OTHER_MS);
		break;
	}
	ask_tick(c);
	announce(c);
}

void snoop_heard(struct node *n, const struct addressee *of, const struct frame *f)
{
	struct community *c = edge_of(n)->community[of->community];
	struct membership m;

	if (c != NULL && c->generation == of->generation && membership_read(&m, f->data, f->len))
		heard(c, &m, frame_source(f->data));
}

/* ---- for people ---- */

void snoop_describe(const struct community *c, struct status_groups *out)
{
	const struct snoop *g = c->snoop;

	*out = (struct status_groups){.n = g->said.n, .group = g->said.group};
	if (!g->said.all)
		return;
	if (now_of(c) < g->learned_ms || !g->told)
		out->all = "learning";
	else
		out->all = now_of(c) < g->router_until_ms ? "router" : "many";
}

/* ---- time ---- */

/* Who floods what hosts say of groups is not to keep streams from those that are not heard. */
static void unheard_tick(struct community *c)
{
	uint64_t unheard_ms = link_word(&c->group.use->unheard_ms);

	if (unheard_ms != 0)
		later(&c->snoop->crowded_until_ms, unheard_ms + GROUP_MS);
}

void snoop_tick(struct community *c)
{
	unheard_tick(c);
	vlans_tick(c);
	ask_tick(c);
	announce(c);
	wake_tick(c);
}

void snoop_again(struct community *c)
{
	struct snoop *g = c->snoop;

	g->learned_ms = now_of(c) + LEARN_MS;
	for (size_t i = 0; i < g->n_vlans; i++)
		quickly(c, &g->vlan[i]);
}

int snoop_open(struct community *c)
{
	c->snoop = calloc(1, sizeof(*c->snoop));
	if (c->snoop == NULL)
		return N2N_ENOMEM;
	c->snoop->n_vlans = 1;
	c->snoop->said.all = true;
	snoop_again(c);
	return 0;
}

void snoop_close(struct community *c)
{
	free(c->snoop);
	c->snoop = NULL;
}
