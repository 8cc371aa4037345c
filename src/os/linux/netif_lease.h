/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IPv4 addresses that an interface has for a time. Any thread. */
#ifndef N2N_OS_LINUX_NETIF_LEASE_H
#define N2N_OS_LINUX_NETIF_LEASE_H

#include "os/netif.h"

/*
 * The interface has the address for so many seconds from now on, UINT32_MAX: for ever, and no other
 * for a time. 0 or an errno.
 */
MUST_CHECK int netif_lease(
	const char *name, const struct endpoint *ip, unsigned prefix, uint32_t seconds);
/* Takes away those that it has for a time, but this one, which may be NULL. 0 or an errno. */
MUST_CHECK int netif_lease_end(const char *name, const struct endpoint *but);
/* Whether it has any. */
bool netif_is_leased(const char *name);

#endif
