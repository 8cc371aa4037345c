/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way of a community's secret into an edge: from each place, with each warning and refusal. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/secret.h"

#include <cmocka.h>

#define STRONG "correct horse battery staple"
#define WEAK   "encryptme"

/* As random bytes are. */
static const struct community_key key = {
	{0x1f, 0x8a, 0x3c, 0xd7, 0x62, 0xe9, 0x04, 0xbb, 0x57, 0x90, 0x2e, 0xf3, 0x6d, 0xa8, 0x41,
		0xc6},
	{0x93, 0x0e, 0x7b, 0xd2, 0x48, 0xaf, 0x65, 0x1c, 0xf0, 0x39, 0x86, 0xcb, 0x52, 0xe7, 0x1d,
		0xa4, 0x70, 0x2b, 0xde, 0x95, 0x68, 0x33, 0xf9, 0x0c, 0xb6, 0x4f, 0x81, 0xea, 0x27,
		0x5d, 0xc2, 0x98},
};

struct fixture {
	struct secret secret;
	struct community_conf conf;
	struct log log;
	struct os_error err;
	char warnings[2048]; /* a line each */
	unsigned n_warnings;
	char dir[64], file[80];
	char key_text[COMMUNITY_KEY_TEXT_LEN + 1];
};

static void take_line(void *ctx, enum log_level level, const char *line)
{
	struct fixture *f = ctx;
	size_t len = strlen(f->warnings);

	assert_int_equal(level, LOG_WARN);
	snprintf(f->warnings + len, sizeof(f->warnings) - len, "%s\n", line);
	f->n_warnings++;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->log = (struct log){.level = LOG_DEBUG, .sink = take_line, .ctx = f};
	f->conf.name = "mynetwork";
	snprintf(f->dir, sizeof(f->dir), "/tmp/n2n-secret-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->file, sizeof(f->file), "%s/key", f->dir);
	community_key_format(&key, f->key_text);
	*state = f;
	return unsetenv("N2N_KEY");
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->file);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static void write_file(const struct fixture *f, const char *text, mode_t mode)
{
	FILE *to = fopen(f->file, "w");

	assert_non_null(to);
	assert_true(fputs(text, to) >= 0);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(chmod(f->file, mode), 0);
}

static int read_secret(struct fixture *f)
{
	int rc = secret_read(&f->secret, &f->conf, &f->log, &f->err);

	secret_forget(&f->conf);
	return rc;
}

/* As edge_conf_parse leaves it, whether it came with -k or in the environment. */
static int read_given(struct fixture *f, const char *text)
{
	const char *env = getenv("N2N_KEY");

	strcpy(f->conf.key, text);
	f->conf.key_place =
		env != NULL && strcmp(env, text) == 0 ? KEY_IN_ENVIRONMENT : KEY_IN_ARGUMENTS;
	return read_secret(f);
}

static int read_file(struct fixture *f, const char *path)
{
	f->conf.key_file = path;
	return read_secret(f);
}

static void assert_zero(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		assert_int_equal(p[i], 0);
}

static void assert_warned(const struct fixture *f, const char *text)
{
	assert_int_equal(f->n_warnings, 1);
	assert_non_null(strstr(f->warnings, text));
}

static void assert_is_key(const struct fixture *f)
{
	assert_true(f->secret.is_key);
	assert_memory_equal(&f->secret.key, &key, sizeof(key));
	/* Its text is of no use any more. */
	assert_zero(f->secret.passphrase, sizeof(f->secret.passphrase));
}

/* ---- where it comes from ---- */

static void what_came_with_an_option_is_warned_about_and_wiped(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_given(f, STRONG), 0);
	assert_warned(f, "-k shows the key to other users of this host");
	assert_false(f->secret.is_key);
	assert_string_equal(f->secret.passphrase, STRONG);
	assert_zero(f->conf.key, sizeof(f->conf.key));
}

static void what_came_in_the_environment_is_wiped_there(void **state)
{
	struct fixture *f = *state;
	char *env;

	assert_int_equal(setenv("N2N_KEY", STRONG, 1), 0);
	env = getenv("N2N_KEY");
	assert_int_equal(read_given(f, STRONG), 0);
	assert_int_equal(f->n_warnings, 0);
	assert_string_equal(f->secret.passphrase, STRONG);
	assert_zero(f->conf.key, sizeof(f->conf.key));
	assert_ptr_equal(getenv("N2N_KEY"), env);
	assert_zero(env, sizeof(STRONG));
}

