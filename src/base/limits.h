/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers that several layers share, each here and nowhere else: what the core holds is what the
 * options take and what the host makes room for.
 */
#ifndef N2N_BASE_LIMITS_H
#define N2N_BASE_LIMITS_H

/* Bytes of an IP packet in the overlay, without the Ethernet header. */
#define MTU_DEFAULT 1376
#define MTU_MAX	    1500

#define WORKERS_MAX 64

#define SUPERNODES_MAX	    8 /* that an edge is given */
#define SUPERNODE_ADDRESSES 8 /* that one name stands for */

#define NETNS_MAX	      255  /* bytes of the name or path of a network namespace */
#define COMMUNITIES_MAX	      16   /* that one edge is in */
#define COMMUNITY_MEMBERS_MAX 1000 /* that a supernode lists, PROTOCOL.md 12 */
/* Registrations that one address may have in one community, PROTOCOL.md 8.6. */
#define PER_ADDRESS_DEFAULT 300
#define PER_ADDRESS_MAX	    20000

/* Of group packets that a supernode sends on, in a second, PROTOCOL.md 10.2. */
#define GROUP_PACKETS_DEFAULT 200
#define GROUP_BITS_DEFAULT    1000000
#define GROUP_COPIES_DEFAULT  50000
#define GROUP_RATE_MAX	      1000000000

#define COMMUNITY_NAME_MAX    64 /* bytes of UTF-8 */
#define OVERLAY_ADDRESSES_MAX 8	 /* of one member in one community */
#define INTERFACE_NAME_MAX    15 /* bytes, without the NUL */

/* Owners of MAC addresses that are remembered in one community, PROTOCOL.md 9.4. */
#define MAC_OWNERS_MAX (2 * COMMUNITY_MEMBERS_MAX)

/* Addresses of others that are learned in one community, and whom its user may name for roles. */
#define LEARN_DEFAULT 32768
#define LEARN_MAX     524288
#define TRUSTED_MAX   64

/* How a community key begins, PROTOCOL.md 2.2; a passphrase may not. */
#define COMMUNITY_KEY_PREFIX "n2n4-"

#endif
