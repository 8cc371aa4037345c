/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A route of an edge's host leads into the edge's own interface: what its sockets send comes back
 * as frames, for another member. These are dropped, the path that was used so is left, and it is
 * told when that begins and ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define ON_WIRE	  42 /* Ethernet, IPv4 and UDP headers */
#define WAITS_MAX 4096
#define STORM	  1000 /* frames at the interface in 10 s; there are 100 to send */

/* What waits at the interface of a, in order. */
struct wait {
	size_t len;
	uint8_t data[FRAME_MAX];
};

struct world {
	struct sim *s;
	struct sim_node *a, *b, *c, *sn;
	const struct sim_node *led; /* datagrams of a to this node come back; NULL: none */
	struct endpoint led_to;	    /* those to this address, too */
	uint16_t from_port;	    /* that they have then; 0: their own */
	struct wait wait[WAITS_MAX];
	size_t n_waits;
	unsigned long read; /* frames from the interface, those of datagrams */
};

/* A datagram as the host routes it to a member. */
static void write_frame(struct world *w, struct wait *f, const struct datagram *d)
{
	struct mac to = sim_mac(w->c), from = sim_mac(w->a);
	uint8_t *ip = f->data + 14, *udp = ip + 20;

	memset(f->data, 0, ON_WIRE);
	memcpy(f->data, to.b, 6);
	memcpy(f->data + 6, from.b, 6);
	store_be16(f->data + 12, 0x0800);
	ip[0] = 0x45;
	ip[8] = 64;
	ip[9] = 17;
	store_be16(ip + 2, (uint16_t)(28 + d->len));
	memcpy(ip + 12, w->a->inner.ip + 12, 4);
	memcpy(ip + 16, d->way.remote.ip + 12, 4);
	store_be16(udp, w->from_port != 0 ? w->from_port : w->a->inner.port);
	store_be16(udp + 2, d->way.remote.port);
	store_be16(udp + 4, (uint16_t)(8 + d->len));
	memcpy(udp + 8, d->data, d->len);
	f->len = ON_WIRE + d->len;
}

static bool on_wire(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct world *w = ctx;

	if (from != w->a ||
		!((w->led != NULL && endpoint_equal(&d->way.remote, &w->led->address)) ||
			endpoint_equal(&d->way.remote, &w->led_to)))
		return true;
	/* What is larger the system would not send. */
	if (w->n_waits < WAITS_MAX && ON_WIRE + d->len <= FRAME_MAX)
		write_frame(w, &w->wait[w->n_waits++], d);
	return false;
}

static void read_interface(struct world *w)
{
	uint8_t slot[SLOT_LEN];
	struct frame f = {.data = slot + SLOT_HEADROOM};
	size_t n = w->n_waits;

	for (size_t i = 0; i < n; i++) {
		f.len = w->wait[i].len;
		f.offload = (struct offload){0};
		memcpy(f.data, w->wait[i].data, f.len);
		sim_frames_from(w->a, 0, &f, 1);
	}
	w->read += n;
	w->n_waits -= n;
	memmove(w->wait, w->wait + n, w->n_waits * sizeof(w->wait[0]));
}

static void run(struct world *w, uint64_t ms)
{
	for (uint64_t end = w->s->now_ms + ms; w->s->now_ms < end;) {
		sim_run(w->s, 10);
		read_interface(w);
	}
}

/* Sends a frame each way every 100 ms; returns how many were lost. */
static size_t talk(struct world *w, uint64_t ms)
{
	size_t first = w->s->n_frames;

	for (uint64_t end = w->s->now_ms + ms; w->s->now_ms < end;) {
		sim_send(w->a, w->b);
		sim_send(w->b, w->a);
		run(w, 100);
	}
	run(w, 200);
	return sim_missing(w->s, first);
}

/* Three edges, all paths direct. */
static struct world *set_up(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->s = sim_create(sim_seed(), 4);
	w->sn = sim_add_supernode(w->s);
	w->a = sim_add_edge(w->s, &sim_key, w->sn);
	w->b = sim_add_edge(w->s, &sim_key, w->sn);
	w->c = sim_add_edge(w->s, &sim_key, w->sn);
	w->s->wire = on_wire;
	w->s->wire_ctx = w;
	sim_start_all(w->s);
	assert_true(sim_until(w->s, 10000, sim_all_direct, w->s));
	return w;
}

