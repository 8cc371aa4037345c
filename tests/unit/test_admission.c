/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which handshakes go on in a passphrase community. */
#include "admission_test.h"

/* ---- exemption ---- */

static void who_confirmed_is_exempt_until_one_fails(void **state)
{
	struct fixture *f = *state;
	struct peer *p = add_confirmed(f, 1);

	spend_all(f);
	assert_true(knocks(f, p) && p->trust.exempt);
	/* It confirms, and comes again. */
	admission_confirmed(p);
	assert_true(knocks(f, p));
	/* The next one takes the place of one that was not confirmed. */
	assert_false(knocks(f, p));
	assert_false(p->trust.exempt);
	admission_confirmed(p);
	assert_true(knocks(f, p));
}

static void what_fails_beside_a_confirmation_means_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t began_ms = f->core->now_ms;
	struct peer *p;

	f->core->now_ms += 1000;
	p = add_confirmed(f, 1);
	f->core->now_ms += 14000;
	admission_unconfirmed(f->c, p->remote, began_ms, false);
	assert_true(p->trust.exempt);
	assert_int_equal(f->c->unfit, 0);
	admission_unconfirmed(f->c, p->remote, f->core->now_ms - 1, false);
	assert_false(p->trust.exempt);
	assert_int_equal(f->c->unfit, 1);
}

static void what_an_earlier_run_knew_has_one_handshake(void **state)
{
	struct fixture *f = *state;
	const struct known_peer known = {.remote = {1, 1}, .direct = test_endpoint(1, 500)};
	struct peer *p;

	edge_remember(f->e, 0, &known);
	p = peer_find(f->c, known.remote);
	assert_non_null(p);
	assert_false(p->trust.exempt);
	spend_all(f);
	assert_true(admission_begin(p));
	assert_true(admission_accept(p));
	assert_false(admission_accept(p));
	assert_false(knocks(f, p));
	assert_false(admission_begin(p));
}

/* ---- who is counted ---- */

static unsigned counted(const struct fixture *f, const uint8_t remote[KEY_LEN])
{
	unsigned n = 0;

	for (unsigned i = 0; i < GUESSES_PER_MINUTE; i++)
		n += f->c->guesses.counted[i].until_ms > f->core->now_ms &&
		     memcmp(f->c->guesses.counted[i].remote, remote, KEY_LEN) == 0;
	return n;
}

static void a_stranger_needs_the_budget(void **state)
{
	static const uint8_t stranger[KEY_LEN] = {77, 1};
	const struct origin from = {.hop_id = 5, .handle = 77};
	struct fixture *f = *state;

	assert_true(admission_answer(f->c, stranger, &from));
	assert_int_equal(counted(f, stranger), 1);
	spend_all(f);
	assert_false(admission_answer(f->c, stranger, &from));
	assert_int_equal(f->c->vouch_wanted_ms, 0); /* nobody can vouch for it */
	f->c->party.mode = MODE_KEY;
	assert_true(admission_answer(f->c, stranger, &from));
}

/* What is exempt is not counted, whoever begins. */
static void who_is_exempt_needs_none(void **state)
{
	struct fixture *f = *state;
	struct peer *p = add_confirmed(f, 1), *q = add_listed(f, 2);

	spend_all(f);
	assert_true(admission_begin(p) && admission_accept(p));
	assert_int_equal(counted(f, p->remote), 0);
	assert_false(admission_begin(q) || admission_accept(q));
	f->c->party.mode = MODE_KEY;
	assert_true(admission_begin(q) && admission_accept(q));
	assert_int_equal(counted(f, q->remote), 0);
}

static void who_was_drawn_has_one_handshake_in_time(void **state)
{
	struct fixture *f = *state;
	struct peer *p = add_listed(f, 1);

	spend_all(f);
	p->trust.drawn_until_ms = f->core->now_ms;
	assert_false(admission_begin(p));
	assert_false(knocks(f, p));
	p->trust.drawn_until_ms = f->core->now_ms + 1;
	assert_true(admission_begin(p));
	assert_int_equal(counted(f, p->remote), 0);
	assert_true(knocks(f, p));
	assert_int_equal(counted(f, p->remote), 1);
	assert_false(knocks(f, p));
}

/* A place in the budget, or a draw that it wins; and a way to where it is. */
static void an_attempt_of_ours_needs_a_place(void **state)
{
	struct fixture *f = *state;
	struct peer *p = add_listed(f, 1), *q = add_listed(f, 2);

	assert_false(admission_begin(p));
	assert_int_equal(p->trust.wanted_ms, f->core->now_ms);
	p->session->route.direct = (struct way){.remote = test_endpoint(1, 500)};
	assert_true(admission_begin(p));
	assert_int_equal(p->trust.drawn_until_ms, 0);
	q->session->route.direct = (struct way){.remote = test_endpoint(2, 500)};
	spend_all(f);
	assert_false(admission_begin(q));
	f->core->now_ms += LOTTERY_MS;
	assert_true(admission_begin(q));
	assert_int_equal(q->trust.drawn_until_ms, f->core->now_ms + 5 * MINUTE);
}

