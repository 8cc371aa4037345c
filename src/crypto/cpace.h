/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * CPace over ristretto255 with SHA-512 (draft-irtf-cfrg-cpace), initiator/responder order. It turns
 * a secret that may be guessable into a strong one without giving anyone, the relay included, a way
 * to test guesses offline. Any thread.
 */
#ifndef N2N_CRYPTO_CPACE_H
#define N2N_CRYPTO_CPACE_H

#include "crypto/crypto.h"

#define CPACE_SHARE_LEN 32
#define CPACE_SID_LEN	16
#define CPACE_ISK_LEN	64

/* What both sides must agree on. Borrowed for the time of the call. */
struct cpace_params {
	struct slice prs; /* password-related string */
	struct slice ci;  /* channel identifier */
	struct slice sid; /* session id */
	/* Associated data of the initiator and the responder: empty in n2n, set by test vectors. */
	struct slice ad_i;
	struct slice ad_r;
};

/*
 * Makes our share Y from 64 uniformly random bytes, which give the scalar; the caller keeps the
 * scalar for cpace_finish and wipes both it and the random bytes.
 */
void cpace_start(uint8_t share[CPACE_SHARE_LEN], uint8_t scalar[32], const uint8_t uniform[64],
	const struct cpace_params *params);
/* The same from a scalar that is given, not 0, for test vectors. */
void cpace_share(uint8_t share[CPACE_SHARE_LEN], const uint8_t scalar[32],
	const struct cpace_params *params);
/*
 * Makes the intermediate session key, wiped by the caller. share_i and share_r are both shares as
 * sent; theirs is the one of the two that the peer sent. N2N_EAUTH when it is no valid point or the
 * neutral one. Success proves nothing yet: with another secret the peer gets another key.
 */
MUST_CHECK int cpace_finish(uint8_t isk[CPACE_ISK_LEN], const uint8_t scalar[32],
	const uint8_t theirs[CPACE_SHARE_LEN], const uint8_t share_i[CPACE_SHARE_LEN],
	const uint8_t share_r[CPACE_SHARE_LEN], const struct cpace_params *params);

#endif
