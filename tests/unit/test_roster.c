/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The registry as data, without sessions. Whatever comes, goes, restarts and gets lost: a
 * subscriber that takes all pages ends with exactly the others of its community, wherever they are
 * registered.
 */
#include "core/supernode/registry.h"
#include "roster_model.h"

#define COMMUNITIES 2
#define OWNERS	    3 /* this supernode and two others */

static const struct registry_limits limits = {1000, 20000};

/* An edge: registered here and told, or elsewhere and only listed. */
struct subscriber {
	struct roster_cursor cursor; /* first: leads from an entry to its subscriber */
	struct registry_entry *entry;
	uint32_t owner;
	unsigned community;
	uint32_t incarnation;
	uint32_t seq; /* of the page that is due, 0 for none */
	bool deaf;
	struct learner learner;
};

struct world {
	struct registry registry;
	uint64_t seed;
	struct random random;
	unsigned n;
	unsigned communities; /* that edges are in */
	unsigned staying;     /* of a hundred that would leave */
	uint32_t next_seq;
	uint64_t told[COMMUNITIES]; /* version of the roster that all were told to fetch */
	struct subscriber edge[OTHERS_MAX];
	unsigned departures, forgettings, restarts;
};

static const uint8_t hash_key[SIPHASH_KEY_LEN] = {1};

static void init(struct world *w, unsigned n, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->n = n;
	w->communities = COMMUNITIES;
	w->seed = seed;
	w->random = seeded_random(&w->seed);
	registry_init(&w->registry, hash_key, &w->random, &limits);
}

static uint32_t below(struct world *w, uint32_t bound)
{
	return random_below(&w->random, bound);
}

static void tag_of(unsigned community, uint8_t tag[COMMUNITY_TAG_LEN])
{
	memset(tag, 0, COMMUNITY_TAG_LEN);
	tag[0] = (uint8_t)(1 + community);
}

static unsigned community_of(const struct registry_community *c)
{
	return c->tag[0] - 1u;
}

/* Each community whose version moved is named once, no other is, and each learner hears of it. */
static void tell(struct world *w)
{
	struct registry_community *c;

	while ((c = registry_next_changed(&w->registry)) != NULL) {
		assert_int_not_equal(w->told[community_of(c)], c->version);
		w->told[community_of(c)] = c->version;
		for (struct registry_entry *e = c->newest; e != NULL; e = e->older) {
			struct subscriber *s = (struct subscriber *)e->cursor;

			if (s != NULL && s->seq == 0)
				s->seq = ++w->next_seq;
		}
	}
	for (c = w->registry.communities; c != NULL; c = c->hh.next)
		assert_int_equal(w->told[community_of(c)], c->version);
}

static struct roster_entry says(const struct world *w, unsigned number)
{
	const struct subscriber *s = &w->edge[number];
	struct roster_entry r = {.incarnation = s->incarnation};

	r.static_public[0] = (uint8_t)number;
	if (s->entry != NULL)
		r.handle = s->entry->told.handle;
	return r;
}

static enum registry_result enter(struct world *w, unsigned number)
{
	struct subscriber *s = &w->edge[number];
	struct roster_entry r = says(w, number);
	uint8_t tag[COMMUNITY_TAG_LEN];
	enum registry_result result;

	tag_of(s->community, tag);
	while (s->owner != REGISTRY_SELF && r.handle == 0)
		r.handle = random_u32(&w->random);
	result = registry_put(&w->registry, s->owner, tag, &r, &s->entry);
	assert_non_null(s->entry);
	assert_ptr_equal(registry_find(&w->registry, s->entry->told.handle), s->entry);
	if (s->owner == REGISTRY_SELF) {
		registry_subscribe(s->entry, &s->cursor, s->learner.version);
		s->seq = ++w->next_seq;
	}
	tell(w);
	return result;
}

/* Its registration is no more; the edge may not know, and keeps what it has. */
static void unregistered(struct world *w, struct subscriber *s)
{
	s->entry = NULL;
	s->seq = 0;
	learner_cut(&s->learner);
	w->departures++;
}

static void leave(struct world *w, unsigned number)
{
	struct subscriber *s = &w->edge[number];
	uint32_t handle = s->entry->told.handle;

	assert_true(registry_remove(&w->registry, s->owner, handle));
	assert_null(registry_find(&w->registry, handle));
	unregistered(w, s);
	tell(w);
}

