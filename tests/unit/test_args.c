/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests what is left of a command line with a secret in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/args.h"

#include <cmocka.h>

#define WORDS_MAX 8
#define CAP	  256

/* Words laid one behind the other, as the kernel does it. */
struct line {
	char text[CAP];
	size_t len;
	int argc;
	char *argv[WORDS_MAX + 1];
};

static void lay(struct line *l, const char *const *words)
{
	memset(l, 0, sizeof(*l));
	for (; *words != NULL; words++) {
		l->argv[l->argc++] = strcpy(l->text + l->len, *words);
		l->len += strlen(*words) + 1;
	}
}

/* Shows the words with the one wiped from its byte number at on; returns what the kernel shows. */
static const char *shown(struct line *l, int word, size_t at)
{
	char **copy = args_copy(l->argc, l->argv);

	assert_non_null(copy);
	assert_null(copy[l->argc]);
	for (int i = 0; i < l->argc; i++)
		assert_string_equal(copy[i], l->argv[i]);
	memset(copy[word] + at, 0, strlen(copy[word] + at));
	args_show(l->argc, l->argv, copy);
	free(copy);
	assert_int_not_equal(l->text[l->len - 1], 0);
	for (size_t i = l->len; i < CAP; i++)
		assert_int_equal(l->text[i], 0);
	return l->text;
}

static void a_secret_leaves_no_length(void **state)
{
	static const char *const secrets[] = {"x", "encryptme", "a much longer pass phrase"};
	struct line l;
	char both[64];

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		const char *apart[] = {"edge", "-k", secrets[i], "-c", "net", NULL};
		const char *joined[] = {"edge", "-c", "net", both, NULL};

		lay(&l, apart);
		assert_string_equal(shown(&l, 2, 0), "edge -k -c net");
		lay(&l, (const char *[]){"edge", "-k", secrets[i], NULL});
		assert_string_equal(shown(&l, 2, 0), "edge -k");
		snprintf(both, sizeof(both), "-k%s", secrets[i]);
		lay(&l, joined);
		assert_string_equal(shown(&l, 3, 2), "edge -c net -k");
		snprintf(both, sizeof(both), "--key=%s", secrets[i]);
		lay(&l, joined);
		assert_string_equal(shown(&l, 3, 6), "edge -c net --key=");
	}
}

static void nothing_of_it_stays_behind_the_title(void **state)
{
	static const char *const words[] = {"edge", "-k", "QQQQQQQQQQQQQQQQQQQQQQQQ", NULL};
	struct line l;

	(void)state;
	lay(&l, words);
	(void)shown(&l, 2, 0);
	assert_null(memchr(l.text, 'Q', sizeof(l.text)));
}

static void words_without_a_secret_stay_as_they_are(void **state)
{
	static const char *const words[] = {"supernode", "", "-l", "7654", NULL};
	struct line l, before;
	char **copy;

	(void)state;
	lay(&l, words);
	memcpy(before.text, l.text, sizeof(l.text));
	copy = args_copy(l.argc, l.argv);
	args_show(l.argc, l.argv, copy);
	free(copy);
	assert_memory_equal(before.text, l.text, sizeof(l.text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_leaves_no_length),
		cmocka_unit_test(nothing_of_it_stays_behind_the_title),
		cmocka_unit_test(words_without_a_secret_stay_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
