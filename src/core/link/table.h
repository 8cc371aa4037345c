/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hash tables from 64-bit keys to pointers, which the control thread edits and workers read in
 * immutable snapshots, without locks.
 *
 * A snapshot is a directory of pointers to shards: the first bits of a key's hash choose the shard,
 * the last bits the slot where probing begins. Shards double up to 4 KiB; from then on one that
 * gets too full is split in two by the next bit of the hash, and the directory doubles when one of
 * its shards is split that filled a single place of it. So no step of growing touches more than one
 * shard and the directory, which at 40,000 entries are about equally large: a change costs the
 * least. Nothing shrinks.
 *
 * The editor keeps shards of its own and, for each, the one that workers have. It marks those that
 * it changes; publishing copies these, once each, and shares all others with the snapshot before.
 * Since its own shards are ordinary memory, removing needs none, and the control thread finds and
 * walks what is not published yet as well: it needs no second index.
 *
 * Values are borrowed. One that was removed or replaced may be found by workers until the snapshot
 * that lacks it was published and all of them have passed a point of rest: retire it, as what
 * table_publish hands out, after the table is shown.
 */
#ifndef N2N_CORE_LINK_TABLE_H
#define N2N_CORE_LINK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct table_entry {
	uint64_t key; /* any, 0 as well */
	void *value;  /* NULL: an empty slot */
};

/* Immutable once workers have it. Any thread. */
struct table {
	uint32_t count;	  /* of entries */
	uint32_t mask;	  /* slots of a shard, less one */
	uint8_t slot_log; /* their binary logarithm */
	uint8_t shift;	  /* 64 less the binary logarithm of the directory's length; at most 63 */
	const struct table_entry *shard[]; /* neighbours may be the same */
};

/*
 * Hash functions for both sides; ctx is what the editor was given.
 * For keys that are random or numbers of ours, and no stranger's choice.
 */
static inline uint64_t table_spread(const void *ctx, uint64_t key)
{
	(void)ctx;
	return key * UINT64_C(0x9e3779b97f4a7c15);
}

/* For keys that strangers choose: SipHash; ctx is a secret of SIPHASH_KEY_LEN random bytes. */
uint64_t table_sip(const void *ctx, uint64_t key);

/* The slot that holds the key, or the empty one where it would go: no shard is ever full. */
static inline size_t table_slot(
	const struct table_entry *shard, uint32_t mask, uint64_t hash, uint64_t key)
{
	size_t i = hash & mask;

	while (shard[i].key != key && shard[i].value != NULL)
		i = (i + 1) & mask;
	return i;
}

/* The key's value, or NULL; hash: of the key, by the editor's function. */
static inline void *table_find(const struct table *t, uint64_t hash, uint64_t key)
{
	const struct table_entry *shard = t->shard[hash >> t->shift];

	return shard[table_slot(shard, t->mask, hash, key)].value;
}

/*
 * Walks all entries, each once, in an order that is the same for the same snapshot:
 *	for (uint32_t at = 0; (e = table_next(t, &at)) != NULL;)
 */
static inline const struct table_entry *table_next(const struct table *t, uint32_t *at)
{
	uint32_t end = (uint32_t)1 << (64 - t->shift + t->slot_log);

	for (uint32_t i = *at; i < end; i++) {
		uint32_t n = i >> t->slot_log;

		if (n > 0 && t->shard[n] == t->shard[n - 1]) {
			i |= t->mask;
		} else if (t->shard[n][i & t->mask].value != NULL) {
			*at = i + 1;
			return &t->shard[n][i & t->mask];
		}
	}
	*at = end;
	return NULL;
}

struct table_part; /* the editor's side of a shard, table.c */

/* The control thread's. All memory of it is owned. */
struct table_editor {
	uint64_t (*hash)(const void *ctx, uint64_t key);
	const void *ctx;
	struct table *draft;	  /* all changes made; for the control thread to find and walk */
	struct table_part **part; /* of each place of the draft's directory */
	struct table *shown;	  /* as last published; empty at first, never NULL */
	bool changed;		  /* since then */
};

/* How memory that workers may look at is given away, to be destroyed after a grace period. */
typedef void table_retire(void *ctx, void *memory, void (*destroy)(void *memory));

/* hash_ctx is borrowed. N2N_ENOMEM; table_editor_fini is then not needed, but does no harm. */
MUST_CHECK int table_editor_init(struct table_editor *e,
	uint64_t (*hash)(const void *ctx, uint64_t key), const void *hash_ctx);
/*
 * Hands the last snapshot to retire, or, if that is NULL, frees it: then no worker may have it any
 * more. Accepts a zeroed editor.
 */
void table_editor_fini(struct table_editor *e, table_retire *retire, void *ctx);

/*
 * Adds an entry or replaces its value, which is not NULL. Else the table is as before: N2N_ENOMEM,
 * or N2N_ENOSPC when there are too many entries (beyond 150,000) or the hash does not spread them.
 */
MUST_CHECK int table_put(struct table_editor *e, uint64_t key, void *value);
/* The value that the key had, or NULL: nothing to remove. Allocates nothing. */
void *table_remove(struct table_editor *e, uint64_t key);
/* The key's value in the draft, published or not, or NULL. */
void *table_get(const struct table_editor *e, uint64_t key);

/*
 * Makes a snapshot of the draft, e->shown, if there are changes, and gives away what of the one
 * before is not part of it. N2N_ENOMEM: it is as if not called; call again. The caller lets workers
 * see e->shown before what was retired can be destroyed.
 */
MUST_CHECK int table_publish(struct table_editor *e, table_retire *retire, void *ctx);

#endif
