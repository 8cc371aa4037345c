/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Key sets: both ends fit, nothing else does, and no counter is used twice or beyond the limit. */
#include "core_test.h"

static const enum aead_suite suites[] = {AEAD_AES256GCM, AEAD_CHACHA20POLY1305};

static struct keyset *create(const struct handshake_result *r, uint32_t first)
{
	const struct keyset_params p = {.now_ms = 1000, .nthreads = 1, .first_counter = first};
	struct keyset *k = keyset_create(r, &p);

	assert_non_null(k);
	return k;
}

static bool crosses(const struct keyset *from, const struct keyset *to, uint32_t counter)
{
	struct aead_state *state = aead_state_create(0);
	uint8_t packet[5 + TAG_LEN] = "hello";
	struct aead_op op = {.text = packet, .len = 5};
	size_t opened;

	assert_non_null(state);
	key_nonce(op.nonce, from->tx.iv, counter);
	aead_seal(from->tx.key, state, &op, 1);
	key_nonce(op.nonce, to->rx.iv, counter);
	opened = aead_open(to->rx.key, state, &op, 1);
	aead_state_destroy(state);
	return opened == 1 && memcmp(packet, "hello", 5) == 0;
}

static void ends_fit(void **state)
{
	(void)state;
	for (size_t s = 0; s < 2; s++) {
		struct handshake_result ri, rr;
		struct keyset *i, *r;
		uint8_t mask[MASK_LEN];

		test_results(&ri, &rr, suites[s], 1);
		i = create(&ri, 0);
		r = create(&rr, 0);
		assert_true(crosses(i, r, 0) && crosses(r, i, COUNTER_LIMIT - 1));
		assert_memory_equal(i->tx.mask, r->rx.mask, MASK_LEN);
		assert_memory_equal(i->rx.mask, r->tx.mask, MASK_LEN);
		assert_memory_equal(i->tx.hop_key, r->rx.hop_key, 16);
		assert_memory_equal(i->rx.hop_key, r->tx.hop_key, 16);
		keyset_rx_mask(&ri, mask);
		assert_memory_equal(mask, i->rx.mask, MASK_LEN);
		keyset_rx_mask(&rr, mask);
		assert_memory_equal(mask, r->rx.mask, MASK_LEN);
		/* The two directions share nothing. */
		assert_false(crosses(i, i, 0));
		assert_memory_not_equal(i->tx.mask, i->rx.mask, MASK_LEN);
		assert_memory_not_equal(i->tx.hop_key, i->rx.hop_key, 16);
		assert_memory_not_equal(i->tx.hop_key, i->tx.mask, 16);
		assert_int_equal(i->rx.index, 100);
		assert_int_equal(i->tx.index, 200);
		assert_int_equal(i->born_ms, 1000);
		keyset_destroy(i);
		keyset_destroy(r);
	}
	keyset_destroy(NULL);
}

/* The secret, the transcript and the transform each change every key. */
static void others_do_not_fit(void **state)
{
	struct handshake_result ri, rr;
	struct keyset *i;

	(void)state;
	test_results(&ri, &rr, AEAD_CHACHA20POLY1305, 1);
	i = create(&ri, 0);
	for (unsigned what = 0; what < 3; what++) {
		struct handshake_result other = rr;
		struct keyset *r;

		other.prk[31] ^= what == 0;
		other.hash[31] ^= what == 1;
		if (what == 2)
			other.suite = AEAD_AES256GCM;
		r = create(&other, 0);
		assert_memory_not_equal(i->tx.iv, r->rx.iv, NONCE_LEN);
		if (what < 2) {
			assert_false(crosses(i, r, 0));
			assert_memory_not_equal(i->tx.mask, r->rx.mask, MASK_LEN);
			assert_memory_not_equal(i->tx.hop_key, r->rx.hop_key, 16);
		}
		keyset_destroy(r);
	}
	keyset_destroy(i);
}

static void nonces(void **state)
{
	static const uint8_t iv[NONCE_LEN] = {1, 2, 3, 4, 5, 6, 7, 8, 0x0f, 0xf0, 0xaa, 0x55};
	static const uint8_t want[NONCE_LEN] = {
		1, 2, 3, 4, 5, 6, 7, 8, 0x0f ^ 0x0a, 0xf0 ^ 0x0b, 0xaa ^ 0x0c, 0x55 ^ 0x0d};
	uint8_t nonce[NONCE_LEN];

	(void)state;
	key_nonce(nonce, iv, 0x0a0b0c0d);
	assert_memory_equal(nonce, want, sizeof(nonce));
	key_nonce(nonce, iv, 0);
	assert_memory_equal(nonce, iv, sizeof(nonce));
}

static void check_limit(bool (*reserve)(struct send_keys *, uint32_t, uint32_t *),
	_Atomic uint64_t *counter, struct send_keys *k)
{
	uint32_t first;

	assert_true(reserve(k, 3, &first));
	assert_int_equal(first, COUNTER_LIMIT - 10);
	assert_true(reserve(k, 7, &first)); /* up to the last one */
	assert_int_equal(first, COUNTER_LIMIT - 7);
	assert_false(reserve(k, 1, &first));
	/* What was refused never comes back, however often it is asked for. */
	for (unsigned i = 0; i < 1000; i++)
		assert_false(reserve(k, 64, &first));
	atomic_store(counter, COUNTER_LIMIT - 5);
	assert_false(reserve(k, 6, &first));
	assert_false(reserve(k, 1, &first));
	/* The 32 bits of the wire are no limit to the count. */
	atomic_store(counter, UINT32_MAX);
	assert_false(reserve(k, 64, &first));
	assert_false(reserve(k, 64, &first));
}

static void counters_end(void **state)
{
	struct handshake_result ri, rr;
	struct keyset *k;
	uint32_t first;

	(void)state;
	test_results(&ri, &rr, AEAD_CHACHA20POLY1305, 1);
	k = create(&ri, 0);
	assert_true(send_keys_reserve(&k->tx, 64, &first) && first == 0);
	assert_true(send_keys_reserve(&k->tx, 1, &first) && first == 64);
	assert_true(send_keys_reserve_relay(&k->tx, 1, &first) && first == 0);
	keyset_destroy(k);
	k = create(&ri, COUNTER_LIMIT - 10);
	check_limit(send_keys_reserve, &k->tx.counter, &k->tx);
	check_limit(send_keys_reserve_relay, &k->tx.relay_counter, &k->tx);
	keyset_destroy(k);
}

static void both_sides_prefer_the_same(void **state)
{
	const struct keyset old = {.generation = 1, .hash = {1}},
			    small = {.generation = 2, .hash = {2}};
	const struct keyset large = {.generation = 2, .hash = {2, [31] = 1}};

	(void)state;
	assert_true(keyset_better(&small, &old) && !keyset_better(&old, &small));
	assert_true(keyset_better(&small, &large) && !keyset_better(&large, &small));
	assert_false(keyset_better(&small, &small));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_fit),
		cmocka_unit_test(others_do_not_fit),
		cmocka_unit_test(nonces),
		cmocka_unit_test(counters_end),
		cmocka_unit_test(both_sides_prefer_the_same),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
