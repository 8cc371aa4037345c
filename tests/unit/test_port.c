/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ports: what an address leads to, and when a number may come to mean another port. */
#include "core/frame/frame.h"
#include "core/switch/fdb.h"
#include "core/switch/port.h"
#include "wire_test.h"

#define STEPS 200000

/* A community's switch, as the control thread keeps it and as one worker sees it. */
struct world {
	struct port_numbers numbers;
	struct table_editor ports;
	struct fdb *fdb;
	uint64_t seed;
	struct random rnd;
};

static void setup(struct world *w)
{
	static const uint8_t key[FDB_KEY_LEN] = {4, 7, 1, 1};

	memset(w, 0, sizeof(*w));
	w->seed = 11;
	w->rnd = seeded_random(&w->seed);
	port_numbers_init(&w->numbers);
	assert_int_equal(table_editor_init(&w->ports, table_spread, NULL), 0);
	w->fdb = fdb_create(4096, key);
	assert_non_null(w->fdb);
}

static void teardown(struct world *w)
{
	table_editor_fini(&w->ports, NULL, NULL);
	fdb_destroy(w->fdb);
}

static void destroy_at_once(void *ctx, void *memory, void (*destroy)(void *memory))
{
	(void)ctx;
	destroy(memory);
}

static void show(struct world *w)
{
	assert_int_equal(table_publish(&w->ports, destroy_at_once, NULL), 0);
}

static uint16_t take(struct world *w)
{
	int number = port_take(&w->numbers);

	assert_in_range(number, 1, PORT_HERE - 1);
	return (uint16_t)number;
}

struct counter {
	size_t frames;
	size_t bytes;
};

static void count(void *ctx, struct frame *frames[], size_t n)
{
	struct counter *c = ctx;

	c->frames += n;
	for (size_t i = 0; i < n; i++)
		c->bytes += frames[i]->len;
}

/* What the data path does with a run of frames, for the kinds of this test. */
static void deliver(struct world *w, uint16_t number, struct frame *frames[], size_t n)
{
	const struct port *p = port_find(w->ports.shown, number);
	const struct table_entry *e;

	switch (p->kind) {
	case PORT_SINK:
		p->sink.take(p->sink.ctx, frames, n);
		break;
	case PORT_ALL:
		for (uint32_t at = 0; (e = table_next(w->ports.shown, &at)) != NULL;) {
			p = e->value;
			assert_int_equal(p->kind, PORT_SINK);
			p->sink.take(p->sink.ctx, frames, n);
		}
		break;
	default:
		fail();
	}
}

static void an_address_leads_to_a_port_that_counts(void **state)
{
	struct world w;
	struct counter counter[2] = {{0, 0}, {0, 0}};
	struct port port[2];
	struct frame frame[3] = {{.len = 60}, {.len = 100}, {.len = 1400}};
	struct frame *frames[3] = {&frame[0], &frame[1], &frame[2]};

	(void)state;
	setup(&w);
	for (unsigned i = 0; i < 2; i++) {
		port[i] = (struct port){
			.kind = PORT_SINK,
			.number = take(&w),
			.sink = {count, &counter[i]},
		};
		assert_int_equal(table_put(&w.ports, port[i].number, &port[i]), 0);
	}
	show(&w);
	fdb_learn(w.fdb, 0x525400000001, port[0].number, 0);
	fdb_learn(w.fdb, 0x525400000002, port[1].number, 0);
	deliver(&w, fdb_find(w.fdb, 0x525400000001), frames, 3);
	assert_int_equal(counter[0].frames, 3);
	assert_int_equal(counter[0].bytes, 1560);
	assert_int_equal(counter[1].frames, 0);
	deliver(&w, fdb_find(w.fdb, 0x525400000002), frames, 1);
	assert_int_equal(counter[1].bytes, 60);
	/* An unknown address: everybody. */
	deliver(&w, fdb_find(w.fdb, 0x525400000003), frames, 2);
	assert_int_equal(counter[0].frames, 5);
	assert_int_equal(counter[1].frames, 3);

	/* Our own interface is no port of the table, and nobody's to take. */
	fdb_learn(w.fdb, 0x525400000004, PORT_HERE, 0);
	assert_ptr_equal(port_find(w.ports.shown, fdb_find(w.fdb, 0x525400000004)), &port_here);

	/* A port that is gone is as good as an unknown one, though its number is still learned. */
	assert_ptr_equal(table_remove(&w.ports, port[0].number), &port[0]);
	show(&w);
	assert_int_equal(fdb_find(w.fdb, 0x525400000001), port[0].number);
	assert_ptr_equal(port_find(w.ports.shown, port[0].number), &port_all);
	deliver(&w, fdb_find(w.fdb, 0x525400000001), frames, 1);
	assert_int_equal(counter[0].frames, 5);
	assert_int_equal(counter[1].frames, 4);
	teardown(&w);
}

static void every_number_but_two_is_given_once(void **state)
{
	struct world w;
	struct port_set given = {{0}};

	(void)state;
	setup(&w);
	for (unsigned i = 1; i < PORT_HERE; i++) {
		uint16_t number = take(&w);

		assert_int_not_equal(number, PORT_FLOOD);
		assert_int_not_equal(number, PORT_HERE);
		assert_false(port_set_has(&given, number));
		port_set_add(&given, number);
	}
	assert_int_equal(port_take(&w.numbers), N2N_ENOSPC);
	teardown(&w);
}

