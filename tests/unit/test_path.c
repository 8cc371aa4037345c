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
	assert_int_equal(f->s->search->rtt_ms, 150);
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

static void an_answer_restores_the_path(void **state)
{
	struct fixture *f = *state;
	struct seen seen[4];

	go_direct(f, PEER);
	for (unsigned round = 0; round < 3; round++) {
		struct decline d = decline(f, 2700);

		assert_true(d.probed != 0 && d.doubled != 0 && d.given_up == 0);
		hear_direct(f);
		(void)tick(f, seen);
		assert_null(f->s->link.copy);
		assert_int_equal(path_host(f), PEER);
	}
	assert_int_equal(f->rig.events[EVENT_PATH_RELAY], 0);
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
		assert_in_range(f->core->now_ms - last, 17900, 25000 + SLACK_MS);
		last = f->core->now_ms;
		kept++;
		hear_direct(f);
	}
	/* Only as long as frames used it in the last minute. */
	assert_in_range(kept, 2, 3);
	assert_true(last <= begin + 60000 + SLACK_MS);
}

static void without_keys_the_relay_is_the_way(void **state)
{
	struct fixture *f = *state;

	go_direct(f, PEER);
	f->core->now_ms += KEYS_REJECT_MS;
	f->rig.n_sent = 0;
	path_tick(f->core, f->s);
	assert_int_equal(path_host(f), 0);
	assert_int_equal(f->rig.n_sent, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_a_right_echo_makes_a_path),
		TEST(something_much_faster_is_taken),
		TEST(silence_is_doubted_doubled_and_given_up),
		TEST(an_answer_restores_the_path),
		TEST(without_a_relay_the_path_stays),
		TEST(a_quiet_path_is_not_given_up),
		TEST(a_silent_receiver_shows_itself),
		TEST(used_paths_are_kept_open),
		TEST(without_keys_the_relay_is_the_way),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
