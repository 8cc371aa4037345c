/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of src/wire share: seeded bytes, and inputs with nothing allocated around them. */
#ifndef N2N_TESTS_WIRE_TEST_H
#define N2N_TESTS_WIRE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

#include <cmocka.h>

/* SplitMix64; ctx is the uint64_t state. */
static inline void seeded_fill(void *ctx, void *buf, size_t len)
{
	uint64_t *state = ctx;
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i++) {
		uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		p[i] = (uint8_t)(z ^ z >> 31);
	}
}

static inline struct random seeded_random(uint64_t *state)
{
	return (struct random){seeded_fill, state};
}

/* A heap copy of exactly len bytes, so that a sanitizer sees the first byte read beyond. */
static inline uint8_t *exact_copy(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len);

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

#endif
