/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers from random bytes, checked with a generator that says what the test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/random.h"

#include <cmocka.h>

/* Gives the bytes of a script, then a counter. */
struct script {
	const uint32_t *words;
	size_t n;
	size_t asked;
	uint32_t next;
};

static void scripted_fill(void *ctx, void *buf, size_t len)
{
	struct script *s = ctx;
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i += 4) {
		uint32_t v = s->asked < s->n ? s->words[s->asked] : s->next++;
		size_t part = len - i < 4 ? len - i : 4;

		s->asked++;
		memcpy(p + i, &v, part);
	}
}

static void passes_bytes_on(void **state)
{
	const uint32_t words[] = {0x11223344, 0x55667788, 5, 6, 7};
	struct script s = {words, 5, 0, 0};
	struct random r = {scripted_fill, &s};
	uint8_t buf[8];
	uint64_t both;

	(void)state;
	random_bytes(&r, buf, sizeof(buf));
	assert_memory_equal(buf, words, 8);
	assert_int_equal(random_u32(&r), 5);
	both = random_u64(&r);
	assert_memory_equal(&both, words + 3, 8);
}

static void below_has_no_bias(void **state)
{
	/* 2^32 mod 10 is 6: the values 0 to 5 are drawn again, or 0 to 5 were likelier. */
	const uint32_t words[] = {0, 5, 6, UINT32_MAX};
	struct script s = {words, 4, 0, 0};
	struct random r = {scripted_fill, &s};

	(void)state;
	assert_int_equal(random_below(&r, 10), 6);
	assert_int_equal(s.asked, 3);
	assert_int_equal(random_below(&r, 10), 5);
	assert_int_equal(random_below(&r, 1), 0);
	for (uint32_t bound = 1; bound < 50; bound++) {
		assert_true(random_below(&r, bound) < bound);
	}
	s = (struct script){(const uint32_t[]){0x80000000}, 1, 0, 0};
	assert_true(random_below(&r, UINT32_MAX) < UINT32_MAX);
}

static void jitter_stays_in_its_band(void **state)
{
	struct script s = {0};
	struct random r = {scripted_fill, &s};
	uint32_t low = UINT32_MAX, high = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint32_t v = random_jitter(&r, 1000, 10);

		low = v < low ? v : low;
		high = v > high ? v : high;
	}
	assert_int_equal(low, 900);
	assert_int_equal(high, 1100);
	assert_int_equal(random_jitter(&r, 1000, 0), 1000);
	assert_int_equal(random_jitter(&r, 0, 50), 0);
	assert_int_equal(random_jitter(&r, 1, 50), 1);
}

static void jitter_does_not_overflow(void **state)
{
	const uint32_t words[] = {3, UINT32_MAX - 3};
	struct script s = {words, 2, 0, 0};
	struct random r = {scripted_fill, &s};

	(void)state;
	/* The band is cut to what a draw can cover. */
	assert_true(random_jitter(&r, UINT32_MAX, 100) == UINT32_MAX / 2 + 5);
	assert_true(random_jitter(&r, UINT32_MAX, 50) == UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_bytes_on),
		cmocka_unit_test(below_has_no_bias),
		cmocka_unit_test(jitter_stays_in_its_band),
		cmocka_unit_test(jitter_does_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
