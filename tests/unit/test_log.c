/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Log lines: levels, length, and control characters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/log.h"

#include <cmocka.h>

struct seen {
	int lines;
	enum log_level level;
	char text[2048];
};

static void sink(void *ctx, enum log_level level, const char *line)
{
	struct seen *seen = ctx;

	seen->lines++;
	seen->level = level;
	strncpy(seen->text, line, sizeof(seen->text) - 1);
}

static void formats_up_to_its_level(void **state)
{
	struct seen seen = {0};
	struct log log = {LOG_WARN, sink, &seen};

	(void)state;
	log_info(&log, "no");
	log_debug(&log, "no");
	assert_int_equal(seen.lines, 0);
	log_warn(&log, "%d of %s", 3, "four");
	assert_int_equal(seen.lines, 1);
	assert_int_equal(seen.level, LOG_WARN);
	assert_string_equal(seen.text, "3 of four");
	log_error(&log, "e");
	assert_int_equal(seen.lines, 2);
	assert_int_equal(seen.level, LOG_ERROR);
	log.level = LOG_DEBUG;
	log_debug(&log, "d");
	log_info(&log, "i");
	assert_int_equal(seen.lines, 4);
	assert_int_equal(seen.level, LOG_INFO);
}

static void keeps_to_one_printable_line(void **state)
{
	struct seen seen = {0};
	struct log log = {LOG_INFO, sink, &seen};

	(void)state;
	log_info(&log, "name %s", "a\nb\x1b[31m\x7f\tc\xc3\xa4");
	assert_string_equal(seen.text, "name a?b?[31m??c\xc3\xa4");
}

static void cuts_long_lines(void **state)
{
	struct seen seen = {0};
	struct log log = {LOG_INFO, sink, &seen};
	char big[1500];

	(void)state;
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	log_info(&log, "%s", big);
	assert_int_equal(strlen(seen.text), 1023);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_up_to_its_level),
		cmocka_unit_test(keeps_to_one_printable_line),
		cmocka_unit_test(cuts_long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
