/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The switch of a community beyond peers that send from their own address: learned addresses, and
 * a port that is no peer but counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define EDGES 4
#define LEARN 256

static const struct mac foreign = {{0x02, 0xaa, 0, 0, 0, 1}};
static const struct mac behind_sink = {{0x02, 0xbb, 0, 0, 0, 1}};

struct net {
	struct sim *s;
	struct sim_node *edge[EDGES];
};

static void build(struct net *n, uint32_t learn)
{
	struct sim_node *sn;

	n->s = sim_create(sim_seed(), EDGES + 1);
	sn = sim_add_supernode(n->s);
	for (unsigned i = 0; i < EDGES; i++) {
		n->edge[i] = sim_add_edge(n->s, &sim_key, sn);
		n->edge[i]->setup.learn = learn;
		n->edge[i]->setup.roles = learn > 0 ? ROLE_BRIDGE : 0;
	}
}

static void start(struct net *n)
{
	sim_start_all(n->s);
	assert_true(sim_until(n->s, 5000, sim_all_up, n->s));
	sim_run(n->s, 3000);
}

static void set_up(struct net *n, uint32_t learn)
{
	build(n, learn);
	start(n);
}

/* How many interfaces a frame of this flood came to. */
static unsigned reached(const struct net *n, size_t first)
{
	unsigned count = 0;

	for (unsigned i = 0; i < n->s->n_nodes; i++)
		count += n->s->frames[first + i].count;
	return count;
}

static size_t flood(struct net *n, unsigned from, const struct mac *to, const struct mac *source)
{
	size_t first = sim_flood(n->edge[from], to, source);

	sim_run(n->s, 200);
	return first;
}

static void a_learned_address_leads_to_its_port(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, own;
	struct net n;
	size_t first;

	(void)state;
	set_up(&n, LEARN);
	own = sim_mac(n.edge[1]);
	/* Nobody knows it: everybody gets it. */
	assert_int_equal(reached(&n, flood(&n, 1, &foreign, &own)), EDGES - 1);
	assert_int_equal(reached(&n, flood(&n, 0, &all, &foreign)), EDGES - 1);
	first = flood(&n, 1, &foreign, &own);
	assert_int_equal(reached(&n, first), 1);
	assert_int_equal(n.s->frames[first + n.edge[0]->number].count, 1);
	/* The station moves behind another port: that one is believed from now on. */
	flood(&n, 2, &all, &foreign);
	first = flood(&n, 1, &foreign, &own);
	assert_int_equal(reached(&n, first), 1);
	assert_int_equal(n.s->frames[first + n.edge[2]->number].count, 1);
	sim_assert_clean(n.s);
	sim_destroy(n.s);
}

/* Whom a frame for the address comes to, from this edge, which is told to nobody else. */
static bool leads_to(struct net *n, unsigned from, const struct mac *to, unsigned behind)
{
	struct mac own = sim_mac(n->edge[from]);
	size_t first = flood(n, from, to, &own);

	return reached(n, first) == 1 && n->s->frames[first + n->edge[behind]->number].count == 1;
}

static void a_host_moves_from_there_to_here_and_back(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, own;
	struct net n;

	(void)state;
	set_up(&n, LEARN);
	own = sim_mac(n.edge[1]);
	flood(&n, 0, &all, &foreign);
	assert_true(leads_to(&n, 1, &foreign, 0));
	/* It is behind us now, which its first frame tells; a frame for it goes nowhere. */
	assert_int_equal(reached(&n, flood(&n, 1, &all, &foreign)), EDGES - 1);
	assert_int_equal(reached(&n, flood(&n, 1, &foreign, &own)), 0);
	assert_int_equal(sim_drops(n.edge[1], DROP_LOCAL), 1);
	assert_true(leads_to(&n, 0, &foreign, 1));
	assert_true(leads_to(&n, 2, &foreign, 1));
	/* And behind another one. */
	flood(&n, 2, &all, &foreign);
	assert_true(leads_to(&n, 1, &foreign, 2));
	assert_true(leads_to(&n, 0, &foreign, 2));
	sim_assert_clean(n.s);
	sim_destroy(n.s);
}

