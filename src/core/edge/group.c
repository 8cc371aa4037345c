/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our group key and whom it is told; the plan that workers flood by. */
#include "core/edge/group.h"

#include <stdlib.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "core/session/send.h"

#define TOLD_PER_S	50
#define TOLD_BURST	5
#define KEY_MS		3600000u
#define KEY_CROWD_MS	(24 * KEY_MS)
#define CROWD		256 /* peers behind the relay */
#define SPREAD_MS	600000u
#define SPREAD_GIVE_MS	60000u /* after that who has not the next key leaves the set */
#define WANTED_MS	1000u  /* a frame for many is recent */
#define REFUSED_OVER_MS 60000u
#define ASKS_PER_S	1 /* of one peer, as an honest one asks: each changes the sets twice */
#define ASKS_BURST	4
#define STREAMS_SHARE	4u /* one part in so many of what the supernode sends on is for them */

static uint64_t now_of(const struct community *c)
{
	return core_of(c)->now_ms;
}

/* ---- the plan ---- */

static struct group_set *make_set(struct community *c, unsigned number)
{
	const struct group *g = &c->group;
	const struct fan *f = g->fan[number];
	struct group_set *set;

	if (f == NULL || f->version == 0 || g->key == NULL || g->shut || !hop_is_up(c))
		return NULL;
	/* Streams need it less than what has no other way. */
	if (number != 0 && g->told_refused)
		return NULL;
	set = calloc(1, sizeof(*set));
	if (set == NULL)
		return NULL;
	set->group = f->group;
	set->keys = &g->key->send;
	set->path.hop = &c->hop.session->link;
	set->path.handle = fanout_handle(number, f->version);
	set->path.hop_limit = RELAY_HOP_LIMIT;
	for (size_t i = 0; i < f->n_in; i++) {
		if (f->in[i].struck)
			continue;
		port_set_add(&set->ports, f->in[i].peer->port->number);
		set->n++;
	}
	if (set->n == 0) {
		free(set);
		return NULL;
	}
	return set;
}

/* Takes the sets of a plan, and it, from the workers; NULL is fine. */
static void retire_plan(struct community *c, struct group_plan *plan)
{
	if (plan == NULL)
		return;
	for (unsigned i = 0; i < FANOUT_SETS; i++)
		core_retire(core_of(c), plan->set[i], free);
	core_retire(core_of(c), plan, free);
}

/* A part of what the supernode said that it sends on. */
static void share_streams(const struct group *g, struct group_plan *plan)
{
	if (g->packets_s == 0 || g->bytes_s == 0)
		return;
	plan->stream_packet_us = STREAMS_SHARE * 1000000u / g->packets_s;
	plan->stream_byte_us = STREAMS_SHARE * 1000000u / g->bytes_s + 1;
}

/*
 * Workers flood as things are now. Without memory they send copies to each: the key that a set
 * names may be gone.
 */
static void show(struct community *c)
{
	struct group *g = &c->group;
	struct group_plan *plan = calloc(1, sizeof(*plan));

	g->fanned = 0;
	if (plan != NULL) {
		plan->use = g->use;
		plan->packets_s = g->packets_s;
		plan->bytes_s = g->bytes_s;
		share_streams(g, plan);
		for (unsigned i = 0; i < FANOUT_SETS; i++)
			plan->set[i] = make_set(c, i);
		if (plan->set[0] != NULL)
			g->fanned = plan->set[0]->n;
	}
	view_set_group(&core_of(c)->view, c->index, plan);
	retire_plan(c, g->plan);
	g->plan = plan;
}

int group_open(struct community *c)
{
	struct group *g = &c->group;

	g->use = calloc(1, sizeof(*g->use));
	g->fan[0] = fan_create(0, NULL);
	if (g->use == NULL || g->fan[0] == NULL) {
		return N2N_ENOMEM; /* what there is goes with the community */
	}
	show(c);
	return 0;
}

