/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of owned addresses: found by either, in order, bounded; who gives way, who expires. */
#include "core/edge/owners.h"
#include "wire_test.h"

static struct mac mac_of(unsigned i)
{
	return (struct mac){{0x0a, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}};
}

static void add(struct owners *o, unsigned i)
{
	const uint8_t remote[KEY_LEN] = {(uint8_t)(i >> 8), (uint8_t)i};
	const struct mac mac = mac_of(i);

	assert_non_null(owners_add(o, &mac, remote, NULL));
}

static struct owner *find(const struct owners *o, unsigned i)
{
	const uint8_t remote[KEY_LEN] = {(uint8_t)(i >> 8), (uint8_t)i};
	const struct mac mac = mac_of(i);
	struct owner *found = owners_of_mac(o, &mac);

	assert_ptr_equal(owners_of_static(o, remote), found);
	return found;
}

static void an_address_comes_of_a_static(void **state)
{
	const uint8_t remote[KEY_LEN] = {0xff, 1, 2, 3, 4, 5, 6};
	const struct mac expected = {{2, 1, 2, 3, 4, 5}}, derived = owners_derive(remote);

	(void)state;
	assert_true(mac_equal(&derived, &expected));
	assert_false(mac_is_group(&derived));
}

static void owners_are_found_and_keep_their_order(void **state)
{
	struct owners o = {.at = NULL};

	(void)state;
	assert_null(find(&o, 1));
	for (unsigned i = 0; i < 100; i++)
		add(&o, i);
	for (unsigned i = 0; i < 100; i += 3)
		owners_remove(&o, find(&o, i));
	assert_int_equal(o.n, 66);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(find(&o, i) == NULL, i % 3 == 0);
	for (size_t i = 1; i < o.n; i++)
		assert_true(memcmp(o.at[i - 1].remote, o.at[i].remote, KEY_LEN) < 0);
	owners_remove(&o, find(&o, 98));
	assert_null(find(&o, 98));
	owners_fini(&o);
	assert_int_equal(o.n, 0);
	owners_fini(&o);
}

static void there_is_a_bound(void **state)
{
	struct owners o = {.at = NULL};
	const uint8_t one_more[KEY_LEN] = {0xff};
	const struct mac mac = {{2, 2, 2, 2, 2, 2}};

	(void)state;
	for (unsigned i = 0; i < MAC_OWNERS_MAX; i++) {
		assert_false(owners_is_full(&o));
		add(&o, i);
	}
	assert_true(owners_is_full(&o));
	assert_null(owners_add(&o, &mac, one_more, NULL));
	assert_int_equal(o.n, MAC_OWNERS_MAX);
	/* All are here. */
	assert_null(owners_surplus(&o));
	find(&o, 7)->absent_ms = 1000000;
	find(&o, 70)->absent_ms = 1;
	find(&o, 33)->absent_ms = 5000;
	/* The one that came last gives way, not the one that was away for longest. */
	assert_ptr_equal(owners_surplus(&o), find(&o, 70));
	owners_remove(&o, find(&o, 70));
	assert_ptr_equal(owners_surplus(&o), find(&o, 33));
	assert_non_null(owners_add(&o, &mac, one_more, NULL));
	assert_true(owners_is_full(&o));
	owners_fini(&o);
}

static void owners_expire_after_a_time_without_them(void **state)
{
	struct owners o = {.at = NULL};

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		add(&o, i);
	assert_null(owners_expired(&o, 0));
	find(&o, 2)->absent_ms = 1;
	assert_ptr_equal(owners_expired(&o, 0), find(&o, 2));
	assert_null(owners_expired(&o, 1));
	find(&o, 3)->absent_ms = UINT64_MAX;
	assert_ptr_equal(owners_expired(&o, UINT64_MAX - 1), find(&o, 3));
	owners_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_comes_of_a_static),
		cmocka_unit_test(owners_are_found_and_keep_their_order),
		cmocka_unit_test(there_is_a_bound),
		cmocka_unit_test(owners_expire_after_a_time_without_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
