/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A supernode as a whole: set-up, its role's table, messages of edges, HELLO. */
#include <stdlib.h>
#include <string.h>

#include "core/path/path.h"
#include "core/path/probe.h"
#include "core/session/send.h"
#include "core/supernode/supernode_state.h"
#include "wire/envelope.h"

#define REGISTERS_MS	500u /* REGISTERs worked on: two a second, */
#define REGISTERS_BURST 5u   /* five at once */
#define SWEEP_MS	1000u

/* ---- the role ---- */

/* One party, one mask; envelopes come under its key, or under the one that everybody knows. */
static unsigned role_listeners(
	struct node *n, const struct origin *from, struct listener out[LISTENERS_MAX])
{
	const struct supernode *sn = supernode_of(n);

	(void)from;
	for (unsigned i = 0; i < 2; i++)
		out[i] = (struct listener){
			.self = &sn->party,
			.mask = sn->party.hop_mask,
			.to = {.kind = i == 0 ? TO_SUPERNODE : TO_ANY},
		};
	return 2;
}

static struct session *role_find(
	struct node *n, const struct party *self, const uint8_t remote[KEY_LEN])
{
	struct member *m = member_find(supernode_of(n), remote);

	(void)self;
	return m != NULL ? m->session : NULL;
}

static uint64_t wall_ms(const struct core *core)
{
	return core->wall_ms + core->now_ms;
}

static bool role_fresh(struct node *n, const struct session *s, uint64_t freshness)
{
	return fresh_admits(
		&supernode_of(n)->fresh, freshness, s != NULL && s->confirmed, wall_ms(&n->core));
}

/*
 * Who is registered stays, and a copy of it that knocks is refused. It is proved to be one when the
 * process before this one is back; and once it was refused it says so, and gives way to any.
 */
static uint16_t role_refuses(
	struct node *n, struct session *s, const struct payload *theirs, const struct origin *from)
{
	struct member *m = s != NULL ? s->owner : NULL;
	bool gives_way = theirs->result == REGISTER_IDENTITY_TWICE;

	if (m == NULL || theirs->incarnation == s->incarnation ||
		(!gives_way && (m->entry == NULL || theirs->incarnation != s->former)))
		return 0;
	if (theirs->freshness > m->refused_freshness) {
		m->refused_freshness = theirs->freshness;
		m->refused_ms = n->core.now_ms;
	} else if (n->core.now_ms >= m->refused_ms + EMBRYO_LIFE_MS) {
		return REFUSED_IN_SILENCE; /* who recorded it learns nothing */
	}
	member_is_twice(supernode_of(n), m);
	core_event(&n->core, &(struct event){.kind = EVENT_MEMBER_REFUSED,
				     .value = REGISTER_IDENTITY_TWICE,
				     .remote = from->way.remote});
	return REGISTER_IDENTITY_TWICE;
}

static struct session *role_create(
	struct node *n, const struct party *self, const uint8_t remote[KEY_LEN])
{
	const struct embryo *e = embryo_find(&n->core.embryos, self, remote);
	const struct endpoint nowhere = {.port = 0};
	bool known = e != NULL && !e->spread;
	struct member *m =
		member_create(supernode_of(n), remote, known ? &e->origin.way.remote : &nowhere);

	return m != NULL ? m->session : NULL;
}

static void role_effects(struct node *n, struct session *s, unsigned effects)
{
	const struct path *p = link_path(&s->link);

	if ((effects & SESSION_CONFIRMED) == 0)
		return;
	/*
	 * A first packet shows where the edge is; later, only an echo moves it elsewhere. Its mask
	 * key may be new either way.
	 */
	if (p == NULL) {
		if (!way_is_none(&s->origin.way))
			path_use(&n->core, s, &s->origin.way);
	} else {
		/* There our answer was read. */
		if (way_same_remote(&p->way, &s->origin.way))
			outbox_revive(&s->out);
		path_use(&n->core, s, &p->way);
		if (!way_is_none(&s->origin.way))
			search_seen(&n->core, s, &s->origin, false);
	}
	if (effects & SESSION_RESTARTED)
		member_unregister(supernode_of(n), s->owner);
}

static bool proof_is_right(
	const struct supernode *sn, const struct keyset *k, const struct control_register *r)
{
	uint8_t proof[16];

	return party_register_proof(proof, sn->party.self.secret, r->static_public, k->hash, r->tag,
		       r->static_public) == 0 &&
	       crypto_equal(proof, r->proof, sizeof(proof));
}

static void answer(struct supernode *sn, struct member *m, enum register_result result)
{
	const struct path *p = link_path(&m->session->link);
	struct event e = {.kind = EVENT_MEMBER_REFUSED, .value = result};

	m->result = result;
	session_post(&sn->node.core, m->session, CONTROL_REGISTERED);
	if (result == REGISTER_OK)
		return;
	if (p != NULL)
		e.remote = p->way.remote;
	core_event(&sn->node.core, &e);
}

