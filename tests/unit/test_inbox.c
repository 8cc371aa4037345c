/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notes of strangers: envelopes, whom they are for, what is opened again and what is not; first
 * packets of handshakes; and what all of them may cause.
 */
#include "inbox_test.h"

/* ---- envelopes ---- */

static void what_a_worker_opened_is_not_opened_again(void **state)
{
	struct fixture *f = *state;
	struct knock k;

	knock(f, &k, HOST);
	note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
	take(f);
	assert_int_equal(opened, 0);
	keyset_destroy(take_answer(f, &k));
	assert_int_equal(f->asked, 1);
	assert_drops(f, DROP_RATE, 0);
}

static bool never_fresh(struct node *n, const struct session *s, uint64_t freshness)
{
	(void)n;
	(void)s;
	return freshness == UINT64_MAX;
}

static bool always_fresh(struct node *n, const struct session *s, uint64_t freshness)
{
	(void)n;
	(void)s;
	return freshness != UINT64_MAX;
}

/* A role that remembers what it has answered is asked before anything is. */
static void what_is_not_fresh_is_not_answered(void **state)
{
	static struct role remembers;
	struct fixture *f = *state;
	struct knock k;

	remembers = role;
	f->rig.node.role = &remembers;
	for (unsigned i = 0; i < 2; i++) {
		remembers.fresh = i == 0 ? never_fresh : always_fresh;
		knock(f, &k, HOST);
		note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
		take(f);
		assert_int_equal(drops(f, DROP_STALE), 1);
		assert_int_equal(f->asked, i);
		assert_int_equal(f->rig.n_sent, i);
	}
}

/* The other side's answer to an attempt of ours, opened by a worker. */
static size_t answer_of_peer(struct fixture *f, uint8_t out[ENVELOPE_MAX_LEN])
{
	const struct attempt *a = f->known->attempt;
	const struct msg_init init = {a->index, f->self.key_index, a->msg1, a->msg1_len, NULL};
	struct msg_response m = {.sender = 77 << 2, .receiver = a->index};
	struct handshake_result result;
	uint8_t noise[NOISE_MAX];
	struct answer read;

	assert_int_equal(answer_read(&read, &f->peer, &init), 0);
	assert_int_equal(answer_write(&read, &f->peer, m.sender, m.receiver, 1, noise, &m.noise_len,
				 &result, &f->core->io.random),
		0);
	m.noise = noise;
	return answer_datagram(&f->peer, f->self.self.public, &m, out, &f->core->io.random);
}

static void begin_attempt(struct fixture *f)
{
	session_want(f->core, f->known);
	(void)attempt_tick(f->core, f->known, true);
	assert_non_null(f->known->attempt);
}

static void an_answer_ends_the_attempt_it_is_for(void **state)
{
	uint8_t datagram[ENVELOPE_MAX_LEN];
	struct fixture *f = *state;
	struct session *s = add_session(f);
	size_t len;

	begin_attempt(f);
	len = answer_of_peer(f, datagram);
	/* A supernode begins nothing, so nothing is an answer to it. */
	f->listener[0].to.kind = TO_SUPERNODE;
	note_opened(f, datagram, len, f->self.env_key, HOST);
	take(f);
	assert_drops(f, DROP_MALFORMED, 1);
	assert_non_null(s->attempt);
	f->listener[0].to.kind = TO_PEER;
	note_opened(f, datagram, len, f->self.env_key, HOST);
	take(f);
	assert_int_equal(opened, 0);
	assert_int_equal(f->effects, SESSION_KEYED);
	assert_null(s->attempt);
	assert_non_null(s->current);
	assert_int_equal(f->asked, 1);			  /* its key is not proved yet */
	assert_true(f->rig.n_sent >= 1 && f->looks == 1); /* which the first packet does */
	/* Again: there is no attempt any more. */
	note_opened(f, datagram, len, f->self.env_key, HOST);
	take(f);
	assert_int_equal(drops(f, DROP_UNKNOWN), 1);
	assert_int_equal(f->n_effects, 1);
}

/* Our own address at which it came is the one to leave from. */
static void an_answer_tells_which_address_of_ours_is_reached(void **state)
{
	uint8_t datagram[ENVELOPE_MAX_LEN];
	struct fixture *f = *state;
	struct session *s = add_session(f);
	const struct endpoint ours = test_endpoint(200, PORT);
	size_t len;

	begin_attempt(f);
	len = answer_of_peer(f, datagram);
	note_opened(f, datagram, len, f->self.env_key, HOST);
	f->note.origin.way.local = ours;
	take(f);
	assert_non_null(s->current);
	assert_true(endpoint_equal(&s->origin.way.local, &ours));
}

