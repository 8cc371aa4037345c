/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes wrong on real days: processes die, addresses change, paths close, clocks jump. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define HANDSHAKE_MIN 200 /* bytes of a relayed handshake message, at least */
#define YEARS_30      (UINT64_C(30) * 365 * 24 * 3600 * 1000)

struct scene {
	struct sim *s;
	struct sim_node *sn, *a, *b;
};

static void set_up(struct scene *c)
{
	c->s = sim_create(sim_seed(), 8);
	c->sn = sim_add_supernode(c->s);
	c->a = sim_add_edge(c->s, &sim_key, c->sn);
	c->b = sim_add_edge(c->s, &sim_key, c->sn);
}

static void set_up_direct(struct scene *c)
{
	set_up(c);
	sim_start_all(c->s);
	assert_true(sim_until(c->s, 5000, sim_all_direct, c->s));
	sim_run(c->s, 1000);
}

static void tear_down(struct scene *c)
{
	sim_assert_clean(c->s);
	sim_destroy(c->s);
}

/* Ten frames a second both ways; returns the number of the first. */
static size_t talk(struct scene *c, uint64_t ms)
{
	size_t first = c->s->n_frames;

	for (uint64_t t = 0; t < ms; t += 100) {
		(void)sim_send(c->a, c->b);
		(void)sim_send(c->b, c->a);
		sim_run(c->s, 100);
	}
	return first;
}

static void assert_all_came(struct scene *c, size_t first)
{
	sim_run(c->s, 100);
	assert_int_equal(sim_missing(c->s, first), 0);
}

/* ---- processes ---- */

static void edge_restarts(struct scene *c, bool keeps_state)
{
	set_up_direct(c);
	(void)talk(c, 5000);
	sim_stop(c->b, false);
	if (!keeps_state)
		sim_forget_state(c->b);
	sim_start(c->b);
	(void)talk(c, 3000);
	assert_all_came(c, talk(c, 10000));
	assert_int_equal(c->a->events[EVENT_PEER_RESTARTED], 1);
	tear_down(c);
}

static void edge_restarts_with_state(void **state)
{
	struct scene c;

	(void)state;
	edge_restarts(&c, true);
}

static void edge_restarts_without_state(void **state)
{
	struct scene c;

	(void)state;
	edge_restarts(&c, false);
}

static void edge_restarts_as_another(void **state)
{
	struct scene c;

	(void)state;
	set_up_direct(&c);
	sim_stop(c.b, false);
	sim_forget_state(c.b);
	c.b->setup.seed[0] ^= 1;
	sim_start(c.b);
	(void)talk(&c, 3000);
	assert_all_came(&c, talk(&c, 5000));
	tear_down(&c);
}

static void direct_traffic_needs_no_supernode(void **state)
{
	struct scene c;

	(void)state;
	set_up_direct(&c);
	sim_stop(c.sn, false);
	assert_all_came(&c, talk(&c, 600000));
	assert_true(sim_is_direct(c.a, c.b));
	/* A new process at the same key; the two notice, and a third can join. */
	sim_start(c.sn);
	(void)sim_add_edge(c.s, &sim_key, c.sn);
	sim_start(c.s->nodes[3]);
	assert_all_came(&c, talk(&c, 10000));
	assert_true(sim_all_up(c.s));
	tear_down(&c);
}

/* It knows where the other was, and the other notices packets under keys that are gone. */
static void edge_restarts_without_supernode(void **state)
{
	struct scene c;

	(void)state;
	set_up_direct(&c);
	(void)talk(&c, 2000);
	sim_stop(c.sn, false);
	sim_stop(c.b, false);
	sim_start(c.b);
	(void)talk(&c, 5000);
	assert_all_came(&c, talk(&c, 5000));
	tear_down(&c);
}

static void supernode_restarts_under_relayed_traffic(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	sim_block_direct(c.s, true);
	sim_start_all(c.s);
	assert_true(sim_until(c.s, 5000, sim_all_up, c.s));
	(void)talk(&c, 2000);
	sim_stop(c.sn, false);
	sim_start(c.sn);
	(void)talk(&c, 10000);
	assert_all_came(&c, talk(&c, 10000));
	tear_down(&c);
}

/* ---- paths ---- */

static void blocked_path_falls_back(void **state)
{
	struct scene c;

	(void)state;
	set_up_direct(&c);
	(void)talk(&c, 1000);
	sim_block(c.s, c.a, c.b, true);
	(void)talk(&c, 4000);
	assert_all_came(&c, talk(&c, 30000));
	assert_false(sim_is_direct(c.a, c.b));
	sim_block(c.s, c.a, c.b, false);
	assert_all_came(&c, talk(&c, 60000));
	assert_true(sim_all_direct(c.s));
	tear_down(&c);
}

