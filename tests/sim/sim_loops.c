/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bridges and the LANs at their interfaces: rings are cut, and one of several on a LAN serves it.
 */
#include "sim_lans.h"

/* ---- rings ---- */

static void a_ring_through_two_lans_is_cut_once(void **state_)
{
	struct sim_node *e[4], *closed;
	struct net n;

	(void)state_;
	set_up_ring(&n, e);
	start(&n);
	run(&n, 8000);
	assert_int_equal(in_state(&n, GATE_LOOP), 1);
	assert_int_equal(in_state(&n, GATE_OPEN), 3);
	assert_joined(&n);
	run(&n, 60000);
	assert_int_equal(in_state(&n, GATE_LOOP), 1);
	assert_joined(&n);
	closed = first_in(&n, GATE_LOOP, 1);
	closed = closed != NULL ? closed : first_in(&n, GATE_LOOP, 2);
	assert_int_equal(closed->last_event[EVENT_LOOP].value, 1);
	tear_down(&n);
}

/* A ring that comes about while all are open and frames move. */
static void a_storm_ends(void **state_)
{
	struct sim_node *e[4];
	struct net n;

	(void)state_;
	set_up_ring(&n, e);
	n.lan[e[2]->number] = 3; /* not plugged in yet */
	start(&n);
	run(&n, 8000);
	assert_int_equal(in_state(&n, GATE_OPEN), 4);
	n.lan[e[2]->number] = 1;
	for (unsigned i = 0; i < 8; i++)
		(void)say(&n, 1, &host_a, &everybody, 0);
	run(&n, 500);
	assert_true(n.heard[0][2] > 20); /* it is one */
	run(&n, 6000);
	assert_int_equal(in_state(&n, GATE_LOOP), 1);
	assert_joined(&n);
	tear_down(&n);
}

static void a_ring_that_is_gone_opens_again(void **state_)
{
	struct sim_node *e[4];
	struct net n;
	unsigned told;

	(void)state_;
	set_up_ring(&n, e);
	start(&n);
	run(&n, 8000);
	assert_int_equal(in_state(&n, GATE_LOOP), 1);
	/* The way that is open is lost. */
	if (state(&n, e[0]) == GATE_LOOP || state(&n, e[1]) == GATE_LOOP)
		sim_block(n.s, e[2], e[3], true), sim_stop(n.sn[1], false);
	else
		sim_block(n.s, e[0], e[1], true), sim_stop(n.sn[0], false);
	run(&n, 9000);
	assert_int_equal(in_state(&n, GATE_LOOP), 0);
	assert_joined(&n);
	/* And is there again. */
	told = loops_told(&n);
	sim_block(n.s, e[0], e[1], false);
	sim_block(n.s, e[2], e[3], false);
	for (unsigned i = 0; i < 2; i++)
		if (!n.sn[i]->up)
			sim_start(n.sn[i]);
	run(&n, 90000);
	assert_int_equal(in_state(&n, GATE_LOOP), 1);
	assert_true(loops_told(&n) > told);
	assert_joined(&n);
	tear_down(&n);
}

static void a_ring_through_another_network_is_cut(void **state_)
{
	static const struct community_key other = {{7, 8, 9}, {1, 1}};
	struct sim_node *e[4];
	struct net n;

	(void)state_;
	set_up_ring(&n, e);
	for (unsigned i = 2; i < 4; i++) {
		e[i]->setup.key = other;
		e[i]->setup.supernode[0] = e[0]->setup.supernode[0];
	}
	start(&n);
	run(&n, 8000);
	assert_int_equal(in_state(&n, GATE_LOOP), 1);
	assert_int_equal(in_state(&n, GATE_OPEN), 3);
	assert_joined(&n);
	tear_down(&n);
}

