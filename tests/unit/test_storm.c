/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many frames for many pass, of whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/storm.h"

#include <cmocka.h>

#define START_MS 1000u
#define HOST	 UINT64_C(0x020000000001)

static const uint8_t hash_key[SIPHASH_KEY_LEN] = {1, 2, 3};

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct storm));
	return *state != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static unsigned pass_of(
	struct storm *s, uint64_t source, enum flood_kind kind, unsigned n, uint64_t now_ms)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < n; i++)
		passed += storm_lets_out(s, hash_key, 0, source, kind, now_ms);
	return passed;
}

/* Two hundred addresses, three times each, as a host does that finds none of them. */
static void a_host_may_ask_for_many_at_once(void **state)
{
	struct storm *s = *state;

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(
			pass_of(s, HOST, FLOOD_VITAL, 200, START_MS + 1000 * (uint64_t)i), 200);
}

static void who_floods_is_held_and_others_are_not(void **state)
{
	struct storm *s = *state;

	assert_int_equal(pass_of(s, HOST, FLOOD_BROADCAST, 5000, START_MS), 600);
	assert_int_equal(pass_of(s, HOST, FLOOD_BROADCAST, 5000, START_MS + 1000), 200);
	assert_int_equal(pass_of(s, HOST + 1, FLOOD_BROADCAST, 100, START_MS + 1000), 100);
	/* Nor what else it has to say. */
	assert_int_equal(pass_of(s, HOST, FLOOD_VITAL, 100, START_MS + 1000), 100);
	assert_int_equal(pass_of(s, HOST, FLOOD_MULTICAST, 100, START_MS + 1000), 100);
	/* Another community has its own. */
	assert_true(storm_lets_out(s, hash_key, 1, HOST, FLOOD_BROADCAST, START_MS + 1000));
}

/* Whatever addresses they come from; and in the end there is an honest one's own share again. */
static void forged_sources_have_a_total(void **state)
{
	struct storm *s = *state;
	unsigned passed = 0;

	for (uint64_t i = 0; i < 100000; i++)
		passed += pass_of(s, HOST + i, FLOOD_BROADCAST, 1, START_MS + i / 10);
	assert_in_range(passed, 2000, 2000 + 10 * 500);
	assert_int_equal(pass_of(s, HOST, FLOOD_VITAL, 100, START_MS + 10000), 100);
	assert_int_equal(pass_of(s, HOST, FLOOD_BROADCAST, 100, START_MS + 12000), 100);
}

/* One that floods is remembered, though so many others come that there is no room. */
static void many_others_do_not_make_it_forgotten(void **state)
{
	struct storm *s = *state;

	assert_int_equal(pass_of(s, HOST, FLOOD_BROADCAST, 5000, START_MS), 600);
	for (uint64_t i = 1; i <= 1000; i++)
		(void)pass_of(s, HOST + i, FLOOD_BROADCAST, 1, START_MS + i / 2);
	assert_in_range(pass_of(s, HOST, FLOOD_BROADCAST, 5000, START_MS + 500), 0, 100);
}

/* All of a second's worth at once, and then each kind its share, however many of the others come.
 */
static void a_relay_has_its_limits(void **state)
{
	static const enum flood_kind kinds[] = {FLOOD_VITAL, FLOOD_PROBE, FLOOD_BROADCAST};
	struct storm *s = *state;
	unsigned passed[3] = {0};
	uint64_t bits = 0;

	for (unsigned len = 60; len <= 1400; len += 1340)
		for (unsigned ms = 0; ms < 110000; ms++)
			for (unsigned i = 0; i < 3; i++) {
				uint64_t now_ms = START_MS + len * 1000 + ms;

				if (!storm_lets_relay(s, 0, NULL, kinds[i], len, now_ms) ||
					ms < 10000)
					continue;
				bits += 8 * len;
				passed[i] += len == 60;
			}
	/* A hundred seconds of small ones, and a hundred of large ones, behind what was kept. */
	assert_in_range(bits, 60u * 8 * 19000 + 99000000, 60u * 8 * 20000 + 100100000);
	assert_in_range(passed[0] + passed[1] + passed[2], 19900, 20001);
	assert_in_range(passed[0], 9500, 10500);
	assert_in_range(passed[1], 1800, 2050);
	assert_in_range(passed[2], 7500, 8500);
}

static unsigned relay_all(struct storm *s, enum flood_kind kind)
{
	unsigned n = 0;

	while (storm_lets_relay(s, 0, NULL, kind, 100, START_MS))
		assert_true(n++ < 1000);
	return n;
}

