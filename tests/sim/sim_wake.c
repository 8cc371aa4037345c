/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first frame to a peer whose keys have ended finds it, whatever died or moved meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define IDLE_MS	   (KEYS_REJECT_MS + 20000)
#define AT_ONCE_MS 1000
#define DELAY_MS   10

struct scene {
	struct sim *s;
	struct sim_node *sn, *a, *b;
	struct endpoint watched; /* what goes to this address is counted */
	unsigned sent;
};

static void set_up(struct scene *c, bool direct)
{
	memset(c, 0, sizeof(*c));
	c->s = sim_create(sim_seed(), 4);
	c->sn = sim_add_supernode(c->s);
	c->a = sim_add_edge(c->s, &sim_key, c->sn);
	c->b = sim_add_edge(c->s, &sim_key, c->sn);
	sim_all_links(c->s, &(struct sim_link){.delay_ms = DELAY_MS});
	sim_block(c->s, c->a, c->b, !direct);
	sim_start_all(c->s);
	assert_true(sim_until(c->s, 10000, direct ? sim_all_direct : sim_all_up, c->s));
	(void)sim_send(c->a, c->b);
	sim_run(c->s, IDLE_MS + 60000);
	assert_null(session_sending(sim_session(c->a, c->b), c->s->now_ms));
}

static bool count(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct scene *c = ctx;

	if (from == c->a && endpoint_equal(&d->way.remote, &c->watched))
		c->sent++;
	return true;
}

/* Each way, one after the other, and how long the first took. */
static void both_ways(struct scene *c)
{
	size_t frame = sim_send(c->a, c->b);

	sim_run(c->s, AT_ONCE_MS);
	assert_true(sim_came(c->s, frame));
	for (unsigned i = 0; i < 50; i++) {
		(void)sim_send(c->b, c->a);
		(void)sim_send(c->a, c->b);
		sim_run(c->s, 200);
	}
	sim_run(c->s, 1000);
	assert_int_equal(sim_missing(c->s, frame), 0);
	sim_assert_clean(c->s);
}

/* How long ago the supernode died, in ms: before anybody can know, and when everybody does. */
static void a_dead_supernode_is_in_nobodys_way(void **state)
{
	static const unsigned since_ms[] = {0, 1000, 3000, 5000, 7000, 9000, 12000, 30000};
	struct scene c;

	(void)state;
	set_up(&c, true);
	for (size_t i = 0; i < sizeof(since_ms) / sizeof(since_ms[0]); i++) {
		sim_stop(c.sn, false);
		sim_run(c.s, since_ms[i]);
		both_ways(&c);
		assert_true(sim_is_direct(c.a, c.b) && sim_is_direct(c.b, c.a));
		sim_start(c.sn);
		sim_run(c.s, IDLE_MS + 60000);
		assert_null(session_sending(sim_session(c.a, c.b), c.s->now_ms));
	}
	sim_destroy(c.s);
}

/* Where the peer was nobody is now, or nobody who answers: the relay's answer wins. */
static void an_old_address_is_in_nobodys_way(void **state)
{
	struct scene c;
	unsigned sent;

	(void)state;
	set_up(&c, true);
	c.watched = c.b->address;
	sim_move(c.b, false);
	sim_run(c.s, 20000); /* its supernode hears it there */
	c.s->wire = count;
	c.s->wire_ctx = &c;
	both_ways(&c);
	assert_true(sim_until(c.s, 30000, sim_all_direct, c.s));
	/* The handshake, what is doubled, probes: whoever is there now is not flooded. */
	sent = c.sent;
	assert_in_range(sent, 1, 60);
	both_ways(&c);
	sim_run(c.s, 60000);
	assert_in_range(c.sent, sent, sent + 20);
	sim_destroy(c.s);
}

/* Nothing answers at all: a few messages go to where it was, and no more. */
static void an_address_is_not_asked_for_ever(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, true);
	c.watched = c.b->address;
	c.s->wire = count;
	c.s->wire_ctx = &c;
	sim_block(c.s, c.b, c.sn, true);
	sim_block(c.s, c.a, c.b, true);
	for (unsigned i = 0; i < 25; i++) {
		(void)sim_send(c.a, c.b);
		sim_run(c.s, 1000);
	}
	assert_int_equal(c.sent, 4);
	sim_destroy(c.s);
}

static void by_the_relay_alone_it_is_as_fast(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, false);
	both_ways(&c);
	assert_false(sim_is_direct(c.a, c.b));
	sim_destroy(c.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dead_supernode_is_in_nobodys_way),
		cmocka_unit_test(an_old_address_is_in_nobodys_way),
		cmocka_unit_test(an_address_is_not_asked_for_ever),
		cmocka_unit_test(by_the_relay_alone_it_is_as_fast),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
