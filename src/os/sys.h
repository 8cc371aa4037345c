/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The process and the machine: clocks, random bytes, hardening. Every system; what one lacks of
 * hardening is left away without an error. Any thread, but sys_open_standard and sys_harden, which
 * come before there are others.
 */
#ifndef N2N_OS_SYS_H
#define N2N_OS_SYS_H

#include <stdbool.h>

#include "base/random.h"
#include "os/error.h"

/*
 * Puts something in the place of standard input, output or error that is closed, so that no file
 * opened later gets their numbers. Reading and writing there fails with EBADF. First of all calls.
 */
void sys_open_standard(void);
/*
 * Ends the output to stdout. If any of it could not be written, err says that what ("the key")
 * could not: N2N_EIO, N2N_ENOSPC.
 */
MUST_CHECK int sys_flush_stdout(const char *what, struct os_error *err);

/* Paths of the files that say how names are looked up, which may not be there; up to NULL. */
extern const char *const sys_name_files[];

/* True when the system lets the process do everything: root, an elevated administrator. */
bool sys_is_root(void);

/* Milliseconds since some moment in the past; never goes back, counts while the host sleeps. */
uint64_t sys_now_ms(void);
/* Nanoseconds of the same kind, for measuring short times; stands still while the host sleeps. */
uint64_t sys_now_ns(void);
/* Milliseconds since 1970-01-01 UTC; may jump. */
uint64_t sys_wall_ms(void);

/*
 * The kernel's random generator; waits until it is seeded. N2N_ENOSYS when there is none. Once this
 * has succeeded, filling cannot fail short of a broken system, which ends the process.
 */
MUST_CHECK int sys_random(struct random *out, struct os_error *err);

/*
 * Keeps the memory of this process out of core dumps and away from other processes of the same
 * user. Afterwards /proc/self of Linux belongs to root: open what is needed there before. N2N_EPERM
 * and others: it is not hardened, which is worth a warning.
 */
MUST_CHECK int sys_harden(struct os_error *err);

#endif
