/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The directory in which one instance of a program keeps what must survive it, and the path of its
 * control socket. The directory is DIR/INSTANCE, mode 0700, and belongs to one process at a time.
 * Small files only, of mode 0600. One thread at a time.
 *
 * Every system; the modes and places below are those of POSIX systems. On Windows an access list
 * stands for the modes, and ProgramData or LocalAppData for the places.
 *
 * DIR when none is given: for root /var/lib/n2n and, for the control socket, /run/n2n; for others
 * $XDG_STATE_HOME/n2n or ~/.local/state/n2n, and $XDG_RUNTIME_DIR/n2n or the same as for the state.
 * A DIR that is given holds both.
 */
#ifndef N2N_OS_STATE_H
#define N2N_OS_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "os/error.h"

#define STATE_PATH_MAX	 4096
#define STATE_SOCKET_MAX 108 /* sun_path where it is longest, with the NUL */

struct state;

/*
 * Makes the directories, that of the control socket too, and locks the first. dir may be NULL.
 * N2N_EEXIST: another process runs this instance, and still does 2 s later; what to do is for the
 * caller to add. One whose parent has ended (state_note_parent) is killed then. N2N_EINVAL:
 * instance is no file name; N2N_EPERM: denied, or others could put something else in the place of
 * the directory or of what is in it (SECURITY.md); N2N_EIO, N2N_ENOSPC: the file system is
 * read-only, full or broken.
 */
MUST_CHECK int state_open(
	struct state **out, const char *dir, const char *instance, struct os_error *err);
/*
 * The process that holds the lock has a parent of this number (os/parent.h), without which it is of
 * no use. 0: it has none.
 */
void state_note_parent(struct state *st, unsigned parent);
/* The number of the process that was killed to have the lock; 0: none. */
unsigned state_killed(const struct state *st);
/* Gives the lock back; the files stay. NULL is fine. */
void state_close(struct state *st);

/*
 * Reads a whole file. N2N_ENOENT: there is none (err is filled all the same); N2N_ENOSPC: it has
 * more than cap bytes; N2N_EPERM: denied, not a file of ours, or others than the owner can read or
 * write it; N2N_EIO: a symbolic link.
 */
MUST_CHECK int state_read(const struct state *st, const char *name, void *buf, size_t cap,
	size_t *len, struct os_error *err);
/* Replaces a file so that a crash leaves either the old or the new one, and the name in place. */
MUST_CHECK int state_write(const struct state *st, const char *name, const void *data, size_t len,
	struct os_error *err);
/* The directory DIR/INSTANCE; lives as long as st. */
const char *state_dir(const struct state *st);

/*
 * The path of an instance's control socket, for its server and for the control tool; nothing is
 * made or looked at. dir may be NULL. N2N_EINVAL: instance is no file name, or the path is longer
 * than a socket's may be; N2N_ENOENT: the environment names no home directory.
 */
MUST_CHECK int state_control_path(
	char path[STATE_SOCKET_MAX], const char *dir, const char *instance, struct os_error *err);

#endif
