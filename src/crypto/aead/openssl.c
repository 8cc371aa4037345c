/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packet ciphers of OpenSSL 3. Each key has one context per thread with the key schedule made, so
 * that a packet only sets its nonce.
 */
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "crypto/aead/provider.h"

struct openssl_key {
	struct aead_key base;
	unsigned nctx;
	EVP_CIPHER_CTX *ctx[];
};

static bool has(enum aead_suite suite)
{
	return suite == AEAD_AES256GCM || suite == AEAD_CHACHA20POLY1305;
}

static void key_destroy(struct aead_key *key)
{
	struct openssl_key *k = (struct openssl_key *)key;

	for (unsigned i = 0; i < k->nctx; i++) {
		EVP_CIPHER_CTX_free(k->ctx[i]); /* cleanses the schedule */
	}
	free(k);
}

static EVP_CIPHER_CTX *make_ctx(const EVP_CIPHER *cipher, const uint8_t key[KEY_LEN])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (ctx && EVP_CipherInit_ex2(ctx, cipher, key, NULL, 1, NULL) != 1) {
		EVP_CIPHER_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

static struct aead_key *key_create(const struct aead_provider *self, enum aead_suite suite,
	const uint8_t key[KEY_LEN], unsigned nthreads)
{
	const char *name = suite == AEAD_AES256GCM ? "AES-256-GCM" : "ChaCha20-Poly1305";
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	struct openssl_key *k = calloc(1, sizeof(*k) + nthreads * sizeof(k->ctx[0]));

	(void)self;
	if (cipher == NULL || k == NULL) {
		goto fail;
	}
	for (; k->nctx < nthreads; k->nctx++) {
		k->ctx[k->nctx] = make_ctx(cipher, key);
		if (k->ctx[k->nctx] == NULL) {
			goto fail;
		}
	}
	EVP_CIPHER_free(cipher);
	return &k->base;
fail:
	EVP_CIPHER_free(cipher);
	if (k != NULL) {
		key_destroy(&k->base);
	}
	return NULL;
}

/* The tag as parameters: the older way, EVP_CIPHER_CTX_ctrl, looks them up for 30 ns more. */
struct tag_params {
	OSSL_PARAM list[2];
};

static struct tag_params tag_params(uint8_t *tag)
{
	return (struct tag_params){
		{OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, TAG_LEN),
			OSSL_PARAM_construct_end()}};
}

/* Starts a packet and runs its associated data and text through the context. */
static bool run(EVP_CIPHER_CTX *ctx, const struct aead_op *op, int seal, const OSSL_PARAM *set)
{
	int done;

	if (op->len > INT_MAX || op->ad_len > INT_MAX) {
		return false;
	}
	if (EVP_CipherInit_ex2(ctx, NULL, NULL, op->nonce, seal, set) != 1) {
		return false;
	}
	if (op->ad_len > 0 && EVP_CipherUpdate(ctx, NULL, &done, op->ad, (int)op->ad_len) != 1) {
		return false;
	}
	return op->len == 0 || EVP_CipherUpdate(ctx, op->text, &done, op->text, (int)op->len) == 1;
}

static bool seal_one(EVP_CIPHER_CTX *ctx, const struct aead_op *op)
{
	uint8_t *tag = op->text + op->len;
	struct tag_params get = tag_params(tag);
	int done;

	return run(ctx, op, 1, NULL) && EVP_CipherFinal_ex(ctx, tag, &done) == 1 &&
	       EVP_CIPHER_CTX_get_params(ctx, get.list) == 1;
}

static bool open_one(EVP_CIPHER_CTX *ctx, const struct aead_op *op)
{
	const struct tag_params set = tag_params(op->text + op->len);
	uint8_t rest[EVP_MAX_BLOCK_LENGTH];
	int done;

	return run(ctx, op, 0, set.list) && EVP_CipherFinal_ex(ctx, rest, &done) == 1;
}

static void seal(
	const struct aead_key *key, struct aead_state *state, struct aead_op *ops, size_t n)
{
	EVP_CIPHER_CTX *ctx = ((const struct openssl_key *)key)->ctx[state->thread];

	for (size_t i = 0; i < n; i++) {
		if (!seal_one(ctx, &ops[i])) {
			crypto_wipe(ops[i].text, ops[i].len + TAG_LEN);
		}
	}
}

static void open(
	const struct aead_key *key, struct aead_state *state, struct aead_op *ops, size_t n)
{
	EVP_CIPHER_CTX *ctx = ((const struct openssl_key *)key)->ctx[state->thread];

	for (size_t i = 0; i < n; i++) {
		ops[i].ok = open_one(ctx, &ops[i]);
		if (!ops[i].ok) {
			crypto_wipe(ops[i].text, ops[i].len);
		}
	}
}

const struct aead_provider aead_openssl = {
	.name = "openssl",
	.has = has,
	.key_create = key_create,
	.key_destroy = key_destroy,
	.seal = seal,
	.open = open,
};
