/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An edge: its communities, their peers, its supernodes. Control thread only; the data path is
 * core/data/edge_data.h. The host feeds it packets and time and does what it asks through struct
 * core_io. Indexes of communities and supernodes are those that adding returned.
 */
#ifndef N2N_CORE_EDGE_EDGE_H
#define N2N_CORE_EDGE_EDGE_H

#include "core/data/edge_data.h"
#include "core/node.h"
#include "core/status.h"

#define LOCAL_ADDRESSES_MAX 12 /* of this host, that are told */

struct edge;

struct edge_config {
	struct core_config node;
	uint8_t seed[SEED_LEN]; /* of communities that have none of their own */
};

/* A member whom the user names for roles: for these nobody else is believed (PROTOCOL.md 9.7). */
struct trusted {
	uint8_t edge[EDGE_ID_LEN];
	uint8_t roles; /* of enum member_role */
};

struct community_config {
	const char *name; /* for people, and the tag in passphrase mode; may be NULL with a key */
	const struct community_key *key; /* key mode, or */
	const uint8_t *prs;		 /* passphrase mode: party_stretch of the passphrase */
	const uint8_t *seed;		 /* what our identity in it comes of; NULL: the edge's */
	struct mac mac;			 /* of our interface; zero: derived from the static key */
	uint64_t hold_ms;		 /* how long an address is kept for a member that is away */
	uint16_t mtu;
	uint8_t n_addresses;
	struct claim_address address[CLAIM_ADDRESSES_MAX];
	const uint8_t *mask;   /* direct mask key of an earlier run, at most 24 h old, or NULL */
	uint32_t learn;	       /* so many addresses that no member claims are learned; 0: none */
	uint8_t roles;	       /* ours, of enum member_role; standby is the core's to say */
	bool signed_broadcast; /* each of our group packets has a signature */
	bool bpdu_guard;       /* spanning trees end here: no BPDU in or out */
	const struct trusted *trusted; /* who may have which role, copied */
	size_t n_trusted;
};

/*
 * Without communities and supernodes yet. *c is copied, its seed too; wiping that is the caller's.
 * NULL: no memory.
 */
struct edge *edge_create(const struct edge_config *c);
/* Wipes and frees, without a goodbye; no worker may run any more. Accepts NULL. */
void edge_destroy(struct edge *e);
/* What the host drives; lives as long as e. */
struct node *edge_node(struct edge *e);

/*
 * Returns the community's index, or N2N_ENOSPC, N2N_ENOMEM, N2N_EEXIST (same tag). At any time; an
 * index is used again only when nothing knows the community that had it (edge_drained).
 */
MUST_CHECK int edge_add_community(struct edge *e, const struct community_config *c);
/*
 * Leaves a community: says goodbye, and forgets its peers. The host takes its interface away from
 * the workers before or afterwards; frames from it are dropped from now on.
 */
void edge_remove_community(struct edge *e, unsigned community, uint64_t now_ms);
/*
 * The host says that it has seen the queues of all workers empty since the last call: no note is
 * under way that was left before the last grace period ended.
 */
void edge_drained(struct edge *e);
/*
 * What is no peer takes part in a community's switch through a sink: flooded frames come to it, and
 * those for the addresses given to it. Called by workers. Returns the port's number, which is what
 * the other two functions take; N2N_ENOMEM.
 */
MUST_CHECK int edge_add_sink(struct edge *e, unsigned community, const struct port_sink *sink);
/*
 * Frames for this address go to the sink with the next view. N2N_ENOMEM, N2N_ENOSPC: as before. A
 * member that claims the address later takes it over.
 */
MUST_CHECK int edge_give_address(
	struct edge *e, unsigned community, int port, const struct mac *mac);
/* No worker calls it any more once the next view is shown and a grace period has passed. */
void edge_remove_sink(struct edge *e, unsigned community, int port);

/*
 * The interface became a port of a bridge, of another one or of none any more, 0; master is its
 * number at the host. A bridge of the community listens first whether another one is there
 * (PROTOCOL.md 9.8).
 */
void edge_bridged(struct edge *e, unsigned community, uint32_t master, uint64_t now_ms);

/* The MAC address its interface is to have. */
struct mac edge_mac(const struct edge *e, unsigned community);
/*
 * The interface has this MAC address by now: all peers are told (PROTOCOL.md 7.11). One that they
 * know as another member's is refused to us there, and that member here. They look at two claims a
 * second of each, so that this should not come more often. N2N_EINVAL: no interface can have it;
 * N2N_ENOMEM: all is as before.
 */
MUST_CHECK int edge_set_mac(
	struct edge *e, unsigned community, const struct mac *mac, uint64_t now_ms);
/*
 * The interface has these addresses by now, at most CLAIM_ADDRESSES_MAX: all peers are told.
 * N2N_ENOMEM: all is as before.
 */
MUST_CHECK int edge_set_addresses(struct edge *e, unsigned community,
	const struct claim_address *list, unsigned n, uint64_t now_ms);
/* Who may have which role is this from now on, at most TRUSTED_MAX, copied. */
void edge_set_trusted(
	struct edge *e, unsigned community, const struct trusted *list, size_t n, uint64_t now_ms);
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
/*
 * The addresses of this host, with the port of our socket, best first: candidates for direct paths.
 * The first LOCAL_ADDRESSES_MAX are told, and only that they are others than before is news.
 */