/* In the LAN of two bridges at once, as at a loop: the one heard last is believed, and nobody else.
 */
static void an_address_behind_two_has_one_place(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct net n;

	(void)state;
	set_up(&n, LEARN);
	for (unsigned i = 0; i < 6; i++) {
		flood(&n, 2 * (i % 2), &all, &foreign);
		assert_true(leads_to(&n, 1, &foreign, 2 * (i % 2)));
	}
	sim_assert_clean(n.s);
	sim_destroy(n.s);
}

static void who_is_no_bridge_brings_nobody(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, own;
	struct net n;

	(void)state;
	build(&n, LEARN);
	n.edge[0]->setup.roles = 0;
	n.edge[0]->setup.forges = true;
	start(&n);
	own = sim_mac(n.edge[1]);
	assert_int_equal(reached(&n, flood(&n, 0, &all, &foreign)), 0);
	for (unsigned i = 1; i < EDGES; i++)
		assert_int_equal(sim_drops(n.edge[i], DROP_SOURCE_MAC), 1);
	assert_int_equal(reached(&n, flood(&n, 1, &foreign, &own)), EDGES - 1);
	/* An honest one sends none. */
	n.edge[0]->setup.forges = false;
	sim_stop(n.edge[0], true);
	sim_start(n.edge[0]);
	assert_true(sim_until(n.s, 5000, sim_all_up, n.s));
	assert_int_equal(reached(&n, flood(&n, 0, &all, &foreign)), 0);
	assert_int_equal(sim_drops(n.edge[0], DROP_FOREIGN_SOURCE), 1);
	assert_int_equal(sim_drops(n.edge[1], DROP_SOURCE_MAC), 1);
	sim_destroy(n.s);
}

/* What a bridge hears of another member at its own interface is that member's to send. */
static void no_bridge_carries_frames_of_another_member(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, victim;
	struct net n;

	(void)state;
	set_up(&n, LEARN);
	victim = sim_mac(n.edge[3]);
	assert_int_equal(reached(&n, flood(&n, 0, &all, &victim)), 0);
	assert_int_equal(sim_drops(n.edge[0], DROP_CLAIMED_SOURCE), 1);
	assert_true(leads_to(&n, 0, &victim, 3));
	sim_assert_clean(n.s);
	sim_destroy(n.s);
}

/*
 * Hosts behind a bridge that went, by a goodbye or without, may be behind another one by now: it
 * gets their frames as soon as the first does not answer.
 */
static void what_is_behind_a_silent_bridge_is_asked_for_everywhere(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, own;
	struct net n;
	uint64_t began_ms;

	(void)state;
	set_up(&n, LEARN);
	own = sim_mac(n.edge[1]);
	flood(&n, 0, &all, &foreign);
	assert_true(leads_to(&n, 1, &foreign, 0));
	sim_stop(n.edge[0], false);
	began_ms = n.s->now_ms;
	while (reached(&n, flood(&n, 1, &foreign, &own)) == 0)
		assert_true(n.s->now_ms < began_ms + 6000);
	assert_int_equal(reached(&n, flood(&n, 1, &foreign, &own)), EDGES - 2);
	/* With a goodbye at once. */
	flood(&n, 2, &all, &foreign);
	assert_true(leads_to(&n, 1, &foreign, 2));
	sim_stop(n.edge[2], true);
	sim_run(n.s, 500);
	assert_int_equal(reached(&n, flood(&n, 1, &foreign, &own)), EDGES - 3);
	sim_assert_clean(n.s);
	sim_destroy(n.s);
}

/* Nobody speaks with it for a while: that is no silence. */
static void an_idle_bridge_keeps_its_hosts(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct net n;

	(void)state;
	set_up(&n, LEARN);
	flood(&n, 0, &all, &foreign);
	sim_run(n.s, 200000);
	assert_true(leads_to(&n, 1, &foreign, 0));
	sim_destroy(n.s);
}

