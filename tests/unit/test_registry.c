/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The registry as data, without sessions: what its functions do and say, one by one. */
#include "core/supernode/registry.h"
#include "roster_model.h"

struct world {
	struct registry registry;
	uint64_t seed;
};

static void init(struct world *w)
{
	const uint8_t hash_key[SIPHASH_KEY_LEN] = {1};
	const struct registry_limits limits = {1000, 20000};
	const struct random random = seeded_random(&w->seed);

	w->seed = 1;
	registry_init(&w->registry, hash_key, &random, &limits);
}

static struct roster_entry named(uint8_t key, uint32_t handle)
{
	return (struct roster_entry){.handle = handle, .static_public = {key}};
}

static enum registry_result put(struct world *w, uint32_t owner, uint8_t tag,
	const struct roster_entry *r, struct registry_entry **entry)
{
	const uint8_t full[COMMUNITY_TAG_LEN] = {tag};

	return registry_put(&w->registry, owner, full, r, entry);
}

static unsigned count_changed(struct world *w)
{
	unsigned n = 0;

	while (registry_next_changed(&w->registry) != NULL)
		n++;
	return n;
}

static void results_say_what_happened(void **state)
{
	struct roster_entry r = named(1, 0), other = named(2, 0);
	struct registry_entry *e, *watcher;
	struct world w;
	uint32_t handle;

	(void)state;
	init(&w);
	assert_int_equal(put(&w, REGISTRY_SELF, 1, &other, &watcher), REGISTRY_CREATED);
	assert_int_equal(put(&w, REGISTRY_SELF, 1, &r, &e), REGISTRY_CREATED);
	assert_int_equal(count_changed(&w), 1);
	handle = r.handle = e->told.handle;
	assert_int_equal(put(&w, REGISTRY_SELF, 1, &r, &e), REGISTRY_SAME);
	assert_int_equal(count_changed(&w), 0);
	r.incarnation++;
	assert_int_equal(put(&w, REGISTRY_SELF, 1, &r, &e), REGISTRY_CHANGED);
	r.locator_len = 8;
	assert_int_equal(put(&w, REGISTRY_SELF, 1, &r, &e), REGISTRY_CHANGED);
	r.locator[7] = 1;
	assert_int_equal(put(&w, REGISTRY_SELF, 1, &r, &e), REGISTRY_CHANGED);
	assert_int_equal(count_changed(&w), 1);
	assert_int_equal(e->told.handle, handle);
	/* The community it left, and the one it is in. */
	assert_int_equal(put(&w, REGISTRY_SELF, 2, &r, &e), REGISTRY_MOVED);
	assert_int_equal(count_changed(&w), 2);
	assert_int_not_equal(e->told.handle, handle);
	assert_null(registry_find(&w.registry, handle));
	/* A community that ended is not named. */
	assert_true(registry_remove(&w.registry, REGISTRY_SELF, e->told.handle));
	assert_int_equal(count_changed(&w), 0);
	assert_false(registry_remove(&w.registry, REGISTRY_SELF, handle));
	assert_int_equal(HASH_COUNT(w.registry.communities), 1);
	registry_fini(&w.registry);
}

/* Changed, and ended before anybody asked. */
static void a_community_that_ended_is_not_named(void **state)
{
	struct registry_entry *e[3];
	struct world w;

	(void)state;
	init(&w);
	for (uint8_t i = 0; i < 3; i++) {
		struct roster_entry r = named(i, 0);

		assert_int_equal(
			put(&w, REGISTRY_SELF, (uint8_t)(1 + i), &r, &e[i]), REGISTRY_CREATED);
	}
	assert_true(registry_remove(&w.registry, REGISTRY_SELF, e[1]->told.handle));
	assert_ptr_equal(registry_next_changed(&w.registry), e[2]->community);
	assert_ptr_equal(registry_next_changed(&w.registry), e[0]->community);
	assert_null(registry_next_changed(&w.registry));
	registry_fini(&w.registry);
}

