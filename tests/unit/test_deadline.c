/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wheel of deadlines: nothing fires early, late, twice or after it was cleared. */
#include "core/session/deadline.h"
#include "wire_test.h"

#define START_MS   1000003u /* in the middle of a slot */
#define SLOT_MS	   64u
#define HORIZON_MS (DEADLINE_SLOTS * SLOT_MS)
#define N	   300
#define STEPS	   20000

static struct deadlines wheel;

static int setup(void **state)
{
	(void)state;
	deadlines_init(&wheel, START_MS);
	return 0;
}

static void assert_taken(struct deadline *d, uint64_t now_ms)
{
	assert_ptr_equal(deadline_take(&wheel, now_ms), d);
}

static void a_deadline_fires_in_its_millisecond(void **state)
{
	static const unsigned after[] = {0, 1, 2, SLOT_MS - 1, SLOT_MS, 100, 60000, HORIZON_MS - 1};

	(void)state;
	for (unsigned i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		struct deadline d = {.at_ms = 0};

		deadlines_init(&wheel, START_MS);
		deadline_set(&wheel, &d, START_MS + after[i]);
		assert_taken(NULL, START_MS + after[i] - 1);
		assert_taken(&d, START_MS + after[i]);
		assert_taken(NULL, START_MS + after[i]);
		assert_taken(NULL, START_MS + 10 * HORIZON_MS);
	}
}

static void a_time_in_the_past_is_now(void **state)
{
	struct deadline long_ago = {.at_ms = 0}, before = {.at_ms = 0};

	(void)state;
	assert_taken(NULL, START_MS + 500);
	deadline_set(&wheel, &long_ago, 0);
	assert_taken(&long_ago, START_MS + 500);
	deadline_set(&wheel, &before, START_MS + 499);
	assert_taken(&before, START_MS + 500);
	assert_taken(NULL, START_MS + 500);
}

/* As far apart as two slots, they come in their order, whatever the order of setting. */
static void earlier_ones_come_first(void **state)
{
	static const unsigned order[] = {5, 2, 9, 0, 7, 1, 8, 3, 6, 4};
	struct deadline d[10] = {{.at_ms = 0}};

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		deadline_set(&wheel, &d[order[i]], START_MS + order[i] * SLOT_MS);
	for (unsigned i = 0; i < 10; i++)
		assert_taken(&d[i], START_MS + 60000);
	assert_taken(NULL, START_MS + 60000);
}

/* It waits in the last slot, round after round, and fires when it should. */
static void beyond_the_horizon_is_put_off(void **state)
{
	static const uint64_t after[] = {HORIZON_MS - SLOT_MS, HORIZON_MS, HORIZON_MS + 1,
		2 * HORIZON_MS, 7 * HORIZON_MS + 12345};

	(void)state;
	for (unsigned i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		struct deadline d = {.at_ms = 0};
		uint64_t now_ms = START_MS;

		deadlines_init(&wheel, START_MS);
		deadline_set(&wheel, &d, START_MS + after[i]);
		for (; now_ms + 997 < START_MS + after[i]; now_ms += 997)
			assert_taken(NULL, now_ms);
		assert_taken(NULL, START_MS + after[i] - 1);
		assert_int_equal(d.at_ms, START_MS + after[i]);
		assert_taken(&d, START_MS + after[i]);
		/* And if nobody looked for long. */
		deadline_set(&wheel, &d, d.at_ms + after[i]);
		assert_taken(&d, d.at_ms + 3 * HORIZON_MS);
		assert_taken(NULL, d.at_ms + 3 * HORIZON_MS);
	}
}

static void setting_again_moves_it(void **state)
{
	struct deadline d = {.at_ms = 0}, beside = {.at_ms = 0};

	(void)state;
	deadline_set(&wheel, &beside, START_MS + 50);
	deadline_set(&wheel, &d, START_MS + 50);
	deadline_set(&wheel, &d, START_MS + 1000);
	assert_taken(&beside, START_MS + 999);
	assert_taken(NULL, START_MS + 999);
	deadline_set(&wheel, &d, START_MS + 5000);
	deadline_set(&wheel, &d, START_MS + 1001);
	assert_taken(NULL, START_MS + 1000);
	assert_taken(&d, START_MS + 1001);
	assert_taken(NULL, START_MS + 5000);
}

static void only_an_earlier_time_moves_it_earlier(void **state)
{
	struct deadline d = {.at_ms = 0};

	(void)state;
	/* One that is not set is set. */
	deadline_set_earlier(&wheel, &d, START_MS + 1000);
	deadline_set_earlier(&wheel, &d, START_MS + 1001);
	deadline_set_earlier(&wheel, &d, UINT64_MAX);
	assert_int_equal(d.at_ms, START_MS + 1000);
	deadline_set_earlier(&wheel, &d, START_MS + 300);
	assert_taken(NULL, START_MS + 299);
	assert_taken(&d, START_MS + 300);
	/* What was taken is not set: its former time counts no more. */
	deadline_set_earlier(&wheel, &d, START_MS + 2000);
	assert_taken(NULL, START_MS + 1999);
	assert_taken(&d, START_MS + 2000);
}

