/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Communities that come and go while the process runs, under traffic. Each frame names the
 * community that it was sent in; what comes out anywhere must be of the community whose interface
 * is handed it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "core/supernode/supernode_state.h"
#include "sim.h"

#include <cmocka.h>

#define ETHERTYPE 0x88b5u
#define NAME_AT	  14 /* in a frame */
#define LEN	  100
#define ROUNDS	  12

struct world {
	struct sim *s;
	struct sim_node *a, *b;
	uint32_t name[2][COMMUNITIES_MAX]; /* of what has this index, at a and b; 0: nothing */
	unsigned long came;
};

static struct community_key key_of(uint32_t name)
{
	struct community_key k = {.id = {9}, .key = {9}};

	store_be32(k.id + 4, name);
	store_be32(k.key + 4, name);
	return k;
}

static bool on_interface(void *ctx, struct sim_node *at, const struct joined *j)
{
	struct world *w = ctx;
	uint32_t name;

	assert_int_equal(j->n_pieces, 1);
	if (j->piece[0].len != LEN)
		return true; /* a frame of the simulator's own, of community 0 */
	name = load_be32((const uint8_t *)j->piece[0].data + NAME_AT);
	assert_true(name != 0);
	assert_int_equal(name, w->name[at == w->b][at->community]);
	w->came++;
	return false;
}

static void set_up(struct world *w)
{
	struct sim_node *sn;

	memset(w, 0, sizeof(*w));
	w->s = sim_create(sim_seed(), 3);
	sn = sim_add_supernode(w->s);
	w->a = sim_add_edge(w->s, &sim_key, sn);
	w->b = sim_add_edge(w->s, &sim_key, sn);
	w->s->interface = on_interface;
	w->s->interface_ctx = w;
	sim_start_all(w->s);
	assert_true(sim_until(w->s, 5000, sim_all_up, w->s));
}

static int add(struct world *w, struct sim_node *n, uint32_t name)
{
	struct community_key key = key_of(name);
	int index = edge_add_community(
		n->edge, &(struct community_config){.key = &key, .mtu = MTU_DEFAULT});

	assert_true(index > 0 && index < COMMUNITIES_MAX);
	assert_int_equal(w->name[n == w->b][index], 0);
	w->name[n == w->b][index] = name;
	return index;
}

static void leave(struct world *w, struct sim_node *n, int index)
{
	edge_remove_community(n->edge, (unsigned)index, w->s->now_ms);
	w->name[n == w->b][index] = 0;
}

/* From the interface of one community to everybody there. */
static void shout(struct world *w, struct sim_node *from, int index, uint32_t name)
{
	uint8_t slot[SLOT_LEN];
	struct frame f = {.data = slot + SLOT_HEADROOM, .len = LEN};
	struct mac own = {{2}};

	(void)w;
	if (from->edge->community[index] != NULL)
		own = edge_mac(from->edge, (unsigned)index);
	memset(f.data, 0xff, 6);
	memcpy(f.data + 6, own.b, 6);
	store_be16(f.data + 12, ETHERTYPE);
	memset(f.data + NAME_AT, 0, LEN - NAME_AT);
	store_be32(f.data + NAME_AT, name);
	sim_frames_from(from, (unsigned)index, &f, 1);
}

static void communities_come_and_go_under_traffic(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		int at_a = add(&w, w.a, round), at_b = add(&w, w.b, round);
		size_t first = w.s->n_frames;
		unsigned long before;

		sim_run(w.s, 3000);
		before = w.came;
		for (unsigned i = 0; i < 20; i++) {
			shout(&w, w.a, at_a, round);
			shout(&w, w.b, at_b, round);
			sim_send(w.a, w.b);
			sim_send(w.b, w.a);
			sim_run(w.s, 5);
		}
		sim_run(w.s, 200);
		assert_int_equal(w.came, before + 40);
		/* Frames of it are under way when one side leaves, and go on coming to it. */
		for (unsigned i = 0; i < 20; i++) {
			shout(&w, w.b, at_b, round);
			if (i == 10)
				leave(&w, w.a, at_a);
			if (i > 10)
				shout(&w, w.a, at_a, round);
			sim_send(w.b, w.a);
			sim_run(w.s, 3);
		}
		leave(&w, w.b, at_b);
		sim_run(w.s, 300);
		assert_int_equal(sim_missing(w.s, first), 0);
	}
	assert_int_equal(HASH_COUNT(w.a->node->core.sessions), 2); /* a peer and a hop */
	sim_assert_clean(w.s);
	sim_destroy(w.s);
}

