/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Broadcasts by way of the supernode, and copies for each beside them, while everything changes: to
 * each member exactly once, whatever happens to keys, sets and paths, and never from a tape.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "core/session/send.h"
#include "core/supernode/supernode_state.h"
#include "sim_inside.h"

#include <cmocka.h>

#define EDGES 8

struct recorded {
	struct endpoint from, to;
	uint8_t *data;
	size_t len;
};

struct scene {
	struct sim *s;
	struct sim_node *sn, *edge[EDGES];
	size_t from_first; /* datagrams of the first edge with the test's frames in them */
	bool mute;	   /* the supernode says nothing itself */
	bool cut;	   /* nothing of the first edge arrives */
	bool recording;
	struct recorded *r;
	size_t n, cap;
};

static bool is_its_word(const struct scene *c, const struct datagram *d)
{
	uint8_t clear[DATA_HEADER_LEN];

	for (unsigned k = 0; k < EDGES; k++) {
		if (!endpoint_equal(&c->edge[k]->address, &d->way.remote))
			continue;
		packet_peek(clear, sizeof(clear), d->data, d->len,
			c->edge[k]->edge->community[0]->hop.party.hop_mask);
		return clear[0] >> 4 == PACKET_DATA;
	}
	return false;
}

static bool on_wire(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct scene *c = ctx;
	struct recorded *r;

	c->from_first +=
		from == c->edge[0] && d->len == SIM_FRAME_LEN + DATA_OVERHEAD + RELAY_HEADER_LEN;
	if (c->mute && from == c->sn && is_its_word(c, d))
		return false;
	if (c->cut && from == c->edge[0])
		return false;
	if (!c->recording)
		return true;
	if (c->n == c->cap) {
		c->cap = c->cap * 2 + 1024;
		c->r = realloc(c->r, c->cap * sizeof(*c->r));
		assert_non_null(c->r);
	}
	r = &c->r[c->n++];
	*r = (struct recorded){from->address, d->way.remote, malloc(d->len), d->len};
	assert_non_null(r->data);
	memcpy(r->data, d->data, d->len);
	return true;
}

static void play(struct scene *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct recorded *r = &c->r[i];

		sim_inject(c->s, &r->from, &r->to, r->data, r->len, (uint32_t)(i / 4));
	}
	sim_run(c->s, c->n / 4 + 500);
}

static struct community *of(struct sim_node *n)
{
	return n->edge->community[0];
}

static unsigned fanned(struct sim_node *n)
{
	return of(n)->group.fanned;
}

static void set_up(struct scene *c, bool direct)
{
	memset(c, 0, sizeof(*c));
	c->s = sim_create(sim_seed(), EDGES + 1);
	c->s->wire = on_wire;
	c->s->wire_ctx = c;
	c->sn = sim_add_supernode(c->s);
	for (unsigned i = 0; i < EDGES; i++)
		c->edge[i] = sim_add_edge(c->s, &sim_key, c->sn);
	sim_block_direct(c->s, !direct);
	sim_start_all(c->s);
	assert_true(sim_until(c->s, 10000, sim_all_registered, c->s));
	assert_true(sim_until(c->s, 20000, sim_all_up, c->s));
	sim_run(c->s, 1000);
}

static void end(struct scene *c)
{
	sim_assert_clean(c->s);
	for (size_t i = 0; i < c->n; i++)
		free(c->r[i].data);
	free(c->r);
	sim_destroy(c->s);
}

/* Of the frames from this number on, how many did not come to a member that is up. */
static unsigned lost(struct scene *c, size_t first)
{
	unsigned n = 0;

	for (size_t i = first; i < c->s->n_frames; i++) {
		const struct sim_frame *f = &c->s->frames[i];

		for (unsigned k = 0; k < EDGES; k++)
			n += f->to == c->edge[k]->number && f->from != f->to && f->count == 0 &&
			     c->edge[k]->up;
	}
	return n;
}

