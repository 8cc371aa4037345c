/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A community's way to its supernode: asked for its key, registered, kept up, left for the next. */
#include "edge_test.h"

#define LOST_MS 6000u
#define HANDLE	0x1234u

static enum supernode_state state_of(const struct fixture *f)
{
	return f->c->hop.state;
}

/* ---- coming up ---- */

static void it_waits_for_an_address(void **state)
{
	struct fixture *f = *state;

	run(f, 1000);
	assert_int_equal(state_of(f), SUPERNODE_UNRESOLVED);
	assert_int_equal(edge_add_supernode(f->e, f->fake[0].party.self.public, NULL), 0);
	run(f, 20000);
	assert_int_equal(state_of(f), SUPERNODE_UNRESOLVED);
	assert_int_equal(f->n_sent, 0);
	edge_supernode_resolved(f->e, 0, &f->fake[0].at, 1);
	tick(f);
	assert_int_equal(state_of(f), SUPERNODE_HANDSHAKE);
	assert_int_equal(f->events[EVENT_SUPERNODE_SILENT], 0);
}

static void with_its_key_it_registers_at_once(void **state)
{
	struct fixture *f = *state;
	const struct endpoint seen = observed();
	struct fake *s = &f->fake[0];
	uint8_t proof[16];

	add_supernode(f, 0, true, false);
	run(f, 2 * TICK_MS);
	assert_int_equal(s->inits, 1);
	assert_int_equal(s->hellos, 0);
	assert_int_equal(state_of(f), SUPERNODE_REGISTERING);
	assert_int_equal(s->n[CONTROL_REGISTER], 1);
	assert_memory_equal(s->registration.tag, f->c->party.tag, COMMUNITY_TAG_LEN);
	assert_memory_equal(s->registration.static_public, f->c->party.self.public, KEY_LEN);
	assert_int_equal(s->registration.incarnation, f->c->party.incarnation);
	assert_int_equal(s->registration.roster_version, 0);
	assert_int_equal(party_register_proof(proof, s->party.self.secret, f->c->party.self.public,
				 s->k->hash, f->c->party.tag, f->c->party.self.public),
		0);
	assert_memory_equal(s->registration.proof, proof, sizeof(proof));
	fake_registered(f, s, REGISTER_OK, HANDLE, &seen);
	assert_int_equal(state_of(f), SUPERNODE_UP);
	assert_int_equal(f->c->hop.handle, HANDLE);
	assert_int_equal(f->events[EVENT_SUPERNODE_UP], 1);
	assert_int_equal(f->last[EVENT_SUPERNODE_UP].value, HANDLE);
	assert_int_equal(f->last[EVENT_SUPERNODE_UP].supernode, 0);
	assert_true(endpoint_equal(&f->last[EVENT_SUPERNODE_UP].remote, &s->at));
	assert_true(endpoint_equal(&f->last[EVENT_SUPERNODE_UP].observed, &seen));
	assert_int_equal(f->events[EVENT_SUPERNODE_KEY], 1);
	/* Repeated word of it is no news. */
	fake_registered(f, s, REGISTER_OK, HANDLE, &seen);
	assert_int_equal(f->events[EVENT_SUPERNODE_UP], 1);
	fake_registered(f, s, REGISTER_OK, HANDLE + 1, &seen);
	assert_int_equal(f->events[EVENT_SUPERNODE_UP], 2);
	assert_int_equal(f->events[EVENT_SUPERNODE_KEY], 1);
	assert_int_equal(f->c->hop.handle, HANDLE + 1);
}

static void registering_is_repeated_until_acknowledged(void **state)
{
	struct fixture *f = *state;
	struct fake *s = &f->fake[0];

	s->never_acks = true;
	add_supernode(f, 0, true, false);
	run(f, 4000);
	assert_in_range(s->n[CONTROL_REGISTER], 3, 5);
	s->never_acks = false;
	run(f, 4000);
	assert_in_range(s->n[CONTROL_REGISTER], 4, 6);
	assert_int_equal(state_of(f), SUPERNODE_REGISTERING);
}

