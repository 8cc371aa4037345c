/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of src/core share: parties, both ends of a key set without a handshake, and a node
 * that sends into an array.
 */
#ifndef N2N_TESTS_CORE_TEST_H
#define N2N_TESTS_CORE_TEST_H

#include "core/node.h"
#include "core/path/path.h"
#include "wire_test.h"

#define SENT_MAX 128

struct sent {
	uint8_t data[SLOT_LEN];
	size_t len;
	struct way way;
};

/* A node and all that left it; the node comes first, as a role's functions get nothing else. */
struct rig {
	struct node node;
	uint64_t seed;
	unsigned n_sent;
	struct sent sent[SENT_MAX];
	unsigned events[EVENT_STATE + 1];
	unsigned delivered;
	uint8_t overlay; /* the host whose address leads into an n2n network; 0: none */
	unsigned asked;	 /* how often it was, whether some address does */
	uint16_t limit;	 /* of datagrams, wherever they go; 0: whatever a slot takes */
};

static inline struct endpoint test_endpoint(uint8_t host, uint16_t port)
{
	return (struct endpoint){{[10] = 0xff, 0xff, 10, 0, 0, host}, port};
}

static inline void rig_send(void *ctx, const struct datagram *d)
{
	struct rig *r = ctx;
	struct sent *s = &r->sent[r->n_sent];

	assert_true(r->n_sent < SENT_MAX && d->len <= sizeof(s->data));
	memcpy(s->data, d->data, d->len);
	s->len = d->len;
	s->way = d->way;
	r->n_sent++;
}

static inline void rig_deliver(void *ctx, unsigned community, const struct frame *f)
{
	struct rig *r = ctx;

	(void)community;
	(void)f;
	r->delivered++;
}

static inline void rig_event(void *ctx, const struct event *e)
{
	struct rig *r = ctx;

	r->events[e->kind]++;
}

static inline bool rig_is_underlay(void *ctx, const struct endpoint *to)
{
	struct rig *r = ctx;

	r->asked++;
	return r->overlay == 0 || to->ip[15] != r->overlay;
}

static inline uint16_t rig_limit(void *ctx, const struct endpoint *to)
{
	const struct rig *r = ctx;

	(void)to;
	return r->limit != 0 ? r->limit : DATAGRAM_MAX;
}

static inline void rig_init(struct rig *r, const struct role *role, unsigned embryos)
{
	struct core_config c = {.nworkers = 1, .embryos = embryos};

	memset(r, 0, sizeof(*r));
	r->seed = 7;
	c.io = (struct core_io){.ctx = r,
		.send = rig_send,
		.deliver = rig_deliver,
		.event = rig_event,
		.is_underlay = rig_is_underlay,
		.limit = rig_limit,
		.random = seeded_random(&r->seed)};
	assert_int_equal(node_init(&r->node, role, &c), 0);
}

static inline void rig_fini(struct rig *r)
{
	node_fini(&r->node);
}

/* What was edited of the view is shown; what gives way goes with the rig. */
static inline const struct view *rig_view(struct rig *r)
{
	struct core *core = &r->node.core;

	assert_int_equal(view_publish(&core->view, core_retire_any, core), 0);
	return core->view.shown;
}

/* A member of a community whose key, or passphrase, is a number. */
static inline struct party test_member(enum party_mode mode, uint8_t secret, uint8_t device)
{
	const struct community_key key = {{1, 2, 3}, {secret}};
	const uint8_t seed[SEED_LEN] = {device}, prs[KEY_LEN] = {secret};
	struct party p;

	if (mode == MODE_KEY)
		party_init_key(&p, &key, seed);
	else
		party_init_passphrase(&p, "a community", prs, seed);
	p.incarnation = device;
	p.mtu = MTU_DEFAULT;
	return p;
}

/* The two results of one handshake, told apart by a number. */
static inline void test_results(struct handshake_result *i, struct handshake_result *r,
	enum aead_suite suite, uint8_t number)
{
	*i = (struct handshake_result){
		.prk = {number},
		.hash = {number},
		.rx_index = 100,
		.tx_index = 200,
		.generation = 1,
		.suite = suite,
		.initiator = true,
	};
	*r = *i;
	r->rx_index = 200;
	r->tx_index = 100;
	r->initiator = false;
}

/* As if the handshake had been at this time. */
static inline void test_made_at(struct keyset *k, uint64_t ms)
{
	k->born_ms = ms;
	k->tx.until_ms = k->rx.until_ms = ms + KEYS_REJECT_MS;
}

/*
 * Confirmed keys for a session, at the position of the index; returns those of the other end, the
 * caller's to destroy.
 */
static inline struct keyset *test_keys(
	struct core *core, struct session *s, uint32_t index, uint8_t number)
{
	const struct keyset_params p = {.now_ms = core->now_ms, .nthreads = core->nthreads};
	struct handshake_result near_end, far_end;
	struct keyset *k, *far;

	test_results(&near_end, &far_end, AEAD_CHACHA20POLY1305, number);
	near_end.rx_index = far_end.tx_index = index;
	k = session_make_keys(core, s->link.kind, &near_end);
	far = keyset_create(&far_end, &p);
	assert_true(k != NULL && far != NULL);
	k->incarnation = 1;
	session_add_keys(core, s, k);
	assert_int_not_equal(session_confirm(core, s, k), 0);
	return far;
}

static inline struct keyset *rig_keys(
	struct rig *r, struct session *s, uint32_t index, uint8_t number)
{
	return test_keys(&r->node.core, s, index, number);
}

/*
 * A session under confirmed keys, reached directly; *far are the keys of its other end, the
 * caller's to destroy. The role hears nothing of it. Sessions of one test differ by number.
 */
static inline struct session *rig_session(struct rig *r, enum link_kind kind,
	const struct party *self, uint8_t number, struct keyset **far)
{
	const uint8_t remote[KEY_LEN] = {number, 1};
	const struct endpoint at = test_endpoint(number, 500);
	const struct way way = way_to(&at);
	struct session *s = session_create(&r->node.core, kind, self, 0, remote);

	assert_non_null(s);
	*far = rig_keys(r, s, s->link.id << 2, number);
	path_use(&r->node.core, s, &way);
	return s;
}

/* Opens what was sent to the other end, in place; its plaintext, and the clear header. */
static inline struct slice rig_open(
	struct rig *r, struct keyset *far, uint8_t *packet, size_t len, struct data_header *h)
{
	struct aead_op op = {
		.text = packet + DATA_HEADER_LEN, .ad = packet, .ad_len = DATA_HEADER_LEN};

	assert_true(len >= DATA_OVERHEAD);
	packet_mask(packet, len, DATA_HEADER_LEN, far->rx.mask);
	assert_true(data_header_read(h, packet));
	assert_int_equal(h->index, far->rx.index);
	op.len = len - DATA_OVERHEAD;
	key_nonce(op.nonce, far->rx.iv, h->counter);
	assert_int_equal(aead_open(far->rx.key, r->node.core.tx.aead, &op, 1), 1);
	return (struct slice){op.text, op.len};
}

#endif
