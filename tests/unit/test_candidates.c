/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Candidates for a direct path: told or seen, and probed in rounds. */
#include "core/path/probe.h"
#include "path_test.h"

static void a_round_has_four_probes(void **state)
{
	struct fixture *f = *state;
	uint64_t at[4], begin = f->core->now_ms + TICK_MS;
	struct seen seen[4];
	unsigned n = 0;

	tell(f, PEER, 1);
	assert_int_equal(f->s->search->reason, RELAY_SEARCHING);
	while (f->core->now_ms < begin + 3500) {
		if (tick(f, seen) == 0)
			continue;
		assert_true(n < 4 && seen[0].probe && seen[0].host == PEER);
		at[n++] = f->core->now_ms - begin;
	}
	assert_int_equal(n, 4);
	assert_int_equal(at[0], 0);
	assert_in_range(at[1], 200, 200 + SLACK_MS);
	assert_in_range(at[2], 600, 600 + 2 * SLACK_MS);
	assert_in_range(at[3], 1400, 1400 + 3 * SLACK_MS);
	assert_int_equal(f->s->search->reason, RELAY_NO_ANSWER);
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
		uint64_t pause = f->core->now_ms + TICK_MS - last;

		assert_true(f->core->now_ms < START_MS + 300000);
		if (tick(f, seen) == 0)
			continue;
		if (last != 0 && pause > 1000) {
			/* From the end of the round before, which is 1.6 s after its last probe. */
			assert_in_range(pause, pauses[round] * 800, pauses[round] * 1200 + 2000);
			round++;
		}
		last = f->core->now_ms;
	}
}

/* An answer under way counts, and a source that was seen is tried on. */
static void what_is_told_again_stays_known(void **state)
{
	struct fixture *f = *state;
	struct origin from = from_host(PEER), seen_at = from_host(PEER + 9);
	struct seen seen[4];

	search_seen(f->core, f->s, &seen_at, true);
	tell(f, PEER, 2);
	assert_int_equal(tick(f, seen), 3);
	for (unsigned i = 0; i < 3; i++)
		if (seen[i].host == PEER)
			seen[3] = seen[i];
	tell(f, PEER, 1);
	assert_int_equal(f->s->search->n, 2);
	hear_direct(f);
	echo(f, seen[3].token, &from);
	assert_int_equal(path_host(f), PEER);
}

static void nothing_to_try_is_said(void **state)
{
	struct fixture *f = *state;
	struct seen seen[4];

	tell(f, 0, 0);
	assert_int_equal(f->s->search->reason, RELAY_NO_ADDRESS);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(tick(f, seen), 0);
}

static void sources_are_probed_not_believed(void **state)
{
	struct fixture *f = *state;
	struct origin from = from_host(66), relayed = from_host(67);

	go_direct(f, PEER);
	f->rig.n_sent = 0;
	search_seen(f->core, f->s, &from, false);
	assert_int_equal(f->rig.n_sent, 1);
	assert_int_equal(path_host(f), PEER);
	struct seen probe = look(f, &f->rig.sent[0]);
	assert_true(probe.probe && probe.host == 66);
	/* More packets from there, from the path itself, and through the relay ask for nothing. */
	search_seen(f->core, f->s, &from, false);
	from = from_host(PEER);
	search_seen(f->core, f->s, &from, false);
	relayed.hop_id = f->hop->link.id;
	search_seen(f->core, f->s, &relayed, false);
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
		f->core->now_ms += 10;
		search_seen(f->core, f->s, &from, false);
		assert_in_range(f->s->search->n, 1, SEARCH_MAX);
	}
	for (uint8_t host = 1; host <= 4; host++) {
		const struct endpoint e = test_endpoint(host, 500);
		unsigned found = 0;

		for (unsigned i = 0; i < f->s->search->n; i++)
			found += endpoint_equal(&f->s->search->c[i].way.remote, &e);
		assert_int_equal(found, 1);
	}
	/* And what is told anew replaces what was told. */
	tell(f, 50, 1);
	for (unsigned i = 0; i < f->s->search->n; i++)
		assert_true(!f->s->search->c[i].told || f->s->search->c[i].way.remote.ip[15] == 50);
	(void)tick(f, seen);
}

/*
 * At a supernode anybody may have keys, and a source may be forged: what a victim gets for each
 * packet is one probe, and an answer once it has echoed.
 */
static void forged_sources_get_one_probe_at_a_supernode(void **state)
{
	struct fixture *f = *state;
	const struct origin from = from_host(66);
	const struct control_ping ping = {77};
	struct seen seen[4], probe;

	go_direct(f, PEER);
	f->s->link.kind = LINK_MEMBER;
	f->rig.n_sent = 0;
	search_seen(f->core, f->s, &from, false);
	probe_pong(f->core, f->s, &ping, &from);
	assert_int_equal(f->rig.n_sent, 1);
	probe = look(f, &f->rig.sent[0]);
	assert_true(probe.probe && probe.host == 66);
	assert_int_equal(drops_get(&f->core->drops, DROP_UNPROVEN), 1);
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(tick(f, seen), 0);
	/* The next packet from there is worth another probe. */
	f->rig.n_sent = 0;
	search_seen(f->core, f->s, &from, false);
	assert_int_equal(f->rig.n_sent, 1);
	probe = look(f, &f->rig.sent[0]);
	assert_true(probe.probe);
	path_echo(f->core, f->s, &(struct control_echo){.token = probe.token}, &from);
	assert_int_equal(path_host(f), 66);
	f->rig.n_sent = 0;
	probe_pong(f->core, f->s, &ping, &from);
	assert_int_equal(f->rig.n_sent, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_round_has_four_probes),
		TEST(rounds_repeat_without_end),
		TEST(what_is_told_again_stays_known),
		TEST(nothing_to_try_is_said),
		TEST(sources_are_probed_not_believed),
		TEST(sources_do_not_push_out_what_was_told),
		TEST(forged_sources_get_one_probe_at_a_supernode),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
