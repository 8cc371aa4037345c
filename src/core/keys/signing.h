/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Signatures of group packets (PROTOCOL.md 10.1): with them nobody but the sender makes packets
 * under a key that all receivers have. Read-only once made; any thread.
 */
#ifndef N2N_CORE_KEYS_SIGNING_H
#define N2N_CORE_KEYS_SIGNING_H

#include "wire/control.h"
#include "wire/packet.h"

struct signing {
	uint8_t tag[COMMUNITY_TAG_LEN];	 /* of the community */
	uint8_t public[KEY_LEN];	 /* of the sender */
	uint8_t secret[SIGN_SECRET_LEN]; /* its own only; else zero */
};

/*
 * Puts the signature of the header before masking and the len bytes at text, a frame or the half of
 * one, behind these: SIGNATURE_LEN writable bytes.
 */
void signing_append(
	const struct signing *s, const uint8_t header[DATA_HEADER_LEN], uint8_t *text, size_t len);
/* Whether the last SIGNATURE_LEN of len bytes are that of the rest; false also if there are fewer.
 */
bool signing_check(const struct signing *s, const uint8_t header[DATA_HEADER_LEN],
	const uint8_t *text, size_t len);

#endif