static void note_supernode(void *ctx, const struct status_supernode *s)
{
	struct status_supernode *all = ctx;

	all[s->index] = *s;
}

static void ignore_peer(void *ctx, const struct status_peer *p)
{
	(void)ctx, (void)p;
}

static void ignore_community(void *ctx, const struct status_community *c)
{
	(void)ctx, (void)c;
}

static void look(const struct fixture *f, struct status_supernode all[FAKES])
{
	const struct status_sink sink = {all, ignore_community, ignore_peer, note_supernode};

	edge_status(f->e, f->core->now_ms, &sink);
}

/* It says goodbye, goes on to the next one, and comes back to nobody who refused it just now. */
static void a_refusal_is_told_and_leads_on(void **state)
{
	struct status_supernode all[FAKES];
	struct fixture *f = *state;
	const struct endpoint seen = observed();
	unsigned at;

	add_supernode(f, 0, true, false);
	add_supernode(f, 1, true, false);
	run(f, 2 * TICK_MS);
	f->n_sent = f->n_heard = 0;
	fake_registered(f, &f->fake[0], REGISTER_COMMUNITY_FULL, HANDLE, &seen);
	assert_int_equal(f->c->hop.handle, 0);
	assert_int_equal(f->events[EVENT_SUPERNODE_REFUSED], 1);
	assert_int_equal(f->last[EVENT_SUPERNODE_REFUSED].value, REGISTER_COMMUNITY_FULL);
	assert_int_equal(community_state(f->c), COMMUNITY_REFUSED);
	exchange(f);
	assert_int_equal(f->fake[0].n[CONTROL_UNREGISTER], 1);
	run(f, 3 * TICK_MS);
	assert_int_equal(state_of(f), SUPERNODE_REGISTERING);
	assert_int_equal(f->c->hop.supernode, 1);
	look(f, all);
	assert_int_equal(all[0].state, SUPERNODE_REFUSED);
	assert_int_equal(all[0].refused, REGISTER_COMMUNITY_FULL);
	assert_in_range(all[0].retry_ms, 3000, 6000);
	assert_int_equal(all[1].state, SUPERNODE_REGISTERING);
	assert_int_equal(all[1].refused, REGISTER_OK);
	/* An unknown one is a refusal as well. */
	fake_registered(f, &f->fake[1], 77, HANDLE, &seen);
	assert_int_equal(f->events[EVENT_SUPERNODE_REFUSED], 2);
	run(f, 2000);
	assert_int_equal(state_of(f), SUPERNODE_UNRESOLVED);
	assert_int_equal(community_state(f->c), COMMUNITY_REFUSED);
	assert_int_equal(f->events[EVENT_SUPERNODE_SILENT], 0);
	assert_string_equal(register_refusal_name(all[0].refused), "community-full");
	/* In the end there is room; nothing of it is left. */
	run(f, 5000);
	assert_int_equal(state_of(f), SUPERNODE_REGISTERING);
	at = f->c->hop.supernode;
	fake_registered(f, &f->fake[at], REGISTER_OK, HANDLE, &seen);
	assert_int_equal(state_of(f), SUPERNODE_UP);
	look(f, all);
	assert_int_equal(all[at].state, SUPERNODE_UP);
	assert_int_equal(all[at].refused, REGISTER_OK);
	assert_int_equal(all[1 - at].state, SUPERNODE_REFUSED);
}

/* No keys come of it: nothing is said under them, and it is not registered there. */
static void a_refused_handshake_is_told_and_makes_no_session(void **state)
{
	struct fixture *f = *state;
	struct fake *s = &f->fake[0];

	s->refuses = REGISTER_IDENTITY_TWICE;
	add_supernode(f, 0, true, false);
	run(f, 3 * TICK_MS);
	assert_int_equal(s->inits, 1);
	assert_false(s->k->confirmed);
	assert_int_equal(s->n[CONTROL_REGISTER], 0);
	assert_int_equal(f->events[EVENT_SUPERNODE_REFUSED], 1);
	assert_int_equal(f->last[EVENT_SUPERNODE_REFUSED].value, REGISTER_IDENTITY_TWICE);
	assert_int_equal(f->last[EVENT_IDENTITY_TWICE].value, TWICE_US);
	assert_null(f->c->hop.session);
	assert_int_equal(community_state(f->c), COMMUNITY_REFUSED);
}

