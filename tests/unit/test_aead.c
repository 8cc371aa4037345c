/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packet ciphers: every provider against every other, in batches, from several threads' contexts,
 * with wrong tags; what is left of keys; and the choice among providers. Published vectors are in
 * test_wycheproof.c.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/aead/aead.h"
#include "heap_search.h"

#include <cmocka.h>

#define MAX_TEXT      1600
#define MAX_LONG_TEXT 65000
#define MAX_AD	      64
#define MAX_BATCH     64

static const enum aead_suite suites[] = {AEAD_AES256GCM, AEAD_CHACHA20POLY1305};

/* Seeded bytes: xorshift64. */
static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void fill(uint64_t *seed, uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		p[i] = (uint8_t)(next_random(seed) >> 24);
	}
}

struct batch {
	struct aead_op ops[MAX_BATCH];
	size_t n;
	uint8_t *memory;
	size_t size;
};

/* Texts up to max_text and associated data of random lengths, packed without gaps. */
static void batch_init(struct batch *b, size_t n, size_t max_text, uint64_t seed)
{
	uint8_t *p;

	b->n = n;
	b->memory = malloc(n * (MAX_AD + max_text + TAG_LEN));
	assert_non_null(b->memory);
	p = b->memory;
	for (size_t i = 0; i < n; i++) {
		struct aead_op *op = &b->ops[i];

		*op = (struct aead_op){
			.len = next_random(&seed) % (max_text + 1),
			.ad_len = next_random(&seed) % (MAX_AD + 1),
		};
		fill(&seed, op->nonce, NONCE_LEN);
		fill(&seed, p, op->ad_len);
		op->ad = p;
		op->text = p + op->ad_len;
		fill(&seed, op->text, op->len + TAG_LEN);
		p = op->text + op->len + TAG_LEN;
	}
	b->size = (size_t)(p - b->memory);
}

static void batch_fini(struct batch *b)
{
	free(b->memory);
}

/* A key and the states of its threads. */
struct box {
	struct aead_key *key;
	struct aead_state *states[2];
};

static struct box box_make(
	const struct aead_provider *p, enum aead_suite suite, const uint8_t key[KEY_LEN])
{
	struct box box = {
		aead_key_create(p, suite, key, 2), {aead_state_create(0), aead_state_create(1)}};

	assert_non_null(box.key);
	assert_non_null(box.states[0]);
	assert_non_null(box.states[1]);
	return box;
}

static void box_fini(struct box *box)
{
	aead_key_destroy(box->key);
	aead_state_destroy(box->states[0]);
	aead_state_destroy(box->states[1]);
}

/* Opened by setup, closed by teardown; the state of every test. */
static const struct aead_library *library(void **state)
{
	return *state;
}

/* Calls check for each provider and suite that this machine has. */
static void for_each(const struct aead_library *lib,
	void (*check)(const struct aead_provider *p, enum aead_suite suite))
{
	for (const struct aead_provider *const *p = aead_library_providers(lib); *p != NULL; p++) {
		for (size_t i = 0; i < 2; i++) {
			if (aead_provider_has(*p, suites[i])) {
				check(*p, suites[i]);
			}
		}
	}
}

/* Calls check for each pair of different providers of a suite, once. */
static void for_each_pair(const struct aead_library *lib,
	void (*check)(const struct aead_provider *p, const struct aead_provider *q,
		enum aead_suite suite))
{
	for (const struct aead_provider *const *p = aead_library_providers(lib); *p != NULL; p++) {
		for (const struct aead_provider *const *q = p + 1; *q != NULL; q++) {
			for (size_t i = 0; i < 2; i++) {
				if (aead_provider_has(*p, suites[i]) &&
					aead_provider_has(*q, suites[i])) {
					check(*p, *q, suites[i]);
				}
			}
		}
	}
}

static const struct aead_provider *provider(const struct aead_library *lib, const char *name)
{
	const struct aead_provider *const *p = aead_library_providers(lib);

	while (*p != NULL && strcmp(aead_provider_name(*p), name) != 0) {
		p++;
	}
	return *p;
}

