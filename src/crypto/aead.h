/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packet ciphers: two suites, behind a table of providers that all give the same bytes. Work comes
 * in batches under one key, in place: the tag follows the text.
 *
 * An aead_key is made and freed by the control thread and is read-only in between. An aead_state
 * belongs to one thread and names it by an index below nthreads of every key it is used with, so a
 * provider may keep one context per thread inside the key.
 */
#ifndef N2N_CRYPTO_AEAD_H
#define N2N_CRYPTO_AEAD_H

#include "crypto/crypto.h"

/* The values are the cipher ids of the wire (PROTOCOL.md 6.2). */
enum aead_suite {
	AEAD_AES256GCM = 1,
	AEAD_CHACHA20POLY1305 = 2
};

/* One packet of a batch. */
struct aead_op {
	uint8_t *text;	   /* sealed or opened in place; the 16-byte tag is at text + len */
	size_t len;	   /* of the text, without the tag; may be 0 */
	const uint8_t *ad; /* associated data */
	size_t ad_len;
	uint8_t nonce[NONCE_LEN];
	bool ok; /* set by aead_open: false means the tag was wrong and the text was wiped */
};

struct aead_provider; /* a library behind one suite each or both */
struct aead_key;
struct aead_state;

/* The providers of this build and machine, best first, ended by NULL. Static. */
const struct aead_provider *const *aead_providers(void);
const char *aead_provider_name(const struct aead_provider *p);
bool aead_provider_has(const struct aead_provider *p, enum aead_suite suite);
/* The first provider that has the suite; every build has one for each. */
const struct aead_provider *aead_provider_for(enum aead_suite suite);
const char *aead_suite_name(enum aead_suite suite);
/* True when AES runs in hardware here, so that AES-256-GCM is worth choosing. */
bool aead_aes_is_fast(void);

/* NULL when memory is short or the provider has not this suite. The key bytes are copied. */
struct aead_key *aead_key_create(const struct aead_provider *p, enum aead_suite suite,
	const uint8_t key[KEY_LEN], unsigned nthreads);
/* Wipes; accepts NULL. */
void aead_key_destroy(struct aead_key *key);

struct aead_state *aead_state_create(unsigned thread);
void aead_state_destroy(struct aead_state *state);

void aead_seal(const struct aead_key *key, struct aead_state *state, struct aead_op *ops, size_t n);
/* Compares tags in constant time. Returns how many were genuine. */
size_t aead_open(
	const struct aead_key *key, struct aead_state *state, struct aead_op *ops, size_t n);

#endif
