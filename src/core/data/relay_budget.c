/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bucket per sender, for what goes to those who have not answered. */
#include "core/data/relay_budget.h"

#include <stdlib.h>

#include "base/resident.h"

#define SENDERS 16384u /* so many that few share a bucket */

struct relay_budget {
	struct relay_pairs *pairs;
	struct bucket sender[SENDERS];
};

struct relay_budget *relay_budget_create(struct relay_pairs *pairs)
{
	struct relay_budget *b = resident_calloc(1, sizeof(*b));

	if (b != NULL)
		b->pairs = pairs;
	return b;
}

void relay_budget_destroy(struct relay_budget *b)
{
	free(b);
}

size_t relay_budget_take(
	struct relay_budget *b, uint32_t from, uint32_t to, size_t n, uint64_t now_ms)
{
	struct bucket *bucket = &b->sender[from % SENDERS]; /* ids are random */
	size_t passed = 0;

	if (relay_pairs_sent(b->pairs, to, from, now_ms, RELAY_ANSWERED_MS))
		passed = n;
	while (passed < n &&
		bucket_take(bucket, now_ms, RELAY_STRANGER_PER_S, RELAY_STRANGER_PER_S))
		passed++;
	if (passed > 0)
		relay_pairs_note(b->pairs, from, to, now_ms);
	return passed;
}
