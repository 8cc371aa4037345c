/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ways that lead into an n2n network of this host: not probed, not used, and left (9.2). */
#include "path_test.h"

static unsigned probes_to(struct fixture *f, uint8_t host, unsigned for_ms)
{
	uint64_t end = f->core->now_ms + for_ms;
	unsigned count = 0;

	while (f->core->now_ms < end) {
		unsigned n = tick(f, NULL);

		for (unsigned i = 0; i < n; i++)
			count += f->rig.sent[i].way.remote.ip[15] == host;
	}
	return count;
}

static void what_leads_into_an_overlay_is_not_probed(void **state)
{
	struct fixture *f = *state;
	struct origin from = from_host(PEER + 1);

	f->rig.overlay = PEER + 1;
	tell(f, PEER, 3);
	search_seen(f->core, f->s, &from, true);
	assert_int_equal(probes_to(f, PEER + 1, 60000), 0);
	f->core->now_ms += 100000;
	assert_true(probes_to(f, PEER, 60000) > 0);
	/* The others did not answer: that is the reason. */
	assert_int_equal(f->s->search->reason, RELAY_NO_ANSWER);
}

static void with_no_other_way_that_is_the_reason(void **state)
{
	struct fixture *f = *state;

	f->rig.overlay = PEER;
	tell(f, PEER, 1);
	assert_int_equal(probes_to(f, PEER, 3000), 0);
	assert_int_equal(f->s->search->reason, RELAY_OVERLAY);
}

/* Each address that a peer tells is looked up once a round, and no more of them than are probed. */
static void a_peer_that_tells_ever_new_addresses_has_few_looked_up(void **state)
{
	struct fixture *f = *state;
	uint64_t end = f->core->now_ms + 10000;
	uint8_t host = 3;

	f->rig.asked = 0;
	while (f->core->now_ms < end) {
		f->rig.overlay = host;
		tell(f, host, CANDIDATES_MAX);
		host = (uint8_t)(host < 200 ? host + CANDIDATES_MAX : 3);
		(void)tick(f, NULL);
	}
	assert_in_range(f->rig.asked, 100, 32 * 11);
}

static void a_path_whose_route_changes_is_left_and_comes_back(void **state)
{
	struct fixture *f = *state;
	struct origin from = from_host(PEER);
	struct seen seen[4];

	go_direct(f, PEER);
	f->s->route.direct = way_to(&from.way.remote);
	path_rerouted(f->core, f->s);
	assert_int_equal(path_host(f), PEER);
	f->rig.overlay = PEER;
	path_rerouted(f->core, f->s);
	assert_int_equal(path_host(f), 0);
	assert_int_equal(f->s->search->reason, RELAY_OVERLAY);
	assert_int_equal(f->rig.events[EVENT_PATH_RELAY], 1);
	assert_true(way_is_none(&f->s->route.direct));
	path_rerouted(f->core, f->s);
	assert_int_equal(f->rig.events[EVENT_PATH_RELAY], 1);
	/* A handshake is not sent there either, though the peer is heard from there. */
	session_reached(f->core, f->s, &from.way);
	assert_true(way_is_none(&f->s->route.direct));
	assert_int_equal(probes_to(f, PEER, 40000), 0);
	f->rig.overlay = 0;
	path_rerouted(f->core, f->s);
	assert_int_equal(f->s->search->reason, RELAY_SEARCHING);
	assert_int_equal(tick(f, seen), 1);
	hear_direct(f);
	echo(f, seen[0].token, &from);
	assert_int_equal(path_host(f), PEER);
}

/* Our datagrams came back although the route looks right, as from a bridge. */
static void a_refused_path_is_not_tried_for_a_minute(void **state)
{
	struct fixture *f = *state;
	struct origin from = from_host(PEER);

	go_direct(f, PEER);
	path_refuse(f->core, f->s);
	assert_int_equal(path_host(f), 0);
	assert_int_equal(f->s->search->reason, RELAY_OVERLAY);
	assert_int_equal(f->rig.events[EVENT_PATH_RELAY], 1);
	path_refuse(f->core, f->s);
	assert_int_equal(f->rig.events[EVENT_PATH_RELAY], 1);
	tell(f, PEER, 1);
	search_seen(f->core, f->s, &from, true);
	tell(f, PEER + 1, 1); /* told no more, and still held against it */
	tell(f, PEER, 1);
	/* Routes may change every second; it has its ten seconds all the same. */
	path_rerouted(f->core, f->s);
	assert_int_equal(probes_to(f, PEER, 57000), 0);
	assert_true(probes_to(f, PEER, 30000) > 0);
}

static void a_refused_path_is_tried_when_routes_change(void **state)
{
	struct fixture *f = *state;

	go_direct(f, PEER);
	path_refuse(f->core, f->s);
	assert_int_equal(probes_to(f, PEER, REFUSED_MIN_MS), 0);
	path_rerouted(f->core, f->s);
	assert_true(probes_to(f, PEER, 1000) > 0);
}

/* A silent path is better than none; one that leads back to us is not. */
static void without_a_relay_there_is_no_path(void **state)
{
	struct fixture *f = *state;
	struct origin from = from_host(PEER);

	go_direct(f, PEER);
	f->s->route.relay = NULL;
	f->s->route.direct = way_to(&from.way.remote);
	f->rig.overlay = PEER;
	path_refuse(f->core, f->s);
	assert_null(link_path(&f->s->link));
	assert_int_equal(f->rig.events[EVENT_PATH_RELAY], 0);
	path_follow_route(f->core, f->s);
	assert_null(link_path(&f->s->link));
	f->core->now_ms += REFUSED_MS;
	path_follow_route(f->core, f->s);
	assert_null(link_path(&f->s->link));
	f->rig.overlay = 0;
	path_follow_route(f->core, f->s);
	assert_int_equal(path_host(f), PEER);
}

/* A path that was guessed, and is among no candidates. */
static void a_refused_guess_is_not_guessed_again(void **state)
{
	struct fixture *f = *state;
	struct origin from = from_host(77);

	f->s->route.relay = NULL;
	f->s->route.direct = way_to(&from.way.remote);
	path_follow_route(f->core, f->s);
	assert_int_equal(path_host(f), 77);
	path_refuse(f->core, f->s);
	assert_null(link_path(&f->s->link));
	path_follow_route(f->core, f->s);
	assert_null(link_path(&f->s->link));
	f->core->now_ms += REFUSED_MS;
	path_follow_route(f->core, f->s);
	assert_int_equal(path_host(f), 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_leads_into_an_overlay_is_not_probed),
		TEST(with_no_other_way_that_is_the_reason),
		TEST(a_peer_that_tells_ever_new_addresses_has_few_looked_up),
		TEST(a_path_whose_route_changes_is_left_and_comes_back),
		TEST(a_refused_path_is_not_tried_for_a_minute),
		TEST(a_refused_path_is_tried_when_routes_change),
		TEST(without_a_relay_there_is_no_path),
		TEST(a_refused_guess_is_not_guessed_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