static void what_is_built_in_is_always_there(void **state)
{
	const struct aead_library *lib = library(state);
	const struct aead_provider *openssl = provider(lib, "openssl");
	const struct aead_provider *sodium = provider(lib, "sodium");
	static const uint8_t key[KEY_LEN];

	assert_non_null(openssl);
	assert_non_null(sodium);
	assert_true(aead_provider_has(openssl, AEAD_AES256GCM));
	assert_true(aead_provider_has(openssl, AEAD_CHACHA20POLY1305));
	assert_true(aead_provider_has(sodium, AEAD_CHACHA20POLY1305));
	assert_int_equal(aead_provider_has(sodium, AEAD_AES256GCM), aead_aes_is_fast());
	for (const struct aead_provider *const *p = aead_library_providers(lib); *p != NULL; p++) {
		assert_false(aead_provider_has(*p, (enum aead_suite)0));
		assert_false(aead_provider_has(*p, (enum aead_suite)3));
		assert_null(aead_key_create(*p, (enum aead_suite)3, key, 1));
	}
	assert_string_equal(aead_suite_name(AEAD_AES256GCM), "AES-256-GCM");
	assert_string_equal(aead_suite_name(AEAD_CHACHA20POLY1305), "ChaCha20-Poly1305");
	assert_string_equal(aead_suite_name((enum aead_suite)3), "unknown");
	aead_key_destroy(NULL);
	aead_state_destroy(NULL);
	aead_library_close(NULL);
}

static void without_a_library_the_first_built_in_is_chosen(void **state)
{
	const struct aead_provider *openssl = provider(library(state), "openssl");

	assert_ptr_equal(aead_library_choice(NULL, AEAD_AES256GCM), openssl);
	assert_ptr_equal(aead_library_choice(NULL, AEAD_CHACHA20POLY1305), openssl);
	assert_null(aead_library_choice(NULL, (enum aead_suite)0));
	assert_null(aead_library_choice(NULL, (enum aead_suite)3));
	assert_null(aead_library_choice(library(state), (enum aead_suite)0));
	assert_null(aead_library_choice(library(state), (enum aead_suite)3));
}

static void without_a_clock_the_first_provider_is_chosen(void **state)
{
	const struct aead_provider *first = aead_library_providers(library(state))[0];

	assert_ptr_equal(aead_library_choice(library(state), AEAD_AES256GCM), first);
	assert_ptr_equal(aead_library_choice(library(state), AEAD_CHACHA20POLY1305), first);
}

static void libipsec_mb_can_be_refused(void **state)
{
	struct aead_library *lib;
	const struct aead_provider *const *p;

	(void)state;
	assert_int_equal(aead_library_open(&lib, NULL, true), 0);
	p = aead_library_providers(lib);
	assert_string_equal(aead_provider_name(p[0]), "openssl");
	assert_string_equal(aead_provider_name(p[1]), "sodium");
	assert_null(p[2]);
	assert_ptr_equal(aead_library_choice(lib, AEAD_AES256GCM), p[0]);
	assert_ptr_equal(aead_library_choice(lib, AEAD_CHACHA20POLY1305), p[0]);
	aead_library_close(lib);
}

/* A clock that runs slower and slower, so that the last that is measured seems the fastest. */
static uint64_t calls;

static uint64_t tiring_clock(void)
{
	calls++;
	return UINT64_C(1000000) * calls - calls * calls;
}

static void the_fastest_is_chosen(void **state)
{
	struct aead_library *lib;
	const struct aead_provider *sodium;

	(void)state;
	assert_int_equal(aead_library_open(&lib, tiring_clock, false), 0);
	sodium = provider(lib, "sodium");
	assert_ptr_equal(aead_library_choice(lib, AEAD_CHACHA20POLY1305), sodium);
	if (aead_aes_is_fast()) {
		assert_ptr_equal(aead_library_choice(lib, AEAD_AES256GCM), sodium);
	} else {
		assert_ptr_equal(
			aead_library_choice(lib, AEAD_AES256GCM), provider(lib, "openssl"));
	}
	aead_library_close(lib);
}

/* Each call is one tick after the last: so every batch takes one, however often. */
static uint64_t even_clock(void)
{
	return ++calls;
}

