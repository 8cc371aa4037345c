/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the signals that end a program, by signalfd. */
#define _GNU_SOURCE
#include "os/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

unsigned interrupt_take(struct os_handle in)
{
	struct signalfd_siginfo came;
	unsigned all = 0;

	while (read((int)in.value, &came, sizeof(came)) == sizeof(came))
		all |= came.ssi_signo == SIGHUP ? INTERRUPT_HANGUP : INTERRUPT_END;
	return all;
}

void interrupt_hold(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

int interrupt_open(struct os_handle *out, struct os_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	out->value = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (!os_handle_is_none(*out) && sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		return 0;
	return os_error_set(err, os_errno(errno),
		"cannot wait for signals: %s; raise the limit of open files (ulimit -n)",
		strerror(errno));
}
