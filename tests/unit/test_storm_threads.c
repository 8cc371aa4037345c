/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several workers take of one limit on what may go to many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/data/storm.h"
#include "os/thread.h"

#include <cmocka.h>

#define WORKERS	 4
#define START_MS 1000u
#define HOST	 UINT64_C(0x020000000001)

static const uint8_t hash_key[SIPHASH_KEY_LEN] = {1, 2, 3};
static struct storm storm;
static atomic_uint ready;

struct taking {
	uint64_t source;
	unsigned passed;
};

static void take(void *ctx)
{
	struct taking *t = ctx;

	atomic_fetch_add(&ready, 1);
	while (atomic_load(&ready) < WORKERS)
		thread_yield();
	for (unsigned i = 0; i < 20000; i++)
		t->passed += storm_lets_out(
			&storm, hash_key, 0, t->source, FLOOD_BROADCAST, START_MS + i / 20);
}

static unsigned take_all(unsigned n_sources)
{
	struct taking taking[WORKERS];
	struct thread *thread[WORKERS];
	unsigned passed = 0;

	atomic_store(&ready, 0);
	for (unsigned i = 0; i < WORKERS; i++) {
		taking[i] = (struct taking){.source = HOST + i % n_sources};
		assert_int_equal(thread_start(&thread[i], "worker", take, &taking[i]), 0);
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		thread_join(thread[i]);
		passed += taking[i].passed;
	}
	return passed;
}

/*
 * 600 at once and 200 in the second, whoever takes them; when two meet one more passes. Each has a
 * clock of its own, and the one that is behind finds less.
 */
static void a_source_has_what_one_worker_gives(void **state)
{
	(void)state;
	storm = (struct storm){0};
	assert_in_range(take_all(1), 790, 1200);
}

/* Four sources would have 3,200 together; all of them have 2,500. */
static void an_interface_has_what_one_worker_gives(void **state)
{
	(void)state;
	storm = (struct storm){0};
	assert_in_range(take_all(4), 2490, 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_has_what_one_worker_gives),
		cmocka_unit_test(an_interface_has_what_one_worker_gives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
