/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The registry of a supernode. Whatever comes, goes, restarts and gets lost: when all is quiet
 * again each member's picture of its community is the registry's.
 */
#include "core/supernode/supernode_state.h"
#include "core_test.h"

#define EDGES_MAX   60
#define FLIGHT_MAX  8
#define COMMUNITIES 2

/* An edge's picture of one other. */
struct seen {
	bool listed, marked;
	uint32_t handle, incarnation;
};

struct page {
	uint32_t seq;
	struct control_roster roster;
};

/* A model of an edge after PROTOCOL.md 8.2, and its registration. */
struct edge_model {
	struct member *m; /* NULL: not registered */
	unsigned community;
	uint32_t incarnation;
	uint64_t version;
	bool collecting;
	uint32_t rx_seq;
	bool deaf;
	struct seen seen[EDGES_MAX];
	unsigned n_pages, n_acks;
	struct page page[FLIGHT_MAX]; /* on their way, in no order */
	uint32_t ack[FLIGHT_MAX];
};

struct world {
	struct rig rig; /* for its randomness and sinks; its node is not used */
	struct supernode *sn;
	unsigned n;
	struct edge_model edge[EDGES_MAX];
	unsigned departures;
};

static void init(struct world *w, unsigned n, uint64_t seed)
{
	struct supernode_config c = {.node = {.nworkers = 1, .embryos = 4}, .secret = {1}};

	memset(w, 0, sizeof(*w));
	w->rig.seed = seed;
	w->n = n;
	c.node.io = (struct node_io){
		&w->rig, rig_send, rig_deliver, rig_event, seeded_random(&w->rig.seed)};
	w->sn = supernode_create(&c);
	assert_non_null(w->sn);
}

static uint32_t below(struct world *w, uint32_t bound)
{
	return random_below(&w->sn->node.io.random, bound);
}

static struct control_register registration(const struct edge_model *e, unsigned number)
{
	struct control_register r = {.incarnation = e->incarnation, .roster_version = e->version};

	r.tag[0] = (uint8_t)(1 + e->community);
	r.static_public[0] = (uint8_t)number;
	r.static_public[1] = 1;
	return r;
}

static void enter(struct world *w, unsigned number)
{
	struct edge_model *e = &w->edge[number];
	const struct control_register r = registration(e, number);
	const uint8_t remote[KEY_LEN] = {(uint8_t)number, 2};

	if (e->m == NULL)
		e->m = member_create(w->sn, remote);
	assert_non_null(e->m);
	assert_int_equal(member_register(w->sn, e->m, &r), REGISTER_OK);
	assert_int_not_equal(e->m->entry.handle, 0);
}

/* The registration ends; the edge may not know, and keeps what it has. */
static void leave(struct world *w, unsigned number)
{
	member_remove(w->sn, w->edge[number].m);
	w->edge[number].m = NULL;
	w->edge[number].n_pages = w->edge[number].n_acks = 0;
	w->departures++;
}

static void forget(struct world *w, unsigned number)
{
	struct edge_model *e = &w->edge[number];

	memset(e->seen, 0, sizeof(e->seen));
	e->version = 0;
	e->collecting = false;
	e->rx_seq = 0;
	e->incarnation = random_u32(&w->sn->node.io.random);
}

static void restart(struct world *w, unsigned number)
{
	member_unregister(w->sn, w->edge[number].m);
	w->departures++;
	forget(w, number);
	enter(w, number);
}

/* ---- the edge's side ---- */

static void apply_entries(struct edge_model *e, const struct control_roster *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		const struct roster_entry *r = &p->entry[i];
		struct seen *s = &e->seen[r->static_public[0]];

		if (!r->gone)
			*s = (struct seen){true, true, r->handle, r->incarnation};
		else if (s->handle == r->handle)
			s->listed = false;
	}
}

