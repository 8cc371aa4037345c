/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our own handshakes: when they start, are sent again, answered, confirmed, given up. */
#include "core/session/attempt.h"
#include "core_test.h"

#define START_MS 100000u
#define STEP_MS	 10u
#define DEVICE	 9

struct fixture {
	struct rig rig;
	struct core *core; /* of rig */
	struct party self, remote;
	struct session *s;
	unsigned effects; /* all there were */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct endpoint at = test_endpoint(DEVICE, 500);

	assert_non_null(f);
	rig_init(&f->rig, NULL, 2);
	f->core = &f->rig.node.core;
	f->core->now_ms = f->core->flush_ms = START_MS;
	f->self = test_member(MODE_KEY, 5, 1);
	f->remote = test_member(MODE_KEY, 5, DEVICE);
	f->s = session_create(f->core, LINK_PEER, &f->self, 0, f->remote.self.public);
	assert_non_null(f->s);
	f->s->route.direct = way_to(&at);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	rig_fini(&f->rig);
	free(f);
	return 0;
}

/* One look at this moment: how many datagrams it sent. */
static unsigned look(struct fixture *f)
{
	f->rig.n_sent = 0;
	f->effects |= attempt_tick(f->core, f->s, attempt_is_due(f->core, f->s));
	return f->rig.n_sent;
}

/* Looks again and again until something was sent or so much time has passed; how long it took. */
static uint64_t pause(struct fixture *f, uint64_t at_most_ms)
{
	uint64_t begin = f->core->now_ms;

	while (f->core->now_ms < begin + at_most_ms) {
		f->core->now_ms += STEP_MS;
		if (look(f) > 0)
			break;
	}
	return f->core->now_ms - begin;
}

static void begin(struct fixture *f)
{
	session_want(f->core, f->s);
	assert_int_equal(look(f), 1);
	assert_non_null(f->s->attempt);
}

/* What the remote side answers to the last datagram, unless it is none of ours. */
static struct msg_response answer_to(
	struct fixture *f, uint8_t noise[NOISE_MAX], struct handshake_result *theirs)
{
	const struct sent *sent = &f->rig.sent[f->rig.n_sent - 1];
	uint8_t body[ENVELOPE_BODY_MAX];
	struct msg_response m = {.sender = 77 << 2, .noise = noise};
	struct answer answer;
	struct msg_init init;

	assert_true(f->rig.n_sent > 0);
	assert_int_equal(envelope_open(body, sent->data, sent->len, NULL, 0, f->remote.env_key), 0);
	assert_int_equal(msg_init_decode(&init, body, sent->len - ENVELOPE_OVERHEAD), 0);
	assert_int_equal(answer_read(&answer, &f->remote, &init), 0);
	m.receiver = init.sender;
	assert_int_equal(
		answer_write(&answer, &f->remote, m.sender, m.receiver, answer.theirs.generation,
			noise, &m.noise_len, theirs, &f->core->io.random),
		0);
	return m;
}

/* The attempt is answered: the keys of the other side, the caller's. */
static struct keyset *answered(struct fixture *f)
{
	const struct keyset_params p = {.now_ms = f->core->now_ms, .nthreads = 2};
	const struct origin from = {.way = f->s->route.direct};
	struct handshake_result ours, theirs;
	uint8_t noise[NOISE_MAX];
	struct payload payload;
	struct msg_response m = answer_to(f, noise, &theirs);
	struct keyset *k;

	assert_int_equal(attempt_finish(f->s->attempt, &f->self, &m, &ours, &payload), 0);
	assert_int_equal(attempt_take(f->core, f->s, &ours, &payload, &from), SESSION_KEYED);
	k = keyset_create(&theirs, &p);
	assert_non_null(k);
	return k;
}

/* ---- starting ---- */

static void nothing_starts_unless_it_is_wanted_and_leads_somewhere(void **state)
{
	struct fixture *f = *state;
	const struct way somewhere = f->s->route.direct;

	assert_int_equal(look(f), 0);
	assert_null(f->s->attempt);
	f->s->route.direct = (struct way){.carrier = 0};
	session_want(f->core, f->s);
	assert_int_equal(look(f), 0);
	assert_null(f->s->attempt);
	assert_true(f->s->wanted);
	f->s->route.direct = somewhere;
	assert_int_equal(look(f), 1);
	assert_false(f->s->wanted);
	assert_true(way_same_remote(&f->rig.sent[0].way, &somewhere));
	assert_int_equal(INDEX_ID(f->s->attempt->index), f->s->link.id);
	assert_int_equal(f->effects, 0);
}