static void a_bridge_that_is_none_any_more_keeps_none(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, own;
	struct net n;

	(void)state;
	set_up(&n, LEARN);
	own = sim_mac(n.edge[1]);
	flood(&n, 0, &all, &foreign);
	n.edge[0]->setup.roles = 0;
	sim_stop(n.edge[0], false);
	sim_start(n.edge[0]);
	assert_true(sim_until(n.s, 5000, sim_all_up, n.s));
	sim_run(n.s, 1000);
	assert_int_equal(reached(&n, flood(&n, 1, &foreign, &own)), EDGES - 1);
	sim_destroy(n.s);
}

static void ignore_frames(void *ctx, struct frame *frames[], size_t n)
{
	(void)frames;
	*(size_t *)ctx += n;
}

/* What a worker that was late had learned of a port that is gone never leads to the next one. */
static void a_number_that_is_used_again_leads_nowhere_old(void **state)
{
	struct mac own;
	struct fdb *f;
	struct net n;
	size_t count = 0;
	int number, taken = 0;

	(void)state;
	set_up(&n, LEARN);
	own = sim_mac(n.edge[1]);
	f = n.edge[1]->edge->community[0]->fdb;
	number = edge_add_sink(n.edge[1]->edge, 0, &(struct port_sink){ignore_frames, &count});
	assert_true(number > 0);
	sim_run(n.s, 200);
	fdb_learn(f, mac_number(&foreign), (uint16_t)number, 0);
	assert_int_equal(reached(&n, flood(&n, 1, &foreign, &own)), 0);
	assert_int_equal(count, 1);
	edge_remove_sink(n.edge[1]->edge, 0, number);
	for (unsigned i = 0; i < 2 * PORTS_MAX && taken != number; i++) {
		taken = edge_add_sink(
			n.edge[1]->edge, 0, &(struct port_sink){ignore_frames, &count});
		assert_true(taken > 0 && taken != PORT_HERE);
		if (taken != number)
			edge_remove_sink(n.edge[1]->edge, 0, taken);
		if (i % 1000 == 0)
			sim_run(n.s, 200);
	}
	assert_int_equal(taken, number);
	sim_run(n.s, 200);
	count = 0;
	assert_int_equal(reached(&n, flood(&n, 1, &foreign, &own)), EDGES - 1);
	assert_int_equal(count, 1); /* as one of all */
	edge_remove_sink(n.edge[1]->edge, 0, taken);
	sim_destroy(n.s);
}

#define PROMISED 2048

static void on_community(void *ctx, const struct status_community *c)
{
	*(struct status_switch *)ctx = c->fdb;
}

static void on_peer(void *ctx, const struct status_peer *p)
{
	(void)ctx;
	(void)p;
}

static void on_supernode(void *ctx, const struct status_supernode *s)
{
	(void)ctx;
	(void)s;
}

static struct status_switch status(const struct net *n, unsigned at)
{
	struct status_switch s = {.learned = 0};
	const struct status_sink sink = {&s, on_community, on_peer, on_supernode};

	edge_status(n->edge[at]->edge, n->s->now_ms, &sink);
	return s;
}

/* As many as the user wants to have room for, on either side. */
static void as_many_as_promised_are_learned(void **state)
{
	struct net n;
	struct mac to;

	(void)state;
	set_up(&n, PROMISED);
	to = sim_mac(n.edge[1]);
	for (unsigned i = 0; i < PROMISED; i++) {
		const struct mac from = mac_from_number(UINT64_C(0x525400000000) + i);

		(void)sim_flood(n.edge[0], &to, &from);
		if (i % 32 == 0)
			sim_run(n.s, 10);
	}
	sim_run(n.s, 200);
	for (unsigned i = 0; i < 2; i++) {
		const struct status_switch s = status(&n, i);

		assert_in_range(s.learned, PROMISED * 98 / 100, PROMISED);
		assert_int_equal(s.room, PROMISED);
		assert_true(s.bridge);
	}
	assert_int_equal(status(&n, 2).learned, 0);
	sim_assert_clean(n.s);
	sim_destroy(n.s);
}