/* It is as genuine, but who repeated it may be anybody: nothing is sent there. */
static void an_answer_from_elsewhere_leads_nothing_there(void **state)
{
	uint8_t datagram[ENVELOPE_MAX_LEN];
	struct fixture *f = *state;
	struct session *s = add_session(f);
	const struct origin asked = from_host(HOST);
	size_t len;

	begin_attempt(f);
	len = answer_of_peer(f, datagram);
	note_opened(f, datagram, len, f->self.env_key, HOST + 1);
	take(f);
	assert_non_null(s->current);
	assert_true(way_same_remote(&s->origin.way, &asked.way));
	assert_true(f->rig.n_sent >= 1);
	for (unsigned i = 0; i < f->rig.n_sent; i++)
		assert_true(way_same_remote(&f->rig.sent[i].way, &asked.way));
}

/* Each attempt of ours may be answered wrongly by whoever saw it: that costs, and has an end. */
static void wrong_answers_are_bounded(void **state)
{
	uint8_t datagram[ENVELOPE_MAX_LEN];
	struct fixture *f = *state;
	struct session *s = add_session(f);
	size_t len;

	begin_attempt(f);
	len = answer_of_peer(f, datagram);
	for (unsigned i = 0; i < 1500; i++) {
		note_opened(f, datagram, len, f->self.env_key, HOST);
		f->note.data[30] ^= 1;
		take(f);
	}
	assert_int_equal(drops(f, DROP_AUTH), 1000);
	assert_int_equal(drops(f, DROP_RATE), 500);
	f->core->now_ms += 1;
	note_opened(f, datagram, len, f->self.env_key, HOST);
	take(f);
	assert_non_null(s->current);
}

static void an_answer_that_is_not_admitted_makes_no_keys(void **state)
{
	uint8_t datagram[ENVELOPE_MAX_LEN];
	struct fixture *f = *state;
	struct session *s = add_session(f);
	size_t len;

	begin_attempt(f);
	f->admits = false;
	len = answer_of_peer(f, datagram);
	note_opened(f, datagram, len, f->self.env_key, HOST);
	take(f);
	assert_null(s->current);
	assert_non_null(s->attempt);
	assert_drops(f, DROP_RATE, 1);
	/* It is still good when admission follows. */
	f->admits = true;
	note_opened(f, datagram, len, f->self.env_key, HOST);
	take(f);
	assert_non_null(s->current);
	assert_int_equal(f->asked, 2);
}

static void what_is_for_nobody_here_is_dropped(void **state)
{
	struct fixture *f = *state;
	struct knock k;

	knock(f, &k, HOST);
	for (unsigned what = 0; what < 4; what++) {
		note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
		/* A community that is gone, another of its index or kind; and nobody at all. */
		f->note.to.generation += what == 0;
		f->note.to.community = (uint8_t)(f->note.to.community + (what == 1));
		if (what == 2)
			f->note.to.kind = TO_HOP;
		f->n_listeners = what < 3;
		take(f);
		assert_int_equal(f->rig.n_sent, 0);
		assert_drops(f, DROP_UNKNOWN, what + 1);
	}
	assert_int_equal(f->asked, 0);
	assert_int_equal(opened, 0);
}

static void each_kind_of_addressee_takes_its_own_messages(void **state)
{
	static const struct {
		uint8_t to, type;
		bool taken;
	} row[] = {
		{TO_PEER, PACKET_INIT, true},
		{TO_SUPERNODE, PACKET_INIT, true},
		{TO_HOP, PACKET_INIT, false},
		{TO_PEER, PACKET_RESPONSE, true},
		{TO_HOP, PACKET_RESPONSE, true},
		{TO_SUPERNODE, PACKET_RESPONSE, false},
		{TO_PEER, PACKET_HELLO, false},
		{TO_SUPERNODE, PACKET_COOKIE, false},
	};
	struct fixture *f = *state;
	struct knock k;
	uint64_t malformed = 0;

	knock(f, &k, HOST);
	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint64_t other;

		f->listener[0].to.kind = row[i].to;
		note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
		/* The Noise message is damaged: what is taken fails later, by its tag. */
		f->note.data[0] = (uint8_t)(row[i].type << 4);
		f->note.data[60] ^= 1;
		other = drops(f, DROP_AUTH);
		take(f);
		malformed += !row[i].taken;
		if (row[i].type == PACKET_INIT && row[i].taken)
			assert_int_equal(drops(f, DROP_AUTH), other + 1);
		assert_int_equal(f->rig.n_sent, 0);
		if (row[i].type == PACKET_RESPONSE && row[i].taken)
			malformed += drops(f, DROP_MALFORMED) > malformed; /* not its layout */
		assert_int_equal(drops(f, DROP_MALFORMED), malformed);
	}
	/* Whoever asks everybody is answered by the role, whatever it says. */
	f->listener[0].to.kind = TO_ANY;
	note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
	take(f);
	assert_int_equal(f->hellos, 1);
}

