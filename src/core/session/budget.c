/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Budgets of strangers. */
#include "core/session/budget.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define KNOWN_PER_S	 100
#define KNOWN_BURST	 200
#define KNOWN_HOST_PER_S 200
#define KNOWN_HOST_BURST 600

#define UNKNOWN_PER_S	  20
#define UNKNOWN_BURST	  50
#define UNKNOWN_NET_PER_S 100
#define UNKNOWN_ALL_PER_S 1000

#define UNPROVEN_PER_S	100
#define SHOWN_PER_S	100
#define SHOWN_BURST	300 /* many edges may start at once behind one NAT */
#define SHOWN_NET_PER_S 200
#define SHOWN_NET_BURST 600

#define RELAYED_PER_S	   50
#define RELAYED_INIT_PER_S 1 /* who has many handles wins little by knocking faster */
#define RELAYED_INIT_BURST 6 /* what an attempt sends in its first seconds */
#define RELAYED_ALL_PER_S  500
#define ANSWERS_PER_S	   1000

struct budget *budget_create(const uint8_t hash_key[SIPHASH_KEY_LEN])
{
	struct budget *b = calloc(1, sizeof(*b));

	if (b != NULL)
		b->hash_key = hash_key;
	return b;
}

void budget_destroy(struct budget *b)
{
	free(b);
}

static uint64_t hash(const struct budget *b, const void *data, size_t len)
{
	uint8_t h[8];

	crypto_siphash64(h, b->hash_key, data, len);
	return load_be64(h);
}

/* The place of an address and port among the known, and what stands there if it is known. */
static unsigned known_at(const struct budget *b, const struct endpoint *e, uint32_t *print)
{
	uint8_t key[18];
	uint64_t h;

	memcpy(key, e->ip, sizeof(e->ip));
	store_be16(key + 16, e->port);
	h = hash(b, key, sizeof(key));
	*print = (uint32_t)(h >> 32) | 1;
	return h % BUDGET_KNOWN;
}

void budget_know(struct budget *b, const struct endpoint *remote)
{
	uint32_t print;
	unsigned at = known_at(b, remote, &print);

	if (b->known[at].print == print)
		return;
	b->known[at].print = print;
	b->known[at].bucket = (struct bucket){.started = false};
}

static unsigned host_at(const struct budget *b, const struct endpoint *e)
{
	return hash(b, e->ip, endpoint_is_v4(e) ? 16 : 8) % BUDGET_BUCKETS;
}

static bool take_known(struct budget *b, const struct endpoint *e, uint64_t now_ms)
{
	uint32_t print;
	unsigned at = known_at(b, e, &print);

	/* Many may be behind one address, but one may have many ports. */
	return b->known[at].print == print &&
	       bucket_take(&b->known[at].bucket, now_ms, KNOWN_PER_S, KNOWN_BURST) &&
	       bucket_take(
		       &b->known_host[host_at(b, e)], now_ms, KNOWN_HOST_PER_S, KNOWN_HOST_BURST);
}

static struct bucket *host_of(struct budget *b, struct budget_places *p, const struct endpoint *e)
{
	return &p->host[host_at(b, e)];
}

static struct bucket *net_of(struct budget *b, struct budget_places *p, const struct endpoint *e)
{
	return &p->net[hash(b, e->ip, endpoint_is_v4(e) ? 15 : 6) % BUDGET_BUCKETS];
}

static unsigned handle_at(const struct budget *b, const struct origin *from)
{
	uint8_t key[8];

	store_be32(key, from->hop_id);
	store_be32(key + 4, from->handle);
	return hash(b, key, sizeof(key)) % BUDGET_HANDLES;
}

bool budget_datagram(struct budget *b, const struct origin *from, uint64_t now_ms)
{
	const struct endpoint *e = &from->way.remote;

	if (from->hop_id != 0)
		return bucket_take(
			&b->relayed[handle_at(b, from)], now_ms, RELAYED_PER_S, RELAYED_PER_S);
	return take_known(b, e, now_ms) ||
	       (bucket_take(host_of(b, &b->unknown, e), now_ms, UNKNOWN_PER_S, UNKNOWN_BURST) &&
		       bucket_take(net_of(b, &b->unknown, e), now_ms, UNKNOWN_NET_PER_S,
			       2 * UNKNOWN_NET_PER_S) &&
		       bucket_take(&b->unknown_all, now_ms, UNKNOWN_ALL_PER_S, UNKNOWN_ALL_PER_S));
}

enum budget_verdict budget_handshake(
	struct budget *b, const struct origin *from, bool has_shown, uint64_t now_ms)
{
	const struct endpoint *e = &from->way.remote;
	bool granted;

	if (from->hop_id != 0) {
		granted =
			bucket_take(&b->relayed_init[handle_at(b, from)], now_ms,
				RELAYED_INIT_PER_S, RELAYED_INIT_BURST) &&
			bucket_take(&b->relayed_all, now_ms, RELAYED_ALL_PER_S, RELAYED_ALL_PER_S);
		return granted ? BUDGET_GRANTED : BUDGET_SPENT;
	}
	if (has_shown) {
		granted = bucket_take(host_of(b, &b->shown, e), now_ms, SHOWN_PER_S, SHOWN_BURST) &&
			  bucket_take(net_of(b, &b->shown, e), now_ms, SHOWN_NET_PER_S,
				  SHOWN_NET_BURST);
		return granted ? BUDGET_GRANTED : BUDGET_SPENT;
	}
	/* A known address may be forged, too: a cookie gets in when its own bucket is empty. */
	granted = take_known(b, e, now_ms) ||
		  bucket_take(&b->unproven, now_ms, UNPROVEN_PER_S, UNPROVEN_PER_S);
	return granted ? BUDGET_GRANTED : BUDGET_PROVE;
}

bool budget_answer(struct budget *b, uint64_t now_ms)
{
	return bucket_take(&b->answers, now_ms, ANSWERS_PER_S, ANSWERS_PER_S);
}
