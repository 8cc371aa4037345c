/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking at interfaces, addresses and routes of a network namespace of its own; needs root. */
#define _GNU_SOURCE
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/netif.h"
#include "os/sys.h"
#include "os/underlay.h"

#include <cmocka.h>

static const struct underlay_socket both = {.v4 = true, .v6 = true};
static struct os_error err;

static struct endpoint address(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(&e, text, 1), 0);
	e.port = 0;
	return e;
}

static void run(const char *command)
{
	assert_int_equal(system(command), 0);
}

static int setup(void **state)
{
	if (underlay_open((struct underlay **)state, &err) != 0)
		return -1;
	return system("ip link set lo up; ip link add v0 type veth peer name v1;"
		      "ip link set v0 up; ip link set v1 up");
}

static int teardown(void **state)
{
	underlay_close(*state);
	underlay_close(NULL);
	return system("ip link delete v0");
}

static void look(struct underlay *u)
{
	assert_int_equal(underlay_look(u, NULL, 0, NULL, 0), 0);
}

static bool offers(struct underlay *u, const char *text)
{
	struct endpoint list[64], e = address(text);
	size_t n = underlay_rank(underlay_seen(u), &both, list, 64);

	for (size_t i = 0; i < n; i++)
		if (endpoint_equal(&list[i], &e))
			return true;
	return false;
}

static enum underlay_side way(struct underlay *u, const char *text)
{
	const struct endpoint to = address(text);

	return underlay_way(u, &to);
}

static void addresses_are_read(void **state)
{
	struct underlay *u = *state;

	assert_int_equal(underlay_seen(u)->n_links, 0);
	run("ip address add 10.1.2.1/24 dev v0; ip address add 10.3.3.1 peer 10.3.3.9 dev v1");
	look(u);
	assert_true(offers(u, "10.1.2.1") && offers(u, "10.3.3.1"));
	assert_false(offers(u, "10.3.3.9") || offers(u, "127.0.0.1"));
	run("ip link set v0 down");
	look(u);
	assert_false(offers(u, "10.1.2.1"));
	if (access("/proc/net/if_inet6", F_OK) != 0)
		return;
	run("ip link set v0 up; ip address add fd00::1/64 dev v0 nodad;"
	    "ip address add fd00::2/64 dev v0 nodad preferred_lft 0;"
	    "echo 5 >/proc/sys/net/ipv6/conf/v0/dad_transmits;"
	    "ip address add fd00::3/64 dev v0");
	look(u);
	assert_true(offers(u, "fd00::1"));
	assert_false(offers(u, "fd00::2")); /* deprecated */
	assert_false(offers(u, "fd00::3")); /* tentative */
}

static void the_interface_of_the_route_is_first(void **state)
{
	struct underlay *u = *state;
	const struct endpoint supernode = address("10.50.0.1");
	struct endpoint first, want;

	run("ip address add 10.1.2.1/24 dev v0; ip address add 10.3.3.1/24 dev v1;"
	    "ip route add 10.50.0.0/16 dev v1");
	assert_int_equal(underlay_look(u, NULL, 0, &supernode, 1), 0);
	assert_int_equal(underlay_rank(underlay_seen(u), &both, &first, 1), 1);
	want = address("10.3.3.1");
	assert_true(endpoint_equal(&first, &want));
	run("ip route add default dev v0");
	look(u);
	assert_int_equal(underlay_rank(underlay_seen(u), &both, &first, 1), 1);
	want = address("10.1.2.1");
	assert_true(endpoint_equal(&first, &want));
}

static void the_side_is_that_of_the_route(void **state)
{
	static const char *const own[] = {"t1"};
	struct underlay *u = *state;

	if (access("/dev/net/tun", R_OK | W_OK))
		return;
	run("ip tuntap add mode tap name t0; ip tuntap add mode tap name t1;"
	    "ip address add 10.7.0.1/24 dev t0; ip link set t0 up;"
	    "ip address add 10.8.0.1/24 dev t1; ip link set t1 up;"
	    "ip address add 10.1.2.1/24 dev v0");
	look(u);
	assert_int_equal(way(u, "10.7.0.2"), UNDERLAY_OUTSIDE); /* of anybody */
	assert_int_equal(netif_mark(NULL, "t0", &err), 0);
	assert_int_equal(netif_mark(NULL, "v0", &err), 0); /* a note at a card says nothing */
	assert_int_equal(underlay_look(u, own, 1, NULL, 0), 0);
	assert_int_equal(way(u, "10.7.0.2"), UNDERLAY_OTHERS);
	assert_int_equal(way(u, "10.8.0.2"), UNDERLAY_OURS);
	assert_int_equal(way(u, "10.1.2.2"), UNDERLAY_OUTSIDE);
	assert_int_equal(way(u, "10.7.0.1"), UNDERLAY_OUTSIDE);	 /* to ourselves */
	assert_int_equal(way(u, "192.0.2.1"), UNDERLAY_OUTSIDE); /* no route */
	assert_false(offers(u, "10.7.0.1") || offers(u, "10.8.0.1"));
	assert_true(offers(u, "10.1.2.1"));
	/* Routes are of the moment. */
	run("ip route add 10.1.2.2/32 dev t0; ip route add 10.7.0.2/32 dev v0");
	assert_int_equal(way(u, "10.1.2.2"), UNDERLAY_OTHERS);
	assert_int_equal(way(u, "10.7.0.2"), UNDERLAY_OUTSIDE);
	run("ip link delete t0; ip link delete t1");
}

