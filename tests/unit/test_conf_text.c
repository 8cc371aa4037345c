/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests how lines of a configuration file are read, right and wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_text.h"

#include <cmocka.h>

/* A text on the heap, with no byte too many, for the sanitizers to see. */
struct text {
	char *bytes;
	struct conf_text t;
	struct conf_line line;
	unsigned number;
	struct conf_error err;
};

static int start(struct text *x, const char *bytes, size_t len)
{
	x->bytes = malloc(len + 1);
	assert_non_null(x->bytes);
	memcpy(x->bytes, bytes, len);
	return conf_text_init(&x->t, x->bytes, len, &x->number, &x->err);
}

/* Reads the only line of a text. */
static void read_one(struct text *x, const char *bytes)
{
	assert_int_equal(start(x, bytes, strlen(bytes)), 0);
	assert_true(conf_text_next(&x->t, &x->line));
}

static void end(struct text *x)
{
	struct conf_line more;

	assert_false(conf_text_next(&x->t, &more));
	free(x->bytes);
}

static void options_have_names_and_values(void **state)
{
	static const struct {
		const char *line, *name, *value;
	} rows[] = {
		{"mtu 1300", "mtu", "1300"},
		{"mtu=1300", "mtu", "1300"},
		{"mtu = 1300", "mtu", "1300"},
		{"\t mtu\t1300 \t", "mtu", "1300"},
		{"mtu 1300\r", "mtu", "1300"},
		{"bridge", "bridge", NULL},
		{"bridge=", "bridge", ""},
		{"key two words", "key", "two words"},
		{"key \"two words\"", "key", "two words"},
		{"key=\" # \\\" \\\\ \\n \"", "key", " # \" \\ \\n "},
		{"key \"\"", "key", ""},
		{"key a#b", "key", "a#b"},
		{"key a=b", "key", "a=b"},
		{"key a\"b", "key", "a\"b"},
		{"=x", "", "x"},
		{"--mtu 1300", "mtu", "1300"},
		{"--mtu=1300", "mtu", "1300"},
		{"--mtu", "mtu", NULL},
		{"--key \"a\" #b", "key", "\"a\" #b"},
	};
	struct text x;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		read_one(&x, rows[i].line);
		assert_string_equal(x.line.why, "");
		assert_int_equal(x.line.kind, CONF_LINE_OPTION);
		assert_int_equal(x.line.dashed, rows[i].line[0] == '-');
		assert_int_equal(x.line.letter, 0);
		assert_string_equal(x.line.name, rows[i].name);
		if (rows[i].value == NULL)
			assert_null(x.line.value);
		else
			assert_string_equal(x.line.value, rows[i].value);
		end(&x);
	}
}

/* As n2n 2 and 3 read them. */
static void letters_have_values_as_they_stand(void **state)
{
	static const struct {
		const char *line, *value;
	} rows[] = {
		{"-k=secret", "secret"},
		{"-k secret", "secret"},
		{"-k \t secret", "secret"},
		{"-ksecret", "secret"},
		{"-k=a=b c # d", "a=b c # d"},
		{"-k=\"a\"", "\"a\""},
		{"-k==", "="},
		{"-k", NULL},
		{"  -k=x  ", "x"},
		{"-k=", ""},
	};
	struct text x;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		read_one(&x, rows[i].line);
		assert_string_equal(x.line.why, "");
		assert_true(x.line.dashed);
		assert_int_equal(x.line.letter, 'k');
		if (rows[i].value == NULL)
			assert_null(x.line.value);
		else
			assert_string_equal(x.line.value, rows[i].value);
		end(&x);
	}
}

static void blocks_have_names(void **state)
{
	static const struct {
		const char *line, *name, *value;
	} rows[] = {
		{"[community office]", "community", "office"},
		{" [ community  my net ] ", "community", "my net"},
		{"[community \"a ] \\\" b\"]", "community", "a ] \" b"},
		{"[community]", "community", NULL},
		{"[]", "", NULL},
		{"[x]\r", "x", NULL},
	};
	struct text x;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		read_one(&x, rows[i].line);
		assert_string_equal(x.line.why, "");
		assert_int_equal(x.line.kind, CONF_LINE_BLOCK);
		assert_string_equal(x.line.name, rows[i].name);
		if (rows[i].value == NULL)
			assert_null(x.line.value);
		else
			assert_string_equal(x.line.value, rows[i].value);
		end(&x);
	}
}

