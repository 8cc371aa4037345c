/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames that wait: a bounded pool, a bounded share of it for each, oldest first, not for ever. */
#include "core/session/waiting.h"
#include "wire_test.h"

#define NOW_MS	 5000u
#define SESSIONS (WAITING_MAX / WAITING_PER_SESSION)

struct fixture {
	struct waiting_pool pool;
	struct waiting_list list[SESSIONS + 1];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(waiting_pool_init(&f->pool), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	waiting_pool_fini(&f->pool);
	free(f);
	return 0;
}

/* A frame full of its number. */
static bool add(struct fixture *f, unsigned list, uint8_t number, size_t len, uint64_t now_ms)
{
	uint8_t data[FRAME_MAX + 1];
	const struct frame frame = {.data = data, .len = len};
	bool added;

	memset(data, number, sizeof(data));
	added = waiting_add(&f->pool, &f->list[list], &frame, now_ms);
	memset(data, 0xee, sizeof(data)); /* it is a copy */
	return added;
}

static void check_first(struct fixture *f, unsigned list, uint8_t number, size_t len)
{
	const struct waiting *w = f->list[list].first;
	uint8_t want[FRAME_MAX];

	assert_non_null(w);
	memset(want, number, sizeof(want));
	assert_int_equal(w->len, len);
	assert_memory_equal(w->slot + SLOT_HEADROOM, want, len);
	waiting_pop(&f->pool, &f->list[list]);
}

static void frames_come_out_as_they_went_in(void **state)
{
	struct fixture *f = *state;

	for (unsigned round = 0; round < 3; round++) {
		for (uint8_t i = 0; i < WAITING_PER_SESSION; i++) {
			assert_true(add(f, 0, i, FRAME_MAX - i, NOW_MS));
			assert_true(add(f, 1, (uint8_t)(100 + i), FRAME_MIN + i, NOW_MS));
		}
		assert_int_equal(f->pool.n, 2 * WAITING_PER_SESSION);
		for (uint8_t i = 0; i < WAITING_PER_SESSION; i++) {
			assert_int_equal(f->list[0].n, WAITING_PER_SESSION - i);
			check_first(f, 0, i, FRAME_MAX - i);
			check_first(f, 1, (uint8_t)(100 + i), FRAME_MIN + i);
		}
		assert_null(f->list[0].first);
		assert_int_equal(f->list[0].n, 0);
		assert_int_equal(f->pool.n, 0);
	}
}

static void a_frame_too_long_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_false(add(f, 0, 1, FRAME_MAX + 1, NOW_MS));
	assert_int_equal(f->pool.n, 0);
	assert_null(f->list[0].first);
	assert_true(add(f, 0, 1, FRAME_MAX, NOW_MS));
}

static void nobody_has_more_than_a_share(void **state)
{
	struct fixture *f = *state;

	for (uint8_t i = 0; i < WAITING_PER_SESSION; i++)
		assert_true(add(f, 0, i, 60, NOW_MS));
	assert_false(add(f, 0, 99, 60, NOW_MS));
	assert_true(add(f, 1, 1, 60, NOW_MS));
	check_first(f, 0, 0, 60);
	assert_true(add(f, 0, 98, 60, NOW_MS));
	assert_int_equal(f->list[0].n, WAITING_PER_SESSION);
}

static void the_pool_ends_and_what_is_given_back_serves_again(void **state)
{
	struct fixture *f = *state;

	for (unsigned list = 0; list < SESSIONS; list++)
		for (uint8_t i = 0; i < WAITING_PER_SESSION; i++)
			assert_true(add(f, list, i, 60, NOW_MS));
	assert_int_equal(f->pool.n, WAITING_MAX);
	assert_false(add(f, SESSIONS, 1, 60, NOW_MS));
	waiting_clear(&f->pool, &f->list[3]);
	assert_int_equal(f->pool.n, WAITING_MAX - WAITING_PER_SESSION);
	assert_int_equal(f->list[3].n, 0);
	for (uint8_t i = 0; i < WAITING_PER_SESSION; i++)
		assert_true(add(f, SESSIONS, i, 60, NOW_MS));
	assert_false(add(f, 3, 1, 60, NOW_MS));
	/* Nobody else's are touched. */
	for (unsigned list = 0; list <= SESSIONS; list++)
		for (uint8_t i = 0; list != 3 && i < WAITING_PER_SESSION; i++)
			check_first(f, list, i, 60);
	assert_int_equal(f->pool.n, 0);
	waiting_clear(&f->pool, &f->list[3]);
}

static void each_waits_five_seconds(void **state)
{
	struct fixture *f = *state;

	for (uint8_t i = 0; i < 5; i++)
		assert_true(add(f, 0, i, 60, NOW_MS + i * 100));
	assert_int_equal(waiting_expire(&f->pool, &f->list[0], NOW_MS + WAITING_MS - 1), 0);
	assert_int_equal(waiting_expire(&f->pool, &f->list[0], NOW_MS + WAITING_MS), 1);
	assert_int_equal(waiting_expire(&f->pool, &f->list[0], NOW_MS + WAITING_MS + 250), 2);
	assert_int_equal(f->list[0].n, 2);
	assert_int_equal(f->pool.n, 2);
	check_first(f, 0, 3, 60);
	assert_int_equal(waiting_expire(&f->pool, &f->list[0], UINT64_MAX), 1);
	assert_int_equal(waiting_expire(&f->pool, &f->list[0], UINT64_MAX), 0);
	assert_int_equal(waiting_expire(&f->pool, &f->list[1], UINT64_MAX), 0);
	assert_int_equal(f->pool.n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_come_out_as_they_went_in),
		TEST(a_frame_too_long_is_refused),
		TEST(nobody_has_more_than_a_share),
		TEST(the_pool_ends_and_what_is_given_back_serves_again),
		TEST(each_waits_five_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
