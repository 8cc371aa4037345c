/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A token bucket that can tell when the next token comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/pace.h"

#include <cmocka.h>

#define EVERY_MS 500u
#define BURST	 4u
#define NOW_MS	 9000u

static void it_is_full_at_first(void **state)
{
	struct pace p = {0};

	(void)state;
	assert_true(pace_is_full(&p, 0));
	for (unsigned i = 0; i < BURST; i++)
		assert_true(pace_take(&p, NOW_MS, EVERY_MS, BURST));
	assert_false(pace_take(&p, NOW_MS, EVERY_MS, BURST));
	assert_false(pace_is_full(&p, NOW_MS));
}

static void tokens_come_one_by_one_when_it_says(void **state)
{
	struct pace p = {0};
	uint64_t now_ms = NOW_MS;

	(void)state;
	for (unsigned i = 0; i < BURST; i++)
		pace_spend(&p, now_ms, EVERY_MS);
	for (unsigned i = 0; i < 20; i++) {
		uint64_t due_ms = pace_due_ms(&p, now_ms, EVERY_MS, BURST);

		assert_int_equal(due_ms, now_ms + EVERY_MS);
		assert_false(pace_take(&p, due_ms - 1, EVERY_MS, BURST));
		now_ms = due_ms;
		assert_true(pace_take(&p, now_ms, EVERY_MS, BURST));
	}
}

static void no_more_than_the_burst_is_kept(void **state)
{
	struct pace p = {0};
	unsigned taken = 0;

	(void)state;
	pace_spend(&p, NOW_MS, EVERY_MS);
	assert_false(pace_is_full(&p, NOW_MS + EVERY_MS - 1));
	assert_true(pace_is_full(&p, NOW_MS + EVERY_MS));
	while (pace_take(&p, NOW_MS + 1000000, EVERY_MS, BURST))
		taken++;
	assert_int_equal(taken, BURST);
}

static void over_a_long_time_it_is_the_rate_and_the_burst(void **state)
{
	struct pace p = {0};
	unsigned taken = 0;

	(void)state;
	for (uint64_t ms = 0; ms < 60000; ms += 7)
		taken += pace_take(&p, NOW_MS + ms, EVERY_MS, BURST);
	assert_in_range(taken, 60000 / EVERY_MS + BURST - 2, 60000 / EVERY_MS + BURST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_full_at_first),
		cmocka_unit_test(tokens_come_one_by_one_when_it_says),
		cmocka_unit_test(no_more_than_the_burst_is_kept),
		cmocka_unit_test(over_a_long_time_it_is_the_rate_and_the_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
