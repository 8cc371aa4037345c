/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A member claims the MAC address of a host behind a bridge, such as the gateway of a LAN: it does
 * not get it where that host is heard, be it before or after the claim; and honest members that
 * look alike keep what is theirs.
 */
#include "sim_scene.h"

#define FORGET_MS 360000u /* learned addresses are gone by then */

static void the_gateway_of_a_lan_is_not_to_be_claimed(void **state)
{
	uint8_t id[EDGE_ID_LEN];
	struct status_peer p;
	struct scene c;

	(void)state;
	set_up(&c);
	bring(&c, c.bridge, &gateway);
	assert_ptr_equal(receiver(&c, &gateway), c.bridge);
	c.other->setup.mac = gateway;
	sim_start(c.other);
	sim_run(c.s, 5000);
	/* Both sides say so, and behind whom the address is. */
	id_of(c.bridge, id);
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 1);
	assert_int_equal(c.observer->last_event[EVENT_MAC_REFUSED].value, MAC_IS_IN_USE);
	assert_memory_equal(c.observer->last_event[EVENT_MAC_REFUSED].owner, id, EDGE_ID_LEN);
	assert_true(edge_peer_status(c.observer->edge, 0,
		c.other->edge->community[0]->party.self.public, c.s->now_ms, &p));
	assert_true(p.refused);
	assert_memory_equal(p.owner, id, EDGE_ID_LEN);
	assert_true(c.other->events[EVENT_CLAIM_REFUSED] > 0);
	/* The bridge itself has heard it at its own interface. */
	assert_int_equal(c.bridge->events[EVENT_MAC_REFUSED], 1);
	assert_int_equal(c.bridge->last_event[EVENT_MAC_REFUSED].value, MAC_IS_IN_USE);
	assert_memory_equal(c.bridge->last_event[EVENT_MAC_REFUSED].owner, id, EDGE_ID_LEN);
	/* It asks over and over; as long as the host speaks, in vain. */
	for (unsigned i = 0; i < 10; i++) {
		sim_run(c.s, FORGET_MS / 6);
		bring(&c, c.bridge, &gateway);
		assert_ptr_equal(receiver(&c, &gateway), c.bridge);
	}
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 1);
	/* The host is gone for good. */
	for (unsigned i = 0; i < 10; i++) {
		sim_run(c.s, FORGET_MS / 6);
		(void)sim_broadcast(c.observer);
		(void)sim_broadcast(c.bridge);
	}
	assert_int_equal(c.observer->last_event[EVENT_MAC_REFUSED].value, MAC_IS_FREE);
	assert_ptr_equal(receiver(&c, &gateway), c.other);
	assert_int_equal(c.other->last_event[EVENT_CLAIM_REFUSED].value, 0);
	sim_destroy(c.s);
}

static void a_bridge_that_left_has_nothing_behind_it(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	bring(&c, c.bridge, &gateway);
	sim_stop(c.bridge, true);
	c.other->setup.mac = gateway;
	sim_start(c.other);
	sim_run(c.s, 5000);
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 0);
	assert_ptr_equal(receiver(&c, &gateway), c.other);
	end(&c);
}

static void an_address_that_comes_of_a_key_is_its_members(void **state)
{
	struct scene c;
	struct mac mac;

	(void)state;
	set_up(&c);
	sim_start(c.other);
	mac = sim_mac(c.other);
	sim_stop(c.other, false);
	bring(&c, c.bridge, &mac);
	sim_start(c.other);
	sim_run(c.s, 5000);
	assert_ptr_equal(receiver(&c, &mac), c.other);
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 0);
	end(&c);
}

static void who_had_it_first_comes_back_to_it(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	c.other->setup.mac = gateway;
	sim_start(c.other);
	sim_run(c.s, 5000);
	sim_stop(c.other, true);
	sim_run(c.s, 200);
	bring(&c, c.bridge, &gateway);
	assert_null(receiver(&c, &gateway));
	sim_start(c.other);
	sim_run(c.s, 5000);
	assert_ptr_equal(receiver(&c, &gateway), c.other);
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 0);
	end(&c);
}

/* The frames of a bridge host from its new address come before it has told that it is its own. */
static void what_came_from_the_claimant_itself_is_in_nobodys_way(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	bring(&c, c.bridge, &gateway);
	assert_int_equal(edge_set_mac(c.bridge->edge, 0, &gateway, c.s->now_ms), 0);
	sim_run(c.s, 1000);
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 0);
	assert_int_equal(c.bridge->events[EVENT_CLAIM_REFUSED], 0);
	assert_ptr_equal(receiver(&c, &gateway), c.bridge);
	end(&c);
}

/* The gateway speaks now and then, whoever is believed to be it. */
static void speak_on(struct scene *c, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		bring(c, c->bridge, &gateway);
		sim_run(c->s, 800);
	}
}

static void restart(struct scene *c, struct sim_node *n)
{
	sim_stop(n, true);
	sim_run(c->s, 1000);
	memset(n->events, 0, sizeof(n->events));
	sim_start(n);
}

