/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small datagrams, as many as go, for both ends of "n2n bench". One thread. */
#ifndef N2N_CTL_BENCH_UDP_H
#define N2N_CTL_BENCH_UDP_H

#include "ctl/bench_message.h"
#include "os/udp.h"

#define BENCH_UDP_BATCH	     64
#define BENCH_UDP_SILENCE_MS 300  /* after a flood: it has ended */
#define BENCH_UDP_FIRST_MS   2000 /* waits for the first datagram of a step */

struct bench_udp {
	struct udp *u;
	struct udp_batch *batch;
	struct udp_packet in[BENCH_UDP_BATCH];
	struct udp_packet_out out[BENCH_UDP_BATCH];
	uint8_t in_bytes[BENCH_UDP_BATCH][BENCH_DATAGRAM_LEN + 1]; /* one more: too long is seen */
	uint8_t out_bytes[BENCH_UDP_BATCH][BENCH_DATAGRAM_LEN];
};

/* Opens the port at->port, 0 for any, at at->ip. Errors of udp_open; N2N_ENOMEM. */
MUST_CHECK int bench_udp_create(
	struct bench_udp **out, const struct endpoint *at, struct os_error *err);
/* Closes the port. NULL is fine. */
void bench_udp_destroy(struct bench_udp *x);

/* The datagrams of one step. */
struct bench_flow {
	uint64_t token;
	struct endpoint peer;  /* datagrams from other addresses are ignored; where ours go */
	struct endpoint local; /* from where; none: as the routes say */
};

/* A datagram received. */
struct bench_datagram {
	uint32_t number;
	struct endpoint from;
	struct endpoint local;
};

/*
 * Waits for datagrams of the flow, at most within the limit, and returns how many it has put into
 * got; 0 when there came none.
 */
size_t bench_udp_receive(struct bench_udp *x, const struct bench_flow *flow,
	const struct stream_limit *limit, struct bench_datagram got[BENCH_UDP_BATCH]);
/* Sends one, or loses it. */
void bench_udp_send(struct bench_udp *x, const struct bench_flow *flow, uint32_t number);

/* Sends as many as go until the limit. */
void bench_udp_flood(struct bench_udp *x, const struct bench_flow *flow,
	const struct stream_limit *limit, struct bench_count *out);
/*
 * Counts what arrives until there is silence; knocking sends one now and then as long as nothing
 * has come.
 */
void bench_udp_count(struct bench_udp *x, const struct bench_flow *flow, bool knocking,
	const struct stream_limit *limit, struct bench_count *out);

#endif
