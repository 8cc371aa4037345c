/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nodes in a network in memory, each driven as the host drives it: movers with the published view
 * do what workers do, and leave notes in the host's queues; the control thread takes them, lets
 * time pass, publishes, and frees what is retired when all movers have passed. A mover may have a
 * thread of its own.
 */
#ifndef N2N_TESTS_CHURN_NODE_H
#define N2N_TESTS_CHURN_NODE_H

#include "../own_queries.h"
#include "churn_wire.h"
#include "core/edge/edge.h"
#include "core/supernode/supernode.h"
#include "host/worker/publication.h"
#include "host/worker/queue.h"
#include "wire_test.h"

#define CHURN_NODES	 4
#define CHURN_MOVERS	 2
#define CHURN_START_MS	 UINT64_C(100000)
#define CHURN_QUEUE_LEN	 128 /* notes */
#define CHURN_TURN_NOTES 64  /* of a queue, before the control thread looks around */
#define CHURN_PUBLISH_MS 10
#define CHURN_CALM	 64 /* datagrams that wait somewhere, before the interfaces are read on */

struct churn_node;
struct churn_mover;

/* The interfaces of edges. write and read are called by movers, write on the control thread, too.
 */
struct churn_interfaces {
	void (*write)(struct churn_node *at, unsigned community, const struct slice *frame);
	/* Up to BATCH_MAX frames of one community, into m->slots; returns how many. */
	size_t (*read)(struct churn_mover *m, unsigned *community, struct frame *frames);
};

struct churn_net {
	_Atomic uint64_t now_ms; /* set by the control thread */
	struct churn_node *node[CHURN_NODES];
	atomic_bool blocked[CHURN_NODES][CHURN_NODES]; /* by sender and receiver */
	const struct churn_interfaces *interfaces;
	void *user;
};

/* What moves the packets of a node. */
struct churn_mover {
	struct churn_node *of;
	unsigned number;
	uint64_t seed;	   /* of what its interfaces give */
	struct wire *wire; /* to it */
	struct edge_worker edge;
	struct supernode_worker relay;
	struct notes notes;
	struct queue queue[NOTE_QUEUES];
	uint8_t slots[BATCH_MAX][SLOT_LEN];
	struct rx rx[BATCH_MAX];
	struct frame frames[BATCH_MAX];
	_Atomic uint64_t sent, written; /* frames */
};

struct churn_node {
	struct churn_net *net;
	unsigned number;
	bool is_edge;
	atomic_bool up;
	struct endpoint address;
	uint64_t seed;
	uint64_t freshness; /* outlives the process */
	struct edge *edge;
	struct supernode *supernode;
	struct node *node; /* of either */
	unsigned n_movers;
	struct churn_mover mover[CHURN_MOVERS];
	struct publication views;
	uint64_t published_ms, tick_ms;
	/* What happened. */
	unsigned events[EVENT_STATE + 1];
	uint64_t shown;	  /* views */
	uint64_t resting; /* retired, not yet freed */
	uint64_t freed;	  /* after a grace period */
	uint64_t held;	  /* times that a mover was in its way */
};

/* ---- the way out; any thread ---- */

static inline void churn_send(const struct churn_node *from, const struct datagram *d)
{
	unsigned number = d->way.remote.ip[15];
	struct churn_node *to = number < CHURN_NODES ? from->net->node[number] : NULL;

	if (to == NULL || !endpoint_equal(&to->address, &d->way.remote) ||
		atomic_load(&from->net->blocked[from->number][number]))
		return;
	/* Sealed bytes are as good as random: packets of one session meet at all movers. */
	wire_put(to->mover[d->data[d->len - 1] % to->n_movers].wire, &from->address, d);
}

static inline void churn_send_all(void *mover, const struct datagram *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		churn_send(((struct churn_mover *)mover)->of, &d[i]);
}

static inline void churn_send_one(void *node, const struct datagram *d)
{
	churn_send(node, d);
}

static inline void churn_deliver(void *node, unsigned community, const struct frame *f)
{
	struct churn_node *n = node;

	if (is_own_query(f->data, f->len))
		return;
	n->net->interfaces->write(n, community, &(struct slice){f->data, f->len});
}

static inline void churn_write(void *mover, unsigned community, const struct joined *j, size_t n)
{
	struct churn_mover *m = mover;
	struct churn_node *of = m->of;

	atomic_fetch_add(&m->written, n);
	for (size_t i = 0; i < n; i++)
		of->net->interfaces->write(of, community, &j[i].piece[0]);
}

