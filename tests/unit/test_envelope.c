/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Envelopes and the messages in them. */
#include "wire/envelope.h"
#include "wire_test.h"

static const uint8_t key[KEY_LEN] = "envelope key of this test, 32 b.";
static const uint8_t ad[TAG_LEN] = "tag of a message";

static void seal_and_open_every_length(void **state)
{
	uint8_t body[ENVELOPE_BODY_MAX], datagram[ENVELOPE_MAX_LEN];
	uint64_t seed = 1;
	struct random rnd = seeded_random(&seed);

	(void)state;
	random_bytes(&rnd, body, sizeof(body));
	for (size_t len = 4; len <= sizeof(body); len++) {
		uint8_t *in, *out = malloc(len);

		assert_non_null(out);
		envelope_seal(datagram, body, len, ad, sizeof(ad), key, &rnd);
		in = exact_copy(datagram, len + ENVELOPE_OVERHEAD);
		assert_int_equal(
			envelope_open(out, in, len + ENVELOPE_OVERHEAD, ad, sizeof(ad), key), 0);
		assert_memory_equal(out, body, len);
		/* And in place. */
		assert_int_equal(
			envelope_open(in, in, len + ENVELOPE_OVERHEAD, ad, sizeof(ad), key), 0);
		assert_memory_equal(in, body, len);
		free(in);
		free(out);
	}
}

