/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An edge: its communities, their peers, its supernodes. Control thread only; the data path is
 * edge_data.h. The host feeds it packets and time and does what it asks through node_io.
 */
#ifndef N2N_CORE_EDGE_EDGE_H
#define N2N_CORE_EDGE_EDGE_H

#include "core/data/edge_data.h"
#include "core/node.h"
#include "core/status.h"

struct edge;

struct edge_config {
	struct node_config node;
	uint8_t seed[SEED_LEN]; /* of the device */
};

struct community_config {
	const char *name; /* for people, and the tag in passphrase mode; may be NULL with a key */
	const struct community_key *key; /* key mode, or */
	const uint8_t *prs;		 /* passphrase mode: party_stretch of the passphrase */
	struct mac mac;			 /* of our interface; zero: derived from the static key */
	uint16_t mtu;
	uint8_t n_addresses;
	struct claim_address address[CLAIM_ADDRESSES_MAX];
	const uint8_t *mask; /* direct mask key of an earlier run, at most 24 h old, or NULL */
};

struct edge *edge_create(const struct edge_config *c);
void edge_destroy(struct edge *e);
struct node *edge_node(struct edge *e);

/* Returns the community's index, or N2N_ENOSPC, N2N_ENOMEM, N2N_EEXIST (same tag). */
MUST_CHECK int edge_add_community(struct edge *e, const struct community_config *c);
/* The MAC address its interface is to have. */
struct mac edge_mac(const struct edge *e, unsigned community);
/* The direct mask key to keep in the state directory. */
const uint8_t *edge_mask(const struct edge *e, unsigned community);

/*
 * Adds a supernode to the end of the list and returns its index. key: from -l, or NULL; pinned: key
 * remembered from an earlier run, or NULL.
 */
MUST_CHECK int edge_add_supernode(struct edge *e, const uint8_t *key, const uint8_t *pinned);
/* Its addresses became known or changed; they are tried in order. n = 0: none, for now. */
void edge_supernode_resolved(
	struct edge *e, unsigned supernode, const struct endpoint *addresses, size_t n);
/* The addresses of this host, with the port of our socket: candidates for direct paths. */
void edge_local_addresses(struct edge *e, const struct endpoint *addresses, size_t n);

/* Remembers a peer of an earlier run: a static that had confirmed, and where it was last. */
struct known_peer {
	uint8_t remote[KEY_LEN];
	uint64_t freshness;
	struct endpoint direct; /* may be none */
};
void edge_remember(struct edge *e, unsigned community, const struct known_peer *k);
/* Lists confirmed peers for the state directory: returns how many, at most cap. */
size_t edge_known_peers(
	const struct edge *e, unsigned community, struct known_peer *out, size_t cap);

/* Any datagram, as it came from the socket. */
void edge_datagram(struct edge *e, struct datagram *d, uint64_t now_ms);
/* What a worker could not finish: a datagram with VERDICT_UNKNOWN ... */
void edge_unknown(
	struct edge *e, uint8_t *data, size_t len, const struct origin *from, uint64_t now_ms);
/* ... an opened control packet; session by id, as it may be gone by now ... */
void edge_control(struct edge *e, uint32_t index, const uint8_t *plain, size_t len,
	const struct origin *from, uint64_t now_ms);
/* ... a frame with VERDICT_EARLY, queued behind the control packets that came before it ... */
void edge_early_frame(struct edge *e, uint32_t index, const struct frame *f, uint64_t now_ms);
/* ... a packet that was the first under its key set or came from an unexpected address ... */
void edge_heard(struct edge *e, uint32_t index, const struct origin *from, uint64_t now_ms);
/* ... a frame without a session to send it on; session_id 0: to every peer without keys. */
void edge_frame_waits(struct edge *e, unsigned community, uint32_t session_id,
	const struct frame *f, uint64_t now_ms);

/* Says goodbye to peers and supernodes. The packets are sent at once. */
void edge_shutdown(struct edge *e, uint64_t now_ms);

/* A snapshot for people; see status.h. */
void edge_status(const struct edge *e, uint64_t now_ms, const struct status_sink *sink);
/*
 * The same of one peer, by its static key: false when it is not known. Pointers in *out live until
 * the next call that changes the edge.
 */
bool edge_peer_status(const struct edge *e, unsigned community, const uint8_t remote[KEY_LEN],
	uint64_t now_ms, struct status_peer *out);
/* True when some community is registered at a supernode. */
bool edge_is_registered(const struct edge *e);

#endif
