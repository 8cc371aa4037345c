/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A running supernode. Made and run by one thread, which becomes the control thread. */
#ifndef N2N_HOST_SUPERNODE_SUPERNODE_HOST_H
#define N2N_HOST_SUPERNODE_SUPERNODE_HOST_H

#include "base/log.h"
#include "conf/supernode_conf.h"
#include "os/error.h"
#include "os/parent.h"

struct supernode_host;

struct supernode_setup {
	const struct supernode_conf *conf; /* kept */
	struct parent *parent;		   /* that opens the sockets, or NULL; outlives it */
	const struct log *log;		   /* kept */
};

/*
 * Makes everything ready and tells the key in a line. Any failure is a condition of the start that
 * the user has to mend; err explains it.
 */
MUST_CHECK int supernode_host_open(
	struct supernode_host **out, const struct supernode_setup *setup, struct os_error *err);
/* Until SIGINT or SIGTERM: 0. Else N2N_E*, explained. */
MUST_CHECK int supernode_host_run(struct supernode_host *h, struct os_error *err);
/* Stops the workers and frees all. NULL is fine. */
void supernode_host_close(struct supernode_host *h);

#endif
