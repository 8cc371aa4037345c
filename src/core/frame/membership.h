/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What hosts and routers say of multicast groups: IGMP 1 to 3 (RFC 1112, 2236, 3376), MLD 1 and 2
 * (RFC 2710, 3810), and by what a multicast router is known (PIM, RFC 4286). Pure functions on
 * bytes; any thread. Addresses of IPv4 are in their mapped form.
 */
#ifndef N2N_CORE_FRAME_MEMBERSHIP_H
#define N2N_CORE_FRAME_MEMBERSHIP_H

#include "base/mac.h"
#include "core/frame/frame.h"

/* What a frame to a group address is, as far as its receivers depend on it (PROTOCOL.md 10.3). */
enum multicast_kind {
	MULTICAST_LINK,	  /* for everybody: groups of the link, and whatever is no IP */
	MULTICAST_STREAM, /* for who listens to the group */
	MULTICAST_REPORT, /* a host says to which groups it listens: for who asks, or wants all */
	MULTICAST_ROUTER  /* for everybody: a query, or a multicast router makes itself known */
};

/*
 * Of a frame of at least FRAME_MIN bytes, behind up to two VLAN tags; by a few bytes at fixed
 * places, so that a report or query may turn out to be none.
 */
enum multicast_kind multicast_kind(const uint8_t *data, size_t len);

enum membership_kind {
	MEMBERSHIP_QUERY,
	MEMBERSHIP_JOIN,    /* group */
	MEMBERSHIP_LEAVE,   /* group */
	MEMBERSHIP_RECORDS, /* see membership_next */
	MEMBERSHIP_ROUTER   /* there is a multicast router */
};

struct membership {
	enum membership_kind kind;
	bool v6;
	bool nested;	      /* behind two VLAN tags; vlan is the outer one */
	uint16_t vlan;	      /* as frame_vlan; 0: none */
	uint8_t source[16];   /* zero, or ::ffff:0.0.0.0: its sender has no address */
	uint8_t group[16];    /* JOIN, LEAVE, and QUERY, where zero: of all groups */
	bool ends;	      /* QUERY of one group: who does not answer is no member */
	uint32_t response_ms; /* QUERY: answers come in this time */
	uint16_t n;	      /* RECORDS: how many are left, and where */
	struct reader records;
};

/*
 * False, *m undefined: it is none, cut short, or a checksum is wrong. Reads no byte behind the end;
 * the frame is borrowed while records are read.
 */
MUST_CHECK bool membership_read(struct membership *m, const uint8_t *data, size_t len);

struct membership_record {
	uint8_t group[16];
	bool joins;  /* its sender listens to the group, or to some sources of it */
	bool leaves; /* it may listen no more: it is to be asked */
};

/* The next record; false: there is no more, or it is cut short. */
MUST_CHECK bool membership_next(struct membership *m, struct membership_record *r);

/* True for groups that are for who listens: neither of the link nor of the host. */
bool membership_is_limited(const uint8_t group[16]);
/* The Ethernet address of a group (RFC 1112, 6.4; RFC 2464, 7). */
struct mac membership_mac(const uint8_t group[16]);

#define MEMBERSHIP_FRAME_MAX (14 + 4 + 40 + 8 + 28)

struct membership_query {
	struct mac source;
	bool v6;
	uint16_t vlan;
	uint8_t group[16];    /* zero: of all */
	uint32_t response_ms; /* at most 12,700 */
	uint8_t interval_s;   /* between queries, at most 127 */
};

/*
 * An IGMPv3 query from 0.0.0.0, or an MLDv2 query from a link-local address made of source, that is
 * higher than those of hosts: neither wins an election against another querier (RFC 4541, 2.1.1).
 * Returns its length.
 */
size_t membership_query(uint8_t out[MEMBERSHIP_FRAME_MAX], const struct membership_query *q);
/* The IPv6 address of queries from this Ethernet address, and whether one is some edge's. */
void membership_querier(uint8_t out[16], const struct mac *mac);
bool membership_is_edge(const uint8_t source[16]);
/*
 * The advertisement of RFC 4286, by which switches send their groups and reports to us; of *q, as
 * far as it has that. Returns its length.
 */
size_t membership_advertise(uint8_t out[MEMBERSHIP_FRAME_MAX], const struct membership_query *q);

#endif