/* Each of them broadcasts, some times. */
static size_t broadcast(struct scene *c, unsigned times, uint64_t pause_ms)
{
	size_t first = c->s->n_frames;

	for (unsigned i = 0; i < times; i++) {
		for (unsigned k = 0; k < EDGES; k++)
			if (c->edge[k]->up)
				(void)sim_broadcast(c->edge[k]);
		sim_run(c->s, pause_ms);
	}
	sim_run(c->s, 300);
	return first;
}

/* All who are up have registered once more than so often. */
static void restart_supernode(struct scene *c, uint64_t away_ms)
{
	unsigned before[EDGES], again = 0;

	for (unsigned k = 0; k < EDGES; k++)
		before[k] = c->edge[k]->events[EVENT_SUPERNODE_UP];
	sim_stop(c->sn, false);
	(void)broadcast(c, 10, away_ms / 10);
	sim_start(c->sn);
	for (unsigned i = 0; i < 300 && again < EDGES; i++) {
		(void)broadcast(c, 1, 100);
		again = 0;
		for (unsigned k = 0; k < EDGES; k++)
			again += c->edge[k]->events[EVENT_SUPERNODE_UP] > before[k];
	}
	assert_int_equal(again, EDGES);
}

static void until_fanned(struct scene *c)
{
	(void)broadcast(c, 30, 100);
	for (unsigned k = 0; k < EDGES; k++)
		if (c->edge[k]->up)
			assert_int_equal(fanned(c->edge[k]), EDGES - 1);
}

static void one_copy_on_the_uplink(void **state)
{
	struct scene c;
	size_t first;

	(void)state;
	set_up(&c, false);
	/* While the key is told and the set is made, nothing is lost nor comes twice. */
	first = broadcast(&c, 30, 37);
	assert_int_equal(lost(&c, first), 0);
	until_fanned(&c);
	c.from_first = 0;
	first = broadcast(&c, 10, 100);
	assert_int_equal(lost(&c, first), 0);
	/* Not 70; packets of control messages have that length too, by chance. */
	assert_in_range(c.from_first, 10, 14);
	end(&c);
}

/* Up to four: copies, and no key. */
static void few_get_copies(void **state)
{
	struct scene c;
	size_t first;

	(void)state;
	set_up(&c, false);
	for (unsigned k = 5; k < EDGES; k++)
		sim_stop(c.edge[k], true);
	sim_run(c.s, 1000);
	first = broadcast(&c, 30, 100);
	assert_int_equal(lost(&c, first), 0);
	for (unsigned k = 0; k < 5; k++)
		assert_null(of(c.edge[k])->group.key);
	end(&c);
}

static void direct_paths_get_copies(void **state)
{
	struct scene c;
	size_t first;

	(void)state;
	set_up(&c, true);
	assert_true(sim_until(c.s, 20000, sim_all_direct, c.s));
	first = broadcast(&c, 30, 100);
	assert_int_equal(lost(&c, first), 0);
	for (unsigned k = 0; k < EDGES; k++)
		assert_null(of(c.edge[k])->group.key);
	end(&c);
}

/* Paths become direct and relayed again, all the time: never twice. What a path that ends takes
 * along is lost. */
static void paths_change_all_the_time(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, false);
	until_fanned(&c);
	for (unsigned round = 0; round < 60; round++) {
		unsigned a = sim_below(c.s, EDGES), b = sim_below(c.s, EDGES);

		if (a != b)
			sim_block(c.s, c.edge[a], c.edge[b], sim_below(c.s, 2) == 0);
		(void)broadcast(&c, 10, 31);
	}
	end(&c);
}

