/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The community key as people hold it: "n2n4-" and the base32 of version 1, community id 16,
 * key 32, checksum 2 (PROTOCOL.md 2.2); and the public key of a supernode as "-l host:port/KEY"
 * takes it: the base32 of key 32, checksum 2. The checksum is the start of BLAKE2b over a label and
 * what precedes it; it finds typing errors and proves nothing. Any thread.
 */
#ifndef N2N_CRYPTO_KEYSTRING_H
#define N2N_CRYPTO_KEYSTRING_H

#include "base/base32.h"
#include "base/limits.h"
#include "crypto/crypto.h"

#define COMMUNITY_ID_LEN 16
#define COMMUNITY_KEY_TEXT_LEN                                                                     \
	(sizeof(COMMUNITY_KEY_PREFIX) - 1 + BASE32_LEN(1 + COMMUNITY_ID_LEN + KEY_LEN + 2))
#define PUBLIC_KEY_TEXT_LEN BASE32_LEN(KEY_LEN + 2)
#define EDGE_ID_LEN	    16
#define EDGE_ID_TEXT_LEN    BASE32_LEN(EDGE_ID_LEN) /* 26 characters */

struct community_key {
	uint8_t id[COMMUNITY_ID_LEN];
	uint8_t key[KEY_LEN];
};

/* True when text starts as a community key does, in either case: an error in it is to be reported.
 */
bool community_key_looks_like(const char *text);
/*
 * True when text must have been a community key before its beginning or a few characters of it were
 * lost, added or changed: "n2n4-" and much of a key stand somewhere in it, or it has about the
 * length of a key, letters of one case and the digits of base32, and hardly anything else. No
 * sentence is like that, nor are letters alone, hexadecimal digits, or characters of all kinds.
 */
bool community_key_is_damaged(const char *text);
/*
 * N2N_EINVAL: not of this form or length; N2N_EAUTH: the checksum differs; N2N_ENOSYS: version. *k
 * changes on success only, and the caller wipes it.
 */
MUST_CHECK int community_key_parse(struct community_key *k, const char *text);
/* Writes it in lower case with a NUL. The text is as secret as the key. */
void community_key_format(const struct community_key *k, char text[COMMUNITY_KEY_TEXT_LEN + 1]);

/* A supernode's (PROTOCOL.md 2.1). N2N_EINVAL and N2N_EAUTH as above; key changes on success only.
 */
MUST_CHECK int public_key_parse(uint8_t key[KEY_LEN], const char *text);
/* Writes it in lower case with a NUL. */
void public_key_format(const uint8_t key[KEY_LEN], char text[PUBLIC_KEY_TEXT_LEN + 1]);

/* The edge id: the first 16 bytes of BLAKE2b-256 of the static public key (PROTOCOL.md 2.1). */
void edge_id(uint8_t id[EDGE_ID_LEN], const uint8_t static_public[KEY_LEN]);
/* The id as people see it, in base32 with a NUL. */
void edge_id_format(const uint8_t id[EDGE_ID_LEN], char text[EDGE_ID_TEXT_LEN + 1]);

#endif
