/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nodes: set up, started and stopped, and driven as the host drives them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../own_queries.h"
#include "core/edge/edge_state.h"
#include "sim_inside.h"
#include "wire/loop_frame.h"

#include <cmocka.h>

#define PUBLISH_MS     10
#define HOLD_MS	       (UINT64_C(30) * 24 * 3600 * 1000)
#define SUPERNODE_PORT 7654

/* ---- driving a node as the host does ---- */

void sim_publish(struct sim_node *n)
{
	const struct view *v = node_view_changed(n->node);

	n->publishing = false;
	n->published_ms = n->sim->now_ms;
	if (v != NULL)
		n->view = v;
	retired_destroy(core_take_retired(&n->node->core));
}

/* Frees what may be freed; what the published view may still name waits for the next one. */
static void settle(struct sim_node *n)
{
	uint64_t now_ms = n->sim->now_ms, due = n->published_ms + PUBLISH_MS;

	if (!node_view_is_due(n->node)) {
		if (!n->publishing)
			retired_destroy(core_take_retired(&n->node->core));
		return;
	}
	if (n->publishing)
		return;
	n->publishing = true;
	sim_push_for(n, SIM_PUBLISH, due > now_ms ? due : now_ms);
}

/* ---- notes: a worker leaves copies, which the control thread takes after the batch ---- */

static struct note *next_note(void *ctx, enum note_queue queue)
{
	struct sim_queue *q = &((struct sim_node *)ctx)->queue[queue];

	return q->n < SIM_QUEUE_LEN ? &q->note[q->n] : NULL;
}

static void push_note(void *ctx, enum note_queue queue)
{
	((struct sim_node *)ctx)->queue[queue].n++;
}

static size_t filled(void *ctx, enum note_queue queue)
{
	return ((struct sim_node *)ctx)->queue[queue].n;
}

/* Only while a node works are there notes, so all of them share the memory. */
static void init_notes(struct sim_node *n, struct drops *drops)
{
	static _Thread_local struct note notes[NOTE_QUEUES][SIM_QUEUE_LEN];
	struct note_sink sink = {.next = next_note, .push = push_note, .filled = filled, .ctx = n};

	for (unsigned i = 0; i < NOTE_QUEUES; i++) {
		n->queue[i] = (struct sim_queue){notes[i], 0};
		sink.size[i] = SIM_QUEUE_LEN;
	}
	notes_init(&n->notes, &sink, drops);
}

static void take_notes(struct sim_node *n)
{
	for (unsigned queue = 0; queue < NOTE_QUEUES; queue++) {
		for (size_t i = 0; i < n->queue[queue].n; i++)
			node_note(n->node, &n->queue[queue].note[i], n->sim->now_ms);
		n->queue[queue].n = 0;
	}
	if (n->is_edge)
		edge_drained(n->edge);
}

void sim_take_batch(struct sim_node *n, struct rx *x, size_t count)
{
	const uint64_t now_ms = n->sim->now_ms;

	if (n->is_edge) {
		edge_datagrams_in(&n->worker, n->view, x, count, now_ms);
		edge_frames_in(&n->worker, x, count);
	} else {
		supernode_datagrams_in(&n->relay, n->view, x, count, now_ms);
	}
	for (size_t i = 0; i < count; i++)
		notes_rx(&n->notes, &x[i], now_ms);
	take_notes(n);
	settle(n);
}

void sim_tick(struct sim_node *n)
{
	node_tick(n->node, n->sim->now_ms);
	if (n->is_edge)
		edge_drained(n->edge); /* notes never wait from one event to the next */
	else
		(void)supernode_floor(n->supernode, n->sim->now_ms);
	sim_push_for(n, SIM_TICK, n->sim->now_ms + TICK_MS);
	settle(n);
}

void sim_frames_from(struct sim_node *n, unsigned community, struct frame *frames, size_t count)
{
	edge_frames_out(&n->worker, n->view, community, frames, count, n->sim->now_ms);
	take_notes(n);
	settle(n);
}

void sim_frames_out(struct sim_node *n, struct frame *frames, size_t count)
{
	sim_frames_from(n, 0, frames, count);
}

/* As the host's worker cuts what it reads into batches. */
void sim_send_super(struct sim_node *from, const struct frame *frames, size_t n)
{
	static _Thread_local uint8_t slots[BATCH_MAX][SLOT_LEN];
	struct frame batch[BATCH_MAX];
	struct cut cut;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		assert_true(cut_begin(&cut, &frames[i]));
		if (len > 0 && len + cut_left(&cut) > BATCH_MAX) {
			sim_frames_out(from, batch, len);
			len = 0;
		}
		while (cut_left(&cut) > 0) {
			batch[len].data = slots[len] + SLOT_HEADROOM;
			cut_next(&cut, &batch[len++]);
			if (len == BATCH_MAX || (cut_left(&cut) == 0 && len > BATCH_MAX / 2)) {
				sim_frames_out(from, batch, len);
				len = 0;
			}
		}
	}
	if (len > 0)
		sim_frames_out(from, batch, len);
}

