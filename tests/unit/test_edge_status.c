/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an edge tells of itself and of one peer. */
#include "core/edge/edge.h"
#include "wire_test.h"

static void ignore_datagram(void *ctx, const struct datagram *d)
{
	(void)ctx;
	(void)d;
}

static void ignore_event(void *ctx, const struct event *e)
{
	(void)ctx;
	(void)e;
}

static int set_up(void **state)
{
	static uint64_t seed = 5;
	const struct edge_config c = {.node = {.io = {.send = ignore_datagram,
						       .event = ignore_event,
						       .random = seeded_random(&seed)},
					      .nworkers = 1,
					      .embryos = 4},
		.seed = {1}};
	const struct community_key keys[] = {{{2}, {3}}, {{4}, {5}}};
	struct edge *e = edge_create(&c);

	assert_non_null(e);
	for (int i = 0; i < 2; i++) {
		const struct community_config community = {
			.name = "c", .key = &keys[i], .mtu = 1376};

		assert_int_equal(edge_add_community(e, &community), i);
	}
	*state = e;
	return 0;
}

static int tear_down(void **state)
{
	edge_destroy(*state);
	return 0;
}

static void one_peer_is_found_by_its_key(void **state)
{
	struct edge *e = *state;
	struct known_peer known = {.remote = {9, 8, 7}, .freshness = 1};
	struct known_peer other = {.remote = {9, 8}, .freshness = 1};
	uint8_t id[EDGE_ID_LEN];
	struct status_peer p;

	assert_false(edge_peer_status(e, 1, known.remote, 1, &p));
	edge_remember(e, 1, &known);
	edge_remember(e, 1, &other);
	assert_true(edge_peer_status(e, 1, known.remote, 1, &p));
	edge_id(id, known.remote);
	assert_memory_equal(p.edge_id, id, sizeof(id));
	assert_int_equal(p.community, 1);
	assert_false(p.up);
	assert_false(p.listed);
	assert_false(p.has_mac);
	assert_int_equal(p.n_addresses, 0);
	assert_false(p.direct);
	assert_int_equal(p.reason, RELAY_SEARCHING);
	assert_true(p.heard_ms == NEVER_MS);
	/* A member of one community is none of another. */
	assert_false(edge_peer_status(e, 0, known.remote, 1, &p));
	assert_false(edge_peer_status(e, 2, known.remote, 1, &p));
	assert_false(edge_peer_status(e, COMMUNITIES_MAX, known.remote, 1, &p));
}

static void an_edge_without_supernodes_is_not_registered(void **state)
{
	assert_false(edge_is_registered(*state));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_peer_is_found_by_its_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_edge_without_supernodes_is_not_registered, set_up, tear_down),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
