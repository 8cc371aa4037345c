/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much work strangers may cause (PROTOCOL.md 8.5): token buckets of fixed size, chosen by keyed
 * hashes of where a datagram came from. Control thread.
 *
 * What costs is Diffie-Hellman, and a source address is easily forged. So nothing that a forger can
 * spend keeps others from a handshake: who shows a cookie, and thereby that it receives where it
 * sends from, has buckets that only such sources draw on, and so has each address from which
 * genuine packets came.
 */
#ifndef N2N_CORE_SESSION_BUDGET_H
#define N2N_CORE_SESSION_BUDGET_H

#include "base/bucket.h"
#include "core/link/way.h"
#include "crypto/crypto.h"

#define BUDGET_BUCKETS 1024
#define BUDGET_KNOWN   4096
#define BUDGET_HANDLES 4096 /* so many that few share a bucket */

/* What a handshake of a stranger gets. */
enum budget_verdict {
	BUDGET_GRANTED, /* it may be worked on */
	BUDGET_PROVE,	/* not without a cookie */
	BUDGET_SPENT	/* not now */
};

/* By address, which is one of IPv4 or a /64 of IPv6, and by network, a /24 or a /48. */
struct budget_places {
	struct bucket host[BUDGET_BUCKETS];
	struct bucket net[BUDGET_BUCKETS];
};

struct budget {
	const uint8_t *hash_key; /* borrowed */
	struct {
		uint32_t print; /* of an address and port; forgotten by being overwritten */
		struct bucket bucket;
	} known[BUDGET_KNOWN];
	struct bucket known_host[BUDGET_BUCKETS]; /* of all ports of one address */
	struct budget_places unknown;		  /* datagrams that nobody could place */
	struct bucket unknown_all;
	struct budget_places shown;		    /* handshakes of those that showed a cookie */
	struct bucket unproven;			    /* and of all that showed none */
	struct bucket relayed[BUDGET_HANDLES];	    /* what was relayed, by source handle */
	struct bucket relayed_init[BUDGET_HANDLES]; /* handshakes among it */
	struct bucket relayed_all;
	struct bucket answers; /* to handshakes of ours */
};

/* All buckets full, no address known. hash_key is secret, random, and borrowed. NULL: no memory. */
struct budget *budget_create(const uint8_t hash_key[SIPHASH_KEY_LEN]);
/* Accepts NULL. */
void budget_destroy(struct budget *b);
/* Whoever is there sent a genuine packet, and is known to receive there. */
void budget_know(struct budget *b, const struct endpoint *remote);
/* May an unknown datagram from there be worked on, as far as that costs no Diffie-Hellman? */
bool budget_datagram(struct budget *b, const struct origin *from, uint64_t now_ms);
/* May a message 1 from there be worked on? has_shown: with a cookie that is right. */
enum budget_verdict budget_handshake(
	struct budget *b, const struct origin *from, bool has_shown, uint64_t now_ms);
/* May what names an attempt of ours be worked on? */
bool budget_answer(struct budget *b, uint64_t now_ms);

#endif
