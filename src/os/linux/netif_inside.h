/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files about interfaces on Linux share. */
#ifndef N2N_OS_LINUX_NETIF_INSIDE_H
#define N2N_OS_LINUX_NETIF_INSIDE_H

#include <libmnl/libmnl.h>

#include "os/netns.h"

/* A socket of rtnetlink in a namespace, NULL: ours; flags: SOCK_NONBLOCK or 0. NULL: see errno. */
struct mnl_socket *netif_socket(const struct netns *ns, int flags);

#endif
