/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One direction's keys: what a sender holds, what each receiver holds. */
#include "core/keys/oneway.h"

#include <string.h>

#include "base/bytes.h"

static struct aead_key *make_key(const struct direction *d, const struct key_params *p)
{
	return aead_key_create(
		aead_library_choice(p->ciphers, d->suite), d->suite, d->key, p->nthreads);
}

int send_keys_init(struct send_keys *k, const struct direction *d, const struct key_params *p)
{
	memset(k, 0, sizeof(*k));
	k->key = make_key(d, p);
	if (k->key == NULL)
		return N2N_ENOMEM;
	k->index = p->index;
	k->until_ms = p->until_ms;
	k->suite = d->suite;
	memcpy(k->iv, d->iv, sizeof(k->iv));
	memcpy(k->mask, d->mask, sizeof(k->mask));
	memcpy(k->hop_key, d->hop_key, sizeof(k->hop_key));
	atomic_init(&k->counter, p->first_counter);
	atomic_init(&k->relay_counter, p->first_counter);
	return 0;
}

void send_keys_fini(struct send_keys *k)
{
	aead_key_destroy(k->key);
	crypto_wipe(k, sizeof(*k));
}

int recv_keys_init(struct recv_keys *k, const struct direction *d, const struct key_params *p,
	uint64_t *bits, size_t window_words, size_t relay_words)
{
	memset(k, 0, sizeof(*k));
	k->key = make_key(d, p);
	if (k->key == NULL)
		return N2N_ENOMEM;
	k->index = p->index;
	k->until_ms = p->until_ms;
	k->suite = d->suite;
	memcpy(k->iv, d->iv, sizeof(k->iv));
	memcpy(k->mask, d->mask, sizeof(k->mask));
	memcpy(k->hop_key, d->hop_key, sizeof(k->hop_key));
	atomic_init(&k->heard, false);
	replay_init(&k->window, bits, window_words);
	replay_init(&k->relay_window, bits + window_words, relay_words);
	return 0;
}

void recv_keys_fini(struct recv_keys *k)
{
	aead_key_destroy(k->key);
	crypto_wipe(k, sizeof(*k));
}

static bool reserve(_Atomic uint64_t *counter, uint32_t n, uint32_t *first)
{
	uint64_t start = atomic_fetch_add_explicit(counter, n, memory_order_relaxed);

	*first = (uint32_t)start;
	return start + n <= COUNTER_LIMIT;
}

bool send_keys_reserve(struct send_keys *k, uint32_t n, uint32_t *first)
{
	return reserve(&k->counter, n, first);
}

bool send_keys_reserve_relay(struct send_keys *k, uint32_t n, uint32_t *first)
{
	return reserve(&k->relay_counter, n, first);
}

bool send_keys_reached(const struct send_keys *k, uint64_t counter)
{
	return atomic_load_explicit(&k->counter, memory_order_relaxed) >= counter ||
	       atomic_load_explicit(&k->relay_counter, memory_order_relaxed) >= counter;
}

void key_nonce(uint8_t nonce[NONCE_LEN], const uint8_t iv[NONCE_LEN], uint32_t counter)
{
	memcpy(nonce, iv, NONCE_LEN);
	store_be32(nonce + 8, load_be32(iv + 8) ^ counter);
}
