/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a member's word is worth: who is asked, about whom, and who is believed. */
#include "admission_test.h"

#define WORD_WAIT_MS 10000u
#define HELD_MAX     1000
#define ANSWER_MS    5000u
#define ASKED	     3

/* ---- words ---- */

static void a_word_counts_when_it_was_asked_for(void **state)
{
	struct fixture *f = *state;
	struct peer *v = add_confirmed(f, 1), *p = add_listed(f, 2), *q = add_listed(f, 3);
	const struct peer *both[] = {p, q};

	spend_all(f);
	assert_false(knocks(f, p));
	say(v, CONTROL_VOUCH, both, 2);
	assert_false(vouch_stands(p));
	vouch_tick(f->c);
	assert_int_equal(v->trust.question_ms, f->core->now_ms);
	/* Of q nobody asked: it has not knocked. */
	say(v, CONTROL_VOUCH, both, 2);
	assert_true(vouch_stands(p));
	assert_false(vouch_stands(q));
	/* An answer is taken once. */
	assert_false(knocks(f, q));
	say(v, CONTROL_VOUCH, both, 2);
	assert_false(vouch_stands(q));
	/* The word is good for one handshake. */
	assert_true(knocks(f, p));
	assert_false(vouch_stands(p));
	assert_false(knocks(f, p));
	assert_int_equal(v->trust.vouched[0].until_ms, f->core->now_ms + VOUCH_MS);
}

static void a_word_lives_ten_minutes(void **state)
{
	struct fixture *f = *state;
	struct peer *v = add_confirmed(f, 1), *p = add_listed(f, 2);
	const struct peer *one[] = {p};

	spend_all(f);
	assert_false(knocks(f, p));
	vouch_tick(f->c);
	f->core->now_ms += 4999;
	say(v, CONTROL_VOUCH, one, 1);
	assert_true(vouch_stands(p));
	f->core->now_ms += VOUCH_MS - 1;
	assert_true(vouch_stands(p));
	f->core->now_ms++;
	assert_false(vouch_stands(p));
}

