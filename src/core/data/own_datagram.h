/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Our own datagrams among the frames of an interface of ours. A route of this host, or a bridge
 * that the interface is a port of, leads them there; sealed and sent once more they would come
 * again, without end. Pure functions on bytes; any thread.
 *
 * One is known by its source: an address of this host and the port of our socket of that family.
 * Neither MAC address counts, as a bridge sends with its own. What others send through this host,
 * or from behind the bridge, has another source address, whatever its port.
 */
#ifndef N2N_CORE_DATA_OWN_DATAGRAM_H
#define N2N_CORE_DATA_OWN_DATAGRAM_H

#include "core/frame/parse.h"
#include "core/view/own.h"

#define OWN_MIN_LEN (14 + IP6_LEN + 8) /* ours carry more than the difference to IPv4 */
#define OWN_UDP	    17

/*
 * Whether a frame of len >= OWN_MIN_LEN bytes is one; *to is then where it was sent. Up to two VLAN
 * tags are looked behind. Of a fragmented one the first fragment is known, which has the port;
 * without it the others come to nothing.
 */
bool own_datagram(
	const struct own_sockets *own, const uint8_t *data, size_t len, struct endpoint *to);

/* False for most frames that are none, at the cost of a compare or two. */
static inline bool own_datagram_likely(
	const struct own_sockets *own, const uint8_t *data, size_t len)
{
	if (len < OWN_MIN_LEN)
		return false;
	if (data[12] == 0x08) /* IPv4 */
		return data[14 + 9] == OWN_UDP && load_be16(data + 14 + IP4_LEN) == own->port_v4;
	if (data[12] == 0x86) /* IPv6 */
		return data[14 + 6] == OWN_UDP && load_be16(data + 14 + IP6_LEN) == own->port_v6;
	return data[12] == 0x81 || data[12] == 0x88; /* tagged */
}

#endif
