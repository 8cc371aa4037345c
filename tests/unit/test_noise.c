/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Noise IKpsk1 against published vectors, and against every damage to its two messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/noise.h"
#include "vectors.h"

#include <cmocka.h>

#define FILE_NAME "noise.json"
#define PROTOCOL  "Noise_IKpsk1_25519_ChaChaPoly_SHA256"

static struct keypair pair_from(const struct hex *secret)
{
	struct keypair kp;

	assert_int_equal(secret->len, KEY_LEN);
	memcpy(kp.secret, secret->data, KEY_LEN);
	crypto_x25519_public(kp.public, kp.secret);
	return kp;
}

/* The plain split of Noise, which n2n does not use: its transport messages show that ck is right.
 */
static void check_transport(const struct noise *hs, const json_t *messages)
{
	uint8_t prk[HASH_LEN], keys[2][KEY_LEN];
	uint64_t n[2] = {0, 0};

	crypto_hkdf_extract(prk, hs->ck, HASH_LEN, NULL, 0);
	crypto_hkdf_expand(keys[0], sizeof(keys), prk, NULL, 0);
	for (size_t i = 2; i < json_array_size(messages); i++) {
		const json_t *message = json_array_get(messages, i);
		struct hex payload = hex_member(message, "payload");
		struct hex want = hex_member(message, "ciphertext");
		uint8_t nonce[NONCE_LEN] = {0}, box[256];

		assert_true(payload.len + TAG_LEN <= sizeof(box));
		assert_int_equal(want.len, payload.len + TAG_LEN);
		nonce[4] = (uint8_t)n[i % 2]++;
		crypto_chachapoly_seal(box, payload.data, payload.len, NULL, 0, nonce, keys[i % 2]);
		assert_memory_equal(box, want.data, want.len);
		hex_free(&payload);
		hex_free(&want);
	}
}

struct vector {
	struct hex prologue, psk, init_static, init_ephemeral, resp_static, resp_ephemeral, rs,
		hash;
	struct hex payload[2], message[2];
};

static struct vector vector_read(const json_t *v)
{
	const json_t *messages = json_object_get(v, "messages");
	const json_t *psk = json_array_get(json_object_get(v, "init_psks"), 0);
	struct vector out = {
		.prologue = hex_member(v, "init_prologue"),
		.psk = hex_decode(json_string_value(psk)),
		.init_static = hex_member(v, "init_static"),
		.init_ephemeral = hex_member(v, "init_ephemeral"),
		.resp_static = hex_member(v, "resp_static"),
		.resp_ephemeral = hex_member(v, "resp_ephemeral"),
		.rs = hex_member(v, "init_remote_static"),
		.hash = hex_member(v, "handshake_hash"),
	};

	for (size_t i = 0; i < 2; i++) {
		const json_t *message = json_array_get(messages, i);

		out.payload[i] = hex_member(message, "payload");
		out.message[i] = hex_member(message, "ciphertext");
	}
	return out;
}

static void vector_free(struct vector *v)
{
	struct hex *all[] = {&v->prologue, &v->psk, &v->init_static, &v->init_ephemeral,
		&v->resp_static, &v->resp_ephemeral, &v->rs, &v->hash, &v->payload[0],
		&v->payload[1], &v->message[0], &v->message[1]};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		hex_free(all[i]);
	}
}

static void check_vector(const json_t *json)
{
	struct vector v = vector_read(json);
	struct keypair is = pair_from(&v.init_static), rs = pair_from(&v.resp_static);
	struct noise i, r;
	uint8_t msg[256], payload[256];

	assert_memory_equal(rs.public, v.rs.data, KEY_LEN);
	noise_init_initiator(&i, v.prologue.data, v.prologue.len, &is, v.rs.data, v.psk.data);
	noise_init_responder(&r, v.prologue.data, v.prologue.len, &rs, v.psk.data);

	assert_int_equal(v.message[0].len, v.payload[0].len + NOISE_MSG1_OVERHEAD);
	assert_int_equal(
		noise_write1(&i, msg, v.init_ephemeral.data, v.payload[0].data, v.payload[0].len),
		N2N_OK);
	assert_memory_equal(msg, v.message[0].data, v.message[0].len);
	assert_int_equal(noise_read1(&r, payload, msg, v.message[0].len), N2N_OK);
	assert_memory_equal(payload, v.payload[0].data, v.payload[0].len);
	assert_memory_equal(r.rs, is.public, KEY_LEN);

	assert_int_equal(v.message[1].len, v.payload[1].len + NOISE_MSG2_OVERHEAD);
	assert_int_equal(
		noise_write2(&r, msg, v.resp_ephemeral.data, v.payload[1].data, v.payload[1].len),
		N2N_OK);
	assert_memory_equal(msg, v.message[1].data, v.message[1].len);
	assert_int_equal(noise_read2(&i, payload, msg, v.message[1].len), N2N_OK);
	assert_memory_equal(payload, v.payload[1].data, v.payload[1].len);

	assert_memory_equal(i.h, v.hash.data, HASH_LEN);
	assert_memory_equal(r.h, v.hash.data, HASH_LEN);
	assert_memory_equal(i.ck, r.ck, HASH_LEN);
	check_transport(&i, json_object_get(json, "messages"));
	vector_free(&v);
}

