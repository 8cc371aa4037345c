/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TCP connections with limits on waiting, for tools that talk to one another. A stream, or a
 * listener, is the handle of a socket that never blocks, owned by the caller. One thread for each
 * stream.
 *
 * Every system. N2N_EIO from sending and receiving means that the connection is gone: the other end
 * hung up, was reset, or is out of reach.
 */
#ifndef N2N_OS_STREAM_H
#define N2N_OS_STREAM_H

#include "base/endpoint.h"
#include "os/error.h"
#include "os/handle.h"

#define STREAM_WAIT_MAX 8
#define STREAM_STOPS	2

/* When to give up waiting: at a moment, or as soon as one of the stops is readable. */
struct stream_limit {
	uint64_t until_ms;		     /* of sys_now_ms; UINT64_MAX: never */
	struct os_handle stop[STREAM_STOPS]; /* streams, interrupt_open; borrowed; or none */
};

/* The same stops, and ms milliseconds from now, or before if the given limit is earlier. */
struct stream_limit stream_limit_within(const struct stream_limit *limit, uint64_t ms);
/* True when waiting would end at once. */
bool stream_limit_reached(const struct stream_limit *limit);

enum stream_way {
	STREAM_READ,
	STREAM_WRITE
};

/*
 * Waits until one of n sockets (at most STREAM_WAIT_MAX; none is skipped; those of udp_handle may
 * be among them) can be read or written, or has failed: bit i of *ready stands for of[i].
 * N2N_EAGAIN when the limit was reached before; N2N_ENOMEM.
 */
MUST_CHECK int stream_wait(const struct os_handle *of, size_t n, enum stream_way way,
	const struct stream_limit *limit, unsigned *ready);

/*
 * Listens at an address and port; at an address that is all zero, at every one of its family.
 * N2N_EEXIST: the port is in use; N2N_EPERM; N2N_ENOENT: this host lacks the address.
 */
MUST_CHECK int stream_listen(
	struct os_handle *out, const struct endpoint *at, struct os_error *err);
/* Takes one connection that waits at the listener; N2N_EAGAIN when there is none. */
MUST_CHECK int stream_accept(
	struct os_handle *out, struct endpoint *from, struct os_handle listener);
/*
 * N2N_ENOENT: refused, nobody listens there; N2N_EAGAIN: no answer within the limit; N2N_EPERM: a
 * rule of this host forbids it; N2N_EIO: no way leads there.
 */
MUST_CHECK int stream_connect(struct os_handle *out, const struct endpoint *to,
	const struct stream_limit *limit, struct os_error *err);
/* Also for listeners and interrupts; none is fine. */
void stream_close(struct os_handle s);

/*
 * Sends as many of len > 0 bytes as go without waiting, and puts their number into *done: at least
 * one, else N2N_EAGAIN when none goes now, or N2N_EIO.
 */
MUST_CHECK int stream_put(struct os_handle s, const void *data, size_t len, size_t *done);
/* Receives what is there, likewise; N2N_EIO also at the end of the stream. */
MUST_CHECK int stream_get(struct os_handle s, void *data, size_t cap, size_t *done);
/* Sends all of it, waiting as need be; N2N_EAGAIN when the limit was reached; N2N_EIO. */
MUST_CHECK int stream_send(
	struct os_handle s, const void *data, size_t len, const struct stream_limit *limit);
/* Receives exactly len bytes, likewise; of what came before a failure the number is not told. */
MUST_CHECK int stream_receive(
	struct os_handle s, void *data, size_t len, const struct stream_limit *limit);

#endif
