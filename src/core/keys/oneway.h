/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys of one direction (PROTOCOL.md 3, 5.4): what one side seals with, and what each who listens
 * opens with. A key set is one of each; of a group's key there is one sender and many receivers.
 *
 * Made by the control thread, then read by all; only the words marked so change, and those any
 * thread may change.
 */
#ifndef N2N_CORE_KEYS_ONEWAY_H
#define N2N_CORE_KEYS_ONEWAY_H

#include "core/keys/replay.h"
#include "core/keys/signing.h"
#include "crypto/aead/aead.h"
#include "wire/packet.h"

#define COUNTER_LIMIT (UINT32_C(1) << 28) /* no packet is sent with this counter or above */
#define COUNTER_REKEY (UINT32_C(1) << 26)
#define HOP_KEY_LEN   16

/* What both ends of a direction derive. Wiped by its owner. */
struct direction {
	enum aead_suite suite;
	uint8_t key[KEY_LEN];
	uint8_t iv[NONCE_LEN];
	uint8_t mask[MASK_LEN]; /* for packets through a relay, or before the receiver's is known */
	uint8_t hop_key[HOP_KEY_LEN];
};

struct send_keys {
	uint32_t index;	   /* chosen by the receiver */
	uint64_t until_ms; /* not to be used from then on */
	enum aead_suite suite;
	struct aead_key *key;
	uint8_t iv[NONCE_LEN];
	uint8_t mask[MASK_LEN];
	uint8_t hop_key[HOP_KEY_LEN];
	const struct signing *signing;	/* of a group's key, if its packets are signed; else NULL */
	_Atomic uint64_t counter;	/* next data counter */
	_Atomic uint64_t relay_counter; /* next relay counter */
};

struct recv_keys {
	uint32_t index;	   /* chosen by us */
	uint64_t until_ms; /* nothing is accepted from then on */
	enum aead_suite suite;
	struct aead_key *key;
	uint8_t iv[NONCE_LEN];
	uint8_t mask[MASK_LEN];
	uint8_t hop_key[HOP_KEY_LEN];
	const struct signing *signing; /* as above; then packets without a signature are dropped */
	atomic_bool heard;	       /* a packet was opened under them */
	struct replay window;
	struct replay relay_window;
};

/* What makes keys, besides their secrets. */
struct key_params {
	const struct aead_library *ciphers; /* what packets go through; NULL: what is built in */
	unsigned nthreads;		    /* bounds the thread numbers of aead_state */
	uint32_t index;
	uint64_t until_ms;
	uint32_t first_counter; /* 0 but in tests of the limits */
};

/* Control thread. N2N_ENOMEM: nothing is held, fini is fine and not needed. */
MUST_CHECK int send_keys_init(
	struct send_keys *k, const struct direction *d, const struct key_params *p);
/* Releases and wipes; a zeroed one is fine. No worker may look at it any more. */
void send_keys_fini(struct send_keys *k);
/*
 * bits is memory for both windows, window_words + relay_words words, each a power of two
 * (replay.h); borrowed as long as the keys live. Control thread. N2N_ENOMEM.
 */
MUST_CHECK int recv_keys_init(struct recv_keys *k, const struct direction *d,
	const struct key_params *p, uint64_t *bits, size_t window_words, size_t relay_words);
/* As above; the memory of the windows stays the caller's. */
void recv_keys_fini(struct recv_keys *k);

/*
 * Reserves n consecutive counters of data packets, from *first on; false when the limit would be
 * passed: these keys are used up (PROTOCOL.md 5.7). Any thread, without locks.
 */
bool send_keys_reserve(struct send_keys *k, uint32_t n, uint32_t *first);
/* The same of relay packets, which are counted apart (PROTOCOL.md 6.4). */
bool send_keys_reserve_relay(struct send_keys *k, uint32_t n, uint32_t *first);
/* True when either counter has reached this value. Any thread. */
bool send_keys_reached(const struct send_keys *k, uint64_t counter);

/* The AEAD nonce: the IV of the direction, its last 4 bytes XORed with the counter (6.2). */
void key_nonce(uint8_t nonce[NONCE_LEN], const uint8_t iv[NONCE_LEN], uint32_t counter);

#endif
