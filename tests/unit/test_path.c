/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of a direct path, on a clock of our own: found, kept, doubted, doubled, given up. */
#include "path_test.h"

/* ---- finding ---- */

static void only_a_right_echo_makes_a_path(void **state)
{
	struct fixture *f = *state;
	struct origin from = from_host(7), relayed = from_host(7);
	struct seen seen[4];

	relayed.hop_id = f->hop->link.id;
	tell(f, PEER, 3);
	assert_int_equal(tick(f, seen), 3);
	echo(f, 0, &from);
	echo(f, seen[0].token ^ 1, &from);
	echo(f, seen[0].token, &relayed);
	assert_int_equal(path_host(f), 0);
	from = from_host(PEER + 1);
	hear_direct(f);
	echo(f, seen[1].token, &from);
	assert_int_equal(path_host(f), PEER + 1);
	assert_int_equal(f->s->search->reason, RELAY_NOT);
	assert_int_equal(f->rig.events[EVENT_PATH_DIRECT], 1);
	echo(f, seen[1].token, &from); /* answered already */
	from = from_host(PEER + 2);
	echo(f, seen[2].token, &from); /* works, but no faster */
	assert_int_equal(path_host(f), PEER + 1);
	assert_int_equal(f->rig.events[EVENT_PATH_DIRECT], 1);
}

static void something_much_faster_is_taken(void **state)
{
	struct fixture *f = *state;
	struct origin from = from_host(PEER);
	struct seen seen[4];

	tell(f, PEER, 1);
	assert_int_equal(tick(f, seen), 1);
	f->core->now_ms += 150;
	hear_direct(f);
	echo(f, seen[0].token, &from);
	assert_int_equal(f->s->search->rtt_us, 150000);
	for (unsigned rtt = 80; rtt >= 20; rtt /= 4) {
		tell(f, 9, 1);
		assert_true(tick(f, seen) >= 1 && seen[0].probe);
		f->core->now_ms += rtt;
		from = from_host(9);
		hear_direct(f);
		echo(f, seen[0].token, &from);
		assert_int_equal(path_host(f), rtt == 80 ? PEER : 9);
	}
}

/* What people see follows the probes, an odd one by half; which path is better is not taken by it.
 */
static void the_round_trip_shown_is_renewed(void **state)
{
	static const struct {
		unsigned took_ms, shown_us;
	} probes[] = {{10, 10000}, {90, 50000}, {8, 8000}, {8, 8000}};
	struct fixture *f = *state;
	struct origin from = from_host(PEER);
	struct seen seen[4];

	for (unsigned i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		tell(f, PEER, 1);
		assert_true(tick(f, seen) >= 1 && seen[0].probe);
		f->core->now_ms += probes[i].took_ms;
		hear_direct(f);
		echo(f, seen[0].token, &from);
		assert_int_equal(path_host(f), PEER);
		assert_int_equal(f->s->search->shown_us, probes[i].shown_us);
		assert_int_equal(f->s->search->rtt_us, 10000);
	}
	assert_int_equal(f->rig.events[EVENT_PATH_DIRECT], 1);
}

/* Nothing else is due: whoever waits for the peer to be silent where it was looks again. */
static void a_peer_that_moves_is_followed_soon(void **state)
{
	struct fixture *f = *state;
	struct origin from = from_host(9);
	struct seen seen[4];

	go_direct(f, PEER);
	(void)tick(f, NULL);
	hear_direct(f);
	f->core->now_ms += 10;
	f->rig.n_sent = 0;
	search_seen(f->core, f->s, &from, false);
	assert_int_equal(f->rig.n_sent, 1);
	seen[0] = look(f, &f->rig.sent[0]);
	f->core->now_ms += 10;
	echo(f, seen[0].token, &from);
	/* It was heard a moment ago where it was. */
	(void)tick(f, NULL);
	assert_int_equal(path_host(f), PEER);
	for (unsigned i = 0; i < 3 && path_host(f) == PEER; i++) {
		assert_int_equal(path_next_ms(f->core, f->s), f->core->now_ms + SESSION_TICK_MS);
		(void)tick(f, NULL);
	}
	assert_int_equal(path_host(f), 9);
}

