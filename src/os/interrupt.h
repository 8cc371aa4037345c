/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The wish that a program end (Ctrl-C, kill) as something to wait for.
 *
 * Every system: where signals cannot be read from a descriptor, a handler writes to a socket.
 */
#ifndef N2N_OS_INTERRUPT_H
#define N2N_OS_INTERRUPT_H

#include <stdbool.h>

#include "os/error.h"
#include "os/handle.h"

/*
 * From now on SIGINT, SIGTERM and SIGHUP do not end the process: *out becomes readable with the
 * first of them and stays so, for stream_limit. Call it before threads are started. *out is the
 * caller's to close, with stream_close. N2N_ENOMEM.
 */
MUST_CHECK int interrupt_open(struct os_handle *out, struct os_error *err);
/* What came, a set. */
enum interrupt {
	INTERRUPT_END = 1,   /* the wish that the program end */
	INTERRUPT_HANGUP = 2 /* SIGHUP: a terminal is gone, or files are to be read again */
};

/* Takes the signals that came, so that in is readable again with the next one only. */
unsigned interrupt_take(struct os_handle in);
/*
 * SIGHUP waits from now on until interrupt_open, instead of ending the process: it may come while a
 * service starts. Before threads are started.
 */
void interrupt_hold(void);

#endif
