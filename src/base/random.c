/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers made of random bytes. */
#include "base/random.h"

#include <assert.h>

void random_bytes(const struct random *r, void *buf, size_t len)
{
	r->fill(r->ctx, buf, len);
}

uint32_t random_u32(const struct random *r)
{
	uint32_t v;

	r->fill(r->ctx, &v, sizeof(v));
	return v;
}

uint64_t random_u64(const struct random *r)
{
	uint64_t v;

	r->fill(r->ctx, &v, sizeof(v));
	return v;
}

uint32_t random_below(const struct random *r, uint32_t bound)
{
	assert(bound > 0);
	/* The first 2^32 mod bound values would make small results likelier. */
	const uint32_t reject = -bound % bound;
	uint32_t v;

	do {
		v = random_u32(r);
	} while (v < reject);
	return v % bound;
}

uint32_t random_jitter(const struct random *r, uint32_t value, uint32_t percent)
{
	uint64_t span = (uint64_t)value * percent / 100;

	assert(percent <= 100);
	if (span > UINT32_MAX / 2 - 1) {
		span = UINT32_MAX / 2 - 1;
	}
	uint64_t v = value - span + random_below(r, (uint32_t)(2 * span + 1));
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}