/* ---- keeping ---- */

/* Sends a frame each tick until the path changes or time is up; when what happened, 0: never. */
struct decline {
	uint64_t probed, doubled, given_up;
};

static struct decline decline(struct fixture *f, unsigned for_ms)
{
	struct decline d = {0, 0, 0};
	uint64_t begin = f->core->now_ms;
	struct seen seen[4];

	while (f->core->now_ms < begin + for_ms && d.given_up == 0) {
		send_frame(f);
		unsigned n = tick(f, seen);

		if (d.probed == 0 && n > 0 && seen[0].probe)
			d.probed = f->core->now_ms - begin;
		if (d.doubled == 0 && f->s->link.copy != NULL)
			d.doubled = f->core->now_ms - begin;
		if (path_host(f) == 0)
			d.given_up = f->core->now_ms - begin;
	}
	return d;
}

static void silence_is_doubted_doubled_and_given_up(void **state)
{
	struct fixture *f = *state;
	struct decline d;

	go_direct(f, PEER);
	d = decline(f, 10000);
	assert_in_range(d.probed, 2000, 2000 + 3 * SLACK_MS);
	assert_in_range(d.doubled, d.probed + 300, d.probed + 300 + SLACK_MS);
	assert_in_range(d.given_up, 3000, 3000 + 3 * SLACK_MS);
	assert_null(f->s->link.copy);
	assert_int_equal(f->rig.events[EVENT_PATH_RELAY], 1);
	assert_int_equal(f->s->search->reason, RELAY_SILENT);
	/* A new round begins at once, and direct it is again. */
	struct seen seen[4];
	struct origin from = from_host(PEER);

	assert_int_equal(tick(f, seen), 1);
	assert_true(seen[0].probe);
	hear_direct(f);
	echo(f, seen[0].token, &from);
	assert_int_equal(path_host(f), PEER);
	assert_int_equal(f->rig.events[EVENT_PATH_DIRECT], 2);
}

/* What is heard shows nothing of whether the peer hears us. */
static void an_echo_restores_the_path_and_nothing_less(void **state)
{
	struct fixture *f = *state;
	struct origin from = from_host(PEER);
	struct seen seen[4];

	go_direct(f, PEER);
	for (unsigned round = 0; round < 3; round++) {
		struct decline d = decline(f, 2700);

		assert_true(d.probed != 0 && d.doubled != 0 && d.given_up == 0);
		hear_direct(f);
		(void)tick(f, seen);
		assert_non_null(f->s->link.copy);
		echo(f, f->s->search->suspect_token, &from);
		(void)tick(f, seen);
		assert_null(f->s->link.copy);
		assert_int_equal(path_host(f), PEER);
	}
	assert_int_equal(f->rig.events[EVENT_PATH_RELAY], 0);
}

/* Whoever probes us on our path did not hear us there: unless we know better, we probe, too. */
static void a_probe_on_the_path_is_a_doubt(void **state)
{
	struct fixture *f = *state;
	struct origin from = from_host(PEER), elsewhere = from_host(PEER + 1);
	struct seen seen[4];

	go_direct(f, PEER);
	path_probed(f->core, f->s, &from);
	assert_false(f->s->search->doubted);
	for (unsigned i = 0; i <= PATH_PROVEN_MS / TICK_MS; i++)
		(void)tick(f, seen);
	path_probed(f->core, f->s, &elsewhere);
	assert_false(f->s->search->doubted);
	path_probed(f->core, f->s, &from);
	assert_true(f->s->search->doubted);
	/* Probed, and not doubled: mostly it is all right. */
	assert_null(f->s->link.copy);
	echo(f, f->s->search->suspect_token, &from);
	assert_false(f->s->search->doubted);
	/* Else two that probe each other would never end. */
	path_probed(f->core, f->s, &from);
	(void)tick(f, seen);
	assert_false(f->s->search->doubted);
}

static void without_a_relay_the_path_stays(void **state)
{
	struct fixture *f = *state;

	go_direct(f, PEER);
	f->s->route.relay = NULL;
	struct decline d = decline(f, 20000);

	assert_true(d.probed != 0 && d.doubled == 0 && d.given_up == 0);
	assert_int_equal(path_host(f), PEER);
}

