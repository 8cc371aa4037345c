/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Somebody who sees an edge's HELLOs answers them first, with what keeps it from its supernode, for
 * as long as he likes. He drops nothing. It gets in all the same, some seconds later.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"
#include "wire/envelope.h"

#include <cmocka.h>

#define DELAY_MS    20
#define BOUND_MS    15000
#define FORGERS_MAX 3 /* answers to each question */

struct scene {
	struct sim *s;
	struct sim_node *sn, *a;
	bool forging, other_key;
	unsigned answers, forged;
};

static void forge(struct scene *c, const struct datagram *question, unsigned i)
{
	struct msg_hello m = {.answer = true, .freshness = 1 + i};
	uint8_t key[KEY_LEN], body[ENVELOPE_BODY_MAX], out[ENVELOPE_MAX_LEN];
	size_t len;

	sim_supernode_public(c->sn, m.static_public);
	if (c->other_key)
		store_be32(m.static_public, ++c->forged); /* never the same twice */
	party_hello_key(key);
	len = msg_hello_encode(body, sizeof(body), &m, 0, &c->s->random);
	envelope_seal(out, body, len, question->data + question->len - TAG_LEN, TAG_LEN, key,
		&c->s->random);
	sim_inject(c->s, &c->sn->address, &c->a->address, out, len + ENVELOPE_OVERHEAD, DELAY_MS);
}

static bool watch(void *ctx, struct sim_node *from, const struct datagram *d)
{
	uint8_t key[KEY_LEN], body[ENVELOPE_BODY_MAX];
	struct scene *c = ctx;

	party_hello_key(key);
	if (from != c->a || !c->forging || d->len > ENVELOPE_MAX_LEN ||
		envelope_open(body, d->data, d->len, NULL, 0, key) != 0)
		return true;
	for (unsigned i = 0; i < c->answers; i++)
		forge(c, d, i);
	return true;
}

static void set_up(struct scene *c, unsigned answers, bool given)
{
	memset(c, 0, sizeof(*c));
	c->s = sim_create(sim_seed(), 3);
	c->sn = sim_add_supernode(c->s);
	c->a = sim_add_edge(c->s, &sim_key, c->sn);
	c->answers = answers;
	c->a->setup.supernode[0].given = given;
	sim_supernode_public(c->sn, c->a->setup.supernode[0].key);
	sim_all_links(c->s, &(struct sim_link){.delay_ms = DELAY_MS});
	c->s->wire = watch;
	c->s->wire_ctx = c;
}

static bool is_registered(void *edge)
{
	return edge_is_registered(((struct sim_node *)edge)->edge);
}

static bool is_not_registered(void *edge)
{
	return !is_registered(edge);
}

/* Seconds of the next ten minutes in which it is not registered. */
static unsigned seconds_out(struct scene *c)
{
	unsigned out = 0;

	for (unsigned i = 0; i < 600; i++) {
		sim_run(c->s, 1000);
		out += is_not_registered(c->a);
	}
	return out;
}

/* It was registered; the supernode is killed, and started with a floor above all clocks. */
static void crash(struct scene *c)
{
	sim_start_all(c->s);
	sim_run(c->s, 90000);
	assert_true(is_registered(c->a));
	sim_stop(c->sn, false);
	c->forging = true;
	sim_start(c->sn);
}

static void forged_freshness_costs_seconds(void **state)
{
	struct scene c;

	(void)state;
	for (unsigned n = 1; n <= FORGERS_MAX; n++) {
		set_up(&c, n, true);
		crash(&c);
		assert_in_range(seconds_out(&c), 0, BOUND_MS / 1000);
		assert_true(is_registered(c.a));
		sim_destroy(c.s);
	}
}

static void forged_keys_displace_none_that_proved_itself(void **state)
{
	struct scene c;

	(void)state;
	for (unsigned n = 1; n <= FORGERS_MAX; n++) {
		set_up(&c, n, false);
		c.other_key = true;
		crash(&c);
		assert_in_range(seconds_out(&c), 0, BOUND_MS / 1000);
		assert_true(is_registered(c.a));
		assert_true(c.forged > 0);
		assert_int_equal(c.a->events[EVENT_SUPERNODE_KEY_CHANGED], 0);
		sim_destroy(c.s);
	}
}

static void forged_keys_delay_the_first_start(void **state)
{
	uint8_t key[KEY_LEN];
	struct scene c;

	(void)state;
	for (unsigned n = 1; n <= FORGERS_MAX; n++) {
		set_up(&c, n, false);
		c.other_key = true;
		c.forging = true;
		sim_start_all(c.s);
		assert_true(sim_until(c.s, BOUND_MS, is_registered, c.a));
		sim_supernode_public(c.sn, key);
		assert_memory_equal(c.a->edge->supernode[0].key, key, KEY_LEN);
		assert_int_equal(c.a->events[EVENT_SUPERNODE_KEY_CHANGED], 0);
		sim_destroy(c.s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forged_freshness_costs_seconds),
		cmocka_unit_test(forged_keys_displace_none_that_proved_itself),
		cmocka_unit_test(forged_keys_delay_the_first_start),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
