/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Halves that wait for each other: what joins, what never does, and who gives way to whom. */
#include "core/data/pieces.h"
#include "wire_test.h"

#define NOW_MS	      5000u
#define LEN	      901 /* of most frames here: halves of 451 and 450 */
#define FILLERS	      (PIECES_MAX / PIECES_PER_SESSION) /* sessions that fill the pool */
#define QUIET	      (4 * 5000)			/* of another one */
#define BURST	      24
#define SHARE(others) (PIECES_MAX / ((uint32_t)(others) + 1))

struct fixture {
	struct pieces *pool;
	struct drops drops;
	uint8_t out[FRAME_MAX];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->pool = pieces_create();
	assert_non_null(f->pool);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pieces_destroy(f->pool);
	free(f);
	return 0;
}

/* A frame that is told by its index and first counter. */
static void fill(uint8_t *frame, size_t len, uint32_t index, uint32_t first)
{
	uint64_t seed = (uint64_t)index << 32 | first;

	seeded_fill(&seed, frame, len);
}

static size_t take_half(struct fixture *f, uint32_t index, uint32_t first, enum frame_piece piece,
	size_t len, uint64_t now_ms)
{
	const size_t cut = (len + 1) / 2;
	const bool last = piece == PIECE_LAST;
	uint8_t frame[FRAME_MAX];
	struct half h = {.index = index,
		.counter = first + last,
		.piece = (uint8_t)piece,
		.len = last ? len - cut : cut};
	uint8_t *exact;

	fill(frame, len, index, first);
	exact = exact_copy(frame + (last ? cut : 0), h.len);
	h.data = exact;
	len = pieces_take(f->pool, &h, f->out, &f->drops, now_ms);
	free(exact);
	return len;
}

static bool waits(struct fixture *f, uint32_t index, uint32_t first, uint64_t now_ms)
{
	return take_half(f, index, first, PIECE_FIRST, LEN, now_ms) == 0;
}

static bool joins(struct fixture *f, uint32_t index, uint32_t first, uint64_t now_ms)
{
	uint8_t want[FRAME_MAX];
	size_t len = take_half(f, index, first, PIECE_LAST, LEN, now_ms);

	if (len == 0)
		return false;
	fill(want, LEN, index, first);
	assert_int_equal(len, LEN);
	assert_memory_equal(f->out, want, LEN);
	return true;
}

static uint64_t all_drops(const struct fixture *f)
{
	uint64_t all = 0;

	for (enum drop d = 0; d < DROP_COUNT; d++)
		all += drops_get(&f->drops, d);
	return all;
}

static void assert_drops(const struct fixture *f, enum drop why, uint64_t n)
{
	assert_int_equal(drops_get(&f->drops, why), n);
	assert_int_equal(all_drops(f), n);
}

static void halves_join_whichever_comes_first(void **state)
{
	struct fixture *f = *state;
	uint8_t want[FRAME_MAX];

	for (size_t len = FRAME_MIN; len <= FRAME_MAX; len++) {
		uint32_t first = (uint32_t)len * 2;
		enum frame_piece one = len % 3 != 0 ? PIECE_FIRST : PIECE_LAST;
		enum frame_piece other = PIECE_FIRST + PIECE_LAST - one;

		assert_int_equal(take_half(f, 4, first, one, len, NOW_MS), 0);
		assert_int_equal(take_half(f, 4, first, other, len, NOW_MS), len);
		fill(want, len, 4, first);
		assert_memory_equal(f->out, want, len);
	}
	pieces_sweep(f->pool, &f->drops, UINT64_MAX / 2);
	assert_int_equal(all_drops(f), 0);
}

/* Another key set of the same session, another session, another place in the order. */
static void only_what_belongs_together_joins(void **state)
{
	struct fixture *f = *state;

	assert_true(waits(f, 4, 100, NOW_MS));
	assert_false(joins(f, 5, 100, NOW_MS));
	assert_false(joins(f, 8, 100, NOW_MS));
	assert_false(joins(f, 4, 99, NOW_MS));
	assert_false(joins(f, 4, 101, NOW_MS));
	assert_int_equal(take_half(f, 4, 101, PIECE_FIRST, LEN, NOW_MS), LEN);
	assert_true(joins(f, 4, 100, NOW_MS));
	assert_int_equal(all_drops(f), 0);
}

