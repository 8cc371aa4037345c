/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pool of halves. Each entry is in one ring by age, or in that of the free, and those in use in
 * one of the sessions whose ids have the same hash, the newest first. Rings are circles through a
 * head, all of them entries of one array.
 */
#include "core/data/pieces.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/resident.h"
#include "core/link/link.h"
#include "core/link/table.h"
#include "crypto/crypto.h"

#define BUCKETS_LOG   8
#define BUCKETS	      (1u << BUCKETS_LOG)
#define FAIR_SHARE    16 /* of a full pool; who has more gives way to himself */
#define SWEEP_AT_ONCE 32
#define NOBODY	      UINT16_MAX

/* Heads of rings, behind the entries. */
#define WAITING PIECES_MAX
#define FREE	(PIECES_MAX + 1)

struct neighbours {
	uint16_t before, after;
};

struct waiting_half {
	struct half half; /* its data is text */
	uint64_t since_ms;
	uint8_t text[HALF_MAX];
};

struct pieces {
	atomic_flag lock;
	struct neighbours age[PIECES_MAX + 2];		 /* oldest first */
	struct neighbours session[PIECES_MAX + BUCKETS]; /* newest first */
	struct waiting_half at[PIECES_MAX];
};

/* What is counted once the lock is free. */
struct lost {
	unsigned late, room, malformed;
};

/* ---- rings ---- */

static void ring_empty(struct neighbours *ring, uint16_t head)
{
	ring[head] = (struct neighbours){head, head};
}

/* Behind what is at before, which may be the head. */
static void ring_put(struct neighbours *ring, uint16_t before, uint16_t i)
{
	uint16_t after = ring[before].after;

	ring[i] = (struct neighbours){before, after};
	ring[before].after = i;
	ring[after].before = i;
}

static void ring_remove(struct neighbours *ring, uint16_t i)
{
	ring[ring[i].before].after = ring[i].after;
	ring[ring[i].after].before = ring[i].before;
}

static uint16_t bucket_of(const struct half *h)
{
	uint64_t hash = table_spread(NULL, INDEX_ID(h->index));

	return (uint16_t)(PIECES_MAX + (hash >> (64 - BUCKETS_LOG)));
}

/* ---- making ---- */

struct pieces *pieces_create(void)
{
	struct pieces *p = resident_calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	atomic_flag_clear(&p->lock);
	ring_empty(p->age, WAITING);
	ring_empty(p->age, FREE);
	for (uint16_t i = 0; i < BUCKETS; i++)
		ring_empty(p->session, (uint16_t)(PIECES_MAX + i));
	for (uint16_t i = 0; i < PIECES_MAX; i++)
		ring_put(p->age, FREE, i);
	return p;
}

void pieces_destroy(struct pieces *p)
{
	if (p != NULL)
		crypto_wipe(p, sizeof(*p));
	free(p);
}

/* ---- what makes a frame ---- */

bool pieces_match(const struct half *first, const struct half *last)
{
	return first->piece == PIECE_FIRST && last->piece == PIECE_LAST &&
	       first->counter + 1 == last->counter;
}

bool pieces_fit(const struct half *first, const struct half *last)
{
	return first->len - last->len <= 1 && first->csum_unset == last->csum_unset;
}

static bool match(const struct half *a, const struct half *b)
{
	return a->index == b->index && (pieces_match(a, b) || pieces_match(b, a));
}

static size_t join(const struct half *a, const struct half *b, uint8_t *out)
{
	const struct half *first = a->piece == PIECE_FIRST ? a : b;
	const struct half *last = a->piece == PIECE_FIRST ? b : a;

	if (!pieces_fit(first, last))
		return 0;
	memcpy(out, first->data, first->len);
	memcpy(out + first->len, last->data, last->len);
	return first->len + last->len;
}

/* ---- coming and going; under the lock ---- */

static bool is_late(const struct waiting_half *w, uint64_t now_ms)
{
	return now_ms >= w->since_ms + PIECES_WAIT_MS;
}

