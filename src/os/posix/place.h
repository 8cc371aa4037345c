/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Directories in which nobody but root and the user of this process can put one thing in the place
 * of another. Any thread.
 */
#ifndef N2N_OS_POSIX_PLACE_H
#define N2N_OS_POSIX_PLACE_H

#include "os/error.h"

/*
 * Opens the directory path for reading; it and those above it that are missing are made, of mode
 * 0700. Each on the way, and each symbolic link, has to belong to root or to the user of this
 * process. None may be writable by others, unless it is sticky, as /tmp is, or its group is the
 * user's own, of the user's number. The last one may be writable by its owner only.
 *
 * 0, and *fd is the caller's; an errno; or -1 when a place is none of these, explained in err.
 */
MUST_CHECK int place_open(int *fd, const char *path, struct os_error *err);

#endif
