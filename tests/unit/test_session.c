/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of sessions: key sets that come, are confirmed, age and go, and when to look again. */
#include "core/path/search.h"
#include "core_test.h"

#define START_MS 100000u
#define EMBRYOS	 4

struct fixture {
	struct rig rig;
	struct core *core; /* of rig */
	struct party self;
	uint8_t last; /* number of a key set */
	uint8_t hash_end;
	unsigned looks;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	rig_init(&f->rig, NULL, EMBRYOS);
	f->core = &f->rig.node.core;
	f->core->now_ms = START_MS;
	f->core->flush_ms = START_MS + 70;
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

static struct session *create(struct fixture *f, enum link_kind kind, uint8_t number)
{
	const uint8_t remote[KEY_LEN] = {number};
	struct session *s = session_create(&f->rig.node.core, kind, &f->self, 3, remote);

	assert_non_null(s);
	return s;
}

/* A key set for a position, not yet in the session. Later ones have the larger hash. */
static struct keyset *make_at(struct fixture *f, const struct session *s, unsigned position,
	uint32_t generation, bool initiator)
{
	struct handshake_result i, r;
	struct keyset *k;

	test_results(&i, &r, AEAD_CHACHA20POLY1305, ++f->last);
	i.rx_index = s->link.id << 2 | position;
	i.generation = generation;
	i.initiator = initiator;
	i.hash[HASH_LEN - 1] = f->hash_end;
	k = session_make_keys(f->core, s->link.kind, &i);
	assert_non_null(k);
	k->incarnation = 1;
	return k;
}

static struct keyset *add(struct fixture *f, struct session *s, unsigned position,
	uint32_t generation, bool initiator)
{
	struct keyset *k = make_at(f, s, position, generation, initiator);

	session_add_keys(f->core, s, k);
	return k;
}

/* Confirmed keys, in use. */
static struct keyset *add_used(struct fixture *f, struct session *s, uint32_t generation)
{
	struct keyset *k = add(f, s, session_free_position(f->core, s), generation, true);

	assert_int_not_equal(session_confirm(f->core, s, k), 0);
	assert_ptr_equal(s->current, k);
	return k;
}

/* What workers see is what the control thread has. */
static void check_link(const struct session *s)
{
	for (unsigned i = 0; i < LINK_POSITIONS; i++) {
		struct keyset *k = s->keys[i];

		assert_ptr_equal(s->link.rx[i], k != NULL ? &k->rx : NULL);
		if (k != NULL) {
			assert_int_equal(INDEX_POSITION(k->rx.index), i);
			assert_ptr_equal(session_keyset(s, k->rx.index), k);
			assert_null(session_keyset(s, k->rx.index ^ 4));
		}
	}
	assert_ptr_equal(s->link.tx, s->current != NULL ? &s->current->tx : NULL);
}

static unsigned count_keys(const struct session *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < LINK_POSITIONS; i++)
		n += s->keys[i] != NULL;
	return n;
}

static void pass(struct fixture *f, uint64_t ms)
{
	f->core->now_ms += ms;
}

static void tick(struct fixture *f, struct session *s)
{
	session_tick(f->core, s);
	check_link(s);
}

static bool is_due(struct fixture *f, const struct session *s, uint64_t now_ms)
{
	return deadline_take(&f->core->deadlines, now_ms) == &s->due;
}

/* ---- coming and going ---- */

static void a_new_session_is_known_shown_and_looked_at(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1), *t = create(f, LINK_HOP, 1);
	struct keyset *k;

	assert_in_range(s->link.id, 1, (1u << 30) - 1);
	assert_int_not_equal(s->link.id, t->link.id);
	assert_int_equal(s->link.community, 3);
	assert_true(s->party == &f->self && s->remote[0] == 1);
	assert_ptr_equal(session_by_id(f->core, s->link.id), s);
	assert_ptr_equal(session_by_id(f->core, t->link.id), t);
	assert_null(session_by_id(f->core, 0));
	assert_ptr_equal(view_link(rig_view(&f->rig), s->link.id), &s->link);
	assert_ptr_equal(session_of(&s->link), s);
	assert_int_equal(s->due.at_ms, f->core->flush_ms);
	assert_null(session_by_index(f->core, s->link.id << 2, &k));
	assert_null(k);
	k = add(f, s, 2, 1, true);
	assert_ptr_equal(session_by_index(f->core, s->link.id << 2 | 2, &k), s);
	assert_ptr_equal(k, s->keys[2]);
	assert_null(session_by_index(f->core, s->link.id << 2 | 1, &k));
}

