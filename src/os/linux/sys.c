/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns standard streams, clocks, random bytes and process hardening on Linux. */
#define _GNU_SOURCE
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

const char *const sys_name_files[] = {
	"/etc/resolv.conf",
	"/etc/hosts",
	/* Its servers change while the file above leads to the same stub. */
	"/run/systemd/resolve/resolv.conf",
	NULL,
};

void sys_open_standard(void)
{
	/* open() takes the lowest number that is free. The wrong direction lets a use be noticed.
	 */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int sys_flush_stdout(const char *what, struct os_error *err)
{
	int error = fflush(stdout) != 0 ? errno : 0;

	if (error == 0 && ferror(stdout) != 0)
		error = EIO; /* which one it was is forgotten */
	if (error == 0)
		return 0;
	return os_error_set(err, os_errno(error),
		"cannot write %s: %s; check where standard output goes", what, strerror(error));
}

bool sys_is_root(void)
{
	return geteuid() == 0;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t = {0};

	(void)clock_gettime(clock, &t); /* cannot fail for the clocks used here */
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t sys_now_ms(void)
{
	return clock_ns(CLOCK_BOOTTIME) / 1000000;
}

uint64_t sys_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t sys_wall_ms(void)
{
	return clock_ns(CLOCK_REALTIME) / 1000000;
}

static int fill(void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len != 0) {
		ssize_t got = getrandom(p, len, 0);

		if (got < 0 && errno != EINTR)
			return errno;
		if (got > 0) {
			p += got;
			len -= (size_t)got;
		}
	}
	return 0;
}

static void fill_or_abort(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	if (fill(buf, len) != 0)
		abort();
}

int sys_random(struct random *out, struct os_error *err)
{
	uint8_t probe;
	int error = fill(&probe, 1);

	if (error != 0)
		return os_error_set(err, N2N_ENOSYS,
			"the kernel gives no random bytes: getrandom: %s; it needs Linux 3.17 or "
			"newer and a sandbox that allows the call",
			strerror(error));
	out->fill = fill_or_abort;
	out->ctx = NULL;
	return 0;
}

int sys_harden(struct os_error *err)
{
	const struct rlimit none = {0, 0}, all = {RLIM_INFINITY, RLIM_INFINITY};

	/* Root may lock all it wants into memory, but will not be root for long. */
	(void)setrlimit(RLIMIT_MEMLOCK, &all);
	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return os_error_set(err, os_errno(errno),
			"cannot keep secrets out of core dumps: %s; check the sandbox of this "
			"process",
			strerror(errno));
	return 0;
}
