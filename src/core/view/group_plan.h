/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How frames that are for more than one go out: which peers one group packet reaches by way of the
 * supernode, and under which key. All others get copies of their own. Made by the control thread
 * (core/edge/fan.h), immutable while workers have it, but for what they count.
 */
#ifndef N2N_CORE_VIEW_GROUP_PLAN_H
#define N2N_CORE_VIEW_GROUP_PLAN_H

#include "core/link/link.h"
#include "core/switch/port_set.h"

#define STREAMS_WANTED 16

/* What workers count, and by which the control thread sees that keys are worth their cost. */
struct group_use {
	_Atomic uint64_t used_ms; /* last frame for many */
	_Atomic uint64_t frames;  /* that went as group packets */
	_Atomic uint64_t copies;  /* saved by that */
	/* Of streams to groups that hosts join (core/data/streams.h). */
	_Atomic uint64_t wanted[STREAMS_WANTED]; /* groups that have listeners enough and no set */
	_Atomic uint64_t stream_us;		 /* when their share will be what it may keep */
	_Atomic uint64_t stream_ms[FANOUT_SETS]; /* last frame to who listens by this set */
	_Atomic uint64_t paused_ms[FANOUT_SETS]; /* faster than that: until then copies to each */
	/* When a host last said something of groups that found no room (snoop.h); 0: never. */
	_Atomic uint64_t unheard_ms;
};

/* A fan-out set as the supernode has it (PROTOCOL.md 10.2). */
struct group_set {
	struct send_keys *keys; /* of the group; borrowed */
	struct path path;	/* through the hop; its handle names set and version */
	struct port_set ports;	/* who is in it */
	unsigned n;		/* how many */
	uint64_t group;		/* whose listeners, as an address; 0: everybody */
};

struct group_plan {
	struct group_use *use;		    /* borrowed */
	struct group_set *set[FANOUT_SETS]; /* owned by core/edge; NULL: not to be used */
	uint32_t packets_s, bytes_s;	    /* that the supernode sends on; 0: not known */
	/* Of streams together: a packet takes so long, or so long for each byte if that is more. */
	uint32_t stream_packet_us, stream_byte_us;
};

#endif
