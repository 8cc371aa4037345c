/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A supernode: the registry of who is in which community, and the relay. It holds no community
 * key. Control thread; the relay itself is core/data/supernode_data.h.
 */
#ifndef N2N_CORE_SUPERNODE_SUPERNODE_H
#define N2N_CORE_SUPERNODE_SUPERNODE_H

#include "core/data/supernode_data.h"
#include "core/node.h"
#include "core/status.h"

#define LEASE_S	    30 /* a registration ends when nothing is heard for so long */
#define MEMBERS_MAX 20000

struct supernode;

struct supernode_config {
	struct core_config node;
	uint8_t secret[KEY_LEN];  /* X25519 */
	uint64_t floor;		  /* supernode_floor of the run before; 0: none */
	unsigned members_max;	  /* registrations; 0: MEMBERS_MAX */
	unsigned per_address;	  /* of them in one community; 0: PER_ADDRESS_DEFAULT */
	struct fan_limits groups; /* what is sent on to groups */
};

/*
 * Nobody is registered yet. *c is copied, its secret too; wiping that is the caller's. NULL: no
 * memory.
 */
struct supernode *supernode_create(const struct supernode_config *c);
/* Wipes and frees, without a goodbye; no worker may run any more. Accepts NULL. */
void supernode_destroy(struct supernode *sn);
/* What the host drives; lives as long as sn. */
struct node *supernode_node(struct supernode *sn);
/* Its static public key, KEY_LEN bytes, for people to give to edges; lives as long as sn. */
const uint8_t *supernode_public(const struct supernode *sn);

/*
 * The floor of the next run: what is answered in this one lies at or below it. To be kept before
 * the first datagram comes, and whenever it is another one; it is raised in steps of minutes, by
 * this call, which about once a second is often enough for.
 */
uint64_t supernode_floor(struct supernode *sn, uint64_t now_ms);
/* The same when nothing is answered any more: as low as it may be, so that all get in at once. */
uint64_t supernode_last_floor(const struct supernode *sn);

struct supernode_status {
	unsigned communities;
	unsigned members; /* registered */
	unsigned waiting; /* sessions that are not */
	unsigned sets;	  /* fan-out sets of all members */
	uint64_t handles; /* in them */
	struct fan_limits limits;
};
/* Fills *out as of now; what workers relay they count themselves. */
void supernode_status(const struct supernode *sn, struct supernode_status *out);

/* Who answered whom, shared by the workers, which must end before the supernode does. */
struct relay_pairs *supernode_pairs(struct supernode *sn);

#endif
