/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rest of os may know of a TAP on Linux. */
#ifndef N2N_OS_LINUX_TAP_INSIDE_H
#define N2N_OS_LINUX_TAP_INSIDE_H

#include <stdbool.h>

#include "os/tap.h"

/* The descriptor of the queue; it stays the tap's. Any thread. */
int tap_fd(const struct tap *tap);
/*
 * Makes a queue of the interface as tap_open does, or one more as tap_join does; *fd is the
 * caller's, and for tap_adopt. Errors of both.
 */
MUST_CHECK int tap_make_queue(
	int *fd, const char *name, unsigned use, bool join, struct os_error *err);

#endif