/* Asked again after 5 s, 10 s, ... up to 320 s, and not a packet in between; told once. */
static void who_refuses_is_asked_less_and_less(void **state)
{
	struct fixture *f = *state;
	const struct endpoint seen = observed();
	struct fake *s = &f->fake[0];

	add_supernode(f, 0, true, false);
	run(f, 2 * TICK_MS);
	for (unsigned i = 0; i < 9; i++) {
		const unsigned pause = 5000u << (i < 6 ? i : 6);
		const unsigned inits = s->inits;
		const uint64_t at_ms = f->core->now_ms;

		fake_registered(f, s, REGISTER_SUPERNODE_FULL, HANDLE, &seen);
		while (s->inits == inits && f->core->now_ms < at_ms + 500000)
			tick(f);
		assert_in_range(f->core->now_ms - at_ms, pause * 8 / 10, pause * 12 / 10 + 200);
		run(f, 2 * TICK_MS);
		assert_int_equal(state_of(f), SUPERNODE_REGISTERING);
	}
	assert_int_equal(f->events[EVENT_SUPERNODE_REFUSED], 1);
	fake_registered(f, s, REGISTER_ADDRESS_LIMIT, HANDLE, &seen);
	assert_int_equal(f->events[EVENT_SUPERNODE_REFUSED], 2);
	assert_int_equal(f->events[EVENT_SUPERNODE_SILENT], 0);
}

/* Up, and thrown out: its place has no room for it. */
static void a_refusal_ends_a_registration(void **state)
{
	struct fixture *f = *state;
	const struct endpoint seen = observed();

	go_up(f, HANDLE);
	fake_registered(f, &f->fake[0], REGISTER_ADDRESS_LIMIT, HANDLE, &seen);
	assert_int_equal(state_of(f), SUPERNODE_UNRESOLVED);
	assert_int_equal(f->c->hop.handle, 0);
	assert_null(f->c->hop.session);
}

/* ---- which key has it? ---- */

static void without_a_key_it_asks_and_goes_on_asking(void **state)
{
	static const unsigned pauses[] = {400, 800, 1600, 2000};
	struct fixture *f = *state;
	struct fake *s = &f->fake[0];
	uint64_t last_ms = START_MS + TICK_MS;

	add_supernode(f, 0, false, false);
	tick(f);
	assert_int_equal(state_of(f), SUPERNODE_HELLO);
	assert_int_equal(s->hellos, 1);
	for (unsigned i = 0; i < 4; i++) {
		unsigned before = s->hellos;

		while (s->hellos == before && f->core->now_ms < last_ms + 3000)
			tick(f);
		assert_int_equal(f->core->now_ms - last_ms, pauses[i]);
		last_ms = f->core->now_ms;
	}
	s->answers_hello = true;
	run(f, 3000);
	assert_int_equal(state_of(f), SUPERNODE_REGISTERING);
	assert_int_equal(s->inits, 1);
	assert_memory_equal(f->c->hop.session->remote, s->party.self.public, KEY_LEN);
	assert_false(f->e->supernode[0].has_key); /* until registered */
	assert_int_equal(f->events[EVENT_SUPERNODE_KEY_CHANGED], 0);
}

/* An answer names what it answers: who did not see our question cannot have. */
static void only_an_answer_to_the_last_questions_counts(void **state)
{
	struct fixture *f = *state;
	struct fake *s = &f->fake[0];
	uint8_t tag[3][TAG_LEN];

	add_supernode(f, 0, false, false);
	for (unsigned i = 0; i < 3; i++) {
		const struct sent *d = &f->sent[0];

		do {
			tick(f);
		} while (f->n_sent == 0);
		memcpy(tag[i], d->data + d->len - TAG_LEN, TAG_LEN);
	}
	fake_hello(f, s, tag[0], s->party.self.public); /* of the one before the last two */
	tag[2][0] ^= 1;
	fake_hello(f, s, tag[2], s->party.self.public);
	tag[2][0] ^= 1;
	fake_hello(f, &f->fake[1], tag[2], s->party.self.public); /* from another address */
	assert_null(f->c->hop.session);
	fake_hello(f, s, tag[1], s->party.self.public);
	assert_non_null(f->c->hop.session);
	assert_int_equal(state_of(f), SUPERNODE_HANDSHAKE);
}

