/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of a direct path, on a clock of our own: found, kept, doubted, doubled, given up. */
#include "core_test.h"

#define START_MS 10000u
#define PEER	 1
#define SLACK_MS (TICK_MS + 1)

struct fixture {
	struct rig rig;
	struct party member, edge;
	struct session *s, *hop;
	struct keyset *far, *far_hop;
	bool relay; /* there is one to fall back to */
	uint64_t now_ms;
};

/* A probe or an empty packet that left on a direct path. */
struct seen {
	bool probe;
	uint64_t token;
	uint8_t host;
};

/* ---- the role ---- */

static struct fixture *fixture_of(struct node *n)
{
	return (struct fixture *)n;
}

static void confirmed(struct node *n, struct session *s, bool restarted, uint64_t now_ms)
{
	(void)n;
	(void)s;
	(void)restarted;
	(void)now_ms;
}

static struct path *fallback(struct node *n, struct session *s)
{
	struct path *p = fixture_of(n)->relay ? calloc(1, sizeof(*p)) : NULL;

	(void)s;
	if (p == NULL)
		return NULL;
	p->hop = fixture_of(n)->hop;
	p->handle = 5;
	return p;
}

static const struct role role = {.confirmed = confirmed, .fallback = fallback};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	rig_init(&f->rig, &role, 1);
	f->now_ms = f->rig.node.now_ms = START_MS;
	f->relay = true;
	f->s = rig_session(&f->rig, SESSION_PEER, &f->member, PEER, &f->far);
	f->hop = rig_session(&f->rig, SESSION_HOP, &f->edge, 2, &f->far_hop);
	session_set_path(&f->rig.node, &f->s->path, fallback(&f->rig.node, f->s));
	f->s->search.reason = RELAY_SEARCHING;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	keyset_destroy(f->far);
	keyset_destroy(f->far_hop);
	rig_fini(&f->rig);
	free(f);
	return 0;
}

/* ---- time and what is seen ---- */

static struct seen look(struct fixture *f, struct sent *d)
{
	struct data_header h;
	struct slice plain = rig_open(&f->rig, f->far, d->data, d->len, &h);
	struct seen seen = {.host = d->remote.ip[15]};
	struct control_probe probe;
	struct control_msg m;
	struct reader r;

	if (plain.len == 0)
		return seen;
	reader_init(&r, plain.data, plain.len);
	assert_int_equal(control_next(&r, &m), 1);
	assert_int_equal(m.type, CONTROL_PATH_PROBE);
	assert_int_equal(control_probe_decode(&probe, m.body), 0);
	seen.probe = true;
	seen.token = probe.token;
	return seen;
}

/* One tick; returns how many datagrams it sent, the first few looked at if seen is not NULL. */
static unsigned tick(struct fixture *f, struct seen seen[4])
{
	unsigned n;

	f->now_ms += TICK_MS;
	f->rig.node.now_ms = f->now_ms;
	f->rig.n_sent = 0;
	/* Keys do not matter here: they stay young. */
	session_tx(f->s)->born_ms = session_tx(f->hop)->born_ms = f->now_ms;
	search_tick(&f->rig.node, f->s, f->now_ms);
	n = f->rig.n_sent;
	for (unsigned i = 0; seen != NULL && i < n && i < 4; i++)
		seen[i] = look(f, &f->rig.sent[i]);
	return n;
}

static struct origin from_host(uint8_t host)
{
	return (struct origin){.remote = test_endpoint(host, 500)};
}

static void tell(struct fixture *f, uint8_t first, uint8_t n)
{
	struct control_candidates m = {.n = n};

	for (uint8_t i = 0; i < n; i++)
		m.candidate[i].endpoint = test_endpoint((uint8_t)(first + i), 500);
	search_told(f->s, &m, f->now_ms);
}

static void echo(struct fixture *f, uint64_t token, const struct origin *from)
{
	const struct control_echo m = {.token = token};

	search_echo(&f->rig.node, f->s, &m, from, f->now_ms);
}

/* The host of the direct path, 0 for the relay. */
static uint8_t path_host(const struct fixture *f)
{
	const struct path *p = session_path(f->s);

	assert_non_null(p);
	return p->hop == NULL ? p->remote.ip[15] : 0;
}

