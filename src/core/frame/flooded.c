/* SPDX-License-Identifier: GPL-3.0-or-later */
/* By whom a frame to more than one is heard, and what of. */
#include "core/frame/flooded.h"

#include <string.h>

#include "core/frame/first_hop.h"
#include "core/frame/vital.h"
#include "wire/loop_frame.h"

#define ETHER_IPV6 0x86dd

/*
 * Groups that hosts join because they want what is sent there. The others are of the link itself:
 * 224.0.0.0/24, those of IPv6 that have no other scope, and all that is not IP.
 */
static bool is_joined(const uint8_t *data, size_t len)
{
	static const uint8_t ip4[3] = {1, 0, 0x5e};

	if (memcmp(data, ip4, sizeof(ip4)) == 0)
		return data[3] != 0 || data[4] != 0;
	return data[0] == 0x33 && data[1] == 0x33 &&
	       load_be16(data + FIRST_HOP_TYPE) == ETHER_IPV6 && len >= FIRST_HOP_IP + 40 &&
	       (data[FIRST_HOP_IP + 25] & 15) > 2;
}

static bool is_probe(const uint8_t *data, size_t len)
{
	struct loop_frame f;

	return loop_frame_decode(&f, data, len) == 0 && f.kind == LOOP_PROBE;
}

enum flood_kind flooded_kind(const uint8_t *data, size_t len)
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if ((data[0] & 1) == 0)
		return FLOOD_UNKNOWN;
	if (frame_vitality(data, len) != VITAL_NOT)
		return FLOOD_VITAL;
	if (memcmp(data, everybody, sizeof(everybody)) == 0)
		return is_probe(data, len) ? FLOOD_PROBE : FLOOD_BROADCAST;
	return is_joined(data, len) ? FLOOD_STREAM : FLOOD_MULTICAST;
}
