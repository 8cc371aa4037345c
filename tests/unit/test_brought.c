/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses that frames come from while members claim them: whose they turn out to be. */
#include "core/edge/presence.h"
#include "core/switch/fdb.h"
#include "peer_test.h"

#define DOUBT_MS 3000u
#define OVER_MS	 300000u /* what a bridge brought, and brings no more */
#define TRIAL_MS ((FDB_AGE_MAX + 1) * LEARNED_STEP_MS)

static const struct mac theirs = {{0x52, 0x54, 0, 1, 2, 3}};

/* A bridge; member 1, whose keys are returned, claims an address that is not of its key. */
static struct keyset *begin(struct fixture *f)
{
	static const uint8_t key[FDB_KEY_LEN] = {1};
	struct keyset *far;

	go_up(f, 0x1000);
	list_all(f, VERSION(1), 2);
	f->c->fdb = fdb_create(64, key);
	assert_non_null(f->c->fdb);
	far = meet(f, 1);
	f->n_sent = f->n_heard = 0;
	claim(f, 1, 1, theirs);
	assert_true(owns(f, 1, theirs));
	return far;
}

static void end(struct fixture *f, struct keyset *far)
{
	keyset_destroy(far);
	fdb_destroy(f->c->fdb);
	f->c->fdb = NULL;
}

static void an_address_that_our_lan_brings_is_doubted_for_three_seconds(void **state)
{
	struct fixture *f = *state;
	struct keyset *far = begin(f);

	assert_true(claims_brought(f->c, &theirs, NULL));
	jump(f, DOUBT_MS - 1);
	assert_true(claims_brought(f->c, &theirs, NULL));
	assert_true(owns(f, 1, theirs));
	jump(f, 1);
	assert_true(claims_brought(f->c, &theirs, NULL));
	assert_false(owns(f, 1, theirs));
	assert_int_equal(fdb_find(f->c->fdb, mac_number(&theirs)), PORT_HERE);
	end(f, far);
}

/* The member does not get it back when the user says that it is free. */
static void what_our_lan_brought_of_late_is_in_use_there(void **state)
{
	struct fixture *f = *state;
	struct keyset *far = begin(f);
	struct forgotten_owner o;

	(void)claims_brought(f->c, &theirs, NULL);
	jump(f, TRIAL_MS - 1);
	assert_true(claims_forget(f->c, &theirs, &o));
	assert_false(o.taken);
	end(f, far);
}

static void what_it_brought_long_ago_is_not(void **state)
{
	struct fixture *f = *state;
	struct keyset *far = begin(f);
	struct forgotten_owner o;

	(void)claims_brought(f->c, &theirs, NULL);
	jump(f, TRIAL_MS);
	assert_true(claims_forget(f->c, &theirs, &o));
	assert_true(o.taken);
	end(f, far);
}

static void what_it_brought_is_not_another_address(void **state)
{
	static const struct mac another = {{2, 9}};
	struct fixture *f = *state;
	struct keyset *far = begin(f);
	struct forgotten_owner o;

	(void)claims_brought(f->c, &another, NULL);
	assert_true(claims_forget(f->c, &theirs, &o));
	assert_true(o.taken);
	assert_int_equal(fdb_find(f->c->fdb, mac_number(&theirs)), PORT_FLOOD);
	end(f, far);
}

/* ---- behind a bridge that is a member ---- */

/* Member 2 is one, whose frames from this address were dropped just now. */
static struct keyset *bring(struct fixture *f, struct mac mac)
{
	struct keyset *far = meet(f, 2);
	struct link *l = &peer_of(f, 2)->session->link;

	claim_as(f, 2, 1, mac_of(2), ROLE_BRIDGE);
	assert_true(link_has_role(l, ROLE_BRIDGE));
	atomic_store_explicit(&l->barred_mac, mac_number(&mac), memory_order_relaxed);
	atomic_fetch_add_explicit(&l->barred[BARRED_SOURCE], 1, memory_order_relaxed);
	run(f, 2000);
	return far;
}

