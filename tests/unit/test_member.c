/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Members of a supernode: sessions that register, are told of each other, and end. Whatever comes,
 * goes, restarts and gets lost: when all is quiet again each member's picture of its community is
 * the registry's.
 */
#include "core/supernode/supernode_state.h"
#include "roster_model.h"

#define COMMUNITIES 2

/* A model of an edge and its registration. */
struct edge_model {
	struct member *m; /* NULL: not registered */
	unsigned community;
	uint32_t incarnation;
	bool deaf;
	struct learner learner;
};

struct world {
	uint64_t seed;
	unsigned events[EVENT_STATE + 1];
	struct supernode *sn;
	unsigned n;
	struct edge_model edge[OTHERS_MAX];
	unsigned departures;
};

/* Nothing has keys here: there is nothing to send. */
static void no_send(void *ctx, const struct datagram *d)
{
	(void)ctx;
	(void)d;
	fail();
}

static void count_event(void *ctx, const struct event *e)
{
	struct world *w = ctx;

	w->events[e->kind]++;
}

static void init_limited(struct world *w, unsigned n, uint64_t seed, unsigned members_max)
{
	struct supernode_config c = {
		.node = {.nworkers = 1, .embryos = 4}, .secret = {1}, .members_max = members_max};

	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->n = n;
	c.node.io = (struct core_io){
		.ctx = w, .send = no_send, .event = count_event, .random = seeded_random(&w->seed)};
	w->sn = supernode_create(&c);
	assert_non_null(w->sn);
}

static void init(struct world *w, unsigned n, uint64_t seed)
{
	init_limited(w, n, seed, 0);
}

static uint32_t below(struct world *w, uint32_t bound)
{
	return random_below(&w->sn->node.core.io.random, bound);
}

static struct control_register registration(const struct edge_model *e, unsigned number)
{
	struct control_register r = {
		.incarnation = e->incarnation, .roster_version = e->learner.version};

	r.tag[0] = (uint8_t)(1 + e->community);
	r.static_public[0] = (uint8_t)number;
	r.static_public[1] = 1;
	return r;
}

static void enter(struct world *w, unsigned number)
{
	struct edge_model *e = &w->edge[number];
	const struct control_register r = registration(e, number);
	const struct endpoint home = endpoint_v4(UINT32_C(0x0a000000) | number, 500);
	const uint8_t remote[KEY_LEN] = {(uint8_t)number, 2};

	if (e->m == NULL)
		e->m = member_create(w->sn, remote, &home);
	assert_non_null(e->m);
	assert_int_equal(member_register(w->sn, e->m, &r), REGISTER_OK);
	assert_int_not_equal(member_handle(e->m), 0);
}

/* The registration ends; the edge may not know, and keeps what it has. */
static void leave(struct world *w, unsigned number)
{
	member_remove(w->sn, w->edge[number].m);
	w->edge[number].m = NULL;
	learner_cut(&w->edge[number].learner);
	w->departures++;
}

static void forget(struct world *w, unsigned number)
{
	learner_forget(&w->edge[number].learner);
	w->edge[number].incarnation = random_u32(&w->sn->node.core.io.random);
}

static void restart(struct world *w, unsigned number)
{
	member_unregister(w->sn, w->edge[number].m);
	w->departures++;
	forget(w, number);
	enter(w, number);
}

/* ---- between them ---- */

/* The sequence of the page that is due, 0 for none. */
static uint32_t *roster_of(struct member *m)
{
	return &m->session->out.seq[CONTROL_ROSTER];
}

/* The supernode sends the page that is due, as control.c would. */
static bool transmit(struct world *w, struct edge_model *e)
{
	uint32_t *due = roster_of(e->m);
	struct control_roster page;

	if (*due == 0)
		return false;
	if (!member_page(w->sn, e->m, &page)) {
		*due = 0;
		return false;
	}
	learner_send(&e->learner, *due, &page);
	return true;
}

static void receive(struct world *w, unsigned number, bool again)
{
	if (!learner_receive(&w->edge[number].learner, &w->sn->node.core.io.random, again))
		enter(w, number);
}

static void acknowledge(struct world *w, struct edge_model *e)
{
	uint32_t *due = roster_of(e->m);
	uint32_t seq = learner_ack(&e->learner);

	if (seq == 0 || seq != *due)
		return;
	*due = 0;
	member_took_page(w->sn, e->m);
}

