/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where random bytes come from. The programs pass the kernel's generator, the simulator and the
 * fuzzers a seeded one. fill never fails: a generator that could must stop the program at start.
 */
#ifndef N2N_BASE_RANDOM_H
#define N2N_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
	void (*fill)(void *ctx, void *buf, size_t len);
	void *ctx;
};

void random_bytes(const struct random *r, void *buf, size_t len);
uint32_t random_u32(const struct random *r);
uint64_t random_u64(const struct random *r);
/* Uniform in [0, bound) for bound > 0, without modulo bias. */
uint32_t random_below(const struct random *r, uint32_t bound);
/* value plus or minus up to percent per cent, uniform. */
uint32_t random_jitter(const struct random *r, uint32_t value, uint32_t percent);

#endif
