/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys of one direction, on the data path: what one side seals once, everybody who has the other
 * side opens, each with a window of his own. A group's key is one sender and many receivers; a key
 * set is one of each, and behaves the same.
 */
#include "core/data/receive.h"
#include "core_test.h"

#define NOW_MS	  5000u
#define UNTIL_MS  (NOW_MS + KEYS_REJECT_MS)
#define RECEIVERS 3
#define FRAME_LEN 60
#define PACKETS	  8

/* Somebody who listens. */
struct ear {
	struct link link;
	struct recv_keys own, *keys;
	uint64_t bits[REPLAY_WORDS_HOP + RELAY_REPLAY_WORDS];
};

struct fixture {
	struct rig rig;
	struct core *core; /* of rig */
	struct link link;
	struct path path;
	struct send_keys own, *send;
	struct ear ear[RECEIVERS];
	unsigned n_ears;
	struct keyset *near_end, *far_end;
	struct receiver rx;
	struct tx run[PACKETS];
	uint8_t slots[PACKETS][SLOT_LEN];
};

static struct direction direction_of(enum aead_suite suite, uint8_t number)
{
	struct direction d = {.suite = suite};

	memset(d.key, number, sizeof(d.key));
	memset(d.iv, number + 1, sizeof(d.iv));
	memset(d.mask, number + 2, sizeof(d.mask));
	memset(d.hop_key, number + 3, sizeof(d.hop_key));
	return d;
}

static void start(struct fixture *f)
{
	rig_init(&f->rig, NULL, 1);
	f->core = &f->rig.node.core;
	f->core->now_ms = NOW_MS;
	f->rx = (struct receiver){.aead = f->core->tx.aead, .drops = &f->core->drops};
	f->path.way.remote = test_endpoint(1, 500);
	f->link.path = &f->path;
}

/* The sender of a group, and all who listen to it. */
static void make_group(struct fixture *f, enum aead_suite suite, uint32_t first_counter)
{
	const struct direction d = direction_of(suite, 0x10);
	struct key_params p = {.nthreads = f->core->nthreads,
		.index = 77,
		.until_ms = UNTIL_MS,
		.first_counter = first_counter};

	assert_int_equal(send_keys_init(&f->own, &d, &p), 0);
	f->send = &f->own;
	f->n_ears = RECEIVERS;
	p.first_counter = 0;
	for (unsigned i = 0; i < RECEIVERS; i++) {
		struct ear *e = &f->ear[i];

		assert_int_equal(recv_keys_init(&e->own, &d, &p, e->bits, REPLAY_WORDS_HOP,
					 RELAY_REPLAY_WORDS),
			0);
		e->keys = &e->own;
	}
}

/* The halves of both ends of a handshake, which face each other. */
static void make_set(struct fixture *f, enum aead_suite suite, uint32_t first_counter)
{
	struct keyset_params p = {.now_ms = UNTIL_MS - KEYS_REJECT_MS,
		.nthreads = f->core->nthreads,
		.first_counter = first_counter,
		.hop = true};
	struct handshake_result i, r;

	test_results(&i, &r, suite, 1);
	f->near_end = keyset_create(&i, &p);
	p.first_counter = 0;
	f->far_end = keyset_create(&r, &p);
	assert_true(f->near_end != NULL && f->far_end != NULL);
	f->send = &f->near_end->tx;
	f->ear[0].keys = &f->far_end->rx;
	f->n_ears = 1;
}

static void end(struct fixture *f)
{
	if (f->near_end != NULL) {
		keyset_destroy(f->near_end);
		keyset_destroy(f->far_end);
	} else {
		send_keys_fini(&f->own);
		assert_true(crypto_is_zero(&f->own, sizeof(f->own)));
		for (unsigned i = 0; i < RECEIVERS; i++) {
			recv_keys_fini(&f->ear[i].own);
			assert_true(crypto_is_zero(&f->ear[i].own, sizeof(f->ear[i].own)));
		}
	}
	rig_fini(&f->rig);
}

/* Seals frames, each full of its number, once; false: the counters are used up. */
static bool seal(struct fixture *f, unsigned n)
{
	f->rig.n_sent = 0;
	for (unsigned i = 0; i < n; i++) {
		f->run[i] = (struct tx){.link = &f->link,
			.keys = f->send,
			.packet = f->slots[i] + RELAY_HEADER_LEN,
			.len = FRAME_LEN,
			.kind = KIND_ETHERNET};
		memset(f->slots[i] + SLOT_HEADROOM, (int)i, FRAME_LEN);
	}
	return transmit_run(&f->core->tx, f->run, n, NOW_MS);
}

/* A receiver takes a copy of packet i. */
static enum drop hear(struct fixture *f, unsigned ear, unsigned i, uint64_t now_ms)
{
	struct ear *e = &f->ear[ear];
	struct sent copy = f->rig.sent[i];
	struct rx x = {.link = &e->link, .keys = e->keys, .data = copy.data, .len = copy.len};
	struct rx *run = &x;
	uint8_t want[FRAME_LEN];

