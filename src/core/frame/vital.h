/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames without which a host finds nobody, or a network falls apart: worth more than others. */
#ifndef N2N_CORE_FRAME_VITAL_H
#define N2N_CORE_FRAME_VITAL_H

#include <stdbool.h>

#include "core/frame/frame.h"

enum vitality {
	VITAL_NOT,
	VITAL_NETWORK, /* group membership, routing protocols, LLDP, spanning tree and its like */
	VITAL_HOST     /* ARP, router and neighbour discovery, DHCP */
};

/*
 * Of a frame of len >= FRAME_MIN bytes, behind up to two tags, options of IPv4, and one header of
 * hop-by-hop options of IPv6; DHCP of either side and version. Reads no byte behind the end; what
 * is cut short is VITAL_NOT. Any thread.
 */
enum vitality frame_vitality(const uint8_t *data, size_t len);

/* Whether it is one that a host cannot do without. */
static inline bool frame_is_vital(const uint8_t *data, size_t len)
{
	return frame_vitality(data, len) == VITAL_HOST;
}

#endif
