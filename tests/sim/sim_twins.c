/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two hosts run with one identity, a copied state directory. One of them works as if it were alone,
 * the other one keeps still; both say why, and so does everybody who meets them, once. Whoever is
 * only restarted, stopped for a while, or moved is taken for no copy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define SETTLE_MS 15000u

struct scene {
	struct sim *s;
	struct sim_node *sn, *third, *first, *copy;
};

static void set_up_as(struct scene *c, uint64_t seed)
{
	*c = (struct scene){.s = sim_create(seed, 8)};
	c->sn = sim_add_supernode(c->s);
	c->third = sim_add_edge(c->s, &sim_key, c->sn);
	c->first = sim_add_edge(c->s, &sim_key, c->sn);
	c->copy = sim_add_edge(c->s, &sim_key, c->sn);
	memcpy(c->copy->setup.seed, c->first->setup.seed, SEED_LEN);
	sim_start(c->sn);
	sim_start(c->third);
	sim_start(c->first);
	sim_run(c->s, 5000);
}

static void set_up(struct scene *c)
{
	set_up_as(c, sim_seed());
}

static void end(struct scene *c)
{
	/* Frames for one came to the other before they had settled: they have one address. */
	assert_int_equal(c->s->altered + c->s->duplicated, 0);
	sim_destroy(c->s);
}

static unsigned told(const struct sim_node *n)
{
	return n->events[EVENT_IDENTITY_TWICE];
}

static enum twice holds(const struct sim_node *n)
{
	return told(n) == 0 ? TWICE_NOT : n->last_event[EVENT_IDENTITY_TWICE].value;
}

/* Frames both ways, five a second; the losses are counted. */
static size_t loss_with(struct scene *c, struct sim_node *one, unsigned seconds)
{
	size_t first = c->s->n_frames;

	for (unsigned i = 0; i < 5 * seconds; i++) {
		(void)sim_send(c->third, one);
		(void)sim_send(one, c->third);
		sim_run(c->s, 200);
	}
	return sim_missing(c->s, first);
}

static void one_works_and_both_say_why(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	(void)loss_with(&c, c.first, 2);
	sim_start(c.copy);
	for (unsigned i = 0; i < SETTLE_MS / 200; i++) {
		(void)sim_send(c.third, c.copy);
		(void)sim_send(c.copy, c.third);
		(void)sim_send(c.first, c.third);
		sim_run(c.s, 200);
	}
	assert_int_equal(loss_with(&c, c.copy, 600), 0);
	assert_int_equal(told(c.copy), 1);
	assert_int_equal(holds(c.copy), TWICE_OTHER);
	assert_int_equal(told(c.first), 1);
	assert_int_equal(holds(c.first), TWICE_US);
	assert_int_equal(told(c.third), 1);
	assert_int_equal(holds(c.third), TWICE_OTHER);
	assert_true(c.third->events[EVENT_PEER_RESTARTED] <= 1);
	assert_int_equal(sim_state(c.first), COMMUNITY_REFUSED);
	assert_int_equal(c.first->events[EVENT_SUPERNODE_REFUSED], 1);
	end(&c);
}

/* The one that works ends: the other has its place at its next try, and nothing is wrong. */
static void the_other_follows(void **state)
{
	struct scene c;

	(void)state;
	for (unsigned goodbye = 0; goodbye < 2; goodbye++) {
		set_up(&c);
		sim_start(c.copy);
		sim_run(c.s, SETTLE_MS);
		assert_int_equal(holds(c.first), TWICE_US);
		sim_stop(c.copy, goodbye == 1);
		/* It asks after 5, 10, 20, 40 s ... and the lease ends after 30 s. */
		sim_run(c.s, 80000);
		assert_int_equal(holds(c.first), TWICE_NOT);
		assert_int_equal(sim_state(c.first), COMMUNITY_UP);
		assert_int_equal(loss_with(&c, c.first, 30), 0);
		/* In the end nobody speaks of it any more. */
		sim_run(c.s, 300000);
		assert_int_equal(holds(c.third), TWICE_NOT);
		end(&c);
	}
}

