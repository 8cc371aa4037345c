/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Views against a plain list of what is in them: whatever is put in and taken out, each look-up
 * finds what a search through the list does, and a view that was shown never changes.
 */
#include "core/view/view.h"
#include "wire_test.h"

#define N	    600
#define COMMUNITIES 2
#define VIEWS	    40
#define EDITS	    120
#define LOOKS	    2000

/* A peer as it stands in the list. */
struct entry {
	struct link *link; /* NULL: not there */
	struct port *port;
	uint32_t hop, handle; /* handle 0: none */
	unsigned community;
	uint64_t mac; /* 0: none */
};

/* Memory that was given away, kept until the end. */
struct given_away {
	struct given_away *next;
	void *memory;
	void (*destroy)(void *memory);
};

struct world {
	uint64_t seed;
	struct random rnd;
	struct view_editor e;
	struct entry entry[N];
	struct given_away *away;
	uint32_t last_id;
};

static void keep(void *ctx, void *memory, void (*destroy)(void *memory))
{
	struct world *w = ctx;
	struct given_away *g = malloc(sizeof(*g));

	assert_non_null(g);
	*g = (struct given_away){w->away, memory, destroy};
	w->away = g;
}

static void destroy_away(struct world *w)
{
	while (w->away != NULL) {
		struct given_away *g = w->away;

		w->away = g->next;
		g->destroy(g->memory);
		free(g);
	}
}

static const struct view *show(struct world *w)
{
	assert_int_equal(view_publish(&w->e, keep, w), 0);
	return w->e.shown;
}

static struct world *world_create(void)
{
	static const uint8_t key[SIPHASH_KEY_LEN] = {9}, mask[MASK_LEN] = {1};
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->seed = 5;
	w->rnd = seeded_random(&w->seed);
	assert_int_equal(view_editor_init(&w->e, key), 0);
	for (unsigned i = 0; i < COMMUNITIES; i++)
		assert_int_equal(view_add_community(&w->e, i, 7 + i, mask, NULL), 0);
	return w;
}

static void world_destroy(struct world *w)
{
	view_editor_fini(&w->e);
	destroy_away(w);
	for (unsigned i = 0; i < N; i++) {
		free(w->entry[i].link);
		free(w->entry[i].port);
	}
	free(w);
}

/* ---- the list ---- */

static const struct entry *by_mac(const struct entry *list, unsigned community, uint64_t mac)
{
	for (unsigned i = 0; i < N; i++)
		if (list[i].link != NULL && list[i].community == community && list[i].mac == mac)
			return &list[i];
	return NULL;
}

static const struct entry *by_handle(const struct entry *list, uint32_t hop, uint32_t handle)
{
	for (unsigned i = 0; i < N; i++)
		if (list[i].link != NULL && list[i].handle == handle && list[i].hop == hop)
			return &list[i];
	return NULL;
}

static const struct entry *by_id(const struct entry *list, uint32_t id)
{
	for (unsigned i = 0; i < N; i++)
		if (list[i].link != NULL && list[i].link->id == id)
			return &list[i];
	return NULL;
}

/* Few different ones, so that absent ones are near present ones. */
static uint64_t small_mac(const struct random *rnd)
{
	return UINT64_C(0x020000000000) + random_below(rnd, 32) * 256 + random_below(rnd, 256);
}

static void come(struct world *w, struct entry *e)
{
	uint64_t mac = random_below(&w->rnd, 5) > 0 ? small_mac(&w->rnd) : 0;
	uint32_t handle = random_below(&w->rnd, 4 * N);

	*e = (struct entry){.community = random_below(&w->rnd, COMMUNITIES),
		.hop = 1 + random_below(&w->rnd, 2)};
	if (mac != 0 && by_mac(w->entry, e->community, mac) == NULL)
		e->mac = mac;
	if (by_handle(w->entry, e->hop, handle) == NULL)
		e->handle = handle;
	e->link = calloc(1, sizeof(*e->link));
	assert_non_null(e->link);
	/* Ids in runs: the worst case for a table that would take them for random. */
	e->link->id = w->last_id += random_below(&w->rnd, 3) == 0 ? 1 : 4096;
	assert_int_equal(view_put_link(&w->e, e->link), 0);
	e->port = view_add_port(
		&w->e, e->community, &(struct port){.kind = PORT_LINK, .link = e->link});
	assert_non_null(e->port);
	if (e->mac != 0)
		assert_int_equal(view_put_owner(&w->e, e->community, e->mac, e->port), 0);
	if (e->handle != 0)
		assert_int_equal(view_put_handle(&w->e, e->hop, e->handle, e->link), 0);
}

