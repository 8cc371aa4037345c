/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The token bucket: burst, rate, and clocks that stand, jump or run backwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bucket.h"

#include <cmocka.h>

static unsigned drain(struct bucket *b, uint64_t now_ms, uint32_t rate, uint32_t burst)
{
	unsigned n = 0;

	while (n < 1000 && bucket_take(b, now_ms, rate, burst)) {
		n++;
	}
	return n;
}

static void starts_full_and_holds_its_burst(void **state)
{
	struct bucket b = {0};

	(void)state;
	assert_int_equal(drain(&b, 123456, 10, 5), 5);
	assert_int_equal(drain(&b, 123456, 10, 5), 0);
	assert_int_equal(drain(&b, 123456 + 100000, 10, 5), 5);
}

static void flows_at_its_rate(void **state)
{
	struct bucket b = {0};
	unsigned taken = 0;

	(void)state;
	assert_int_equal(drain(&b, 1000, 10, 5), 5);
	assert_false(bucket_take(&b, 1099, 10, 5));
	assert_true(bucket_take(&b, 1100, 10, 5));
	assert_false(bucket_take(&b, 1100, 10, 5));
	/* A third of a token each millisecond must not be rounded away. */
	for (uint64_t t = 1101; t <= 4100; t++) {
		taken += bucket_take(&b, t, 10, 5);
	}
	assert_int_equal(taken, 30);
	/* And what is a little less than a token is none. */
	b = (struct bucket){0};
	assert_true(bucket_take(&b, 1000, 999, 1));
	assert_false(bucket_take(&b, 1001, 999, 1));
	assert_true(bucket_take(&b, 1002, 999, 1));
}

static void survives_odd_clocks(void **state)
{
	struct bucket b = {0};

	(void)state;
	assert_int_equal(drain(&b, UINT64_MAX / 2, 4000000000U, 3), 3);
	assert_int_equal(drain(&b, UINT64_MAX / 2 - 5000, 4000000000U, 3), 0);
	assert_int_equal(drain(&b, UINT64_MAX, UINT32_MAX, 3), 3);
	b = (struct bucket){0};
	assert_int_equal(drain(&b, 0, 1, 2), 2);
	assert_int_equal(drain(&b, 0, 1, 2), 0);
	assert_int_equal(drain(&b, 1000, 1, 2), 1);
	/* Time that passes twice, as the clock was set back, counts once. */
	assert_int_equal(drain(&b, 0, 1, 2), 0);
	assert_int_equal(drain(&b, 1000, 1, 2), 0);
	assert_int_equal(drain(&b, 2000, 1, 2), 1);
}

static void takes_extreme_settings(void **state)
{
	struct bucket b = {0};

	(void)state;
	assert_int_equal(drain(&b, 1, 10, 0), 0);
	b = (struct bucket){0};
	assert_int_equal(drain(&b, 1, 0, 2), 2);
	assert_int_equal(drain(&b, UINT64_MAX, 0, 2), 0);
	b = (struct bucket){0};
	assert_int_equal(drain(&b, 1, 1, 900), 900);
	assert_int_equal(drain(&b, 1000001, 1, 7), 7);
	/* A burst that was made smaller takes effect at once. */
	b = (struct bucket){0};
	assert_true(bucket_take(&b, 1, 1, 100));
	assert_int_equal(drain(&b, 1, 1, 3), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_full_and_holds_its_burst),
		cmocka_unit_test(flows_at_its_rate),
		cmocka_unit_test(survives_odd_clocks),
		cmocka_unit_test(takes_extreme_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