/* Only one direction is blocked: the other side must go first, and falling silent tell of it. */
static void half_blocked_path_falls_back(void **state)
{
	struct scene c;

	(void)state;
	set_up_direct(&c);
	(void)talk(&c, 1000);
	sim_link(c.s, c.a, c.b)->blocked = true;
	(void)talk(&c, 12000);
	assert_all_came(&c, talk(&c, 30000));
	sim_block(c.s, c.a, c.b, false);
	assert_all_came(&c, talk(&c, 60000));
	assert_true(sim_all_direct(c.s));
	tear_down(&c);
}

/* A question five times a second, answered when it came; returns how many answers did not come. */
static unsigned ask(struct scene *c, struct sim_node *from, struct sim_node *to, unsigned times)
{
	unsigned lost = 0;

	for (unsigned i = 0; i < times; i++) {
		size_t question = sim_send(from, to), answer;

		sim_run(c->s, 100);
		if (sim_missing(c->s, question) > 0) {
			lost++;
			sim_run(c->s, 100);
			continue;
		}
		answer = sim_send(to, from);
		sim_run(c->s, 100);
		lost += sim_missing(c->s, answer) > 0;
	}
	return lost;
}

static void half_blocked(bool asks, uint64_t settled_ms)
{
	struct scene c;

	set_up_direct(&c);
	(void)ask(&c, c.a, c.b, 10);
	sim_run(c.s, settled_ms);
	sim_link(c.s, c.a, c.b)->blocked = true;
	assert_in_range(ask(&c, asks ? c.a : c.b, asks ? c.b : c.a, 150), 0, 15);
	assert_int_equal(ask(&c, asks ? c.a : c.b, asks ? c.b : c.a, 150), 0);
	assert_false(sim_is_direct(c.a, c.b));
	tear_down(&c);
}

/* What is heard from the other side does not show that it hears us: only an echo does. */
static void a_path_that_leads_one_way_costs_three_seconds(void **state)
{
	(void)state;
	half_blocked(true, 0);
	half_blocked(false, 0);
	half_blocked(true, 25000);
	half_blocked(false, 25000);
}

/* Traffic in one direction alone: the silent side still notices. */
static void one_way_traffic_falls_back(void **state)
{
	struct scene c;
	size_t first;

	(void)state;
	set_up_direct(&c);
	for (unsigned i = 0; i < 50; i++) {
		(void)sim_send(c.a, c.b);
		sim_run(c.s, 100);
	}
	assert_int_equal(sim_missing(c.s, 0), 0);
	sim_block(c.s, c.a, c.b, true);
	for (unsigned i = 0; i < 40; i++) {
		(void)sim_send(c.a, c.b);
		sim_run(c.s, 100);
	}
	first = c.s->n_frames;
	for (unsigned i = 0; i < 50; i++) {
		(void)sim_send(c.a, c.b);
		sim_run(c.s, 100);
	}
	assert_all_came(&c, first);
	tear_down(&c);
}

static void address_changes(struct scene *c, bool notices, bool supernode)
{
	set_up_direct(c);
	(void)talk(c, 2000);
	if (!supernode)
		sim_stop(c->sn, false);
	sim_move(c->b, notices);
	(void)talk(c, 4000);
	assert_all_came(c, talk(c, 20000));
	assert_true(sim_all_direct(c->s));
	assert_true(endpoint_equal(
		&link_path(&sim_session(c->a, c->b)->link)->way.remote, &c->b->address));
	tear_down(c);
}

static void address_changes_noticed(void **state)
{
	struct scene c;

	(void)state;
	address_changes(&c, true, true);
	address_changes(&c, true, false);
}

static void address_changes_unnoticed(void **state)
{
	struct scene c;

	(void)state;
	address_changes(&c, false, true);
	address_changes(&c, false, false);
}

/* Relayed traffic follows the edge too. */
static void address_changes_relayed(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	sim_block_direct(c.s, true);
	sim_start_all(c.s);
	assert_true(sim_until(c.s, 5000, sim_all_up, c.s));
	sim_move(c.b, true);
	(void)talk(&c, 1000);
	assert_all_came(&c, talk(&c, 5000));
	sim_move(c.b, false);
	(void)talk(&c, 1000);
	assert_all_came(&c, talk(&c, 5000));
	tear_down(&c);
}

/* ---- supernodes and their keys ---- */