/* The id was told to the other side when its handshake was answered. */
static void a_handshake_that_waits_has_announced_the_id(void **state)
{
	struct fixture *f = *state;
	struct embryo *e = &f->core->embryos.at[1];
	struct session *s;

	*e = (struct embryo){.party = &f->self, .remote = {7}, .result = {.rx_index = 4444 << 2}};
	s = create(f, LINK_PEER, 8);
	assert_int_not_equal(s->link.id, 4444);
	assert_null(s->embryo);
	s = create(f, LINK_PEER, 7);
	assert_int_equal(s->link.id, 4444);
	assert_ptr_equal(s->embryo, e);
	assert_ptr_equal(e->session, s);
	session_discard_embryo(e);
	assert_null(s->embryo);
	assert_null(e->party);
}

/* Random numbers that were thought out. */
static void scripted_fill(void *ctx, void *buf, size_t len)
{
	const uint32_t **next = ctx;

	assert_int_equal(len, 4);
	memcpy(buf, (*next)++, len);
}

static void ids_of_sessions_and_of_handshakes_are_not_given_again(void **state)
{
	struct fixture *f = *state;
	const uint32_t taken = create(f, LINK_PEER, 1)->link.id << 2;
	const uint32_t announced = 4444 << 2;
	const uint32_t drawn[] = {3, taken | 1, announced | 2, taken, 7777 << 2 | 3};
	const uint32_t *next = drawn;

	f->core->embryos.at[0] = (struct embryo){
		.party = &f->self, .remote = {9}, .result = {.rx_index = announced | 3}};
	f->core->io.random = (struct random){scripted_fill, &next};
	assert_int_equal(session_new_id(f->core), 7777);
	assert_ptr_equal(next, drawn + 5);
}

static void a_retired_session_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1), *other = create(f, LINK_PEER, 2);
	struct path *p = calloc(1, sizeof(*p)), *copy = calloc(1, sizeof(*copy));
	uint8_t data[60] = {0};
	const struct frame frame = {.data = data, .len = sizeof(data)};
	const uint32_t id = s->link.id;
	const struct view *before = rig_view(&f->rig);
	struct payload theirs = {.incarnation = 1};

	assert_true(p != NULL && copy != NULL);
	(void)add_used(f, s, 1);
	session_set_path(f->core, &s->link.path, p);
	session_set_path(f->core, &s->link.copy, copy);
	assert_true(waiting_add(&f->core->waiting, &s->waiting, &frame, START_MS));
	assert_non_null(search_get(s));
	f->core->embryos.at[0] = (struct embryo){.party = &f->self, .session = s};
	s->embryo = &f->core->embryos.at[0];
	s->attempt = calloc(1, sizeof(*s->attempt));
	session_learn(f->core, s, &theirs, &(struct origin){.hop_id = 0});
	assert_int_equal(f->core->n_bound, 1);

	session_retire(f->core, s);
	session_retire(f->core, NULL);
	assert_true(s->gone);
	assert_null(session_by_id(f->core, id));
	assert_ptr_equal(session_by_id(f->core, other->link.id), other);
	assert_true(s->link.path == NULL && s->link.copy == NULL && s->link.tx == NULL);
	assert_int_equal(count_keys(s), 0);
	assert_null(s->attempt);
	assert_null(f->core->embryos.at[0].party);
	assert_int_equal(f->core->waiting.n, 0);
	assert_int_equal(f->core->n_bound, 0);
	/* Who has the view from before may still look at the link: its memory lives. */
	assert_ptr_equal(view_link(before, id), &s->link);
	assert_null(view_link(rig_view(&f->rig), id));
	assert_true(is_due(f, other, START_MS + 60000));
	assert_null(deadline_take(&f->core->deadlines, START_MS + 60000));
}

/* ---- which keys ---- */

/* The responder has proved its key in its answer, so the initiator may send first. */
static void only_an_initiator_sends_before_confirmation(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);
	struct keyset *k = add(f, s, 0, 1, false);

	check_link(s);
	assert_null(s->current);
	assert_null(session_sending(s, START_MS));
	assert_int_equal(session_confirm(f->core, s, k), SESSION_CONFIRMED | SESSION_FIRST);
	assert_ptr_equal(session_sending(s, START_MS), k);
	check_link(s);

	s = create(f, LINK_PEER, 2);
	k = add(f, s, 3, 1, true);
	assert_ptr_equal(session_sending(s, START_MS), k);
	check_link(s);
}

