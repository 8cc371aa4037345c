/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker thread sleeps on: sockets, interfaces, and a wake-up call from other threads.
 * poll_wake may be called from any thread, and so may adding and removing; everything else only by
 * the owner.
 *
 * Every system: epoll, kqueue, or a completion port, of which the caller sees readiness only.
 */
#ifndef N2N_OS_POLL_H
#define N2N_OS_POLL_H

#include "os/tap.h"
#include "os/udp.h"

struct poll;

/* N2N_ENOMEM: no memory, or no descriptors. The caller destroys it. */
MUST_CHECK int poll_create(struct poll **out);
/* What was added stays open. NULL is fine. */
void poll_destroy(struct poll *p);
/*
 * From now on reports tag whenever there is something to read, or reading would fail. What is
 * added stays the caller's; closing it removes it. N2N_EEXIST: it is in the set already;
 * N2N_ENOMEM; N2N_ENOSPC: the system waits for no more.
 */
MUST_CHECK int poll_add_tap(struct poll *p, const struct tap *tap, unsigned tag);
/*
 * Takes an interface out of the set; any thread. The owner may be at work on what an earlier wait
 * told, so that it is closed when that is over. One that is not in it is fine.
 */
void poll_remove_tap(struct poll *p, const struct tap *tap);
/* The same for one family's socket; N2N_ENOENT: the family is not available. */
MUST_CHECK int poll_add_udp(
	struct poll *p, const struct udp *u, enum udp_family family, unsigned tag);
/*
 * Waits until something is ready, poll_wake was called, or timeout_ms milliseconds are over (-1:
 * for ever). Writes the tags of what is ready, at most cap, and returns their number: 0 after a
 * wake-up or the time, N2N_EIO when the set is broken. Readiness is a level: what was not read is
 * reported again. A wake-up that comes while the owner is not waiting ends its next wait; several
 * become one.
 */
MUST_CHECK int poll_wait(struct poll *p, int timeout_ms, unsigned *tags, size_t cap);
/* Ends a wait of the owner, the present or the next one. Any thread; cannot fail. */
void poll_wake(struct poll *p);

#endif