static void check_speed(const struct aead_provider *p, enum aead_suite suite)
{
	struct aead_speed speed = {0, 0};

	assert_int_equal(aead_measure(&speed, p, suite, 0, 1, even_clock), 0);
	assert_int_equal(speed.seal_ns, 1);
	assert_int_equal(speed.open_ns, 1);
	calls = 0;
	assert_int_equal(aead_measure(&speed, p, suite, 1400, 3, tiring_clock), 0);
	assert_int_equal(calls, 9);
	/* From call n to n + 1 pass 1,000,000 - (2n + 1). */
	assert_int_equal(speed.seal_ns, 1000000 - (2 * 7 + 1));
	assert_int_equal(speed.open_ns, 1000000 - (2 * 8 + 1));
}

static void the_shortest_round_counts(void **state)
{
	for_each(library(state), check_speed);
}

static void check_round_trip(const struct aead_provider *p, enum aead_suite suite)
{
	static const uint8_t key[KEY_LEN] = {1, 2, 3};
	struct box box = box_make(p, suite, key);

	for (size_t n = 1; n <= MAX_BATCH; n++) {
		struct batch plain, work;

		batch_init(&plain, n, MAX_TEXT, n);
		batch_init(&work, n, MAX_TEXT, n);
		aead_seal(box.key, box.states[n % 2], work.ops, n);
		for (size_t i = 0; i < n; i++) {
			assert_memory_equal(work.ops[i].ad, plain.ops[i].ad, plain.ops[i].ad_len);
			if (plain.ops[i].len >= 16) {
				assert_memory_not_equal(
					work.ops[i].text, plain.ops[i].text, plain.ops[i].len);
			}
		}
		assert_int_equal(aead_open(box.key, box.states[(n + 1) % 2], work.ops, n), n);
		for (size_t i = 0; i < n; i++) {
			assert_true(work.ops[i].ok);
			assert_memory_equal(work.ops[i].text, plain.ops[i].text, plain.ops[i].len);
		}
		batch_fini(&plain);
		batch_fini(&work);
	}
	box_fini(&box);
}

static void every_provider_opens_what_it_sealed(void **state)
{
	for_each(library(state), check_round_trip);
}

/* Both seal the same batch to the same bytes, and each opens what the other sealed. */
static void check_batch(struct box *p, struct box *q, size_t n, size_t max_text, uint64_t seed)
{
	struct batch plain, a, b;

	batch_init(&plain, n, max_text, seed);
	batch_init(&a, n, max_text, seed);
	batch_init(&b, n, max_text, seed);
	aead_seal(p->key, p->states[0], a.ops, n);
	aead_seal(q->key, q->states[1], b.ops, n);
	assert_int_equal(a.size, b.size);
	assert_memory_equal(a.memory, b.memory, a.size);
	assert_int_equal(aead_open(q->key, q->states[0], a.ops, n), n);
	assert_int_equal(aead_open(p->key, p->states[1], b.ops, n), n);
	for (size_t i = 0; i < n; i++) {
		assert_memory_equal(a.ops[i].text, plain.ops[i].text, plain.ops[i].len);
		assert_memory_equal(b.ops[i].text, plain.ops[i].text, plain.ops[i].len);
	}
	batch_fini(&plain);
	batch_fini(&a);
	batch_fini(&b);
}

static void check_pair(
	const struct aead_provider *p, const struct aead_provider *q, enum aead_suite suite)
{
	static const uint8_t key[KEY_LEN] = {9, 8, 7};
	struct box a = box_make(p, suite, key), b = box_make(q, suite, key);

	for (size_t n = 1; n <= MAX_BATCH; n++) {
		check_batch(&a, &b, n, MAX_TEXT, 1000 + n);
	}
	for (uint64_t seed = 1; seed <= 8; seed++) {
		check_batch(&a, &b, 4, MAX_LONG_TEXT, seed);
	}
	box_fini(&a);
	box_fini(&b);
}

static void all_providers_give_the_same_bytes(void **state)
{
	for_each_pair(library(state), check_pair);
}

