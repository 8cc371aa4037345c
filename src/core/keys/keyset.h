/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys of one completed handshake: a packet key, a mask key and a hop MAC key per direction,
 * the send counters and the replay windows (PROTOCOL.md 3, 5.4). Made by the control thread, then
 * read by all; only the marked words change. A key set that is taken out of its session is retired
 * through the node, never destroyed while a worker may look at it.
 */
#ifndef N2N_CORE_KEYS_KEYSET_H
#define N2N_CORE_KEYS_KEYSET_H

#include "core/keys/replay.h"
#include "crypto/aead/aead.h"
#include "wire/packet.h"

#define COUNTER_LIMIT	   (UINT32_C(1) << 28) /* no packet is sent with this counter or above */
#define COUNTER_REKEY	   (UINT32_C(1) << 26)
#define REPLAY_WORDS	   128 /* 8,128 counters */
#define RELAY_REPLAY_WORDS 32  /* 1,984 */

/* What a handshake yields; the input of keyset_create. Wiped by its owner. */
struct handshake_result {
	uint8_t prk[HASH_LEN];	/* HKDF-Extract(chaining key, aux) */
	uint8_t hash[HASH_LEN]; /* handshake hash */
	uint32_t rx_index;	/* chosen by us */
	uint32_t tx_index;	/* chosen by the peer */
	uint32_t generation;
	enum aead_suite suite;
	bool initiator;
};

struct keyset {
	uint32_t rx_index;
	uint32_t tx_index;
	uint32_t generation;
	enum aead_suite suite;
	bool initiator;
	uint32_t incarnation; /* of the peer that made it with us */
	uint8_t hash[HASH_LEN];
	uint64_t born_ms;
	struct aead_key *tx_key;
	struct aead_key *rx_key;
	uint8_t tx_iv[NONCE_LEN];
	uint8_t rx_iv[NONCE_LEN];
	uint8_t tx_mask[MASK_LEN]; /* for packets through a relay, or before the peer's is known */
	uint8_t rx_mask[MASK_LEN];
	uint8_t tx_hop_key[16];
	uint8_t rx_hop_key[16];
	/* Words that change, by any thread: */
	_Atomic uint64_t tx_counter;	   /* next data counter */
	_Atomic uint64_t tx_relay_counter; /* next relay counter */
	atomic_bool heard;		   /* a packet was opened under this key set */
	bool confirmed;			   /* the control thread took note of that */
	struct replay rx_window;
	struct replay relay_window;
	uint64_t window_bits[REPLAY_WORDS + RELAY_REPLAY_WORDS];
};

/*
 * Derives everything from the result; its packets go through what ciphers chose (NULL: what is
 * built in). nthreads bounds the thread numbers of aead_state. first_counter is 0 except in tests
 * of the limits. NULL when memory is short.
 */
struct keyset *keyset_create(const struct handshake_result *r, const struct aead_library *ciphers,
	uint64_t now_ms, unsigned nthreads, uint32_t first_counter);
/* The mask key of the split for packets to us: what keyset_create would put into rx_mask. */
void keyset_rx_mask(const struct handshake_result *r, uint8_t mask[MASK_LEN]);
/* Wipes. Accepts NULL. The argument is void * so that it fits node_retire. */
void keyset_destroy(void *keyset);

/* Reserves n consecutive counters; false when the limit would be passed: the key set is used up. */
bool keyset_reserve(struct keyset *k, uint32_t n, uint32_t *first);
bool keyset_reserve_relay(struct keyset *k, uint32_t n, uint32_t *first);

/* The AEAD nonce: the IV of the direction, its last 4 bytes XORed with the counter. */
void keyset_nonce(uint8_t nonce[NONCE_LEN], const uint8_t iv[NONCE_LEN], uint32_t counter);

/* True when a is to be preferred for sending: newer generation, or the smaller hash of equals. */
bool keyset_better(const struct keyset *a, const struct keyset *b);

#endif
