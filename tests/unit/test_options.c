/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests the option parser on a table of its own; the programs' tables have theirs. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/options.h"
#include "conf/values.h"

#include <cmocka.h>

/* A block's struct inside the whole, not at its start. */
struct second {
	unsigned count;
	char secret[32];
};

struct target {
	const char *path;
	const char *path_only_long;
	struct second second;
	bool flag;
};

static int set_secret(void *field, const char *value, char *why, size_t why_cap)
{
	char *secret = field;

	if (strlen(value) > 30)
		return value_wrong(why, why_cap, "is too long; give at most 30 bytes");
	memcpy(secret, value, strlen(value) + 1);
	return 0;
}

static const struct option_spec first_options[] = {
	{
		.name = "path",
		.letter = 'p',
		.arg = "PATH",
		.env = "N2N_TEST_PATH",
		.help = "a path",
		.settings = SETTING_BIT(SETTING_INSTANCE) | SETTING_BIT(SETTING_PORT),
		.field = offsetof(struct target, path),
		.set = value_path,
	},
	{
		.name = "path-only-long",
		.arg = "PATH",
		.help = "another",
		.settings = SETTING_BIT(SETTING_INSTANCE),
		.field = offsetof(struct target, path_only_long),
		.set = value_path,
	},
	{0},
};

static const struct option_spec second_options[] = {
	{
		.name = "secret",
		.letter = 's',
		.arg = "WORD",
		.env = "N2N_TEST_SECRET",
		.help = "a word",
		.flags = OPTION_SECRET,
		.field = offsetof(struct second, secret),
		.set = set_secret,
	},
	{
		.name = "count",
		.letter = 'c',
		.help = "more",
		.flags = OPTION_REPEATABLE,
		.field = offsetof(struct second, count),
		.set = value_count,
	},
	{0},
};

static const struct option_spec flag_options[] = {
	{
		.name = "flag",
		.letter = 'f',
		.help = "not shown",
		.flags = OPTION_HIDDEN,
		.set = value_set_true,
	},
	{0},
};

static const struct option_set set = {
	.program = "prog",
	.usage = "[-c]",
	.blocks = {{"First", first_options, 0},
		{"Second", second_options, offsetof(struct target, second)},
		{NULL, flag_options, offsetof(struct target, flag)}},
	.epilogue = "That is all.\n",
};

#define WORDS_MAX 8

/* Parses a copy of words, which ends with NULL; argv must be writable. */
static char copies[WORDS_MAX][128];

static int parse(struct target *t, struct conf_error *err, const char *const words[WORDS_MAX])
{
	char *argv[WORDS_MAX + 2] = {copies[0]};
	int argc = 1;

	strcpy(copies[0], "prog");
	for (; words[argc - 1] != NULL; argc++) {
		strcpy(copies[argc], words[argc - 1]);
		argv[argc] = copies[argc];
	}
	memset(t, 0, sizeof(*t));
	memset(err, 0, sizeof(*err));
	return options_from_args(&set, argc, argv, t, err);
}

#define PARSE(...) parse(&t, &err, (const char *const[WORDS_MAX]){__VA_ARGS__})

static void options_are_taken_in_each_form(void **state)
{
	struct target t;
	struct conf_error err;

	(void)state;
	assert_int_equal(PARSE(NULL), 0);
	assert_int_equal(PARSE("-p", "/a", "-ccf", "--count"), 0);
	assert_string_equal(t.path, "/a");
	assert_int_equal(t.second.count, 3);
	assert_true(t.flag);
	assert_int_equal(PARSE("--path=/b", "-cp/c"), 0);
	assert_string_equal(t.path, "/c");
	assert_int_equal(PARSE("--path-only-long", "/d"), 0);
	assert_null(t.path);
	assert_string_equal(t.path_only_long, "/d");
	assert_int_equal(PARSE("--cou", "--path", "-p"), 0); /* values may look like options */
	assert_string_equal(t.path, "-p");
	assert_int_equal(t.second.count, 1);
	assert_int_equal(PARSE("-c", "--"), 0);
}