/* Silence to a handshake: has it got another key? With one that was given, that is only said. */
static void another_key_than_the_given_one_is_not_used(void **state)
{
	struct fixture *f = *state;
	struct fake *s = &f->fake[0];
	uint8_t tag[TAG_LEN];

	s->silent = true;
	add_supernode(f, 0, true, false);
	run(f, 1500);
	assert_int_equal(s->hellos, 0);
	while (s->hellos == 0 && f->core->now_ms < START_MS + 4000)
		tick(f);
	assert_in_range(f->core->now_ms, START_MS + 1600, START_MS + 1700);
	memcpy(tag, f->e->community[0]->hop.hello.tag[0], TAG_LEN);
	for (unsigned i = 0; i < 3; i++)
		fake_hello(f, s, tag, f->fake[1].party.self.public);
	assert_int_equal(f->events[EVENT_SUPERNODE_KEY_MISMATCH], 1);
	assert_memory_equal(f->e->supernode[0].key, s->party.self.public, KEY_LEN);
	assert_int_equal(state_of(f), SUPERNODE_HANDSHAKE);
	/* It was a lie: the right one answers after all. */
	s->silent = false;
	run(f, 3000);
	assert_int_equal(state_of(f), SUPERNODE_REGISTERING);
	assert_false(f->e->supernode[0].mismatch);
}

/* Silence to a handshake with the right key: is our clock wrong? */
static void the_freshness_that_it_tells_is_used(void **state)
{
	struct fixture *f = *state;
	struct fake *s = &f->fake[0];

	s->silent = true;
	s->tells = UINT64_C(0x7000000000000000);
	add_supernode(f, 0, true, false);
	while (s->hellos == 0)
		tick(f);
	fake_hello(
		f, s, f->c->hop.hello.tag[0], f->fake[1].party.self.public); /* not by this one */
	assert_int_equal(f->c->hop.session->told_freshness, 0);
	while (s->hellos == 1)
		tick(f);
	fake_hello(f, s, f->c->hop.hello.tag[0], s->party.self.public);
	assert_int_equal(f->c->hop.session->told_freshness, s->tells);
	s->silent = false;
	run(f, 2 * TICK_MS);
	assert_int_equal(state_of(f), SUPERNODE_REGISTERING);
	assert_int_equal(s->freshness, s->tells);
	session_want(f->core, f->c->hop.session);
	run(f, 2000);
	assert_int_equal(s->freshness, s->tells + 1);
	assert_true(f->core->freshness < s->tells);
}

/* While it is up nothing is learnt of a key, and of freshness only when an attempt is unanswered.
 */
static void hello_tells_one_that_is_up_little(void **state)
{
	struct fixture *f = *state;
	const struct endpoint seen = observed();
	struct fake *s = &f->fake[0];
	struct session *session;

	s->answers_hello = true;
	s->tells = 77;
	add_supernode(f, 0, false, false);
	run(f, 1500);
	fake_registered(f, s, REGISTER_OK, HANDLE, &seen);
	assert_int_equal(state_of(f), SUPERNODE_UP);
	session = f->c->hop.session;
	s->answers_hello = false;
	s->hellos = 0;
	s->tells = 99;
	fake_hello(f, s, f->c->hop.hello.tag[0], s->party.self.public);
	assert_int_equal(session->told_freshness, 78);
	s->silent = true;
	session_want(f->core, session);
	while (s->hellos == 0)
		tick(f);
	fake_hello(f, s, f->c->hop.hello.tag[0], f->fake[1].party.self.public);
	assert_int_equal(session->told_freshness, 79);
	assert_memory_equal(f->e->supernode[0].key, s->party.self.public, KEY_LEN);
	while (s->hellos == 1)
		tick(f);
	fake_hello(f, s, f->c->hop.hello.tag[0], s->party.self.public);
	assert_int_equal(session->told_freshness, 99);
	/* The next not before the attempt under way had its time. */
	s->tells = 200;
	fake_hello(f, s, f->c->hop.hello.tag[0], s->party.self.public);
	run(f, 1300);
	assert_int_equal(session->told_freshness, 100);
	run(f, 400);
	assert_int_equal(session->told_freshness, 201);
	assert_ptr_equal(f->c->hop.session, session);
	assert_int_equal(state_of(f), SUPERNODE_UP);
}

