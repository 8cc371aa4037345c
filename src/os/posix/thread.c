/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns threads on POSIX systems. */
#define _GNU_SOURCE
#include "os/thread.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "os/error.h"

struct thread {
	pthread_t id;
	void (*run)(void *ctx);
	void *ctx;
	char name[16];
};

static void *thread_main(void *arg)
{
	const struct thread *t = arg;

	(void)pthread_setname_np(pthread_self(), t->name);
	t->run(t->ctx);
	return NULL;
}

int thread_start(struct thread **out, const char *name, void (*run)(void *ctx), void *ctx)
{
	struct thread *t = calloc(1, sizeof(*t));
	sigset_t all, before;
	int error;

	if (t == NULL)
		return N2N_ENOMEM;
	t->run = run;
	t->ctx = ctx;
	snprintf(t->name, sizeof(t->name), "%s", name);

	/* The new thread inherits the mask; set any later, a signal could reach it first. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&t->id, NULL, thread_main, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0) {
		free(t);
		return os_errno(error);
	}
	*out = t;
	return 0;
}

void thread_join(struct thread *t)
{
	if (t == NULL)
		return;
	pthread_join(t->id, NULL);
	free(t);
}

void thread_yield(void)
{
	(void)sched_yield();
}
