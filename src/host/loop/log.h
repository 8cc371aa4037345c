/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where log lines go: to standard error, as "edge: text" for people at a terminal, or with the
 * "<6>" prefixes of sd-daemon(3) when the journal reads them. Any thread.
 */
#ifndef N2N_HOST_LOOP_LOG_H
#define N2N_HOST_LOOP_LOG_H

#include "base/log.h"

/* program is a static string, kept. verbosity: how often -v was given. */
void host_log_init(struct log *log, const char *program, unsigned verbosity);
/* Another verbosity from now on. */
void host_log_set_level(struct log *log, unsigned verbosity);

#endif
