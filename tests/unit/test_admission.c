/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which handshakes go on in a passphrase community, and what a member's word is worth. */
#include "core/session/send.h"
#include "edge_test.h"

#define MINUTE	 60000u
#define VOUCH_MS (10 * MINUTE)
#define TURN_MS	 250u
#define AGAIN_MS 2000u

static int setup_passphrase(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	start(f, MODE_PASSPHRASE);
	*state = f;
	return 0;
}

static struct peer *add_listed(struct fixture *f, uint8_t number)
{
	struct peer *p = peer_create(f->c, (const uint8_t[KEY_LEN]){number, 1});

	assert_non_null(p);
	p->listed = true;
	return p;
}

/* One with keys; what its end of them is does not matter. */
static struct peer *add_confirmed(struct fixture *f, uint8_t number)
{
	struct peer *p = add_listed(f, number);
	struct session *s = p->session;

	s->origin = (struct origin){.way = {.remote = test_endpoint(number, 500)}};
	keyset_destroy(
		test_keys(f->core, s, s->link.id << 2 | session_free_position(f->core, s), number));
	path_use(f->core, s, &s->origin.way);
	admission_confirmed(p);
	return p;
}

static void spend_all(struct fixture *f)
{
	for (unsigned i = 0; i < GUESSES_PER_MINUTE; i++)
		guesses_spend(&f->c->guesses, (const uint8_t[KEY_LEN]){0xee}, f->core->now_ms);
}

static bool knocks(struct fixture *f, const struct peer *p)
{
	const struct origin from = {.hop_id = 5, .handle = p->remote[0]};

	return admission_answer(f->c, p->remote, &from);
}

static void say(struct peer *p, enum control_type type, const struct peer *about[], uint8_t n)
{
	struct control_vouch v = {.n = n};
	uint8_t buf[CONTROL_MAX_LEN];
	struct control_msg m;
	struct reader r;
	struct writer w;

	for (unsigned i = 0; i < n; i++)
		memcpy(v.static_public[i], about[i]->remote, KEY_LEN);
	writer_init(&w, buf, sizeof(buf));
	control_vouch_encode(&w, type, &v);
	reader_init(&r, buf, writer_len(&w));
	assert_int_equal(control_next(&r, &m), 1);
	vouch_message(p, &m);
}

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
	admission_unconfirmed(f->c, p->remote, began_ms);
	assert_true(p->trust.exempt);
	assert_int_equal(f->c->unfit, 0);
	admission_unconfirmed(f->c, p->remote, f->core->now_ms - 1);
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
	/* Nor is an answer after five seconds one. */
	vouch_want(p);
	vouch_tick(f->c);
	f->core->now_ms += 5000;
	say(v, CONTROL_VOUCH, one, 1);
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
		admission_unconfirmed(f->c, p[i]->remote, f->core->now_ms);
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

#define TEST_IN(name) cmocka_unit_test_setup_teardown(name, setup_passphrase, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_IN(who_confirmed_is_exempt_until_one_fails),
		TEST_IN(what_fails_beside_a_confirmation_means_nothing),
		TEST_IN(what_an_earlier_run_knew_has_one_handshake),
		TEST_IN(a_word_counts_when_it_was_asked_for),
		TEST_IN(a_word_lives_ten_minutes),
		TEST_IN(a_voucher_answers_for_three),
		TEST_IN(who_lost_his_exemption_is_not_believed),
		TEST_IN(asking_and_answering_have_a_pace),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
