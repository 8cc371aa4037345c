/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Members and the places that they come from: who has room where, and what a move changes. */
#include "core/path/path.h"
#include "core/supernode/supernode_state.h"
#include "wire_test.h"

#define LIMIT	 2 /* of one community at a place */
#define LATER_MS 60000u

struct world {
	uint64_t seed;
	struct supernode *sn;
	uint32_t number;
};

/* The allocation that fails, counted from 1; 0: none. */
static unsigned fail_in;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);

static bool gives(void)
{
	return fail_in == 0 || --fail_in > 0;
}

void *__wrap_malloc(size_t size)
{
	return gives() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return gives() ? __real_calloc(n, size) : NULL;
}

static void no_send(void *ctx, const struct datagram *d)
{
	(void)ctx;
	(void)d;
	fail();
}

static void no_event(void *ctx, const struct event *e)
{
	(void)ctx;
	(void)e;
}

static int setup(void **state)
{
	struct supernode_config c = {
		.node = {.nworkers = 1, .embryos = 4}, .secret = {1}, .per_address = LIMIT};
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->seed = 3;
	c.node.io = (struct core_io){
		.ctx = w, .send = no_send, .event = no_event, .random = seeded_random(&w->seed)};
	w->sn = supernode_create(&c);
	assert_non_null(w->sn);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	supernode_destroy(w->sn);
	free(w);
	return 0;
}

static struct endpoint v4(uint8_t host)
{
	return endpoint_v4(UINT32_C(0xc6336400) | host, 1000);
}

/* A /48, and a /64 in it. */
static struct endpoint v6(uint8_t net, uint8_t subnet)
{
	return (struct endpoint){{0x20, 1, 0x0d, 0xb8, 0, net, 0, subnet, [15] = 1}, 1000};
}

static struct member *come(struct world *w, const struct endpoint *at)
{
	uint8_t remote[KEY_LEN] = {5};

	store_be32(remote + 1, ++w->number);
	return member_create(w->sn, remote, at);
}

static enum register_result enter(struct world *w, struct member *m, uint8_t community)
{
	struct control_register r = {.tag = {community}};

	memcpy(r.static_public, m->session->remote, KEY_LEN);
	return member_register(w->sn, m, &r);
}

/* One that is registered; when all who came before have paid. */
static struct member *settle(struct world *w, uint8_t community, const struct endpoint *at)
{
	struct member *m;

	w->sn->node.core.now_ms += LATER_MS;
	m = come(w, at);
	assert_non_null(m);
	assert_int_equal(enter(w, m, community), REGISTER_OK);
	return m;
}

/* Its path leads there. */
static bool go(struct world *w, struct member *m, const struct endpoint *to)
{
	const struct way way = way_to(to);

	path_use(&w->sn->node.core, m->session, &way);
	return member_moved(w->sn, m);
}

static bool is_full(struct world *w, uint8_t community, const struct endpoint *at)
{
	enum register_result result;
	struct member *m;

	w->sn->node.core.now_ms += LATER_MS;
	m = come(w, at);
	assert_non_null(m);
	result = enter(w, m, community);
	member_remove(w->sn, m);
	assert_true(result == REGISTER_OK || result == REGISTER_ADDRESS_LIMIT);
	return result != REGISTER_OK;
}

/* ---- coming ---- */

static void an_address_has_room_for_some_of_each_community(void **state)
{
	const uint8_t tag[COMMUNITY_TAG_LEN] = {1};
	const struct roster_entry far = {.handle = 77, .static_public = {3}};
	const struct endpoint here = v4(1), there = v4(2);
	struct world *w = *state;
	struct registry_entry *e;

	/* Who is registered elsewhere, or comes from elsewhere, does not count here. */
	assert_int_equal(registry_put(&w->sn->registry, 5, tag, &far, &e), REGISTRY_CREATED);
	(void)settle(w, 1, &there);
	assert_false(is_full(w, 1, &here));
	(void)settle(w, 1, &here);
	assert_false(is_full(w, 1, &here));
	(void)settle(w, 1, &here);
	assert_true(is_full(w, 1, &here));
	assert_false(is_full(w, 1, &there));
	/* Others have room here, one that nobody is in yet as well. */
	assert_false(is_full(w, 2, &here));
	(void)settle(w, 2, &here);
	(void)settle(w, 2, &here);
	assert_true(is_full(w, 2, &here));
	assert_true(is_full(w, 1, &here));
}

