/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A member that speaks for others: it claims the MAC address of a host behind a bridge, such as the
 * gateway of a LAN. Honest members that look alike keep what is theirs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define LEARN	  256
#define FORGET_MS 360000u /* learned addresses are gone by then */

static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct mac gateway = {{0x52, 0x54, 0, 0, 0, 1}};

struct scene {
	struct sim *s;
	struct sim_node *sn, *observer, *bridge, *other;
};

/* The other one is not started yet. */
static void set_up(struct scene *c)
{
	*c = (struct scene){.s = sim_create(sim_seed(), 4)};
	c->sn = sim_add_supernode(c->s);
	c->observer = sim_add_edge(c->s, &sim_key, c->sn);
	c->bridge = sim_add_edge(c->s, &sim_key, c->sn);
	c->other = sim_add_edge(c->s, &sim_key, c->sn);
	c->observer->setup.learn = LEARN;
	c->bridge->setup.learn = LEARN;
	c->bridge->setup.roles = ROLE_BRIDGE;
	sim_start(c->sn);
	sim_start(c->observer);
	sim_start(c->bridge);
	sim_run(c->s, 5000);
}

static void end(struct scene *c)
{
	sim_assert_clean(c->s);
	sim_destroy(c->s);
}

static void bring(struct scene *c, struct sim_node *from, const struct mac *source)
{
	(void)sim_flood(from, &all, source);
	sim_run(c->s, 200);
}

/* Who gets a frame of the observer for this address: nobody, or one alone. */
static struct sim_node *receiver(struct scene *c, const struct mac *to)
{
	struct mac own = sim_mac(c->observer);
	size_t first = sim_flood(c->observer, to, &own);
	struct sim_node *found = NULL;

	sim_run(c->s, 500);
	for (unsigned i = 0; i < c->s->n_nodes; i++) {
		if (c->s->frames[first + i].count == 0)
			continue;
		assert_null(found);
		found = c->s->nodes[i];
	}
	return found;
}

static void id_of(const struct sim_node *n, uint8_t id[EDGE_ID_LEN])
{
	edge_id(id, n->edge->community[0]->party.self.public);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_gateway_of_a_lan_is_not_to_be_claimed),
		cmocka_unit_test(a_bridge_that_left_has_nothing_behind_it),
		cmocka_unit_test(an_address_that_comes_of_a_key_is_its_members),
		cmocka_unit_test(who_had_it_first_comes_back_to_it),
		cmocka_unit_test(what_came_from_the_claimant_itself_is_in_nobodys_way),
	};

	if (crypto_start() != 0)
		return 1;
	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