static void apply(struct world *w, unsigned number, const struct control_roster *p)
{
	struct edge_model *e = &w->edge[number];
	bool anew = p->base == 0;

	assert_true(p->version > p->base && p->n <= ROSTER_PAGE_MAX);
	if (!anew && p->version >> 32 == e->version >> 32 && p->version <= e->version)
		return;
	if (!anew && (p->base >> 32 != e->version >> 32 || p->base > e->version)) {
		enter(w, number);
		return;
	}
	if (anew) {
		for (unsigned i = 0; i < w->n; i++)
			e->seen[i].marked = false;
		e->collecting = true;
	}
	apply_entries(e, p);
	e->version = p->version;
	if (!p->last || !e->collecting)
		return;
	e->collecting = false;
	for (unsigned i = 0; i < w->n; i++)
		e->seen[i].listed = e->seen[i].listed && e->seen[i].marked;
}

/* ---- between them ---- */

/* The supernode sends the page that is due, as control.c would. */
static bool transmit(struct edge_model *e)
{
	struct outgoing *o = &e->m->session->out[CONTROL_ROSTER];
	struct page p = {.seq = o->seq};

	if (o->seq == 0)
		return false;
	if (!member_page(e->m, &p.roster)) {
		o->seq = 0;
		return false;
	}
	if (e->n_pages == FLIGHT_MAX)
		e->n_pages--;
	e->page[e->n_pages++] = p;
	return true;
}

static void receive(struct world *w, unsigned number, bool again)
{
	struct edge_model *e = &w->edge[number];
	unsigned i;

	if (e->n_pages == 0)
		return;
	i = below(w, e->n_pages);
	const struct page p = e->page[i];

	if (!again)
		e->page[i] = e->page[--e->n_pages];
	if (e->n_acks < FLIGHT_MAX)
		e->ack[e->n_acks++] = p.seq;
	if (p.seq < e->rx_seq)
		return;
	e->rx_seq = p.seq;
	apply(w, number, &p.roster);
}

static void acknowledge(struct world *w, struct edge_model *e)
{
	struct outgoing *o = &e->m->session->out[CONTROL_ROSTER];

	if (e->n_acks == 0)
		return;
	if (o->seq != 0 && o->seq == e->ack[--e->n_acks]) {
		o->seq = 0;
		member_took_page(w->sn, e->m);
	}
}

static void settle(struct world *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		struct edge_model *e = &w->edge[i];

		while (e->m != NULL && (e->n_pages > 0 || transmit(e))) {
			receive(w, i, false);
			acknowledge(w, e);
		}
	}
}

/* ---- the comparison ---- */

static void check_edge(const struct world *w, unsigned number)
{
	const struct edge_model *e = &w->edge[number];

	assert_int_equal(e->version, e->m->community->version);
	assert_false(e->collecting);
	for (unsigned i = 0; i < w->n; i++) {
		const struct edge_model *other = &w->edge[i];
		bool there = i != number && other->m != NULL && other->m->community != NULL &&
			     other->community == e->community;

		assert_int_equal(e->seen[i].listed, there);
		if (!there)
			continue;
		assert_int_equal(e->seen[i].handle, other->m->entry.handle);
		assert_int_equal(e->seen[i].incarnation, other->incarnation);
	}
}

static void check(const struct world *w)
{
	unsigned present[COMMUNITIES] = {0}, communities = 0;

	for (unsigned i = 0; i < w->n; i++) {
		if (w->edge[i].m == NULL)
			continue;
		check_edge(w, i);
		communities += present[w->edge[i].community]++ == 0;
	}
	assert_int_equal(HASH_COUNT(w->sn->communities), communities);
	for (const struct registry_community *c = w->sn->communities; c != NULL; c = c->hh.next)
		assert_int_equal(c->n_members, present[c->tag[0] - 1]);
}

static void come_and_go(struct world *w, unsigned number)
{
	struct edge_model *e = &w->edge[number];

	if (e->m == NULL) {
		if (below(w, 2) == 0)
			forget(w, number);
		enter(w, number);
		return;
	}
	switch (below(w, 6)) {
	case 0:
		e->community = below(w, COMMUNITIES); /* what it had is of no use there */
		forget(w, number);
		enter(w, number);
		break;
	case 1:
		restart(w, number);
		break;
	case 2:
		enter(w, number); /* a refresh */
		break;
	default:
		leave(w, number);
		break;
	}
}

