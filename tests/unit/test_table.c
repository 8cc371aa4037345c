/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables against a plain model; what an edit costs; and what happens without memory. */
#include "core/link/table.h"
#include "crypto/crypto.h"
#include "wire_test.h"

#define KEYS	  3000
#define STEPS	  60000
#define SNAPSHOTS 24
#define PIECE_MAX 16384
#define MANY	  40000

/* What table.c allocates goes through here, by the linker's --wrap. */
static struct {
	size_t largest;
	unsigned n;
	unsigned fail_in; /* the allocation that fails, counted from 1; 0: none */
	bool none;	  /* all fail */
	int live;
} heap;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void __wrap_free(void *p);

static bool heap_gives(size_t size)
{
	if (size > heap.largest)
		heap.largest = size;
	heap.n++;
	if (heap.none || (heap.fail_in > 0 && --heap.fail_in == 0))
		return false;
	heap.live++;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return heap_gives(size) ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return heap_gives(n * size) ? __real_calloc(n, size) : NULL;
}

void __wrap_free(void *p)
{
	heap.live -= p != NULL;
	__real_free(p);
}

/* What was retired, kept to the end so that old snapshots can be looked at. */
struct limbo {
	unsigned n;
	void *memory[100000];
};

static void keep(void *ctx, void *memory, void (*destroy)(void *memory))
{
	struct limbo *l = ctx;

	assert_ptr_equal(destroy, free);
	assert_true(l->n < sizeof(l->memory) / sizeof(l->memory[0]));
	l->memory[l->n++] = memory;
}

static void limbo_free(struct limbo *l)
{
	while (l->n > 0)
		free(l->memory[--l->n]);
}

struct world {
	uint64_t seed;
	struct random rnd;
	struct table_editor e;
	struct limbo limbo;
	uint8_t secret[SIPHASH_KEY_LEN];
	uint64_t key[KEYS];
	void *value[KEYS]; /* the model */
	const struct table *snapshot[SNAPSHOTS];
	void *then[SNAPSHOTS][KEYS]; /* the model when it was taken */
	uint8_t things[KEYS];	     /* what values point at */
};

typedef uint64_t hash_function(const void *ctx, uint64_t key);

static struct world *world_create(hash_function *hash)
{
	struct world *w = __real_calloc(1, sizeof(*w));

	assert_non_null(w);
	memset(&heap, 0, sizeof(heap));
	w->seed = 7;
	w->rnd = seeded_random(&w->seed);
	random_bytes(&w->rnd, w->secret, sizeof(w->secret));
	assert_int_equal(table_editor_init(&w->e, hash, w->secret), 0);
	/* Key 0 is one like others. */
	for (unsigned i = 1; i < KEYS; i++)
		w->key[i] = i % 3 == 0 ? i : random_u64(&w->rnd);
	return w;
}

static void world_destroy(struct world *w)
{
	table_editor_fini(&w->e, NULL, NULL);
	limbo_free(&w->limbo);
	assert_int_equal(heap.live, 0);
	__real_free(w);
}

static uint32_t count_of(void *const value[KEYS])
{
	uint32_t n = 0;

	for (unsigned i = 0; i < KEYS; i++)
		n += value[i] != NULL;
	return n;
}

/* The table holds what the model does, for finding and for walking. */
static void check(const struct world *w, const struct table *t, void *const value[KEYS])
{
	const struct table_entry *entry;
	uint32_t walked = 0;

	assert_int_equal(t->count, count_of(value));
	for (unsigned i = 0; i < KEYS; i++)
		assert_ptr_equal(
			table_find(t, w->e.hash(w->secret, w->key[i]), w->key[i]), value[i]);
	for (uint32_t at = 0; (entry = table_next(t, &at)) != NULL; walked++)
		assert_ptr_equal(
			table_find(t, w->e.hash(w->secret, entry->key), entry->key), entry->value);
	assert_int_equal(walked, t->count);
}