static void tear_down(struct world *w)
{
	sim_assert_clean(w->s);
	sim_destroy(w->s);
	free(w);
}

static uint32_t last_told(const struct world *w)
{
	return w->a->last_event[EVENT_OWN_DATAGRAMS].value;
}

static void a_path_led_into_the_tunnel_is_left_at_once(void **state)
{
	struct world *w = set_up();
	const struct event *told = &w->a->last_event[EVENT_OWN_DATAGRAMS];

	(void)state;
	w->led = w->b;
	assert_in_range(talk(w, 10000), 0, 1);
	assert_in_range(w->read, 1, STORM);
	assert_int_equal(sim_drops(w->a, DROP_OWN_DATAGRAM), w->read);
	assert_false(sim_is_direct(w->a, w->b));
	assert_int_equal(sim_session(w->a, w->b)->search->reason, RELAY_OVERLAY);
	assert_int_equal(w->a->last_event[EVENT_PATH_RELAY].value, RELAY_OVERLAY);
	assert_int_equal(told->value, OWN_TO_PEER);
	assert_true(endpoint_equal(&told->remote, &w->b->address));
	assert_int_equal(w->a->events[EVENT_OWN_DATAGRAMS], 1);

	/* It holds as long as nobody mends it, and nothing is lost meanwhile. */
	assert_int_equal(talk(w, 300000), 0);
	assert_int_equal(w->a->events[EVENT_OWN_DATAGRAMS], 1);
	assert_int_equal(w->a->events[EVENT_PATH_DIRECT], 2);

	w->led = NULL;
	assert_int_equal(talk(w, 200000), 0);
	assert_true(sim_is_direct(w->a, w->b));
	assert_int_equal(last_told(w), OWN_ENDED);
	assert_int_equal(w->a->events[EVENT_OWN_DATAGRAMS], 2);
	tear_down(w);
}

static void a_supernode_led_into_the_tunnel_is_told(void **state)
{
	struct world *w = set_up();

	(void)state;
	w->led = w->sn;
	assert_int_equal(talk(w, 60000), 0);
	assert_in_range(w->read, 1, STORM);
	assert_int_equal(sim_drops(w->a, DROP_OWN_DATAGRAM), w->read);
	assert_int_equal(w->a->events[EVENT_OWN_DATAGRAMS], 1);
	assert_int_equal(last_told(w), OWN_TO_SUPERNODE);
	/* That it is silent is not its fault. */
	assert_int_equal(w->a->events[EVENT_SUPERNODE_SILENT], 0);
	assert_true(sim_is_direct(w->a, w->b));
	w->led = NULL;
	run(w, 100000);
	assert_true(hop_is_up(w->a->edge->community[0]));
	assert_int_equal(last_told(w), OWN_ENDED);
	tear_down(w);
}

/* Another program of this host, another instance of ours included, sends from another port. */
static void what_another_port_sends_is_carried(void **state)
{
	struct world *w = set_up();

	(void)state;
	w->led = w->b;
	w->from_port = (uint16_t)(w->a->inner.port + 1);
	w->s->interface = NULL;
	sim_send(w->a, w->b);
	run(w, 10);
	assert_true(w->read > 0);
	assert_int_equal(sim_drops(w->a, DROP_OWN_DATAGRAM), 0);
	assert_int_equal(w->a->events[EVENT_OWN_DATAGRAMS], 0);
	sim_destroy(w->s);
	free(w);
}

