/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a supernode knows of the groups of one registration: the fan-out sets that its group packets
 * go to, and how much of them it sends on (PROTOCOL.md 10.2). Made and changed by the control
 * thread; workers reach it from the link (link.h), look sets up and count against the limits,
 * without locks.
 */
#ifndef N2N_CORE_DATA_FANOUT_H
#define N2N_CORE_DATA_FANOUT_H

#include "base/limits.h"
#include "core/link/link.h"

/*
 * A set as it was at two versions, immutable: handles of those who were in it at base alone, then
 * at both, then since version alone. So either version is one range of them.
 */
struct fan_set {
	uint32_t base, version; /* base is 0 when nothing was before */
	uint32_t n_gone, n_both, n_new;
	uint32_t handle[];
};

/* Handles that a packet goes to. */
struct fan_range {
	const uint32_t *handle;
	size_t n;
};

/*
 * What may be had so much of a second, and as much at once: it remembers until when it is used up,
 * in nanoseconds. Zeroed nothing is. Any thread, without locks.
 */
struct allowance {
	_Atomic uint64_t until_ns;
};

/* Of one registration in a second, or of one community; 0: nothing is sent on. */
struct fan_limits {
	uint32_t packets; /* of a registration */
	uint32_t bits;	  /* of these, inner packets alone */
	uint32_t copies;  /* of all group packets of a community */
};

#define FAN_LIMITS_DEFAULT                                                                         \
	{                                                                                          \
		GROUP_PACKETS_DEFAULT, GROUP_BITS_DEFAULT, GROUP_COPIES_DEFAULT                    \
	}

/* Shared by the registrations of a community. Zeroed at first. */
struct fan_community {
	struct allowance copies;
	_Atomic uint64_t senders[2]; /* a span of time << 32 | how many sent to groups in it */
};

/* Of one registration. */
struct fanout {
	const struct fan_limits *limits; /* outlives it, as does community */
	struct fan_community *community;
	_Atomic(struct fan_set *) set[FANOUT_SETS]; /* NULL: none */
	struct allowance packets, bits;
	struct allowance share;	  /* of its community's copies */
	_Atomic uint32_t span;	  /* in which it sent last, or as good as that */
	_Atomic uint32_t refused; /* packets over a limit */
	/* Sets, one bit each, whose packets were refused, or named a version that there is not. */
	_Atomic uint32_t tell;
};

/*
 * Takes some that costs so long: what flows in during cost_ns. At most what flows in during
 * burst_ns is kept; what costs more is had when nothing is used up. False: there is not so much.
 */
bool allowance_take(struct allowance *a, uint64_t now_ms, uint64_t cost_ns, uint64_t burst_ns);

/* Who is to get a packet of this handle field; false: there is no such set, or version of it. */
bool fanout_find(const struct fanout *f, uint32_t handle, struct fan_range *r);
/*
 * May a packet of len bytes be sent on to n members? If so it is counted as sent. Who has had more
 * than its share of the community's copies, who sends of late being as many as to share them,
 * leaves the last half of what is kept to others.
 */
bool fanout_allows(struct fanout *f, size_t len, size_t n, uint64_t now_ms);
/* The sender is to be told of the set of this handle field, when the control thread looks. */
void fanout_tell(struct fanout *f, uint32_t handle);

#endif
