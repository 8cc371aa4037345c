/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IP addresses of members: whose they are, that hosts are told when another one has one, and that
 * people are told when two have the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define SEEN_MAX 100000

/* An interface was handed an announcement. */
struct seen {
	unsigned node;
	uint64_t at_ms;
	uint8_t ip[16];
	struct mac mac;
};

struct scene {
	struct sim *s;
	struct sim_node *sn;
	size_t n_seen;
	struct seen *seen;
};

static bool look(void *ctx, struct sim_node *at, const struct joined *j)
{
	const uint8_t *data = j->piece[0].data;
	struct scene *c = ctx;
	struct seen s = {.node = at->number, .at_ms = c->s->now_ms};

	if (load_be16(data + 12) == 0x0806) {
		memset(s.ip + 10, 0xff, 2);
		memcpy(s.ip + 12, data + 28, 4);
		memcpy(s.mac.b, data + 22, 6);
	} else if (load_be16(data + 12) == 0x86dd) {
		memcpy(s.ip, data + 62, 16);
		memcpy(s.mac.b, data + 80, 6);
	} else {
		return true;
	}
	assert_true(c->n_seen < SEEN_MAX);
	c->seen[c->n_seen++] = s;
	return false;
}

static void set_up(struct scene *c)
{
	*c = (struct scene){.s = sim_create(sim_seed(), 40)};
	c->seen = calloc(SEEN_MAX, sizeof(*c->seen));
	assert_non_null(c->seen);
	c->s->interface = look;
	c->s->interface_ctx = c;
	c->sn = sim_add_supernode(c->s);
	sim_start(c->sn);
}

static void end(struct scene *c)
{
	sim_assert_clean(c->s);
	sim_destroy(c->s);
	free(c->seen);
}

static struct claim_address v4(uint8_t last)
{
	return (struct claim_address){
		.ip = {[10] = 0xff, 0xff, 10, 1, 2, last}, .prefix = last % 2 ? 24 : 32};
}

static struct claim_address v6(uint8_t last)
{
	return (struct claim_address){.ip = {0xfd, 0x77, [15] = last}, .prefix = 64};
}

static struct sim_node *add(struct scene *c, uint8_t last)
{
	struct sim_node *n = sim_add_edge(c->s, &sim_key, c->sn);

	n->setup.n_addresses = 2;
	n->setup.address[0] = v4(last);
	n->setup.address[1] = v6(last);
	return n;
}

/* When this host learned, after a time, where an address is; 0: it did not. */
static uint64_t learned_ms(const struct scene *c, const struct sim_node *host,
	struct claim_address ip, struct mac mac, uint64_t after_ms)
{
	for (size_t i = 0; i < c->n_seen; i++)
		if (c->seen[i].node == host->number && c->seen[i].at_ms >= after_ms &&
			memcmp(c->seen[i].ip, ip.ip, 16) == 0 && mac_equal(&c->seen[i].mac, &mac))
			return c->seen[i].at_ms;
	return 0;
}

static unsigned conflicts(const struct scene *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->s->n_nodes; i++)
		n += c->s->nodes[i]->events[EVENT_IP_CONFLICT] +
		     c->s->nodes[i]->events[EVENT_MAC_REFUSED] +
		     c->s->nodes[i]->events[EVENT_CLAIM_REFUSED] +
		     c->s->nodes[i]->events[EVENT_IDENTITY_TWICE];
	return n;
}

/* A machine set up anew, at once after the former was stopped or killed: everybody's host knows. */
static void a_replaced_machine_is_announced(void **state)
{
	(void)state;
	for (unsigned killed = 0; killed < 2; killed++) {
		struct sim_node *other, *third, *old, *new;
		uint64_t stopped_ms, last_ms = 0;
		struct mac former;
		struct scene c;

		set_up(&c);
		other = add(&c, 1);
		third = add(&c, 2);
		old = add(&c, 9);
		new = add(&c, 9);
		sim_start(other);
		sim_start(third);
		sim_start(old);
		sim_run(c.s, 20000);
		former = sim_mac(old);
		assert_int_not_equal(learned_ms(&c, other, v4(9), former, 0), 0);
		stopped_ms = c.s->now_ms;
		sim_stop(old, killed == 0);
		sim_start(new);
		sim_run(c.s, 60000);
		for (unsigned i = 0; i < 4; i++) {
			uint64_t at_ms = learned_ms(&c, i < 2 ? other : third,
				i % 2 ? v4(9) : v6(9), sim_mac(new), stopped_ms);

			assert_int_not_equal(at_ms, 0);
			last_ms = at_ms > last_ms ? at_ms : last_ms;
		}
		assert_true(last_ms <= stopped_ms + (killed ? 35000 : 3000));
		assert_int_equal(conflicts(&c), 0);
		/* And nobody that its own address is elsewhere. */
		assert_int_equal(learned_ms(&c, new, v4(9), former, 0), 0);
		end(&c);
	}
}