static void both_limits_hold(void **state)
{
	const struct registry_limits small = {3, 5};
	struct registry_entry *e;
	struct world w;

	(void)state;
	init(&w);
	w.registry.limits = small;
	for (uint8_t i = 0; i < 4; i++) {
		struct roster_entry r = named(i, 0);

		assert_int_equal(put(&w, REGISTRY_SELF, 1, &r, &e),
			i < 3 ? REGISTRY_CREATED : REGISTRY_FULL);
	}
	assert_null(e);
	/* Another community has room for two more, wherever they are registered. */
	for (uint8_t i = 0; i < 3; i++) {
		struct roster_entry r = named(i, 100u + i);

		assert_int_equal(put(&w, 7, 2, &r, &e), i < 2 ? REGISTRY_CREATED : REGISTRY_FULL);
	}
	/* Nothing is left of a community that nobody could enter. */
	assert_int_equal(put(&w, REGISTRY_SELF, 3, &(struct roster_entry){0}, &e), REGISTRY_FULL);
	assert_int_equal(HASH_COUNT(w.registry.communities), 2);
	assert_int_equal(registry_forget_owner(&w.registry, 7), 2);
	assert_int_equal(
		put(&w, REGISTRY_SELF, 3, &(struct roster_entry){0}, &e), REGISTRY_CREATED);
	registry_fini(&w.registry);
}

/* Who moves into a full community has left the old one all the same. */
static void a_move_into_a_full_community_is_a_departure(void **state)
{
	struct roster_entry mover = named(1, 0), stays = named(2, 0);
	struct registry_entry *e;
	struct world w;

	(void)state;
	init(&w);
	w.registry.limits.community = 1;
	assert_int_equal(put(&w, REGISTRY_SELF, 1, &stays, &e), REGISTRY_CREATED);
	assert_int_equal(put(&w, REGISTRY_SELF, 2, &mover, &e), REGISTRY_CREATED);
	mover.handle = e->told.handle;
	assert_int_equal(put(&w, REGISTRY_SELF, 1, &mover, &e), REGISTRY_FULL);
	assert_null(e);
	assert_null(registry_find(&w.registry, mover.handle));
	assert_int_equal(HASH_COUNT(w.registry.entries), 1);
	registry_fini(&w.registry);
}

/* Random bytes as the test wants them: each fill takes the next of a list. */
static void listed_fill(void *ctx, void *buf, size_t len)
{
	uint8_t **next = ctx;

	memset(buf, *(*next)++, len);
}

static void a_handle_is_never_0_and_never_anothers(void **state)
{
	uint8_t bytes[] = {9, 0, 1, 1, 2, 3}, *at = bytes;
	struct roster_entry first = named(1, 0), far = named(2, 0x02020202), second = named(3, 0);
	struct registry_entry *e;
	struct world w;

	(void)state;
	init(&w);
	w.registry.random = (struct random){listed_fill, &at};
	assert_int_equal(put(&w, REGISTRY_SELF, 1, &first, &e), REGISTRY_CREATED);
	assert_int_equal(e->told.handle, 0x01010101);
	assert_int_equal(put(&w, 5, 1, &far, &e), REGISTRY_CREATED);
	assert_int_equal(put(&w, REGISTRY_SELF, 1, &second, &e), REGISTRY_CREATED);
	assert_int_equal(e->told.handle, 0x03030303);
	registry_fini(&w.registry);
}

/* ---- owners elsewhere ---- */

/* All that an entry's subscriber is told from here, as one page. */
static void take(struct registry_entry *e, struct control_roster *page)
{
	assert_true(registry_page(e, page));
	assert_true(page->last);
	(void)registry_took_page(e);
}

static void entries_of_other_owners_are_told_and_leave_with_them(void **state)
{
	struct roster_entry own = named(1, 0), far = named(2, 77), farther = named(3, 78);
	struct registry_entry *e, *other;
	struct roster_cursor cursor = {0};
	struct control_roster page;
	struct world w;

	(void)state;
	init(&w);
	assert_int_equal(put(&w, REGISTRY_SELF, 1, &own, &e), REGISTRY_CREATED);
	registry_subscribe(e, &cursor, 0);
	assert_int_equal(put(&w, 5, 1, &far, &other), REGISTRY_CREATED);
	assert_int_equal(other->owner, 5);
	assert_int_equal(put(&w, 6, 1, &farther, &other), REGISTRY_CREATED);
	assert_ptr_equal(registry_next_changed(&w.registry), e->community);
	take(e, &page);
	assert_int_equal(page.n, 2);
	assert_int_equal(page.entry[0].handle, 77);
	assert_int_equal(page.entry[1].handle, 78);
	assert_false(registry_page(e, &page));

	assert_int_equal(registry_forget_owner(&w.registry, 5), 1);
	assert_ptr_equal(registry_next_changed(&w.registry), e->community);
	take(e, &page);
	assert_int_equal(page.n, 1);
	assert_true(page.entry[0].gone);
	assert_int_equal(page.entry[0].handle, 77);
	assert_memory_equal(page.entry[0].static_public, far.static_public, KEY_LEN);
	/* Forgotten once; and what is ours is never forgotten so. */
	assert_int_equal(registry_forget_owner(&w.registry, 5), 0);
	assert_int_equal(registry_forget_owner(&w.registry, REGISTRY_SELF), 0);
	assert_ptr_equal(registry_find(&w.registry, e->told.handle), e);
	registry_fini(&w.registry);
}

