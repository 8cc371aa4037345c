/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A member that comes back as a new process, at another port: from the first frame that one of the
 * two has of the other on, nothing is lost, whichever way their handshake went.
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

#define ROUNDS	 10
#define FRAMES	 100 /* of each side, one every 5 ms */
#define EVERY_MS 5
#define MOST	 3000 /* turns until then */
#define LATE_AT	 100  /* the turn in which the supernode comes */

enum supernode_is {
	THERE,
	LATE,
	GONE
};

struct kind {
	bool goodbye, passphrase, blocked, forgets;
	enum supernode_is supernode;
};

struct scene {
	struct sim *s;
	struct sim_node *sn, *stays, *leaves;
};

static void set_up(struct scene *c, const struct kind *k, unsigned round)
{
	*c = (struct scene){.s = sim_create(sim_seed() + round, 3)};
	c->sn = sim_add_supernode(c->s);
	c->stays = sim_add_edge(c->s, &sim_key, c->sn);
	c->leaves = sim_add_edge(c->s, &sim_key, c->sn);
	if (k->passphrase) {
		sim_use_passphrase(c->stays, "mynetwork", 7);
		sim_use_passphrase(c->leaves, "mynetwork", 7);
	}
	sim_all_links(c->s, &(struct sim_link){.delay_ms = 1, .jitter_ms = 1});
	sim_block_direct(c->s, k->blocked);
	sim_start_all(c->s);
	assert_true(sim_until(c->s, 10000, k->blocked ? sim_all_up : sim_all_direct, c->s));
	sim_run(c->s, 1000 + sim_below(c->s, 500));
}

static void restart(struct scene *c, const struct kind *k)
{
	if (k->supernode != THERE)
		sim_stop(c->sn, true);
	sim_stop(c->leaves, k->goodbye);
	if (k->forgets)
		sim_forget_state(c->leaves);
	sim_run(c->s, sim_below(c->s, 2000));
	sim_move(c->leaves, true);
	sim_start(c->leaves);
}

/* What a frame to the other is worth: that one's address is known, and there are keys. */
static bool knows(struct sim_node *of, struct sim_node *with)
{
	struct session *s = sim_session(of, with);

	return s != NULL && session_sending(s, of->sim->now_ms) != NULL &&
	       s->incarnation == with->edge->community[0]->party.incarnation &&
	       link_word(&s->link.mac) != 0;
}

/* Returns how many frames of those that should come did not. */
static size_t lost_in(const struct kind *k, unsigned round)
{
	struct scene c;
	size_t asked, missing, to[2][FRAMES], n[2] = {0};

	set_up(&c, k, round);
	restart(&c, k);
	asked = sim_broadcast(c.leaves) + c.stays->number;
	for (unsigned i = 0; i < MOST && n[0] + n[1] < 2 * FRAMES; i++) {
		if (k->supernode == LATE && i == LATE_AT)
			sim_start(c.sn);
		if (n[0] < FRAMES && (n[0] > 0 || knows(c.leaves, c.stays)))
			to[0][n[0]++] = sim_send(c.leaves, c.stays);
		if (n[1] < FRAMES && (n[1] > 0 || knows(c.stays, c.leaves)))
			to[1][n[1]++] = sim_send(c.stays, c.leaves);
		sim_run(c.s, EVERY_MS);
	}
	sim_run(c.s, 1000);
	assert_true(n[0] == FRAMES && n[1] == FRAMES);
	/* Who waits for the supernode may wait longer than the question does. */
	missing = k->supernode != LATE && c.s->frames[asked].count == 0;
	for (unsigned side = 0; side < 2; side++)
		for (size_t i = 0; i < n[side]; i++)
			missing += !sim_came(c.s, to[side][i]);
	sim_assert_clean(c.s);
	sim_destroy(c.s);
	return missing;
}

static void nothing_is_lost(void **state)
{
	size_t all = 0;

	(void)state;
	for (unsigned bits = 0; bits < 48; bits++) {
		struct kind k = {.goodbye = bits & 1,
			.passphrase = bits & 2,
			.blocked = bits & 4,
			.forgets = bits & 8,
			.supernode = (enum supernode_is)(bits >> 4)};
		size_t lost = 0;

		if ((k.blocked || k.forgets) && k.supernode == GONE)
			continue;
		for (unsigned round = 0; round < ROUNDS; round++)
			lost += lost_in(&k, round);
		if (lost > 0)
			printf("%s, %s, %s, %s state, supernode %s: %zu lost\n",
				k.goodbye ? "goodbye" : "killed",
				k.passphrase ? "passphrase" : "key",
				k.blocked ? "relayed" : "direct", k.forgets ? "without" : "with",
				(const char *[]){"there", "late", "gone"}[k.supernode], lost);
		all += lost;
	}
	assert_int_equal(all, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