static void step(struct world *w)
{
	unsigned number = below(w, w->n);
	struct edge_model *e = &w->edge[number];
	uint32_t what = below(w, 100);

	if (what < 10)
		come_and_go(w, number);
	else if (what < 12)
		e->deaf = !e->deaf;
	else if (e->m == NULL || e->deaf)
		return;
	else if (what < 45)
		(void)transmit(e);
	else if (what < 70)
		receive(w, number, what < 50);
	else if (what < 90)
		acknowledge(w, e);
	else if (what < 93 && e->n_acks > 0)
		e->n_acks--;
	else if (what < 96 && e->n_pages > 0)
		e->n_pages--;
}

static void run(unsigned edges, uint64_t seed, unsigned rounds)
{
	static struct world w;

	init(&w, edges, seed);
	for (unsigned round = 0; round < rounds; round++) {
		uint32_t steps = 1 + below(&w, 4000);

		for (uint32_t i = 0; i < steps; i++)
			step(&w);
		settle(&w);
		check(&w);
	}
	assert_true(w.departures > 2 * TOMBSTONES_MAX);
	supernode_destroy(w.sn);
}

static void pictures_converge(void **state)
{
	(void)state;
	run(EDGES_MAX, 1, 40);
	run(EDGES_MAX, 2, 40);
	run(12, 3, 100);
}

/* Few edges: communities end and begin again while some remember the one before. */
static void pictures_converge_in_small_communities(void **state)
{
	(void)state;
	for (uint64_t seed = 10; seed < 40; seed++)
		run(3, seed, 20);
}

static void who_slept_through_many_departures_starts_anew(void **state)
{
	static struct world w;
	struct control_roster page;

	(void)state;
	init(&w, EDGES_MAX, 4);
	for (unsigned i = 0; i < 30; i++)
		enter(&w, i);
	settle(&w);
	check(&w);
	for (unsigned i = 0; i < TOMBSTONES_MAX + 1; i++) {
		leave(&w, 1 + i % 20);
		if (i < TOMBSTONES_MAX - 10)
			enter(&w, 1 + i % 20);
	}
	assert_true(member_page(w.edge[0].m, &page));
	assert_int_equal(page.base, 0);
	settle(&w);
	check(&w);
	/* Who is only a little behind is told the changes alone. */
	leave(&w, 25);
	assert_true(member_page(w.edge[0].m, &page));
	assert_int_equal(page.base, w.edge[0].version);
	assert_int_equal(page.n, 1);
	assert_true(page.entry[0].gone && page.last);
	settle(&w);
	check(&w);
	supernode_destroy(w.sn);
}

/* A refresh with nothing new must not make the registry deaf to what comes later. */
static void refreshing_changes_nothing(void **state)
{
	static struct world w;

	(void)state;
	init(&w, 4, 5);
	enter(&w, 0);
	enter(&w, 1);
	settle(&w);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t version = w.edge[0].m->community->version;

		enter(&w, 0);
		assert_false(transmit(&w.edge[0]));
		assert_int_equal(w.edge[0].m->community->version, version);
	}
	enter(&w, 2);
	settle(&w);
	check(&w);
	supernode_destroy(w.sn);
}

static void communities_do_not_see_each_other(void **state)
{
	static struct world w;

	(void)state;
	init(&w, 4, 6);
	w.edge[2].community = w.edge[3].community = 1;
	for (unsigned i = 0; i < 4; i++)
		enter(&w, i);
	settle(&w);
	check(&w);
	assert_true(w.edge[0].seen[1].listed && w.edge[2].seen[3].listed);
	assert_false(w.edge[0].seen[2].listed || w.edge[2].seen[0].listed);
	assert_int_not_equal(w.edge[0].m->community->id, w.edge[2].m->community->id);
	supernode_destroy(w.sn);
}

