/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is found out about an interface that others change, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "host/community/watched.h"

#include <cmocka.h>

#define OWN    7
#define LAN    2
#define BRIDGE 3
#define VRF    4

static const struct mac known = {{2, 0, 0, 0, 0, 1}};

/* A host with a LAN, a bridge that is a port of nothing, and our interface. */
struct scene {
	struct community_conf conf;
	struct watched w;
	struct netif_link link[8];
	struct netif_address address[8];
	struct netif_state s;
	struct watched_news news;
	uint64_t now_ms;
};

static struct endpoint ip_of(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(&e, text, 1), 0);
	e.port = 0;
	return e;
}

static void give(struct scene *c, unsigned index, const char *ip, unsigned prefix)
{
	assert_true(c->s.n_addresses < 8);
	c->address[c->s.n_addresses++] =
		(struct netif_address){.index = index, .ip = ip_of(ip), .prefix = prefix};
}

static void take(struct scene *c, unsigned index, const char *ip)
{
	const struct endpoint e = ip_of(ip);

	for (size_t i = 0; i < c->s.n_addresses; i++)
		if (c->address[i].index == index && endpoint_same_ip(&c->address[i].ip, &e)) {
			c->address[i] = c->address[--c->s.n_addresses];
			return;
		}
	fail();
}

static void want(struct scene *c, const char *ip, unsigned prefix)
{
	c->conf.addresses[c->conf.address_count++] =
		(struct overlay_address){.ip = ip_of(ip), .prefix = prefix};
	give(c, OWN, ip, prefix);
}

static struct netif_link *own(struct scene *c)
{
	return &c->link[2];
}

static int set_up(void **state)
{
	static struct scene c;

	c = (struct scene){
		.link = {{.index = LAN, .name = "eth0", .up = true, .mtu = 1500},
			{.index = BRIDGE, .name = "br0", .up = true, .mtu = 1500},
			{.index = OWN,
				.name = "n2n0",
				.mac = known,
				.mtu = 1376,
				.up = true,
				.marked = true}},
		.w = {.index = OWN, .name = "n2n0", .mtu = 1376},
		.now_ms = 5000,
	};
	c.s = (struct netif_state){.link = c.link, .n_links = 3, .address = c.address};
	give(&c, LAN, "192.168.1.5", 24);
	give(&c, OWN, "[fe80::1]", 64);
	*state = &c;
	return 0;
}

/* A second later. */
static const struct watched_news *look(struct scene *c)
{
	c->now_ms += 1000;
	watched_look(&c->w, &c->conf, &known, &c->s, c->now_ms, &c->news);
	return &c->news;
}

/* As long as it is as it was made there is nothing to say and nothing to do. */
static void assert_nothing(struct scene *c)
{
	static const struct watched_news nothing;
	const struct watched_news *n = look(c);

	assert_false(
		n->renamed || n->bridged || n->moved || n->resized || n->readdressed || n->bare);
	assert_int_equal(n->mark, WATCHED_PRESENT);
	assert_memory_equal(n->address, nothing.address, sizeof(n->address));
	assert_memory_equal(n->same, nothing.same, sizeof(n->same));
	assert_memory_equal(n->within, nothing.within, sizeof(n->within));
	assert_memory_equal(
		n->bridged_address, nothing.bridged_address, sizeof(n->bridged_address));
	assert_null(n->surplus);
}

static void of_one_left_alone_nothing_is_said(void **state)
{
	struct scene *c = *state;

	want(c, "10.1.2.1", 24);
	want(c, "[fd00::1]", 64);
	for (unsigned i = 0; i < 100; i++)
		assert_nothing(c);
	assert_int_equal(c->w.state, WATCHED_UP);
}

static void it_is_followed(void **state)
{
	struct scene *c = *state;

	want(c, "10.1.2.1", 24);
	assert_nothing(c);
	strcpy(own(c)->name, "vpn");
	own(c)->mtu = 1300;
	own(c)->mac.b[5] = 9;
	assert_true(look(c)->renamed && c->news.resized && c->news.readdressed);
	assert_true(mac_equal(&c->news.mac, &own(c)->mac));
	assert_string_equal(c->w.name, "vpn");
	assert_int_equal(c->w.mtu, 1300);
	/* The members were not told for want of memory: it is said again. */
	assert_true(look(c)->readdressed);
	assert_false(c->news.renamed || c->news.resized);
	own(c)->mac = known;
	assert_nothing(c);
	/* None that one could have. */
	own(c)->mac = (struct mac){{0}};
	assert_nothing(c);
	own(c)->mac = (struct mac){{1, 2, 3, 4, 5, 6}};
	assert_nothing(c);
}