static void half_again(struct fixture *f, uint32_t counter, enum frame_piece piece, size_t len,
	bool csum_unset, size_t want)
{
	uint8_t data[HALF_MAX] = {0};
	const struct half h = {
		.index = 4,
		.counter = counter,
		.piece = (uint8_t)piece,
		.csum_unset = csum_unset,
		.data = data,
		.len = len,
	};

	assert_int_equal(pieces_take(f->pool, &h, f->out, &f->drops, NOW_MS), want);
}

/* What no sender cuts so is no frame, and neither half is kept. */
static void halves_that_do_not_fit_are_dropped(void **state)
{
	static const struct {
		size_t first, last;
		bool first_unset, last_unset, fits;
	} pairs[] = {
		{HALF_MAX, HALF_MAX, false, false, true},
		{HALF_MAX, HALF_MAX - 1, true, true, true},
		{HALF_MAX - 1, HALF_MAX, false, false, false},
		{HALF_MAX, HALF_MAX - 2, false, false, false},
		{HALF_MIN, HALF_MAX, false, false, false},
		{HALF_MAX, HALF_MIN, false, false, false},
		{400, 400, true, false, false},
		{400, 400, false, true, false},
	};
	struct fixture *f = *state;
	uint64_t bad = 0;

	for (uint32_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		size_t len = pairs[i].fits ? pairs[i].first + pairs[i].last : 0;

		half_again(f, 10 * i, PIECE_FIRST, pairs[i].first, pairs[i].first_unset, 0);
		half_again(f, 10 * i + 1, PIECE_LAST, pairs[i].last, pairs[i].last_unset, len);
		bad += pairs[i].fits ? 0 : 2;
		assert_drops(f, DROP_MALFORMED, bad);
	}
	pieces_sweep(f->pool, &f->drops, UINT64_MAX / 2);
	assert_drops(f, DROP_MALFORMED, bad);
}

static void a_half_waits_two_seconds(void **state)
{
	struct fixture *f = *state;

	assert_true(waits(f, 4, 0, NOW_MS));
	assert_true(joins(f, 4, 0, NOW_MS + PIECES_WAIT_MS - 1));
	assert_true(waits(f, 4, 2, NOW_MS));
	assert_false(joins(f, 4, 2, NOW_MS + PIECES_WAIT_MS));
	assert_drops(f, DROP_PIECE_LATE, 2);
}

/* Though nothing comes any more, what waited in vain is counted. */
static void the_sweep_counts_what_waited_in_vain(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < 3 * PIECES_PER_SESSION; i++)
		assert_true(waits(f, 4 * (i / PIECES_PER_SESSION), 2 * i, NOW_MS + i));
	pieces_sweep(f->pool, &f->drops, NOW_MS + PIECES_WAIT_MS - 1);
	assert_int_equal(all_drops(f), 0);
	pieces_sweep(f->pool, &f->drops, NOW_MS + PIECES_WAIT_MS + 99);
	assert_drops(f, DROP_PIECE_LATE, 100);
	pieces_sweep(f->pool, &f->drops, NOW_MS + 2 * PIECES_WAIT_MS);
	assert_drops(f, DROP_PIECE_LATE, 3 * PIECES_PER_SESSION);
	pieces_sweep(f->pool, &f->drops, NOW_MS + 3 * PIECES_WAIT_MS);
	assert_drops(f, DROP_PIECE_LATE, 3 * PIECES_PER_SESSION);
}