static void confirmed_keys_are_preferred_then_newer_then_smaller_ones(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);
	struct keyset *first = add_used(f, s, 5), *newer, *rival;

	/* Not confirmed: the old ones serve on, though it is newer and ours. */
	newer = add(f, s, 1, 6, true);
	assert_ptr_equal(s->current, first);
	assert_int_equal(session_generation(s), 5);
	assert_int_equal(session_confirm(f->core, s, newer), SESSION_CONFIRMED);
	assert_ptr_equal(s->current, newer);
	assert_int_equal(session_generation(s), 6);
	/* Both sides began at once: the smaller hash, which is the earlier number here. */
	rival = add(f, s, 2, 6, false);
	assert_int_equal(session_confirm(f->core, s, rival), SESSION_CONFIRMED);
	assert_ptr_equal(s->current, newer);
	rival->hash[0] = 0;
	assert_int_equal(session_confirm(f->core, s, add(f, s, 3, 4, true)), SESSION_CONFIRMED);
	assert_ptr_equal(s->current, rival);
	assert_int_equal(session_generation(s), 6);
	check_link(s);
	/* Wherever they stand: what is not confirmed does not serve beside what is. */
	session_drop_keys(f->core, s, 0);
	(void)add(f, s, 0, 9, true);
	assert_ptr_equal(s->current, rival);
	first = add(f, s, 0, 5, true);
	(void)session_confirm(f->core, s, first);
	/* When they go the next best is taken. */
	session_drop_keys(f->core, s, 2);
	assert_ptr_equal(s->current, newer);
	session_drop_keys(f->core, s, 1);
	assert_ptr_equal(s->current, first);
	session_drop_keys(f->core, s, 1);
	check_link(s);
}

static void new_keys_take_the_place_of_old_ones_of_their_position(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);
	struct keyset *old = add_used(f, s, 1), *k;
	unsigned position = INDEX_POSITION(old->rx.index);

	k = add(f, s, position, 2, true);
	assert_int_equal(count_keys(s), 1);
	assert_ptr_equal(s->keys[position], k);
	assert_ptr_equal(s->current, k);
	check_link(s);
}

static void what_happened_is_told_by_confirming(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);
	struct keyset *k = add(f, s, 0, 1, true);

	s->failures = 3;
	s->wanted = true;
	s->confirm_next_ms = START_MS + 1;
	s->rx_seq[CONTROL_CLAIM] = 77;
	assert_int_equal(session_confirm(f->core, s, k), SESSION_CONFIRMED | SESSION_FIRST);
	assert_true(k->confirmed && k->rx.heard && s->confirmed);
	assert_true(s->failures == 0 && !s->wanted && s->confirm_next_ms == 0);
	assert_int_equal(s->incarnation, 1);
	assert_int_equal(s->rx_seq[CONTROL_CLAIM], 77);
	assert_int_equal(session_confirm(f->core, s, k), 0);
	/* The same process again. */
	k = add(f, s, 1, 2, true);
	assert_int_equal(session_confirm(f->core, s, k), SESSION_CONFIRMED);
	assert_int_equal(s->rx_seq[CONTROL_CLAIM], 77);
	/* Another one, whose sequences begin anew. */
	k = add(f, s, 2, 3, true);
	k->incarnation = 2;
	assert_int_equal(session_confirm(f->core, s, k), SESSION_CONFIRMED | SESSION_RESTARTED);
	assert_int_equal(s->incarnation, 2);
	assert_int_equal(s->rx_seq[CONTROL_CLAIM], 0);
	/* One known from an earlier run confirms, and is no first one. */
	s = create(f, LINK_PEER, 2);
	s->confirmed = true;
	k = add(f, s, 0, 1, true);
	assert_int_equal(session_confirm(f->core, s, k), SESSION_CONFIRMED);
}

/* The process before the last is back only if both are there; what it left open is no word of it.
 */
