/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The primitives of the handshake, on libsodium. HKDF is composed here from its HMAC. */
#include "crypto/crypto.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define ARGON2_PASSES 3U
#define ARGON2_BYTES  (64U * 1024 * 1024)

int crypto_start(void)
{
	return sodium_init() < 0 ? N2N_ENOSYS : N2N_OK;
}

void crypto_wipe(void *p, size_t len)
{
	sodium_memzero(p, len);
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

bool crypto_is_zero(const void *p, size_t len)
{
	return sodium_is_zero(p, len) == 1;
}

void crypto_blake2b(uint8_t *out, size_t out_len, const uint8_t *key, size_t key_len,
	const struct slice *in, size_t n)
{
	crypto_generichash_blake2b_state st;

	assert(out_len >= 1 && out_len <= 64 && key_len <= 64);
	crypto_generichash_blake2b_init(&st, key, key_len, out_len);
	for (size_t i = 0; i < n; i++) {
		crypto_generichash_blake2b_update(&st, in[i].data, in[i].len);
	}
	crypto_generichash_blake2b_final(&st, out, out_len);
	crypto_wipe(&st, sizeof(st));
}

void crypto_sha256(uint8_t out[HASH_LEN], const struct slice *in, size_t n)
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	for (size_t i = 0; i < n; i++) {
		crypto_hash_sha256_update(&st, in[i].data, in[i].len);
	}
	crypto_hash_sha256_final(&st, out);
	crypto_wipe(&st, sizeof(st));
}

void crypto_hmac(
	uint8_t out[HASH_LEN], const uint8_t *key, size_t key_len, const struct slice *in, size_t n)
{
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, key, key_len);
	for (size_t i = 0; i < n; i++) {
		crypto_auth_hmacsha256_update(&st, in[i].data, in[i].len);
	}
	crypto_auth_hmacsha256_final(&st, out);
	crypto_wipe(&st, sizeof(st));
}

void crypto_hkdf_extract(uint8_t prk[HASH_LEN], const uint8_t *salt, size_t salt_len,
	const uint8_t *ikm, size_t ikm_len)
{
	crypto_hmac(prk, salt, salt_len, &(struct slice){ikm, ikm_len}, 1);
}

void crypto_hkdf_expand(uint8_t *out, size_t out_len, const uint8_t prk[HASH_LEN],
	const struct slice *info, size_t n)
{
	crypto_auth_hmacsha256_state st;
	uint8_t t[HASH_LEN];
	size_t t_len = 0;

	assert(out_len <= 255 * HASH_LEN);
	for (uint8_t round = 1; out_len > 0; round++) {
		crypto_auth_hmacsha256_init(&st, prk, HASH_LEN);
		crypto_auth_hmacsha256_update(&st, t, t_len);
		for (size_t i = 0; i < n; i++) {
			crypto_auth_hmacsha256_update(&st, info[i].data, info[i].len);
		}
		crypto_auth_hmacsha256_update(&st, &round, 1);
		crypto_auth_hmacsha256_final(&st, t);
		t_len = out_len < HASH_LEN ? out_len : HASH_LEN;
		memcpy(out, t, t_len);
		out += t_len;
		out_len -= t_len;
	}
	crypto_wipe(t, sizeof(t));
	crypto_wipe(&st, sizeof(st));
}

void crypto_siphash64(
	uint8_t out[8], const uint8_t key[SIPHASH_KEY_LEN], const void *data, size_t len)
{
	crypto_shorthash_siphash24(out, data, len, key);
}

void crypto_siphash128(
	uint8_t out[16], const uint8_t key[SIPHASH_KEY_LEN], const void *data, size_t len)
{
	crypto_shorthash_siphashx24(out, data, len, key);
}

void crypto_x25519_public(uint8_t public[KEY_LEN], const uint8_t secret[KEY_LEN])
{
	crypto_scalarmult_curve25519_base(public, secret);
}

int crypto_x25519(
	uint8_t shared[KEY_LEN], const uint8_t secret[KEY_LEN], const uint8_t public[KEY_LEN])
{
	if (crypto_scalarmult_curve25519(shared, secret, public) == 0) {
		return N2N_OK;
	}
	crypto_wipe(shared, KEY_LEN);
	return N2N_EAUTH;
}

void crypto_chachapoly_seal(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad,
	size_t ad_len, const uint8_t nonce[NONCE_LEN], const uint8_t key[KEY_LEN])
{
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, in, len, ad, ad_len, NULL, nonce, key);
}

int crypto_chachapoly_open(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad,
	size_t ad_len, const uint8_t nonce[NONCE_LEN], const uint8_t key[KEY_LEN])
{
	int rc = crypto_aead_chacha20poly1305_ietf_decrypt(
		out, NULL, NULL, in, len, ad, ad_len, nonce, key);

	return rc == 0 ? N2N_OK : N2N_EAUTH;
}

void crypto_xchachapoly_seal(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad,
	size_t ad_len, const uint8_t nonce[XNONCE_LEN], const uint8_t key[KEY_LEN])
{
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		out, NULL, in, len, ad, ad_len, NULL, nonce, key);
}

int crypto_xchachapoly_open(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad,
	size_t ad_len, const uint8_t nonce[XNONCE_LEN], const uint8_t key[KEY_LEN])
{
	int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(
		out, NULL, NULL, in, len, ad, ad_len, nonce, key);

	return rc == 0 ? N2N_OK : N2N_EAUTH;
}

int crypto_argon2id(
	uint8_t out[KEY_LEN], const char *password, size_t password_len, const uint8_t salt[16])
{
	int rc = crypto_pwhash_argon2id(out, KEY_LEN, password, password_len, salt, ARGON2_PASSES,
		ARGON2_BYTES, crypto_pwhash_argon2id_ALG_ARGON2ID13);

	return rc == 0 ? N2N_OK : N2N_ENOMEM;
}

void *crypto_secret_alloc(size_t len)
{
	/* sodium_malloc ends the block at a guard page: only a round length keeps it aligned. */
	size_t round_len = (len + 15) & ~(size_t)15;
	void *p = sodium_malloc(round_len);

	if (p != NULL) {
		memset(p, 0, round_len);
	}
	return p;
}

void crypto_secret_free(void *p)
{
	sodium_free(p);
}

void crypto_ed25519_pair(
	uint8_t secret[SIGN_SECRET_LEN], uint8_t public[KEY_LEN], const uint8_t seed[KEY_LEN])
{
	(void)crypto_sign_ed25519_seed_keypair(public, secret, seed);
}

void crypto_ed25519_sign(uint8_t signature[SIGN_SIGNATURE_LEN], const void *data, size_t len,
	const uint8_t secret[SIGN_SECRET_LEN])
{
	(void)crypto_sign_ed25519_detached(signature, NULL, data, len, secret);
}

bool crypto_ed25519_verify(const uint8_t signature[SIGN_SIGNATURE_LEN], const void *data,
	size_t len, const uint8_t public[KEY_LEN])
{
	return crypto_sign_ed25519_verify_detached(signature, data, len, public) == 0;
}
