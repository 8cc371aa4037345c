/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ethernet addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mac.h"

#include <cmocka.h>

static void reads_both_separators(void **state)
{
	struct mac a, b;
	char buf[MAC_TEXT_MAX];

	(void)state;
	assert_int_equal(mac_parse(&a, "02:00:5E:1f:a0:ff"), N2N_OK);
	assert_memory_equal(a.b, "\x02\x00\x5e\x1f\xa0\xff", 6);
	assert_int_equal(mac_parse(&b, "02-00-5e-1F-A0-FF"), N2N_OK);
	assert_true(mac_equal(&a, &b));
	assert_string_equal(mac_format(&a, buf), "02:00:5e:1f:a0:ff");
	b.b[5]--;
	assert_false(mac_equal(&a, &b));
}

static void refuses_everything_else(void **state)
{
	static const char *const cases[] = {"", "0", "02", "02:00:5e:10:00", "02:00:5e:10:00:01:02",
		"02:00:5e:10:00:1", "2:00:5e:10:00:001", "02:00:5e:10:00:0g", "0g:00:5e:10:00:01",
		"02:00-5e:10:00:01", "02.00.5e.10.00.01", "02005e100001", "02:00:5e:10:00:01 ",
		" 2:00:5e:10:00:01", "02:00:5e:10:00-01", "02:00:5e:10:00::1"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mac m = {{1, 2, 3, 4, 5, 6}};

		if (mac_parse(&m, cases[i]) != N2N_EINVAL) {
			fail_msg("\"%s\" was accepted", cases[i]);
		}
		assert_memory_equal(m.b, "\1\2\3\4\5\6", 6);
	}
}

static void tells_the_kinds_apart(void **state)
{
	static const struct mac zero, unicast = {{2}}, group = {{1}}, one = {{0, 0, 0, 0, 0, 1}},
				      broadcast = {{255, 255, 255, 255, 255, 255}};

	(void)state;
	assert_true(mac_is_zero(&zero));
	assert_false(mac_is_zero(&one));
	assert_false(mac_is_group(&zero));
	assert_false(mac_is_group(&unicast));
	assert_true(mac_is_group(&group));
	assert_true(mac_is_group(&broadcast));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_both_separators),
		cmocka_unit_test(refuses_everything_else),
		cmocka_unit_test(tells_the_kinds_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