static void a_remembered_key_gives_way_and_that_is_told(void **state)
{
	struct fixture *f = *state;
	const struct endpoint seen = observed();
	struct fake *s = &f->fake[0];

	assert_int_equal(edge_add_supernode(f->e, NULL, f->fake[1].party.self.public), 0);
	edge_supernode_resolved(f->e, 0, &s->at, 1);
	s->answers_hello = true;
	run(f, 3500);
	assert_int_equal(state_of(f), SUPERNODE_REGISTERING);
	assert_int_equal(f->events[EVENT_SUPERNODE_KEY_CHANGED], 0); /* not before it registered */
	assert_memory_equal(f->e->supernode[0].key, f->fake[1].party.self.public, KEY_LEN);
	fake_registered(f, s, REGISTER_OK, HANDLE, &seen);
	assert_memory_equal(f->e->supernode[0].key, s->party.self.public, KEY_LEN);
	assert_int_equal(f->events[EVENT_SUPERNODE_KEY], 1);
	assert_int_equal(f->events[EVENT_SUPERNODE_KEY_CHANGED], 1);
}

/* Claims get their turn, then what is remembered, then those of the next question. */
static void a_remembered_key_stays_while_claims_prove_nothing(void **state)
{
	struct fixture *f = *state;
	struct fake *s = &f->fake[0];
	const uint8_t *own = s->party.self.public;
	unsigned own_turns = 0, claimed_turns = 0;
	uint8_t claimed[KEY_LEN] = {9};

	s->silent = true;
	assert_int_equal(edge_add_supernode(f->e, NULL, own), 0);
	edge_supernode_resolved(f->e, 0, &s->at, 1);
	for (unsigned hellos = 0; f->core->now_ms < START_MS + 60000;) {
		tick(f);
		if (s->hellos != hellos) {
			hellos = s->hellos;
			claimed[1]++;
			fake_hello(f, s, f->c->hop.hello.tag[0], claimed);
		}
		if (f->c->hop.session != NULL &&
			memcmp(f->c->hop.session->remote, own, KEY_LEN) == 0)
			own_turns++;
		else
			claimed_turns++;
	}
	assert_memory_equal(f->e->supernode[0].key, own, KEY_LEN);
	assert_true(claimed_turns > (own_turns + claimed_turns) / 5);
	assert_true(own_turns > (own_turns + claimed_turns) / 3);
	assert_int_equal(f->events[EVENT_SUPERNODE_KEY_CHANGED], 0);
}

/* Of more than there is room for, none is likelier to be kept than another. */
static void the_last_of_many_answers_is_kept_as_well(void **state)
{
	struct fixture *f = *state;
	struct msg_hello m = {.answer = true};
	unsigned kept = 0;

	for (unsigned i = 0; i < 1000; i++) {
		struct hello h = {0};

		for (uint8_t k = 0; k < 2 * HELLO_CLAIMS; k++) {
			m.static_public[0] = k;
			hello_claim(&h, &m, &f->core->io.random);
			hello_claim(&h, &m, &f->core->io.random); /* once */
		}
		for (const struct hello_claim *at; (at = hello_next(&h)) != NULL;)
			kept += at->key[0] == 2 * HELLO_CLAIMS - 1;
	}
	assert_in_range(kept, 400, 700);
}

/* ---- silence ---- */

