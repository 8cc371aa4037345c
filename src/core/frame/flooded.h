/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which kind of frame to more than one a frame is. A pure function on bytes; any thread. */
#ifndef N2N_CORE_FRAME_FLOODED_H
#define N2N_CORE_FRAME_FLOODED_H

#include "base/flood_kind.h"
#include "core/frame/frame.h"

/*
 * Of a frame of at least FRAME_MIN bytes that goes to more than one, by its addresses, and what a
 * network stands on by its protocol (PROTOCOL.md 10.5). It looks behind two VLAN tags, and reads no
 * byte behind the end.
 */
enum flood_kind flooded_kind(const uint8_t *data, size_t len);

#endif
