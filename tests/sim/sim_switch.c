/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The switch of a community beyond peers that send from their own address: learned addresses, and
 * a port that is no peer but counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define EDGES 4
#define LEARN 256

static const struct mac foreign = {{0x02, 0xaa, 0, 0, 0, 1}};
static const struct mac behind_sink = {{0x02, 0xbb, 0, 0, 0, 1}};

struct net {
	struct sim *s;
	struct sim_node *edge[EDGES];
};

static void set_up(struct net *n, uint32_t learn)
{
	struct sim_node *sn;

	n->s = sim_create(sim_seed(), EDGES + 1);
	sn = sim_add_supernode(n->s);
	for (unsigned i = 0; i < EDGES; i++) {
		n->edge[i] = sim_add_edge(n->s, &sim_key, sn);
		n->edge[i]->setup.learn = learn;
		n->edge[i]->setup.roles = learn > 0 ? ROLE_BRIDGE : 0;
	}
	sim_start_all(n->s);
	assert_true(sim_until(n->s, 5000, sim_all_up, n->s));
	sim_run(n->s, 3000);
}

/* How many interfaces a frame of this flood came to. */
static unsigned reached(const struct net *n, size_t first)
{
	unsigned count = 0;

	for (unsigned i = 0; i < n->s->n_nodes; i++)
		count += n->s->frames[first + i].count;
	return count;
}

static size_t flood(struct net *n, unsigned from, const struct mac *to, const struct mac *source)
{
	size_t first = sim_flood(n->edge[from], to, source);

	sim_run(n->s, 200);
	return first;
}

static void a_learned_address_leads_to_its_port(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, own;
	struct net n;
	size_t first;

	(void)state;
	set_up(&n, LEARN);
	own = sim_mac(n.edge[1]);
	/* Nobody knows it: everybody gets it. */
	assert_int_equal(reached(&n, flood(&n, 1, &foreign, &own)), EDGES - 1);
	assert_int_equal(reached(&n, flood(&n, 0, &all, &foreign)), EDGES - 1);
	first = flood(&n, 1, &foreign, &own);
	assert_int_equal(reached(&n, first), 1);
	assert_int_equal(n.s->frames[first + n.edge[0]->number].count, 1);
	/* The station moves behind another port: that one is believed from now on. */
	flood(&n, 2, &all, &foreign);
	first = flood(&n, 1, &foreign, &own);
	assert_int_equal(reached(&n, first), 1);
	assert_int_equal(n.s->frames[first + n.edge[2]->number].count, 1);
	sim_assert_clean(n.s);
	sim_destroy(n.s);
}

static void learned_addresses_age(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, own;
	struct net n;

	(void)state;
	set_up(&n, LEARN);
	own = sim_mac(n.edge[1]);
	flood(&n, 0, &all, &foreign);
	sim_run(n.s, 240000);
	assert_int_equal(reached(&n, flood(&n, 1, &foreign, &own)), 1);
	sim_run(n.s, 240000);
	flood(&n, 1, &all, &own); /* the sessions sleep by now */
	sim_run(n.s, 5000);
	assert_int_equal(reached(&n, flood(&n, 1, &foreign, &own)), EDGES - 1);
	sim_destroy(n.s);
}

/* The first frames under new keys are opened by the control thread, which has the same rule. */
static void a_foreign_address_wakes_sleeping_sessions(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, own;
	struct net n;
	size_t first;

	(void)state;
	set_up(&n, LEARN);
	own = sim_mac(n.edge[1]);
	sim_run(n.s, 400000);
	assert_null(sim_session(n.edge[1], n.edge[0])->current);
	first = sim_flood(n.edge[0], &all, &foreign);
	sim_run(n.s, 3000);
	assert_int_equal(reached(&n, first), EDGES - 1);
	for (unsigned i = 1; i < EDGES; i++)
		assert_int_equal(sim_drops(n.edge[i], DROP_SOURCE_MAC), 0);
	first = flood(&n, 1, &foreign, &own);
	assert_int_equal(reached(&n, first), 1);
	sim_assert_clean(n.s);
	sim_destroy(n.s);
}

static void claims_stand_above_what_is_learned(void **state)
{
	struct mac victim, own;
	struct net n;
	size_t first;

	(void)state;
	set_up(&n, LEARN);
	victim = sim_mac(n.edge[3]);
	own = sim_mac(n.edge[1]);
	/* A member sends from the address of another. */
	first = flood(&n, 0, &own, &victim);
	assert_int_equal(reached(&n, first), 0);
	assert_int_equal(sim_drops(n.edge[1], DROP_SOURCE_MAC), 1);
	first = flood(&n, 1, &victim, &own);
	assert_int_equal(reached(&n, first), 1);
	assert_int_equal(n.s->frames[first + n.edge[3]->number].count, 1);
	sim_assert_clean(n.s);
	sim_destroy(n.s);
}

static void a_member_that_left_is_not_learned_again(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, own;
	struct net n;
	size_t first;

	(void)state;
	set_up(&n, LEARN);
	own = sim_mac(n.edge[1]);
	flood(&n, 0, &all, &foreign);
	sim_stop(n.edge[0], true);
	sim_run(n.s, 90000);
	assert_int_equal(HASH_COUNT(n.edge[1]->edge->community[0]->peers), EDGES - 2);
	/* Its port is gone: the address is as good as unknown, until somebody else brings it. */
	flood(&n, 1, &all, &own);
	sim_run(n.s, 2000);
	assert_int_equal(reached(&n, flood(&n, 1, &foreign, &own)), EDGES - 2);
	flood(&n, 2, &all, &foreign);
	first = flood(&n, 1, &foreign, &own);
	assert_int_equal(reached(&n, first), 1);
	assert_int_equal(n.s->frames[first + n.edge[2]->number].count, 1);
	sim_assert_clean(n.s);
	sim_destroy(n.s);
}

static void take(void *ctx, struct frame *frames[], size_t n)
{
	unsigned *count = ctx;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(frames[i]->len, SIM_FRAME_LEN);
		assert_false(frames[i]->offload.csum_unset);
		++*count;
	}
}

static void a_port_that_is_no_peer_counts(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, own;
	unsigned count = 0;
	struct net n;
	struct edge *e;
	int port;

	(void)state;
	set_up(&n, 0);
	e = n.edge[0]->edge;
	own = sim_mac(n.edge[0]);
	port = edge_add_sink(e, 0, &(struct port_sink){take, &count});
	assert_true(port > 0);
	assert_int_equal(edge_give_address(e, 0, port, &behind_sink), 0);
	sim_run(n.s, 200);
	/* For its address: nobody else gets it. */
	assert_int_equal(reached(&n, flood(&n, 0, &behind_sink, &own)), 0);
	assert_int_equal(count, 1);
	/* For everybody: it is one of them. */
	assert_int_equal(reached(&n, flood(&n, 0, &all, &own)), EDGES - 1);
	assert_int_equal(count, 2);
	edge_remove_sink(e, 0, port);
	sim_run(n.s, 200);
	assert_int_equal(reached(&n, flood(&n, 0, &behind_sink, &own)), EDGES - 1);
	assert_int_equal(count, 2);
	sim_assert_clean(n.s);
	sim_destroy(n.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_learned_address_leads_to_its_port),
		cmocka_unit_test(learned_addresses_age),
		cmocka_unit_test(a_foreign_address_wakes_sleeping_sessions),
		cmocka_unit_test(claims_stand_above_what_is_learned),
		cmocka_unit_test(a_member_that_left_is_not_learned_again),
		cmocka_unit_test(a_port_that_is_no_peer_counts),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
