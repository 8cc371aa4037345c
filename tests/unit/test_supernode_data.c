/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The relay, batch by batch: what goes out, in which order, under which header, and what is
 * dropped. */
#include "core/data/relay_budget.h"
#include "core/supernode/supernode.h"
#include "core_test.h"

#define START_MS   1000u
#define MEMBERS	   6
#define OTHERS	   4 /* the member of another community */
#define STRANGER   5 /* it has a session and did not register */
#define HANDLE(i)  (0x100u + (uint32_t)(i))
#define INNER_LEN  (DATAGRAM_MIN_LEN + 20)
#define PACKET_LEN (RELAY_HEADER_LEN + INNER_LEN)

struct member_end {
	struct session *s;
	struct keyset *far;
	uint32_t counter;  /* of relay packets to the supernode */
	uint32_t expected; /* of relay packets from it */
};

struct fixture {
	struct relay_pairs *pairs;
	struct rig rig;
	struct party self;
	struct supernode_worker w;
	const struct view *view;
	struct member_end end[MEMBERS];
	uint8_t slots[BATCH_MAX][SLOT_LEN];
	struct rx rx[BATCH_MAX];
	size_t n;
	uint8_t out[BATCH_MAX][SLOT_LEN];
	struct datagram sent[BATCH_MAX];
	size_t n_sent;
	unsigned calls;
};

static void sink(void *ctx, const struct datagram *d, size_t n)
{
	struct fixture *f = ctx;

	f->calls++;
	for (size_t i = 0; i < n; i++) {
		assert_true(f->n_sent < BATCH_MAX && d[i].len <= SLOT_LEN);
		memcpy(f->out[f->n_sent], d[i].data, d[i].len);
		f->sent[f->n_sent] = d[i];
		f->sent[f->n_sent].data = f->out[f->n_sent];
		f->n_sent++;
	}
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct view_editor *view;

	assert_non_null(f);
	rig_init(&f->rig, NULL, 1);
	f->rig.node.core.now_ms = START_MS;
	f->pairs = relay_pairs_create();
	assert_non_null(f->pairs);
	assert_int_equal(
		supernode_worker_init(&f->w, 0, f->pairs, (struct datagram_sink){sink, f}), 0);
	view = &f->rig.node.core.view;
	view->supernode = true;
	memset(view->hop_mask, 0x42, MASK_LEN);
	for (unsigned i = 0; i < MEMBERS; i++) {
		struct member_end *e = &f->end[i];

		e->s = rig_session(&f->rig, LINK_MEMBER, &f->self, (uint8_t)(i + 1), &e->far);
		if (i == STRANGER)
			continue;
		e->s->link.member = link_member(i == OTHERS ? 2 : 1, HANDLE(i));
		assert_int_equal(view_put_handle(view, 0, HANDLE(i), &e->s->link), 0);
	}
	f->view = rig_view(&f->rig);
	f->rig.n_sent = 0;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < MEMBERS; i++)
		keyset_destroy(f->end[i].far);
	supernode_worker_fini(&f->w);
	relay_pairs_destroy(f->pairs);
	rig_fini(&f->rig);
	free(f);
	return 0;
}

/* ---- what comes in ---- */

static struct rx *next_slot(struct fixture *f, size_t len)
{
	struct rx *x = &f->rx[f->n];

	assert_true(f->n < BATCH_MAX);
	memset(x, 0xa5, sizeof(*x)); /* a worker's array holds what the last batch left */
	x->in = (struct datagram){.data = f->slots[f->n], .len = len};
	f->n++;
	return x;
}

/* A relay packet of a member with any header; its inner packet is filled with number. */
static struct rx *put_header(
	struct fixture *f, unsigned from, const struct relay_header *h, uint8_t number)
{
	struct rx *x = next_slot(f, PACKET_LEN);
	uint8_t *p = x->in.data;

	x->in.way.remote = test_endpoint((uint8_t)(from + 1), 500);
	relay_header_write(p, h);
	memset(p + RELAY_HEADER_LEN, number, INNER_LEN);
	relay_mac(p + RELAY_MASKED_LEN, f->end[from].far->tx.hop_key, p, p + RELAY_HEADER_LEN,
		INNER_LEN);
	packet_mask(p, PACKET_LEN, RELAY_MASKED_LEN, f->view->hop_mask);
	return x;
}

static struct rx *put_to(struct fixture *f, unsigned from, uint32_t handle, uint8_t number)
{
	struct member_end *e = &f->end[from];

	return put_header(f, from,
		&(struct relay_header){
			RELAY_HOP_LIMIT, e->s->link.id << 2, e->counter++, handle, false},
		number);
}

