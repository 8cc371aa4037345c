/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests reading key files. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"

#include <cmocka.h>

static struct os_error err;
static char path[] = "/tmp/n2n-test-file-XXXXXX";

static int setup(void **state)
{
	(void)state;
	return close(mkstemp(path));
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void put(const char *content, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(content, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void one_newline_is_taken_away(void **state)
{
	static const struct {
		const char *content, *text;
	} rows[] = {
		{"", ""},
		{"\n", ""},
		{"\r\n", ""},
		{"key", "key"},
		{"key\n", "key"},
		{"key\r\n", "key"},
		{"key\n\n", "key\n"},
		{" key ", " key "},
		{"key\r", "key\r"},
		{"1234567", "1234567"},
		{"123456\n", "123456"},
	};
	char buf[8];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put(rows[i].content, strlen(rows[i].content));
		assert_int_equal(file_read(path, buf, sizeof(buf), &len, &err), 0);
		assert_string_equal(buf, rows[i].text);
		assert_int_equal(len, strlen(rows[i].text));
	}
}

static void what_is_too_long_is_refused(void **state)
{
	static const char *const contents[] = {
		"12345678", "1234567\n", "1234567\n9\n", "123456789"};
	static const char zero[8];
	char buf[8], expected[160];
	size_t len;

	(void)state;
	snprintf(expected, sizeof(expected),
		"\"%s\" holds more than 7 characters; check that it is the right file", path);
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		put(contents[i], strlen(contents[i]));
		memset(buf, 1, sizeof(buf));
		assert_int_equal(file_read(path, buf, sizeof(buf), &len, &err), N2N_ENOSPC);
		assert_string_equal(err.text, expected);
		assert_memory_equal(buf, zero, sizeof(buf));
	}
}

static void failures_say_what_and_why(void **state)
{
	char buf[8];
	size_t len;

	(void)state;
	put("ke\0y", 4);
	assert_int_equal(file_read(path, buf, sizeof(buf), &len, &err), N2N_EINVAL);
	assert_non_null(strstr(err.text, "is not a text file"));
	assert_int_equal(file_read("/none/at/all", buf, sizeof(buf), &len, &err), N2N_ENOENT);
	assert_string_equal(err.text,
		"cannot read \"/none/at/all\": No such file or directory; check the path");
	assert_int_equal(file_read("/", buf, sizeof(buf), &len, &err), N2N_EIO);
	assert_string_equal(err.text, "cannot read \"/\": Is a directory; name a file");
}

static int read_as_nobody(void)
{
	char buf[8];
	size_t len;

	if (geteuid() == 0 && setuid(65534))
		return 2;
	if (file_read(path, buf, sizeof(buf), &len, &err) != N2N_EPERM)
		return 1;
	return strstr(err.text, "run as a user who may read it") != NULL ? 0 : 3;
}

static void a_denied_file_is_explained(void **state)
{
	int status;
	pid_t child;

	(void)state;
	assert_int_equal(chmod(path, 0), 0);
	child = fork();
	if (child == 0)
		_exit(read_as_nobody());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static void standard_input_is_a_dash(void **state)
{
	int ends[2], before = dup(STDIN_FILENO);
	char buf[8];
	size_t len;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "key\n", 4), 4);
	close(ends[1]);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	assert_int_equal(file_read("-", buf, sizeof(buf), &len, &err), 0);
	assert_string_equal(buf, "key");
	assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), 0); /* still open */

	assert_int_equal(dup2(open("/", O_RDONLY), STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(file_read("-", buf, sizeof(buf), &len, &err), N2N_EIO);
	assert_non_null(strstr(err.text, "\"standard input\""));
	assert_int_equal(dup2(open("/dev/null", O_WRONLY), STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(file_read("-", buf, sizeof(buf), &len, &err), N2N_EIO);
	assert_non_null(strstr(err.text, "it is closed; name a file"));
	if (before >= 0)
		dup2(before, STDIN_FILENO);
}

static void files_open_to_others_are_found(void **state)
{
	(void)state;
	assert_false(file_is_open_to_others(path));
	assert_int_equal(chmod(path, 0640), 0);
	assert_true(file_is_open_to_others(path));
	assert_int_equal(chmod(path, 0602), 0);
	assert_true(file_is_open_to_others(path));
	assert_int_equal(chmod(path, 0600), 0);
	assert_false(file_is_open_to_others("/dev/null"));
	assert_false(file_is_open_to_others("/none/at/all"));
	assert_false(file_is_open_to_others("-"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_newline_is_taken_away),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(failures_say_what_and_why),
		cmocka_unit_test(a_denied_file_is_explained),
		cmocka_unit_test(standard_input_is_a_dash),
		cmocka_unit_test(files_open_to_others_are_found),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
