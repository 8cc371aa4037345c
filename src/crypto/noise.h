/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Noise_IKpsk1_25519_ChaChaPoly_SHA256 (Noise Protocol Framework, revision 34), up to the end of
 * the two messages. What keys are made of the result is core/keys/keyset.h. One handshake is one
 * struct, embedded by its owner, used by one thread, wiped by noise_wipe; every call that fails
 * wipes it. A copy made before is a way back: it holds all secrets, and is to be wiped as well.
 *
 *   <- s
 *   -> e, es, s, ss, psk        message 1: 32 + 48 + payload + 16 bytes
 *   <- e, ee, se                message 2: 32 + payload + 16 bytes
 */
#ifndef N2N_CRYPTO_NOISE_H
#define N2N_CRYPTO_NOISE_H

#include "crypto/crypto.h"

#define NOISE_MSG1_OVERHEAD 96 /* message 1 is its payload and this */
#define NOISE_MSG2_OVERHEAD 48

struct noise {
	uint8_t h[HASH_LEN];  /* handshake hash; final after message 2 */
	uint8_t ck[HASH_LEN]; /* chaining key; final after message 2 */
	uint8_t k[KEY_LEN];   /* current cipher key */
	uint64_t n;	      /* its nonce */
	struct keypair s;     /* our static */
	struct keypair e;     /* our ephemeral */
	uint8_t rs[KEY_LEN];  /* remote static: the responder's is known beforehand */
	uint8_t re[KEY_LEN];  /* remote ephemeral */
	uint8_t psk[KEY_LEN];
};

/*
 * responder_static is the peer's public key. The prologue (PROTOCOL.md 5.1) is hashed here and not
 * kept, the keys are copied.
 */
void noise_init_initiator(struct noise *hs, const uint8_t *prologue, size_t prologue_len,
	const struct keypair *self, const uint8_t responder_static[KEY_LEN],
	const uint8_t psk[KEY_LEN]);
/* The responder learns who asks from message 1. */
void noise_init_responder(struct noise *hs, const uint8_t *prologue, size_t prologue_len,
	const struct keypair *self, const uint8_t psk[KEY_LEN]);

/*
 * Messages are written and read in the order of the picture, each once. The ephemeral secret is
 * passed in, fresh for each handshake. out takes len + overhead bytes. N2N_EAUTH when a
 * Diffie-Hellman result is zero (a hostile key).
 *
 * The initiator's.
 */
MUST_CHECK int noise_write1(struct noise *hs, uint8_t *out, const uint8_t ephemeral[KEY_LEN],
	const uint8_t *payload, size_t len);
/* The responder's; afterwards h and ck are final. */
MUST_CHECK int noise_write2(struct noise *hs, uint8_t *out, const uint8_t ephemeral[KEY_LEN],
	const uint8_t *payload, size_t len);
/*
 * The responder reads message 1 of len bytes; payload takes len - overhead bytes. Afterwards the
 * initiator's static key is in hs->rs: it is authentic, but the message may be a replay. N2N_EAUTH
 * when it is too short, was not made for us, or has a hostile key. Two Diffie-Hellman operations
 * here and in noise_read2.
 */
MUST_CHECK int noise_read1(struct noise *hs, uint8_t *payload, const uint8_t *msg, size_t len);
/* The initiator reads message 2 likewise; afterwards h and ck are final. */
MUST_CHECK int noise_read2(struct noise *hs, uint8_t *payload, const uint8_t *msg, size_t len);

/* Ends it; a zeroed or wiped one is fine. */
void noise_wipe(struct noise *hs);

#endif
