/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A day of ten edges on a network that loses 5 %: rekeys without end, and no pair that is stuck. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "sim.h"

#include <cmocka.h>

#define EDGES	 10
#define PAIRS	 (EDGES * (EDGES - 1))
#define SAMPLED	 8 /* ordered pairs that talk at a time */
#define STUCK_MS 10000u
#define HOUR_S	 3600u
#define WORDS	 6

static struct sim *ten_edges(struct sim_node *edge[EDGES])
{
	struct sim *s = sim_create(sim_seed(), EDGES + 1);
	struct sim_node *sn = sim_add_supernode(s);

	sim_all_links(
		s, &(struct sim_link){
			   .loss = 50, .dup = 5, .reorder = 10, .delay_ms = 20, .jitter_ms = 30});
	for (unsigned i = 0; i < EDGES; i++)
		edge[i] = sim_add_edge(s, &sim_key, sn);
	/* One half talks directly, the other never can. */
	for (unsigned i = 0; i < EDGES; i++)
		for (unsigned k = 0; k < i; k++)
			sim_block(s, edge[i], edge[k], (i + k) % 2 == 0);
	sim_start_all(s);
	assert_true(sim_until(s, 60000, sim_all_up, s));
	return s;
}

struct talk {
	struct sim_node *from, *to;
	size_t frame;	   /* the last one sent */
	uint64_t began_ms; /* or the last that came */
	uint64_t end_ms;
};

static void choose(struct sim *s, struct talk *t, struct sim_node *edge[EDGES])
{
	unsigned from = sim_below(s, EDGES);

	t->from = edge[from];
	t->to = edge[(from + 1 + sim_below(s, EDGES - 1)) % EDGES];
	t->began_ms = s->now_ms;
	t->end_ms = s->now_ms + 20000 + sim_below(s, 400000);
	t->frame = sim_send(t->from, t->to);
}

static void a_day_without_a_stuck_pair(void **state)
{
	struct sim_node *edge[EDGES];
	struct sim *s = ten_edges(edge);
	struct talk talk[SAMPLED];
	uint64_t sent = 0, came = 0;

	(void)state;
	for (unsigned i = 0; i < SAMPLED; i++)
		choose(s, &talk[i], edge);
	for (unsigned second = 0; second < 24 * HOUR_S; second++) {
		sim_run(s, 1000);
		for (unsigned i = 0; i < SAMPLED; i++) {
			struct talk *t = &talk[i];

			sent++;
			if (sim_came(s, t->frame)) {
				t->began_ms = s->now_ms;
				came++;
			}
			assert_true(s->now_ms - t->began_ms <= STUCK_MS);
			if (s->now_ms >= t->end_ms)
				choose(s, t, edge);
			else
				t->frame = sim_send(t->from, t->to);
		}
	}
	/* Relayed frames cross two links. */
	assert_true(came * 100 > sent * 89);
	sim_assert_clean(s);
	sim_destroy(s);
}

static bool any_came(const struct sim *s, const size_t frame[WORDS])
{
	for (unsigned i = 0; i < WORDS; i++)
		if (sim_came(s, frame[i]))
			return true;
	return false;
}

/* Nobody talks for longer than keys live; then most first words get through, and some word soon. */
static void idle_pairs_come_back(void **state)
{
	struct sim_node *edge[EDGES];
	struct sim *s = ten_edges(edge);
	unsigned asked = 0, first_came = 0;

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		size_t frame[EDGES][EDGES][WORDS];

		sim_run(s, 300000 + sim_below(s, 1800000));
		for (unsigned word = 0; word < WORDS; word++) {
			for (unsigned i = 0; i < EDGES; i++)
				for (unsigned k = 0; k < EDGES; k++)
					if (i != k && (i + k + round) % 3 == 0)
						frame[i][k][word] = sim_send(edge[i], edge[k]);
			sim_run(s, 1000);
		}
		sim_run(s, 4000);
		for (unsigned i = 0; i < EDGES; i++)
			for (unsigned k = 0; k < EDGES; k++) {
				if (i == k || (i + k + round) % 3 != 0)
					continue;
				asked++;
				first_came += sim_came(s, frame[i][k][0]);
				assert_true(any_came(s, frame[i][k]));
			}
	}
	assert_true(first_came * 100 > asked * 80);
	sim_assert_clean(s);
	sim_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_pairs_come_back),
		cmocka_unit_test(a_day_without_a_stuck_pair),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
