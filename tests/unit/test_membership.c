/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is said of groups, in each version and behind tags: read as it is meant, at no length that
 * is too short, and never with a wrong checksum.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "../membership_frames.h"
#include "core/frame/membership.h"

#include <cmocka.h>

static const uint8_t host[6] = {2, 0, 0, 0, 0, 7}, host_v4[4] = {10, 1, 2, 3};
static const uint8_t group_v4[4] = {239, 129, 2, 3}, igmp_v3[4] = {224, 0, 0, 22};
static const uint8_t all_v4[4] = {224, 0, 0, 1}, pim_v4[4] = {224, 0, 0, 13};
static const uint8_t mapped_group[16] = {[10] = 0xff, 0xff, 239, 129, 2, 3};
static const uint8_t host_v6[16] = {0xfe, 0x80, [15] = 7}, group_v6[16] = {0xff, 5, [15] = 9};
static const uint8_t link_v6[16] = {0xff, 2, [15] = 9}, mld_v2[16] = {0xff, 2, [15] = 0x16};

/* A copy that ends where its memory ends. */
static bool read_at(
	struct membership *m, struct membership_record *first, const struct said *s, size_t len)
{
	uint8_t *block = malloc(len);
	bool is_one;

	assert_non_null(block);
	memcpy(block, s->data, len);
	(void)multicast_kind(block, len);
	is_one = membership_read(m, block, len);
	if (is_one && m->kind == MEMBERSHIP_RECORDS)
		is_one = membership_next(m, first);
	free(block);
	return is_one;
}

/* It is of this kind, and a byte less or a bit wrong it is nothing. */
static void check(const struct said *s, enum membership_kind kind, struct membership *m,
	struct membership_record *first)
{
	assert_true(read_at(m, first, s, s->len));
	assert_int_equal(m->kind, kind);
	for (size_t len = FRAME_MIN; len < s->len; len++) {
		struct membership cut;
		struct membership_record r;

		assert_false(read_at(&cut, &r, s, len));
	}
	for (size_t i = s->len - 8; i < s->len; i++) {
		struct said wrong = *s;
		struct membership bad;
		struct membership_record r;

		wrong.data[i] ^= 0x10;
		assert_false(read_at(&bad, &r, &wrong, s->len));
	}
}

static void igmp(struct said *s, unsigned vlan, const uint8_t to[4], uint8_t type, uint8_t code)
{
	uint8_t message[8] = {type, code};

	memcpy(message + 4, group_v4, 4);
	say_v4(s, host, vlan, host_v4, to, 2, message, sizeof(message));
}

static void reports_of_igmp_are_read(void **state)
{
	static const struct {
		uint8_t type;
		enum membership_kind kind;
	} types[] = {{0x12, MEMBERSHIP_JOIN}, {0x16, MEMBERSHIP_JOIN}, {0x17, MEMBERSHIP_LEAVE}};
	struct membership_record r;
	struct membership m;
	struct said s;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		for (unsigned vlan = 0; vlan <= 5; vlan += 5) {
			igmp(&s, vlan, group_v4, types[i].type, 0);
			check(&s, types[i].kind, &m, &r);
			assert_int_equal(m.vlan, vlan);
			assert_false(m.v6);
			assert_memory_equal(m.group, mapped_group, 16);
			assert_int_equal(multicast_kind(s.data, s.len), MULTICAST_REPORT);
		}
}

static void reports_of_mld_are_read(void **state)
{
	static const struct {
		uint8_t type;
		enum membership_kind kind;
	} types[] = {{131, MEMBERSHIP_JOIN}, {132, MEMBERSHIP_LEAVE}};
	struct membership_record r;
	struct membership m;
	struct said s;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint8_t message[24] = {types[i].type};

		memcpy(message + 8, group_v6, 16);
		say_v6(&s, host, 0, host_v6, group_v6, message, sizeof(message));
		check(&s, types[i].kind, &m, &r);
		assert_true(m.v6);
		assert_memory_equal(m.group, group_v6, 16);
		assert_int_equal(multicast_kind(s.data, s.len), MULTICAST_REPORT);
	}
}

/* By type, with and without a source: 1 joins, 2 leaves. */
static const uint8_t records[7][2] = {{0, 0}, {0, 1}, {1, 1}, {2, 1}, {1, 1}, {0, 1}, {2, 2}};

