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
/*
 * Takes the signals that came, so that in is readable again with the next one only. True if one
 * of them ends a service; SIGHUP, by which a terminal says that it is gone, does not.
 */
bool interrupt_ends_service(struct os_handle in);

#endif