/* So has a /48 for twice as many. */
static void a_site_has_room_for_some_of_each_community(void **state)
{
	struct world *w = *state;
	const struct endpoint other = v6(2, 1), last = v6(1, 99);

	for (uint8_t i = 0; i < SOURCE_NET_FACTOR * LIMIT; i++) {
		const struct endpoint at = v6(1, i), elsewhere = v6((uint8_t)(3 + i), 1);

		(void)settle(w, 2, &elsewhere);
		assert_false(is_full(w, 1, &last));
		(void)settle(w, 1, &at);
	}
	assert_true(is_full(w, 1, &last));
	assert_false(is_full(w, 2, &last));
	assert_false(is_full(w, 1, &other));
}

/* Behind one NAT: who only knocks does not close it for those who register. */
static void the_first_who_waits_there_gives_way(void **state)
{
	const struct endpoint here = v4(1), there = v4(2);
	struct world *w = *state;
	struct member *elsewhere = come(w, &there), *registered = settle(w, 1, &here), *m;
	uint8_t remote[SOURCE_WAITING_MAX + 2][KEY_LEN];

	for (unsigned i = 0; i < SOURCE_WAITING_MAX + 2; i++) {
		m = come(w, &here);
		assert_non_null(m);
		memcpy(remote[i], m->session->remote, KEY_LEN);
		assert_int_equal(
			m->source->waiting, i < SOURCE_WAITING_MAX ? i + 1 : SOURCE_WAITING_MAX);
	}
	assert_null(member_find(w->sn, remote[0]));
	assert_null(member_find(w->sn, remote[1]));
	for (unsigned i = 2; i < SOURCE_WAITING_MAX + 2; i++)
		assert_non_null(member_find(w->sn, remote[i]));
	assert_ptr_equal(member_find(w->sn, elsewhere->session->remote), elsewhere);
	assert_int_not_equal(member_handle(registered), 0);
	assert_int_equal(w->sn->n_lobby, SOURCE_WAITING_MAX + 1);
	/* The newcomer registers. */
	assert_int_equal(enter(w, m, 1), REGISTER_OK);
}

static void the_first_who_waits_in_a_site_gives_way(void **state)
{
	const struct endpoint other = v6(2, 1);
	struct world *w = *state;
	struct member *elsewhere = come(w, &other);
	uint8_t first[KEY_LEN];

	for (unsigned i = 0; i < SOURCE_NET_FACTOR * SOURCE_WAITING_MAX + 1; i++) {
		const struct endpoint at = v6(1, (uint8_t)i);
		struct member *m = come(w, &at);

		assert_non_null(m);
		if (i == 0)
			memcpy(first, m->session->remote, KEY_LEN);
		assert_int_equal(member_find(w->sn, first) != NULL,
			i < SOURCE_NET_FACTOR * SOURCE_WAITING_MAX);
	}
	assert_ptr_equal(member_find(w->sn, elsewhere->session->remote), elsewhere);
	assert_int_equal(w->sn->n_lobby, SOURCE_NET_FACTOR * SOURCE_WAITING_MAX + 1);
}

/* Whichever piece of it is missing. */
static void without_memory_nobody_came(void **state)
{
	const struct endpoint here = v4(1);
	struct world *w = *state;
	struct member *m = NULL;
	unsigned n = 0;

	while (m == NULL) {
		assert_true(n < 20);
		fail_in = ++n;
		m = come(w, &here);
		fail_in = 0;
		assert_int_equal(HASH_COUNT(w->sn->members), m != NULL);
		assert_int_equal(HASH_COUNT(w->sn->sources.table), m != NULL);
		assert_int_equal(w->sn->n_lobby, m != NULL);
	}
	assert_true(n > 4);
	assert_int_equal(m->source->waiting, 1);
}

static void who_is_shown_is_no_drop(void **state)
{
	const struct endpoint here = v4(1);
	struct world *w = *state;

	(void)settle(w, 1, &here);
	assert_int_equal(drops_get(&w->sn->node.core.drops, DROP_NO_DESTINATION), 0);
}

