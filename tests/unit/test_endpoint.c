/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Endpoints: what is read, what is refused, how it is written, what kind it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/endpoint.h"

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct endpoint ep(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(&e, text, 1), N2N_OK);
	return e;
}

static void reads_and_writes_in_canonical_form(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{"1.2.3.4:5", "1.2.3.4:5"},
		{"255.255.255.255:65535", "255.255.255.255:65535"},
		{"0.0.0.0:0", "0.0.0.0:0"},
		{"1.2.3.4", "1.2.3.4:7654"},
		{"::", "[::]:7654"},
		{"::1", "[::1]:7654"},
		{"1::", "[1::]:7654"},
		{"[2001:db8::1]", "[2001:db8::1]:7654"},
		{"[2001:db8::1]:9", "[2001:db8::1]:9"},
		{"2001:db8::1", "[2001:db8::1]:7654"},
		{"[2001:DB8:0:0:0:0:0:1]:1", "[2001:db8::1]:1"},
		{"[2001:0db8:0000:0000:0001:0000:0000:0001]:1", "[2001:db8::1:0:0:1]:1"},
		{"[2001:db8:0:1:1:1:1:1]:1", "[2001:db8:0:1:1:1:1:1]:1"},
		{"[2001:0:0:1:0:0:0:1]:1", "[2001:0:0:1::1]:1"},
		{"[2001:db8::]:1", "[2001:db8::]:1"},
		{"[1:2:3:4:5:6:7:8]:1", "[1:2:3:4:5:6:7:8]:1"},
		{"[1:2:3:4:5:6:7::]:1", "[1:2:3:4:5:6:7:0]:1"},
		{"[::2:3:4:5:6:7:8]:1", "[0:2:3:4:5:6:7:8]:1"},
		{"[1:2:3:4::6:7:8]:1", "[1:2:3:4:0:6:7:8]:1"},
		{"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
			"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
		{"[::ffff:1.2.3.4]:5", "1.2.3.4:5"},
		{"[::ffff:102:304]:5", "1.2.3.4:5"},
		{"[0:0:0:0:0:ffff:1.2.3.4]:5", "1.2.3.4:5"},
		{"[64:ff9b::192.0.2.33]:5", "[64:ff9b::c000:221]:5"},
		{"[1:2:3:4:5:6:7.8.9.10]:5", "[1:2:3:4:5:6:708:90a]:5"},
		{"[::1.2.3.4]:5", "[::102:304]:5"},
		{"[fe80::1]:5", "[fe80::1]:5"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char buf[ENDPOINT_TEXT_MAX];
		struct endpoint e, again;

		assert_int_equal(endpoint_parse(&e, cases[i].in, 7654), N2N_OK);
		assert_string_equal(endpoint_format(&e, buf), cases[i].out);
		assert_int_equal(endpoint_parse(&again, buf, 0), N2N_OK);
		assert_true(endpoint_equal(&e, &again));
	}
}

static void refuses_everything_else(void **state)
{
	static const char *const cases[] = {"", ":", "::", ":5", "1.2.3.4", "2001:db8::1", "[::1]",
		"1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:99999999999", "1.2.3.4:-1", "1.2.3.4:+1",
		"1.2.3.4:05", "1.2.3.4:00", "1.2.3.4: 5", "1.2.3.4:5 ", " 1.2.3.4:5", "1.2.3.4:5x",
		"1.2.3:5", "1.2.3.4.5:5", "1.2.3.256:5", "1.2.3.04:5", "1.2..4:5", ".1.2.3.4:5",
		"1.2.3.4.:5", "0x1.2.3.4:5", "1.2.3.a:5", "4294967297.2.3.4:5", "localhost:5",
		"example.org:5", "[1.2.3.4]:5", "[]:5", "[:]:5", "[:::]:5", "[::1", "[::1:5",
		"::1]:5", "[::1]5", "[::1]x:5", "[::1]:", "[::1]:65536", "[::1]]:5", "[[::1]]:5",
		"[1::2::3]:5", "[1:::2]:5", "[::1::]:5", "[1:2:3:4:5:6:7]:5",
		"[1:2:3:4:5:6:7:8:9]:5", "[1:2:3:4::5:6:7:8]:5", "[::1:2:3:4:5:6:7:8]:5",
		"[1:2:3:4:5:6:7:8::]:5", "[1:2:3:4:5:6:7:]:5", "[1:2:3:4:5:6:7:8:]:5",
		"[:1:2:3:4:5:6:7]:5", "[:1::2]:5", "[12345::]:5", "[g::]:5", "[::g]:5",
		"[::1%eth0]:5", "[1:2:3:4:5:6:7:1.2.3.4]:5", "[1:2:3:4:5:6:7:8:1.2.3.4]:5",
		"[::1.2.3]:5", "[::1.2.3.256]:5", "[::1.2.3.4:5]:5", "[1.2.3.4::]:5",
		"[::ffff:01.2.3.4]:5", "[::a.2.3.4]:5"};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct endpoint e = {.port = 77};

		if (endpoint_parse(&e, cases[i], 0) != N2N_EINVAL) {
			fail_msg("\"%s\" was accepted", cases[i]);
		}
		assert_int_equal(e.port, 77);
	}
}

