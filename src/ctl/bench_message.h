/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How "n2n bench path" (the client) and "n2n bench serve" (the server) talk.
 *
 * On a TCP connection, the control connection, messages of 32 bytes, integers big-endian:
 *
 *     0   4  "n2nb"
 *     4   2  version
 *     6   1  kind
 *     7   1  streams: TCP steps: number of connections
 *     8   8  token: READY, DATA
 *     16  8  amount: RESULT: bytes or datagrams
 *     24  8  time: a step: how long; RESULT: in which time; nanoseconds
 *
 * What a kind does not use is 0. The first six bytes stay in every version, and HELLO and WELCOME
 * are the first things said, so each side can tell the version of the other.
 *
 *     client                     server
 *     HELLO                  ->
 *                            <-  WELCOME, or BUSY and the end
 *     a step                 ->
 *                            <-  READY with a token for this step
 *     ... the step, then     <-  RESULT
 *     the next step, or END  ->
 *                                hangs up
 *
 * TCP_UP, TCP_DOWN: the client opens so many more connections and says DATA with the token on each.
 * Client (UP) or server (DOWN) sends on all of them, and the receiver ends it by closing them.
 *
 * UDP steps use datagrams of 22 bytes, 64 with the headers of Ethernet and IPv4, between the
 * server's UDP port of the same number and the port from which the client sends: the token, a
 * number (4 bytes), zeros. ECHO: the server returns each until the client says END. FLOOD_UP: the
 * client sends as fast as it can; RESULT is what arrived. FLOOD_DOWN: the client sends one now and
 * then until the flood comes; RESULT is what was sent.
 *
 * The server sends datagrams only to where one with the token came from, and only if that is the
 * address of the control connection: nobody can have others flooded by it.
 */
#ifndef N2N_CTL_BENCH_MESSAGE_H
#define N2N_CTL_BENCH_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "os/stream.h"

#define BENCH_VERSION	   1
#define BENCH_PORT	   7656
#define BENCH_MESSAGE_LEN  32
#define BENCH_DATAGRAM_LEN 22
#define BENCH_STREAMS_MAX  4
#define BENCH_STEP_MAX_S   30
#define BENCH_STEP_MAX_NS  (BENCH_STEP_MAX_S * UINT64_C(1000000000))

/* How long an end that does nothing else takes to answer a message, at most. */
#define BENCH_ANSWER_MS 5000

enum bench_kind {
	BENCH_HELLO = 1,
	BENCH_WELCOME,
	BENCH_BUSY,
	BENCH_TCP_UP,
	BENCH_TCP_DOWN,
	BENCH_ECHO,
	BENCH_FLOOD_UP,
	BENCH_FLOOD_DOWN,
	BENCH_READY,
	BENCH_DATA,
	BENCH_END,
	BENCH_RESULT,
	BENCH_KINDS
};

struct bench_message {
	enum bench_kind kind;
	unsigned streams;
	uint64_t token;
	uint64_t amount;
	uint64_t time_ns;
};

/* What was counted in a step. */
struct bench_count {
	uint64_t amount; /* bytes or datagrams */
	uint64_t time_ns;
};

/* True for the five that measure something. */
bool bench_is_step(enum bench_kind kind);

/* Writes this version's form. */
void bench_message_encode(uint8_t out[BENCH_MESSAGE_LEN], const struct bench_message *m);
/*
 * N2N_EINVAL: not one of ours, or a step beyond the limits above; N2N_ENOSYS: of another version,
 * which is put into *version, and m is left alone.
 */
MUST_CHECK int bench_message_decode(
	struct bench_message *m, const uint8_t in[BENCH_MESSAGE_LEN], unsigned *version);

/* token as of READY, number the sender's count. */
void bench_datagram_encode(uint8_t out[BENCH_DATAGRAM_LEN], uint64_t token, uint32_t number);
/* N2N_EINVAL: of another length; N2N_EAUTH: another token. */
MUST_CHECK int bench_datagram_decode(
	uint32_t *number, const uint8_t *in, size_t len, uint64_t token);

/* Sends it whole. Errors of stream_send. */
MUST_CHECK int bench_message_send(
	struct os_handle to, const struct bench_message *m, const struct stream_limit *limit);
/* Waits for a whole one. Errors of stream_receive and of bench_message_decode. */
MUST_CHECK int bench_message_receive(struct os_handle from, struct bench_message *m,
	unsigned *version, const struct stream_limit *limit);

#endif