static void set_down_it_stays_so(void **state)
{
	struct scene *c = *state;

	want(c, "[fd00::1]", 64);
	own(c)->up = false;
	take(c, OWN, "[fd00::1]");
	assert_true(look(c)->moved);
	assert_int_equal(c->w.state, WATCHED_DOWN);
	assert_int_equal(c->news.address[0], WATCHED_IDLE);
	assert_false(look(c)->moved);
	own(c)->up = true;
	assert_true(look(c)->moved);
	assert_int_equal(c->w.state, WATCHED_UP);
	assert_int_equal(c->news.address[0], WATCHED_PUT_BACK);
	give(c, OWN, "[fd00::1]", 64);
	assert_nothing(c);
	/* As often as that happens. */
	for (unsigned i = 0; i < 20; i++) {
		own(c)->up = false;
		take(c, OWN, "[fd00::1]");
		(void)look(c);
		own(c)->up = true;
		assert_int_equal(look(c)->address[0], WATCHED_PUT_BACK);
		give(c, OWN, "[fd00::1]", 64);
		(void)look(c);
	}
}

static void an_address_is_not_fought_for(void **state)
{
	struct scene *c = *state;
	unsigned put = 0, missing = 0;

	want(c, "10.1.2.1", 24);
	assert_nothing(c);
	for (unsigned i = 0; i < 3600; i++) {
		take(c, OWN, "10.1.2.1");
		put += look(c)->address[0] == WATCHED_PUT_BACK;
		missing += c->news.address[0] == WATCHED_MISSING;
		give(c, OWN, "10.1.2.1", 24);
		assert_int_equal(look(c)->address[0], WATCHED_PRESENT);
	}
	/* Three at once, and one each ten minutes of two hours. */
	assert_in_range(put, 3, 3 + 12);
	assert_int_equal(put + missing, 3600);
}

static void the_mark_is_put_back_and_not_fought_for(void **state)
{
	struct scene *c = *state;
	unsigned put = 0, missing = 0;

	want(c, "10.1.2.1", 24);
	assert_nothing(c);
	own(c)->marked = false;
	own(c)->up = false;
	assert_int_equal(look(c)->mark, WATCHED_PUT_BACK);
	own(c)->up = own(c)->marked = true;
	(void)look(c);
	assert_nothing(c);
	for (unsigned i = 0; i < 3600; i++) {
		own(c)->marked = false;
		put += look(c)->mark == WATCHED_PUT_BACK;
		missing += c->news.mark == WATCHED_MISSING;
		own(c)->marked = true;
		assert_nothing(c);
	}
	assert_in_range(put, 2, 3 + 12);
	assert_int_equal(put + missing, 3600);
	/* Nobody sees it there, and nobody here sees it. */
	own(c)->marked = false;
	own(c)->index = 99;
	assert_int_equal(look(c)->mark, WATCHED_PRESENT);
}

static void away_in_another_namespace(void **state)
{
	struct scene *c = *state;

	want(c, "10.1.2.1", 24);
	assert_nothing(c);
	own(c)->index = 99;
	/* It may have been removed, and the program end at once. */
	assert_false(look(c)->moved);
	assert_int_equal(c->w.state, WATCHED_UP);
	assert_true(look(c)->moved);
	assert_int_equal(c->w.state, WATCHED_AWAY);
	assert_false(look(c)->moved);
	own(c)->index = OWN;
	assert_true(look(c)->moved);
	assert_int_equal(c->w.state, WATCHED_UP);
}

static void a_port_of_a_bridge_needs_no_address(void **state)
{
	struct scene *c = *state;

	want(c, "10.1.2.1", 24);
	own(c)->master = BRIDGE;
	assert_true(look(c)->bridged);
	assert_string_equal(c->w.bridge, "br0");
	assert_true(c->news.bridged_address[0]);
	/* It goes to the bridge, where it should be. */
	take(c, OWN, "10.1.2.1");
	give(c, BRIDGE, "10.1.2.1", 24);
	assert_false(look(c)->bridged);
	assert_int_equal(c->news.address[0], WATCHED_IDLE);
	assert_false(c->news.bridged_address[0]);
	assert_null(c->news.same[0]);
	/* Taken out again it is not given an address that the bridge still has. */
	own(c)->master = 0;
	assert_true(look(c)->bridged);
	assert_string_equal(c->w.bridge, "");
	assert_int_equal(c->news.address[0], WATCHED_MISSING);
	assert_string_equal(c->news.same[0]->name, "br0");
	take(c, BRIDGE, "10.1.2.1");
	assert_int_equal(look(c)->address[0], WATCHED_PUT_BACK);
}

