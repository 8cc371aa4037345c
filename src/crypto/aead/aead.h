/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packet ciphers: two suites, behind providers that all give the same bytes. Work comes in batches
 * under one key, in place: the tag follows the text.
 *
 * An aead_library is opened once per process and then read-only: which providers there are, and
 * which of them is the fastest here for each suite. An aead_key is made and freed by the control
 * thread and is read-only in between. An aead_state belongs to one thread and names it by an index
 * below nthreads of every key it is used with, so a provider may keep one context per thread inside
 * the key.
 */
#ifndef N2N_CRYPTO_AEAD_AEAD_H
#define N2N_CRYPTO_AEAD_AEAD_H

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

struct aead_library;
struct aead_provider; /* an implementation of one suite or both */
struct aead_key;
struct aead_state;

/* As CONTROL.md and people call it: "AES-256-GCM"; static, "unknown" for another value. */
const char *aead_suite_name(enum aead_suite suite);
/* True when AES runs in hardware here, so that AES-256-GCM is worth choosing. */
bool aead_aes_is_fast(void);
/* The library behind it, for people; lives as long as the provider. */
const char *aead_provider_name(const struct aead_provider *p);
/* Whether keys of this suite can be made. */
bool aead_provider_has(const struct aead_provider *p, enum aead_suite suite);

/*
 * Finds the providers: what is built in and, unless refused, libipsec-mb if it is installed and
 * gives the same bytes. Each is measured for a few hundred microseconds with now_ns, a clock that
 * never goes back; the fastest is chosen for each suite. Without a clock the first is. N2N_ENOMEM,
 * with *out NULL.
 */
MUST_CHECK int aead_library_open(
	struct aead_library **out, uint64_t (*now_ns)(void), bool without_ipsec_mb);
/* After the last of the keys that its providers made. Accepts NULL. */
void aead_library_close(struct aead_library *lib);
/* All of them, ended by NULL; lives as long as the library. */
const struct aead_provider *const *aead_library_providers(const struct aead_library *lib);
/*
 * What the suite is to be run with; NULL for an unknown suite. Without a library, the first that is
 * built in, which has both.
 */
const struct aead_provider *aead_library_choice(
	const struct aead_library *lib, enum aead_suite suite);

#define AEAD_SPEED_BATCH 32

/* What sealing and opening a batch of AEAD_SPEED_BATCH packets takes, in nanoseconds. */
struct aead_speed {
	uint64_t seal_ns;
	uint64_t open_ns;
};

/* Packets with len bytes of text, in the fastest of several rounds. N2N_ENOMEM. */
MUST_CHECK int aead_measure(struct aead_speed *speed, const struct aead_provider *p,
	enum aead_suite suite, size_t len, unsigned rounds, uint64_t (*now_ns)(void));

/* NULL when memory is short or the provider has not this suite. The key bytes are copied. */
struct aead_key *aead_key_create(const struct aead_provider *p, enum aead_suite suite,
	const uint8_t key[KEY_LEN], unsigned nthreads);
/* Wipes; accepts NULL. */
void aead_key_destroy(struct aead_key *key);

/* For the thread with this index, which alone uses it. NULL when memory is short. */
struct aead_state *aead_state_create(unsigned thread);
/* Accepts NULL. */
void aead_state_destroy(struct aead_state *state);

/*
 * Seals n packets: nonces are the caller's care and must not repeat under one key. Any thread with
 * its own state and packets; no allocation or system call.
 */
void aead_seal(const struct aead_key *key, struct aead_state *state, struct aead_op *ops, size_t n);
/* Opens n packets likewise, comparing tags in constant time. Returns how many were genuine. */
size_t aead_open(
	const struct aead_key *key, struct aead_state *state, struct aead_op *ops, size_t n);

#endif