/*
 * The one that works goes on after the supernode was restarted, and the other keeps still, with
 * whomever of both others made keys meanwhile.
 */
static void a_new_supernode_changes_nothing(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	sim_start(c.copy);
	sim_run(c.s, SETTLE_MS);
	for (unsigned i = 0; i < 3; i++) {
		sim_stop(c.sn, i % 2 == 0);
		sim_run(c.s, 2000);
		sim_start(c.sn);
		sim_run(c.s, 30000);
		assert_int_equal(loss_with(&c, c.copy, 400), 0);
		assert_int_equal(holds(c.first), TWICE_US);
	}
	end(&c);
}

/* Three hosts, one identity: who has met whom when the last one comes is chance. */
static void three_with_seed(uint64_t seed)
{
	struct scene c;
	struct sim_node *more;
	unsigned works = 0;

	set_up_as(&c, seed);
	more = sim_add_edge(c.s, &sim_key, c.sn);
	memcpy(more->setup.seed, c.first->setup.seed, SEED_LEN);
	sim_start(c.copy);
	sim_run(c.s, 2000);
	sim_start(more);
	sim_run(c.s, 60000);
	for (unsigned i = c.first->number; i < c.s->n_nodes; i++)
		if (holds(c.s->nodes[i]) == TWICE_OTHER) {
			assert_int_equal(works++, 0);
			assert_int_equal(loss_with(&c, c.s->nodes[i], 60), 0);
		} else {
			assert_int_equal(holds(c.s->nodes[i]), TWICE_US);
		}
	assert_int_equal(works, 1);
	end(&c);
}

static void of_three_one_works(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++)
		three_with_seed(sim_seed() + i);
}

/* What happens to honest ones, over and over: nobody takes them for a copy. */
static void who_restarts_is_no_copy(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	for (unsigned i = 0; i < 20; i++) {
		unsigned ups = c.third->events[EVENT_PEER_RESTARTED];

		sim_stop(c.first, i % 3 == 0);
		sim_run(c.s, i % 4 * 700);
		sim_start(c.first);
		sim_run(c.s, 3000);
		assert_int_equal(loss_with(&c, c.first, 2), 0);
		if (i % 3 != 0)
			assert_true(c.third->events[EVENT_PEER_RESTARTED] <= ups + 1);
	}
	/* Its own address, and nothing of it is heard for longer than the lease; then it is back.
	 */
	for (unsigned i = 0; i < 5; i++) {
		sim_move(c.first, i % 2 == 0);
		sim_run(c.s, 4000);
		sim_block(c.s, c.first, c.sn, true);
		sim_block(c.s, c.first, c.third, true);
		sim_run(c.s, 10000 + i * 30000);
		sim_block(c.s, c.first, c.sn, false);
		sim_block(c.s, c.first, c.third, false);
		sim_run(c.s, 10000);
		assert_int_equal(loss_with(&c, c.first, 5), 0);
	}
	for (unsigned i = 0; i < 5; i++) {
		sim_stop(c.sn, i % 2 == 0);
		sim_run(c.s, 1000);
		sim_stop(c.first, i % 2 == 1);
		sim_start(c.first);
		sim_start(c.sn);
		sim_run(c.s, 15000);
	}
	assert_int_equal(told(c.first) + told(c.third), 0);
	assert_int_equal(c.first->events[EVENT_SUPERNODE_REFUSED], 0);
	end(&c);
}

/* Both know two supernodes: the refused one does not go to the other to work there, until it must.
 */
