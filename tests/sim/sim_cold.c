/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a host says before anybody is there to hear it: it waits for those who come, and is then
 * said once to each, in order, and in bounds.
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

#define SOON_MS 300u /* from the second edge's registration to the first answer */
#define ROUNDS	40
#define MEMBERS 100
#define ARP_LEN 42

struct scene {
	struct sim *s;
	struct sim_node *sn, *a, *b;
	/* ARP requests that came to a node, by the last two bytes of what they ask for. */
	unsigned arps[MEMBERS + 2];
	uint16_t last[MEMBERS + 2];
};

static bool take_arp(void *ctx, struct sim_node *at, const struct joined *j)
{
	struct scene *c = ctx;
	const uint8_t *data = j->piece[0].data;

	if (load_be16(data + 12) != 0x0806)
		return true;
	assert_int_equal(j->piece[0].len, ARP_LEN);
	c->arps[at->number]++;
	c->last[at->number] = load_be16(data + ARP_LEN - 2);
	return false;
}

static void set_up(struct scene *c, unsigned members, bool passphrase, bool relayed)
{
	*c = (struct scene){.s = sim_create(sim_seed(), members + 1)};
	c->sn = sim_add_supernode(c->s);
	for (unsigned i = 0; i < members; i++) {
		struct sim_node *n = sim_add_edge(c->s, &sim_key, c->sn);

		if (passphrase)
			sim_use_passphrase(n, "mynetwork", 7);
	}
	c->a = c->s->nodes[1];
	c->b = c->s->nodes[2];
	c->s->interface = take_arp;
	c->s->interface_ctx = c;
	sim_block_direct(c->s, relayed);
}

static void end(struct scene *c)
{
	sim_assert_clean(c->s);
	sim_destroy(c->s);
}

static void ask_arp(struct sim_node *from, uint16_t whose)
{
	const struct mac own = sim_mac(from);
	uint8_t slot[SLOT_LEN] = {0};
	struct frame f = {.data = slot + SLOT_HEADROOM, .len = ARP_LEN};

	memset(f.data, 0xff, 6);
	memcpy(f.data + 6, own.b, 6);
	store_be16(f.data + 12, 0x0806);
	store_be16(f.data + 20, 1);
	memcpy(f.data + 22, own.b, 6);
	store_be16(f.data + ARP_LEN - 2, whose);
	sim_frames_from(from, 0, &f, 1);
}

static bool registered(void *node)
{
	return ((struct sim_node *)node)->events[EVENT_SUPERNODE_UP] > 0;
}

static bool came_to_b(void *ctx)
{
	const struct scene *c = ctx;

	return c->arps[c->b->number] > 0;
}

/* Runs until it is so and returns how long that took, in steps of 1 ms. */
static uint64_t until(struct sim *s, uint64_t ms, bool (*done)(void *), void *ctx)
{
	uint64_t begin_ms = s->now_ms;

	while (!done(ctx)) {
		assert_true(s->now_ms < begin_ms + ms);
		sim_run(s, 1);
	}
	return s->now_ms - begin_ms;
}

static size_t answer;

static bool is_answered(void *sim)
{
	return sim_came(sim, answer);
}

/* A host asks before the other edge starts; the other answers at once. */
static uint64_t first_answer_ms(bool passphrase, bool relayed, unsigned round)
{
	struct scene c;
	uint64_t took_ms;

	set_up(&c, 2, passphrase, relayed);
	sim_all_links(c.s, &(struct sim_link){.delay_ms = 5});
	sim_block_direct(c.s, relayed);
	sim_start(c.sn);
	sim_start(c.a);
	sim_run(c.s, round % 2 * 1000);
	ask_arp(c.a, 2);
	sim_run(c.s, 500 + sim_below(c.s, 200) + 7 * round);
	sim_start(c.b);
	(void)until(c.s, 5000, registered, c.b);
	took_ms = until(c.s, 10000, came_to_b, &c);
	answer = sim_send(c.b, c.a);
	took_ms += until(c.s, 10000, is_answered, c.s);
	sim_run(c.s, 6000);
	assert_int_equal(c.arps[c.b->number], 1);
	end(&c);
	return took_ms;
}