static void who_joins_later_finds_out_whose_it_is(void **state)
{
	uint8_t id[EDGE_ID_LEN];
	struct scene c;

	(void)state;
	for (unsigned times = 0; times < 4; times++) {
		const struct event *e;

		set_up(&c);
		bring(&c, c.bridge, &gateway);
		c.other->setup.mac = gateway;
		sim_start(c.other);
		sim_run(c.s, 5000);
		if (times % 2 != 0)
			trust(c.observer, c.bridge, ROLE_BRIDGE);
		restart(&c, c.observer);
		/* It is taken for the claimant's until the bridge has brought frames from it. */
		sim_run(c.s, 5000);
		assert_ptr_equal(receiver(&c, &gateway), c.other);
		if (times >= 2)
			restart(&c, c.observer); /* what is on disk then is on trial, too */
		speak_on(&c, 10);
		for (unsigned i = 0; i < 20; i++) {
			assert_ptr_equal(receiver(&c, &gateway), c.bridge);
			speak_on(&c, i % 2);
		}
		e = &c.observer->last_event[EVENT_MAC_REFUSED];
		assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 1);
		assert_int_equal(e->value, MAC_IS_IN_USE);
		id_of(c.other, id);
		assert_memory_equal(e->edge, id, EDGE_ID_LEN);
		id_of(c.bridge, id);
		assert_memory_equal(e->owner, id, EDGE_ID_LEN);
		assert_true(c.other->events[EVENT_CLAIM_REFUSED] > 0);
		assert_int_equal(
			c.observer->events[EVENT_FIRST_HOP], 0); /* it blames nobody else */
		/* It asks over and over, in vain. */
		for (unsigned i = 0; i < 10; i++) {
			sim_run(c.s, FORGET_MS / 6);
			bring(&c, c.bridge, &gateway);
			assert_ptr_equal(receiver(&c, &gateway), c.bridge);
		}
		sim_destroy(c.s);
	}
}

static void a_bridge_that_restarts_keeps_its_gateway(void **state)
{
	uint64_t dropped;
	struct scene c;

	(void)state;
	set_up(&c);
	bring(&c, c.bridge, &gateway);
	c.other->setup.mac = gateway;
	sim_start(c.other);
	sim_run(c.s, 5000);
	restart(&c, c.bridge);
	sim_run(c.s, 3000); /* the gateway says nothing as yet */
	speak_on(&c, 10);
	dropped = sim_drops(c.bridge, DROP_CLAIMED_SOURCE);
	speak_on(&c, 20);
	assert_int_equal(sim_drops(c.bridge, DROP_CLAIMED_SOURCE), dropped);
	assert_int_equal(c.bridge->last_event[EVENT_MAC_REFUSED].value, MAC_IS_IN_USE);
	assert_ptr_equal(receiver(&c, &gateway), c.bridge);
	sim_destroy(c.s);
}

/* Long ago, when the host behind the bridge was off: then people say it. */
static void what_is_forgotten_is_the_bridges_again(void **state)
{
	struct forgotten_owner out;
	struct scene c;

	(void)state;
	set_up(&c);
	c.other->setup.mac = gateway;
	sim_start(c.other);
	for (unsigned i = 0; i < 10; i++) {
		sim_run(c.s, FORGET_MS / 6);
		(void)sim_broadcast(c.other);
		(void)sim_broadcast(c.bridge);
	}
	speak_on(&c, 10);
	assert_ptr_equal(receiver(&c, &gateway), c.other);
	assert_true(claims_forget(c.bridge->edge->community[0], &gateway, &out));
	assert_false(out.taken);
	speak_on(&c, 10);
	assert_ptr_equal(receiver(&c, &gateway), c.other);
	assert_true(claims_forget(c.observer->edge->community[0], &gateway, &out));
	assert_false(out.taken);
	for (unsigned i = 0; i < 10; i++) {
		sim_run(c.s, FORGET_MS / 6);
		bring(&c, c.bridge, &gateway);
		assert_ptr_equal(receiver(&c, &gateway), c.bridge);
	}
	sim_destroy(c.s);
}

/* A ring brings a member's own frames until it is cut; a bridge's own are nobody else's. */
static void an_address_that_was_chosen_stays(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	c.other->setup.mac = gateway;
	sim_start(c.other);
	sim_run(c.s, 1000);
	for (unsigned i = 0; i < 12; i++)
		bring(&c, c.bridge, &gateway);
	sim_run(c.s, 60000);
	assert_ptr_equal(receiver(&c, &gateway), c.other);
	sim_stop(c.other, true);
	c.bridge->setup.mac = (struct mac){{0x52, 0x54, 0, 0, 0, 2}};
	restart(&c, c.bridge);
	sim_run(c.s, 1000);
	for (unsigned i = 0; i < 100; i++) {
		bring(&c, c.bridge, &c.bridge->setup.mac);
		sim_run(c.s, 300);
	}
	assert_ptr_equal(receiver(&c, &c.bridge->setup.mac), c.bridge);
	for (unsigned i = 0; i < c.s->n_nodes; i++)
		assert_int_equal(c.s->nodes[i]->events[EVENT_MAC_REFUSED], 0);
	sim_destroy(c.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_gateway_of_a_lan_is_not_to_be_claimed),
		cmocka_unit_test(a_bridge_that_left_has_nothing_behind_it),
		cmocka_unit_test(an_address_that_comes_of_a_key_is_its_members),
		cmocka_unit_test(who_had_it_first_comes_back_to_it),
		cmocka_unit_test(what_came_from_the_claimant_itself_is_in_nobodys_way),
		cmocka_unit_test(who_joins_later_finds_out_whose_it_is),
		cmocka_unit_test(a_bridge_that_restarts_keeps_its_gateway),
		cmocka_unit_test(what_is_forgotten_is_the_bridges_again),
		cmocka_unit_test(an_address_that_was_chosen_stays),
	};

	if (crypto_start() != 0)
		return 1;
	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