static void nothing_is_cut_where_nothing_is_wrong(void **state_)
{
	struct sim_node *e[3];
	struct net n;

	(void)state_;
	set_up(&n);
	for (unsigned i = 0; i < 3; i++)
		e[i] = add(&n, 0, 1 + i);
	start(&n);
	run(&n, 60000);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(state(&n, e[i]), GATE_OPEN);
		assert_int_equal(e[i]->events[EVENT_LOOP] + e[i]->events[EVENT_STANDBY], 0);
	}
	assert_joined(&n);
	tear_down(&n);
}

/* ---- several on one LAN ---- */

static void one_of_two_on_a_lan_serves_it(void **state_)
{
	struct sim_node *e[3], *server, *standby;
	struct net n;

	(void)state_;
	set_up_pair(&n, e);
	server = first_in(&n, GATE_OPEN, 1);
	standby = first_in(&n, GATE_STANDBY, 1);
	assert_joined(&n);
	run(&n, 120000);
	assert_ptr_equal(first_in(&n, GATE_OPEN, 1), server);
	assert_joined(&n);
	assert_int_equal(loops_told(&n), 0);
	assert_int_equal(standby->events[EVENT_STANDBY], 1);
	tear_down(&n);
}

static void the_other_one_takes_over(void **state_)
{
	struct sim_node *e[3], *standby;
	uint32_t id;
	struct net n;

	(void)state_;
	set_up_pair(&n, e);
	standby = first_in(&n, GATE_STANDBY, 1);
	assert_joined(&n);
	run(&n, 30000);
	n.announced = 0;
	sim_stop(first_in(&n, GATE_OPEN, 1), false);
	run(&n, 3000);
	assert_int_equal(state(&n, standby), GATE_OPEN);
	/* Switches hear where members are reached now. */
	assert_true(n.announced > 1 && n.announced_b && !n.announced_a);
	assert_joined(&n);
	/* Nobody sends to where the host was learned before. */
	id = say(&n, 2, &host_b, &host_a, 0);
	run(&n, 300);
	assert_int_equal(n.heard[id][1], 1);
	tear_down(&n);
}

/* Whoever carries the LAN goes on: no switch has to learn anew. */
static void who_comes_back_stands_by(void **state_)
{
	struct sim_node *e[3], *server;
	uint32_t id;
	struct net n;

	(void)state_;
	set_up_pair(&n, e);
	server = first_in(&n, GATE_OPEN, 1);
	sim_stop(server, false);
	run(&n, 4000);
	assert_joined(&n);
	sim_start(server);
	edge_bridged(server->edge, 0, 1, n.s->now_ms);
	for (unsigned i = 0; i < 40; i++) {
		id = say(&n, 2, &host_b, &host_a, 0);
		run(&n, 200);
		assert_int_equal(n.heard[id][1], 1);
	}
	run(&n, 5000);
	assert_int_equal(state(&n, server), GATE_STANDBY);
	assert_joined(&n);
	assert_int_equal(loops_told(&n), 0);
	tear_down(&n);
}

static void who_leaves_is_followed_at_once(void **state_)
{
	struct sim_node *e[3], *standby;
	struct net n;

	(void)state_;
	set_up_pair(&n, e);
	standby = first_in(&n, GATE_STANDBY, 1);
	sim_stop(first_in(&n, GATE_OPEN, 1), true);
	run(&n, 300);
	assert_int_equal(state(&n, standby), GATE_OPEN);
	assert_joined(&n);
	tear_down(&n);
}

static void who_reaches_nobody_gives_way(void **state_)
{
	struct sim_node *e[3], *server, *standby;
	struct net n;

	(void)state_;
	set_up_pair(&n, e);
	server = first_in(&n, GATE_OPEN, 1);
	standby = first_in(&n, GATE_STANDBY, 1);
	for (unsigned i = 0; i < n.s->n_nodes; i++)
		if (n.s->nodes[i] != server)
			sim_block(n.s, server, n.s->nodes[i], true);
	run(&n, 6000);
	assert_int_equal(state(&n, server), GATE_STANDBY);
	assert_int_equal(state(&n, standby), GATE_OPEN);
	assert_joined(&n);
	for (unsigned i = 0; i < n.s->n_nodes; i++)
		if (n.s->nodes[i] != server)
			sim_block(n.s, server, n.s->nodes[i], false);
	run(&n, 60000);
	assert_int_equal(in_state(&n, GATE_STANDBY), 1);
	assert_joined(&n);
	tear_down(&n);
}

