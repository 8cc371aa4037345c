/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What others can do to bridges on their LANs: who is no bridge has no say in who serves and what
 * is closed, and who can say what he likes, a host on the LAN or a bridge, costs little.
 */
#include "sim_lans.h"

/* What of probes crosses LAN 1 is sent by this member as its own. */
static void replay(struct net *n, struct sim_node *by, bool own_source)
{
	for (unsigned i = 0; i < 8000; i++) {
		for (size_t k = 0; k < n->n_wire; k++) {
			const struct on_wire *w = &n->wire[k];
			uint8_t slot[SLOT_LEN];
			struct frame f = {.data = slot + SLOT_HEADROOM, .len = w->len};
			struct mac own = sim_mac(by);
			struct loop_frame l;

			if (loop_frame_decode(&l, w->data, w->len) != 0 || w->from == by->number ||
				w->due_ms != n->s->now_ms + 1)
				continue;
			memcpy(f.data, w->data, w->len);
			if (own_source)
				memcpy(f.data + 6, own.b, 6);
			sim_frames_from(by, 0, &f, 1);
		}
		run(n, 1);
	}
}

/* It does not look at what it sends. */
static void let_say_anything(struct sim_node *e)
{
	struct core *core = &e->node->core;

	view_set_gate(&core->view, 0, NULL, core_retire_any, core);
	e->edge->community[0]->bridge->probe_ms = UINT64_MAX / 2;
	e->edge->community[0]->roles = 0;
}

static void who_is_no_bridge_closes_nothing(void **state_)
{
	struct sim_node *e[3];
	struct net n;

	(void)state_;
	for (unsigned own_source = 0; own_source < 2; own_source++) {
		set_up(&n);
		for (unsigned i = 0; i < 3; i++)
			e[i] = add(&n, 0, i < 2 ? 1 + i : 0);
		e[2]->setup.roles = 0;
		e[2]->setup.forges = true;
		start(&n);
		run(&n, 8000);
		replay(&n, e[2], own_source != 0);
		assert_int_equal(loops_told(&n), 0);
		assert_int_equal(in_state(&n, GATE_OPEN), 3);
		assert_joined(&n);
		tear_down(&n);
	}
}

static void who_is_not_trusted_closes_nothing(void **state_)
{
	struct sim_node *e[3];
	struct net n;

	(void)state_;
	for (unsigned trust = 0; trust < 2; trust++) {
		set_up(&n);
		for (unsigned i = 0; i < 3; i++)
			e[i] = add(&n, 0, i < 2 ? 1 + i : 0);
		start(&n);
		for (unsigned i = 0; trust && i < 2; i++) {
			struct community *c = e[i]->edge->community[0];

			edge_id(c->trusted[0].edge,
				e[1 - i]->edge->community[0]->party.self.public);
			c->trusted[0].roles = ROLE_BRIDGE;
			c->n_trusted = 1;
		}
		run(&n, 8000);
		n.lan[e[2]->number] = 0;
		let_say_anything(e[2]);
		replay(&n, e[2], false);
		/* Whoever is believed to be a bridge can do that: that is what the list is for. */
		assert_int_equal(loops_told(&n) != 0, trust == 0);
		if (trust)
			assert_joined(&n);
		tear_down(&n);
	}
}

static void send_bpdu(struct sim_node *by, uint8_t to)
{
	const struct mac stp = {{0x01, 0x80, 0xc2, 0, 0, to}};
	uint8_t slot[SLOT_LEN];
	struct frame out = {.data = slot + SLOT_HEADROOM, .len = FRAME_LEN};
	struct mac own = sim_mac(by);

	memset(out.data, 0, FRAME_LEN);
	memcpy(out.data, stp.b, sizeof(stp.b));
	memcpy(out.data + 6, own.b, sizeof(own.b));
	store_be16(out.data + 12, 38);
	sim_frames_from(by, 0, &out, 1);
}

