/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Small files that the user names. Every system; where files have no modes, none is open to others
 * as far as can be told. Any thread.
 */
#ifndef N2N_OS_FILE_H
#define N2N_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "os/error.h"

/*
 * Reads a text file, or standard input for "-", up to its end into buf. One newline at the end is
 * taken away, and a NUL added; before that the file has to be shorter than cap bytes. On failure
 * buf is wiped. N2N_ENOENT, N2N_EPERM, N2N_EIO; N2N_ENOSPC: too long; N2N_EINVAL: it holds a NUL.
 */
MUST_CHECK int file_read(
	const char *path, char *buf, size_t cap, size_t *len, struct os_error *err);
/* True for a file on disk that others than its owner may read or write. */
bool file_is_open_to_others(const char *path);

#endif