static void a_quiet_path_is_not_given_up(void **state)
{
	struct fixture *f = *state;

	go_direct(f, PEER);
	for (unsigned i = 0; i < 3000; i++) {
		(void)tick(f, NULL);
		assert_int_equal(path_host(f), PEER);
	}
	assert_int_equal(f->rig.events[EVENT_PATH_RELAY], 0);
}

static void a_silent_receiver_shows_itself(void **state)
{
	struct fixture *f = *state;
	struct seen seen[4];
	unsigned empty = 0;

	go_direct(f, PEER);
	f->s->link.tx_ms = f->core->now_ms;
	for (unsigned i = 0; i < 100; i++) {
		hear_direct(f);
		f->s->link.rx_frame_ms = f->core->now_ms;
		unsigned n = tick(f, seen);

		for (unsigned j = 0; j < n; j++)
			empty += !seen[j].probe;
	}
	assert_in_range(empty, 9, 10);
}

static void used_paths_are_kept_open(void **state)
{
	struct fixture *f = *state;
	uint64_t last, begin;
	struct seen seen[4];
	unsigned kept = 0;

	go_direct(f, PEER);
	send_frame(f);
	f->core->now_ms += 1;
	hear_direct(f);
	begin = last = f->core->now_ms;
	while (f->core->now_ms < begin + 200000) {
		if (tick(f, seen) == 0)
			continue;
		assert_false(seen[0].probe);
		assert_in_range(f->core->now_ms - last, 11900, 25000 + SLACK_MS);
		last = f->core->now_ms;
		kept++;
		hear_direct(f);
	}
	/* Only as long as frames used it in the last minute. */
	assert_in_range(kept, 2, 5);
	assert_true(last <= begin + 60000 + SLACK_MS);
}

static void without_keys_the_path_is_kept_and_nothing_sent(void **state)
{
	struct fixture *f = *state;

	go_direct(f, PEER);
	f->core->now_ms += KEYS_REJECT_MS;
	f->rig.n_sent = 0;
	path_tick(f->core, f->s);
	assert_int_equal(path_host(f), PEER);
	assert_int_equal(f->rig.n_sent, 0);
	assert_int_equal(path_next_ms(f->core, f->s), UINT64_MAX);
}

/* ---- doubt ---- */

static bool is_doubled(const struct fixture *f)
{
	return f->s->link.copy != NULL;
}

/* The peer came through the relay: it may not hear us, or we not hear it. */
static void a_packet_through_the_relay_is_probed_and_doubled_at_once(void **state)
{
	struct fixture *f = *state;
	struct origin from = from_host(PEER);
	struct seen probe;

	path_doubt(f->core, f->s); /* relayed as it is, nothing is doubtful */
	assert_false(is_doubled(f));
	go_direct(f, PEER);
	f->rig.n_sent = 0;
	path_doubt(f->core, f->s); /* heard just now: packets cross */
	assert_false(is_doubled(f));
	f->core->now_ms += PATH_PROBE_MS;
	path_doubt(f->core, f->s);
	assert_true(is_doubled(f));
	assert_int_equal(f->rig.n_sent, 1);
	probe = look(f, &f->rig.sent[0]);
	assert_true(probe.probe && probe.host == PEER);
	path_doubt(f->core, f->s);
	assert_int_equal(f->rig.n_sent, 1);
	/* An answer, and all is well. */
	hear_direct(f);
	echo(f, probe.token, &from);
	assert_false(is_doubled(f));
	assert_int_equal(path_host(f), PEER);
}

static void a_doubt_without_an_answer_is_the_end_of_the_path(void **state)
{
	struct fixture *f = *state;
	uint64_t begin;

	go_direct(f, PEER);
	f->core->now_ms += PATH_PROBE_MS;
	path_doubt(f->core, f->s);
	begin = f->core->now_ms;
	while (path_host(f) == PEER && f->core->now_ms < begin + 10000)
		(void)tick(f, NULL);
	assert_in_range(f->core->now_ms - begin, PATH_DEAD_MS - PATH_SUSPECT_MS,
		PATH_DEAD_MS - PATH_SUSPECT_MS + SLACK_MS);
	assert_int_equal(f->s->search->reason, RELAY_SILENT);
}

