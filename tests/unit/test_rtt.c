/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Round trips for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rtt.h"

#include <cmocka.h>

static void a_round_trip_has_a_fitting_unit(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} cases[] = {
		{0, "0.00 ms"},
		{42, "0.04 ms"},
		{214, "0.21 ms"},
		{994, "0.99 ms"},
		{995, "1.0 ms"},
		{4650, "4.7 ms"},
		{9949, "9.9 ms"},
		{9950, "10 ms"},
		{12499, "12 ms"},
		{12500, "13 ms"},
		{132000, "132 ms"},
		{UINT64_MAX, "18446744073709552 ms"},
	};
	char buf[RTT_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(rtt_format(cases[i].us, buf), cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_round_trip_has_a_fitting_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