static void nobody_changes_the_entry_of_another_owner(void **state)
{
	struct roster_entry far = named(2, 77), r = named(3, 77);
	struct registry_entry *e, *found, before;
	struct world w;

	(void)state;
	init(&w);
	assert_int_equal(put(&w, 5, 1, &far, &found), REGISTRY_CREATED);
	before = *found;
	assert_int_equal(count_changed(&w), 1);
	r.incarnation = 9;
	assert_int_equal(put(&w, REGISTRY_SELF, 1, &r, &e), REGISTRY_REFUSED);
	assert_null(e);
	assert_int_equal(put(&w, 6, 1, &r, &e), REGISTRY_REFUSED);
	assert_int_equal(put(&w, 6, 2, &r, &e), REGISTRY_REFUSED);
	assert_false(registry_remove(&w.registry, REGISTRY_SELF, 77));
	assert_false(registry_remove(&w.registry, 6, 77));
	/* A handle that says nothing, from an owner that has to choose it. */
	r.handle = 0;
	assert_int_equal(put(&w, 6, 1, &r, &e), REGISTRY_REFUSED);
	assert_int_equal(count_changed(&w), 0);
	assert_memory_equal(registry_find(&w.registry, 77), &before, sizeof(before));
	assert_int_equal(HASH_COUNT(w.registry.communities), 1);
	/* The owner may: the handle is its choice and stays. */
	far.incarnation = 4;
	assert_int_equal(put(&w, 5, 1, &far, &e), REGISTRY_CHANGED);
	assert_int_equal(put(&w, 5, 2, &far, &e), REGISTRY_MOVED);
	assert_int_equal(e->told.handle, 77);
	assert_true(registry_remove(&w.registry, 5, 77));
	registry_fini(&w.registry);
}

/* An edge that goes from one supernode to another is at both until the first lease ends. */
static void an_edge_at_two_supernodes_keeps_its_newer_entry(void **state)
{
	struct roster_entry own = named(1, 0), at_first = named(2, 77), at_second = named(2, 0);
	struct registry_entry *e, *twin;
	static struct learner learner;
	struct roster_cursor cursor = {0};
	struct control_roster page;
	struct world w;

	(void)state;
	init(&w);
	assert_int_equal(put(&w, REGISTRY_SELF, 1, &own, &e), REGISTRY_CREATED);
	registry_subscribe(e, &cursor, 0);
	assert_int_equal(put(&w, 5, 1, &at_first, &twin), REGISTRY_CREATED);
	assert_int_equal(put(&w, REGISTRY_SELF, 1, &at_second, &twin), REGISTRY_CREATED);
	take(e, &page);
	assert_int_equal(page.n, 2);
	assert_true(learner_apply(&learner, &page));
	assert_true(registry_remove(&w.registry, 5, 77));
	take(e, &page);
	assert_true(learner_apply(&learner, &page));
	assert_true(learner.seen[2].listed);
	assert_int_equal(learner.seen[2].handle, twin->told.handle);
	registry_fini(&w.registry);
}

/*
 * What an edge was told of one community says nothing about another, nor about a later one with the
 * same tag, even if the versions there are higher.
 */