static void settle(struct world *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		struct edge_model *e = &w->edge[i];

		while (e->m != NULL && (e->learner.n_pages > 0 || transmit(w, e))) {
			receive(w, i, false);
			acknowledge(w, e);
		}
	}
}

/* ---- the comparison ---- */

static void check_edge(const struct world *w, unsigned number)
{
	const struct edge_model *e = &w->edge[number];

	assert_int_equal(e->learner.version, e->m->entry->community->version);
	assert_false(e->learner.collecting);
	for (unsigned i = 0; i < w->n; i++) {
		const struct edge_model *other = &w->edge[i];
		const struct seen *seen = &e->learner.seen[i];
		bool there = i != number && other->m != NULL && other->m->entry != NULL &&
			     other->community == e->community;

		assert_int_equal(seen->listed, there);
		if (!there)
			continue;
		assert_int_equal(seen->handle, member_handle(other->m));
		assert_int_equal(seen->incarnation, other->incarnation);
	}
}

static void check(const struct world *w)
{
	unsigned present[COMMUNITIES] = {0}, communities = 0;
	const struct registry_community *c = w->sn->registry.communities;
	struct supernode_status status;

	for (unsigned i = 0; i < w->n; i++) {
		if (w->edge[i].m == NULL)
			continue;
		check_edge(w, i);
		communities += present[w->edge[i].community]++ == 0;
	}
	supernode_status(w->sn, &status);
	assert_int_equal(status.communities, communities);
	for (; c != NULL; c = c->hh.next)
		assert_int_equal(c->n_entries, present[c->tag[0] - 1]);
}