/* Every length up to some blocks of the widest implementations, at every place in a cache line. */
static void check_lengths(
	const struct aead_provider *p, const struct aead_provider *q, enum aead_suite suite)
{
	static const uint8_t key[KEY_LEN] = {1}, ad[MAX_AD] = {2};
	struct box a = box_make(p, suite, key), b = box_make(q, suite, key);
	static uint8_t x[64 + 600 + TAG_LEN], y[64 + 600 + TAG_LEN];

	for (size_t len = 0; len <= 600; len++) {
		struct aead_op op = {x + len % 64, len, ad, len % (MAX_AD + 1), {0}, false};
		struct aead_op oq = {y + len * 7 % 64, len, ad, len % (MAX_AD + 1), {0}, false};

		memset(op.text, (int)len & 0xff, len);
		memset(oq.text, (int)len & 0xff, len);
		aead_seal(a.key, a.states[0], &op, 1);
		aead_seal(b.key, b.states[0], &oq, 1);
		assert_memory_equal(op.text, oq.text, len + TAG_LEN);
		assert_int_equal(aead_open(b.key, b.states[0], &op, 1), 1);
		assert_int_equal(aead_open(a.key, a.states[0], &oq, 1), 1);
		assert_memory_equal(op.text, oq.text, len);
	}
	box_fini(&a);
	box_fini(&b);
}

static void every_length_and_alignment_is_right(void **state)
{
	for_each_pair(library(state), check_lengths);
}

/* Damages what one operation is made of, in one of five ways. */
static void damage(struct aead_op *op, unsigned way)
{
	switch (way) {
	case 0:
		op->text[op->len] ^= 1;
		break;
	case 1:
		op->text[op->len + TAG_LEN - 1] ^= 0x80;
		break;
	case 2:
		op->text[op->len / 2] ^= 4;
		break;
	case 3:
		op->ad_len--;
		break;
	default:
		op->nonce[NONCE_LEN - 1] ^= 1;
		break;
	}
}

/* Every third packet of a batch is damaged; the others must come out whole. */
static void check_wrong_tags(const struct aead_provider *p, enum aead_suite suite)
{
	static const uint8_t key[KEY_LEN] = {5};
	const size_t n = 32, step = 3;
	struct box box = box_make(p, suite, key);

	for (unsigned way = 0; way < 5; way++) {
		struct batch plain, work;

		batch_init(&plain, n, MAX_TEXT, 79);
		batch_init(&work, n, MAX_TEXT, 79);
		aead_seal(box.key, box.states[0], work.ops, n);
		for (size_t i = 0; i < n; i += step) {
			assert_true(work.ops[i].len > 0 && work.ops[i].ad_len > 0);
			damage(&work.ops[i], way);
		}
		assert_int_equal(aead_open(box.key, box.states[0], work.ops, n), n - n / step - 1);
		for (size_t i = 0; i < n; i++) {
			const struct aead_op *op = &work.ops[i];

			assert_int_equal(op->ok, i % step != 0);
			if (op->ok) {
				assert_memory_equal(op->text, plain.ops[i].text, op->len);
			} else {
				assert_true(crypto_is_zero(op->text, op->len));
			}
		}
		batch_fini(&plain);
		batch_fini(&work);
	}
	box_fini(&box);
}

static void a_wrong_tag_wipes_its_own_packet_only(void **state)
{
	for_each(library(state), check_wrong_tags);
}

static void check_empty(const struct aead_provider *p, enum aead_suite suite)
{
	static const uint8_t key[KEY_LEN] = {6};
	struct box box = box_make(p, suite, key);
	uint8_t tag[TAG_LEN];
	struct aead_op op = {.text = tag};

	aead_seal(box.key, box.states[0], &op, 1);
	assert_int_equal(aead_open(box.key, box.states[1], &op, 1), 1);
	tag[3] ^= 2;
	assert_int_equal(aead_open(box.key, box.states[1], &op, 1), 0);
	assert_false(op.ok);
	box_fini(&box);
}

static void a_packet_may_be_a_tag_alone(void **state)
{
	for_each(library(state), check_empty);
}

