/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an edge knows of the DHCP client of a community's interface, and of what that got. */
#ifndef N2N_HOST_EDGE_EDGE_DHCP_H
#define N2N_HOST_EDGE_EDGE_DHCP_H

#include "core/edge/edge.h"
#include "os/dhcp.h"

/* Zeroed: there is none. */
struct edge_dhcp {
	struct dhcp *client;
	struct dhcp_news last; /* what became of it */
	unsigned ends;	       /* how often it ended by itself */
	bool ending;	       /* it was told to end */
	uint64_t since_ms;     /* when last became so */
	uint8_t n_told; /* addresses that the members know, if they were told any from here */
	struct claim_address told[CLAIM_ADDRESSES_MAX];
	bool has_told;
};

#endif