static void one_of_three_serves(void **state_)
{
	struct net n;

	(void)state_;
	set_up(&n);
	for (unsigned i = 0; i < 4; i++)
		(void)add(&n, 0, i < 3 ? 1 : 2);
	start(&n);
	run(&n, 10000);
	assert_int_equal(in_state(&n, GATE_STANDBY), 2);
	assert_joined(&n);
	sim_stop(first_in(&n, GATE_OPEN, 1), false);
	run(&n, 3000);
	assert_int_equal(in_state(&n, GATE_STANDBY), 1);
	assert_joined(&n);
	assert_int_equal(loops_told(&n), 0);
	tear_down(&n);
}

/* Two LANs that somebody joins by a cable are one, and it is served by one. */
static void a_cable_makes_one_lan(void **state_)
{
	struct sim_node *e[3];
	struct net n;

	(void)state_;
	set_up(&n);
	for (unsigned i = 0; i < 3; i++)
		e[i] = add(&n, 0, 1 + i);
	start(&n);
	run(&n, 10000);
	n.lan[e[2]->number] = 1;
	run(&n, 3000);
	assert_int_equal(in_state(&n, GATE_LOOP), 0);
	assert_int_equal(in_state(&n, GATE_STANDBY), 1);
	assert_joined(&n);
	n.lan[e[2]->number] = 3;
	run(&n, 5000);
	assert_int_equal(in_state(&n, GATE_OPEN), 3);
	assert_int_equal(crosses(&n, 1, 3, 0), 1);
	tear_down(&n);
}

/* The members give the frames of one that stands by to who carries them. */
static void who_stands_by_is_reached_by_the_other(void **state_)
{
	struct sim_node *e[3], *standby;
	struct mac own;
	uint32_t id;
	struct net n;

	(void)state_;
	set_up_pair(&n, e);
	standby = first_in(&n, GATE_STANDBY, 1);
	own = sim_mac(standby);
	id = say(&n, 1, &own, &everybody, 0);
	run(&n, 300);
	assert_int_equal(n.heard[id][2], 1);
	id = say(&n, 2, &host_b, &own, 0);
	run(&n, 300);
	assert_int_equal(n.heard[id][1], 1);
	say_arp(&n, 1, &own, standby->setup.address[0].ip + 12);
	run(&n, 300);
	assert_int_equal(n.arps[2], 1);
	/* It is its own all the same. */
	assert_non_null(owners_of_mac(&e[2]->edge->community[0]->owners, &own));
	sim_stop(first_in(&n, GATE_OPEN, 1), false);
	run(&n, 4000);
	id = say(&n, 2, &host_b, &own, 0);
	run(&n, 300);
	assert_int_equal(n.heard[id][1], 1);
	assert_ptr_equal(view_owner(e[2]->view, 0, mac_number(&own)),
		peer_find(e[2]->edge->community[0], standby->edge->community[0]->party.self.public)
			->port);
	tear_down(&n);
}