void edge_local_addresses(
	struct edge *e, const struct endpoint *addresses, size_t n, uint64_t now_ms);
/*
 * Interfaces or routes of this host changed: core_io's is_underlay is asked again for each path and
 * for what it refused, of some peers at a time.
 */
void edge_rerouted(struct edge *e, uint64_t now_ms);
/*
 * The system refused datagrams as too large: how long they may be is asked anew for every path.
 */
void edge_measure(struct edge *e, uint64_t now_ms);
/* Where the supernodes are that are used or tried: returns how many, at most cap. */
size_t edge_supernode_places(const struct edge *e, struct endpoint *out, size_t cap);

/*
 * All addresses from which our sockets may send, with the port of the socket: those of every
 * interface, ours and loopback included, but where the sockets are bound to one. Frames that show
 * one as their source are our own datagrams, and dropped. N2N_ENOMEM: as before.
 */
MUST_CHECK int edge_own_sockets(
	struct edge *e, const struct endpoint *addresses, size_t n, uint64_t now_ms);

/*
 * By the routes of the host what is sent to this address, of a supernode, comes back by our
 * interface: as if some of it had. To be said again after each edge_rerouted while it is so.
 */
void edge_led_in(struct edge *e, const struct endpoint *to, uint64_t now_ms);

/* A peer of an earlier run: a static that had confirmed, and where it was last. */
struct known_peer {
	uint8_t remote[KEY_LEN];
	uint64_t freshness;
	struct endpoint direct; /* may be none */
};
/*
 * Tells of one, before the community meets others: one handshake with it is no stranger's, its
 * freshness counts, and a handshake may go to it directly. Without memory it is not remembered. *k
 * may be any bytes: what is no usable address is none, and nobody is its own peer.
 */
void edge_remember(struct edge *e, unsigned community, const struct known_peer *k);
/* Lists confirmed peers for the state directory: returns how many, at most cap. */
size_t edge_known_peers(
	const struct edge *e, unsigned community, struct known_peer *out, size_t cap);

/*
 * Whose an address is (PROTOCOL.md 9.4). absent_ms counts while the edge runs without its owner, so
 * no clock that is wrong ages anything.
 */
struct known_owner {
	struct mac mac;
	uint8_t remote[KEY_LEN]; /* static */
	uint64_t absent_ms;
	bool trial; /* it may turn out to be a host's behind a bridge */
};
/*
 * Tells of one of an earlier run, in the order in which edge_known_owners listed them, at best
 * before the peers. Our own address, and what is told already, is left out; so is one without
 * memory.
 */
void edge_remember_owner(struct edge *e, unsigned community, const struct known_owner *k);
/* Lists them, oldest first, for the state directory: returns how many, at most cap. */
size_t edge_known_owners(
	const struct edge *e, unsigned community, struct known_owner *out, size_t cap);

/* Edge ids of who lost an address, and of who has it instead. */
struct forgotten_owner {
	uint8_t owner[EDGE_ID_LEN];
	bool taken;
	uint8_t taker[EDGE_ID_LEN]; /* if taken */
};
/*
 * The user says that an address is not its owner's any more. A member that was refused it gets it
 * at once, of several the one met first; else the owner, if it is here; else who claims it next.
 * False: the address has no owner, or is ours.
 */
bool edge_forget_owner(struct edge *e, unsigned community, const struct mac *mac, uint64_t now_ms,
	struct forgotten_owner *out);

/*
 * A member was removed from the community: nothing is broadcast any more under keys that it has,
 * and it is told no other. N2N_EINVAL: nobody here has this static.
 */
MUST_CHECK int edge_revoke_group(
	struct edge *e, unsigned community, const uint8_t remote[KEY_LEN], uint64_t now_ms);

/* Says goodbye to peers and supernodes. The packets are sent at once. */
void edge_shutdown(struct edge *e, uint64_t now_ms);

/* A snapshot for people; see status.h. */
void edge_status(const struct edge *e, uint64_t now_ms, const struct status_sink *sink);
/* The same of one community alone; false when there is none of this index. */
bool edge_community_status(
	const struct edge *e, unsigned community, uint64_t now_ms, struct status_community *out);
/*
 * The same of one peer, by its static key: false when it, or the community, is not known. Pointers
 * in *out live until the next call that changes the edge.
 */
bool edge_peer_status(const struct edge *e, unsigned community, const uint8_t remote[KEY_LEN],
	uint64_t now_ms, struct status_peer *out);
/*
 * Our own address and those that members own in a community, which there is, in no order. What it
 * is said of lives for the call.
 */
void edge_owned_addresses(
	const struct edge *e, unsigned community, status_address_fn *say, void *ctx);
/*
 * Those that are learned, from place *at of the table on, max of them at most, and *at behind them;
 * false: there are no more. max is not 0.
 */
bool edge_learned_addresses(const struct edge *e, unsigned community, uint32_t *at, unsigned max,
	status_address_fn *say, void *ctx);
/* True when some community is registered at a supernode. */
bool edge_is_registered(const struct edge *e);

#endif
