/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bridges and the LANs at their interfaces: rings are cut, one of several bridges on a LAN serves
 * it, and nobody who is no bridge has a say in that. The LANs are hubs of this test: what an edge's
 * interface is handed is heard a millisecond later by all others that are plugged in, and so is
 * what a host says. They carry so much a millisecond and no more, so that a storm is one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/edge/bridge.h"
#include "sim.h"

#include <cmocka.h>

#define NODES	    8
#define LANS	    4 /* 0: no LAN */
#define WIRE_MAX    4096
#define PER_MS	    64 /* frames of one LAN */
#define HOST_FRAMES 64
#define FRAME_LEN   60
#define HOST_TYPE   0x88b6

struct on_wire {
	uint64_t due_ms;
	unsigned lan, from; /* from: a node, or NODES: a host */
	size_t len;
	uint8_t data[256];
};

struct net {
	struct sim *s;
	struct sim_node *sn[2];
	unsigned lan[NODES], lan5[NODES]; /* of each node, in no VLAN and in VLAN 5 */
	struct on_wire *wire;
	size_t n_wire;
	uint32_t n_host;		   /* frames of hosts so far */
	unsigned heard[HOST_FRAMES][LANS]; /* how often each was on a LAN */
	unsigned arps[LANS];
	unsigned announced;	       /* announcements */
	bool announced_b, announced_a; /* one of host_b, of host_a */
};

static const struct mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct mac host_a = {{0x06, 0xaa, 0, 0, 0, 1}}, host_b = {{0x06, 0xbb, 0, 0, 0, 1}};

/* ---- LANs ---- */

static bool is_tagged(const uint8_t *data)
{
	return load_be16(data + 12) == ETHERTYPE_VLAN;
}

static unsigned lan_of(const struct net *n, unsigned node, const uint8_t *data)
{
	return is_tagged(data) ? n->lan5[node] : n->lan[node];
}

static void put(struct net *n, unsigned lan, unsigned from, const uint8_t *data, size_t len)
{
	const uint8_t *body = is_tagged(data) ? data + 16 : data + 12;
	struct on_wire *w = &n->wire[n->n_wire];
	struct loop_frame l;

	if (lan == 0 || n->n_wire == WIRE_MAX || len > sizeof(w->data))
		return;
	if (load_be16(body) == HOST_TYPE && load_be32(body + 2) < HOST_FRAMES)
		n->heard[load_be32(body + 2)][lan]++;
	n->arps[lan] += load_be16(body) == 0x0806;
	if (loop_frame_decode(&l, data, len) == 0 && l.kind == LOOP_ANNOUNCEMENT) {
		n->announced++;
		n->announced_b = n->announced_b || mac_equal(&l.source, &host_b);
		n->announced_a = n->announced_a || mac_equal(&l.source, &host_a);
	}
	*w = (struct on_wire){.due_ms = n->s->now_ms + 1, .lan = lan, .from = from, .len = len};
	memcpy(w->data, data, len);
	n->n_wire++;
}

static bool on_interface(void *ctx, struct sim_node *at, const struct joined *j)
{
	struct net *n = ctx;
	uint8_t whole[256];
	size_t len = 0;

	for (size_t i = 0; i < j->n_pieces; i++) {
		assert_true(len + j->piece[i].len <= sizeof(whole));
		memcpy(whole + len, j->piece[i].data, j->piece[i].len);
		len += j->piece[i].len;
	}
	put(n, lan_of(n, at->number, whole), at->number, whole, len);
	return false;
}

static void hand_to_edges(struct net *n, const struct on_wire *w)
{
	for (unsigned i = 0; i < n->s->n_nodes; i++) {
		struct sim_node *node = n->s->nodes[i];
		uint8_t slot[SLOT_LEN];
		struct frame f = {.data = slot + SLOT_HEADROOM, .len = w->len};

		if (!node->up || !node->is_edge || i == w->from || lan_of(n, i, w->data) != w->lan)
			continue;
		memcpy(f.data, w->data, w->len);
		sim_frames_from(node, 0, &f, 1);
	}
}

static void run(struct net *n, uint64_t ms)
{
	for (uint64_t end = n->s->now_ms + ms; n->s->now_ms < end; sim_run(n->s, 1)) {
		unsigned carried[LANS] = {0};
		size_t kept = 0, due = n->n_wire;

		/* What is put meanwhile comes behind those that are due. */
		for (size_t i = 0; i < due; i++) {
			struct on_wire w = n->wire[i];

			if (w.due_ms > n->s->now_ms)
				n->wire[kept++] = w;
			else if (carried[w.lan]++ < PER_MS)
				hand_to_edges(n, &w);
		}
		memmove(n->wire + kept, n->wire + due, (n->n_wire - due) * sizeof(*n->wire));
		n->n_wire -= due - kept;
	}
}

static uint32_t say(
	struct net *n, unsigned lan, const struct mac *from, const struct mac *to, unsigned vlan)
{
	uint8_t data[FRAME_LEN] = {0};
	struct writer w;

	writer_init(&w, data, sizeof(data));
	writer_copy(&w, to->b, 6);
	writer_copy(&w, from->b, 6);
	if (vlan != 0) {
		writer_u16(&w, ETHERTYPE_VLAN);
		writer_u16(&w, (uint16_t)vlan);
	}
	writer_u16(&w, HOST_TYPE);
	writer_u32(&w, n->n_host);
	put(n, lan, NODES, data, sizeof(data));
	return n->n_host++;
}