static void silence_moves_on_to_the_next_address_and_supernode(void **state)
{
	struct fixture *f = *state;
	const struct endpoint two[] = {f->fake[0].at, f->fake[1].at};
	uint64_t begin_ms;

	for (unsigned i = 0; i < FAKES; i++)
		f->fake[i].silent = true;
	assert_int_equal(edge_add_supernode(f->e, f->fake[0].party.self.public, NULL), 0);
	edge_supernode_resolved(f->e, 0, two, 2);
	assert_int_equal(edge_add_supernode(f->e, f->fake[2].party.self.public, NULL), 1);
	edge_supernode_resolved(f->e, 1, &f->fake[2].at, 1);
	tick(f);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < FAKES; i++) {
			begin_ms = f->core->now_ms;
			assert_true(endpoint_equal(&f->c->hop.way.remote, &f->fake[i].at));
			assert_int_equal(f->c->hop.supernode, i == 2);
			assert_int_equal(state_of(f), SUPERNODE_HANDSHAKE);
			while (endpoint_equal(&f->c->hop.way.remote, &f->fake[i].at) &&
				f->core->now_ms < begin_ms + 2 * LOST_MS)
				tick(f);
			assert_int_equal(f->core->now_ms - begin_ms, LOST_MS);
		}
	}
	assert_true(f->fake[0].inits > 2 && f->fake[2].inits > 2);
	/* Told once, until one of them is up. */
	assert_int_equal(f->events[EVENT_SUPERNODE_SILENT], 1);
	f->fake[0].silent = false;
	run(f, 1000);
	assert_int_equal(state_of(f), SUPERNODE_REGISTERING);
}

static void the_only_one_is_tried_over_and_over(void **state)
{
	struct fixture *f = *state;
	struct fake *s = &f->fake[0];

	s->silent = true;
	add_supernode(f, 0, true, false);
	run(f, 10 * LOST_MS);
	assert_int_equal(state_of(f), SUPERNODE_HANDSHAKE);
	assert_int_equal(f->events[EVENT_SUPERNODE_SILENT], 1);
	/* Within seconds when it is there again. */
	s->silent = false;
	run(f, 2500);
	assert_int_equal(state_of(f), SUPERNODE_REGISTERING);
}

/* ---- staying ---- */

/* Ticks until its next PING, which is answered or not; how long it took. */
static uint64_t next_ping(struct fixture *f, bool answered)
{
	const struct endpoint seen = observed();
	struct fake *s = &f->fake[0];
	unsigned before = s->n[CONTROL_PING];
	uint64_t begin_ms = f->core->now_ms;

	while (s->n[CONTROL_PING] == before && f->core->now_ms < begin_ms + 20000)
		tick(f);
	assert_int_equal(s->n[CONTROL_PING], before + 1);
	if (answered)
		fake_pong(f, s, s->token, &seen);
	return f->core->now_ms - begin_ms;
}

static void up_it_pings_every_few_seconds(void **state)
{
	struct fixture *f = *state;
	uint64_t shortest = 20000, longest = 0;

	go_up(f, HANDLE);
	(void)next_ping(f, true);
	/* As long as there are no new keys, which make it register anew instead. */
	for (unsigned i = 0; i < 14; i++) {
		uint64_t ms = next_ping(f, true);

		shortest = ms < shortest ? ms : shortest;
		longest = ms > longest ? ms : longest;
	}
	/* 2.5 to 8 s, and a tick. */
	assert_in_range(shortest, 2500, 4500);
	assert_in_range(longest, 6000, 8100);
	assert_int_equal(state_of(f), SUPERNODE_UP);
	assert_int_equal(f->events[EVENT_SUPERNODE_SILENT], 0);
}

