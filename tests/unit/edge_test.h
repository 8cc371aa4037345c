/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of src/core/edge share: an edge with one community, and supernodes that are not
 * there. They shake hands, open what they are sent and say what a test lets them say.
 */
#ifndef N2N_TESTS_EDGE_TEST_H
#define N2N_TESTS_EDGE_TEST_H

#include "../own_queries.h"
#include "core/edge/edge_state.h"
#include "core_test.h"

#define START_MS 1000000u
#define HOLD_MS	 (UINT64_C(30) * 24 * 3600 * 1000)
#define FAKES	 3
#define OTHERS	 0x80 /* addresses of members end in it and above */

/* A supernode as the edge sees it. */
struct fake {
	struct party party;
	struct endpoint at;
	bool silent, answers_hello, never_acks;
	uint16_t refuses;	/* the result in its RESPONSE */
	struct keyset *k, *old; /* the newest, and those before */
	uint8_t mask[MASK_LEN]; /* the edge's */
	uint32_t counter, seq;
	/* What it heard. */
	unsigned inits, hellos, relayed, n[CONTROL_TYPES];
	struct control_register registration;
	uint64_t tells;	    /* with its answers to HELLO */
	uint64_t freshness; /* of the last INIT that it answered */
	uint64_t token;	    /* of the last PING */
	struct control_echo echo;
};

struct fixture {
	uint64_t seed;
	struct edge *e;
	struct node *node;
	struct core *core;
	struct community *c;
	struct fake fake[FAKES];
	unsigned n_sent, n_heard;
	struct sent sent[SENT_MAX];
	unsigned events[EVENT_STATE + 1];
	struct event last[EVENT_STATE + 1];
	uint64_t last_ms[EVENT_STATE + 1];
	struct note note;
	uint8_t overlay; /* the host whose address leads into an n2n network; 0: none */
	unsigned asked;	 /* how often it was, whether some address does */
	/* Frames for its interface, the last of them. */
	unsigned n_frames;
	size_t frame_len;
	uint8_t frame[FRAME_MAX];
};

/* ---- the way out of the edge ---- */

static inline void edge_test_send(void *ctx, const struct datagram *d)
{
	struct fixture *f = ctx;
	struct sent *s = &f->sent[f->n_sent];

	assert_true(f->n_sent < SENT_MAX && d->len <= sizeof(s->data));
	memcpy(s->data, d->data, d->len);
	s->len = d->len;
	s->way = d->way;
	f->n_sent++;
}

static inline void edge_test_deliver(void *ctx, unsigned community, const struct frame *f)
{
	struct fixture *t = ctx;

	if (is_own_query(f->data, f->len))
		return;
	assert_int_equal(community, 0);
	t->n_frames++;
	t->frame_len = f->len;
	memcpy(t->frame, f->data, f->len);
}

static inline void edge_test_event(void *ctx, const struct event *e)
{
	struct fixture *f = ctx;

	f->events[e->kind]++;
	f->last[e->kind] = *e;
	f->last_ms[e->kind] = f->core->now_ms;
}

static inline bool edge_test_is_underlay(void *ctx, const struct endpoint *to)
{
	struct fixture *f = ctx;

	f->asked++;
	return f->overlay == 0 || to->ip[15] != f->overlay;
}

/* ---- supernodes ---- */

static inline void give(struct fixture *f, const struct fake *s, const void *data, size_t len)
{
	f->note =
		(struct note){.kind = NOTE_UNKNOWN, .origin = {.way = way_to(&s->at)}, .len = len};
	memcpy(f->note.data, data, len);
	node_note(f->node, &f->note, f->core->now_ms);
}