static void renew(struct world *w, unsigned number)
{
	learner_forget(&w->edge[number].learner);
	w->edge[number].incarnation = random_u32(&w->random);
}

static void forget_owner(struct world *w, uint32_t owner)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->n; i++) {
		struct subscriber *s = &w->edge[i];

		if (s->entry == NULL || s->owner != owner)
			continue;
		unregistered(w, s);
		n++;
	}
	assert_int_equal(registry_forget_owner(&w->registry, owner), n);
	w->forgettings += n > 1;
	tell(w);
}

/* The supernode restarts: all registrations are gone, edges keep their rosters. */
static void restart(struct world *w)
{
	registry_fini(&w->registry);
	registry_init(&w->registry, hash_key, &w->random, &limits);
	for (unsigned i = 0; i < w->n; i++)
		if (w->edge[i].entry != NULL)
			unregistered(w, &w->edge[i]);
	w->restarts++;
}

/* ---- between them ---- */

static bool transmit(struct subscriber *s)
{
	struct control_roster page;

	if (s->seq == 0)
		return false;
	if (!registry_page(s->entry, &page)) {
		s->seq = 0;
		return false;
	}
	learner_send(&s->learner, s->seq, &page);
	return true;
}

static void receive(struct world *w, unsigned number, bool again)
{
	if (!learner_receive(&w->edge[number].learner, &w->random, again))
		(void)enter(w, number);
}

static void acknowledge(struct world *w, struct subscriber *s)
{
	uint32_t seq = learner_ack(&s->learner);

	if (seq == 0 || seq != s->seq)
		return;
	s->seq = registry_took_page(s->entry) ? ++w->next_seq : 0;
}

static bool listens(const struct subscriber *s)
{
	return s->entry != NULL && s->owner == REGISTRY_SELF;
}

static void settle(struct world *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		struct subscriber *s = &w->edge[i];
		unsigned turns = 0;

		while (listens(s) && (s->learner.n_pages > 0 || transmit(s))) {
			assert_true(turns++ < 100);
			receive(w, i, false);
			acknowledge(w, s);
		}
	}
}

/* ---- the comparison ---- */

static void check_edge(const struct world *w, unsigned number)
{
	const struct subscriber *s = &w->edge[number];

	assert_int_equal(s->learner.version, s->entry->community->version);
	assert_false(s->learner.collecting);
	for (unsigned i = 0; i < w->n; i++) {
		const struct subscriber *other = &w->edge[i];
		const struct seen *seen = &s->learner.seen[i];
		bool there =
			i != number && other->entry != NULL && other->community == s->community;

		assert_int_equal(seen->listed, there);
		if (!there)
			continue;
		assert_int_equal(seen->handle, other->entry->told.handle);
		assert_int_equal(seen->incarnation, other->incarnation);
	}
}

static void check(const struct world *w)
{
	unsigned present[COMMUNITIES] = {0}, communities = 0, entries = 0;
	const struct registry_community *c;

	for (unsigned i = 0; i < w->n; i++) {
		if (w->edge[i].entry == NULL)
			continue;
		if (listens(&w->edge[i]))
			check_edge(w, i);
		communities += present[w->edge[i].community]++ == 0;
		entries++;
	}
	assert_int_equal(HASH_COUNT(w->registry.entries), entries);
	assert_int_equal(HASH_COUNT(w->registry.communities), communities);
	for (c = w->registry.communities; c != NULL; c = c->hh.next)
		assert_int_equal(c->n_entries, present[community_of(c)]);
}

/* ---- random histories ---- */

static void come(struct world *w, unsigned number)
{
	struct subscriber *s = &w->edge[number];

	if (below(w, 2) == 0)
		renew(w, number);
	s->owner = below(w, 2) == 0 ? REGISTRY_SELF : below(w, OWNERS);
	assert_int_equal(enter(w, number), REGISTRY_CREATED);
}

static void move(struct world *w, unsigned number)
{
	struct subscriber *s = &w->edge[number];
	unsigned before = s->community;

	s->community = below(w, w->communities);
	renew(w, number); /* what it had is of no use there */
	learner_cut(&s->learner);
	assert_int_equal(
		enter(w, number), s->community == before ? REGISTRY_CHANGED : REGISTRY_MOVED);
	w->departures += s->community != before;
}