static void silent_supernode_is_passed_over(void **state)
{
	struct scene c;
	struct sim_node *second;

	(void)state;
	set_up(&c);
	second = sim_add_supernode(c.s);
	sim_use_supernode(c.a, second);
	sim_use_supernode(c.b, second);
	sim_start(second);
	sim_start(c.a);
	sim_start(c.b);
	assert_true(sim_until(c.s, 8000, sim_all_registered, c.s));
	assert_int_equal(c.a->events[EVENT_SUPERNODE_SILENT], 1);
	assert_int_equal(c.a->last_event[EVENT_SUPERNODE_UP].supernode, 1);
	assert_true(sim_until(c.s, 3000, sim_all_up, c.s));
	/* And back to the first when the second dies. */
	sim_start(c.sn);
	sim_stop(second, false);
	sim_run(c.s, 1000);
	assert_true(sim_until(c.s, 20000, sim_all_registered, c.s));
	sim_run(c.s, 16000);
	assert_int_equal(c.a->last_event[EVENT_SUPERNODE_UP].supernode, 0);
	assert_int_equal(c.b->last_event[EVENT_SUPERNODE_UP].supernode, 0);
	assert_all_came(&c, talk(&c, 1000));
	tear_down(&c);
}

/* An edge with nothing but the address asks for the key and tells it to be kept. */
static void key_is_asked_for(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	c.a->setup.supernode[0].given = false;
	sim_all_links(c.s, &(struct sim_link){.delay_ms = 30, .loss = 200, .dup = 100});
	sim_start_all(c.s);
	assert_true(sim_until(c.s, 15000, sim_all_registered, c.s));
	assert_int_equal(c.a->events[EVENT_SUPERNODE_KEY], 1);
	assert_memory_equal(c.a->edge->supernode[0].key, c.b->setup.supernode[0].key, KEY_LEN);
	tear_down(&c);
}

static void remembered_key_is_used(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	c.a->setup.supernode[0].given = false;
	c.a->setup.supernode[0].pinned = true;
	sim_start_all(c.s);
	assert_true(sim_until(c.s, 1000, sim_all_registered, c.s));
	assert_int_equal(c.a->events[EVENT_SUPERNODE_KEY_CHANGED], 0);
	tear_down(&c);
}

/* A supernode that lost its key: warned of once, used all the same. */
static void changed_key_is_told(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	for (unsigned i = 0; i < 2; i++) {
		struct sim_supernode *e = &(i == 0 ? c.a : c.b)->setup.supernode[0];

		e->given = false;
		e->pinned = true;
	}
	c.sn->setup.secret[3] ^= 1;
	sim_start_all(c.s);
	assert_true(sim_until(c.s, 8000, sim_all_registered, c.s));
	assert_true(sim_until(c.s, 3000, sim_all_up, c.s));
	sim_run(c.s, 60000);
	assert_int_equal(c.a->events[EVENT_SUPERNODE_KEY_CHANGED], 1);
	assert_int_equal(c.a->events[EVENT_SUPERNODE_KEY], 1);
	tear_down(&c);
}

/* And one that changes it while edges are registered. */
static void key_changes_under_way(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	c.a->setup.supernode[0].given = false;
	c.b->setup.supernode[0].given = false;
	sim_start_all(c.s);
	assert_true(sim_until(c.s, 5000, sim_all_direct, c.s));
	sim_stop(c.sn, false);
	c.sn->setup.secret[3] ^= 1;
	sim_start(c.sn);
	assert_all_came(&c, talk(&c, 30000));
	assert_int_equal(c.sn->events[EVENT_MEMBER_UP], 4);
	assert_true(sim_all_registered(c.s));
	assert_int_equal(c.a->events[EVENT_SUPERNODE_KEY_CHANGED], 1);
	tear_down(&c);
}

/* What answered with another key proved nothing: the right one is used when it is there. */
static void another_key_is_no_verdict(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	c.sn->setup.secret[3] ^= 1;
	sim_start_all(c.s);
	sim_run(c.s, 20000);
	assert_int_equal(c.a->events[EVENT_SUPERNODE_KEY_MISMATCH], 1);
	assert_int_equal(c.a->events[EVENT_SUPERNODE_UP], 0);
	sim_stop(c.sn, false);
	c.sn->setup.secret[3] ^= 1;
	sim_start(c.sn);
	assert_true(sim_until(c.s, 15000, sim_all_registered, c.s));
	assert_false(c.a->edge->supernode[0].mismatch);
	tear_down(&c);
}

