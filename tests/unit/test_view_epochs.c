/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The published view: nothing is freed under a reader's eyes, and everything is freed in the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/node.h"
#include "host/loop/publication.h"
#include "os/thread.h"

#include <cmocka.h>

#define READERS	 3
#define VIEWS	 20000
#define ALIVE	 0x600d600du
#define CONTENTS 16

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

static struct retired *retire(struct fake *f)
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

static void test_kept_while_a_reader_is_inside(void **state)
{
	struct publication p;
	unsigned destroyed = 0;
	struct fake *first = fake_create(&destroyed), *second = fake_create(&destroyed);

	(void)state;
	publication_init(&p, 2);
	assert_null(publication_enter(&p, 0));
	publication_leave(&p, 0);
	publication_show(&p, as_view(first));
	assert_ptr_equal(publication_enter(&p, 0), first);

	publication_show(&p, as_view(second));
	publication_retire(&p, retire(first));
	assert_false(publication_reclaim(&p));
	/* Another one that enters now does not hold it up, and does not free it either. */
	assert_ptr_equal(publication_enter(&p, 1), second);
	assert_false(publication_reclaim(&p));
	assert_int_equal(destroyed, 0);

	publication_leave(&p, 0);
	assert_true(publication_reclaim(&p));
	assert_int_equal(destroyed, 1);
	publication_leave(&p, 1);
	publication_fini(&p);
	fake_destroy(second);
}

static void test_a_reader_that_came_back_is_past(void **state)
{
	struct publication p;
	unsigned destroyed = 0;
	struct fake *first = fake_create(&destroyed), *second = fake_create(&destroyed);

	(void)state;
	publication_init(&p, 1);
	publication_show(&p, as_view(first));
	(void)publication_enter(&p, 0);
	publication_show(&p, as_view(second));
	publication_retire(&p, retire(first));
	publication_leave(&p, 0);
	assert_ptr_equal(publication_enter(&p, 0), second);
	assert_true(publication_reclaim(&p));
	assert_int_equal(destroyed, 1);
	publication_leave(&p, 0);
	publication_retire(&p, retire(second));
	publication_fini(&p);
	assert_int_equal(destroyed, 2);
}

static void test_empty(void **state)
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
	uint64_t seen;
	uint64_t wrong;
};

static void read_on(void *ctx)
{
	struct reader_thread *r = ctx;

	while (!atomic_load(r->stop)) {
		const struct fake *f = (const struct fake *)publication_enter(r->p, r->number);

		for (unsigned i = 0; i < CONTENTS; i++)
			r->wrong += f->word[i] != ALIVE;
		r->seen++;
		publication_leave(r->p, r->number);
	}
}

static void test_threads(void **state)
{
	struct publication p;
	struct reader_thread reader[READERS];
	struct thread *thread[READERS];
	atomic_bool stop = false;
	unsigned destroyed = 0, replaced = 0;
	struct fake *now = fake_create(&destroyed);

	(void)state;
	publication_init(&p, READERS);
	publication_show(&p, as_view(now));
	for (unsigned i = 0; i < READERS; i++) {
		reader[i] = (struct reader_thread){.p = &p, .number = i, .stop = &stop};
		assert_int_equal(thread_start(&thread[i], "reader", read_on, &reader[i]), 0);
	}
	while (replaced < VIEWS) {
		struct fake *next;

		if (!publication_reclaim(&p))
			continue;
		next = fake_create(&destroyed);
		publication_show(&p, as_view(next));
		publication_retire(&p, retire(now));
		now = next;
		replaced++;
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < READERS; i++) {
		thread_join(thread[i]);
		assert_int_equal(reader[i].wrong, 0);
	}
	assert_true(publication_reclaim(&p));
	assert_int_equal(destroyed, VIEWS);
	fake_destroy(now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept_while_a_reader_is_inside),
		cmocka_unit_test(test_a_reader_that_came_back_is_past),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
