/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The interface of a member gets another MAC address while all are connected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define EDGES 3

struct scene {
	struct sim *s;
	struct sim_node *edge[EDGES];
};

static void set_up(struct scene *c)
{
	struct sim_node *sn;

	*c = (struct scene){.s = sim_create(sim_seed(), EDGES + 1)};
	sn = sim_add_supernode(c->s);
	for (unsigned i = 0; i < EDGES; i++)
		c->edge[i] = sim_add_edge(c->s, &sim_key, sn);
	sim_start_all(c->s);
	assert_true(sim_until(c->s, 10000, sim_all_direct, c->s));
	sim_run(c->s, 2000);
}

static void end(struct scene *c)
{
	sim_assert_clean(c->s);
	sim_destroy(c->s);
}

static struct mac numbered(uint8_t number)
{
	return (struct mac){{0x52, 0x54, 0, 0, 1, number}};
}

static void become(struct scene *c, unsigned i, struct mac mac)
{
	assert_int_equal(edge_set_mac(c->edge[i]->edge, 0, &mac, c->s->now_ms), 0);
}

/* What each sends to each other one arrives, to the address that it has now. */
static bool all_arrives(struct scene *c)
{
	size_t first = c->s->n_frames;

	for (unsigned i = 0; i < EDGES; i++)
		for (unsigned k = 0; k < EDGES; k++)
			if (i != k)
				(void)sim_send(c->edge[i], c->edge[k]);
	sim_run(c->s, 300);
	return sim_missing(c->s, first) == 0;
}

static void others_send_to_it_within_a_round_trip(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	assert_true(all_arrives(&c));
	become(&c, 0, numbered(1));
	sim_run(c.s, 300);
	assert_true(all_arrives(&c));
	end(&c);
}

/* However often, and with loss. */
static void the_last_one_counts(void **state)
{
	struct sim_link bad = {.loss = 300, .delay_ms = 20, .jitter_ms = 20};
	struct scene c;

	(void)state;
	set_up(&c);
	sim_all_links(c.s, &bad);
	for (uint8_t i = 0; i < 60; i++) {
		become(&c, 0, numbered(i));
		sim_run(c.s, 1000);
	}
	bad.loss = 0;
	sim_all_links(c.s, &bad);
	sim_run(c.s, 10000);
	assert_true(all_arrives(&c));
	end(&c);
}

/* Many at once, of which most are not looked at though they arrive; and no more is said. */
static void the_last_of_a_burst_counts(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	for (unsigned n = 20; n <= 24; n++) {
		for (uint8_t i = 0; i < n; i++) {
			become(&c, 0, numbered(i));
			sim_run(c.s, 100);
		}
		sim_run(c.s, 1000);
		assert_true(all_arrives(&c));
	}
	end(&c);
}

/* One that another member has: both say so, and nobody else's frames go astray. */
static void one_that_is_anothers_stays_there(void **state)
{
	struct scene c;
	struct mac theirs, ours;
	size_t frame;

	(void)state;
	set_up(&c);
	ours = sim_mac(c.edge[0]);
	theirs = sim_mac(c.edge[1]);
	become(&c, 0, theirs);
	sim_run(c.s, 1000);
	assert_int_equal(c.edge[0]->events[EVENT_MAC_REFUSED], 1);
	assert_int_equal(c.edge[1]->events[EVENT_MAC_REFUSED], 1);
	assert_int_equal(c.edge[2]->events[EVENT_MAC_REFUSED], 1);
	frame = sim_send(c.edge[2], c.edge[1]);
	sim_run(c.s, 300);
	assert_true(sim_came(c.s, frame));
	become(&c, 0, ours);
	sim_run(c.s, 1000);
	assert_true(all_arrives(&c));
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(others_send_to_it_within_a_round_trip),
		cmocka_unit_test(the_last_one_counts),
		cmocka_unit_test(the_last_of_a_burst_counts),
		cmocka_unit_test(one_that_is_anothers_stays_there),
	};

	if (crypto_start() != 0)
		return 1;
	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
