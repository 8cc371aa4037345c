/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns finding and killing of processes without their parent on Linux: /proc, and a pidfd. */
#define _GNU_SOURCE
#include "os/orphan.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* 0: not known. */
static int parent_of(int number)
{
	char path[32], line[256], *end;
	int parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", number);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	/* The name, in brackets, may be any. */
	if (fgets(line, sizeof(line), f) != NULL && (end = strrchr(line, ')')) != NULL &&
		sscanf(end, ") %*c %d", &parent) != 1)
		parent = 0;
	(void)fclose(f);
	return parent;
}

/*
 * The system shows numbers of this PID namespace, and devices other than stat does on some file
 * systems: the file is known by the other two.
 */
static bool holds(int number, unsigned long inode)
{
	FILE *f = fopen("/proc/locks", "re");
	bool found = false;
	char line[256];

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
		unsigned long on = 0;
		int by = 0;

		/* "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF"; who waits has an arrow. */
		found = sscanf(line, "%*d: FLOCK %*s %*s %d %*x:%*x:%lu", &by, &on) == 2 &&
			by == number && on == inode;
	}
	if (f != NULL)
		(void)fclose(f);
	return found;
}

bool orphan_kill(int locked, int number, int parent, unsigned wait_ms)
{
	struct pollfd ended = {.fd = -1, .events = POLLIN};
	bool killed = false;
	struct stat file;
	int above;

	if (number <= 1 || parent <= 1 || number == getpid() || fstat(locked, &file) != 0)
		return false;
	/* What has the number now is what is looked at, and what is killed. */
	ended.fd = (int)syscall(SYS_pidfd_open, number, 0);
	if (ended.fd < 0)
		return false;
	above = parent_of(number);
	if (above != 0 && above != parent && holds(number, file.st_ino))
		killed = syscall(SYS_pidfd_send_signal, ended.fd, SIGKILL, NULL, 0) == 0 &&
			 poll(&ended, 1, (int)wait_ms) == 1;
	close(ended.fd);
	return killed;
}