struct shown {
	unsigned n[ADDRESS_LEARNED + 1];
	struct status_address last; /* learned */
};

static void show(void *ctx, const struct status_address *a)
{
	struct shown *s = ctx;

	s->n[a->how]++;
	if (a->how == ADDRESS_LEARNED)
		s->last = *a;
}

static void what_is_known_can_be_shown(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct shown s = {.last = {.here = true}};
	uint8_t id[EDGE_ID_LEN];
	uint32_t at = 0;
	struct edge *e;
	struct net n;

	(void)state;
	set_up(&n, LEARN);
	e = n.edge[1]->edge;
	flood(&n, 0, &all, &foreign);
	edge_owned_addresses(e, 0, show, &s);
	assert_int_equal(s.n[ADDRESS_OWN], 1);
	assert_int_equal(s.n[ADDRESS_CLAIMED], EDGES - 1);
	assert_false(edge_learned_addresses(e, 0, &at, 10, show, &s));
	assert_int_equal(s.n[ADDRESS_LEARNED], 1);
	edge_id(id, sim_session(n.edge[1], n.edge[0])->remote);
	assert_memory_equal(s.last.edge_id, id, sizeof(id));
	assert_memory_equal(s.last.mac.b, foreign.b, sizeof(foreign.b));
	assert_int_equal(s.last.state, PEER_UP);
	assert_false(s.last.here);
	assert_int_equal(s.last.age_ms, 0);
	/* Its age is told in steps, and never more than it is. */
	sim_run(n.s, 130000);
	at = 0;
	(void)edge_learned_addresses(e, 0, &at, 10, show, &s);
	assert_int_equal(s.n[ADDRESS_LEARNED], 2);
	assert_in_range(s.last.age_ms, 130000 - LEARNED_STEP_MS, 131000);
	/* A part at a time. */
	flood(&n, 1, &all, &foreign);
	at = 0;
	assert_true(edge_learned_addresses(e, 0, &at, 1, show, &s));
	assert_true(s.last.here);
	assert_false(edge_learned_addresses(e, 0, &at, 1, show, &s));
	sim_destroy(n.s);
}

static void learned_addresses_age(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, own;
	struct net n;

	(void)state;
	set_up(&n, LEARN);
	own = sim_mac(n.edge[1]);
	flood(&n, 0, &all, &foreign);
	sim_run(n.s, 299000);
	flood(&n, 1, &all, &own); /* the sessions sleep by now */
	sim_run(n.s, 500);
	assert_int_equal(reached(&n, flood(&n, 1, &foreign, &own)), 1);
	sim_run(n.s, 51000);
	flood(&n, 1, &all, &own); /* the sessions sleep by now */
	sim_run(n.s, 5000);
	assert_int_equal(reached(&n, flood(&n, 1, &foreign, &own)), EDGES - 1);
	sim_destroy(n.s);
}

/* The first frames under new keys are opened by the control thread, which has the same rule. */
static void a_foreign_address_wakes_sleeping_sessions(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, own;
	struct net n;
	size_t first;

	(void)state;
	set_up(&n, LEARN);
	own = sim_mac(n.edge[1]);
	sim_run(n.s, 400000);
	assert_null(sim_session(n.edge[1], n.edge[0])->current);
	first = sim_flood(n.edge[0], &all, &foreign);
	sim_run(n.s, 3000);
	assert_int_equal(reached(&n, first), EDGES - 1);
	for (unsigned i = 1; i < EDGES; i++)
		assert_int_equal(sim_drops(n.edge[i], DROP_SOURCE_MAC), 0);
	first = flood(&n, 1, &foreign, &own);
	assert_int_equal(reached(&n, first), 1);
	sim_assert_clean(n.s);
	sim_destroy(n.s);
}

