/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Noise_IKpsk1_25519_ChaChaPoly_SHA256. The functions have the names of the Noise specification,
 * section 5, where they have a counterpart there.
 */
#include "crypto/noise.h"

#include <string.h>

static const char protocol_name[] = "Noise_IKpsk1_25519_ChaChaPoly_SHA256";

static void mix_hash(struct noise *hs, const uint8_t *data, size_t len)
{
	const struct slice in[] = {{hs->h, HASH_LEN}, {data, len}};

	crypto_sha256(hs->h, in, 2);
}

/* Noise's HKDF of the chaining key and the input, with n outputs. */
static void hkdf(uint8_t *out, size_t n, const uint8_t ck[HASH_LEN], const uint8_t ikm[KEY_LEN])
{
	uint8_t prk[HASH_LEN];

	crypto_hkdf_extract(prk, ck, HASH_LEN, ikm, KEY_LEN);
	crypto_hkdf_expand(out, n * HASH_LEN, prk, NULL, 0);
	crypto_wipe(prk, sizeof(prk));
}

static void mix_key(struct noise *hs, const uint8_t ikm[KEY_LEN])
{
	uint8_t out[2 * HASH_LEN];

	hkdf(out, 2, hs->ck, ikm);
	memcpy(hs->ck, out, HASH_LEN);
	memcpy(hs->k, out + HASH_LEN, KEY_LEN);
	hs->n = 0;
	crypto_wipe(out, sizeof(out));
}

static void mix_key_and_hash(struct noise *hs, const uint8_t psk[KEY_LEN])
{
	uint8_t out[3 * HASH_LEN];

	hkdf(out, 3, hs->ck, psk);
	memcpy(hs->ck, out, HASH_LEN);
	mix_hash(hs, out + HASH_LEN, HASH_LEN);
	memcpy(hs->k, out + 2 * HASH_LEN, KEY_LEN);
	hs->n = 0;
	crypto_wipe(out, sizeof(out));
}

static int mix_dh(struct noise *hs, const struct keypair *ours, const uint8_t theirs[KEY_LEN])
{
	uint8_t dh[KEY_LEN];
	int rc = crypto_x25519(dh, ours->secret, theirs);

	if (rc == N2N_OK) {
		mix_key(hs, dh);
	}
	crypto_wipe(dh, sizeof(dh));
	return rc;
}

static void mix_ephemeral(struct noise *hs, const uint8_t e[KEY_LEN])
{
	mix_hash(hs, e, KEY_LEN);
	/* The extra step of PSK handshakes, section 9.2. */
	mix_key(hs, e);
}

/* The nonce is 32 zero bits and the counter in little-endian order, section 12.3. */
static void next_nonce(struct noise *hs, uint8_t nonce[NONCE_LEN])
{
	memset(nonce, 0, NONCE_LEN);
	for (size_t i = 0; i < 8; i++) {
		nonce[4 + i] = (uint8_t)(hs->n >> 8 * i);
	}
	hs->n++;
}

static void encrypt_and_hash(struct noise *hs, uint8_t *out, const uint8_t *in, size_t len)
{
	uint8_t nonce[NONCE_LEN];

	next_nonce(hs, nonce);
	crypto_chachapoly_seal(out, in, len, hs->h, HASH_LEN, nonce, hs->k);
	mix_hash(hs, out, len + TAG_LEN);
}

/* len counts the tag. */
static int decrypt_and_hash(struct noise *hs, uint8_t *out, const uint8_t *in, size_t len)
{
	uint8_t nonce[NONCE_LEN];

	next_nonce(hs, nonce);
	if (crypto_chachapoly_open(out, in, len, hs->h, HASH_LEN, nonce, hs->k) < 0) {
		return N2N_EAUTH;
	}
	mix_hash(hs, in, len);
	return N2N_OK;
}

static void init(struct noise *hs, const uint8_t *prologue, size_t prologue_len,
	const struct keypair *self, const uint8_t psk[KEY_LEN])
{
	memset(hs, 0, sizeof(*hs));
	/* The name is longer than a hash, so it is hashed itself. */
	crypto_sha256(hs->h, &(struct slice){protocol_name, sizeof(protocol_name) - 1}, 1);
	memcpy(hs->ck, hs->h, HASH_LEN);
	mix_hash(hs, prologue, prologue_len);
	hs->s = *self;
	memcpy(hs->psk, psk, KEY_LEN);
}

