/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A supernode: the registry of who is in which community, and the relay. It holds no community
 * key. Control thread; the relay itself is core/data/supernode_data.h.
 */
#ifndef N2N_CORE_SUPERNODE_SUPERNODE_H
#define N2N_CORE_SUPERNODE_SUPERNODE_H

#include "core/data/supernode_data.h"
#include "core/node.h"

#define LEASE_S	    30 /* a registration ends when nothing is heard for so long */
#define MEMBERS_MAX 20000

struct supernode;

struct supernode_config {
	struct core_config node;
	uint8_t secret[KEY_LEN]; /* X25519 */
	unsigned members_max;	 /* 0: MEMBERS_MAX */
};

struct supernode *supernode_create(const struct supernode_config *c);
void supernode_destroy(struct supernode *sn);
struct node *supernode_node(struct supernode *sn);
const uint8_t *supernode_public(const struct supernode *sn);

struct supernode_status {
	unsigned communities;
	unsigned members;
	uint64_t relayed_packets, relayed_bytes;
};
void supernode_status(const struct supernode *sn, struct supernode_status *out);

/* Who answered whom, shared by the workers, which must end before the supernode does. */
struct relay_pairs *supernode_pairs(struct supernode *sn);

#endif