static void two_processes_at_once_are_noticed(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);

	for (unsigned i = 0; i < 5; i++) {
		struct keyset *k = add(f, s, i % 2, i + 1, true), *late = add(f, s, 2, 1, true);

		k->incarnation = (uint32_t[]){1, 2, 3, 1, 3}[i];
		assert_int_equal(session_confirm(f->core, s, k) & ~(unsigned)SESSION_FIRST,
			SESSION_CONFIRMED | (i > 0 ? SESSION_RESTARTED : 0) |
				(i == 4 ? SESSION_TWICE : 0));
		assert_int_equal(s->keys[2] == late, k->incarnation == late->incarnation);
	}
}

/* One for each position: the least useful one gives way, never what is used or under way. */
static void positions_run_out_and_the_worst_is_evicted(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);
	struct keyset *k[LINK_POSITIONS];

	for (unsigned i = 0; i < LINK_POSITIONS; i++) {
		assert_int_equal(session_free_position(f->core, s), i);
		k[i] = add(f, s, i, 10 - i, true);
		(void)session_confirm(f->core, s, k[i]);
	}
	assert_ptr_equal(s->current, k[0]);
	assert_int_equal(session_free_position(f->core, s), 3); /* the oldest generation */
	assert_null(s->keys[3]);
	assert_int_equal(session_free_position(f->core, s), 3);
	/* An attempt has it, and a handshake of the other side the next. */
	s->attempt = calloc(1, sizeof(*s->attempt));
	s->attempt->index = s->link.id << 2 | 3;
	assert_int_equal(session_free_position(f->core, s), 2);
	f->core->embryos.at[0] = (struct embryo){
		.party = &f->self, .session = s, .result = {.rx_index = s->link.id << 2 | 2}};
	s->embryo = &f->core->embryos.at[0];
	assert_int_equal(session_free_position(f->core, s), 1);
	(void)add(f, s, 1, 1, false);
	/* All but the ones in use: they stay. */
	assert_int_equal(session_free_position(f->core, s), 1);
	assert_ptr_equal(s->current, k[0]);
	check_link(s);
	session_end_attempt(s);
	assert_null(s->attempt);
	session_end_attempt(s);
}

/* All others are newer, but nobody has confirmed them yet. */
static void the_keys_in_use_are_never_evicted(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);
	struct keyset *used = add_used(f, s, 1);

	for (unsigned i = 1; i < LINK_POSITIONS; i++)
		(void)add(f, s, i, 1 + i, true);
	assert_ptr_equal(s->current, used);
	assert_int_equal(session_free_position(f->core, s), 1);
	assert_ptr_equal(s->current, used);
	check_link(s);
}

static void forgetting_ends_all_that_is_under_way(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);

	(void)add_used(f, s, 1);
	(void)add(f, s, 2, 2, true);
	s->attempt = calloc(1, sizeof(*s->attempt));
	f->core->embryos.at[0] = (struct embryo){.party = &f->self, .session = s};
	s->embryo = &f->core->embryos.at[0];
	s->confirm_next_ms = START_MS;
	session_forget_keys(f->core, s);
	assert_int_equal(count_keys(s), 0);
	assert_null(s->current);
	assert_null(s->attempt);
	assert_null(s->embryo);
	assert_null(f->core->embryos.at[0].party);
	assert_int_equal(s->confirm_next_ms, 0);
	assert_true(s->confirmed && !s->gone);
	check_link(s);
}

/* A supernode has a session for each edge, with few packets of its own in each. */
static void keys_of_hops_have_small_windows(void **state)
{
	struct fixture *f = *state;
	const struct keyset *peer = add(f, create(f, LINK_PEER, 1), 0, 1, true);
	const struct keyset *hop = add(f, create(f, LINK_HOP, 2), 0, 1, true);
	const struct keyset *member = add(f, create(f, LINK_MEMBER, 3), 0, 1, true);

	assert_int_equal(peer->rx.window.words, REPLAY_WORDS);
	assert_int_equal(hop->rx.window.words, REPLAY_WORDS_HOP);
	assert_int_equal(member->rx.window.words, REPLAY_WORDS_HOP);
	assert_int_equal(peer->rx.relay_window.words, RELAY_REPLAY_WORDS);
	assert_int_equal(member->rx.relay_window.words, RELAY_REPLAY_WORDS);
}

/* ---- ages ---- */

