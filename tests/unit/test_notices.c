/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Notices: when one is said, how often, what the status shows, and that nothing fills up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "api/notices.h"

#include <cmocka.h>

#define HOUR_MS 3600000u

struct lines {
	unsigned n;
	enum log_level level;
	char last[1024];
};

static void count(void *ctx, enum log_level level, const char *line)
{
	struct lines *l = ctx;

	l->level = level;
	l->n++;
	snprintf(l->last, sizeof(l->last), "%s", line);
}

static struct lines lines;
static struct notices n;

static int set_up(void **state)
{
	static const struct log log = {.level = LOG_INFO, .sink = count, .ctx = &lines};

	(void)state;
	lines = (struct lines){0};
	notices_init(&n, &log);
	return 0;
}

static void one_that_holds_is_told_once_an_hour(void **state)
{
	(void)state;
	for (uint64_t t = 1; t <= HOUR_MS; t += 1000)
		notices_raise(&n, t, "ip-conflict", "10.0.0.1", "seen at %u", (unsigned)t);
	assert_int_equal(lines.n, 1);
	assert_int_equal(lines.level, LOG_WARN);
	assert_string_equal(lines.last, "seen at 1");
	notices_raise(&n, 1 + HOUR_MS, "ip-conflict", "10.0.0.1", "seen still");
	assert_int_equal(lines.n, 2);
	assert_string_equal(lines.last, "seen still");
}

static void one_that_comes_and_goes_is_told_once_an_hour(void **state)
{
	(void)state;
	for (uint64_t t = 1; t <= HOUR_MS; t += 1000) {
		notices_raise(&n, t, "ip-conflict", "10.0.0.1", "there");
		/* Its end is worth a line only if its beginning was. */
		assert_true(notices_clear(&n, "ip-conflict", "10.0.0.1") == (t == 1));
		assert_false(notices_clear(&n, "ip-conflict", "10.0.0.1"));
	}
	assert_int_equal(lines.n, 1);
}

static void subjects_and_codes_are_told_apart(void **state)
{
	(void)state;
	notices_raise(&n, 1, "ip-conflict", "10.0.0.1", "a");
	notices_raise(&n, 1, "ip-conflict", "10.0.0.2", "b");
	notices_raise(&n, 1, "mac-conflict", "10.0.0.1", "c");
	assert_int_equal(lines.n, 3);
	assert_false(notices_clear(&n, "mac-conflict", "10.0.0.2"));
	assert_true(notices_clear(&n, "mac-conflict", "10.0.0.1"));
}

static void the_status_has_those_that_hold_the_first_in_front(void **state)
{
	json_t *list;

	(void)state;
	notices_raise(&n, 1000, "b", "", "over soon");
	notices_raise(&n, 3000, "a", "x", "second");
	assert_true(notices_clear(&n, "b", ""));
	notices_raise(&n, 9000, "b", "", "third");
	notices_raise(&n, 2000, "c", "", "first");
	list = notices_report(&n, 9999);
	assert_int_equal(json_array_size(list), 3);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(list, 0), "text")), "first");
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(list, 1), "subject")), "x");
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(list, 1), "since_s")), 6);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(list, 2), "text")), "third");
	json_decref(list);
}

static void a_long_subject_is_found_again(void **state)
{
	char subject[2 * NOTICE_SUBJECT_MAX];

	(void)state;
	memset(subject, 'x', sizeof(subject) - 1);
	subject[sizeof(subject) - 1] = 0;
	notices_raise(&n, 1, "a", subject, "once");
	notices_raise(&n, 2, "a", subject, "once");
	assert_int_equal(lines.n, 1);
	assert_true(notices_clear(&n, "a", subject));
}

static void what_may_be_right_is_no_warning(void **state)
{
	json_t *list;

	(void)state;
	for (uint64_t t = 1; t <= HOUR_MS; t += 1000)
		notices_remark(&n, t, "alone", "x", "nobody at %u", (unsigned)t);
	assert_int_equal(lines.n, 1);
	assert_int_equal(lines.level, LOG_INFO);
	assert_string_equal(lines.last, "nobody at 1");
	list = notices_report(&n, HOUR_MS);
	assert_int_equal(json_array_size(list), 1);
	json_decref(list);
	assert_true(notices_clear(&n, "alone", "x"));
}

static void one_that_is_looked_at_again_and_again_is_set(void **state)
{
	(void)state;
	notices_set(&n, 1, false, "down", "", "not told");
	assert_int_equal(lines.n, 0);
	for (uint64_t t = 1; t < 9; t++)
		notices_set(&n, t, true, "down", "", "down at %u", (unsigned)t);
	assert_int_equal(lines.n, 1);
	assert_int_equal(lines.level, LOG_WARN);
	assert_string_equal(lines.last, "down at 1");
	notices_set(&n, 9, false, "down", "", "not told");
	assert_false(notices_clear(&n, "down", ""));
	assert_int_equal(lines.n, 1);
}

