/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every error code has a text of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

#include <cmocka.h>

static void texts_are_distinct(void **state)
{
	(void)state;
	for (int a = N2N_OK; a >= N2N_EMSGSIZE; a--) {
		assert_string_not_equal(n2n_err_text(a), n2n_err_text(1));
		for (int b = N2N_OK; b > a; b--) {
			assert_string_not_equal(n2n_err_text(a), n2n_err_text(b));
		}
	}
	assert_string_equal(n2n_err_text(1), n2n_err_text(-1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(texts_are_distinct)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
