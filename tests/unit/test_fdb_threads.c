/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The forwarding table under several learners, readers, and one that sweeps and forgets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/switch/fdb.h"
#include "os/sys.h"
#include "os/thread.h"

#include <cmocka.h>

#define LEARNERS  3
#define READERS	  2
#define OWN	  300 /* addresses heard from one port each */
#define WANDERING 50  /* and those heard from any */
#define FLOOD	  20000
#define COMING	  (LEARNERS + 1) /* the port that comes and goes; learned by the last learner */
#define HOSTILE	  (LEARNERS + 2)
#define LAST_MS	  1000
#define MINIMUM	  50 /* times that the port goes */

struct world {
	struct fdb *f;
	_Atomic unsigned step;
	atomic_bool there;	 /* port COMING */
	_Atomic uint64_t rounds; /* of the last learner, which learns it */
	atomic_bool stop;
};

struct party {
	struct world *w;
	uint16_t number;
	uint64_t state;
	_Atomic uint64_t done;
	uint64_t wrong;
};

static uint64_t address(unsigned owner, uint64_t n)
{
	return UINT64_C(0x020000000000) | (uint64_t)owner << 24 | n;
}

static uint64_t next_random(struct party *p)
{
	p->state = p->state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return p->state >> 33;
}

static void learn_on(void *ctx)
{
	struct party *p = ctx;
	struct world *w = p->w;

	while (!atomic_load(&w->stop)) {
		unsigned step = atomic_load(&w->step);
		bool comes = p->number == LEARNERS && atomic_load(&w->there);

		for (uint64_t i = 0; i < OWN; i++)
			fdb_learn(w->f, address(p->number, i), p->number, step);
		for (uint64_t i = 0; i < WANDERING; i++)
			fdb_learn(w->f, address(0, next_random(p) % WANDERING), p->number, step);
		for (uint64_t i = 0; comes && i < OWN; i++)
			fdb_learn(w->f, address(COMING, i), COMING, step);
		for (uint64_t i = 0; p->number == 1 && i < OWN; i++)
			fdb_learn(w->f, address(HOSTILE, next_random(p) % FLOOD), HOSTILE, step);
		if (p->number == LEARNERS)
			atomic_fetch_add(&w->rounds, 1);
		atomic_fetch_add(&p->done, 1);
	}
}

/* Whatever is found was heard: of an owned address its owner's port, of others any learner's. */
static void read_on(void *ctx)
{
	struct party *p = ctx;
	const struct fdb *f = p->w->f;

	while (!atomic_load(&p->w->stop)) {
		for (unsigned owner = 1; owner <= HOSTILE; owner++) {
			uint64_t n = next_random(p) % (owner == HOSTILE ? FLOOD : OWN);
			uint16_t found = fdb_find(f, address(owner, n));

			p->wrong += found != PORT_FLOOD && found != owner;
		}
		p->wrong += fdb_find(f, address(0, next_random(p) % WANDERING)) > LEARNERS;
		p->wrong += fdb_find(f, address(HOSTILE + 1, next_random(p))) != PORT_FLOOD;
		atomic_fetch_add(&p->done, 1);
	}
}

/* Waits until who counts these rounds has begun and ended one. */
static void pass(_Atomic uint64_t *rounds)
{
	uint64_t end = atomic_load(rounds) + 2;

	while (atomic_load(rounds) < end)
		thread_yield();
}

static unsigned known(const struct fdb *f, uint16_t port)
{
	unsigned sum = 0;

	for (uint64_t i = 0; i < OWN; i++)
		sum += fdb_find(f, address(port, i)) == port;
	return sum;
}

/* Once it is gone, nothing leads to the port until it comes again. */
static void come_and_go(struct world *w, const struct port_set *coming)
{
	atomic_store(&w->there, true);
	pass(&w->rounds);
	assert_true(known(w->f, COMING) > OWN / 2);
	atomic_store(&w->there, false);
	pass(&w->rounds);
	fdb_forget(w->f, coming);
	for (unsigned i = 0; i < 3; i++) {
		unsigned step = atomic_fetch_add(&w->step, 1) + 1;

		fdb_sweep(w->f, step, 2);
		assert_int_equal(known(w->f, COMING), 0);
		thread_yield();
	}
}

static void what_is_found_was_heard_whoever_learns_sweeps_and_forgets(void **state)
{
	static const uint8_t key[FDB_KEY_LEN] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5};
	struct world w = {.f = fdb_create(2048, key)};
	struct party party[LEARNERS + READERS];
	struct thread *thread[LEARNERS + READERS];
	struct port_set coming = {{0}};
	unsigned gone = 0;
	uint64_t end;

	(void)state;
	assert_non_null(w.f);
	port_set_add(&coming, COMING);
	for (unsigned i = 0; i < LEARNERS + READERS; i++) {
		party[i] = (struct party){.w = &w, .number = (uint16_t)(i + 1), .state = i};
		assert_int_equal(thread_start(&thread[i], "party",
					 i < LEARNERS ? learn_on : read_on, &party[i]),
			0);
	}
	end = sys_now_ms() + LAST_MS;
	while (gone < MINIMUM || sys_now_ms() < end) {
		come_and_go(&w, &coming);
		gone++;
	}
	for (unsigned i = 0; i < LEARNERS + READERS; i++)
		pass(&party[i].done);
	atomic_store(&w.stop, true);
	for (unsigned i = 0; i < LEARNERS + READERS; i++) {
		thread_join(thread[i]);
		assert_int_equal(party[i].wrong, 0);
	}
	/* In spite of the flood. */
	for (uint16_t port = 1; port <= LEARNERS; port++)
		assert_true(known(w.f, port) > OWN * 8 / 10);
	fdb_destroy(w.f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_found_was_heard_whoever_learns_sweeps_and_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
