/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The groups of registrations, at a supernode: fan-out sets that FANOUT changes, and word of what
 * was not sent on (PROTOCOL.md 7.19, 7.20, 10.2). What workers see of them is core/data/fanout.h.
 * Control thread.
 */
#ifndef N2N_CORE_SUPERNODE_FANS_H
#define N2N_CORE_SUPERNODE_FANS_H

#include "base/pace.h"
#include "core/data/fanout.h"
#include "core/session/session.h"

#define FAN_HANDLES_MAX 4096 /* in all sets of a registration, at both of their versions */

struct registry;

/* As long as somebody of it is registered. */
struct fans_community {
	struct fan_community shared; /* first */
	UT_hash_handle hh;	     /* fans->communities, by id */
	uint32_t id;		     /* the registry's */
	unsigned registrations;
};

/* Of one registration. */
struct member_fan {
	struct fanout shared; /* first */
	struct fans_community *community;
	struct pace changes; /* FANOUTs worked on */
	uint64_t told_ms;    /* last word without a FANOUT; 0: none */
	uint32_t handles;    /* in all sets */
};

/* Embedded in a supernode. */
struct fans {
	struct fan_limits limits;
	struct fans_community *communities;
	const uint8_t *hash_key; /* the node's */
	unsigned sets;		 /* of all registrations, and handles in them */
	uint64_t handles;
};

/* limits is copied, hash_key borrowed. */
void fans_init(struct fans *f, const struct fan_limits *limits, const uint8_t *hash_key);

/* A registration begins in the community with this id; NULL: no memory, it has no groups then. */
struct member_fan *fans_enter(struct fans *f, uint32_t community);
/* It ends: no link leads to it any more. What workers may still see is retired. Accepts NULL. */
void fans_leave(struct core *core, struct fans *f, struct member_fan *fan);

/*
 * FANOUT came: changes the set and answers, or does nothing where too many came. Handles that come
 * into a set and are nobody's in the community are left out.
 */
void fans_take(struct core *core, struct fans *f, const struct registry *r, struct session *s,
	struct member_fan *fan, const struct control_msg *m);
/*
 * Tells what workers refused since the last time, if something; at most once a second. Returns when
 * to be called again, 0: when something more was refused.
 */
uint64_t fans_tell(struct core *core, struct session *s, struct member_fan *fan);

#endif