static void who_is_alone_has_what_was_kept(void **state)
{
	struct storm *s = *state;

	assert_int_equal(relay_all(s, FLOOD_VITAL), 200);
	assert_false(storm_lets_relay(s, 0, NULL, FLOOD_BROADCAST, 100, START_MS));
	assert_true(storm_lets_relay(s, 1, NULL, FLOOD_BROADCAST, 100, START_MS));
}

static void others_leave_some_to_what_is_vital(void **state)
{
	struct storm *s = *state;

	assert_int_equal(relay_all(s, FLOOD_BROADCAST), 120);
	assert_false(storm_lets_relay(s, 0, NULL, FLOOD_MULTICAST, 60, START_MS));
	assert_true(storm_lets_relay(s, 0, NULL, FLOOD_PROBE, 60, START_MS));
	assert_int_equal(relay_all(s, FLOOD_VITAL), 79);
}

static unsigned relay_for(struct storm *s, const struct group_plan *plan, size_t len, unsigned ms)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ms; i++)
		n += storm_lets_relay(s, 0, plan, FLOOD_BROADCAST, len, START_MS + i);
	return n;
}

static void what_nobody_uses_is_everybodys(void **state)
{
	assert_in_range(relay_for(*state, NULL, 100, 10000), 2000, 2200);
}

static void large_frames_have_all_bits_too(void **state)
{
	assert_in_range(relay_for(*state, NULL, 1250, 10000), 1000, 1100);
}

static void a_supernode_may_take_more_or_less(void **state)
{
	const struct group_plan more = {.packets_s = 2000, .bytes_s = 1250000};
	const struct group_plan less = {.packets_s = 20, .bytes_s = 12500};
	struct storm *s = *state;

	assert_in_range(relay_for(s, &more, 100, 2000), 1990, 2000);
	memset(s, 0, sizeof(*s));
	assert_in_range(relay_for(s, &less, 100, 10000), 200, 220);
}

static void a_peer_has_limits_too(void **state)
{
	struct link *l = calloc(1, sizeof(*l));
	unsigned passed = 0;

	(void)state;
	assert_non_null(l);
	for (unsigned i = 0; i < 10000; i++)
		passed += storm_lets_in(l, FLOOD_BROADCAST, START_MS);
	assert_int_equal(passed, 4000);
	assert_int_equal(storm_dropped(l, FLOOD_BROADCAST), 6000);
	assert_true(storm_lets_in(l, FLOOD_VITAL, START_MS));
	/* What is for who asked for it has none. */
	for (unsigned i = 0; i < 100000; i++)
		assert_true(storm_lets_in(l, FLOOD_STREAM, START_MS));
	assert_int_equal(storm_dropped(l, FLOOD_STREAM), 0);
	free(l);
}

/* What one that keeps to the limits sends for as long as it likes, another takes. */
static void honest_floods_are_taken(void **state)
{
	struct link *l = calloc(1, sizeof(*l));
	struct storm *s = *state;

	assert_non_null(l);
	for (uint64_t ms = 0; ms < 60000; ms += 50)
		for (unsigned kind = 0; kind < FLOOD_KINDS; kind++)
			for (uint64_t i = 0; i < 200; i++)
				if (storm_lets_out(s, hash_key, 0, HOST + i, (enum flood_kind)kind,
					    START_MS + ms))
					assert_true(storm_lets_in(
						l, (enum flood_kind)kind, START_MS + ms));
	free(l);
}

static void a_flood_is_told_while_it_lasts(void **state)
{
	struct storm *s = *state;
	unsigned told = 0;

	for (unsigned ms = 0; ms < 10000; ms++) {
		uint32_t n = storm_over(s, 0, START_MS + ms);

		assert_true(n == 0 || n == 1000);
		told += n > 0;
	}
	assert_in_range(told, 9, 10);
	/* A burst is none. */
	for (unsigned i = 0; i < 10; i++)
		for (unsigned n = 0; n < 100; n++)
			assert_int_equal(storm_over(s, 1, START_MS + 3000 * (uint64_t)i), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_host_may_ask_for_many_at_once),
		TEST(who_floods_is_held_and_others_are_not),
		TEST(forged_sources_have_a_total),
		TEST(many_others_do_not_make_it_forgotten),
		TEST(a_relay_has_its_limits),
		TEST(what_nobody_uses_is_everybodys),
		TEST(large_frames_have_all_bits_too),
		TEST(a_supernode_may_take_more_or_less),
		TEST(who_is_alone_has_what_was_kept),
		TEST(others_leave_some_to_what_is_vital),
		TEST(a_peer_has_limits_too),
		TEST(honest_floods_are_taken),
		TEST(a_flood_is_told_while_it_lasts),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
