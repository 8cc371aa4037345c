/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packet ciphers: every provider against Wycheproof and against each other, in batches, from
 * several threads' contexts, and with wrong tags.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/aead.h"
#include "vectors.h"

#include <cmocka.h>

#define MAX_TEXT  2000
#define MAX_BATCH 64

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

/* Texts and associated data of random lengths, packed without gaps. */
static void batch_init(struct batch *b, size_t n, uint64_t seed)
{
	uint8_t *p;

	b->n = n;
	b->size = n * 2 * (MAX_TEXT + TAG_LEN);
	b->memory = malloc(b->size);
	assert_non_null(b->memory);
	p = b->memory;
	for (size_t i = 0; i < n; i++) {
		struct aead_op *op = &b->ops[i];
		size_t ad_len = next_random(&seed) % (MAX_TEXT + 1);

		*op = (struct aead_op){
			.len = next_random(&seed) % (MAX_TEXT + 1), .ad_len = ad_len};
		fill(&seed, op->nonce, NONCE_LEN);
		fill(&seed, p, ad_len);
		op->ad = p;
		op->text = p + ad_len;
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

/* Calls check for each provider and suite that this machine has. */
static void for_each(void (*check)(const struct aead_provider *p, enum aead_suite suite))
{
	for (const struct aead_provider *const *p = aead_providers(); *p; p++) {
		for (size_t i = 0; i < 2; i++) {
			if (aead_provider_has(*p, suites[i])) {
				check(*p, suites[i]);
			}
		}
	}
}

static void the_table_serves_both_suites(void **state)
{
	const struct aead_provider *const *p = aead_providers();
	static const uint8_t key[KEY_LEN];

	(void)state;
	assert_string_equal(aead_provider_name(p[0]), "openssl");
	assert_string_equal(aead_provider_name(p[1]), "sodium");
	assert_null(p[2]);
	assert_ptr_equal(aead_provider_for(AEAD_AES256GCM), p[0]);
	assert_ptr_equal(aead_provider_for(AEAD_CHACHA20POLY1305), p[0]);
	assert_true(aead_provider_has(p[1], AEAD_CHACHA20POLY1305));
	assert_int_equal(aead_provider_has(p[1], AEAD_AES256GCM), aead_aes_is_fast());
	for (size_t i = 0; p[i]; i++) {
		assert_false(aead_provider_has(p[i], (enum aead_suite)0));
		assert_false(aead_provider_has(p[i], (enum aead_suite)3));
		assert_null(aead_key_create(p[i], (enum aead_suite)3, key, 1));
	}
	assert_null(aead_provider_for((enum aead_suite)3));
	assert_string_equal(aead_suite_name(AEAD_AES256GCM), "AES-256-GCM");
	assert_string_equal(aead_suite_name(AEAD_CHACHA20POLY1305), "ChaCha20-Poly1305");
	assert_string_equal(aead_suite_name((enum aead_suite)3), "unknown");
	aead_key_destroy(NULL);
	aead_state_destroy(NULL);
}

static void check_round_trip(const struct aead_provider *p, enum aead_suite suite)
{
	static const uint8_t key[KEY_LEN] = {1, 2, 3};
	struct box box = box_make(p, suite, key);

	for (size_t n = 1; n <= MAX_BATCH; n++) {
		struct batch plain, work;

		batch_init(&plain, n, n);
		batch_init(&work, n, n);
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
	(void)state;
	for_each(check_round_trip);
}

/* Seals with the first provider, which has all suites, and compares all bytes. */
static void check_against_first(const struct aead_provider *p, enum aead_suite suite)
{
	static const uint8_t key[KEY_LEN] = {9, 8, 7};
	struct box first = box_make(aead_providers()[0], suite, key), box = box_make(p, suite, key);

	for (size_t n = 1; n <= MAX_BATCH; n += 3) {
		struct batch a, b;

		batch_init(&a, n, 1000 + n);
		batch_init(&b, n, 1000 + n);
		aead_seal(first.key, first.states[0], a.ops, n);
		aead_seal(box.key, box.states[1], b.ops, n);
		assert_int_equal(a.size, b.size);
		assert_memory_equal(a.memory, b.memory, a.size);
		assert_int_equal(aead_open(box.key, box.states[0], a.ops, n), n);
		assert_int_equal(aead_open(first.key, first.states[1], b.ops, n), n);
		assert_memory_equal(a.memory, b.memory, a.size);
		batch_fini(&a);
		batch_fini(&b);
	}
	box_fini(&first);
	box_fini(&box);
}

static void all_providers_give_the_same_bytes(void **state)
{
	(void)state;
	for_each(check_against_first);
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

static void check_wrong_tags(const struct aead_provider *p, enum aead_suite suite)
{
	static const uint8_t key[KEY_LEN] = {5};
	struct box box = box_make(p, suite, key);

	for (unsigned way = 0; way < 5; way++) {
		struct batch plain, work;
		const size_t bad = 7;

		batch_init(&plain, 16, 77);
		batch_init(&work, 16, 77);
		assert_true(plain.ops[bad].len > 16 && plain.ops[bad].ad_len > 0);
		aead_seal(box.key, box.states[0], work.ops, 16);
		damage(&work.ops[bad], way);
		assert_int_equal(aead_open(box.key, box.states[0], work.ops, 16), 15);
		for (size_t i = 0; i < 16; i++) {
			const struct aead_op *op = &work.ops[i];

			assert_int_equal(op->ok, i != bad);
			if (i == bad) {
				assert_true(crypto_is_zero(op->text, op->len));
			} else {
				assert_memory_equal(op->text, plain.ops[i].text, op->len);
			}
		}
		batch_fini(&plain);
		batch_fini(&work);
	}
	box_fini(&box);
}

static void a_wrong_tag_wipes_its_own_packet_only(void **state)
{
	(void)state;
	for_each(check_wrong_tags);
}

static void check_keys_differ(const struct aead_provider *p, enum aead_suite suite)
{
	static const uint8_t key_a[KEY_LEN] = {5}, key_b[KEY_LEN] = {[31] = 1};
	struct box a = box_make(p, suite, key_a), b = box_make(p, suite, key_b);
	struct batch work;

	batch_init(&work, 3, 5);
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
	(void)state;
	for_each(check_keys_differ);
}

/* One Wycheproof case through one provider. */
static void check_case(const struct aead_provider *p, enum aead_suite suite, const json_t *test)
{
	struct hex key = hex_member(test, "key"), iv = hex_member(test, "iv");
	struct hex ad = hex_member(test, "aad"), msg = hex_member(test, "msg");
	struct hex ct = hex_member(test, "ct"), tag = hex_member(test, "tag");
	bool valid = strcmp(json_string_value(json_object_get(test, "result")), "valid") == 0;
	struct box box = box_make(p, suite, key.data);
	uint8_t *work = malloc(ct.len + TAG_LEN);
	struct aead_op op = {work, ct.len, ad.data, ad.len, {0}, false};

	assert_non_null(work);
	assert_int_equal(msg.len, ct.len);
	memcpy(op.nonce, iv.data, NONCE_LEN);
	memcpy(work, ct.data, ct.len);
	memcpy(work + ct.len, tag.data, TAG_LEN);
	assert_int_equal(aead_open(box.key, box.states[0], &op, 1), valid);
	assert_int_equal(op.ok, valid);
	if (valid) {
		assert_memory_equal(work, msg.data, msg.len);
		aead_seal(box.key, box.states[0], &op, 1);
		assert_memory_equal(work, ct.data, ct.len);
		assert_memory_equal(work + ct.len, tag.data, TAG_LEN);
	} else {
		assert_true(crypto_is_zero(work, ct.len));
	}
	free(work);
	box_fini(&box);
	struct hex *all[] = {&key, &iv, &ad, &msg, &ct, &tag};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		hex_free(all[i]);
	}
}

static bool fits(const json_t *group)
{
	return json_integer_value(json_object_get(group, "keySize")) == 256 &&
	       json_integer_value(json_object_get(group, "ivSize")) == 96 &&
	       json_integer_value(json_object_get(group, "tagSize")) == 128;
}

static size_t check_file(const char *file, const struct aead_provider *p, enum aead_suite suite)
{
	json_t *root = vectors_load(file);
	size_t g, t, checked = 0;
	json_t *group, *test;

	json_array_foreach (json_object_get(root, "testGroups"), g, group) {
		json_array_foreach (json_object_get(group, "tests"), t, test) {
			if (fits(group)) {
				check_case(p, suite, test);
				checked++;
			}
		}
	}
	json_decref(root);
	return checked;
}

static const char *const files[] = {
	"wycheproof-aes_gcm_test.json", "wycheproof-chacha20_poly1305_test.json"};

static void check_wycheproof(const struct aead_provider *p, enum aead_suite suite)
{
	assert_true(check_file(files[suite == AEAD_CHACHA20POLY1305], p, suite) > 60);
}

static void every_provider_agrees_with_wycheproof(void **state)
{
	(void)state;
	for_each(check_wycheproof);
}

static int setup(void **state)
{
	(void)state;
	return crypto_start();
}

int main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(the_table_serves_both_suites),
		cmocka_unit_test(every_provider_opens_what_it_sealed),
		cmocka_unit_test(all_providers_give_the_same_bytes),
		cmocka_unit_test(a_wrong_tag_wipes_its_own_packet_only),
		cmocka_unit_test(another_key_opens_nothing),
	};
	const struct CMUnitTest published[] = {
		cmocka_unit_test(every_provider_agrees_with_wycheproof)};
	int failed = cmocka_run_group_tests(own, setup, NULL);

	if (vectors_need(files[0]) != 0 || vectors_need(files[1]) != 0) {
		return failed ? failed : VECTORS_SKIP;
	}
	return failed + cmocka_run_group_tests(published, setup, NULL);
}
