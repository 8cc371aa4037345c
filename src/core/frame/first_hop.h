/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What hosts believe of their first hop because a frame says so (PROTOCOL.md 9.7): where an address
 * is (ARP, neighbour discovery), who leads out (router advertisements, redirects), what address to
 * take (DHCP). Pure functions on bytes; any thread.
 *
 * Tags and the headers of IEEE 802.2 before a message are looked behind, and extension headers of
 * IPv6, as a host that takes the message would. What a host may find behind more of them than are
 * looked at here, or in a fragment, is not told apart from the worst that it can be (RFC 6980,
 * RFC 7113).
 */
#ifndef N2N_CORE_FRAME_FIRST_HOP_H
#define N2N_CORE_FRAME_FIRST_HOP_H

#include "core/frame/frame.h"

enum first_hop_kind {
	FIRST_HOP_OTHER,     /* none of these */
	FIRST_HOP_NEIGHBOUR, /* whoever is at ip: ARP, or router or neighbour discovery */
	FIRST_HOP_DHCP,	     /* for a DHCP client */
	FIRST_HOP_ROUTER, /* an advertisement or a redirect of the router at ip, ICMP or ICMPv6 */
	FIRST_HOP_HIDDEN  /* it may be any of these */
};

struct first_hop {
	enum first_hop_kind kind;
	uint8_t ip[16]; /* IPv4 in its mapped form; zero: it says nothing of an address */
};

/*
 * What a frame of len bytes is. It allocates nothing and reads no byte behind the end; a message
 * that is cut short, which no host takes, is FIRST_HOP_OTHER.
 */
void first_hop_read(struct first_hop *out, const uint8_t *data, size_t len);

/* Where the fields are that tell most frames, without a tag. */
enum {
	FIRST_HOP_TYPE = 12,
	FIRST_HOP_IP = FIRST_HOP_TYPE + 2,
	FIRST_HOP_V4_MIN = FIRST_HOP_IP + 20 + 4, /* with the ports */
	FIRST_HOP_V6_MIN = FIRST_HOP_IP + 40 + 4,
	FIRST_HOP_ICMP = 1,
	FIRST_HOP_TCP = 6,
	FIRST_HOP_UDP = 17,
	FIRST_HOP_CLIENT_V4 = 68,
	FIRST_HOP_CLIENT_V6 = 546
};

/* Of ICMP, whether a message of this type says who leads out (RFC 792, RFC 1256). */
static inline bool first_hop_icmp_routes(uint8_t type)
{
	return type == 5 || type == 9;
}

/* Of an IPv4 packet of at least FIRST_HOP_V4_MIN - FIRST_HOP_IP bytes, likewise. */
static inline bool first_hop_likely_v4(const uint8_t *ip)
{
	return ip[0] != 0x45 ||
	       (ip[9] == FIRST_HOP_UDP ? load_be16(ip + 20 + 2) == FIRST_HOP_CLIENT_V4
				       : ip[9] == FIRST_HOP_ICMP && first_hop_icmp_routes(ip[20]));
}

/* Of an IPv6 packet of at least FIRST_HOP_V6_MIN - FIRST_HOP_IP bytes. */
static inline bool first_hop_likely_v6(const uint8_t *ip)
{
	return ip[6] == FIRST_HOP_UDP ? load_be16(ip + 40 + 2) == FIRST_HOP_CLIENT_V6
				      : ip[6] != FIRST_HOP_TCP;
}

/*
 * False only if first_hop_read finds FIRST_HOP_OTHER; for nearly all frames with data of TCP and
 * UDP, tagged or not, at the cost of a few compares.
 */
static inline bool first_hop_likely(const uint8_t *data, size_t len)
{
	if (len >= FIRST_HOP_V4_MIN + 4 && load_be16(data + FIRST_HOP_TYPE) == 0x8100) {
		data += 4;
		len -= 4;
	}
	if (len < FIRST_HOP_V4_MIN)
		return true;
	switch (load_be16(data + FIRST_HOP_TYPE)) {
	case 0x0800:
		return first_hop_likely_v4(data + FIRST_HOP_IP);
	case 0x86dd:
		return len < FIRST_HOP_V6_MIN || first_hop_likely_v6(data + FIRST_HOP_IP);
	default:
		return true;
	}
}

#endif
