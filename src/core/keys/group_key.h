/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys of group packets (PROTOCOL.md 10.1): one that a sender made, and what each receiver makes of
 * it. Made by the control thread, then workers use what is in them.
 */
#ifndef N2N_CORE_KEYS_GROUP_KEY_H
#define N2N_CORE_KEYS_GROUP_KEY_H

#include "base/random.h"
#include "core/keys/oneway.h"
#include "wire/control.h"

#define GROUP_REPLAY_WORDS 128 /* as of key sets: 8,128 counters */
#define GROUP_RELAY_WORDS  2   /* the least: relay packets are counted under the hop's keys */

/* Our own. */
struct group_key {
	struct send_keys send;
	struct control_group_key told; /* what receivers are told, but for the floor */
	struct signing signing;
	uint64_t made_ms;
};

/* Of another member. */
struct group_recv {
	struct recv_keys recv; /* first: what links lead to */
	struct signing signing;
	uint8_t key[KEY_LEN];
	uint64_t told_ms; /* when it came; whoever keeps it sets that */
	uint64_t bits[GROUP_REPLAY_WORDS + GROUP_RELAY_WORDS];
};

/* How to make one of either. */
struct group_params {
	const struct aead_library *ciphers;
	unsigned nthreads;
	const uint8_t *tag; /* of the community */
	uint32_t first_counter;
};

/*
 * A random one with this index; is_signed: its packets are signed. N2N_ENOMEM gives NULL. The
 * caller destroys it, or retires it once workers have seen it.
 */
struct group_key *group_key_create(const struct group_params *p, const struct random *r,
	enum aead_suite suite, uint32_t index, bool is_signed);
/* Wipes; accepts NULL. */
void group_key_destroy(void *key);
/* The counter of the next packet under it. */
uint32_t group_key_floor(const struct group_key *k);
/* What another member told; NULL: no memory, or a transform that there is not. As above. */
struct group_recv *group_recv_create(
	const struct group_params *p, const struct control_group_key *told);
/* The same. */
void group_recv_destroy(void *key);
/* The one that a link leads to. */
static inline struct group_recv *group_recv_of(struct recv_keys *k)
{
	return (struct group_recv *)k;
}

#endif
