/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The wish that a program end (Ctrl-C, kill) as something to wait for.
 *
 * Every system: where signals cannot be read from a descriptor, a handler writes to a socket.
 */
#ifndef N2N_OS_INTERRUPT_H
#define N2N_OS_INTERRUPT_H

#include "os/error.h"
#include "os/handle.h"

/*
 * From now on SIGINT, SIGTERM and SIGHUP do not end the process: *out becomes readable with the
 * first of them and stays so, for stream_limit. Call it before threads are started. *out is the
 * caller's to close, with stream_close. N2N_ENOMEM.
 */
MUST_CHECK int interrupt_open(struct os_handle *out, struct os_error *err);

#endif