/* ---- setting up ---- */

static void send_datagram(void *ctx, const struct datagram *d)
{
	sim_transmit(ctx, d, 1);
}

static void hand_over(struct sim_node *n, const struct joined *j)
{
	struct loop_frame probe;
	struct sim *s = n->sim;

	if (s->interface != NULL && !s->interface(s->interface_ctx, n, j))
		return;
	/* What a bridge says to its LAN, or an edge to its host, is for nobody here. */
	if (loop_frame_decode(&probe, j->piece[0].data, j->piece[0].len) == 0 ||
		is_own_query(j->piece[0].data, j->piece[0].len))
		return;
	assert_int_equal(n->community, 0);
	sim_take_frame(n, j->piece[0].data, j->piece[0].len);
}

static void write_frames(void *ctx, unsigned community, const struct joined *j, size_t n)
{
	((struct sim_node *)ctx)->community = community;
	for (size_t i = 0; i < n; i++)
		hand_over(ctx, &j[i]);
}

static void on_deliver(void *ctx, unsigned community, const struct frame *f)
{
	struct slice piece = {f->data, f->len};

	((struct sim_node *)ctx)->community = community;
	hand_over(ctx, &(struct joined){f->offload, &piece, 1});
}

/* An event of a peer has what it takes to look that peer up. */
static void check_peer(const struct sim_node *n, const struct event *e)
{
	struct status_peer p;

	assert_true(edge_peer_status(n->edge, e->community, e->key, n->sim->now_ms, &p));
	assert_memory_equal(p.edge_id, e->edge, sizeof(p.edge_id));
}

static void on_event(void *ctx, const struct event *e)
{
	struct sim_node *n = ctx;

	if (e->kind >= EVENT_PEER_UP && e->kind <= EVENT_PATH_RELAY)
		check_peer(n, e);
	n->events[e->kind]++;
	n->event_ms[e->kind] = n->sim->now_ms;
	n->last_event[e->kind] = *e;
}

static struct sim_node *add(struct sim *s, bool is_edge)
{
	struct sim_node *n = sim_must(calloc(1, sizeof(*n)));

	if (s->n_nodes == s->max_nodes)
		abort();
	n->sim = s;
	n->is_edge = is_edge;
	n->number = s->n_nodes;
	n->address =
		endpoint_v4(UINT32_C(0x0a010000) | n->number, is_edge ? SIM_PORT : SUPERNODE_PORT);
	n->inner = n->address;
	n->setup.wall_ms = SIM_WALL_MS;
	n->setup.hold_ms = HOLD_MS;
	s->nodes[s->n_nodes++] = n;
	return n;
}

struct sim_node *sim_add_supernode(struct sim *s)
{
	struct sim_node *n = add(s, false);

	sim_fill(s, n->setup.secret, KEY_LEN);
	return n;
}

struct sim_node *sim_add_edge(
	struct sim *s, const struct community_key *key, const struct sim_node *supernode)
{
	struct sim_node *n = add(s, true);

	sim_fill(s, n->setup.seed, SEED_LEN);
	if (key != NULL)
		n->setup.key = *key;
	if (supernode != NULL)
		sim_use_supernode(n, supernode);
	return n;
}

void sim_use_passphrase(struct sim_node *edge, const char *name, uint8_t prs)
{
	edge->setup.passphrase = true;
	edge->setup.name = name;
	memset(edge->setup.prs, prs, KEY_LEN);
}

void sim_supernode_public(const struct sim_node *supernode, uint8_t key[KEY_LEN])
{
	crypto_x25519_public(key, supernode->setup.secret);
}

void sim_use_supernode(struct sim_node *edge, const struct sim_node *supernode)
{
	struct sim_supernode *e = &edge->setup.supernode[edge->setup.n_supernodes++];

	e->address = supernode->address;
	e->given = true;
	sim_supernode_public(supernode, e->key);
}

static struct core_config node_config(struct sim_node *n)
{
	return (struct core_config){
		.io = {.ctx = n,
			.send = send_datagram,
			.deliver = on_deliver,
			.event = on_event,
			.is_underlay = n->setup.is_underlay,
			.limit = n->setup.limit,
			.random = n->sim->random},
		.nworkers = 1,
		.now_ms = n->sim->now_ms,
		.wall_ms = n->setup.wall_ms,
		.freshness = n->setup.freshness,
		.embryos = 256,
		.first_counter = n->setup.first_counter,
	};
}

static void tell_sockets(struct sim_node *n)
{
	assert_int_equal(edge_own_sockets(n->edge, &n->inner, 1, n->sim->now_ms), 0);
}