static void one_that_goes_on_holding_is_told_again(void **state)
{
	(void)state;
	notices_raise(&n, 1, "a", "", "once");
	notices_tick(&n, HOUR_MS);
	assert_int_equal(lines.n, 1);
	notices_tick(&n, 1 + HOUR_MS);
	assert_int_equal(lines.n, 2);
	assert_true(notices_clear(&n, "a", ""));
	notices_tick(&n, 9 * (uint64_t)HOUR_MS);
	assert_int_equal(lines.n, 2);
}

static size_t count_listed(void)
{
	json_t *list = notices_report(&n, 100000);
	size_t listed = json_array_size(list);

	json_decref(list);
	return listed;
}

static void raise_many(const char *code, unsigned from, unsigned to)
{
	char subject[16];

	for (unsigned i = from; i < to; i++) {
		snprintf(subject, sizeof(subject), "%u", i);
		notices_raise(&n, i + 1, code, subject, "%s", subject);
	}
}

static void many_of_one_kind_leave_room_for_others(void **state)
{
	(void)state;
	raise_many("a", 0, NOTICES_OF_CODE);
	assert_int_equal(lines.n, NOTICES_OF_CODE);
	/* The first of those too many is a line, with what it says. */
	raise_many("a", NOTICES_OF_CODE, 1000);
	assert_int_equal(lines.n, NOTICES_OF_CODE + 1);
	assert_non_null(strstr(lines.last, "10 (there are too many"));
	assert_int_equal(n.unlisted, 1000 - NOTICES_OF_CODE);
	assert_int_equal(count_listed(), NOTICES_OF_CODE);
	notices_raise(&n, 2000, "b", "", "another");
	assert_string_equal(lines.last, "another");
	assert_int_equal(count_listed(), NOTICES_OF_CODE + 1);
}

static void what_ended_gives_way_and_what_holds_does_not(void **state)
{
	static const char *const codes[] = {"a", "b", "c", "d", "e", "f", "g"};

	(void)state;
	for (unsigned i = 0; i < 7; i++)
		raise_many(codes[i], 0, NOTICES_OF_CODE);
	assert_int_equal(count_listed(), NOTICES_MAX);
	assert_int_equal(n.unlisted, 7 * NOTICES_OF_CODE - NOTICES_MAX);
	assert_true(notices_clear(&n, "a", "7"));
	notices_raise(&n, 1000, "h", "fits", "text");
	assert_int_equal(count_listed(), NOTICES_MAX);
	assert_false(notices_clear(&n, "a", "7"));
	assert_true(notices_clear(&n, "h", "fits"));
}

/* JSON has no room for half a character, and the status would not show the notice. */
static void a_text_is_cut_between_characters(void **state)
{
	char text[2 * NOTICE_TEXT_MAX], subject[2 * NOTICE_SUBJECT_MAX];

	(void)state;
	for (unsigned shift = 0; shift < 4; shift++) {
		(void)set_up(NULL);
		memset(text, 'x', shift);
		memset(subject, 'x', shift);
		for (unsigned i = shift; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "\xe2\x82\xac", 4);
		for (unsigned i = shift; i + 3 < sizeof(subject); i += 3)
			memcpy(subject + i, "\xe2\x82\xac", 4);
		notices_raise(&n, 1, "a", subject, "%s", text);
		assert_int_equal(count_listed(), 1);
		notices_raise(&n, 2, "a", subject, "%s", text);
		assert_int_equal(lines.n, 1);
		assert_true(notices_clear(&n, "a", subject));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_that_holds_is_told_once_an_hour, set_up),
		cmocka_unit_test_setup(one_that_comes_and_goes_is_told_once_an_hour, set_up),
		cmocka_unit_test_setup(subjects_and_codes_are_told_apart, set_up),
		cmocka_unit_test_setup(the_status_has_those_that_hold_the_first_in_front, set_up),
		cmocka_unit_test_setup(a_long_subject_is_found_again, set_up),
		cmocka_unit_test_setup(one_that_goes_on_holding_is_told_again, set_up),
		cmocka_unit_test_setup(many_of_one_kind_leave_room_for_others, set_up),
		cmocka_unit_test_setup(a_text_is_cut_between_characters, set_up),
		cmocka_unit_test_setup(what_ended_gives_way_and_what_holds_does_not, set_up),
		cmocka_unit_test_setup(what_may_be_right_is_no_warning, set_up),
		cmocka_unit_test_setup(one_that_is_looked_at_again_and_again_is_set, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
