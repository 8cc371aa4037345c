/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a packet cipher library supplies to aead.c, and nobody else's business. A provider embeds
 * struct aead_key as the first member of its own key and fills only what follows it.
 */
#ifndef N2N_CRYPTO_AEAD_PROVIDER_H
#define N2N_CRYPTO_AEAD_PROVIDER_H

#include "crypto/aead/aead.h"

struct aead_provider {
	const char *name;
	bool (*has)(enum aead_suite suite);
	/* NULL when memory is short. */
	struct aead_key *(*key_create)(const struct aead_provider *self, enum aead_suite suite,
		const uint8_t key[KEY_LEN], unsigned nthreads);
	/* Wipes and frees a key, also one that is made in part. */
	void (*key_destroy)(struct aead_key *key);
	/* Must not leave clear text behind when the library fails. */
	void (*seal)(const struct aead_key *key, struct aead_state *state, struct aead_op *ops,
		size_t n);
	/* Compares in constant time, wipes the text when the tag is wrong, sets ok. */
	void (*open)(const struct aead_key *key, struct aead_state *state, struct aead_op *ops,
		size_t n);
};

struct aead_key {
	const struct aead_provider *provider;
	enum aead_suite suite;
	unsigned nthreads;
};

struct aead_state {
	unsigned thread;
};

extern const struct aead_provider aead_openssl;
extern const struct aead_provider aead_sodium;

/* Loads the library: N2N_ENOENT when it is not installed or does not work here, N2N_ENOMEM. */
MUST_CHECK int aead_ipsec_mb_open(struct aead_provider **out);
/* Accepts NULL. */
void aead_ipsec_mb_close(struct aead_provider *p);

#endif