/* Each costs a Diffie-Hellman operation, and maybe a page for every member of a community. */
static void take_register(struct supernode *sn, struct member *m, const struct keyset *k,
	const struct control_msg *msg)
{
	struct control_register r;

	if (control_register_decode(&r, msg->body) != 0)
		return;
	if (!pace_take(&m->registers, sn->node.core.now_ms, REGISTERS_MS, REGISTERS_BURST)) {
		core_drop(&sn->node.core, DROP_RATE);
		return;
	}
	answer(sn, m, proof_is_right(sn, k, &r) ? member_register(sn, m, &r) : REGISTER_BAD_PROOF);
}

/* Who echoes receives there. */
static void take_echo(struct supernode *sn, struct session *s, const struct control_echo *m,
	const struct origin *from)
{
	const struct path *before = link_path(&s->link);

	path_echo(&sn->node.core, s, m, from);
	if (link_path(&s->link) == before)
		return;
	outbox_revive(&s->out);
	if (!member_moved(sn, s->owner))
		answer(sn, s->owner, REGISTER_ADDRESS_LIMIT);
}

static void take_fanout(struct supernode *sn, struct member *m, const struct control_msg *msg)
{
	if (m->fan == NULL)
		core_drop(&sn->node.core, DROP_NOT_REGISTERED);
	else
		fans_take(&sn->node.core, &sn->fans, &sn->registry, m->session, m->fan, msg);
}

static void role_message(struct node *n, struct session *s, const struct keyset *k,
	const struct control_msg *m, const struct origin *from)
{
	struct supernode *sn = supernode_of(n);
	union {
		struct control_ping ping;
		struct control_probe probe;
		struct control_echo echo;
	} u;

	switch (m->type) {
	case CONTROL_REGISTER:
		take_register(sn, s->owner, k, m);
		break;
	case CONTROL_UNREGISTER:
		member_remove(sn, s->owner);
		break;
	case CONTROL_PING:
		if (control_ping_decode(&u.ping, m->body) == 0)
			probe_pong(&n->core, s, &u.ping, from);
		break;
	case CONTROL_PATH_PROBE:
		if (control_probe_decode(&u.probe, m->body) == 0)
			probe_answer(&n->core, s, &u.probe, from);
		break;
	case CONTROL_PATH_ECHO:
		if (control_echo_decode(&u.echo, m->body) == 0)
			take_echo(sn, s, &u.echo, from);
		break;
	case CONTROL_FANOUT:
		take_fanout(sn, s->owner, m);
		break;
	default:
		break;
	}
}

static void encode_registered(const struct member *m, uint32_t seq, struct writer *w)
{
	struct control_registered r = {.result = (uint8_t)m->result};
	const struct path *p = link_path(&m->session->link);

	if (m->result == REGISTER_OK && m->entry != NULL && p != NULL) {
		r.handle = member_handle(m);
		r.lease_s = LEASE_S;
		r.observed = p->way.remote;
		r.twice = m->twice_ms != 0;
	}
	control_registered_encode(w, seq, &r);
}

static void role_encode(
	struct node *n, struct session *s, enum control_type type, uint32_t seq, struct writer *w)
{
	struct member *m = s->owner;
	struct control_roster page;

	if (type == CONTROL_REGISTERED)
		encode_registered(m, seq, w);
	else if (type == CONTROL_ROSTER && member_page(supernode_of(n), m, &page))
		control_roster_encode(w, seq, &page);
	else
		outbox_withdraw(&s->out, type);
}

static void role_acked(struct node *n, struct session *s, enum control_type type)
{
	if (type == CONTROL_ROSTER)
		member_took_page(supernode_of(n), s->owner);
}

static uint64_t role_look(struct node *n, struct session *s)
{
	struct member *m = s->owner;
	uint64_t over_ms = member_over_ms(m), tell_ms;

	member_settle(supernode_of(n), m);
	if (n->core.now_ms < over_ms) {
		tell_ms = m->fan != NULL ? fans_tell(&n->core, s, m->fan) : 0;
		return tell_ms != 0 && tell_ms < over_ms ? tell_ms : over_ms;
	}
	member_remove(supernode_of(n), m);
	return 0;
}

static void role_tick(struct node *n)
{
	struct supernode *sn = supernode_of(n);

	if (n->core.now_ms < sn->sweep_ms)
		return;
	sn->sweep_ms = n->core.now_ms + SWEEP_MS;
	sources_sweep(&sn->sources, n->core.now_ms);
}

static void add_env(struct view_doors *d, const uint8_t key[KEY_LEN], enum addressee_kind kind)
{
	struct view_env *e = &d->env[d->n_env++];

	memcpy(e->key, key, KEY_LEN);
	e->to = (struct addressee){.kind = (uint8_t)kind};
}

static void role_doors(struct node *n, struct view_doors *d)
{
	uint8_t hello_key[KEY_LEN];

	party_hello_key(hello_key);
	add_env(d, supernode_of(n)->party.env_key, TO_SUPERNODE);
	add_env(d, hello_key, TO_ANY);
}

