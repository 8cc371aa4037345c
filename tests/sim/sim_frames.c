/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames for everybody, for nobody known, and under a false name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "sim.h"

#include <cmocka.h>

#define EDGES 5

/* Some pairs direct, some relayed. */
static struct sim *five_edges(struct sim_node *edge[EDGES])
{
	struct sim *s = sim_create(sim_seed(), EDGES + 1);
	struct sim_node *sn = sim_add_supernode(s);

	for (unsigned i = 0; i < EDGES; i++)
		edge[i] = sim_add_edge(s, &sim_key, sn);
	edge[0]->setup.forges = true;
	for (unsigned i = 1; i < EDGES; i++)
		sim_block(s, edge[i], edge[i - 1], true);
	sim_start_all(s);
	assert_true(sim_until(s, 5000, sim_all_up, s));
	sim_run(s, 3000);
	assert_false(sim_is_direct(edge[0], edge[1]));
	assert_true(sim_is_direct(edge[0], edge[2]));
	return s;
}

static void assert_reached_all(const struct sim *s, size_t first, unsigned from)
{
	for (unsigned i = 0; i < s->n_nodes; i++)
		if (s->nodes[i]->is_edge)
			assert_int_equal(s->frames[first + i].count, i != from);
}

static void broadcast_reaches_each_once(void **state)
{
	struct sim_node *edge[EDGES];
	struct sim *s = five_edges(edge);

	(void)state;
	for (unsigned i = 0; i < EDGES; i++) {
		size_t first = sim_broadcast(edge[i]);

		sim_run(s, 100);
		assert_reached_all(s, first, edge[i]->number);
	}
	sim_assert_clean(s);
	sim_destroy(s);
}

static void broadcast_wakes_sleeping_sessions(void **state)
{
	struct sim_node *edge[EDGES];
	struct sim *s = five_edges(edge);
	size_t first;

	(void)state;
	sim_run(s, 600000);
	assert_false(sim_all_up(s));
	first = sim_broadcast(edge[2]);
	sim_run(s, 1000);
	assert_reached_all(s, first, edge[2]->number);
	sim_assert_clean(s);
	sim_destroy(s);
}

static void unknown_address_is_flooded(void **state)
{
	static const struct mac nobody = {{0x02, 0, 0, 0, 0, 0x77}};
	struct sim_node *edge[EDGES];
	struct sim *s = five_edges(edge);
	struct mac own = sim_mac(edge[0]);
	size_t first = sim_flood(edge[0], &nobody, &own);

	(void)state;
	sim_run(s, 100);
	assert_reached_all(s, first, edge[0]->number);
	sim_assert_clean(s);
	sim_destroy(s);
}

/* From an address that is nobody's, and from one that is another member's. */
static void false_source_is_dropped(void **state)
{
	static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	static const struct mac nobody = {{0x02, 0, 0, 0, 0, 0x77}};
	struct sim_node *edge[EDGES];
	struct sim *s = five_edges(edge);
	struct mac others = sim_mac(edge[1]);

	(void)state;
	(void)sim_flood(edge[0], &all, &nobody);
	(void)sim_flood(edge[0], &all, &others);
	sim_run(s, 100);
	assert_int_equal(s->delivered, 0);
	for (unsigned i = 1; i < EDGES; i++)
		assert_int_equal(sim_drops(edge[i], DROP_SOURCE_MAC), 2);
	sim_destroy(s);
}

/* Who is up keeps its address; whoever claims the same later is not heard under it. */
static void address_has_one_owner(void **state)
{
	struct sim_node *edge[EDGES], *thief;
	struct sim *s = sim_create(sim_seed(), EDGES + 2);
	struct sim_node *sn = sim_add_supernode(s);
	size_t frame;

	(void)state;
	for (unsigned i = 0; i < EDGES; i++)
		edge[i] = sim_add_edge(s, &sim_key, sn);
	sim_start_all(s);
	sim_run(s, 5000);
	thief = sim_add_edge(s, &sim_key, sn);
	thief->setup.mac = sim_mac(edge[1]);
	sim_start(thief);
	sim_run(s, 5000);
	frame = sim_send(edge[0], edge[1]);
	sim_run(s, 100);
	assert_true(sim_came(s, frame));
	frame = sim_broadcast(thief);
	sim_run(s, 100);
	for (unsigned i = 0; i < EDGES; i++)
		assert_int_equal(s->frames[frame + edge[i]->number].count, 0);
	sim_assert_clean(s);
	sim_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broadcast_reaches_each_once),
		cmocka_unit_test(broadcast_wakes_sleeping_sessions),
		cmocka_unit_test(unknown_address_is_flooded),
		cmocka_unit_test(false_source_is_dropped),
		cmocka_unit_test(address_has_one_owner),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
