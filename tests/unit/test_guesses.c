/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guess budget of passphrase communities: how many, and that nobody is shut out. */
#include "core/edge/guesses.h"
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

static const uint8_t *named(uint8_t remote[KEY_LEN], uint32_t who)
{
	memset(remote, 0, KEY_LEN);
	remote[0] = 1;
	store_be32(remote + 1, who);
	return remote;
}

static struct origin relayed(uint32_t handle)
{
	return (struct origin){.hop_id = 7, .handle = handle};
}

static bool admit_from(struct fixture *f, uint32_t who, const struct origin *from, uint64_t now_ms)
{
	uint8_t remote[KEY_LEN];

	return guesses_admit(&f->g, named(remote, who), from, now_ms, &f->rnd);
}

/* Everybody has a place of its own. */
static bool admit(struct fixture *f, uint32_t who, uint64_t now_ms)
{
	const struct origin from = relayed(1000 + who);

	return admit_from(f, who, &from, now_ms);
}

static bool begin(struct fixture *f, uint32_t who, uint64_t now_ms, bool *drawn)
{
	const struct origin to = relayed(1000 + who);
	uint8_t remote[KEY_LEN];

	return guesses_begin(&f->g, named(remote, who), &to, now_ms, &f->rnd, drawn);
}

static void spend(struct fixture *f, uint64_t now_ms)
{
	for (unsigned i = 0; i < GUESSES_PER_MINUTE; i++)
		guesses_spend(&f->g, anyone, now_ms);
}

static void lists_are_taken_as_long_as_they_are(void **state)
{
	static const uint8_t other[KEY_LEN] = {3};
	struct guess list[4] = {{.until_ms = 5, .remote = {2}}, {.until_ms = 5, .remote = {3}},
		{.until_ms = 5, .remote = {2}}, {.until_ms = 5, .remote = {2}}};

	(void)state;
	assert_null(guess_place(list, 4, 4));
	assert_ptr_equal(guess_place(list, 4, 5), &list[0]);
	assert_true(guess_remove(list, 3, anyone));
	assert_false(guess_remove(list, 3, anyone));
	assert_int_equal(list[0].until_ms, 0);
	assert_int_equal(list[1].until_ms, 5);
	assert_int_equal(list[2].until_ms, 0);
	assert_int_equal(list[3].until_ms, 5);
	assert_null(guess_place(list + 3, 1, 0));
	assert_true(guess_remove(list, 3, other));
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

/* They end when half is free again, or when one of those that counted turns out to be right. */
static void draws_go_on_until_half_is_free(void **state)
{
	static const uint8_t member[KEY_LEN] = {3}, guest[KEY_LEN] = {4};
	struct fixture f;

	(void)state;
	for (unsigned early = 4; early <= 5; early++) {
		init(&f, 1);
		for (unsigned i = 0; i < GUESSES_PER_MINUTE; i++)
			guesses_spend(&f.g, member, i < early ? START_MS : START_MS + 10000);
		assert_false(admit(&f, 1, START_MS + 10000));
		assert_int_equal(admit(&f, 2, START_MS + MINUTE), early == 5);
	}
	spend(&f, START_MS + 3 * MINUTE);
	guesses_spend(&f.g, member, START_MS + 3 * MINUTE);
	assert_false(admit(&f, 1, START_MS + 3 * MINUTE));
	/* One that was never counted says nothing. */
	guesses_refund(&f.g, guest);
	assert_false(admit(&f, 1, START_MS + 3 * MINUTE));
	guesses_refund(&f.g, member);
	assert_true(admit(&f, 1, START_MS + 3 * MINUTE));
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

/* One place with a new static every 50 ms, and a newcomer from another one. */
static void many_statics_of_one_place_have_one_chance(void **state)
{
	static const struct endpoint first = {.ip = {0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 1}, .port = 9};
	unsigned newcomer = 0;

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		struct origin own = relayed(2);
		struct fixture f;

		if (round % 2 == 1) {
			own = (struct origin){.way.remote = first};
			own.way.remote.ip[7]++;
		}

		init(&f, 9000 + round);
		spend(&f, START_MS);
		for (unsigned i = 0; i < 120; i++) {
			struct origin of_many = relayed(1);

			/* Or as many addresses of one /64. */
			if (round % 2 == 1)
				of_many = (struct origin){.way.remote = first};
			of_many.way.remote.ip[15] = (uint8_t)i;
			assert_false(admit_from(&f, 100 + i, &of_many, START_MS + 50 * i));
			if (i % 60 == 30)
				assert_false(admit_from(&f, 2, &own, START_MS + 50 * i));
		}
		newcomer += admit_from(&f, 2, &own, START_MS + LOTTERY_MS);
	}
	assert_in_range(newcomer, 140, 260);
}

/* Of one place, too: the last to knock has no better chance than the first. */
static void statics_of_one_place_have_the_same_chance(void **state)
{
	const struct origin place = relayed(1);
	unsigned first = 0;

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		struct fixture f;

		init(&f, 11000 + round);
		spend(&f, START_MS);
		assert_false(admit_from(&f, 1, &place, START_MS));
		for (unsigned i = 1; i < 10; i++)
			assert_false(admit_from(&f, 2, &place, START_MS + i));
		first += admit_from(&f, 1, &place, START_MS + LOTTERY_MS);
	}
	assert_in_range(first, 140, 260);
}

