/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A Diffie-Hellman for the core targets in place of X25519, which took two fifths of a run: what
 * they look for does not hang on its strength. Products of 64-bit numbers: both sides get the same
 * one, other keys give another, and a public key of zeros is refused as X25519 refuses it.
 */
#include "base/bytes.h"
#include "base/err.h"
#include "crypto/crypto.h"

#define LANE 8u

void __wrap_crypto_x25519_public(uint8_t public[KEY_LEN], const uint8_t secret[KEY_LEN]);
int __wrap_crypto_x25519(
	uint8_t shared[KEY_LEN], const uint8_t secret[KEY_LEN], const uint8_t public[KEY_LEN]);

static void multiply(uint8_t out[KEY_LEN], const uint8_t a[KEY_LEN], const uint8_t b[KEY_LEN])
{
	for (unsigned i = 0; i < KEY_LEN; i += LANE)
		store_be64(out + i, load_be64(a + i) * load_be64(b + i));
}

void __wrap_crypto_x25519_public(uint8_t public[KEY_LEN], const uint8_t secret[KEY_LEN])
{
	uint8_t base[KEY_LEN];

	for (unsigned i = 0; i < KEY_LEN; i += LANE)
		store_be64(base + i, UINT64_C(0x9e3779b97f4a7c15) + 2 * i);
	multiply(public, secret, base);
}

int __wrap_crypto_x25519(
	uint8_t shared[KEY_LEN], const uint8_t secret[KEY_LEN], const uint8_t public[KEY_LEN])
{
	uint8_t any = 0;

	multiply(shared, secret, public);
	for (unsigned i = 0; i < KEY_LEN; i++)
		any |= shared[i];
	return any != 0 ? N2N_OK : N2N_EAUTH;
}