static void a_cursor_begins_anew_in_another_community(void **state)
{
	uint8_t bytes[] = {0xf1, 1, 2, 0x11, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		*at = bytes;
	struct roster_entry r = named(1, 0), other = named(2, 0);
	struct registry_entry *e, *watcher;
	struct roster_cursor cursor = {0};
	struct control_roster page;
	struct world w;
	uint64_t known;

	(void)state;
	init(&w);
	w.registry.random = (struct random){listed_fill, &at};
	assert_int_equal(put(&w, REGISTRY_SELF, 1, &r, &watcher), REGISTRY_CREATED);
	assert_int_equal(put(&w, REGISTRY_SELF, 1, &other, &e), REGISTRY_CREATED);
	registry_subscribe(e, &cursor, 0);
	take(e, &page);
	assert_int_equal(page.version >> 56, 0xf1);

	r.static_public[0] = 3;
	assert_int_equal(put(&w, REGISTRY_SELF, 2, &r, &watcher), REGISTRY_CREATED);
	known = watcher->community->version;
	assert_int_equal(known >> 56, 0x11);
	for (uint32_t i = 0; i <= TOMBSTONES_MAX; i++) {
		struct roster_entry passer = named(4, 1000 + i);
		struct registry_entry *p;

		assert_int_equal(put(&w, 5, 2, &passer, &p), REGISTRY_CREATED);
		assert_true(registry_remove(&w.registry, 5, 1000 + i));
	}
	other.handle = e->told.handle;
	assert_int_equal(put(&w, REGISTRY_SELF, 2, &other, &e), REGISTRY_MOVED);
	registry_subscribe(e, &cursor, known);
	assert_true(registry_page(e, &page));
	assert_int_equal(page.base, 0);
	/* Nor does what another supernode told it, after it was told here. */
	take(e, &page);
	registry_subscribe(e, &cursor, UINT64_C(0x1010101000000001));
	assert_true(registry_page(e, &page));
	assert_int_equal(page.base, 0);
	registry_fini(&w.registry);
}

/* Its pages lead through versions that are older than the departures remembered. */
static void starting_anew_goes_on_while_departures_are_forgotten(void **state)
{
	unsigned entries = 0, pages = 0;
	struct roster_cursor cursor = {0};
	struct control_roster page;
	struct registry_entry *e, *p;
	struct world w;

	(void)state;
	init(&w);
	for (uint8_t i = 0; i < 59; i++) {
		struct roster_entry r = named(i, 0);

		assert_int_equal(put(&w, REGISTRY_SELF, 1, &r, &e), REGISTRY_CREATED);
	}
	for (uint32_t i = 0; i <= 2 * TOMBSTONES_MAX; i++) {
		struct roster_entry passer = named(59, 1000 + i);

		assert_int_equal(put(&w, 5, 1, &passer, &p), REGISTRY_CREATED);
		assert_true(registry_remove(&w.registry, 5, 1000 + i));
	}
	registry_subscribe(e, &cursor, 0);
	do {
		assert_true(registry_page(e, &page));
		assert_int_equal(page.base == 0, pages == 0);
		for (unsigned i = 0; i < page.n; i++)
			entries += !page.entry[i].gone;
		pages++;
	} while (registry_took_page(e) && pages < 10);
	assert_int_equal(entries, 58);
	assert_in_range(pages, 3, 6);
	registry_fini(&w.registry);
}

/* Entries as long as they may be: a page is as many as fit one packet, and all are told. */
static void pages_with_locators_fit(void **state)
{
	unsigned entries = 0, pages = 0;
	struct roster_cursor cursor = {0};
	struct registry_entry *e = NULL;
	struct control_roster page;
	uint8_t buf[CONTROL_MAX_LEN];
	struct world w;
	struct writer wr;

	(void)state;
	init(&w);
	for (uint8_t i = 0; i < 60; i++) {
		struct roster_entry r = named(i, 0);

		r.locator_len = ROSTER_LOCATOR_MAX;
		assert_int_equal(put(&w, REGISTRY_SELF, 1, &r, &e), REGISTRY_CREATED);
	}
	registry_subscribe(e, &cursor, 0);
	do {
		assert_true(registry_page(e, &page));
		writer_init(&wr, buf, sizeof(buf));
		control_roster_encode(&wr, 1, &page);
		assert_true(writer_ok(&wr));
		assert_true(page.n > 0 || page.last);
		entries += page.n;
		pages++;
	} while (registry_took_page(e));
	assert_int_equal(entries, 59);
	assert_in_range(pages, 3, 5);
	registry_fini(&w.registry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_say_what_happened),
		cmocka_unit_test(a_community_that_ended_is_not_named),
		cmocka_unit_test(both_limits_hold),
		cmocka_unit_test(a_move_into_a_full_community_is_a_departure),
		cmocka_unit_test(a_handle_is_never_0_and_never_anothers),
		cmocka_unit_test(entries_of_other_owners_are_told_and_leave_with_them),
		cmocka_unit_test(nobody_changes_the_entry_of_another_owner),
		cmocka_unit_test(an_edge_at_two_supernodes_keeps_its_newer_entry),
		cmocka_unit_test(a_cursor_begins_anew_in_another_community),
		cmocka_unit_test(starting_anew_goes_on_while_departures_are_forgotten),
		cmocka_unit_test(pages_with_locators_fit),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