static void keys_stop_at_three_minutes_and_go_at_four(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);
	struct keyset *k = add_used(f, s, 1);

	pass(f, KEYS_REJECT_MS - 1);
	tick(f, s);
	assert_ptr_equal(session_sending(s, f->core->now_ms), k);
	pass(f, 1);
	assert_null(session_sending(s, f->core->now_ms));
	tick(f, s);
	assert_null(s->current);
	assert_int_equal(count_keys(s), 1);
	pass(f, KEYS_ERASE_MS - KEYS_REJECT_MS - 1);
	tick(f, s);
	assert_int_equal(count_keys(s), 1);
	pass(f, 1);
	tick(f, s);
	assert_int_equal(count_keys(s), 0);
}

/* The older set does not outlive itself because a newer one is there, nor the other way round. */
static void each_set_ages_on_its_own(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);
	struct keyset *newer;

	(void)add_used(f, s, 1);
	pass(f, 100000);
	newer = add_used(f, s, 2);
	pass(f, KEYS_ERASE_MS - 100000);
	tick(f, s);
	assert_int_equal(count_keys(s), 1);
	assert_ptr_equal(s->current, newer);
	pass(f, 40000);
	tick(f, s);
	assert_null(s->current);
}

static void frame_now(struct fixture *f, struct session *s)
{
	s->link.tx_frame_ms = f->core->now_ms;
}

/* When it wants new keys, in milliseconds after these; 0: never while they live. */
static uint64_t rekey_after(struct fixture *f, enum link_kind kind, bool initiator, bool frames)
{
	struct session *s = create(f, kind, 1);
	struct keyset *k = add(f, s, 0, 1, initiator);

	(void)session_confirm(f->core, s, k);
	for (uint64_t ms = 1; ms < KEYS_REJECT_MS / 100; ms++) {
		pass(f, 100);
		if (frames)
			frame_now(f, s);
		tick(f, s);
		if (s->wanted)
			return ms * 100;
	}
	return 0;
}

static void keys_in_use_are_renewed_by_the_initiator_first(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(rekey_after(f, LINK_PEER, true, true), REKEY_INITIATOR_MS);
	assert_int_equal(rekey_after(f, LINK_PEER, false, true), REKEY_RESPONDER_MS);
	/* Without frames they are let die, but for a hop's, which keep the registration alive. */
	assert_int_equal(rekey_after(f, LINK_PEER, true, false), 0);
	assert_int_equal(rekey_after(f, LINK_HOP, true, false), REKEY_INITIATOR_MS);
	/* Nobody can tell when. */
	f->hash_end = 0xff;
	assert_int_equal(rekey_after(f, LINK_HOP, true, false), REKEY_INITIATOR_MS - 20400);
	f->hash_end = 0;
	/* The edge keeps the hop alive, not the supernode. */
	assert_int_equal(rekey_after(f, LINK_MEMBER, false, true), 0);
}

static void the_last_frame_counts_for_a_minute_either_way(void **state)
{
	struct fixture *f = *state;

	for (unsigned way = 0; way < 4; way++) {
		struct session *s = create(f, LINK_PEER, 1);
		uint64_t frame = way % 2 == 0 ? SESSION_ACTIVE_MS : SESSION_ACTIVE_MS - 1;

		(void)add_used(f, s, 1);
		pass(f, REKEY_INITIATOR_MS);
		*(way < 2 ? &s->link.tx_frame_ms : &s->link.rx_frame_ms) = f->core->now_ms - frame;
		tick(f, s);
		assert_int_equal(s->wanted, way % 2 == 1);
	}
}

static void used_counters_want_new_keys_at_once(void **state)
{
	struct fixture *f = *state;

	for (unsigned relay = 0; relay < 2; relay++) {
		struct session *s = create(f, LINK_PEER, 1);
		struct keyset *k = add_used(f, s, 1);
		_Atomic uint64_t *counter = relay ? &k->tx.relay_counter : &k->tx.counter;

		*counter = COUNTER_REKEY - 1;
		tick(f, s);
		assert_false(s->wanted || session_used_up(s));
		*counter = COUNTER_REKEY;
		tick(f, s);
		assert_true(s->wanted && !session_used_up(s));
		*counter = COUNTER_LIMIT;
		assert_true(session_used_up(s));
		/* Not twice. */
		s->wanted = false;
		s->attempt = calloc(1, sizeof(*s->attempt));
		tick(f, s);
		assert_false(s->wanted);
	}
}