static void what_an_option_overrides_is_wiped_as_well(void **state)
{
	struct fixture *f = *state;
	char *env;

	assert_int_equal(setenv("N2N_KEY", "another passphrase altogether", 1), 0);
	env = getenv("N2N_KEY");
	assert_int_equal(read_given(f, STRONG), 0);
	assert_warned(f, "-k shows the key");
	assert_string_equal(f->secret.passphrase, STRONG);
	assert_zero(env, sizeof("another passphrase altogether"));
}

static void a_file_is_read_without_its_newline(void **state)
{
	struct fixture *f = *state;

	write_file(f, STRONG "\n", 0600);
	assert_int_equal(read_file(f, f->file), 0);
	assert_int_equal(f->n_warnings, 0);
	assert_false(f->secret.is_key);
	assert_string_equal(f->secret.passphrase, STRONG);
}

static void a_file_wipes_the_environment_too(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(setenv("N2N_KEY", WEAK, 1), 0);
	write_file(f, STRONG, 0600);
	assert_int_equal(read_file(f, f->file), 0);
	assert_string_equal(f->secret.passphrase, STRONG);
	assert_string_equal(getenv("N2N_KEY"), "");
}

static void a_file_open_to_others_is_warned_about(void **state)
{
	static const mode_t open_modes[] = {0640, 0604, 0620, 0602};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(open_modes) / sizeof(open_modes[0]); i++) {
		f->n_warnings = 0;
		write_file(f, STRONG "\n", open_modes[i]);
		assert_int_equal(read_file(f, f->file), 0);
		assert_warned(f, "others can read or change the file");
		assert_non_null(strstr(f->warnings, f->file));
	}
}

static void standard_input_is_read(void **state)
{
	struct fixture *f = *state;
	int ends[2], before = dup(STDIN_FILENO);

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(
		write(ends[1], f->key_text, strlen(f->key_text)), (ssize_t)strlen(f->key_text));
	assert_int_equal(write(ends[1], "\n", 1), 1);
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(read_file(f, "-"), 0);
	if (before >= 0)
		assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	close(before);
	close(ends[0]);
	assert_int_equal(f->n_warnings, 0);
	assert_is_key(f);
}

static void a_file_that_is_not_there_is_named(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_file(f, f->file), N2N_ENOENT);
	assert_non_null(strstr(f->err.text, f->file));
	assert_zero(f->secret.passphrase, sizeof(f->secret.passphrase));
}

static void a_file_too_long_for_a_secret_is_refused(void **state)
{
	struct fixture *f = *state;
	char text[COMMUNITY_SECRET_MAX + 2];

	memset(text, 'x', sizeof(text));
	text[COMMUNITY_SECRET_MAX + 1] = 0;
	write_file(f, text, 0600);
	assert_int_equal(read_file(f, f->file), N2N_ENOSPC);
	assert_zero(f->secret.passphrase, sizeof(f->secret.passphrase));
}

/* ---- places that are named ---- */

/* What -k, -K and a line of a file say alike. */
static int read_place(struct fixture *f, const char *place, bool as_file)
{
	f->n_warnings = 0;
	f->warnings[0] = 0;
	f->conf.key[0] = 0;
	f->conf.key_file = as_file ? place : NULL;
	f->conf.key_place = KEY_IN_ARGUMENTS;
	if (!as_file)
		strcpy(f->conf.key, place);
	return read_secret(f);
}

static void a_place_may_be_named_instead(void **state)
{
	struct fixture *f = *state;
	char place[128];

	write_file(f, f->key_text, 0600);
	snprintf(place, sizeof(place), "file:%s", f->file);
	for (int as_file = 0; as_file < 2; as_file++) {
		assert_int_equal(read_place(f, place, as_file), 0);
		assert_is_key(f);
		/* A place is no secret: it may be needed again. */
		assert_string_equal(as_file ? f->conf.key_file : f->conf.key, place);
		assert_int_equal(f->n_warnings, 0);
		assert_false(secret_is_gone(&f->conf));
	}
	write_file(f, f->key_text, 0644);
	assert_int_equal(read_place(f, place, false), 0);
	assert_warned(f, "others can read or change the file");
}

