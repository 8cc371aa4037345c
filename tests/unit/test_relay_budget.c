/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may be relayed to whom: freely to those who answer, little to all others. */
#include "core/data/relay_budget.h"
#include "wire_test.h"

#define START_MS 1000000u

static struct relay_pairs *pairs;

static struct relay_budget *create(void)
{
	struct relay_budget *b;

	relay_pairs_destroy(pairs);
	pairs = relay_pairs_create();
	assert_non_null(pairs);
	b = relay_budget_create(pairs);
	assert_non_null(b);
	return b;
}

static int forget_pairs(void **state)
{
	(void)state;
	relay_pairs_destroy(pairs);
	pairs = NULL;
	return 0;
}

static size_t count(struct relay_budget *b, uint32_t from, uint32_t to, unsigned tries, uint64_t ms)
{
	size_t n = 0;

	for (unsigned i = 0; i < tries; i++)
		n += relay_budget_take(b, from, to, 1, ms);
	return n;
}

static void a_burst_passes_as_far_as_the_budget_goes(void **state)
{
	struct relay_budget *b = create();

	(void)state;
	assert_int_equal(relay_budget_take(b, 1, 2, 64, START_MS), RELAY_STRANGER_PER_S);
	assert_int_equal(relay_budget_take(b, 1, 2, 64, START_MS), 0);
	assert_int_equal(relay_budget_take(b, 2, 1, 64, START_MS), 64);
	assert_int_equal(relay_budget_take(b, 1, 2, 64, START_MS), 64);
	relay_budget_destroy(b);
}

/* The two ends of a pair may be at different workers. */
static void an_answer_through_another_worker_counts(void **state)
{
	struct relay_budget *a = create(), *b = relay_budget_create(pairs);

	(void)state;
	assert_non_null(b);
	assert_int_equal(count(a, 1, 2, 1000, START_MS), RELAY_STRANGER_PER_S);
	assert_int_equal(count(b, 2, 1, 1000, START_MS), 1000);
	assert_int_equal(count(a, 1, 2, 1000, START_MS), 1000);
	relay_budget_destroy(a);
	relay_budget_destroy(b);
}

/* Each worker looks at the clock by itself. */
static void the_other_worker_may_be_ahead_in_time(void **state)
{
	struct relay_budget *a = create();

	(void)state;
	assert_int_equal(count(a, 2, 1, 1, START_MS + 7), 1);
	assert_int_equal(count(a, 1, 2, 1000, START_MS), 1000);
	relay_budget_destroy(a);
}

static void strangers_share_one_small_budget(void **state)
{
	struct relay_budget *b = create();
	size_t passed = 0;

	(void)state;
	/* All destinations together, not each. */
	for (uint32_t to = 2; to < 2002; to++)
		passed += relay_budget_take(b, 1, to, 1, START_MS);
	assert_int_equal(passed, RELAY_STRANGER_PER_S);
	assert_int_equal(count(b, 1, 2, 1000, START_MS + 100), RELAY_STRANGER_PER_S / 10);
	/* Others are not held to account for it. */
	assert_int_equal(count(b, 2, 1, 1000, START_MS + 100), 1000);
	assert_int_equal(count(b, 5001, 5002, 1000, START_MS + 100), RELAY_STRANGER_PER_S);
	relay_budget_destroy(b);
	relay_budget_destroy(NULL);
}

static void an_answer_lifts_the_limit_for_a_minute(void **state)
{
	struct relay_budget *b = create();

	(void)state;
	assert_int_equal(count(b, 1, 2, 1, START_MS), 1);
	assert_int_equal(count(b, 2, 1, 1, START_MS + 5), 1);
	assert_int_equal(count(b, 1, 2, 5000, START_MS + 10), 5000);
	assert_int_equal(count(b, 1, 2, 5000, START_MS + 4 + RELAY_ANSWERED_MS), 5000);
	assert_int_equal(
		count(b, 1, 2, 5000, START_MS + 5 + RELAY_ANSWERED_MS), RELAY_STRANGER_PER_S);
	/* What 2 sent says nothing about what 1 may send to 3. */
	assert_int_equal(count(b, 1, 3, 5000, START_MS + 5 + RELAY_ANSWERED_MS), 0);
	relay_budget_destroy(b);
}

/* What is over the budget is no answer that the other side could refer to. */
static void a_refused_packet_leaves_no_trace(void **state)
{
	struct relay_budget *b = create();

	(void)state;
	assert_int_equal(count(b, 1, 9, 1000, START_MS), RELAY_STRANGER_PER_S);
	assert_int_equal(count(b, 1, 2, 1, START_MS), 0);
	assert_int_equal(count(b, 2, 1, 1000, START_MS), RELAY_STRANGER_PER_S);
	relay_budget_destroy(b);
}

/* A table overrun by one sender may forget others, never grant more than the budget to a stranger.
 */
static void forgets_on_the_safe_side(void **state)
{
	struct relay_budget *b = create();
	uint64_t ms = START_MS;

	(void)state;
	assert_int_equal(count(b, 1, 2, 1, ms), 1);
	assert_int_equal(count(b, 2, 1, 1, ms), 1);
	for (uint32_t i = 0; i < 200000; i++)
		(void)relay_budget_take(b, 10 + i, 1000000 + i, 1, ms += i % 8 == 0);
	assert_in_range(count(b, 1, 2, 1000, ms), 40, 1000);
	assert_in_range(count(b, 7777777, 2, 1000, ms), 1, RELAY_STRANGER_PER_S);
	relay_budget_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_passes_as_far_as_the_budget_goes),
		cmocka_unit_test(an_answer_through_another_worker_counts),
		cmocka_unit_test(the_other_worker_may_be_ahead_in_time),
		cmocka_unit_test(strangers_share_one_small_budget),
		cmocka_unit_test(an_answer_lifts_the_limit_for_a_minute),
		cmocka_unit_test(a_refused_packet_leaves_no_trace),
		cmocka_unit_test(forgets_on_the_safe_side),
	};

	return cmocka_run_group_tests(tests, NULL, forget_pairs);
}
