/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Datagrams by other carriers than UDP: here a pipe between two edges that the network knows
 * nothing of. It has names of its own for its ends, and the same name may be something else by UDP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define PIPE 7 /* the carrier */

struct pipe {
	struct sim *s;
	struct sim_node *a, *b, *sn;
	struct endpoint at_a, at_b; /* names of its ends, as the other one sees them */
	bool cut;
	unsigned long passed;
};

static bool on_wire(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct pipe *p = ctx;
	bool from_a = from == p->a;
	struct datagram in = {d->data, d->len, {PIPE, from_a ? p->at_a : p->at_b, {.port = 0}}};

	if (d->way.carrier == CARRIER_UDP)
		return true;
	assert_int_equal(d->way.carrier, PIPE);
	assert_true(from_a || from == p->b);
	assert_true(endpoint_equal(&d->way.remote, from_a ? &p->at_b : &p->at_a));
	if (p->cut)
		return false;
	p->passed++;
	sim_arrive(from_a ? p->b : p->a, &in, 5);
	return false;
}

/* Two edges that UDP connects through the supernode only. */
static void set_up(struct pipe *p)
{
	memset(p, 0, sizeof(*p));
	p->s = sim_create(sim_seed(), 3);
	p->sn = sim_add_supernode(p->s);
	p->a = sim_add_edge(p->s, &sim_key, p->sn);
	p->b = sim_add_edge(p->s, &sim_key, p->sn);
	/* By UDP this is the supernode's address, where a hop's packets would come from. */
	p->at_a = p->sn->address;
	p->at_b = endpoint_v4(1, 1);
	p->s->wire = on_wire;
	p->s->wire_ctx = p;
	sim_block_direct(p->s, true);
	sim_start_all(p->s);
	assert_true(sim_until(p->s, 5000, sim_all_up, p->s));
	sim_run(p->s, 3000);
	assert_false(sim_is_direct(p->a, p->b));
	assert_int_equal(p->passed, 0);
}

/* The host of a has a stream to b, it says. */
static void offer(struct pipe *p)
{
	p->a->node->core.now_ms = p->s->now_ms;
	search_offer(&p->a->node->core, sim_session(p->a, p->b),
		&(struct way){.carrier = PIPE, .remote = p->at_b});
	sim_run(p->s, 2000);
}

static void assert_both_ways(struct pipe *p, unsigned n)
{
	size_t first = p->s->n_frames;

	for (unsigned i = 0; i < n; i++) {
		sim_send(p->a, p->b);
		sim_send(p->b, p->a);
		sim_run(p->s, 20);
	}
	sim_run(p->s, 200);
	assert_int_equal(sim_missing(p->s, first), 0);
}

static void another_carrier_becomes_the_path(void **state)
{
	const struct path *path;
	unsigned long before, by_udp;
	struct pipe p;

	(void)state;
	set_up(&p);
	offer(&p);
	path = link_direct(&sim_session(p.a, p.b)->link);
	assert_non_null(path);
	assert_int_equal(path->way.carrier, PIPE);
	assert_int_equal(p.a->events[EVENT_PATH_DIRECT], 1);
	/* b saw where a's probes came from, and found the way back by itself. */
	path = link_direct(&sim_session(p.b, p.a)->link);
	assert_non_null(path);
	assert_int_equal(path->way.carrier, PIPE);
	assert_true(endpoint_equal(&path->way.remote, &p.at_a));

	before = p.passed;
	by_udp = (unsigned long)p.s->datagrams;
	assert_both_ways(&p, 100);
	assert_true(p.passed >= before + 200);
	assert_true(p.s->datagrams < by_udp + 50); /* the hops' PINGs, not the frames */
	sim_assert_clean(p.s);
	sim_destroy(p.s);
}

static void a_cut_carrier_is_left_for_the_relay(void **state)
{
	struct pipe p;

	(void)state;
	set_up(&p);
	offer(&p);
	assert_both_ways(&p, 10);
	p.cut = true;
	for (unsigned i = 0; i < 40; i++) {
		sim_send(p.a, p.b);
		sim_run(p.s, 100);
	}
	assert_false(sim_is_direct(p.a, p.b));
	assert_true(p.a->events[EVENT_PATH_RELAY] > 0);
	assert_both_ways(&p, 10);
	sim_assert_clean(p.s);
	sim_destroy(p.s);
}

/* The same name by UDP and by the pipe is two ways, with a candidate each. */
static void names_of_carriers_are_apart(void **state)
{
	struct search *q;
	unsigned udp = 0, pipe = 0;
	struct pipe p;

	(void)state;
	set_up(&p);
	p.at_b = p.b->inner; /* b told it as a UDP address, which does not work */
	offer(&p);
	q = sim_session(p.a, p.b)->search;
	assert_non_null(q);
	for (unsigned i = 0; i < q->n; i++) {
		if (!endpoint_equal(&q->c[i].way.remote, &p.at_b))
			continue;
		udp += q->c[i].way.carrier == CARRIER_UDP && q->c[i].echoed_ms == 0;
		pipe += q->c[i].way.carrier == PIPE && q->c[i].echoed_ms != 0;
	}
	assert_int_equal(udp, 1);
	assert_int_equal(pipe, 1);
	assert_both_ways(&p, 10);
	sim_destroy(p.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_carrier_becomes_the_path),
		cmocka_unit_test(a_cut_carrier_is_left_for_the_relay),
		cmocka_unit_test(names_of_carriers_are_apart),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
