/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A member that wants another's frames: it claims the other's MAC address from the start, all the
 * time, and waits for a moment in which the owner is away. Frames for the owner come to the owner
 * or to nobody, and none that says it came from the owner is taken from anybody else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define UNNUMBERED 0xff	   /* type of frames that the simulator does not know */
#define SILENCE_MS 200000u /* keys end after 180 s */

static const struct mac chosen = {{0x52, 0x54, 0, 1, 2, 3}};

struct scene {
	struct sim *s;
	struct sim_node *sn, *observer, *victim, *thief;
	struct mac mac;	 /* the victim's */
	uint64_t stolen; /* frames for it that the thief was handed */
	uint64_t forged; /* frames from the thief that somebody was handed */
};

/* Sees what the interfaces are handed. */
static bool look(void *ctx, struct sim_node *at, const struct joined *j)
{
	struct scene *c = ctx;
	const uint8_t *data = j->piece[0].data;

	if (at == c->thief && memcmp(data, c->mac.b, sizeof(c->mac.b)) == 0)
		c->stolen++;
	return data[12] != UNNUMBERED;
}

static void set_up(struct scene *c, const struct mac *mac, bool passphrase)
{
	*c = (struct scene){.s = sim_create(sim_seed(), 6)};
	c->sn = sim_add_supernode(c->s);
	c->observer = sim_add_edge(c->s, &sim_key, c->sn);
	c->victim = sim_add_edge(c->s, &sim_key, c->sn);
	c->thief = sim_add_edge(c->s, &sim_key, c->sn);
	c->thief->setup.forges = true;
	if (mac != NULL)
		c->victim->setup.mac = *mac;
	for (unsigned i = 0; passphrase && i < c->s->n_nodes; i++)
		if (c->s->nodes[i]->is_edge)
			sim_use_passphrase(c->s->nodes[i], "mynetwork", 7);
	c->s->interface = look;
	c->s->interface_ctx = c;
	sim_start(c->sn);
	sim_start(c->observer);
	sim_start(c->victim);
	sim_run(c->s, 5000);
	c->mac = sim_mac(c->victim);
}

static void come(struct scene *c)
{
	c->thief->setup.mac = c->mac;
	sim_start(c->thief);
	sim_run(c->s, 5000);
}

/* The observer sends to the victim, and the thief in the victim's name to all. */
static void try(struct scene *c, bool arrives)
{
	static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	size_t frame;

	for (unsigned i = 0; i < 5; i++) {
		uint8_t slot[SLOT_LEN] = {0};
		struct frame f = {.data = slot + SLOT_HEADROOM, .len = SIM_FRAME_LEN};

		memcpy(f.data, c->mac.b, sizeof(c->mac.b));
		memcpy(f.data + 6, sim_mac(c->observer).b, 6);
		f.data[12] = UNNUMBERED;
		if (!c->victim->up) {
			sim_frames_from(c->observer, 0, &f, 1);
		} else {
			frame = sim_send(c->observer, c->victim);
			sim_run(c->s, 200);
			assert_int_equal(sim_came(c->s, frame), arrives);
		}
		frame = sim_flood(c->thief, &all, &c->mac);
		sim_run(c->s, 200);
		for (unsigned n = 0; n < c->s->n_nodes; n++)
			c->forged += c->s->frames[frame + n].count;
	}
	assert_int_equal(c->stolen, 0);
	assert_int_equal(c->forged, 0);
}

/* The victim, and it has its address. */
static void comes_back(struct scene *c)
{
	sim_start(c->victim);
	sim_run(c->s, 5000);
	try(c, true);
}

static void end(struct scene *c)
{
	sim_assert_clean(c->s);
	sim_destroy(c->s);
}

