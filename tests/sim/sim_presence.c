/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is shown of members and supernodes is what is, soon after it came to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define DELAY_MS     10
#define HEARD_MS     5000
#define NO_ANSWER_MS (8000 + 5000) /* the longest pause between PINGs, and 5 s */
#define LEASE_MS     30000
#define AWAY_MS	     15000

struct scene {
	struct sim *s;
	struct sim_node *sn, *a, *b;
};

static void set_up(struct scene *c, bool direct)
{
	c->s = sim_create(sim_seed(), 4);
	c->sn = sim_add_supernode(c->s);
	c->a = sim_add_edge(c->s, &sim_key, c->sn);
	c->b = sim_add_edge(c->s, &sim_key, c->sn);
	sim_all_links(c->s, &(struct sim_link){.delay_ms = DELAY_MS});
	if (!direct)
		sim_block(c->s, c->a, c->b, true);
	sim_start_all(c->s);
	assert_true(sim_until(c->s, 10000, direct ? sim_all_direct : sim_all_up, c->s));
	sim_run(c->s, 2000);
}

static enum peer_state state_of(struct sim_node *of, const struct sim_node *with)
{
	struct status_peer p;

	assert_true(
		edge_peer_status(of->edge, 0, sim_session(of, with)->remote, of->sim->now_ms, &p));
	return p.state;
}

/* What the status says of communities and supernodes; of several the last. */
struct told {
	struct status_community community;
	struct status_supernode supernode;
};

static void on_community(void *ctx, const struct status_community *c)
{
	((struct told *)ctx)->community = *c;
}

static void on_peer(void *ctx, const struct status_peer *p)
{
	(void)ctx;
	(void)p;
}

static void on_supernode(void *ctx, const struct status_supernode *s)
{
	((struct told *)ctx)->supernode = *s;
}

static struct told look(struct sim_node *of)
{
	struct told t;
	const struct status_sink sink = {&t, on_community, on_peer, on_supernode};

	edge_status(of->edge, of->sim->now_ms, &sink);
	return t;
}

/* A frame each way, or one way, each interval. */
static void talk(struct scene *c, unsigned ms, unsigned interval_ms, bool both)
{
	for (unsigned i = 0; i < ms / interval_ms; i++) {
		(void)sim_send(c->a, c->b);
		if (both)
			(void)sim_send(c->b, c->a);
		sim_run(c->s, interval_ms);
	}
}

static void all_cut(struct scene *c, bool cut)
{
	sim_block(c->s, c->a, c->sn, cut);
	sim_block(c->s, c->b, c->sn, cut);
	sim_block(c->s, c->a, c->b, cut);
}

/* ---- members ---- */

static void who_is_idle_is_not_gone(void **state)
{
	struct scene c;
	size_t frame;

	set_up(&c, *state != NULL);
	talk(&c, 3000, 1000, true);
	assert_int_equal(state_of(c.a, c.b), PEER_UP);
	/* For a minute a direct path is kept known to NATs. */
	sim_run(c.s, 80000);
	for (unsigned i = 0; i < 40; i++) {
		sim_run(c.s, 10000);
		assert_int_equal(state_of(c.a, c.b), PEER_IDLE);
		assert_int_equal(state_of(c.b, c.a), PEER_IDLE);
		assert_int_equal(sim_state(c.a), COMMUNITY_UP);
	}
	assert_null(session_sending(sim_session(c.a, c.b), c.s->now_ms));
	/* Message 1, message 2, the frame: by the relay, three times two ways. */
	frame = sim_send(c.a, c.b);
	sim_run(c.s, 6 * DELAY_MS + 40);
	assert_true(sim_came(c.s, frame));
	sim_run(c.s, 1200);
	assert_int_equal(state_of(c.a, c.b), PEER_UP);
	assert_int_equal(state_of(c.b, c.a), PEER_UP);
	for (unsigned i = 1; i <= 2; i++) {
		assert_int_equal(c.s->nodes[i]->events[EVENT_PEER_UP], 1);
		assert_int_equal(c.s->nodes[i]->events[EVENT_PEER_DOWN], 0);
	}
	sim_destroy(c.s);
}