static void a_second_supernode_is_no_way_out(void **state)
{
	struct sim_node *second;
	struct scene c;

	(void)state;
	c = (struct scene){.s = sim_create(sim_seed(), 8)};
	c.sn = sim_add_supernode(c.s);
	second = sim_add_supernode(c.s);
	c.third = sim_add_edge(c.s, &sim_key, c.sn);
	c.first = sim_add_edge(c.s, &sim_key, c.sn);
	c.copy = sim_add_edge(c.s, &sim_key, c.sn);
	memcpy(c.copy->setup.seed, c.first->setup.seed, SEED_LEN);
	for (unsigned i = c.third->number; i <= c.copy->number; i++)
		sim_use_supernode(c.s->nodes[i], second);
	sim_start(c.sn);
	sim_start(second);
	sim_start(c.third);
	sim_start(c.first);
	sim_run(c.s, 5000);
	sim_start(c.copy);
	sim_run(c.s, SETTLE_MS);
	assert_int_equal(loss_with(&c, c.copy, 300), 0);
	assert_int_equal(holds(c.first), TWICE_US);
	assert_int_equal(sim_state(c.first), COMMUNITY_REFUSED);
	assert_int_equal(c.first->events[EVENT_SUPERNODE_UP], 1);
	/* The one that knows of it is gone, and the other one learns it from the same. */
	sim_stop(c.sn, false);
	sim_run(c.s, 30000);
	assert_int_equal(loss_with(&c, c.copy, 600), 0);
	assert_int_equal(holds(c.first), TWICE_US);
	sim_stop(c.copy, true);
	sim_run(c.s, 50000);
	assert_int_equal(holds(c.first), TWICE_NOT);
	assert_int_equal(loss_with(&c, c.first, 30), 0);
	end(&c);
}

/* What somebody recorded, and what the supernode sent to where it came from. */
struct record {
	const struct sim_node *of, *sn;
	size_t n, answers;
	size_t len[400];
	uint8_t data[400][DATAGRAM_MAX];
};

static bool recorded(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct record *r = ctx;

	if (from == r->of && endpoint_equal(&d->way.remote, &r->sn->address)) {
		assert_true(r->n < 400);
		memcpy(r->data[r->n], d->data, d->len);
		r->len[r->n++] = d->len;
	}
	r->answers += from == r->sn && endpoint_equal(&d->way.remote, &r->of->address);
	return true;
}

static void who_replays_a_refused_one_learns_nothing(void **state)
{
	static struct record r;
	struct scene c;

	(void)state;
	set_up(&c);
	sim_start(c.copy);
	r = (struct record){.of = c.first, .sn = c.sn};
	c.s->wire = recorded;
	c.s->wire_ctx = &r;
	sim_run(c.s, 40000);
	assert_int_equal(holds(c.first), TWICE_US);
	sim_stop(c.first, false);
	sim_run(c.s, 16000);
	r.answers = 0;
	for (size_t i = 0; i < r.n; i++) {
		sim_inject(c.s, &c.first->address, &c.sn->address, r.data[i], r.len[i], 0);
		sim_run(c.s, 100);
	}
	assert_true(r.n >= 3);
	assert_int_equal(r.answers, 0);
	end(&c);
}

/* Two supernodes, and each of the two hosts has another one: whoever meets both says so. */
static void at_two_supernodes(void **state)
{
	struct scene c;
	struct sim_node *other;

	(void)state;
	c = (struct scene){.s = sim_create(sim_seed(), 8)};
	c.sn = sim_add_supernode(c.s);
	other = sim_add_supernode(c.s);
	c.third = sim_add_edge(c.s, &sim_key, c.sn);
	c.first = sim_add_edge(c.s, &sim_key, c.sn);
	c.copy = sim_add_edge(c.s, &sim_key, other);
	memcpy(c.copy->setup.seed, c.first->setup.seed, SEED_LEN);
	sim_start_all(c.s);
	sim_run(c.s, 5000);
	/* It knows where the third was, and has frames for it. */
	sim_stop(c.copy, true);
	sim_stop(c.first, true);
	c.copy->setup.n_known = c.first->setup.n_known;
	memcpy(c.copy->setup.known, c.first->setup.known, sizeof(c.copy->setup.known));
	c.copy->setup.n_owners = c.first->setup.n_owners;
	memcpy(c.copy->setup.owners, c.first->setup.owners, sizeof(c.copy->setup.owners));
	sim_start(c.first);
	sim_start(c.copy);
	for (unsigned i = 0; i < 600; i++) {
		(void)sim_send(c.copy, c.third);
		(void)sim_send(c.first, c.third);
		(void)sim_send(c.third, c.first);
		sim_run(c.s, 200);
	}
	assert_int_equal(told(c.third), 1);
	assert_int_equal(holds(c.third), TWICE_OTHER);
	assert_true(c.third->events[EVENT_PEER_RESTARTED] <= 2);
	sim_destroy(c.s);
}

