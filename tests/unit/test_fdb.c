/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The forwarding table: what is learned, what ages, and whom a flood of sources can push out. */
#include "core/switch/fdb.h"
#include "wire_test.h"

#define ADDRESSES 500
#define ENTRIES	  8192
#define HOSTILE	  999

static const uint8_t key[FDB_KEY_LEN] = {
	9, 1, 8, 2, 7, 3, 6, 4, 5, 0x55, 0xaa, 0x13, 0xee, 0x77, 0x31, 0xc4};

static struct fdb *create(uint32_t entries)
{
	struct fdb *f = fdb_create(entries, key);

	assert_non_null(f);
	return f;
}

/* Addresses of one vendor, in a row: what a hash has to spread. */
static uint64_t nth(uint32_t n)
{
	return UINT64_C(0x525400000000) + n;
}

static void an_address_leads_to_where_it_was_heard_last(void **state)
{
	struct fdb *f = create(ENTRIES);

	(void)state;
	assert_int_equal(fdb_find(f, nth(1)), PORT_FLOOD);
	fdb_learn(f, nth(1), 5, 0);
	fdb_learn(f, nth(2), PORTS_MAX - 1, 0);
	assert_int_equal(fdb_find(f, nth(1)), 5);
	assert_int_equal(fdb_find(f, nth(2)), PORTS_MAX - 1);
	fdb_learn(f, nth(1), 6, 0);
	assert_int_equal(fdb_find(f, nth(1)), 6);
	assert_int_equal(fdb_find(f, nth(2)), PORTS_MAX - 1);
	assert_int_equal(fdb_find(f, nth(3)), PORT_FLOOD);
	/* The last bit of 48 and the first tell addresses apart. */
	fdb_learn(f, UINT64_C(0xfcffffffffff), 7, 0);
	fdb_learn(f, UINT64_C(0xfcfffffffffe), 8, 0);
	fdb_learn(f, UINT64_C(0x7cffffffffff), 9, 0);
	assert_int_equal(fdb_find(f, UINT64_C(0xfcffffffffff)), 7);
	assert_int_equal(fdb_find(f, UINT64_C(0xfcfffffffffe)), 8);
	assert_int_equal(fdb_find(f, UINT64_C(0x7cffffffffff)), 9);
	fdb_destroy(f);
}

static void groups_and_zero_are_never_learned(void **state)
{
	static const uint64_t never[] = {
		0,
		UINT64_C(0xffffffffffff),
		UINT64_C(0x01005e000001),
		UINT64_C(0x333300000001),
		UINT64_C(0x0180c2000000),
	};
	struct fdb *f = create(ENTRIES);

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		fdb_learn(f, never[i], 5, 3);
		assert_int_equal(fdb_find(f, never[i]), PORT_FLOOD);
	}
	fdb_destroy(f);
}

/* Learned, moved and swept at random, in a table with room for all. */
static void random_steps_agree_with_a_plain_model(void **state)
{
	struct fdb *f = create(ENTRIES);
	uint16_t port[ADDRESSES] = {0};
	unsigned heard[ADDRESSES] = {0}, step = 0;
	uint64_t seed = 5;
	struct random rnd = seeded_random(&seed);

	(void)state;
	for (unsigned n = 0; n < 100000; n++) {
		uint32_t i = random_below(&rnd, ADDRESSES);

		if (n % 200 == 0) {
			step++;
			fdb_sweep(f, step, 3);
			for (unsigned k = 0; k < ADDRESSES; k++)
				if (port[k] != 0 && step - heard[k] > 3)
					port[k] = PORT_FLOOD;
		}
		assert_int_equal(fdb_find(f, nth(i)), port[i]);
		if (port[i] == 0 || random_below(&rnd, 4) == 0)
			port[i] = (uint16_t)(1 + random_below(&rnd, PORTS_MAX - 1));
		heard[i] = step;
		fdb_learn(f, nth(i), port[i], step);
	}
	fdb_destroy(f);
}

static void what_is_not_heard_of_goes_at_any_step_number(void **state)
{
	struct fdb *f = create(ENTRIES);

	(void)state;
	for (unsigned max_age = 1; max_age <= FDB_AGE_MAX; max_age++) {
		for (unsigned start = 0; start < 16; start++) {
			fdb_learn(f, nth(1), 5, start);
			fdb_learn(f, nth(2), 6, start);
			for (unsigned age = 1; age <= max_age; age++) {
				fdb_learn(f, nth(2), 6, start + age);
				fdb_sweep(f, start + age, max_age);
				assert_int_equal(fdb_find(f, nth(1)), 5);
			}
			fdb_sweep(f, start + max_age + 1, max_age);
			assert_int_equal(fdb_find(f, nth(1)), PORT_FLOOD);
			assert_int_equal(fdb_find(f, nth(2)), 6);
		}
	}
	fdb_destroy(f);
}

