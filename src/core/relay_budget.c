/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two fixed tables that forget by overwriting: who sent to whom, and a bucket per sender. */
#include "core/relay_budget.h"

#include <stdlib.h>

#define PAIR_SETS 8192u
#define PAIR_WAYS 4u
#define SENDERS	  1024u

struct pair {
	uint32_t from, to;
	uint64_t last_ms; /* 0: empty */
};

struct relay_budget {
	struct pair pair[PAIR_SETS][PAIR_WAYS];
	struct bucket sender[SENDERS];
};

struct relay_budget *relay_budget_create(void)
{
	return calloc(1, sizeof(struct relay_budget));
}

void relay_budget_destroy(struct relay_budget *b)
{
	free(b);
}

/* Session ids are random and known to nobody else: mixing is enough. */
static uint32_t hash(uint32_t from, uint32_t to)
{
	return (from ^ (to << 16 | to >> 16)) * UINT32_C(0x9e3779b1) >> 8;
}

static struct pair *lookup(struct relay_budget *b, uint32_t from, uint32_t to)
{
	struct pair *set = b->pair[hash(from, to) % PAIR_SETS];

	for (unsigned i = 0; i < PAIR_WAYS; i++)
		if (set[i].last_ms != 0 && set[i].from == from && set[i].to == to)
			return &set[i];
	return NULL;
}

/* Remembers that from sent to to, instead of what was longest ago in its set. */
static void note(struct relay_budget *b, uint32_t from, uint32_t to, uint64_t now_ms)
{
	struct pair *set = b->pair[hash(from, to) % PAIR_SETS];
	struct pair *p = lookup(b, from, to);

	if (p == NULL) {
		p = &set[0];
		for (unsigned i = 1; i < PAIR_WAYS; i++)
			if (set[i].last_ms < p->last_ms)
				p = &set[i];
	}
	*p = (struct pair){from, to, now_ms};
}

size_t relay_budget_take(
	struct relay_budget *b, uint32_t from, uint32_t to, size_t n, uint64_t now_ms)
{
	const struct pair *answer = lookup(b, to, from);
	size_t passed = 0;

	if (answer == NULL || now_ms >= answer->last_ms + RELAY_ANSWERED_MS) {
		struct bucket *bucket = &b->sender[hash(from, 0) % SENDERS];

		while (passed < n &&
			bucket_take(bucket, now_ms, RELAY_STRANGER_PER_S, RELAY_STRANGER_PER_S))
			passed++;
	} else {
		passed = n;
	}
	if (passed > 0)
		note(b, from, to, now_ms);
	return passed;
}