static inline void churn_event(void *node, const struct event *e)
{
	((struct churn_node *)node)->events[e->kind]++;
}

/* ---- a mover ---- */

static inline struct note *churn_next_note(void *mover, enum note_queue queue)
{
	return queue_next(&((struct churn_mover *)mover)->queue[queue]);
}

static inline void churn_push_note(void *mover, enum note_queue queue)
{
	queue_push(&((struct churn_mover *)mover)->queue[queue]);
}

static inline size_t churn_filled(void *mover, enum note_queue queue)
{
	return queue_filled(&((struct churn_mover *)mover)->queue[queue]);
}

static inline void churn_mover_init(struct churn_mover *m, struct churn_node *of, unsigned number)
{
	const struct datagram_sink out = {churn_send_all, m};
	struct note_sink sink = {churn_next_note, churn_push_note, churn_filled, {0}, m};
	struct drops *drops = of->is_edge ? &m->edge.drops : &m->relay.drops;

	m->of = of;
	m->number = number;
	m->seed = of->number * CHURN_MOVERS + number;
	for (unsigned i = 0; i < NOTE_QUEUES; i++) {
		assert_int_equal(queue_init(&m->queue[i], CHURN_QUEUE_LEN), 0);
		sink.size[i] = CHURN_QUEUE_LEN;
	}
	if (of->is_edge)
		assert_int_equal(edge_worker_init(&m->edge, number, out), 0);
	else
		assert_int_equal(supernode_worker_init(
					 &m->relay, number, supernode_pairs(of->supernode), out),
			0);
	notes_init(&m->notes, &sink, drops);
	m->edge.notes = &m->notes;
	m->edge.in = (struct frame_sink){.write = churn_write, .ctx = m, .csum_unset = true};
}

static inline void churn_mover_fini(struct churn_mover *m)
{
	if (m->of->is_edge)
		edge_worker_fini(&m->edge);
	else
		supernode_worker_fini(&m->relay);
	for (unsigned i = 0; i < NOTE_QUEUES; i++)
		queue_fini(&m->queue[i]);
}

static inline void churn_take_datagrams(
	struct churn_mover *m, const struct view *v, size_t n, uint64_t now_ms)
{
	if (m->of->is_edge) {
		edge_datagrams_in(&m->edge, v, m->rx, n, now_ms);
		edge_frames_in(&m->edge, m->rx, n);
	} else {
		supernode_datagrams_in(&m->relay, v, m->rx, n, now_ms);
	}
	for (size_t i = 0; i < n; i++)
		notes_rx(&m->notes, &m->rx[i], now_ms);
}

/* Everybody keeps up. */
static inline bool churn_is_calm(const struct churn_net *net)
{
	for (unsigned i = 0; i < CHURN_NODES; i++)
		for (unsigned k = 0; net->node[i]->up && k < net->node[i]->n_movers; k++)
			if (wire_filled(net->node[i]->mover[k].wire) > CHURN_CALM)
				return false;
	return true;
}

/* What a worker does when it wakes up; false: there was nothing to do. */
static inline bool churn_move(struct churn_mover *m)
{
	struct churn_net *net = m->of->net;
	const struct view *v = publication_enter(&m->of->views, m->number);
	uint64_t now_ms = atomic_load(&net->now_ms);
	size_t in = wire_take(m->wire, m->slots, m->rx, BATCH_MAX), out = 0;
	unsigned community = 0;

	if (in > 0)
		churn_take_datagrams(m, v, in, now_ms);
	if (m->of->is_edge && churn_is_calm(net))
		out = net->interfaces->read(m, &community, m->frames);
	if (out > 0)
		edge_frames_out(&m->edge, v, community, m->frames, out, now_ms);
	publication_leave(&m->of->views, m->number);
	atomic_fetch_add(&m->sent, out);
	return in + out > 0;
}

/* ---- the control thread ---- */

static inline void churn_publish(struct churn_node *n, uint64_t now_ms)
{
	const struct view *v = node_view_changed(n->node);
	struct retired *list;

	n->published_ms = now_ms;
	if (v != NULL) {
		publication_show(&n->views, v);
		n->shown++;
	}
	if (!publication_reclaim(&n->views)) {
		n->held++;
		return;
	}
	n->freed += n->resting;
	n->resting = 0;
	if (node_view_is_due(n->node))
		return;
	list = core_take_retired(&n->node->core);
	for (const struct retired *r = list; r != NULL; r = r->next)
		n->resting++;
	publication_retire(&n->views, list);
}