static void check_keys_differ(const struct aead_provider *p, enum aead_suite suite)
{
	static const uint8_t key_a[KEY_LEN] = {5}, key_b[KEY_LEN] = {[31] = 1};
	struct box a = box_make(p, suite, key_a), b = box_make(p, suite, key_b);
	struct batch work;

	batch_init(&work, 3, MAX_TEXT, 5);
	aead_seal(a.key, a.states[0], work.ops, 3);
	assert_int_equal(aead_open(b.key, b.states[0], work.ops, 3), 0);
	aead_seal(a.key, a.states[0], work.ops, 0);
	assert_int_equal(aead_open(a.key, a.states[0], work.ops, 0), 0);
	batch_fini(&work);
	box_fini(&a);
	box_fini(&b);
}

static void another_key_opens_nothing(void **state)
{
	for_each(library(state), check_keys_differ);
}

/* ---- threads ---- */

#define TURNS 300

struct worker {
	struct box *box;
	unsigned number;
	bool same; /* every turn gave the bytes of the first, and was opened */
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct aead_state *thread = w->box->states[w->number];
	struct batch first, again;

	batch_init(&first, 16, MAX_TEXT, 100 + w->number);
	aead_seal(w->box->key, thread, first.ops, 16);
	w->same = true;
	for (unsigned i = 0; i < TURNS; i++) {
		batch_init(&again, 16, MAX_TEXT, 100 + w->number);
		aead_seal(w->box->key, thread, again.ops, 16);
		w->same = w->same && memcmp(first.memory, again.memory, first.size) == 0 &&
			  aead_open(w->box->key, thread, again.ops, 16) == 16;
		batch_fini(&again);
	}
	batch_fini(&first);
	return NULL;
}

static void check_threads(const struct aead_provider *p, enum aead_suite suite)
{
	static const uint8_t key[KEY_LEN] = {11};
	struct box box = box_make(p, suite, key);
	struct worker workers[2] = {{&box, 0, false}, {&box, 1, false}};
	pthread_t threads[2];

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_true(workers[i].same);
	}
	box_fini(&box);
}

static void threads_share_a_key(void **state)
{
	for_each(library(state), check_threads);
}

/* ---- what is left of a key ---- */

static void check_wiped(const struct aead_provider *p, enum aead_suite suite)
{
	uint8_t hidden[KEY_LEN], secret[KEY_LEN];
	uint64_t seed = 4711;
	struct aead_key *key;

	fill(&seed, hidden, KEY_LEN);
	for (size_t i = 0; i < KEY_LEN; i++) {
		secret[i] = hidden[i] ^ HEAP_HIDE;
	}
	key = aead_key_create(p, suite, secret, 3);
	crypto_wipe(secret, sizeof(secret));
	assert_non_null(key);
	assert_true(heap_holds(hidden, KEY_LEN)); /* a schedule begins with the key itself */
	aead_key_destroy(key);
	assert_false(heap_holds(hidden, KEY_LEN));
}

static void nothing_is_left_of_a_key(void **state)
{
	for_each(library(state), check_wiped);
}

static int setup(void **state)
{
	struct aead_library *lib = NULL;
	int rc = crypto_start();

	if (rc == 0) {
		rc = aead_library_open(&lib, NULL, false);
	}
	*state = lib;
	return rc;
}

static int teardown(void **state)
{
	aead_library_close(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_built_in_is_always_there),
		cmocka_unit_test(without_a_library_the_first_built_in_is_chosen),
		cmocka_unit_test(without_a_clock_the_first_provider_is_chosen),
		cmocka_unit_test(libipsec_mb_can_be_refused),
		cmocka_unit_test(the_fastest_is_chosen),
		cmocka_unit_test(the_shortest_round_counts),
		cmocka_unit_test(every_provider_opens_what_it_sealed),
		cmocka_unit_test(all_providers_give_the_same_bytes),
		cmocka_unit_test(every_length_and_alignment_is_right),
		cmocka_unit_test(a_wrong_tag_wipes_its_own_packet_only),
		cmocka_unit_test(a_packet_may_be_a_tag_alone),
		cmocka_unit_test(another_key_opens_nothing),
		cmocka_unit_test(threads_share_a_key),
		cmocka_unit_test(nothing_is_left_of_a_key),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