/* ---- moving ---- */

static void who_moves_counts_where_it_is(void **state)
{
	const struct endpoint here = v4(1), there = v4(2);
	struct world *w = *state;
	struct member *m = settle(w, 1, &here), *stays = settle(w, 1, &here);
	struct source *from = m->source;

	assert_true(member_moved(w->sn, m)); /* it has no path */
	assert_ptr_equal(m->source, from);
	assert_true(go(w, m, &there));
	assert_true(source_has(m->source, &there));
	assert_ptr_equal(stays->source, from);
	assert_int_not_equal(member_handle(m), 0);
	assert_true(m->source->registered == 1 && m->source->waiting == 0);
	assert_true(from->registered == 1 && from->waiting == 0);
	/* It is as free to go when it is not registered. */
	member_unregister(w->sn, m);
	assert_true(go(w, m, &here));
	assert_ptr_equal(m->source, from);
	assert_true(from->registered == 1 && from->waiting == 1);
}

/* It needs room there, and no registration is kept that has none. */
static void where_there_is_no_room_it_is_not_registered(void **state)
{
	const struct endpoint here = v4(1), there = v4(2);
	struct world *w = *state;
	struct member *m = settle(w, 1, &here), *other = settle(w, 2, &here);

	for (unsigned i = 0; i < LIMIT; i++)
		(void)settle(w, 1, &there);
	/* Of another community there is. */
	assert_true(go(w, other, &there));
	assert_int_not_equal(member_handle(other), 0);
	assert_false(go(w, m, &there));
	assert_int_equal(member_handle(m), 0);
	assert_true(source_has(m->source, &there));
	assert_true(m->source->registered == LIMIT + 1 && m->source->waiting == 1);
	/* Who is not registered goes where it likes. */
	assert_true(go(w, m, &here));
	assert_true(go(w, m, &there));
}

/* It does not stand in its own way. */
static void within_a_full_site_it_may_move(void **state)
{
	const struct endpoint other = v6(1, 99);
	struct world *w = *state;
	struct member *m = NULL;

	for (uint8_t i = 0; i < SOURCE_NET_FACTOR * LIMIT; i++) {
		const struct endpoint at = v6(1, i);

		m = settle(w, 1, &at);
	}
	assert_true(is_full(w, 1, &other));
	assert_true(go(w, m, &other));
	assert_int_not_equal(member_handle(m), 0);
}

static void at_a_full_place_all_may_stay(void **state)
{
	const struct endpoint here = v4(1);
	struct world *w = *state;
	struct member *m = NULL;

	for (uint8_t i = 0; i < SOURCE_ALL_FACTOR * LIMIT; i++)
		m = settle(w, (uint8_t)(1 + i), &here);
	assert_true(is_full(w, 100, &here));
	assert_true(go(w, m, &here));
	assert_int_not_equal(member_handle(m), 0);
}

/* ---- pages ---- */

/* Two a second; one that is sent again is the same one. */
static void a_page_is_paid_for_once(void **state)
{
	const struct endpoint here = v4(1);
	struct world *w = *state;
	struct member *m = settle(w, 1, &here);
	const uint64_t now_ms = w->sn->node.core.now_ms;
	struct control_roster page;

	(void)settle(w, 1, &here);
	w->sn->node.core.now_ms = now_ms;
	for (unsigned i = 0; i < 3; i++) {
		assert_true(member_page(w->sn, m, &page));
		assert_int_equal(m->pages.full_ms, now_ms + 500);
	}
	member_took_page(w->sn, m);
	assert_false(member_page(w->sn, m, &page)); /* there is no more */
	assert_int_equal(m->pages.full_ms, now_ms + 500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_address_has_room_for_some_of_each_community),
		TEST(a_site_has_room_for_some_of_each_community),
		TEST(the_first_who_waits_there_gives_way),
		TEST(the_first_who_waits_in_a_site_gives_way),
		TEST(without_memory_nobody_came),
		TEST(who_is_shown_is_no_drop),
		TEST(who_moves_counts_where_it_is),
		TEST(where_there_is_no_room_it_is_not_registered),
		TEST(within_a_full_site_it_may_move),
		TEST(at_a_full_place_all_may_stay),
		TEST(a_page_is_paid_for_once),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
