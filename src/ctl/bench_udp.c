/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the UDP steps of "n2n bench". */
#include "ctl/bench_udp.h"

#include <stdlib.h>

#include "os/sys.h"

#define KNOCK_MS       50
#define WRITABLE_MS    10
#define SENT_MAX       (UINT64_C(1) << 32) /* datagrams in a step */
#define UDP_ONE_BY_ONE 0		   /* no trains: the path is to see each frame */

static enum udp_family family_of(const struct bench_flow *flow)
{
	return endpoint_is_v4(&flow->peer) ? UDP_V4 : UDP_V6;
}

int bench_udp_create(struct bench_udp **out, const struct endpoint *at, struct os_error *err)
{
	struct bench_udp *x = calloc(1, sizeof(*x));
	int rc;

	*out = NULL;
	if (x == NULL)
		return os_error_set(err, N2N_ENOMEM, "no memory for datagrams");
	rc = udp_open(&x->u, at, UDP_ONE_BY_ONE, err);
	if (rc == 0 && udp_batch_create(&x->batch, BENCH_UDP_BATCH) != 0)
		rc = os_error_set(err, N2N_ENOMEM, "no memory for datagrams");
	if (rc != 0) {
		bench_udp_destroy(x);
		return rc;
	}
	for (size_t i = 0; i < BENCH_UDP_BATCH; i++) {
		x->in[i].data = x->in_bytes[i];
		x->in[i].cap = sizeof(x->in_bytes[i]);
		x->out[i].data = x->out_bytes[i];
		x->out[i].len = sizeof(x->out_bytes[i]);
	}
	*out = x;
	return 0;
}

void bench_udp_destroy(struct bench_udp *x)
{
	if (x == NULL)
		return;
	udp_batch_destroy(x->batch);
	udp_close(x->u);
	free(x);
}

/* What of the datagrams that have arrived belongs to the flow. */
static size_t take(struct bench_udp *x, const struct bench_flow *flow,
	struct bench_datagram got[BENCH_UDP_BATCH])
{
	int n = udp_recv(x->u, family_of(flow), x->batch, x->in, BENCH_UDP_BATCH);
	size_t taken = 0;

	for (int i = 0; i < n; i++) {
		const struct udp_packet *p = &x->in[i];
		uint32_t number;

		if (!endpoint_same_ip(&p->from, &flow->peer) ||
			bench_datagram_decode(&number, p->data, p->len, flow->token) != 0)
			continue;
		got[taken++] = (struct bench_datagram){number, p->from, p->local};
	}
	return taken;
}

size_t bench_udp_receive(struct bench_udp *x, const struct bench_flow *flow,
	const struct stream_limit *limit, struct bench_datagram got[BENCH_UDP_BATCH])
{
	struct os_handle socket = udp_handle(x->u, family_of(flow));
	unsigned ready;
	size_t n = 0;

	while (n == 0 && stream_wait(&socket, 1, STREAM_READ, limit, &ready) == 0)
		n = take(x, flow, got);
	return n;
}

static void fill(struct bench_udp *x, const struct bench_flow *flow, uint32_t first, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bench_datagram_encode(x->out_bytes[i], flow->token, first + (uint32_t)i);
		x->out[i].to = flow->peer;
		x->out[i].local = flow->local;
	}
}

void bench_udp_send(struct bench_udp *x, const struct bench_flow *flow, uint32_t number)
{
	struct udp_sent count = {0};

	fill(x, flow, number, 1);
	udp_send(x->u, x->batch, x->out, 1, &count);
}

void bench_udp_flood(struct bench_udp *x, const struct bench_flow *flow,
	const struct stream_limit *limit, struct bench_count *out)
{
	uint64_t start = sys_now_ns();
	struct udp_sent count = {0};

	while (count.sent < SENT_MAX && !stream_limit_reached(limit)) {
		fill(x, flow, (uint32_t)count.sent, BENCH_UDP_BATCH);
		if (udp_send(x->u, x->batch, x->out, BENCH_UDP_BATCH, &count) < BENCH_UDP_BATCH)
			udp_wait_writable(x->u, family_of(flow), WRITABLE_MS);
	}
	*out = (struct bench_count){count.sent, sys_now_ns() - start};
}

void bench_udp_count(struct bench_udp *x, const struct bench_flow *flow, bool knocking,
	const struct stream_limit *limit, struct bench_count *out)
{
	struct stream_limit first = stream_limit_within(limit, BENCH_UDP_FIRST_MS);
	struct bench_datagram got[BENCH_UDP_BATCH];
	uint64_t start;
	size_t n = 0;

	*out = (struct bench_count){0, 0};
	while (n == 0 && !stream_limit_reached(&first)) {
		struct stream_limit pause = stream_limit_within(&first, KNOCK_MS);

		if (knocking)
			bench_udp_send(x, flow, 0);
		n = bench_udp_receive(x, flow, &pause, got);
	}
	start = sys_now_ns();
	while (n > 0) {
		struct stream_limit silence = stream_limit_within(limit, BENCH_UDP_SILENCE_MS);

		out->amount += n;
		out->time_ns = sys_now_ns() - start;
		n = bench_udp_receive(x, flow, &silence, got);
	}
}