static void records_of_both_are_read(void **state)
{
	struct membership_record r;
	struct membership m;
	struct said s;

	(void)state;
	for (uint8_t type = 1; type < 7; type++)
		for (uint8_t sources = 0; sources < 2; sources++) {
			uint8_t v3[8 + 8 + 4] = {0x22, [7] = 1, type, 0, 0, sources};
			uint8_t v2[8 + 20 + 16] = {143, [7] = 1, type, 0, 0, sources};

			memcpy(v3 + 12, group_v4, 4);
			say_v4(&s, host, 0, host_v4, igmp_v3, 2, v3, 16 + 4u * sources);
			check(&s, MEMBERSHIP_RECORDS, &m, &r);
			assert_int_equal(r.joins, records[type][sources] == 1);
			assert_int_equal(r.leaves, records[type][sources] == 2);
			assert_memory_equal(r.group, mapped_group, 16);
			memcpy(v2 + 12, group_v6, 16);
			say_v6(&s, host, 5, host_v6, mld_v2, v2, 28 + 16u * sources);
			check(&s, MEMBERSHIP_RECORDS, &m, &r);
			assert_int_equal(r.joins, records[type][sources] == 1);
			assert_int_equal(r.leaves, records[type][sources] == 2);
			assert_memory_equal(r.group, group_v6, 16);
		}
}

static void a_report_has_no_more_records_than_it_says(void **state)
{
	uint8_t message[8 + 3 * 12] = {0x22, [7] = 3};
	struct membership_record r;
	struct membership m;
	struct said s;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		message[8 + 12 * i] = 4;
		message[9 + 12 * i] = i == 1; /* with what nobody knows yet */
		memcpy(message + 12 + 12 * i, group_v4, 4);
		message[15 + 12 * i] = (uint8_t)i;
		if (i != 1)
			memmove(message + 8 + 12 * i, message + 8 + 12 * i, 8);
	}
	/* 8 bytes, 12, 8. */
	memmove(message + 8 + 8, message + 8 + 12, 12);
	memmove(message + 8 + 20, message + 8 + 24, 8);
	say_v4(&s, host, 0, host_v4, igmp_v3, 2, message, 8 + 28);
	assert_true(membership_read(&m, s.data, s.len));
	for (unsigned i = 0; i < 3; i++) {
		assert_true(membership_next(&m, &r));
		assert_true(r.joins);
		assert_int_equal(r.group[15], i);
	}
	assert_false(membership_next(&m, &r));
	/* Fewer than there are, and more. */
	for (uint8_t n = 0; n < 5; n += 4) {
		message[7] = n;
		say_v4(&s, host, 0, host_v4, igmp_v3, 2, message, 8 + 28);
		assert_true(membership_read(&m, s.data, s.len));
		for (unsigned i = 0; i < 3 && n > 0; i++)
			assert_true(membership_next(&m, &r));
		assert_false(membership_next(&m, &r));
	}
}

static void queries_say_how_long_answers_take(void **state)
{
	uint8_t v3[12] = {0x11, 0x8a, 0, 0, 0, 0, 0, 0, 2, 125}, v2[28] = {130, [24] = 2, 125};
	struct membership_record r;
	struct membership m;
	struct said s;

	(void)state;
	igmp(&s, 0, group_v4, 0x11, 20);
	check(&s, MEMBERSHIP_QUERY, &m, &r);
	assert_int_equal(m.response_ms, 2000);
	assert_true(m.ends);
	assert_int_equal(multicast_kind(s.data, s.len), MULTICAST_ROUTER);
	igmp(&s, 0, group_v4, 0x11, 0);
	check(&s, MEMBERSHIP_QUERY, &m, &r);
	assert_int_equal(m.response_ms, 10000);
	say_v4(&s, host, 0, host_v4, all_v4, 2, v3, sizeof(v3));
	assert_true(membership_read(&m, s.data, s.len));
	assert_int_equal(m.response_ms, (16 + 10) * 8 * 100);
	assert_false(m.ends);
	store_be16(v2 + 4, 0x8001);
	say_v6(&s, host, 0, host_v6, link_v6, v2, sizeof(v2));
	assert_true(membership_read(&m, s.data, s.len));
	assert_int_equal(m.response_ms, (4096 + 1) * 8);
	/* One about sources, and one that says that it ends nothing. */
	memcpy(v3 + 4, group_v4, 4);
	say_v4(&s, host, 0, host_v4, group_v4, 2, v3, sizeof(v3));
	assert_true(membership_read(&m, s.data, s.len) && m.ends);
	v3[8] = 0x0a;
	say_v4(&s, host, 0, host_v4, group_v4, 2, v3, sizeof(v3));
	assert_true(membership_read(&m, s.data, s.len) && !m.ends);
	v3[8] = 2;
	v3[11] = 1;
	say_v4(&s, host, 0, host_v4, group_v4, 2, v3, sizeof(v3));
	assert_true(membership_read(&m, s.data, s.len) && !m.ends);
}

