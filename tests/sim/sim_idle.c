/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What nobody uses costs next to nothing, and wakes up with the first frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define EDGES 20

static struct sim *set_up(struct sim_node *edge[EDGES])
{
	struct sim *s = sim_create(sim_seed(), EDGES + 1);
	struct sim_node *sn = sim_add_supernode(s);

	for (unsigned i = 0; i < EDGES; i++)
		edge[i] = sim_add_edge(s, &sim_key, sn);
	sim_start_all(s);
	assert_true(sim_until(s, 20000, sim_all_direct, s));
	return s;
}

/* Sessions of a node that are due within this time. */
static unsigned due_within(const struct sim_node *n, uint64_t ms)
{
	unsigned count = 0;

	for (const struct session *s = n->node->core.sessions; s != NULL; s = s->hh.next) {
		assert_non_null(s->due.link);
		count += s->due.at_ms <= n->sim->now_ms + ms;
	}
	return count;
}

static void idle_sessions_are_looked_at_rarely(void **state)
{
	struct sim_node *edge[EDGES];
	struct sim *s = set_up(edge);
	unsigned long seen = 0, due = 0;

	(void)state;
	sim_run(s, 20000);
	for (unsigned i = 0; i < 60; i++) {
		sim_run(s, 997);
		for (unsigned k = 0; k < s->n_nodes; k++) {
			seen += HASH_COUNT(s->nodes[k]->node->core.sessions);
			due += due_within(s->nodes[k], TICK_MS);
		}
	}
	/* Each was looked at every 100 ms before there were deadlines: then all would be due. */
	assert_true(seen > 20000);
	assert_true(due * 20 < seen);
	sim_destroy(s);
}

static void a_frame_after_idle_wakes_the_watch_over_its_path(void **state)
{
	struct sim_node *edge[EDGES];
	struct sim *s = set_up(edge);
	struct session *session;
	size_t first;

	(void)state;
	sim_send(edge[0], edge[1]);
	sim_send(edge[1], edge[0]);
	sim_run(s, 10000);
	session = sim_session(edge[0], edge[1]);
	assert_true(sim_is_direct(edge[0], edge[1]));
	assert_false(atomic_load(&session->link.awake));
	assert_true(session->due.at_ms > s->now_ms + TICK_MS);
	/* The path dies while nobody looks; the next frames find that out as fast as ever. */
	sim_block(s, edge[0], edge[1], true);
	for (unsigned i = 0; i < 40; i++) {
		sim_send(edge[0], edge[1]);
		sim_run(s, 100);
	}
	assert_true(atomic_load(&session->link.awake));
	assert_false(sim_is_direct(edge[0], edge[1]));
	first = s->n_frames;
	sim_send(edge[0], edge[1]);
	sim_run(s, 200);
	assert_int_equal(sim_missing(s, first), 0);
	sim_destroy(s);
}

/* One frame now and then: the path stays known to NATs, and keys are renewed. */
static void a_trickle_keeps_path_and_keys(void **state)
{
	struct sim_node *edge[EDGES];
	struct sim *s = set_up(edge);
	size_t first = s->n_frames;

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		sim_send(edge[0], edge[1]);
		sim_run(s, 100);
		sim_send(edge[1], edge[0]);
		sim_run(s, 13000);
		assert_true(sim_is_direct(edge[0], edge[1]));
		assert_true(
			s->now_ms < link_word(&sim_session(edge[0], edge[1])->link.tx_ms) + 25100);
	}
	assert_int_equal(sim_missing(s, first), 0);
	assert_true(sim_session(edge[0], edge[1])->current->generation >= 5);
	sim_destroy(s);
}

static bool has_copy(const struct session *s)
{
	return atomic_load(&s->link.copy) != NULL;
}

/* Nobody knows whether a path still works that was silent for long; another relay changes nothing.
 */
static void an_old_path_is_doubled_through_a_new_relay(void **state)
{
	struct sim *s = sim_create(sim_seed(), 3);
	struct sim_node *sn = sim_add_supernode(s), *a = sim_add_edge(s, &sim_key, sn);
	struct sim_node *b = sim_add_edge(s, &sim_key, sn);
	size_t frame;

	(void)state;
	sim_start_all(s);
	assert_true(sim_until(s, 20000, sim_all_direct, s));
	sim_run(s, 100000);
	assert_true(has_copy(sim_session(a, b)));
	sim_stop(sn, false);
	sim_start(sn);
	sim_run(s, 15000);
	assert_true(sim_all_registered(s) && sim_is_direct(a, b));
	assert_true(has_copy(sim_session(a, b)));
	sim_block(s, a, b, true);
	frame = sim_send(a, b);
	sim_run(s, 200);
	assert_true(sim_came(s, frame));
	sim_destroy(s);
}

/* Peers of earlier runs that are not here: what is to be told to them waits for their keys. */
static void peers_without_keys_are_looked_at_rarely(void **state)
{
	struct sim *s = sim_create(sim_seed(), 2);
	struct sim_node *sn = sim_add_supernode(s), *a = sim_add_edge(s, &sim_key, sn);

	(void)state;
	a->setup.n_known = EDGES;
	for (unsigned i = 0; i < EDGES; i++)
		a->setup.known[i] = (struct known_peer){.remote = {(uint8_t)(i + 1), 7}};
	sim_start_all(s);
	assert_true(sim_until(s, 20000, sim_all_registered, s));
	sim_run(s, 5000);
	assert_true(HASH_COUNT(a->edge->community[0]->peers) == EDGES);
	/* All but the hop's. */
	assert_true(due_within(a, 2 * TICK_MS) <= 1);
	sim_destroy(s);
}

/* The tick comes late: a frame is the first to see the time at which what was put off is due. */
static void a_note_ahead_of_a_late_tick_is_worked_off_once(void **state)
{
	const struct community_key other = {{1, 2, 3}, {99}};
	struct sim *s = sim_create(sim_seed(), 3);
	struct sim_node *sn = sim_add_supernode(s), *a, *b;
	struct note note = {.kind = NOTE_FRAME, .len = SIM_FRAME_LEN};
	struct peer *p;

	(void)state;
	a = sim_add_edge(s, &other, sn);
	b = sim_add_edge(s, &other, sn);
	b->setup.key.key[0]++;
	sim_start_all(s);
	sim_run(s, 65000);
	p = a->edge->community[0]->peers;
	assert_non_null(p);
	/* Its handshake came to nothing, and the next one has to wait. */
	assert_true(p->listed && p->session->failures > 0 && p->session->attempt == NULL);
	assert_true(p->session->not_before_ms > s->now_ms + 2 * TICK_MS);
	note.to.generation = a->edge->community[0]->generation;
	note.index = p->session->link.id;
	node_note(a->node, &note, a->node->core.flush_ms);
	assert_int_equal(p->session->waiting.n, 1);
	sim_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_sessions_are_looked_at_rarely),
		cmocka_unit_test(a_frame_after_idle_wakes_the_watch_over_its_path),
		cmocka_unit_test(a_trickle_keeps_path_and_keys),
		cmocka_unit_test(an_old_path_is_doubled_through_a_new_relay),
		cmocka_unit_test(peers_without_keys_are_looked_at_rarely),
		cmocka_unit_test(a_note_ahead_of_a_late_tick_is_worked_off_once),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