/* Not even at a member that is no bridge either, whose interface may be a port of one. */
static void spanning_trees_are_of_bridges(void **state_)
{
	struct sim_node *e[3];
	unsigned handed;
	struct net n;

	(void)state_;
	set_up(&n);
	for (unsigned i = 0; i < 3; i++) {
		e[i] = add(&n, 0, 0);
		e[i]->setup.roles = i == 2 ? ROLE_BRIDGE : 0;
	}
	start(&n);
	run(&n, 8000);
	handed = n.handed[e[1]->number];
	send_bpdu(e[0], 0);
	send_bpdu(e[0], 8);
	run(&n, 100);
	assert_int_equal(sim_drops(e[0], DROP_BPDU), 2);
	assert_int_equal(sim_drops(e[1], DROP_BPDU), 0);
	/* As one sends who has no such rule. */
	e[0]->edge->community[0]->roles = ROLE_BRIDGE;
	assert_int_equal(bridge_open(e[0]->edge->community[0]), 0);
	run(&n, 100);
	send_bpdu(e[0], 0);
	run(&n, 100);
	for (unsigned i = 1; i < 3; i++)
		assert_int_equal(sim_drops(e[i], DROP_BPDU), 1);
	assert_int_equal(n.handed[e[1]->number], handed);
	/* Those of a bridge come, also where nobody is one. */
	send_bpdu(e[2], 0);
	run(&n, 100);
	assert_int_equal(n.handed[e[1]->number], handed + 1);
	tear_down(&n);
}

/* In the name of a bridge, and not what that sent. */
static void shout(struct sim_node *by, const struct sim_node *at, uint32_t number)
{
	struct loop_frame f = {.kind = LOOP_PROBE, .number = number, .source = sim_mac(by)};
	struct mac to = sim_mac(at);
	uint8_t slot[SLOT_LEN];
	struct frame out = {.data = slot + SLOT_HEADROOM};

	memcpy(f.tag, at->edge->community[0]->loop_tag, sizeof(f.tag));
	out.len = loop_frame_encode(out.data, &f);
	memcpy(out.data, to.b, sizeof(to.b));
	sim_frames_from(by, 0, &out, 1);
}

/* A bridge that all believe hides the ring behind probes that were never sent. */
static void shouts_hide_no_ring(void **state_)
{
	struct sim_node *e[4], *liar[2];
	struct net n;

	(void)state_;
	set_up_ring(&n, e);
	for (unsigned i = 0; i < 2; i++) {
		liar[i] = add(&n, i, 0);
		liar[i]->setup.forges = true;
	}
	n.lan[e[2]->number] = 3;
	start(&n);
	run(&n, 8000);
	for (unsigned i = 0; i < 2; i++) {
		let_say_anything(liar[i]);
		assert_true(link_has_role(&sim_session(e[i * 2], liar[i])->link, ROLE_BRIDGE));
	}
	n.lan[e[2]->number] = 1;
	for (unsigned i = 0; i < 8; i++)
		(void)say(&n, 1, &host_a, &everybody, 0);
	for (unsigned ms = 0; ms < 6500; ms++, run(&n, 1))
		for (unsigned i = 0; i < 4; i++)
			shout(liar[i / 2], e[i], 0x12345678);
	assert_int_equal(in_state(&n, GATE_LOOP), 1);
	assert_joined(&n);
	tear_down(&n);
}

/* A host of a LAN says what it likes in the name of a bridge. */
static void put_probe(
	struct net *n, unsigned lan, const uint8_t tag[LOOP_TAG_LEN], unsigned flags, unsigned vlan)
{
	struct loop_frame f = {.kind = LOOP_PROBE,
		.flags = (uint8_t)flags,
		.vlan = (uint16_t)vlan,
		.source = loop_source(tag)};
	uint8_t data[LOOP_FRAME_MAX];

	memcpy(f.tag, tag, sizeof(f.tag));
	put(n, lan, NODES, data, loop_frame_encode(data, &f));
}

