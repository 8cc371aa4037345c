/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The token bucket. */
#include "base/bucket.h"

#define TOKEN 1000U /* rate in tokens a second is credit in thousandths a millisecond */

bool bucket_take(struct bucket *b, uint64_t now_ms, uint32_t rate_per_s, uint32_t burst)
{
	const uint64_t full = (uint64_t)burst * TOKEN;

	if (!b->started || b->credit > full) {
		b->credit = full;
	}
	if (b->started && now_ms > b->last_ms && rate_per_s > 0) {
		uint64_t elapsed = now_ms - b->last_ms;
		uint64_t missing = full - b->credit;

		/* Divided first: elapsed times rate could overflow after a long sleep. */
		b->credit =
			elapsed > missing / rate_per_s ? full : b->credit + elapsed * rate_per_s;
	}
	if (!b->started || now_ms > b->last_ms) {
		b->last_ms = now_ms;
	}
	b->started = true;
	if (b->credit < TOKEN) {
		return false;
	}
	b->credit -= TOKEN;
	return true;
}
