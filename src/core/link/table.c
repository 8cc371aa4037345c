/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hash tables with snapshots: extendible hashing over shards that are copied when they changed. */
#include "core/link/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"

#define SLOT_LOG_MIN  3
#define SLOT_LOG_MAX  8	 /* shards of 4 KiB */
#define DIRECTORY_LOG 10 /* at most; of 8 KiB */

/* One for each shard of the draft, at one or more neighbouring places of the directory. */
struct table_part {
	struct table_entry *shown; /* what workers have of it; NULL: nothing yet */
	struct table_entry *copy;  /* memory for what they get next, if any */
	unsigned depth;		   /* how many first bits of the hash its keys have in common */
	uint32_t n;
	bool changed;
	struct table_entry slot[];
};

uint64_t table_sip(const void *ctx, uint64_t key)
{
	uint8_t in[8], out[8];

	store_be64(in, key);
	crypto_siphash64(out, ctx, in, sizeof(in));
	return load_be64(out);
}

static uint64_t hash_of(const struct table_editor *e, uint64_t key)
{
	return e->hash(e->ctx, key);
}

static size_t directory_len(const struct table *t)
{
	return (size_t)1 << (64 - t->shift);
}

/* A directory for the same shards as those of like, shifted like it or by less. */
static struct table *directory_create(const struct table *like, uint8_t shift)
{
	struct table *t = malloc(
		sizeof(*t) + ((size_t)1 << (64 - shift)) * sizeof(const struct table_entry *));

	if (t == NULL)
		return NULL;
	*t = *like;
	t->shift = shift;
	return t;
}

static struct table_part *part_create(unsigned slot_log, unsigned depth)
{
	struct table_part *p =
		calloc(1, sizeof(*p) + ((size_t)1 << slot_log) * sizeof(struct table_entry));

	if (p == NULL)
		return NULL;
	p->depth = depth;
	p->changed = true;
	return p;
}

/* Puts p at its places of the directory, the first of which is given. */
static void place(struct table_editor *e, size_t first, struct table_part *p)
{
	size_t n = directory_len(e->draft) >> p->depth;

	for (size_t i = first; i < first + n; i++) {
		e->part[i] = p;
		e->draft->shard[i] = p->slot;
	}
}

/* Moves the entries of a part, whose place others have taken, to these. */
static void move(struct table_editor *e, struct table_part *old, uint32_t slots)
{
	for (uint32_t i = 0; i < slots; i++) {
		struct table_part *p;
		uint64_t hash;

		if (old->slot[i].value == NULL)
			continue;
		hash = hash_of(e, old->slot[i].key);
		p = e->part[hash >> e->draft->shift];
		p->slot[table_slot(p->slot, e->draft->mask, hash, old->slot[i].key)] = old->slot[i];
		p->n++;
	}
	free(old->copy);
	free(old);
}

/* Doubles the only shard. */
static int widen(struct table_editor *e)
{
	struct table_part *old = e->part[0], *p = part_create(e->draft->slot_log + 1u, 0);
	uint32_t slots = e->draft->mask + 1;

	if (p == NULL)
		return N2N_ENOMEM;
	p->shown = old->shown;
	e->draft->slot_log++;
	e->draft->mask = slots * 2 - 1;
	place(e, 0, p);
	move(e, old, slots);
	return 0;
}

/* Splits the shard at this place, one of several that it has. */
static int split(struct table_editor *e, size_t at)
{
	struct table_part *old = e->part[at];
	struct table_part *low = part_create(e->draft->slot_log, old->depth + 1);
	struct table_part *high = part_create(e->draft->slot_log, old->depth + 1);
	size_t n = directory_len(e->draft) >> old->depth;

	if (low == NULL || high == NULL) {
		free(low);
		free(high);
		return N2N_ENOMEM;
	}
	low->shown = old->shown;
	at &= ~(n - 1);
	place(e, at, low);
	place(e, at + n / 2, high);
	move(e, old, e->draft->mask + 1);
	return 0;
}

/* Doubles the directory. */
static int deepen(struct table_editor *e)
{
	size_t n = directory_len(e->draft);
	struct table *draft = directory_create(e->draft, (uint8_t)(e->draft->shift - 1));
	struct table_part **part = malloc(2 * n * sizeof(struct table_part *));

	if (draft == NULL || part == NULL) {
		free(draft);
		free(part);
		return N2N_ENOMEM;
	}
	for (size_t i = 0; i < 2 * n; i++) {
		part[i] = e->part[i / 2];
		draft->shard[i] = part[i]->slot;
	}
	free(e->draft);
	free(e->part);
	e->draft = draft;
	e->part = part;
	return 0;
}

/*
 * Whether a directory of twice the length is due. One shard is full; if they are not an eighth full
 * on average, then the hash puts too many keys together, and no number of shards would help.
 */
static bool may_deepen(const struct table *t)
{
	size_t slots = directory_len(t) << t->slot_log;

	return t->shift > 64 - DIRECTORY_LOG && t->count >= slots / 8;
}

/*
 * Room for one more of this hash. Growing begins at five eighths, where a search in vain looks at
 * four slots; what cannot grow is filled to seven eighths, which ends every search yet.
 */