static void wrong_lines_are_told(void **state)
{
	static const struct {
		const char *line, *why;
		enum conf_line_kind kind;
	} rows[] = {
		{"key \"x", "the quote at the start", CONF_LINE_OPTION},
		{"key \"x\\\"", "the quote at the start", CONF_LINE_OPTION},
		{"key \"x\" y", "something follows the value", CONF_LINE_OPTION},
		{"address 10.0.0.1 # home", "\"#\" in the value", CONF_LINE_OPTION},
		{"address 10.0.0.1\t#home", "\"#\" in the value", CONF_LINE_OPTION},
		{"-", "a dash without an option", CONF_LINE_OPTION},
		{"--", "a dash without an option", CONF_LINE_OPTION},
		{"--=x", "a dash without an option", CONF_LINE_OPTION},
		{"key a\x1b[2J", "a control character", CONF_LINE_OPTION},
		{"key a\rb", "a control character", CONF_LINE_OPTION},
		{"[", "a block has no \"]\"", CONF_LINE_BLOCK},
		{"[community a", "a block has no \"]\"", CONF_LINE_BLOCK},
		{"[community a] x", "a block has no \"]\"", CONF_LINE_BLOCK},
		{"[community \"a]", "the quote at the start", CONF_LINE_BLOCK},
		{"[community \"a\"b]", "something follows the name", CONF_LINE_BLOCK},
		{"[\"community\" a]", "a block starts with its kind", CONF_LINE_BLOCK},
	};
	struct text x;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		read_one(&x, rows[i].line);
		assert_non_null(strstr(x.line.why, rows[i].why));
		assert_int_equal(x.line.kind, rows[i].kind);
		end(&x);
	}
}

static void lines_are_counted_whatever_ends_them(void **state)
{
	static const char bytes[] = "\xef\xbb\xbf# first\r\n\r\na 1\r\n  \t\n\t# x\nb\n\n[c]";
	static const unsigned numbers[] = {3, 6, 8};
	struct text x;

	(void)state;
	assert_int_equal(start(&x, bytes, sizeof(bytes) - 1), 0);
	assert_true(conf_text_has_block(&x.t));
	for (size_t i = 0; i < 3; i++) {
		assert_true(conf_text_next(&x.t, &x.line));
		assert_int_equal(x.line.number, numbers[i]);
	}
	assert_false(conf_text_has_block(&x.t));
	end(&x);
}

static void a_bracket_in_a_line_is_no_block(void **state)
{
	struct text x;

	(void)state;
	assert_int_equal(start(&x, "supernode [::1]:1\n#[a]\n", 23), 0);
	assert_false(conf_text_has_block(&x.t));
	free(x.bytes);
	assert_int_equal(start(&x, "a\n \t[b]", 7), 0);
	assert_true(conf_text_has_block(&x.t));
	free(x.bytes);
}

static void a_line_may_have_so_many_characters(void **state)
{
	char bytes[CONF_LINE_MAX + 2];
	struct text x;

	(void)state;
	memset(bytes, 'a', sizeof(bytes));
	bytes[1] = ' ';
	bytes[CONF_LINE_MAX] = 0;
	read_one(&x, bytes);
	assert_string_equal(x.line.why, "");
	assert_int_equal(strlen(x.line.value), CONF_LINE_MAX - 2);
	end(&x);
	bytes[CONF_LINE_MAX] = 'a';
	bytes[CONF_LINE_MAX + 1] = 0;
	read_one(&x, bytes);
	assert_string_equal(x.line.why, "the line has 4097 characters, which is more than 4096; "
					"check that it is the right file");
	end(&x);
}

static void what_is_no_text_is_refused_with_its_line(void **state)
{
	struct text x;

	(void)state;
	assert_int_equal(start(&x, "a\nb\nc\0d", 7), N2N_EINVAL);
	assert_int_equal(x.number, 3);
	assert_non_null(strstr(x.err.text, "a byte of zero"));
	free(x.bytes);
	assert_int_equal(start(&x,
				 "\xff\xfe"
				 "a\0",
				 4),
		N2N_EINVAL);
	assert_non_null(strstr(x.err.text, "is in UTF-16"));
	free(x.bytes);
	assert_int_equal(start(&x, "a\0b\0", 4), N2N_EINVAL);
	assert_non_null(strstr(x.err.text, "is in UTF-16"));
	free(x.bytes);
}

static void nothing_says_nothing(void **state)
{
	static const char *const texts[] = {"", "\n", "\r\n\r\n", "# x", "\xef\xbb\xbf", " \t"};
	struct text x;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(start(&x, texts[i], strlen(texts[i])), 0);
		end(&x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_have_names_and_values),
		cmocka_unit_test(letters_have_values_as_they_stand),
		cmocka_unit_test(blocks_have_names),
		cmocka_unit_test(wrong_lines_are_told),
		cmocka_unit_test(lines_are_counted_whatever_ends_them),
		cmocka_unit_test(a_bracket_in_a_line_is_no_block),
		cmocka_unit_test(a_line_may_have_so_many_characters),
		cmocka_unit_test(what_is_no_text_is_refused_with_its_line),
		cmocka_unit_test(nothing_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