/* In a large community all are tried, at a pace that those for whom a frame waits do not keep. */
static void who_was_never_met_has_its_turn(void **state)
{
	struct fixture *f = *state;
	struct peer *p = add_listed(f, 1);
	unsigned n = 0;

	p->trust.exempt = true;
	while (admission_begin(p))
		assert_true(++n < 1000);
	assert_int_equal(n, 25);
	p->session->waiting.n = 1;
	assert_true(admission_begin(p));
	p->session->waiting.n = 0;
	assert_false(admission_begin(p));
	p->session->confirmed = true;
	assert_true(admission_begin(p));
	p->session->confirmed = false;
	assert_false(admission_begin(p));
}

/* ---- replays ---- */

/* It costs a place in the budget, and the member whose static it bears nothing. */
static void a_replay_is_a_strangers(void **state)
{
	const struct origin from = {.hop_id = 5, .handle = 77};
	struct fixture *f = *state;
	struct peer *p = add_confirmed(f, 1), *q = add_listed(f, 2);
	static const uint8_t stranger[KEY_LEN] = {77, 1};

	/* While its keys live nothing is gained by it. */
	assert_false(admission_answer_stale(f->c, p->remote, &from));
	assert_true(admission_answer_stale(f->c, q->remote, &from));
	assert_true(admission_answer_stale(f->c, stranger, &from));
	assert_int_equal(counted(f, q->remote), 0);
	assert_int_equal(counted(f, (const uint8_t[KEY_LEN]){2 ^ 0xff, 1}), 1);
	assert_int_equal(counted(f, (const uint8_t[KEY_LEN]){77 ^ 0xff, 1}), 1);
	assert_true(p->trust.exempt && !p->trust.answered);
	spend_all(f);
	assert_false(admission_answer_stale(f->c, q->remote, &from));
	assert_int_equal(q->trust.wanted_ms, 0);
	f->c->party.mode = MODE_KEY;
	assert_true(admission_answer_stale(f->c, p->remote, &from));
}

/* ---- what failed ---- */

static void what_failed_is_held_against_it(void **state)
{
	struct fixture *f = *state;
	struct peer *p = add_confirmed(f, 1);
	uint64_t first_ms;

	/* It confirmed when that began, or later. */
	f->core->now_ms += 1000;
	admission_unconfirmed(f->c, p->remote, p->trust.confirmed_ms, false);
	assert_true(p->trust.exempt);
	assert_int_equal(f->c->unfit, 0);
	first_ms = f->core->now_ms;
	admission_unconfirmed(f->c, p->remote, p->trust.confirmed_ms + 1, false);
	assert_false(p->trust.exempt);
	assert_int_equal(counted(f, p->remote), 1);
	/* What was not exempt was counted when it began. */
	f->core->now_ms += 1000;
	admission_unconfirmed(f->c, p->remote, p->trust.confirmed_ms + 1, false);
	assert_int_equal(counted(f, p->remote), 1);
	assert_int_equal(f->c->unfit, 2);
	assert_int_equal(f->c->unfit_ms, first_ms);
}

static void guessing_is_told_where_somebody_confirmed(void **state)
{
	struct fixture *f = *state;

	for (uint8_t i = 0; i < GUESSES_SUSPECT; i++)
		admission_unconfirmed(
			f->c, (const uint8_t[KEY_LEN]){(uint8_t)(60 + i)}, f->core->now_ms, false);
	f->c->any_confirmed = true;
	admission_tick(f->c);
	assert_int_equal(f->events[EVENT_GUESSING], 0);
	f->core->now_ms += 2 * MINUTE;
	f->c->any_confirmed = false;
	admission_tick(f->c);
	assert_int_equal(f->events[EVENT_GUESSING], 0);
	f->c->any_confirmed = true;
	f->c->party.mode = MODE_KEY;
	admission_tick(f->c);
	assert_int_equal(f->events[EVENT_GUESSING], 0);
	f->c->party.mode = MODE_PASSPHRASE;
	admission_tick(f->c);
	assert_int_equal(f->events[EVENT_GUESSING], 1);
	admission_tick(f->c);
	assert_int_equal(f->events[EVENT_GUESSING], 1);
}

/* Of a handshake with a passphrase that comes out only at its end. */
static void a_message_under_our_key_shows_that_somebody_has_it(void **state)
{
	struct fixture *f = *state;

	assert_true(knocks(f, add_listed(f, 1)));
	assert_true(f->c->key_seen);
}

static void a_message_under_no_key_shows_nothing(void **state)
{
	struct fixture *f = *state;

	assert_true(knocks(f, add_listed(f, 1)));
	assert_false(f->c->key_seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_IN(who_confirmed_is_exempt_until_one_fails),
		TEST_IN(what_fails_beside_a_confirmation_means_nothing),
		TEST_IN(what_an_earlier_run_knew_has_one_handshake),
		TEST_IN(a_stranger_needs_the_budget),
		TEST_IN(who_is_exempt_needs_none),
		TEST_IN(who_was_drawn_has_one_handshake_in_time),
		TEST_IN(an_attempt_of_ours_needs_a_place),
		TEST_IN(who_was_never_met_has_its_turn),
		TEST_IN(a_replay_is_a_strangers),
		TEST_IN(what_failed_is_held_against_it),
		TEST_IN(guessing_is_told_where_somebody_confirmed),
		TEST(a_message_under_our_key_shows_that_somebody_has_it),
		TEST_IN(a_message_under_no_key_shows_nothing),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