static void two_starts_are_a_second_apart(void **state)
{
	struct fixture *f = *state;

	begin(f);
	session_end_attempt(f->s);
	session_want(f->core, f->s);
	assert_int_equal(pause(f, 5000), 1000);
	/* And after what its owner demands. */
	session_end_attempt(f->s);
	f->s->not_before_ms = f->core->now_ms + 3000;
	session_want(f->core, f->s);
	assert_int_equal(pause(f, 5000), 3000);
}

static void one_under_way_is_enough(void **state)
{
	struct fixture *f = *state;
	const struct attempt *first;

	begin(f);
	first = f->s->attempt;
	f->core->now_ms += 5000;
	session_want(f->core, f->s);
	(void)look(f);
	assert_ptr_equal(f->s->attempt, first);
}

static void the_other_sides_handshake_goes_first_for_a_while(void **state)
{
	struct fixture *f = *state;
	struct embryo *e = &f->core->embryos.at[0];

	*e = (struct embryo){.party = &f->self, .session = f->s, .born_ms = START_MS};
	f->s->embryo = e;
	session_want(f->core, f->s);
	assert_int_equal(look(f), 0);
	assert_int_equal(pause(f, 20000), EMBRYO_HOLD_MS);
	assert_non_null(f->s->attempt);
}

/* One that is due begins when it may. */
static void an_attempt_waits_until_it_may_begin(void **state)
{
	struct fixture *f = *state;

	session_want(f->core, f->s);
	assert_true(attempt_is_due(f->core, f->s));
	assert_int_equal(attempt_tick(f->core, f->s, false), 0);
	assert_null(f->s->attempt);
	assert_true(attempt_is_due(f->core, f->s));
	(void)attempt_tick(f->core, f->s, true);
	assert_non_null(f->s->attempt);
	assert_false(attempt_is_due(f->core, f->s));
}

/* Only the edge begins: a member is answered, or is not there. */
static void a_supernode_begins_nothing(void **state)
{
	struct fixture *f = *state;

	f->s->link.kind = LINK_MEMBER;
	session_want(f->core, f->s);
	f->core->now_ms += 5000;
	assert_int_equal(look(f), 0);
	assert_null(f->s->attempt);
}

static void each_attempt_is_fresher_and_a_generation_ahead(void **state)
{
	struct fixture *f = *state;
	struct keyset *far = rig_keys(&f->rig, f->s, f->s->link.id << 2 | 1, 1);
	uint64_t freshness = f->core->freshness;

	f->s->current->generation = 41;
	for (unsigned i = 0; i < 3; i++) {
		struct handshake_result theirs;
		uint8_t noise[NOISE_MAX];

		begin(f);
		assert_int_equal(f->s->attempt->generation, 42);
		assert_int_not_equal(INDEX_POSITION(f->s->attempt->index), 1);
		assert_true(f->core->freshness > freshness);
		freshness = f->core->freshness;
		(void)answer_to(f, noise, &theirs);
		session_end_attempt(f->s);
		f->core->now_ms += 1000;
	}
	keyset_destroy(far);
}

/* ---- sending again ---- */

/* 20 % of jitter, half of it either way. */
static void check_pauses(struct fixture *f, const unsigned *want, size_t n)
{
	begin(f);
	for (size_t i = 0; i < n; i++) {
		uint64_t ms = pause(f, 60000);

		assert_in_range(ms, want[i] * 8 / 10, want[i] * 12 / 10 + STEP_MS);
	}
	assert_int_equal(f->effects, 0);
}

static void it_is_sent_again_at_growing_pauses(void **state)
{
	static const unsigned want[] = {400, 800, 1600, 3200, 5000, 5000, 5000};

	check_pauses(*state, want, 7);
}

static void a_hop_is_called_every_two_seconds(void **state)
{
	static const unsigned want[] = {400, 800, 1600, 2000, 2000, 2000};
	struct fixture *f = *state;

	f->s->link.kind = LINK_HOP;
	check_pauses(f, want, 6);
}

