/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What comes over the connections of "n2n bench": a message, and a datagram of a step. */
#include "base/bytes.h"
#include "ctl/bench_message.h"
#include "fuzz_check.h"

static void check_message(const uint8_t *data)
{
	uint8_t *in = malloc(BENCH_MESSAGE_LEN), out[BENCH_MESSAGE_LEN];
	struct bench_message m, again;
	unsigned version;

	CHECK(in != NULL);
	memcpy(in, data, BENCH_MESSAGE_LEN);
	if (bench_message_decode(&m, in, &version) == 0) {
		CHECK(m.kind > 0 && m.kind < BENCH_KINDS);
		CHECK(!bench_is_step(m.kind) || m.time_ns <= BENCH_STEP_MAX_NS);
		CHECK(m.streams <= BENCH_STREAMS_MAX);
		bench_message_encode(out, &m);
		CHECK(bench_message_decode(&again, out, &version) == 0);
		CHECK(again.kind == m.kind && again.streams == m.streams &&
			again.token == m.token && again.amount == m.amount &&
			again.time_ns == m.time_ns);
	}
	free(in);
}

static void check_datagram(const uint8_t *data, size_t size)
{
	uint8_t *in = malloc(size > 0 ? size : 1), out[BENCH_DATAGRAM_LEN];
	uint64_t token = size >= 8 ? load_be64(data) : 0;
	uint32_t number, again;

	CHECK(in != NULL);
	memcpy(in, data, size);
	if (bench_datagram_decode(&number, in, size, token) == 0) {
		CHECK(size == BENCH_DATAGRAM_LEN);
		bench_datagram_encode(out, token, number);
		CHECK(bench_datagram_decode(&again, out, sizeof(out), token) == 0);
		CHECK(again == number);
		CHECK(bench_datagram_decode(&again, out, sizeof(out), token ^ 1) != 0);
	}
	free(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= BENCH_MESSAGE_LEN)
		check_message(data);
	if (size > 0)
		check_datagram(data, size);
	return 0;
}