/* ---- supernodes that lie ---- */

static uint16_t refuse_all(
	struct node *n, struct session *s, const struct payload *theirs, const struct origin *from)
{
	(void)n, (void)s, (void)theirs, (void)from;
	return REGISTER_IDENTITY_TWICE;
}

/* It comes again, with this role, and says to everybody that a copy is registered. */
static void lie(struct sim_node *sn, struct role *role)
{
	sim_start(sn);
	*role = *sn->node->role;
	role->refuses = refuse_all;
	sn->node->role = role;
}

/* Who answers HELLO while the supernode is out of reach has a key, but not the one remembered. */
static void a_stranger_who_says_so_is_not_believed(void **state)
{
	struct scene c;
	struct role role;

	(void)state;
	set_up(&c);
	sim_stop(c.third, true);
	sim_stop(c.first, true);
	c.third->setup.supernode[0].given = c.first->setup.supernode[0].given = false;
	sim_start(c.third);
	sim_start(c.first);
	sim_run(c.s, 5000);
	assert_int_equal(loss_with(&c, c.first, 5), 0);
	sim_stop(c.sn, false);
	memset(c.sn->setup.secret, 0x5a, KEY_LEN);
	lie(c.sn, &role);
	assert_int_equal(loss_with(&c, c.first, 300), 0);
	assert_int_equal(told(c.first) + told(c.third), 0);
	assert_true(c.first->events[EVENT_SUPERNODE_REFUSED] > 0);
	end(&c);
}

/* The supernode itself can refuse its service, but not keep members apart that speak. */
static void a_supernode_that_says_so_ends_no_conversation(void **state)
{
	struct scene c;
	struct role role;

	(void)state;
	set_up(&c);
	assert_int_equal(loss_with(&c, c.first, 5), 0);
	sim_stop(c.sn, false);
	lie(c.sn, &role);
	assert_int_equal(loss_with(&c, c.first, 600), 0);
	assert_int_equal(holds(c.first), TWICE_US);
	end(&c);
}

/* It says so of an edge, and not, all the time: 8 times at once, and once a minute. */
static void a_wanton_supernode_is_told_within_bounds(void **state)
{
	struct community *community;
	bool other = false;
	struct scene c;

	(void)state;
	set_up(&c);
	community = c.first->edge->community[0];
	sim_run(c.s, 10000);
	for (unsigned i = 0; i < 1000; i++) {
		twins_ours(community, i % 2 == 0 ? TWICE_OTHER : TWICE_NOT);
		sim_run(c.s, 1000);
	}
	assert_in_range(told(c.first), 16, 2 * (8 + 1000 / 60 + 1));
	/* Whatever the supernode itself says in between, last too. */
	for (unsigned i = 0; i < 61; i++) {
		twins_ours(community, TWICE_OTHER);
		other = other || holds(c.first) == TWICE_OTHER;
		sim_run(c.s, 1000);
	}
	assert_true(other);
	twins_ours(community, TWICE_NOT);
	assert_int_equal(holds(c.first), TWICE_NOT);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_works_and_both_say_why),
		cmocka_unit_test(the_other_follows),
		cmocka_unit_test(a_new_supernode_changes_nothing),
		cmocka_unit_test(of_three_one_works),
		cmocka_unit_test(who_restarts_is_no_copy),
		cmocka_unit_test(a_second_supernode_is_no_way_out),
		cmocka_unit_test(who_replays_a_refused_one_learns_nothing),
		cmocka_unit_test(at_two_supernodes),
		cmocka_unit_test(a_stranger_who_says_so_is_not_believed),
		cmocka_unit_test(a_supernode_that_says_so_ends_no_conversation),
		cmocka_unit_test(a_wanton_supernode_is_told_within_bounds),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
