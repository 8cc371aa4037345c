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
/*
 * Reads a whole file as it is into buf; never waits, as a pipe would have one do. The errors of
 * file_read but for what is in it; N2N_EINVAL: no file on a disk; N2N_ENOSPC: longer than cap.
 */
MUST_CHECK int file_load(
	const char *path, char *buf, size_t cap, size_t *len, struct os_error *err);
/*
 * As file_read, of the open file with this number that whoever started the program left open for
 * it, which is closed then. One that the program opened itself counts as none.
 */
MUST_CHECK int file_read_open(
	unsigned number, char *buf, size_t cap, size_t *len, struct os_error *err);
/* Closes such a file; one that is not open is fine. */
void file_close(unsigned number);
/* True for what is there and no file on disk: a pipe, say, in which nothing may come again. */
bool file_is_read_once(const char *path);
/* True for a file on disk that others than its owner may read or write. */
bool file_is_open_to_others(const char *path);

#endif