/* All key sets of a session share its bound, and its oldest gives way: the newest has most hope. */
static void a_session_has_room_for_so_many(void **state)
{
	struct fixture *f = *state;

	assert_true(waits(f, 4004, 0, NOW_MS));
	for (uint32_t i = 0; i < PIECES_PER_SESSION; i++)
		assert_true(waits(f, 4 + i % 4, 2 * i, NOW_MS));
	assert_int_equal(all_drops(f), 0);
	assert_true(waits(f, 4, 1000, NOW_MS));
	assert_drops(f, DROP_PIECE_ROOM, 1);
	assert_false(joins(f, 4, 0, NOW_MS)); /* it had to go, and now the next has */
	assert_drops(f, DROP_PIECE_ROOM, 2);
	for (uint32_t i = 2; i < PIECES_PER_SESSION; i++)
		assert_true(joins(f, 4 + i % 4, 2 * i, NOW_MS));
	assert_true(joins(f, 4, 1000, NOW_MS));
	assert_true(joins(f, 4004, 0, NOW_MS));
	assert_drops(f, DROP_PIECE_ROOM, 2);
}

/* Sixteen sessions fill all that there is, again and again, and one more has its share all along.
 */
static void who_fills_the_pool_harms_no_other(void **state)
{
	struct fixture *f = *state;

	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < PIECES_PER_SESSION; i++)
			for (uint32_t s = 0; s < FILLERS; s++)
				assert_true(waits(f, 4 * s, 1000 * round + 2 * i, NOW_MS));
		if (round == 0) {
			assert_int_equal(all_drops(f), 0);
			for (uint32_t i = 0; i < SHARE(FILLERS); i++)
				assert_true(waits(f, QUIET, 2 * i, NOW_MS));
		}
	}
	for (uint32_t i = 0; i < SHARE(FILLERS); i++)
		assert_true(joins(f, QUIET, 2 * i, NOW_MS));
	assert_int_equal(drops_get(&f->drops, DROP_PIECE_ROOM), all_drops(f));
}

/* As two paths reorder: all first halves of a burst, then all last ones, while others fill up. */
static void bursts_in_disorder_pass_a_full_pool(void **state)
{
	struct fixture *f = *state;
	uint32_t single = 1000;

	for (uint32_t i = 0; i < PIECES_MAX; i++)
		assert_true(waits(f, 4 * (i % FILLERS), 2 * i, NOW_MS));
	for (uint32_t first = 0; first < 100 * 2 * BURST; first += 2 * BURST) {
		for (uint32_t i = 0; i < BURST; i++) {
			assert_true(waits(f, QUIET, first + 2 * i, NOW_MS));
			assert_true(waits(f, 4 * (i % FILLERS), single += 2, NOW_MS));
		}
		for (uint32_t i = 0; i < BURST; i++) {
			assert_true(joins(f, QUIET, first + 2 * i, NOW_MS));
			assert_true(waits(f, 4 * (i % FILLERS), single += 2, NOW_MS));
		}
	}
}

/* However many others there are, how much they send, and how unequally. */
static void a_session_keeps_an_equal_share(void **state)
{
	static const uint32_t others[] = {1, 17, 40, 80, 200, 511, 1023};
	struct fixture *f = *state;
	uint64_t seed = 5;
	const struct random rnd = seeded_random(&seed);
	uint32_t single = 0, first = 0;

	for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++) {
		const uint32_t share = PIECES_PER_SESSION < SHARE(others[k]) ? PIECES_PER_SESSION
									     : SHARE(others[k]);

		pieces_sweep(f->pool, &f->drops, NOW_MS + PIECES_WAIT_MS);
		for (uint32_t i = 0; i < 5 * PIECES_MAX; i++) {
			uint32_t below = 1 + random_below(&rnd, others[k]);

			if (i % PIECES_MAX < share && i / PIECES_MAX == k % 2)
				assert_true(waits(f, QUIET, first + 2 * (i % PIECES_MAX), NOW_MS));
			assert_true(waits(f, 4 * random_below(&rnd, below), single += 2, NOW_MS));
		}
		for (uint32_t i = 0; i < share; i++, first += 2)
			assert_true(joins(f, QUIET, first, NOW_MS));
	}
}

