/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which handshakes a supernode may answer: after a restart, with wrong clocks, in a crash loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/supernode/fresh.h"

#include <cmocka.h>

#define WALL   UINT64_C(1800000000000)
#define MINUTE UINT64_C(60000)
#define SPAN   FRESH_SPAN_MS

static void unknown_edges_have_about_the_right_time(void **state)
{
	struct fresh f;

	(void)state;
	fresh_init(&f, 0, WALL);
	assert_int_equal(fresh_now(&f, WALL), WALL);
	assert_true(fresh_admits(&f, WALL, false, WALL));
	assert_true(fresh_admits(&f, WALL - SPAN + 1, false, WALL));
	assert_false(fresh_admits(&f, WALL - SPAN, false, WALL));
	assert_true(fresh_admits(&f, WALL + SPAN, false, WALL));
	assert_false(fresh_admits(&f, WALL + SPAN + 1, false, WALL));
	assert_false(fresh_admits(&f, 0, true, WALL));
	assert_false(fresh_admits(&f, UINT64_MAX, false, WALL));
}

/* A session's own order counts then, within what is promised to the next run. */
static void known_edges_are_not_asked_the_time(void **state)
{
	struct fresh f;

	(void)state;
	fresh_init(&f, 0, WALL);
	assert_true(fresh_admits(&f, 1, true, WALL));
	assert_true(fresh_admits(&f, f.limit, true, WALL));
	assert_false(fresh_admits(&f, f.limit + 1, true, WALL));
	assert_false(fresh_admits(&f, UINT64_MAX, true, WALL));
}

/* Whatever was answered at any time is at or below what was kept before. */
static void nothing_is_answered_twice(void **state)
{
	static const uint64_t freshness[] = {WALL - SPAN + 1, WALL, WALL + 1, WALL + SPAN,
		WALL + 2 * SPAN, WALL + 7 * MINUTE, WALL + 40 * MINUTE, UINT64_MAX};
	const size_t n = sizeof(freshness) / sizeof(freshness[0]);
	struct fresh f, next;

	(void)state;
	for (uint64_t wall = WALL; wall < WALL + 60 * MINUTE; wall += 1000) {
		if (wall == WALL)
			fresh_init(&f, 0, wall);
		fresh_raise(&f, wall);
		/* The next run, whatever its clock says. */
		for (unsigned i = 0; i < n; i++) {
			bool answered = fresh_admits(&f, freshness[i], i & 1, wall);

			fresh_init(&next, f.limit, i < 4 ? wall : 0);
			if (answered)
				assert_false(fresh_admits(&next, freshness[i], i & 1, wall));
			fresh_init(&next, f.highest, wall);
			if (answered)
				assert_false(fresh_admits(&next, freshness[i], i & 1, wall));
		}
	}
}

static void the_limit_is_raised_rarely(void **state)
{
	struct fresh f;
	unsigned raised = 0;
	uint64_t limit;

	(void)state;
	fresh_init(&f, 0, WALL);
	limit = f.limit;
	for (uint64_t wall = WALL; wall < WALL + 600 * MINUTE; wall += 1000) {
		fresh_raise(&f, wall);
		raised += f.limit != limit;
		limit = f.limit;
		assert_true(limit > fresh_now(&f, wall) + SPAN);
	}
	assert_in_range(raised, 115, 125);
}

/* In order: who has the right time gets in at once. */
static void a_clean_stop_costs_nobody_anything(void **state)
{
	struct fresh f;

	(void)state;
	fresh_init(&f, 0, WALL);
	assert_true(fresh_admits(&f, WALL + 5000, false, WALL + 5000));
	fresh_init(&f, f.highest, WALL + 6000);
	assert_int_equal(fresh_now(&f, WALL + 6000), WALL + 6000);
	assert_true(fresh_admits(&f, WALL + 6000, false, WALL + 6000));
}

/* What is told is always taken, and two that are told one after the other differ. */
static void check_told(struct fresh *f, uint64_t wall, uint64_t ms)
{
	uint64_t last = 0;

	for (uint64_t t = 0; t <= ms; t += 500) {
		uint64_t told = fresh_now(f, wall + t);

		fresh_raise(f, wall + t);
		assert_true(told > last && told >= wall + t);
		assert_true(fresh_admits(f, told, false, wall + t));
		assert_true(fresh_admits(f, told, true, wall + t));
		last = told;
	}
}

static void what_is_told_is_taken(void **state)
{
	static const uint64_t floors[] = {0, 1, WALL - 1, WALL, WALL + 10 * MINUTE,
		WALL + 1000 * MINUTE, UINT64_MAX / 2, UINT64_MAX};
	struct fresh f;

	(void)state;
	for (unsigned i = 0; i < sizeof(floors) / sizeof(floors[0]); i++) {
		fresh_init(&f, floors[i], WALL);
		check_told(&f, WALL, 30 * MINUTE);
		/* A clock that starts in 1970 each time. */
		fresh_init(&f, floors[i], 0);
		check_told(&f, 0, 30 * MINUTE);
	}
}

/* The floor runs ahead of the time by some minutes with each crash, and time catches up. */
static void a_crash_loop_heals(void **state)
{
	uint64_t wall = WALL, floor = 0;
	struct fresh f;

	(void)state;
	for (unsigned i = 0; i < 10; i++, wall += 1000) {
		fresh_init(&f, floor, wall);
		check_told(&f, wall, 1000);
		floor = f.limit;
	}
	assert_true(fresh_now(&f, wall) < WALL + 110 * MINUTE);
	wall += 220 * MINUTE;
	fresh_raise(&f, wall);
	assert_int_equal(fresh_now(&f, wall), wall);
	assert_true(fresh_admits(&f, wall, false, wall));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_edges_have_about_the_right_time),
		cmocka_unit_test(known_edges_are_not_asked_the_time),
		cmocka_unit_test(nothing_is_answered_twice),
		cmocka_unit_test(the_limit_is_raised_rarely),
		cmocka_unit_test(a_clean_stop_costs_nobody_anything),
		cmocka_unit_test(what_is_told_is_taken),
		cmocka_unit_test(a_crash_loop_heals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
