/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each setting that differs is told, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "conf/edge_diff.h"

#include <cmocka.h>

static const char *const devices[] = {"n2n0", "n2n1", "n2n2"};

/* Communities on the first n devices, wanted twice. */
struct both {
	struct edge_conf was, is;
	struct edge_diff d;
};

static void want(struct edge_conf *c, unsigned n)
{
	memset(c, 0, sizeof(*c));
	c->community_count = n;
	c->supernode_count = 2;
	strcpy(c->supernodes[0].host, "a.example");
	strcpy(c->supernodes[1].host, "b.example");
	for (unsigned i = 0; i < n; i++) {
		community_conf_init(&c->community[i]);
		c->community[i].device = devices[i];
		c->community[i].address_count = 2;
		c->community[i].addresses[0].prefix = 24;
		c->community[i].addresses[0].ip.ip[15] = 1;
		c->community[i].addresses[1].prefix = 24;
		c->community[i].addresses[1].ip.ip[15] = 2;
		c->community[i].trusted_count = 1;
	}
}

static void start(struct both *b)
{
	want(&b->was, 2);
	want(&b->is, 2);
}

static void compare(struct both *b)
{
	edge_diff(&b->d, &b->was, &b->is);
}

static void nothing_differs_from_itself(void **state)
{
	struct overlay_address first;
	struct both b;

	(void)state;
	start(&b);
	first = b.is.community[1].addresses[0]; /* whose order does not matter */
	b.is.community[1].addresses[0] = b.is.community[1].addresses[1];
	b.is.community[1].addresses[1] = first;
	compare(&b);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(b.d.before[i], i);
		assert_false(b.d.went[i]);
		assert_int_equal(b.d.changed[i], 0);
	}
	assert_int_equal(b.d.process, 0);
}

static void communities_come_and_go_by_device(void **state)
{
	struct both b;

	(void)state;
	start(&b);
	want(&b.is, 3);
	b.is.community[0].device = "n2n2";
	b.is.community[2].device = "n2n3";
	compare(&b);
	assert_int_equal(b.d.before[0], -1);
	assert_int_equal(b.d.before[1], 1);
	assert_int_equal(b.d.before[2], -1);
	assert_true(b.d.went[0]);
	assert_false(b.d.went[1]);
	assert_int_equal(b.d.changed[0] | b.d.changed[1] | b.d.changed[2], 0);
}

#define ONLY_COMMUNITY(assignment, change)                                                         \
	do {                                                                                       \
		start(&b);                                                                         \
		b.is.community[1].assignment;                                                      \
		compare(&b);                                                                       \
		assert_int_equal(b.d.changed[1], change);                                          \
		assert_int_equal(b.d.changed[0] | b.d.process, 0);                                 \
	} while (0)

#define ONLY_PROCESS(assignment, change)                                                           \
	do {                                                                                       \
		start(&b);                                                                         \
		b.is.assignment;                                                                   \
		compare(&b);                                                                       \
		assert_int_equal(b.d.process, change);                                             \
		assert_int_equal(b.d.changed[0] | b.d.changed[1], 0);                              \
	} while (0)

static void each_setting_of_a_community_is_seen(void **state)
{
	struct both b;

	(void)state;
	ONLY_COMMUNITY(name = "x", CHANGE_NAME);
	ONLY_COMMUNITY(address_count = 1, CHANGE_ADDRESSES);
	ONLY_COMMUNITY(addresses[1].prefix = 16, CHANGE_ADDRESSES);
	ONLY_COMMUNITY(addresses[0].ip.ip[15] = 9, CHANGE_ADDRESSES);
	ONLY_COMMUNITY(trusted_count = 0, CHANGE_TRUST);
	ONLY_COMMUNITY(trusted[0].router = true, CHANGE_TRUST);
	ONLY_COMMUNITY(trusted[0].edge[3] = 1, CHANGE_TRUST);
	ONLY_COMMUNITY(dhcp_server = true, CHANGE_ROLES);
	ONLY_COMMUNITY(router = true, CHANGE_ROLES);
	ONLY_COMMUNITY(mac_hold_days = 0, CHANGE_MAC_HOLD);
	ONLY_COMMUNITY(bridge = true, CHANGE_BRIDGE);
	ONLY_COMMUNITY(bpdu_guard = true, CHANGE_BPDU_GUARD);
	ONLY_COMMUNITY(signed_broadcast = true, CHANGE_SIGNED_BROADCAST);
	ONLY_COMMUNITY(learn = 1, CHANGE_LEARN);
	ONLY_COMMUNITY(accept_ra = true, CHANGE_ACCEPT_RA);
	ONLY_COMMUNITY(mtu = 1300, CHANGE_MTU);
	ONLY_COMMUNITY(mac.b[0] = 2, CHANGE_MAC);
	ONLY_COMMUNITY(netns = "blue", CHANGE_NETNS);
}