static void frames_that_waited_too_long_are_counted(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);
	uint8_t data[60] = {0};
	const struct frame frame = {.data = data, .len = sizeof(data)};

	for (unsigned i = 0; i < 3; i++)
		assert_true(waiting_add(&f->core->waiting, &s->waiting, &frame, START_MS + i * 10));
	pass(f, WAITING_MS + 10);
	tick(f, s);
	assert_int_equal(drops_get(&f->core->drops, DROP_WAIT_TIMEOUT), 2);
	assert_int_equal(s->waiting.n, 1);
}

/* ---- ways ---- */

static void the_relay_comes_before_the_direct_way(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1), *hop = create(f, LINK_HOP, 2);
	const struct endpoint at = test_endpoint(9, 9);
	struct origin to;
	struct path *p;

	assert_false(session_way(s, &to));
	assert_null(session_relay_path(s));
	s->route.direct = way_to(&at);
	assert_true(session_way(s, &to));
	assert_true(to.hop_id == 0 && way_same_remote(&to.way, &s->route.direct));
	/* A relay that does not know it is none. */
	s->route.relay = &hop->link;
	assert_true(session_way(s, &to) && to.hop_id == 0);
	assert_null(session_relay_path(s));
	s->route.handle = 55;
	assert_true(session_way(s, &to));
	assert_true(to.hop_id == hop->link.id && to.handle == 55);
	p = session_relay_path(s);
	assert_non_null(p);
	assert_true(p->hop == &hop->link && p->handle == 55 && p->hop_limit == RELAY_HOP_LIMIT);
	session_set_path(f->core, &s->link.path, p);
	assert_ptr_equal(link_path(&s->link), p);
	session_set_path(f->core, &s->link.path, NULL);
	assert_null(link_path(&s->link));
}

static void peers_that_shook_hands_directly_are_counted(void **state)
{
	const struct origin direct = {.way = {.remote = {{1}, 1}}}, relayed = {.hop_id = 5};
	const struct payload theirs = {
		.caps = 3, .mtu = 1400, .has_hop_mask = true, .hop_mask = {8}};
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1), *t = create(f, LINK_PEER, 2);
	struct session *hop = create(f, LINK_HOP, 3);
	const struct view *v = rig_view(&f->rig);

	session_learn(f->core, s, &theirs, &direct);
	assert_int_equal(f->core->n_bound, 1);
	assert_true(*v->split_direct); /* workers know before the next view */
	session_learn(f->core, s, &theirs, &direct);
	session_learn(f->core, hop, &theirs, &direct);
	assert_int_equal(f->core->n_bound, 1);
	assert_ptr_equal(rig_view(&f->rig), v);
	session_learn(f->core, t, &theirs, &direct);
	session_learn(f->core, s, &theirs, &relayed);
	assert_int_equal(f->core->n_bound, 1);
	assert_int_equal(s->origin.hop_id, 5);
	assert_true(s->caps == 3 && s->mtu == 1400);
	assert_true(hop->mask_known && hop->mask[0] == 8);
	session_retire(f->core, t);
	assert_int_equal(f->core->n_bound, 0);
}

/* ---- when to look ---- */

static void whatever_is_wanted_is_looked_at_with_the_next_flush(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);

	assert_true(is_due(f, s, f->core->flush_ms));
	session_look_at(f->core, s, f->core->flush_ms + 5000);
	session_want(f->core, s);
	assert_true(s->wanted);
	assert_true(is_due(f, s, f->core->flush_ms));
	session_look_at(f->core, s, f->core->flush_ms + 5000);
	session_post(f->core, s, CONTROL_CLAIM);
	assert_int_equal(s->out.seq[CONTROL_CLAIM], f->core->next_seq);
	assert_true(is_due(f, s, f->core->flush_ms));
	session_post(f->core, s, CONTROL_CLAIM);
	session_post(f->core, s, CONTROL_CANDIDATES);
	assert_true(s->out.seq[CONTROL_CANDIDATES] > s->out.seq[CONTROL_CLAIM]);
}

static uint64_t next_in(struct fixture *f, struct session *s)
{
	uint64_t next = session_next_ms(f->core, s);

	assert_true(next > f->core->now_ms);
	return next - f->core->now_ms;
}

static void an_idle_session_is_looked_at_when_its_keys_change(void **state)
{
	static const uint64_t when[] = {REKEY_INITIATOR_MS, KEYS_REJECT_MS, KEYS_ERASE_MS};
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);

	assert_true(next_in(f, s) >= 60000);
	(void)add_used(f, s, 1);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t next = session_next_ms(f->core, s);

		assert_int_equal(next, START_MS + when[i]);
		f->core->now_ms = next;
		tick(f, s);
	}
	assert_int_equal(count_keys(s), 0);
	assert_true(next_in(f, s) >= 60000);
}