static void a_stub_of_an_envelope_is_dropped(void **state)
{
	struct fixture *f = *state;

	for (size_t len = 0; len < TAG_LEN + 4; len++) {
		begin_note(f, NOTE_ENVELOPE, HOST);
		memset(f->note.data, 0x10, TAG_LEN + 4);
		f->note.len = len;
		take(f);
		assert_int_equal(f->rig.n_sent, 0);
	}
	assert_drops(f, DROP_MALFORMED, TAG_LEN + 4);
}

/* Its view was too old to have our key. */
static void a_late_envelope_is_opened_here(void **state)
{
	struct fixture *f = *state;
	struct knock k;

	knock(f, &k, HOST);
	note_raw(f, k.datagram, k.len, HOST);
	f->note.tried = f->rig.node.env_version - 1;
	take(f);
	assert_int_equal(opened, 1);
	keyset_destroy(take_answer(f, &k));
	assert_drops(f, DROP_UNKNOWN, 0);
}

static void what_was_tried_under_all_keys_is_not_tried_again(void **state)
{
	struct fixture *f = *state;
	struct knock k;

	knock(f, &k, HOST);
	note_raw(f, k.datagram, k.len, HOST);
	take(f);
	assert_int_equal(opened, 0);
	assert_int_equal(f->rig.n_sent, 0);
	assert_int_equal(f->asks, 1); /* it may answer a question of the role's */
	assert_drops(f, DROP_UNKNOWN, 1);
	f->answers = true;
	take(f);
	assert_int_equal(f->asks, 2);
	assert_drops(f, DROP_UNKNOWN, 1);
}

static void lengths_of_no_envelope_are_not_tried(void **state)
{
	static const size_t lens[] = {
		DATAGRAM_MIN_LEN, ENVELOPE_MIN_LEN - 1, ENVELOPE_MAX_LEN + 1, DATAGRAM_MAX};
	struct fixture *f = *state;

	for (unsigned i = 0; i < 4; i++) {
		begin_note(f, NOTE_UNKNOWN, HOST);
		memset(f->note.data, 0x77, SLOT_LEN);
		f->note.len = lens[i];
		f->note.tried = 0;
		take(f);
	}
	assert_int_equal(opened, 0);
	assert_int_equal(f->asks, 0);
	assert_drops(f, DROP_UNKNOWN, 4);
	/* And of no datagram: no word of it. */
	f->note.len = DATAGRAM_MIN_LEN - 1;
	take(f);
	f->note.len = DATAGRAM_MAX + 1;
	take(f);
	assert_drops(f, DROP_UNKNOWN, 4);
	assert_int_equal(f->budget, 4);
}

/* ---- the first packet of a handshake that we answered ---- */

static void the_first_packet_confirms_and_is_worked_on(void **state)
{
	uint8_t plain[64];
	struct fixture *f = *state;
	struct data_header h = {.kind = KIND_CONTROL};
	struct keyset *keys;
	struct slice answer;
	struct knock k;

	knock(f, &k, HOST);
	note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
	take(f);
	keys = take_answer(f, &k);
	f->refuses = true; /* no stranger's: it has a known index */
	begin_note(f, NOTE_UNKNOWN, HOST);
	seal_as(f, keys, h, plain, bye(plain), f->mask);
	take(f);
	assert_int_equal(f->created, 1);
	assert_int_equal(f->effects, SESSION_CONFIRMED | SESSION_FIRST);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
	assert_true(f->known->confirmed);
	/* Back the way it came, so that the other side knows too. */
	assert_true(f->rig.n_sent >= 1);
	assert_true(way_same_remote(&f->rig.sent[0].way, &f->note.origin.way));
	answer = rig_open(&f->rig, keys, f->rig.sent[0].data, f->rig.sent[0].len, &h);
	assert_true(h.kind == KIND_CONTROL && control_is_empty(answer.data, answer.len));
	keyset_destroy(keys);
}

