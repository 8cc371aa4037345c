/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the system lets this process do that it does not let everybody. Every system; where rights
 * cannot be told apart, rights_exceed is false and rights_drop does nothing. Before there are
 * threads: a right is given up by the thread that calls and by those that it starts.
 */
#ifndef N2N_OS_RIGHTS_H
#define N2N_OS_RIGHTS_H

#include <stdbool.h>

#include "os/error.h"

/* Members of a set. */
enum right {
	RIGHT_INTERFACES = 1, /* to make and set up interfaces, to have large socket buffers */
	RIGHT_LOW_PORTS = 2,  /* to open ports below 1024 */
	RIGHT_FILES = 4,      /* to use files that others keep for themselves */
	RIGHT_PACKETS = 8,    /* to send and receive frames of any kind */
	RIGHT_HELPERS = 16,   /* programs that root's process starts have the rights that it has */
	RIGHT_NAMESPACES = 32 /* to enter network namespaces, those of other processes too */
};

/* True when the process has a right that is not in keep. */
bool rights_exceed(unsigned keep);
/*
 * Gives up all rights but those in keep, for good: neither a program that is started nor a file's
 * mode brings one back. What the process never had is not missed. N2N_EPERM, N2N_ENOSYS: a sandbox
 * or the system does not let it, and the process has what it had.
 */
MUST_CHECK int rights_drop(unsigned keep, struct os_error *err);

#endif