static void go(struct world *w, struct entry *e)
{
	if (e->mac != 0)
		view_remove_owner(&w->e, e->community, e->mac, e->port);
	view_remove_handle(&w->e, e->hop, e->handle, e->link);
	view_remove_port(&w->e, e->community, e->port);
	view_remove_link(&w->e, e->link);
	keep(w, e->link, free);
	keep(w, e->port, free);
	*e = (struct entry){.mac = 0};
}

static void edit(struct world *w)
{
	for (unsigned i = 0; i < EDITS; i++) {
		struct entry *e = &w->entry[random_below(&w->rnd, N)];

		if (e->link == NULL)
			come(w, e);
		else
			go(w, e);
	}
}

/* ---- the comparison ---- */

static void check_look(struct world *w, const struct view *v, const struct entry *list)
{
	const struct entry *any = &list[random_below(&w->rnd, N)];
	uint32_t id = any->link != NULL && random_below(&w->rnd, 2) > 0
			      ? any->link->id
			      : 1 + random_below(&w->rnd, w->last_id);
	uint32_t hop = 1 + random_below(&w->rnd, 3), handle = random_below(&w->rnd, 4 * N + 2);
	unsigned community = random_below(&w->rnd, COMMUNITIES);
	uint64_t mac = small_mac(&w->rnd);
	const struct entry *e = by_id(list, id);

	assert_ptr_equal(view_link(v, id), e != NULL ? e->link : NULL);
	e = handle != 0 ? by_handle(list, hop, handle) : NULL;
	assert_ptr_equal(view_handle(v, hop, handle), e != NULL ? e->link : NULL);
	e = by_mac(list, community, mac);
	assert_ptr_equal(view_owner(v, community, mac), e != NULL ? e->port : NULL);
	assert_ptr_equal(view_port(v, community, mac), e != NULL ? e->port : &port_all);
}

/* Every port of the list, once, under its number, and nothing else. */
static void check_ports(const struct view *v, const struct entry *list)
{
	uint32_t count[COMMUNITIES] = {0};

	for (unsigned i = 0; i < N; i++) {
		const struct entry *e = &list[i];

		if (e->link == NULL)
			continue;
		count[e->community]++;
		assert_ptr_equal(
			port_find(v->community[e->community].ports, e->port->number), e->port);
		assert_ptr_equal(e->port->link, e->link);
	}
	for (unsigned i = 0; i < COMMUNITIES; i++)
		assert_int_equal(v->community[i].ports->count, count[i]);
}

static void a_view_finds_what_is_there_and_nothing_else(void **state)
{
	struct world *w = world_create();
	static struct entry before[N];

	(void)state;
	for (unsigned round = 0; round < VIEWS; round++) {
		const struct view *older, *newer;

		edit(w);
		older = show(w);
		memcpy(before, w->entry, sizeof(before));
		edit(w);
		newer = show(w);
		assert_ptr_not_equal(older, newer);
		for (unsigned i = 0; i < LOOKS; i++) {
			check_look(w, newer, w->entry);
			check_look(w, older, before); /* as it was when it was shown */
		}
		check_ports(newer, w->entry);
		check_ports(older, before);
		/* As after a grace period; numbers of ports are used again. */
		destroy_away(w);
	}
	world_destroy(w);
}

static void nothing_changed_makes_no_view(void **state)
{
	struct link l = {.id = 4}, unknown = {.id = 8};
	struct world *w = world_create();
	const struct view *v = show(w);

	(void)state;
	assert_ptr_equal(show(w), v);
	assert_null(w->away);
	assert_int_equal(view_put_link(&w->e, &l), 0);
	assert_null(view_link(v, 4));
	view_remove_link(&w->e, &unknown);
	assert_ptr_not_equal(show(w), v);
	v = w->e.shown;
	assert_ptr_equal(view_link(v, 4), &l);
	view_remove_link(&w->e, &unknown);
	view_remove_handle(&w->e, 1, 1, &l);
	assert_ptr_equal(show(w), v);
	world_destroy(w);
}