void group_destroy(struct group *g)
{
	for (unsigned i = 0; i < FANOUT_SETS; i++) {
		fan_free(g->fan[i]);
		if (g->plan != NULL)
			free(g->plan->set[i]);
	}
	free(g->plan);
	group_key_destroy(g->key);
	group_key_destroy(g->next);
	free(g->use);
}

void group_close(struct community *c)
{
	struct group *g = &c->group;

	for (unsigned i = 0; i < FANOUT_SETS; i++)
		fan_free(g->fan[i]);
	retire_plan(c, g->plan);
	core_retire(core_of(c), g->key, group_key_destroy);
	core_retire(core_of(c), g->next, group_key_destroy);
	core_retire(core_of(c), g->use, free);
	memset(g, 0, sizeof(*g));
}

/* ---- keys ---- */

static bool has_index(const struct group *g, uint32_t index)
{
	return (g->key != NULL && g->key->told.index == index) ||
	       (g->next != NULL && g->next->told.index == index);
}

static bool can_suite(const struct peer *p, const struct group_key *k)
{
	return k->told.suite != AEAD_AES256GCM || (p->session->caps & CAP_AES_FAST) != 0;
}

/* AES where all whom it is for have it in hardware, as in sessions. */
static enum aead_suite choose_suite(const struct community *c)
{
	if ((c->party.caps & CAP_AES_FAST) == 0)
		return AEAD_CHACHA20POLY1305;
	for (const struct peer *p = c->peers; p != NULL; p = p->hh.next)
		if (group_is_relayed(p) && (p->session->caps & CAP_AES_FAST) == 0)
			return AEAD_CHACHA20POLY1305;
	return AEAD_AES256GCM;
}

static struct group_params params_of(const struct community *c)
{
	const struct core *core = core_of(c);

	return (struct group_params){
		.ciphers = core->ciphers,
		.nthreads = core->nthreads,
		.tag = c->party.tag,
		.first_counter = core->first_counter,
	};
}

static struct group_key *make_key(struct community *c)
{
	struct core *core = core_of(c);
	const struct group_params of = params_of(c);
	struct group_key *k;
	uint32_t index;

	do
		index = random_u32(&core->io.random);
	while (index == 0 || has_index(&c->group, index));
	k = group_key_create(&of, &core->io.random, choose_suite(c), index, c->group.is_signed);
	if (k != NULL)
		k->made_ms = core->now_ms;
	return k;
}

/* Nothing goes out by any set any more, or under these keys. */
static void give_up(struct community *c)
{
	struct group *g = &c->group;

	for (unsigned i = 0; i < FANOUT_SETS; i++)
		fan_reset(c, i);
	core_retire(core_of(c), g->key, group_key_destroy);
	core_retire(core_of(c), g->next, group_key_destroy);
	g->key = g->next = NULL;
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		p->group.told = p->group.has = p->group.has_next = 0;
	show(c);
}

static bool is_wanted(const struct community *c, uint64_t within_ms)
{
	uint64_t used_ms = link_word(&c->group.use->used_ms);

	return used_ms != 0 && now_of(c) <= used_ms + within_ms;
}

static uint64_t key_lifetime(const struct community *c)
{
	return c->group.relayed > CROWD ? KEY_CROWD_MS : KEY_MS;
}

static void begin_roll(struct community *c, uint32_t spread_ms)
{
	struct group *g = &c->group;

	g->next = make_key(c);
	g->spread_ms = spread_ms;
}

/* The next key takes the place of the one in use. */
static void finish_roll(struct community *c)
{
	struct group *g = &c->group;

	core_retire(core_of(c), g->key, group_key_destroy);
	g->key = g->next;
	g->next = NULL;
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		p->group.has = p->group.has_next;
		p->group.has_next = 0;
	}
	show(c);
}

static bool all_have_next(const struct group *g)
{
	for (unsigned i = 0; i < FANOUT_SETS; i++)
		if (g->fan[i] != NULL && !fan_has_key(g->fan[i], g->next->told.index))
			return false;
	return true;
}