static void a_variable_may_hold_it(void **state)
{
	struct fixture *f = *state;
	char *env, text[COMMUNITY_SECRET_MAX + 2];

	assert_int_equal(setenv("N2N_TEST_SECRET", STRONG, 1), 0);
	env = getenv("N2N_TEST_SECRET");
	f->conf.key_file = "env:N2N_TEST_SECRET";
	assert_false(secret_is_gone(&f->conf));
	assert_int_equal(read_place(f, "env:N2N_TEST_SECRET", true), 0);
	assert_string_equal(f->secret.passphrase, STRONG);
	assert_zero(env, sizeof(STRONG));
	assert_true(secret_is_gone(&f->conf));
	assert_int_equal(read_place(f, "env:N2N_TEST_SECRET", false), N2N_EINVAL);
	assert_non_null(strstr(f->err.text, "the variable \"N2N_TEST_SECRET\""));
	memset(text, 'x', sizeof(text));
	text[COMMUNITY_SECRET_MAX + 1] = 0;
	assert_int_equal(setenv("N2N_TEST_SECRET", text, 1), 0);
	assert_int_equal(read_place(f, "env:N2N_TEST_SECRET", false), N2N_EINVAL);
	assert_non_null(strstr(f->err.text, "has 257 bytes"));
	assert_int_equal(unsetenv("N2N_TEST_SECRET"), 0);
}

static void an_open_file_may_hold_it(void **state)
{
	struct fixture *f = *state;
	char place[16];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], STRONG "\n", sizeof(STRONG)), (ssize_t)sizeof(STRONG));
	assert_int_equal(close(ends[1]), 0);
	snprintf(place, sizeof(place), "fd:%d", ends[0]);
	assert_int_equal(read_place(f, place, false), 0);
	assert_string_equal(f->secret.passphrase, STRONG);
	assert_int_equal(close(ends[0]), -1); /* it was */
	assert_true(secret_is_gone(&f->conf));
	assert_int_not_equal(read_place(f, place, false), 0);
	assert_non_null(strstr(f->err.text, "it is closed"));
}

/* Its other end, which only we hold, says nothing: who read it would wait for ever. */
static void what_the_program_opened_itself_holds_none(void **state)
{
	struct fixture *f = *state;
	char place[16];
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	snprintf(place, sizeof(place), "fd:%d", ends[0]);
	assert_int_not_equal(read_place(f, place, false), 0);
	assert_non_null(strstr(f->err.text, "it is closed"));
	secret_close(&f->conf);
	assert_int_equal(close(ends[0]), 0); /* it was not */
	assert_int_equal(close(ends[1]), 0);
}