static void while_frames_wait_it_is_sent_every_second(void **state)
{
	static const unsigned want[] = {400, 800, 1000, 1000, 1000};
	struct fixture *f = *state;
	uint8_t data[60] = {0};
	const struct frame frame = {.data = data, .len = sizeof(data)};

	assert_true(waiting_add(&f->core->waiting, &f->s->waiting, &frame, START_MS));
	check_pauses(f, want, 5);
}

/* One ephemeral, one freshness: the other side must see that it is the same. */
static void it_is_the_same_message_in_a_new_envelope(void **state)
{
	struct fixture *f = *state;
	uint8_t one[ENVELOPE_BODY_MAX], two[ENVELOPE_BODY_MAX];
	struct sent first, *second = &f->rig.sent[0];
	struct msg_init m1, m2;

	begin(f);
	first = f->rig.sent[0];
	(void)pause(f, 1000);
	assert_memory_not_equal(first.data, second->data, XNONCE_LEN);
	assert_int_equal(envelope_open(one, first.data, first.len, NULL, 0, f->remote.env_key), 0);
	assert_int_equal(
		envelope_open(two, second->data, second->len, NULL, 0, f->remote.env_key), 0);
	assert_int_equal(msg_init_decode(&m1, one, first.len - ENVELOPE_OVERHEAD), 0);
	assert_int_equal(msg_init_decode(&m2, two, second->len - ENVELOPE_OVERHEAD), 0);
	assert_int_equal(m1.sender, m2.sender);
	assert_int_equal(m1.noise_len, m2.noise_len);
	assert_memory_equal(m1.noise, m2.noise, m1.noise_len);
}

/* An answer is trusted where message 1 went: beside the relay where the peer was last heard. */
static void it_went_directly_too_where_a_relay_leads_there(void **state)
{
	const struct endpoint elsewhere = test_endpoint(200, 9);
	struct fixture *f = *state;
	struct origin from = {.way = f->s->route.direct};
	struct keyset *far;
	struct session *hop = rig_session(&f->rig, LINK_HOP, &f->self, 3, &far);

	begin(f);
	assert_true(f->s->bound); /* packets from there may be of keys to come */
	/* It went only where the session leads; and nowhere is no place. */
	assert_false(attempt_went_to(f->s, &from));
	assert_false(attempt_went_to(f->s, &(struct origin){.hop_id = 0}));
	session_end_attempt(f->s);
	f->s->route.relay = &hop->link;
	f->s->route.handle = 7;
	f->core->now_ms += 1000;
	session_want(f->core, f->s);
	assert_int_equal(look(f), 2);
	assert_true(way_same_remote(&f->rig.sent[0].way, &from.way));
	assert_true(attempt_went_to(f->s, &from));
	/* Relayed it has the address of the relay, which may be that of a peer. */
	from.hop_id = hop->link.id;
	assert_false(attempt_went_to(f->s, &from));
	from = (struct origin){.way = way_to(&elsewhere)};
	assert_false(attempt_went_to(f->s, &from));
	keyset_destroy(far);
}

/* Crossing, and the other side goes first: kept, not sent. */
static void a_quiet_one_waits(void **state)
{
	struct fixture *f = *state;

	begin(f);
	f->s->attempt_quiet = true;
	assert_int_equal(pause(f, 20000), 20000);
	assert_non_null(f->s->attempt);
	f->s->attempt_quiet = false;
	assert_int_equal(look(f), 1);
}

static void it_follows_where_the_remote_side_is(void **state)
{
	struct fixture *f = *state;
	const struct endpoint elsewhere = test_endpoint(200, 9);
	const struct way way = way_to(&elsewhere);

	begin(f);
	f->s->route.direct = way;
	(void)pause(f, 1000);
	assert_true(way_same_remote(&f->rig.sent[0].way, &way));
	/* Nowhere, for a while: it is not given up. */
	f->s->route.direct = (struct way){.carrier = 0};
	assert_int_equal(pause(f, 10000), 10000);
	f->s->route.direct = way;
	assert_true(pause(f, 6000) < 6000);
}

/* ---- giving up ---- */

