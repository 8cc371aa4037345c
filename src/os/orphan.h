/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Processes that outlived their parent (os/parent.h) and do not end, as they are stopped or hang.
 * Every system; where it does not tell enough none is killed. Any thread.
 */
#ifndef N2N_OS_ORPHAN_H
#define N2N_OS_ORPHAN_H

#include <stdbool.h>

/*
 * Kills a process if by the system's word it holds the lock of this open file, and its parent,
 * which had the number parent, has ended. Numbers of another PID namespace fit no process. True: it
 * was killed, and has ended within wait_ms.
 */
bool orphan_kill(int locked, int number, int parent, unsigned wait_ms);

#endif
