/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Workers look up in a table that is edited, published and retired under them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/link/table.h"
#include "core/node.h"
#include "host/worker/publication.h"
#include "os/sys.h"
#include "os/thread.h"

#include <cmocka.h>

#define READERS 3
#define LASTING 1000 /* keys that are always there */
#define COMING	3000 /* keys that come and go */
#define MINIMUM 200  /* publications, however slow the machine */
#define EDITS	20   /* to each */
#define LAST_MS 1000
#define ALIVE	UINT64_C(0x600d600d600d600d)

struct thing {
	uint64_t key;
	uint64_t alive;
};

struct writer_side {
	struct publication p;
	struct table_editor e;
	struct retired *retired;
	uint64_t state;
};

struct reader_thread {
	struct writer_side *w;
	unsigned number;
	atomic_bool *stop;
	_Atomic uint64_t seen;
	uint64_t wrong;
};

static void retire_later(void *ctx, void *memory, void (*destroy)(void *memory))
{
	struct writer_side *w = ctx;
	struct retired *r = malloc(sizeof(*r));

	assert_non_null(r);
	*r = (struct retired){w->retired, memory, destroy};
	w->retired = r;
}

static void thing_destroy(void *memory)
{
	struct thing *t = memory;

	t->alive = 0;
	free(t);
}

static struct thing *thing_create(uint64_t key)
{
	struct thing *t = malloc(sizeof(*t));

	assert_non_null(t);
	*t = (struct thing){key, ALIVE};
	return t;
}

static bool is_right(const struct thing *t, uint64_t key)
{
	return t->key == key && t->alive == ALIVE;
}

static void read_once(struct reader_thread *r, const struct table *t)
{
	const struct table_entry *entry;
	uint32_t walked = 0;

	for (uint64_t key = 1; key <= LASTING; key++) {
		const struct thing *thing = table_find(t, table_spread(NULL, key), key);

		r->wrong += thing == NULL || !is_right(thing, key);
	}
	for (uint64_t key = LASTING + 1; key <= LASTING + COMING; key++) {
		const struct thing *thing = table_find(t, table_spread(NULL, key), key);

		r->wrong += thing != NULL && !is_right(thing, key);
	}
	for (uint32_t at = 0; (entry = table_next(t, &at)) != NULL; walked++)
		r->wrong += !is_right(entry->value, entry->key);
	r->wrong += walked != t->count;
}

static void read_on(void *ctx)
{
	struct reader_thread *r = ctx;

	while (!atomic_load(r->stop)) {
		read_once(r, (const struct table *)publication_enter(&r->w->p, r->number));
		publication_leave(&r->w->p, r->number);
		atomic_fetch_add(&r->seen, 1);
	}
}

static void show(struct writer_side *w)
{
	assert_int_equal(table_publish(&w->e, retire_later, w), 0);
	publication_show(&w->p, (const struct view *)w->e.shown);
	publication_retire(&w->p, w->retired);
	w->retired = NULL;
}

static uint64_t next_random(struct writer_side *w)
{
	w->state = w->state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return w->state >> 33;
}

/* Comes, goes, or is exchanged for another; lasting ones are exchanged. */
static void edit(struct writer_side *w)
{
	uint64_t key = 1 + next_random(w) % (LASTING + COMING);
	void *old = table_get(&w->e, key);

	if (old != NULL && key > LASTING && next_random(w) % 2 == 0)
		assert_ptr_equal(table_remove(&w->e, key), old);
	else
		assert_int_equal(table_put(&w->e, key, thing_create(key)), 0);
	if (old != NULL)
		retire_later(w, old, thing_destroy);
}

static void start(struct writer_side *w)
{
	*w = (struct writer_side){.state = 1};
	publication_init(&w->p, READERS);
	assert_int_equal(table_editor_init(&w->e, table_spread, NULL), 0);
	for (uint64_t key = 1; key <= LASTING; key++)
		assert_int_equal(table_put(&w->e, key, thing_create(key)), 0);
	show(w);
	assert_true(publication_reclaim(&w->p));
}

static void finish(struct writer_side *w)
{
	const struct table_entry *entry;

	for (uint32_t at = 0; (entry = table_next(w->e.draft, &at)) != NULL;)
		thing_destroy(entry->value);
	retired_destroy(w->retired);
	publication_fini(&w->p);
	table_editor_fini(&w->e, NULL, NULL);
}

static void readers_find_what_is_there_while_it_is_edited(void **state)
{
	struct writer_side w;
	struct reader_thread reader[READERS];
	struct thread *thread[READERS];
	atomic_bool stop = false;
	unsigned shown = 0;
	uint64_t end;

	(void)state;
	start(&w);
	for (unsigned i = 0; i < READERS; i++) {
		reader[i] = (struct reader_thread){.w = &w, .number = i, .stop = &stop};
		assert_int_equal(thread_start(&thread[i], "reader", read_on, &reader[i]), 0);
	}
	end = sys_now_ms() + LAST_MS;
	while (shown < MINIMUM || sys_now_ms() < end) {
		if (!publication_reclaim(&w.p)) {
			thread_yield();
			continue;
		}
		for (unsigned i = 0; i < EDITS; i++)
			edit(&w);
		show(&w);
		shown++;
	}
	for (unsigned i = 0; i < READERS; i++)
		while (atomic_load(&reader[i].seen) == 0)
			thread_yield();
	atomic_store(&stop, true);
	for (unsigned i = 0; i < READERS; i++) {
		thread_join(thread[i]);
		assert_int_equal(reader[i].wrong, 0);
	}
	assert_true(publication_reclaim(&w.p));
	finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_find_what_is_there_while_it_is_edited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
