/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Base32: the vectors of RFC 4648, section 10, without their padding, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/base32.h"

#include <cmocka.h>

static const struct {
	const char *data;
	const char *text;
} rfc4648[] = {
	{"", ""},
	{"f", "my"},
	{"fo", "mzxq"},
	{"foo", "mzxw6"},
	{"foob", "mzxw6yq"},
	{"fooba", "mzxw6ytb"},
	{"foobar", "mzxw6ytboi"},
};

static void agrees_with_rfc4648(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rfc4648) / sizeof(rfc4648[0]); i++) {
		size_t len = strlen(rfc4648[i].data);
		uint8_t data[8] = {0};
		char text[16];

		memcpy(data, rfc4648[i].data, len);
		base32_encode(text, data, len);
		assert_string_equal(text, rfc4648[i].text);
		assert_int_equal(strlen(text), BASE32_LEN(len));
		memset(data, 0, sizeof(data));
		assert_int_equal(base32_decode(data, len, text, strlen(text)), N2N_OK);
		assert_memory_equal(data, rfc4648[i].data, len);
	}
}

static void takes_either_case_and_all_bytes(void **state)
{
	uint8_t data[256], back[256];
	char text[BASE32_LEN(256) + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] = (uint8_t)(i * 167);
	}
	base32_encode(text, data, sizeof(data));
	for (size_t i = 0; text[i]; i += 2) {
		if (text[i] >= 'a' && text[i] <= 'z') {
			text[i] = (char)(text[i] - 'a' + 'A');
		}
	}
	assert_int_equal(base32_decode(back, sizeof(back), text, strlen(text)), N2N_OK);
	assert_memory_equal(back, data, sizeof(data));
}

static void refuses_what_no_encoder_writes(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {
		{"my", 2},   /* too short */
		{"mzxq", 1}, /* too long */
		{"m", 0},    /* nothing to decode to */
		{"m", 1},    /* one character holds no byte */
		{"mz", 1},   /* spare bits set */
		{"mzxr", 2}, /* the same */
		{"m1", 1},   /* 0, 1, 8 and 9 are not of the alphabet */
		{"m0", 1},
		{"m8", 1},
		{"m9", 1},
		{"m=", 1},
		{"m ", 1},
		{"m\xc1", 1},
		{"m@", 1},
		{"m[", 1},
		{"m`", 1},
		{"m{", 1},
	};
	uint8_t data[4];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = cases[i].text;

		if (base32_decode(data, cases[i].len, text, strlen(text)) != N2N_EINVAL) {
			fail_msg("\"%s\" was accepted for %zu bytes", text, cases[i].len);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_rfc4648),
		cmocka_unit_test(takes_either_case_and_all_bytes),
		cmocka_unit_test(refuses_what_no_encoder_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
