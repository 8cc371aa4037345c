/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The groups to which those at our interface listen, and who asks them (PROTOCOL.md 10.3): a
 * querier and a snooping switch with one port (RFC 3376, 3810, 4541). Control thread, time is the
 * core's.
 */
#ifndef N2N_CORE_EDGE_SNOOP_H
#define N2N_CORE_EDGE_SNOOP_H

#include "core/edge/edge_state.h"
#include "core/frame/membership.h"

#define SNOOPED_MAX	512
#define GROUP_VLANS_MAX 32

/* One to which somebody in this VLAN listens. */
struct snooped {
	uint8_t ip[16]; /* IPv4 in its mapped form */
	uint16_t vlan;
	uint8_t asks;	   /* so often it is asked yet whether somebody still does */
	uint64_t ask_ms;   /* the next time */
	uint64_t until_ms; /* unless somebody says so again */
};

/* Who asks, with one version of IP in one VLAN. */
struct querier {
	uint64_t other_until_ms; /* another one does */
	uint64_t next_ms;	 /* we do */
	uint8_t quick;		 /* so many times in short time */
};

struct group_vlan {
	uint16_t vlan;
	uint64_t until_ms;	   /* unless something is said in it again; not of the first */
	struct querier querier[2]; /* of IPv4 and IPv6 */
};

struct snoop {
	size_t n;
	struct snooped at[SNOOPED_MAX];
	size_t n_vlans;
	struct group_vlan vlan[GROUP_VLANS_MAX]; /* the first: none */
	uint64_t learned_ms;	   /* until then those who listen may not have said so */
	uint64_t router_until_ms;  /* a multicast router is behind us */
	uint64_t crowded_until_ms; /* more was said than we can keep */
	bool told;		   /* said was to be told, once at least */
	struct control_listeners said;
	uint64_t wake_ms;  /* when who is owed word is looked at again */
	uint64_t flush_ms; /* when said goes out, at the latest */
	struct bucket announcements;
};

#endif