/* The same, told by nobody but the ones that are left: the supernode is away. */
static void an_address_that_is_given_up_goes_to_the_next(void **state)
{
	struct sim_node *other, *one, *two;
	struct community *c_one;
	struct scene c;
	uint64_t at_ms;

	(void)state;
	set_up(&c);
	other = add(&c, 1);
	one = add(&c, 9);
	two = add(&c, 9);
	sim_start(other);
	sim_start(one);
	sim_run(c.s, 5000);
	sim_start(two);
	sim_run(c.s, 60000);
	at_ms = c.s->now_ms;
	assert_int_equal(learned_ms(&c, other, v4(9), sim_mac(two), 0), 0);
	c_one = one->edge->community[0];
	c_one->n_addresses = 1;
	c_one->address[0] = v4(7);
	for (struct peer *p = c_one->peers; p != NULL; p = p->hh.next)
		session_post(&one->node->core, p->session, CONTROL_CLAIM);
	sim_run(c.s, 3000);
	assert_int_not_equal(learned_ms(&c, other, v4(9), sim_mac(two), at_ms), 0);
	assert_int_not_equal(learned_ms(&c, other, v6(9), sim_mac(two), at_ms), 0);
	assert_int_not_equal(learned_ms(&c, other, v4(7), sim_mac(one), at_ms), 0);
	end(&c);
}

static void check_named(
	const struct sim_node *n, const struct sim_node *one, const struct sim_node *two)
{
	const struct event *e = &n->last_event[EVENT_IP_CONFLICT];
	uint8_t ids[2][EDGE_ID_LEN];

	edge_id(ids[0], one->edge->community[0]->party.self.public);
	edge_id(ids[1], two->edge->community[0]->party.self.public);
	assert_int_equal(e->value, 1);
	assert_memory_equal(e->edge, ids[1], EDGE_ID_LEN);
	if (n != one)
		assert_memory_equal(e->owner, ids[0], EDGE_ID_LEN);
	else
		assert_null(e->owner_key);
}

/* Two that run have one address: they are told at once, and the others after a while. */
static void two_with_one_address_are_told(void **state)
{
	struct sim_node *other, *one, *two;
	struct scene c;

	(void)state;
	set_up(&c);
	other = add(&c, 1);
	one = add(&c, 9);
	two = add(&c, 9);
	two->setup.n_addresses = 1;
	sim_start(other);
	sim_start(one);
	sim_run(c.s, 5000);
	sim_start(two);
	sim_run(c.s, 3000);
	check_named(one, one, two);
	check_named(two, two, one);
	assert_int_equal(other->events[EVENT_IP_CONFLICT], 0);
	sim_run(c.s, 42000);
	check_named(other, one, two);
	sim_run(c.s, 600000);
	for (unsigned i = other->number; i <= two->number; i++)
		assert_int_equal(c.s->nodes[i]->events[EVENT_IP_CONFLICT], 1);
	/* The one that was first ends: the other one has it. */
	sim_stop(one, true);
	sim_run(c.s, 3000);
	for (unsigned i = other->number; i <= two->number; i++)
		if (c.s->nodes[i] != one) {
			assert_int_equal(c.s->nodes[i]->events[EVENT_IP_CONFLICT], 2);
			assert_int_equal(c.s->nodes[i]->last_event[EVENT_IP_CONFLICT].value, 0);
		}
	assert_true(learned_ms(&c, other, v4(9), sim_mac(two), c.s->now_ms - 3000) != 0);
	end(&c);
}

/* Of three one goes: it is between the other two, and not over. */
static void of_three_two_remain(void **state)
{
	struct sim_node *other, *three[3];
	struct scene c;

	(void)state;
	set_up(&c);
	other = add(&c, 1);
	sim_start(other);
	for (unsigned i = 0; i < 3; i++) {
		three[i] = add(&c, 9);
		three[i]->setup.n_addresses = 1;
		sim_start(three[i]);
		sim_run(c.s, 5000);
	}
	sim_run(c.s, 42000);
	check_named(other, three[0], three[1]);
	check_named(three[0], three[0], three[1]);
	assert_int_equal(three[2]->last_event[EVENT_IP_CONFLICT].value, 1);
	sim_stop(three[1], true);
	sim_run(c.s, 3000);
	check_named(other, three[0], three[2]);
	check_named(three[0], three[0], three[2]);
	check_named(three[2], three[2], three[0]);
	assert_int_equal(other->events[EVENT_IP_CONFLICT], 2);
	assert_int_equal(three[0]->events[EVENT_IP_CONFLICT], 2);
	assert_in_range(three[2]->events[EVENT_IP_CONFLICT], 1, 2); /* whom it met first */
	sim_run(c.s, 100000);
	assert_int_equal(other->events[EVENT_IP_CONFLICT], 2);
	sim_stop(three[0], true);
	sim_run(c.s, 3000);
	assert_int_equal(other->last_event[EVENT_IP_CONFLICT].value, 0);
	assert_int_equal(three[2]->last_event[EVENT_IP_CONFLICT].value, 0);
	end(&c);
}

