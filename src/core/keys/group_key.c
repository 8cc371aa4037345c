/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Group keys: random at their sender, told to the others. */
#include "core/keys/group_key.h"

#include <stdlib.h>
#include <string.h>

static void direction_of(struct direction *d, const struct control_group_key *told)
{
	memset(d, 0, sizeof(*d));
	d->suite = (enum aead_suite)told->suite;
	memcpy(d->key, told->key, sizeof(d->key));
	memcpy(d->iv, told->iv, sizeof(d->iv));
	memcpy(d->mask, told->mask, sizeof(d->mask));
}

static struct key_params params(const struct group_params *p, uint32_t index)
{
	return (struct key_params){
		.ciphers = p->ciphers,
		.nthreads = p->nthreads,
		.index = index,
		.until_ms = UINT64_MAX,
		.first_counter = p->first_counter,
	};
}

static void make_signing(struct group_key *k, const struct group_params *p, const struct random *r)
{
	uint8_t seed[KEY_LEN];

	random_bytes(r, seed, sizeof(seed));
	crypto_ed25519_pair(k->signing.secret, k->signing.public, seed);
	crypto_wipe(seed, sizeof(seed));
	memcpy(k->signing.tag, p->tag, sizeof(k->signing.tag));
	memcpy(k->told.verify, k->signing.public, sizeof(k->told.verify));
	k->send.signing = &k->signing;
}

struct group_key *group_key_create(const struct group_params *p, const struct random *r,
	enum aead_suite suite, uint32_t index, bool is_signed)
{
	struct group_key *k = calloc(1, sizeof(*k));
	const struct key_params of = params(p, index);
	struct direction d;
	int rc;

	if (k == NULL)
		return NULL;
	k->told.index = index;
	k->told.suite = (uint8_t)suite;
	k->told.is_signed = is_signed;
	random_bytes(r, k->told.key, sizeof(k->told.key));
	random_bytes(r, k->told.iv, sizeof(k->told.iv));
	random_bytes(r, k->told.mask, sizeof(k->told.mask));
	direction_of(&d, &k->told);
	rc = send_keys_init(&k->send, &d, &of);
	crypto_wipe(&d, sizeof(d));
	if (rc != 0) {
		group_key_destroy(k);
		return NULL;
	}
	if (is_signed)
		make_signing(k, p, r);
	return k;
}

void group_key_destroy(void *key)
{
	struct group_key *k = key;

	if (k == NULL)
		return;
	send_keys_fini(&k->send);
	crypto_wipe(k, sizeof(*k));
	free(k);
}

uint32_t group_key_floor(const struct group_key *k)
{
	uint64_t next = atomic_load_explicit(&k->send.counter, memory_order_relaxed);

	return next < COUNTER_LIMIT ? (uint32_t)next : COUNTER_LIMIT;
}

struct group_recv *group_recv_create(
	const struct group_params *p, const struct control_group_key *told)
{
	const struct key_params of = params(p, told->index);
	struct group_recv *k;
	struct direction d;
	int rc;

	if (told->suite != AEAD_AES256GCM && told->suite != AEAD_CHACHA20POLY1305)
		return NULL;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return NULL;
	direction_of(&d, told);
	rc = recv_keys_init(&k->recv, &d, &of, k->bits, GROUP_REPLAY_WORDS, GROUP_RELAY_WORDS);
	crypto_wipe(&d, sizeof(d));
	if (rc != 0) {
		free(k);
		return NULL;
	}
	replay_begin_at(&k->recv.window, told->floor);
	atomic_init(&k->recv.heard, true); /* that it came shows nothing of its session */
	memcpy(k->key, told->key, sizeof(k->key));
	memcpy(k->signing.tag, p->tag, sizeof(k->signing.tag));
	memcpy(k->signing.public, told->verify, sizeof(k->signing.public));
	if (told->is_signed)
		k->recv.signing = &k->signing;
	return k;
}

void group_recv_destroy(void *key)
{
	struct group_recv *k = key;

	if (k == NULL)
		return;
	recv_keys_fini(&k->recv);
	crypto_wipe(k, sizeof(*k));
	free(k);
}