static void what_is_wrong_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *text;
	} rows[] = {
		{{"-p", ""}, "option -p: \"\" is no path; give one that is not empty"},
		{{"--path="}, "option --path: \"\" is no path; give one that is not empty"},
		{{"-p"}, "option -p: PATH is missing; try \"prog --help\""},
		{{"--path"}, "option --path: PATH is missing; try \"prog --help\""},
		{{"--count=3"}, "option --count takes no argument; try \"prog --help\""},
		{{"-x"}, "unknown option -x; try \"prog --help\""},
		{{"-cx"}, "unknown option -x; try \"prog --help\""},
		{{"--pat=x"}, "option --pat is ambiguous; write --path or --path-only-long"},
		{{"--secert", "a"},
			"unknown option --secert; did you mean --secret? try \"prog --help\""},
		{{"--secert=hush"},
			"unknown option --secert; did you mean --secret? try \"prog --help\""},
		{{"--conut"}, "unknown option --conut; did you mean --count? try \"prog --help\""},
		{{"--flga"}, "unknown option --flga; try \"prog --help\""}, /* hidden */
		{{"--nothing-like-it"}, "unknown option --nothing-like-it; try \"prog --help\""},
		{{"--=x"}, "unknown option --; try \"prog --help\""},
		{{"-c", "word"},
			"unexpected argument \"word\"; prog takes options only, try \"prog "
			"--help\""},
		{{"a\nb\x1b[1m"},
			"unexpected argument \"a?b?[1m\"; prog takes options only, try \"prog "
			"--help\""},
		{{"-p", "-c", "word"},
			"option -p: PATH is missing, it took \"-c\" for that; try \"prog --help\""},
		{{"-p", "-x", "word"}, /* no option of this program */
			"unexpected argument \"word\"; prog takes options only, try \"prog "
			"--help\""},
		{{"-s", "my", "passphrase"},
			"unexpected argument after the value of --secret; put a value that holds "
			"blanks in quotes"},
		{{"-s", "0123456789012345678901234567890"},
			"option -s: the value is too long; give at most 30 bytes"},
		{{"--secret", "0123456789012345678901234567890"},
			"option --secret: the value is too long; give at most 30 bytes"},
	};
	struct target t;
	struct conf_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(&t, &err, rows[i].words), N2N_EINVAL);
		assert_string_equal(err.text, rows[i].text);
	}
}

static void long_words_are_cut_in_errors(void **state)
{
	char word[120] = "--";
	struct target t;
	struct conf_error err;

	(void)state;
	memset(word + 2, 'p', sizeof(word) - 3);
	assert_int_equal(PARSE(word), N2N_EINVAL);
	assert_non_null(strstr(err.text, "ppp...; try"));
	assert_int_equal(PARSE(word + 2), N2N_EINVAL);
	assert_true(strlen(err.text) < 160);
}

static void a_quoted_value_cannot_command_a_terminal(void **state)
{
	char buf[CONF_QUOTED_CAP], value[200] = "", expected[CONF_QUOTED_CAP];

	(void)state;
	assert_string_equal(conf_quote(buf, ""), "\"\"");
	assert_string_equal(conf_quote(buf, "a\x1b[1m"), "\"a?[1m\"");
	memset(value, 'x', 64);
	snprintf(expected, sizeof(expected), "\"%s\"", value);
	assert_string_equal(conf_quote(buf, value), expected);
	snprintf(expected, sizeof(expected), "\"%s...\" (67 bytes)", value);
	memcpy(value + 64, "xyz", 4);
	assert_string_equal(conf_quote(buf, value), expected);

	/* A character that would be cut is left out. */
	memcpy(value + 62, "\xe2\x82\xac", 4);
	snprintf(expected, sizeof(expected), "\"%.62s...\" (65 bytes)", value);
	assert_string_equal(conf_quote(buf, value), expected);
}

static void secrets_leave_argv(void **state)
{
	struct target t;
	struct conf_error err;

	(void)state;
	assert_int_equal(PARSE("-s", "hush", "--secret=hush2", "-cshush3"), 0);
	assert_string_equal(t.second.secret, "hush3");
	assert_string_equal(copies[2], "");
	assert_string_equal(copies[3], "--secret=");
	assert_string_equal(copies[4], "-cs");
	assert_int_equal(copies[3][strlen("--secret=hush")], 0);

	assert_int_equal(PARSE("--secret", "0123456789012345678901234567890"), N2N_EINVAL);
	assert_string_equal(copies[2], "");
}