static void a_number_is_free_after_its_three_steps_and_not_before(void **state)
{
	struct world w;

	(void)state;
	setup(&w);
	for (unsigned i = 1; i < PORT_HERE; i++)
		(void)take(&w);
	fdb_learn(w.fdb, 2, 600, 0);
	fdb_learn(w.fdb, 4, 601, 0);

	port_release(&w.numbers, 600);
	assert_int_equal(port_take(&w.numbers), N2N_ENOSPC);
	/* A grace period that began before the release does not count. */
	port_reclaim(&w.numbers, w.fdb);
	assert_int_equal(port_take(&w.numbers), N2N_ENOSPC);
	port_hidden(&w.numbers);
	assert_int_equal(port_take(&w.numbers), N2N_ENOSPC);
	assert_int_equal(fdb_find(w.fdb, 2), 600);
	port_release(&w.numbers, 601);
	port_reclaim(&w.numbers, w.fdb);
	assert_int_equal(fdb_find(w.fdb, 2), PORT_FLOOD);
	assert_int_equal(fdb_find(w.fdb, 4), 601);
	assert_int_equal(port_take(&w.numbers), 600);
	assert_int_equal(port_take(&w.numbers), N2N_ENOSPC);

	port_hidden(&w.numbers);
	port_reclaim(&w.numbers, w.fdb);
	assert_int_equal(fdb_find(w.fdb, 4), PORT_FLOOD);
	assert_int_equal(port_take(&w.numbers), 601);
	assert_int_equal(port_take(&w.numbers), N2N_ENOSPC);
	teardown(&w);
}

static void a_number_rests_as_long_as_others_are_free(void **state)
{
	struct world w;
	uint16_t first;

	(void)state;
	setup(&w);
	first = take(&w);
	port_release(&w.numbers, first);
	port_hidden(&w.numbers);
	port_reclaim(&w.numbers, w.fdb);
	for (unsigned i = 2; i < PORT_HERE; i++)
		assert_int_not_equal(take(&w), first);
	assert_int_equal(take(&w), first);
	teardown(&w);
}

#define HOSTS	64
#define NUMBERS 20 /* few, so that they are used again soon */

/*
 * One worker, whose table may be old, learns any number that it has there. Each time a number is
 * taken is an incarnation of its own; tables are arrays of these, 0 is no port.
 */
struct model {
	struct world w;
	uint32_t next[NUMBERS];	 /* the control thread's table */
	uint32_t shown[NUMBERS]; /* what the worker finds when it enters */
	uint32_t has[NUMBERS];	 /* what it found */
	bool passed;		 /* it has entered since port_hidden */
	uint32_t heard[HOSTS];	 /* from which incarnation */
	uint32_t born;
	unsigned reclaimed, found;
};

static void control_step(struct model *m)
{
	uint16_t number = (uint16_t)(1 + random_below(&m->w.rnd, NUMBERS - 1));
	int taken;

	switch (random_below(&m->w.rnd, 4)) {
	case 0:
		taken = port_take(&m->w.numbers);
		if (taken > 0)
			m->next[taken] = ++m->born;
		break;
	case 1:
		if (m->next[number] != 0)
			port_release(&m->w.numbers, number);
		m->next[number] = 0;
		break;
	case 2:
		if (m->w.numbers.grace)
			break;
		memcpy(m->shown, m->next, sizeof(m->shown));
		port_hidden(&m->w.numbers);
		m->passed = false;
		break;
	default:
		if (!m->passed)
			break;
		m->reclaimed += m->w.numbers.grace;
		port_reclaim(&m->w.numbers, m->w.fdb);
	}
}

static void worker_step(struct model *m)
{
	uint32_t host = random_below(&m->w.rnd, HOSTS);
	uint64_t address = 2 * host + 2;
	uint16_t number = (uint16_t)(1 + random_below(&m->w.rnd, NUMBERS - 1));

	switch (random_below(&m->w.rnd, 4)) {
	case 0:
		memcpy(m->has, m->shown, sizeof(m->has));
		m->passed = true;
		break;
	case 1:
		if (m->has[number] == 0)
			break;
		fdb_learn(m->w.fdb, address, number, 0);
		m->heard[host] = m->has[number];
		break;
	default:
		number = fdb_find(m->w.fdb, address);
		assert_in_range(number, 0, NUMBERS - 1);
		if (number == PORT_FLOOD || m->has[number] == 0)
			break;
		assert_int_equal(m->has[number], m->heard[host]);
		m->found++;
	}
}

static void an_entry_never_leads_to_the_next_port_of_its_number(void **state)
{
	static struct model m;

	(void)state;
	memset(&m, 0, sizeof(m));
	setup(&m.w);
	for (unsigned i = NUMBERS; i < PORT_HERE; i++)
		port_set_add(&m.w.numbers.taken, (uint16_t)i);
	for (unsigned n = 0; n < STEPS; n++) {
		if (random_below(&m.w.rnd, 2) == 0)
			control_step(&m);
		else
			worker_step(&m);
	}
	assert_true(m.born > 1000 && m.reclaimed > 1000 && m.found > 1000);
	teardown(&m.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_leads_to_a_port_that_counts),
		cmocka_unit_test(every_number_but_two_is_given_once),
		cmocka_unit_test(a_number_is_free_after_its_three_steps_and_not_before),
		cmocka_unit_test(a_number_rests_as_long_as_others_are_free),
		cmocka_unit_test(an_entry_never_leads_to_the_next_port_of_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