/* What it has beyond that it loses first, and to itself while nobody has more. */
static void beyond_its_share_a_session_gives_way(void **state)
{
	struct fixture *f = *state;
	const uint32_t n = PIECES_MAX / 32;

	for (uint32_t i = 0; i < PIECES_MAX; i++)
		assert_true(waits(f, 4 * (i % 32), 2 * (i / 32), NOW_MS));
	assert_int_equal(all_drops(f), 0);
	assert_true(waits(f, 0, 2 * n, NOW_MS));
	assert_drops(f, DROP_PIECE_ROOM, 1);
	for (uint32_t s = 1; s < 32; s++)
		for (uint32_t i = 0; i < n; i++)
			assert_true(joins(f, 4 * s, 2 * i, NOW_MS));
	for (uint32_t i = 1; i <= n; i++)
		assert_true(joins(f, 0, 2 * i, NOW_MS));
	assert_drops(f, DROP_PIECE_ROOM, 1);
	/* What nobody can use any more goes before anything else. */
	assert_true(waits(f, QUIET, 0, NOW_MS));
	for (uint32_t i = 1; i < PIECES_MAX; i++)
		assert_true(waits(f, 4 * (i % 32), 1000 + 2 * i, NOW_MS + 1));
	assert_true(waits(f, 0, 9000, NOW_MS + PIECES_WAIT_MS));
	assert_int_equal(drops_get(&f->drops, DROP_PIECE_LATE), 1);
	assert_int_equal(drops_get(&f->drops, DROP_PIECE_ROOM), 1);
}

/* More sessions than halves: each has one at most, and all are found again. */
static void more_sessions_than_halves_take_turns(void **state)
{
	struct fixture *f = *state;

	for (uint32_t s = 0; s < 3 * PIECES_MAX; s++)
		assert_true(waits(f, 4 * s, 2 * s, NOW_MS));
	assert_drops(f, DROP_PIECE_ROOM, 2 * PIECES_MAX);
	for (uint32_t s = 2 * PIECES_MAX; s < 3 * PIECES_MAX; s++)
		assert_true(waits(f, 4 * s, 2 * s + 2, NOW_MS)); /* its own went */
	for (uint32_t s = 2 * PIECES_MAX; s < 3 * PIECES_MAX; s++)
		assert_true(joins(f, 4 * s, 2 * s + 2, NOW_MS));
	assert_drops(f, DROP_PIECE_ROOM, 3 * PIECES_MAX);
}

/* Whatever comes in whatever order: each half is joined, waits, or was counted. */
static void nothing_is_lost_uncounted(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = 11, taken = 0, joined = 0, now_ms = NOW_MS;
	const struct random rnd = seeded_random(&seed);

	for (unsigned i = 0; i < 60000; i++) {
		uint32_t index = random_below(&rnd, 40) * 2;
		uint32_t first = random_below(&rnd, 60) * 2;
		enum frame_piece piece = random_below(&rnd, 2) ? PIECE_FIRST : PIECE_LAST;
		size_t len = FRAME_MIN + (index * 31 + first) % (FRAME_MAX - FRAME_MIN);
		size_t got = take_half(f, index, first, piece, len, now_ms);
		uint8_t want[FRAME_MAX];

		taken++;
		now_ms += random_below(&rnd, 3);
		if (random_below(&rnd, 50) == 0)
			pieces_sweep(f->pool, &f->drops, now_ms);
		if (got == 0)
			continue;
		fill(want, len, index, first);
		assert_int_equal(got, len);
		assert_memory_equal(f->out, want, len);
		joined++;
	}
	pieces_sweep(f->pool, &f->drops, now_ms + PIECES_WAIT_MS);
	assert_true(joined > 1000 && drops_get(&f->drops, DROP_PIECE_ROOM) > 100);
	assert_int_equal(taken, 2 * joined + all_drops(f));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(halves_join_whichever_comes_first),
		TEST(only_what_belongs_together_joins),
		TEST(halves_that_do_not_fit_are_dropped),
		TEST(a_half_waits_two_seconds),
		TEST(the_sweep_counts_what_waited_in_vain),
		TEST(a_session_has_room_for_so_many),
		TEST(who_fills_the_pool_harms_no_other),
		TEST(bursts_in_disorder_pass_a_full_pool),
		TEST(a_session_keeps_an_equal_share),
		TEST(beyond_its_share_a_session_gives_way),
		TEST(more_sessions_than_halves_take_turns),
		TEST(nothing_is_lost_uncounted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