/* Only opened paths: nothing is lost by any change. */
static void members_turn_direct_one_by_one(void **state)
{
	struct scene c;
	size_t first;
	unsigned direct = 0;

	(void)state;
	set_up(&c, false);
	until_fanned(&c);
	first = c.s->n_frames;
	for (unsigned a = 0; a < EDGES; a++)
		for (unsigned b = a + 1; b < EDGES; b++) {
			sim_block(c.s, c.edge[a], c.edge[b], false);
			for (unsigned i = 0; i < 10; i++) {
				(void)sim_send(c.edge[a], c.edge[b]);
				(void)sim_send(c.edge[b], c.edge[a]);
				(void)broadcast(&c, 2, 17);
			}
		}
	for (unsigned i = 0; i < 20; i++)
		(void)broadcast(&c, 10, 100);
	assert_int_equal(lost(&c, first), 0);
	for (unsigned k = 1; k < EDGES; k++)
		direct += sim_is_direct(c.edge[0], c.edge[k]);
	assert_int_equal(direct, EDGES - 1);
	assert_int_equal(fanned(c.edge[0]), 0);
	end(&c);
}

/* A quarter of all datagrams is lost, doubled or late, FANOUT, FANNED and ACK too. */
static void on_bad_links(void **state)
{
	const struct sim_link bad = {
		.loss = 250, .dup = 100, .reorder = 200, .delay_ms = 20, .jitter_ms = 30};
	const struct sim_link good = {.delay_ms = 20, .jitter_ms = 10};
	struct scene c;
	size_t first;

	(void)state;
	set_up(&c, false);
	sim_all_links(c.s, &bad);
	sim_block_direct(c.s, true);
	(void)broadcast(&c, 300, 100);
	sim_all_links(c.s, &good);
	sim_block_direct(c.s, true);
	(void)broadcast(&c, 60, 100);
	until_fanned(&c);
	first = broadcast(&c, 20, 100);
	assert_int_equal(lost(&c, first), 0);
	end(&c);
}

/* It forgets all sets. */
static void the_supernode_is_restarted(void **state)
{
	struct scene c;
	size_t first;

	(void)state;
	set_up(&c, false);
	until_fanned(&c);
	for (unsigned i = 0; i < 3; i++) {
		restart_supernode(&c, 500);
		sim_run(c.s, 100);
		/* From here on nothing is lost while the sets are made anew. */
		first = broadcast(&c, 40, 53);
		assert_int_equal(lost(&c, first), 0);
		until_fanned(&c);
	}
	end(&c);
}

static void members_are_restarted(void **state)
{
	struct scene c;
	size_t first;

	(void)state;
	set_up(&c, false);
	until_fanned(&c);
	for (unsigned i = 0; i < 6; i++) {
		struct sim_node *n = c.edge[i];

		sim_stop(n, i % 2 == 0);
		(void)broadcast(&c, 5, 100);
		sim_start(n);
		assert_true(sim_until(c.s, 30000, sim_all_registered, c.s));
		assert_true(sim_until(c.s, 30000, sim_all_up, c.s));
		sim_run(c.s, 100);
		first = broadcast(&c, 60, 61);
		assert_int_equal(lost(&c, first), 0);
	}
	until_fanned(&c);
	end(&c);
}

static void keys_are_rolled(void **state)
{
	struct scene c;
	uint32_t index;
	size_t first;

	(void)state;
	set_up(&c, false);
	until_fanned(&c);
	index = of(c.edge[0])->group.key->told.index;
	first = c.s->n_frames;
	for (unsigned i = 0; i < 80; i++)
		(void)broadcast(&c, 10, 6000); /* 80 minutes */
	assert_int_not_equal(of(c.edge[0])->group.key->told.index, index);
	assert_null(of(c.edge[0])->group.next);
	assert_int_equal(lost(&c, first), 0);
	assert_int_equal(fanned(c.edge[0]), EDGES - 1);
	end(&c);
}

/* Whoever was removed opens nothing of what is broadcast afterwards, not even with the supernode.
 */
