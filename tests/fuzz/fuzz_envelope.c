/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Envelopes: the input is taken as a datagram under the key of zeros, and as a body, since no
 * fuzzer guesses tags. What a decoder takes, its encoder writes and it takes again.
 */
#include "fuzz_check.h"
#include "wire/envelope.h"

static void fill_zero(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	memset(buf, 0, len);
}

static const struct random no_random = {fill_zero, NULL};

/* Reads a body and writes it without padding; 0 when it is none. */
static size_t body_again(uint8_t out[ENVELOPE_BODY_MAX], const uint8_t *body, size_t len)
{
	struct msg_init init;
	struct msg_response response;
	struct msg_cookie cookie;
	struct msg_hello hello;

	switch (envelope_type(body, len)) {
	case PACKET_INIT:
		if (msg_init_decode(&init, body, len) != 0)
			return 0;
		return msg_init_encode(out, ENVELOPE_BODY_MAX, &init, 0, &no_random);
	case PACKET_RESPONSE:
		if (msg_response_decode(&response, body, len) != 0)
			return 0;
		return msg_response_encode(out, ENVELOPE_BODY_MAX, &response, 0, &no_random);
	case PACKET_COOKIE:
		if (msg_cookie_decode(&cookie, body, len) != 0)
			return 0;
		return msg_cookie_encode(out, ENVELOPE_BODY_MAX, &cookie);
	case PACKET_HELLO:
		if (msg_hello_decode(&hello, body, len) != 0)
			return 0;
		return msg_hello_encode(out, ENVELOPE_BODY_MAX, &hello, 0, &no_random);
	default:
		return 0;
	}
}

static void check_body(const uint8_t *body, size_t size)
{
	uint8_t once[ENVELOPE_BODY_MAX], twice[ENVELOPE_BODY_MAX];
	size_t len = body_again(once, body, size);

	if (len == 0)
		return;
	CHECK(len <= size);
	CHECK(body_again(twice, once, len) == len);
	CHECK(memcmp(once, twice, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[KEY_LEN];
	uint8_t body[ENVELOPE_BODY_MAX];

	if (crypto_start() != 0)
		return 0;
	if (size <= ENVELOPE_BODY_MAX)
		check_body(data, size);
	if (envelope_open(body, data, size, NULL, 0, key) == 0)
		check_body(body, size - ENVELOPE_OVERHEAD);
	return 0;
}