static void the_next_of_several_key_sets_decides(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);
	struct keyset *k;

	(void)add_used(f, s, 1);
	pass(f, 50000);
	k = add(f, s, 1, 2, false);
	(void)session_confirm(f->core, s, k);
	assert_int_equal(next_in(f, s), REKEY_INITIATOR_MS - 50000);
	pass(f, REKEY_INITIATOR_MS - 50000);
	assert_int_equal(next_in(f, s), KEYS_REJECT_MS - REKEY_INITIATOR_MS);
	pass(f, KEYS_REJECT_MS - REKEY_INITIATOR_MS);
	assert_int_equal(next_in(f, s), REKEY_RESPONDER_MS - (KEYS_REJECT_MS - 50000));
}

/* Every reason alone. */
static void a_busy_session_is_looked_at_every_tick(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);
	uint8_t data[60] = {0};
	const struct frame frame = {.data = data, .len = sizeof(data)};
	struct keyset *k;

	(void)add_used(f, s, 1);
	assert_int_equal(next_in(f, s), REKEY_INITIATOR_MS);
	s->link.awake = true;
	assert_int_equal(next_in(f, s), SESSION_TICK_MS);
	s->link.awake = false;
	s->confirm_next_ms = START_MS + 3000;
	assert_int_equal(next_in(f, s), SESSION_TICK_MS);
	s->confirm_next_ms = 0;
	session_post(f->core, s, CONTROL_CLAIM);
	assert_int_equal(next_in(f, s), SESSION_TICK_MS);
	session_forget_keys(f->core, s);
	assert_int_equal(next_in(f, s), KEYS_ERASE_MS); /* there are no keys to say it with */
	outbox_withdraw(&s->out, CONTROL_CLAIM);
	(void)add_used(f, s, 1);
	assert_true(waiting_add(&f->core->waiting, &s->waiting, &frame, START_MS));
	assert_int_equal(next_in(f, s), SESSION_TICK_MS);
	waiting_clear(&f->core->waiting, &s->waiting);
	s->attempt = calloc(1, sizeof(*s->attempt));
	assert_int_equal(next_in(f, s), SESSION_TICK_MS);
	session_end_attempt(s);
	k = add(f, s, 3, 2, true);
	assert_int_equal(next_in(f, s), SESSION_TICK_MS);
	(void)session_confirm(f->core, s, k);
	assert_int_equal(next_in(f, s), REKEY_INITIATOR_MS);
}

static void a_wanted_session_is_looked_at_when_it_may_start(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);
	const struct endpoint at = test_endpoint(1, 500);

	s->wanted = true;
	assert_int_equal(next_in(f, s), KEYS_ERASE_MS); /* it has no way yet */
	s->route.direct = way_to(&at);
	assert_int_equal(next_in(f, s), SESSION_TICK_MS);
	s->not_before_ms = START_MS + 20000;
	assert_int_equal(next_in(f, s), 20000);
	/* Or when its keys change, if that is sooner. */
	(void)add_used(f, s, 1);
	s->wanted = true;
	s->not_before_ms = START_MS + REKEY_INITIATOR_MS + 1;
	assert_int_equal(next_in(f, s), REKEY_INITIATOR_MS);
}

static void without_frames_it_falls_asleep_until_a_note_says_awake(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);
	struct note note = {.kind = NOTE_AWAKE};

	(void)add_used(f, s, 1);
	assert_true(is_due(f, s, f->core->flush_ms));
	s->link.awake = true;
	frame_now(f, s);
	pass(f, SESSION_IDLE_MS / 2);
	s->link.rx_frame_ms = f->core->now_ms; /* either way counts */
	pass(f, SESSION_IDLE_MS - 1);
	tick(f, s);
	assert_true(s->link.awake);
	pass(f, 1);
	tick(f, s);
	assert_false(s->link.awake);
	assert_true(next_in(f, s) > SESSION_TICK_MS);
	session_look_at(f->core, s, session_next_ms(f->core, s));
	/* A worker has seen a frame. */
	frame_now(f, s);
	s->link.awake = true;
	f->core->flush_ms = f->core->now_ms + 70;
	note.index = s->link.id;
	node_note(&f->rig.node, &note, f->core->now_ms + 3);
	assert_int_equal(s->due.at_ms, f->core->flush_ms);
	assert_int_equal(next_in(f, s), SESSION_TICK_MS);
	/* Of one that is gone by now. */
	note.index = s->link.id + 1;
	node_note(&f->rig.node, &note, f->core->now_ms);
}