/* What we begin ourselves waits for its turn, so that no answer comes in vain. */
static void few_attempts_of_ours_wait_for_their_answers(void **state)
{
	struct fixture f;
	uint8_t remote[KEY_LEN];
	bool drawn;

	(void)state;
	init(&f, 4);
	for (uint32_t i = 0; i < GUESSES_BEGUN; i++)
		assert_true(begin(&f, i, START_MS, &drawn) && !drawn);
	assert_false(begin(&f, 99, START_MS, &drawn));
	/* They keep nobody out who comes to us. */
	assert_true(admit(&f, 50, START_MS));
	guesses_begun(&f.g, named(remote, 0));
	assert_true(begin(&f, 99, START_MS, &drawn));
	/* Who does not answer soon does not keep others from their turn. */
	assert_false(begin(&f, 98, START_MS + 999, &drawn));
	assert_true(begin(&f, 98, START_MS + 1000, &drawn));
	/* With little left, less is begun. */
	init(&f, 5);
	for (unsigned i = 0; i < GUESSES_PER_MINUTE - 1; i++)
		guesses_spend(&f.g, anyone, START_MS);
	assert_true(begin(&f, 1, START_MS, &drawn));
	assert_false(begin(&f, 2, START_MS, &drawn));
	assert_false(guesses_spent(&f.g, START_MS));
}

static void what_we_would_begin_takes_part_in_the_draw(void **state)
{
	unsigned won[2] = {0};

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		struct fixture f;
		bool drawn;

		init(&f, 7000 + round);
		spend(&f, START_MS);
		assert_false(begin(&f, 1, START_MS, &drawn) || drawn);
		assert_false(admit(&f, 2, START_MS + 1));
		won[0] += begin(&f, 1, START_MS + LOTTERY_MS, &drawn);
		assert_true(drawn == (won[0] + won[1] == round + 1));
		won[1] += admit(&f, 2, START_MS + LOTTERY_MS + 1);
		assert_int_equal(won[0] + won[1], round + 1);
	}
	assert_in_range(won[0], 140, 260);
}

/* Ten failures are evidence when none of the statics was confirmed within two minutes. */
static void only_evidence_is_told(void **state)
{
	uint8_t remote[KEY_LEN];
	struct fixture f;

	(void)state;
	init(&f, 6);
	for (uint32_t i = 0; i < GUESSES_SUSPECT; i++)
		guesses_failed(&f.g, named(remote, i), START_MS + i, false);
	/* There is no room for more. */
	guesses_failed(&f.g, named(remote, 55), START_MS + GUESSES_SUSPECT, false);
	assert_false(guesses_tell(&f.g, START_MS + 2 * MINUTE));
	guesses_refund(&f.g, named(remote, 3));
	assert_false(guesses_tell(&f.g, START_MS + 2 * MINUTE + 100));
	guesses_failed(&f.g, named(remote, 77), START_MS + MINUTE, false);
	assert_false(guesses_tell(&f.g, START_MS + 3 * MINUTE - 1));
	assert_true(guesses_tell(&f.g, START_MS + 3 * MINUTE));
	/* Once, until it was quiet. */
	assert_false(guesses_tell(&f.g, START_MS + 3 * MINUTE + 1));
	assert_false(guesses_tell(&f.g, START_MS + 10 * MINUTE));
	for (uint32_t i = 0; i < GUESSES_SUSPECT; i++)
		guesses_failed(&f.g, named(remote, i), START_MS + 10 * MINUTE, false);
	assert_true(guesses_tell(&f.g, START_MS + 12 * MINUTE));
}

