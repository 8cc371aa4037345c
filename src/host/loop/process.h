/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a program's process starts: out of core dumps, and parted from a parent that keeps what
 * rights are to be kept (os/parent.h). Before there are threads.
 */
#ifndef N2N_HOST_LOOP_PROCESS_H
#define N2N_HOST_LOOP_PROCESS_H

#include <stdbool.h>

#include "base/log.h"
#include "os/parent.h"

/* What the programs exit with; EXIT_STATUS_HELP of conf explains it to users. */
enum process_status {
	PROCESS_OK = 0,
	PROCESS_FAILED = 1,
	PROCESS_UNABLE = 2
};

struct process_setup {
	struct parent_setup parent;
	void (*forget)(void *ctx); /* wipes the secrets that a parent has no use for, or NULL */
	void *ctx;
	const struct log *log;
};

/*
 * True where the program goes on; *parent is then what it may ask, or NULL, and the caller's. False
 * where it is over, and *status what to exit with: the child has ended, or could not be started.
 */
bool process_start(struct parent **parent, const struct process_setup *setup, int *status);

#endif