/* Whoever only listens answers all the same: the sender has no reason to doubt. */
static void one_way_is_answered(void **state)
{
	struct scene c;
	uint32_t generation;

	set_up(&c, *state != NULL);
	talk(&c, 3000, 1000, true);
	generation = sim_session(c.a, c.b)->current->generation;
	for (unsigned i = 0; i < 90; i++) {
		talk(&c, 1000, 100, false);
		assert_int_equal(state_of(c.a, c.b), PEER_UP);
		assert_int_equal(state_of(c.b, c.a), PEER_UP);
	}
	assert_int_equal(sim_session(c.a, c.b)->current->generation, generation);
	assert_int_equal(c.a->events[EVENT_PATH_RELAY], 0);
	/* One frame now and then, each is answered. */
	for (unsigned i = 0; i < 10; i++) {
		sim_run(c.s, 7003);
		assert_int_not_equal(state_of(c.a, c.b), PEER_SILENT);
		(void)sim_send(c.a, c.b);
		sim_run(c.s, 2000);
		assert_int_equal(state_of(c.a, c.b), PEER_UP);
	}
	/* Renewed for their age. */
	assert_in_range(sim_session(c.a, c.b)->current->generation, generation, generation + 2);
	sim_destroy(c.s);
}

/* With losses too: a lost answer is asked for. */
static void losses_do_not_silence(void **state)
{
	struct scene c;
	unsigned silent = 0;

	set_up(&c, *state != NULL);
	for (unsigned i = 0; i < 3; i++)
		for (unsigned k = 0; k < 3; k++)
			sim_link(c.s, c.s->nodes[i], c.s->nodes[k])->loss = 50;
	for (unsigned i = 0; i < 200; i++) {
		(void)sim_send(c.a, c.b);
		sim_run(c.s, 9000);
		silent += state_of(c.a, c.b) == PEER_SILENT;
	}
	assert_in_range(silent, 0, 2);
	sim_destroy(c.s);
}

static void a_cut_is_seen(void **state)
{
	struct scene c;

	set_up(&c, *state != NULL);
	talk(&c, 3000, 200, true);
	all_cut(&c, true);
	talk(&c, HEARD_MS + 200, 200, true);
	assert_int_equal(state_of(c.a, c.b), PEER_SILENT);
	assert_int_equal(state_of(c.b, c.a), PEER_SILENT);
	all_cut(&c, false);
	talk(&c, 15000, 200, true);
	assert_int_equal(state_of(c.a, c.b), PEER_UP);
	assert_int_equal(state_of(c.b, c.a), PEER_UP);
	/* Nobody speaks: nobody knows. */
	sim_run(c.s, 2000);
	all_cut(&c, true);
	sim_run(c.s, HEARD_MS + 100);
	assert_int_equal(state_of(c.a, c.b), PEER_IDLE);
	/* A frame that waits for keys in vain is a frame that is not answered. */
	sim_run(c.s, 200000);
	assert_null(session_sending(sim_session(c.a, c.b), c.s->now_ms));
	(void)sim_send(c.a, c.b);
	sim_run(c.s, 3200);
	assert_int_equal(state_of(c.a, c.b), PEER_SILENT);
	sim_destroy(c.s);
}

static void who_leaves_is_away(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, true);
	talk(&c, 3000, 1000, true);
	sim_stop(c.b, true);
	sim_run(c.s, 300);
	assert_int_equal(c.a->events[EVENT_PEER_DOWN], 1);
	sim_start(c.b);
	sim_run(c.s, 2000);
	assert_int_equal(c.a->events[EVENT_PEER_UP], 2);
	assert_int_equal(state_of(c.a, c.b), PEER_UP);
	sim_stop(c.b, false);
	sim_run(c.s, LEASE_MS - 8000 + AWAY_MS - 1000);
	assert_int_equal(c.a->events[EVENT_PEER_DOWN], 1);
	sim_run(c.s, 8000 + 2000);
	assert_int_equal(c.a->events[EVENT_PEER_DOWN], 2);
	assert_int_equal(sim_state(c.a), COMMUNITY_ALONE);
	sim_destroy(c.s);
}

/* A lease that ended is not the end of who is heard directly. */
static void who_is_heard_is_not_away(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, true);
	sim_block(c.s, c.b, c.sn, true);
	talk(&c, 120000, 1000, true);
	assert_int_equal(c.a->events[EVENT_PEER_DOWN], 0);
	assert_int_equal(state_of(c.a, c.b), PEER_UP);
	assert_int_equal(look(c.b).community.supernode, -1);
	assert_int_equal(sim_state(c.b), COMMUNITY_UP);
	sim_destroy(c.s);
}