static void a_member_is_removed(void **state)
{
	struct scene c;
	struct sim_node *gone;
	uint32_t index;
	uint64_t before;
	size_t first;

	(void)state;
	set_up(&c, false);
	until_fanned(&c);
	gone = c.edge[3];
	index = of(c.edge[0])->group.key->told.index;
	assert_int_equal(
		edge_revoke_group(c.edge[0]->edge, 0, of(gone)->party.self.public, c.s->now_ms), 0);
	assert_int_not_equal(of(c.edge[0])->group.key->told.index, index);
	/* Nothing by the set, until the others have the next key. */
	assert_null(of(c.edge[0])->group.plan->set[0]);
	assert_int_equal(fanned(c.edge[0]), 0);
	before = link_word(&of(c.edge[0])->group.use->frames);
	first = broadcast(&c, 50, 100);
	assert_int_equal(lost(&c, first), 0);
	assert_int_equal(fanned(c.edge[0]), EDGES - 2);
	assert_true(link_word(&of(c.edge[0])->group.use->frames) > before);
	for (unsigned i = 0; i < LINK_GROUP_KEYS; i++) {
		const struct recv_keys *k =
			atomic_load(&sim_session(gone, c.edge[0])->link.group[i]);

		assert_true(k == NULL || k->index != of(c.edge[0])->group.key->told.index);
	}
	end(&c);
}

static void hear_refused(struct sim_node *n, uint32_t refused)
{
	const struct control_fanned m = {
		.version = of(n)->group.fan[0]->version,
		.refused = refused,
		.packets_s = GROUP_PACKETS_DEFAULT,
		.bytes_s = GROUP_BITS_DEFAULT / 8,
	};

	group_fanned(of(n), &m);
}

/* What it counted before we knew of its registration is no news. */
static void what_is_refused_is_told_as_it_happens(void **state)
{
	unsigned *told;
	struct scene c;

	(void)state;
	set_up(&c, false);
	told = &c.edge[0]->events[EVENT_BROADCAST_REFUSED];
	until_fanned(&c);
	assert_int_equal(*told, 0);
	hear_refused(c.edge[0], 3);
	assert_int_equal(*told, 1);
	sim_run(c.s, 61000);
	assert_int_equal(*told, 2); /* it is over */
	group_hop_lost(of(c.edge[0]));
	hear_refused(c.edge[0], 3);
	hear_refused(c.edge[0], 3);
	assert_int_equal(*told, 2);
	hear_refused(c.edge[0], 4);
	assert_int_equal(*told, 3);
	end(&c);
}

/*
 * Its goodbye is lost, so that the supernode has its sets still when the same process comes back as
 * the same member.
 */
static void a_community_is_joined_anew(void **state)
{
	struct scene c;
	size_t first;

	(void)state;
	set_up(&c, false);
	until_fanned(&c);
	c.cut = true;
	edge_remove_community(c.edge[0]->edge, 0, c.s->now_ms);
	sim_run(c.s, 1000);
	c.cut = false;
	assert_int_equal(edge_add_community(c.edge[0]->edge,
				 &(struct community_config){.key = &sim_key, .mtu = MTU_DEFAULT}),
		0);
	assert_true(sim_until(c.s, 30000, sim_all_up, c.s));
	sim_run(c.s, 1000);
	until_fanned(&c);
	first = broadcast(&c, 10, 100);
	assert_int_equal(lost(&c, first), 0);
	end(&c);
}

/* All of it again, after each of the three was restarted: sim_assert_clean finds a second copy. */
static void nothing_is_taken_from_a_tape(void **state)
{
	struct scene c;
	size_t first;

	(void)state;
	set_up(&c, false);
	c.recording = true;
	until_fanned(&c);
	(void)broadcast(&c, 20, 50);
	c.recording = false;
	play(&c);
	for (unsigned i = 0; i < 3; i++) {
		if (i == 2) {
			restart_supernode(&c, 500);
		} else {
			sim_stop(c.edge[i], false);
			sim_start(c.edge[i]);
		}
		assert_true(sim_until(c.s, 30000, sim_all_registered, c.s));
		assert_true(sim_until(c.s, 30000, sim_all_up, c.s));
		play(&c);
		until_fanned(&c);
		play(&c);
	}
	first = broadcast(&c, 10, 100);
	assert_int_equal(lost(&c, first), 0);
	end(&c);
}