static void ports_are_forgotten_as_a_set(void **state)
{
	struct fdb *f = create(ENTRIES);
	struct port_set gone = {{0}};

	(void)state;
	for (uint32_t i = 0; i < 200; i++)
		fdb_learn(f, nth(i), (uint16_t)(1 + i % 100), 0);
	fdb_learn(f, nth(200), PORTS_MAX - 1, 0);
	port_set_add(&gone, 17);
	port_set_add(&gone, 64);
	port_set_add(&gone, PORTS_MAX - 1);
	fdb_forget(f, &gone);
	for (uint32_t i = 0; i < 200; i++) {
		uint16_t port = (uint16_t)(1 + i % 100);

		assert_int_equal(fdb_find(f, nth(i)), port == 17 || port == 64 ? PORT_FLOOD : port);
	}
	assert_int_equal(fdb_find(f, nth(200)), PORT_FLOOD);
	fdb_destroy(f);
}

/* How many of addresses first to first + n - 1 are known, behind ports that port() says. */
static unsigned known(const struct fdb *f, uint32_t first, uint32_t n, uint16_t (*port)(uint32_t i))
{
	unsigned sum = 0;

	for (uint32_t i = first; i < first + n; i++) {
		uint16_t found = fdb_find(f, nth(i));

		assert_true(found == PORT_FLOOD || found == port(i));
		sum += found != PORT_FLOOD;
	}
	return sum;
}

static void learn_all(
	struct fdb *f, uint32_t first, uint32_t n, uint16_t (*port)(uint32_t i), unsigned step)
{
	for (uint32_t i = first; i < first + n; i++)
		fdb_learn(f, nth(i), port(i), step);
}

static uint16_t hostile(uint32_t i)
{
	(void)i;
	return HOSTILE;
}

static uint16_t one_of_fifty(uint32_t i)
{
	return (uint16_t)(1 + i % 50);
}

static uint16_t bridge(uint32_t i)
{
	(void)i;
	return 77;
}

static uint16_t third(uint32_t i)
{
	(void)i;
	return 3;
}

static uint16_t own_port(uint32_t i)
{
	return (uint16_t)(1 + i % (PORTS_MAX - 1));
}

static void half_as_many_addresses_as_entries_find_a_place(void **state)
{
	struct fdb *f = create(ENTRIES);
	unsigned n;

	(void)state;
	learn_all(f, 0, ENTRIES / 2, bridge, 0);
	n = known(f, 0, ENTRIES / 2, bridge);
	assert_in_range(n, ENTRIES / 2 * 98 / 100, ENTRIES / 2);
	/* They are as many as were learned and stay: the rest pushes out no more than it is. */
	learn_all(f, 0, ENTRIES / 2, bridge, 0);
	assert_int_equal(known(f, 0, ENTRIES / 2, bridge), n);
	fdb_destroy(f);
}

static void a_flood_of_sources_pushes_out_almost_nothing(void **state)
{
	struct fdb *f = create(ENTRIES);
	unsigned before;

	(void)state;
	learn_all(f, 0, 1000, one_of_fifty, 0);
	before = known(f, 0, 1000, one_of_fifty);
	assert_in_range(before, 998, 1000);
	/* Heard of long ago is as good as just now. */
	learn_all(f, 1000000, 65536, hostile, 5);
	assert_in_range(known(f, 0, 1000, one_of_fifty), 995, 1000);
	/* It has got the rest of the table. */
	assert_in_range(known(f, 1000000, 65536, hostile), ENTRIES - 1000 - 100, ENTRIES);

	/* A bridge with many addresses keeps an equal share, and that is enough for most. */
	learn_all(f, 5000, 2000, bridge, 5);
	learn_all(f, 1000000, 65536, hostile, 6);
	assert_in_range(known(f, 5000, 2000, bridge), 1800, 2000);
	fdb_destroy(f);
}

/* The table of a community by default, with half of its places promised. */
#define ROOM	  32768
#define OF_A_PEER 4096

static uint16_t one_of_eight(uint32_t i)
{
	return (uint16_t)(1 + i / OF_A_PEER % 8);
}

