/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * 10,000 times both sides begin a handshake in the same millisecond, over links that delay, lose,
 * double and reorder at random; each time both end up sending under the same key set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define TRIALS 10000
#define SERIES 500 /* trials in one simulation */

struct pair {
	struct sim *sim;
	struct sim_node *node[2];
	struct session *session[2];
};

static bool have_met(void *ctx)
{
	struct pair *p = ctx;

	p->session[0] = sim_session(p->node[0], p->node[1]);
	p->session[1] = sim_session(p->node[1], p->node[0]);
	return sim_all_up(p->sim);
}

static bool agree(void *ctx)
{
	const struct pair *p = ctx;
	const struct keyset *k[2];

	for (unsigned i = 0; i < 2; i++) {
		k[i] = p->session[i]->current;
		if (k[i] == NULL || !k[i]->confirmed || p->session[i]->attempt != NULL ||
			p->session[i]->embryo != NULL)
			return false;
	}
	return memcmp(k[0]->hash, k[1]->hash, sizeof(k[0]->hash)) == 0;
}

/* As after hours of silence: no keys; and every other time the two have never met. */
static void begin_anew(struct pair *p, bool strangers)
{
	for (unsigned i = 0; i < 2; i++) {
		struct session *s = p->session[i];

		session_forget_keys(&p->node[i]->node->core, s);
		s->confirmed = s->confirmed && !strangers;
		s->failures = 0;
		s->not_before_ms = 0;
		session_want(&p->node[i]->node->core, s);
	}
	for (unsigned i = 0; i < 2; i++) {
		p->node[i]->node->core.now_ms = p->sim->now_ms;
		node_look(p->node[i]->node, p->session[i]);
	}
}

static void cross(struct pair *p, unsigned trial)
{
	struct sim *s = p->sim;
	const struct sim_link good = {.delay_ms = 5};
	const struct sim_link bad = {.delay_ms = sim_below(s, 50),
		.jitter_ms = sim_below(s, 200),
		.loss = (uint16_t)(sim_below(s, 4) * 100),
		.dup = 100,
		.reorder = 100};
	size_t first;

	sim_all_links(s, &bad);
	begin_anew(p, trial % 2 == 0);
	sim_run(s, 300 + sim_below(s, 2000));
	sim_all_links(s, &good);
	assert_true(sim_until(s, 30000, agree, p));
	/* Nothing that is still under way changes it. */
	sim_run(s, 500);
	assert_true(agree(p));
	first = sim_send(p->node[0], p->node[1]);
	(void)sim_send(p->node[1], p->node[0]);
	sim_run(s, 20);
	assert_int_equal(sim_missing(s, first), 0);
}

static void run_series(unsigned series, bool passphrase)
{
	struct pair p = {.sim = sim_create(sim_seed() + series, 2)};

	for (unsigned i = 0; i < 2; i++) {
		p.node[i] = sim_add_edge(p.sim, &sim_key, NULL);
		if (passphrase)
			sim_use_passphrase(p.node[i], "mynetwork", 9);
		sim_start(p.node[i]);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct known_peer k = {.direct = p.node[!i]->address};

		memcpy(k.remote, p.node[!i]->edge->community[0]->party.self.public, KEY_LEN);
		edge_remember(p.node[i]->edge, 0, &k);
		session_want(&p.node[i]->node->core, sim_session(p.node[i], p.node[!i]));
	}
	assert_true(sim_until(p.sim, 10000, have_met, &p));
	for (unsigned trial = 0; trial < SERIES; trial++)
		cross(&p, trial);
	sim_assert_clean(p.sim);
	sim_destroy(p.sim);
}

static void crossing_starts_agree(void **state)
{
	(void)state;
	for (unsigned series = 0; series < TRIALS / SERIES; series++)
		run_series(series, series % 5 == 4);
}

/* A pair through the relay, where both get the roster at the same time. */
static void crossing_through_the_relay_agrees(void **state)
{
	struct pair p = {.sim = sim_create(sim_seed(), 3)};
	struct sim_node *sn = sim_add_supernode(p.sim);

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		p.node[i] = sim_add_edge(p.sim, &sim_key, sn);
	sim_start_all(p.sim);
	assert_true(sim_until(p.sim, 10000, have_met, &p));
	for (unsigned trial = 0; trial < 300; trial++)
		cross(&p, trial);
	sim_assert_clean(p.sim);
	sim_destroy(p.sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crossing_starts_agree),
		cmocka_unit_test(crossing_through_the_relay_agrees),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