static void come_and_go(struct world *w, unsigned number)
{
	struct edge_model *e = &w->edge[number];

	w->sn->node.core.now_ms += 300; /* so that arrivals keep within their pace */
	if (e->m == NULL) {
		if (below(w, 2) == 0)
			forget(w, number);
		enter(w, number);
		return;
	}
	switch (below(w, 6)) {
	case 0:
		leave(w, number);
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
		(void)transmit(w, e);
	else if (what < 70)
		receive(w, number, what < 50);
	else if (what < 90)
		acknowledge(w, e);
	else if (what < 93 && e->learner.n_acks > 0)
		e->learner.n_acks--;
	else if (what < 96 && e->learner.n_pages > 0)
		e->learner.n_pages--;
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
	run(OTHERS_MAX, 1, 40);
	run(OTHERS_MAX, 2, 40);
	run(12, 3, 100);
}

/* Few edges: communities end and begin again while some remember the one before. */
static void pictures_converge_in_small_communities(void **state)
{
	(void)state;
	for (uint64_t seed = 10; seed < 40; seed++)
		run(3, seed, 20);
}

/* ---- limits ---- */

static struct member *come(struct world *w, uint32_t number, const struct endpoint *at)
{
	uint8_t remote[KEY_LEN] = {3};

	store_be32(remote + 1, number);
	return member_create(w->sn, remote, at);
}

/* Whom there is no room for is told so: it has a session, and none ends for it. */
static void both_limits_hold(void **state)
{
	static struct world w;
	struct control_register r = {.tag = {1}};
	struct supernode_status status;
	struct member *m = NULL;

	(void)state;
	init_limited(&w, 4, 7, COMMUNITY_MEMBERS_MAX + 1);
	for (uint32_t i = 0; i < COMMUNITY_MEMBERS_MAX + 3; i++) {
		const struct endpoint at = endpoint_v4(i / 200 + 1, 1);

		m = come(&w, i, &at);
		assert_non_null(m);
		store_be32(r.static_public, i);
		assert_int_equal(member_register(w.sn, m, &r),
			i < COMMUNITY_MEMBERS_MAX ? REGISTER_OK : REGISTER_COMMUNITY_FULL);
	}
	assert_int_equal(member_handle(m), 0);
	/* Another community has room for one of them; then there is none for anybody. */
	r.tag[0] = 2;
	assert_int_equal(member_register(w.sn, m, &r), REGISTER_OK);
	r.tag[0] = 3;
	m = come(&w, 5000, &(struct endpoint){{1}, 1});
	assert_int_equal(member_register(w.sn, m, &r), REGISTER_SUPERNODE_FULL);
	supernode_status(w.sn, &status);
	assert_int_equal(status.members, COMMUNITY_MEMBERS_MAX + 1);
	assert_int_equal(status.waiting, 3);
	assert_int_equal(status.communities, 2);
	supernode_destroy(w.sn);
}

/* The lobby has an end, and who came last is not shown out. */
static void who_waits_longest_gives_way(void **state)
{
	static struct world w;
	struct control_register r = {.tag = {1}};
	struct supernode_status status;
	struct member *m = NULL;

	(void)state;
	init(&w, 4, 18);
	enter(&w, 0);
	for (uint32_t i = 0; i < 3000; i++) {
		const struct endpoint at = endpoint_v4(1000 + i / 50, 1);

		m = come(&w, i, &at);
		assert_non_null(m);
	}
	supernode_status(w.sn, &status);
	assert_int_equal(status.waiting, 1000);
	assert_int_equal(status.members, 1);
	assert_int_equal(member_register(w.sn, m, &r), REGISTER_OK);
	supernode_destroy(w.sn);
}

/* ---- what others and the host hear ---- */

static void learn_page(struct world *w, struct member *m, unsigned *entries, unsigned *gone)
{
	struct control_roster page;
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer wr;

	assert_true(member_page(w->sn, m, &page));
	writer_init(&wr, buf, sizeof(buf));
	control_roster_encode(&wr, 1, &page);
	assert_true(writer_ok(&wr));
	assert_true(page.n > 0 || page.last);
	for (unsigned i = 0; i < page.n; i++)
		*(page.entry[i].gone ? gone : entries) += 1;
	*roster_of(m) = 0;
	member_took_page(w->sn, m);
}

/* A session is for one member of one community: no other is entered, and nobody hears of it. */
static void another_identity_is_refused(void **state)
{
	static struct world w;
	struct control_register r = {.tag = {1}};
	const uint8_t a[KEY_LEN] = {6}, b[KEY_LEN] = {7};
	const struct endpoint home = endpoint_v4(7, 7);
	unsigned entries = 0, gone = 0;
	struct member *watcher, *changer;
	uint32_t handle;

	(void)state;
	init(&w, 4, 9);
	watcher = member_create(w.sn, a, &home);
	changer = member_create(w.sn, b, &home);
	r.static_public[0] = 1;
	assert_int_equal(member_register(w.sn, watcher, &r), REGISTER_OK);
	r.static_public[0] = 2;
	assert_int_equal(member_register(w.sn, changer, &r), REGISTER_OK);
	learn_page(&w, watcher, &entries, &gone);
	assert_true(entries == 1 && gone == 0);
	handle = member_handle(changer);
	r.static_public[0] = 3;
	assert_int_equal(member_register(w.sn, changer, &r), REGISTER_OTHER_IDENTITY);
	r.static_public[0] = 2;
	r.tag[0] = 2;
	assert_int_equal(member_register(w.sn, changer, &r), REGISTER_OTHER_IDENTITY);
	assert_int_equal(member_handle(changer), handle);
	assert_int_equal(*roster_of(watcher), 0);
	assert_int_equal(w.events[EVENT_MEMBER_UP], 2);
	assert_int_equal(w.events[EVENT_MEMBER_DOWN], 0);
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
		uint64_t version = w.edge[0].m->entry->community->version;
		uint32_t handle = member_handle(w.edge[0].m);

		enter(&w, 0);
		assert_int_equal(*roster_of(w.edge[1].m), 0);
		assert_false(transmit(&w, &w.edge[0]));
		assert_int_equal(w.edge[0].m->entry->community->version, version);
		assert_int_equal(member_handle(w.edge[0].m), handle);
	}
	assert_int_equal(w.events[EVENT_MEMBER_UP], 2);
	enter(&w, 2);
	settle(&w);
	check(&w);
	supernode_destroy(w.sn);
}

/* The page under way keeps its sequence: its acknowledgement must count. */
static void a_change_posts_a_page_to_who_has_none_under_way(void **state)
{
	static struct world w;
	uint32_t under_way;

	(void)state;
	init(&w, 4, 11);
	for (unsigned i = 0; i < 3; i++)
		enter(&w, i);
	settle(&w);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(*roster_of(w.edge[i].m), 0);
	enter(&w, 3);
	under_way = *roster_of(w.edge[0].m);
	assert_int_not_equal(under_way, 0);
	assert_int_not_equal(*roster_of(w.edge[3].m), 0);
	leave(&w, 3);
	assert_int_equal(*roster_of(w.edge[0].m), under_way);
	settle(&w);
	check(&w);
	supernode_destroy(w.sn);
}