static void what_is_promised_finds_room(void **state)
{
	struct fdb *f = create(2 * ROOM);

	(void)state;
	learn_all(f, 0, ROOM, one_of_eight, 0);
	assert_in_range(known(f, 0, ROOM, one_of_eight), ROOM * 99 / 100, ROOM);
	assert_in_range(fdb_unlearned(f), 0, ROOM / 100);
	fdb_destroy(f);
	/* The same of one bridge alone, whose own addresses give way, so that none is refused. */
	f = create(2 * ROOM);
	learn_all(f, 0, ROOM, bridge, 0);
	assert_in_range(known(f, 0, ROOM, bridge), ROOM * 99 / 100, ROOM);
	assert_int_equal(fdb_unlearned(f), 0);
	fdb_destroy(f);
}

/* Whoever was there first, and however long ago those of the other were heard. */
static void a_member_with_65536_addresses_harms_no_bridge_of_4096(void **state)
{
	static const unsigned age[] = {0, 1, FDB_AGE_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(age) / sizeof(age[0]); i++) {
		struct fdb *f = create(2 * ROOM);

		learn_all(f, 0, OF_A_PEER, bridge, 0);
		learn_all(f, 1000000, 65536, hostile, age[i]);
		assert_in_range(
			known(f, 0, OF_A_PEER, bridge), OF_A_PEER - OF_A_PEER / 1000, OF_A_PEER);
		fdb_destroy(f);
		f = create(2 * ROOM);
		learn_all(f, 1000000, 65536, hostile, 0);
		learn_all(f, 0, OF_A_PEER, bridge, age[i]);
		learn_all(f, 1000000, 65536, hostile, age[i]);
		assert_in_range(
			known(f, 0, OF_A_PEER, bridge), OF_A_PEER - OF_A_PEER / 1000, OF_A_PEER);
		fdb_destroy(f);
	}
}

/* Two sets, full of addresses of as many ports, all heard just now. */
static void what_finds_no_place_is_counted(void **state)
{
	struct fdb *f = create(16);
	uint64_t before;

	(void)state;
	learn_all(f, 0, 64, own_port, 0);
	assert_int_equal(fdb_count(f), 16);
	before = fdb_unlearned(f);
	assert_int_equal(before, 64 - 16);
	learn_all(f, 100, 10, own_port, 0);
	assert_int_equal(fdb_unlearned(f), before + 10);
	/* What is known is learned again, and a group is nothing to learn. */
	learn_all(f, 0, 1, own_port, 0);
	fdb_learn(f, UINT64_C(0xffffffffffff), 5, 0);
	assert_in_range(fdb_unlearned(f), before + 10, before + 11);
	fdb_destroy(f);
}

static void a_walk_shows_every_entry_once(void **state)
{
	struct fdb *f = create(ENTRIES);
	unsigned seen[100] = {0};
	struct fdb_entry e;
	uint32_t at = 0;

	(void)state;
	assert_false(fdb_next(f, 0, &at, &e));
	for (unsigned i = 0; i < 100; i++)
		fdb_learn(f, nth(i), (uint16_t)(i + 1), i % 5);
	assert_int_equal(fdb_count(f), 100);
	for (at = 0; fdb_next(f, 6, &at, &e);) {
		unsigned i = (unsigned)(e.address - nth(0));

		assert_in_range(i, 0, 99);
		assert_int_equal(e.port, i + 1);
		assert_int_equal(e.age, 6 - i % 5);
		seen[i]++;
	}
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(seen[i], 1);
	/* From anywhere, and behind the end. */
	at = UINT32_MAX;
	assert_false(fdb_next(f, 6, &at, &e));
	fdb_destroy(f);
}

static void after_a_flood_of_sources_others_are_learned_at_once(void **state)
{
	struct fdb *f = create(ENTRIES);

	(void)state;
	learn_all(f, 1000000, 65536, hostile, 0);
	assert_int_equal(known(f, 1000000, 65536, hostile), ENTRIES);
	learn_all(f, 0, 1000, one_of_fifty, 0);
	assert_in_range(known(f, 0, 1000, one_of_fifty), 995, 1000);
	fdb_destroy(f);
}

/* Two sets, in each of which three ports want all. */
static void ports_share_a_set_alike_and_the_last_to_come_takes_no_more(void **state)
{
	struct fdb *f = create(16);

	(void)state;
	learn_all(f, 0, 64, bridge, 0);
	assert_int_equal(known(f, 0, 64, bridge), 16);
	learn_all(f, 100, 64, hostile, 0);
	assert_int_equal(known(f, 0, 64, bridge), 8);
	assert_int_equal(known(f, 100, 64, hostile), 8);
	learn_all(f, 200, 64, third, 1);
	assert_int_equal(known(f, 0, 64, bridge), 6);
	assert_int_equal(known(f, 100, 64, hostile), 6);
	assert_int_equal(known(f, 200, 64, third), 4);
	fdb_destroy(f);
}