static void say_arp(struct net *n, unsigned lan, const struct mac *from, const uint8_t ip[4])
{
	uint8_t data[FRAME_LEN] = {0};
	struct writer w;

	writer_init(&w, data, sizeof(data));
	writer_copy(&w, everybody.b, 6);
	writer_copy(&w, from->b, 6);
	writer_u16(&w, 0x0806);
	writer_u32(&w, 0x00010800);
	writer_u32(&w, 0x06040001);
	writer_copy(&w, from->b, 6);
	writer_copy(&w, ip, 4);
	n->arps[1] = n->arps[2] = 0;
	put(n, lan, NODES, data, sizeof(data));
}

/* How often a broadcast of a host on one LAN comes to another one, or to its own once more. */
static unsigned crosses(struct net *n, unsigned from, unsigned to, unsigned vlan)
{
	uint32_t id = say(n, from, from == 1 ? &host_a : &host_b, &everybody, vlan);

	run(n, 300);
	return n->heard[id][to] - (from == to ? 1 : 0);
}

static void assert_joined(struct net *n)
{
	assert_int_equal(crosses(n, 1, 2, 0), 1);
	assert_int_equal(crosses(n, 2, 1, 0), 1);
	assert_int_equal(crosses(n, 1, 1, 0), 0);
	assert_int_equal(crosses(n, 2, 2, 0), 0);
}

/* ---- nodes ---- */

static void set_up(struct net *n)
{
	*n = (struct net){.s = sim_create(sim_seed(), NODES)};
	n->wire = calloc(WIRE_MAX, sizeof(*n->wire));
	assert_non_null(n->wire);
	n->s->interface = on_interface;
	n->s->interface_ctx = n;
	n->sn[0] = sim_add_supernode(n->s);
	n->sn[1] = sim_add_supernode(n->s);
}

static void tear_down(struct net *n)
{
	sim_destroy(n->s);
	free(n->wire);
}

static struct sim_node *add(struct net *n, unsigned sn, unsigned lan)
{
	struct sim_node *e = sim_add_edge(n->s, &sim_key, n->sn[sn]);

	e->setup.roles = ROLE_BRIDGE;
	e->setup.learn = 256;
	e->setup.n_addresses = 1;
	e->setup.address[0].prefix = 24;
	e->setup.address[0].ip[10] = e->setup.address[0].ip[11] = 0xff;
	e->setup.address[0].ip[12] = 10;
	e->setup.address[0].ip[15] = (uint8_t)e->number;
	n->lan[e->number] = lan;
	return e;
}

/* The interfaces are ports of bridges from the start on. */
static void start(struct net *n)
{
	sim_start_all(n->s);
	for (unsigned i = 0; i < n->s->n_nodes; i++)
		if (n->s->nodes[i]->is_edge)
			edge_bridged(n->s->nodes[i]->edge, 0, true, n->s->now_ms);
}

static enum gate_state state(const struct net *n, struct sim_node *of)
{
	struct status_community c;

	assert_true(edge_community_status(of->edge, 0, n->s->now_ms, &c));
	return c.gate.state;
}

static unsigned in_state(const struct net *n, enum gate_state which)
{
	unsigned count = 0;

	for (unsigned i = 0; i < n->s->n_nodes; i++)
		count += n->s->nodes[i]->is_edge && n->s->nodes[i]->up &&
			 state(n, n->s->nodes[i]) == which;
	return count;
}

static struct sim_node *first_in(const struct net *n, enum gate_state which, unsigned lan)
{
	for (unsigned i = 0; i < n->s->n_nodes; i++)
		if (n->s->nodes[i]->is_edge && n->s->nodes[i]->up && n->lan[i] == lan &&
			state(n, n->s->nodes[i]) == which)
			return n->s->nodes[i];
	return NULL;
}

static unsigned loops_told(const struct net *n)
{
	unsigned count = 0;

	for (unsigned i = 0; i < n->s->n_nodes; i++)
		count += n->s->nodes[i]->events[EVENT_LOOP];
	return count;
}

/* ---- rings ---- */

/* Two pairs that do not know each other, as with a supernode each. */
static void set_up_ring(struct net *n, struct sim_node *e[4])
{
	set_up(n);
	for (unsigned i = 0; i < 4; i++)
		e[i] = add(n, i / 2, 1 + i % 2);
}

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

static void set_up_pair(struct net *n, struct sim_node *e[3])
{
	set_up(n);
	for (unsigned i = 0; i < 3; i++)
		e[i] = add(n, 0, i < 2 ? 1 : 2);
	start(n);
	run(n, 10000);
	assert_int_equal(in_state(n, GATE_STANDBY), 1);
	assert_int_equal(in_state(n, GATE_OPEN), 2);
}

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
	edge_bridged(server->edge, 0, true, n.s->now_ms);
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
	edge_bridged(e[3]->edge, 0, false, n.s->now_ms);
	n.lan[e[3]->number] = 2;
	edge_bridged(e[3]->edge, 0, true, n.s->now_ms);
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

/* ---- who means harm ---- */

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
		view_set_gate(&e[2]->node->core.view, 0, NULL, core_retire_any, &e[2]->node->core);
		e[2]->edge->community[0]->bridge->probe_ms = UINT64_MAX / 2;
		e[2]->edge->community[0]->roles = 0; /* it does not look at what it sends */
		replay(&n, e[2], false);
		/* Whoever is believed to be a bridge can do that: that is what the list is for. */
		assert_int_equal(loops_told(&n) != 0, trust == 0);
		if (trust)
			assert_joined(&n);
		tear_down(&n);
	}
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
		cmocka_unit_test(who_comes_listens_first),
		cmocka_unit_test(who_is_no_bridge_closes_nothing),
		cmocka_unit_test(who_is_not_trusted_closes_nothing),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