/* No path leads there yet: a handshake goes there, and probes do. */
static void a_candidate_led_into_the_tunnel_is_left_alone(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	(void)state;
	assert_non_null(w);
	w->s = sim_create(sim_seed(), 4);
	w->sn = sim_add_supernode(w->s);
	w->a = sim_add_edge(w->s, &sim_key, w->sn);
	w->b = sim_add_edge(w->s, &sim_key, w->sn);
	w->c = sim_add_edge(w->s, &sim_key, w->sn);
	w->s->wire = on_wire;
	w->s->wire_ctx = w;
	w->led = w->b;
	sim_start_all(w->s);
	run(w, 10000);
	assert_in_range(w->read, 1, 20);	     /* b asks, and is answered there */
	assert_int_equal(last_told(w), OWN_TO_PEER); /* it was heard from there */
	assert_true(w->a->last_event[EVENT_OWN_DATAGRAMS].key != NULL);
	assert_int_equal(sim_session(w->a, w->b)->search->reason, RELAY_OVERLAY);
	assert_false(sim_is_direct(w->a, w->b));
	assert_true(sim_is_direct(w->a, w->c));
	/* Once in a while it is looked whether that changed. */
	w->read = 0;
	assert_int_equal(talk(w, 50000), 0);
	assert_in_range(w->read, 0, 30);
	w->led = NULL;
	assert_int_equal(talk(w, 120000), 0);
	assert_true(sim_is_direct(w->a, w->b));
	tear_down(w);
}

/*
 * Each has its address in the tunnel at a bridge that holds its interface and another port, and
 * offers it: nothing is wrong with that. It is probed ever more seldom, until routes change.
 */
static void addresses_at_bridges_are_no_fault(void **state)
{
	const struct endpoint bridge = endpoint_v4(0x0a010202, SIM_PORT);
	struct world *w = set_up();
	struct endpoint told[2] = {w->b->address, bridge};

	(void)state;
	w->led_to = bridge;
	edge_local_addresses(w->b->edge, told, 2, w->s->now_ms);
	assert_int_equal(talk(w, 60000), 0);
	assert_true(sim_is_direct(w->a, w->b));
	sim_block(w->s, w->a, w->b, true);
	talk(w, 60000);
	assert_int_not_equal(sim_session(w->a, w->b)->search->reason, RELAY_OVERLAY);
	talk(w, 7200000);
	assert_int_equal(w->a->events[EVENT_OWN_DATAGRAMS], 0);
	assert_in_range(w->read, 1, 10);
	assert_int_equal(sim_drops(w->a, DROP_OWN_DATAGRAM), w->read);
	w->read = 0;
	edge_rerouted(w->a->edge, w->s->now_ms);
	talk(w, 30000);
	assert_in_range(w->read, 1, 2);
	assert_int_equal(w->a->events[EVENT_OWN_DATAGRAMS], 0);
	tear_down(w);
}

static void led_to(struct world *w, const struct endpoint *to, uint32_t generation)
{
	const struct addressee of = {.generation = generation};

	own_led(w->a->node, &of, to);
}

static void others_are_told_too_but_not_too_many(void **state)
{
	struct world *w = set_up();
	struct community *c = w->a->edge->community[0];
	struct core *core = &w->a->node->core;
	struct endpoint to = endpoint_v4(0xc0000201, 53);

	(void)state;
	led_to(w, &to, c->generation + 1); /* of the community before this one */
	assert_int_equal(w->a->events[EVENT_OWN_DATAGRAMS], 0);
	core->now_ms = w->s->now_ms;
	/* Not while interfaces change: then it may be a peer's that is told anew. */
	edge_rerouted(w->a->edge, core->now_ms);
	core->now_ms += 2999;
	led_to(w, &to, c->generation);
	assert_int_equal(w->a->events[EVENT_OWN_DATAGRAMS], 0);
	core->now_ms++;
	for (unsigned i = 0; i < LED_MAX + 1; i++, to.port++) {
		led_to(w, &to, c->generation);
		led_to(w, &to, c->generation);
	}
	assert_int_equal(w->a->events[EVENT_OWN_DATAGRAMS], LED_MAX);
	assert_int_equal(last_told(w), OWN_TO_OTHERS);
	assert_true(sim_is_direct(w->a, w->b) && sim_is_direct(w->a, w->c));
	/* Each ends by itself, 90 s after its last one. */
	core->now_ms += 89999;
	own_tick(w->a->edge);
	assert_int_equal(last_told(w), OWN_TO_OTHERS);
	core->now_ms++;
	own_tick(w->a->edge);
	assert_int_equal(last_told(w), OWN_ENDED);
	assert_int_equal(w->a->events[EVENT_OWN_DATAGRAMS], 2 * LED_MAX);
	own_end(w->a->edge, c);
	own_tick(w->a->edge);
	assert_int_equal(w->a->events[EVENT_OWN_DATAGRAMS], 2 * LED_MAX);
	core->now_ms = w->s->now_ms;
	tear_down(w);
}