/* Of the first edge, as its supernode has it. */
static struct member_fan *fan_of_first(struct scene *c)
{
	for (struct member *m = c->sn->supernode->members; m != NULL; m = m->hh.next)
		if (m->entry != NULL && m->entry->told.handle == of(c->edge[0])->hop.handle)
			return m->fan;
	fail_msg("the first edge is not registered");
	return NULL;
}

/*
 * Whoever has no place in the set has copies of his own, is told of once, and asked for less and
 * less often; who leaves it is not kept in it by those who wait.
 */
static void the_supernode_has_no_room(void **state)
{
	struct scene c;
	unsigned *told;
	uint32_t before, changes;
	size_t first;

	(void)state;
	set_up(&c, false);
	until_fanned(&c);
	told = &c.edge[0]->events[EVENT_FANOUT_REFUSED];
	fan_of_first(&c)->handles += FAN_HANDLES_MAX;
	sim_stop(c.edge[3], true);
	sim_run(c.s, 1000);
	fan_of_first(&c)->handles -= 2; /* as much as who left gave back, and no more */
	sim_start(c.edge[3]);
	assert_true(sim_until(c.s, 30000, sim_all_up, c.s));
	sim_run(c.s, 100);
	first = broadcast(&c, 60, 100);
	assert_int_equal(*told, 1);
	assert_int_equal(fanned(c.edge[0]), EDGES - 2);
	before = c.edge[0]->edge->fan_version;
	(void)broadcast(&c, 200, 6000); /* 20 minutes, with a new key that all in the set have */
	changes = c.edge[0]->edge->fan_version - before;
	assert_in_range(changes, 3, 10);
	assert_int_equal(*told, 1);
	fan_of_first(&c)->handles -= FAN_HANDLES_MAX - 2;
	(void)broadcast(&c, 60, 6000);
	assert_int_equal(*told, 2);
	assert_int_equal(c.edge[0]->last_event[EVENT_FANOUT_REFUSED].value, 0);
	assert_int_equal(fanned(c.edge[0]), EDGES - 1);
	assert_int_equal(lost(&c, first), 0);
	end(&c);
}

static void signed_ones_come_too(void **state)
{
	struct scene c;
	size_t first;

	(void)state;
	memset(&c, 0, sizeof(c));
	c.s = sim_create(sim_seed(), EDGES + 1);
	c.s->frame_len = FRAME_MAX; /* in halves, which are signed each */
	c.sn = sim_add_supernode(c.s);
	for (unsigned i = 0; i < EDGES; i++) {
		c.edge[i] = sim_add_edge(c.s, &sim_key, c.sn);
		c.edge[i]->setup.signed_broadcast = i == 0;
	}
	sim_block_direct(c.s, true);
	sim_start_all(c.s);
	assert_true(sim_until(c.s, 10000, sim_all_registered, c.s));
	assert_true(sim_until(c.s, 20000, sim_all_up, c.s));
	until_fanned(&c);
	assert_true(of(c.edge[0])->group.key->told.is_signed);
	first = broadcast(&c, 10, 200);
	assert_int_equal(lost(&c, first), 0);
	for (unsigned k = 0; k < EDGES; k++)
		assert_int_equal(sim_drops(c.edge[k], DROP_SIGNATURE), 0);
	/* Twice what the supernode takes: it is held back here, signatures and halves counted. */
	for (unsigned i = 0; i < 2000; i++) {
		(void)sim_broadcast(c.edge[0]);
		sim_run(c.s, 6);
	}
	assert_in_range(sim_drops(c.edge[0], DROP_STORM), 900, 1500);
	assert_int_equal(sim_drops(c.sn, DROP_GROUP_RATE), 0);
	end(&c);
}

