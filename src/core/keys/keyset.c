/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys of one handshake: the extended split of PROTOCOL.md 5.4. */
#include "core/keys/keyset.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct direction {
	uint8_t key_iv[KEY_LEN + NONCE_LEN];
	uint8_t mask[MASK_LEN];
	uint8_t hop[16];
};

static void expand(uint8_t *out, size_t len, const struct handshake_result *r, const char *label,
	uint8_t transform)
{
	const struct slice info[] = {
		{label, strlen(label)}, {&transform, 1}, {r->hash, sizeof(r->hash)}};

	crypto_hkdf_expand(out, len, r->prk, info, 3);
}

static void expand_mask(
	uint8_t mask[MASK_LEN], const struct handshake_result *r, bool from_initiator)
{
	expand(mask, MASK_LEN, r, from_initiator ? "n2n4 mask i2r" : "n2n4 mask r2i", 0);
}

void keyset_rx_mask(const struct handshake_result *r, uint8_t mask[MASK_LEN])
{
	expand_mask(mask, r, !r->initiator);
}

/* Each transform has keys of its own, so that no key ever meets two algorithms. */
static void derive_direction(
	struct direction *d, const struct handshake_result *r, bool from_initiator)
{
	expand(d->key_iv, sizeof(d->key_iv), r, from_initiator ? "n2n4 data i2r" : "n2n4 data r2i",
		(uint8_t)r->suite);
	expand_mask(d->mask, r, from_initiator);
	expand(d->hop, sizeof(d->hop), r, from_initiator ? "n2n4 hop i2r" : "n2n4 hop r2i", 0);
}

struct keyset *keyset_create(const struct handshake_result *r, const struct aead_library *ciphers,
	uint64_t now_ms, unsigned nthreads, uint32_t first_counter)
{
	struct keyset *k = calloc(1, sizeof(*k));
	const struct aead_provider *provider = aead_library_choice(ciphers, r->suite);
	struct direction tx, rx;

	if (k == NULL)
		return NULL;
	derive_direction(&tx, r, r->initiator);
	derive_direction(&rx, r, !r->initiator);
	k->rx_index = r->rx_index;
	k->tx_index = r->tx_index;
	k->generation = r->generation;
	k->suite = r->suite;
	k->initiator = r->initiator;
	k->born_ms = now_ms;
	memcpy(k->hash, r->hash, sizeof(k->hash));
	k->tx_key = aead_key_create(provider, r->suite, tx.key_iv, nthreads);
	k->rx_key = aead_key_create(provider, r->suite, rx.key_iv, nthreads);
	memcpy(k->tx_iv, tx.key_iv + KEY_LEN, NONCE_LEN);
	memcpy(k->rx_iv, rx.key_iv + KEY_LEN, NONCE_LEN);
	memcpy(k->tx_mask, tx.mask, MASK_LEN);
	memcpy(k->rx_mask, rx.mask, MASK_LEN);
	memcpy(k->tx_hop_key, tx.hop, sizeof(tx.hop));
	memcpy(k->rx_hop_key, rx.hop, sizeof(rx.hop));
	crypto_wipe(&tx, sizeof(tx));
	crypto_wipe(&rx, sizeof(rx));
	atomic_init(&k->tx_counter, first_counter);
	atomic_init(&k->tx_relay_counter, first_counter);
	atomic_init(&k->heard, false);
	replay_init(&k->rx_window, k->window_bits, REPLAY_WORDS);
	replay_init(&k->relay_window, k->window_bits + REPLAY_WORDS, RELAY_REPLAY_WORDS);
	if (k->tx_key == NULL || k->rx_key == NULL) {
		keyset_destroy(k);
		return NULL;
	}
	return k;
}

void keyset_destroy(void *keyset)
{
	struct keyset *k = keyset;

	if (k == NULL)
		return;
	aead_key_destroy(k->tx_key);
	aead_key_destroy(k->rx_key);
	crypto_wipe(k, sizeof(*k));
	free(k);
}

static bool reserve(_Atomic uint64_t *counter, uint32_t n, uint32_t *first)
{
	uint64_t start = atomic_fetch_add_explicit(counter, n, memory_order_relaxed);

	*first = (uint32_t)start;
	return start + n <= COUNTER_LIMIT;
}

bool keyset_reserve(struct keyset *k, uint32_t n, uint32_t *first)
{
	return reserve(&k->tx_counter, n, first);
}

bool keyset_reserve_relay(struct keyset *k, uint32_t n, uint32_t *first)
{
	return reserve(&k->tx_relay_counter, n, first);
}

void keyset_nonce(uint8_t nonce[NONCE_LEN], const uint8_t iv[NONCE_LEN], uint32_t counter)
{
	memcpy(nonce, iv, NONCE_LEN);
	store_be32(nonce + 8, load_be32(iv + 8) ^ counter);
}

bool keyset_better(const struct keyset *a, const struct keyset *b)
{
	if (a->generation != b->generation)
		return a->generation > b->generation;
	return memcmp(a->hash, b->hash, sizeof(a->hash)) < 0;
}
