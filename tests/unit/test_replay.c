/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The replay window against a plain list of what was accepted. */
#include <stdatomic.h>
#include <threads.h>

#include "core/keys/replay.h"
#include "wire_test.h"

#define WORDS	4
#define WINDOW	(64 * (WORDS - 1))
#define HISTORY 20000

struct fixture {
	struct replay r;
	uint64_t bits[WORDS];
};

static void init(struct fixture *f)
{
	memset(f->bits, 0xff, sizeof(f->bits));
	replay_init(&f->r, f->bits, WORDS);
}

static void takes_each_counter_once(void **state)
{
	struct fixture f;

	(void)state;
	init(&f);
	for (uint64_t i = 0; i < 5 * 64 * WORDS; i++) {
		assert_false(replay_seen(&f.r, i));
		assert_true(replay_accept(&f.r, i));
		assert_true(replay_seen(&f.r, i));
		assert_false(replay_accept(&f.r, i));
	}
}

/* Wherever the highest counter is in its word, WINDOW counters below it can be told apart. */
static void reaches_back_as_promised(void **state)
{
	struct fixture f;

	(void)state;
	for (uint64_t high = 1000; high < 1000 + 64 * WORDS; high++) {
		init(&f);
		assert_true(replay_accept(&f.r, high));
		for (uint64_t back = 1; back <= WINDOW; back++)
			assert_false(replay_seen(&f.r, high - back));
		assert_true(replay_accept(&f.r, high - WINDOW));
		assert_false(replay_accept(&f.r, high - WINDOW));
		for (uint64_t back = 64 * WORDS; back <= high; back++)
			assert_true(replay_seen(&f.r, high - back));
	}
}

/* What is below the floor was never seen here, and is never taken. */
static void begins_at_a_floor(void **state)
{
	struct fixture f;

	(void)state;
	for (uint64_t floor = 0; floor < 64 * WORDS * 3; floor++) {
		init(&f);
		replay_begin_at(&f.r, floor);
		for (uint64_t i = 0; i < floor; i++)
			assert_false(replay_accept(&f.r, i));
		for (uint64_t i = floor + 70; i-- > floor;)
			assert_true(replay_accept(&f.r, i));
		for (uint64_t i = 0; i < floor + 70; i++)
			assert_false(replay_accept(&f.r, i));
		assert_true(replay_accept(&f.r, floor + 1000));
	}
}

static void jumps_leave_nothing_behind(void **state)
{
	static const uint64_t jumps[] = {1, 63, 64, 65, WINDOW - 1, WINDOW, WINDOW + 1,
		64 * WORDS - 1, 64 * WORDS, 64 * WORDS + 1, 1000003};
	struct fixture f;

	(void)state;
	for (size_t j = 0; j < sizeof(jumps) / sizeof(jumps[0]); j++) {
		uint64_t high = 777 + jumps[j];

		init(&f);
		for (uint64_t i = 0; i <= 777; i++)
			assert_true(replay_accept(&f.r, i));
		assert_true(replay_accept(&f.r, high));
		for (uint64_t i = 778; i < high; i++)
			if (high - i <= WINDOW)
				assert_true(replay_accept(&f.r, i));
		for (uint64_t i = 0; i <= high; i++)
			if (i <= 777 || high - i <= WINDOW)
				assert_false(replay_accept(&f.r, i));
	}
}

static void ends_of_the_range(void **state)
{
	struct fixture f;

	(void)state;
	init(&f);
	assert_true(replay_accept(&f.r, (1u << 28) - 1));
	assert_true(replay_seen(&f.r, 0));
	assert_true(replay_accept(&f.r, (1u << 28) - 2));
	assert_true(replay_accept(&f.r, UINT32_MAX));
	assert_false(replay_accept(&f.r, UINT32_MAX));
	assert_true(replay_seen(&f.r, (1u << 28) - 2));
}

/* It clears one ring of words at most, or a packet could hold us up for years. */
static void the_farthest_jump_takes_no_time(void **state)
{
	struct fixture f;

	(void)state;
	init(&f);
	assert_true(replay_accept(&f.r, 5));
	assert_true(replay_accept(&f.r, UINT64_MAX - 1));
	assert_false(replay_accept(&f.r, UINT64_MAX - 1));
	assert_true(replay_seen(&f.r, 5));
	assert_true(replay_accept(&f.r, UINT64_MAX - 2));
}

struct visitor {
	struct replay *r;
	atomic_bool arrived, inside;
};

static int visit(void *arg)
{
	struct visitor *v = arg;

	atomic_store(&v->arrived, true);
	replay_lock(v->r);
	atomic_store(&v->inside, true);
	replay_unlock(v->r);
	return 0;
}

static void a_lock_that_is_held_keeps_others_out(void **state)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	struct fixture f;
	struct visitor v = {.r = &f.r};
	thrd_t thread;

	(void)state;
	init(&f);
	replay_lock(&f.r);
	assert_int_equal(thrd_create(&thread, visit, &v), thrd_success);
	while (!atomic_load(&v.arrived))
		thrd_sleep(&moment, NULL);
	for (unsigned i = 0; i < 20; i++) {
		thrd_sleep(&moment, NULL);
		assert_false(atomic_load(&v.inside));
	}
	replay_unlock(&f.r);
	assert_int_equal(thrd_join(thread, NULL), thrd_success);
	assert_true(atomic_load(&v.inside));
}

/* Random walks: in the window exactly what was accepted is refused; nothing is taken twice. */
static void walks_like_a_list(void **state)
{
	static uint8_t accepted[HISTORY];
	uint64_t seed = 42;
	const struct random rnd = seeded_random(&seed);

	(void)state;
	for (unsigned walk = 0; walk < 20; walk++) {
		uint32_t spread = 1 + random_below(&rnd, 3 * WINDOW);
		uint64_t high = 0, base = 0;
		struct fixture f;

		init(&f);
		memset(accepted, 0, sizeof(accepted));
		while (base + spread < HISTORY) {
			uint64_t c = base + random_below(&rnd, spread);
			bool fresh = replay_accept(&f.r, c);

			if (accepted[c])
				assert_false(fresh);
			else if (c + WINDOW >= high)
				assert_true(fresh);
			accepted[c] |= fresh;
			if (fresh && c > high)
				high = c;
			base += random_below(&rnd, 8) == 0 ? random_below(&rnd, 64) : 0;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_each_counter_once),
		cmocka_unit_test(reaches_back_as_promised),
		cmocka_unit_test(begins_at_a_floor),
		cmocka_unit_test(jumps_leave_nothing_behind),
		cmocka_unit_test(ends_of_the_range),
		cmocka_unit_test(the_farthest_jump_takes_no_time),
		cmocka_unit_test(a_lock_that_is_held_keeps_others_out),
		cmocka_unit_test(walks_like_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