/* ---- the end of a member ---- */

static void tick(struct world *w, uint64_t now_ms)
{
	node_tick(&w->sn->node, now_ms);
}

static void a_lease_lasts_as_long_as_it_is_heard(void **state)
{
	struct supernode_status status;
	static struct world w;

	(void)state;
	init(&w, 4, 12);
	enter(&w, 0);
	enter(&w, 1);
	settle(&w);
	w.edge[0].m->session->link.rx_ms = 5000;
	tick(&w, LEASE_S * 1000 - 1);
	supernode_status(w.sn, &status);
	assert_int_equal(status.members, 2);
	tick(&w, LEASE_S * 1000);
	supernode_status(w.sn, &status);
	assert_int_equal(status.members, 1);
	assert_int_equal(w.events[EVENT_MEMBER_DOWN], 1);
	w.edge[1].m = NULL;
	assert_int_not_equal(*roster_of(w.edge[0].m), 0);
	settle(&w);
	check(&w);
	tick(&w, 5000 + LEASE_S * 1000);
	supernode_status(w.sn, &status);
	assert_true(status.members == 0 && status.communities == 0);
	supernode_destroy(w.sn);
}

static void who_does_not_register_has_ten_seconds(void **state)
{
	const uint8_t remote[KEY_LEN] = {8};
	struct supernode_status status;
	static struct world w;

	(void)state;
	init(&w, 4, 13);
	assert_non_null(member_create(w.sn, remote, &(struct endpoint){{1}, 1}));
	enter(&w, 0);
	tick(&w, 9999);
	member_unregister(w.sn, w.edge[0].m);
	member_unregister(w.sn, w.edge[0].m);
	assert_int_equal(w.events[EVENT_MEMBER_DOWN], 1);
	tick(&w, 10000);
	supernode_status(w.sn, &status);
	assert_true(status.members == 0 && status.waiting == 1 && status.communities == 0);
	assert_ptr_equal(member_find(w.sn, w.edge[0].m->session->remote), w.edge[0].m);
	assert_null(member_find(w.sn, remote));
	tick(&w, 9999 + 10000);
	supernode_status(w.sn, &status);
	assert_int_equal(status.waiting, 0);
	supernode_destroy(w.sn);
}

static void a_restarted_edge_has_to_register_again(void **state)
{
	const struct role *role;
	static struct world w;

	(void)state;
	init(&w, 4, 14);
	enter(&w, 0);
	enter(&w, 1);
	settle(&w);
	role = w.sn->node.role;
	role->effects(&w.sn->node, w.edge[0].m->session, SESSION_CONFIRMED);
	assert_int_not_equal(member_handle(w.edge[0].m), 0);
	role->effects(&w.sn->node, w.edge[0].m->session, SESSION_CONFIRMED | SESSION_RESTARTED);
	assert_int_equal(member_handle(w.edge[0].m), 0);
	assert_int_equal(w.events[EVENT_MEMBER_DOWN], 1);
	forget(&w, 0);
	enter(&w, 0);
	settle(&w);
	check(&w);
	supernode_destroy(w.sn);
}

