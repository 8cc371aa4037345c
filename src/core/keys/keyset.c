/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys of one handshake: the extended split of PROTOCOL.md 5.4. */
#include "core/keys/keyset.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

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
	uint8_t key_iv[KEY_LEN + NONCE_LEN];

	expand(key_iv, sizeof(key_iv), r, from_initiator ? "n2n4 data i2r" : "n2n4 data r2i",
		(uint8_t)r->suite);
	d->suite = r->suite;
	memcpy(d->key, key_iv, KEY_LEN);
	memcpy(d->iv, key_iv + KEY_LEN, NONCE_LEN);
	expand_mask(d->mask, r, from_initiator);
	expand(d->hop_key, sizeof(d->hop_key), r, from_initiator ? "n2n4 hop i2r" : "n2n4 hop r2i",
		0);
	crypto_wipe(key_iv, sizeof(key_iv));
}

static int make_halves(struct keyset *k, const struct handshake_result *r,
	const struct keyset_params *p, size_t window_words)
{
	struct key_params half = {
		.ciphers = p->ciphers,
		.nthreads = p->nthreads,
		.index = r->tx_index,
		.until_ms = p->now_ms + KEYS_REJECT_MS,
		.first_counter = p->first_counter,
	};
	struct direction d;
	int rc;

	derive_direction(&d, r, r->initiator);
	rc = send_keys_init(&k->tx, &d, &half);
	if (rc == 0) {
		derive_direction(&d, r, !r->initiator);
		half.index = r->rx_index;
		rc = recv_keys_init(
			&k->rx, &d, &half, k->window_bits, window_words, RELAY_REPLAY_WORDS);
	}
	crypto_wipe(&d, sizeof(d));
	return rc;
}

struct keyset *keyset_create(const struct handshake_result *r, const struct keyset_params *p)
{
	size_t window_words = p->hop ? REPLAY_WORDS_HOP : REPLAY_WORDS;
	size_t words = window_words + RELAY_REPLAY_WORDS;
	struct keyset *k = calloc(1, sizeof(*k) + words * sizeof(k->window_bits[0]));

	if (k == NULL)
		return NULL;
	k->words = words;
	k->generation = r->generation;
	k->initiator = r->initiator;
	k->born_ms = p->now_ms;
	memcpy(k->hash, r->hash, sizeof(k->hash));
	if (make_halves(k, r, p, window_words) != 0) {
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
	send_keys_fini(&k->tx);
	recv_keys_fini(&k->rx);
	crypto_wipe(k, sizeof(*k) + k->words * sizeof(k->window_bits[0]));
	free(k);
}

bool keyset_alive(const struct keyset *k, uint64_t now_ms)
{
	return now_ms < k->tx.until_ms;
}

bool keyset_better(const struct keyset *a, const struct keyset *b)
{
	if (a->generation != b->generation)
		return a->generation > b->generation;
	return memcmp(a->hash, b->hash, sizeof(a->hash)) < 0;
}