/* Whoever left may have died in the middle, unless something came that may have been a try. */
static void who_left_without_a_try_is_no_evidence(void **state)
{
	uint8_t remote[KEY_LEN];
	struct fixture f;

	(void)state;
	init(&f, 9);
	for (uint32_t i = 0; i < GUESSES_SUSPECT; i++)
		guesses_failed(&f.g, named(remote, i), START_MS, i != 4);
	guesses_left(&f.g, named(remote, 3));
	assert_true(guesses_tell(&f.g, START_MS + 2 * MINUTE));
	init(&f, 9);
	for (uint32_t i = 0; i < GUESSES_SUSPECT; i++)
		guesses_failed(&f.g, named(remote, i), START_MS, i != 4);
	/* One that is gives way to one that is more. */
	guesses_failed(&f.g, named(remote, 55), START_MS, true);
	guesses_left(&f.g, named(remote, 4));
	guesses_left(&f.g, named(remote, 55));
	assert_true(guesses_tell(&f.g, START_MS + 2 * MINUTE));
	init(&f, 9);
	for (uint32_t i = 0; i < GUESSES_SUSPECT; i++)
		guesses_failed(&f.g, named(remote, i), START_MS, i != 4);
	guesses_left(&f.g, named(remote, 4));
	assert_false(guesses_tell(&f.g, START_MS + 2 * MINUTE));
}

/* One that never tried pushes out nobody; one that tried, only the first that did not. */
static void who_tried_takes_the_place_of_one_who_did_not(void **state)
{
	uint8_t remote[KEY_LEN];
	struct fixture f;

	(void)state;
	for (unsigned tried = 0; tried < 2; tried++) {
		init(&f, 9);
		for (uint32_t i = 0; i < GUESSES_SUSPECT; i++)
			guesses_failed(&f.g, named(remote, i), START_MS, false);
		guesses_failed(&f.g, named(remote, 55), START_MS, tried != 0);
		guesses_left(&f.g, named(remote, tried != 0 ? 0 : 55));
		assert_true(guesses_tell(&f.g, START_MS + 2 * MINUTE));
	}
}

/* Who failed five minutes ago makes room, and speaks against nobody any more. */
static void evidence_gets_old(void **state)
{
	uint8_t remote[KEY_LEN];
	struct fixture f;

	(void)state;
	for (unsigned late = 0; late < 2; late++) {
		init(&f, 8);
		for (uint32_t i = 0; i < GUESSES_SUSPECT; i++)
			guesses_failed(&f.g, named(remote, i), START_MS, false);
		for (uint32_t i = 0; i < GUESSES_SUSPECT; i++)
			guesses_failed(
				&f.g, named(remote, i), START_MS + 5 * MINUTE - 1 + late, false);
		assert_int_equal(guesses_tell(&f.g, START_MS + 7 * MINUTE), late);
		init(&f, 8);
		for (uint32_t i = 0; i < GUESSES_SUSPECT; i++)
			guesses_failed(&f.g, named(remote, i), START_MS, false);
		assert_int_equal(guesses_tell(&f.g, START_MS + 5 * MINUTE - late), late);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_taken_as_long_as_they_are),
		cmocka_unit_test(ten_a_minute_are_free),
		cmocka_unit_test(right_ones_do_not_count),
		cmocka_unit_test(draws_go_on_until_half_is_free),
		cmocka_unit_test(the_bound_holds_for_a_day),
		cmocka_unit_test(a_draw_has_one_winner),
		cmocka_unit_test(knocking_faster_does_not_help),
		cmocka_unit_test(all_have_the_same_chance),
		cmocka_unit_test(many_statics_of_one_place_have_one_chance),
		cmocka_unit_test(statics_of_one_place_have_the_same_chance),
		cmocka_unit_test(few_attempts_of_ours_wait_for_their_answers),
		cmocka_unit_test(what_we_would_begin_takes_part_in_the_draw),
		cmocka_unit_test(only_evidence_is_told),
		cmocka_unit_test(who_left_without_a_try_is_no_evidence),
		cmocka_unit_test(who_tried_takes_the_place_of_one_who_did_not),
		cmocka_unit_test(evidence_gets_old),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
