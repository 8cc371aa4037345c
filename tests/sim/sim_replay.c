/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything that was ever sent is sent again, sooner or later, from where it came or from
 * elsewhere, to the same process or the next: nothing of it is taken, and nothing is disturbed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#include <cmocka.h>

struct recorded {
	struct endpoint from, to;
	uint8_t *data;
	size_t len;
};

struct tape {
	struct sim *sim;
	struct recorded *r;
	size_t n, cap;
	bool recording;
	bool echo; /* send again at once, and after a second */
};

static bool record(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct tape *t = ctx;
	struct recorded *r;

	if (t->echo) {
		sim_inject(t->sim, &from->address, &d->way.remote, d->data, d->len, 10);
		sim_inject(t->sim, &from->address, &d->way.remote, d->data, d->len, 13);
		sim_inject(t->sim, &from->address, &d->way.remote, d->data, d->len, 1000);
	}
	if (!t->recording)
		return true;
	if (t->n == t->cap) {
		t->cap = t->cap * 2 + 1024;
		t->r = realloc(t->r, t->cap * sizeof(*t->r));
		assert_non_null(t->r);
	}
	r = &t->r[t->n++];
	*r = (struct recorded){from->address, d->way.remote, malloc(d->len), d->len};
	assert_non_null(r->data);
	memcpy(r->data, d->data, d->len);
	return true;
}

/* All of it again, some datagrams each millisecond. */
static void play(struct tape *t, const struct endpoint *from)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct recorded *r = &t->r[i];

		sim_inject(t->sim, from != NULL ? from : &r->from, &r->to, r->data, r->len,
			(uint32_t)(i / 4));
	}
}

struct scene {
	struct sim *s;
	struct sim_node *sn, *edge[3]; /* 0 and 1 direct; 2 relayed to both */
	struct tape tape;
};

static void set_up(struct scene *c, bool passphrase)
{
	*c = (struct scene){.s = sim_create(sim_seed(), 4)};
	c->tape.sim = c->s;
	c->sn = sim_add_supernode(c->s);
	for (unsigned i = 0; i < 3; i++) {
		c->edge[i] = sim_add_edge(c->s, &sim_key, c->sn);
		if (passphrase)
			sim_use_passphrase(c->edge[i], "mynetwork", 3);
	}
	sim_block(c->s, c->edge[0], c->edge[2], true);
	sim_block(c->s, c->edge[1], c->edge[2], true);
	c->s->wire = record;
	c->s->wire_ctx = &c->tape;
}

static void tear_down(struct scene *c)
{
	sim_assert_clean(c->s);
	for (size_t i = 0; i < c->tape.n; i++)
		free(c->tape.r[i].data);
	free(c->tape.r);
	sim_destroy(c->s);
}

/* Ten frames a second between all; returns the number of the first. */
static size_t talk(struct scene *c, unsigned seconds)
{
	size_t first = c->s->n_frames;

	for (unsigned i = 0; i < seconds * 10; i++) {
		for (unsigned k = 0; k < 3; k++)
			(void)sim_send(c->edge[k], c->edge[(k + 1 + i % 2) % 3]);
		sim_run(c->s, 100);
	}
	return first;
}

static void assert_undisturbed(struct scene *c, size_t first)
{
	sim_run(c->s, 200);
	assert_int_equal(sim_missing(c->s, first), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(c->edge[i]->events[EVENT_PEER_UP], 2);
		assert_int_equal(c->edge[i]->events[EVENT_PEER_RESTARTED], 0);
		assert_int_equal(c->edge[i]->events[EVENT_PEER_DOWN], 0);
		assert_int_equal(c->edge[i]->events[EVENT_SUPERNODE_UP], 1);
	}
}

static void at_once_and_after_a_second(void **state)
{
	struct scene c;

	set_up(&c, *state != NULL);
	c.tape.echo = true;
	sim_start_all(c.s);
	assert_true(sim_until(c.s, 5000, sim_all_up, c.s));
	sim_run(c.s, 3000);
	assert_true(sim_is_direct(c.edge[0], c.edge[1]));
	assert_undisturbed(&c, talk(&c, 140));
	assert_true(sim_drops(c.edge[0], DROP_REPLAY) > 100);
	tear_down(&c);
}

static void after_200_seconds(void **state)
{
	static const uint32_t elsewhere[] = {UINT32_C(0xc6336401), UINT32_C(0x0a010001)};
	struct scene c;

	set_up(&c, *state != NULL);
	c.tape.recording = true;
	sim_start_all(c.s);
	assert_true(sim_until(c.s, 5000, sim_all_up, c.s));
	sim_run(c.s, 3000);
	(void)talk(&c, 150);
	c.tape.recording = false;
	assert_undisturbed(&c, talk(&c, 200));
	play(&c.tape, NULL);
	assert_undisturbed(&c, talk(&c, 10));
	for (unsigned i = 0; i < 2; i++) {
		struct endpoint from = endpoint_v4(elsewhere[i], (uint16_t)(999 + i));

		play(&c.tape, &from);
		assert_undisturbed(&c, talk(&c, 10));
	}
	tear_down(&c);
}

static void restarted_and_replayed(struct scene *c, struct sim_node *n, bool keeps_state)
{
	struct endpoint elsewhere = endpoint_v4(UINT32_C(0xc6336401), 999);
	size_t first;

	c->tape.recording = true;
	sim_start_all(c->s);
	assert_true(sim_until(c->s, 5000, sim_all_up, c->s));
	(void)talk(c, 20);
	sim_stop(n, false);
	if (!keeps_state)
		sim_forget_state(n);
	c->tape.recording = false;
	sim_start(n);
	play(&c->tape, NULL);
	sim_run(c->s, 20000);
	play(&c->tape, &elsewhere);
	sim_run(c->s, 10000);
	assert_true(sim_all_up(c->s));
	first = talk(c, 10);
	sim_run(c->s, 200);
	assert_int_equal(sim_missing(c->s, first), 0);
}

static void after_a_restart(void **state)
{
	for (unsigned keeps_state = 0; keeps_state < 2; keeps_state++) {
		struct scene c;

		set_up(&c, *state != NULL);
		restarted_and_replayed(&c, c.edge[1], keeps_state);
		tear_down(&c);
		set_up(&c, *state != NULL);
		restarted_and_replayed(&c, c.edge[2], keeps_state);
		tear_down(&c);
	}
}

static void after_a_restart_of_the_supernode(void **state)
{
	struct scene c;

	set_up(&c, *state != NULL);
	restarted_and_replayed(&c, c.sn, true);
	tear_down(&c);
}

int main(void)
{
	char passphrase;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_once_and_after_a_second),
		cmocka_unit_test(after_200_seconds),
		cmocka_unit_test(after_a_restart),
		cmocka_unit_test(after_a_restart_of_the_supernode),
		cmocka_unit_test_prestate(at_once_and_after_a_second, &passphrase),
		cmocka_unit_test_prestate(after_200_seconds, &passphrase),
		cmocka_unit_test_prestate(after_a_restart, &passphrase),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
