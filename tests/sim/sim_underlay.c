/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Routes of a host lead a path into an n2n network, and out of it again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/path/path.h"
#include "sim.h"

#include <cmocka.h>

/* Where a node's routes lead into such a network: its user points to an endpoint, or to none. */
static bool is_underlay(void *ctx, const struct endpoint *to)
{
	const struct sim_node *n = ctx;
	const struct endpoint *overlay = n->user;

	return overlay == NULL || !endpoint_same_ip(overlay, to);
}

struct world {
	struct sim *s;
	struct sim_node *sn, *a, *b;
};

static struct world make(void)
{
	struct world w = {.s = sim_create(sim_seed(), 3)};

	w.sn = sim_add_supernode(w.s);
	w.a = sim_add_edge(w.s, &sim_key, w.sn);
	w.b = sim_add_edge(w.s, &sim_key, w.sn);
	w.a->setup.is_underlay = is_underlay;
	return w;
}

static bool nothing_goes_straight(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct world *w = ctx;

	if (from == w->a && w->a->user != NULL)
		assert_false(endpoint_same_ip(&d->way.remote, &w->b->address));
	return true;
}

static void no_byte_goes_where_it_would_come_back(void **state)
{
	struct world w = make();
	size_t first;

	(void)state;
	w.s->wire = nothing_goes_straight;
	w.s->wire_ctx = &w;
	w.a->user = &w.b->address;
	sim_start_all(w.s);
	assert_true(sim_until(w.s, 3000, sim_all_up, w.s));
	for (unsigned i = 0; i < 60; i++) {
		first = sim_send(w.a, w.b);
		sim_send(w.b, w.a);
		sim_run(w.s, 1000);
		assert_int_equal(sim_missing(w.s, first), 0);
	}
	assert_int_equal(w.a->events[EVENT_PATH_DIRECT], 0);
	assert_int_equal(w.b->events[EVENT_PATH_DIRECT], 0);
	assert_int_equal(sim_session(w.a, w.b)->search->reason, RELAY_OVERLAY);
	sim_assert_clean(w.s);
	sim_destroy(w.s);
}

/* Another start knows where b was; its supernode is away, and it does not go there. */
static void what_was_remembered_is_asked_for_too(void **state)
{
	struct world w = make();

	(void)state;
	sim_start_all(w.s);
	assert_true(sim_until(w.s, 10000, sim_all_direct, w.s));
	sim_stop(w.a, false);
	sim_stop(w.sn, false);
	w.s->wire = nothing_goes_straight;
	w.s->wire_ctx = &w;
	w.a->user = &w.b->address;
	sim_start(w.a);
	sim_send(w.a, w.b);
	sim_run(w.s, 20000);
	w.a->user = NULL;
	edge_rerouted(w.a->edge, w.s->now_ms);
	sim_start(w.sn);
	assert_true(sim_until(w.s, 30000, sim_all_direct, w.s));
	sim_assert_clean(w.s);
	sim_destroy(w.s);
}

static void a_path_is_left_and_taken_again_without_loss(void **state)
{
	struct world w = make();
	size_t first;

	(void)state;
	sim_start_all(w.s);
	assert_true(sim_until(w.s, 10000, sim_all_direct, w.s));
	w.s->wire = nothing_goes_straight;
	w.s->wire_ctx = &w;
	w.a->user = &w.b->address;
	edge_rerouted(w.a->edge, w.s->now_ms);
	sim_run(w.s, 200);
	assert_false(sim_is_direct(w.a, w.b));
	assert_int_equal(w.a->events[EVENT_PATH_RELAY], 1);
	first = w.s->n_frames;
	for (unsigned i = 0; i < 100; i++) {
		sim_send(w.a, w.b);
		sim_send(w.b, w.a);
		sim_run(w.s, 100);
		edge_rerouted(w.a->edge, w.s->now_ms);
	}
	assert_int_equal(sim_missing(w.s, first), 0);
	/* It does not answer probes there, so that the other side leaves the path as well. */
	assert_false(sim_is_direct(w.b, w.a));
	assert_int_equal(w.a->events[EVENT_PATH_RELAY], 1);
	w.a->user = NULL;
	edge_rerouted(w.a->edge, w.s->now_ms);
	sim_run(w.s, 300);
	assert_true(sim_is_direct(w.a, w.b));
	/* The other side may be between two rounds of its own. */
	assert_true(sim_until(w.s, 30000, sim_all_direct, w.s));
	sim_assert_clean(w.s);
	sim_destroy(w.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_byte_goes_where_it_would_come_back),
		cmocka_unit_test(what_was_remembered_is_asked_for_too),
		cmocka_unit_test(a_path_is_left_and_taken_again_without_loss),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
