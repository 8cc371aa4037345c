/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * LANs of bridges, hubs of a test: what an edge's interface is handed is heard a millisecond later
 * by all others that are plugged in, and so is what a host says. They carry so much a millisecond
 * and no more, so that a storm is one.
 */
#ifndef N2N_TESTS_SIM_LANS_H
#define N2N_TESTS_SIM_LANS_H

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
	unsigned handed[NODES];	       /* frames that the interface of each was */
	bool announced_b, announced_a; /* one of host_b, of host_a */
};

static const struct mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct mac host_a = {{0x06, 0xaa, 0, 0, 0, 1}}, host_b = {{0x06, 0xbb, 0, 0, 0, 1}};

/* ---- LANs ---- */

static inline bool is_tagged(const uint8_t *data)
{
	return load_be16(data + 12) == ETHERTYPE_VLAN;
}

static inline unsigned lan_of(const struct net *n, unsigned node, const uint8_t *data)
{
	return is_tagged(data) ? n->lan5[node] : n->lan[node];
}

static inline void put(struct net *n, unsigned lan, unsigned from, const uint8_t *data, size_t len)
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

static inline bool on_interface(void *ctx, struct sim_node *at, const struct joined *j)
{
	struct net *n = ctx;
	uint8_t whole[256];
	size_t len = 0;

	for (size_t i = 0; i < j->n_pieces; i++) {
		assert_true(len + j->piece[i].len <= sizeof(whole));
		memcpy(whole + len, j->piece[i].data, j->piece[i].len);
		len += j->piece[i].len;
	}
	n->handed[at->number]++;
	put(n, lan_of(n, at->number, whole), at->number, whole, len);
	return false;
}

static inline void hand_to_edges(struct net *n, const struct on_wire *w)
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

static inline void run(struct net *n, uint64_t ms)
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

static inline uint32_t say(
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

static inline void say_arp(struct net *n, unsigned lan, const struct mac *from, const uint8_t ip[4])
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
static inline unsigned crosses(struct net *n, unsigned from, unsigned to, unsigned vlan)
{
	uint32_t id = say(n, from, from == 1 ? &host_a : &host_b, &everybody, vlan);

	run(n, 300);
	return n->heard[id][to] - (from == to ? 1 : 0);
}

static inline void assert_joined(struct net *n)
{
	assert_int_equal(crosses(n, 1, 2, 0), 1);
	assert_int_equal(crosses(n, 2, 1, 0), 1);
	assert_int_equal(crosses(n, 1, 1, 0), 0);
	assert_int_equal(crosses(n, 2, 2, 0), 0);
}

/* ---- nodes ---- */

static inline void set_up(struct net *n)
{
	*n = (struct net){.s = sim_create(sim_seed(), NODES)};
	n->wire = calloc(WIRE_MAX, sizeof(*n->wire));
	assert_non_null(n->wire);
	n->s->interface = on_interface;
	n->s->interface_ctx = n;
	n->sn[0] = sim_add_supernode(n->s);
	n->sn[1] = sim_add_supernode(n->s);
}

static inline void tear_down(struct net *n)
{
	sim_destroy(n->s);
	free(n->wire);
}

static inline struct sim_node *add(struct net *n, unsigned sn, unsigned lan)
{
	struct sim_node *e = sim_add_edge(n->s, &sim_key, n->sn[sn]);

	e->setup.roles = ROLE_BRIDGE;
	e->setup.learn = 4096;
	e->setup.n_addresses = 1;
	e->setup.address[0].prefix = 24;
	e->setup.address[0].ip[10] = e->setup.address[0].ip[11] = 0xff;
	e->setup.address[0].ip[12] = 10;
	e->setup.address[0].ip[15] = (uint8_t)e->number;
	n->lan[e->number] = lan;
	return e;
}

/* The interfaces are ports of bridges from the start on. */
static inline void start(struct net *n)
{
	sim_start_all(n->s);
	for (unsigned i = 0; i < n->s->n_nodes; i++)
		if (n->s->nodes[i]->is_edge)
			edge_bridged(n->s->nodes[i]->edge, 0, 1, n->s->now_ms);
}

static inline enum gate_state state(const struct net *n, struct sim_node *of)
{
	struct status_community c;

	assert_true(edge_community_status(of->edge, 0, n->s->now_ms, &c));
	return c.gate.state;
}

static inline unsigned in_state(const struct net *n, enum gate_state which)
{
	unsigned count = 0;

	for (unsigned i = 0; i < n->s->n_nodes; i++)
		count += n->s->nodes[i]->is_edge && n->s->nodes[i]->up &&
			 state(n, n->s->nodes[i]) == which;
	return count;
}

static inline struct sim_node *first_in(const struct net *n, enum gate_state which, unsigned lan)
{
	for (unsigned i = 0; i < n->s->n_nodes; i++)
		if (n->s->nodes[i]->is_edge && n->s->nodes[i]->up && n->lan[i] == lan &&
			state(n, n->s->nodes[i]) == which)
			return n->s->nodes[i];
	return NULL;
}

static inline unsigned loops_told(const struct net *n)
{
	unsigned count = 0;

	for (unsigned i = 0; i < n->s->n_nodes; i++)
		count += n->s->nodes[i]->events[EVENT_LOOP];
	return count;
}

/* Two pairs that do not know each other, as with a supernode each. */
static inline void set_up_ring(struct net *n, struct sim_node *e[4])
{
	set_up(n);
	for (unsigned i = 0; i < 4; i++)
		e[i] = add(n, i / 2, 1 + i % 2);
}

static inline void set_up_pair(struct net *n, struct sim_node *e[3])
{
	set_up(n);
	for (unsigned i = 0; i < 3; i++)
		e[i] = add(n, 0, i < 2 ? 1 : 2);
	start(n);
	run(n, 10000);
	assert_int_equal(in_state(n, GATE_STANDBY), 1);
	assert_int_equal(in_state(n, GATE_OPEN), 2);
}

#endif
