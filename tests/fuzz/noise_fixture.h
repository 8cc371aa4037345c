/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two ends of a handshake under fixed keys, shared by the targets and the maker of seeds. */
#ifndef N2N_TESTS_NOISE_FIXTURE_H
#define N2N_TESTS_NOISE_FIXTURE_H

#include <stdlib.h>

#include "crypto/noise.h"

static const uint8_t fixture_psk[KEY_LEN] = {1};
static const uint8_t fixture_prologue[4] = "n2n4";
static const uint8_t fixture_ephemeral_i[KEY_LEN] = {0, 2};
static const uint8_t fixture_ephemeral_r[KEY_LEN] = {0, 3};

static inline struct keypair fixture_pair(uint8_t seed)
{
	struct keypair kp = {.secret = {0, seed}};

	crypto_x25519_public(kp.public, kp.secret);
	return kp;
}

static inline void fixture_init(struct noise *initiator, struct noise *responder)
{
	struct keypair i = fixture_pair(4), r = fixture_pair(5);

	if (crypto_start() < 0) {
		abort();
	}
	noise_init_initiator(
		initiator, fixture_prologue, sizeof(fixture_prologue), &i, r.public, fixture_psk);
	noise_init_responder(
		responder, fixture_prologue, sizeof(fixture_prologue), &r, fixture_psk);
}

#endif
