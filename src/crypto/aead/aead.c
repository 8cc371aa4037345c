/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way from the packet ciphers' users to their providers. */
#include "crypto/aead/aead.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "crypto/aead/provider.h"

const char *aead_provider_name(const struct aead_provider *p)
{
	return p->name;
}

bool aead_provider_has(const struct aead_provider *p, enum aead_suite suite)
{
	return p->has(suite);
}

const char *aead_suite_name(enum aead_suite suite)
{
	switch (suite) {
	case AEAD_AES256GCM:
		return "AES-256-GCM";
	case AEAD_CHACHA20POLY1305:
		return "ChaCha20-Poly1305";
	}
	return "unknown";
}

bool aead_aes_is_fast(void)
{
	return crypto_aead_aes256gcm_is_available() == 1;
}

struct aead_key *aead_key_create(const struct aead_provider *p, enum aead_suite suite,
	const uint8_t key[KEY_LEN], unsigned nthreads)
{
	if (!p->has(suite)) {
		return NULL;
	}
	struct aead_key *k = p->key_create(p, suite, key, nthreads);

	if (k != NULL) {
		k->provider = p;
		k->suite = suite;
		k->nthreads = nthreads;
	}
	return k;
}

void aead_key_destroy(struct aead_key *key)
{
	if (key != NULL) {
		key->provider->key_destroy(key);
	}
}

struct aead_state *aead_state_create(unsigned thread)
{
	struct aead_state *state = malloc(sizeof(*state));

	if (state != NULL) {
		state->thread = thread;
	}
	return state;
}

void aead_state_destroy(struct aead_state *state)
{
	free(state);
}

void aead_seal(const struct aead_key *key, struct aead_state *state, struct aead_op *ops, size_t n)
{
	assert(state->thread < key->nthreads);
	key->provider->seal(key, state, ops, n);
}

size_t aead_open(
	const struct aead_key *key, struct aead_state *state, struct aead_op *ops, size_t n)
{
	size_t genuine = 0;

	assert(state->thread < key->nthreads);
	key->provider->open(key, state, ops, n);
	for (size_t i = 0; i < n; i++) {
		genuine += ops[i].ok;
	}
	return genuine;
}