/* The VLANs that a host of LAN 1 uses are probed by those on it. */
static void use_vlans(struct net *n, unsigned count, struct sim_node *const e[], unsigned n_edges)
{
	for (unsigned i = 0; i < n_edges; i++)
		n->lan5[e[i]->number] = n->lan[e[i]->number];
	for (unsigned vlan = 1; vlan <= count; vlan++, run(n, 2))
		(void)say(n, 1, &host_a, &everybody, vlan);
	n->n_host = 0;
	run(n, 6000);
}

static bool is_before(const struct sim_node *a, const struct sim_node *b)
{
	uint8_t id[2][EDGE_ID_LEN];

	edge_id(id[0], a->edge->community[0]->party.self.public);
	edge_id(id[1], b->edge->community[0]->party.self.public);
	return memcmp(id[0], id[1], EDGE_ID_LEN) < 0;
}

/* The other one serves from then on. */
static void restart(struct net *n, struct sim_node *e)
{
	sim_stop(e, true);
	run(n, 3000);
	sim_start(e);
	edge_bridged(e->edge, 0, 1, n->s->now_ms);
	run(n, 30000);
}

/* Another bridge of LAN 1 has gone to LAN 3, where it goes before who serves by its id. */
static struct sim_node *set_up_absent(
	struct net *n, struct sim_node *e[3], unsigned vlans, struct sim_node **server)
{
	struct sim_node *standby;

	set_up_pair(n, e);
	use_vlans(n, vlans, e, 2);
	*server = first_in(n, GATE_OPEN, 1);
	standby = first_in(n, GATE_STANDBY, 1);
	if (is_before(*server, standby)) {
		restart(n, *server);
		*server = standby;
		standby = first_in(n, GATE_STANDBY, 1);
	}
	assert_ptr_not_equal(standby, *server);
	assert_int_equal(state(n, *server), GATE_OPEN);
	n->lan[standby->number] = n->lan5[standby->number] = 3;
	run(n, 6000);
	return standby;
}

/* It is not there, and a host says by turns that it is. */
static void flips_cost_little(void **state_)
{
	struct sim_node *e[3], *server, *standby;
	unsigned handed, told, changes = 0, views = 0;
	const uint8_t *tag;
	const void *view;
	bool stood_by;
	uint32_t id;
	struct net n;

	(void)state_;
	standby = set_up_absent(&n, e, 32, &server);
	tag = standby->edge->community[0]->loop_tag;
	handed = n.handed[server->number];
	told = server->events[EVENT_STANDBY];
	view = server->view;
	stood_by = server->edge->community[0]->stands_by;
	for (unsigned i = 0; i < 10000; i++) {
		bool says;

		if (i % 10 == 0)
			put_probe(&n, 1, tag, i % 20 == 0 ? LOOP_SERVES | LOOP_CARRIES : 0,
				i % 1000 < 500 ? 0 : i / 10 % 33);
		run(&n, 1);
		views += server->view != view;
		view = server->view;
		says = server->edge->community[0]->stands_by;
		changes += says != stood_by;
		stood_by = says;
	}
	assert_true(changes > 0); /* it is believed */
	assert_true(changes <= 8);
	assert_true(server->events[EVENT_STANDBY] - told <= 8);
	assert_true(views < 150);
	/* Its probes, 33 a second and at most five times as many, and what it announces. */
	assert_true(n.handed[server->number] - handed < 10 * 5 * 33 + 4096 + 10 * 500);
	/* When it is over all is as it was. */
	run(&n, 20000);
	assert_int_equal(state(&n, server), GATE_OPEN);
	assert_false(link_has_role(&sim_session(e[2], server)->link, ROLE_STANDBY));
	id = say(&n, 1, &host_a, &everybody, 0);
	run(&n, 300);
	assert_int_equal(n.heard[id][2], 1);
	tear_down(&n);
}