static void come_and_go(struct world *w, unsigned number)
{
	if (w->edge[number].entry == NULL) {
		come(w, number);
		return;
	}
	switch (below(w, 8)) {
	case 0:
		move(w, number);
		break;
	case 1:
		leave(w, number);
		renew(w, number);
		assert_int_equal(enter(w, number), REGISTRY_CREATED);
		break;
	case 2:
		assert_int_equal(enter(w, number), REGISTRY_SAME);
		break;
	case 3:
		renew(w, number);
		assert_int_equal(enter(w, number), REGISTRY_CHANGED);
		break;
	default:
		if (below(w, 100) >= w->staying)
			leave(w, number);
		break;
	}
}

static void deliver(struct world *w, unsigned number, uint32_t what)
{
	struct subscriber *s = &w->edge[number];

	if (what < 45)
		(void)transmit(s);
	else if (what < 70)
		receive(w, number, what < 50);
	else if (what < 90)
		acknowledge(w, s);
	else if (what < 93 && s->learner.n_acks > 0)
		s->learner.n_acks--;
	else if (what < 96 && s->learner.n_pages > 0)
		s->learner.n_pages--;
}

static void step(struct world *w)
{
	unsigned number = below(w, w->n);
	uint32_t what = below(w, 100);

	if (what < 10)
		come_and_go(w, number);
	else if (what < 12)
		w->edge[number].deaf = !w->edge[number].deaf;
	else if (what == 12 && below(w, 40) == 0)
		forget_owner(w, 1 + below(w, OWNERS - 1));
	else if (what == 13 && below(w, 100) == 0)
		restart(w);
	else if (listens(&w->edge[number]) && !w->edge[number].deaf)
		deliver(w, number, what);
}

static void run(unsigned edges, unsigned communities, uint64_t seed, unsigned rounds)
{
	static struct world w;

	init(&w, edges, seed);
	w.communities = communities;
	w.staying = communities == 1 ? 80 : 0;
	for (unsigned round = 0; round < rounds; round++) {
		uint32_t steps = 1 + below(&w, 4000);

		for (uint32_t i = 0; i < steps; i++)
			step(&w);
		settle(&w);
		check(&w);
	}
	assert_true(w.departures > 2 * TOMBSTONES_MAX);
	assert_true(edges < 10 || (w.restarts > 0 && w.forgettings > 0));
	registry_fini(&w.registry);
	assert_null(w.registry.communities);
}

static void whoever_takes_all_pages_knows_exactly_the_others(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 5; seed++)
		run(OTHERS_MAX, COMMUNITIES, seed, 40);
	run(12, COMMUNITIES, 5, 100);
	run(12, 1, 6, 100);
}

/* One community, of which most are there: their roster takes several pages. */
static void large_communities_converge_too(void **state)
{
	(void)state;
	for (uint64_t seed = 60; seed < 64; seed++)
		run(OTHERS_MAX, 1, seed, 60);
}

/* Few edges: communities end and begin again while some remember the one before. */
static void small_communities_converge_too(void **state)
{
	(void)state;
	for (uint64_t seed = 10; seed < 50; seed++)
		run(3, COMMUNITIES, seed, 20);
}

/* ---- single cases ---- */

static void who_slept_through_many_departures_starts_anew(void **state)
{
	static struct world w;
	struct control_roster page;

	(void)state;
	init(&w, OTHERS_MAX, 4);
	for (unsigned i = 0; i < 30; i++)
		(void)enter(&w, i);
	settle(&w);
	check(&w);
	for (unsigned i = 0; i < TOMBSTONES_MAX + 1; i++) {
		leave(&w, 1 + i % 20);
		if (i < TOMBSTONES_MAX - 10)
			(void)enter(&w, 1 + i % 20);
	}
	assert_true(registry_page(w.edge[0].entry, &page));
	assert_int_equal(page.base, 0);
	settle(&w);
	check(&w);
	/* Who is only a little behind is told the changes alone. */
	leave(&w, 25);
	assert_true(registry_page(w.edge[0].entry, &page));
	assert_int_equal(page.base, w.edge[0].learner.version);
	assert_int_equal(page.n, 1);
	assert_true(page.entry[0].gone && page.last);
	settle(&w);
	check(&w);
	registry_fini(&w.registry);
}