static void the_first_answer_comes_soon_after_registration(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		bool passphrase = kind & 1, relayed = kind & 2;
		uint64_t most_ms = 0, sum_ms = 0;

		for (unsigned i = 0; i < ROUNDS; i++) {
			uint64_t took_ms = first_answer_ms(passphrase, relayed, i);

			sum_ms += took_ms;
			most_ms = took_ms > most_ms ? took_ms : most_ms;
		}
		printf("%s, %s: the first answer %u ms after registration, at most %u ms\n",
			passphrase ? "passphrase" : "key", relayed ? "relayed" : "direct",
			(unsigned)(sum_ms / ROUNDS), (unsigned)most_ms);
		assert_true(most_ms <= SOON_MS);
	}
}

/* Both sides speak at once, and the supernode comes late. */
static void what_is_said_before_registration_comes(void **state)
{
	struct scene c;
	size_t from_a, from_b;

	(void)state;
	set_up(&c, 2, false, true);
	sim_start(c.a);
	sim_start(c.b);
	ask_arp(c.a, 2);
	sim_run(c.s, 5000);
	from_a = sim_broadcast(c.a);
	from_b = sim_broadcast(c.b);
	sim_start(c.sn);
	(void)until(c.s, 4000, sim_all_registered, c.s);
	sim_run(c.s, 1000);
	assert_int_equal(c.s->frames[from_a + c.b->number].count, 1);
	assert_int_equal(c.s->frames[from_b + c.a->number].count, 1);
	assert_int_equal(c.arps[c.b->number], 1);
	end(&c);
}

static bool is_alone(const struct scene *c)
{
	for (const struct peer *p = c->a->edge->community[0]->peers; p != NULL; p = p->hh.next)
		if (session_sending(p->session, c->s->now_ms) != NULL)
			return false;
	return true;
}

/*
 * Frames all the time, while others come one after the other: what is said until somebody is
 * there comes to each once, and so does all that is said to who is there.
 */
static void each_gets_each_once_and_in_order(void **state)
{
	struct scene c;
	size_t first[200], alone = 0;

	(void)state;
	set_up(&c, 6, false, true);
	sim_start(c.sn);
	sim_start(c.a);
	sim_run(c.s, 1000);
	for (unsigned i = 0; i < 200; i++) {
		if (i >= 20 && i % 20 == 0 && i / 20 <= 5)
			sim_start(c.s->nodes[1 + i / 20]);
		if (is_alone(&c))
			alone = i + 1;
		first[i] = sim_broadcast(c.a);
		sim_run(c.s, 10);
	}
	sim_run(c.s, 3000);
	assert_true(alone > 20);
	for (unsigned to = 2; to <= 6; to++) {
		uint64_t last_ms = 0;
		unsigned missing = 0;

		for (unsigned i = 0; i < 200; i++) {
			const struct sim_frame *f = &c.s->frames[first[i] + to];

			assert_true(f->count <= 1);
			assert_true(i >= alone || f->count == 1);
			missing += f->count == 0;
			assert_true(f->count == 0 || f->came_ms >= last_ms);
			last_ms = f->count > 0 ? f->came_ms : last_ms;
		}
		assert_true(to != 2 || missing == 0);
	}
	end(&c);
}

/* A request that others have had is made again to who comes next. */
static void newcomers_are_asked_what_others_were(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, 3, false, true);
	sim_start(c.sn);
	sim_start(c.a);
	sim_start(c.b);
	sim_run(c.s, 3000);
	ask_arp(c.a, 3);
	sim_run(c.s, 100);
	assert_int_equal(c.arps[2], 1);
	sim_run(c.s, 1000);
	sim_start(c.s->nodes[3]);
	sim_run(c.s, 1000);
	assert_int_equal(c.arps[2], 1);
	assert_int_equal(c.arps[3], 1);
	end(&c);
}