/* Many addresses in many VLANs are not all announced at once, but they are. */
static void all_is_announced_in_time(void **state_)
{
	struct sim_node *e[3], *server, *other;
	struct mac host = host_b;
	unsigned handed;
	struct net n;

	(void)state_;
	set_up_pair(&n, e);
	use_vlans(&n, 32, e, 2);
	/* In each VLAN the same one serves, which was not so for sure. */
	other = first_in(&n, GATE_OPEN, 1);
	server = first_in(&n, GATE_STANDBY, 1);
	restart(&n, other);
	for (unsigned i = 0; i < 200; i++, run(&n, 1)) {
		host.b[5] = (uint8_t)i;
		(void)say(&n, 2, &host, &everybody, 0);
	}
	sim_stop(server, true);
	handed = n.handed[other->number];
	run(&n, 400);
	assert_int_equal(state(&n, other), GATE_OPEN);
	assert_in_range(n.handed[other->number] - handed, 4096, 4096 + 500);
	run(&n, 9600);
	assert_in_range(n.handed[other->number] - handed, 33 * 200, 33 * 202 + 10 * 5 * 33);
	tear_down(&n);
}

/* One VLAN of many. */
static void a_probe_speaks_for_its_vlan(void **state_)
{
	struct sim_node *e[3], *server, *standby;
	struct status_community c;
	const uint8_t *tag;
	struct net n;

	(void)state_;
	standby = set_up_absent(&n, e, 8, &server);
	tag = standby->edge->community[0]->loop_tag;
	for (unsigned vlan = 0; vlan <= 8; vlan++)
		put_probe(&n, 1, tag, LOOP_CARRIES, vlan);
	run(&n, 100);
	assert_int_equal(state(&n, server), GATE_OPEN);
	put_probe(&n, 1, tag, LOOP_SERVES | LOOP_CARRIES, 5);
	run(&n, 200);
	assert_true(edge_community_status(server->edge, 0, n.s->now_ms, &c));
	assert_int_equal(c.gate.state, GATE_OPEN);
	assert_int_equal(c.gate.n_vlans, 1);
	assert_int_equal(c.gate.vlan[0].id, 5);
	assert_true(c.gate.vlan[0].standby);
	tear_down(&n);
}

/* A member far away sends in many, which come out of the one who serves and are read by the other.
 */
static void far_vlans_fill_no_table(void **state_)
{
	struct sim_node *e[4], *standby;
	const struct bridge *b;
	struct mac own;
	struct net n;

	(void)state_;
	set_up(&n);
	for (unsigned i = 0; i < 4; i++) {
		e[i] = add(&n, 0, i < 2 ? 1 : i == 2 ? 2 : 0);
		n.lan5[e[i]->number] = n.lan[e[i]->number];
	}
	e[3]->setup.roles = 0;
	start(&n);
	run(&n, 10000);
	standby = first_in(&n, GATE_STANDBY, 1);
	b = standby->edge->community[0]->bridge;
	own = sim_mac(e[3]);
	for (unsigned vlan = 200; vlan < 240; vlan++, run(&n, 20)) {
		uint8_t slot[SLOT_LEN];
		struct frame out = {.data = slot + SLOT_HEADROOM, .len = FRAME_LEN};

		memset(out.data, 0xff, 6);
		memcpy(out.data + 6, own.b, sizeof(own.b));
		memset(out.data + 12, 0, FRAME_LEN - 12);
		store_be16(out.data + 12, ETHERTYPE_VLAN);
		store_be16(out.data + 14, (uint16_t)vlan);
		store_be16(out.data + 16, HOST_TYPE);
		store_be32(out.data + 18, vlan - 200);
		sim_frames_from(e[3], 0, &out, 1);
	}
	run(&n, 3000);
	assert_int_equal(n.heard[1][1], 1); /* they do come out */
	assert_int_equal(b->n_lans, 1);
	(void)say(&n, 1, &host_a, &everybody, 5);
	run(&n, 3000);
	assert_true(lan_find(b, 5) > 0);
	tear_down(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_no_bridge_closes_nothing),
		cmocka_unit_test(who_is_not_trusted_closes_nothing),
		cmocka_unit_test(spanning_trees_are_of_bridges),
		cmocka_unit_test(shouts_hide_no_ring),
		cmocka_unit_test(far_vlans_fill_no_table),
		cmocka_unit_test(flips_cost_little),
		cmocka_unit_test(all_is_announced_in_time),
		cmocka_unit_test(a_probe_speaks_for_its_vlan),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
