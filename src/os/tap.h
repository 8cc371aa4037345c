/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The virtual Ethernet interface through which the host's frames come and go. A frame starts with
 * the destination address and has no FCS. Nothing here blocks. Reading and writing may happen in
 * two threads at once.
 */
#ifndef N2N_OS_TAP_H
#define N2N_OS_TAP_H

#include <stddef.h>
#include <stdint.h>

#include "os/error.h"

#define TAP_NAME_MAX 15 /* bytes, without the NUL */

struct tap;

/*
 * Creates the interface, or takes over a persistent one that nobody uses. It starts as the system
 * makes it: down, without addresses (see netif.h). N2N_EINVAL: no valid name; N2N_EEXIST: in use,
 * or no TAP; N2N_EPERM; N2N_ENOSYS: the system has no TAP driver.
 */
MUST_CHECK int tap_open(struct tap **out, const char *name, struct os_error *err);
/* The interface disappears unless it was persistent. NULL is fine. */
void tap_close(struct tap *tap);

/* A descriptor to poll for reading. */
int tap_fd(const struct tap *tap);
const char *tap_name(const struct tap *tap);

/*
 * Reads one frame, cut to cap, and returns its length. N2N_EAGAIN: none there; N2N_EIO: failed this
 * time, for example because the interface is down; N2N_ENOENT: the interface was removed.
 */
MUST_CHECK int tap_read(struct tap *tap, uint8_t *frame, size_t cap);
/* Writes one frame. Errors as above; N2N_EAGAIN when the frame has to be dropped. */
MUST_CHECK int tap_write(struct tap *tap, const uint8_t *frame, size_t len);

#endif
