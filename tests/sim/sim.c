/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clock, the queue of events, the network. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_inside.h"

#include <cmocka.h>

struct sim_event {
	uint64_t at_ms;
	uint64_t order; /* of equal times the first queued */
	enum sim_event_type type;
	uint32_t node, run; /* ticks and publications */
	struct endpoint from, to;
	uint16_t carrier; /* of an arrival */
	uint8_t *data;
	size_t len;
};

const struct community_key sim_key = {{1, 2, 3}, {4, 5, 6}};

void *sim_must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

/* ---- chance ---- */

/* SplitMix64. */
static uint64_t next_random(struct sim *s)
{
	uint64_t z = s->rng += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void sim_fill(void *ctx, void *buf, size_t len)
{
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i += 8) {
		uint64_t v = next_random(ctx);

		memcpy(p + i, &v, len - i < 8 ? len - i : 8);
	}
}

uint32_t sim_below(struct sim *s, uint32_t bound)
{
	return random_below(&s->random, bound);
}

static bool chance(struct sim *s, uint16_t permille)
{
	return permille != 0 && sim_below(s, 1000) < permille;
}

uint64_t sim_seed(void)
{
	const char *text = getenv("SIM_SEED");

	return text != NULL ? strtoull(text, NULL, 0) : 1;
}

int sim_end(int failed)
{
	if (failed != 0)
		fprintf(stderr, "to repeat: SIM_SEED=%" PRIu64 "\n", sim_seed());
	return failed;
}

