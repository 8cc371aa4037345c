/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What os itself does in other network namespaces, on Linux. */
#ifndef N2N_OS_LINUX_NETNS_INSIDE_H
#define N2N_OS_LINUX_NETNS_INSIDE_H

#include "os/netns.h"

/* A socket of rtnetlink there, the caller's; -1: errno says why. */
int netns_netlink(const struct netns *ns);
/* A file below net.ipv6.conf of an interface there, for reading and writing; -1 as above. */
int netns_setting(const struct netns *ns, const char *interface, const char *setting);
/* Says why one cannot be entered; error is an errno. */
int netns_explain(struct os_error *err, int error, const char *name);
/* Enters by name; 0 or an errno. */
int netns_go(const char *name);

#endif