static void go_direct(struct fixture *f, uint8_t host)
{
	const struct origin from = from_host(host);
	struct seen seen[4];

	tell(f, host, 1);
	assert_int_equal(tick(f, seen), 1);
	assert_true(seen[0].probe);
	f->s->rx_direct_ms = f->now_ms;
	echo(f, seen[0].token, &from);
	assert_int_equal(path_host(f), host);
}

static void send_frame(struct fixture *f)
{
	f->s->tx_ms = f->s->tx_frame_ms = f->now_ms;
}

static void hear_direct(struct fixture *f)
{
	f->s->rx_ms = f->s->rx_direct_ms = f->now_ms;
}

/* ---- finding ---- */

static void a_round_has_four_probes(void **state)
{
	struct fixture *f = *state;
	uint64_t at[4], begin = f->now_ms + TICK_MS;
	struct seen seen[4];
	unsigned n = 0;

	tell(f, PEER, 1);
	assert_int_equal(f->s->search.reason, RELAY_SEARCHING);
	while (f->now_ms < begin + 3500) {
		if (tick(f, seen) == 0)
			continue;
		assert_true(n < 4 && seen[0].probe && seen[0].host == PEER);
		at[n++] = f->now_ms - begin;
	}
	assert_int_equal(n, 4);
	assert_int_equal(at[0], 0);
	assert_in_range(at[1], 200, 200 + SLACK_MS);
	assert_in_range(at[2], 600, 600 + 2 * SLACK_MS);
	assert_in_range(at[3], 1400, 1400 + 3 * SLACK_MS);
	assert_int_equal(f->s->search.reason, RELAY_NO_ANSWER);
	assert_int_equal(path_host(f), 0);
}

/* Rounds after 2, 4, 8, 16 and then every 25 s, 20 per cent more or less; without end. */
static void rounds_repeat_without_end(void **state)
{
	static const unsigned pauses[] = {2, 4, 8, 16, 25, 25, 25};
	struct fixture *f = *state;
	uint64_t last = 0;
	struct seen seen[4];
	size_t round = 0;

	tell(f, PEER, 1);
	while (round < sizeof(pauses) / sizeof(pauses[0])) {
		uint64_t pause = f->now_ms + TICK_MS - last;

		assert_true(f->now_ms < START_MS + 300000);
		if (tick(f, seen) == 0)
			continue;
		if (last != 0 && pause > 1000) {
			/* From the end of the round before, which is 1.6 s after its last probe. */
			assert_in_range(pause, pauses[round] * 800, pauses[round] * 1200 + 2000);
			round++;
		}
		last = f->now_ms;
	}
}

static void nothing_to_try_is_said(void **state)
{
	struct fixture *f = *state;
	struct seen seen[4];

	tell(f, 0, 0);
	assert_int_equal(f->s->search.reason, RELAY_NO_ADDRESS);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(tick(f, seen), 0);
}

static void only_a_right_echo_makes_a_path(void **state)
{
	struct fixture *f = *state;
	struct origin from = from_host(7), relayed = from_host(7);
	struct seen seen[4];

	relayed.hop_id = f->hop->id;
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
	assert_int_equal(f->s->search.reason, RELAY_NOT);
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
	f->now_ms += 150;
	hear_direct(f);
	echo(f, seen[0].token, &from);
	assert_int_equal(f->s->search.rtt_ms, 150);
	for (unsigned rtt = 80; rtt >= 20; rtt /= 4) {
		tell(f, 9, 1);
		assert_true(tick(f, seen) >= 1 && seen[0].probe);
		f->now_ms += rtt;
		from = from_host(9);
		hear_direct(f);
		echo(f, seen[0].token, &from);
		assert_int_equal(path_host(f), rtt == 80 ? PEER : 9);
	}
}