/* Somebody else has it by now: the former owner's word counts no more. */
static void what_was_replaced_is_not_taken_away(void **state)
{
	struct link one = {.id = 4}, two = {.id = 8};
	struct world *w = world_create();
	struct port *p = view_add_port(&w->e, 0, &(struct port){.kind = PORT_LINK, .link = &one});
	struct port *q = view_add_port(&w->e, 0, &(struct port){.kind = PORT_LINK, .link = &two});
	const struct view *v;

	(void)state;
	assert_true(p != NULL && q != NULL && p->number != q->number && p->number != PORT_FLOOD);
	assert_int_equal(view_put_handle(&w->e, 1, 77, &one), 0);
	assert_int_equal(view_put_handle(&w->e, 1, 77, &two), 0);
	view_remove_handle(&w->e, 1, 77, &one);
	assert_int_equal(view_put_owner(&w->e, 0, 0x02, p), 0);
	assert_int_equal(view_put_owner(&w->e, 0, 0x02, q), 0);
	view_remove_owner(&w->e, 0, 0x02, p);
	v = show(w);
	assert_ptr_equal(view_handle(v, 1, 77), &two);
	assert_null(view_handle(v, 2, 77));
	assert_ptr_equal(view_owner(v, 0, 0x02), q);
	assert_null(view_owner(v, 1, 0x02));
	view_remove_handle(&w->e, 1, 77, &two);
	view_remove_owner(&w->e, 0, 0x02, q);
	v = show(w);
	assert_null(view_handle(v, 1, 77));
	assert_null(view_owner(v, 0, 0x02));
	world_destroy(w);
	free(p);
	free(q);
}

/* Before it is shown: an owner's address leads to it alone, a learned one to where it was heard. */
static void addresses_lead_where_the_draft_says(void **state)
{
	static const uint8_t mask[MASK_LEN] = {2}, key[FDB_KEY_LEN] = {3};
	struct link one = {.id = 4}, two = {.id = 8};
	struct fdb *fdb = fdb_create(64, key);
	struct world *w = world_create();
	struct view_editor *e = &w->e;
	struct port *p, *q;

	(void)state;
	assert_int_equal(view_add_community(e, 5, 1, mask, fdb), 0);
	p = view_add_port(e, 5, &(struct port){.kind = PORT_LINK, .link = &one});
	q = view_add_port(e, 5, &(struct port){.kind = PORT_LINK, .link = &two});
	assert_true(view_leads_to(e, 5, 0x02, p) && view_leads_to(e, 5, 0x02, q));
	assert_int_equal(view_put_owner(e, 5, 0x02, p), 0);
	assert_true(view_leads_to(e, 5, 0x02, p) && !view_leads_to(e, 5, 0x02, q));
	assert_int_equal(view_put_owner(e, 5, 0x02, &port_nobody), 0);
	assert_true(!view_leads_to(e, 5, 0x02, p) && !view_leads_to(e, 5, 0x02, q));
	fdb_learn(fdb, 0x03, q->number, 0);
	assert_true(!view_leads_to(e, 5, 0x03, p) && view_leads_to(e, 5, 0x03, q));
	assert_true(view_leads_to(e, 5, UINT64_C(0xffffffffffff), p));
	view_remove_port(e, 5, q);
	assert_true(view_leads_to(e, 5, 0x03, p));
	fdb_learn(fdb, 0x04, PORT_HERE, 0);
	assert_false(view_leads_to(e, 5, 0x04, p));
	view_remove_community(e, 5, keep, w);
	world_destroy(w);
	fdb_destroy(fdb);
	free(p);
	free(q);
}

static void group_addresses_lead_to_everybody(void **state)
{
	static const uint64_t groups[] = {UINT64_C(0xffffffffffff), UINT64_C(0x01005e000001),
		UINT64_C(0x333300000001), UINT64_C(0x030000000000)};
	struct link l = {.id = 4};
	struct world *w = world_create();
	struct port *p = view_add_port(&w->e, 0, &(struct port){.kind = PORT_LINK, .link = &l});

	(void)state;
	assert_non_null(p);
	/* Even if somebody claims them. */
	for (unsigned i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		assert_int_equal(view_put_owner(&w->e, 0, groups[i], p), 0);
		assert_ptr_equal(view_port(show(w), 0, groups[i]), &port_all);
	}
	world_destroy(w);
	free(p);
}

static void learned_addresses_lead_to_ports_unless_somebody_owns_them(void **state)
{
	static const uint8_t mask[MASK_LEN] = {2}, key[FDB_KEY_LEN] = {3};
	struct link one = {.id = 4}, two = {.id = 8};
	struct world *w = world_create();
	struct fdb *fdb = fdb_create(64, key);
	struct port *p, *q;
	const struct view *v;

	(void)state;
	assert_non_null(fdb);
	assert_int_equal(view_add_community(&w->e, 2, 9, mask, fdb), 0);
	p = view_add_port(&w->e, 2, &(struct port){.kind = PORT_LINK, .link = &one});
	q = view_add_port(&w->e, 2, &(struct port){.kind = PORT_LINK, .link = &two});
	assert_true(p != NULL && q != NULL);
	v = show(w);
	assert_ptr_equal(view_port(v, 2, 0x02), &port_all);
	fdb_learn(fdb, 0x02, p->number, 0);
	assert_ptr_equal(view_port(v, 2, 0x02), p);
	assert_int_equal(view_put_owner(&w->e, 2, 0x02, q), 0);
	v = show(w);
	assert_ptr_equal(view_port(v, 2, 0x02), q);
	view_remove_owner(&w->e, 2, 0x02, q);
	view_remove_port(&w->e, 2, p);
	v = show(w);
	/* What was learned of a port that is gone is as good as nothing. */
	assert_ptr_equal(view_port(v, 2, 0x02), &port_all);
	world_destroy(w);
	fdb_destroy(fdb);
	free(p);
	free(q);
}

