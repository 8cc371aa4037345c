/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The picture of the interfaces, in a network namespace of its own; needs root. */
#define _GNU_SOURCE
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/netif.h"
#include "os/netif_state.h"

#include <cmocka.h>

static void run(const char *command)
{
	assert_int_equal(system(command), 0);
}

static int set_up(void **state)
{
	static struct netif_state s;

	*state = &s;
	return system("ip link add v0 type veth peer name v1 && ip link set v0 up");
}

static int tear_down(void **state)
{
	(void)state;
	return system("ip link delete v0");
}

static const struct netif_link *named(const struct netif_state *s, const char *name)
{
	for (size_t i = 0; i < s->n_links; i++)
		if (strcmp(s->link[i].name, name) == 0)
			return &s->link[i];
	return NULL;
}

static bool has(const struct netif_state *s, const char *name, const char *ip, unsigned prefix)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(&e, ip, 1), 0);
	for (size_t i = 0; i < s->n_addresses; i++)
		if (s->address[i].index == named(s, name)->index &&
			endpoint_same_ip(&s->address[i].ip, &e) && s->address[i].prefix == prefix &&
			s->address[i].ip.port == 0)
			return true;
	return false;
}

static void again(struct netif_state *s)
{
	netif_state_free(s);
	assert_int_equal(netif_state_read(NULL, s), 0);
}

static void links_are_as_they_are(void **state)
{
	static const struct mac mac = {{2, 0, 0x5e, 0x10, 0, 1}};
	struct netif_state *s = *state;
	unsigned index = netif_index(NULL, "v0");

	run("ip link set v0 mtu 1300 address 02:00:5e:10:00:01");
	again(s);
	assert_int_equal(named(s, "v0")->index, index);
	assert_ptr_equal(netif_state_link(s, index), named(s, "v0"));
	assert_true(mac_equal(&named(s, "v0")->mac, &mac));
	assert_int_equal(named(s, "v0")->mtu, 1300);
	assert_true(named(s, "v0")->up);
	assert_false(named(s, "v1")->up);
	assert_int_equal(named(s, "v0")->master, 0);
	/* The index outlives the name. */
	run("ip link set v0 down; ip link set v0 name other; ip link set v1 up");
	again(s);
	assert_string_equal(netif_state_link(s, index)->name, "other");
	assert_false(netif_state_link(s, index)->up);
	assert_int_equal(netif_index(NULL, "v0"), 0);
	run("ip link set other name v0");
	assert_int_equal(netif_index(NULL, "v0"), index);
	assert_null(netif_state_link(s, 0));
	netif_state_free(s);
	netif_state_free(s);
}

static void the_mark_is_seen(void **state)
{
	struct netif_state *s = *state;
	struct os_error err;

	run("ip link set v0 alias 'the office'");
	again(s);
	assert_false(named(s, "v0")->marked || named(s, "v1")->marked);
	assert_int_equal(netif_mark(NULL, "v0", &err), 0);
	again(s);
	assert_true(named(s, "v0")->marked);
	assert_false(named(s, "v1")->marked);
	netif_state_free(s);
}

static void what_has_taken_it_is_told(void **state)
{
	struct netif_state *s = *state;

	run("ip link add b0 type bridge; ip link set v0 master b0");
	again(s);
	assert_int_equal(named(s, "v0")->master, named(s, "b0")->index);
	assert_int_equal(named(s, "v0")->vrf, 0);
	run("ip link delete b0");
	again(s);
	assert_int_equal(named(s, "v0")->master, 0);
	if (system("ip link add r0 type vrf table 10 2>/dev/null") == 0) {
		run("ip link set v0 master r0");
		again(s);
		assert_int_equal(named(s, "v0")->master, 0);
		assert_int_equal(named(s, "v0")->vrf, named(s, "r0")->index);
		run("ip link delete r0");
	}
	if (system("ip link add link v0 name m0 type macvlan 2>/dev/null") == 0) {
		again(s);
		assert_int_equal(named(s, "m0")->below, named(s, "v0")->index);
		run("ip link delete m0");
	}
	netif_state_free(s);
}

static void addresses_are_listed(void **state)
{
	struct netif_state *s = *state;

	run("ip addr add 10.1.2.1/24 dev v0; ip addr add 10.1.3.1/24 dev v0 label v0:alias");
	run("ip addr add 10.9.0.1 peer 10.9.0.2/32 dev v1; ip addr add 169.254.1.1/16 dev v1");
	again(s);
	assert_true(has(s, "v0", "10.1.2.1", 24));
	assert_true(has(s, "v0", "10.1.3.1", 24));
	assert_true(has(s, "v1", "10.9.0.1", 32));
	assert_false(has(s, "v1", "10.9.0.2", 32));
	assert_true(has(s, "v1", "169.254.1.1", 16));
	if (system("ip -6 addr add fd00::1/64 dev v0 nodad 2>/dev/null") == 0) {
		again(s);
		assert_true(has(s, "v0", "[fd00::1]", 64));
	}
	netif_state_free(s);
}

/* More than one answer of the kernel holds. */
static void there_may_be_many(void **state)
{
	struct netif_state *s = *state;
	char name[16], ip[32];

	run("for i in $(seq 100); do echo link add w$i type veth peer name x$i; done | ip -batch "
	    "-");
	run("for i in $(seq 200); do echo addr add 10.7.0.$i/24 dev v0; done | ip -batch -");
	again(s);
	for (unsigned i = 1; i <= 100; i++) {
		snprintf(name, sizeof(name), "x%u", i);
		assert_non_null(named(s, name));
	}
	for (unsigned i = 1; i <= 200; i++) {
		snprintf(ip, sizeof(ip), "10.7.0.%u", i);
		assert_true(has(s, "v0", ip, 24));
	}
	netif_state_free(s);
	run("for i in $(seq 100); do echo link delete w$i; done | ip -batch -");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(links_are_as_they_are),
		TEST(the_mark_is_seen),
		TEST(what_has_taken_it_is_told),
		TEST(addresses_are_listed),
		TEST(there_may_be_many),
	};

	if (unshare(CLONE_NEWNET)) {
		print_message("skipped: needs root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