static void arguments_override_the_environment(void **state)
{
	struct target t = {0};
	struct conf_error err;

	(void)state;
	unsetenv("N2N_TEST_PATH");
	setenv("N2N_TEST_SECRET", "", 1);
	assert_int_equal(options_from_env(&set, &t, &err), 0);
	assert_null(t.path);
	assert_string_equal(t.second.secret, "");

	setenv("N2N_TEST_PATH", "/env", 1);
	setenv("N2N_TEST_SECRET", "word", 1);
	assert_int_equal(options_from_env(&set, &t, &err), 0);
	assert_string_equal(t.path, "/env");
	assert_string_equal(t.second.secret, "word");

	setenv("N2N_TEST_SECRET", "0123456789012345678901234567890", 1);
	assert_int_equal(options_from_env(&set, &t, &err), N2N_EINVAL);
	assert_string_equal(
		err.text, "variable N2N_TEST_SECRET: the value is too long; give at most 30 bytes");
}

static void help_comes_of_the_rows(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	assert_non_null(f);
	options_help(&set, f);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(text, "Usage: prog [-c]\n"
				  "\n"
				  "First:\n"
				  "  -p, --path PATH            a path; or $N2N_TEST_PATH\n"
				  "      --path-only-long PATH  another\n"
				  "\n"
				  "Second:\n"
				  "  -s, --secret WORD          a word; or $N2N_TEST_SECRET\n"
				  "  -c, --count                more; repeatable\n"
				  "\n"
				  "That is all.\n");
	free(text);
}

static void numbers_are_decimal_and_within_limits(void **state)
{
	unsigned n = 7;

	(void)state;
	assert_true(value_number(&n, "0", 0, 10));
	assert_int_equal(n, 0);
	assert_true(value_number(&n, "0010", 0, 10));
	assert_int_equal(n, 10);
	assert_true(value_number(&n, "4294967295", 0, UINT32_MAX));
	assert_int_equal(n, UINT32_MAX);
	assert_false(value_number(&n, "4294967296", 0, UINT32_MAX));
	assert_false(value_number(&n, "18446744073709551617", 0, 10));
	assert_false(value_number(&n, "11", 0, 10));
	assert_false(value_number(&n, "4", 5, 10));
	assert_false(value_number(&n, "", 0, 10));
	assert_false(value_number(&n, "-1", 0, 10));
	assert_false(value_number(&n, "+1", 0, 10));
	assert_false(value_number(&n, " 1", 0, 10));
	assert_false(value_number(&n, "1 ", 0, 10));
	assert_false(value_number(&n, "0x1", 0, 10));
}

static void text_is_utf8_without_control_characters(void **state)
{
	static const char *const good[] = {"", "a b~", "\xc2\xa0", "\xc3\xa9", "\xe2\x82\xac",
		"\xef\xbf\xbd", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x9f\x98\x80",
		"\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\t", "a\n", "\x7f", "\x80", "\xbf", "\xc2", "\xc2\x80",
		"\xc2\x9f", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xe2\x82",
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x9f\x98",
		"\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xc3(", "\xe2(\xa1"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(value_is_printable(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(value_is_printable(bad[i]));
}

static void an_error_is_told_how_to_choose_otherwise(void **state)
{
	char buf[OPTIONS_HINT_CAP];

	(void)state;
	assert_string_equal(options_hint(buf, &set, SETTING_PORT), " (option -p)");
	assert_string_equal(
		options_hint(buf, &set, SETTING_INSTANCE), " (option -p or --path-only-long)");
	assert_string_equal(options_hint(buf, &set, SETTING_WORKERS), "");
	assert_string_equal(options_hint(buf, &set, SETTING_NONE), "");
	assert_string_equal(options_hint(buf, NULL, SETTING_PORT), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_taken_in_each_form),
		cmocka_unit_test(what_is_wrong_is_refused_with_the_reason),
		cmocka_unit_test(long_words_are_cut_in_errors),
		cmocka_unit_test(a_quoted_value_cannot_command_a_terminal),
		cmocka_unit_test(secrets_leave_argv),
		cmocka_unit_test(arguments_override_the_environment),
		cmocka_unit_test(help_comes_of_the_rows),
		cmocka_unit_test(an_error_is_told_how_to_choose_otherwise),
		cmocka_unit_test(numbers_are_decimal_and_within_limits),
		cmocka_unit_test(text_is_utf8_without_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