static void roll(struct community *c)
{
	struct group *g = &c->group;

	if (g->next != NULL) {
		if (now_of(c) >= g->next->made_ms + g->spread_ms && all_have_next(g))
			finish_roll(c);
	} else if (send_keys_reached(&g->key->send, COUNTER_REKEY)) {
		begin_roll(c, 0);
	} else if (now_of(c) >= g->key->made_ms + key_lifetime(c)) {
		if (is_wanted(c, KEY_MS))
			begin_roll(c, SPREAD_MS);
		else
			give_up(c);
	}
}

/* ---- telling it ---- */

/* Who is on a list of the supernode's still is told nothing new: it may have the key after all. */
static bool needs_key(const struct peer *p)
{
	const struct group_member *m = &p->group;

	return m->has == 0 && m->sets == 0 && !has_index(&p->community->group, m->told) &&
	       group_is_relayed(p) && can_suite(p, p->community->group.key);
}

static bool needs_next(const struct peer *p)
{
	const struct group *g = &p->community->group;

	return g->next != NULL && p->group.has != 0 && p->group.told != g->next->told.index &&
	       group_is_relayed(p) && can_suite(p, g->next);
}

static void tell(struct peer *p, const struct group_key *k)
{
	p->group.told = k->told.index;
	p->group.asked = false;
	session_post(core_of(p->community), p->session, CONTROL_GROUP_KEY);
}

static bool may_tell(struct community *c)
{
	return bucket_take(&c->group.telling, now_of(c), TOLD_PER_S, TOLD_BURST);
}

static void tell_key(struct community *c, bool asked)
{
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		if (p->group.asked != asked || !needs_key(p))
			continue;
		if (!may_tell(c))
			return;
		tell(p, c->group.key);
	}
}

/* So many of those who need it that all have it in time. */
static void tell_next(struct community *c)
{
	const struct group *g = &c->group;
	unsigned told = 0, all = 0, due;

	for (const struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		told += p->group.told == g->next->told.index;
		all += p->group.has != 0;
	}
	due = all;
	if (now_of(c) < g->next->made_ms + g->spread_ms)
		due = (unsigned)(all * (now_of(c) - g->next->made_ms) / g->spread_ms) + 1;
	for (struct peer *p = c->peers; p != NULL && told < due; p = p->hh.next) {
		if (!needs_next(p))
			continue;
		if (!may_tell(c))
			return;
		tell(p, g->next);
		told++;
	}
}

void group_encode(struct peer *p, uint32_t seq, struct writer *w)
{
	const struct group *g = &p->community->group;
	const struct group_key *k = NULL;
	struct control_group_key m;

	if (g->key != NULL && g->key->told.index == p->group.told)
		k = g->key;
	else if (g->next != NULL && g->next->told.index == p->group.told)
		k = g->next;
	if (k == NULL || p->group.removed) {
		outbox_withdraw(&p->session->out, CONTROL_GROUP_KEY);
		return;
	}
	m = k->told;
	/* What went out so far, whoever it was for, came as copies to this one. */
	m.floor = group_key_floor(k);
	control_group_key_encode(w, seq, &m);
	crypto_wipe(&m, sizeof(m));
}

void group_acked(struct peer *p)
{
	const struct group *g = &p->community->group;

	if (g->key != NULL && g->key->told.index == p->group.told)
		p->group.has = p->group.told;
	else if (g->next != NULL && g->next->told.index == p->group.told)
		p->group.has_next = p->group.told;
}

void group_take_ask(struct peer *p, const struct control_group_ask *m)
{
	struct group_member *own = &p->group;

	/* It was told another one since it asked, or has one that it is about to be told. */
	if (own->has == 0 || has_index(&p->community->group, m->index))
		return;
	if (!bucket_take(&own->asks, now_of(p->community), ASKS_PER_S, ASKS_BURST)) {
		core_drop(core_of(p->community), DROP_RATE);
		return;
	}
	own->told = own->has = own->has_next = 0;
	own->asked = true;
}

static unsigned count_relayed(const struct community *c)
{
	unsigned n = 0;

	for (const struct peer *p = c->peers; p != NULL; p = p->hh.next)
		n += group_is_relayed(p);
	return n;
}