/* One that restarted has forgotten us: a handshake beside the old session finds out first. */
static void an_unanswered_ping_begins_a_handshake_beside_the_session(void **state)
{
	struct fixture *f = *state;
	const struct session *before;
	struct fake *s = &f->fake[0];
	struct keyset *old;
	unsigned inits;

	go_up(f, HANDLE);
	before = f->c->hop.session;
	old = before->current;
	(void)next_ping(f, true);
	inits = s->inits;
	(void)next_ping(f, false);
	assert_int_equal(s->inits, inits);
	assert_in_range(next_ping(f, false), 800, 1300);
	run(f, 2 * TICK_MS);
	assert_int_equal(s->inits, inits + 1);
	/* Answered: registered anew under the new keys, and up all the time. */
	assert_ptr_equal(f->c->hop.session, before);
	assert_ptr_not_equal(before->current, old);
	assert_int_equal(state_of(f), SUPERNODE_UP);
	assert_int_equal(s->n[CONTROL_REGISTER], 2);
	assert_int_equal(f->events[EVENT_SUPERNODE_SILENT], 0);
}

static void unanswered_for_six_seconds_it_is_left(void **state)
{
	struct fixture *f = *state;
	const struct endpoint seen = observed();
	uint64_t asked_ms;

	go_up(f, HANDLE);
	assert_int_equal(edge_add_supernode(f->e, f->fake[1].party.self.public, NULL), 1);
	edge_supernode_resolved(f->e, 1, &f->fake[1].at, 1);
	(void)next_ping(f, false);
	asked_ms = f->core->now_ms;
	f->fake[0].silent = true;
	while (state_of(f) == SUPERNODE_UP && f->core->now_ms < asked_ms + 20000)
		tick(f);
	assert_int_equal(f->core->now_ms - asked_ms, LOST_MS);
	assert_int_equal(f->events[EVENT_SUPERNODE_SILENT], 1);
	assert_int_equal(f->c->hop.supernode, 1);
	assert_int_equal(f->c->hop.handle, 0);
	run(f, 2 * TICK_MS);
	assert_int_equal(state_of(f), SUPERNODE_REGISTERING);
	/* Told again when the next one falls silent, if it was up in between. */
	fake_registered(f, &f->fake[1], REGISTER_OK, HANDLE, &seen);
	f->fake[1].silent = true;
	run(f, 8000 + LOST_MS + TICK_MS);
	assert_int_not_equal(state_of(f), SUPERNODE_UP);
	assert_int_equal(f->events[EVENT_SUPERNODE_SILENT], 2);
	run(f, 3 * LOST_MS);
	assert_int_equal(f->events[EVENT_SUPERNODE_SILENT], 2);
}

/* Anything heard from it keeps it, whatever became of a PONG. */
/* That it can be heard does not show that it hears us. */
static void what_is_heard_and_answers_nothing_keeps_nobody_up(void **state)
{
	struct fixture *f = *state;
	const struct endpoint seen = observed();
	uint64_t asked_ms;

	go_up(f, HANDLE);
	(void)next_ping(f, false);
	asked_ms = f->core->now_ms;
	f->fake[0].silent = true; /* to handshakes */
	while (f->core->now_ms < asked_ms + LOST_MS - 1000) {
		run(f, 500);
		fake_pong(f, &f->fake[0], 12345, &seen); /* of no PING of ours */
	}
	assert_int_equal(state_of(f), SUPERNODE_UP);
	run(f, 500);
	fake_pong(f, &f->fake[0], 12345, &seen);
	run(f, 500 + 2 * TICK_MS);
	assert_int_not_equal(state_of(f), SUPERNODE_UP);
}

static void a_new_address_of_ours_is_asked_about_at_once(void **state)
{
	struct fixture *f = *state;
	const struct endpoint own[] = {test_endpoint(1, 4000), test_endpoint(2, 4000)};
	struct fake *s = &f->fake[0];
	unsigned before;

	go_up(f, HANDLE);
	(void)next_ping(f, true);
	before = s->n[CONTROL_PING];
	f->n_sent = f->n_heard = 0;
	edge_local_addresses(f->e, own, 1, f->core->now_ms);
	exchange(f);
	assert_int_equal(s->n[CONTROL_PING], before + 1);
	edge_local_addresses(f->e, own, 1, f->core->now_ms); /* nothing new */
	exchange(f);
	assert_int_equal(s->n[CONTROL_PING], before + 1);
	edge_local_addresses(f->e, own, 2, f->core->now_ms);
	exchange(f);
	assert_int_equal(s->n[CONTROL_PING], before + 2);
	edge_local_addresses(f->e, (const struct endpoint[]){own[1], own[0]}, 2, f->core->now_ms);
	exchange(f);
	assert_int_equal(s->n[CONTROL_PING], before + 2); /* another order */
	assert_true(endpoint_equal(&f->e->local[0], &own[1]));
	edge_local_addresses(f->e, &own[1], 1, f->core->now_ms);
	exchange(f);
	assert_int_equal(s->n[CONTROL_PING], before + 3);
}