/* True when the queues were seen empty. */
static inline bool churn_take_notes(struct churn_node *n, uint64_t now_ms)
{
	bool drained = true;

	for (unsigned i = 0; i < n->n_movers; i++) {
		for (unsigned k = 0; k < NOTE_QUEUES; k++) {
			struct queue *q = &n->mover[i].queue[k];
			unsigned left = CHURN_TURN_NOTES;
			struct note *note;

			while ((note = queue_first(q)) != NULL && left-- > 0) {
				node_note(n->node, note, now_ms);
				queue_pop(q);
			}
			drained = drained && note == NULL;
		}
	}
	return drained;
}

/* A turn of the loop. */
static inline void churn_control(struct churn_node *n)
{
	uint64_t now_ms = atomic_load(&n->net->now_ms);

	if (churn_take_notes(n, now_ms) && n->is_edge)
		edge_drained(n->edge);
	if (now_ms >= n->tick_ms) {
		n->tick_ms = now_ms + TICK_MS;
		node_tick(n->node, now_ms);
	}
	if ((node_view_is_due(n->node) || n->node->core.retired != NULL ||
		    n->views.limbo != NULL) &&
		now_ms >= n->published_ms + CHURN_PUBLISH_MS)
		churn_publish(n, now_ms);
}

/* ---- life ---- */

static inline struct churn_node *churn_add(struct churn_net *net, bool is_edge, unsigned n_movers)
{
	struct churn_node *n = calloc(1, sizeof(*n));

	assert_non_null(n);
	while (net->node[n->number] != NULL)
		n->number++;
	net->node[n->number] = n;
	n->net = net;
	n->is_edge = is_edge;
	n->address = endpoint_v4(UINT32_C(0x0a010000) | n->number, 7654);
	n->seed = n->number + 1;
	n->n_movers = n_movers;
	for (unsigned i = 0; i < n_movers; i++) {
		n->mover[i].wire = wire_create();
		assert_non_null(n->mover[i].wire);
	}
	return n;
}

static inline struct core_config churn_core(struct churn_node *n)
{
	return (struct core_config){
		.io = {.ctx = n,
			.send = churn_send_one,
			.deliver = churn_deliver,
			.event = churn_event,
			.random = seeded_random(&n->seed)},
		.nworkers = n->n_movers,
		.now_ms = atomic_load(&n->net->now_ms),
		.wall_ms = UINT64_C(1700000000000),
		.freshness = n->freshness,
		.embryos = 256,
	};
}

static inline void churn_start(struct churn_node *n, const struct churn_node *supernode)
{
	if (n->is_edge) {
		struct edge_config c = {.node = churn_core(n), .seed = {(uint8_t)n->number}};

		n->edge = edge_create(&c);
		assert_non_null(n->edge);
		n->node = edge_node(n->edge);
		assert_int_equal(
			edge_add_supernode(n->edge, supernode_public(supernode->supernode), NULL),
			0);
		edge_supernode_resolved(n->edge, 0, &supernode->address, 1);
		edge_local_addresses(n->edge, &n->address, 1, c.node.now_ms);
	} else {
		struct supernode_config c = {
			.node = churn_core(n), .secret = {77}, .groups = FAN_LIMITS_DEFAULT};

		n->supernode = supernode_create(&c);
		assert_non_null(n->supernode);
		n->node = supernode_node(n->supernode);
	}
	for (unsigned i = 0; i < n->n_movers; i++)
		churn_mover_init(&n->mover[i], n, i);
	publication_init(&n->views, n->n_movers);
	publication_show(&n->views, node_view_changed(n->node));
	n->tick_ms = 0;
	n->up = true;
}

/* No mover runs any more. What was retired is destroyed before what it is part of. */
static inline void churn_stop(struct churn_node *n, bool goodbye)
{
	if (!n->up)
		return;
	n->up = false;
	n->freshness = n->node->core.freshness;
	if (goodbye && n->is_edge)
		edge_shutdown(n->edge, atomic_load(&n->net->now_ms));
	publication_fini(&n->views);
	n->resting = 0;
	for (unsigned i = 0; i < n->n_movers; i++)
		churn_mover_fini(&n->mover[i]);
	edge_destroy(n->edge);
	supernode_destroy(n->supernode);
	n->edge = NULL;
	n->supernode = NULL;
	n->node = NULL;
}

static inline void churn_remove(struct churn_node *n)
{
	churn_stop(n, false);
	for (unsigned i = 0; i < n->n_movers; i++)
		free(n->mover[i].wire);
	free(n);
}

#endif
