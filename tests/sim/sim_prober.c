/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Somebody who watched the way to a supernode asks it what he saw: nothing comes back, in this run
 * or a later one. Who has the wrong time gets in all the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define YEARS_30     UINT64_C(946080000000)
#define RECORDED_MAX 2000
#define PROBER	     UINT32_C(0xc6336401)
#define PROBER_PORT  999

struct scene {
	struct sim *s;
	struct sim_node *sn, *a, *b;
	bool recording;
	size_t n;
	struct {
		uint8_t data[DATAGRAM_MAX];
		size_t len;
	} seen[RECORDED_MAX]; /* by the supernode */
	unsigned answers;     /* to the prober */
	unsigned to_edges;    /* datagrams of the supernode to anybody else */
};

static bool watch(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct scene *c = ctx;

	if (from == c->sn) {
		if (d->way.remote.port == PROBER_PORT)
			c->answers++;
		else
			c->to_edges++;
		return true;
	}
	if (c->recording && endpoint_equal(&d->way.remote, &c->sn->address)) {
		assert_true(c->n < RECORDED_MAX);
		memcpy(c->seen[c->n].data, d->data, d->len);
		c->seen[c->n++].len = d->len;
	}
	return true;
}

static void set_up(struct scene *c)
{
	memset(c, 0, sizeof(*c));
	c->s = sim_create(sim_seed(), 4);
	c->sn = sim_add_supernode(c->s);
	c->a = sim_add_edge(c->s, &sim_key, c->sn);
	c->b = sim_add_edge(c->s, &sim_key, c->sn);
	c->s->wire = watch;
	c->s->wire_ctx = c;
}

/* All that was seen, from another address, slowly enough for every budget. */
static void probe(struct scene *c)
{
	const struct endpoint from = endpoint_v4(PROBER, PROBER_PORT);

	c->recording = false;
	c->answers = 0;
	for (size_t i = 0; i < c->n; i++) {
		sim_inject(c->s, &from, &c->sn->address, c->seen[i].data, c->seen[i].len, 0);
		sim_run(c->s, 60);
	}
	sim_run(c->s, 1000);
}

static void record(struct scene *c, uint64_t ms)
{
	c->recording = true;
	sim_start_all(c->s);
	assert_true(sim_until(c->s, 15000, sim_all_registered, c->s));
	sim_run(c->s, ms);
	assert_true(c->n > 20);
}

/* Its session is there: copies of its handshakes are older than what it confirmed. */
static void replays_to_the_same_run_bring_nothing(void **state)
{
	static struct scene c;

	(void)state;
	set_up(&c);
	record(&c, 300000);
	probe(&c);
	assert_int_equal(c.answers, 0);
	assert_true(sim_drops(c.sn, DROP_STALE) >= 4);
	/* And when it has left, for some minutes. */
	sim_stop(c.a, true);
	sim_stop(c.b, true);
	sim_run(c.s, 400000);
	probe(&c);
	assert_int_equal(c.answers, 0);
	sim_destroy(c.s);
}

static void replay_after(struct scene *c, bool goodbye, bool clock_lost, uint64_t pause_ms)
{
	set_up(c);
	record(c, 130000);
	sim_stop(c->a, false);
	sim_stop(c->b, false);
	sim_stop(c->sn, goodbye);
	if (clock_lost)
		c->sn->setup.wall_ms -= YEARS_30;
	sim_run(c->s, pause_ms);
	sim_start(c->sn);
	probe(c);
	assert_int_equal(c->answers, 0);
	assert_true(c->to_edges > 0);
	assert_true(sim_drops(c->sn, DROP_STALE) >= 2);
	sim_destroy(c->s);
}

static void replays_to_the_next_run_bring_nothing(void **state)
{
	static struct scene c;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		replay_after(&c, i & 1, i & 2, 100 + 2000 * i);
}

static bool is_registered(void *edge)
{
	return edge_is_registered(((struct sim_node *)edge)->edge);
}

/* How long it takes until the edge is registered. */
static uint64_t joins_within(struct scene *c, struct sim_node *edge, uint64_t ms)
{
	uint64_t start = c->s->now_ms;

	if (!edge->up)
		sim_start(edge);
	assert_true(sim_until(c->s, ms, is_registered, edge));
	return c->s->now_ms - start;
}

/* With no state, and a clock that is 30 years behind or ahead; keys are renewed later as well. */
static void an_edge_with_a_wrong_clock_gets_in(void **state)
{
	static struct scene c;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		set_up(&c);
		sim_start(c.sn);
		(void)joins_within(&c, c.a, 500);
		c.b->setup.wall_ms = i & 1 ? SIM_WALL_MS + YEARS_30 : 0;
		c.b->setup.supernode[0].given = i & 2;
		(void)joins_within(&c, c.b, 2000);
		sim_run(c.s, 700000);
		assert_int_equal(c.b->events[EVENT_SUPERNODE_UP], 1);
		assert_true(sim_all_registered(c.s));
		/* It restarts and knows nothing; the supernode knows it still. */
		sim_stop(c.b, false);
		sim_forget_state(c.b);
		(void)joins_within(&c, c.b, 2000);
		sim_destroy(c.s);
	}
}

/* After a crash the floor is some minutes ahead of all clocks, and after a lost clock by decades.
 */
static void after_a_crash_all_get_in(void **state)
{
	static struct scene c;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		set_up(&c);
		sim_start_all(c.s);
		assert_true(sim_until(c.s, 5000, sim_all_registered, c.s));
		sim_run(c.s, 400000);
		sim_stop(c.sn, false);
		if (i == 1)
			c.sn->setup.wall_ms -= YEARS_30;
		sim_start(c.sn);
		/* Until one hears that its PING is not answered, asks, and is told. */
		sim_run(c.s, 18000);
		for (unsigned k = 1; k < c.s->n_nodes; k++)
			assert_true(is_registered(c.s->nodes[k]));
		sim_run(c.s, 1800000);
		for (unsigned k = 1; k < c.s->n_nodes; k++)
			assert_int_equal(c.s->nodes[k]->events[EVENT_SUPERNODE_UP], 2);
		sim_destroy(c.s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replays_to_the_same_run_bring_nothing),
		cmocka_unit_test(replays_to_the_next_run_bring_nothing),
		cmocka_unit_test(an_edge_with_a_wrong_clock_gets_in),
		cmocka_unit_test(after_a_crash_all_get_in),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
