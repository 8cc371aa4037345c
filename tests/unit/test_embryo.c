/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pool of handshakes that wait for confirmation: who finds a place, and who gives way. */
#include "core/link/link.h"
#include "core/session/embryo.h"
#include "core_test.h"

void __real_crypto_wipe(void *p, size_t len);
void __wrap_crypto_wipe(void *p, size_t len);

static struct {
	const void *p;
	size_t len;
} wiped[8]; /* the last */
static unsigned n_wiped;

void __wrap_crypto_wipe(void *p, size_t len)
{
	wiped[n_wiped % 8].p = p;
	wiped[n_wiped % 8].len = len;
	n_wiped++;
	__real_crypto_wipe(p, len);
}

#define EMBRYOS	      8
#define FOR_STRANGERS (EMBRYOS - EMBRYOS / 4)
#define HONEST_MS     1000u
#define START_MS      50000u

struct fixture {
	uint64_t seed;
	struct embryos pool;
	struct party self, other;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct random rnd;

	assert_non_null(f);
	rnd = seeded_random(&f->seed);
	assert_int_equal(embryos_init(&f->pool, EMBRYOS, &rnd), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	embryos_fini(&f->pool);
	assert_null(f->pool.at);
	embryos_fini(&f->pool);
	free(f);
	return 0;
}

/* As the responder fills a place. */
static struct embryo *fill(struct fixture *f, bool known, uint8_t number, uint64_t now_ms)
{
	struct embryo *e = embryo_place(&f->pool, known, now_ms);