static void what_comes_through_a_pipe_comes_once(void **state)
{
	struct fixture *f = *state;
	char place[128];

	assert_int_equal(mkfifo(f->file, 0600), 0);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", f->dir, 1), 0);
	f->conf.key_file = "cred:key";
	assert_true(secret_is_gone(&f->conf));
	snprintf(place, sizeof(place), "file:%s", f->file);
	f->conf.key_file = place;
	assert_true(secret_is_gone(&f->conf));
	f->conf.key_file = f->file;
	assert_true(secret_is_gone(&f->conf));
	assert_int_equal(unlink(f->file), 0);
	/* What is not there is to be told of. */
	assert_false(secret_is_gone(&f->conf));
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static void systemd_may_hold_it(void **state)
{
	struct fixture *f = *state;

	write_file(f, STRONG, 0400);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_int_equal(read_place(f, "cred:key", true), N2N_EINVAL);
	assert_non_null(strstr(f->err.text, "LoadCredential=key:PATH"));
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", f->dir, 1), 0);
	assert_int_equal(read_place(f, "cred:key", true), 0);
	assert_string_equal(f->secret.passphrase, STRONG);
	assert_false(secret_is_gone(&f->conf));
	assert_int_equal(read_place(f, "cred:other", true), N2N_ENOENT);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static int check_place(struct fixture *f, const char *place)
{
	f->conf.key[0] = 0;
	f->conf.key_file = place;
	return secret_check(&f->conf, &f->log, &f->err);
}

static void looking_takes_nothing_away(void **state)
{
	struct fixture *f = *state;
	char fifo[128], place[16];
	int ends[2];

	write_file(f, STRONG, 0600);
	assert_int_equal(check_place(f, f->file), 0);
	write_file(f, "n2n4-is the best", 0600);
	assert_int_equal(check_place(f, f->file), N2N_EINVAL);
	assert_int_equal(unlink(f->file), 0);
	assert_int_equal(check_place(f, f->file), N2N_ENOENT);

	/* Nobody writes into it, and who read it would wait for ever. */
	snprintf(fifo, sizeof(fifo), "%s/fifo", f->dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(check_place(f, fifo), N2N_EINVAL);
	assert_int_equal(unlink(fifo), 0);

	assert_int_equal(pipe(ends), 0);
	snprintf(place, sizeof(place), "fd:%d", ends[0]);
	assert_int_equal(check_place(f, place), 0);
	assert_int_equal(close(ends[0]), 0); /* it was not */
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(check_place(f, "-"), 0);
	assert_int_equal(check_place(f, "env:N2N_TEST_NOT_SET"), 0);

	f->conf.key_file = NULL;
	strcpy(f->conf.key, "n2n4-is the best");
	assert_int_equal(secret_check(&f->conf, &f->log, &f->err), N2N_EINVAL);
	strcpy(f->conf.key, WEAK);
	f->n_warnings = 0;
	f->warnings[0] = 0;
	assert_int_equal(secret_check(&f->conf, &f->log, &f->err), 0);
	assert_warned(f, "easy to guess");
}

/* ---- what it is ---- */

static void a_key_string_needs_no_name_and_is_never_weak(void **state)
{
	struct fixture *f = *state;

	f->conf.name = NULL;
	write_file(f, f->key_text, 0600);
	assert_int_equal(read_file(f, f->file), 0);
	assert_int_equal(f->n_warnings, 0);
	assert_is_key(f);
}

static void a_key_string_in_capitals_is_one(void **state)
{
	struct fixture *f = *state;
	char text[sizeof(f->key_text)];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = f->key_text[i] >= 'a' && f->key_text[i] <= 'z'
				  ? (char)(f->key_text[i] - 'a' + 'A')
				  : f->key_text[i];
	assert_int_equal(setenv("N2N_KEY", text, 1), 0);
	assert_int_equal(read_given(f, text), 0);
	assert_is_key(f);
}

static void a_typing_error_in_a_key_string_is_told(void **state)
{
	struct fixture *f = *state;
	char *last = &f->key_text[strlen(f->key_text) - 3];

	*last = *last == 'a' ? 'b' : 'a';
	assert_int_equal(read_given(f, f->key_text), N2N_EAUTH);
	assert_non_null(strstr(f->err.text, "has a typing error"));
	assert_non_null(strstr(f->err.text, "copy it again, all 87 characters"));
	assert_int_equal(COMMUNITY_KEY_TEXT_LEN, 87);
	assert_null(strstr(f->err.text, f->key_text)); /* it may be right but for a letter */
}

static void what_only_begins_like_a_key_string_is_told(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_given(f, "n2n4-is the best"), N2N_EINVAL);
	assert_non_null(
		strstr(f->err.text, "the key starts with \"n2n4-\" as a community key does, "
				    "but is none; copy it again"));
	assert_null(strstr(f->err.text, "the best"));
}

static void a_key_string_of_a_later_version_is_told(void **state)
{
	/* As in test_keystring.c: version 2. */
	static const char later[] = "n2n4-"
				    "aiaqeayeaudaocajbifqydiob4igizlgm5ugs2tlnrww433qofzhg5dvoz3xq6"
				    "l2pn6h27t7qcayfa4iju";
	struct fixture *f = *state;

	assert_int_equal(read_given(f, later), N2N_ENOSYS);
	assert_non_null(strstr(f->err.text, "is of a newer version than this program; update it"));
}

static void an_empty_secret_is_refused(void **state)
{
	struct fixture *f = *state;

	write_file(f, "\n", 0600);
	assert_int_equal(read_file(f, f->file), N2N_EINVAL);
	assert_non_null(strstr(f->err.text, "the key is empty"));
	assert_non_null(strstr(f->err.text, "n2n key new"));
}

static void a_passphrase_needs_the_name_of_a_community(void **state)
{
	struct fixture *f = *state;

	f->conf.name = NULL;
	write_file(f, STRONG, 0600);
	assert_int_equal(read_file(f, f->file), N2N_EINVAL);
	assert_non_null(strstr(f->err.text, "no community; name it with -c"));
}

static void a_weak_passphrase_is_warned_about(void **state)
{
	struct fixture *f = *state;

	write_file(f, WEAK, 0600);
	assert_int_equal(read_file(f, f->file), 0);
	assert_warned(f, "the passphrase is easy to guess; \"n2n key new mynetwork\" makes");
	assert_null(strstr(f->warnings, WEAK));
	assert_string_equal(f->secret.passphrase, WEAK);
}

/* ---- what editors, terminals and mails do to it ---- */

/* From a file and, where bytes can be given so, as an option. */
static void a_key_string_stays_one_whatever_was_added(void **state)
{
	static const char *const ways[] = {"\xef\xbb\xbf%s", "%s\r\n", "%s\r\n\r\n", "%s \t \n",
		"  %s", "\n\n%s\n", "\xef\xbb\xbf %s \r\n"};
	struct fixture *f = *state;
	char text[2 * COMMUNITY_KEY_TEXT_LEN];

	f->conf.name = NULL;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const char *at = strstr(ways[i], "%s");

		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - ways[i]), ways[i], f->key_text,
			at + 2);
		write_file(f, text, 0600);
		assert_int_equal(read_file(f, f->file), 0);
		assert_is_key(f);
		f->conf.key_file = NULL;
		assert_int_equal(setenv("N2N_KEY", text, 1), 0);
		assert_int_equal(read_given(f, text), 0);
		assert_is_key(f);
	}
	assert_int_equal(f->n_warnings, 0);
}

