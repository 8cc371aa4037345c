/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client of ctl/bench_message.h: one session with a server, a step at a time. One thread. */
#ifndef N2N_CTL_BENCH_CLIENT_H
#define N2N_CTL_BENCH_CLIENT_H

#include "ctl/bench_bulk.h"
#include "ctl/bench_udp.h"

/* What all sessions share. */
struct bench_client {
	struct bench_bulk bulk;
	struct bench_udp *udp;
	uint32_t *samples;	    /* room for the round trips of a step */
	unsigned seconds;	    /* each step */
	struct os_handle interrupt; /* ends any wait when readable; borrowed */
};

struct bench_session {
	struct bench_client *client;
	struct endpoint server;
	struct os_handle control; /* none: closed */
};

struct bench_rtt {
	double p50_us, p90_us, p99_us;
	double lost; /* part of those sent; 1: none came back, and there are no percentiles */
};

/*
 * N2N_ENOMEM, and errors of opening a UDP port. As everywhere here err says what failed, for
 * people; after an interrupt any call fails with N2N_EAGAIN, and what err says is of no interest.
 */
MUST_CHECK int bench_client_init(struct bench_client *c, unsigned seconds,
	struct os_handle interrupt, const struct random *random, struct os_error *err);
void bench_client_fini(struct bench_client *c); /* also when all zero */

/* The server's address and port. */
MUST_CHECK int bench_session_open(struct bench_session *s, struct bench_client *c,
	const struct endpoint *server, struct os_error *err);
void bench_session_close(struct bench_session *s);

/* kind: BENCH_TCP_UP or BENCH_TCP_DOWN. */
MUST_CHECK int bench_session_tcp(struct bench_session *s, enum bench_kind kind, unsigned streams,
	double *bit_s, struct os_error *err);
MUST_CHECK int bench_session_rtt(
	struct bench_session *s, struct bench_rtt *out, struct os_error *err);
/* kind: BENCH_FLOOD_UP or BENCH_FLOOD_DOWN; arrived is 0 when UDP does not get through. */
MUST_CHECK int bench_session_flood(
	struct bench_session *s, enum bench_kind kind, double *arrived_s, struct os_error *err);

#endif
