/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * CPace in a group that breaks at a glance, for scenarios with tens of thousands of handshakes:
 * products of 64-bit numbers, as in quick_dh.c. The generator hangs on the passphrase, so that both
 * sides get one key exactly if they have one passphrase.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/cpace.h"

#define LANE 8u

void __wrap_cpace_start(uint8_t share[CPACE_SHARE_LEN], uint8_t scalar[32],
	const uint8_t uniform[64], const struct cpace_params *params);
int __wrap_cpace_finish(uint8_t isk[CPACE_ISK_LEN], const uint8_t scalar[32],
	const uint8_t theirs[CPACE_SHARE_LEN], const uint8_t share_i[CPACE_SHARE_LEN],
	const uint8_t share_r[CPACE_SHARE_LEN], const struct cpace_params *params);

static void multiply(uint8_t out[32], const uint8_t a[32], const uint8_t b[32])
{
	for (unsigned i = 0; i < 32; i += LANE)
		store_be64(out + i, (load_be64(a + i) | 1) * (load_be64(b + i) | 1));
}

void __wrap_cpace_start(uint8_t share[CPACE_SHARE_LEN], uint8_t scalar[32],
	const uint8_t uniform[64], const struct cpace_params *params)
{
	const struct slice parts[] = {params->prs, params->ci, params->sid};
	uint8_t generator[32];

	crypto_blake2b(generator, sizeof(generator), NULL, 0, parts, 3);
	memcpy(scalar, uniform, 32);
	multiply(share, scalar, generator);
}

int __wrap_cpace_finish(uint8_t isk[CPACE_ISK_LEN], const uint8_t scalar[32],
	const uint8_t theirs[CPACE_SHARE_LEN], const uint8_t share_i[CPACE_SHARE_LEN],
	const uint8_t share_r[CPACE_SHARE_LEN], const struct cpace_params *params)
{
	uint8_t k[32];
	const struct slice parts[] = {params->sid, {k, sizeof(k)}, {share_i, CPACE_SHARE_LEN},
		{share_r, CPACE_SHARE_LEN}};

	multiply(k, scalar, theirs);
	crypto_blake2b(isk, CPACE_ISK_LEN, NULL, 0, parts, 4);
	return N2N_OK;
}
