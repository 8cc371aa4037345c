/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client's end of the control socket (CONTROL.md): one line asked, one line answered. Every
 * system; Windows has such sockets too. Any thread.
 */
#ifndef N2N_OS_CTLSOCK_H
#define N2N_OS_CTLSOCK_H

#include "os/error.h"

#define CTLSOCK_REPLY_MAX  (16 << 20) /* bytes, with the newline */
#define CTLSOCK_TIMEOUT_MS 5000	      /* usual, for the whole exchange */

/*
 * Connects to path, sends request and a newline, and waits, timeout_ms for all, for the line that
 * answers it: *reply is NUL-terminated, without the newline, and for the caller to free.
 * N2N_ENOENT: nobody listens there; N2N_EPERM; N2N_EAGAIN: no whole answer in time; N2N_EIO: the
 * other end hung up before a whole line; N2N_ENOSPC: it is longer than CTLSOCK_REPLY_MAX;
 * N2N_EINVAL: path is too long.
 */
MUST_CHECK int ctlsock_request(const char *path, const char *request, unsigned timeout_ms,
	char **reply, struct os_error *err);

#endif
