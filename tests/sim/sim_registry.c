/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A supernode that restarts under 200 edges: they are back within ten seconds, and what they were
 * saying to each other goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define EDGES	200
#define MEMBERS 100 /* of the one large community; more leave than departures are remembered */

static uint32_t handle_of(const struct sim_node *n)
{
	return n->edge->community[0]->hop.handle;
}

static unsigned listed(const struct sim_node *n)
{
	unsigned count = 0;

	for (const struct peer *p = n->edge->community[0]->peers; p != NULL; p = p->hh.next)
		count += p->listed;
	return count;
}

static bool all_listed(void *sim)
{
	struct sim *s = sim;

	for (unsigned i = 0; i < s->n_nodes; i++)
		if (s->nodes[i]->is_edge && listed(s->nodes[i]) != MEMBERS - 1)
			return false;
	return true;
}

/* Edges in communities of ten, so that only the registry is large. */
static void restart_brings_all_back(void **state)
{
	struct sim *s = sim_create(sim_seed(), EDGES + 1);
	struct sim_node *sn = sim_add_supernode(s);
	struct community_key key = sim_key;
	struct sim_node *relayed[2], *direct[2];
	uint32_t before[EDGES];
	size_t first;

	(void)state;
	for (unsigned i = 0; i < EDGES; i++) {
		key.id[0] = (uint8_t)(i / 10);
		(void)sim_add_edge(s, &key, sn);
	}
	direct[0] = s->nodes[1], direct[1] = s->nodes[2];
	relayed[0] = s->nodes[3], relayed[1] = s->nodes[4];
	sim_block(s, relayed[0], relayed[1], true);
	sim_start_all(s);
	assert_true(sim_until(s, 10000, sim_all_registered, s));
	sim_run(s, 30000);
	assert_true(sim_is_direct(direct[0], direct[1]));
	for (unsigned i = 0; i < EDGES; i++)
		before[i] = handle_of(s->nodes[i + 1]);

	sim_stop(sn, false);
	sim_start(sn);
	first = s->n_frames;
	for (unsigned i = 0; i < 100; i++) {
		sim_send(direct[0], direct[1]);
		sim_run(s, 100);
	}
	assert_int_equal(sim_missing(s, first), 0);
	for (unsigned i = 0; i < EDGES; i++)
		assert_int_not_equal(handle_of(s->nodes[i + 1]), before[i]);
	assert_int_equal(sn->events[EVENT_MEMBER_UP], 2 * EDGES);
	first = s->n_frames;
	for (unsigned i = 0; i < 20; i++) {
		sim_send(relayed[0], relayed[1]);
		sim_send(relayed[1], relayed[0]);
		sim_run(s, 100);
	}
	assert_int_equal(sim_missing(s, first), 0);
	sim_assert_clean(s);
	sim_destroy(s);
}

/* One community of all: rosters of several pages, over a bad network, with comings and goings. */
static void rosters_become_equal(void **state)
{
	struct sim *s = sim_create(sim_seed(), MEMBERS + 1);
	struct sim_node *sn = sim_add_supernode(s);

	(void)state;
	for (unsigned i = 0; i < MEMBERS; i++)
		(void)sim_add_edge(s, &sim_key, sn);
	sim_all_links(
		s, &(struct sim_link){
			   .delay_ms = 20, .jitter_ms = 30, .loss = 50, .dup = 20, .reorder = 20});
	sim_block_direct(s, true);
	sim_start_all(s);
	assert_true(sim_until(s, 60000, all_listed, s));
	for (unsigned i = 1; i <= 70; i++)
		sim_stop(s->nodes[i], i % 2 == 0);
	sim_run(s, 40000);
	for (unsigned i = 71; i <= MEMBERS; i++)
		assert_int_equal(listed(s->nodes[i]), MEMBERS - 71);
	sim_start_all(s);
	assert_true(sim_until(s, 60000, all_listed, s));
	sim_stop(sn, false);
	sim_start(sn);
	sim_run(s, 1000);
	assert_true(sim_until(s, 20000, sim_all_registered, s));
	assert_true(sim_until(s, 60000, all_listed, s));
	sim_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(restart_brings_all_back),
		cmocka_unit_test(rosters_become_equal),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