static void each_vlan_has_its_own(void **state_)
{
	struct sim_node *e[3];
	struct net n;

	(void)state_;
	set_up(&n);
	for (unsigned i = 0; i < 3; i++) {
		e[i] = add(&n, 0, i < 2 ? 1 : 2);
		n.lan5[e[i]->number] = 1 + i; /* there each is alone */
	}
	start(&n);
	run(&n, 10000);
	/* From each LAN of VLAN 5 a frame, so that it is known to be there. */
	for (unsigned lan = 1; lan <= 3; lan++)
		(void)say(&n, lan, &host_a, &everybody, 5);
	run(&n, 5000);
	assert_int_equal(in_state(&n, GATE_STANDBY), 1);
	for (unsigned from = 1; from <= 3; from++)
		for (unsigned to = 1; to <= 3; to++)
			assert_int_equal(crosses(&n, from, to, 5), from == to ? 0 : 1);
	assert_joined(&n);
	/* Joined in VLAN 5 as well, it has one server there, too. */
	n.lan5[e[1]->number] = 1;
	run(&n, 3500);
	assert_int_equal(crosses(&n, 1, 3, 5), 1);
	assert_int_equal(crosses(&n, 3, 1, 5), 1);
	tear_down(&n);
}

/* One does not believe the other, which does not know: that is a ring as any. */
static void lists_that_differ_melt_nothing(void **state_)
{
	struct sim_node *e[3];
	struct community *c;
	struct net n;
	unsigned heard;
	uint32_t id;

	(void)state_;
	for (unsigned k = 0; k < 2; k++) {
		set_up(&n);
		for (unsigned i = 0; i < 3; i++)
			e[i] = add(&n, 0, i < 2 ? 1 : 2);
		start(&n);
		c = e[k]->edge->community[0];
		edge_id(c->trusted[0].edge, e[2]->edge->community[0]->party.self.public);
		c->trusted[0].roles = ROLE_BRIDGE;
		c->n_trusted = 1;
		run(&n, 10000);
		id = say(&n, 1, &host_a, &everybody, 0);
		run(&n, 6000);
		heard = n.heard[id][1];
		run(&n, 6000);
		assert_int_equal(n.heard[id][1], heard);
		assert_true(in_state(&n, GATE_OPEN) >= 2);
		assert_int_equal(crosses(&n, 2, 1, 0), 1);
		tear_down(&n);
	}
}

static void carried_by_one(const struct net *n, struct sim_node *e[2], unsigned vlan)
{
	unsigned carry = 0;

	for (unsigned i = 0; i < 2; i++) {
		const struct bridge *b = e[i]->edge->community[0]->bridge;
		int at = lan_find(b, (uint16_t)vlan);

		assert_true(at >= 0);
		carry += b->lan[at].carries;
	}
	assert_int_equal(carry, 1);
	assert_true(n->n_wire < WIRE_MAX / 2);
}

/* Whichever they are, and all at once: probes of all leave together. */
static void all_vlans_have_one(void **state_)
{
	static const unsigned vlans[][32] = {{32, 64}, {10, 42}, {7, 39, 71, 103, 135},
		{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 32, 48, 64, 128}};
	struct sim_node *e[3];
	struct net n;

	(void)state_;
	for (unsigned k = 0; k < sizeof(vlans) / sizeof(*vlans); k++) {
		set_up_pair(&n, e);
		for (unsigned i = 0; i < 3; i++)
			n.lan5[e[i]->number] = n.lan[e[i]->number];
		for (unsigned i = 0; vlans[k][i] != 0; i++)
			(void)say(&n, 1, &host_a, &everybody, vlans[k][i]);
		run(&n, 6000);
		carried_by_one(&n, e, 0);
		for (unsigned i = 0; vlans[k][i] != 0; i++) {
			carried_by_one(&n, e, vlans[k][i]);
			assert_int_equal(crosses(&n, 2, 1, vlans[k][i]), 1);
		}
		tear_down(&n);
	}
}

