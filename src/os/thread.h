/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Threads. They take no signals: those go to the thread that started the program. Every system. A
 * struct thread is used by the thread that started it.
 */
#ifndef N2N_OS_THREAD_H
#define N2N_OS_THREAD_H

#include "base/err.h"

struct thread;

/*
 * Calls run(ctx) in a new thread; ctx is the caller's and has to live as long. name is copied and
 * shows in process listings, cut to 15 bytes. N2N_EAGAIN or N2N_ENOMEM: no thread to be had.
 */
MUST_CHECK int thread_start(
	struct thread **out, const char *name, void (*run)(void *ctx), void *ctx);
/* Waits for run to return and frees t. NULL is fine. */
void thread_join(struct thread *t);
/* Lets others run that wait for this core. Any thread. */
void thread_yield(void);
/*
 * From now on the calling thread, when it has something to do, would rather have a core at once for
 * a moment than later for longer. What it may have in all stays the same. A wish: systems that know
 * no such thing, and a user who chose otherwise for the process, are fine.
 */
void thread_take_short_turns(void);

#endif