static void a_community_comes_and_goes_with_what_it_has(void **state)
{
	static const uint8_t mask[MASK_LEN] = {2};
	struct link l = {.id = 4};
	struct world *w = world_create();
	struct port *p;
	const struct view *v, *with;

	(void)state;
	v = show(w);
	assert_int_equal(v->n_communities, COMMUNITIES);
	assert_int_equal(view_add_community(&w->e, 4, 11, mask, NULL), 0);
	p = view_add_port(&w->e, 4, &(struct port){.kind = PORT_LINK, .link = &l});
	assert_non_null(p);
	assert_int_equal(view_put_owner(&w->e, 4, 0x02, p), 0);
	with = show(w);
	assert_int_equal(with->n_communities, 5);
	assert_int_equal(with->community[3].generation, 0);
	assert_int_equal(with->community[4].generation, 11);
	assert_memory_equal(with->community[4].mask, mask, MASK_LEN);
	assert_ptr_equal(view_owner(with, 4, 0x02), p);
	view_remove_community(&w->e, 4, keep, w);
	v = show(w);
	assert_int_equal(v->n_communities, COMMUNITIES);
	assert_int_equal(v->community[4].generation, 0);
	/* Who still has the view before finds all of it. */
	assert_ptr_equal(view_owner(with, 4, 0x02), p);
	assert_ptr_equal(port_find(with->community[4].ports, p->number), p);
	/* Another one in its place has nothing of it. */
	assert_int_equal(view_add_community(&w->e, 4, 12, mask, NULL), 0);
	v = show(w);
	assert_null(view_owner(v, 4, 0x02));
	assert_int_equal(v->community[4].ports->count, 0);
	world_destroy(w);
	free(p);
}

/* By what carries it as well as by its address; from which of our addresses does not matter. */
static void supernodes_are_known_by_their_way(void **state)
{
	const struct way it = {.remote = {{1}, 1}}, other = {.remote = {{1}, 2}};
	const struct way here = {.remote = {{1}, 1}, .local = {{2}, 2}};
	const struct way by_another = {.carrier = 1, .remote = {{1}, 1}};
	struct world *w = world_create();
	const struct view *v = show(w);

	(void)state;
	assert_false(view_is_supernode(v, &it));
	w->e.doors.hop[w->e.doors.n_hops++].way = it;
	w->e.changed = true;
	assert_false(view_is_supernode(v, &it));
	v = show(w);
	assert_true(view_is_supernode(v, &it));
	assert_true(view_is_supernode(v, &here));
	assert_false(view_is_supernode(v, &other));
	assert_false(view_is_supernode(v, &by_another));
	world_destroy(w);
}

static void an_empty_editor_shows_an_empty_view(void **state)
{
	static const uint8_t key[SIPHASH_KEY_LEN] = {9};
	struct view_editor e;

	(void)state;
	assert_int_equal(view_editor_init(&e, key), 0);
	assert_int_equal(view_publish(&e, NULL, NULL), 0);
	assert_null(view_link(e.shown, 0));
	assert_null(view_handle(e.shown, 0, 0));
	assert_int_equal(e.shown->n_communities, 0);
	view_editor_fini(&e);
	memset(&e, 0, sizeof(e));
	view_editor_fini(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_view_finds_what_is_there_and_nothing_else),
		cmocka_unit_test(nothing_changed_makes_no_view),
		cmocka_unit_test(what_was_replaced_is_not_taken_away),
		cmocka_unit_test(addresses_lead_where_the_draft_says),
		cmocka_unit_test(group_addresses_lead_to_everybody),
		cmocka_unit_test(learned_addresses_lead_to_ports_unless_somebody_owns_them),
		cmocka_unit_test(a_community_comes_and_goes_with_what_it_has),
		cmocka_unit_test(supernodes_are_known_by_their_way),
		cmocka_unit_test(an_empty_editor_shows_an_empty_view),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
