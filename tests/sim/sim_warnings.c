/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nobody is warned of what is not so: whatever honest members do to each other, at once, dying in
 * the middle, or starting over, leaves no event but those that are no warning. And who is wrong
 * hears of it, however many are right. The cryptography is a quick one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define CROWD	   200
#define FEW	   20
#define SETTLED_MS 130000 /* whoever was slow would be taken for a guesser by now */
#define TOLD_MS	   60000  /* who is wrong knows by then */

struct scene {
	struct sim *s;
	struct sim_node *sn, **member;
	unsigned n;
	bool passphrase;
};

static struct sim_node *add(struct scene *c, uint8_t secret)
{
	struct sim_node *n = sim_add_edge(c->s, &sim_key, c->sn);

	if (c->passphrase)
		sim_use_passphrase(n, "mynetwork", secret);
	else
		n->setup.key.key[0] = secret;
	return n;
}

static void set_up(struct scene *c, bool passphrase, unsigned n)
{
	*c = (struct scene){.s = sim_create(sim_seed(), n + 2), .n = n, .passphrase = passphrase};
	c->sn = sim_add_supernode(c->s);
	for (unsigned i = 0; i < n; i++)
		(void)add(c, 1);
	c->member = c->s->nodes + 1;
	sim_all_links(c->s, &(struct sim_link){.delay_ms = 10, .jitter_ms = 10, .loss = 10});
}

/* Everything that is not on this list is a warning, whatever is added to the events later. */
static bool is_expected(unsigned kind)
{
	switch (kind) {
	case EVENT_SUPERNODE_UP:
	case EVENT_SUPERNODE_KEY:
	case EVENT_PEER_UP:
	case EVENT_PEER_DOWN:
	case EVENT_PATH_DIRECT:
	case EVENT_PATH_RELAY:
	case EVENT_MEMBER_UP:
	case EVENT_MEMBER_DOWN:
	case EVENT_STATE:
		return true;
	default:
		return false;
	}
}

static unsigned warnings_but(const struct scene *c, int allowed)
{
	unsigned n = 0;

	for (unsigned i = 0; i <= c->n; i++)
		for (unsigned kind = 0; kind < SIM_EVENTS; kind++) {
			unsigned times = c->s->nodes[i]->events[kind];

			if (is_expected(kind) || (int)kind == allowed || times == 0)
				continue;
			printf("node %u: \"%s\" %u times\n", i, event_text((enum event_kind)kind),
				times);
			n += times;
		}
	return n;
}

/* How long it took until the outsider was told. */
static uint64_t told_after(struct scene *c, struct sim_node *outsider, enum event_kind kind)
{
	uint64_t begin_ms = c->s->now_ms;

	if (!outsider->up)
		sim_start(outsider);
	while (outsider->events[kind] == 0 && c->s->now_ms < begin_ms + 2 * TOLD_MS)
		sim_run(c->s, 100);
	return c->s->now_ms - begin_ms;
}

/* All there are, and one who is wrong among them: they find together, and none but that one hurts.
 */
static void all_at_once(void **state)
{
	const enum event_kind kind = *state != NULL ? EVENT_WRONG_PASSPHRASE : EVENT_WRONG_KEY;
	struct sim_node *outsider;
	uint8_t id[EDGE_ID_LEN];
	uint64_t took_ms;
	struct scene c;
	/* Handshakes with a passphrase cost more, and what is to be seen takes longer. */
	const unsigned crowd = *state != NULL ? CROWD / 2 : CROWD;
	unsigned up = 0;

	set_up(&c, *state != NULL, crowd);
	outsider = add(&c, 2);
	sim_start_all(c.s);
	edge_id(id, outsider->edge->community[0]->party.self.public);
	took_ms = told_after(&c, outsider, kind);
	printf("wrong among %u: told after %.1f s\n", crowd, (double)took_ms / 1000);
	assert_in_range(took_ms, 0, TOLD_MS);
	sim_run(c.s, *state != NULL ? SETTLED_MS : TOLD_MS);
	for (unsigned i = 0; i < c.n; i++) {
		const struct sim_node *n = c.member[i];

		up += n->events[EVENT_PEER_UP];
		if (n->events[EVENT_OTHER_PASSPHRASE] > 0)
			assert_memory_equal(
				n->last_event[EVENT_OTHER_PASSPHRASE].edge, id, sizeof(id));
	}
	assert_int_equal(up, crowd * (crowd - 1));
	assert_int_equal(warnings_but(&c, *state != NULL ? EVENT_OTHER_PASSPHRASE : -1), 0);
	sim_destroy(c.s);
}

/* Killed while they shake hands, they stay listed for a lease and answer nobody. */
static void some_die_while_they_join(void **state)
{
	struct scene c;

	set_up(&c, *state != NULL, CROWD / 2);
	sim_start_all(c.s);
	for (unsigned i = 0; i < c.n / 2; i++) {
		sim_run(c.s, 20);
		sim_stop(c.member[2 * i], false);
	}
	sim_run(c.s, SETTLED_MS + 40000);
	assert_int_equal(warnings_but(&c, -1), 0);
	sim_destroy(c.s);
}

/* Whoever comes when all others have just died sees them listed, and nobody answers. */
static void the_last_one_left_is_not_wrong(void **state)
{
	struct scene c;

	set_up(&c, *state != NULL, FEW);
	for (unsigned i = 1; i < c.n; i++)
		sim_start(c.member[i]);
	sim_start(c.sn);
	sim_run(c.s, 20000);
	sim_start(c.member[0]);
	/* In the middle of the first handshakes. */
	sim_run(c.s, *state != NULL ? 180 : 60);
	for (unsigned i = 1; i < c.n; i++)
		sim_stop(c.member[i], false);
	sim_run(c.s, SETTLED_MS);
	assert_int_equal(warnings_but(&c, -1), 0);
	assert_int_equal(sim_state(c.member[0]), COMMUNITY_ALONE);
	sim_destroy(c.s);
}

