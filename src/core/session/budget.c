/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Budgets of strangers: buckets chosen by keyed hashes of where a datagram came from. */
#include "core/session/budget.h"

#include <string.h>

#include "base/bytes.h"

#define KNOWN_PER_S 500
#define ALL_PER_S   1000
#define NET_PER_S   100
#define HOST_PER_S  20
#define HOST_BURST  50 /* many edges may start at once behind one NAT */

void budget_init(struct budget *b, const uint8_t hash_key[SIPHASH_KEY_LEN])
{
	memset(b, 0, sizeof(*b));
	b->hash_key = hash_key;
}

static uint64_t hash(const struct budget *b, const void *data, size_t len)
{
	uint8_t h[8];

	crypto_siphash64(h, b->hash_key, data, len);
	return load_be64(h);
}

static uint32_t *place_of(struct budget *b, const struct endpoint *from, uint32_t *print)
{
	uint8_t key[18];
	uint64_t h;

	memcpy(key, from->ip, sizeof(from->ip));
	store_be16(key + 16, from->port);
	h = hash(b, key, sizeof(key));
	*print = (uint32_t)(h >> 32) | 1;
	return &b->print[h % BUDGET_KNOWN];
}

void budget_know(struct budget *b, const struct endpoint *from)
{
	uint32_t print, *place = place_of(b, from, &print);

	*place = print;
}

bool budget_take(struct budget *b, const struct endpoint *from, uint64_t now_ms)
{
	bool v4 = endpoint_is_v4(from);
	uint32_t print, *place = place_of(b, from, &print);
	struct bucket *host = &b->host[hash(b, from->ip, v4 ? 16 : 8) % BUDGET_BUCKETS];
	struct bucket *net = &b->net[hash(b, from->ip, v4 ? 15 : 6) % BUDGET_BUCKETS];

	if (*place == print)
		return bucket_take(&b->known, now_ms, KNOWN_PER_S, KNOWN_PER_S);
	return bucket_take(host, now_ms, HOST_PER_S, HOST_BURST) &&
	       bucket_take(net, now_ms, NET_PER_S, 2 * NET_PER_S) &&
	       bucket_take(&b->all, now_ms, ALL_PER_S, ALL_PER_S);
}
