/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What goes in and out of the core: Ethernet frames and UDP datagrams, in arrays. All buffers are
 * the caller's; the core keeps none after it returns.
 */
#ifndef N2N_CORE_FRAME_FRAME_H
#define N2N_CORE_FRAME_FRAME_H

#include "base/bytes.h"
#include "base/limits.h"
#include "base/offload.h"
#include "wire/packet.h"

#define FRAME_MAX     (14 + 8 + MTU_MAX) /* larger ones are cut first: header, two VLAN tags */
#define FRAME_MIN     14
#define SLOT_HEADROOM (RELAY_HEADER_LEN + DATA_HEADER_LEN)
#define SLOT_LEN      2048 /* stride of packet buffers: headroom, a frame, a tag */
#define SLOT_TAIL     (SIGNATURE_LEN + DATA_TAG_LEN)
#define DATAGRAM_MAX  (SLOT_LEN - 64)
#define HALF_MAX      ((FRAME_MAX + 1) / 2) /* of a frame in halves, PROTOCOL.md 6.8 */
#define HALF_MIN      (FRAME_MIN / 2)
#define HALF_SLOT_LEN 896 /* as SLOT_LEN, for a half, with a signature */

/* data has SLOT_HEADROOM writable bytes before it and SLOT_TAIL behind len. */
struct frame {
	uint8_t *data;
	size_t len;
	struct offload offload;
};

/* The destination MAC address of a frame as a number; the frame has at least FRAME_MIN bytes. */
static inline uint64_t frame_destination(const uint8_t *frame)
{
	return load_be64(frame) >> 16;
}

/* The source MAC address of a frame as a number; the frame has at least FRAME_MIN bytes. */
static inline uint64_t frame_source(const uint8_t *frame)
{
	return load_be64(frame + 4) & UINT64_C(0xffffffffffff);
}

#endif
