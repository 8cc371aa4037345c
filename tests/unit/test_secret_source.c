/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests the names of places where secrets are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "conf/secret_source.h"

#include <cmocka.h>

static void places_are_told_from_secrets(void **state)
{
	static const struct {
		const char *text, *name;
		enum secret_source_kind kind;
	} rows[] = {
		{"file:a b", "a b", SECRET_FILE},
		{"file:/x", "/x", SECRET_FILE},
		{"env:N2N_KEY", "N2N_KEY", SECRET_ENV},
		{"fd:0", "0", SECRET_FD},
		{"fd:65535", "65535", SECRET_FD},
		{"cred:n2n.key", "n2n.key", SECRET_CRED},
		{"file", NULL, SECRET_GIVEN},
		{"FILE:x", NULL, SECRET_GIVEN},
		{" fd:3", NULL, SECRET_GIVEN},
		{"credential:x", NULL, SECRET_GIVEN},
		{"", NULL, SECRET_GIVEN},
	};
	struct secret_source s;
	char why[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(secret_source_parse(&s, rows[i].text, why, sizeof(why)), 0);
		assert_int_equal(s.kind, rows[i].kind);
		assert_int_equal(secret_source_is(rows[i].text), rows[i].kind != SECRET_GIVEN);
		if (rows[i].name != NULL)
			assert_string_equal(s.name, rows[i].name);
	}
	assert_int_equal(secret_source_parse(&s, "fd:17", why, sizeof(why)), 0);
	assert_int_equal(s.fd, 17);
}

static void wrong_places_are_told(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"file:", "names no file; give file:PATH"},
		{"env:", "names no variable of the environment; give env:NAME"},
		{"env:A=B", "names no variable of the environment; give env:NAME"},
		{"fd:", "names no open file; give fd:N with its number, e.g. fd:3"},
		{"fd:-1", "names no open file; give fd:N with its number, e.g. fd:3"},
		{"fd:65536", "names no open file; give fd:N with its number, e.g. fd:3"},
		{"fd:3x", "names no open file; give fd:N with its number, e.g. fd:3"},
		{"cred:", "names no credential; give cred:NAME as in LoadCredential=NAME:... of "
			  "the unit"},
		{"cred:../x", "names no credential; give cred:NAME as in LoadCredential=NAME:... "
			      "of the unit"},
		{"cred:a/b", "names no credential; give cred:NAME as in LoadCredential=NAME:... of "
			     "the unit"},
	};
	struct secret_source s;
	char why[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			secret_source_parse(&s, rows[i].text, why, sizeof(why)), N2N_EINVAL);
		assert_string_equal(why, rows[i].why);
		assert_true(secret_source_is(rows[i].text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_told_from_secrets),
		cmocka_unit_test(wrong_places_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