static void who_answers_nothing_is_silent(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, true);
	sim_block(c.s, c.b, c.sn, true);
	sim_block(c.s, c.a, c.b, true);
	talk(&c, 6000, 200, false);
	assert_int_equal(sim_state(c.a), COMMUNITY_SILENT);
	assert_int_equal(look(c.a).supernode.state, SUPERNODE_UP);
	sim_destroy(c.s);
}

/* ---- supernodes ---- */

static void a_dead_supernode_is_seen(void **state)
{
	struct scene c;
	struct told t;

	(void)state;
	set_up(&c, true);
	sim_run(c.s, 30000);
	assert_int_equal(look(c.a).supernode.state, SUPERNODE_UP);
	sim_stop(c.sn, false);
	sim_run(c.s, NO_ANSWER_MS + 200);
	for (unsigned i = 0; i < 300; i++) {
		t = look(c.a);
		assert_int_equal(t.supernode.state, SUPERNODE_NO_ANSWER);
		assert_int_equal(t.community.supernode, -1);
		assert_int_equal(t.community.state, COMMUNITY_NO_SUPERNODE);
		sim_run(c.s, 101);
	}
	/* Its members still hear each other. */
	talk(&c, 2000, 200, true);
	assert_int_equal(sim_state(c.a), COMMUNITY_UP);
	t = look(c.a);
	assert_non_null(strstr(community_text(&t.community), "no supernode"));
	sim_start(c.sn);
	sim_run(c.s, 10000);
	assert_int_equal(look(c.a).supernode.state, SUPERNODE_UP);
	assert_int_equal(look(c.a).community.supernode, 0);
	sim_destroy(c.s);
}

/* Those who are idle when a supernode is restarted are neither gone nor new. */
static void a_supernode_restarted_moves_nobody(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, true);
	for (unsigned i = 0; i < 5; i++) {
		sim_run(c.s, 100000);
		sim_stop(c.sn, false);
		sim_run(c.s, 700);
		sim_start(c.sn);
	}
	sim_run(c.s, 60000);
	for (unsigned i = 1; i <= 2; i++) {
		assert_int_equal(c.s->nodes[i]->events[EVENT_PEER_UP], 1);
		assert_int_equal(c.s->nodes[i]->events[EVENT_PEER_DOWN], 0);
	}
	sim_destroy(c.s);
}

static void one_that_never_was_there_does_not_answer(void **state)
{
	struct sim *s = sim_create(sim_seed(), 2);
	struct sim_node *sn = sim_add_supernode(s), *a = sim_add_edge(s, &sim_key, sn);

	a->setup.supernode[0].given = *state != NULL;
	sim_supernode_public(sn, a->setup.supernode[0].key);
	sim_start(a);
	sim_run(s, 5200);
	for (unsigned i = 0; i < 300; i++) {
		assert_int_equal(look(a).supernode.state, SUPERNODE_NO_ANSWER);
		sim_run(s, 101);
	}
	sim_start(sn);
	sim_run(s, 5000);
	assert_int_equal(look(a).supernode.state, SUPERNODE_UP);
	sim_destroy(s);
}

int main(void)
{
	static bool yes = true;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(who_is_idle_is_not_gone, &yes),
		cmocka_unit_test(who_is_idle_is_not_gone),
		cmocka_unit_test_prestate(one_way_is_answered, &yes),
		cmocka_unit_test(one_way_is_answered),
		cmocka_unit_test_prestate(losses_do_not_silence, &yes),
		cmocka_unit_test(losses_do_not_silence),
		cmocka_unit_test_prestate(a_cut_is_seen, &yes),
		cmocka_unit_test(a_cut_is_seen),
		cmocka_unit_test(who_leaves_is_away),
		cmocka_unit_test(who_is_heard_is_not_away),
		cmocka_unit_test(who_answers_nothing_is_silent),
		cmocka_unit_test(a_dead_supernode_is_seen),
		cmocka_unit_test(a_supernode_restarted_moves_nobody),
		cmocka_unit_test_prestate(one_that_never_was_there_does_not_answer, &yes),
		cmocka_unit_test(one_that_never_was_there_does_not_answer),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
