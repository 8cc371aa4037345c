/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding the source of a datagram within a frame, and comparing it. */
#include "core/data/own_datagram.h"

#include <string.h>

#define VLAN_TAG_LEN	   4
#define ETHER_TYPE	   12
#define LAST_TYPE	   (ETHER_TYPE + 2 * VLAN_TAG_LEN)
#define ETHER_IPV4	   0x0800
#define ETHER_IPV6	   0x86dd
#define ETHER_VLAN	   0x8100
#define ETHER_SERVICE_VLAN 0x88a8
#define IP4_VERSION	   0x45 /* without options, as we send none */
#define UDP_LEN		   8
#define IP4_PROTOCOL	   9
#define IP4_OFFSET_MASK	   0x1fff /* of the field with the flags: where a fragment belongs */
#define IP6_NEXT	   6

/* OWN_MIN_LEN is enough for all of it, behind two tags too. */
static bool check_v4(const struct own_sockets *own, const uint8_t *ip, struct endpoint *to)
{
	const uint8_t *udp = ip + IP4_LEN;
	struct endpoint from;

	if (ip[0] != IP4_VERSION || ip[IP4_PROTOCOL] != OWN_UDP ||
		(load_be16(ip + IP4_FLAGS) & IP4_OFFSET_MASK) != 0)
		return false;
	from = endpoint_v4(load_be32(ip + IP4_ADDRESSES), 0);
	if (load_be16(udp) != own->port_v4 || !own_has(own, from.ip))
		return false;
	*to = endpoint_v4(load_be32(ip + IP4_ADDRESSES + 4), load_be16(udp + 2));
	return true;
}

static bool check_v6(
	const struct own_sockets *own, const uint8_t *ip, size_t len, struct endpoint *to)
{
	const uint8_t *udp = ip + IP6_LEN;
	struct endpoint from = {.port = 0};

	if (len < IP6_LEN + UDP_LEN || ip[0] >> 4 != 6 || ip[IP6_NEXT] != OWN_UDP)
		return false;
	memcpy(from.ip, ip + IP6_ADDRESSES, sizeof(from.ip));
	if (load_be16(udp) != own->port_v6 || !own_has(own, from.ip))
		return false;
	memcpy(to->ip, ip + IP6_ADDRESSES + sizeof(from.ip), sizeof(to->ip));
	to->port = load_be16(udp + 2);
	return true;
}

bool own_datagram(
	const struct own_sockets *own, const uint8_t *data, size_t len, struct endpoint *to)
{
	size_t type = ETHER_TYPE;
	uint16_t what = load_be16(data + type);

	while ((what == ETHER_VLAN || what == ETHER_SERVICE_VLAN) && type < LAST_TYPE) {
		type += VLAN_TAG_LEN;
		what = load_be16(data + type);
	}
	data += type + 2;
	len -= type + 2;
	if (what == ETHER_IPV4)
		return check_v4(own, data, to);
	return what == ETHER_IPV6 && check_v6(own, data, len, to);
}
