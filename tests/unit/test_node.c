/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The driver: what is posted while the due are looked at, however late the tick is. */
#include "core_test.h"

#define START_MS 1000u
#define MANY	 10 /* looks, where one is right */

struct fixture {
	struct rig rig; /* first */
	struct party member;
	struct session *s;
	unsigned looks;
};

static struct fixture *fixture_of(struct node *n)
{
	return (struct fixture *)n;
}

/* Whatever is found, it leaves something to be sent. */
static uint64_t look(struct node *n, struct session *s)
{
	assert_true(++fixture_of(n)->looks < MANY);
	session_want(&n->core, s);
	return UINT64_MAX;
}

/* A frame waits: the session is looked at now. */
static void frame(struct node *n, struct note *note)
{
	(void)note;
	session_look_at(&n->core, fixture_of(n)->s, n->core.now_ms);
}

static void tick(struct node *n)
{
	(void)n;
}

static const struct role role = {.look = look, .frame = frame, .tick = tick};

static void set_up(struct fixture *f)
{
	static const uint8_t remote[KEY_LEN] = {2};

	memset(f, 0, sizeof(*f));
	rig_init(&f->rig, &role, 1);
	f->member = test_member(MODE_KEY, 1, 1);
	f->s = session_create(&f->rig.node.core, LINK_PEER, &f->member, 0, remote);
	assert_non_null(f->s);
	node_tick(&f->rig.node, START_MS);
	f->looks = 0;
}

static void take_frame(struct fixture *f, uint64_t now_ms)
{
	static struct note note = {.kind = NOTE_FRAME, .len = FRAME_MIN};

	node_note(&f->rig.node, &note, now_ms);
}

static void what_is_posted_while_the_due_are_looked_at_waits_for_the_tick(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	take_frame(&f, START_MS + TICK_MS / 2);
	assert_int_equal(f.looks, 1);
	node_tick(&f.rig.node, START_MS + TICK_MS);
	assert_int_equal(f.looks, 2);
	rig_fini(&f.rig);
}

static void so_it_does_when_the_tick_is_late(void **state)
{
	for (uint64_t late_ms = 0; late_ms <= 1000; late_ms += 100) {
		uint64_t now_ms = START_MS + TICK_MS + late_ms;
		struct fixture f;

		(void)state;
		set_up(&f);
		take_frame(&f, now_ms);
		assert_int_equal(f.looks, 1);
		node_tick(&f.rig.node, now_ms + 1);
		assert_int_equal(f.looks, 2);
		rig_fini(&f.rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_posted_while_the_due_are_looked_at_waits_for_the_tick),
		cmocka_unit_test(so_it_does_when_the_tick_is_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