static void what_is_too_old_is_not_said(void **state)
{
	struct scene c;
	size_t old, young;

	(void)state;
	set_up(&c, 2, false, true);
	sim_start(c.sn);
	sim_start(c.a);
	ask_arp(c.a, 1);
	sim_run(c.s, BACKLOG_VITAL_MS - 20000);
	old = sim_broadcast(c.a);
	ask_arp(c.a, 2);
	sim_run(c.s, BACKLOG_MS + 200);
	young = sim_broadcast(c.a);
	sim_run(c.s, BACKLOG_VITAL_MS - BACKLOG_MS - 5000);
	assert_int_equal(sim_drops(c.a, DROP_NO_PEER), 3); /* old, young, and the first request */
	sim_start(c.b);
	sim_run(c.s, 2000);
	assert_int_equal(c.s->frames[old + 2].count, 0);
	assert_int_equal(c.s->frames[young + 2].count, 0);
	assert_int_equal(c.arps[2], 1);
	assert_int_equal(c.last[2], 2);
	sim_run(c.s, 5000);
	assert_null(c.a->edge->community[0]->backlog.first);
	end(&c);
}

static void what_is_said_again_waits_once(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, 2, false, true);
	sim_start(c.sn);
	sim_start(c.a);
	for (unsigned i = 0; i < 10; i++) {
		ask_arp(c.a, 2);
		sim_run(c.s, 1000);
	}
	sim_start(c.b);
	sim_run(c.s, 2000);
	assert_int_equal(c.arps[2], 1);
	end(&c);
}

/* A storm before anybody is there: ARP comes through, of the rest the last; memory is bounded. */
static void a_storm_is_bounded_and_arp_comes_through(void **state)
{
	struct scene c;
	size_t first = 0, last = 0;
	const struct backlog *l;

	(void)state;
	set_up(&c, 2, false, true);
	sim_start(c.sn);
	sim_start(c.a);
	l = &c.a->edge->community[0]->backlog;
	ask_arp(c.a, 2);
	for (unsigned i = 0; i < 20000; i++) {
		last = sim_broadcast(c.a);
		first = i == 0 ? last : first;
		if (i % 100 == 0)
			sim_run(c.s, 1);
		assert_true(l->bytes <= BACKLOG_BYTES);
	}
	sim_run(c.s, 10);
	last = sim_broadcast(c.a);
	sim_start(c.b);
	sim_run(c.s, 1000);
	assert_int_equal(c.arps[2], 1);
	assert_int_equal(c.s->frames[last + 2].count, 1);
	assert_int_equal(c.s->frames[first + 2].count, 0);
	end(&c);
}

/* A hundred members at once; what the first says at its start comes to each. */
static void a_hundred_start_together(void **state)
{
	struct scene c;
	uint64_t begin_ms;
	unsigned n = 0;

	(void)state;
	set_up(&c, MEMBERS, false, true);
	sim_start_all(c.s);
	begin_ms = c.s->now_ms;
	ask_arp(c.a, 2);
	(void)until(c.s, 3000, sim_all_registered, c.s);
	printf("%u members: registered after %u ms", MEMBERS, (unsigned)(c.s->now_ms - begin_ms));
	while (n < MEMBERS - 1 && c.s->now_ms < begin_ms + 10000) {
		sim_run(c.s, 10);
		n = 0;
		for (unsigned i = 2; i <= MEMBERS; i++)
			n += c.arps[i];
	}
	printf(", asked after %u ms\n", (unsigned)(c.s->now_ms - begin_ms));
	sim_run(c.s, 3000);
	for (unsigned i = 2; i <= MEMBERS; i++)
		assert_int_equal(c.arps[i], 1);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_answer_comes_soon_after_registration),
		cmocka_unit_test(what_is_said_before_registration_comes),
		cmocka_unit_test(each_gets_each_once_and_in_order),
		cmocka_unit_test(newcomers_are_asked_what_others_were),
		cmocka_unit_test(what_is_too_old_is_not_said),
		cmocka_unit_test(what_is_said_again_waits_once),
		cmocka_unit_test(a_storm_is_bounded_and_arp_comes_through),
		cmocka_unit_test(a_hundred_start_together),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