/* Grows to all keys, then shrinks to few, again and again. */
static void step(struct world *w, unsigned n)
{
	unsigned i = random_below(&w->rnd, KEYS);
	bool growing = n / (STEPS / 6) % 2 == 0;

	if (random_below(&w->rnd, 10) < (growing ? 8 : 2)) {
		w->value[i] = &w->things[random_below(&w->rnd, KEYS)];
		assert_int_equal(table_put(&w->e, w->key[i], w->value[i]), 0);
	} else {
		assert_ptr_equal(table_remove(&w->e, w->key[i]), w->value[i]);
		w->value[i] = NULL;
	}
	assert_ptr_equal(table_get(&w->e, w->key[i]), w->value[i]);
	assert_int_equal(w->e.draft->count, count_of(w->value));
}

static void random_steps(hash_function *hash)
{
	struct world *w = world_create(hash);
	unsigned taken = 0;

	for (unsigned n = 0; n < STEPS; n++) {
		step(w, n);
		if (n % 37 == 0) {
			assert_int_equal(table_publish(&w->e, keep, &w->limbo), 0);
			check(w, w->e.draft, w->value);
		}
		if (n % (STEPS / SNAPSHOTS) == 0) {
			assert_int_equal(table_publish(&w->e, keep, &w->limbo), 0);
			w->snapshot[taken] = w->e.shown;
			memcpy(w->then[taken++], w->value, sizeof(w->value));
		}
	}
	assert_int_equal(taken, SNAPSHOTS);
	assert_true(w->e.draft->shift < 63);
	for (unsigned i = 0; i < SNAPSHOTS; i++)
		check(w, w->snapshot[i], w->then[i]);
	world_destroy(w);
}

static void random_steps_leave_old_snapshots_as_they_were(void **state)
{
	(void)state;
	random_steps(table_spread);
	random_steps(table_sip);
}

/* How many slots are looked at in vain. */
static uint32_t probes(const struct table *t, uint64_t hash, uint64_t key)
{
	const struct table_entry *shard = t->shard[hash >> t->shift];

	return 1 + (uint32_t)((table_slot(shard, t->mask, hash, key) - hash) & t->mask);
}

static void fullness(const struct table *t)
{
	for (uint32_t i = 0; i < 1u << (64 - t->shift); i++) {
		uint32_t used = 0;

		for (uint32_t slot = 0; slot <= t->mask; slot++)
			used += t->shard[i][slot].value != NULL;
		assert_in_range(used, 0, (t->mask + 1) * 5 / 8);
	}
}

static void many(hash_function *hash)
{
	struct world *w = world_create(hash);
	uint64_t seed = 3, looked_at = 0;
	struct random rnd = seeded_random(&seed);
	const struct table *t;

	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(table_put(&w->e, random_u64(&rnd), w->things), 0);
	assert_int_equal(table_publish(&w->e, keep, &w->limbo), 0);
	t = w->e.shown;
	assert_int_equal(t->count, MANY);
	assert_in_range(heap.largest, 1, PIECE_MAX);
	fullness(t);

	seed = 3;
	for (unsigned i = 0; i < MANY; i++) {
		uint64_t key = random_u64(&rnd);

		assert_ptr_equal(table_find(t, hash(w->secret, key), key), w->things);
	}
	for (unsigned i = 0; i < MANY; i++) {
		uint64_t key = random_u64(&rnd);

		looked_at += probes(t, hash(w->secret, key), key);
	}
	assert_in_range(looked_at, MANY, 3 * MANY);
	world_destroy(w);
}

static void forty_thousand_fit_in_pieces_of_16_kib(void **state)
{
	(void)state;
	many(table_spread);
	many(table_sip);
}

static void fill(struct world *w)
{
	for (unsigned i = 0; i < KEYS; i++) {
		w->value[i] = &w->things[i];
		assert_int_equal(table_put(&w->e, w->key[i], w->value[i]), 0);
	}
	assert_int_equal(table_publish(&w->e, keep, &w->limbo), 0);
}

