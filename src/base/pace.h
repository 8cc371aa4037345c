/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A token bucket in one word, for what there are thousands of: it remembers when it will be full,
 * and so can tell when the next token comes. One token flows in every every_ms, at most burst are
 * kept; both are the same in all calls for one pace. Zeroed it is full. One owner; not thread-safe.
 */
#ifndef N2N_BASE_PACE_H
#define N2N_BASE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	uint64_t full_ms;
};

/* When there is a token: now_ms, or the time at which one will have come. burst is not 0. */
static inline uint64_t pace_due_ms(
	const struct pace *p, uint64_t now_ms, uint64_t every_ms, uint64_t burst)
{
	uint64_t kept_ms = (burst - 1) * every_ms;

	return p->full_ms > now_ms + kept_ms ? p->full_ms - kept_ms : now_ms;
}

/* Takes a token that is there. */
static inline void pace_spend(struct pace *p, uint64_t now_ms, uint64_t every_ms)
{
	p->full_ms = (p->full_ms > now_ms ? p->full_ms : now_ms) + every_ms;
}

/* Takes a token; false when there is none. */
static inline bool pace_take(struct pace *p, uint64_t now_ms, uint64_t every_ms, uint64_t burst)
{
	if (pace_due_ms(p, now_ms, every_ms, burst) > now_ms)
		return false;
	pace_spend(p, now_ms, every_ms);
	return true;
}

/* True when it is as a zeroed one. */
static inline bool pace_is_full(const struct pace *p, uint64_t now_ms)
{
	return p->full_ms <= now_ms;
}

#endif