/* The ring of departures to the last one, and one more; then the same when it has gone around. */
static void departures_are_told_as_long_as_they_are_remembered(void **state)
{
	static struct world w;
	struct control_roster page;
	unsigned gone;

	(void)state;
	init(&w, 2, 40);
	(void)enter(&w, 0);
	for (unsigned left = 1; left <= 3 * TOMBSTONES_MAX; left++) {
		struct registry_entry *e = w.edge[0].entry;
		unsigned missed = left <= TOMBSTONES_MAX + 1 ? left : 1 + left % TOMBSTONES_MAX;

		(void)enter(&w, 1);
		settle(&w);
		check(&w);
		for (unsigned i = 0; i < missed; i++) {
			if (i > 0)
				(void)enter(&w, 1);
			leave(&w, 1);
		}
		assert_true(registry_page(e, &page));
		assert_int_equal(page.base == 0, missed > TOMBSTONES_MAX);
		for (gone = page.n; page.base != 0 && !page.last; gone += page.n) {
			assert_true(registry_took_page(e));
			assert_true(registry_page(e, &page));
		}
		assert_int_equal(gone, missed > TOMBSTONES_MAX ? 0 : missed);
		registry_subscribe(e, &w.edge[0].cursor, w.edge[0].learner.version);
		settle(&w);
		check(&w);
	}
	registry_fini(&w.registry);
}

static void after_a_restart_everybody_starts_anew(void **state)
{
	static struct world w;
	struct control_roster page;

	(void)state;
	init(&w, 10, 42);
	for (unsigned i = 0; i < 10; i++)
		(void)enter(&w, i);
	settle(&w);
	restart(&w);
	for (unsigned i = 0; i < 10; i++)
		(void)enter(&w, i);
	assert_true(registry_page(w.edge[0].entry, &page));
	assert_int_equal(page.base, 0);
	assert_int_not_equal(page.version >> 32, w.edge[0].learner.version >> 32);
	assert_int_not_equal(page.version >> 32, 0);
	settle(&w);
	check(&w);
	registry_fini(&w.registry);
}

static void a_page_sent_again_says_no_more(void **state)
{
	struct control_roster first, again;
	static struct world w;

	(void)state;
	init(&w, 10, 43);
	for (unsigned i = 0; i < 5; i++)
		(void)enter(&w, i);
	assert_true(registry_page(w.edge[4].entry, &first));
	assert_int_equal(first.n, 4);
	(void)enter(&w, 5);
	leave(&w, 0);
	renew(&w, 1);
	(void)enter(&w, 1);
	assert_true(registry_page(w.edge[4].entry, &again));
	assert_int_equal(again.base, first.base);
	assert_int_equal(again.version, first.version);
	assert_false(again.last);
	assert_int_equal(again.n, 2);
	assert_memory_equal(&again.entry[0], &first.entry[2], 2 * sizeof(first.entry[0]));
	settle(&w);
	check(&w);
	registry_fini(&w.registry);
}

/* A refresh with nothing new must not make the registry deaf to what comes later. */
static void refreshing_changes_nothing(void **state)
{
	static struct world w;

	(void)state;
	init(&w, 4, 5);
	(void)enter(&w, 0);
	(void)enter(&w, 1);
	settle(&w);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t version = w.edge[0].entry->community->version;

		assert_int_equal(enter(&w, 0), REGISTRY_SAME);
		assert_false(transmit(&w.edge[0]));
		assert_int_equal(w.edge[0].entry->community->version, version);
	}
	(void)enter(&w, 2);
	settle(&w);
	check(&w);
	registry_fini(&w.registry);
}

static void communities_do_not_see_each_other(void **state)
{
	static struct world w;

	(void)state;
	init(&w, 4, 6);
	w.edge[2].community = w.edge[3].community = 1;
	for (unsigned i = 0; i < 4; i++)
		(void)enter(&w, i);
	settle(&w);
	check(&w);
	assert_true(w.edge[0].learner.seen[1].listed && w.edge[2].learner.seen[3].listed);
	assert_false(w.edge[0].learner.seen[2].listed || w.edge[2].learner.seen[0].listed);
	assert_int_not_equal(w.edge[0].entry->community->id, w.edge[2].entry->community->id);
	registry_fini(&w.registry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_takes_all_pages_knows_exactly_the_others),
		cmocka_unit_test(large_communities_converge_too),
		cmocka_unit_test(small_communities_converge_too),
		cmocka_unit_test(who_slept_through_many_departures_starts_anew),
		cmocka_unit_test(departures_are_told_as_long_as_they_are_remembered),
		cmocka_unit_test(after_a_restart_everybody_starts_anew),
		cmocka_unit_test(a_page_sent_again_says_no_more),
		cmocka_unit_test(refreshing_changes_nothing),
		cmocka_unit_test(communities_do_not_see_each_other),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
