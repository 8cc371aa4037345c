/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the bytes between the two ends of "n2n bench". */
#include "ctl/bench_message.h"

#include "base/bytes.h"

#define MAGIC UINT32_C(0x6e326e62) /* "n2nb" */

bool bench_is_step(enum bench_kind kind)
{
	return kind >= BENCH_TCP_UP && kind <= BENCH_FLOOD_DOWN;
}

static bool has_streams(enum bench_kind kind)
{
	return kind == BENCH_TCP_UP || kind == BENCH_TCP_DOWN;
}

void bench_message_encode(uint8_t out[BENCH_MESSAGE_LEN], const struct bench_message *m)
{
	struct writer w;

	writer_init(&w, out, BENCH_MESSAGE_LEN);
	writer_u32(&w, MAGIC);
	writer_u16(&w, BENCH_VERSION);
	writer_u8(&w, (uint8_t)m->kind);
	writer_u8(&w, (uint8_t)m->streams);
	writer_u64(&w, m->token);
	writer_u64(&w, m->amount);
	writer_u64(&w, m->time_ns);
}

static bool in_limits(const struct bench_message *m)
{
	if (m->kind < BENCH_HELLO || m->kind >= BENCH_KINDS)
		return false;
	if (has_streams(m->kind) ? m->streams == 0 || m->streams > BENCH_STREAMS_MAX
				 : m->streams != 0)
		return false;
	return !bench_is_step(m->kind) || (m->time_ns > 0 && m->time_ns <= BENCH_STEP_MAX_NS);
}

int bench_message_decode(
	struct bench_message *m, const uint8_t in[BENCH_MESSAGE_LEN], unsigned *version)
{
	struct bench_message got;
	struct reader r;

	reader_init(&r, in, BENCH_MESSAGE_LEN);
	if (reader_u32(&r) != MAGIC)
		return N2N_EINVAL;
	*version = reader_u16(&r);
	if (*version != BENCH_VERSION)
		return N2N_ENOSYS;
	got.kind = (enum bench_kind)reader_u8(&r);
	got.streams = reader_u8(&r);
	got.token = reader_u64(&r);
	got.amount = reader_u64(&r);
	got.time_ns = reader_u64(&r);
	if (!reader_done(&r) || !in_limits(&got))
		return N2N_EINVAL;
	*m = got;
	return 0;
}

void bench_datagram_encode(uint8_t out[BENCH_DATAGRAM_LEN], uint64_t token, uint32_t number)
{
	struct writer w;

	writer_init(&w, out, BENCH_DATAGRAM_LEN);
	writer_u64(&w, token);
	writer_u32(&w, number);
	writer_zero(&w, writer_left(&w));
}

int bench_datagram_decode(uint32_t *number, const uint8_t *in, size_t len, uint64_t token)
{
	struct reader r;

	if (len != BENCH_DATAGRAM_LEN)
		return N2N_EINVAL;
	reader_init(&r, in, len);
	if (reader_u64(&r) != token)
		return N2N_EAUTH;
	*number = reader_u32(&r);
	return 0;
}

int bench_message_send(
	struct os_handle to, const struct bench_message *m, const struct stream_limit *limit)
{
	uint8_t bytes[BENCH_MESSAGE_LEN];

	bench_message_encode(bytes, m);
	return stream_send(to, bytes, sizeof(bytes), limit);
}

int bench_message_receive(struct os_handle from, struct bench_message *m, unsigned *version,
	const struct stream_limit *limit)
{
	uint8_t bytes[BENCH_MESSAGE_LEN];
	int rc = stream_receive(from, bytes, sizeof(bytes), limit);

	return rc == 0 ? bench_message_decode(m, bytes, version) : rc;
}