static void a_default_port_does_not_cure_errors(void **state)
{
	static const char *const cases[] = {"", ":", "1.2.3.4:", "[::1]:", "1.2.3", "[::1",
		"1:2:3:4:5:6:7:8:9", "1:2", "host", "[::1]7"};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct endpoint e;

		if (endpoint_parse(&e, cases[i], 7654) != N2N_EINVAL) {
			fail_msg("\"%s\" was accepted", cases[i]);
		}
	}
}

static void longest_text_fits(void **state)
{
	struct endpoint e = ep("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	char buf[ENDPOINT_TEXT_MAX];

	(void)state;
	assert_true(strlen(endpoint_format(&e, buf)) < ENDPOINT_TEXT_MAX);
	assert_string_equal(endpoint_format_ip(&e, buf), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	e = ep("10.1.2.3:4");
	assert_string_equal(endpoint_format_ip(&e, buf), "10.1.2.3");
}

static void compares(void **state)
{
	struct endpoint a = ep("1.2.3.4:5"), b = ep("1.2.3.4:6"), c = ep("1.2.3.5:5");
	struct endpoint v4 = endpoint_v4(0x01020304, 5);

	(void)state;
	assert_true(endpoint_equal(&a, &v4));
	assert_true(endpoint_is_v4(&v4));
	assert_false(endpoint_equal(&a, &b));
	assert_true(endpoint_same_ip(&a, &b));
	assert_false(endpoint_equal(&a, &c));
	assert_false(endpoint_same_ip(&a, &c));
}

enum {
	V4 = 1,
	NONE = 2,
	USABLE = 4,
	LINK_LOCAL = 8,
	LOOPBACK = 16
};

static void tells_the_kinds_apart(void **state)
{
	static const struct {
		const char *text;
		unsigned kind;
	} cases[] = {
		{"[::]:5", NONE},
		{"0.0.0.0:5", V4 | NONE},
		{"1.2.3.4:5", V4 | USABLE},
		{"1.2.3.4:0", V4},
		{"0.0.0.1:5", V4},
		{"223.255.255.255:5", V4 | USABLE},
		{"224.0.0.1:5", V4},
		{"240.0.0.1:5", V4},
		{"255.255.255.255:5", V4},
		{"127.0.0.1:5", V4 | USABLE | LOOPBACK},
		{"127.255.255.255:5", V4 | USABLE | LOOPBACK},
		{"128.0.0.0:5", V4 | USABLE},
		{"169.254.1.1:5", V4 | USABLE | LINK_LOCAL},
		{"169.253.1.1:5", V4 | USABLE},
		{"[::1]:5", USABLE | LOOPBACK},
		{"[::2]:5", USABLE},
		{"[2001:db8::1]:5", USABLE},
		{"[2001:db8::1]:0", 0},
		{"[fe80::1]:5", USABLE | LINK_LOCAL},
		{"[febf::1]:5", USABLE | LINK_LOCAL},
		{"[fec0::1]:5", USABLE},
		{"[fe7f::1]:5", USABLE},
		{"[ff02::1]:5", 0},
		{"[::ffff:7f00:1]:5", V4 | USABLE | LOOPBACK},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct endpoint e = ep(cases[i].text);
		unsigned kind = 0;

		kind |= endpoint_is_v4(&e) ? V4 : 0;
		kind |= endpoint_is_none(&e) ? NONE : 0;
		kind |= endpoint_is_usable(&e) ? USABLE : 0;
		kind |= endpoint_is_link_local(&e) ? LINK_LOCAL : 0;
		kind |= endpoint_is_loopback(&e) ? LOOPBACK : 0;
		if (kind != cases[i].kind) {
			fail_msg("%s: kind %x, not %x", cases[i].text, kind, cases[i].kind);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes_in_canonical_form),
		cmocka_unit_test(refuses_everything_else),
		cmocka_unit_test(a_default_port_does_not_cure_errors),
		cmocka_unit_test(longest_text_fits),
		cmocka_unit_test(compares),
		cmocka_unit_test(tells_the_kinds_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
