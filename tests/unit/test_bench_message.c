/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests the bytes between the two ends of "n2n bench". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ctl/bench_message.h"

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

static const uint8_t ready_bytes[BENCH_MESSAGE_LEN] = {
	0x6e, 0x32, 0x6e, 0x62,				/* "n2nb" */
	0x00, 0x01,					/* version */
	0x09,						/* READY */
	0x00,						/* streams */
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, /* token */
};

static int decode(struct bench_message *m, const struct bench_message *from)
{
	uint8_t bytes[BENCH_MESSAGE_LEN];
	unsigned version = 0;

	bench_message_encode(bytes, from);
	return bench_message_decode(m, bytes, &version);
}

static void the_layout_is_fixed(void **state)
{
	const struct bench_message ready = {
		.kind = BENCH_READY, .token = UINT64_C(0x0102030405060708)};
	uint8_t bytes[BENCH_MESSAGE_LEN];

	(void)state;
	bench_message_encode(bytes, &ready);
	assert_memory_equal(bytes, ready_bytes, sizeof(bytes));
}

static void what_is_encoded_is_decoded(void **state)
{
	const struct bench_message step = {
		.kind = BENCH_TCP_DOWN, .streams = 4, .time_ns = 30 * SECOND};
	const struct bench_message result = {
		.kind = BENCH_RESULT, .amount = UINT64_MAX, .time_ns = UINT64_MAX - 1};
	struct bench_message m;

	(void)state;
	assert_int_equal(decode(&m, &step), 0);
	assert_int_equal(m.kind, BENCH_TCP_DOWN);
	assert_int_equal(m.streams, 4);
	assert_int_equal(m.time_ns, 30 * SECOND);
	assert_int_equal(decode(&m, &result), 0);
	assert_int_equal(m.kind, BENCH_RESULT);
	assert_true(m.amount == UINT64_MAX && m.time_ns == UINT64_MAX - 1);
}

static void steps_have_limits(void **state)
{
	struct bench_message m, got = {.kind = BENCH_END};

	(void)state;
	for (enum bench_kind kind = BENCH_TCP_UP; kind <= BENCH_FLOOD_DOWN; kind++) {
		unsigned streams = kind == BENCH_TCP_UP || kind == BENCH_TCP_DOWN;

		assert_true(bench_is_step(kind));
		m = (struct bench_message){.kind = kind, .streams = streams, .time_ns = SECOND};
		assert_int_equal(decode(&got, &m), 0);
		m.time_ns = 0;
		assert_int_equal(decode(&got, &m), N2N_EINVAL);
		m.time_ns = BENCH_STEP_MAX_NS + 1;
		assert_int_equal(decode(&got, &m), N2N_EINVAL);
		m.time_ns = BENCH_STEP_MAX_NS;
		assert_int_equal(decode(&got, &m), 0);
	}
	m = (struct bench_message){.kind = BENCH_ECHO, .streams = 1, .time_ns = SECOND};
	assert_int_equal(decode(&got, &m), N2N_EINVAL); /* has none */
	m = (struct bench_message){.kind = BENCH_TCP_UP, .streams = 0, .time_ns = SECOND};
	assert_int_equal(decode(&got, &m), N2N_EINVAL);
	m.streams = BENCH_STREAMS_MAX + 1;
	assert_int_equal(decode(&got, &m), N2N_EINVAL);
	m.streams = BENCH_STREAMS_MAX;
	assert_int_equal(decode(&got, &m), 0);
	assert_false(bench_is_step(BENCH_BUSY));
	assert_false(bench_is_step(BENCH_READY));
}

static void strangers_are_recognised(void **state)
{
	uint8_t bytes[BENCH_MESSAGE_LEN];
	struct bench_message m;
	unsigned version = 0;

	(void)state;
	memcpy(bytes, ready_bytes, sizeof(bytes));
	for (size_t i = 0; i < 4; i++) {
		bytes[i] ^= 1;
		assert_int_equal(bench_message_decode(&m, bytes, &version), N2N_EINVAL);
		bytes[i] ^= 1;
	}
	for (unsigned kind = 0; kind < 256; kind++) {
		bytes[6] = (uint8_t)kind;
		if (kind == 0 || kind >= BENCH_KINDS || bench_is_step((enum bench_kind)kind))
			assert_int_equal(bench_message_decode(&m, bytes, &version), N2N_EINVAL);
		else
			assert_int_equal(bench_message_decode(&m, bytes, &version), 0);
	}
}

/* Whatever follows the version. */
static void another_version_is_told(void **state)
{
	struct bench_message m = {.kind = BENCH_BUSY};
	uint8_t bytes[BENCH_MESSAGE_LEN];
	unsigned version = 0;

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	memcpy(bytes, ready_bytes, 4);
	bytes[4] = 0x01;
	bytes[5] = 0x02;
	assert_int_equal(bench_message_decode(&m, bytes, &version), N2N_ENOSYS);
	assert_int_equal(version, 0x102);
	assert_int_equal(m.kind, BENCH_BUSY);
}

static void datagrams_carry_token_and_number(void **state)
{
	static const uint8_t expected[BENCH_DATAGRAM_LEN] = {
		1, 2, 3, 4, 5, 6, 7, 8, 0xa, 0xb, 0xc, 0xd};
	const uint64_t token = UINT64_C(0x0102030405060708);
	uint8_t bytes[BENCH_DATAGRAM_LEN + 1] = {0};
	uint32_t number = 0;

	(void)state;
	bench_datagram_encode(bytes, token, 0x0a0b0c0d);
	assert_memory_equal(bytes, expected, sizeof(expected));
	assert_int_equal(bench_datagram_decode(&number, bytes, BENCH_DATAGRAM_LEN, token), 0);
	assert_int_equal(number, 0x0a0b0c0d);
	assert_int_equal(
		bench_datagram_decode(&number, bytes, BENCH_DATAGRAM_LEN, token ^ 1), N2N_EAUTH);
	for (size_t len = 0; len <= sizeof(bytes); len++)
		if (len != BENCH_DATAGRAM_LEN)
			assert_int_equal(
				bench_datagram_decode(&number, bytes, len, token), N2N_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_layout_is_fixed),
		cmocka_unit_test(what_is_encoded_is_decoded),
		cmocka_unit_test(steps_have_limits),
		cmocka_unit_test(strangers_are_recognised),
		cmocka_unit_test(another_version_is_told),
		cmocka_unit_test(datagrams_carry_token_and_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
