/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker thread sleeps on: a few descriptors, and a wake-up call from other threads.
 * poll_wake may be called from any thread; everything else only by the owner.
 */
#ifndef N2N_OS_POLL_H
#define N2N_OS_POLL_H

#include <stddef.h>

#include "base/err.h"

struct poll;

MUST_CHECK int poll_create(struct poll **out);
void poll_destroy(struct poll *p); /* NULL is fine; the descriptors added stay open */
/*
 * Reports tag whenever fd can be read or has failed. Closing fd removes it. N2N_EEXIST: fd is in
 * it already; N2N_EINVAL: fd cannot be waited for.
 */
MUST_CHECK int poll_add(struct poll *p, int fd, unsigned tag);
/*
 * Waits until a descriptor is ready, poll_wake was called, or timeout_ms are over (-1: for ever).
 * Writes the tags of ready descriptors, at most cap, and returns their number: 0 after a wake-up or
 * the time. Readiness is a level: what was not read is reported again. A wake-up that comes while
 * the owner is not waiting ends its next wait; several become one.
 */
MUST_CHECK int poll_wait(struct poll *p, int timeout_ms, unsigned *tags, size_t cap);
void poll_wake(struct poll *p);

#endif