static void without_an_answer_it_ends_after_a_minute(void **state)
{
	struct fixture *f = *state;

	begin(f);
	while (f->s->attempt != NULL && f->core->now_ms < START_MS + 2 * ATTEMPT_GIVE_UP_MS) {
		assert_int_equal(f->effects, 0);
		(void)pause(f, STEP_MS);
	}
	assert_int_equal(f->core->now_ms, START_MS + ATTEMPT_GIVE_UP_MS);
	assert_int_equal(f->effects, SESSION_UNANSWERED);
	assert_int_equal(f->s->failures, 1);
	/* Nothing is wanted by itself. */
	assert_int_equal(pause(f, 20000), 20000);
}

static void each_failure_doubles_the_wait_for_the_next_start(void **state)
{
	static const unsigned waits[] = {10, 20, 40, 80, 160, 300, 300, 300};
	struct fixture *f = *state;

	for (unsigned i = 0; i < 8; i++) {
		uint64_t gave_up_ms;

		begin(f);
		f->core->now_ms += ATTEMPT_GIVE_UP_MS;
		(void)look(f);
		gave_up_ms = f->core->now_ms;
		assert_null(f->s->attempt);
		assert_int_equal(f->s->failures, i + 1);
		session_want(f->core, f->s);
		f->core->now_ms = gave_up_ms + waits[i] * 1000 - 1;
		assert_int_equal(look(f), 0);
		f->core->now_ms++;
	}
	f->s->failures = UINT8_MAX;
	begin(f);
	f->core->now_ms += ATTEMPT_GIVE_UP_MS;
	(void)look(f);
	assert_int_equal(f->s->failures, UINT8_MAX);
}

/* ---- answered ---- */

static void an_answer_makes_keys_that_wait_for_confirmation(void **state)
{
	struct fixture *f = *state;
	struct data_header h;
	struct slice plain;
	struct keyset *far, *k;

	begin(f);
	far = answered(f);
	k = f->s->current;
	assert_null(f->s->attempt);
	assert_false(f->s->wanted);
	assert_non_null(k);
	assert_true(k->initiator && !k->confirmed);
	assert_int_equal(k->incarnation, f->remote.incarnation);
	assert_int_equal(k->generation, 1);
	assert_int_equal(f->s->mtu, f->remote.mtu);
	assert_true(way_same_remote(&f->s->origin.way, &f->s->route.direct));
	/* At once an empty packet, which is for the other side to confirm by. */
	assert_int_equal(look(f), 1);
	assert_true(way_same_remote(&f->rig.sent[0].way, &f->s->route.direct));
	plain = rig_open(&f->rig, far, f->rig.sent[0].data, f->rig.sent[0].len, &h);
	assert_true(h.kind == KIND_CONTROL && control_is_empty(plain.data, plain.len));
	assert_int_equal(f->s->link.tx_frames, 0);
	keyset_destroy(far);
}

static void empty_packets_are_repeated_until_confirmed(void **state)
{
	static const unsigned want[] = {200, 400, 800, 1600};
	struct fixture *f = *state;
	struct keyset *far;

	for (unsigned confirmed = 0; confirmed < 2; confirmed++) {
		begin(f);
		far = answered(f);
		assert_int_equal(look(f), 1);
		for (unsigned i = 0; i < 4; i++) {
			assert_int_equal(pause(f, 10000), want[i]);
			if (confirmed && i == 1) {
				(void)session_confirm(f->core, f->s, f->s->current);
				break;
			}
		}
		/* No more of them. */
		assert_int_equal(pause(f, 1500), 1500);
		keyset_destroy(far);
		session_forget_keys(f->core, f->s);
		f->core->now_ms += 5000;
	}
}

/* The first answer was late, the second is to another attempt: its keys are what we go on with. */
static void the_newest_keys_are_confirmed(void **state)
{
	struct fixture *f = *state;
	struct keyset *first, *second;
	struct data_header h;
	struct slice plain;

	begin(f);
	first = answered(f);
	f->core->now_ms += 2000;
	f->s->confirm_next_ms = 0;
	begin(f);
	second = answered(f);
	assert_int_equal(look(f), 1);
	plain = rig_open(&f->rig, second, f->rig.sent[0].data, f->rig.sent[0].len, &h);
	assert_true(control_is_empty(plain.data, plain.len));
	keyset_destroy(first);
	keyset_destroy(second);
}

