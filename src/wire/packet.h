/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The outer forms of a datagram: the data header, the relay header, the masks over both
 * (PROTOCOL.md 4 and 6). Pure functions on bytes whose length the caller has checked; any thread.
 *
 *   data:   10 header | ciphertext | 16 tag            header masked with 10 bytes
 *   relay:  22 header | data packet or envelope        first 14 bytes masked
 */
#ifndef N2N_WIRE_PACKET_H
#define N2N_WIRE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DATA_HEADER_LEN	  10
#define DATA_TAG_LEN	  16
#define SIGNATURE_LEN	  64 /* Ed25519, at the end of the plaintext of signed group packets */
#define DATA_OVERHEAD	  (DATA_HEADER_LEN + DATA_TAG_LEN)
#define RELAY_HEADER_LEN  22
#define RELAY_MASKED_LEN  14 /* what precedes the hop MAC */
#define RELAY_MAC_LEN	  8
#define RELAY_HOP_LIMIT	  2
#define DATAGRAM_TAIL_LEN 16 /* the mask and the hop MAC are made from the last 16 bytes */
#define DATAGRAM_MIN_LEN  DATA_OVERHEAD
#define RELAYED_MIN_LEN	  (RELAY_HEADER_LEN + DATAGRAM_MIN_LEN)
#define MASK_LEN	  16

/* High 4 bits of byte 0. */
enum packet_type {
	PACKET_INIT = 1,
	PACKET_RESPONSE = 2,
	PACKET_COOKIE = 3,
	PACKET_DATA = 4,
	PACKET_GROUP = 5, /* as PACKET_DATA, under the key of a sender's group */
	PACKET_RELAY = 6,
	PACKET_HELLO = 7
};

/* Bits 3-2 of byte 0. */
enum frame_kind {
	KIND_ETHERNET =
		0, /* a frame without FCS, or half of one; of length 0: keepalive or confirm */
	KIND_NO_MACS = 1, /* reserved */
	KIND_IP = 2,	  /* reserved */
	KIND_CONTROL = 3  /* messages of wire/control.h */
};

/* Bits 1-0 of byte 0: what of a frame it is (PROTOCOL.md 6.8); 3 is reserved. */
enum frame_piece {
	PIECE_WHOLE = 0,
	PIECE_FIRST = 1, /* the first half, its last half has the next counter */
	PIECE_LAST = 2
};

/* Bytes 0-9 of a data or group packet. Bits 3-1 of byte 1 are reserved, 0. */
struct data_header {
	uint8_t kind;	 /* enum frame_kind */
	uint8_t piece;	 /* enum frame_piece */
	uint8_t cipher;	 /* transform id: high 4 bits of byte 1 */
	bool csum_unset; /* bit 0 of byte 1: the transport checksum is still to be filled in */
	uint32_t index;	 /* the receiver's key set; of a group packet the sender's group key */
	uint32_t counter;
	bool group; /* type 5, under the sender's group key (PROTOCOL.md 10.1) */
};

/* Writes it unmasked. kind, piece and cipher are within their 2, 2 and 4 bits. */
void data_header_write(uint8_t out[DATA_HEADER_LEN], const struct data_header *h);
/*
 * Reads it unmasked; false when the type is not PACKET_DATA or a reserved bit or kind is set, with
 * *h filled all the same.
 */
bool data_header_read(struct data_header *h, const uint8_t in[DATA_HEADER_LEN]);
/* The same of a group packet: false as well when its kind is not KIND_ETHERNET. */
bool group_header_read(struct data_header *h, const uint8_t in[DATA_HEADER_LEN]);

/*
 * Where a group packet is to go, towards a supernode: one of the sender's fan-out sets, as it was
 * at a version (PROTOCOL.md 10.2).
 */
#define FANOUT_SETS	       16
#define FANOUT_VERSION_BITS    28
#define FANOUT_VERSION_MAX     ((UINT32_C(1) << FANOUT_VERSION_BITS) - 1)
#define FANOUT_SET(handle)     ((handle) >> FANOUT_VERSION_BITS)
#define FANOUT_VERSION(handle) ((handle)&FANOUT_VERSION_MAX)

/* set is below FANOUT_SETS, version from 1 to FANOUT_VERSION_MAX. */
static inline uint32_t fanout_handle(unsigned set, uint32_t version)
{
	return (uint32_t)set << FANOUT_VERSION_BITS | version;
}

/* Bytes 0-13 of a relay packet; bits 3-1 of byte 0 are reserved, 0. */
struct relay_header {
	uint8_t hop_limit;
	uint32_t index;	  /* the receiver's key set of the hop session */
	uint32_t counter; /* of relay packets, apart from the data counter */
	uint32_t handle;  /* source from a supernode; towards one destination, or fanout_handle */
	bool group;	  /* bit 0 of byte 0: the inner packet is a group packet */
};

/* Writes bytes 0-13; the hop MAC follows separately. */
void relay_header_write(uint8_t out[RELAY_MASKED_LEN], const struct relay_header *h);
/* Reads it unmasked; false, with *h filled all the same, when byte 0 is not that of a relay packet.
 */
bool relay_header_read(struct relay_header *h, const uint8_t in[RELAY_MASKED_LEN]);

/*
 * XORs the first n bytes (10 or 14) of a packet of len bytes with the mask made from the mask key
 * and the packet's last 16 bytes: masks and unmasks. len >= n + DATAGRAM_TAIL_LEN.
 */
void packet_mask(uint8_t *packet, size_t len, size_t n, const uint8_t key[MASK_LEN]);
/*
 * The first n bytes, 8 to 16, as they would be without the mask; the packet is not changed.
 * len >= n and len >= DATAGRAM_TAIL_LEN are enough here.
 */
void packet_peek(
	uint8_t *clear, size_t n, const uint8_t *packet, size_t len, const uint8_t key[MASK_LEN]);

/*
 * The hop MAC of clear bytes 0-13 and the inner packet (PROTOCOL.md 6.4), of which it reads the
 * last 16 bytes: inner_len is at least that. key is the hop MAC key of the direction. Compare with
 * crypto_equal.
 */
void relay_mac(uint8_t mac[RELAY_MAC_LEN], const uint8_t key[16],
	const uint8_t header[RELAY_MASKED_LEN], const uint8_t *inner, size_t inner_len);

#endif