/*
 * Who asks gets our key, and never more than it asked with: ask is its body, then its tag. There is
 * no budget that somebody could spend: a cookie instead would cost what the answer does.
 */
static void role_hello(
	struct node *n, const uint8_t *ask, size_t ask_len, const struct origin *from)
{
	struct supernode *sn = supernode_of(n);
	const struct random *rnd = &n->core.io.random;
	uint8_t buf[RELAY_HEADER_LEN + ENVELOPE_MAX_LEN], body[ENVELOPE_BODY_MAX], key[KEY_LEN];
	uint8_t *out = buf + RELAY_HEADER_LEN;
	struct msg_hello m;
	size_t room, len;

	if (msg_hello_decode(&m, ask, ask_len) != 0 || m.answer) {
		core_drop(&n->core, DROP_UNKNOWN);
		return;
	}
	if (ask_len < HELLO_ANSWER_LEN) {
		core_drop(&n->core, DROP_MALFORMED);
		return;
	}
	room = ask_len - HELLO_ANSWER_LEN;
	if (room > ENVELOPE_PAD_MAX)
		room = ENVELOPE_PAD_MAX;
	m = (struct msg_hello){
		.answer = true, .freshness = fresh_now(&sn->fresh, wall_ms(&n->core))};
	memcpy(m.static_public, sn->party.self.public, KEY_LEN);
	len = msg_hello_encode(body, sizeof(body), &m, random_below(rnd, (uint32_t)room + 1), rnd);
	party_hello_key(key);
	envelope_seal(out, body, len, ask + ask_len, TAG_LEN, key, rnd);
	send_envelope(&n->core, from, out, len + ENVELOPE_OVERHEAD);
}

static const struct role supernode_role = {
	.listeners = role_listeners,
	.find = role_find,
	.fresh = role_fresh,
	.refuses = role_refuses,
	.create = role_create,
	.effects = role_effects,
	.message = role_message,
	.encode = role_encode,
	.acked = role_acked,
	.hello = role_hello,
	.look = role_look,
	.tick = role_tick,
	.doors = role_doors,
};

/* ---- set-up ---- */

struct supernode *supernode_create(const struct supernode_config *c)
{
	struct supernode *sn = crypto_secret_alloc(sizeof(*sn));

	if (sn == NULL)
		return NULL;
	if (node_init(&sn->node, &supernode_role, &c->node) != 0) {
		crypto_secret_free(sn);
		return NULL;
	}
	sn->lobby_end = &sn->lobby;
	sources_init(&sn->sources, sn->node.core.hash_key,
		c->per_address != 0 ? c->per_address : PER_ADDRESS_DEFAULT);
	registry_init(&sn->registry, sn->node.core.hash_key, &sn->node.core.io.random,
		&(struct registry_limits){
			COMMUNITY_MEMBERS_MAX, c->members_max != 0 ? c->members_max : MEMBERS_MAX});
	fans_init(&sn->fans, &c->groups, sn->node.core.hash_key);
	party_init_supernode(&sn->party, c->secret);
	random_bytes(&sn->node.core.io.random, sn->party.hop_mask, MASK_LEN);
	sn->node.core.view.supernode = true;
	memcpy(sn->node.core.view.hop_mask, sn->party.hop_mask, MASK_LEN);
	sn->party.incarnation = random_u32(&sn->node.core.io.random);
	fresh_init(&sn->fresh, c->floor, wall_ms(&sn->node.core));
	sn->pairs = relay_pairs_create();
	if (sn->pairs == NULL) {
		supernode_destroy(sn);
		return NULL;
	}
	return sn;
}

void supernode_destroy(struct supernode *sn)
{
	struct member *m, *next;

	if (sn == NULL)
		return;
	HASH_ITER (hh, sn->members, m, next)
		member_remove(sn, m);
	registry_fini(&sn->registry);
	sources_fini(&sn->sources);
	node_fini(&sn->node);
	relay_pairs_destroy(sn->pairs);
	crypto_secret_free(sn);
}

struct relay_pairs *supernode_pairs(struct supernode *sn)
{
	return sn->pairs;
}

struct node *supernode_node(struct supernode *sn)
{
	return &sn->node;
}

const uint8_t *supernode_public(const struct supernode *sn)
{
	return sn->party.self.public;
}

uint64_t supernode_floor(struct supernode *sn, uint64_t now_ms)
{
	core_enter(&sn->node.core, now_ms);
	fresh_raise(&sn->fresh, wall_ms(&sn->node.core));
	return sn->fresh.limit;
}

uint64_t supernode_last_floor(const struct supernode *sn)
{
	return sn->fresh.highest;
}

void supernode_status(const struct supernode *sn, struct supernode_status *out)
{
	*out = (struct supernode_status){
		.communities = HASH_COUNT(sn->registry.communities),
		.members = HASH_COUNT(sn->members) - sn->n_lobby,
		.waiting = sn->n_lobby,
		.sets = sn->fans.sets,
		.handles = sn->fans.handles,
		.limits = sn->fans.limits,
	};
}
