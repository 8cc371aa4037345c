/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counters that start just below their limits: keys are changed in time, and no frame is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sim.h"

#include <cmocka.h>

#define SECONDS 60

struct counting {
	uint32_t first_counter;
	uint32_t pause_ms; /* between frames, each way */
	size_t burst;
	bool relayed;
};

static void count_up(const struct counting *c)
{
	struct sim *s = sim_create(sim_seed(), 3);
	struct sim_node *sn = sim_add_supernode(s);
	struct sim_node *a = sim_add_edge(s, &sim_key, sn);
	struct sim_node *b = sim_add_edge(s, &sim_key, sn);
	uint8_t hash[HASH_LEN];
	unsigned changes = 0;
	size_t first;

	a->setup.first_counter = b->setup.first_counter = sn->setup.first_counter =
		c->first_counter;
	sim_block(s, a, b, c->relayed);
	sim_start_all(s);
	assert_true(sim_until(s, 5000, sim_all_up, s));
	sim_run(s, 3000);
	assert_int_equal(sim_is_direct(a, b), !c->relayed);
	first = s->n_frames;
	for (uint32_t t = 0; t < SECONDS * 1000; t += c->pause_ms) {
		memcpy(hash, sim_session(a, b)->current->hash, HASH_LEN);
		sim_send_burst(a, b, c->burst);
		sim_send_burst(b, a, c->burst);
		sim_run(s, c->pause_ms);
		changes += memcmp(hash, sim_session(a, b)->current->hash, HASH_LEN) != 0;
	}
	sim_run(s, 5000);
	assert_int_equal(sim_missing(s, first), 0);
	assert_true(changes > 10);
	sim_assert_clean(s);
	sim_destroy(s);
}

static void rekey_in_time(void **state)
{
	(void)state;
	count_up(&(struct counting){COUNTER_REKEY - 1000, 50, 20, false});
	count_up(&(struct counting){COUNTER_REKEY - 1000, 50, 20, true});
}

/* Every key set is due for exchange from its first packet on, and has 300 to go. */
static void the_last_counters(void **state)
{
	(void)state;
	count_up(&(struct counting){COUNTER_LIMIT - 300, 20, 1, false});
	count_up(&(struct counting){COUNTER_LIMIT - 300, 20, 1, true});
}

/* Key sets run out before they can be exchanged: frames wait for the next one. */
static void frames_wait_for_keys(void **state)
{
	(void)state;
	count_up(&(struct counting){COUNTER_LIMIT - 20, 100, 1, false});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rekey_in_time),
		cmocka_unit_test(the_last_counters),
		cmocka_unit_test(frames_wait_for_keys),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