/* Only its own: another community's interface may have the same. */
static void it_ends_with_the_community(void **state)
{
	struct world *w = set_up();
	struct community *c = w->a->edge->community[0];
	struct community other = {.index = c->index + 1};

	(void)state;
	led_to(w, &w->b->address, c->generation);
	/* The next handshake does not go there, either; that with others does. */
	assert_true(way_is_none(&sim_session(w->a, w->b)->route.direct));
	assert_false(way_is_none(&sim_session(w->a, w->c)->route.direct));
	own_end(w->a->edge, &other);
	assert_int_equal(last_told(w), OWN_TO_PEER);
	own_end(w->a->edge, c);
	assert_int_equal(last_told(w), OWN_ENDED);
	assert_int_equal(w->a->events[EVENT_OWN_DATAGRAMS], 2);
	tear_down(w);
}

/* After 3 s, and not for what was under way. */
static void it_ends_soon_when_routes_are_mended(void **state)
{
	struct world *w = set_up();
	uint64_t mended_ms;

	(void)state;
	w->led = w->sn;
	talk(w, 10000);
	assert_int_equal(last_told(w), OWN_TO_SUPERNODE);
	w->led = NULL;
	edge_rerouted(w->a->edge, w->s->now_ms);
	mended_ms = w->s->now_ms;
	run(w, 200);
	led_to(w, &w->sn->address, w->a->edge->community[0]->generation); /* a late one */
	run(w, 10000);
	assert_int_equal(last_told(w), OWN_ENDED);
	assert_in_range(w->a->event_ms[EVENT_OWN_DATAGRAMS] - mended_ms, 2900, 3200);
	assert_int_equal(w->a->events[EVENT_OWN_DATAGRAMS], 2);
	tear_down(w);
}

/* The host has looked: it is told before a datagram is lost. */
static void a_supernode_that_would_be_led_in_is_told(void **state)
{
	struct world *w = set_up();

	(void)state;
	edge_led_in(w->a->edge, &w->b->address, w->s->now_ms); /* no supernode: no word of it */
	assert_int_equal(w->a->events[EVENT_OWN_DATAGRAMS], 0);
	assert_true(sim_is_direct(w->a, w->b));
	edge_led_in(w->a->edge, &w->sn->address, w->s->now_ms);
	assert_int_equal(last_told(w), OWN_TO_SUPERNODE);
	edge_rerouted(w->a->edge, w->s->now_ms);
	run(w, 4000);
	assert_int_equal(last_told(w), OWN_ENDED);
	tear_down(w);
}

/* Then it goes on, and is not told anew with each change. */
static void it_holds_while_routes_change(void **state)
{
	struct world *w = set_up();

	(void)state;
	w->led = w->sn;
	talk(w, 10000);
	for (unsigned i = 0; i < 30; i++) {
		edge_rerouted(w->a->edge, w->s->now_ms);
		talk(w, 2500); /* longer than a supernode is left alone: nothing hides behind a
				  change */
	}
	assert_int_equal(last_told(w), OWN_TO_SUPERNODE);
	assert_int_equal(w->a->events[EVENT_OWN_DATAGRAMS], 1);
	tear_down(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_led_into_the_tunnel_is_left_at_once),
		cmocka_unit_test(a_supernode_led_into_the_tunnel_is_told),
		cmocka_unit_test(what_another_port_sends_is_carried),
		cmocka_unit_test(a_candidate_led_into_the_tunnel_is_left_alone),
		cmocka_unit_test(addresses_at_bridges_are_no_fault),
		cmocka_unit_test(others_are_told_too_but_not_too_many),
		cmocka_unit_test(it_ends_with_the_community),
		cmocka_unit_test(it_ends_soon_when_routes_are_mended),
		cmocka_unit_test(a_supernode_that_would_be_led_in_is_told),
		cmocka_unit_test(it_holds_while_routes_change),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
