/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys of one completed handshake: a sending and a receiving half (PROTOCOL.md 5.4). Workers
 * see the halves only, through the link; everything else is the control thread's. A key set that is
 * taken out of its session is retired through the core, never destroyed while a worker may look at
 * a half of it.
 */
#ifndef N2N_CORE_KEYS_KEYSET_H
#define N2N_CORE_KEYS_KEYSET_H

#include "core/keys/oneway.h"

#define KEYS_REJECT_MS	   180000u /* after that they neither send nor receive */
#define REPLAY_WORDS	   128	   /* 8,128 counters */
#define REPLAY_WORDS_HOP   8	   /* 448: a hop carries a few control packets a minute */
#define RELAY_REPLAY_WORDS 32	   /* 1,984 */

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
	struct send_keys tx;
	struct recv_keys rx;
	uint32_t generation;
	bool initiator;
	bool confirmed;	      /* a packet was opened under it: both sides have it */
	uint32_t incarnation; /* of the peer that made it with us */
	uint8_t hash[HASH_LEN];
	uint64_t born_ms;
	size_t words; /* of window_bits */
	uint64_t window_bits[];
};

struct keyset_params {
	const struct aead_library
		*ciphers;  /* what its packets go through; NULL: what is built in */
	unsigned nthreads; /* bounds the thread numbers of aead_state */
	uint64_t now_ms;
	uint32_t first_counter; /* 0 but in tests of the limits */
	bool hop;		/* its data packets are few: a small window does */
};

/*
 * Derives everything from the result (PROTOCOL.md 5.4), which stays the caller's to wipe; p is
 * borrowed for the call, p->ciphers until the set is destroyed. NULL when memory is short.
 */
struct keyset *keyset_create(const struct handshake_result *r, const struct keyset_params *p);
/* The mask key of the split for packets to us: what keyset_create would put into rx.mask. */
void keyset_rx_mask(const struct handshake_result *r, uint8_t mask[MASK_LEN]);
/* Wipes. Accepts NULL. The argument is void * so that it fits core_retire. */
void keyset_destroy(void *keyset);
/* True while it may send and receive by its age (PROTOCOL.md 5.7). */
bool keyset_alive(const struct keyset *k, uint64_t now_ms);
/*
 * True when a is to be preferred for sending: the higher generation, of equals the smaller hash, so
 * that both sides prefer the same (PROTOCOL.md 5.6).
 */
bool keyset_better(const struct keyset *a, const struct keyset *b);

#endif