/* Two on a LAN do not keep each other at it for ever. */
static void vlans_that_nobody_uses_end(void **state_)
{
	struct sim_node *e[3];
	const struct bridge *b[2];
	struct net n;

	(void)state_;
	set_up_pair(&n, e);
	for (unsigned i = 0; i < 2; i++) {
		n.lan5[e[i]->number] = 1;
		b[i] = e[i]->edge->community[0]->bridge;
	}
	for (unsigned vlan = 100; vlan < 140; vlan++)
		(void)say(&n, 1, &host_a, &everybody, vlan);
	run(&n, 5000);
	for (unsigned i = 0; i < 30; i++) {
		assert_int_equal(b[0]->n_lans, LANS_MAX);
		assert_int_equal(b[1]->n_lans, LANS_MAX);
		(void)say(&n, 1, &host_a, &everybody, 120);
		run(&n, 5000);
	}
	run(&n, 280000);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(b[i]->n_lans, 2);
		assert_true(lan_find(b[i], 120) > 0);
	}
	run(&n, 60000);
	(void)say(&n, 1, &host_a, &everybody, 5);
	run(&n, 5000);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(b[i]->n_lans, 2);
		assert_true(lan_find(b[i], 5) > 0);
	}
	carried_by_one(&n, e, 5);
	tear_down(&n);
}

/* ---- who becomes a port of a bridge ---- */

static void who_comes_listens_first(void **state_)
{
	struct sim_node *e[4];
	struct net n;
	uint32_t id;

	(void)state_;
	set_up_ring(&n, e);
	n.lan[e[3]->number] = 0;
	start(&n);
	run(&n, 8000);
	assert_int_equal(in_state(&n, GATE_OPEN), 4);
	/* It closes the ring: not one frame goes round. */
	edge_bridged(e[3]->edge, 0, 0, n.s->now_ms);
	n.lan[e[3]->number] = 2;
	edge_bridged(e[3]->edge, 0, 1, n.s->now_ms);
	sim_run(n.s, 100); /* workers have the view of it by then */
	id = say(&n, 1, &host_a, &everybody, 0);
	for (unsigned i = 0; i < 30; i++) {
		run(&n, 100);
		(void)say(&n, 1, &host_a, &everybody, 0);
	}
	run(&n, 1000);
	assert_int_equal(in_state(&n, GATE_LOOP), 1);
	assert_int_equal(state(&n, e[3]), GATE_LOOP);
	for (uint32_t i = id; i < n.n_host; i++)
		assert_int_equal(n.heard[i][2], 1);
	tear_down(&n);
}

static void who_goes_to_another_bridge_listens_again(void **state_)
{
	struct sim_node *e[3];
	struct net n;

	(void)state_;
	set_up_pair(&n, e);
	edge_bridged(e[2]->edge, 0, 1, n.s->now_ms);
	assert_int_equal(state(&n, e[2]), GATE_OPEN);
	edge_bridged(e[2]->edge, 0, 2, n.s->now_ms);
	assert_int_equal(state(&n, e[2]), GATE_LISTENING);
	run(&n, 4000);
	assert_int_equal(state(&n, e[2]), GATE_OPEN);
	tear_down(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ring_through_two_lans_is_cut_once),
		cmocka_unit_test(a_storm_ends),
		cmocka_unit_test(a_ring_that_is_gone_opens_again),
		cmocka_unit_test(a_ring_through_another_network_is_cut),
		cmocka_unit_test(nothing_is_cut_where_nothing_is_wrong),
		cmocka_unit_test(one_of_two_on_a_lan_serves_it),
		cmocka_unit_test(the_other_one_takes_over),
		cmocka_unit_test(who_comes_back_stands_by),
		cmocka_unit_test(who_leaves_is_followed_at_once),
		cmocka_unit_test(who_reaches_nobody_gives_way),
		cmocka_unit_test(one_of_three_serves),
		cmocka_unit_test(a_cable_makes_one_lan),
		cmocka_unit_test(who_stands_by_is_reached_by_the_other),
		cmocka_unit_test(each_vlan_has_its_own),
		cmocka_unit_test(all_vlans_have_one),
		cmocka_unit_test(vlans_that_nobody_uses_end),
		cmocka_unit_test(lists_that_differ_melt_nothing),
		cmocka_unit_test(who_comes_listens_first),
		cmocka_unit_test(who_goes_to_another_bridge_listens_again),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