static struct rx *put(struct fixture *f, unsigned from, unsigned to, uint8_t number)
{
	return put_to(f, from, HANDLE(to), number);
}

static void take(struct fixture *f, uint64_t now_ms)
{
	f->n_sent = 0;
	f->calls = 0;
	supernode_datagrams_in(&f->w, f->view, f->rx, f->n, now_ms);
	f->n = 0;
}

/* As if all had sent to each other just before. */
static void acquaint(struct fixture *f)
{
	for (unsigned i = 0; i < MEMBERS; i++)
		for (unsigned k = 0; k < MEMBERS; k++)
			(void)relay_budget_take(f->w.budget, f->end[i].s->link.id,
				f->end[k].s->link.id, 1, START_MS);
}

/* ---- what goes out ---- */

static void check_sent(
	struct fixture *f, size_t i, unsigned from, unsigned to, uint8_t number, uint8_t hop_limit)
{
	struct datagram *d = &f->sent[i];
	struct member_end *e = &f->end[to];
	const struct endpoint at = test_endpoint((uint8_t)(to + 1), 500);
	uint8_t mac[RELAY_MAC_LEN], inner[INNER_LEN];
	struct relay_header h;

	assert_true(i < f->n_sent);
	assert_true(endpoint_equal(&d->way.remote, &at));
	assert_int_equal(d->len, PACKET_LEN);
	packet_mask(d->data, d->len, RELAY_MASKED_LEN, link_path(&e->s->link)->mask);
	assert_true(relay_header_read(&h, d->data));
	assert_int_equal(h.hop_limit, hop_limit);
	assert_int_equal(h.index, e->far->rx.index);
	assert_int_equal(h.counter, e->expected++);
	assert_int_equal(h.handle, HANDLE(from));
	relay_mac(mac, e->far->rx.hop_key, d->data, d->data + RELAY_HEADER_LEN, INNER_LEN);
	assert_memory_equal(mac, d->data + RELAY_MASKED_LEN, sizeof(mac));
	memset(inner, number, sizeof(inner));
	assert_memory_equal(d->data + RELAY_HEADER_LEN, inner, sizeof(inner));
}

static void assert_dropped(const struct rx *x, enum drop why)
{
	assert_int_equal(x->verdict, VERDICT_DROP);
	assert_int_equal(x->why, why);
}

static void assert_drops(const struct fixture *f, enum drop why, uint64_t n)
{
	uint64_t all = 0;

	for (enum drop d = 0; d < DROP_COUNT; d++)
		all += drops_get(&f->w.drops, d);
	assert_int_equal(drops_get(&f->w.drops, why), n);
	assert_int_equal(all, n);
}

static void assert_relayed(const struct fixture *f, uint64_t packets)
{
	assert_int_equal(f->w.packets, packets);
	assert_int_equal(f->w.bytes, packets * INNER_LEN);
}

/* ---- tests ---- */

/* In runs, alone, back and forth: what goes out stands as it came in, and leaves in one call. */
static void a_mixed_batch_keeps_its_order(void **state)
{
	struct fixture *f = *state;
	uint8_t from[BATCH_MAX], to[BATCH_MAX];

	acquaint(f);
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < BATCH_MAX; i++) {
			const struct random rnd = seeded_random(&f->rig.seed);

			from[i] = i > 0 ? from[i - 1] : 0;
			to[i] = i > 0 ? to[i - 1] : 1;
			if (random_below(&rnd, 3) == 0)
				from[i] = (uint8_t)random_below(&rnd, OTHERS);
			if (random_below(&rnd, 3) == 0 || from[i] == to[i])
				to[i] = (uint8_t)((from[i] + 1 + random_below(&rnd, OTHERS - 1)) %
						  OTHERS);
			(void)put(f, from[i], to[i], (uint8_t)i);
		}
		take(f, START_MS + round);
		assert_int_equal(f->calls, 1);
		assert_int_equal(f->n_sent, BATCH_MAX);
		for (unsigned i = 0; i < BATCH_MAX; i++) {
			check_sent(f, i, from[i], to[i], (uint8_t)i, RELAY_HOP_LIMIT);
			assert_int_equal(f->rx[i].verdict, VERDICT_EMPTY);
			assert_ptr_equal(f->rx[i].link, &f->end[from[i]].s->link);
			assert_int_equal(f->rx[i].keys->index, f->end[from[i]].s->link.id << 2);
		}
		assert_relayed(f, (round + 1) * BATCH_MAX);
	}
	assert_drops(f, DROP_AUTH, 0);
	assert_int_equal(f->end[0].s->link.rx_ms, START_MS + 19);
	assert_int_equal(f->end[0].s->link.tx_ms, START_MS + 19);
}

