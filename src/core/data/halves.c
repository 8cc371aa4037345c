/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Halves side by side become frames; others meet in the pool. */
#include "core/data/halves.h"

#include <string.h>

static struct half half_of(const struct rx *x)
{
	const bool group = x->header.group;

	return (struct half){
		/* The index of a group key is another's choice: it may be that of a session. */
		.index = group ? x->link->id << 2 : x->header.index,
		.group = group ? x->header.index : 0,
		.counter = x->header.counter,
		.piece = x->header.piece,
		.csum_unset = x->header.csum_unset,
		.data = x->data,
		.len = x->len,
	};
}

static void is_whole(struct receiver *r, struct rx *x, size_t len)
{
	x->len = len;
	x->header.piece = PIECE_WHOLE;
	receive_frame(r, x);
}

static bool follows_in_memory(const struct rx *first, const struct rx *last)
{
	return last->in.data == first->in.data + first->in.len;
}

/* The two are of one frame: in a train the last half moves up to the first, over the tag. */
static void join_pair(
	struct halves *h, struct receiver *r, struct rx *first, struct rx *last, size_t slot)
{
	const struct half a = half_of(first), b = half_of(last);
	uint8_t *out = h->whole[slot];

	if (!pieces_fit(&a, &b)) {
		receive_drop(r, first, DROP_MALFORMED);
		receive_drop(r, last, DROP_MALFORMED);
		return;
	}
	if (!follows_in_memory(first, last)) {
		memcpy(out, a.data, a.len);
		first->data = out;
	}
	memmove(first->data + a.len, b.data, b.len);
	last->verdict = VERDICT_EMPTY;
	is_whole(r, first, a.len + b.len);
}

/* True when they were of one frame. */
static bool join_neighbours(
	struct halves *h, struct receiver *r, struct rx *x, struct rx *next, size_t slot)
{
	const struct half a = half_of(x), b = half_of(next);

	if (next->verdict != VERDICT_HALF || a.index != b.index || a.group != b.group)
		return false;
	if (pieces_match(&a, &b))
		join_pair(h, r, x, next, slot);
	else if (pieces_match(&b, &a))
		join_pair(h, r, next, x, slot);
	else
		return false;
	return true;
}

static void meet(struct halves *h, struct receiver *r, struct pieces *pool, struct rx *x,
	size_t slot, uint64_t now_ms)
{
	const struct half half = half_of(x);
	size_t len = pieces_take(pool, &half, h->whole[slot], r->drops, now_ms);

	if (len == 0)
		return;
	x->data = h->whole[slot];
	is_whole(r, x, len);
}

void halves_join(struct halves *h, struct receiver *r, struct pieces *pool, struct rx *x, size_t at,
	size_t n, uint64_t now_ms)
{
	if (at + 1 == n || !join_neighbours(h, r, &x[at], &x[at + 1], at))
		meet(h, r, pool, &x[at], at, now_ms);
}
