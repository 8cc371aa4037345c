/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is to be sent until it is acknowledged: the newest state of each type, later each time. */
#include "core/session/outbox.h"
#include "wire_test.h"

#define NOW_MS 5000u

static struct control_ack ack_of(uint32_t first, uint32_t last)
{
	return (struct control_ack){.n = 1, .range = {{first, last}}};
}

static void nothing_is_due_in_an_empty_one(void **state)
{
	const struct control_ack all = ack_of(0, UINT32_MAX);
	struct outbox o = {.tries = {0}};

	(void)state;
	assert_true(outbox_next_ms(&o) == UINT64_MAX);
	assert_int_equal(outbox_due(&o, 0, UINT64_MAX), CONTROL_TYPES);
	for (unsigned type = 0; type < CONTROL_TYPES; type++) {
		assert_false(outbox_holds(&o, (enum control_type)type));
		assert_false(outbox_acked(&o, (enum control_type)type, &all));
	}
}

static void what_is_posted_is_due_at_once_in_the_order_of_types(void **state)
{
	struct outbox o = {.tries = {0}};

	(void)state;
	outbox_post(&o, CONTROL_CLAIM, 7);
	outbox_post(&o, CONTROL_REGISTER, 8);
	assert_true(outbox_next_ms(&o) == 0);
	assert_int_equal(outbox_due(&o, 0, 0), CONTROL_REGISTER);
	assert_int_equal(outbox_due(&o, CONTROL_REGISTER, 0), CONTROL_REGISTER);
	assert_int_equal(outbox_due(&o, CONTROL_REGISTER + 1, 0), CONTROL_CLAIM);
	assert_int_equal(outbox_due(&o, CONTROL_CLAIM + 1, 0), CONTROL_TYPES);
	assert_true(outbox_holds(&o, CONTROL_CLAIM) && outbox_holds(&o, CONTROL_REGISTER));
	assert_false(outbox_holds(&o, CONTROL_ROSTER));
}

static void it_is_sent_again_after_pauses_that_double(void **state)
{
	static const unsigned pauses[] = {300, 600, 1200, 2400, 4800, 5000, 5000};
	uint64_t now_ms = NOW_MS;
	struct outbox o = {.tries = {0}};

	(void)state;
	outbox_post(&o, CONTROL_CLAIM, 7);
	outbox_sent(&o, CONTROL_CLAIM, now_ms);
	for (unsigned i = 0; i < 400; i++) {
		unsigned pause = i < 7 ? pauses[i] : 5000;

		assert_int_equal(outbox_due(&o, 0, now_ms + pause - 1), CONTROL_TYPES);
		now_ms += pause;
		assert_int_equal(outbox_due(&o, 0, now_ms), CONTROL_CLAIM);
		assert_int_equal(o.seq[CONTROL_CLAIM], 7);
		outbox_sent(&o, CONTROL_CLAIM, now_ms);
	}
}

static void a_newer_state_takes_the_place_and_goes_at_once(void **state)
{
	const struct control_ack older = ack_of(7, 7), newer = ack_of(8, 8);
	struct outbox o = {.tries = {0}};

	(void)state;
	outbox_post(&o, CONTROL_CLAIM, 7);
	for (unsigned i = 0; i < 5; i++)
		outbox_sent(&o, CONTROL_CLAIM, NOW_MS);
	outbox_post(&o, CONTROL_CLAIM, 8);
	assert_int_equal(outbox_due(&o, 0, NOW_MS), CONTROL_CLAIM);
	outbox_sent(&o, CONTROL_CLAIM, NOW_MS);
	/* With the first pause again. */
	assert_int_equal(outbox_due(&o, 0, NOW_MS + 299), CONTROL_TYPES);
	assert_int_equal(outbox_due(&o, 0, NOW_MS + 300), CONTROL_CLAIM);
	assert_false(outbox_acked(&o, CONTROL_CLAIM, &older));
	assert_true(outbox_holds(&o, CONTROL_CLAIM));
	assert_true(outbox_acked(&o, CONTROL_CLAIM, &newer));
	assert_true(outbox_next_ms(&o) == UINT64_MAX);
}

/* Whoever acknowledges what was never sent has guessed. */
static void only_what_was_sent_is_acknowledged(void **state)
{
	const struct control_ack all = ack_of(0, UINT32_MAX);
	struct outbox o = {.tries = {0}};

	(void)state;
	outbox_post(&o, CONTROL_CLAIM, 7);
	assert_false(outbox_acked(&o, CONTROL_CLAIM, &all));
	outbox_sent(&o, CONTROL_CLAIM, NOW_MS);
	outbox_post(&o, CONTROL_CLAIM, 9);
	assert_false(outbox_acked(&o, CONTROL_CLAIM, &all));
	outbox_sent(&o, CONTROL_CLAIM, NOW_MS);
	assert_true(outbox_acked(&o, CONTROL_CLAIM, &all));
	assert_false(outbox_acked(&o, CONTROL_CLAIM, &all));
}