static void the_budget_cuts_a_burst_where_it_ends(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < BATCH_MAX; i++)
		(void)put(f, 0, 1, (uint8_t)i);
	take(f, START_MS);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->n_sent, RELAY_STRANGER_PER_S);
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		if (i < RELAY_STRANGER_PER_S)
			check_sent(f, i, 0, 1, (uint8_t)i, RELAY_HOP_LIMIT);
		else
			assert_dropped(&f->rx[i], DROP_RATE);
	}
	assert_drops(f, DROP_RATE, BATCH_MAX - RELAY_STRANGER_PER_S);
	assert_relayed(f, RELAY_STRANGER_PER_S);

	/* The answer opens the way, in the same batch, and what was dropped took no counter. */
	(void)put(f, 0, 1, 1);
	(void)put(f, 1, 0, 2);
	for (unsigned i = 2; i < BATCH_MAX; i++)
		(void)put(f, 0, 1, (uint8_t)i);
	take(f, START_MS);
	assert_dropped(&f->rx[0], DROP_RATE);
	assert_int_equal(f->n_sent, BATCH_MAX - 1);
	check_sent(f, 0, 1, 0, 2, RELAY_HOP_LIMIT);
	for (unsigned i = 2; i < BATCH_MAX; i++)
		check_sent(f, i - 1, 0, 1, (uint8_t)i, RELAY_HOP_LIMIT);
	assert_relayed(f, RELAY_STRANGER_PER_S + BATCH_MAX - 1);
}

/* One budget for all strangers of a sender, in the order in which their packets came. */
static void runs_to_several_strangers_share_the_budget(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < BATCH_MAX; i++)
		(void)put(f, 0, 1 + i / 3 % 2, (uint8_t)i);
	take(f, START_MS);
	assert_int_equal(f->n_sent, RELAY_STRANGER_PER_S);
	for (unsigned i = 0; i < RELAY_STRANGER_PER_S; i++)
		check_sent(f, i, 0, 1 + i / 3 % 2, (uint8_t)i, RELAY_HOP_LIMIT);
	assert_drops(f, DROP_RATE, BATCH_MAX - RELAY_STRANGER_PER_S);
	/* Another sender has his own. */
	(void)put(f, 2, 3, 9);
	take(f, START_MS);
	assert_int_equal(f->n_sent, 1);
	check_sent(f, 0, 2, 3, 9, RELAY_HOP_LIMIT);
}

static void a_wrong_mac_drops_one_packet_of_a_run(void **state)
{
	struct fixture *f = *state;

	acquaint(f);
	for (unsigned i = 0; i < 9; i++)
		(void)put(f, 0, 1, (uint8_t)i);
	f->rx[4].in.data[RELAY_MASKED_LEN] ^= 1;
	f->rx[6].in.data[1] ^= 1;	   /* the hop limit */
	f->rx[8].in.data[10 + 3] ^= 1 ^ 2; /* the handle: of another member */
	take(f, START_MS);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->n_sent, 6);
	for (unsigned i = 0, k = 0; i < 9; i++) {
		if (i == 4 || i == 6 || i == 8)
			assert_dropped(&f->rx[i], DROP_AUTH);
		else
			check_sent(f, k++, 0, 1, (uint8_t)i, RELAY_HOP_LIMIT);
	}
	assert_drops(f, DROP_AUTH, 3);
	assert_relayed(f, 6);
	/* The forged ones used up no counter. */
	f->end[0].counter = 4;
	(void)put(f, 0, 1, 4);
	take(f, START_MS);
	check_sent(f, 0, 0, 1, 4, RELAY_HOP_LIMIT);
}

