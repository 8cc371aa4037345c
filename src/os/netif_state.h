/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A picture of the host's network interfaces and their addresses, at one moment. Any thread.
 *
 * Every system; where an interface has no master, or nothing tells of it, it has none here.
 */
#ifndef N2N_OS_NETIF_STATE_H
#define N2N_OS_NETIF_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/endpoint.h"
#include "base/limits.h"
#include "base/mac.h"
#include "os/error.h"
#include "os/netns.h"

struct netif_link {
	unsigned index; /* stays when the interface is renamed */
	char name[INTERFACE_NAME_MAX + 1];
	struct mac mac;	 /* zero: it has none, or one of another length */
	unsigned mtu;	 /* bytes */
	bool up;	 /* it was set up, with a carrier or without */
	bool marked;	 /* as one of an n2n network (netif_mark) */
	unsigned below;	 /* index of the one that it was made upon, as a VLAN is; 0: none */
	unsigned master; /* index of the bridge, bond or switch that takes its frames; 0: none */
	unsigned vrf;	 /* index of the master that separates its routes from others; 0: none */
};

struct netif_address {
	unsigned index;	    /* of its interface */
	struct endpoint ip; /* port 0 */
	unsigned prefix;    /* bits of its own family */
};

struct netif_state {
	struct netif_link *link;
	size_t n_links;
	struct netif_address *address;
	size_t n_addresses;
};

/*
 * Takes one; netif_state_free is the caller's, also when it fails. N2N_ENOMEM, N2N_EPERM, N2N_EIO,
 * and N2N_EAGAIN when it changed meanwhile, so that parts do not fit.
 */
MUST_CHECK int netif_state_read(const struct netns *ns, struct netif_state *out);
/* A zeroed one is fine. */
void netif_state_free(struct netif_state *s);
/* The interface with this index; NULL: there is none, or it is in another network namespace. */
const struct netif_link *netif_state_link(const struct netif_state *s, unsigned index);
/* The index of an interface, by the name that it has now; 0: there is none. */
unsigned netif_index(const struct netns *ns, const char *name);

#endif