static void an_edit_replaces_one_shard_and_the_directory(void **state)
{
	struct world *w = world_create(table_sip);
	const struct table *before, *after;
	unsigned replaced = 0;

	(void)state;
	fill(w);
	before = w->e.shown;
	limbo_free(&w->limbo);
	heap.n = 0;
	/* Many edits of one shard are one copy. */
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(table_put(&w->e, w->key[5], &w->things[i]), 0);
		assert_ptr_equal(table_remove(&w->e, w->key[5]), &w->things[i]);
	}
	assert_int_equal(heap.n, 0);
	assert_int_equal(table_publish(&w->e, keep, &w->limbo), 0);
	after = w->e.shown;
	assert_int_equal(heap.n, 2);
	assert_int_equal(w->limbo.n, 2);
	assert_ptr_equal(w->limbo.memory[1], before);

	assert_int_equal(after->shift, before->shift);
	for (unsigned i = 0; i < 1u << (64 - after->shift); i++) {
		bool again = i > 0 && after->shard[i] == after->shard[i - 1];

		if (after->shard[i] != before->shard[i] && !again) {
			assert_ptr_equal(w->limbo.memory[0], before->shard[i]);
			replaced++;
		}
	}
	assert_int_equal(replaced, 1);

	/* Nothing changed: nothing is made. */
	assert_int_equal(table_put(&w->e, w->key[6], w->value[6]), 0);
	assert_null(table_remove(&w->e, w->key[5]));
	assert_int_equal(table_publish(&w->e, keep, &w->limbo), 0);
	assert_ptr_equal(w->e.shown, after);
	assert_int_equal(heap.n, 2);
	world_destroy(w);
}

static void all_that_was_shown_is_given_away_once(void **state)
{
	struct world *w = world_create(table_sip);
	unsigned shards = 0;

	(void)state;
	fill(w);
	for (unsigned i = 0; i < 1u << (64 - w->e.shown->shift); i++)
		shards += i == 0 || w->e.shown->shard[i] != w->e.shown->shard[i - 1];
	limbo_free(&w->limbo);
	table_editor_fini(&w->e, keep, &w->limbo);
	assert_int_equal(w->limbo.n, shards + 1);
	/* Again, as nothing is left. */
	table_editor_fini(&w->e, keep, &w->limbo);
	assert_int_equal(w->limbo.n, shards + 1);
	world_destroy(w);
}

static void put_without_memory_changes_nothing(void **state)
{
	struct world *w = world_create(table_sip);
	unsigned failed = 0, i = 0;

	(void)state;
	/* Of those to come, first the first allocation fails, then only the second, and so on. */
	for (unsigned nth = 1; i < KEYS; nth = nth % 3 + 1) {
		int rc;

		heap.fail_in = nth;
		rc = table_put(&w->e, w->key[i], &w->things[i]);
		heap.fail_in = 0;
		if (rc == 0) {
			w->value[i] = &w->things[i];
			i++;
			continue;
		}
		assert_int_equal(rc, N2N_ENOMEM);
		check(w, w->e.draft, w->value);
		failed++;
	}
	assert_in_range(failed, 20, KEYS);
	check(w, w->e.draft, w->value);
	world_destroy(w);
}

static void removing_needs_no_memory_and_publishing_waits_for_it(void **state)
{
	struct world *w = world_create(table_sip);
	const struct table *before;

	(void)state;
	fill(w);
	before = w->e.shown;
	memcpy(w->then[0], w->value, sizeof(w->value));
	limbo_free(&w->limbo);
	heap.none = true;
	for (unsigned i = 0; i < KEYS; i += 2) {
		assert_ptr_equal(table_remove(&w->e, w->key[i]), w->value[i]);
		w->value[i] = NULL;
	}
	heap.none = false;
	/* Whichever allocation fails, readers see what they saw, and nothing is given away. */
	for (unsigned nth = 1; nth < 5; nth++) {
		heap.fail_in = nth;
		assert_int_equal(table_publish(&w->e, keep, &w->limbo), N2N_ENOMEM);
		assert_ptr_equal(w->e.shown, before);
		assert_int_equal(w->limbo.n, 0);
		check(w, before, w->then[0]);
		check(w, w->e.draft, w->value);
	}
	heap.fail_in = 0;
	/* Edits go on meanwhile. */
	assert_int_equal(table_put(&w->e, w->key[0], w->things), 0);
	w->value[0] = w->things;
	assert_int_equal(table_publish(&w->e, keep, &w->limbo), 0);
	check(w, w->e.shown, w->value);
	check(w, before, w->then[0]);
	world_destroy(w);
}