static inline void fake_answer(struct fixture *f, struct fake *s, const struct msg_init *init)
{
	const struct keyset_params p = {.now_ms = f->core->now_ms, .nthreads = 2, .hop = true};
	const struct random *rnd = &f->core->io.random;
	struct msg_response m = {.sender = (100u + s->inits) << 2, .receiver = init->sender};
	uint8_t noise[NOISE_MAX], out[ENVELOPE_MAX_LEN];
	struct handshake_result result;
	struct answer answer;
	size_t len;

	assert_int_equal(answer_read(&answer, &s->party, init), 0);
	answer.result = s->refuses;
	assert_int_equal(answer_write(&answer, &s->party, m.sender, m.receiver,
				 answer.theirs.generation, noise, &m.noise_len, &result, rnd),
		0);
	m.noise = noise;
	assert_true(answer.theirs.has_hop_mask);
	s->freshness = answer.theirs.freshness;
	memcpy(s->mask, answer.theirs.hop_mask, MASK_LEN);
	len = answer_datagram(&s->party, answer.noise.rs, &m, out, rnd);
	keyset_destroy(s->old);
	s->old = s->k;
	s->k = keyset_create(&result, &p);
	assert_non_null(s->k);
	s->counter = 0;
	give(f, s, out, len);
}

/* As a supernode answers HELLO, with any key and as an answer to any datagram's tag. */
static inline void fake_hello(
	struct fixture *f, const struct fake *s, const uint8_t tag[TAG_LEN], const uint8_t *key)
{
	uint8_t body[ENVELOPE_BODY_MAX], out[ENVELOPE_MAX_LEN], hello_key[KEY_LEN];
	struct msg_hello m = {.answer = true, .freshness = s->tells};
	size_t len;

	memcpy(m.static_public, key, KEY_LEN);
	len = msg_hello_encode(body, sizeof(body), &m, 7, &f->core->io.random);
	party_hello_key(hello_key);
	envelope_seal(out, body, len, tag, TAG_LEN, hello_key, &f->core->io.random);
	give(f, s, out, len + ENVELOPE_OVERHEAD);
}

static inline void fake_message(struct fake *s, const struct control_msg *m)
{
	struct control_ping ping;

	assert_in_range(m->type, 0, CONTROL_TYPES - 1);
	s->n[m->type]++;
	if (m->type == CONTROL_REGISTER)
		assert_int_equal(control_register_decode(&s->registration, m->body), 0);
	else if (m->type == CONTROL_PATH_ECHO)
		assert_int_equal(control_echo_decode(&s->echo, m->body), 0);
	else if (m->type == CONTROL_PING && control_ping_decode(&ping, m->body) == 0)
		s->token = ping.token;
}

/* It sends a packet of the session, under its newest keys. */
static inline void fake_send(
	struct fixture *f, struct fake *s, enum frame_kind kind, const void *plain, size_t len)
{
	uint8_t packet[SLOT_LEN];
	const struct data_header h = {.kind = (uint8_t)kind,
		.cipher = (uint8_t)s->k->tx.suite,
		.index = s->k->tx.index,
		.counter = s->counter++};
	struct aead_op op = {.text = packet + DATA_HEADER_LEN,
		.len = len,
		.ad = packet,
		.ad_len = DATA_HEADER_LEN};

	data_header_write(packet, &h);
	if (len > 0)
		memcpy(op.text, plain, len);
	key_nonce(op.nonce, s->k->tx.iv, h.counter);
	aead_seal(s->k->tx.key, f->core->tx.aead, &op, 1);
	packet_mask(packet, len + DATA_OVERHEAD, DATA_HEADER_LEN, s->mask);
	give(f, s, packet, len + DATA_OVERHEAD);
}

static inline void fake_ack(struct fixture *f, struct fake *s, const struct control_ack *acks)
{
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	control_ack_encode(&w, acks);
	fake_send(f, s, KIND_CONTROL, buf, writer_len(&w));
}

