/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pool of halves. Each entry is in a ring by age, or in that of the free, and one that is used
 * also in its session's, the newest first. A session that has halves here is in a ring of those
 * whose ids have the same hash, and in one of those that have as many: so who has most is at hand.
 * Rings are circles through a head, all of them entries of one array.
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
#define HOLDERS	      (PIECES_MAX + 1) /* one more, for who comes to a full pool */
#define SWEEP_AT_ONCE 32
#define NOBODY	      UINT16_MAX

/* Heads of rings, behind the entries. */
#define WAITING	     PIECES_MAX
#define FREE	     (PIECES_MAX + 1)
#define HALVES_OF(s) ((uint16_t)(PIECES_MAX + (s)))
#define HAVING(n)    ((uint16_t)(HOLDERS + (n)))

struct neighbours {
	uint16_t before, after;
};

struct waiting_half {
	struct half half; /* its data is text */
	uint64_t since_ms;
	uint16_t holder;
	uint8_t text[HALF_MAX];
};

/* A session that has halves here; one that has none is free, and may become another's. */
struct holder {
	uint32_t id;
	uint16_t n;
};

struct pieces {
	atomic_flag lock;
	uint16_t most;				     /* that a holder has */
	struct neighbours age[PIECES_MAX + 2];	     /* oldest first */
	struct neighbours own[PIECES_MAX + HOLDERS]; /* newest first */
	struct neighbours hash[HOLDERS + BUCKETS];
	struct neighbours rank[HOLDERS + PIECES_PER_SESSION + 1]; /* last come first */
	struct holder holder[HOLDERS];
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

static bool ring_is_empty(const struct neighbours *ring, uint16_t head)
{
	return ring[head].after == head;
}

static uint16_t bucket_of(uint32_t id)
{
	return (uint16_t)(HOLDERS + (table_spread(NULL, id) >> (64 - BUCKETS_LOG)));
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
		ring_empty(p->hash, (uint16_t)(HOLDERS + i));
	for (uint16_t n = 0; n <= PIECES_PER_SESSION; n++)
		ring_empty(p->rank, HAVING(n));
	for (uint16_t i = 0; i < PIECES_MAX; i++)
		ring_put(p->age, FREE, i);
	for (uint16_t s = 0; s < HOLDERS; s++) {
		ring_empty(p->own, HALVES_OF(s));
		ring_put(p->rank, HAVING(0), s);
	}
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
	return a->index == b->index && a->group == b->group &&
	       (pieces_match(a, b) || pieces_match(b, a));
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

/* ---- who has how many; under the lock ---- */

/* The session's holder, which is a free one while it has nothing here. */
static uint16_t find_holder(struct pieces *p, uint32_t id)
{
	const uint16_t head = bucket_of(id);
	uint16_t s;

	for (s = p->hash[head].after; s != head; s = p->hash[s].after)
		if (p->holder[s].id == id)
			return s;
	s = p->rank[HAVING(0)].after;
	p->holder[s].id = id;
	return s;
}

/* One more or one less than before. */
static void has_now(struct pieces *p, uint16_t s, uint16_t n)
{
	struct holder *holder = &p->holder[s];

	if (holder->n == 0)
		ring_put(p->hash, bucket_of(holder->id), s);
	else if (n == 0)
		ring_remove(p->hash, s);
	holder->n = n;
	ring_remove(p->rank, s);
	ring_put(p->rank, HAVING(n), s);
	if (n > p->most)
		p->most = n;
	else if (ring_is_empty(p->rank, HAVING(p->most)))
		p->most--;
}

static uint16_t oldest_of(const struct pieces *p, uint16_t s)
{
	return p->own[HALVES_OF(s)].before;
}

/* ---- coming and going; under the lock ---- */

static bool is_late(const struct waiting_half *w, uint64_t now_ms)
{
	return now_ms >= w->since_ms + PIECES_WAIT_MS;
}

static void let_go(struct pieces *p, uint16_t i)
{
	const uint16_t s = p->at[i].holder;

	ring_remove(p->own, i);
	ring_remove(p->age, i);
	ring_put(p->age, FREE, i);
	has_now(p, s, (uint16_t)(p->holder[s].n - 1));
}

static void drop(struct pieces *p, uint16_t i, struct lost *lost, uint64_t now_ms)
{
	if (is_late(&p->at[i], now_ms))
		lost->late++;
	else
		lost->room++;
	let_go(p, i);
}

/*
 * Who has most gives way, be it the one who comes: so nobody loses a half to others while it has
 * no more than an equal share.
 */
static void make_room(struct pieces *p, uint16_t s, struct lost *lost, uint64_t now_ms)
{
	const uint16_t n = p->holder[s].n, oldest = p->age[WAITING].after;

	if (n >= PIECES_PER_SESSION)
		drop(p, oldest_of(p, s), lost, now_ms);
	else if (!ring_is_empty(p->age, FREE))
		return;
	else if (is_late(&p->at[oldest], now_ms))
		drop(p, oldest, lost, now_ms);
	else
		drop(p, oldest_of(p, n == p->most ? s : p->rank[HAVING(p->most)].before), lost,
			now_ms);
}

static void wait(struct pieces *p, const struct half *h, uint16_t s, uint64_t now_ms)
{
	const uint16_t i = p->age[FREE].after;
	struct waiting_half *w = &p->at[i];

	ring_remove(p->age, i);
	ring_put(p->age, p->age[WAITING].before, i);
	ring_put(p->own, HALVES_OF(s), i);
	has_now(p, s, (uint16_t)(p->holder[s].n + 1));
	w->half = *h;
	w->half.data = w->text;
	w->since_ms = now_ms;
	w->holder = s;
	memcpy(w->text, h->data, h->len);
}

static uint16_t find_other(const struct pieces *p, uint16_t s, const struct half *h)
{
	const uint16_t head = HALVES_OF(s);

	for (uint16_t i = p->own[head].after; i != head; i = p->own[i].after)
		if (match(h, &p->at[i].half))
			return i;
	return NOBODY;
}

static size_t take(
	struct pieces *p, const struct half *h, uint8_t *out, struct lost *lost, uint64_t now_ms)
{
	const uint16_t s = find_holder(p, INDEX_ID(h->index)), other = find_other(p, s, h);
	size_t len;

	if (other == NOBODY) {
		make_room(p, s, lost, now_ms);
		wait(p, h, s, now_ms);
		return 0;
	}
	if (is_late(&p->at[other], now_ms)) {
		drop(p, other, lost, now_ms);
		lost->late++;
		return 0;
	}
	len = join(h, &p->at[other].half, out);
	if (len == 0)
		lost->malformed += 2;
	let_go(p, other);
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
