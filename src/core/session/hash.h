/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * uthash for tables whose keys strangers may choose: keyed with SipHash, and without exit() when
 * memory is short. A function that adds or finds has the table's key in a variable hash_key; after
 * an addition, hh.tbl is NULL if there was no memory for it.
 */
#ifndef N2N_CORE_SESSION_HASH_H
#define N2N_CORE_SESSION_HASH_H

#include "base/bytes.h"
#include "crypto/crypto.h"

#define HASH_NONFATAL_OOM		     1
#define HASH_FUNCTION(keyptr, keylen, hashv) ((hashv) = table_hash(hash_key, (keyptr), (keylen)))

#include <uthash.h>

/* What uthash calls: the first 32 bits of SipHash; hash_key has SIPHASH_KEY_LEN bytes. */
static inline unsigned table_hash(const uint8_t *hash_key, const void *key, size_t len)
{
	uint8_t h[8];

	crypto_siphash64(h, hash_key, key, len);
	return load_be32(h);
}

#endif
