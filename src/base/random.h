/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where random bytes come from. The programs pass the kernel's generator, the simulator and the
 * fuzzers a seeded one. fill never fails: a generator that could must stop the program at start.
 * Any thread may call, if fill may be called from it. The numbers are good enough for keys exactly
 * if fill is.
 */
#ifndef N2N_BASE_RANDOM_H
#define N2N_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
	void (*fill)(void *ctx, void *buf, size_t len);
	void *ctx;
};

/* Fills len bytes at buf. */
void random_bytes(const struct random *r, void *buf, size_t len);
/* Uniform over all values, here and below. */
uint32_t random_u32(const struct random *r);
/* Of 64 bits. */
uint64_t random_u64(const struct random *r);
/* Uniform in [0, bound) for bound > 0, without modulo bias; may draw more than once. */
uint32_t random_below(const struct random *r, uint32_t bound);
/* value plus or minus up to percent per cent, at most 100 of them: uniform, cut at UINT32_MAX. */
uint32_t random_jitter(const struct random *r, uint32_t value, uint32_t percent);

#endif