static void join(struct sim_node *n)
{
	const struct sim_setup *c = &n->setup;

	struct community_config config = {
		.name = c->passphrase ? c->name : NULL,
		.key = c->passphrase ? NULL : &c->key,
		.prs = c->passphrase ? c->prs : NULL,
		.mac = c->mac,
		.hold_ms = c->hold_ms,
		.mtu = MTU_DEFAULT,
		.n_addresses = c->n_addresses,
		.learn = c->learn,
		.roles = c->roles,
		.bpdu_guard = c->bpdu_guard,
		.signed_broadcast = c->signed_broadcast,
		.trusted = c->trusted,
		.n_trusted = c->n_trusted,
		.mask = c->has_state ? c->mask : NULL,
	};

	memcpy(config.address, c->address, sizeof(config.address));
	assert_int_equal(edge_add_community(n->edge, &config), 0);
	if (c->forges) {
		view_set_interface(&edge_node(n->edge)->core.view, 0, 0, true);
		view_set_roles(&edge_node(n->edge)->core.view, 0, ROLES_ALL | ROLE_OF_NOBODY);
	}
	for (size_t i = 0; i < c->n_owners; i++)
		edge_remember_owner(n->edge, 0, &c->owners[i]);
	for (size_t i = 0; i < c->n_known; i++)
		edge_remember(n->edge, 0, &c->known[i]);
	for (unsigned i = 0; i < c->n_supernodes; i++) {
		const struct sim_supernode *e = &c->supernode[i];

		assert_int_equal(edge_add_supernode(n->edge, e->given ? e->key : NULL,
					 e->pinned ? e->key : NULL),
			(int)i);
		edge_supernode_resolved(n->edge, i, &e->address, 1);
	}
	if (!c->quiet_about_addresses)
		edge_local_addresses(n->edge, &n->inner, 1, n->sim->now_ms);
	tell_sockets(n);
}

static void start_edge(struct sim_node *n)
{
	struct edge_config c = {.node = node_config(n)};

	memcpy(c.seed, n->setup.seed, SEED_LEN);
	n->edge = sim_must(edge_create(&c));
	n->node = edge_node(n->edge);
	join(n);
	assert_int_equal(
		edge_worker_init(&n->worker, 0, (struct datagram_sink){sim_transmit, n}), 0);
	init_notes(n, &n->worker.drops);
	n->worker.notes = &n->notes;
	n->worker.in = (struct frame_sink){write_frames, n, SIM_KINDS, true};
}

static void start_supernode(struct sim_node *n)
{
	struct supernode_config c = {.node = node_config(n), .groups = FAN_LIMITS_DEFAULT};

	memcpy(c.secret, n->setup.secret, KEY_LEN);
	c.floor = n->setup.freshness;
	n->supernode = sim_must(supernode_create(&c));
	n->node = supernode_node(n->supernode);
	assert_int_equal(supernode_worker_init(&n->relay, 0, supernode_pairs(n->supernode),
				 (struct datagram_sink){sim_transmit, n}),
		0);
	init_notes(n, &n->relay.drops);
}

void sim_start(struct sim_node *n)
{
	assert_false(n->up);
	n->run++;
	if (n->is_edge)
		start_edge(n);
	else
		start_supernode(n);
	n->up = true;
	sim_publish(n);
	sim_push_for(n, SIM_TICK, n->sim->now_ms + sim_below(n->sim, TICK_MS));
}

void sim_start_all(struct sim *s)
{
	for (unsigned i = 0; i < s->n_nodes; i++)
		if (!s->nodes[i]->up)
			sim_start(s->nodes[i]);
}

static void keep_state(struct sim_node *n)
{
	struct sim_setup *c = &n->setup;

	c->has_state = true;
	c->freshness = n->node->core.freshness;
	memcpy(c->mask, edge_mask(n->edge, 0), MASK_LEN);
	c->n_known = edge_known_peers(n->edge, 0, c->known, SIM_KNOWN_MAX);
	c->n_owners = edge_known_owners(n->edge, 0, c->owners, SIM_KNOWN_MAX);
}

void sim_stop(struct sim_node *n, bool goodbye)
{
	if (!n->up)
		return;
	n->up = false;
	if (n->is_edge) {
		keep_state(n);
		if (goodbye)
			edge_shutdown(n->edge, n->sim->now_ms);
		edge_worker_fini(&n->worker);
		edge_destroy(n->edge);
	} else {
		n->setup.freshness = goodbye ? supernode_last_floor(n->supernode)
					     : supernode_floor(n->supernode, n->sim->now_ms);
		supernode_worker_fini(&n->relay);
		supernode_destroy(n->supernode);
	}
	n->edge = NULL;
	n->supernode = NULL;
	n->node = NULL;
	n->view = NULL;
	n->publishing = false;
}

void sim_forget_state(struct sim_node *n)
{
	n->setup.has_state = false;
	n->setup.freshness = 0;
	n->setup.n_known = 0;
	n->setup.n_owners = 0;
}

void sim_behind(struct sim_node *n, const struct endpoint *nat)
{
	n->address = *nat;
	n->address.port = (uint16_t)(SIM_NAT_PORTS + n->number);
}

void sim_move(struct sim_node *n, bool notices)
{
	n->address.ip[13]++;
	if (!notices)
		return;
	n->inner = n->address;
	if (n->up && n->is_edge) {
		edge_local_addresses(n->edge, &n->inner, 1, n->sim->now_ms);
		tell_sockets(n);
		settle(n);
	}
}
