/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plain story: register, meet through the relay, go direct, talk, say goodbye. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "sim.h"

#include <cmocka.h>

static void tell_story(bool passphrase)
{
	struct sim *s = sim_create(sim_seed(), 3);
	struct sim_node *sn = sim_add_supernode(s);
	struct sim_node *a = sim_add_edge(s, &sim_key, sn);
	struct sim_node *b = sim_add_edge(s, &sim_key, sn);
	size_t first;

	if (passphrase) {
		sim_use_passphrase(a, "mynetwork", 7);
		sim_use_passphrase(b, "mynetwork", 7);
	}
	sim_block(s, a, b, true);
	sim_start_all(s);
	assert_false(edge_is_registered(a->edge));
	assert_true(sim_until(s, 1000, sim_all_registered, s));
	assert_true(edge_is_registered(a->edge));
	assert_true(sim_until(s, 2000, sim_all_up, s));
	sim_run(s, 500);
	assert_false(sim_is_direct(a, b));
	first = sim_send(a, b);
	sim_send(b, a);
	sim_run(s, 100);
	assert_int_equal(sim_missing(s, first), 0);
	assert_int_equal(sim_state(a), COMMUNITY_UP);

	sim_block(s, a, b, false);
	assert_true(sim_until(s, 30000, sim_all_direct, s));
	sn->relay.packets = 0;
	first = sim_send_burst(a, b, 20);
	sim_send_burst(b, a, 20);
	sim_run(s, 100);
	assert_int_equal(sim_missing(s, first), 0);
	assert_int_equal(sn->relay.packets, 0);
	assert_int_equal(a->events[EVENT_PATH_DIRECT], 1);

	sim_stop(b, true);
	sim_run(s, 200);
	assert_int_equal(a->events[EVENT_PEER_DOWN], 1);
	assert_int_equal(sn->events[EVENT_MEMBER_DOWN], 1);
	assert_int_equal(sim_state(a), COMMUNITY_ALONE);
	sim_assert_clean(s);
	sim_destroy(s);
}

static void works_with_a_key(void **state)
{
	(void)state;
	tell_story(false);
}

static void works_with_a_passphrase(void **state)
{
	(void)state;
	tell_story(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(works_with_a_key),
		cmocka_unit_test(works_with_a_passphrase),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
