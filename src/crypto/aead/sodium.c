/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packet ciphers of libsodium; its AES-256-GCM exists only where the CPU has AES. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/aead/provider.h"

struct sodium_key {
	struct aead_key base;
	union {
		uint8_t chacha[KEY_LEN];
		crypto_aead_aes256gcm_state aes;
	} u;
};

#define KEY_ALIGN 64 /* the schedule wants 16, a cache line is better */

static bool has(enum aead_suite suite)
{
	return suite == AEAD_CHACHA20POLY1305 ||
	       (suite == AEAD_AES256GCM && crypto_aead_aes256gcm_is_available() == 1);
}

static struct aead_key *key_create(const struct aead_provider *self, enum aead_suite suite,
	const uint8_t key[KEY_LEN], unsigned nthreads)
{
	const size_t size = (sizeof(struct sodium_key) + KEY_ALIGN - 1) / KEY_ALIGN * KEY_ALIGN;
	struct sodium_key *k = aligned_alloc(KEY_ALIGN, size);

	(void)self;
	(void)nthreads; /* all threads read the same key */
	if (k == NULL) {
		return NULL;
	}
	if (suite == AEAD_AES256GCM) {
		crypto_aead_aes256gcm_beforenm(&k->u.aes, key);
	} else {
		memcpy(k->u.chacha, key, KEY_LEN);
	}
	return &k->base;
}

static void key_destroy(struct aead_key *key)
{
	crypto_wipe(key, sizeof(struct sodium_key));
	free(key);
}

static void seal(
	const struct aead_key *key, struct aead_state *state, struct aead_op *ops, size_t n)
{
	const struct sodium_key *k = (const struct sodium_key *)key;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct aead_op *op = &ops[i];
		uint8_t *tag = op->text + op->len;

		if (key->suite == AEAD_AES256GCM) {
			crypto_aead_aes256gcm_encrypt_detached_afternm(op->text, tag, NULL,
				op->text, op->len, op->ad, op->ad_len, NULL, op->nonce, &k->u.aes);
		} else {
			crypto_aead_chacha20poly1305_ietf_encrypt_detached(op->text, tag, NULL,
				op->text, op->len, op->ad, op->ad_len, NULL, op->nonce,
				k->u.chacha);
		}
	}
}

static void open(
	const struct aead_key *key, struct aead_state *state, struct aead_op *ops, size_t n)
{
	const struct sodium_key *k = (const struct sodium_key *)key;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct aead_op *op = &ops[i];
		const uint8_t *tag = op->text + op->len;
		int rc;

		if (key->suite == AEAD_AES256GCM) {
			rc = crypto_aead_aes256gcm_decrypt_detached_afternm(op->text, NULL,
				op->text, op->len, tag, op->ad, op->ad_len, op->nonce, &k->u.aes);
		} else {
			rc = crypto_aead_chacha20poly1305_ietf_decrypt_detached(op->text, NULL,
				op->text, op->len, tag, op->ad, op->ad_len, op->nonce, k->u.chacha);
		}
		op->ok = rc == 0;
		if (!op->ok) {
			crypto_wipe(op->text, op->len);
		}
	}
}

const struct aead_provider aead_sodium = {
	.name = "sodium",
	.has = has,
	.key_create = key_create,
	.key_destroy = key_destroy,
	.seal = seal,
	.open = open,
};