static void let_go(struct pieces *p, uint16_t i)
{
	ring_remove(p->session, i);
	ring_remove(p->age, i);
	ring_put(p->age, FREE, i);
}

static void drop(struct pieces *p, uint16_t i, struct lost *lost, uint64_t now_ms)
{
	if (is_late(&p->at[i], now_ms))
		lost->late++;
	else
		lost->room++;
	let_go(p, i);
}

/* What waits of the half's session. */
struct kin {
	unsigned n;
	uint16_t oldest, other; /* NOBODY: none; other: its other half */
};

static struct kin find_kin(const struct pieces *p, const struct half *h)
{
	struct kin k = {0, NOBODY, NOBODY};
	const uint16_t head = bucket_of(h);

	for (uint16_t i = p->session[head].after; i != head; i = p->session[i].after) {
		const struct half *other = &p->at[i].half;

		if (INDEX_ID(other->index) != INDEX_ID(h->index))
			continue;
		k.n++;
		k.oldest = i;
		if (match(h, other)) {
			k.other = i;
			break;
		}
	}
	return k;
}

static void wait(struct pieces *p, const struct half *h, const struct kin *k, struct lost *lost,
	uint64_t now_ms)
{
	bool full = p->age[FREE].after == FREE;
	struct waiting_half *w;
	uint16_t i;

	if (k->n >= PIECES_PER_SESSION || (full && k->n >= FAIR_SHARE))
		drop(p, k->oldest, lost, now_ms);
	else if (full)
		drop(p, p->age[WAITING].after, lost, now_ms);
	i = p->age[FREE].after;
	w = &p->at[i];
	ring_remove(p->age, i);
	ring_put(p->age, p->age[WAITING].before, i);
	ring_put(p->session, bucket_of(h), i);
	w->half = *h;
	w->half.data = w->text;
	w->since_ms = now_ms;
	memcpy(w->text, h->data, h->len);
}

static size_t take(
	struct pieces *p, const struct half *h, uint8_t *out, struct lost *lost, uint64_t now_ms)
{
	struct kin k = find_kin(p, h);
	size_t len;

	if (k.other == NOBODY) {
		wait(p, h, &k, lost, now_ms);
		return 0;
	}
	if (is_late(&p->at[k.other], now_ms)) {
		drop(p, k.other, lost, now_ms);
		lost->late++;
		return 0;
	}
	len = join(h, &p->at[k.other].half, out);
	if (len == 0)
		lost->malformed += 2;
	let_go(p, k.other);
	return len;
}

/* ---- for all threads ---- */

/* Held for a look at a session's halves and a copy of one. */
static void lock(struct pieces *p)
{
	while (atomic_flag_test_and_set_explicit(&p->lock, memory_order_acquire))
		;
}

static void unlock(struct pieces *p)
{
	atomic_flag_clear_explicit(&p->lock, memory_order_release);
}

static void count(struct drops *drops, const struct lost *lost)
{
	if (lost->late > 0)
		drops_add(drops, DROP_PIECE_LATE, lost->late);
	if (lost->room > 0)
		drops_add(drops, DROP_PIECE_ROOM, lost->room);
	if (lost->malformed > 0)
		drops_add(drops, DROP_MALFORMED, lost->malformed);
}

size_t pieces_take(struct pieces *p, const struct half *h, uint8_t out[FRAME_MAX],
	struct drops *drops, uint64_t now_ms)
{
	struct lost lost = {0};
	size_t len;

	lock(p);
	len = take(p, h, out, &lost, now_ms);
	unlock(p);
	count(drops, &lost);
	return len;
}

void pieces_sweep(struct pieces *p, struct drops *drops, uint64_t now_ms)
{
	struct lost lost;

	do {
		lost = (struct lost){0};
		lock(p);
		for (unsigned n = 0; n < SWEEP_AT_ONCE; n++) {
			uint16_t i = p->age[WAITING].after;

			if (i == WAITING || !is_late(&p->at[i], now_ms))
				break;
			drop(p, i, &lost, now_ms);
		}
		unlock(p);
		count(drops, &lost);
	} while (lost.late == SWEEP_AT_ONCE);
}