	assert_non_null(e);
	*e = (struct embryo){.party = &f->self,
		.remote = {number},
		.result = {.rx_index = (uint32_t)(number << 2) + 1},
		.born_ms = now_ms};
	return e;
}

static void each_is_found_by_what_it_is(void **state)
{
	struct fixture *f = *state;
	struct embryo *e[3];

	for (uint8_t i = 0; i < 3; i++)
		e[i] = fill(f, true, (uint8_t)(i + 1), START_MS);
	for (uint8_t i = 0; i < 3; i++) {
		const uint8_t remote[KEY_LEN] = {(uint8_t)(i + 1)};
		const uint32_t index = e[i]->result.rx_index;

		assert_ptr_equal(embryo_find(&f->pool, &f->self, remote), e[i]);
		assert_null(embryo_find(&f->pool, &f->other, remote));
		assert_ptr_equal(embryo_by_index(&f->pool, index), e[i]);
		assert_null(embryo_by_index(&f->pool, index + 1)); /* the same session's next */
		assert_ptr_equal(embryo_by_id(&f->pool, INDEX_ID(index)), e[i]);
	}
	/* Free places have no remote, no index and no id, least of all 0. */
	assert_null(embryo_find(&f->pool, &f->self, (const uint8_t[KEY_LEN]){0}));
	assert_null(embryo_by_index(&f->pool, 0));
	assert_null(embryo_by_id(&f->pool, 0));
	memset(e[1], 0, sizeof(*e[1]));
	assert_null(embryo_find(&f->pool, &f->self, (const uint8_t[KEY_LEN]){2}));
	assert_null(embryo_by_id(&f->pool, 2));
}

/* A quarter of the places is kept for those who have a session. */
static void strangers_leave_room_for_the_known(void **state)
{
	struct fixture *f = *state;

	for (uint8_t i = 0; i < FOR_STRANGERS; i++)
		(void)fill(f, false, (uint8_t)(i + 1), START_MS);
	assert_null(embryo_place(&f->pool, false, START_MS));
	for (uint8_t i = FOR_STRANGERS; i < EMBRYOS; i++)
		(void)fill(f, true, (uint8_t)(i + 1), START_MS);
	assert_null(embryo_place(&f->pool, true, START_MS));
}

static void the_oldest_gives_way_after_a_second(void **state)
{
	struct fixture *f = *state;
	struct embryo *e[EMBRYOS];

	/* The oldest stands amid the others. */
	for (uint8_t i = 0; i < FOR_STRANGERS; i++)
		e[i] = fill(f, false, (uint8_t)(i + 1), START_MS + 100);
	e[2]->born_ms = START_MS;
	assert_null(embryo_place(&f->pool, false, START_MS + HONEST_MS - 1));
	assert_ptr_equal(embryo_place(&f->pool, false, START_MS + HONEST_MS), e[2]);
	/* It is as it was: whoever takes the place discards it. */
	assert_ptr_equal(e[2]->party, &f->self);
	e[2]->born_ms = START_MS + HONEST_MS;
	assert_null(embryo_place(&f->pool, false, START_MS + HONEST_MS));
	assert_non_null(embryo_place(&f->pool, false, START_MS + 100 + HONEST_MS));
}

/* What is kept for the known is not given to strangers, however long it waits. */
static void the_known_do_not_give_way_to_strangers(void **state)
{
	struct fixture *f = *state;
	struct embryo *e[EMBRYOS];

	for (uint8_t i = 0; i < EMBRYOS; i++)
		e[i] = fill(f, true, (uint8_t)(i + 1),
			i < FOR_STRANGERS ? START_MS + HONEST_MS : START_MS);
	assert_null(embryo_place(&f->pool, false, START_MS + HONEST_MS));
	assert_true(embryo_place(&f->pool, true, START_MS + HONEST_MS) >= e[FOR_STRANGERS]);
}

static void the_earliest_end_is_remembered(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(f->pool.expire_ms, 0);
	embryos_expire_by(&f->pool, START_MS + 500);
	embryos_expire_by(&f->pool, START_MS + 900);
	assert_int_equal(f->pool.expire_ms, START_MS + 500);
	embryos_expire_by(&f->pool, START_MS + 100);
	assert_int_equal(f->pool.expire_ms, START_MS + 100);
}

/* Two nodes must not share them, nor one node its two. */
static void secrets_of_cookies_are_random(void **state)
{
	struct fixture *f = *state;

	assert_memory_not_equal(f->pool.cookie_secret[0], f->pool.cookie_secret[1], KEY_LEN);
	assert_false(crypto_is_zero(f->pool.cookie_secret, sizeof(f->pool.cookie_secret)));
}

/* A burst that was on its way is none; whoever goes on is alive, and that is said once. */
static void who_goes_on_has_other_keys(void **state)
{
	struct fixture *f = *state;
	struct embryo *e = fill(f, true, 1, START_MS);

	/* So many that a count of 8 bits is full, and does not begin anew. */
	for (unsigned i = 0; i < 256; i++)
		assert_false(embryo_strange(e, START_MS + 10));
	assert_false(embryo_strange(e, START_MS + 10 + 999));
	assert_true(embryo_strange(e, START_MS + 10 + 1000));
	assert_false(embryo_strange(e, START_MS + 3000));
	e = fill(f, true, 2, START_MS);
	assert_false(embryo_strange(e, START_MS));
	assert_false(embryo_strange(e, START_MS + 2000));
	assert_true(embryo_strange(e, START_MS + 2001));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Of each there are keys that nobody has heard of yet. */
static void all_are_wiped_at_the_end(void **state)
{
	struct fixture *f = *state;
	const struct embryo *at = f->pool.at;

	n_wiped = 0;
	embryos_fini(&f->pool);
	assert_int_equal(n_wiped, 2);
	assert_ptr_equal(wiped[0].p, at);
	assert_int_equal(wiped[0].len, EMBRYOS * sizeof(*at));
	assert_ptr_equal(wiped[1].p, &f->pool);
	assert_int_equal(wiped[1].len, sizeof(f->pool));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_is_found_by_what_it_is),
		TEST(strangers_leave_room_for_the_known),
		TEST(the_oldest_gives_way_after_a_second),
		TEST(the_known_do_not_give_way_to_strangers),
		TEST(the_earliest_end_is_remembered),
		TEST(secrets_of_cookies_are_random),
		TEST(who_goes_on_has_other_keys),
		TEST(all_are_wiped_at_the_end),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
