/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests clocks, random bytes, hardening, and the translation of errno. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os/sys.h"

#include <cmocka.h>

static void clocks_go_forward(void **state)
{
	const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
	struct timespec boot, wall;
	uint64_t before = sys_now_ms(), before_ns = sys_now_ns();

	(void)state;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	assert_in_range(
		before, (uint64_t)boot.tv_sec * 1000 - 1000, (uint64_t)boot.tv_sec * 1000 + 1000);
	nanosleep(&pause, NULL);
	assert_in_range(sys_now_ms(), before + 20, before + 2000);
	assert_in_range(sys_now_ns() - before_ns, 20000000, 2000000000);
	/* Not time(): that may be a tick behind. */
	clock_gettime(CLOCK_REALTIME, &wall);
	assert_in_range(sys_wall_ms(), (uint64_t)(wall.tv_sec - 1) * 1000,
		(uint64_t)(wall.tv_sec + 2) * 1000);
}

static void random_bytes_differ(void **state)
{
	struct random r;
	struct os_error err;
	uint8_t a[600] = {0}, b[600] = {0};

	(void)state;
	assert_int_equal(sys_random(&r, &err), 0);
	random_bytes(&r, a, sizeof(a) - 1);
	random_bytes(&r, b, sizeof(b) - 1);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, a + 300, 256);
	assert_int_equal(a[599], 0);
}

static int hardened(void)
{
	struct rlimit core;
	struct os_error err;

	if (sys_harden(&err) || getrlimit(RLIMIT_CORE, &core))
		return 1;
	return core.rlim_max == 0 && prctl(PR_GET_DUMPABLE) == 0 ? 0 : 2;
}

static int standard_streams(void)
{
	struct os_error err;
	char byte;

	for (int fd = 0; fd <= 2; fd++)
		close(fd);
	sys_open_standard();
	sys_open_standard(); /* finds nothing to do */
	if (dup(0) != 3)
		return 1;
	if (read(0, &byte, 1) != -1 || write(1, "x", 1) != -1 || write(2, "x", 1) != -1)
		return 2;
	puts("text");
	return sys_flush_stdout("the text", &err) == 0;
}

static int full_device(void)
{
	struct os_error err;

	if (sys_flush_stdout("nothing", &err) || freopen("/dev/full", "w", stdout) == NULL)
		return 1;
	if (puts("text") < 0 || sys_flush_stdout("the text", &err) != N2N_ENOSPC)
		return 2;
	if (strcmp(err.text, "cannot write the text: No space left on device; check where standard "
			     "output goes"))
		return 3;
	/* What was lost stays lost. */
	return sys_flush_stdout("the text", &err) == 0;
}

/* In a child: it cannot be undone. */
static void assert_succeeds(int (*test)(void))
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(test());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_child_is_hardened_and_has_streams(void **state)
{
	(void)state;
	assert_succeeds(hardened);
	assert_succeeds(standard_streams);
	assert_succeeds(full_device);
}

static void system_errors_are_translated(void **state)
{
	(void)state;
	assert_int_equal(os_errno(0), N2N_OK);
	assert_int_equal(os_errno(EINVAL), N2N_EINVAL);
	assert_int_equal(os_errno(ENOSPC), N2N_ENOSPC);
	assert_int_equal(os_errno(EMFILE), N2N_ENOMEM);
	assert_int_equal(os_errno(ENODEV), N2N_ENOENT);
	assert_int_equal(os_errno(EADDRINUSE), N2N_EEXIST);
	assert_int_equal(os_errno(EACCES), N2N_EPERM);
	assert_int_equal(os_errno(EAGAIN), N2N_EAGAIN);
	assert_int_equal(os_errno(EAFNOSUPPORT), N2N_ENOSYS);
	assert_int_equal(os_errno(EMSGSIZE), N2N_EMSGSIZE);
	assert_int_equal(os_errno(EROFS), N2N_EIO);
}

static void a_text_is_cut_to_its_room(void **state)
{
	struct os_error err = {0};
	char longer[400];

	(void)state;
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	assert_int_equal(os_error_set(&err, N2N_EIO, "%d %s", 7, "x"), N2N_EIO);
	assert_int_equal(err.code, N2N_EIO);
	assert_string_equal(err.text, "7 x");
	assert_int_equal(os_error_set(&err, N2N_EPERM, "%s", longer), N2N_EPERM);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clocks_go_forward),
		cmocka_unit_test(random_bytes_differ),
		cmocka_unit_test(a_child_is_hardened_and_has_streams),
		cmocka_unit_test(system_errors_are_translated),
		cmocka_unit_test(a_text_is_cut_to_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