/* Idle, it is looked at rarely: what came since the last time is no answer to a later doubt. */
static void what_was_heard_before_is_no_answer_to_a_doubt(void **state)
{
	struct fixture *f = *state;

	go_direct(f, PEER);
	(void)tick(f, NULL);
	f->core->now_ms += 5000;
	hear_direct(f); /* a keepalive, say */
	f->core->now_ms += 5000;
	path_doubt(f->core, f->s);
	assert_true(is_doubled(f));
	(void)tick(f, NULL);
	assert_true(is_doubled(f));
}

/* ---- the relay comes and goes ---- */

static void relayed_sessions_follow_the_relay(void **state)
{
	struct fixture *f = *state;
	const struct path *p;

	f->s->route.handle = 6;
	path_follow_route(f->core, f->s);
	p = link_path(&f->s->link);
	assert_true(p != NULL && p->hop == &f->hop->link && p->handle == 6);
	/* Direct ones do not: only what was doubled is not any more. */
	go_direct(f, PEER);
	session_set_path(f->core, &f->s->link.copy, session_relay_path(f->s));
	f->s->route.handle = 7;
	path_follow_route(f->core, f->s);
	assert_int_equal(path_host(f), PEER);
	assert_false(is_doubled(f));
}

/* With no relay, where it was last reached is better than nothing, until something echoes. */
static void without_a_relay_the_last_address_is_guessed(void **state)
{
	struct fixture *f = *state;
	const struct endpoint last = test_endpoint(77, 500);
	struct origin from = from_host(PEER);
	struct seen seen[4];

	f->s->route.relay = NULL;
	path_follow_route(f->core, f->s);
	assert_null(link_path(&f->s->link));
	f->s->route.direct = way_to(&last);
	f->s->origin.way.local = test_endpoint(1, 1);
	path_follow_route(f->core, f->s);
	assert_int_equal(path_host(f), 77);
	assert_true(endpoint_equal(&link_path(&f->s->link)->way.local, &f->s->origin.way.local));
	/* Any echo is better than a guess, and so is a relay. */
	tell(f, PEER, 1);
	assert_int_equal(tick(f, seen), 1);
	hear_direct(f);
	echo(f, seen[0].token, &from);
	assert_int_equal(path_host(f), PEER);
	path_guess(f->core, f->s, &f->s->route.direct);
	assert_int_equal(path_host(f), 77);
	f->s->route.relay = &f->hop->link;
	path_follow_route(f->core, f->s);
	assert_int_equal(path_host(f), 0);
}

/* Its new process may not know our mask key: the path is the relay's until it echoes. */
static void a_restarted_peer_is_found_anew(void **state)
{
	struct fixture *f = *state;
	struct seen seen[4];

	go_direct(f, PEER);
	path_restart(f->core, f->s);
	assert_int_equal(path_host(f), 0);
	assert_int_equal(f->s->search->reason, RELAY_SEARCHING);
	assert_int_equal(tick(f, seen), 1);
	assert_true(seen[0].probe && seen[0].host == PEER);
}

/* Its former process sent last from an address that had echoed: nobody is there any more. */
static void a_restarted_peer_is_not_where_it_was(void **state)
{
	struct fixture *f = *state;
	struct origin from = from_host(9);

	go_direct(f, PEER);
	hear_direct(f);
	f->core->now_ms += 10;
	f->rig.n_sent = 0;
	search_seen(f->core, f->s, &from, false);
	assert_int_equal(f->rig.n_sent, 1);
	echo(f, look(f, &f->rig.sent[0]).token, &from);
	assert_int_equal(path_host(f), PEER);
	f->s->route.relay = NULL;
	f->s->route.direct = from_host(77).way;
	path_restart(f->core, f->s);
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(path_host(f), 77);
		(void)tick(f, NULL);
	}
}

/* ---- the way a path takes ---- */

