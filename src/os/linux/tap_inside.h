/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rest of os may know of a TAP on Linux. */
#ifndef N2N_OS_LINUX_TAP_INSIDE_H
#define N2N_OS_LINUX_TAP_INSIDE_H

#include "os/tap.h"

/* The descriptor of the queue; it stays the tap's. Any thread. */
int tap_fd(const struct tap *tap);

#endif