static void given_key_is_insisted_on(void **state)
{
	struct scene c;
	struct sim_node *second;

	(void)state;
	set_up(&c);
	second = sim_add_supernode(c.s);
	c.a->setup.supernode[0].key[5] ^= 1;
	sim_start_all(c.s);
	sim_run(c.s, 30000);
	assert_int_equal(c.a->events[EVENT_SUPERNODE_KEY_MISMATCH], 1);
	assert_int_equal(c.a->events[EVENT_SUPERNODE_UP], 0);
	assert_int_equal(sim_state(c.a), COMMUNITY_NO_SUPERNODE);
	sim_stop(c.a, false);
	sim_use_supernode(c.a, second);
	sim_use_supernode(c.b, second);
	sim_start(c.a);
	sim_run(c.s, 10000);
	assert_int_equal(c.a->last_event[EVENT_SUPERNODE_UP].supernode, 1);
	tear_down(&c);
}

/* ---- clocks ---- */

static void clock_jumps_back(void **state)
{
	struct scene c;
	uint64_t stale;

	(void)state;
	set_up_direct(&c);
	(void)talk(&c, 1000);
	sim_stop(c.b, false);
	sim_forget_state(c.b);
	c.b->setup.wall_ms -= YEARS_30;
	sim_start(c.b);
	/* It asks what is wrong, and is told the time. */
	assert_true(sim_until(c.s, 2000, sim_all_registered, c.s));
	stale = sim_drops(c.sn, DROP_STALE);
	assert_in_range(stale, 1, 3);
	(void)talk(&c, 3000);
	assert_all_came(&c, talk(&c, 3000));
	tear_down(&c);
}

/* Towards a peer that it reaches directly, there is nobody else to ask. */
static void clock_jumps_back_without_supernode(void **state)
{
	struct scene c;
	size_t frame;

	(void)state;
	set_up_direct(&c);
	(void)talk(&c, 1000);
	sim_session(c.a, c.b)->freshness = SIM_WALL_MS + c.s->now_ms;
	sim_stop(c.sn, false);
	sim_stop(c.b, false);
	c.b->setup.freshness = 0;
	c.b->setup.wall_ms -= YEARS_30;
	sim_start(c.b);
	/* Nothing is known of its MAC addresses: to everybody. */
	frame = sim_broadcast(c.b);
	sim_run(c.s, 200);
	assert_int_equal(sim_drops(c.a, DROP_STALE), 1);
	assert_int_equal(c.s->frames[frame + c.a->number].count, 1);
	tear_down(&c);
}

/* ---- nobody answers for a while ---- */

/* While the context is true, nothing long is relayed: no handshake between edges comes through. */
static bool swallow_handshakes(void *ctx, struct sim_node *from, const struct datagram *d)
{
	const bool *hungry = ctx;

	return from->is_edge || !*hungry || d->len < HANDSHAKE_MIN;
}

/* No frame asks for it, and no roster. */
static void failed_handshake_is_begun_again(void **state)
{
	bool hungry = false;
	struct scene c;

	(void)state;
	set_up(&c);
	sim_block_direct(c.s, true);
	sim_start(c.sn);
	sim_start(c.a);
	sim_start(c.b);
	c.s->wire = swallow_handshakes;
	c.s->wire_ctx = &hungry;
	assert_true(sim_until(c.s, 1000, sim_all_registered, c.s));
	hungry = true;
	sim_run(c.s, 64000);
	assert_int_equal(c.a->events[EVENT_PEER_UP], 0);
	hungry = false;
	assert_true(sim_until(c.s, 10000, sim_all_up, c.s));
	tear_down(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edge_restarts_with_state),
		cmocka_unit_test(edge_restarts_without_state),
		cmocka_unit_test(edge_restarts_as_another),
		cmocka_unit_test(direct_traffic_needs_no_supernode),
		cmocka_unit_test(edge_restarts_without_supernode),
		cmocka_unit_test(supernode_restarts_under_relayed_traffic),
		cmocka_unit_test(blocked_path_falls_back),
		cmocka_unit_test(half_blocked_path_falls_back),
		cmocka_unit_test(a_path_that_leads_one_way_costs_three_seconds),
		cmocka_unit_test(one_way_traffic_falls_back),
		cmocka_unit_test(address_changes_noticed),
		cmocka_unit_test(address_changes_unnoticed),
		cmocka_unit_test(address_changes_relayed),
		cmocka_unit_test(silent_supernode_is_passed_over),
		cmocka_unit_test(key_is_asked_for),
		cmocka_unit_test(remembered_key_is_used),
		cmocka_unit_test(changed_key_is_told),
		cmocka_unit_test(key_changes_under_way),
		cmocka_unit_test(given_key_is_insisted_on),
		cmocka_unit_test(another_key_is_no_verdict),
		cmocka_unit_test(clock_jumps_back),
		cmocka_unit_test(clock_jumps_back_without_supernode),
		cmocka_unit_test(failed_handshake_is_begun_again),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
