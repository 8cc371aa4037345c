/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a supernode consists of; shared by supernode.c (set-up, handshakes, messages) and member.c
 * (edges with a session here). The registry knows nothing of it.
 */
#ifndef N2N_CORE_SUPERNODE_SUPERNODE_STATE_H
#define N2N_CORE_SUPERNODE_SUPERNODE_STATE_H

#include "core/node.h"
#include "core/supernode/fresh.h"
#include "core/supernode/member.h"
#include "core/supernode/supernode.h"

struct supernode {
	struct node node; /* first */
	struct party party;
	struct relay_pairs *pairs; /* of all workers */
	struct member *members;
	struct member *lobby, **lobby_end; /* those not registered, the oldest first */
	unsigned n_lobby;
	struct sources sources;
	struct registry registry;
	struct fans fans;
	struct fresh fresh; /* what may be answered */
	uint64_t sweep_ms;  /* when sources are swept next */
};

/* The supernode whose node it is: for the role's functions, which get a node. */
static inline struct supernode *supernode_of(struct node *n)
{
	return (struct supernode *)n;
}

#endif
