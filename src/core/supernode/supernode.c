/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A supernode as a whole: set-up, its role's table, messages of edges, HELLO. */
#include <stdlib.h>
#include <string.h>

#include "core/data/relay_pairs.h"
#include "core/supernode/supernode_state.h"
#include "wire/envelope.h"

#define HELLOS_PER_S	100
#define REGISTERS_PER_S 2
#define REGISTERS_BURST 5

/* ---- the role ---- */

static struct session *role_find(
	struct node *n, const struct party *self, const uint8_t remote[KEY_LEN])
{
	struct member *m = member_find(supernode_of(n), remote);

	(void)self;
	return m != NULL ? m->session : NULL;
}

static struct session *role_create(
	struct node *n, const struct party *self, const uint8_t remote[KEY_LEN])
{
	struct member *m = member_create(supernode_of(n), remote);

	(void)self;
	return m != NULL ? m->session : NULL;
}

static void role_confirmed(struct node *n, struct session *s, bool restarted, uint64_t now_ms)
{
	const struct path *p = session_path(s);
	struct member *m = s->owner;

	/*
	 * A first packet shows where the edge is; later, only an echo moves it elsewhere. Its mask
	 * key may be new either way.
	 */
	if (p == NULL) {
		search_use(n, s, &s->origin.remote, &s->origin.local);
	} else {
		search_use(n, s, &p->remote, &p->local);
		search_seen(n, s, &s->origin, false, now_ms);
	}
	if (restarted)
		member_unregister(supernode_of(n), m);
}

static bool proof_is_right(
	const struct supernode *sn, const struct keyset *k, const struct control_register *r)
{
	uint8_t proof[16];

	return party_register_proof(proof, sn->party.self.secret, r->static_public, k->hash, r->tag,
		       r->static_public) == 0 &&
	       crypto_equal(proof, r->proof, sizeof(proof));
}

/* Each costs a Diffie-Hellman operation, and maybe a page for every member of a community. */
static void take_register(struct supernode *sn, struct member *m, const struct keyset *k,
	const struct control_msg *msg, uint64_t now_ms)
{
	struct control_register r;

	if (control_register_decode(&r, msg->body) != 0)
		return;
	if (!bucket_take(&m->registers, now_ms, REGISTERS_PER_S, REGISTERS_BURST)) {
		drops_add(&sn->node.drops, DROP_RATE, 1);
		return;
	}
	m->result = proof_is_right(sn, k, &r) ? member_register(sn, m, &r) : REGISTER_BAD_PROOF;
	control_post(&sn->node, m->session, CONTROL_REGISTERED);
}

static void role_message(struct node *n, struct session *s, const struct keyset *k,
	const struct control_msg *m, const struct origin *from, uint64_t now_ms)
{
	struct supernode *sn = supernode_of(n);
	union {
		struct control_ping ping;
		struct control_probe probe;
		struct control_echo echo;
	} u;

	switch (m->type) {
	case CONTROL_REGISTER:
		take_register(sn, s->owner, k, m, now_ms);
		break;
	case CONTROL_UNREGISTER:
		member_remove(sn, s->owner);
		break;
	case CONTROL_PING:
		if (control_ping_decode(&u.ping, m->body) == 0)
			search_pong(n, s, &u.ping, from);
		break;
	case CONTROL_PATH_PROBE:
		if (control_probe_decode(&u.probe, m->body) == 0)
			search_answer(n, s, &u.probe, from);
		break;
	case CONTROL_PATH_ECHO:
		if (control_echo_decode(&u.echo, m->body) == 0)
			search_echo(n, s, &u.echo, from, now_ms);
		break;
	default:
		break;
	}
}

static void encode_registered(const struct member *m, uint32_t seq, struct writer *w)
{
	struct control_registered r = {.result = (uint8_t)m->result};
	const struct path *p = session_path(m->session);

	if (m->result == REGISTER_OK && m->entry != NULL && p != NULL) {
		r.handle = member_handle(m);
		r.lease_s = LEASE_S;
		r.observed = p->remote;
	}
	control_registered_encode(w, seq, &r);
}

static void role_encode(
	struct node *n, struct session *s, enum control_type type, uint32_t seq, struct writer *w)
{
	struct member *m = s->owner;
	struct control_roster page;

	(void)n;
	if (type == CONTROL_REGISTERED)
		encode_registered(m, seq, w);
	else if (type == CONTROL_ROSTER && member_page(m, &page))
		control_roster_encode(w, seq, &page);
	else
		s->out[type].seq = 0;
}

static void role_acked(struct node *n, struct session *s, enum control_type type)
{
	if (type == CONTROL_ROSTER)
		member_took_page(supernode_of(n), s->owner);
}