static void agrees_with_published_vectors(void **state)
{
	json_t *root = vectors_load(FILE_NAME);
	const json_t *vectors = json_object_get(root, "vectors");
	size_t checked = 0;

	(void)state;
	for (size_t k = 0; k < json_array_size(vectors); k++) {
		const json_t *v = json_array_get(vectors, k);

		if (strcmp(json_string_value(json_object_get(v, "protocol_name")), PROTOCOL) == 0) {
			check_vector(v);
			checked++;
		}
	}
	assert_true(checked > 0);
	json_decref(root);
}

/* A pair of handshakes under fixed keys, which differ beyond the bits that clamping clears. */
struct ends {
	struct keypair is, rs;
	struct noise i, r;
	uint8_t psk[KEY_LEN];
	uint8_t msg1[NOISE_MSG1_OVERHEAD + 5], msg2[NOISE_MSG2_OVERHEAD + 3];
};

static const uint8_t init_ephemeral[KEY_LEN] = {0, 21}, resp_ephemeral[KEY_LEN] = {0, 22};

static void ends_init(struct ends *e)
{
	memset(e, 0, sizeof(*e));
	e->is.secret[1] = 11;
	e->rs.secret[1] = 12;
	crypto_x25519_public(e->is.public, e->is.secret);
	crypto_x25519_public(e->rs.public, e->rs.secret);
	e->psk[0] = 13;
	noise_init_initiator(&e->i, (const uint8_t *)"pro", 3, &e->is, e->rs.public, e->psk);
	noise_init_responder(&e->r, (const uint8_t *)"pro", 3, &e->rs, e->psk);
	assert_int_equal(
		noise_write1(&e->i, e->msg1, init_ephemeral, (const uint8_t *)"hello", 5), N2N_OK);
}

static void ends_answer(struct ends *e)
{
	uint8_t payload[5];

	assert_int_equal(noise_read1(&e->r, payload, e->msg1, sizeof(e->msg1)), N2N_OK);
	assert_memory_equal(payload, "hello", 5);
	assert_int_equal(
		noise_write2(&e->r, e->msg2, resp_ephemeral, (const uint8_t *)"yes", 3), N2N_OK);
}

/* msg is copied to a block of its own, so that ASan sees reads beyond it. */
static void assert_read1_fails(const struct noise *start, const uint8_t *msg, size_t len)
{
	struct noise hs = *start;
	uint8_t *copy = malloc(len + 1), payload[256];

	assert_non_null(copy);
	memcpy(copy + 1, msg, len);
	assert_int_equal(noise_read1(&hs, payload, copy + 1, len), N2N_EAUTH);
	assert_true(crypto_is_zero(&hs, sizeof(hs)));
	free(copy);
}

static void assert_read2_fails(const struct noise *start, const uint8_t *msg, size_t len)
{
	struct noise hs = *start;
	uint8_t *copy = malloc(len + 1), payload[256];

	assert_non_null(copy);
	memcpy(copy + 1, msg, len);
	assert_int_equal(noise_read2(&hs, payload, copy + 1, len), N2N_EAUTH);
	assert_true(crypto_is_zero(&hs, sizeof(hs)));
	free(copy);
}

