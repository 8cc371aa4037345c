/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much work strangers may cause (PROTOCOL.md 8.4): token buckets by address, by network, and
 * for all of them together, of fixed size. Addresses from which genuine packets came have a bucket
 * of their own, so that strangers cannot keep them out. Control thread.
 */
#ifndef N2N_CORE_SESSION_BUDGET_H
#define N2N_CORE_SESSION_BUDGET_H

#include "base/bucket.h"
#include "base/endpoint.h"
#include "crypto/crypto.h"

#define BUDGET_BUCKETS 256
#define BUDGET_KNOWN   4096

struct budget {
	const uint8_t *hash_key;	    /* borrowed */
	struct bucket host[BUDGET_BUCKETS]; /* one IPv4 address, a /64 of IPv6 */
	struct bucket net[BUDGET_BUCKETS];  /* a /24, a /48 */
	struct bucket all;
	struct bucket known;
	uint32_t print[BUDGET_KNOWN]; /* of known addresses; forgotten by being overwritten */
};

/* All buckets full, no address known. hash_key is secret, random, and borrowed. */
void budget_init(struct budget *b, const uint8_t hash_key[SIPHASH_KEY_LEN]);
/* A genuine packet came from there. */
void budget_know(struct budget *b, const struct endpoint *from);
/* May an unknown datagram from there be worked on? */
bool budget_take(struct budget *b, const struct endpoint *from, uint64_t now_ms);

#endif