static uint64_t look_and_want(struct node *n, struct session *s)
{
	struct fixture *f = (struct fixture *)n;

	if (++f->looks < 10)
		session_want(&n->core, s);
	return UINT64_MAX;
}

static void take_frame(struct node *n, struct note *note)
{
	(void)n;
	(void)note;
}

static void no_tick(struct node *n)
{
	(void)n;
}

/* Whoever is wanted whenever it is looked at is looked at once, however late the tick is. */
static void looking_at_what_is_due_ends(void **state)
{
	static const struct role role = {
		.look = look_and_want, .frame = take_frame, .tick = no_tick};
	struct fixture *f = *state;
	struct note note = {.kind = NOTE_FRAME};
	uint64_t tick_ms = START_MS + 70;

	f->rig.node.role = &role;
	(void)create(f, LINK_PEER, 1);
	node_tick(&f->rig.node, tick_ms);
	assert_int_equal(f->looks, 1);
	node_note(&f->rig.node, &note, tick_ms + SESSION_TICK_MS - 1);
	assert_int_equal(f->looks, 1);
	node_note(&f->rig.node, &note, tick_ms + SESSION_TICK_MS);
	assert_int_equal(f->looks, 2);
	node_note(&f->rig.node, &note, tick_ms + SESSION_TICK_MS);
	assert_int_equal(f->looks, 2);
	node_note(&f->rig.node, &note, tick_ms + 5 * SESSION_TICK_MS);
	assert_int_equal(f->looks, 3);
	node_tick(&f->rig.node, tick_ms + 5 * SESSION_TICK_MS + 1);
	assert_int_equal(f->looks, 4);
}

/* A day of nothing: a handful of looks for each session, however many there are. */
static void nothing_to_do_costs_next_to_nothing(void **state)
{
	struct fixture *f = *state;
	struct session *s = create(f, LINK_PEER, 1);
	unsigned looks = 0;

	(void)add_used(f, s, 1);
	for (uint64_t end = START_MS + 3600000; f->core->now_ms < end; looks++) {
		f->core->now_ms = session_next_ms(f->core, s);
		tick(f, s);
	}
	assert_in_range(looks, 4, 3600000 / KEYS_ERASE_MS + 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_session_is_known_shown_and_looked_at),
		TEST(a_handshake_that_waits_has_announced_the_id),
		TEST(ids_of_sessions_and_of_handshakes_are_not_given_again),
		TEST(a_retired_session_leaves_nothing_behind),
		TEST(only_an_initiator_sends_before_confirmation),
		TEST(confirmed_keys_are_preferred_then_newer_then_smaller_ones),
		TEST(new_keys_take_the_place_of_old_ones_of_their_position),
		TEST(what_happened_is_told_by_confirming),
		TEST(two_processes_at_once_are_noticed),
		TEST(positions_run_out_and_the_worst_is_evicted),
		TEST(the_keys_in_use_are_never_evicted),
		TEST(forgetting_ends_all_that_is_under_way),
		TEST(keys_of_hops_have_small_windows),
		TEST(keys_stop_at_three_minutes_and_go_at_four),
		TEST(each_set_ages_on_its_own),
		TEST(keys_in_use_are_renewed_by_the_initiator_first),
		TEST(the_last_frame_counts_for_a_minute_either_way),
		TEST(used_counters_want_new_keys_at_once),
		TEST(frames_that_waited_too_long_are_counted),
		TEST(the_relay_comes_before_the_direct_way),
		TEST(peers_that_shook_hands_directly_are_counted),
		TEST(whatever_is_wanted_is_looked_at_with_the_next_flush),
		TEST(an_idle_session_is_looked_at_when_its_keys_change),
		TEST(the_next_of_several_key_sets_decides),
		TEST(a_busy_session_is_looked_at_every_tick),
		TEST(a_wanted_session_is_looked_at_when_it_may_start),
		TEST(without_frames_it_falls_asleep_until_a_note_says_awake),
		TEST(looking_at_what_is_due_ends),
		TEST(nothing_to_do_costs_next_to_nothing),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
