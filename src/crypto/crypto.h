/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The primitives of the handshake, under names and types of our own: nothing outside src/crypto
 * sees the library behind them. Packet ciphers are in aead/aead.h. All functions may be called from
 * any thread after crypto_start. Keys, nonces and outputs are plain byte strings. Inputs are
 * borrowed for the call, and outputs do not overlap them unless said so. Sizes above the stated
 * limits are the caller's mistake (assert).
 */
#ifndef N2N_CRYPTO_CRYPTO_H
#define N2N_CRYPTO_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#define KEY_LEN		32 /* X25519 keys, AEAD keys, chaining keys */
#define HASH_LEN	32 /* SHA-256 */
#define TAG_LEN		16 /* AEAD tags */
#define NONCE_LEN	12 /* ChaCha20-Poly1305 and AES-GCM, RFC 8439 */
#define XNONCE_LEN	24 /* XChaCha20-Poly1305 */
#define SIPHASH_KEY_LEN 16

struct keypair {
	uint8_t secret[KEY_LEN];
	uint8_t public[KEY_LEN];
};

/* Before anything else here, once or more often; N2N_ENOSYS when the library cannot start. */
MUST_CHECK int crypto_start(void);

/* Zeroes a secret that is not needed any more; the compiler cannot leave it out. */
void crypto_wipe(void *p, size_t len);
/* Constant time in the contents. */
bool crypto_equal(const void *a, const void *b, size_t len);
/* Constant time in the contents. */
bool crypto_is_zero(const void *p, size_t len);

/*
 * Hashes take n slices, which stand for their concatenation.
 *
 * BLAKE2b (RFC 7693), out_len 1 to 64; key may be NULL when key_len is 0, at most 64.
 */
void crypto_blake2b(uint8_t *out, size_t out_len, const uint8_t *key, size_t key_len,
	const struct slice *in, size_t n);
/* FIPS 180-4. out may lie within the input. */
void crypto_sha256(uint8_t out[HASH_LEN], const struct slice *in, size_t n);
/* HMAC-SHA-256 (RFC 2104) with a key of any length. */
void crypto_hmac(uint8_t out[HASH_LEN], const uint8_t *key, size_t key_len, const struct slice *in,
	size_t n);
/* HKDF-SHA-256 (RFC 5869): both lengths may be anything, 0 too. */
void crypto_hkdf_extract(uint8_t prk[HASH_LEN], const uint8_t *salt, size_t salt_len,
	const uint8_t *ikm, size_t ikm_len);
/* Its second half, of a prk that may be given away in parts by info; out_len up to 255 * 32. */
void crypto_hkdf_expand(uint8_t *out, size_t out_len, const uint8_t prk[HASH_LEN],
	const struct slice *info, size_t n);

/*
 * SipHash-2-4, the bytes of the result in the order the reference code prints. Good for hash tables
 * that strangers fill and for MACs that live for minutes.
 */
void crypto_siphash64(
	uint8_t out[8], const uint8_t key[SIPHASH_KEY_LEN], const void *data, size_t len);
/* The variant with 128 bits: its first half is not the 64-bit result. */
void crypto_siphash128(
	uint8_t out[16], const uint8_t key[SIPHASH_KEY_LEN], const void *data, size_t len);

/* Ed25519 (RFC 8032). */
#define SIGN_SECRET_LEN	   64
#define SIGN_SIGNATURE_LEN 64

/* A pair from 32 secret random bytes. */
void crypto_ed25519_pair(
	uint8_t secret[SIGN_SECRET_LEN], uint8_t public[KEY_LEN], const uint8_t seed[KEY_LEN]);
/* Signs len bytes. */
void crypto_ed25519_sign(uint8_t signature[SIGN_SIGNATURE_LEN], const void *data, size_t len,
	const uint8_t secret[SIGN_SECRET_LEN]);
/* Whether it is the signature of these bytes by the holder of the pair. public may be any bytes. */
bool crypto_ed25519_verify(const uint8_t signature[SIGN_SIGNATURE_LEN], const void *data,
	size_t len, const uint8_t public[KEY_LEN]);

/* Fills public from secret (any 32 bytes; clamped as of RFC 7748, 5). */
void crypto_x25519_public(uint8_t public[KEY_LEN], const uint8_t secret[KEY_LEN]);
/* N2N_EAUTH, shared wiped, when the result is all zero, which only a point of small order gives. */
MUST_CHECK int crypto_x25519(
	uint8_t shared[KEY_LEN], const uint8_t secret[KEY_LEN], const uint8_t public[KEY_LEN]);

/*
 * Handshake AEADs. out holds len + TAG_LEN bytes on sealing and len - TAG_LEN on opening, and may
 * be the same as in. ad may be NULL when ad_len is 0. The same nonce must never be sealed with
 * twice under one key. Opening gives N2N_EAUTH, with out untouched or zeroed, when the tag is wrong
 * or len is below TAG_LEN.
 *
 * ChaCha20-Poly1305 (RFC 8439), for what stands inside Noise messages.
 */
void crypto_chachapoly_seal(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad,
	size_t ad_len, const uint8_t nonce[NONCE_LEN], const uint8_t key[KEY_LEN]);
/* len counts the tag, here and below. */
MUST_CHECK int crypto_chachapoly_open(uint8_t *out, const uint8_t *in, size_t len,
	const uint8_t *ad, size_t ad_len, const uint8_t nonce[NONCE_LEN],
	const uint8_t key[KEY_LEN]);
/* XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), for envelopes: its nonces may be random. */
void crypto_xchachapoly_seal(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad,
	size_t ad_len, const uint8_t nonce[XNONCE_LEN], const uint8_t key[KEY_LEN]);
/* Its counterpart. */
MUST_CHECK int crypto_xchachapoly_open(uint8_t *out, const uint8_t *in, size_t len,
	const uint8_t *ad, size_t ad_len, const uint8_t nonce[XNONCE_LEN],
	const uint8_t key[KEY_LEN]);

/*
 * Argon2id v1.3, 64 MiB, 3 passes, 1 lane (PROTOCOL.md 2.3). About 0.1 s and 64 MiB for the time
 * of the call; N2N_ENOMEM when they are not to be had.
 */
MUST_CHECK int crypto_argon2id(
	uint8_t out[KEY_LEN], const char *password, size_t password_len, const uint8_t salt[16]);

/*
 * Memory for long-lived secrets: zeroed, kept from swap and core dumps as far as the system allows,
 * aligned to 16 bytes; NULL when there is none. Freed by crypto_secret_free only.
 */
void *crypto_secret_alloc(size_t len);
/* Wipes and frees; accepts NULL. */
void crypto_secret_free(void *p);

#endif