static void a_repetition_is_dropped(void **state)
{
	struct fixture *f = *state;

	acquaint(f);
	for (unsigned i = 0; i < 6; i++)
		(void)put(f, 0, 1, (uint8_t)i);
	/* Within the run, and behind another. */
	f->end[0].counter = 3;
	(void)put(f, 0, 1, 3);
	(void)put(f, 1, 0, 7);
	f->end[0].counter = 0;
	(void)put(f, 0, 1, 0);
	take(f, START_MS);
	assert_int_equal(f->n_sent, 7);
	for (unsigned i = 0; i < 6; i++)
		check_sent(f, i, 0, 1, (uint8_t)i, RELAY_HOP_LIMIT);
	check_sent(f, 6, 1, 0, 7, RELAY_HOP_LIMIT);
	assert_dropped(&f->rx[6], DROP_REPLAY);
	assert_dropped(&f->rx[8], DROP_REPLAY);
	/* And in the next batch; one that is late is none. */
	f->end[0].counter = 5;
	(void)put(f, 0, 1, 5);
	f->end[0].counter = 40;
	(void)put(f, 0, 1, 40);
	f->end[0].counter = 30;
	(void)put(f, 0, 1, 30);
	take(f, START_MS);
	assert_int_equal(f->n_sent, 2);
	check_sent(f, 0, 0, 1, 40, RELAY_HOP_LIMIT);
	check_sent(f, 1, 0, 1, 30, RELAY_HOP_LIMIT);
	assert_drops(f, DROP_REPLAY, 3);
	assert_relayed(f, 9);
}

static void hop_limits_are_kept_and_end_at_zero(void **state)
{
	static const uint8_t limit[] = {2, 2, 0, 0, 1, 255, 0, 2};
	struct fixture *f = *state;
	size_t k = 0;

	acquaint(f);
	for (unsigned i = 0; i < sizeof(limit); i++) {
		const struct relay_header h = {
			limit[i], f->end[0].s->link.id << 2, f->end[0].counter++, HANDLE(1), false};

		(void)put_header(f, 0, &h, (uint8_t)i);
	}
	take(f, START_MS);
	for (unsigned i = 0; i < sizeof(limit); i++) {
		if (limit[i] == 0)
			assert_dropped(&f->rx[i], DROP_MALFORMED);
		else
			check_sent(f, k++, 0, 1, (uint8_t)i, limit[i]);
	}
	assert_int_equal(f->n_sent, k);
	assert_drops(f, DROP_MALFORMED, 3);
	assert_relayed(f, k);
}

/* Between packets that pass. */
static void only_registered_members_of_one_community_meet(void **state)
{
	struct fixture *f = *state;

	acquaint(f);
	(void)put(f, 0, 1, 0);
	(void)put(f, 0, 0, 1);	       /* to oneself */
	(void)put(f, 0, OTHERS, 2);    /* to another community */
	(void)put_to(f, 0, 0xdead, 3); /* to nobody */
	(void)put_to(f, 0, 0, 4);      /* the handle of those who have none */
	(void)put(f, STRANGER, 1, 5);  /* not registered */
	(void)put(f, STRANGER, 1, 6);
	(void)put(f, OTHERS, 1, 7); /* from another community */
	(void)put(f, 2, 1, 8);
	take(f, START_MS);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->n_sent, 2);
	check_sent(f, 0, 0, 1, 0, RELAY_HOP_LIMIT);
	check_sent(f, 1, 2, 1, 8, RELAY_HOP_LIMIT);
	for (unsigned i = 1; i < 8; i++)
		assert_dropped(
			&f->rx[i], i == 5 || i == 6 ? DROP_NOT_REGISTERED : DROP_NO_DESTINATION);
	assert_int_equal(drops_get(&f->w.drops, DROP_NOT_REGISTERED), 2);
	assert_int_equal(drops_get(&f->w.drops, DROP_NO_DESTINATION), 5);
	assert_relayed(f, 2);
}

/* Nothing is sent for them, and the others of the batch are. */
static void a_destination_out_of_reach_is_a_counted_drop(void **state)
{
	struct fixture *f = *state;

	acquaint(f);
	session_set_path(&f->rig.node.core, &f->end[1].s->link.path, NULL);
	f->end[2].s->current->tx.relay_counter = COUNTER_LIMIT - 1;
	for (uint8_t i = 0; i < 3; i++) {
		(void)put(f, 0, 1, i);
		(void)put(f, 0, 3, i);
		(void)put(f, 3, 2, i);
		(void)put(f, 3, 2, i);
	}
	take(f, START_MS);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->n_sent, 3);
	for (uint8_t i = 0; i < 3; i++)
		check_sent(f, i, 0, 3, i, RELAY_HOP_LIMIT);
	assert_drops(f, DROP_NO_PATH, 9);
	assert_relayed(f, 3);
}

static void old_hop_keys_relay_nothing(void **state)
{
	struct fixture *f = *state;

	acquaint(f);
	test_made_at(f->end[1].s->current, START_MS + KEYS_REJECT_MS);
	(void)put(f, 0, 1, 0);
	(void)put(f, 1, 0, 1);
	take(f, START_MS + KEYS_REJECT_MS);
	assert_int_equal(f->n_sent, 0);
	assert_dropped(&f->rx[0], DROP_UNKNOWN);
	assert_int_equal(drops_get(&f->w.drops, DROP_NO_PATH), 1);
	assert_relayed(f, 0);
}