/* Who is registered stays; a copy of it is one that was there before, or that says so itself. */
static void a_copy_of_who_is_registered_is_refused(void **state)
{
	const struct origin from = {.hop_id = 0};
	struct payload theirs = {.incarnation = 7};
	const struct registry_entry *e;
	const struct role *role;
	static struct world w;
	struct session *s;

	(void)state;
	init(&w, 4, 18);
	enter(&w, 0);
	enter(&w, 1);
	settle(&w);
	role = w.sn->node.role;
	s = w.edge[0].m->session;
	e = w.edge[0].m->entry;
	s->incarnation = 9;
	s->former = 8;
	w.sn->node.core.now_ms = 1000;
	assert_int_equal(role->refuses(&w.sn->node, NULL, &theirs, &from), 0);
	assert_int_equal(role->refuses(&w.sn->node, s, &theirs, &from), 0); /* a restart */
	theirs.incarnation = 9;
	theirs.result = REGISTER_IDENTITY_TWICE;
	assert_int_equal(role->refuses(&w.sn->node, s, &theirs, &from), 0); /* itself */
	assert_false(e->told.twice);
	theirs = (struct payload){.incarnation = 8, .freshness = 100};
	assert_int_equal(role->refuses(&w.sn->node, s, &theirs, &from), REGISTER_IDENTITY_TWICE);
	assert_true(e->told.twice);
	/* A copy of it, which anybody may have made. */
	w.sn->node.core.now_ms += 14999;
	assert_int_equal(role->refuses(&w.sn->node, s, &theirs, &from), REGISTER_IDENTITY_TWICE);
	w.sn->node.core.now_ms += 1;
	assert_int_equal(role->refuses(&w.sn->node, s, &theirs, &from), REFUSED_IN_SILENCE);
	assert_true(outbox_holds(&s->out, CONTROL_REGISTERED));
	theirs = (struct payload){
		.incarnation = 7, .freshness = 101, .result = REGISTER_IDENTITY_TWICE};
	assert_int_equal(role->refuses(&w.sn->node, s, &theirs, &from), REGISTER_IDENTITY_TWICE);
	theirs.result = REGISTER_ADDRESS_LIMIT;
	assert_int_equal(role->refuses(&w.sn->node, s, &theirs, &from), 0);
	assert_int_equal(w.events[EVENT_MEMBER_REFUSED], 3);
	settle(&w);
	check(&w);
	/* Long ago. */
	w.sn->node.core.now_ms += 99999;
	member_settle(w.sn, w.edge[0].m);
	assert_true(e->told.twice);
	w.sn->node.core.now_ms += 1;
	member_settle(w.sn, w.edge[0].m);
	assert_false(e->told.twice);
	/* One that was there before has its place when nobody is registered. */
	member_unregister(w.sn, w.edge[0].m);
	theirs = (struct payload){.incarnation = 8};
	assert_int_equal(role->refuses(&w.sn->node, s, &theirs, &from), 0);
	theirs.freshness = 102;
	theirs.result = REGISTER_IDENTITY_TWICE;
	assert_int_equal(role->refuses(&w.sn->node, s, &theirs, &from), REGISTER_IDENTITY_TWICE);
	supernode_destroy(w.sn);
}

/* Its session was to be looked at when the lease would have ended. */
static void a_restarted_edge_has_ten_seconds_too(void **state)
{
	struct supernode_status status;
	static struct world w;

	(void)state;
	init(&w, 4, 17);
	enter(&w, 0);
	settle(&w);
	for (uint64_t now_ms = 0; now_ms <= 12000; now_ms += 100)
		tick(&w, now_ms);
	member_unregister(w.sn, w.edge[0].m);
	tick(&w, 21999);
	supernode_status(w.sn, &status);
	assert_int_equal(status.waiting, 1);
	tick(&w, 22000);
	supernode_status(w.sn, &status);
	assert_int_equal(status.waiting, 0);
	supernode_destroy(w.sn);
}

/* ---- beside the members ---- */

static const struct view *view_of(struct world *w)
{
	(void)node_view_changed(&w->sn->node);
	return w->sn->node.core.view.shown;
}

/* As if there had been no memory when it registered first. */
static void a_handle_that_found_no_room_is_shown_with_the_next_registration(void **state)
{
	static struct world w;
	struct view_editor *e;
	const struct link *l;
	uint32_t handle;

	(void)state;
	init(&w, 4, 16);
	e = &w.sn->node.core.view;
	enter(&w, 0);
	l = &w.edge[0].m->session->link;
	handle = member_handle(w.edge[0].m);
	view_remove_handle(e, 0, handle, l);
	assert_null(view_handle(view_of(&w), 0, handle));
	enter(&w, 0);
	assert_ptr_equal(view_handle(view_of(&w), 0, handle), l);
	/* What is shown already makes no new view. */
	enter(&w, 0);
	assert_false(e->changed);
	supernode_destroy(w.sn);
}

