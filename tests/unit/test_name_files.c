/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes of the files that say how names are looked up, in each way in which programs make them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/loop/name_files.h"
#include "os/sys.h"

#include <cmocka.h>

struct fixture {
	char dir[64], first[80], second[80], aside[80];
	const char *path[3];
	struct name_files files;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/n2n-names-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->first, sizeof(f->first), "%s/resolv.conf", f->dir);
	snprintf(f->second, sizeof(f->second), "%s/hosts", f->dir);
	snprintf(f->aside, sizeof(f->aside), "%s/aside", f->dir);
	f->path[0] = f->first;
	f->path[1] = f->second;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->first);
	(void)unlink(f->second);
	(void)unlink(f->aside);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static void write_file(const char *path, const char *text)
{
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	assert_true(fputs(text, to) >= 0);
	assert_int_equal(fclose(to), 0);
}

/* Once, and not again. */
static void assert_noticed(struct fixture *f)
{
	assert_true(name_files_changed(&f->files));
	assert_false(name_files_changed(&f->files));
}

static void nothing_is_no_change(void **state)
{
	struct fixture *f = *state;

	name_files_init(&f->files, f->path);
	assert_false(name_files_changed(&f->files));
	write_file(f->first, "nameserver 192.0.2.1\n");
	name_files_init(&f->files, f->path);
	assert_false(name_files_changed(&f->files));
}

static void a_file_that_comes_or_goes_is_noticed(void **state)
{
	struct fixture *f = *state;

	name_files_init(&f->files, f->path);
	write_file(f->second, "192.0.2.1 sn\n");
	assert_noticed(f);
	assert_int_equal(unlink(f->second), 0);
	assert_noticed(f);
}

static void a_file_that_is_written_is_noticed(void **state)
{
	struct fixture *f = *state;

	write_file(f->first, "nameserver 192.0.2.1\n");
	name_files_init(&f->files, f->path);
	write_file(f->first, "nameserver 192.0.2.100\n");
	assert_noticed(f);
}

/* Of the same size, and as old: what cp -p and mv bring about. */
static void a_file_that_another_takes_the_place_of_is_noticed(void **state)
{
	const struct timespec then[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	struct fixture *f = *state;

	write_file(f->first, "nameserver 192.0.2.1\n");
	write_file(f->aside, "nameserver 192.0.2.2\n");
	assert_int_equal(utimensat(AT_FDCWD, f->first, then, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, f->aside, then, 0), 0);
	name_files_init(&f->files, f->path);
	assert_int_equal(rename(f->aside, f->first), 0);
	assert_noticed(f);
}

static void a_file_behind_a_link_is_noticed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(symlink(f->aside, f->first), 0);
	name_files_init(&f->files, f->path);
	assert_false(name_files_changed(&f->files));
	write_file(f->aside, "nameserver 192.0.2.1\n");
	assert_noticed(f);
	write_file(f->aside, "nameserver 192.0.2.100\n");
	assert_noticed(f);
}

static void those_of_the_system_are_few_enough(void **state)
{
	struct name_files files;
	unsigned n = 0;

	(void)state;
	while (sys_name_files[n] != NULL)
		n++;
	assert_in_range(n, 1, NAME_FILES_MAX);
	name_files_init(&files, sys_name_files);
}

int main(void)
{
#define FILES_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FILES_TEST(nothing_is_no_change),
		FILES_TEST(a_file_that_comes_or_goes_is_noticed),
		FILES_TEST(a_file_that_is_written_is_noticed),
		FILES_TEST(a_file_that_another_takes_the_place_of_is_noticed),
		FILES_TEST(a_file_behind_a_link_is_noticed),
		cmocka_unit_test(those_of_the_system_are_few_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