/* The victim says goodbye, is away for a while, and comes back. */
static void after_a_clean_restart(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, &chosen, false);
	come(&c);
	try(&c, true);
	for (unsigned i = 0; i < 3; i++) {
		sim_stop(c.victim, true);
		sim_run(c.s, 3000 + 120000 * i);
		try(&c, false);
		sim_start(c.victim);
		sim_run(c.s, 5000);
		try(&c, true);
	}
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 1);
	/* The second time and the third nothing but its address was known of it any more. */
	assert_int_equal(sim_drops(c.observer, DROP_OWNER_AWAY), 10);
	end(&c);
}

/* What was said to the victim before it was there waits for those who come, but not for the thief.
 */
static void what_waited_for_all(void **state)
{
	struct scene c;
	struct mac observer;
	size_t frame;

	(void)state;
	set_up(&c, &chosen, false);
	sim_stop(c.victim, true);
	sim_stop(c.observer, false);
	sim_forget_state(c.observer);
	sim_start(c.observer);
	sim_run(c.s, 3000);
	observer = sim_mac(c.observer);
	frame = sim_flood(c.observer, &c.mac, &observer);
	sim_run(c.s, 500);
	sim_start(c.victim);
	sim_run(c.s, 1000);
	assert_int_equal(c.s->frames[frame + c.victim->number].count, 1);
	c.thief->setup.mac = c.mac;
	sim_start(c.thief);
	sim_run(c.s, 1000);
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 1);
	assert_int_equal(c.s->frames[frame + c.thief->number].count, 0);
	assert_int_equal(c.stolen, 0);
	end(&c);
}

static void in_a_passphrase_community(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, &chosen, true);
	come(&c);
	sim_stop(c.victim, true);
	sim_run(c.s, 5000);
	try(&c, false);
	comes_back(&c);
	end(&c);
}

/* Nothing is said for as long as keys live; only the thief is busy. */
static void after_silence(void **state)
{
	static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct scene c;

	(void)state;
	set_up(&c, &chosen, false);
	come(&c);
	for (uint64_t end_ms = c.s->now_ms + SILENCE_MS; c.s->now_ms < end_ms;) {
		(void)sim_flood(c.thief, &all, &c.mac);
		sim_run(c.s, 1000);
	}
	try(&c, true);
	/* And the same without the victim. */
	sim_stop(c.victim, false);
	sim_run(c.s, SILENCE_MS);
	try(&c, false);
	comes_back(&c);
	end(&c);
}

/* The observer starts anew while the victim is away; what it has kept is all that it knows. */
static void after_the_observers_restart(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, &chosen, false);
	come(&c);
	sim_stop(c.victim, true);
	sim_run(c.s, 2000);
	for (unsigned i = 0; i < 3; i++) {
		sim_stop(c.observer, i % 2 == 0);
		/* Its clock was wrong, and is again. */
		c.observer->setup.wall_ms = i % 2 == 0 ? 0 : 10 * SIM_WALL_MS;
		sim_run(c.s, 1000);
		sim_start(c.observer);
		sim_run(c.s, 5000);
		try(&c, false);
	}
	comes_back(&c);
	end(&c);
}

/* The thief was there first, for all who look on; but the address comes of the victim's key. */
static void from_one_whose_key_it_comes_of(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, NULL, false);
	sim_stop(c.victim, true);
	sim_stop(c.observer, true);
	sim_forget_state(c.observer);
	c.thief->setup.mac = c.mac;
	sim_start(c.thief);
	sim_run(c.s, 2000);
	sim_start(c.observer);
	sim_run(c.s, 5000);
	/* Until the owner comes nobody can know. */
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 0);
	sim_start(c.victim);
	sim_run(c.s, 5000);
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 1);
	try(&c, true);
	sim_stop(c.victim, true);
	sim_run(c.s, SILENCE_MS);
	try(&c, false);
	comes_back(&c);
	end(&c);
}