/* Workers relay for who is registered, between members of one community. */
static void the_view_has_who_is_registered(void **state)
{
	const struct link *a, *b;
	static struct world w;
	uint32_t handle;

	(void)state;
	init(&w, 4, 15);
	enter(&w, 0);
	w.edge[1].community = 1;
	enter(&w, 1);
	a = view_link(view_of(&w), w.edge[0].m->session->link.id);
	b = view_link(view_of(&w), w.edge[1].m->session->link.id);
	assert_ptr_equal(a, &w.edge[0].m->session->link);
	assert_ptr_equal(b, &w.edge[1].m->session->link);
	assert_true(a->member >> 32 != b->member >> 32);
	handle = member_handle(w.edge[0].m);
	assert_int_equal((uint32_t)a->member, handle);
	assert_ptr_equal(view_handle(view_of(&w), 0, handle), a);
	assert_ptr_equal(view_handle(view_of(&w), 0, (uint32_t)b->member), b);
	member_unregister(w.sn, w.edge[0].m);
	assert_ptr_equal(view_link(view_of(&w), a->id), a);
	assert_int_equal(a->member, 0);
	assert_null(view_handle(view_of(&w), 0, handle));
	enter(&w, 0);
	assert_int_equal((uint32_t)a->member, member_handle(w.edge[0].m));
	assert_ptr_equal(view_handle(view_of(&w), 0, member_handle(w.edge[0].m)), a);
	supernode_destroy(w.sn);
}

/* Workers fan out for who is registered, and for nobody else. */
static void who_is_registered_has_groups(void **state)
{
	static struct world w;
	const struct member *m;

	(void)state;
	init(&w, 4, 17);
	enter(&w, 0);
	m = w.edge[0].m;
	assert_non_null(m->fan);
	assert_ptr_equal(m->session->link.fanout, &m->fan->shared);
	member_unregister(w.sn, w.edge[0].m);
	assert_null(m->session->link.fanout);
	assert_null(m->fan);
	enter(&w, 0);
	assert_non_null(m->fan);
	assert_ptr_equal(m->session->link.fanout, &m->fan->shared);
	supernode_destroy(w.sn);
}

/* What another supernode has registered is listed to members, and is no member. */
static void members_are_told_of_edges_registered_elsewhere(void **state)
{
	const uint8_t tag[COMMUNITY_TAG_LEN] = {1};
	const struct roster_entry far = {.handle = 77, .static_public = {3}};
	unsigned entries = 0, gone = 0;
	struct supernode_status status;
	struct registry_entry *e;
	static struct world w;

	(void)state;
	init(&w, 4, 16);
	enter(&w, 0);
	settle(&w);
	assert_int_equal(registry_put(&w.sn->registry, 5, tag, &far, &e), REGISTRY_CREATED);
	members_tell(w.sn);
	assert_int_not_equal(*roster_of(w.edge[0].m), 0);
	learn_page(&w, w.edge[0].m, &entries, &gone);
	assert_true(entries == 1 && gone == 0);
	supernode_status(w.sn, &status);
	assert_int_equal(status.members, 1);
	assert_null(view_handle(view_of(&w), 0, 77));
	assert_int_equal(registry_forget_owner(&w.sn->registry, 5), 1);
	members_tell(w.sn);
	assert_int_not_equal(*roster_of(w.edge[0].m), 0);
	learn_page(&w, w.edge[0].m, &entries, &gone);
	assert_true(entries == 1 && gone == 1);
	/* One that is still there when the supernode ends. */
	assert_int_equal(registry_put(&w.sn->registry, 5, tag, &far, &e), REGISTRY_CREATED);
	supernode_destroy(w.sn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pictures_converge),
		cmocka_unit_test(pictures_converge_in_small_communities),
		cmocka_unit_test(both_limits_hold),
		cmocka_unit_test(who_waits_longest_gives_way),
		cmocka_unit_test(another_identity_is_refused),
		cmocka_unit_test(refreshing_changes_nothing),
		cmocka_unit_test(a_change_posts_a_page_to_who_has_none_under_way),
		cmocka_unit_test(a_lease_lasts_as_long_as_it_is_heard),
		cmocka_unit_test(who_does_not_register_has_ten_seconds),
		cmocka_unit_test(a_copy_of_who_is_registered_is_refused),
		cmocka_unit_test(a_restarted_edge_has_to_register_again),
		cmocka_unit_test(a_restarted_edge_has_ten_seconds_too),
		cmocka_unit_test(the_view_has_who_is_registered),
		cmocka_unit_test(who_is_registered_has_groups),
		cmocka_unit_test(a_handle_that_found_no_room_is_shown_with_the_next_registration),
		cmocka_unit_test(members_are_told_of_edges_registered_elsewhere),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
