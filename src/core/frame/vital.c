/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Telling what a network stands on from what it carries. */
#include "core/frame/vital.h"

#include "core/frame/first_hop.h"
#include "wire/loop_frame.h"

#define LENGTHS	 0x0600 /* below it is a length, and LLC follows: spanning tree, IS-IS */
#define TAGS_MAX 2
#define HEAD_LEN 8 /* of UDP, and of every message of ICMPv6 that counts */

enum {
	ETHER_IPV4 = 0x0800,
	ETHER_ARP = 0x0806,
	ETHER_IPV6 = 0x86dd,
	ETHER_LLDP = 0x88cc
};

enum {
	IP_HOP_BY_HOP = 0,
	IP_IGMP = 2,
	IP_ICMPV6 = 58,
	IP_EIGRP = 88,
	IP_OSPF = 89,
	IP_PIM = 103,
	IP_VRRP = 112
};

static enum vitality routing(uint8_t protocol)
{
	return protocol == IP_EIGRP || protocol == IP_OSPF || protocol == IP_PIM ||
			       protocol == IP_VRRP
		       ? VITAL_NETWORK
		       : VITAL_NOT;
}

/* By the receiver's port: DHCP of both versions; RIP, OLSR, HSRP and Babel. */
static enum vitality udp(const uint8_t *head)
{
	switch (head != NULL ? load_be16(head + 2) : 0) {
	case 67:
	case 68:
	case 546:
	case 547:
		return VITAL_HOST;
	case 520:
	case 521:
	case 698:
	case 1985:
	case 2029:
	case 6696:
		return VITAL_NETWORK;
	default:
		return VITAL_NOT;
	}
}

static enum vitality ipv4(struct reader *r)
{
	const uint8_t *ip = reader_take(r, 20);

	if (ip == NULL || (ip[0] & 15) < 5)
		return VITAL_NOT;
	(void)reader_take(r, 4 * (size_t)((ip[0] & 15) - 5));
	if (ip[9] == FIRST_HOP_UDP)
		return (load_be16(ip + 6) & 0x1fff) == 0 ? udp(reader_take(r, HEAD_LEN))
							 : VITAL_NOT;
	return ip[9] == IP_IGMP ? VITAL_NETWORK : routing(ip[9]);
}

/* Multicast listener discovery (130 to 132, 143), and router and neighbour discovery. */
static enum vitality icmpv6(const uint8_t *head)
{
	if (head == NULL)
		return VITAL_NOT;
	if (head[0] >= 133 && head[0] <= 137)
		return VITAL_HOST;
	return (head[0] >= 130 && head[0] <= 132) || head[0] == 143 ? VITAL_NETWORK : VITAL_NOT;
}

static enum vitality ipv6(struct reader *r)
{
	const uint8_t *ip = reader_take(r, 40), *options;
	uint8_t next;

	if (ip == NULL)
		return VITAL_NOT;
	next = ip[6];
	if (next == IP_HOP_BY_HOP && (options = reader_take(r, 8)) != NULL) {
		next = options[0];
		(void)reader_take(r, 8 * (size_t)options[1]);
	}
	if (next == FIRST_HOP_UDP)
		return udp(reader_take(r, HEAD_LEN));
	return next == IP_ICMPV6 ? icmpv6(reader_take(r, HEAD_LEN)) : routing(next);
}

enum vitality frame_vitality(const uint8_t *data, size_t len)
{
	struct reader r;
	uint16_t type;

	reader_init(&r, data, len);
	(void)reader_take(&r, FIRST_HOP_TYPE);
	type = reader_u16(&r);
	for (unsigned i = 0; i < TAGS_MAX && ethertype_is_tag(type); i++) {
		(void)reader_take(&r, 2);
		type = reader_u16(&r);
	}
	switch (type) {
	case ETHER_ARP:
		return VITAL_HOST;
	case ETHER_LLDP:
		return VITAL_NETWORK;
	case ETHER_IPV4:
		return ipv4(&r);
	case ETHER_IPV6:
		return ipv6(&r);
	default:
		return reader_ok(&r) && type < LENGTHS && data[0] == 1 ? VITAL_NETWORK : VITAL_NOT;
	}
}
