/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ring between a worker and the control thread: order, limits, and two threads at once. */
#define _DEFAULT_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "host/worker/queue.h"
#include "os/thread.h"
#include "resident_test.h"

#include <cmocka.h>

#define SIZE  8
#define NOTES 200000u

static void put(struct queue *q, uint32_t index)
{
	struct note *n = queue_next(q);

	assert_non_null(n);
	n->index = index;
	n->len = sizeof(index);
	memcpy(n->data, &index, sizeof(index));
	queue_push(q);
}

static uint32_t take(struct queue *q)
{
	struct note *n = queue_first(q);
	uint32_t copy;

	assert_non_null(n);
	memcpy(&copy, n->data, sizeof(copy));
	assert_int_equal(copy, n->index);
	queue_pop(q);
	return copy;
}

/* Else it grows with each note, until it was gone round once. */
static void test_all_of_it_is_there(void **state)
{
	struct queue q;

	(void)state;
	assert_int_equal(queue_init(&q, 256), 0);
	assert_int_equal(pages_missing(q.notes, 256 * sizeof(*q.notes)), 0);
	queue_fini(&q);
}

static void test_order_and_limits(void **state)
{
	struct queue q;

	(void)state;
	assert_int_equal(queue_init(&q, SIZE), 0);
	assert_null(queue_first(&q));
	for (uint32_t round = 0; round < 5; round++) {
		for (uint32_t i = 0; i < SIZE; i++)
			put(&q, round * 100 + i);
		assert_null(queue_next(&q));
		for (uint32_t i = 0; i < SIZE; i++)
			assert_int_equal(take(&q), round * 100 + i);
		assert_null(queue_first(&q));
		/* The next round starts elsewhere in the ring. */
		put(&q, 7);
		assert_int_equal(take(&q), 7);
	}
	queue_fini(&q);
}

static void test_not_pushed_is_not_there(void **state)
{
	struct queue q;

	(void)state;
	assert_int_equal(queue_init(&q, SIZE), 0);
	queue_next(&q)->index = 1;
	assert_null(queue_first(&q));
	put(&q, 2);
	assert_int_equal(take(&q), 2);
	queue_fini(&q);
}

static void test_filled(void **state)
{
	struct queue q;

	(void)state;
	assert_int_equal(queue_init(&q, SIZE), 0);
	/* Across the end of the ring too. */
	for (uint32_t round = 0; round < SIZE; round++) {
		for (uint32_t i = 0; i < SIZE; i++) {
			assert_int_equal(queue_filled(&q), i);
			assert_non_null(queue_next(&q));
			assert_int_equal(queue_filled(&q), i);
			put(&q, i);
		}
		assert_null(queue_next(&q));
		for (uint32_t i = SIZE; i > 0; i--) {
			assert_int_equal(queue_filled(&q), i);
			take(&q);
		}
		assert_int_equal(queue_filled(&q), 0);
		put(&q, round);
		take(&q);
	}
	queue_fini(&q);
}

static void produce(void *ctx)
{
	struct queue *q = ctx;

	for (uint32_t i = 0; i < NOTES;) {
		struct note *n = queue_next(q);

		if (n == NULL)
			continue;
		n->index = i;
		memcpy(n->data, &i, sizeof(i));
		queue_push(q);
		i++;
	}
}

static void test_two_threads(void **state)
{
	struct thread *t;
	struct queue q;

	(void)state;
	assert_int_equal(queue_init(&q, SIZE), 0);
	assert_int_equal(thread_start(&t, "producer", produce, &q), 0);
	for (uint32_t i = 0; i < NOTES;) {
		if (queue_first(&q) == NULL)
			continue;
		assert_int_equal(take(&q), i);
		i++;
	}
	thread_join(t);
	assert_null(queue_first(&q));
	queue_fini(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_it_is_there),
		cmocka_unit_test(test_order_and_limits),
		cmocka_unit_test(test_not_pushed_is_not_there),
		cmocka_unit_test(test_filled),
		cmocka_unit_test(test_two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