static void nothing_but_the_right_key_and_data_opens(void **state)
{
	uint8_t body[40] = {PACKET_HELLO << 4}, other[KEY_LEN];
	uint8_t datagram[sizeof(body) + ENVELOPE_OVERHEAD], copy[sizeof(datagram)];
	uint64_t seed = 2;
	struct random rnd = seeded_random(&seed);

	(void)state;
	envelope_seal(datagram, body, sizeof(body), ad, sizeof(ad), key, &rnd);
	memcpy(copy, datagram, sizeof(copy));
	memcpy(other, key, sizeof(key));
	other[0] ^= 1;
	assert_int_equal(envelope_open(copy, copy, sizeof(copy), ad, sizeof(ad), other), N2N_EAUTH);
	assert_int_equal(envelope_open(copy, copy, sizeof(copy), NULL, 0, key), N2N_EAUTH);
	assert_int_equal(
		envelope_open(copy, copy, sizeof(copy), ad, sizeof(ad) - 1, key), N2N_EAUTH);
	assert_int_equal(
		envelope_open(copy, copy, sizeof(copy) - 1, ad, sizeof(ad), key), N2N_EAUTH);
	/* What did not open is still whole. */
	assert_memory_equal(copy, datagram, sizeof(copy));
	for (size_t bit = 0; bit < sizeof(copy) * 8; bit++) {
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(
			envelope_open(copy, copy, sizeof(copy), ad, sizeof(ad), key), N2N_EAUTH);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(envelope_open(copy, copy, sizeof(copy), ad, sizeof(ad), key), 0);
}

static void wrong_lengths(void **state)
{
	uint8_t datagram[ENVELOPE_MAX_LEN + 1] = {0}, body[ENVELOPE_BODY_MAX + 1];

	(void)state;
	for (size_t len = 0; len < ENVELOPE_MIN_LEN; len++) {
		uint8_t *in = exact_copy(datagram, len);

		assert_int_equal(envelope_open(body, in, len, NULL, 0, key), N2N_EINVAL);
		free(in);
	}
	assert_int_equal(envelope_open(body, datagram, ENVELOPE_MIN_LEN, NULL, 0, key), N2N_EAUTH);
	assert_int_equal(envelope_open(body, datagram, ENVELOPE_MAX_LEN, NULL, 0, key), N2N_EAUTH);
	assert_int_equal(
		envelope_open(body, datagram, ENVELOPE_MAX_LEN + 1, NULL, 0, key), N2N_EINVAL);
}

static void nonces_come_from_the_generator(void **state)
{
	const uint8_t body[52] = {0};
	uint8_t first[sizeof(body) + ENVELOPE_OVERHEAD], second[sizeof(first)],
		expected[XNONCE_LEN];
	uint64_t seed = 3, same = 3;
	struct random rnd = seeded_random(&seed), again = seeded_random(&same);

	(void)state;
	envelope_seal(first, body, sizeof(body), NULL, 0, key, &rnd);
	envelope_seal(second, body, sizeof(body), NULL, 0, key, &rnd);
	random_bytes(&again, expected, sizeof(expected));
	assert_memory_equal(first, expected, sizeof(expected));
	random_bytes(&again, expected, sizeof(expected));
	assert_memory_equal(second, expected, sizeof(expected));
	assert_memory_not_equal(first + XNONCE_LEN, second + XNONCE_LEN, sizeof(body));
}

static void types(void **state)
{
	(void)state;
	assert_int_equal(envelope_type(NULL, 0), 0);
	for (unsigned first = 0; first <= UINT8_MAX; first++) {
		uint8_t *body = exact_copy(&(uint8_t){(uint8_t)first}, 1);
		bool known = first == 0x10 || first == 0x20 || first == 0x30 || first == 0x70;

		assert_int_equal(envelope_type(body, 1), known ? first >> 4 : 0);
		free(body);
	}
}

/* Message samples, each written by one call with the padding asked for. */

static const uint8_t noise[300] = {1, 2, 3, [299] = 0xff};
static const uint8_t mac2[MAC2_LEN] = "message auth c.";

static size_t write_message(unsigned type, uint8_t *body, size_t cap, size_t pad)
{
	uint64_t seed = 4;
	struct random rnd = seeded_random(&seed);
	const struct msg_init init = {UINT32_MAX, UINT16_MAX, noise, sizeof(noise), mac2};
	const struct msg_response response = {1, UINT32_MAX, noise, 84};
	struct msg_cookie cookie = {0x01020304, COOKIE_STALE, {0}};
	struct msg_hello hello = {true, {0}, UINT64_C(0x0102030405060708)};

	memset(cookie.cookie, 0xc0, sizeof(cookie.cookie));
	memset(hello.static_public, 0xf0, sizeof(hello.static_public));
	switch (type) {
	case PACKET_INIT:
		return msg_init_encode(body, cap, &init, pad, &rnd);
	case PACKET_RESPONSE:
		return msg_response_encode(body, cap, &response, pad, &rnd);
	case PACKET_COOKIE:
		return msg_cookie_encode(body, cap, &cookie);
	default:
		return msg_hello_encode(body, cap, &hello, pad, &rnd);
	}
}

static int read_message(unsigned type, const uint8_t *body, size_t len)
{
	union {
		struct msg_init init;
		struct msg_response response;
		struct msg_cookie cookie;
		struct msg_hello hello;
	} m;

	switch (type) {
	case PACKET_INIT:
		return msg_init_decode(&m.init, body, len);
	case PACKET_RESPONSE:
		return msg_response_decode(&m.response, body, len);
	case PACKET_COOKIE:
		return msg_cookie_decode(&m.cookie, body, len);
	default:
		return msg_hello_decode(&m.hello, body, len);
	}
}

static const struct {
	unsigned type;
	size_t len;	     /* without padding */
	uint8_t reserved[4]; /* offsets of bytes that must be 0 */
	unsigned reserved_n;
} messages[] = {
	{PACKET_INIT, INIT_HEADER_LEN + sizeof(noise) + MAC2_LEN, {8, 9}, 2},
	{PACKET_RESPONSE, RESPONSE_HEADER_LEN + 84 + MAC2_LEN, {2, 3}, 2},
	{PACKET_COOKIE, 10 + COOKIE_LEN, {6, 8, 9}, 3},
	{PACKET_HELLO, HELLO_ANSWER_LEN, {2}, 1},
};

#define MESSAGES (sizeof(messages) / sizeof(messages[0]))

static void truncation_and_small_buffers(void **state)
{
	uint8_t body[ENVELOPE_BODY_MAX];

	(void)state;
	for (size_t i = 0; i < MESSAGES; i++) {
		unsigned type = messages[i].type;
		size_t full = write_message(type, body, sizeof(body), 0);

		assert_int_equal(full, messages[i].len);
		assert_int_equal(envelope_type(body, full), type);
		for (size_t len = 0; len <= full; len++) {
			uint8_t *in = exact_copy(body, len), *out = malloc(len);

			assert_non_null(out);
			assert_int_equal(read_message(type, in, len), len < full ? N2N_EINVAL : 0);
			assert_int_equal(write_message(type, out, len, 0), len < full ? 0 : full);
			free(in);
			free(out);
		}
	}
}

static void padding(void **state)
{
	uint8_t body[ENVELOPE_BODY_MAX], zero[ENVELOPE_PAD_MAX] = {0};

	(void)state;
	for (size_t i = 0; i < MESSAGES; i++) {
		unsigned type = messages[i].type;
		size_t full = messages[i].len + ENVELOPE_PAD_MAX;

		if (type == PACKET_COOKIE)
			continue;
		assert_int_equal(write_message(type, body, full, ENVELOPE_PAD_MAX), full);
		assert_int_equal(read_message(type, body, full), 0);
		assert_memory_not_equal(body + messages[i].len, zero, ENVELOPE_PAD_MAX);
		assert_int_equal(write_message(type, body, full - 1, ENVELOPE_PAD_MAX), 0);
	}
}

/* Of all single-bit changes of a body those of type, version and reserved fields are refused. */
static void bit_flips(void **state)
{
	uint8_t body[ENVELOPE_BODY_MAX];

	(void)state;
	for (size_t i = 0; i < MESSAGES; i++) {
		unsigned type = messages[i].type;
		size_t len = write_message(type, body, sizeof(body), 0);

		for (size_t bit = 0; bit < len * 8; bit++) {
			uint8_t *in = exact_copy(body, len);
			bool refused = bit < 16;
			int rc;

			in[bit / 8] ^= (uint8_t)(1 << bit % 8);
			for (unsigned r = 0; r < messages[i].reserved_n; r++)
				refused = refused || bit / 8 == messages[i].reserved[r];
			rc = read_message(type, in, len);
			assert_true(rc == 0 || rc == N2N_EINVAL);
			if (refused)
				assert_int_equal(rc, N2N_EINVAL);
			free(in);
		}
	}
}

static void one_is_not_read_as_another(void **state)
{
	uint8_t body[ENVELOPE_BODY_MAX];

	(void)state;
	for (size_t i = 0; i < MESSAGES; i++) {
		size_t len = write_message(messages[i].type, body, sizeof(body), 0);

		for (size_t j = 0; j < MESSAGES; j++) {
			assert_int_equal(
				read_message(messages[j].type, body, len), i == j ? 0 : N2N_EINVAL);
		}
	}
}

static void fields_of_init(void **state)
{
	uint8_t body[ENVELOPE_BODY_MAX];
	struct msg_init m;
	size_t len = write_message(PACKET_INIT, body, sizeof(body), 7);

	(void)state;
	assert_int_equal(msg_init_decode(&m, body, len), 0);
	assert_int_equal(m.sender, UINT32_MAX);
	assert_int_equal(m.key_index, UINT16_MAX);
	assert_int_equal(m.noise_len, sizeof(noise));
	assert_ptr_equal(m.noise, body + INIT_HEADER_LEN);
	assert_memory_equal(m.noise, noise, sizeof(noise));
	assert_memory_equal(m.mac2, mac2, sizeof(mac2));
}

static void fields_of_response(void **state)
{
	uint8_t body[ENVELOPE_BODY_MAX];
	struct msg_response m;
	size_t len = write_message(PACKET_RESPONSE, body, sizeof(body), 7);

	(void)state;
	assert_int_equal(msg_response_decode(&m, body, len), 0);
	assert_int_equal(m.sender, 1);
	assert_int_equal(m.receiver, UINT32_MAX);
	assert_int_equal(m.noise_len, 84);
	assert_ptr_equal(m.noise, body + RESPONSE_HEADER_LEN);
}

static void fields_of_cookie(void **state)
{
	uint8_t body[ENVELOPE_BODY_MAX], expected[COOKIE_LEN];
	struct msg_cookie m;
	size_t len = write_message(PACKET_COOKIE, body, sizeof(body), 0);

	(void)state;
	memset(expected, 0xc0, sizeof(expected));
	assert_int_equal(msg_cookie_decode(&m, body, len), 0);
	assert_int_equal(m.receiver, 0x01020304);
	assert_int_equal(m.reason, COOKIE_STALE);
	assert_memory_equal(m.cookie, expected, sizeof(expected));
	body[7] = 0xff; /* a reason of a later version */
	assert_int_equal(msg_cookie_decode(&m, body, len), 0);
	assert_int_equal(m.reason, 0xff);
}

static void hello_question_and_answer(void **state)
{
	const struct msg_hello question = {false, {1, 2, 3}, 7};
	uint8_t body[ENVELOPE_BODY_MAX], expected[KEY_LEN];
	struct msg_hello m;
	size_t len = write_message(PACKET_HELLO, body, sizeof(body), 0);
	uint64_t seed = 5;
	struct random rnd = seeded_random(&seed);

	(void)state;
	memset(expected, 0xf0, sizeof(expected));
	assert_int_equal(msg_hello_decode(&m, body, len), 0);
	assert_true(m.answer);
	assert_memory_equal(m.static_public, expected, sizeof(expected));
	assert_int_equal(m.freshness, UINT64_C(0x0102030405060708));
	/* A question is never shorter than its answer, and tells nothing. */
	assert_int_equal(msg_hello_encode(body, sizeof(body), &question, 0, &rnd), len);
	memset(expected, 0, sizeof(expected));
	assert_int_equal(msg_hello_decode(&m, body, len), 0);
	assert_false(m.answer);
	assert_memory_equal(m.static_public, expected, sizeof(expected));
	assert_int_equal(m.freshness, 0);
}

static void noise_of_every_length(void **state)
{
	uint8_t body[ENVELOPE_BODY_MAX];
	uint64_t seed = 6;
	struct random rnd = seeded_random(&seed);

	(void)state;
	for (size_t len = 0; len <= sizeof(noise); len++) {
		const struct msg_init in = {1, 2, noise, len, mac2};
		struct msg_init out;
		size_t total = msg_init_encode(body, sizeof(body), &in, 0, &rnd);

		assert_int_equal(total, INIT_HEADER_LEN + len + MAC2_LEN);
		assert_int_equal(msg_init_decode(&out, body, total), 0);
		assert_int_equal(out.noise_len, len);
		assert_memory_equal(out.mac2, mac2, sizeof(mac2));
	}
}

static void mac2_covers_all_before_it(void **state)
{
	uint8_t body[ENVELOPE_BODY_MAX], mac[MAC2_LEN], other[MAC2_LEN];
	const uint8_t cookie[COOKIE_LEN] = "a cookie, fresh";
	size_t len = write_message(PACKET_INIT, body, sizeof(body), 9);
	struct slice covered = {body, INIT_HEADER_LEN + sizeof(noise)};
	struct msg_init m;

	(void)state;
	assert_int_equal(msg_init_decode(&m, body, len), 0);
	msg_init_mac2(mac, cookie, &m);
	crypto_blake2b(other, sizeof(other), cookie, sizeof(cookie), &covered, 1);
	assert_memory_equal(mac, other, sizeof(mac));
	/* The bytes after it do not count. */
	memset(body + covered.len, 0x55, len - covered.len);
	msg_init_mac2(other, cookie, &m);
	assert_memory_equal(mac, other, sizeof(mac));
	m.sender--;
	msg_init_mac2(other, cookie, &m);
	assert_memory_not_equal(mac, other, sizeof(mac));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seal_and_open_every_length),
		cmocka_unit_test(nothing_but_the_right_key_and_data_opens),
		cmocka_unit_test(wrong_lengths),
		cmocka_unit_test(nonces_come_from_the_generator),
		cmocka_unit_test(types),
		cmocka_unit_test(truncation_and_small_buffers),
		cmocka_unit_test(padding),
		cmocka_unit_test(bit_flips),
		cmocka_unit_test(one_is_not_read_as_another),
		cmocka_unit_test(fields_of_init),
		cmocka_unit_test(fields_of_response),
		cmocka_unit_test(fields_of_cookie),
		cmocka_unit_test(hello_question_and_answer),
		cmocka_unit_test(noise_of_every_length),
		cmocka_unit_test(mac2_covers_all_before_it),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