/* A packet of the session, whose header is clear; the first one under new keys confirms them. */
static inline void fake_packet(struct fixture *f, struct fake *s, struct sent *d)
{
	uint8_t *packet = d->data;
	struct aead_op op = {.text = packet + DATA_HEADER_LEN,
		.len = d->len - DATA_OVERHEAD,
		.ad = packet,
		.ad_len = DATA_HEADER_LEN};
	struct control_ack acks = {.n = 0};
	struct data_header h;
	struct keyset *k = s->k;
	struct control_msg m;
	struct reader r;

	if (!data_header_read(&h, packet))
		return;
	if (k != NULL && h.index != k->rx.index)
		k = s->old;
	if (k == NULL || h.index != k->rx.index)
		return;
	key_nonce(op.nonce, k->rx.iv, h.counter);
	assert_int_equal(aead_open(k->rx.key, f->core->tx.aead, &op, 1), 1);
	if (k == s->k && !k->confirmed) {
		k->confirmed = true;
		fake_send(f, s, KIND_ETHERNET, NULL, 0);
	}
	reader_init(&r, op.text, op.len);
	while (h.kind == KIND_CONTROL && control_next(&r, &m) == 1) {
		fake_message(s, &m);
		if (m.seq == 0)
			continue;
		assert_true(acks.n < ACK_RANGES_MAX);
		acks.range[acks.n].first = m.seq;
		acks.range[acks.n++].last = m.seq;
	}
	if (acks.n > 0 && !s->never_acks)
		fake_ack(f, s, &acks);
}

/* What is no envelope: of the session, or to be relayed. */
static inline void fake_datagram(struct fixture *f, struct fake *s, struct sent *d)
{
	struct relay_header relay;

	packet_mask(d->data, d->len, DATA_HEADER_LEN, s->party.hop_mask);
	fake_packet(f, s, d);
	packet_mask(d->data, d->len, DATA_HEADER_LEN, s->party.hop_mask);
	if (d->len < RELAYED_MIN_LEN)
		return;
	packet_mask(d->data, d->len, RELAY_MASKED_LEN, s->party.hop_mask);
	s->relayed += relay_header_read(&relay, d->data);
}

/* A datagram comes to it. */
static inline void fake_hear(struct fixture *f, struct fake *s, struct sent *d)
{
	uint8_t body[ENVELOPE_MAX_LEN], hello_key[KEY_LEN], tag[TAG_LEN];
	struct msg_init init;
	bool envelope = d->len >= ENVELOPE_MIN_LEN && d->len <= ENVELOPE_MAX_LEN;

	party_hello_key(hello_key);
	memcpy(tag, d->data + d->len - TAG_LEN, TAG_LEN);
	if (envelope && envelope_open(body, d->data, d->len, NULL, 0, s->party.env_key) == 0) {
		assert_int_equal(msg_init_decode(&init, body, d->len - ENVELOPE_OVERHEAD), 0);
		s->inits++;
		if (!s->silent)
			fake_answer(f, s, &init);
	} else if (envelope && envelope_open(body, d->data, d->len, NULL, 0, hello_key) == 0) {
		s->hellos++;
		if (s->answers_hello && !s->silent)
			fake_hello(f, s, tag, s->party.self.public);
	} else {
		fake_datagram(f, s, d);
	}
}

/* It says something within the session. */
static inline void fake_say(struct fixture *f, struct fake *s, const struct writer *w)
{
	assert_true(writer_ok(w));
	fake_send(f, s, KIND_CONTROL, w->start, writer_len(w));
}

static inline void fake_registered(struct fixture *f, struct fake *s, uint8_t result,
	uint32_t handle, const struct endpoint *observed)
{
	const struct control_registered m = {
		.result = result, .handle = handle, .lease_s = 30, .observed = *observed};
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	control_registered_encode(&w, ++s->seq, &m);
	fake_say(f, s, &w);
}

static inline void fake_pong(
	struct fixture *f, struct fake *s, uint64_t token, const struct endpoint *observed)
{
	const struct control_pong m = {token, *observed};
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	control_pong_encode(&w, &m);
	fake_say(f, s, &w);
}

static inline void fake_roster(struct fixture *f, struct fake *s, const struct control_roster *m)
{
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	control_roster_encode(&w, ++s->seq, m);
	fake_say(f, s, &w);
}

/* ---- time ---- */

