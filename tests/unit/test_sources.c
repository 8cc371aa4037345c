/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where sessions come from: counted, limited, and forgotten. */
#include "core/supernode/sources.h"
#include "wire_test.h"

#define LIMIT 30 /* in one community */

static const uint8_t hash_key[SIPHASH_KEY_LEN] = {7};

static struct endpoint v4(uint8_t host)
{
	return endpoint_v4(UINT32_C(0xc6336400) | host, 1000);
}

/* Of a /48 and a /64 in it. */
static struct endpoint v6(uint8_t net, uint8_t subnet, uint8_t host)
{
	return (struct endpoint){
		{0x20, 1, 0x0d, 0xb8, 0, net, 0, subnet, [15] = host}, (uint16_t)(1000 + host)};
}

/* One comes and registers in a community of its own; NULL: it may not. */
static struct source *arrive(struct sources *s, const struct endpoint *at, uint64_t now_ms)
{
	const struct source_share none = {0, 0};
	struct source *p = sources_enter(s, at);

	if (p == NULL)
		return NULL;
	if (!sources_admit(s, p, &none, now_ms)) {
		sources_leave(s, p, now_ms);
		return NULL;
	}
	sources_registered(s, p, now_ms);
	return p;
}

static void depart(struct sources *s, struct source *p, uint64_t now_ms)
{
	sources_unregistered(p);
	sources_leave(s, p, now_ms);
}

static void a_place_is_an_address_or_a_64(void **state)
{
	const struct endpoint same[] = {v4(1), v6(1, 1, 1)}, other[] = {v4(2), v6(1, 2, 1)};
	struct endpoint port = v4(1);
	struct sources s;

	(void)state;
	sources_init(&s, hash_key, LIMIT);
	port.port = 5;
	for (unsigned i = 0; i < 2; i++) {
		struct source *p = sources_enter(&s, &same[i]);

		assert_non_null(p);
		assert_ptr_equal(sources_place(&s, &same[i]), p);
		assert_ptr_not_equal(sources_place(&s, &other[i]), p);
		assert_true(source_has(p, &same[i]));
		assert_false(source_has(p, &other[i]));
	}
	assert_ptr_equal(sources_place(&s, &port), sources_place(&s, &same[0]));
	assert_ptr_equal(
		sources_place(&s, &(struct endpoint){{0x20, 1, 0x0d, 0xb8, 0, 1, 0, 1, 99}, 9}),
		sources_place(&s, &same[1]));
	assert_null(sources_place(&s, &same[0])->net);
	assert_ptr_equal(sources_place(&s, &same[1])->net, sources_place(&s, &other[1])->net);
	sources_fini(&s);
}

static void who_waits_is_limited_by_place_and_by_48(void **state)
{
	const struct endpoint a = v4(1), b = v4(2), new_there = v6(1, 250, 1);
	struct sources s;
	struct source *p = NULL;
	unsigned in = 0;

	(void)state;
	sources_init(&s, hash_key, LIMIT);
	assert_null(sources_full(&s, &a));
	for (unsigned i = 0; i < SOURCE_WAITING_MAX; i++)
		p = sources_enter(&s, &a);
	assert_non_null(p);
	assert_ptr_equal(sources_full(&s, &a), p);
	assert_null(sources_full(&s, &b));
	sources_leave(&s, p, 0);
	assert_null(sources_full(&s, &a));
	/* From 200 networks of a site. */
	for (unsigned i = 0; i < 200; i++) {
		const struct endpoint at = v6(1, (uint8_t)i, 1);

		if (sources_full(&s, &at) != NULL)
			continue;
		p = sources_enter(&s, &at);
		assert_non_null(p);
		in++;
	}
	assert_int_equal(in, SOURCE_NET_FACTOR * SOURCE_WAITING_MAX);
	assert_ptr_equal(sources_full(&s, &new_there), p->net);
	assert_true(source_is_in(p, p->net) && source_is_in(p, p) && !source_is_in(p->net, p));
	/* Asking leaves nothing: an address, the networks, the site. */
	assert_int_equal(HASH_COUNT(s.table), 1 + in + 1);
	sources_fini(&s);
}

/* One of them gives way there, and not anybody of its site, which has room. */
static void a_full_network_of_a_site_with_room_is_full(void **state)
{
	const struct endpoint at = v6(1, 1, 1), beside = v6(1, 2, 1);
	struct source *p = NULL;
	struct sources s;

	(void)state;
	sources_init(&s, hash_key, LIMIT);
	for (unsigned i = 0; i < SOURCE_WAITING_MAX; i++)
		p = sources_enter(&s, &at);
	assert_non_null(p);
	assert_ptr_equal(sources_full(&s, &at), p);
	assert_null(sources_full(&s, &beside));
	sources_leave(&s, p, 0);
	assert_null(sources_full(&s, &at));
	sources_fini(&s);
}