static void role_tick(struct node *n, uint64_t now_ms)
{
	struct supernode *sn = supernode_of(n);
	struct member *m, *next;

	HASH_ITER (hh, sn->members, m, next)
		if (member_is_over(m, now_ms))
			member_remove(sn, m);
}

static struct view *role_view(struct node *n)
{
	struct supernode *sn = supernode_of(n);
	uint32_t members = HASH_COUNT(sn->members);
	struct view *v = view_create(n->hash_key, members, members);
	uint8_t hello_key[KEY_LEN];

	if (v == NULL)
		return NULL;
	v->supernode = true;
	party_hello_key(hello_key);
	view_add_env_key(v, sn->party.env_key);
	view_add_env_key(v, hello_key);
	memcpy(v->hop_mask, sn->party.hop_mask, MASK_LEN);
	for (struct member *m = sn->members; m != NULL; m = m->hh.next) {
		if (m->entry != NULL)
			view_add_member(v, m->session, member_handle(m), m->entry->community->id);
		else
			view_add_session(v, m->session);
	}
	return v;
}

static const struct role supernode_role = {
	.find = role_find,
	.create = role_create,
	.confirmed = role_confirmed,
	.message = role_message,
	.encode = role_encode,
	.acked = role_acked,
	.tick = role_tick,
	.view = role_view,
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
	budget_init(&sn->budget, sn->node.hash_key);
	sn->members_max = c->members_max != 0 ? c->members_max : MEMBERS_MAX;
	registry_init(&sn->registry, sn->node.hash_key, &sn->node.io.random,
		&(struct registry_limits){COMMUNITY_MEMBERS_MAX, sn->members_max});
	party_init_supernode(&sn->party, c->secret);
	random_bytes(&sn->node.io.random, sn->party.hop_mask, MASK_LEN);
	sn->party.incarnation = random_u32(&sn->node.io.random);
	sn->pairs = relay_pairs_create();
	if (sn->pairs == NULL || supernode_worker_init(&sn->worker, c->node.nworkers, sn->pairs,
					 node_sink(&sn->node)) != 0) {
		supernode_destroy(sn);
		return NULL;
	}
	sn->worker.tx.drops = &sn->node.drops;
	sn->worker.rx.drops = &sn->node.drops;
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
	node_fini(&sn->node);
	supernode_worker_fini(&sn->worker);
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

/* ---- in ---- */

static void answer_hello(struct supernode *sn, const uint8_t *ask, size_t len,
	const struct origin *from, uint64_t now_ms)
{
	uint8_t buf[RELAY_HEADER_LEN + ENVELOPE_MAX_LEN], body[ENVELOPE_BODY_MAX], key[KEY_LEN];
	uint8_t *out = buf + RELAY_HEADER_LEN;
	struct msg_hello m = {.answer = true};
	size_t room, n;

	if (len < HELLO_ANSWER_LEN + ENVELOPE_OVERHEAD ||
		!bucket_take(&sn->hellos, now_ms, HELLOS_PER_S, HELLOS_PER_S)) {
		drops_add(&sn->node.drops, DROP_RATE, 1);
		return;
	}
	/* Never more than was asked with. */
	room = len - ENVELOPE_OVERHEAD - HELLO_ANSWER_LEN;
	if (room > ENVELOPE_PAD_MAX)
		room = ENVELOPE_PAD_MAX;
	memcpy(m.static_public, sn->party.self.public, KEY_LEN);
	n = msg_hello_encode(body, sizeof(body), &m,
		random_below(&sn->node.io.random, (uint32_t)room + 1), &sn->node.io.random);
	party_hello_key(key);
	envelope_seal(out, body, n, ask + len - TAG_LEN, TAG_LEN, key, &sn->node.io.random);
	node_reply(&sn->node, from, out, n + ENVELOPE_OVERHEAD);
}

static void take_envelope(struct supernode *sn, const uint8_t *data, size_t len,
	const struct origin *from, uint64_t now_ms)
{
	uint8_t body[ENVELOPE_BODY_MAX], hello_key[KEY_LEN];
	size_t body_len = len - ENVELOPE_OVERHEAD;
	struct msg_hello hello;
	struct msg_init init;

	if (envelope_open(body, data, len, NULL, 0, sn->party.env_key) == 0) {
		if (envelope_type(body, body_len) == PACKET_INIT &&
			msg_init_decode(&init, body, body_len) == 0)
			responder_init(
				&sn->node, &sn->party, &init, from, data + len - TAG_LEN, now_ms);
		else
			drops_add(&sn->node.drops, DROP_MALFORMED, 1);
		return;
	}
	party_hello_key(hello_key);
	if (envelope_open(body, data, len, NULL, 0, hello_key) == 0 &&
		msg_hello_decode(&hello, body, body_len) == 0 && !hello.answer)
		answer_hello(sn, data, len, from, now_ms);
	else
		drops_add(&sn->node.drops, DROP_UNKNOWN, 1);
}

static void heard(struct supernode *sn, struct session *s, struct keyset *k,
	const struct origin *from, uint64_t now_ms)
{
	const struct path *p = session_path(s);

	sn->node.now_ms = now_ms;
	budget_know(&sn->budget, &from->remote);
	if (!k->confirmed)
		session_confirm(&sn->node, s, k);
	if (p != NULL && !endpoint_equal(&p->remote, &from->remote))
		search_seen(&sn->node, s, from, false, now_ms);
}

void supernode_heard(
	struct supernode *sn, uint32_t index, const struct origin *from, uint64_t now_ms)
{
	struct keyset *k;
	struct session *s = session_by_index(&sn->node, index, &k);

	if (s != NULL)
		heard(sn, s, k, from, now_ms);
}

void supernode_control(struct supernode *sn, uint32_t index, const uint8_t *plain, size_t len,
	const struct origin *from, uint64_t now_ms)
{
	struct keyset *k;
	struct session *s = session_by_index(&sn->node, index, &k);

	if (s == NULL)
		return;
	heard(sn, s, k, from, now_ms);
	control_input(&sn->node, s, k, plain, len, from, now_ms);
}

/* The first packet after a handshake that we answered. */
static void confirm(struct supernode *sn, struct embryo *e, const struct data_header *h,
	uint8_t *data, size_t len, const struct origin *from, uint64_t now_ms)
{
	struct session *s = responder_confirm(&sn->node, e, h, data, len, from, now_ms);

	if (s != NULL && h->kind == KIND_CONTROL)
		control_input(&sn->node, s, session_keys(s, h->index), data + DATA_HEADER_LEN,
			len - DATA_OVERHEAD, from, now_ms);
}

static void open_packet(struct supernode *sn, struct session *s, struct keyset *k,
	const struct data_header *h, const struct datagram *d, const struct origin *from)
{
	struct rx x = {.session = s,
		.keys = k,
		.header = *h,
		.data = d->data,
		.len = d->len,
		.origin = *from};
	struct rx *run = &x;
	uint64_t now_ms = sn->node.now_ms;

	receive_open(&sn->worker.rx, &run, 1, now_ms);
	if (x.verdict == VERDICT_CONTROL)
		supernode_control(sn, h->index, x.data, x.len, from, now_ms);
	else if (x.verdict != VERDICT_DROP)
		supernode_heard(sn, h->index, from, now_ms);
}

/* Packets under keys newer than the worker's view: what is at a known index is no stranger's. */
static bool take_known(
	struct supernode *sn, uint8_t *data, size_t len, const struct origin *from, uint64_t now_ms)
{
	struct data_header h;
	struct session *s;
	struct embryo *e;
	struct keyset *k;

	if (!receive_peek(&h, data, len, sn->party.hop_mask))
		return false;
	s = session_by_index(&sn->node, h.index, &k);
	e = responder_by_index(&sn->node, h.index);
	if (s == NULL && e == NULL)
		return false;
	data_header_write(data, &h);
	if (s != NULL)
		open_packet(sn, s, k, &h, &(struct datagram){.data = data, .len = len}, from);
	else
		confirm(sn, e, &h, data, len, from, now_ms);
	return true;
}

void supernode_unknown(
	struct supernode *sn, uint8_t *data, size_t len, const struct origin *from, uint64_t now_ms)
{
	sn->node.now_ms = now_ms;
	if (len < DATAGRAM_MIN_LEN || take_known(sn, data, len, from, now_ms))
		return;
	if (!budget_take(&sn->budget, &from->remote, now_ms))
		drops_add(&sn->node.drops, DROP_RATE, 1);
	else if (len >= ENVELOPE_MIN_LEN && len <= ENVELOPE_MAX_LEN)
		take_envelope(sn, data, len, from, now_ms);
	else
		drops_add(&sn->node.drops, DROP_UNKNOWN, 1);
}

void supernode_datagram(struct supernode *sn, struct datagram *d, uint64_t now_ms)
{
	struct rx x = {.in = *d};

	sn->node.now_ms = now_ms;
	supernode_datagrams_in(&sn->worker, node_view(&sn->node), &x, 1, now_ms);
	if (x.verdict == VERDICT_UNKNOWN)
		supernode_unknown(sn, x.data, x.len, &x.origin, now_ms);
	else if (x.verdict == VERDICT_CONTROL)
		supernode_control(sn, x.keys->rx_index, x.data, x.len, &x.origin, now_ms);
	else if (x.verdict != VERDICT_DROP && x.keys != NULL)
		supernode_heard(sn, x.keys->rx_index, &x.origin, now_ms);
}

void supernode_status(const struct supernode *sn, struct supernode_status *out)
{
	*out = (struct supernode_status){
		.communities = HASH_COUNT(sn->registry.communities),
		.members = HASH_COUNT(sn->members),
	};
}