static void every_damage_to_message1_fails(void **state)
{
	struct ends e;

	(void)state;
	ends_init(&e);
	for (size_t len = 0; len < sizeof(e.msg1); len++) {
		assert_read1_fails(&e.r, e.msg1, len);
	}
	for (size_t bit = 0; bit < sizeof(e.msg1) * 8; bit++) {
		/* X25519 masks the top bit of a point, but the hash takes it in. */
		e.msg1[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_read1_fails(&e.r, e.msg1, sizeof(e.msg1));
		e.msg1[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ends_answer(&e);
}

static void every_damage_to_message2_fails(void **state)
{
	uint8_t payload[3];
	struct ends e;

	(void)state;
	ends_init(&e);
	ends_answer(&e);
	for (size_t len = 0; len < sizeof(e.msg2); len++) {
		assert_read2_fails(&e.i, e.msg2, len);
	}
	for (size_t bit = 0; bit < sizeof(e.msg2) * 8; bit++) {
		e.msg2[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_read2_fails(&e.i, e.msg2, sizeof(e.msg2));
		e.msg2[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(noise_read2(&e.i, payload, e.msg2, sizeof(e.msg2)), N2N_OK);
	assert_memory_equal(payload, "yes", 3);
	assert_memory_equal(e.i.ck, e.r.ck, HASH_LEN);
}

static void every_parameter_matters(void **state)
{
	struct ends e;
	struct noise other;
	uint8_t psk[KEY_LEN] = {14};

	(void)state;
	ends_init(&e);
	noise_init_responder(&other, (const uint8_t *)"prp", 3, &e.rs, e.psk);
	assert_read1_fails(&other, e.msg1, sizeof(e.msg1));
	noise_init_responder(&other, (const uint8_t *)"pro", 2, &e.rs, e.psk);
	assert_read1_fails(&other, e.msg1, sizeof(e.msg1));
	noise_init_responder(&other, (const uint8_t *)"pro", 3, &e.rs, psk);
	assert_read1_fails(&other, e.msg1, sizeof(e.msg1));
	noise_init_responder(&other, (const uint8_t *)"pro", 3, &e.is, e.psk);
	assert_read1_fails(&other, e.msg1, sizeof(e.msg1));
}

static void message2_of_another_handshake_fails(void **state)
{
	const uint8_t fresh[KEY_LEN] = {0, 23};
	uint8_t msg[sizeof(((struct ends *)0)->msg1)];
	struct ends e;

	(void)state;
	ends_init(&e);
	ends_answer(&e);
	noise_init_initiator(&e.i, (const uint8_t *)"pro", 3, &e.is, e.rs.public, e.psk);
	assert_int_equal(noise_write1(&e.i, msg, fresh, (const uint8_t *)"hello", 5), N2N_OK);
	assert_read2_fails(&e.i, e.msg2, sizeof(e.msg2));
}

static void hostile_points_are_refused(void **state)
{
	static const uint8_t zero[KEY_LEN];
	struct ends e;
	uint8_t msg[256];

	(void)state;
	ends_init(&e);
	noise_init_initiator(&e.i, NULL, 0, &e.is, zero, e.psk);
	assert_int_equal(noise_write1(&e.i, msg, init_ephemeral, NULL, 0), N2N_EAUTH);
	assert_true(crypto_is_zero(&e.i, sizeof(e.i)));

	memset(e.msg1, 0, KEY_LEN);
	assert_read1_fails(&e.r, e.msg1, sizeof(e.msg1));

	ends_init(&e);
	ends_answer(&e);
	memset(e.msg2, 0, KEY_LEN);
	assert_read2_fails(&e.i, e.msg2, sizeof(e.msg2));

	ends_init(&e);
	ends_answer(&e);
	memset(e.r.re, 0, KEY_LEN);
	assert_int_equal(noise_write2(&e.r, msg, resp_ephemeral, NULL, 0), N2N_EAUTH);
	assert_true(crypto_is_zero(&e.r, sizeof(e.r)));
}

static void payloads_may_be_empty(void **state)
{
	uint8_t msg1[NOISE_MSG1_OVERHEAD], msg2[NOISE_MSG2_OVERHEAD], none;
	struct ends e;

	(void)state;
	ends_init(&e);
	noise_init_initiator(&e.i, NULL, 0, &e.is, e.rs.public, e.psk);
	noise_init_responder(&e.r, NULL, 0, &e.rs, e.psk);
	assert_int_equal(noise_write1(&e.i, msg1, init_ephemeral, NULL, 0), N2N_OK);
	assert_int_equal(noise_read1(&e.r, &none, msg1, sizeof(msg1)), N2N_OK);
	assert_int_equal(noise_write2(&e.r, msg2, resp_ephemeral, NULL, 0), N2N_OK);
	assert_int_equal(noise_read2(&e.i, &none, msg2, sizeof(msg2)), N2N_OK);
	assert_memory_equal(e.i.h, e.r.h, HASH_LEN);
	noise_wipe(&e.i);
	assert_true(crypto_is_zero(&e.i, sizeof(e.i)));
}

static int setup(void **state)
{
	(void)state;
	return crypto_start();
}

int main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(every_damage_to_message1_fails),
		cmocka_unit_test(every_damage_to_message2_fails),
		cmocka_unit_test(every_parameter_matters),
		cmocka_unit_test(message2_of_another_handshake_fails),
		cmocka_unit_test(hostile_points_are_refused),
		cmocka_unit_test(payloads_may_be_empty),
	};
	const struct CMUnitTest published[] = {cmocka_unit_test(agrees_with_published_vectors)};
	int failed = cmocka_run_group_tests(own, setup, NULL);

	if (vectors_need(FILE_NAME) != 0) {
		return failed ? failed : VECTORS_SKIP;
	}
	return failed + cmocka_run_group_tests(published, setup, NULL);
}