static void routers_are_known(void **state)
{
	uint8_t hello[4] = {0x20};
	struct membership m;
	struct said s;

	(void)state;
	say_v4(&s, host, 0, host_v4, pim_v4, 103, hello, sizeof(hello));
	assert_int_equal(multicast_kind(s.data, s.len), MULTICAST_ROUTER);
	assert_true(membership_read(&m, s.data, s.len));
	assert_int_equal(m.kind, MEMBERSHIP_ROUTER);
}

/* What we ask is what everybody takes, from an address that wins no election. */
static void our_queries_are_right(void **state)
{
	static const uint8_t mapped_nobody[16] = {[10] = 0xff, 0xff};
	struct membership_query q = {.source = {{6, 1, 2, 3, 4, 5}}, .interval_s = 125};
	uint8_t out[MEMBERSHIP_FRAME_MAX], ours[16];
	struct membership m;

	(void)state;
	membership_querier(ours, &q.source);
	for (unsigned i = 0; i < 16; i++) {
		size_t len;

		q.v6 = i & 1;
		q.vlan = i & 2 ? 5 : 0;
		q.response_ms = i & 4 ? 1000 : 10000;
		memcpy(q.group, q.v6 ? group_v6 : mapped_group, 16);
		if (i & 8)
			memset(q.group, 0, 16);
		len = membership_query(out, &q);
		assert_true(membership_read(&m, out, len));
		assert_int_equal(m.kind, MEMBERSHIP_QUERY);
		assert_int_equal(m.vlan, q.vlan);
		assert_int_equal(m.response_ms, q.response_ms);
		assert_int_equal(m.ends, (i & 8) == 0);
		assert_memory_equal(m.group, q.group, 16);
		assert_memory_equal(m.source, q.v6 ? ours : mapped_nobody, 16);
		assert_int_equal(membership_is_edge(m.source), q.v6);
		len = membership_advertise(out, &q);
		assert_true(membership_read(&m, out, len));
		assert_int_equal(m.kind, MEMBERSHIP_ROUTER);
	}
	/* Lower ones win: that of an interface with any hardware address is. */
	assert_true(memcmp((uint8_t[16]){0xfe, 0x80, [8] = 0xfe, 0xff}, ours, 16) < 0);
}

static void only_groups_that_go_further_are_limited(void **state)
{
	static const struct {
		uint8_t group[16];
		bool limited;
	} groups[] = {
		{{[10] = 0xff, 0xff, 224, 0, 0, 251}, false},
		{{[10] = 0xff, 0xff, 224, 0, 0, 5}, false},
		{{[10] = 0xff, 0xff, 224, 0, 1, 1}, true},
		{{[10] = 0xff, 0xff, 239, 255, 255, 250}, true},
		{{[10] = 0xff, 0xff, 10, 0, 0, 1}, false},
		{{0xff, 2, [15] = 0xfb}, false},
		{{0xff, 2, [11] = 1, 0xff, 1, 2, 3}, false},
		{{0xff, 1, [15] = 1}, false},
		{{0xff, 5, [15] = 2}, true},
		{{0xff, 0x1e, [15] = 2}, true},
		{{0xfe, 0x80, [15] = 2}, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		const uint8_t *group = groups[i].group;
		bool v6 = group[0] != 0;
		struct said s;

		assert_int_equal(membership_is_limited(group), groups[i].limited);
		if (v6)
			say_v6(&s, host, 5, host_v6, group, "\x80\0\0\0", 4);
		else
			say_v4(&s, host, 5, host_v4, group + 12, 17, "data", 4);
		assert_int_equal(multicast_kind(s.data, s.len),
			groups[i].limited ? MULTICAST_STREAM : MULTICAST_LINK);
		if (groups[i].limited)
			assert_memory_equal(membership_mac(group).b, s.data, 6);
	}
	assert_int_equal(
		multicast_kind((uint8_t[64]){1, 0x80, 0xc2, [12] = 0, 38}, 64), MULTICAST_LINK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_of_igmp_are_read),
		cmocka_unit_test(reports_of_mld_are_read),
		cmocka_unit_test(records_of_both_are_read),
		cmocka_unit_test(a_report_has_no_more_records_than_it_says),
		cmocka_unit_test(queries_say_how_long_answers_take),
		cmocka_unit_test(routers_are_known),
		cmocka_unit_test(our_queries_are_right),
		cmocka_unit_test(only_groups_that_go_further_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