	packet_mask(x.data, x.len, DATA_HEADER_LEN, e->keys->mask);
	if (!data_header_read(&x.header, x.data) || x.header.index != e->keys->index)
		return DROP_UNKNOWN;
	receive_open(&f->rx, &run, 1, now_ms);
	if (x.verdict == VERDICT_DROP)
		return x.why;
	memset(want, (int)i, sizeof(want));
	assert_int_equal(x.verdict, VERDICT_FRAME);
	assert_int_equal(x.len, FRAME_LEN);
	assert_memory_equal(x.data, want, FRAME_LEN);
	return DROP_COUNT;
}

/* ---- what holds for a group and for a key set ---- */

static void check_everybody_opens_once(struct fixture *f)
{
	assert_true(seal(f, PACKETS));
	assert_int_equal(f->rig.n_sent, PACKETS);
	for (unsigned ear = 0; ear < f->n_ears; ear++)
		for (unsigned i = 0; i < PACKETS; i++)
			/* In another order for each. */
			assert_int_equal(hear(f, ear, (i * 3 + ear) % PACKETS, NOW_MS), DROP_COUNT);
	for (unsigned ear = 0; ear < f->n_ears; ear++)
		for (unsigned i = 0; i < PACKETS; i++)
			assert_int_equal(hear(f, ear, i, NOW_MS), DROP_REPLAY);
}

static void check_a_window_is_nobody_elses(struct fixture *f)
{
	assert_true(seal(f, 2));
	assert_int_equal(hear(f, 0, 0, NOW_MS), DROP_COUNT);
	assert_int_equal(hear(f, 0, 0, NOW_MS), DROP_REPLAY);
	for (unsigned ear = 1; ear < f->n_ears; ear++)
		assert_int_equal(hear(f, ear, 0, NOW_MS), DROP_COUNT);
	/* What one of them got damaged is still good for all, him too. */
	f->rig.sent[1].data[DATA_HEADER_LEN] ^= 1;
	assert_int_equal(hear(f, 0, 1, NOW_MS), DROP_AUTH);
	f->rig.sent[1].data[DATA_HEADER_LEN] ^= 1;
	for (unsigned ear = 0; ear < f->n_ears; ear++)
		assert_int_equal(hear(f, ear, 1, NOW_MS), DROP_COUNT);
}

static void check_both_sides_end(struct fixture *f)
{
	f->link.tx = f->send;
	assert_ptr_equal(link_sending(&f->link, UNTIL_MS - 1), f->send);
	assert_null(link_sending(&f->link, UNTIL_MS));
	assert_true(seal(f, 2));
	for (unsigned ear = 0; ear < f->n_ears; ear++) {
		assert_int_equal(hear(f, ear, 0, UNTIL_MS - 1), DROP_COUNT);
		assert_int_equal(hear(f, ear, 1, UNTIL_MS), DROP_EXPIRED);
	}
}

static void check_relay_counters_are_apart(struct fixture *f)
{
	uint32_t first;

	assert_true(send_keys_reserve(f->send, 5, &first) && first == 0);
	assert_true(send_keys_reserve_relay(f->send, 7, &first) && first == 0);
	assert_true(send_keys_reserve(f->send, 1, &first) && first == 5);
	assert_true(send_keys_reserve_relay(f->send, 1, &first) && first == 7);
	for (unsigned ear = 0; ear < f->n_ears; ear++) {
		struct recv_keys *k = f->ear[ear].keys;

		assert_memory_equal(k->hop_key, f->send->hop_key, HOP_KEY_LEN);
		/* Neither shares a bit with the other. */
		assert_true(replay_accept(&k->window, 100));
		assert_true(replay_accept(&k->relay_window, 120));
		assert_true(replay_accept(&k->window, 140));
		assert_false(replay_seen(&k->relay_window, 100));
		assert_false(replay_seen(&k->window, 120));
		assert_true(replay_seen(&k->window, 100) && replay_seen(&k->relay_window, 120));
	}
}

typedef void check_keys(struct fixture *f);
typedef void make_keys(struct fixture *f, enum aead_suite suite, uint32_t first_counter);

static void check_all(check_keys *check, uint32_t first_counter)
{
	static const enum aead_suite suites[] = {AEAD_AES256GCM, AEAD_CHACHA20POLY1305};
	static make_keys *const makes[] = {make_group, make_set};

	for (unsigned s = 0; s < 2; s++) {
		for (unsigned m = 0; m < 2; m++) {
			struct fixture *f = calloc(1, sizeof(*f));

			assert_non_null(f);
			start(f);
			makes[m](f, suites[s], first_counter);
			check(f);
			end(f);
			free(f);
		}
	}
}

static void what_is_sealed_once_everybody_opens_once(void **state)
{
	(void)state;
	check_all(check_everybody_opens_once, 0);
}

