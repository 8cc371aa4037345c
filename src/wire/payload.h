/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What messages 1 and 2 of the handshake carry inside Noise (PROTOCOL.md 5.3): a fixed part, then
 * TLVs (type u8, length u16, value). Unknown TLVs are skipped; a known one twice or of a wrong
 * length is an error. What the fields mean for the handshake is core/keys/handshake.h. Pure
 * functions; any thread.
 */
#ifndef N2N_WIRE_PAYLOAD_H
#define N2N_WIRE_PAYLOAD_H

#include "crypto/cpace.h"
#include "wire/packet.h"

#define PAYLOAD_FIXED_LEN 36
#define PAYLOAD_MAX_LEN	  96 /* what this version writes; it reads up to what fits an envelope */

enum {				/* capability bits; 1 << 1 is reserved too */
	CAP_AES_FAST = 1u << 0, /* AES runs in hardware */
	CAP_BRIDGE = 1u << 2	/* reserved */
};

enum payload_tlv {
	TLV_CPACE_SHARE = 1,  /* 32: Ya or Yb, in passphrase communities */
	TLV_HOP_MASK = 2,     /* 16: the sender's hop mask key, on hops */
	TLV_CREDENTIAL = 3,   /* reserved */
	TLV_PROVIDER_BLOB = 4 /* reserved */
};

struct payload {
	uint64_t freshness; /* message 1: higher for each attempt; message 2: 0 */
	uint32_t caps;
	uint32_t transforms;	 /* bit n: transform id n; message 2: exactly the one chosen */
	uint32_t generation;	 /* message 1: proposed; message 2: final (PROTOCOL.md 5.6) */
	uint32_t incarnation;	 /* random per process start, compared for inequality only */
	uint16_t mtu;		 /* largest inner IP packet the sender's interface takes */
	uint16_t key_indexes[4]; /* keys known, 0 = none */
	uint16_t result; /* on a hop, enum register_result: message 1: the initiator was refused so
			    here; message 2: it is, and no keys come of this; else 0 */
	bool has_share;
	uint8_t share[CPACE_SHARE_LEN];
	bool has_hop_mask;
	uint8_t hop_mask[MASK_LEN];
};

/* Returns the length, at most PAYLOAD_MAX_LEN, or 0 when that is above cap. */
size_t payload_encode(uint8_t *out, size_t cap, const struct payload *p);
/* N2N_EINVAL, with *p filled in part, for what PROTOCOL.md 5.3 rejects; TLVs left out are zero. */
MUST_CHECK int payload_decode(struct payload *p, const uint8_t *in, size_t len);

#endif
