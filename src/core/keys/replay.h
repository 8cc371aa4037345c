/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The replay window of one key: which packet counters were accepted (PROTOCOL.md 6.6). A ring of
 * bits over the highest counter so far. Several workers may share one window; whoever uses it holds
 * the lock, once per burst, never while opening packets.
 */
#ifndef N2N_CORE_KEYS_REPLAY_H
#define N2N_CORE_KEYS_REPLAY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct replay {
	atomic_flag lock;
	uint64_t next;	/* the highest counter accepted, plus 1 */
	uint64_t words; /* a power of two; the window is 64 * (words - 1) counters or more */
	uint64_t *bits; /* borrowed */
};

/* bits holds the given number of words, a power of two and at least 2, and is cleared. */
void replay_init(struct replay *r, uint64_t *bits, size_t words);
/*
 * Nothing below this counter is accepted, ever: as if all of it had been. In a window that was just
 * initialized, before others see it.
 */
void replay_begin_at(struct replay *r, uint64_t floor);
/* Spins: the lock is held for a burst of look-ups at most. Any thread. */
void replay_lock(struct replay *r);
/* By the thread that locked it. */
void replay_unlock(struct replay *r);
/* True when the counter was accepted before, or is too old to tell. Lock held. */
bool replay_seen(const struct replay *r, uint64_t counter);
/*
 * Accepts the counter; false, and no change, when replay_seen. Only after the tag was right: else a
 * forged counter would shut genuine packets out. Lock held.
 */
bool replay_accept(struct replay *r, uint64_t counter);

#endif
