/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding ARP, neighbour discovery and DHCP in a frame, wherever a host would. */
#include "core/frame/first_hop.h"

#include <string.h>

#define WRAPPERS_MAX 4	    /* tags and 802.2 headers; honest ones have two tags at most */
#define HEADERS_MAX  8	    /* before the one that counts */
#define LENGTHS	     0x0600 /* below it is a length, not an EtherType */

enum {
	ETHER_IPV4 = 0x0800,
	ETHER_ARP = 0x0806,
	ETHER_VLAN = 0x8100,
	ETHER_IPV6 = 0x86dd,
	ETHER_SERVICE_VLAN = 0x88a8,
	ETHER_OLD_SERVICE_VLAN = 0x9100
};

/* Of IPv6, RFC 8200. */
enum {
	NEXT_HOP_BY_HOP = 0,
	NEXT_UDP = FIRST_HOP_UDP,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_AUTHENTICATION = 51,
	NEXT_ICMP = 58,
	NEXT_DESTINATION = 60,
	NEXT_MOBILITY = 135,
	NEXT_HIP = 139,
	NEXT_SHIM6 = 140
};

/* RFC 4861. */
enum {
	ROUTER_SOLICITATION = 133,
	ROUTER_ADVERTISEMENT,
	NEIGHBOUR_SOLICITATION,
	NEIGHBOUR_ADVERTISEMENT,
	REDIRECT
};

static void skip(struct reader *r, size_t len)
{
	(void)reader_take(r, len);
}

static bool is_tag(uint16_t type)
{
	return type == ETHER_VLAN || type == ETHER_SERVICE_VLAN || type == ETHER_OLD_SERVICE_VLAN;
}

/* Behind a length: the header of RFC 1042, or of 802.1H, which an EtherType follows. */
static bool take_snap(struct reader *r)
{
	const uint8_t *head = reader_take(r, 6);

	return head != NULL && head[0] == 0xaa && head[1] == 0xaa && head[2] == 0x03 &&
	       head[3] == 0 && head[4] == 0 && (head[5] == 0 || head[5] == 0xf8);
}

/* The EtherType of what the frame is about, which r is behind then; 0: none. */
static uint16_t unwrap(struct reader *r, bool *hidden)
{
	for (unsigned i = 0; i <= WRAPPERS_MAX; i++) {
		uint16_t type = reader_u16(r);

		if (is_tag(type))
			skip(r, 2);
		else if (type >= LENGTHS)
			return type;
		else if (!take_snap(r))
			return 0;
	}
	*hidden = reader_ok(r);
	return 0;
}

static void set_v4(struct first_hop *out, const uint8_t ip[4])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (load_be32(ip) == 0)
		return;
	memcpy(out->ip, mapped, sizeof(mapped));
	memcpy(out->ip + sizeof(mapped), ip, 4);
}

/* RFC 826: whatever kind of hardware is said, as hosts take two of them, and of any length. */
static void read_arp(struct first_hop *out, struct reader *r)
{
	uint8_t hardware_len, protocol_len;
	const uint8_t *ip;
	uint16_t protocol;

	skip(r, 2);
	protocol = reader_u16(r);
	hardware_len = reader_u8(r);
	protocol_len = reader_u8(r);
	skip(r, 2 + (size_t)hardware_len);
	ip = reader_take(r, 4);
	if (ip == NULL || protocol != ETHER_IPV4 || protocol_len != 4)
		return;
	set_v4(out, ip);
	if (load_be32(ip) != 0)
		out->kind = FIRST_HOP_NEIGHBOUR;
}

/* To a client's port, from whichever: clients do not look at it. */
static void read_udp(struct first_hop *out, struct reader *r, uint16_t client)
{
	uint16_t to;

	skip(r, 2);
	to = reader_u16(r);
	if (reader_ok(r) && to == client)
		out->kind = FIRST_HOP_DHCP;
}

static void read_icmp_v4(struct first_hop *out, struct reader *r, const uint8_t source[4])
{
	uint8_t type = reader_u8(r);

	if (!reader_ok(r) || !first_hop_icmp_routes(type))
		return;
	set_v4(out, source);
	out->kind = FIRST_HOP_ROUTER;
}

/*
 * What counts is in the first fragment, as one has 8 bytes at least. DHCP clients read the packet
 * themselves: there are some that look for UDP where it is without options, whatever the length of
 * the header, and some that do not look at the version, or take a length that is too short.
 */