/* Packets for the supernode itself, noise and stubs among what is relayed. */
static void a_batch_of_everything(void **state)
{
	struct fixture *f = *state;
	struct rx *x;
	struct data_header h = {.kind = KIND_ETHERNET,
		.cipher = AEAD_CHACHA20POLY1305,
		.index = f->end[1].s->link.id << 2};
	struct aead_op op = {.ad_len = DATA_HEADER_LEN};

	acquaint(f);
	(void)put(f, 0, 1, 0);
	x = next_slot(f, DATA_OVERHEAD); /* a keepalive */
	data_header_write(x->in.data, &h);
	op.text = x->in.data + DATA_HEADER_LEN;
	op.ad = x->in.data;
	key_nonce(op.nonce, f->end[1].far->tx.iv, 0);
	aead_seal(f->end[1].far->tx.key, f->rig.node.core.tx.aead, &op, 1);
	packet_mask(x->in.data, x->in.len, DATA_HEADER_LEN, f->view->hop_mask);
	(void)put(f, 0, 1, 2);
	x = put(f, 0, 1, 3); /* too short for anything within */
	x->in.len = RELAYED_MIN_LEN - 1;
	packet_mask(x->in.data, PACKET_LEN, RELAY_MASKED_LEN, f->view->hop_mask);
	packet_mask(x->in.data, x->in.len, RELAY_MASKED_LEN, f->view->hop_mask);
	x = next_slot(f, 200); /* noise */
	memset(x->in.data, 0x5c, 200);
	x = next_slot(f, DATAGRAM_MIN_LEN - 1);
	memset(x->in.data, 0x5c, DATAGRAM_MIN_LEN);
	x = next_slot(f, DATAGRAM_MAX + 1);
	memset(x->in.data, 0x5c, DATAGRAM_MAX + 1);
	(void)put(f, 1, 0, 7);
	take(f, START_MS);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->n_sent, 3);
	check_sent(f, 0, 0, 1, 0, RELAY_HOP_LIMIT);
	check_sent(f, 1, 0, 1, 2, RELAY_HOP_LIMIT);
	check_sent(f, 2, 1, 0, 7, RELAY_HOP_LIMIT);
	assert_int_equal(f->rx[1].verdict, VERDICT_EMPTY);
	assert_ptr_equal(f->rx[1].link, &f->end[1].s->link);
	assert_dropped(&f->rx[3], DROP_TOO_SHORT);
	assert_dropped(&f->rx[4], DROP_UNKNOWN);
	assert_dropped(&f->rx[5], DROP_TOO_SHORT);
	assert_dropped(&f->rx[6], DROP_TOO_LONG);
	assert_relayed(f, 3);
}

/*
 * The system keeps each edge's flow at one worker, so the answers may come through another, whose
 * clock was read a little later or earlier.
 */
static void answers_through_another_worker_count(void **state)
{
	static const int ahead[] = {0, 1, 5, -1};
	struct fixture *f = *state;
	struct supernode_worker other;

	assert_int_equal(
		supernode_worker_init(&other, 0, f->pairs, (struct datagram_sink){sink, f}), 0);
	(void)put(f, 0, 1, 0);
	take(f, START_MS);
	for (unsigned i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++) {
		const uint64_t now_ms = START_MS + 1000 * i;

		f->n_sent = 0;
		(void)put(f, 1, 0, 1);
		supernode_datagrams_in(
			&other, f->view, f->rx, f->n, (uint64_t)((int64_t)now_ms + ahead[i]));
		assert_int_equal(f->n_sent, 1);
		f->n = 0;
		for (unsigned k = 0; k < BATCH_MAX; k++)
			(void)put(f, 0, 1, (uint8_t)k);
		take(f, now_ms);
		assert_int_equal(f->n_sent, BATCH_MAX);
	}
	supernode_worker_fini(&other);
	assert_drops(f, DROP_RATE, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_mixed_batch_keeps_its_order),
		TEST(the_budget_cuts_a_burst_where_it_ends),
		TEST(runs_to_several_strangers_share_the_budget),
		TEST(a_wrong_mac_drops_one_packet_of_a_run),
		TEST(a_repetition_is_dropped),
		TEST(hop_limits_are_kept_and_end_at_zero),
		TEST(only_registered_members_of_one_community_meet),
		TEST(a_destination_out_of_reach_is_a_counted_drop),
		TEST(old_hop_keys_relay_nothing),
		TEST(a_batch_of_everything),
		TEST(answers_through_another_worker_count),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