static void a_key_string_stays_one_wherever_it_is_wrapped(void **state)
{
	static const char *const ends[] = {"\n", "\r\n", "\n    "};
	struct fixture *f = *state;
	char text[2 * COMMUNITY_KEY_TEXT_LEN];

	for (size_t at = 1; at < COMMUNITY_KEY_TEXT_LEN; at++)
		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
			snprintf(text, sizeof(text), "%.*s%s%s\n", (int)at, f->key_text, ends[i],
				f->key_text + at);
			write_file(f, text, 0600);
			assert_int_equal(read_file(f, f->file), 0);
			assert_is_key(f);
		}
}

static void a_damaged_key_string_is_no_passphrase(void **state)
{
	struct fixture *f = *state;
	char text[2 * COMMUNITY_KEY_TEXT_LEN];
	/* without its beginning, with a wrong one, in quotes, as a line of a configuration */
	const char *const begin[] = {"", "m2n4-", "\"n2n4-", "KEY=n2n4-"};

	for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++) {
		snprintf(text, sizeof(text), "%s%s\n", begin[i], f->key_text + 5);
		write_file(f, text, 0600);
		assert_int_equal(read_file(f, f->file), N2N_EAUTH);
		assert_non_null(strstr(f->err.text, "a damaged community key"));
		assert_null(strstr(f->err.text, f->key_text + 5));
		assert_false(f->secret.is_key);
	}
	/* Wrapped as well. */
	snprintf(text, sizeof(text), "%.40s\n%s\n", f->key_text + 5, f->key_text + 45);
	write_file(f, text, 0600);
	assert_int_equal(read_file(f, f->file), N2N_EAUTH);
}

static void a_key_string_in_utf16_is_told(void **state)
{
	struct fixture *f = *state;
	FILE *to = fopen(f->file, "w");

	assert_non_null(to);
	assert_int_equal(fwrite("\xff\xfe", 1, 2, to), 2);
	for (const char *p = f->key_text; *p != 0; p++)
		assert_int_equal(fwrite((const char[]){*p, 0}, 1, 2, to), 2);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(read_file(f, f->file), N2N_EINVAL);
	assert_non_null(strstr(f->err.text, "is in UTF-16"));
	assert_non_null(strstr(f->err.text, "save it as UTF-8"));
}

/* Two machines, and on one of them the file was edited with something else. */
static void a_passphrase_is_the_same_whatever_was_added(void **state)
{
	static const char *const texts[] = {STRONG, STRONG "\n", STRONG "\r\n", STRONG "\r\n\r\n",
		STRONG "\r", "\xef\xbb\xbf" STRONG "\n"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(f, texts[i], 0600);
		assert_int_equal(read_file(f, f->file), 0);
		assert_string_equal(f->secret.passphrase, STRONG);
	}
	assert_int_equal(f->n_warnings, 0);
}

