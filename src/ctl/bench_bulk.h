/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes in bulk over a few TCP connections at once, for both ends of "n2n bench". One thread. */
#ifndef N2N_CTL_BENCH_BULK_H
#define N2N_CTL_BENCH_BULK_H

#include "base/random.h"
#include "ctl/bench_message.h"

#define BENCH_WARM_UP_MS 250 /* from the first byte; what arrives in it is not counted */

struct bench_bulk {
	struct os_handle stream[BENCH_STREAMS_MAX]; /* owned; none: closed */
	uint8_t *buffer;			    /* owned */
};

/* N2N_ENOMEM. The bytes sent are random, so that nothing on the way makes them fewer. */
MUST_CHECK int bench_bulk_init(struct bench_bulk *b, const struct random *random);
/* Closes what is open and frees. Also when all zero. */
void bench_bulk_fini(struct bench_bulk *b);
/* Closes the connections. */
void bench_bulk_close(struct bench_bulk *b);

/* Sends until the other end has closed all connections, or the limit. */
void bench_bulk_send(
	struct bench_bulk *b, const struct stream_limit *limit, struct bench_count *out);
/*
 * Receives for time_ns after the warm-up, and closes. Nothing is counted when no byte arrives
 * within the limit.
 */
void bench_bulk_receive(struct bench_bulk *b, uint64_t time_ns, const struct stream_limit *limit,
	struct bench_count *out);

#endif