/* As if it lost what it was told, again and again. */
static void ask_for_key(struct scene *c, struct sim_node *from, const struct sim_node *to)
{
	uint8_t buf[CONTROL_HEADER_LEN + 4];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	control_group_ask_encode(&w, &(struct control_group_ask){.index = 0});
	core_enter(&from->node->core, c->s->now_ms);
	send_control(&from->node->core, sim_session(from, to), &w);
}

static void who_asks_all_the_time_changes_little(void **state)
{
	struct scene c;
	uint32_t version;
	size_t first;

	(void)state;
	set_up(&c, false);
	until_fanned(&c);
	version = of(c.edge[0])->edge->fan_version;
	first = c.s->n_frames;
	for (unsigned i = 0; i < 1000; i++) {
		ask_for_key(&c, c.edge[1], c.edge[0]);
		if (i % 10 == 0)
			(void)sim_broadcast(c.edge[0]);
		sim_run(c.s, 10);
	}
	sim_run(c.s, 300);
	assert_int_equal(lost(&c, first), 0);
	/* In 10 s: out and in again for each of 14. */
	assert_in_range(of(c.edge[0])->edge->fan_version - version, 2, 28);
	assert_int_equal(sim_drops(c.sn, DROP_RATE), 0);
	assert_true(sim_drops(c.edge[0], DROP_RATE) > 100);
	sim_run(c.s, 2000);
	until_fanned(&c);
	end(&c);
}

static unsigned keys_of_others(struct sim_node *n)
{
	unsigned keys = 0;

	for (struct peer *p = of(n)->peers; p != NULL; p = p->hh.next)
		for (unsigned i = 0; i < LINK_GROUP_KEYS; i++)
			keys += atomic_load(&p->session->link.group[i]) != NULL;
	return keys;
}

/* Who has nothing to say any more makes no key that takes the place of the last one. */
static void old_keys_are_erased(void **state)
{
	struct scene c;
	size_t first;

	(void)state;
	set_up(&c, false);
	until_fanned(&c);
	sim_run(c.s, 24 * 3600000);
	assert_int_equal(keys_of_others(c.edge[0]), EDGES - 1);
	sim_run(c.s, 2 * 3600000);
	for (unsigned k = 0; k < EDGES; k++)
		assert_int_equal(keys_of_others(c.edge[k]), 0);
	first = broadcast(&c, 20, 100);
	assert_int_equal(lost(&c, first), 0);
	until_fanned(&c);
	end(&c);
}

/* Not even FANNED: whoever was told the key gets copies as ever. */
static void without_answers_copies_go_on(void **state)
{
	struct scene c;
	size_t first;

	(void)state;
	set_up(&c, false);
	c.mute = true;
	first = broadcast(&c, 40, 100);
	assert_int_equal(lost(&c, first), 0);
	for (unsigned k = 0; k < EDGES; k++) {
		assert_non_null(of(c.edge[k])->group.key);
		assert_int_equal(fanned(c.edge[k]), 0);
	}
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_copy_on_the_uplink),
		cmocka_unit_test(few_get_copies),
		cmocka_unit_test(direct_paths_get_copies),
		cmocka_unit_test(paths_change_all_the_time),
		cmocka_unit_test(members_turn_direct_one_by_one),
		cmocka_unit_test(on_bad_links),
		cmocka_unit_test(the_supernode_is_restarted),
		cmocka_unit_test(members_are_restarted),
		cmocka_unit_test(keys_are_rolled),
		cmocka_unit_test(a_member_is_removed),
		cmocka_unit_test(what_is_refused_is_told_as_it_happens),
		cmocka_unit_test(a_community_is_joined_anew),
		cmocka_unit_test(nothing_is_taken_from_a_tape),
		cmocka_unit_test(the_supernode_has_no_room),
		cmocka_unit_test(signed_ones_come_too),
		cmocka_unit_test(who_asks_all_the_time_changes_little),
		cmocka_unit_test(old_keys_are_erased),
		cmocka_unit_test(without_answers_copies_go_on),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
