/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which instances have a control socket on this host; for the control tool. Any thread. */
#ifndef N2N_API_INSTANCES_H
#define N2N_API_INSTANCES_H

#include "os/error.h"

#define INSTANCE_NAME_MAX 64
#define INSTANCES_MAX	  64

struct instances {
	unsigned n;
	char name[INSTANCES_MAX][INSTANCE_NAME_MAX];
};

/*
 * Lists them by name, those included whose process has died. dir: as for state_open. A directory
 * that does not exist holds none. N2N_EPERM, N2N_EIO; errors of state_control_path.
 */
MUST_CHECK int instances_list(struct instances *out, const char *dir, struct os_error *err);

#endif