/* Where addresses are learned, ours is none that a member may bring, nor one that it is sent. */
static void not_even_where_addresses_are_learned(void **state)
{
	static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct scene c;
	struct mac own;
	size_t frame;

	(void)state;
	set_up(&c, &chosen, false);
	sim_stop(c.observer, true);
	c.observer->setup.learn = 64;
	sim_start(c.observer);
	sim_run(c.s, 5000);
	come(&c);
	own = sim_mac(c.observer);
	frame = sim_flood(c.thief, &all, &own);
	sim_run(c.s, 200);
	assert_int_equal(c.s->frames[frame + c.observer->number].count, 0);
	assert_int_equal(sim_drops(c.observer, DROP_SOURCE_MAC), 1);
	try(&c, true);
	sim_stop(c.victim, true);
	sim_run(c.s, 120000);
	try(&c, false);
	end(&c);
}

/* A machine set up anew with the address of the old one: the user says so. */
static void unless_the_user_says_so(void **state)
{
	struct scene c;
	struct forgotten_owner f;
	size_t frame;

	(void)state;
	set_up(&c, &chosen, false);
	sim_stop(c.victim, true);
	come(&c);
	frame = sim_send(c.observer, c.thief);
	sim_run(c.s, 6000);
	assert_false(sim_came(c.s, frame));
	/* It is told, and for how long that holds. */
	assert_int_equal(c.thief->events[EVENT_CLAIM_REFUSED], 1);
	assert_int_equal(c.thief->last_event[EVENT_CLAIM_REFUSED].value, 1);
	assert_memory_equal(c.thief->last_event[EVENT_CLAIM_REFUSED].owner,
		c.observer->last_event[EVENT_MAC_REFUSED].owner, EDGE_ID_LEN);
	sim_run(c.s, 300000);
	assert_int_equal(c.thief->events[EVENT_CLAIM_REFUSED], 1);
	assert_true(edge_forget_owner(c.observer->edge, 0, &c.mac, c.s->now_ms, &f));
	assert_true(f.taken);
	sim_run(c.s, 500);
	c.s->interface = NULL;
	frame = sim_send(c.observer, c.thief);
	(void)sim_send(c.thief, c.observer);
	sim_run(c.s, 500);
	assert_int_equal(sim_missing(c.s, frame), 0);
	sim_run(c.s, 1000);
	assert_int_equal(c.thief->events[EVENT_CLAIM_REFUSED], 2);
	assert_int_equal(c.thief->last_event[EVENT_CLAIM_REFUSED].value, 0);
	assert_int_equal(c.observer->last_event[EVENT_MAC_REFUSED].value, MAC_IS_FREE);
	/* And the old one has it no more. */
	sim_start(c.victim);
	sim_run(c.s, 5000);
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 3);
	frame = sim_send(c.observer, c.thief);
	sim_run(c.s, 500);
	assert_int_equal(sim_missing(c.s, frame), 0);
	end(&c);
}

/* Who waits long enough gets it, and not before. */
static void unless_the_owner_stays_away(void **state)
{
	struct scene c;
	size_t frame;

	(void)state;
	set_up(&c, &chosen, false);
	sim_stop(c.observer, true);
	c.observer->setup.hold_ms = 600000;
	sim_start(c.observer);
	sim_run(c.s, 5000);
	come(&c);
	sim_stop(c.victim, true);
	sim_run(c.s, 590000);
	try(&c, false);
	sim_run(c.s, 30000);
	c.s->interface = NULL;
	frame = sim_send(c.thief, c.observer);
	sim_run(c.s, 500);
	frame = sim_send(c.observer, c.thief);
	sim_run(c.s, 500);
	assert_true(sim_came(c.s, frame));
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_a_clean_restart),
		cmocka_unit_test(what_waited_for_all),
		cmocka_unit_test(in_a_passphrase_community),
		cmocka_unit_test(after_silence),
		cmocka_unit_test(after_the_observers_restart),
		cmocka_unit_test(from_one_whose_key_it_comes_of),
		cmocka_unit_test(not_even_where_addresses_are_learned),
		cmocka_unit_test(unless_the_user_says_so),
		cmocka_unit_test(unless_the_owner_stays_away),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