static void both_limits_hold(void **state)
{
	static struct world w;
	struct control_register r = {.tag = {1}};
	uint8_t remote[KEY_LEN] = {3};
	struct member *m;

	(void)state;
	init(&w, 4, 7);
	w.sn->members_max = COMMUNITY_MEMBERS_MAX + 1;
	for (uint32_t i = 0; i < COMMUNITY_MEMBERS_MAX + 1; i++) {
		store_be32(remote + 1, i);
		m = member_create(w.sn, remote);
		assert_non_null(m);
		memcpy(r.static_public, remote, KEY_LEN);
		assert_int_equal(member_register(w.sn, m, &r),
			i < COMMUNITY_MEMBERS_MAX ? REGISTER_OK : REGISTER_FULL);
	}
	remote[0] = 4;
	assert_null(member_create(w.sn, remote));
	/* Another community has room for the one that was refused. */
	r.tag[0] = 2;
	assert_int_equal(member_register(w.sn, m, &r), REGISTER_OK);
	supernode_destroy(w.sn);
}

static void learn_page(struct world *w, struct member *m, unsigned *entries, unsigned *gone)
{
	struct control_roster page;
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer wr;

	assert_true(member_page(m, &page));
	writer_init(&wr, buf, sizeof(buf));
	control_roster_encode(&wr, 1, &page);
	assert_true(writer_ok(&wr));
	assert_true(page.n > 0 || page.last);
	for (unsigned i = 0; i < page.n; i++)
		*(page.entry[i].gone ? gone : entries) += 1;
	member_took_page(w->sn, m);
}

/* Entries as long as they may be: a page is as many as fit one packet, and all are told. */
static void pages_with_locators_fit(void **state)
{
	static struct world w;
	struct control_register r = {.tag = {1}, .locator_len = ROSTER_LOCATOR_MAX};
	uint8_t remote[KEY_LEN] = {5};
	unsigned entries = 0, gone = 0, pages = 0;
	struct member *m = NULL;

	(void)state;
	init(&w, 4, 8);
	for (uint8_t i = 0; i < 60; i++) {
		remote[1] = r.static_public[0] = i;
		m = member_create(w.sn, remote);
		assert_non_null(m);
		assert_int_equal(member_register(w.sn, m, &r), REGISTER_OK);
	}
	while (m->known < m->community->version && pages++ < 10)
		learn_page(&w, m, &entries, &gone);
	assert_int_equal(entries, 59);
	assert_int_equal(gone, 0);
	assert_in_range(pages, 3, 5);
	supernode_destroy(w.sn);
}

/* Under another static it is another member, and the first has left. */
static void another_identity_is_a_departure(void **state)
{
	static struct world w;
	struct control_register r = {.tag = {1}};
	const uint8_t a[KEY_LEN] = {6}, b[KEY_LEN] = {7};
	unsigned entries = 0, gone = 0;
	struct member *watcher, *changer;
	uint32_t handle;

	(void)state;
	init(&w, 4, 9);
	watcher = member_create(w.sn, a);
	changer = member_create(w.sn, b);
	r.static_public[0] = 1;
	assert_int_equal(member_register(w.sn, watcher, &r), REGISTER_OK);
	r.static_public[0] = 2;
	assert_int_equal(member_register(w.sn, changer, &r), REGISTER_OK);
	learn_page(&w, watcher, &entries, &gone);
	assert_true(entries == 1 && gone == 0);
	handle = changer->entry.handle;
	r.static_public[0] = 3;
	assert_int_equal(member_register(w.sn, changer, &r), REGISTER_OK);
	assert_int_not_equal(changer->entry.handle, handle);
	learn_page(&w, watcher, &entries, &gone);
	assert_true(entries == 2 && gone == 1);
	supernode_destroy(w.sn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pictures_converge),
		cmocka_unit_test(pictures_converge_in_small_communities),
		cmocka_unit_test(who_slept_through_many_departures_starts_anew),
		cmocka_unit_test(refreshing_changes_nothing),
		cmocka_unit_test(communities_do_not_see_each_other),
		cmocka_unit_test(both_limits_hold),
		cmocka_unit_test(pages_with_locators_fit),
		cmocka_unit_test(another_identity_is_a_departure),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
