/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wish that a program end (Ctrl-C, kill) as a descriptor to wait for. */
#ifndef N2N_OS_INTERRUPT_H
#define N2N_OS_INTERRUPT_H

#include "os/error.h"

/*
 * From now on SIGINT, SIGTERM and SIGHUP do not end the process: *fd becomes readable with the
 * first of them, and stays so as long as nobody reads. Call it before threads are started. The
 * descriptor is the caller's. N2N_ENOMEM.
 */
MUST_CHECK int interrupt_open(int *fd, struct os_error *err);

#endif
