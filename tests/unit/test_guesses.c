/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guess budget of passphrase communities: how many, and that nobody is shut out. */
#include "core/edge/edge_state.h"
#include "wire_test.h"

#define START_MS 1000000u
#define MINUTE	 60000u

static const uint8_t anyone[KEY_LEN] = {2};

struct fixture {
	struct guesses g;
	uint64_t seed;
	struct random rnd;
};

static void init(struct fixture *f, uint64_t seed)
{
	memset(f, 0, sizeof(*f));
	f->seed = seed;
	f->rnd = seeded_random(&f->seed);
}

static bool admit(struct fixture *f, uint32_t who, uint64_t now_ms)
{
	uint8_t remote[KEY_LEN] = {1};

	store_be32(remote + 1, who);
	return guesses_admit(&f->g, remote, now_ms, &f->rnd);
}

static void spend(struct fixture *f, uint64_t now_ms)
{
	for (unsigned i = 0; i < GUESSES_PER_MINUTE; i++)
		guesses_spend(&f->g, anyone, now_ms);
}

static void ten_a_minute_are_free(void **state)
{
	struct fixture f;

	(void)state;
	init(&f, 1);
	for (unsigned i = 0; i < GUESSES_PER_MINUTE; i++) {
		assert_false(guesses_spent(&f.g, START_MS + i));
		assert_true(admit(&f, i, START_MS + i));
		guesses_spend(&f.g, anyone, START_MS + i);
	}
	assert_true(guesses_spent(&f.g, START_MS + 10));
	assert_false(admit(&f, 99, START_MS + 10));
	/* The oldest one leaves the minute: one more is free. */
	assert_true(guesses_spent(&f.g, START_MS + MINUTE - 1));
	assert_false(guesses_spent(&f.g, START_MS + MINUTE));
	assert_true(admit(&f, 99, START_MS + MINUTE));
	guesses_spend(&f.g, anyone, START_MS + MINUTE);
	assert_true(guesses_spent(&f.g, START_MS + MINUTE));
}

/* Who turns out to be right has not guessed, however often it began. */
static void right_ones_do_not_count(void **state)
{
	static const uint8_t member[KEY_LEN] = {3};
	struct fixture f;

	(void)state;
	init(&f, 1);
	for (unsigned i = 0; i < GUESSES_PER_MINUTE; i++)
		guesses_spend(&f.g, i % 2 == 0 ? member : anyone, START_MS);
	assert_true(guesses_spent(&f.g, START_MS));
	guesses_refund(&f.g, member);
	for (unsigned i = 0; i < GUESSES_PER_MINUTE / 2; i++) {
		assert_false(guesses_spent(&f.g, START_MS));
		guesses_spend(&f.g, anyone, START_MS);
	}
	assert_true(guesses_spent(&f.g, START_MS));
}

/* One who knocks all the time, and fails each time, gets no more than was promised. */
static void the_bound_holds_for_a_day(void **state)
{
	const uint64_t day = 24u * 3600u * 1000u;
	struct fixture f;
	unsigned answered = 0;

	(void)state;
	init(&f, 2);
	for (uint64_t ms = START_MS; ms < START_MS + day; ms += 100) {
		if (!admit(&f, (uint32_t)ms % 7, ms))
			continue;
		answered++;
		guesses_spend(&f.g, anyone, ms);
	}
	assert_in_range(answered, 1, 14400 + GUESSES_PER_MINUTE);
}

static void a_draw_has_one_winner(void **state)
{
	struct fixture f;

	(void)state;
	init(&f, 3);
	for (unsigned draw = 0; draw < 50; draw++) {
		uint64_t begin = START_MS + draw * LOTTERY_MS;
		unsigned winners = 0;

		spend(&f, begin);
		for (unsigned ms = 0; ms < LOTTERY_MS; ms += 500)
			for (uint32_t who = 0; who < 5; who++)
				winners += admit(&f, who, begin + ms);
		assert_int_equal(winners, draw == 0 ? 0 : 1);
	}
}

/* A newcomer knocks twice in a draw, a guesser under one key a thousand times. */
static void knocking_faster_does_not_help(void **state)
{
	unsigned newcomer = 0;

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		struct fixture f;

		init(&f, 1000 + round);
		spend(&f, START_MS);
		for (unsigned i = 0; i < 1000; i++) {
			assert_false(admit(&f, 1, START_MS + i));
			if (i % 500 == round % 500)
				assert_false(admit(&f, 2, START_MS + i));
		}
		newcomer += admit(&f, 2, START_MS + LOTTERY_MS);
	}
	assert_in_range(newcomer, 140, 260);
}

static void all_have_the_same_chance(void **state)
{
	unsigned won[8] = {0};

	(void)state;
	for (unsigned round = 0; round < 800; round++) {
		struct fixture f;

		init(&f, 5000 + round);
		spend(&f, START_MS);
		for (uint32_t who = 0; who < 8; who++)
			assert_false(admit(&f, who, START_MS + who));
		for (uint32_t who = 0; who < 8; who++)
			won[who] += admit(&f, who, START_MS + LOTTERY_MS);
	}
	for (unsigned who = 0; who < 8; who++)
		assert_in_range(won[who], 60, 145);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_a_minute_are_free),
		cmocka_unit_test(right_ones_do_not_count),
		cmocka_unit_test(the_bound_holds_for_a_day),
		cmocka_unit_test(a_draw_has_one_winner),
		cmocka_unit_test(knocking_faster_does_not_help),
		cmocka_unit_test(all_have_the_same_chance),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