/* So many at once, then one now and then; in all communities four times as many as in one. */
static void arrivals_have_a_pace_and_an_end(void **state)
{
	const struct endpoint at = v4(1);
	struct sources s;
	uint64_t now_ms = 5000, last_ms = 0;
	unsigned in = 0;

	(void)state;
	sources_init(&s, hash_key, LIMIT);
	while (arrive(&s, &at, now_ms) != NULL)
		in++;
	assert_int_equal(in, LIMIT);
	for (; in < SOURCE_ALL_FACTOR * LIMIT && now_ms < 1000000; now_ms += 100) {
		if (arrive(&s, &at, now_ms) == NULL)
			continue;
		in++;
		if (last_ms != 0)
			assert_int_equal(now_ms - last_ms, SOURCE_REFILL_MS / LIMIT);
		last_ms = now_ms;
	}
	assert_int_equal(in, SOURCE_ALL_FACTOR * LIMIT);
	assert_null(arrive(&s, &at, now_ms + SOURCE_REFILL_MS));
	sources_fini(&s);
}

/* 65,536 networks of one site are not 65,536 places. */
static void a_site_has_twice_the_room_of_a_network(void **state)
{
	struct source_share share = {0, 0};
	struct sources s;
	unsigned in = 0;

	(void)state;
	sources_init(&s, hash_key, LIMIT);
	/* All in one community. */
	for (unsigned i = 0; i < 250; i++) {
		const struct endpoint at = v6(1, (uint8_t)i, 1);
		struct source *p = sources_enter(&s, &at);

		assert_non_null(p);
		share.here = 0;
		share.net = in;
		assert_int_equal(source_is_crowded(&s, p), in >= SOURCE_NET_FACTOR * LIMIT);
		if (!sources_admit(&s, p, &share, 100000 * i)) {
			sources_leave(&s, p, 100000 * i);
			continue;
		}
		sources_registered(&s, p, 100000 * i);
		in++;
	}
	assert_int_equal(in, SOURCE_NET_FACTOR * LIMIT);
	assert_non_null(arrive(&s, &(struct endpoint){{0x20, 2}, 1}, 0));
	sources_fini(&s);
}

/* Coming and going is as dear as coming: what was paid is not forgotten with who left. */
static void who_comes_and_goes_pays_for_each(void **state)
{
	const struct endpoint at[] = {v4(1), v6(1, 1, 1)};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct source *p;
		struct sources s;
		unsigned in = 0;

		sources_init(&s, hash_key, LIMIT);
		for (unsigned k = 0; k < 10 * LIMIT; k++) {
			p = arrive(&s, &at[i], 1000);
			if (p == NULL)
				continue;
			in++;
			depart(&s, p, 1000);
			sources_sweep(&s, 1000);
		}
		assert_int_equal(in, LIMIT);
		/* And is forgotten when it is paid. */
		sources_sweep(&s, 1000 + SOURCE_REFILL_MS - 1);
		assert_int_equal(HASH_COUNT(s.table), 1 + i);
		sources_sweep(&s, 1000 + SOURCE_REFILL_MS);
		assert_int_equal(HASH_COUNT(s.table), 0);
		sources_fini(&s);
	}
}

static void a_place_without_anybody_is_freed_at_once(void **state)
{
	const struct endpoint at[] = {v4(1), v6(1, 1, 1), v6(1, 2, 1)};
	struct source *p[3];
	struct sources s;

	(void)state;
	sources_init(&s, hash_key, LIMIT);
	for (unsigned i = 0; i < 3; i++)
		p[i] = sources_enter(&s, &at[i]);
	assert_int_equal(HASH_COUNT(s.table), 4);
	sources_leave(&s, p[0], 0);
	sources_leave(&s, p[1], 0);
	assert_int_equal(HASH_COUNT(s.table), 2);
	sources_leave(&s, p[2], 0);
	assert_int_equal(HASH_COUNT(s.table), 0);
	sources_fini(&s);
}

static void who_moves_counts_there_and_not_here(void **state)
{
	const struct endpoint from = v6(1, 1, 1), near = v6(1, 2, 1), far = v4(1);
	const struct source_share full = {LIMIT, LIMIT}, half = {LIMIT / 2, LIMIT};
	struct source *p, *to;
	struct sources s;

	(void)state;
	sources_init(&s, hash_key, LIMIT);
	p = arrive(&s, &from, 0);
	to = sources_place(&s, &near);
	sources_move(&s, p, to, true, SOURCE_REFILL_MS);
	assert_int_equal(to->registered, 1);
	assert_int_equal(to->net->registered, 1);
	assert_int_equal(HASH_COUNT(s.table), 2);
	p = to;
	to = sources_place(&s, &far);
	sources_move(&s, p, to, true, SOURCE_REFILL_MS);
	assert_int_equal(HASH_COUNT(s.table), 1);
	/* It is no arrival there, but needs room. */
	for (unsigned i = 1; i < LIMIT; i++)
		assert_non_null(arrive(&s, &far, 0));
	assert_true(source_is_crowded(&s, to));
	assert_false(sources_admit_move(&s, to, &full));
	assert_true(sources_admit_move(&s, to, &half));
	sources_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_is_an_address_or_a_64),
		cmocka_unit_test(who_waits_is_limited_by_place_and_by_48),
		cmocka_unit_test(a_full_network_of_a_site_with_room_is_full),
		cmocka_unit_test(arrivals_have_a_pace_and_an_end),
		cmocka_unit_test(a_site_has_twice_the_room_of_a_network),
		cmocka_unit_test(who_comes_and_goes_pays_for_each),
		cmocka_unit_test(a_place_without_anybody_is_freed_at_once),
		cmocka_unit_test(who_moves_counts_there_and_not_here),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
