/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CPace on ristretto255: section names are those of draft-irtf-cfrg-cpace. */
#include "crypto/cpace.h"

#include <assert.h>
#include <sodium.h>

static const char dsi[] = "CPaceRistretto255";
static const char dsi_isk[] = "CPaceRistretto255_ISK";

#define HASH_BLOCK 128U /* of SHA-512 */

/* prepend_len: the LEB128 length and the data. */
static void absorb(crypto_hash_sha512_state *st, const void *data, size_t len)
{
	size_t rest = len;

	do {
		uint8_t b = (uint8_t)(rest & 0x7f);

		rest >>= 7;
		if (rest > 0) {
			b |= 0x80;
		}
		crypto_hash_sha512_update(st, &b, 1);
	} while (rest > 0);
	crypto_hash_sha512_update(st, data, len);
}

/* How many zeros fill the first hash block after the DSI and the PRS with their lengths. */
static size_t zero_pad_len(size_t prs_len)
{
	size_t used = 1 + 1 + sizeof(dsi) - 1 + 1 + prs_len;

	return used < HASH_BLOCK ? HASH_BLOCK - used : 0;
}

/* calculate_generator */
static void make_generator(uint8_t g[32], const struct cpace_params *params)
{
	static const uint8_t zeros[HASH_BLOCK];
	crypto_hash_sha512_state st;
	uint8_t hash[64];

	crypto_hash_sha512_init(&st);
	absorb(&st, dsi, sizeof(dsi) - 1);
	absorb(&st, params->prs.data, params->prs.len);
	absorb(&st, zeros, zero_pad_len(params->prs.len));
	absorb(&st, params->ci.data, params->ci.len);
	absorb(&st, params->sid.data, params->sid.len);
	crypto_hash_sha512_final(&st, hash);
	crypto_core_ristretto255_from_hash(g, hash);
	crypto_wipe(&st, sizeof(st));
	crypto_wipe(hash, sizeof(hash));
}

void cpace_share(
	uint8_t share[CPACE_SHARE_LEN], const uint8_t scalar[32], const struct cpace_params *params)
{
	uint8_t g[32];

	make_generator(g, params);
	int rc = crypto_scalarmult_ristretto255(share, scalar, g);
	assert(rc == 0); /* only a zero scalar gives the neutral point */
	(void)rc;
	crypto_wipe(g, sizeof(g));
}

void cpace_start(uint8_t share[CPACE_SHARE_LEN], uint8_t scalar[32], const uint8_t uniform[64],
	const struct cpace_params *params)
{
	crypto_core_ristretto255_scalar_reduce(scalar, uniform);
	cpace_share(share, scalar, params);
}

int cpace_finish(uint8_t isk[CPACE_ISK_LEN], const uint8_t scalar[32],
	const uint8_t theirs[CPACE_SHARE_LEN], const uint8_t share_i[CPACE_SHARE_LEN],
	const uint8_t share_r[CPACE_SHARE_LEN], const struct cpace_params *params)
{
	crypto_hash_sha512_state st;
	uint8_t k[32];

	/* scalar_mult_vfy: fails for what is no point and for the neutral one. */
	if (crypto_scalarmult_ristretto255(k, scalar, theirs) != 0) {
		crypto_wipe(k, sizeof(k));
		return N2N_EAUTH;
	}
	crypto_hash_sha512_init(&st);
	absorb(&st, dsi_isk, sizeof(dsi_isk) - 1);
	absorb(&st, params->sid.data, params->sid.len);
	absorb(&st, k, sizeof(k));
	/* transcript_ir */
	absorb(&st, share_i, CPACE_SHARE_LEN);
	absorb(&st, params->ad_i.data, params->ad_i.len);
	absorb(&st, share_r, CPACE_SHARE_LEN);
	absorb(&st, params->ad_r.data, params->ad_r.len);
	crypto_hash_sha512_final(&st, isk);
	crypto_wipe(&st, sizeof(st));
	crypto_wipe(k, sizeof(k));
	return N2N_OK;
}