static void blanks_around_a_passphrase_do_not_count_and_are_told(void **state)
{
	static const char *const texts[] = {" " STRONG, STRONG " ", STRONG "\t\r\n"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		f->n_warnings = 0;
		write_file(f, texts[i], 0600);
		assert_int_equal(read_file(f, f->file), 0);
		assert_string_equal(f->secret.passphrase, STRONG);
		assert_warned(f, "blanks around the passphrase are no part of it");
	}
}

static void a_passphrase_of_two_lines_is_refused(void **state)
{
	static const char *const texts[] = {"correct horse\nbattery staple\n",
		"correct horse\r\nbattery staple\r\n", "correct horse\rbattery staple"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(f, texts[i], 0600);
		assert_int_equal(read_file(f, f->file), N2N_EINVAL);
		assert_non_null(strstr(f->err.text, "the passphrase has more than one line"));
	}
}

static void a_long_passphrase_is_one(void **state)
{
	struct fixture *f = *state;
	char letters[53] = {0};

	for (size_t i = 0; i < 52; i++)
		letters[i] = (char)('a' + i * 7 % 26);
	write_file(f, letters, 0600);
	assert_int_equal(read_file(f, f->file), 0);
	assert_string_equal(f->secret.passphrase, letters);
	assert_int_equal(f->n_warnings, 0);
}

static void wiping_leaves_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_given(f, f->key_text), 0);
	secret_wipe(&f->secret);
	assert_zero(&f->secret, sizeof(f->secret));
	assert_int_equal(read_given(f, STRONG), 0);
	secret_wipe(&f->secret);
	assert_zero(&f->secret, sizeof(f->secret));
}

/* ---- how good it is ---- */

static void bits_are_guessed_with_caution(void **state)
{
	(void)state;
	assert_int_equal(secret_bits(""), 0);
	assert_int_equal(secret_bits("aaaaaaaaaaaaaaaaaaaa"), secret_bits("a"));
	assert_int_equal(secret_bits("abababababab"), 30); /* 2.5 each */
	assert_int_equal(secret_bits("1212121212"), 33);   /* 3.3 each */
	assert_int_equal(secret_bits("!?!?!?!?"), 40);	   /* 5 each */
	assert_true(secret_bits(WEAK) < 40);
	assert_true(secret_bits(STRONG) >= 40);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_came_with_an_option_is_warned_about_and_wiped),
		TEST(what_came_in_the_environment_is_wiped_there),
		TEST(what_an_option_overrides_is_wiped_as_well),
		TEST(a_file_is_read_without_its_newline),
		TEST(a_file_wipes_the_environment_too),
		TEST(a_file_open_to_others_is_warned_about),
		TEST(standard_input_is_read),
		TEST(a_file_that_is_not_there_is_named),
		TEST(a_file_too_long_for_a_secret_is_refused),
		TEST(a_place_may_be_named_instead),
		TEST(a_variable_may_hold_it),
		TEST(an_open_file_may_hold_it),
		TEST(what_the_program_opened_itself_holds_none),
		TEST(what_comes_through_a_pipe_comes_once),
		TEST(systemd_may_hold_it),
		TEST(looking_takes_nothing_away),
		TEST(a_key_string_needs_no_name_and_is_never_weak),
		TEST(a_key_string_in_capitals_is_one),
		TEST(a_typing_error_in_a_key_string_is_told),
		TEST(what_only_begins_like_a_key_string_is_told),
		TEST(a_key_string_of_a_later_version_is_told),
		TEST(an_empty_secret_is_refused),
		TEST(a_passphrase_needs_the_name_of_a_community),
		TEST(a_weak_passphrase_is_warned_about),
		TEST(a_key_string_stays_one_whatever_was_added),
		TEST(a_key_string_stays_one_wherever_it_is_wrapped),
		TEST(a_damaged_key_string_is_no_passphrase),
		TEST(a_key_string_in_utf16_is_told),
		TEST(a_passphrase_is_the_same_whatever_was_added),
		TEST(blanks_around_a_passphrase_do_not_count_and_are_told),
		TEST(a_passphrase_of_two_lines_is_refused),
		TEST(a_long_passphrase_is_one),
		TEST(wiping_leaves_nothing),
		cmocka_unit_test(bits_are_guessed_with_caution),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
