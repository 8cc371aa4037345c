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
/* After its sessions. Also when all zero, and after a failure of init. */
void bench_client_fini(struct bench_client *c);

/*
 * server: address and port; c is borrowed until the session is closed. N2N_ENOENT: nobody listens
 * there; N2N_EEXIST: it measures with somebody else; N2N_ENOSYS: another version; N2N_EINVAL: no
 * such server; N2N_EAGAIN: no answer; N2N_EIO and others of stream_connect. Then it is closed.
 */
MUST_CHECK int bench_session_open(struct bench_session *s, struct bench_client *c,
	const struct endpoint *server, struct os_error *err);
/* Says END and hangs up; one that is closed is fine. */
void bench_session_close(struct bench_session *s);

/*
 * The steps, each c->seconds long and a while more. Errors as of opening.
 *
 * kind: BENCH_TCP_UP or BENCH_TCP_DOWN; streams: 1 to BENCH_STREAMS_MAX connections. N2N_EIO also
 * when these are made but their data does not arrive.
 */
MUST_CHECK int bench_session_tcp(struct bench_session *s, enum bench_kind kind, unsigned streams,
	double *bit_s, struct os_error *err);
/* Round trips of small datagrams, one after the other. */
MUST_CHECK int bench_session_rtt(
	struct bench_session *s, struct bench_rtt *out, struct os_error *err);
/* kind: BENCH_FLOOD_UP or BENCH_FLOOD_DOWN; arrived is 0 when UDP does not get through. */
MUST_CHECK int bench_session_flood(
	struct bench_session *s, enum bench_kind kind, double *arrived_s, struct os_error *err);

#endif