static void what_is_cleared_does_not_fire(void **state)
{
	struct deadline d[3] = {{.at_ms = 0}};

	(void)state;
	/* First, last and amid the others of a slot. */
	for (unsigned gone = 0; gone < 3; gone++) {
		unsigned fired = 0;
		struct deadline *one;

		deadlines_init(&wheel, START_MS);
		for (unsigned i = 0; i < 3; i++)
			deadline_set(&wheel, &d[i], START_MS + 10);
		deadline_clear(&d[gone]);
		deadline_clear(&d[gone]);
		while ((one = deadline_take(&wheel, START_MS + 10)) != NULL) {
			assert_ptr_not_equal(one, &d[gone]);
			fired++;
		}
		assert_int_equal(fired, 2);
	}
}

/* Whoever is taken may set, move and clear itself and others meanwhile. */
static void taking_and_setting_mix(void **state)
{
	struct deadline d[4] = {{.at_ms = 0}};
	struct deadline *first;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		deadline_set(&wheel, &d[i], START_MS + 10);
	first = deadline_take(&wheel, START_MS + 10);
	assert_non_null(first);
	deadline_set(&wheel, first, START_MS + 10); /* at once, again */
	for (unsigned i = 0; i < 4; i++)
		if (&d[i] != first)
			deadline_clear(&d[i]);
	assert_taken(first, START_MS + 10);
	deadline_set(&wheel, first, START_MS + 11);
	deadline_set(&wheel, &d[&d[0] == first], START_MS + 10);
	assert_taken(&d[&d[0] == first], START_MS + 10);
	assert_taken(NULL, START_MS + 10);
	assert_taken(first, START_MS + 11);
}

/* ---- beside a model ---- */

struct model {
	struct deadline d[N];
	uint64_t at_ms[N]; /* 0: not set */
	uint64_t now_ms;
	uint64_t seed;
	struct random rnd;
};

static uint64_t any_time(struct model *m)
{
	static const uint32_t spans[] = {2, 200, 5000, HORIZON_MS, 4 * HORIZON_MS};
	uint64_t at = m->now_ms + random_below(&m->rnd, spans[random_below(&m->rnd, 5)]);

	return random_below(&m->rnd, 10) == 0 ? at - 300 : at;
}

static void change(struct model *m)
{
	unsigned i = random_below(&m->rnd, N);
	uint64_t at = any_time(m);

	switch (random_below(&m->rnd, 4)) {
	case 0:
		deadline_clear(&m->d[i]);
		m->at_ms[i] = 0;
		break;
	case 1:
		deadline_set(&wheel, &m->d[i], at);
		m->at_ms[i] = at;
		break;
	default:
		deadline_set_earlier(&wheel, &m->d[i], at);
		if (m->at_ms[i] == 0 || at < m->at_ms[i])
			m->at_ms[i] = at;
		break;
	}
}

static unsigned count_due(const struct model *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < N; i++)
		n += m->at_ms[i] != 0 && m->at_ms[i] <= m->now_ms;
	return n;
}

/* Takes all; some of those taken are set again, as what is looked at is. */
static void take_all(struct model *m)
{
	uint64_t slot = 0;
	struct deadline *d;

	while ((d = deadline_take(&wheel, m->now_ms)) != NULL) {
		ptrdiff_t i = d - m->d;

		assert_in_range(i, 0, N - 1);
		assert_int_not_equal(m->at_ms[i], 0);
		assert_true(m->at_ms[i] <= m->now_ms);
		assert_true(wheel.slot_now >= slot);
		slot = wheel.slot_now;
		m->at_ms[i] = 0;
		if (random_below(&m->rnd, 3) > 0)
			continue;
		m->at_ms[i] = random_below(&m->rnd, 20) == 0 ? m->now_ms : any_time(m) + 301;
		deadline_set(&wheel, d, m->at_ms[i]);
	}
	assert_int_equal(count_due(m), 0);
}

static void every_one_fires_once_and_in_time(void **state)
{
	static struct model m;

	(void)state;
	m = (struct model){.now_ms = START_MS, .seed = 3};
	m.rnd = seeded_random(&m.seed);
	for (unsigned step = 0; step < STEPS; step++) {
		static const uint32_t pauses[] = {1, 100, 100, 100, 3000};
		unsigned changes = random_below(&m.rnd, 8);

		for (unsigned i = 0; i < changes; i++)
			change(&m);
		m.now_ms += random_below(&m.rnd, 1 + pauses[random_below(&m.rnd, 5)]);
		if (random_below(&m.rnd, 2000) == 0)
			m.now_ms += 2 * HORIZON_MS; /* nobody looked for a while */
		take_all(&m);
	}
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(m.at_ms[i] != 0, m.d[i].link != NULL);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_deadline_fires_in_its_millisecond),
		TEST(a_time_in_the_past_is_now),
		TEST(earlier_ones_come_first),
		TEST(beyond_the_horizon_is_put_off),
		TEST(setting_again_moves_it),
		TEST(only_an_earlier_time_moves_it_earlier),
		TEST(what_is_cleared_does_not_fire),
		TEST(taking_and_setting_mix),
		TEST(every_one_fires_once_and_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