static void read_v4(struct first_hop *out, struct reader *r)
{
	struct reader behind = *r;
	uint8_t version = reader_u8(r), protocol;
	const uint8_t *source;
	uint16_t fragment;

	skip(&behind, 4 * (size_t)(version & 15));
	skip(r, 5);
	fragment = reader_u16(r);
	skip(r, 1);
	protocol = reader_u8(r);
	skip(r, 2);
	source = reader_take(r, 4);
	skip(r, 4);
	if (!reader_ok(r) || (fragment & 0x1fff) != 0)
		return;
	if (protocol == FIRST_HOP_UDP) {
		read_udp(out, r, FIRST_HOP_CLIENT_V4);
		read_udp(out, &behind, FIRST_HOP_CLIENT_V4);
	} else if (protocol == FIRST_HOP_ICMP) {
		read_icmp_v4(out, &behind, source);
	}
}

static void set_v6(struct first_hop *out, enum first_hop_kind kind, const uint8_t ip[16])
{
	static const uint8_t unspecified[16];

	memcpy(out->ip, ip, sizeof(out->ip));
	if (kind != FIRST_HOP_NEIGHBOUR || memcmp(ip, unspecified, sizeof(unspecified)) != 0)
		out->kind = kind;
}

/* A fragment of neighbour discovery is for no host, and there are hosts that take it. */
static void read_icmp(
	struct first_hop *out, struct reader *r, const uint8_t source[16], bool fragment)
{
	uint8_t type = reader_u8(r);
	const uint8_t *target;

	if (!reader_ok(r) || type < ROUTER_SOLICITATION || type > REDIRECT)
		return;
	if (fragment) {
		out->kind = FIRST_HOP_HIDDEN;
		return;
	}
	if (type == ROUTER_ADVERTISEMENT || type == REDIRECT) {
		set_v6(out, FIRST_HOP_ROUTER, source);
		return;
	}
	skip(r, 7);
	target = type == NEIGHBOUR_ADVERTISEMENT ? reader_take(r, 16) : source;
	if (reader_ok(r))
		set_v6(out, FIRST_HOP_NEIGHBOUR, target);
}

/* Steps over an extension header; false: it is none. */
static bool skip_header(struct reader *r, uint8_t *next)
{
	uint8_t which = *next, len;

	switch (which) {
	case NEXT_HOP_BY_HOP:
	case NEXT_ROUTING:
	case NEXT_AUTHENTICATION:
	case NEXT_DESTINATION:
	case NEXT_MOBILITY:
	case NEXT_HIP:
	case NEXT_SHIM6:
		*next = reader_u8(r);
		len = reader_u8(r);
		skip(r, which == NEXT_AUTHENTICATION ? 4 * (size_t)len + 6 : 8 * (size_t)len + 6);
		return true;
	default:
		return false;
	}
}

/* Steps over the header of a fragment. False: it is not the first one, which has been looked at. */
static bool skip_fragment(struct reader *r, uint8_t *next)
{
	uint16_t offset;

	*next = reader_u8(r);
	skip(r, 1);
	offset = reader_u16(r);
	skip(r, 4);
	return reader_ok(r) && (offset & 0xfff8) == 0;
}

static void read_upper(struct first_hop *out, struct reader *r, uint8_t which,
	const uint8_t source[16], bool fragment)
{
	if (which == NEXT_UDP)
		read_udp(out, r, FIRST_HOP_CLIENT_V6);
	else if (which == NEXT_ICMP)
		read_icmp(out, r, source, fragment);
}

static void read_v6(struct first_hop *out, struct reader *r)
{
	uint8_t version = reader_u8(r), next;
	const uint8_t *source;
	bool fragment = false;

	skip(r, 5);
	next = reader_u8(r);
	skip(r, 1);
	source = reader_take(r, 16);
	skip(r, 16);
	if (!reader_ok(r) || version >> 4 != 6)
		return;
	for (unsigned i = 0; reader_ok(r); i++) {
		if (i > HEADERS_MAX) {
			out->kind = FIRST_HOP_HIDDEN;
			return;
		}
		if (next == NEXT_FRAGMENT) {
			if (!skip_fragment(r, &next))
				return;
			fragment = true;
		} else if (!skip_header(r, &next)) {
			read_upper(out, r, next, source, fragment);
			break;
		}
	}
	/* What it is comes in the next fragment. */
	if (fragment && !reader_ok(r))
		out->kind = FIRST_HOP_HIDDEN;
}

void first_hop_read(struct first_hop *out, const uint8_t *data, size_t len)
{
	bool hidden = false;
	struct reader r;

	*out = (struct first_hop){.kind = FIRST_HOP_OTHER};
	reader_init(&r, data, len);
	skip(&r, FIRST_HOP_TYPE);
	switch (unwrap(&r, &hidden)) {
	case ETHER_ARP:
		read_arp(out, &r);
		break;
	case ETHER_IPV4:
		read_v4(out, &r);
		break;
	case ETHER_IPV6:
		read_v6(out, &r);
		break;
	default:
		if (hidden)
			out->kind = FIRST_HOP_HIDDEN;
		break;
	}
}
