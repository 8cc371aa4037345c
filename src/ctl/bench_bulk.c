/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the TCP steps of "n2n bench". */
#include "ctl/bench_bulk.h"

#include <stdlib.h>

#include "os/sys.h"

#define BUFFER_LEN (128 << 10)
#define SENT_MAX   (UINT64_C(1) << 39) /* bytes in a step: 30 s at 146 Gbit/s */
#define WARM_UP_NS (BENCH_WARM_UP_MS * UINT64_C(1000000))

static void forget_streams(struct bench_bulk *b)
{
	for (size_t i = 0; i < BENCH_STREAMS_MAX; i++)
		b->stream[i] = os_handle_none();
}

int bench_bulk_init(struct bench_bulk *b, const struct random *random)
{
	forget_streams(b);
	b->buffer = malloc(BUFFER_LEN);
	if (b->buffer == NULL)
		return N2N_ENOMEM;
	random_bytes(random, b->buffer, BUFFER_LEN);
	return 0;
}

void bench_bulk_fini(struct bench_bulk *b)
{
	if (b->buffer != NULL)
		bench_bulk_close(b);
	free(b->buffer);
	b->buffer = NULL;
}

void bench_bulk_close(struct bench_bulk *b)
{
	for (size_t i = 0; i < BENCH_STREAMS_MAX; i++)
		stream_close(b->stream[i]);
	forget_streams(b);
}

static bool is_open(const struct bench_bulk *b)
{
	for (size_t i = 0; i < BENCH_STREAMS_MAX; i++)
		if (!os_handle_is_none(b->stream[i]))
			return true;
	return false;
}

/* One turn on each connection that is ready; returns the bytes moved. */
static uint64_t move(struct bench_bulk *b, enum stream_way way, unsigned ready)
{
	uint64_t moved = 0;

	for (size_t i = 0; i < BENCH_STREAMS_MAX; i++) {
		size_t done;
		int rc;

		if (!(ready >> i & 1))
			continue;
		rc = way == STREAM_READ ? stream_get(b->stream[i], b->buffer, BUFFER_LEN, &done)
					: stream_put(b->stream[i], b->buffer, BUFFER_LEN, &done);
		moved += done;
		if (rc != 0 && rc != N2N_EAGAIN) {
			stream_close(b->stream[i]);
			b->stream[i] = os_handle_none();
		}
	}
	return moved;
}

void bench_bulk_send(
	struct bench_bulk *b, const struct stream_limit *limit, struct bench_count *out)
{
	uint64_t start = sys_now_ns();
	unsigned ready;

	*out = (struct bench_count){0, 0};
	while (is_open(b) && out->amount < SENT_MAX &&
		stream_wait(b->stream, BENCH_STREAMS_MAX, STREAM_WRITE, limit, &ready) == 0)
		out->amount += move(b, STREAM_WRITE, ready);
	out->time_ns = sys_now_ns() - start;
	bench_bulk_close(b);
}

void bench_bulk_receive(struct bench_bulk *b, uint64_t time_ns, const struct stream_limit *limit,
	struct bench_count *out)
{
	uint64_t start = 0, now = 0; /* of the counting */
	unsigned ready;

	*out = (struct bench_count){0, 0};
	while (is_open(b) && (start == 0 || now < start + time_ns) &&
		stream_wait(b->stream, BENCH_STREAMS_MAX, STREAM_READ, limit, &ready) == 0) {
		uint64_t moved = move(b, STREAM_READ, ready);

		now = sys_now_ns();
		if (start == 0 && moved > 0)
			start = now + WARM_UP_NS;
		else if (now > start)
			out->amount += moved;
	}
	if (out->amount > 0)
		out->time_ns = now - start;
	bench_bulk_close(b);
}
