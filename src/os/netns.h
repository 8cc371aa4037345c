/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Network namespaces: where interfaces or sockets are that are not where this process is. To enter
 * one takes a right (RIGHT_NAMESPACES), so that the parent opens there what the child is to have:
 * what was opened in a namespace stays there, and belongs to it.
 *
 * Linux only; elsewhere netns_enter gives N2N_ENOSYS.
 */
#ifndef N2N_OS_NETNS_H
#define N2N_OS_NETNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "os/parent.h"

/* One that is another than ours. */
struct netns {
	struct parent *parent;	  /* that can look into it; NULL: nobody can */
	char name[NETNS_MAX + 1]; /* as "ip netns" shows it, or a path; empty: where parent is */
};

/* Which one stands behind a name at the moment. */
struct netns_id {
	uint64_t device, file;
};

/*
 * The whole process is there from now on; before there are threads. N2N_ENOENT: there is none of
 * the name; N2N_EPERM; N2N_EINVAL: the name is no namespace's.
 */
MUST_CHECK int netns_enter(const char *name, struct os_error *err);
/* N2N_ENOENT: it is there no more; other errors: it cannot be told. */
MUST_CHECK int netns_find(const struct netns *ns, struct netns_id *out);

#endif