static void an_index_rests_before_it_is_used_again(void **state)
{
	struct world w;
	int first, second, third;

	(void)state;
	set_up(&w);
	first = add(&w, w.a, 1);
	sim_run(w.s, 1000);
	leave(&w, w.a, first);
	/* Workers may have a view with it. */
	second = add(&w, w.a, 2);
	assert_int_not_equal(first, second);
	sim_run(w.s, 1000);
	third = add(&w, w.a, 3);
	assert_int_equal(third, first);
	sim_destroy(w.s);
}

static void an_index_rests_until_the_queues_are_empty(void **state)
{
	struct world w;
	struct retired *list;
	int first;

	(void)state;
	set_up(&w);
	first = add(&w, w.a, 1);
	sim_run(w.s, 1000);
	leave(&w, w.a, first);
	/* The grace period ends, and notes may still be on their way. */
	assert_non_null(node_view_changed(w.a->node));
	list = core_take_retired(&w.a->node->core);
	w.a->view = w.a->node->core.view.shown;
	retired_destroy(list);
	assert_int_equal(w.a->edge->slot[first].state, SLOT_DRAINING);
	assert_int_not_equal(add(&w, w.a, 2), first);
	edge_drained(w.a->edge);
	assert_int_equal(add(&w, w.a, 3), first);
	sim_destroy(w.s);
}

/* The worst case: the note was left for one community and taken when another has its index. */
static void a_late_note_finds_nobody(void **state)
{
	struct world w;
	static struct note late;
	uint32_t generation;
	uint64_t sent, drops;
	int first;

	(void)state;
	set_up(&w);
	first = add(&w, w.a, 1);
	(void)add(&w, w.b, 1);
	(void)add(&w, w.b, 2);
	sim_run(w.s, 3000);
	generation = w.a->edge->community[first]->generation;
	leave(&w, w.a, first);
	sim_run(w.s, 1000);
	assert_int_equal(add(&w, w.a, 2), first);
	sim_run(w.s, 3000);
	assert_true(w.a->edge->community[first]->generation > generation);

	late = (struct note){
		.kind = NOTE_FRAME,
		.to = {.community = (uint8_t)first, .generation = generation},
		.len = LEN,
	};
	memset(late.data, 0xff, 6);
	sent = w.s->datagrams;
	drops = sim_drops(w.a, DROP_NO_PEER);
	node_note(w.a->node, &late, w.s->now_ms);
	assert_int_equal(w.s->datagrams, sent);
	assert_int_equal(sim_drops(w.a, DROP_NO_PEER), drops + 1);
	assert_int_equal(w.a->node->core.waiting.n, 0);
	sim_destroy(w.s);
}

static void as_many_as_there_are_indexes(void **state)
{
	struct community_key key;
	struct world w;

	(void)state;
	set_up(&w);
	for (uint32_t i = 1; i < COMMUNITIES_MAX; i++)
		(void)add(&w, w.a, i);
	key = key_of(COMMUNITIES_MAX);
	assert_int_equal(
		edge_add_community(w.a->edge, &(struct community_config){.key = &key, .mtu = 1400}),
		N2N_ENOSPC);
	sim_run(w.s, 5000);
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		assert_true(hop_is_up(w.a->edge->community[i]));
	for (int i = 1; i < COMMUNITIES_MAX; i++)
		leave(&w, w.a, i);
	sim_run(w.s, 1000);
	assert_true(add(&w, w.a, 99) > 0);
	sim_destroy(w.s);
}

/* Each frame is of another community than the last, in two orders. */
static void all_take_turns(struct world *w)
{
	unsigned long before = w->came;

	for (unsigned i = 0; i < 4 * COMMUNITIES_MAX; i++) {
		unsigned turn = (i % 2 == 0 ? i : 5 * i) % COMMUNITIES_MAX;

		if (w->name[0][turn] == 0)
			continue;
		shout(w, w->a, (int)turn, w->name[0][turn]);
		shout(w, w->b, (int)turn, w->name[1][turn]);
		before += 2;
		if (i % 3 == 0)
			sim_run(w->s, 20);
	}
	sim_run(w->s, 200);
	assert_int_equal(w->came, before);
	sim_assert_clean(w->s);
}