static int make_room(struct table_editor *e, uint64_t hash)
{
	for (;;) {
		const struct table *t = e->draft;
		size_t at = hash >> t->shift;
		const struct table_part *p = e->part[at];
		uint32_t slots = t->mask + 1;
		int rc;

		if (p->n < slots / 8 * 5)
			return 0;
		if (t->slot_log < SLOT_LOG_MAX)
			rc = widen(e);
		else if (directory_len(t) >> p->depth > 1)
			rc = split(e, at);
		else if (may_deepen(t))
			rc = deepen(e);
		else
			return p->n < slots / 8 * 7 ? 0 : N2N_ENOSPC;
		if (rc != 0)
			return rc;
	}
}

int table_editor_init(struct table_editor *e, uint64_t (*hash)(const void *ctx, uint64_t key),
	const void *hash_ctx)
{
	static const struct table empty = {
		.mask = (1u << SLOT_LOG_MIN) - 1,
		.slot_log = SLOT_LOG_MIN,
	};
	struct table_part *p = part_create(SLOT_LOG_MIN, 0);

	*e = (struct table_editor){.hash = hash, .ctx = hash_ctx, .changed = true};
	/* Two places for one shard: a shift by 64 is not defined. */
	e->draft = directory_create(&empty, 63);
	e->part = calloc(2, sizeof(struct table_part *));
	if (p == NULL || e->draft == NULL || e->part == NULL) {
		free(p);
		table_editor_fini(e, NULL, NULL);
		return N2N_ENOMEM;
	}
	place(e, 0, p);
	if (table_publish(e, NULL, NULL) == 0)
		return 0;
	table_editor_fini(e, NULL, NULL);
	return N2N_ENOMEM;
}

static void give_away(void *memory, table_retire *retire, void *ctx)
{
	if (memory == NULL)
		return;
	if (retire != NULL)
		retire(ctx, memory, free);
	else
		free(memory);
}

void table_editor_fini(struct table_editor *e, table_retire *retire, void *ctx)
{
	for (size_t i = 0; e->part != NULL && e->part[0] != NULL && i < directory_len(e->draft);) {
		struct table_part *p = e->part[i];

		i += directory_len(e->draft) >> p->depth;
		give_away(p->shown, retire, ctx);
		free(p->copy);
		free(p);
	}
	give_away(e->shown, retire, ctx);
	free(e->part);
	free(e->draft);
	memset(e, 0, sizeof(*e));
}

void *table_get(const struct table_editor *e, uint64_t key)
{
	return table_find(e->draft, hash_of(e, key), key);
}

int table_put(struct table_editor *e, uint64_t key, void *value)
{
	uint64_t hash = hash_of(e, key);
	void *old = table_find(e->draft, hash, key);
	struct table_part *p;

	assert(value != NULL);
	if (old == value)
		return 0;
	if (old == NULL) {
		int rc = make_room(e, hash);

		if (rc != 0)
			return rc;
	}
	p = e->part[hash >> e->draft->shift];
	p->slot[table_slot(p->slot, e->draft->mask, hash, key)] = (struct table_entry){key, value};
	p->n += old == NULL;
	e->draft->count += old == NULL;
	p->changed = e->changed = true;
	return 0;
}

/* Moves up what comes behind an empty slot, as far as it was looked for in vain before. */
static void close_gap(const struct table_editor *e, struct table_entry *slot, size_t gap)
{
	uint32_t mask = e->draft->mask;

	for (size_t i = (gap + 1) & mask; slot[i].value != NULL; i = (i + 1) & mask) {
		size_t home = hash_of(e, slot[i].key) & mask;

		if (((i - home) & mask) < ((i - gap) & mask))
			continue;
		slot[gap] = slot[i];
		gap = i;
	}
	slot[gap] = (struct table_entry){0};
}

void *table_remove(struct table_editor *e, uint64_t key)
{
	uint64_t hash = hash_of(e, key);
	struct table_part *p = e->part[hash >> e->draft->shift];
	size_t i = table_slot(p->slot, e->draft->mask, hash, key);
	void *value = p->slot[i].value;

	if (value == NULL)
		return NULL;
	close_gap(e, p->slot, i);
	p->n--;
	e->draft->count--;
	p->changed = e->changed = true;
	return value;
}

/* Memory for what is to be copied. On failure, what there is waits for the next attempt. */
static int reserve_copies(const struct table_editor *e)
{
	size_t size = (e->draft->mask + (size_t)1) * sizeof(struct table_entry);

	for (size_t i = 0; i < directory_len(e->draft); i++) {
		struct table_part *p = e->part[i];

		if (p->changed && p->copy == NULL && (p->copy = malloc(size)) == NULL)
			return N2N_ENOMEM;
	}
	return 0;
}

int table_publish(struct table_editor *e, table_retire *retire, void *ctx)
{
	struct table *t;

	if (!e->changed)
		return 0;
	t = directory_create(e->draft, e->draft->shift);
	if (t == NULL || reserve_copies(e) != 0) {
		free(t);
		return N2N_ENOMEM;
	}
	for (size_t i = 0; i < directory_len(t); i++) {
		struct table_part *p = e->part[i];

		if (p->changed) {
			give_away(p->shown, retire, ctx);
			memcpy(p->copy, p->slot, (t->mask + (size_t)1) * sizeof(p->slot[0]));
			p->shown = p->copy;
			p->copy = NULL;
			p->changed = false;
		}
		t->shard[i] = p->shown;
	}
	give_away(e->shown, retire, ctx);
	e->shown = t;
	e->changed = false;
	return 0;
}
