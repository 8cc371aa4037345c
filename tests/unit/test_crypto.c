/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The primitives: known answers of their RFCs, error paths, and how the pieces of input join. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "vectors.h"

#include <cmocka.h>

#define ONE(data, len) &(const struct slice){(data), (len)}, 1

static void assert_hex(const uint8_t *data, size_t len, const char *text)
{
	struct hex h = hex_decode(text);

	assert_int_equal(h.len, len);
	assert_memory_equal(data, h.data, len);
	hex_free(&h);
}

static void blake2b_agrees_with_rfc7693(void **state)
{
	uint8_t out[64];

	(void)state;
	crypto_blake2b(out, 64, NULL, 0, ONE("abc", 3));
	assert_hex(out, 64,
		"ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
		"7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

static void blake2b_takes_pieces_keys_and_lengths(void **state)
{
	const struct slice pieces[] = {{"a", 1}, {NULL, 0}, {"bc", 2}};
	uint8_t whole[64], joined[64], key[64] = {1};

	(void)state;
	crypto_blake2b(whole, 64, NULL, 0, ONE("abc", 3));
	crypto_blake2b(joined, 64, NULL, 0, pieces, 3);
	assert_memory_equal(whole, joined, 64);
	crypto_blake2b(joined, 64, key, 64, pieces, 3);
	assert_memory_not_equal(whole, joined, 64);
	crypto_blake2b(whole, 64, key, 64, pieces, 3);
	assert_memory_equal(whole, joined, 64);
	crypto_blake2b(joined, 64, key, 63, pieces, 3);
	assert_memory_not_equal(whole, joined, 64);
	/* The length is part of the hash; short ones are no prefixes. */
	crypto_blake2b(joined, 32, key, 64, pieces, 3);
	assert_memory_not_equal(whole, joined, 32);
	memset(joined, 0xaa, sizeof(joined));
	crypto_blake2b(joined, 1, NULL, 0, pieces, 3);
	assert_int_equal(joined[1], 0xaa);
}

static void sha256_agrees_with_fips180(void **state)
{
	const struct slice pieces[] = {{"ab", 2}, {"c", 1}};
	uint8_t out[HASH_LEN];

	(void)state;
	crypto_sha256(out, pieces, 2);
	assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void hmac_agrees_with_rfc4231(void **state)
{
	const struct slice pieces[] = {{"what do ya want ", 16}, {"for nothing?", 12}};
	uint8_t out[32], key[131];

	(void)state;
	crypto_hmac(out, (const uint8_t *)"Jefe", 4, pieces, 2);
	assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	crypto_hmac(out, key, sizeof(key),
		ONE("Test Using Larger Than Block-Size Key - Hash Key First", 54));
	assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void hkdf_agrees_with_rfc5869(void **state)
{
	struct hex ikm = hex_decode("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
	struct hex salt = hex_decode("000102030405060708090a0b0c");
	struct hex info = hex_decode("f0f1f2f3f4f5f6f7f8f9");
	const struct slice pieces[] = {{info.data, 3}, {info.data + 3, 7}};
	uint8_t prk[32], out[42];

	(void)state;
	crypto_hkdf_extract(prk, salt.data, salt.len, ikm.data, ikm.len);
	assert_hex(prk, 32, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
	crypto_hkdf_expand(out, sizeof(out), prk, pieces, 2);
	assert_hex(out, 42,
		"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
		"34007208d5b887185865");
	hex_free(&ikm);
	hex_free(&salt);
	hex_free(&info);
}

static void hkdf_expands_to_its_limit(void **state)
{
	static const uint8_t prk[32] = {1};
	uint8_t *big = malloc(255 * 32), small[33];

	(void)state;
	assert_non_null(big);
	crypto_hkdf_expand(big, 255 * 32, prk, NULL, 0);
	crypto_hkdf_expand(small, sizeof(small), prk, NULL, 0);
	assert_memory_equal(big, small, sizeof(small));
	assert_false(crypto_is_zero(big + 254 * 32, 32));
	crypto_hkdf_expand(big, 0, prk, NULL, 0);
	free(big);
}

static void siphash_agrees_with_its_reference(void **state)
{
	uint8_t key[16], data[15], out[16];

	(void)state;
	for (uint8_t i = 0; i < 16; i++) {
		key[i] = i;
	}
	memcpy(data, key, sizeof(data));
	crypto_siphash64(out, key, data, sizeof(data));
	assert_hex(out, 8, "e545be4961ca29a1");
	crypto_siphash64(out, key, NULL, 0);
	assert_hex(out, 8, "310e0edd47db6f72");
	crypto_siphash128(out, key, NULL, 0);
	assert_hex(out, 16, "a3817f04ba25a8e66df67214c7550293");
	crypto_siphash128(out, key, data, 1);
	assert_hex(out, 16, "da87c1d86b99af44347659119b22fc45");
}

static void x25519_agrees_with_rfc7748(void **state)
{
	struct hex secret =
		hex_decode("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
	struct hex public =
		hex_decode("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
	static const uint8_t nine[32] = {9};
	uint8_t out[32];

	(void)state;
	assert_int_equal(crypto_x25519(out, secret.data, public.data), N2N_OK);
	assert_hex(out, 32, "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
	crypto_x25519_public(out, nine);
	assert_hex(out, 32, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
	hex_free(&secret);
	hex_free(&public);
}

static void x25519_refuses_points_of_small_order(void **state)
{
	/* 0, 1, and a point of order 8. */
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	};
	static const uint8_t secret[32] = {1, 2, 3};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct hex point = hex_decode(points[i]);
		uint8_t shared[32];

		memset(shared, 0xaa, sizeof(shared));
		assert_int_equal(crypto_x25519(shared, secret, point.data), N2N_EAUTH);
		assert_true(crypto_is_zero(shared, sizeof(shared)));
		hex_free(&point);
	}
}

typedef void (*seal_fn)(uint8_t *, const uint8_t *, size_t, const uint8_t *, size_t,
	const uint8_t *, const uint8_t *);
typedef int (*open_fn)(uint8_t *, const uint8_t *, size_t, const uint8_t *, size_t, const uint8_t *,
	const uint8_t *);

static void check_aead(seal_fn seal, open_fn open, size_t nonce_len)
{
	static const uint8_t text[33] = "the quick brown fox jumps over 1", ad[5] = "12345";
	uint8_t key[32] = {7}, nonce[24] = {8}, box[sizeof(text) + TAG_LEN], out[sizeof(text)];

	for (size_t len = 0; len <= sizeof(text); len++) {
		seal(box, text, len, ad, sizeof(ad), nonce, key);
		assert_int_equal(open(out, box, len + TAG_LEN, ad, sizeof(ad), nonce, key), N2N_OK);
		assert_memory_equal(out, text, len);
		for (size_t bit = 0; bit < (len + TAG_LEN) * 8; bit += 5) {
			box[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(open(out, box, len + TAG_LEN, ad, sizeof(ad), nonce, key),
				N2N_EAUTH);
			box[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
	assert_int_equal(open(out, box, sizeof(box), ad, 4, nonce, key), N2N_EAUTH);
	for (size_t len = 0; len < sizeof(box); len++) {
		assert_int_equal(open(out, box, len, ad, sizeof(ad), nonce, key), N2N_EAUTH);
	}
	nonce[nonce_len - 1] ^= 1;
	assert_int_equal(open(out, box, sizeof(box), ad, sizeof(ad), nonce, key), N2N_EAUTH);
	nonce[nonce_len - 1] ^= 1;
	key[31] ^= 1;
	assert_int_equal(open(out, box, sizeof(box), ad, sizeof(ad), nonce, key), N2N_EAUTH);
	key[31] ^= 1;
	/* In place. */
	assert_int_equal(open(box, box, sizeof(box), ad, sizeof(ad), nonce, key), N2N_OK);
	assert_memory_equal(box, text, sizeof(text));
	seal(box, box, sizeof(text), NULL, 0, nonce, key);
	assert_int_equal(open(box, box, sizeof(box), NULL, 0, nonce, key), N2N_OK);
	assert_memory_equal(box, text, sizeof(text));
}

static void handshake_aeads_round_trip_and_refuse(void **state)
{
	(void)state;
	check_aead(crypto_chachapoly_seal, crypto_chachapoly_open, NONCE_LEN);
	check_aead(crypto_xchachapoly_seal, crypto_xchachapoly_open, XNONCE_LEN);
}

static void argon2id_is_fixed(void **state)
{
	static const uint8_t salt[16] = "0123456789abcdef";
	uint8_t a[32], b[32];

	(void)state;
	assert_int_equal(crypto_argon2id(a, "encryptme", 9, salt), N2N_OK);
	assert_hex(a, 32, "f98266ab2528a7907b225ba4dcb7e70fd62262181fb61410b9be89323163add2");
	assert_int_equal(crypto_argon2id(b, "encryptmf", 9, salt), N2N_OK);
	assert_memory_not_equal(a, b, 32);
	assert_int_equal(crypto_argon2id(b, "", 0, salt), N2N_OK);
}

static void compares_wipes_and_keeps_secrets(void **state)
{
	uint8_t a[40], b[40];

	(void)state;
	memset(a, 1, sizeof(a));
	memset(b, 1, sizeof(b));
	assert_true(crypto_equal(a, b, sizeof(a)));
	b[39] = 2;
	assert_false(crypto_equal(a, b, sizeof(a)));
	assert_true(crypto_equal(a, b, 39));
	assert_true(crypto_equal(a, b, 0));
	assert_false(crypto_is_zero(a, sizeof(a)));
	crypto_wipe(a, sizeof(a) - 1);
	assert_true(crypto_is_zero(a, sizeof(a) - 1));
	assert_int_equal(a[39], 1);
	for (size_t len = 1; len < 100; len += 7) {
		uint8_t *p = crypto_secret_alloc(len);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		assert_true(crypto_is_zero(p, len));
		memset(p, 0xff, len);
		crypto_secret_free(p);
	}
	crypto_secret_free(NULL);
	assert_int_equal(crypto_start(), N2N_OK);
}

static int setup(void **state)
{
	(void)state;
	return crypto_start();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blake2b_agrees_with_rfc7693),
		cmocka_unit_test(blake2b_takes_pieces_keys_and_lengths),
		cmocka_unit_test(sha256_agrees_with_fips180),
		cmocka_unit_test(hmac_agrees_with_rfc4231),
		cmocka_unit_test(hkdf_agrees_with_rfc5869),
		cmocka_unit_test(hkdf_expands_to_its_limit),
		cmocka_unit_test(siphash_agrees_with_its_reference),
		cmocka_unit_test(x25519_agrees_with_rfc7748),
		cmocka_unit_test(x25519_refuses_points_of_small_order),
		cmocka_unit_test(handshake_aeads_round_trip_and_refuse),
		cmocka_unit_test(argon2id_is_fixed),
		cmocka_unit_test(compares_wipes_and_keeps_secrets),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