static void an_acknowledgement_covers_its_ranges_with_both_ends(void **state)
{
	const struct control_ack ack = {.n = 3, .range = {{1, 4}, {10, 10}, {20, 22}}};
	const struct control_ack none = {.n = 0, .range = {{0, UINT32_MAX}}};

	(void)state;
	for (uint32_t seq = 1; seq < 25; seq++) {
		bool covered = seq <= 4 || seq == 10 || (seq >= 20 && seq <= 22);
		struct outbox o = {.tries = {0}};

		outbox_post(&o, CONTROL_ROSTER, seq);
		outbox_sent(&o, CONTROL_ROSTER, NOW_MS);
		assert_false(outbox_acked(&o, CONTROL_ROSTER, &none));
		assert_false(outbox_acked(&o, CONTROL_CLAIM, &ack));
		assert_int_equal(outbox_acked(&o, CONTROL_ROSTER, &ack), covered);
		assert_int_equal(outbox_next_ms(&o) == UINT64_MAX, covered);
	}
}

static void what_is_withdrawn_is_not_sent(void **state)
{
	const struct control_ack all = ack_of(0, UINT32_MAX);
	struct outbox o = {.tries = {0}};

	(void)state;
	outbox_post(&o, CONTROL_ROSTER, 7);
	outbox_sent(&o, CONTROL_ROSTER, NOW_MS);
	outbox_withdraw(&o, CONTROL_ROSTER);
	assert_true(outbox_next_ms(&o) == UINT64_MAX);
	assert_int_equal(outbox_due(&o, 0, UINT64_MAX), CONTROL_TYPES);
	assert_false(outbox_acked(&o, CONTROL_ROSTER, &all));
	outbox_withdraw(&o, CONTROL_ROSTER);
	outbox_post(&o, CONTROL_ROSTER, 8);
	assert_int_equal(outbox_due(&o, 0, NOW_MS), CONTROL_ROSTER);
}

/* What waits goes later, never earlier. */
static void what_waits_is_due_then(void **state)
{
	struct outbox o = {.tries = {0}};

	(void)state;
	outbox_post(&o, CONTROL_ROSTER, 7);
	outbox_wait(&o, CONTROL_ROSTER, NOW_MS + 500);
	outbox_wait(&o, CONTROL_ROSTER, NOW_MS);
	assert_int_equal(outbox_next_ms(&o), NOW_MS + 500);
	assert_int_equal(outbox_due(&o, 0, NOW_MS + 499), CONTROL_TYPES);
	assert_int_equal(outbox_due(&o, 0, NOW_MS + 500), CONTROL_ROSTER);
	outbox_post(&o, CONTROL_CLAIM, 8);
	assert_int_equal(outbox_next_ms(&o), 0);
}

/* Whatever is posted, so many leave until one is acknowledged, and at the times of repetitions. */
static void a_limited_one_has_an_end(void **state)
{
	static const unsigned pauses[] = {0, 300, 600, 1200};
	const struct control_ack older = ack_of(1, 4), newest = ack_of(6, 6);
	uint64_t now_ms = NOW_MS;
	struct outbox o = {.tries = {0}};

	(void)state;
	outbox_limit(&o, 4);
	for (uint32_t i = 0; i < 4; i++) {
		outbox_post(&o, CONTROL_ROSTER, i + 1);
		now_ms += pauses[i];
		if (i > 0)
			assert_int_equal(outbox_due(&o, 0, now_ms - 1), CONTROL_TYPES);
		assert_int_equal(outbox_due(&o, 0, now_ms), CONTROL_ROSTER);
		outbox_sent(&o, CONTROL_ROSTER, now_ms);
	}
	outbox_post(&o, CONTROL_ROSTER, 5);
	assert_int_equal(outbox_due(&o, 0, UINT64_MAX), CONTROL_TYPES);
	assert_true(outbox_next_ms(&o) == UINT64_MAX);
	assert_true(outbox_holds(&o, CONTROL_ROSTER));
	/* Not sent, and so not acknowledged. */
	assert_false(outbox_acked(&o, CONTROL_ROSTER, &older));
	assert_false(outbox_acked(&o, CONTROL_ROSTER, &(struct control_ack){1, {{5, 5}}}));
	/* Withdrawing is no way around it. */
	outbox_withdraw(&o, CONTROL_ROSTER);
	outbox_sent(&o, CONTROL_ROSTER, now_ms);
	outbox_post(&o, CONTROL_ROSTER, 6);
	assert_int_equal(outbox_due(&o, 0, UINT64_MAX), CONTROL_TYPES);
	outbox_revive(&o);
	assert_int_equal(outbox_due(&o, 0, now_ms), CONTROL_ROSTER);
	outbox_sent(&o, CONTROL_ROSTER, now_ms);
	assert_int_equal(outbox_next_ms(&o), now_ms + 300);
	assert_true(outbox_acked(&o, CONTROL_ROSTER, &newest));
	outbox_post(&o, CONTROL_ROSTER, 7);
	assert_int_equal(outbox_next_ms(&o), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_due_in_an_empty_one),
		cmocka_unit_test(what_is_posted_is_due_at_once_in_the_order_of_types),
		cmocka_unit_test(it_is_sent_again_after_pauses_that_double),
		cmocka_unit_test(a_newer_state_takes_the_place_and_goes_at_once),
		cmocka_unit_test(only_what_was_sent_is_acknowledged),
		cmocka_unit_test(an_acknowledgement_covers_its_ranges_with_both_ends),
		cmocka_unit_test(what_is_withdrawn_is_not_sent),
		cmocka_unit_test(what_waits_is_due_then),
		cmocka_unit_test(a_limited_one_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