static void without_room_for_a_session_the_handshake_ends(void **state)
{
	struct fixture *f = *state;
	struct role full = role;
	struct keyset *keys;
	struct knock k;

	full.create = find; /* which finds none */
	knock(f, &k, HOST);
	note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
	take(f);
	keys = take_answer(f, &k);
	f->rig.node.role = &full;
	begin_note(f, NOTE_UNKNOWN, HOST);
	seal_as(f, keys, (struct data_header){.kind = KIND_ETHERNET}, NULL, 0, f->mask);
	take(f);
	assert_int_equal(f->n_effects, 0);
	assert_int_equal(f->rig.n_sent, 0);
	assert_null(embryo_by_index(&f->core->embryos, keys->tx.index));
	keyset_destroy(keys);
}

/* ---- cookies ---- */

static void note_cookie(struct fixture *f, uint8_t host)
{
	const struct attempt *a = f->known->attempt;
	const struct msg_cookie m = {
		.receiver = a->index, .reason = COOKIE_STALE, .cookie = {1, 2, 3}};
	uint8_t body[ENVELOPE_BODY_MAX];
	size_t len = msg_cookie_encode(body, sizeof(body), &m);

	begin_note(f, NOTE_UNKNOWN, host);
	envelope_seal(
		f->note.data, body, len, a->sent_tag, TAG_LEN, a->env_key, &f->core->io.random);
	f->note.len = len + ENVELOPE_OVERHEAD;
}

static void a_cookie_is_shown_at_once(void **state)
{
	static const uint8_t cookie[COOKIE_LEN] = {1, 2, 3};
	struct fixture *f = *state;
	struct session *s = add_session(f);

	begin_attempt(f);
	f->core->now_ms += 10;
	note_cookie(f, HOST + 1); /* not where it was sent */
	take(f);
	assert_int_equal(f->rig.n_sent, 0);
	assert_drops(f, DROP_UNKNOWN, 1);
	note_cookie(f, HOST);
	f->note.data[30] ^= 1;
	take(f);
	assert_drops(f, DROP_UNKNOWN, 2);
	note_cookie(f, HOST);
	take(f);
	assert_memory_equal(s->attempt->cookie, cookie, COOKIE_LEN);
	assert_int_equal(f->rig.n_sent, 1);
	assert_true(way_same_remote(&f->rig.sent[0].way, &s->route.direct));
	assert_drops(f, DROP_UNKNOWN, 2);
}

/* Sent through the relay, it may be answered by where the peer was reached last. */
static void a_cookie_may_come_beside_the_relay(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_session(f);
	struct session *hop = session_create(f->core, LINK_HOP, &f->self, 0, (uint8_t[KEY_LEN]){5});

	assert_non_null(hop);
	begin_attempt(f);
	s->route.relay = &hop->link;
	s->route.handle = 66;
	note_cookie(f, HOST + 1);
	take(f);
	note_cookie(f, HOST);
	f->note.origin = (struct origin){.hop_id = hop->link.id, .handle = 67};
	take(f);
	assert_true(crypto_is_zero(s->attempt->cookie, COOKIE_LEN));
	note_cookie(f, HOST);
	take(f);
	assert_false(crypto_is_zero(s->attempt->cookie, COOKIE_LEN));
	memset(s->attempt->cookie, 0, COOKIE_LEN);
	note_cookie(f, HOST);
	f->note.origin = (struct origin){.hop_id = hop->link.id, .handle = 66};
	take(f);
	assert_false(crypto_is_zero(s->attempt->cookie, COOKIE_LEN));
}

/* ---- peers of an earlier run ---- */