static void sources_are_probed_not_believed(void **state)
{
	struct fixture *f = *state;
	struct origin from = from_host(66), relayed = from_host(67);

	go_direct(f, PEER);
	f->rig.n_sent = 0;
	search_seen(&f->rig.node, f->s, &from, false, f->now_ms);
	assert_int_equal(f->rig.n_sent, 1);
	assert_int_equal(path_host(f), PEER);
	struct seen probe = look(f, &f->rig.sent[0]);
	assert_true(probe.probe && probe.host == 66);
	/* More packets from there, from the path itself, and through the relay ask for nothing. */
	search_seen(&f->rig.node, f->s, &from, false, f->now_ms);
	from = from_host(PEER);
	search_seen(&f->rig.node, f->s, &from, false, f->now_ms);
	relayed.hop_id = f->hop->id;
	search_seen(&f->rig.node, f->s, &relayed, false, f->now_ms);
	assert_int_equal(f->rig.n_sent, 1);
}

static void sources_do_not_push_out_what_was_told(void **state)
{
	struct fixture *f = *state;
	struct seen seen[4];

	tell(f, 1, 4);
	for (uint8_t host = 100; host < 200; host++) {
		const struct origin from = from_host(host);

		f->rig.n_sent = 0;
		f->now_ms += 10;
		search_seen(&f->rig.node, f->s, &from, false, f->now_ms);
		assert_in_range(f->s->search.n, 1, SEARCH_MAX);
	}
	for (uint8_t host = 1; host <= 4; host++) {
		const struct endpoint e = test_endpoint(host, 500);
		unsigned found = 0;

		for (unsigned i = 0; i < f->s->search.n; i++)
			found += endpoint_equal(&f->s->search.c[i].remote, &e);
		assert_int_equal(found, 1);
	}
	/* And what is told anew replaces what was told. */
	tell(f, 50, 1);
	for (unsigned i = 0; i < f->s->search.n; i++)
		assert_true(!f->s->search.c[i].told || f->s->search.c[i].remote.ip[15] == 50);
	(void)tick(f, seen);
}

/* ---- keeping ---- */

/* Sends a frame each tick until the path changes or time is up; when what happened, 0: never. */
struct decline {
	uint64_t probed, doubled, given_up;
};

static struct decline decline(struct fixture *f, unsigned for_ms)
{
	struct decline d = {0, 0, 0};
	uint64_t begin = f->now_ms;
	struct seen seen[4];

	while (f->now_ms < begin + for_ms && d.given_up == 0) {
		send_frame(f);
		unsigned n = tick(f, seen);

		if (d.probed == 0 && n > 0 && seen[0].probe)
			d.probed = f->now_ms - begin;
		if (d.doubled == 0 && f->s->copy != NULL)
			d.doubled = f->now_ms - begin;
		if (path_host(f) == 0)
			d.given_up = f->now_ms - begin;
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
	assert_null(f->s->copy);
	assert_int_equal(f->rig.events[EVENT_PATH_RELAY], 1);
	assert_int_equal(f->s->search.reason, RELAY_SILENT);
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
		assert_null(f->s->copy);
		assert_int_equal(path_host(f), PEER);
	}
	assert_int_equal(f->rig.events[EVENT_PATH_RELAY], 0);
}

static void without_a_relay_the_path_stays(void **state)
{
	struct fixture *f = *state;

	go_direct(f, PEER);
	f->relay = false;
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
	f->s->tx_ms = f->now_ms;
	for (unsigned i = 0; i < 100; i++) {
		hear_direct(f);
		f->s->rx_frame_ms = f->now_ms;
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
	f->now_ms += 1;
	hear_direct(f);
	begin = last = f->now_ms;
	while (f->now_ms < begin + 200000) {
		if (tick(f, seen) == 0)
			continue;
		assert_false(seen[0].probe);
		assert_in_range(f->now_ms - last, 17900, 25000 + SLACK_MS);
		last = f->now_ms;
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
	f->now_ms += KEYS_REJECT_MS;
	f->rig.n_sent = 0;
	search_tick(&f->rig.node, f->s, f->now_ms);
	assert_int_equal(path_host(f), 0);
	assert_int_equal(f->rig.n_sent, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_round_has_four_probes),
		TEST(rounds_repeat_without_end),
		TEST(nothing_to_try_is_said),
		TEST(only_a_right_echo_makes_a_path),
		TEST(something_much_faster_is_taken),
		TEST(sources_are_probed_not_believed),
		TEST(sources_do_not_push_out_what_was_told),
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