/* ---- the queue: a binary heap ---- */

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void push(struct sim *s, struct sim_event *e)
{
	size_t i = s->n_heap++;

	if (s->n_heap > s->cap_heap) {
		s->cap_heap = s->cap_heap * 2 + 64;
		s->heap = sim_must(realloc(s->heap, s->cap_heap * sizeof(*s->heap)));
	}
	e->order = s->order++;
	while (i > 0 && is_before(e, &s->heap[(i - 1) / 2])) {
		s->heap[i] = s->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->heap[i] = *e;
}

static struct sim_event pop(struct sim *s)
{
	struct sim_event first = s->heap[0], last = s->heap[--s->n_heap];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < s->n_heap) {
		if (child + 1 < s->n_heap && is_before(&s->heap[child + 1], &s->heap[child]))
			child++;
		if (!is_before(&s->heap[child], &last))
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	s->heap[i] = last;
	return first;
}

void sim_push_for(struct sim_node *n, enum sim_event_type type, uint64_t at_ms)
{
	push(n->sim, &(struct sim_event){
			     .at_ms = at_ms, .type = type, .node = n->number, .run = n->run});
}

/* ---- the network ---- */

static struct sim_node *node_at(const struct sim *s, const struct endpoint *e)
{
	bool nat = e->port >= SIM_NAT_PORTS;
	unsigned number = nat ? e->port - SIM_NAT_PORTS : load_be16(e->ip + 14);
	struct sim_node *n = number < s->n_nodes ? s->nodes[number] : NULL;

	return n != NULL && endpoint_equal(&n->address, e) ? n : NULL;
}

struct sim_link *sim_link(struct sim *s, const struct sim_node *from, const struct sim_node *to)
{
	return &s->links[from->number * s->max_nodes + to->number];
}

void sim_all_links(struct sim *s, const struct sim_link *l)
{
	for (unsigned i = 0; i < s->max_nodes * s->max_nodes; i++)
		s->links[i] = *l;
}

void sim_block(struct sim *s, const struct sim_node *a, const struct sim_node *b, bool blocked)
{
	sim_link(s, a, b)->blocked = blocked;
	sim_link(s, b, a)->blocked = blocked;
}

void sim_block_direct(struct sim *s, bool blocked)
{
	for (unsigned i = 0; i < s->n_nodes; i++)
		for (unsigned k = 0; k < i; k++)
			if (s->nodes[i]->is_edge && s->nodes[k]->is_edge)
				sim_block(s, s->nodes[i], s->nodes[k], blocked);
}

void sim_inject(struct sim *s, const struct endpoint *from, const struct endpoint *to,
	const uint8_t *data, size_t len, uint32_t delay_ms)
{
	struct sim_event e = {.at_ms = s->now_ms + delay_ms,
		.type = SIM_DATAGRAM,
		.from = *from,
		.to = *to,
		.data = sim_must(malloc(len)),
		.len = len};

	memcpy(e.data, data, len);
	push(s, &e);
}

void sim_arrive(struct sim_node *to, const struct datagram *d, uint32_t delay_ms)
{
	struct sim_event e = {.at_ms = to->sim->now_ms + delay_ms,
		.type = SIM_ARRIVAL,
		.node = to->number,
		.run = to->run,
		.carrier = d->way.carrier,
		.from = d->way.remote,
		.data = sim_must(malloc(d->len)),
		.len = d->len};

	memcpy(e.data, d->data, d->len);
	push(to->sim, &e);
}

static void arrive(struct sim_node *n, const struct sim_event *e)
{
	uint8_t slot[SLOT_LEN];
	struct rx x = {.in = {slot, e->len, {e->carrier, e->from, {.port = 0}}}};

	assert_true(e->len <= DATAGRAM_MAX);
	memcpy(slot, e->data, e->len);
	free(e->data);
	if (n->up && n->run == e->run)
		sim_take_batch(n, &x, 1);
}

static void carry(struct sim *s, const struct sim_node *from, const struct datagram *d)
{
	const struct sim_node *to = node_at(s, &d->way.remote);
	const struct sim_link *l;
	uint32_t delay;

	s->datagrams++;
	/* A socket does not send from an address that the host does not have. */
	if (to == NULL || (!endpoint_is_none(&d->way.local) &&
				  !endpoint_same_ip(&d->way.local, &from->inner)))
		return;
	l = sim_link(s, from, to);
	if (l->blocked || chance(s, l->loss)) {
		s->lost++;
		return;
	}
	delay = l->delay_ms + (l->jitter_ms != 0 ? sim_below(s, l->jitter_ms + 1) : 0);
	if (chance(s, l->reorder))
		delay += 50;
	sim_inject(s, &from->address, &d->way.remote, d->data, d->len, delay);
	if (chance(s, l->dup))
		sim_inject(s, &from->address, &d->way.remote, d->data, d->len,
			delay + sim_below(s, 20));
}

void sim_transmit(void *ctx, const struct datagram *d, size_t n)
{
	struct sim_node *node = ctx;
	struct sim *s = node->sim;

	for (size_t i = 0; i < n; i++) {
		bool wanted = s->wire == NULL || s->wire(s->wire_ctx, node, &d[i]);

		/* What other carriers do with it is the business of the test that has them. */
		if (wanted && d[i].way.carrier == CARRIER_UDP)
			carry(s, node, &d[i]);
	}
}

/* All that arrives at a node in the same millisecond, up to a batch. */
static void receive(struct sim *s, const struct sim_event *first)
{
	/* Large: as locals the compiler would wipe them for each datagram. */
	static _Thread_local uint8_t slots[BATCH_MAX][SLOT_LEN];
	static _Thread_local struct rx x[BATCH_MAX];
	struct sim_event e = *first;
	struct sim_node *n = node_at(s, &e.to);
	size_t count = 0;

	for (;;) {
		if (n != NULL && n->up && e.len <= DATAGRAM_MAX) {
			memcpy(slots[count], e.data, e.len);
			x[count].in = (struct datagram){
				slots[count], e.len, {CARRIER_UDP, e.from, n->inner}};
			count++;
		}
		free(e.data);
		if (count == s->batch || s->n_heap == 0 || s->heap[0].at_ms != s->now_ms ||
			s->heap[0].type != SIM_DATAGRAM || !endpoint_equal(&s->heap[0].to, &e.to))
			break;
		e = pop(s);
	}
	if (count > 0)
		sim_take_batch(n, x, count);
}

static void step(struct sim *s)
{
	struct sim_event e = pop(s);
	struct sim_node *n = s->nodes[e.node];

	s->now_ms = e.at_ms;
	if (e.type == SIM_DATAGRAM)
		receive(s, &e);
	else if (e.type == SIM_ARRIVAL)
		arrive(n, &e);
	else if (!n->up || n->run != e.run)
		return;
	else if (e.type == SIM_TICK)
		sim_tick(n);
	else
		sim_publish(n);
}

void sim_run(struct sim *s, uint64_t ms)
{
	uint64_t end_ms = s->now_ms + ms;

	while (s->n_heap > 0 && s->heap[0].at_ms <= end_ms)
		step(s);
	s->now_ms = end_ms;
}

bool sim_until(struct sim *s, uint64_t ms, bool (*done)(void *ctx), void *ctx)
{
	uint64_t end_ms = s->now_ms + ms;

	while (!done(ctx)) {
		if (s->now_ms >= end_ms)
			return false;
		sim_run(s, 10);
	}
	return true;
}

struct sim *sim_create(uint64_t seed, unsigned max_nodes)
{
	struct sim *s = sim_must(calloc(1, sizeof(*s)));

	assert_int_equal(crypto_start(), 0);
	s->seed = seed;
	s->frame_len = SIM_FRAME_LEN;
	s->rng = seed;
	s->random = (struct random){sim_fill, s};
	s->now_ms = SIM_START_MS;
	s->max_nodes = max_nodes;
	s->batch = 8;
	s->nodes = sim_must(calloc(max_nodes, sizeof(*s->nodes)));
	s->links = sim_must(calloc((size_t)max_nodes * max_nodes, sizeof(*s->links)));
	sim_all_links(s, &(struct sim_link){.delay_ms = 10});
	return s;
}

void sim_destroy(struct sim *s)
{
	for (unsigned i = 0; i < s->n_nodes; i++) {
		sim_stop(s->nodes[i], false);
		free(s->nodes[i]);
	}
	for (size_t i = 0; i < s->n_heap; i++)
		free(s->heap[i].data);
	free(s->heap);
	free(s->frames);
	free(s->links);
	free(s->nodes);
	free(s);
}