/* Three handshakes may be open on one member's word. */
static void a_voucher_answers_for_three(void **state)
{
	struct fixture *f = *state;
	struct peer *v = add_confirmed(f, 1), *p[4];
	const struct peer *all[4];

	spend_all(f);
	for (uint8_t i = 0; i < 4; i++) {
		all[i] = p[i] = add_listed(f, (uint8_t)(2 + i));
		assert_false(knocks(f, p[i]));
	}
	vouch_tick(f->c);
	say(v, CONTROL_VOUCH, all, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(knocks(f, p[i]), i < 3);
	/* One turns out right: it is free for the fourth. */
	admission_confirmed(p[1]);
	spend_all(f);
	assert_true(knocks(f, p[3]));
	/* What failed stays with the voucher, who is not asked meanwhile. */
	for (unsigned i = 0; i < 4; i++)
		admission_unconfirmed(f->c, p[i]->remote, f->core->now_ms, false);
	f->core->now_ms += 5000;
	vouch_want(p[0]);
	vouch_tick(f->c);
	assert_int_equal(v->trust.question_ms, 0);
	f->core->now_ms += VOUCH_MS - 5000;
	assert_null(guess_place(v->trust.vouched, VOUCHED_MAX, f->core->now_ms - 1));
	assert_non_null(guess_place(v->trust.vouched, VOUCHED_MAX, f->core->now_ms));
}

static void who_lost_his_exemption_is_not_believed(void **state)
{
	struct fixture *f = *state;
	struct peer *v = add_confirmed(f, 1), *p = add_listed(f, 2);
	const struct peer *one[] = {p};

	spend_all(f);
	assert_false(knocks(f, p));
	vouch_tick(f->c);
	say(v, CONTROL_VOUCH, one, 1);
	assert_true(vouch_stands(p));
	v->trust.exempt = false;
	assert_false(vouch_stands(p));
	assert_false(knocks(f, p));
}

/* Questions have their pace, and so have our answers; those name whom we confirmed ourselves. */
static void asking_and_answering_have_a_pace(void **state)
{
	struct fixture *f = *state;
	struct peer *v = add_confirmed(f, 1), *p = add_listed(f, 2);
	const struct peer *both[] = {p, v};
	unsigned questions = 0;

	spend_all(f);
	assert_false(knocks(f, p));
	for (unsigned ms = 0; ms < 8000; ms += 50) {
		f->n_sent = 0;
		vouch_tick(f->c);
		questions += f->n_sent;
		f->core->now_ms += 50;
	}
	assert_int_equal(questions, 8000 / AGAIN_MS);
	f->n_sent = 0;
	say(v, CONTROL_VOUCH_ASK, both, 1);
	assert_int_equal(f->n_sent, 0); /* p did not confirm */
	for (unsigned i = 0; i < 50; i++)
		say(v, CONTROL_VOUCH_ASK, both, 2);
	assert_int_equal(f->n_sent, 7); /* 8 at once, one of them said nothing */
	/* A word about one, and padding. */
	assert_in_range(f->sent[0].len, DATA_OVERHEAD + CONTROL_HEADER_LEN + 1 + KEY_LEN,
		DATA_OVERHEAD + CONTROL_HEADER_LEN + 1 + KEY_LEN + SEND_PAD_MAX);
}

/* ---- who is believed ---- */

/* The budget kept p from us, v was asked about it at once, and what it says counts. */
static void ask(struct fixture *f, struct peer *v, struct peer *p)
{
	vouch_want(p);
	f->core->now_ms += TURN_MS;
	vouch_tick(f->c);
	assert_int_equal(v->trust.question_ms, f->core->now_ms);
	assert_int_equal(p->trust.asked_ms, f->core->now_ms);
}

/* Who gave his word and went, or is nobody who could have, is nobody. */
static void only_a_member_vouches(void **state)
{
	const struct community_config another = {
		.name = "another", .prs = (const uint8_t[KEY_LEN]){6}, .mtu = MTU_DEFAULT};
	struct fixture *f = *state;
	struct peer *v = add_confirmed(f, 1), *p = add_listed(f, 2), *far;
	const struct peer *one[] = {p};

	spend_all(f);
	ask(f, v, p);
	say(v, CONTROL_VOUCH, one, 1);
	assert_true(vouch_stands(p));
	peer_forget(v);
	assert_false(vouch_stands(p));
	/* The id of a link may be had again by what is no member here. */
	assert_int_equal(edge_add_community(f->e, &another), 1);
	far = peer_create(f->e->community[1], (const uint8_t[KEY_LEN]){9, 1});
	assert_non_null(far);
	admission_confirmed(far);
	p->trust.voucher = far->session->link.id;
	assert_false(vouch_stands(p));
	add_supernode(f, 0, true, false);
	run(f, 2 * TICK_MS);
	assert_non_null(f->c->hop.session);
	p->trust.vouch_until_ms = f->core->now_ms + 1;
	p->trust.voucher = f->c->hop.session->link.id;
	assert_false(vouch_stands(p));
}

/* Between question and answer much may happen. */
static void a_word_about_whom_it_does_not_concern_is_nothing(void **state)
{
	struct fixture *f = *state;
	struct peer *v = add_confirmed(f, 1), *p[3] = {NULL}, *q = add_listed(f, 9);
	struct peer stranger = {.remote = {77, 1}};
	const struct peer *all[] = {&stranger, NULL, NULL, NULL};

	spend_all(f);
	for (uint8_t i = 0; i < 3; i++) {
		all[1 + i] = p[i] = add_listed(f, (uint8_t)(2 + i));
		(void)knocks(f, p[i]);
	}
	vouch_tick(f->c);
	p[0]->trust.exempt = true;
	p[1]->listed = false;
	say(v, CONTROL_VOUCH, all, 4);
	assert_int_equal(p[0]->trust.voucher, 0);
	assert_int_equal(p[1]->trust.voucher, 0);
	assert_int_equal(p[2]->trust.voucher, v->session->link.id);
	/* Nor is that of one who lost his exemption meanwhile. */
	ask(f, v, q);
	v->trust.exempt = false;
	all[0] = q;
	say(v, CONTROL_VOUCH, all, 1);
	assert_int_equal(q->trust.voucher, 0);
}

/* And none that a message does not name. */
static void words_come_in_time_and_about_whom_they_name(void **state)
{
	struct fixture *f = *state;
	struct peer *v = add_confirmed(f, 1), *p = add_listed(f, 2), *zero;
	const struct peer *one[] = {p};

	zero = peer_create(f->c, (const uint8_t[KEY_LEN]){0});
	assert_non_null(zero);
	zero->listed = true;
	vouch_want(zero);
	spend_all(f);
	ask(f, v, p);
	assert_int_equal(zero->trust.asked_ms, f->core->now_ms);
	f->core->now_ms += ANSWER_MS;
	say(v, CONTROL_VOUCH, one, 1);
	assert_int_equal(p->trust.voucher, 0);
	ask(f, v, p);
	f->core->now_ms += ANSWER_MS - 1;
	say(v, CONTROL_VOUCH, one, 1);
	assert_int_equal(p->trust.voucher, v->session->link.id);
	assert_int_equal(zero->trust.voucher, 0);
	/* Once it is used, it waits for another. */
	assert_true(vouch_use(p));
	assert_int_equal(p->trust.voucher, 0);
	f->core->now_ms += AGAIN_MS;
	ask(f, v, p);
}

static void the_first_word_stands(void **state)
{
	struct fixture *f = *state;
	struct peer *v = add_confirmed(f, 1), *w = add_confirmed(f, 2), *p = add_listed(f, 3);
	const struct peer *one[] = {p};

	spend_all(f);
	ask(f, v, p);
	assert_int_equal(w->trust.question_ms, f->core->now_ms);
	say(v, CONTROL_VOUCH, one, 1);
	say(w, CONTROL_VOUCH, one, 1);
	assert_int_equal(p->trust.voucher, v->session->link.id);
	/* The handshake that it was good for is held against one. */
	assert_true(knocks(f, p));
	assert_int_equal(v->trust.vouched[0].until_ms, f->core->now_ms + VOUCH_MS);
	assert_int_equal(w->trust.vouched[0].until_ms, 0);
}

/* One who vouches for all is not believed of all. */
static void words_of_one_member_are_bounded(void **state)
{
	struct fixture *f = *state;
	struct peer *v = add_confirmed(f, 1), *p = add_listed(f, 2), *q = add_listed(f, 3);
	const struct peer *both[] = {p, q};
	struct peer *last = NULL;

	for (unsigned i = 0; i < HELD_MAX - 1; i++) {
		last = peer_create(
			f->c, (const uint8_t[KEY_LEN]){99, (uint8_t)(i >> 8), (uint8_t)i});
		assert_non_null(last);
		last->trust.voucher = v->session->link.id;
		last->trust.vouch_until_ms = f->core->now_ms + VOUCH_MS;
	}
	spend_all(f);
	(void)knocks(f, q);
	ask(f, v, p);
	say(v, CONTROL_VOUCH, both, 2);
	assert_true(vouch_stands(p));
	assert_false(vouch_stands(q));
	/* One whose time is over gives its place. */
	f->core->now_ms += AGAIN_MS;
	ask(f, v, q);
	last->trust.vouch_until_ms = f->core->now_ms;
	say(v, CONTROL_VOUCH, both + 1, 1);
	assert_true(vouch_stands(q));
}

/* ---- who is asked, and about whom ---- */

/* True when the one is asked about, in the turn that is due now. */
static bool is_asked_about(struct fixture *f, const struct peer *p)
{
	vouch_tick(f->c);
	return p->trust.asked_ms == f->core->now_ms;
}

static void who_waits_is_asked_about_for_ten_seconds(void **state)
{
	struct fixture *f = *state;
	struct peer *v = add_confirmed(f, 1), *p = add_listed(f, 2);
	const struct peer *one[] = {p};
	uint64_t turn_ms;

	spend_all(f);
	assert_false(knocks(f, p));
	assert_true(is_asked_about(f, p));
	f->core->now_ms += AGAIN_MS - 1;
	assert_false(is_asked_about(f, p));
	f->core->now_ms++;
	f->c->vouch_turn_ms = f->core->now_ms;
	assert_true(is_asked_about(f, p));
	f->core->now_ms += WORD_WAIT_MS - AGAIN_MS - 1;
	assert_true(is_asked_about(f, p));
	/* Then no more: nothing is looked for. */
	f->core->now_ms++;
	p->trust.asked_ms = 0;
	f->c->vouch_turn_ms = turn_ms = f->core->now_ms;
	assert_false(is_asked_about(f, p));
	assert_int_equal(f->c->vouch_turn_ms, turn_ms);
	/* Others wait, who came later. */
	f->c->vouch_wanted_ms = f->core->now_ms;
	assert_false(is_asked_about(f, p));
	/* Whom one vouched for waits for nothing, until that is over. */
	ask(f, v, p);
	say(v, CONTROL_VOUCH, one, 1);
	p->trust.asked_ms = 0;
	f->core->now_ms += TURN_MS;
	assert_false(is_asked_about(f, p));
	p->trust.vouch_until_ms = f->core->now_ms + TURN_MS;
	f->core->now_ms += TURN_MS;
	assert_true(is_asked_about(f, p));
}

static void others_are_not_asked_about(void **state)
{
	struct fixture *f = *state;
	struct peer *p = add_listed(f, 2), *q = add_listed(f, 3);

	(void)add_confirmed(f, 1);
	spend_all(f);
	(void)knocks(f, p);
	p->listed = false;
	assert_false(is_asked_about(f, p));
	p->listed = true;
	p->trust.exempt = true;
	f->core->now_ms += TURN_MS;
	assert_false(is_asked_about(f, p));
	p->trust.exempt = false;
	f->core->now_ms += TURN_MS;
	assert_true(is_asked_about(f, p));
	assert_int_equal(q->trust.asked_ms, 0); /* it did not knock */
}

/* Who has no keys or did not confirm cannot tell; without anybody who can, nobody is asked about.
 */
static void only_who_can_answer_is_asked(void **state)
{
	struct fixture *f = *state;
	struct peer *away = add_listed(f, 1), *doubtful = add_confirmed(f, 2);
	struct peer *p = add_listed(f, 3), *v;

	spend_all(f);
	admission_confirmed(away);
	doubtful->trust.exempt = false;
	(void)knocks(f, p);
	assert_false(is_asked_about(f, p));
	f->core->now_ms += TURN_MS;
	v = add_confirmed(f, 4);
	assert_true(is_asked_about(f, p));
	assert_int_equal(v->trust.question_ms, f->core->now_ms);
	assert_true(away->trust.question_ms == 0 && doubtful->trust.question_ms == 0);
}

/* Turns come at their pace, and in one no more are asked, or asked about, than there is room for.
 */
static void a_turn_has_its_size(void **state)
{
	struct fixture *f = *state;
	struct peer *p[VOUCH_MAX + 3];
	unsigned n = 0;

	for (uint8_t i = 0; i < 5; i++)
		(void)add_confirmed(f, (uint8_t)(1 + i));
	spend_all(f);
	for (uint8_t i = 0; i < VOUCH_MAX + 3; i++) {
		p[i] = add_listed(f, (uint8_t)(10 + i));
		(void)knocks(f, p[i]);
	}
	f->n_sent = 0;
	vouch_tick(f->c);
	assert_int_equal(f->n_sent, ASKED);
	for (unsigned i = 0; i < VOUCH_MAX + 3; i++)
		n += p[i]->trust.asked_ms == f->core->now_ms;
	assert_int_equal(n, VOUCH_MAX);
	f->core->now_ms += TURN_MS - 1;
	vouch_tick(f->c);
	assert_int_equal(f->n_sent, ASKED);
	f->core->now_ms++;
	vouch_tick(f->c);
	assert_int_equal(f->n_sent, 2 * ASKED);
	for (unsigned i = 0; i < VOUCH_MAX + 3; i++)
		assert_true(p[i]->trust.asked_ms >= START_MS);
}

/* None is always asked, or asked about, before others. */
static void chance_decides_who_has_his_turn(void **state)
{
	struct fixture *f = *state;
	struct peer *v[5], *p[VOUCH_MAX + 3];
	unsigned asked[5] = {0}, about[VOUCH_MAX + 3] = {0};

	for (uint8_t i = 0; i < 5; i++)
		v[i] = add_confirmed(f, (uint8_t)(1 + i));
	for (uint8_t i = 0; i < VOUCH_MAX + 3; i++) {
		p[i] = add_listed(f, (uint8_t)(10 + i));
		vouch_want(p[i]);
	}
	for (unsigned turn = 0; turn < 500; turn++) {
		f->n_sent = 0;
		f->c->vouch_turn_ms = 0;
		vouch_tick(f->c);
		for (unsigned i = 0; i < 5; i++) {
			asked[i] += v[i]->trust.question_ms != 0;
			v[i]->trust.question_ms = 0;
		}
		for (unsigned i = 0; i < VOUCH_MAX + 3; i++) {
			about[i] += p[i]->trust.asked_ms != 0;
			p[i]->trust.asked_ms = 0;
		}
	}
	for (unsigned i = 0; i < 5; i++)
		assert_in_range(asked[i], 240, 360); /* of 300 */
	for (unsigned i = 0; i < VOUCH_MAX + 3; i++)
		assert_in_range(about[i], 340, 490); /* of 400 to 463 */
}

/* ---- what others ask ---- */

/* As many as a message names, and nobody knows some of them. */
static void a_question_is_answered_of_whom_we_confirmed(void **state)
{
	struct fixture *f = *state;
	struct peer *v = add_confirmed(f, 1), *zero;
	struct peer stranger = {.remote = {77, 1}};
	const struct peer *all[VOUCH_MAX];

	for (uint8_t i = 0; i < VOUCH_MAX; i++)
		all[i] = &stranger;
	zero = peer_create(f->c, (const uint8_t[KEY_LEN]){0});
	assert_non_null(zero);
	zero->trust.exempt = true;
	f->n_sent = 0;
	say(v, CONTROL_VOUCH_ASK, all, VOUCH_MAX);
	say(v, CONTROL_VOUCH_ASK, all, 1);
	assert_int_equal(f->n_sent, 0);
	for (uint8_t i = 0; i < VOUCH_MAX; i++) {
		all[i] = add_listed(f, (uint8_t)(2 + i));
		peer_find(f->c, all[i]->remote)->trust.exempt = true;
	}
	say(v, CONTROL_VOUCH_ASK, all, VOUCH_MAX);
	assert_int_equal(f->n_sent, 1);
	assert_true(f->sent[0].len > DATA_OVERHEAD + CONTROL_HEADER_LEN + VOUCH_MAX * KEY_LEN);
}

static void a_damaged_question_has_no_answer(void **state)
{
	const struct control_msg m = {.type = CONTROL_VOUCH_ASK};
	struct fixture *f = *state;
	struct peer *v = add_confirmed(f, 1);
	const struct peer *one[] = {v};

	f->n_sent = 0;
	vouch_message(v, &m);
	assert_int_equal(f->n_sent, 0);
	/* Nor has any where a key is what makes a member. */
	f->c->party.mode = MODE_KEY;
	say(v, CONTROL_VOUCH_ASK, one, 1);
	assert_int_equal(f->n_sent, 0);
	f->c->party.mode = MODE_PASSPHRASE;
	say(v, CONTROL_VOUCH_ASK, one, 1);
	assert_int_equal(f->n_sent, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_IN(a_word_counts_when_it_was_asked_for),
		TEST_IN(a_word_lives_ten_minutes),
		TEST_IN(a_voucher_answers_for_three),
		TEST_IN(who_lost_his_exemption_is_not_believed),
		TEST_IN(asking_and_answering_have_a_pace),
		TEST_IN(only_a_member_vouches),
		TEST_IN(a_word_about_whom_it_does_not_concern_is_nothing),
		TEST_IN(words_come_in_time_and_about_whom_they_name),
		TEST_IN(the_first_word_stands),
		TEST_IN(words_of_one_member_are_bounded),
		TEST_IN(who_waits_is_asked_about_for_ten_seconds),
		TEST_IN(others_are_not_asked_about),
		TEST_IN(only_who_can_answer_is_asked),
		TEST_IN(a_turn_has_its_size),
		TEST_IN(chance_decides_who_has_his_turn),
		TEST_IN(a_question_is_answered_of_whom_we_confirmed),
		TEST_IN(a_damaged_question_has_no_answer),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