static void what_a_bridge_brought_of_late_is_in_use_there(void **state)
{
	struct fixture *f = *state;
	struct keyset *far = begin(f), *bridge = bring(f, theirs);
	struct forgotten_owner o;

	assert_true(claims_forget(f->c, &theirs, &o));
	assert_false(o.taken);
	assert_int_equal(fdb_find(f->c->fdb, mac_number(&theirs)), peer_of(f, 2)->port->number);
	keyset_destroy(bridge);
	end(f, far);
}

static void what_a_bridge_brings_no_more_is_not(void **state)
{
	struct fixture *f = *state;
	struct keyset *far = begin(f), *bridge = bring(f, theirs);
	struct forgotten_owner o;

	jump(f, OVER_MS);
	tick(f);
	assert_true(claims_forget(f->c, &theirs, &o));
	assert_true(o.taken);
	assert_int_equal(fdb_find(f->c->fdb, mac_number(&theirs)), PORT_FLOOD);
	keyset_destroy(bridge);
	end(f, far);
}

static void what_a_bridge_brought_is_not_another_address(void **state)
{
	static const struct mac another = {{2, 9}};
	struct fixture *f = *state;
	struct keyset *far = begin(f), *bridge = bring(f, another);
	struct forgotten_owner o;

	assert_true(claims_forget(f->c, &theirs, &o));
	assert_true(o.taken);
	keyset_destroy(bridge);
	end(f, far);
}

static void what_is_heard_behind_another_is_not_claimed(void **state)
{
	static const struct mac another = {{2, 9}};
	struct fixture *f = *state;
	struct keyset *far = begin(f);

	fdb_learn(f->c->fdb, mac_number(&another), peer_of(f, 2)->port->number, 0);
	claim(f, 1, 2, another);
	assert_true(mac_equal(&peer_of(f, 1)->refused.mac, &another));
	assert_int_equal(f->last[EVENT_MAC_REFUSED].value, MAC_IS_IN_USE);
	end(f, far);
}

/* The port is nobody's any more. */
static void what_was_heard_behind_one_who_is_gone_is_free(void **state)
{
	static const struct mac another = {{2, 9}};
	struct fixture *f = *state;
	struct keyset *far = begin(f);

	fdb_learn(f->c->fdb, mac_number(&another), 999, 0);
	claim(f, 1, 2, another);
	assert_true(owns(f, 1, another));
	end(f, far);
}

/* Who is known from an earlier run, and away until now, may bring hosts before the next tick. */
static void what_comes_of_one_just_met_is_not_forgotten_for_his_absence(void **state)
{
	static const uint8_t key[FDB_KEY_LEN] = {1};
	const struct known_peer known = {.remote = {7}};
	struct fixture *f = *state;
	struct peer *p;

	go_up(f, 0x1000);
	f->c->fdb = fdb_create(64, key);
	assert_non_null(f->c->fdb);
	edge_remember(f->e, 0, &known);
	p = peer_find(f->c, known.remote);
	assert_non_null(p);
	assert_int_equal(presence_state(p, f->core->now_ms), PEER_AWAY);
	(void)peer_look(p);
	fdb_learn(f->c->fdb, mac_number(&theirs), p->port->number, 0);
	switch_tick(f->c);
	assert_int_equal(fdb_find(f->c->fdb, mac_number(&theirs)), p->port->number);
	fdb_destroy(f->c->fdb);
	f->c->fdb = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_address_that_our_lan_brings_is_doubted_for_three_seconds),
		TEST(what_our_lan_brought_of_late_is_in_use_there),
		TEST(what_it_brought_long_ago_is_not),
		TEST(what_it_brought_is_not_another_address),
		TEST(what_a_bridge_brought_of_late_is_in_use_there),
		TEST(what_a_bridge_brings_no_more_is_not),
		TEST(what_a_bridge_brought_is_not_another_address),
		TEST(what_is_heard_behind_another_is_not_claimed),
		TEST(what_was_heard_behind_one_who_is_gone_is_free),
		TEST(what_comes_of_one_just_met_is_not_forgotten_for_his_absence),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
