/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames of other hosts at the interface of an edge that is no bridge: nobody gets them, and the
 * user is told while they come; not of what an interface says while it changes its address.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define MINUTE 60000u

static const struct mac guest = {{0x52, 0x54, 0, 0, 0, 1}};
static const struct mac other = {{0x52, 0x54, 0, 0, 0, 2}};

struct net {
	struct sim *s;
	struct sim_node *a, *b;
};

static void set_up(struct net *n)
{
	struct sim_node *sn;

	n->s = sim_create(sim_seed(), 3);
	sn = sim_add_supernode(n->s);
	n->a = sim_add_edge(n->s, &sim_key, sn);
	n->b = sim_add_edge(n->s, &sim_key, sn);
	sim_start_all(n->s);
	assert_true(sim_until(n->s, 5000, sim_all_up, n->s));
}

static void send_from(struct net *n, const struct mac *source)
{
	struct mac to = sim_mac(n->b);
	size_t first = sim_flood(n->a, &to, source);

	sim_run(n->s, 100);
	for (unsigned i = 0; i < n->s->n_nodes; i++)
		assert_int_equal(n->s->frames[first + i].count, 0);
}

/* One every so often, for a while. */
static void send_on(struct net *n, const struct mac *source, uint64_t every_ms, uint64_t for_ms)
{
	for (uint64_t end_ms = n->s->now_ms + for_ms; n->s->now_ms < end_ms;) {
		send_from(n, source);
		sim_run(n->s, every_ms - 100);
	}
}

static unsigned told(const struct net *n)
{
	return n->a->events[EVENT_FOREIGN_SOURCE];
}

static void it_is_told_once_and_until_none_came_for_a_while(void **state)
{
	const struct event *last;
	struct net n;

	(void)state;
	set_up(&n);
	last = &n.a->last_event[EVENT_FOREIGN_SOURCE];
	send_on(&n, &guest, 200, 5000);
	assert_int_equal(told(&n), 1);
	assert_int_equal(last->value, 1);
	assert_int_equal(last->community, 0);
	assert_memory_equal(last->mac.b, guest.b, sizeof(guest.b));
	send_on(&n, &other, 20000, 10 * MINUTE);
	assert_int_equal(told(&n), 1);
	sim_run(n.s, 4 * MINUTE);
	assert_int_equal(told(&n), 1);
	sim_run(n.s, 2 * MINUTE);
	assert_int_equal(told(&n), 2);
	assert_int_equal(last->value, 0);
	/* And again. Hosts that say little are noticed too. */
	send_on(&n, &other, 20000, MINUTE);
	assert_int_equal(told(&n), 3);
	assert_int_equal(last->value, 1);
	assert_int_equal(sim_drops(n.b, DROP_SOURCE_MAC), 0);
	assert_true(sim_drops(n.a, DROP_FOREIGN_SOURCE) > 40);
	sim_destroy(n.s);
}

static void a_few_stray_frames_are_not_told(void **state)
{
	struct net n;

	(void)state;
	set_up(&n);
	send_on(&n, &guest, 200, 2000);
	sim_run(n.s, MINUTE);
	send_from(&n, &guest);
	sim_run(n.s, 2 * MINUTE);
	send_from(&n, &guest);
	sim_run(n.s, MINUTE);
	assert_int_equal(told(&n), 0);
	sim_destroy(n.s);
}

/* The host gives the interface another address, which we see a moment later. */
static void an_interface_that_changed_its_address_is_no_other_host(void **state)
{
	const struct mac was = {{0x02, 0x99, 0, 0, 0, 1}};
	struct net n;
	size_t frame;

	(void)state;
	set_up(&n);
	for (unsigned i = 0; i < 5; i++) {
		const struct mac next = {{0x02, 0x99, 0, 0, 1, (uint8_t)i}};

		send_on(&n, &next, 200, 2000);
		assert_int_equal(edge_set_mac(n.a->edge, 0, &next, n.s->now_ms), 0);
		sim_run(n.s, 1000);
		frame = sim_send(n.a, n.b);
		sim_run(n.s, 1000);
		assert_true(sim_came(n.s, frame));
	}
	assert_int_equal(told(&n), 0);
	/* If we could not see it for long, and told it, that is over with the change. */
	send_on(&n, &was, 200, 5000);
	assert_int_equal(told(&n), 1);
	assert_int_equal(edge_set_mac(n.a->edge, 0, &was, n.s->now_ms), 0);
	assert_int_equal(told(&n), 2);
	assert_int_equal(n.a->last_event[EVENT_FOREIGN_SOURCE].value, 0);
	sim_destroy(n.s);
}

static void a_bridge_tells_nothing(void **state)
{
	struct net n;

	(void)state;
	set_up(&n);
	n.a->setup.roles = ROLE_BRIDGE;
	n.a->setup.learn = 100;
	sim_stop(n.a, true);
	sim_start(n.a);
	assert_true(sim_until(n.s, 5000, sim_all_up, n.s));
	for (unsigned i = 0; i < 50; i++) {
		struct mac to = sim_mac(n.b);

		sim_flood(n.a, &to, &guest);
		sim_run(n.s, 200);
	}
	assert_int_equal(told(&n), 0);
	assert_int_equal(sim_drops(n.a, DROP_FOREIGN_SOURCE), 0);
	sim_destroy(n.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_told_once_and_until_none_came_for_a_while),
		cmocka_unit_test(a_few_stray_frames_are_not_told),
		cmocka_unit_test(an_interface_that_changed_its_address_is_no_other_host),
		cmocka_unit_test(a_bridge_tells_nothing),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