static void what_a_failed_publishing_leaves_is_not_lost(void **state)
{
	struct world *w = world_create(table_sip);

	(void)state;
	fill(w);
	for (unsigned i = 0; i < KEYS; i++)
		assert_ptr_equal(table_remove(&w->e, w->key[i]), w->value[i]);
	/* The directory and some shards could be had; then these are split, or given up. */
	heap.fail_in = 8;
	assert_int_equal(table_publish(&w->e, keep, &w->limbo), N2N_ENOMEM);
	for (unsigned i = 0; i < 3 * KEYS; i++)
		assert_int_equal(table_put(&w->e, random_u64(&w->rnd), w->things), 0);
	heap.fail_in = 8;
	assert_int_equal(table_publish(&w->e, keep, &w->limbo), N2N_ENOMEM);
	world_destroy(w);
}

static void an_editor_without_memory_is_not_made(void **state)
{
	struct table_editor e;
	unsigned failed = 0;
	int rc;

	(void)state;
	do {
		memset(&heap, 0, sizeof(heap));
		heap.fail_in = ++failed;
		rc = table_editor_init(&e, table_spread, NULL);
		heap.fail_in = 0;
		assert_true(rc == 0 || heap.live == 0);
	} while (rc == N2N_ENOMEM);
	assert_int_equal(rc, 0);
	assert_int_equal(failed, 6);
	assert_int_equal(e.shown->count, 0);
	table_editor_fini(&e, NULL, NULL);
	assert_int_equal(heap.live, 0);
}

static uint64_t same_hash(const void *ctx, uint64_t key)
{
	(void)ctx;
	(void)key;
	return UINT64_C(0x123456789abcdef0);
}

static void keys_of_one_hash_fill_a_shard_and_not_the_memory(void **state)
{
	struct world *w = world_create(same_hash);
	unsigned n = 0;
	int rc;

	(void)state;
	while ((rc = table_put(&w->e, w->key[n], &w->things[n])) == 0) {
		w->value[n] = &w->things[n];
		n++;
	}
	assert_int_equal(rc, N2N_ENOSPC);
	assert_in_range(n, 200, 255);
	check(w, w->e.draft, w->value);
	assert_in_range(heap.n, 1, 40);

	/* Replacing is possible yet, and adding after a removal. */
	w->value[3] = w->things;
	assert_int_equal(table_put(&w->e, w->key[3], w->things), 0);
	assert_ptr_equal(table_remove(&w->e, w->key[7]), w->value[7]);
	w->value[7] = NULL;
	w->value[n] = w->things;
	assert_int_equal(table_put(&w->e, w->key[n], w->things), 0);
	assert_int_equal(table_put(&w->e, w->key[7], w->things), N2N_ENOSPC);
	assert_int_equal(table_publish(&w->e, keep, &w->limbo), 0);
	check(w, w->e.shown, w->value);
	for (unsigned i = 0; i <= n; i++) {
		assert_ptr_equal(table_remove(&w->e, w->key[i]), w->value[i]);
		w->value[i] = NULL;
		check(w, w->e.draft, w->value);
	}
	world_destroy(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_steps_leave_old_snapshots_as_they_were),
		cmocka_unit_test(forty_thousand_fit_in_pieces_of_16_kib),
		cmocka_unit_test(an_edit_replaces_one_shard_and_the_directory),
		cmocka_unit_test(all_that_was_shown_is_given_away_once),
		cmocka_unit_test(put_without_memory_changes_nothing),
		cmocka_unit_test(removing_needs_no_memory_and_publishing_waits_for_it),
		cmocka_unit_test(what_a_failed_publishing_leaves_is_not_lost),
		cmocka_unit_test(an_editor_without_memory_is_not_made),
		cmocka_unit_test(keys_of_one_hash_fill_a_shard_and_not_the_memory),
	};

	return crypto_start() != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
