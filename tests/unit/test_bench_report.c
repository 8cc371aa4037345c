/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests the statistics of "n2n bench path". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/bench_report.h"

#include <cmocka.h>

#define NONE BENCH_UNMEASURED

static void fill(double list[BENCH_ROUNDS_MAX], const double *values, size_t n)
{
	for (size_t i = 0; i < BENCH_ROUNDS_MAX; i++)
		list[i] = i < n ? values[i] : NONE;
}

static void check_summary(const double *values, size_t n, struct bench_summary expected)
{
	double list[BENCH_ROUNDS_MAX];
	struct bench_summary s;

	fill(list, values, n);
	s = bench_summarize(list);
	assert_int_equal(s.n, expected.n);
	assert_true(s.median == expected.median);
	assert_true(s.least == expected.least && s.most == expected.most);
}

static void a_summary_has_median_and_extremes(void **state)
{
	(void)state;
	check_summary(NULL, 0, (struct bench_summary){0, 0, 0, 0});
	check_summary((double[]){NONE, NONE}, 2, (struct bench_summary){0, 0, 0, 0});
	check_summary((double[]){7}, 1, (struct bench_summary){1, 7, 7, 7});
	check_summary((double[]){9, 1, 4}, 3, (struct bench_summary){3, 4, 1, 9});
	check_summary((double[]){9, NONE, 1, 4, 6}, 5, (struct bench_summary){4, 5, 1, 9});
	check_summary((double[]){0, 0}, 2, (struct bench_summary){2, 0, 0, 0});
}

static void a_ratio_is_of_the_same_round(void **state)
{
	double list[BENCH_ROUNDS_MAX], base[BENCH_ROUNDS_MAX];

	(void)state;
	fill(list, (double[]){2, 30, 8}, 3);
	fill(base, (double[]){1, 10, 16}, 3);
	assert_true(bench_ratio(list, base) == 2);
	/* Only rounds that both have. */
	fill(base, (double[]){1, NONE, 16}, 3);
	assert_true(bench_ratio(list, base) == 1.25);
	fill(base, (double[]){NONE, 0, NONE}, 3);
	assert_true(bench_ratio(list, base) == NONE);
	fill(list, NULL, 0);
	fill(base, (double[]){1, 1, 1}, 3);
	assert_true(bench_ratio(list, base) == NONE);
}

static void what_was_not_measured_is_empty(void **state)
{
	struct bench_report r;

	(void)state;
	bench_report_init(&r);
	r.n = 2;
	assert_true(bench_report_is_empty(&r));
	r.paths[1].value[BENCH_MEASURES - 1][BENCH_ROUNDS_MAX - 1] = 0;
	assert_false(bench_report_is_empty(&r));
	bench_report_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_summary_has_median_and_extremes),
		cmocka_unit_test(a_ratio_is_of_the_same_round),
		cmocka_unit_test(what_was_not_measured_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