/* Members come, restart, go, are replaced; the supernode is restarted: nothing is wrong. */
static void an_honest_crowd_raises_nothing(void **state)
{
	struct sim_node *member[30], *new[5];
	struct scene c;

	(void)state;
	set_up(&c);
	for (uint8_t i = 0; i < 30; i++) {
		member[i] = add(&c, (uint8_t)(10 + i));
		sim_start(member[i]);
	}
	for (uint8_t i = 0; i < 5; i++)
		new[i] = add(&c, (uint8_t)(10 + i));
	sim_run(c.s, 10000);
	for (unsigned i = 0; i < 40; i++) {
		struct sim_node *n = member[5 + sim_below(c.s, 25)];

		sim_stop(n, i % 2 == 0);
		sim_run(c.s, sim_below(c.s, 3000));
		sim_start(n);
		sim_run(c.s, sim_below(c.s, 3000));
		if (i % 8 == 0) {
			sim_stop(member[i / 8], i % 16 == 0);
			sim_start(new[i / 8]);
		}
		if (i % 20 == 10) {
			sim_stop(c.sn, i < 20);
			sim_run(c.s, 2000);
			sim_start(c.sn);
		}
	}
	sim_run(c.s, 200000);
	assert_int_equal(conflicts(&c), 0);
	for (unsigned i = 5; i < 30; i++)
		for (unsigned k = 0; k < 5; k++)
			assert_int_not_equal(learned_ms(&c, member[i], v4((uint8_t)(10 + k)),
						     sim_mac(new[k]), 0),
				0);
	end(&c);
}

/* One claims everybody's addresses, others at each turn, as fast as it is listened to. */
static void a_hostile_member_costs_little(void **state)
{
	struct sim_node *member[20], *bad;
	uint64_t before, began_ms;
	struct community *c_bad;
	struct scene c;

	(void)state;
	set_up(&c);
	for (uint8_t i = 0; i < 20; i++) {
		member[i] = add(&c, (uint8_t)(10 + i));
		sim_start(member[i]);
	}
	bad = add(&c, 100);
	sim_start(bad);
	sim_run(c.s, 10000);
	c_bad = bad->edge->community[0];
	before = c.n_seen;
	began_ms = c.s->now_ms;
	for (unsigned turn = 0; turn < 600; turn++) {
		c_bad->n_addresses = CLAIM_ADDRESSES_MAX;
		for (unsigned i = 0; i < CLAIM_ADDRESSES_MAX; i++)
			c_bad->address[i] = i < 4 ? v4((uint8_t)(10 + (turn * 4 + i) % 20))
						  : v4((uint8_t)(100 + (turn * 4 + i) % 150));
		for (struct peer *p = c_bad->peers; p != NULL; p = p->hh.next)
			session_post(&bad->node->core, p->session, CONTROL_CLAIM);
		sim_run(c.s, 500);
	}
	/* 5 minutes: 8 at once, one more each minute, begun and ended. */
	for (unsigned i = 0; i < 20; i++)
		assert_in_range(member[i]->events[EVENT_IP_CONFLICT], 2, 2 * (8 + 5));
	assert_true(c.n_seen - before <= 20 * (50 + 10 * (c.s->now_ms - began_ms) / 1000));
	/* No host was told that the address of one that is here is elsewhere. */
	for (unsigned i = 0; i < 20; i++)
		for (uint8_t k = 0; k < 20; k++)
			assert_int_equal(
				learned_ms(&c, member[i], v4((uint8_t)(10 + k)), sim_mac(bad), 0),
				0);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_replaced_machine_is_announced),
		cmocka_unit_test(an_address_that_is_given_up_goes_to_the_next),
		cmocka_unit_test(two_with_one_address_are_told),
		cmocka_unit_test(of_three_two_remain),
		cmocka_unit_test(an_honest_crowd_raises_nothing),
		cmocka_unit_test(a_hostile_member_costs_little),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