/* Answers take so long that no handshake is ever confirmed: they fit all the same. */
static void the_late_are_not_wrong(void **state)
{
	struct scene c;

	set_up(&c, *state != NULL, 6);
	sim_all_links(c.s, &(struct sim_link){.delay_ms = 600});
	sim_block_direct(c.s, true);
	sim_start_all(c.s);
	assert_true(sim_until(c.s, 10000, sim_all_registered, c.s));
	for (unsigned i = 1; i <= c.n; i++) {
		sim_link(c.s, c.sn, c.s->nodes[i])->delay_ms = 2200;
		sim_link(c.s, c.s->nodes[i], c.sn)->delay_ms = 2200;
	}
	sim_run(c.s, 2 * SETTLED_MS);
	for (unsigned i = 0; i < c.n; i++)
		assert_true(c.member[i]->edge->community[0]->key_seen);
	assert_int_equal(warnings_but(&c, EVENT_SUPERNODE_SILENT), 0);
	sim_destroy(c.s);
}

/* Some are killed and started over and over. */
static void some_start_over(void **state)
{
	struct scene c;

	set_up(&c, *state != NULL, FEW);
	sim_start_all(c.s);
	for (unsigned i = 0; i < 100; i++) {
		struct sim_node *n = c.member[sim_below(c.s, FEW / 2)];

		sim_run(c.s, 300 + sim_below(c.s, 3000));
		if (n->up)
			sim_stop(n, sim_below(c.s, 2) == 0);
		else
			sim_start(n);
	}
	sim_run(c.s, SETTLED_MS);
	assert_int_equal(warnings_but(&c, EVENT_PEER_RESTARTED), 0);
	sim_destroy(c.s);
}

static void who_is_wrong_is_told(void **state)
{
	const bool passphrase = *state != NULL;
	static const unsigned crowds[] = {1, 5};
	struct sim_node *outsider;
	struct scene c;
	uint64_t took_ms;

	for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
		set_up(&c, passphrase, crowds[i]);
		outsider = add(&c, 2);
		for (unsigned k = 0; k <= c.n; k++)
			sim_start(c.s->nodes[k]);
		sim_run(c.s, 20000);
		took_ms = told_after(
			&c, outsider, passphrase ? EVENT_WRONG_PASSPHRASE : EVENT_WRONG_KEY);
		printf("wrong %s among %u: told after %.1f s\n", passphrase ? "passphrase" : "key",
			crowds[i], (double)took_ms / 1000);
		assert_in_range(took_ms, 0, TOLD_MS);
		/* One against one: each is as wrong as the other. */
		if (crowds[i] > 1)
			assert_int_equal(warnings_but(&c, EVENT_OTHER_PASSPHRASE), 0);
		sim_destroy(c.s);
	}
}

/* Where somebody comes with another passphrase, those who have the right one hear that, once. */
static void another_passphrase_is_told_once(void **state)
{
	struct sim_node *outsider;
	const struct event *e;
	struct scene c;
	uint8_t id[EDGE_ID_LEN];

	(void)state;
	set_up(&c, true, 3);
	outsider = add(&c, 2);
	for (unsigned k = 0; k <= c.n; k++)
		sim_start(c.s->nodes[k]);
	sim_run(c.s, 20000);
	sim_start(outsider);
	edge_id(id, outsider->edge->community[0]->party.self.public);
	sim_run(c.s, TOLD_MS);
	for (unsigned i = 0; i < c.n; i++) {
		e = &c.member[i]->last_event[EVENT_OTHER_PASSPHRASE];
		assert_int_equal(c.member[i]->events[EVENT_OTHER_PASSPHRASE], 1);
		assert_int_equal(e->value, 1);
		assert_memory_equal(e->edge, id, sizeof(id));
	}
	sim_run(c.s, 3600000);
	for (unsigned i = 0; i < c.n; i++)
		assert_int_equal(c.member[i]->events[EVENT_OTHER_PASSPHRASE], 1);
	/* And that it is over. */
	sim_stop(outsider, true);
	sim_run(c.s, 3000);
	for (unsigned i = 0; i < c.n; i++) {
		assert_int_equal(c.member[i]->events[EVENT_OTHER_PASSPHRASE], 2);
		assert_int_equal(c.member[i]->last_event[EVENT_OTHER_PASSPHRASE].value, 0);
	}
	sim_destroy(c.s);
}

int main(void)
{
	static bool passphrase = true;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_at_once),
		cmocka_unit_test_prestate(all_at_once, &passphrase),
		cmocka_unit_test(some_die_while_they_join),
		cmocka_unit_test_prestate(some_die_while_they_join, &passphrase),
		cmocka_unit_test(the_last_one_left_is_not_wrong),
		cmocka_unit_test_prestate(the_last_one_left_is_not_wrong, &passphrase),
		cmocka_unit_test(the_late_are_not_wrong),
		cmocka_unit_test_prestate(the_late_are_not_wrong, &passphrase),
		cmocka_unit_test(some_start_over),
		cmocka_unit_test_prestate(some_start_over, &passphrase),
		cmocka_unit_test(who_is_wrong_is_told),
		cmocka_unit_test_prestate(who_is_wrong_is_told, &passphrase),
		cmocka_unit_test(another_passphrase_is_told_once),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