/* It sends on under keys that we have forgotten: a handshake tells it. */
static void who_sends_under_forgotten_keys_is_woken(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_keyed(f);

	/* As long as there are keys, it is noise. */
	for (unsigned what = 0; what < 5; what++) {
		f->far->tx.index ^= 1 << 8; /* unknown */
		send_packet_as_peer(f, KIND_ETHERNET, NULL, 0, f->mask);
		f->far->tx.index ^= 1 << 8;
		if (what == 1) /* from elsewhere */
			f->note.origin = from_host(HOST + 1);
		if (what == 2) /* relayed */
			f->note.origin.hop_id = 5;
		f->listener[0].to.kind = what == 3 ? TO_HOP : TO_PEER;
		f->listener[0].self = what == 4 ? &f->peer : &f->self;
		take(f);
		assert_int_equal(f->rig.n_sent, 0);
		assert_drops(f, DROP_UNKNOWN, what + 1);
		if (what == 0)
			session_forget_keys(f->core, s);
	}
	f->listener[0].self = &f->self;
	send_packet_as_peer(f, KIND_ETHERNET, NULL, 0, f->mask);
	take(f);
	assert_non_null(s->attempt);
	assert_int_equal(f->rig.n_sent, 1);
	assert_true(way_same_remote(&f->rig.sent[0].way, &s->route.direct));
	assert_drops(f, DROP_UNKNOWN, 5);
	/* Not again for each of its packets. */
	send_packet_as_peer(f, KIND_ETHERNET, NULL, 0, f->mask);
	take(f);
	assert_int_equal(f->rig.n_sent, 0);
}

/* ---- budgets ---- */

static void strangers_are_worked_on_within_budget_only(void **state)
{
	struct fixture *f = *state;
	struct knock k;

	refuse(f);
	knock(f, &k, HOST);
	note_raw(f, k.datagram, k.len, HOST);
	f->note.tried = 0;
	take(f);
	begin_note(f, NOTE_UNKNOWN, HOST);
	memset(f->note.data, 0x5a, 100);
	f->note.len = 100;
	take(f);
	assert_int_equal(f->budget, 2);
	assert_drops(f, DROP_RATE, 2);
	assert_int_equal(opened, 0);
	assert_int_equal(f->rig.n_sent, 0);
	assert_int_equal(f->asked + f->asks, 0);
}

/* ---- frames that wait ---- */

static void a_frame_goes_to_the_role_and_what_is_due_is_looked_at(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_session(f);
	struct role deaf = role;

	begin_note(f, NOTE_FRAME, HOST);
	f->note.index = s->link.id;
	f->note.len = frame_of(OWNED, f->note.data);
	take(f);
	assert_int_equal(f->frames, 1);
	assert_int_equal(f->frame.index, s->link.id);
	assert_int_equal(f->frame.to.community, COMMUNITY);
	assert_int_equal(f->frame.to.generation, GENERATION);
	assert_int_equal(f->frame.len, 60);
	assert_memory_equal(f->frame.data, f->note.data, 60);
	assert_int_equal(f->looks, 1); /* it was due since it was made */
	take(f);
	assert_int_equal(f->looks, 1);
	/* A supernode has no frames. */
	deaf.frame = NULL;
	f->rig.node.role = &deaf;
	take(f);
	assert_int_equal(f->frames, 2);
}

/* One clock: whoever enters sets it. */
static void a_note_brings_the_time(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_keyed(f);

	begin_note(f, NOTE_HEARD, HOST);
	f->note.index = s->link.id << 2 | 1;
	node_note(&f->rig.node, &f->note, START_MS + 777);
	assert_int_equal(f->core->now_ms, START_MS + 777);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_worker_opened_is_not_opened_again),
		TEST(what_is_not_fresh_is_not_answered),
		TEST(an_answer_ends_the_attempt_it_is_for),
		TEST(an_answer_tells_which_address_of_ours_is_reached),
		TEST(an_answer_from_elsewhere_leads_nothing_there),
		TEST(wrong_answers_are_bounded),
		TEST(an_answer_that_is_not_admitted_makes_no_keys),
		TEST(what_is_for_nobody_here_is_dropped),
		TEST(each_kind_of_addressee_takes_its_own_messages),
		TEST(a_stub_of_an_envelope_is_dropped),
		TEST(a_late_envelope_is_opened_here),
		TEST(what_was_tried_under_all_keys_is_not_tried_again),
		TEST(lengths_of_no_envelope_are_not_tried),
		TEST(the_first_packet_confirms_and_is_worked_on),
		TEST(without_room_for_a_session_the_handshake_ends),
		TEST(a_cookie_is_shown_at_once),
		TEST(a_cookie_may_come_beside_the_relay),
		TEST(who_sends_under_forgotten_keys_is_woken),
		TEST(strangers_are_worked_on_within_budget_only),
		TEST(a_frame_goes_to_the_role_and_what_is_due_is_looked_at),
		TEST(a_note_brings_the_time),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
