/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What sizes and times show of those who have nothing to say: an hour of idle hops and of a direct
 * path in use, as an observer sees it. No size and no pause is frequent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

#include <cmocka.h>

#define HOUR_MS	    3600000u
#define SPIKE	    20 /* per cent of all that one size may have: a goal of the design */
#define PAUSE_STEP  100
#define PAUSE_STEPS 400 /* what is longer counts with the longest */

/* One direction of one pair. */
struct flow {
	const char *name;
	unsigned n, size[DATAGRAM_MAX + 1];
	unsigned n_pauses, pause[PAUSE_STEPS];
	uint64_t last_ms;
};

enum {
	HOP_UP,
	HOP_DOWN,
	DIRECT,
	FLOWS
};

struct scene {
	struct sim *s;
	struct sim_node *sn, *a, *b;
	bool counting, frames; /* frames: of ours, which are not idle */
	struct flow flow[FLOWS];
};

static struct flow *flow_of(struct scene *c, const struct sim_node *from, const struct endpoint *to)
{
	if (from == c->a && endpoint_equal(to, &c->sn->address))
		return &c->flow[HOP_UP];
	if (from == c->sn && endpoint_equal(to, &c->a->address))
		return &c->flow[HOP_DOWN];
	if (from == c->a && endpoint_equal(to, &c->b->address))
		return &c->flow[DIRECT];
	return NULL;
}

static bool observe(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct scene *c = ctx;
	struct flow *f = flow_of(c, from, &d->way.remote);
	uint64_t pause;

	if (!c->counting || c->frames || f == NULL)
		return true;
	f->n++;
	f->size[d->len]++;
	pause = f->last_ms != 0 ? (c->s->now_ms - f->last_ms) / PAUSE_STEP : 0;
	f->last_ms = c->s->now_ms;
	/* Answers to one another, and repetitions, make a burst: seen as one. */
	if (pause >= 15) {
		f->n_pauses++;
		f->pause[pause < PAUSE_STEPS ? pause : PAUSE_STEPS - 1]++;
	}
	return true;
}

static unsigned highest(const unsigned *count, unsigned n, unsigned *which)
{
	*which = 0;
	for (unsigned i = 1; i < n; i++)
		if (count[i] > count[*which])
			*which = i;
	return count[*which];
}

/* How many times as long the longest is as the shortest. */
static double spread(const struct flow *f)
{
	unsigned low = 0, high = PAUSE_STEPS - 1;

	while (low < high && f->pause[low] == 0)
		low++;
	while (high > low && f->pause[high] == 0)
		high--;
	return (double)high / low;
}

static void check(const struct flow *f)
{
	unsigned size, pause, sizes = highest(f->size, DATAGRAM_MAX + 1, &size);
	unsigned pauses = highest(f->pause, PAUSE_STEPS, &pause);

	printf("%-9s %5u datagrams, %4.1f %% of them of %u bytes; %4u pauses, %4.1f %% of %.1f s, "
	       "the longest %.1f times the shortest\n",
		f->name, f->n, 100.0 * sizes / f->n, size, f->n_pauses,
		100.0 * pauses / f->n_pauses, pause / 10.0, spread(f));
	assert_true(f->n > 100 && f->n_pauses > 50);
	assert_true(sizes * 100 < f->n * SPIKE);
	assert_true(pauses * 100 < f->n_pauses * SPIKE);
	assert_true(spread(f) >= 1.9);
}

static void set_up(struct scene *c)
{
	*c = (struct scene){.s = sim_create(sim_seed(), 3),
		.flow = {{.name = "hop up"}, {.name = "hop down"}, {.name = "direct"}}};
	c->sn = sim_add_supernode(c->s);
	c->a = sim_add_edge(c->s, &sim_key, c->sn);
	c->b = sim_add_edge(c->s, &sim_key, c->sn);
	c->s->wire = observe;
	c->s->wire_ctx = c;
	sim_start_all(c->s);
	assert_true(sim_until(c->s, 20000, sim_all_direct, c->s));
	sim_run(c->s, 10000);
	c->counting = true;
}

static void idle_hops_have_no_shape(void **state)
{
	static struct scene c;

	(void)state;
	set_up(&c);
	sim_run(c.s, HOUR_MS);
	check(&c.flow[HOP_UP]);
	check(&c.flow[HOP_DOWN]);
	sim_destroy(c.s);
}

/* A frame now and then, so that the path is kept; what is sent beside it is looked at. */
static void a_path_that_is_kept_has_no_shape(void **state)
{
	static struct scene c;

	(void)state;
	set_up(&c);
	for (unsigned i = 0; i < HOUR_MS / 50000; i++) {
		c.frames = true;
		sim_send(c.a, c.b);
		c.frames = false;
		sim_run(c.s, 50000);
	}
	assert_true(sim_is_direct(c.a, c.b));
	check(&c.flow[DIRECT]);
	sim_destroy(c.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_hops_have_no_shape),
		cmocka_unit_test(a_path_that_is_kept_has_no_shape),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