static void claims_stand_above_what_is_learned(void **state)
{
	struct mac victim, own;
	struct net n;
	size_t first;

	(void)state;
	build(&n, LEARN);
	n.edge[0]->setup.forges = true;
	start(&n);
	victim = sim_mac(n.edge[3]);
	own = sim_mac(n.edge[1]);
	/* A member sends from the address of another. */
	first = flood(&n, 0, &own, &victim);
	assert_int_equal(reached(&n, first), 0);
	assert_int_equal(sim_drops(n.edge[1], DROP_SOURCE_MAC), 1);
	first = flood(&n, 1, &victim, &own);
	assert_int_equal(reached(&n, first), 1);
	assert_int_equal(n.s->frames[first + n.edge[3]->number].count, 1);
	sim_assert_clean(n.s);
	sim_destroy(n.s);
}

static void a_member_that_left_is_not_learned_again(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, own;
	struct net n;
	size_t first;

	(void)state;
	set_up(&n, LEARN);
	own = sim_mac(n.edge[1]);
	flood(&n, 0, &all, &foreign);
	sim_stop(n.edge[0], true);
	sim_run(n.s, 90000);
	assert_int_equal(HASH_COUNT(n.edge[1]->edge->community[0]->peers), EDGES - 2);
	/* Its port is gone: the address is as good as unknown, until somebody else brings it. */
	flood(&n, 1, &all, &own);
	sim_run(n.s, 2000);
	assert_int_equal(reached(&n, flood(&n, 1, &foreign, &own)), EDGES - 2);
	flood(&n, 2, &all, &foreign);
	first = flood(&n, 1, &foreign, &own);
	assert_int_equal(reached(&n, first), 1);
	assert_int_equal(n.s->frames[first + n.edge[2]->number].count, 1);
	sim_assert_clean(n.s);
	sim_destroy(n.s);
}

static void take(void *ctx, struct frame *frames[], size_t n)
{
	unsigned *count = ctx;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(frames[i]->len, SIM_FRAME_LEN);
		assert_false(frames[i]->offload.csum_unset);
		++*count;
	}
}

static void a_port_that_is_no_peer_counts(void **state)
{
	struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, own;
	unsigned count = 0;
	struct net n;
	struct edge *e;
	int port;

	(void)state;
	set_up(&n, 0);
	e = n.edge[0]->edge;
	own = sim_mac(n.edge[0]);
	port = edge_add_sink(e, 0, &(struct port_sink){take, &count});
	assert_true(port > 0);
	assert_int_equal(edge_give_address(e, 0, port, &behind_sink), 0);
	sim_run(n.s, 200);
	/* For its address: nobody else gets it. */
	assert_int_equal(reached(&n, flood(&n, 0, &behind_sink, &own)), 0);
	assert_int_equal(count, 1);
	/* For everybody: it is one of them. */
	assert_int_equal(reached(&n, flood(&n, 0, &all, &own)), EDGES - 1);
	assert_int_equal(count, 2);
	edge_remove_sink(e, 0, port);
	sim_run(n.s, 200);
	assert_int_equal(reached(&n, flood(&n, 0, &behind_sink, &own)), EDGES - 1);
	assert_int_equal(count, 2);
	sim_assert_clean(n.s);
	sim_destroy(n.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_learned_address_leads_to_its_port),
		cmocka_unit_test(a_host_moves_from_there_to_here_and_back),
		cmocka_unit_test(an_address_behind_two_has_one_place),
		cmocka_unit_test(who_is_no_bridge_brings_nobody),
		cmocka_unit_test(no_bridge_carries_frames_of_another_member),
		cmocka_unit_test(what_is_behind_a_silent_bridge_is_asked_for_everywhere),
		cmocka_unit_test(an_idle_bridge_keeps_its_hosts),
		cmocka_unit_test(a_bridge_that_is_none_any_more_keeps_none),
		cmocka_unit_test(a_number_that_is_used_again_leads_nowhere_old),
		cmocka_unit_test(as_many_as_promised_are_learned),
		cmocka_unit_test(what_is_known_can_be_shown),
		cmocka_unit_test(learned_addresses_age),
		cmocka_unit_test(a_foreign_address_wakes_sleeping_sessions),
		cmocka_unit_test(claims_stand_above_what_is_learned),
		cmocka_unit_test(a_member_that_left_is_not_learned_again),
		cmocka_unit_test(a_port_that_is_no_peer_counts),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
