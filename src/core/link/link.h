/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A link: what workers see of the association with one remote static key. The control thread owns
 * the rest of it, the session that embeds the link (core/session/session.h).
 *
 * Workers reach links through the view. The fixed words never change; the atomic ones do: the
 * control thread swaps pointers, so that a rekey or a change of path publishes nothing, and what it
 * swaps out is retired through the core and freed after a grace period. Ticks and counters are
 * written by whoever moves packets. Both sides read everything.
 *
 * A link's 30-bit id is random; the index of keys is the id and, in the two low bits, their
 * position in rx.
 */
#ifndef N2N_CORE_LINK_LINK_H
#define N2N_CORE_LINK_LINK_H

#include <stdatomic.h>

#include "base/flood_kind.h"
#include "base/role.h"
#include "core/keys/oneway.h"
#include "core/link/way.h"

#define LINK_POSITIONS	      4
#define LINK_GROUP_KEYS	      2
#define INDEX_ID(index)	      ((index) >> 2)
#define INDEX_POSITION(index) ((index)&3u)

enum link_kind {
	LINK_PEER,  /* edge to edge */
	LINK_HOP,   /* edge to supernode, at the edge */
	LINK_MEMBER /* the same, at the supernode */
};

struct link;
struct fanout; /* core/data/fanout.h */

/* How packets get to the remote side. Immutable; replaced as a whole. */
struct path {
	struct way way;		/* direct: where to send */
	uint8_t mask[MASK_LEN]; /* direct: the receiver's mask key */
	bool mask_known;	/* false: the split's mask key is used */
	uint16_t limit;		/* direct: of the bytes of a datagram, without IP and UDP headers */
	struct link *hop;	/* relayed: through this link to a supernode; else NULL */
	uint32_t handle;	/* relayed: the destination */
	uint8_t hop_limit;	/* relayed */
};

/* Of a peer that claimed an address of somebody else's: no frame comes from this one. */
#define LINK_MAC_REFUSED UINT64_MAX

/* What is dropped of a peer because it speaks for others (PROTOCOL.md 9.7). */
enum barred {
	BARRED_SOURCE,	  /* from an address that is not its own */
	BARRED_NEIGHBOUR, /* it says where another's IP address is */
	BARRED_DHCP,	  /* as a DHCP server, which it is not */
	BARRED_ROUTER,	  /* as a router, which it is not, or hidden so that it may be */
	BARRED_KINDS
};

struct link {
	/* Fixed. */
	uint32_t id;
	enum link_kind kind;
	unsigned community; /* index; 0 at a supernode */
	uint16_t port;	    /* peer: the number of its port in the community's switch */

	/* What opens packets, by INDEX_POSITION of their index; NULL: nothing. */
	_Atomic(struct recv_keys *) rx[LINK_POSITIONS];
	/* Peer: what opens its group packets (core/keys/group_key.h), the newest first; or NULL. */
	_Atomic(struct recv_keys *) group[LINK_GROUP_KEYS];
	_Atomic(struct send_keys *) tx; /* what to seal with, or NULL */
	_Atomic(struct path *) path;	/* where packets go */
	_Atomic(struct path *) copy;	/* and a second time, while the first is doubted */
	atomic_bool awake;		/* frames move; cleared by the control thread when idle */
	_Atomic uint64_t mac;	 /* peer: the address it has, 48 bits; 0: it claimed none yet */
	atomic_bool unreached;	 /* peer: it is silent or away, PROTOCOL.md 10.4 */
	_Atomic uint8_t roles;	 /* peer: those that we grant it, of enum member_role */
	_Atomic uint64_t member; /* at a supernode: link_member of its registration; 0: none */
	_Atomic(struct fanout *) fanout; /* ... and its groups; NULL: none, nothing is sent on */
	_Atomic uint64_t tx_ms;		 /* last packet sent on its path */
	_Atomic uint64_t tx_frame_ms;	 /* last frame sent */
	_Atomic uint64_t rx_ms;		 /* last packet opened */
	_Atomic uint64_t rx_frame_ms;	 /* last frame opened */
	_Atomic uint64_t rx_direct_ms;	 /* last packet opened that came from where path leads */
	_Atomic uint64_t lacking_ms;	 /* last note that none of group opened its packets */
	_Atomic uint64_t elsewhere_ms;	 /* last note that it was heard from elsewhere */
	_Atomic uint64_t noted;		 /* since when << 8 | how many control notes (note.c) */
	_Atomic uint64_t
		flood_ms[FLOOD_KINDS]; /* peer: buckets of what it sends to many (storm.h) */
	_Atomic uint64_t flooded[FLOOD_KINDS]; /* and frames of it that found them empty */
	_Atomic uint64_t tx_frames, tx_bytes, rx_frames, rx_bytes;
	_Atomic uint64_t barred[BARRED_KINDS]; /* peer: frames of it that were dropped so */
	_Atomic uint64_t barred_mac; /* the source of the last one of BARRED_SOURCE; 0: none */
	_Atomic uint64_t barred_ip;  /* view_ip_key of the other's address, last; 0: none */
	_Atomic uint64_t
		said_ip; /* the same of one that a bridge has, and said where it is, last */
};

/*
 * Where packets go, or NULL: nowhere. Any thread; a worker may use the path until its next point of
 * rest, and so with keys below.
 */
static inline struct path *link_path(const struct link *l)
{
	return atomic_load_explicit(&l->path, memory_order_acquire);
}

/* The path, if it is a direct one, else NULL. Any thread. */
static inline struct path *link_direct(const struct link *l)
{
	struct path *p = link_path(l);

	return p != NULL && p->hop == NULL ? p : NULL;
}

/* What a member's word tells: which community of the registry, by its id, and which handle. */
static inline uint64_t link_member(uint32_t community, uint32_t handle)
{
	return (uint64_t)community << 32 | handle;
}

/* One of the tick or counter words. Any thread. */
static inline uint64_t link_word(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

/* Whether the peer has this role, of enum member_role, as we see it. Any thread. */
static inline bool link_has_role(const struct link *l, unsigned role)
{
	return (atomic_load_explicit(&l->roles, memory_order_relaxed) & role) != 0;
}

/* What opens packets with exactly this index, or NULL. Any thread. */
static inline struct recv_keys *link_keys(const struct link *l, uint32_t index)
{
	struct recv_keys *k =
		atomic_load_explicit(&l->rx[INDEX_POSITION(index)], memory_order_acquire);

	return k != NULL && k->index == index ? k : NULL;
}

/* What to seal with at this time, or NULL. Any thread. */
static inline struct send_keys *link_sending(const struct link *l, uint64_t now_ms)
{
	struct send_keys *k = atomic_load_explicit(&l->tx, memory_order_acquire);

	return k != NULL && now_ms < k->until_ms ? k : NULL;
}

#endif
