/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the start of a process, up to the parting from its parent. */
#include "host/loop/process.h"

#include "os/interrupt.h"
#include "os/sys.h"

static int serve(struct parent *parent, const struct process_setup *setup)
{
	struct os_error err;
	int status;

	if (setup->forget != NULL)
		setup->forget(setup->ctx);
	status = parent_serve(parent, setup->log, &err);
	parent_destroy(parent);
	if (status >= 0)
		return status;
	log_error(setup->log, "%s", err.text);
	return PROCESS_UNABLE;
}

bool process_start(struct parent **parent, const struct process_setup *setup, int *status)
{
	struct os_error err;

	interrupt_hold();
	if (sys_harden(&err) != 0)
		log_warn(setup->log, "%s", err.text);
	if (parent_fork(parent, &setup->parent, &err) != 0) {
		log_error(setup->log, "%s", err.text);
		*status = PROCESS_UNABLE;
		return false;
	}
	if (!parent_is_here(*parent))
		return true;
	*status = serve(*parent, setup);
	return false;
}