static void its_probe_of_our_address_is_echoed(void **state)
{
	struct fixture *f = *state;
	struct fake *s = &f->fake[0];
	uint8_t buf[64];
	struct writer w;

	go_up(f, HANDLE);
	writer_init(&w, buf, sizeof(buf));
	control_probe_encode(&w, &(struct control_probe){UINT64_C(0x1122334455667788)});
	f->n_sent = f->n_heard = 0;
	fake_say(f, s, &w);
	exchange(f);
	assert_int_equal(s->n[CONTROL_PATH_ECHO], 1);
	assert_true(s->echo.token == UINT64_C(0x1122334455667788));
	assert_true(endpoint_equal(&s->echo.observed, &s->at));
}

/* ---- leaving ---- */

static void a_community_that_ends_unregisters(void **state)
{
	struct fixture *f = *state;
	struct fake *s = &f->fake[0];
	uint32_t id;

	go_up(f, HANDLE);
	id = f->c->hop.session->link.id;
	assert_non_null(view_link(view_of(f), id));
	f->n_sent = f->n_heard = 0;
	edge_remove_community(f->e, 0, f->core->now_ms);
	f->c = NULL;
	exchange(f);
	assert_int_equal(s->n[CONTROL_UNREGISTER], 1);
	assert_null(session_by_id(f->core, id));
	assert_null(view_link(view_of(f), id));
	assert_int_equal(view_of(f)->n_communities, 0);
	run(f, 1000);
	assert_int_equal(f->n_sent, 0);
}

static void shutting_down_says_goodbye_and_keeps_all(void **state)
{
	struct fixture *f = *state;

	go_up(f, HANDLE);
	f->n_sent = f->n_heard = 0;
	edge_shutdown(f->e, f->core->now_ms);
	exchange(f);
	assert_int_equal(f->fake[0].n[CONTROL_UNREGISTER], 1);
	assert_int_equal(state_of(f), SUPERNODE_UP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_waits_for_an_address),
		TEST(with_its_key_it_registers_at_once),
		TEST(registering_is_repeated_until_acknowledged),
		TEST(a_refusal_is_told_and_leads_on),
		TEST(a_refused_handshake_is_told_and_makes_no_session),
		TEST(who_refuses_is_asked_less_and_less),
		TEST(a_refusal_ends_a_registration),
		TEST(without_a_key_it_asks_and_goes_on_asking),
		TEST(only_an_answer_to_the_last_questions_counts),
		TEST(another_key_than_the_given_one_is_not_used),
		TEST(the_freshness_that_it_tells_is_used),
		TEST(hello_tells_one_that_is_up_little),
		TEST(a_remembered_key_gives_way_and_that_is_told),
		TEST(a_remembered_key_stays_while_claims_prove_nothing),
		TEST(the_last_of_many_answers_is_kept_as_well),
		TEST(silence_moves_on_to_the_next_address_and_supernode),
		TEST(the_only_one_is_tried_over_and_over),
		TEST(up_it_pings_every_few_seconds),
		TEST(an_unanswered_ping_begins_a_handshake_beside_the_session),
		TEST(unanswered_for_six_seconds_it_is_left),
		TEST(what_is_heard_and_answers_nothing_keeps_nobody_up),
		TEST(a_new_address_of_ours_is_asked_about_at_once),
		TEST(its_probe_of_our_address_is_echoed),
		TEST(a_community_that_ends_unregisters),
		TEST(shutting_down_says_goodbye_and_keeps_all),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