static void sweeping_and_forgetting_reach_every_entry(void **state)
{
	struct fdb *f = create(ENTRIES);
	struct port_set gone = {{0}};

	(void)state;
	port_set_add(&gone, HOSTILE);
	learn_all(f, 0, 65536, hostile, 0);
	assert_int_equal(known(f, 0, 65536, hostile), ENTRIES);
	fdb_sweep(f, 1, 1);
	assert_int_equal(known(f, 0, 65536, hostile), ENTRIES);
	fdb_sweep(f, 2, 1);
	assert_int_equal(known(f, 0, 65536, hostile), 0);
	learn_all(f, 0, 65536, hostile, 0);
	assert_int_equal(known(f, 0, 65536, hostile), ENTRIES);
	fdb_forget(f, &gone);
	assert_int_equal(known(f, 0, 65536, hostile), 0);
	fdb_destroy(f);
}

/* Two sets, and many ports with one address each. */
static void in_a_full_set_the_oldest_goes_but_nothing_of_this_step(void **state)
{
	struct fdb *f = create(16);
	uint32_t in[16];
	unsigned n = 0;

	(void)state;
	learn_all(f, 0, 64, own_port, 7);
	for (uint32_t i = 0; i < 64; i++)
		if (fdb_find(f, nth(i)) != PORT_FLOOD)
			in[n++] = i;
	assert_int_equal(n, 16);
	learn_all(f, 100, 64, own_port, 7);
	assert_int_equal(known(f, 100, 64, own_port), 0);
	/* Nor by a worker who has not heard of the next step. */
	learn_all(f, 100, 64, own_port, 6);
	assert_int_equal(known(f, 100, 64, own_port), 0);

	/* Half of them are heard of again, which is step 8 or 0: the others go. */
	for (unsigned i = 0; i < 8; i++)
		fdb_learn(f, nth(in[i]), own_port(in[i]), 8);
	learn_all(f, 100, 64, own_port, 8);
	assert_int_equal(known(f, 100, 64, own_port), 8);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(fdb_find(f, nth(in[i])), i < 8 ? own_port(in[i]) : PORT_FLOOD);

	/* Of one port's entries the oldest goes, and none of the others'. */
	learn_all(f, 200, 64, hostile, 9);
	learn_all(f, 300, 64, hostile, 10);
	assert_int_equal(known(f, 200, 64, hostile), 0);
	assert_int_equal(known(f, 300, 64, hostile), 2);
	fdb_destroy(f);
}

static void the_key_decides_who_meets_whom(void **state)
{
	uint8_t other[FDB_KEY_LEN];
	struct fdb *f = create(1024), *g;
	unsigned differ = 0;

	(void)state;
	memcpy(other, key, sizeof(other));
	other[15] ^= 2;
	g = fdb_create(1024, other);
	assert_non_null(g);
	learn_all(f, 0, 2000, own_port, 0);
	learn_all(g, 0, 2000, own_port, 0);
	for (uint32_t i = 0; i < 2000; i++)
		differ += fdb_find(f, nth(i)) != fdb_find(g, nth(i));
	assert_true(differ > 100);
	fdb_destroy(f);
	fdb_destroy(g);
	fdb_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_leads_to_where_it_was_heard_last),
		cmocka_unit_test(groups_and_zero_are_never_learned),
		cmocka_unit_test(random_steps_agree_with_a_plain_model),
		cmocka_unit_test(what_is_not_heard_of_goes_at_any_step_number),
		cmocka_unit_test(ports_are_forgotten_as_a_set),
		cmocka_unit_test(half_as_many_addresses_as_entries_find_a_place),
		cmocka_unit_test(a_flood_of_sources_pushes_out_almost_nothing),
		cmocka_unit_test(what_is_promised_finds_room),
		cmocka_unit_test(a_member_with_65536_addresses_harms_no_bridge_of_4096),
		cmocka_unit_test(what_finds_no_place_is_counted),
		cmocka_unit_test(a_walk_shows_every_entry_once),
		cmocka_unit_test(after_a_flood_of_sources_others_are_learned_at_once),
		cmocka_unit_test(ports_share_a_set_alike_and_the_last_to_come_takes_no_more),
		cmocka_unit_test(sweeping_and_forgetting_reach_every_entry),
		cmocka_unit_test(in_a_full_set_the_oldest_goes_but_nothing_of_this_step),
		cmocka_unit_test(the_key_decides_who_meets_whom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
