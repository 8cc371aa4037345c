/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the network interface left to do for a frame, in the terms of virtio-net: whoever takes the
 * frame either does it or hands the fact on. All zero: a plain, finished frame. Offsets and lengths
 * are in bytes from the start of the Ethernet header.
 */
#ifndef N2N_BASE_OFFLOAD_H
#define N2N_BASE_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

enum offload_kind {
	OFFLOAD_NONE, /* one frame */
	OFFLOAD_TCP4, /* a train of TCP segments over IPv4, under one header */
	OFFLOAD_TCP6,
	OFFLOAD_UDP, /* a train of UDP datagrams over IPv4 or IPv6 */
	OFFLOAD_KINDS
};

#define OFFLOAD_BIT(kind) (1u << (kind))

struct offload {
	uint8_t kind;	       /* enum offload_kind */
	bool ecn;	       /* a TCP train whose first segment alone has CWR */
	bool csum_unset;       /* the field holds the sum of the pseudo-header only */
	uint16_t csum_start;   /* the transport header, when csum_unset */
	uint16_t csum_offset;  /* of the field, from csum_start */
	uint16_t header_len;   /* all that is repeated before each segment; a hint when read */
	uint16_t segment_size; /* transport payload of each segment but the last */
};

#endif