int group_want(struct community *c, unsigned set, uint64_t group, const struct port_set *who)
{
	struct fan *f = c->group.fan[set];

	if (who == NULL && f != NULL) {
		fan_reset(c, set);
		fan_free(f);
		c->group.fan[set] = NULL;
		show(c);
	} else if (who != NULL && f == NULL) {
		c->group.fan[set] = fan_create(group, who);
		return c->group.fan[set] != NULL ? 0 : N2N_ENOMEM;
	} else if (who != NULL) {
		f->who = *who;
		f->group = group;
	}
	return 0;
}

void group_hop_lost(struct community *c)
{
	struct group *g = &c->group;

	if (g->use == NULL)
		return;
	for (unsigned i = 0; i < FANOUT_SETS; i++)
		fan_reset(c, i);
	g->counts = false;
	g->shut = false;
	show(c);
}

void group_follow(struct peer *p)
{
	const struct group *g = &p->community->group;
	bool another = false;

	for (unsigned i = 0; p->group.sets >> i != 0; i++)
		if ((p->group.sets >> i & 1) != 0)
			another = another || fan_handle_differs(g->fan[i], p);
	/* Nobody is behind the one before any more. */
	if (another && fan_strike(p, false))
		show(p->community);
}

/* ---- the supernode's word ---- */

static void tell_refused(struct community *c, bool begins)
{
	struct group *g = &c->group;

	if (g->told_refused == begins)
		return;
	g->told_refused = begins;
	core_event(core_of(c), &(struct event){
				       .kind = EVENT_BROADCAST_REFUSED,
				       .community = c->index,
				       .supernode = c->hop.supernode,
				       .remote = c->hop.way.remote,
				       .key = c->edge->supernode[c->hop.supernode].key,
				       .value = begins ? g->packets_s : 0,
			       });
}

void group_fanned(struct community *c, const struct control_fanned *m)
{
	struct group *g = &c->group;
	const bool was_told = g->told_refused;
	bool changed = g->packets_s != m->packets_s || g->bytes_s != m->bytes_s;

	g->packets_s = m->packets_s;
	g->bytes_s = m->bytes_s;
	g->shut = m->packets_s == 0 || m->bytes_s == 0;
	if (g->counts && m->refused != g->refused) {
		g->refused_ms = now_of(c);
		tell_refused(c, true);
	}
	g->refused = m->refused;
	g->counts = true;
	changed = changed || was_told != g->told_refused;
	if (fan_answered(c, m->set, m->version) || changed)
		show(c);
}

/* ---- time ---- */

void group_tick(struct community *c)
{
	struct group *g = &c->group;

	if (g->told_refused && now_of(c) >= g->refused_ms + REFUSED_OVER_MS) {
		tell_refused(c, false);
		show(c);
	}
	if (!hop_is_up(c) || (g->key == NULL && !is_wanted(c, WANTED_MS)))
		return;
	g->relayed = count_relayed(c);
	if (g->key == NULL && g->relayed >= GROUP_RELAYED_MIN)
		g->key = make_key(c);
	if (g->key == NULL)
		return;
	roll(c);
	if (g->key == NULL)
		return;
	tell_key(c, true);
	tell_key(c, false);
	if (g->next != NULL)
		tell_next(c);
	for (unsigned i = 0; i < FANOUT_SETS; i++)
		fan_tick(c, i);
}

void group_remove(struct peer *p)
{
	struct community *c = p->community;
	bool had = c->group.key != NULL;

	p->group.removed = true;
	if (!had)
		return;
	give_up(c);
	c->group.key = make_key(c);
}

void group_restarted(struct peer *p)
{
	struct group_member *m = &p->group;

	m->told = m->has = m->has_next = 0;
	outbox_withdraw(&p->session->out, CONTROL_GROUP_KEY);
	group_forget_keys(p);
	if (fan_strike(p, false))
		show(p->community);
}

void group_part(struct peer *p)
{
	if (fan_strike(p, true))
		show(p->community);
}
