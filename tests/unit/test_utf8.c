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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_text_ends_with_a_whole_character),
		cmocka_unit_test(what_is_no_utf8_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