static void each_setting_of_the_process_is_seen(void **state)
{
	struct both b;

	(void)state;
	ONLY_PROCESS(process.verbosity = 1, CHANGE_VERBOSITY);
	ONLY_PROCESS(supernode_count = 1, CHANGE_SUPERNODES);
	ONLY_PROCESS(supernodes[1].key = "k", CHANGE_SUPERNODES);
	ONLY_PROCESS(supernodes[0].host[0] = 'z', CHANGE_SUPERNODES);
	ONLY_PROCESS(supernodes[0].port = 1, CHANGE_SUPERNODES);
	ONLY_PROCESS(local.port = 1, CHANGE_PORT);
	ONLY_PROCESS(underlay = "eth0", CHANGE_UNDERLAY);
	ONLY_PROCESS(fwmark = 1, CHANGE_FWMARK);
	ONLY_PROCESS(underlay_netns = "blue", CHANGE_UNDERLAY_NETNS);
	ONLY_PROCESS(process.workers = 2, CHANGE_WORKERS);
	ONLY_PROCESS(process.state_dir = "/s", CHANGE_STATE_DIR);
	ONLY_PROCESS(process.disabled = 1, CHANGE_DISABLED);
}

/* A value for each option that takes one; those that are not here differ by themselves. */
static const struct {
	const char *option, *value;
} values[] = {
	{"community", "x"},
	{"address", "10.9.9.9"},
	{"netns", "blue"},
	{"mac", "06:00:00:00:00:01"},
	{"mtu", "1300"},
	{"mac-hold", "1"},
	{"trust", "4BXK2NFAQ2W5PZ3DHT6RJYCMVE=router"},
	{"learn", "1"},
	{"supernode", "c.example:1"},
	{"port", "1"},
	{"underlay", "eth9"},
	{"underlay-netns", "blue"},
	{"fwmark", "1"},
	{"workers", "2"},
	{"disable", "gso"},
	{"state-dir", "/s"},
};

static const char *value_of(const char *option)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (strcmp(values[i].option, option) == 0)
			return values[i].value;
	return NULL;
}

/* What names a community, what is wiped, what is for a start only, and what is nothing. */
static bool is_compared(const struct option_spec *o)
{
	return !(o->flags & (OPTION_LINE_ONLY | OPTION_SOURCE)) && strcmp(o->name, "device") != 0 &&
	       strcmp(o->name, "foreground") != 0;
}

/* An option that is new and not compared would be changed in the file, and nobody would say so. */
static void each_option_is_seen(void **state)
{
	struct conf_error err;
	struct option_use use;
	struct both b;
	unsigned n = 0;

	(void)state;
	for (size_t i = 0; i < OPTION_BLOCKS_MAX && edge_options.blocks[i].specs; i++)
		for (const struct option_spec *o = edge_options.blocks[i].specs; o->name; o++) {
			if (!is_compared(o))
				continue;
			if (o->arg != NULL && value_of(o->name) == NULL)
				fail_msg("give a value for --%s", o->name);
			start(&b);
			assert_true(options_find(&use, &edge_options, o->name));
			assert_int_equal(option_apply(&use, &b.is, value_of(o->name), &err), 0);
			compare(&b);
			if ((b.d.changed[0] | b.d.process) == 0)
				fail_msg("edge_diff does not see --%s", o->name);
			n++;
		}
	assert_true(n > 20);
}

static void each_change_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (unsigned a = 1; a < CHANGE_END; a <<= 1) {
		assert_string_not_equal(edge_change_name((enum edge_change)a), "something");
		for (unsigned b = 1; b < a; b <<= 1)
			assert_string_not_equal(edge_change_name((enum edge_change)a),
				edge_change_name((enum edge_change)b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_differs_from_itself),
		cmocka_unit_test(communities_come_and_go_by_device),
		cmocka_unit_test(each_setting_of_a_community_is_seen),
		cmocka_unit_test(each_setting_of_the_process_is_seen),
		cmocka_unit_test(each_option_is_seen),
		cmocka_unit_test(each_change_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