/* What was sent to supernodes, and what comes of it, reaches them. */
static inline void exchange(struct fixture *f)
{
	for (; f->n_heard < f->n_sent; f->n_heard++)
		for (unsigned i = 0; i < FAKES; i++)
			if (endpoint_equal(&f->sent[f->n_heard].way.remote, &f->fake[i].at)) {
				struct sent copy = f->sent[f->n_heard];

				fake_hear(f, &f->fake[i], &copy);
			}
}

static inline void tick(struct fixture *f)
{
	f->n_sent = f->n_heard = 0;
	node_tick(f->node, f->core->now_ms + TICK_MS);
	exchange(f);
	retired_destroy(core_take_retired(f->core));
}

static inline void run(struct fixture *f, uint64_t ms)
{
	for (uint64_t end = f->core->now_ms + ms; f->core->now_ms < end;)
		tick(f);
}

static inline void jump(struct fixture *f, uint64_t ms)
{
	f->core->now_ms += ms;
}

/* ---- setting up ---- */

static inline const struct view *view_of(struct fixture *f)
{
	(void)node_view_changed(f->node);
	return f->core->view.shown;
}

static inline struct endpoint observed(void)
{
	return test_endpoint(250, 4000);
}

static inline void start(struct fixture *f, enum party_mode mode)
{
	static const struct community_key key = {{1, 2, 3}, {5}};
	static const uint8_t prs[KEY_LEN] = {5};
	struct edge_config c = {
		.node = {.nworkers = 1, .now_ms = START_MS, .embryos = 4}, .seed = {7}};
	struct community_config community = {
		.name = "a community", .hold_ms = HOLD_MS, .mtu = MTU_DEFAULT};

	memset(f, 0, sizeof(*f));
	f->seed = 11;
	c.node.io = (struct core_io){.ctx = f,
		.send = edge_test_send,
		.deliver = edge_test_deliver,
		.event = edge_test_event,
		.is_underlay = edge_test_is_underlay,
		.random = seeded_random(&f->seed)};
	for (uint8_t i = 0; i < FAKES; i++) {
		struct fake *s = &f->fake[i];

		party_init_supernode(&s->party, (const uint8_t[KEY_LEN]){(uint8_t)(40 + 8 * i)});
		memset(s->party.hop_mask, 0x60 + i, MASK_LEN);
		s->party.incarnation = 1;
		s->at = test_endpoint((uint8_t)(30 + i), 7654);
	}
	f->e = edge_create(&c);
	assert_non_null(f->e);
	f->node = edge_node(f->e);
	f->core = &f->node->core;
	if (mode == MODE_KEY)
		community.key = &key;
	else
		community.prs = prs;
	assert_int_equal(edge_add_community(f->e, &community), 0);
	f->c = f->e->community[0];
}

static inline void stop(struct fixture *f)
{
	edge_destroy(f->e);
	for (unsigned i = 0; i < FAKES; i++) {
		keyset_destroy(f->fake[i].k);
		keyset_destroy(f->fake[i].old);
	}
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	start(f, MODE_KEY);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	stop(*state);
	free(*state);
	return 0;
}

/* Supernode i of the list, at its address; key: given with it, pinned: remembered. */
static inline void add_supernode(struct fixture *f, unsigned i, bool given, bool pinned)
{
	const uint8_t *key = f->fake[i].party.self.public;

	assert_int_equal(edge_add_supernode(f->e, given ? key : NULL, pinned ? key : NULL), i);
	edge_supernode_resolved(f->e, i, &f->fake[i].at, 1);
}

/* Registered with the first one, of given key. */
static inline void go_up(struct fixture *f, uint32_t handle)
{
	const struct endpoint seen = observed();

	add_supernode(f, 0, true, false);
	run(f, 2 * TICK_MS);
	assert_int_equal(f->c->hop.state, SUPERNODE_REGISTERING);
	fake_registered(f, &f->fake[0], REGISTER_OK, handle, &seen);
	assert_int_equal(f->c->hop.state, SUPERNODE_UP);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
