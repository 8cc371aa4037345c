/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A supernode: the registry of who is in which community, and the relay. It holds no community
 * key. Control functions for the control thread, supernode_datagrams for workers.
 */
#ifndef N2N_CORE_SUPERNODE_SUPERNODE_H
#define N2N_CORE_SUPERNODE_SUPERNODE_H

#include "core/data/receive.h"
#include "core/link/view.h"
#include "core/node.h"

#define LEASE_S	    30 /* a registration ends when nothing is heard for so long */
#define MEMBERS_MAX 20000

struct supernode;

struct supernode_config {
	struct node_config node;
	uint8_t secret[KEY_LEN]; /* X25519 */
	unsigned members_max;	 /* 0: MEMBERS_MAX */
};

struct supernode *supernode_create(const struct supernode_config *c);
void supernode_destroy(struct supernode *sn);
struct node *supernode_node(struct supernode *sn);
const uint8_t *supernode_public(const struct supernode *sn);

void supernode_datagram(struct supernode *sn, struct datagram *d, uint64_t now_ms);
/* What a worker could not finish; as in edge.h. */
void supernode_unknown(struct supernode *sn, uint8_t *data, size_t len, const struct origin *from,
	uint64_t now_ms);
void supernode_control(struct supernode *sn, uint32_t index, const uint8_t *plain, size_t len,
	const struct origin *from, uint64_t now_ms);
void supernode_heard(
	struct supernode *sn, uint32_t index, const struct origin *from, uint64_t now_ms);

struct supernode_status {
	unsigned communities;
	unsigned members;
	uint64_t relayed_packets, relayed_bytes;
};
void supernode_status(const struct supernode *sn, struct supernode_status *out);

/* The data path: relaying. One per worker. */
struct relay_budget;
struct relay_pairs;
struct supernode_worker {
	struct transmitter tx;
	struct receiver rx;
	struct drops drops;
	struct relay_budget *budget; /* owned */
	_Atomic uint64_t packets, bytes;
};

/* Shared by the workers, which must end before the supernode does. */
struct relay_pairs *supernode_pairs(struct supernode *sn);
MUST_CHECK int supernode_worker_init(struct supernode_worker *w, unsigned thread,
	struct relay_pairs *pairs, struct datagram_sink sink);
void supernode_worker_fini(struct supernode_worker *w);
/*
 * Relays what is to be relayed, and gives the rest a verdict as edge_datagrams_in does. A relayed
 * datagram's verdict is VERDICT_EMPTY.
 */
void supernode_datagrams_in(
	struct supernode_worker *w, const struct view *v, struct rx *x, size_t n, uint64_t now_ms);

#endif
