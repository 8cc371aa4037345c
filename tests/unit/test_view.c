/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lookups in a view against a linear search through what was put in. */
#include "core/link/view.h"
#include "wire_test.h"

#define N 600

struct entry {
	struct session *session;
	uint32_t hop, handle, community;
	struct mac mac;
	bool has_mac;
};

struct world {
	uint64_t seed;
	struct entry e[N];
	struct view *v;
};

static struct mac small_mac(const struct random *rnd)
{
	/* Few different ones, so that absent ones are near present ones. */
	return (struct mac){
		{2, 0, 0, 0, (uint8_t)random_below(rnd, 32), (uint8_t)random_below(rnd, 256)}};
}

static const struct entry *by_mac(const struct world *w, unsigned community, const struct mac *mac)
{
	for (unsigned i = 0; i < N; i++)
		if (w->e[i].community == community && w->e[i].has_mac &&
			mac_equal(&w->e[i].mac, mac))
			return &w->e[i];
	return NULL;
}

static const struct entry *by_handle(const struct world *w, uint32_t hop, uint32_t handle)
{
	for (unsigned i = 0; i < N; i++)
		if (w->e[i].handle == handle && w->e[i].hop == hop)
			return &w->e[i];
	return NULL;
}

static const struct entry *by_id(const struct world *w, uint32_t id)
{
	for (unsigned i = 0; i < N; i++)
		if (w->e[i].session->id == id)
			return &w->e[i];
	return NULL;
}

static void fill(struct world *w, const struct random *rnd)
{
	for (unsigned i = 0; i < N; i++) {
		struct entry *e = &w->e[i];

		e->session = calloc(1, sizeof(*e->session));
		assert_non_null(e->session);
		/* Ids in runs: the worst case for open addressing by the id itself. */
		e->session->id = 1 + i * (i % 3 == 0 ? 1u : 4096u);
		e->community = i % 2;
		e->hop = 1 + i % 2;
		do {
			e->handle = 1 + random_below(rnd, 4 * N);
		} while (by_handle(w, e->hop, e->handle) != e);
		do {
			e->has_mac = false;
			e->mac = small_mac(rnd);
			if (by_mac(w, e->community, &e->mac) != NULL)
				continue;
			e->has_mac = true;
		} while (!e->has_mac);
		e->has_mac = i % 5 != 0;
		view_add_session(w->v, e->session);
		view_add_handle(w->v, e->hop, e->handle, e->session);
		view_add_peer(w->v, e->community, e->session, e->has_mac ? &e->mac : NULL);
	}
}

static void finds_what_is_there_and_nothing_else(void **state)
{
	static const uint8_t key[SIPHASH_KEY_LEN] = {9};
	struct world w = {.seed = 5};
	const struct random rnd = seeded_random(&w.seed);

	(void)state;
	w.v = view_create(key, N, N);
	assert_non_null(w.v);
	assert_int_equal(view_size_community(w.v, 0, N / 2), 0);
	assert_int_equal(view_size_community(w.v, 1, N / 2), 0);
	fill(&w, &rnd);
	assert_int_equal(w.v->community[0].n_peers, N / 2);
	for (unsigned i = 0; i < 50000; i++) {
		uint32_t id = random_below(&rnd, 2) ? w.e[random_below(&rnd, N)].session->id
						    : random_u32(&rnd) >> 2;
		uint32_t hop = 1 + random_below(&rnd, 3), handle = random_below(&rnd, 4 * N + 2);
		unsigned community = random_below(&rnd, 2);
		struct mac mac = small_mac(&rnd);
		const struct entry *e = by_id(&w, id);

		assert_ptr_equal(view_session(w.v, id), e != NULL ? e->session : NULL);
		e = by_handle(&w, hop, handle);
		assert_ptr_equal(view_handle(w.v, hop, handle), e != NULL ? e->session : NULL);
		e = by_mac(&w, community, &mac);
		assert_ptr_equal(view_mac(w.v, community, &mac), e != NULL ? e->session : NULL);
	}
	for (unsigned i = 0; i < N; i++)
		free(w.e[i].session);
	view_destroy(w.v);
}

static void members_carry_handle_and_community(void **state)
{
	static const uint8_t key[SIPHASH_KEY_LEN] = {9};
	struct session a = {.id = 4}, b = {.id = 8};
	struct view *v = view_create(key, 2, 2);
	const struct view_id *e;

	(void)state;
	assert_non_null(v);
	view_add_member(v, &a, 77, 3);
	view_add_session(v, &b);
	e = view_entry(v, 4);
	assert_non_null(e);
	assert_ptr_equal(e->session, &a);
	assert_int_equal(e->handle, 77);
	assert_int_equal(e->community, 3);
	e = view_entry(v, 8);
	assert_non_null(e);
	assert_int_equal(e->handle, 0);
	assert_null(view_entry(v, 12));
	assert_ptr_equal(view_handle(v, 0, 77), &a);
	assert_null(view_handle(v, 1, 77));
	view_destroy(v);
}

static void empty_views_answer(void **state)
{
	static const uint8_t key[SIPHASH_KEY_LEN] = {9};
	struct view *v = view_create(key, 0, 0);
	const struct mac mac = {{2, 0, 0, 0, 0, 1}};
	const struct endpoint e = {{1}, 1}, other = {{1}, 2};

	(void)state;
	assert_non_null(v);
	assert_int_equal(view_size_community(v, 0, 0), 0);
	assert_null(view_session(v, 0));
	assert_null(view_handle(v, 0, 0));
	assert_null(view_mac(v, 0, &mac));
	assert_false(view_is_supernode(v, &e));
	v->supernodes[v->n_supernodes++] = e;
	assert_true(view_is_supernode(v, &e));
	assert_false(view_is_supernode(v, &other));
	view_destroy(v);
	view_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_is_there_and_nothing_else),
		cmocka_unit_test(members_carry_handle_and_community),
		cmocka_unit_test(empty_views_answer),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