/* It leaves from where the echo came in, over what carried it. */
static void the_path_is_the_way_that_echoed(void **state)
{
	struct fixture *f = *state;
	const struct way other = {.carrier = 3, .remote = test_endpoint(PEER, 500)};
	struct origin from = from_host(PEER);
	struct seen seen[4];

	tell(f, PEER, 1);
	search_offer(f->core, f->s, &other); /* the same address, over another carrier */
	assert_int_equal(tick(f, seen), 2);
	from.way.local = test_endpoint(1, 1);
	hear_direct(f);
	echo(f, seen[1].token, &from); /* not over this one */
	assert_int_equal(path_host(f), 0);
	from.way.carrier = 3;
	echo(f, seen[1].token, &from);
	assert_int_equal(path_host(f), PEER);
	assert_true(way_same_remote(&link_path(&f->s->link)->way, &other));
	assert_true(endpoint_equal(&link_path(&f->s->link)->way.local, &from.way.local));
	/* The first one answers as well, and is no faster. */
	from.way.carrier = 0;
	echo(f, seen[0].token, &from);
	assert_true(way_same_remote(&link_path(&f->s->link)->way, &other));
}

/* ---- when to look again ---- */

static uint64_t next_in(const struct fixture *f)
{
	uint64_t next = path_next_ms(f->core, f->s);

	return next == UINT64_MAX ? 0 : next - f->core->now_ms;
}

static void a_quiet_path_is_looked_at_rarely(void **state)
{
	struct fixture *f = *state;
	unsigned looks = 0;

	f->core->now_ms += SESSION_ACTIVE_MS; /* the last frame, if any, was long ago */
	test_made_at(f->s->current, f->core->now_ms);
	assert_int_equal(next_in(f), 0); /* nothing to probe */
	tell(f, PEER, 1);
	assert_int_equal(next_in(f), SESSION_TICK_MS);
	go_direct(f, PEER);
	/* Idle: until a NAT may have closed it, and then never, as things are. */
	for (; next_in(f) != 0 && looks < 20; looks++) {
		f->core->now_ms += next_in(f) - TICK_MS;
		(void)tick(f, NULL);
	}
	assert_in_range(looks, 1, 5);
	assert_true(is_doubled(f)); /* the next frame goes by both ways */
	/* Without keys there is nothing to watch. */
	send_frame(f);
	assert_true(next_in(f) != 0);
	f->core->now_ms += KEYS_REJECT_MS;
	assert_int_equal(next_in(f), 0);
}

static void a_used_path_is_looked_at_in_time(void **state)
{
	struct fixture *f = *state;

	go_direct(f, PEER);
	send_frame(f);
	f->core->now_ms += 1;
	hear_direct(f);
	(void)tick(f, NULL);
	/* For the keepalive, at the latest. */
	assert_in_range(next_in(f), SESSION_TICK_MS, 25000);
	/* While something is unheard, every tick. */
	f->core->now_ms += 1000;
	send_frame(f);
	(void)tick(f, NULL);
	assert_int_equal(next_in(f), SESSION_TICK_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_a_right_echo_makes_a_path),
		TEST(something_much_faster_is_taken),
		TEST(the_round_trip_shown_is_renewed),
		TEST(a_peer_that_moves_is_followed_soon),
		TEST(silence_is_doubted_doubled_and_given_up),
		TEST(an_echo_restores_the_path_and_nothing_less),
		TEST(a_probe_on_the_path_is_a_doubt),
		TEST(without_a_relay_the_path_stays),
		TEST(a_quiet_path_is_not_given_up),
		TEST(a_silent_receiver_shows_itself),
		TEST(used_paths_are_kept_open),
		TEST(without_keys_the_path_is_kept_and_nothing_sent),
		TEST(a_packet_through_the_relay_is_probed_and_doubled_at_once),
		TEST(a_doubt_without_an_answer_is_the_end_of_the_path),
		TEST(what_was_heard_before_is_no_answer_to_a_doubt),
		TEST(relayed_sessions_follow_the_relay),
		TEST(without_a_relay_the_last_address_is_guessed),
		TEST(a_restarted_peer_is_found_anew),
		TEST(a_restarted_peer_is_not_where_it_was),
		TEST(the_path_is_the_way_that_echoed),
		TEST(a_quiet_path_is_looked_at_rarely),
		TEST(a_used_path_is_looked_at_in_time),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