static void a_bridge_is_what_its_ports_are(void **state)
{
	struct underlay *u = *state;

	if (access("/dev/net/tun", R_OK | W_OK))
		return;
	run("ip link add b0 type bridge; ip link set b0 up; ip tuntap add mode tap name t0;"
	    "ip link set t0 master b0 up; ip link set v0 master b0;"
	    "ip address add 10.1.2.1/24 dev b0");
	assert_int_equal(netif_mark(NULL, "t0", &err), 0);
	look(u);
	assert_true(offers(u, "10.1.2.1"));
	assert_int_equal(way(u, "10.1.2.2"), UNDERLAY_OUTSIDE);
	run("ip link set v0 nomaster");
	look(u);
	assert_false(offers(u, "10.1.2.1"));
	assert_int_equal(way(u, "10.1.2.2"), UNDERLAY_OTHERS);
	run("ip link delete b0; ip link delete t0");
}

static enum underlay_kind kind_named(struct underlay *u, const char *name)
{
	const struct underlay_host *seen = underlay_seen(u);
	unsigned index = if_nametoindex(name);

	for (size_t i = 0; i < seen->n_links; i++)
		if (seen->link[i].index == index)
			return seen->link[i].kind;
	fail();
	return UNDERLAY_DEVICE;
}

/* Of those that the system has. What is sent by one leaves by another interface. */
static void tunnels_are_no_cards(void **state)
{
	static const char *const tunnels[] = {
		"wireguard",
		"vxlan id 1 remote 10.1.2.9 dstport 4789",
		"geneve id 1 remote 10.1.2.9",
		"gre local 10.1.2.1 remote 10.1.2.9",
		"gretap local 10.1.2.1 remote 10.1.2.9",
		"ip6gre local fd00::1 remote fd00::9",
		"ip6gretap local fd00::1 remote fd00::9",
		"ipip local 10.1.2.1 remote 10.1.2.9",
		"sit local 10.1.2.1 remote 10.1.2.9",
		"ip6tnl local fd00::1 remote fd00::9",
		"vti local 10.1.2.1 remote 10.1.2.9 key 1",
		"vti6 local fd00::1 remote fd00::9 key 1",
		"xfrm if_id 7",
	};
	struct underlay *u = *state;
	char command[128];

	for (size_t i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++) {
		snprintf(
			command, sizeof(command), "ip link add t0 type %s 2>/dev/null", tunnels[i]);
		if (system(command) != 0)
			continue;
		look(u);
		print_message("%s\n", tunnels[i]);
		assert_int_equal(kind_named(u, "t0"), UNDERLAY_TUNNEL);
		run("ip link delete t0");
	}
	look(u);
	assert_int_equal(kind_named(u, "v0"), UNDERLAY_SOFTWARE);
	if (system("ip link add link v0 name m0 type macvlan 2>/dev/null") != 0)
		return;
	look(u);
	assert_int_equal(kind_named(u, "m0"), UNDERLAY_DEVICE);
	run("ip link delete m0");
}

static void six_hundred_interfaces_are_read(void **state)
{
	struct underlay *u = *state;
	uint64_t begin, look_ns, way_ns;

	run("for i in $(seq 300); do echo link add x$i group 7 type veth peer name y$i;"
	    "echo address add 10.200.$((i / 256)).$((i % 256))/32 dev x$i;"
	    "echo link set x$i up; done | ip -batch -;"
	    "ip address add 10.1.2.1/24 dev v0; ip route add default dev v0");
	begin = sys_now_ns();
	look(u);
	look_ns = sys_now_ns() - begin;
	assert_true(underlay_seen(u)->n_links >= 602);
	assert_true(offers(u, "10.1.2.1"));
	begin = sys_now_ns();
	for (unsigned i = 0; i < 1000; i++)
		(void)way(u, "10.1.2.2");
	way_ns = (sys_now_ns() - begin) / 1000;
	print_message("a look at %zu interfaces took %.1f ms, a route %.1f us\n",
		underlay_seen(u)->n_links, (double)look_ns / 1e6, (double)way_ns / 1e3);
	run("ip link delete group 7");
}