/* Until each has come once. */
static bool all_meet(void *world)
{
	struct world *w = world;

	for (unsigned i = 1; i < COMMUNITIES_MAX; i++) {
		const struct community *a = w->a->edge->community[i], *b = w->b->edge->community[i];

		if (a == NULL || b == NULL || !hop_is_up(a) || !hop_is_up(b) ||
			w->a->view->community[i].ports->count == 0 ||
			w->b->view->community[i].ports->count == 0)
			return false;
	}
	return true;
}

/*
 * Sixteen between the same two edges, whose datagrams come from one address: whichever was found
 * last, the next one is found, also when the last of them has just gone.
 */
static void take_turns(bool relayed)
{
	struct world w;

	set_up(&w);
	sim_block_direct(w.s, relayed);
	w.s->batch = BATCH_MAX;
	for (uint32_t i = 1; i < COMMUNITIES_MAX; i++)
		assert_int_equal(add(&w, w.a, i), add(&w, w.b, i));
	assert_true(sim_until(w.s, 20000, all_meet, &w));
	sim_run(w.s, 5000);
	all_take_turns(&w);
	for (int last = COMMUNITIES_MAX - 1; last > 12; last--) {
		shout(&w, w.a, last, w.name[0][last]);
		shout(&w, w.b, last, w.name[1][last]);
		sim_run(w.s, 200);
		leave(&w, w.a, last);
		leave(&w, w.b, last);
		sim_run(w.s, 100);
		all_take_turns(&w);
	}
	sim_destroy(w.s);
}

static void sixteen_take_turns(void **state)
{
	(void)state;
	take_turns(false);
	take_turns(true);
}

#define HOPS 3 /* communities at each of two supernodes */

struct name {
	uint8_t mask[MASK_LEN];
	uint32_t hop_incarnation, incarnation;
};

/* What a supernode knows its members by; the same order each time. */
static unsigned names_of(const struct sim_node *sn, struct name out[HOPS])
{
	const struct supernode *s = sn->supernode;
	unsigned n = 0;

	for (const struct member *m = s->members; m != NULL; m = m->hh.next) {
		assert_true(n < HOPS && m->entry != NULL && m->session->mask_known);
		memcpy(out[n].mask, m->session->mask, MASK_LEN);
		out[n].hop_incarnation = m->session->incarnation;
		out[n++].incarnation = m->entry->told.incarnation;
	}
	return n;
}

/* One device in three communities, first at one supernode, then at another. */
static void no_two_hops_show_the_same_device(void **state)
{
	struct sim *s = sim_create(sim_seed(), 3);
	struct sim_node *first = sim_add_supernode(s), *second = sim_add_supernode(s), *a;
	struct name name[2 * HOPS];
	struct community_key key;

	(void)state;
	a = sim_add_edge(s, &sim_key, first);
	sim_use_supernode(a, second);
	sim_start_all(s);
	for (uint32_t i = 1; i < HOPS; i++) {
		key = key_of(i);
		assert_true(edge_add_community(a->edge,
				    &(struct community_config){.key = &key, .mtu = 1400}) > 0);
	}
	sim_run(s, 3000);
	assert_int_equal(names_of(first, name), HOPS);
	sim_block(s, a, first, true);
	sim_run(s, 30000);
	assert_int_equal(names_of(second, name + HOPS), HOPS);
	for (unsigned i = 0; i < 2 * HOPS; i++) {
		for (unsigned k = 0; k < i; k++) {
			assert_memory_not_equal(name[i].mask, name[k].mask, MASK_LEN);
			assert_int_not_equal(name[i].hop_incarnation, name[k].hop_incarnation);
			/* Of the same community it is the same: its static tells that, too. */
			if (i / HOPS == k / HOPS)
				assert_int_not_equal(name[i].incarnation, name[k].incarnation);
			assert_int_not_equal(name[i].incarnation, name[k].hop_incarnation);
			assert_int_not_equal(name[k].incarnation, name[i].hop_incarnation);
		}
	}
	sim_destroy(s);
}

/* ---- what may change of a community ---- */

static int add_as(struct world *w, struct sim_node *n, uint8_t device)
{
	const struct community_key key = key_of(77);
	const uint8_t seed[SEED_LEN] = {device};
	int index = edge_add_community(
		n->edge, &(struct community_config){.key = &key, .seed = seed, .mtu = MTU_DEFAULT});

	(void)w;
	assert_true(index > 0);
	return index;
}