static void a_vrf_is_no_bridge(void **state)
{
	struct scene *c = *state;

	want(c, "10.1.2.1", 24);
	own(c)->vrf = VRF;
	assert_nothing(c);
	/* The same address with routes of its own is no other's. */
	give(c, LAN, "10.1.2.1", 24);
	assert_nothing(c);
	c->link[0].vrf = VRF;
	assert_ptr_equal(look(c)->same[0], &c->link[0]);
}

static void the_same_address_elsewhere(void **state)
{
	struct scene *c = *state;

	want(c, "10.1.2.1", 24);
	want(c, "[fd00::1]", 64);
	give(c, LAN, "10.1.2.1", 32);
	assert_ptr_equal(look(c)->same[0], &c->link[0]);
	assert_null(c->news.within[0]);
	assert_null(c->news.same[1]);
	take(c, LAN, "10.1.2.1");
	/* Also at one that is down: the host answers for all. */
	c->link[0].up = false;
	give(c, LAN, "[fd00::1]", 64);
	assert_ptr_equal(look(c)->same[1], &c->link[0]);
	take(c, LAN, "[fd00::1]");
	assert_nothing(c);
}

static void the_same_range_elsewhere(void **state)
{
	static const struct {
		const char *ip;
		unsigned prefix;
		bool within;
	} ranges[] = {
		{"10.1.2.200", 24, true},
		{"10.1.2.200", 25, true},
		{"10.1.2.200", 32, false}, /* one address, no range */
		{"10.1.2.200", 23, false}, /* ours is the smaller one, and wins */
		{"10.1.3.1", 24, false},
		{"10.0.0.1", 8, false},
		{"[fd00::ffff]", 64, true},
		{"[fd00::ffff]", 128, false},
		{"[fd00:0:0:1::1]", 64, false},
		{"[fe80::2]", 64, false},
	};
	struct scene *c = *state;

	want(c, "10.1.2.1", 24);
	want(c, "[fd00::1]", 64);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		const struct netif_link *found;

		give(c, LAN, ranges[i].ip, ranges[i].prefix);
		(void)look(c);
		found = c->news.within[0] != NULL ? c->news.within[0] : c->news.within[1];
		assert_ptr_equal(found, ranges[i].within ? &c->link[0] : NULL);
		c->link[0].up = false;
		assert_nothing(c);
		c->link[0].up = true;
		take(c, LAN, ranges[i].ip);
	}
	/* One that was made upon ours reaches the same members. */
	c->link[3] = (struct netif_link){.index = 9, .name = "macvlan0", .up = true, .below = OWN};
	c->s.n_links = 4;
	give(c, 9, "10.1.2.9", 24);
	assert_nothing(c);
}

static void without_an_address_it_has_time_to_get_one(void **state)
{
	struct scene *c = *state;

	for (unsigned i = 0; i < 15; i++)
		assert_nothing(c);
	assert_true(look(c)->bare);
	/* By hand or by DHCP. */
	give(c, OWN, "10.1.2.1", 24);
	assert_nothing(c);
	take(c, OWN, "10.1.2.1");
	for (unsigned i = 0; i < 15; i++)
		assert_nothing(c);
	assert_true(look(c)->bare);
	/* In a bridge, set down, or with something made upon it, it needs none. */
	own(c)->master = BRIDGE;
	assert_false(look(c)->bare);
	for (unsigned i = 0; i < 30; i++)
		assert_nothing(c);
	own(c)->master = 0;
	c->link[3] = (struct netif_link){.index = 9, .name = "vlan5", .up = true, .below = OWN};
	c->s.n_links = 4;
	assert_true(look(c)->bridged);
	for (unsigned i = 0; i < 30; i++)
		assert_nothing(c);
	c->s.n_links = 3;
	own(c)->up = false;
	for (unsigned i = 0; i < 30; i++)
		assert_false(look(c)->bare);
}

/* An interface that stays may have an address of an earlier run. */
static void what_was_there_before_is_told_once(void **state)
{
	struct scene *c = *state;

	want(c, "10.1.2.1", 24);
	give(c, OWN, "10.1.2.9", 24);
	assert_ptr_equal(look(c)->surplus, &c->address[c->s.n_addresses - 1]);
	assert_nothing(c);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_one_left_alone_nothing_is_said),
		TEST(it_is_followed),
		TEST(set_down_it_stays_so),
		TEST(an_address_is_not_fought_for),
		TEST(the_mark_is_put_back_and_not_fought_for),
		TEST(away_in_another_namespace),
		TEST(a_port_of_a_bridge_needs_no_address),
		TEST(a_vrf_is_no_bridge),
		TEST(the_same_address_elsewhere),
		TEST(the_same_range_elsewhere),
		TEST(without_an_address_it_has_time_to_get_one),
		TEST(what_was_there_before_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