void noise_init_initiator(struct noise *hs, const uint8_t *prologue, size_t prologue_len,
	const struct keypair *self, const uint8_t responder_static[KEY_LEN],
	const uint8_t psk[KEY_LEN])
{
	init(hs, prologue, prologue_len, self, psk);
	memcpy(hs->rs, responder_static, KEY_LEN);
	mix_hash(hs, hs->rs, KEY_LEN);
}

void noise_init_responder(struct noise *hs, const uint8_t *prologue, size_t prologue_len,
	const struct keypair *self, const uint8_t psk[KEY_LEN])
{
	init(hs, prologue, prologue_len, self, psk);
	mix_hash(hs, hs->s.public, KEY_LEN);
}

static void write_ephemeral(struct noise *hs, uint8_t *out, const uint8_t secret[KEY_LEN])
{
	memcpy(hs->e.secret, secret, KEY_LEN);
	crypto_x25519_public(hs->e.public, secret);
	memcpy(out, hs->e.public, KEY_LEN);
	mix_ephemeral(hs, hs->e.public);
}

static void read_ephemeral(struct noise *hs, const uint8_t *msg)
{
	memcpy(hs->re, msg, KEY_LEN);
	mix_ephemeral(hs, hs->re);
}

int noise_write1(struct noise *hs, uint8_t *out, const uint8_t ephemeral[KEY_LEN],
	const uint8_t *payload, size_t len)
{
	write_ephemeral(hs, out, ephemeral);
	if (mix_dh(hs, &hs->e, hs->rs) < 0) { /* es */
		goto fail;
	}
	encrypt_and_hash(hs, out + KEY_LEN, hs->s.public, KEY_LEN);
	if (mix_dh(hs, &hs->s, hs->rs) < 0) { /* ss */
		goto fail;
	}
	mix_key_and_hash(hs, hs->psk);
	encrypt_and_hash(hs, out + 2 * KEY_LEN + TAG_LEN, payload, len);
	return N2N_OK;
fail:
	noise_wipe(hs);
	return N2N_EAUTH;
}

int noise_read1(struct noise *hs, uint8_t *payload, const uint8_t *msg, size_t len)
{
	if (len < NOISE_MSG1_OVERHEAD) {
		goto fail;
	}
	read_ephemeral(hs, msg);
	if (mix_dh(hs, &hs->s, hs->re) < 0) { /* es */
		goto fail;
	}
	if (decrypt_and_hash(hs, hs->rs, msg + KEY_LEN, KEY_LEN + TAG_LEN) < 0) {
		goto fail;
	}
	if (mix_dh(hs, &hs->s, hs->rs) < 0) { /* ss */
		goto fail;
	}
	mix_key_and_hash(hs, hs->psk);
	msg += 2 * KEY_LEN + TAG_LEN;
	len -= 2 * KEY_LEN + TAG_LEN;
	if (decrypt_and_hash(hs, payload, msg, len) < 0) {
		goto fail;
	}
	return N2N_OK;
fail:
	noise_wipe(hs);
	return N2N_EAUTH;
}

int noise_write2(struct noise *hs, uint8_t *out, const uint8_t ephemeral[KEY_LEN],
	const uint8_t *payload, size_t len)
{
	write_ephemeral(hs, out, ephemeral);
	if (mix_dh(hs, &hs->e, hs->re) < 0 || mix_dh(hs, &hs->e, hs->rs) < 0) { /* ee, se */
		noise_wipe(hs);
		return N2N_EAUTH;
	}
	encrypt_and_hash(hs, out + KEY_LEN, payload, len);
	return N2N_OK;
}

int noise_read2(struct noise *hs, uint8_t *payload, const uint8_t *msg, size_t len)
{
	if (len < NOISE_MSG2_OVERHEAD) {
		goto fail;
	}
	read_ephemeral(hs, msg);
	if (mix_dh(hs, &hs->e, hs->re) < 0 || mix_dh(hs, &hs->s, hs->re) < 0) { /* ee, se */
		goto fail;
	}
	if (decrypt_and_hash(hs, payload, msg + KEY_LEN, len - KEY_LEN) < 0) {
		goto fail;
	}
	return N2N_OK;
fail:
	noise_wipe(hs);
	return N2N_EAUTH;
}

void noise_wipe(struct noise *hs)
{
	crypto_wipe(hs, sizeof(*hs));
}