static struct peer *peer_at(struct sim_node *n, int index)
{
	struct peer *p = n->edge->community[index]->peers;

	assert_non_null(p);
	assert_null(p->hh.next);
	return p;
}

/* Whatever process it is in: two that move into one file, or out of it, stay who they are. */
static void a_community_has_the_identity_of_its_own_seed(void **state)
{
	const uint8_t seed[SEED_LEN] = {5};
	const struct community_key key = key_of(77);
	struct party alone;
	struct world w;
	int at_a, at_b;

	(void)state;
	set_up(&w);
	/* Whose identities at the supernode came of the process would be one and the same. */
	memcpy(w.b->edge->seed, w.a->edge->seed, SEED_LEN);
	at_a = add_as(&w, w.a, 5);
	at_b = add_as(&w, w.b, 6);
	sim_run(w.s, 5000);
	party_init_key(&alone, &key, seed);
	assert_memory_equal(
		w.a->edge->community[at_a]->party.self.public, alone.self.public, KEY_LEN);
	assert_true(peer_at(w.a, at_a)->up && peer_at(w.b, at_b)->up);
	sim_destroy(w.s);
}

static bool take_all(void *ctx, struct sim_node *at, const struct joined *j)
{
	(void)ctx, (void)at, (void)j;
	return false; /* where addresses are by now is announced at the interface */
}

static void addresses_and_trust_change_at_once(void **state)
{
	const struct claim_address before = {.ip = {[10] = 0xff, 0xff, 10, 1, 2, 1}, .prefix = 24},
				   after[] = {
					   {.ip = {[10] = 0xff, 0xff, 10, 1, 2, 7}, .prefix = 24},
					   {.ip = {0xfd, [15] = 7}, .prefix = 64}};
	struct trusted nobody = {.roles = ROLE_DHCP};
	struct world w;
	int at_a, at_b;

	(void)state;
	set_up(&w);
	w.s->interface = take_all;
	at_a = add_as(&w, w.a, 5);
	at_b = add_as(&w, w.b, 6);
	w.a->edge->community[at_a]->roles = ROLE_DHCP;
	assert_int_equal(edge_set_addresses(w.a->edge, (unsigned)at_a, &before, 1, w.s->now_ms), 0);
	sim_run(w.s, 5000);
	assert_int_equal(peer_at(w.b, at_b)->claim.n, 1);
	assert_true(link_has_role(&peer_at(w.b, at_b)->session->link, ROLE_DHCP));

	assert_int_equal(edge_set_addresses(w.a->edge, (unsigned)at_a, after, 2, w.s->now_ms), 0);
	sim_run(w.s, 3000);
	assert_int_equal(peer_at(w.b, at_b)->claim.n, 2);
	assert_memory_equal(peer_at(w.b, at_b)->claim.address, after, sizeof(after));

	/* The one that we gave up is who claims it: until then frames for it went to nobody. */
	assert_int_equal(edge_set_addresses(w.b->edge, (unsigned)at_b, &before, 1, w.s->now_ms), 0);
	sim_run(w.s, 3000);
	assert_ptr_equal(view_ip_owner(w.a->node->core.view.shown, (unsigned)at_a,
				 view_ip_key(w.a->node->core.view.hash_key, before.ip)),
		peer_at(w.a, at_a)->port);

	edge_set_trusted(w.b->edge, (unsigned)at_b, &nobody, 1, w.s->now_ms);
	assert_false(link_has_role(&peer_at(w.b, at_b)->session->link, ROLE_DHCP));
	edge_set_trusted(w.b->edge, (unsigned)at_b, NULL, 0, w.s->now_ms);
	assert_true(link_has_role(&peer_at(w.b, at_b)->session->link, ROLE_DHCP));
	sim_destroy(w.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(communities_come_and_go_under_traffic),
		cmocka_unit_test(an_index_rests_before_it_is_used_again),
		cmocka_unit_test(an_index_rests_until_the_queues_are_empty),
		cmocka_unit_test(a_late_note_finds_nobody),
		cmocka_unit_test(as_many_as_there_are_indexes),
		cmocka_unit_test(sixteen_take_turns),
		cmocka_unit_test(no_two_hops_show_the_same_device),
		cmocka_unit_test(a_community_has_the_identity_of_its_own_seed),
		cmocka_unit_test(addresses_and_trust_change_at_once),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
