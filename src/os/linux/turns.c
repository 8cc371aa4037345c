/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns how a thread takes turns with others at a core on Linux. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/thread.h"

#define TURN_NS 100000u /* the shortest that Linux knows */

/* sched_setattr(2); not every C library has it. */
struct sched_attributes {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns;
	uint64_t deadline_ns;
	uint64_t period_ns;
};

/* Linux takes it since 6.12, and says nothing before. */
void thread_take_short_turns(void)
{
	struct sched_attributes a = {.size = sizeof(a)};

	if (syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0) != 0 || a.policy != SCHED_OTHER)
		return;
	a.runtime_ns = TURN_NS;
	(void)syscall(SYS_sched_setattr, 0, &a, 0);
}