static void a_window_is_nobody_elses(void **state)
{
	(void)state;
	check_all(check_a_window_is_nobody_elses, 0);
}

static void both_sides_end_at_the_same_time(void **state)
{
	(void)state;
	check_all(check_both_sides_end, 0);
}

static void data_and_relay_counters_are_apart(void **state)
{
	(void)state;
	check_all(check_relay_counters_are_apart, 0);
}

/* ---- counters ---- */

/* The last counter is used, and none beyond, by whoever of many threads asks. */
static void check_limit(struct fixture *f)
{
	uint32_t first;

	assert_false(send_keys_reached(f->send, COUNTER_LIMIT));
	assert_true(seal(f, PACKETS - 1));
	assert_false(send_keys_reached(f->send, COUNTER_LIMIT));
	assert_false(seal(f, 2));
	assert_int_equal(f->rig.n_sent, 0);
	assert_true(send_keys_reached(f->send, COUNTER_LIMIT));
	assert_false(seal(f, 1));
	/* The relay's have not ended. */
	assert_true(send_keys_reserve_relay(f->send, PACKETS, &first));
	assert_int_equal(first, COUNTER_LIMIT - PACKETS);
	assert_false(send_keys_reserve_relay(f->send, 1, &first));
}

static void no_counter_is_used_beyond_the_limit(void **state)
{
	(void)state;
	check_all(check_limit, COUNTER_LIMIT - PACKETS);
}

static void check_rekey(struct fixture *f)
{
	uint32_t first;

	assert_false(send_keys_reached(f->send, COUNTER_REKEY));
	assert_true(send_keys_reserve_relay(f->send, 3, &first));
	assert_false(send_keys_reached(f->send, COUNTER_REKEY));
	/* Either counter tells. */
	assert_true(send_keys_reserve_relay(f->send, 1, &first));
	assert_true(send_keys_reached(f->send, COUNTER_REKEY));
	f->send->relay_counter = 0;
	assert_false(send_keys_reached(f->send, COUNTER_REKEY));
	assert_true(send_keys_reserve(f->send, 4, &first));
	assert_true(send_keys_reached(f->send, COUNTER_REKEY));
	assert_true(seal(f, 1));
	for (unsigned ear = 0; ear < f->n_ears; ear++)
		assert_int_equal(hear(f, ear, 0, NOW_MS), DROP_COUNT);
}

static void either_counter_calls_for_new_keys(void **state)
{
	(void)state;
	check_all(check_rekey, COUNTER_REKEY - 4);
}

/* ---- others ---- */

/* Another direction, or the same under another transform: nothing opens. */
static void other_keys_open_nothing(void **state)
{
	static const enum aead_suite suites[] = {AEAD_AES256GCM, AEAD_CHACHA20POLY1305};

	(void)state;
	for (unsigned s = 0; s < 2; s++) {
		struct fixture *f = calloc(1, sizeof(*f));
		const struct key_params p = {.nthreads = 2, .index = 77, .until_ms = UNTIL_MS};
		struct direction other = direction_of(suites[s], 0x10);
		struct ear *e;

		assert_non_null(f);
		start(f);
		make_group(f, suites[s], 0);
		e = &f->ear[0];
		other.key[31] ^= 1;
		recv_keys_fini(&e->own);
		assert_int_equal(recv_keys_init(&e->own, &other, &p, e->bits, REPLAY_WORDS_HOP,
					 RELAY_REPLAY_WORDS),
			0);
		e = &f->ear[1];
		other = direction_of(suites[1 - s], 0x10);
		recv_keys_fini(&e->own);
		assert_int_equal(recv_keys_init(&e->own, &other, &p, e->bits, REPLAY_WORDS_HOP,
					 RELAY_REPLAY_WORDS),
			0);
		assert_true(seal(f, 1));
		assert_int_equal(hear(f, 0, 0, NOW_MS), DROP_AUTH);
		assert_int_equal(hear(f, 1, 0, NOW_MS), DROP_CIPHER);
		assert_int_equal(hear(f, 2, 0, NOW_MS), DROP_COUNT);
		end(f);
		free(f);
	}
}

static void keys_never_made_are_released_too(void **state)
{
	struct send_keys s = {.key = NULL};
	struct recv_keys r = {.key = NULL};

	(void)state;
	send_keys_fini(&s);
	recv_keys_fini(&r);
	assert_true(crypto_is_zero(&s, sizeof(s)) && crypto_is_zero(&r, sizeof(r)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sealed_once_everybody_opens_once),
		cmocka_unit_test(a_window_is_nobody_elses),
		cmocka_unit_test(both_sides_end_at_the_same_time),
		cmocka_unit_test(data_and_relay_counters_are_apart),
		cmocka_unit_test(no_counter_is_used_beyond_the_limit),
		cmocka_unit_test(either_counter_calls_for_new_keys),
		cmocka_unit_test(other_keys_open_nothing),
		cmocka_unit_test(keys_never_made_are_released_too),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
