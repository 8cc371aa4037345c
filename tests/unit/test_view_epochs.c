/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The published view: nothing is freed under a reader's eyes, everything is freed in the end, and
 * once.
 */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "core/node.h"
#include "host/worker/publication.h"
#include "os/thread.h"

#include <cmocka.h>

#define READERS	 3
#define VIEWS	 20000
#define ALIVE	 0x600d600du
#define CONTENTS 16
#define LOOKS	 100   /* of a reader that is there */
#define WAIT_MS	 20000 /* for a reader, at most */

/* Stands for a view; readers look at its contents only. */
struct fake {
	uint32_t word[CONTENTS];
	unsigned *destroyed;
};

static struct fake *fake_create(unsigned *destroyed)
{
	struct fake *f = malloc(sizeof(*f));

	assert_non_null(f);
	for (unsigned i = 0; i < CONTENTS; i++)
		f->word[i] = ALIVE;
	f->destroyed = destroyed;
	return f;
}

static void fake_destroy(void *memory)
{
	struct fake *f = memory;

	for (unsigned i = 0; i < CONTENTS; i++)
		f->word[i] = 0;
	(*f->destroyed)++;
	free(f);
}

static struct retired *retired(struct fake *f)
{
	struct retired *r = malloc(sizeof(*r));

	assert_non_null(r);
	*r = (struct retired){.memory = f, .destroy = fake_destroy};
	return r;
}

static const struct view *as_view(const struct fake *f)
{
	return (const struct view *)f;
}

static void memory_is_kept_while_one_is_inside(unsigned inside, unsigned other)
{
	struct publication p;
	unsigned destroyed = 0;
	struct fake *first = fake_create(&destroyed), *second = fake_create(&destroyed);

	publication_init(&p, 2);
	assert_null(publication_enter(&p, inside));
	publication_leave(&p, inside);
	publication_show(&p, as_view(first));
	assert_ptr_equal(publication_enter(&p, inside), first);

	publication_show(&p, as_view(second));
	publication_retire(&p, retired(first));
	assert_false(publication_reclaim(&p));
	/* Another one that enters now does not hold it up, and does not free it either. */
	assert_ptr_equal(publication_enter(&p, other), second);
	assert_false(publication_reclaim(&p));
	assert_int_equal(destroyed, 0);

	publication_leave(&p, inside);
	assert_true(publication_reclaim(&p));
	assert_int_equal(destroyed, 1);
	publication_leave(&p, other);
	publication_fini(&p);
	assert_int_equal(destroyed, 1);
	fake_destroy(second);
	assert_int_equal(destroyed, 2);
}

static void memory_is_kept_while_a_reader_is_inside(void **state)
{
	(void)state;
	memory_is_kept_while_one_is_inside(0, 1);
	memory_is_kept_while_one_is_inside(1, 0);
}

static void a_reader_that_came_back_is_past(void **state)
{
	struct publication p;
	unsigned destroyed = 0;
	struct fake *first = fake_create(&destroyed), *second = fake_create(&destroyed);

	(void)state;
	publication_init(&p, 1);
	publication_show(&p, as_view(first));
	(void)publication_enter(&p, 0);
	publication_show(&p, as_view(second));
	publication_retire(&p, retired(first));
	publication_leave(&p, 0);
	assert_ptr_equal(publication_enter(&p, 0), second);
	assert_true(publication_reclaim(&p));
	assert_int_equal(destroyed, 1);
	publication_leave(&p, 0);
	publication_retire(&p, retired(second));
	publication_fini(&p);
	assert_int_equal(destroyed, 2);
}

static void an_empty_publication_has_nothing_to_free(void **state)
{
	struct publication p;

	(void)state;
	publication_init(&p, 1);
	assert_true(publication_reclaim(&p));
	publication_retire(&p, NULL);
	(void)publication_enter(&p, 0);
	assert_true(publication_reclaim(&p));
	publication_leave(&p, 0);
	publication_fini(&p);
}

struct reader_thread {
	struct publication *p;
	unsigned number;
	atomic_bool *stop;
	_Atomic uint64_t seen; /* views it looked at */
	uint64_t changes;      /* how often that was another than the one before */
	uint64_t wrong;	       /* words of them that were freed memory's */
};

static void read_on(void *ctx)
{
	struct reader_thread *r = ctx;
	const struct fake *before = NULL;

	while (!atomic_load(r->stop)) {
		const struct fake *f = (const struct fake *)publication_enter(r->p, r->number);

		for (unsigned i = 0; i < CONTENTS; i++)
			r->wrong += f->word[i] != ALIVE;
		r->changes += f != before;
		before = f;
		atomic_fetch_add(&r->seen, 1);
		publication_leave(r->p, r->number);
	}
}

/* Asserts that each reader looks often again within the time given. */
static void wait_for_readers(struct reader_thread *reader)
{
	for (unsigned i = 0; i < READERS; i++) {
		const uint64_t until = atomic_load(&reader[i].seen) + LOOKS;

		for (unsigned ms = 0; atomic_load(&reader[i].seen) < until; ms++) {
			if (ms == WAIT_MS)
				fail_msg("reader %u stands still", i);
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		}
	}
}

/* Frees what is in limbo as soon as the readers are past; asserts that they are in time. */
static void reclaim(struct publication *p)
{
	for (unsigned i = 0; !publication_reclaim(p); i++) {
		if (i == WAIT_MS * 50)
			fail_msg("a reader never passes");
		nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
	}
}

static void readers_never_see_freed_memory(void **state)
{
	struct publication p;
	struct reader_thread reader[READERS];
	struct thread *thread[READERS];
	atomic_bool stop = false;
	unsigned destroyed = 0;
	struct fake *now = fake_create(&destroyed);

	(void)state;
	publication_init(&p, READERS);
	publication_show(&p, as_view(now));
	for (unsigned i = 0; i < READERS; i++) {
		reader[i] = (struct reader_thread){.p = &p, .number = i, .stop = &stop};
		assert_int_equal(thread_start(&thread[i], "reader", read_on, &reader[i]), 0);
	}
	wait_for_readers(reader);
	for (unsigned replaced = 0; replaced < VIEWS; replaced++) {
		struct fake *next = fake_create(&destroyed);

		reclaim(&p);
		assert_int_equal(destroyed, replaced);
		publication_show(&p, as_view(next));
		publication_retire(&p, retired(now));
		now = next;
	}
	wait_for_readers(reader);
	atomic_store(&stop, true);
	for (unsigned i = 0; i < READERS; i++) {
		thread_join(thread[i]);
		assert_int_equal(reader[i].wrong, 0);
		/* The first view and the last one at least, or there was nothing to get wrong. */
		assert_in_range(reader[i].changes, 2, VIEWS + 1);
		assert_in_range(reader[i].seen, 2 * LOOKS, UINT64_MAX);
	}
	/* Nobody is inside any more: the last one retired goes at once. */
	assert_true(publication_reclaim(&p));
	assert_int_equal(destroyed, VIEWS);
	publication_fini(&p);
	assert_int_equal(destroyed, VIEWS);
	fake_destroy(now);
	assert_int_equal(destroyed, VIEWS + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_kept_while_a_reader_is_inside),
		cmocka_unit_test(a_reader_that_came_back_is_past),
		cmocka_unit_test(an_empty_publication_has_nothing_to_free),
		cmocka_unit_test(readers_never_see_freed_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
