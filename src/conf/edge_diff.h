/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What differs between what the user wanted and what the user wants now. Any thread.
 */
#ifndef N2N_CONF_EDGE_DIFF_H
#define N2N_CONF_EDGE_DIFF_H

#include "conf/edge_conf.h"

/* What may differ; a bit each. */
enum edge_change {
	/* of a community */
	CHANGE_NAME = 1 << 0,
	CHANGE_ADDRESSES = 1 << 1,
	CHANGE_TRUST = 1 << 2,
	CHANGE_ROLES = 1 << 3, /* what may come from behind this host: DHCP, routers */
	CHANGE_MAC_HOLD = 1 << 4,
	CHANGE_BRIDGE = 1 << 5,
	CHANGE_BPDU_GUARD = 1 << 6,
	CHANGE_LEARN = 1 << 7,
	CHANGE_ACCEPT_RA = 1 << 8,
	CHANGE_MTU = 1 << 9,
	CHANGE_MAC = 1 << 10,
	CHANGE_NETNS = 1 << 11,
	/* of the process */
	CHANGE_VERBOSITY = 1 << 12,
	CHANGE_SUPERNODES = 1 << 13,
	CHANGE_PORT = 1 << 14,
	CHANGE_UNDERLAY = 1 << 15,
	CHANGE_FWMARK = 1 << 16,
	CHANGE_UNDERLAY_NETNS = 1 << 17,
	CHANGE_WORKERS = 1 << 18,
	CHANGE_STATE_DIR = 1 << 19,
	CHANGE_DISABLED = 1 << 20,
	/* of a community again */
	CHANGE_SIGNED_BROADCAST = 1 << 21,
	CHANGE_END = 1 << 22
};

/* What of a community changes without leaving it. */
#define CHANGES_IN_PLACE ((unsigned)(CHANGE_ADDRESSES | CHANGE_TRUST))

struct edge_diff {
	/* By index of a community in the new one: that of the same device in the old one, or -1. */
	int before[COMMUNITIES_MAX];
	bool went[COMMUNITIES_MAX];	   /* by index in the old one */
	unsigned changed[COMMUNITIES_MAX]; /* by index in the new one, of those that were there */
	unsigned process;		   /* changes of the process */
};

/* Whether keys differ the text of them cannot tell: they are wiped. */
void edge_diff(struct edge_diff *d, const struct edge_conf *was, const struct edge_conf *is);
/* "the MTU", for "... needs a restart"; static. */
const char *edge_change_name(enum edge_change change);

#endif