/* The keys did not fit: another passphrase, or nobody is there any more. */
static void keys_that_nobody_confirms_are_let_go(void **state)
{
	struct fixture *f = *state;
	struct keyset *far;
	uint64_t answered_ms;

	begin(f);
	far = answered(f);
	answered_ms = f->core->now_ms;
	f->core->now_ms = answered_ms + CONFIRM_GIVE_UP_MS - 1;
	(void)look(f);
	assert_non_null(f->s->current);
	assert_int_equal(f->effects, 0);
	f->core->now_ms++;
	(void)look(f);
	assert_null(f->s->current);
	assert_int_equal(f->effects, SESSION_UNFIT);
	assert_int_equal(f->s->failures, 1);
	assert_int_equal(f->s->confirm_next_ms, 0);
	assert_int_equal(f->s->not_before_ms, f->core->now_ms + 10000);
	keyset_destroy(far);
}

/* A worker has opened a packet, and word of it is on its way. */
static void keys_that_were_heard_are_kept(void **state)
{
	struct fixture *f = *state;
	struct keyset *far;

	begin(f);
	far = answered(f);
	f->s->current->rx.heard = true;
	f->core->now_ms += CONFIRM_GIVE_UP_MS;
	(void)look(f);
	assert_non_null(f->s->current);
	assert_int_equal(f->effects, 0);
	keyset_destroy(far);
}

/* A rekey that came to nothing while the old keys serve is a failure too, and they serve on. */
static void check_unfit_rekey(struct fixture *f, unsigned after_ms)
{
	struct keyset *old_far = rig_keys(&f->rig, f->s, f->s->link.id << 2 | 1, 1), *far;
	struct keyset *old = f->s->current;

	f->effects = 0;
	f->core->now_ms += after_ms;
	begin(f);
	far = answered(f);
	assert_ptr_equal(f->s->current, old);
	f->core->now_ms += CONFIRM_GIVE_UP_MS;
	(void)look(f);
	assert_ptr_equal(f->s->current, old);
	assert_int_equal(f->effects, SESSION_UNFIT);
	keyset_destroy(far);
	keyset_destroy(old_far);
}

static void a_rekey_that_does_not_fit_leaves_the_old_keys(void **state)
{
	struct fixture *f = *state;

	check_unfit_rekey(f, 1000);
	session_forget_keys(f->core, f->s);
	f->s->not_before_ms = 0;
	check_unfit_rekey(f, 0);
}

/* Both began: newer keys of the other side serve, so ours are not missed. */
static void keys_overtaken_by_newer_ones_go_without_a_word(void **state)
{
	struct fixture *f = *state;
	struct keyset *far, *newer;

	begin(f);
	far = answered(f);
	f->core->now_ms += 100;
	newer = rig_keys(&f->rig, f->s, f->s->link.id << 2 | 3, 1);
	f->s->current->born_ms = f->core->now_ms;
	f->core->now_ms += CONFIRM_GIVE_UP_MS;
	(void)look(f);
	assert_non_null(f->s->current);
	assert_int_equal(f->effects, 0);
	assert_int_equal(f->s->failures, 0);
	keyset_destroy(far);
	keyset_destroy(newer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_starts_unless_it_is_wanted_and_leads_somewhere),
		TEST(two_starts_are_a_second_apart),
		TEST(one_under_way_is_enough),
		TEST(the_other_sides_handshake_goes_first_for_a_while),
		TEST(an_attempt_waits_until_it_may_begin),
		TEST(a_supernode_begins_nothing),
		TEST(each_attempt_is_fresher_and_a_generation_ahead),
		TEST(it_is_sent_again_at_growing_pauses),
		TEST(a_hop_is_called_every_two_seconds),
		TEST(while_frames_wait_it_is_sent_every_second),
		TEST(it_is_the_same_message_in_a_new_envelope),
		TEST(it_went_directly_too_where_a_relay_leads_there),
		TEST(a_quiet_one_waits),
		TEST(it_follows_where_the_remote_side_is),
		TEST(without_an_answer_it_ends_after_a_minute),
		TEST(each_failure_doubles_the_wait_for_the_next_start),
		TEST(an_answer_makes_keys_that_wait_for_confirmation),
		TEST(empty_packets_are_repeated_until_confirmed),
		TEST(the_newest_keys_are_confirmed),
		TEST(keys_that_nobody_confirms_are_let_go),
		TEST(keys_that_were_heard_are_kept),
		TEST(a_rekey_that_does_not_fit_leaves_the_old_keys),
		TEST(keys_overtaken_by_newer_ones_go_without_a_word),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
