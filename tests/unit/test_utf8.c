/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text cut within a character, at each place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

#include <cmocka.h>

/* "a", then characters of 2, 3 and 4 bytes, then "z". */
#define TEXT "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\x9fz"

static void a_cut_text_ends_with_a_whole_character(void **state)
{
	static const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
	char text[sizeof(TEXT)];

	(void)state;
	for (size_t cut = 0; cut < sizeof(TEXT); cut++) {
		memcpy(text, TEXT, sizeof(text));
		text[cut] = 0;
		utf8_trim(text);
		assert_int_equal(strlen(text), whole[cut]);
		assert_memory_equal(text, TEXT, whole[cut]);
	}
}

static void what_is_no_utf8_stays(void **state)
{
	char text[] = "ab\x80\x80\x80\x80";
	char lone[] = "\xbf";

	(void)state;
	utf8_trim(text);
	assert_int_equal(strlen(text), 6);
	utf8_trim(lone);
	assert_int_equal(strlen(lone), 1);
}

/* Bytes of every kind from a stranger: what is shown is UTF-8, and moves nothing on a screen. */
static void what_anybody_says_is_shown_harmless(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{"", ""},
		{"home", "home"},
		{TEXT, TEXT},
		{"a\nb\x1b[2Jc\x7f", "a?b?[2Jc?"},
		{"\"; rm", "?; rm"},
		{"\xc2\x9b"
		 "1m",
			"?1m"}, /* CSI as one character */
		{"\xe2\x80\xae"
		 "gnp",
			"?gnp"}, /* right to left */
		{"\xef\xbb\xbf"
		 "x",
			"?x"},			   /* not seen */
		{"\xc0\xaf", "??"},		   /* a slash, overlong */
		{"\xed\xa0\x80", "???"},	   /* half a surrogate */
		{"\xf4\x90\x80\x80", "????"},	   /* beyond the last */
		{"\xf9\x80\x80\x80\x80", "?????"}, /* of five bytes */
		{"\xe2\x82", "??"},		   /* cut */
		{"\x80\xff", "??"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(utf8_show(out, sizeof(out), rows[i].text), rows[i].shown);
	/* As much as fits, in whole characters. */
	for (size_t cap = 1; cap <= sizeof(TEXT); cap++) {
		char cut[sizeof(TEXT)];

		memcpy(cut, TEXT, sizeof(cut));
		cut[cap - 1] = 0;
		utf8_trim(cut);
		assert_string_equal(utf8_show(out, cap, TEXT), cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_text_ends_with_a_whole_character),
		cmocka_unit_test(what_is_no_utf8_stays),
		cmocka_unit_test(what_anybody_says_is_shown_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