static void shell(const char *command)
{
	_exit(execl("/bin/sh", "sh", "-c", command, (char *)NULL));
}

static void churn_for_a_second(void)
{
	const char *command = "end=$(($(date +%s) + 2));"
			      "while [ $(date +%s) -lt $end ]; do"
			      " for i in $(seq 50); do"
			      "  echo link add c$i type veth peer name d$i;"
			      "  echo address add 10.201.0.$i/32 dev c$i; done | ip -batch -;"
			      " for i in $(seq 50); do echo link delete c$i; done | ip -batch -;"
			      "done";

	shell(command);
}

/* The system gives up an answer that changes under it; what was asked next has its own. */
static void what_changes_meanwhile_is_asked_again(void **state)
{
	struct underlay *u = *state;
	unsigned looks = 0, failed = 0;
	int status = -1;
	pid_t child;

	run("ip address add 10.1.2.1/24 dev v0; ip route add 10.50.0.0/16 dev v1");
	child = fork();
	if (child == 0)
		churn_for_a_second();
	for (; waitpid(child, &status, WNOHANG) == 0; looks++) {
		const struct endpoint in = address("10.50.0.1");

		failed += underlay_look(u, NULL, 0, &in, 1) != 0;
		assert_int_equal(underlay_seen(u)->supernode[0], if_nametoindex("v1"));
		assert_true(offers(u, "10.1.2.1"));
		assert_true(underlay_seen(u)->n_links <= 3 + 2 * 50);
	}
	print_message("%u looks, %u failed\n", looks, failed);
	assert_int_equal(status, 0);
	assert_true(looks > 20 && failed <= looks / 2);
	look(u);
	assert_false(offers(u, "10.201.0.1"));
}

/* As long as an answer is not read to its end there is none to the next question. */
static void of_a_long_answer_nothing_is_left(void **state)
{
	struct underlay *u = *state;
	unsigned looks = 0, failed = 0;
	int status = -1;
	pid_t child;

	run("for i in $(seq 300); do echo link add x$i group 7 type bridge; done | ip "
	    "-batch -;"
	    "ip address add 10.1.2.1/24 dev v0");
	child = fork();
	if (child == 0)
		shell("end=$(($(date +%s) + 4)); while [ $(date +%s) -lt $end ]; do"
		      " for i in $(seq 20); do"
		      "  ip link add c0 type bridge; ip address add 10.9.9.1/24 dev c0;"
		      "  ip link delete c0; done; done");
	for (; waitpid(child, &status, WNOHANG) == 0; looks++) {
		failed += underlay_look(u, NULL, 0, NULL, 0) != 0;
		assert_true(offers(u, "10.1.2.1"));
		assert_true(underlay_seen(u)->n_links >= 303);
		(void)poll(NULL, 0, 10);
	}
	print_message("%u looks, %u failed\n", looks, failed);
	run("ip link delete group 7");
	assert_int_equal(status, 0);
	/* One may find the host changing each time that it tries. */
	assert_true(looks > 20 && failed <= looks / 50);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Of the interface, of the route if that says less, and of the interface as it is after a change.
 */
static void the_smallest_packet_limit_counts(void **state)
{
	struct underlay *u = *state;
	const struct endpoint near = address("10.1.2.9"), narrow = address("10.60.0.1");
	const struct endpoint wide = address("10.61.0.1"), nowhere = address("10.99.0.1");

	run("ip address add 10.1.2.1/24 dev v0; ip link set v0 mtu 1400;"
	    "ip route add 10.60.0.0/16 via 10.1.2.7 dev v0 mtu 1300;"
	    "ip route add 10.61.0.0/16 via 10.1.2.7 dev v0 mtu 1490");
	assert_int_equal(underlay_mtu(u, &near), 0); /* nobody looked yet */
	look(u);
	assert_int_equal(underlay_mtu(u, &near), 1400);
	assert_int_equal(underlay_mtu(u, &narrow), 1300);
	assert_int_equal(underlay_mtu(u, &wide), 1400);
	assert_int_equal(underlay_mtu(u, &nowhere), 0);
	run("ip link set v0 mtu 1280");
	look(u);
	assert_int_equal(underlay_mtu(u, &near), 1280);
	assert_int_equal(underlay_mtu(u, &narrow), 1280);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(addresses_are_read),
		TEST(the_interface_of_the_route_is_first),
		TEST(the_side_is_that_of_the_route),
		TEST(a_bridge_is_what_its_ports_are),
		TEST(tunnels_are_no_cards),
		TEST(six_hundred_interfaces_are_read),
		TEST(what_changes_meanwhile_is_asked_again),
		TEST(of_a_long_answer_nothing_is_left),
		TEST(the_smallest_packet_limit_counts),
	};

	if (unshare(CLONE_NEWNET)) {
		print_message("skipped: needs root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
