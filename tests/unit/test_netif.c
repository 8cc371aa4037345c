/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests setting up and listing interfaces in a network namespace of its own; needs root. */
#define _GNU_SOURCE
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

#include <cmocka.h>

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

/* True when the output of a command holds text. */
static bool shows(const char *command, const char *text)
{
	char output[4096];
	FILE *f = popen(command, "r");
	size_t len;

	assert_non_null(f);
	len = fread(output, 1, sizeof(output) - 1, f);
	output[len] = 0;
	assert_int_equal(pclose(f), 0);
	return strstr(output, text) != NULL;
}

static int setup(void **state)
{
	(void)state;
	return system("ip link set lo up; ip link add v0 type veth peer name v1");
}

static int teardown(void **state)
{
	(void)state;
	return system("ip link delete v0");
}

static void an_interface_is_set_up(void **state)
{
	const struct mac mac = {{2, 0, 0x5e, 0x10, 0, 1}};

	(void)state;
	assert_int_equal(netif_set_mac(NULL, "v0", &mac, &err), 0);
	assert_int_equal(netif_set_mtu(NULL, "v0", 1376, &err), 0);
	assert_int_equal(netif_set_up(NULL, "v0", &err), 0);
	assert_true(shows("ip link show v0", "mtu 1376"));
	assert_true(shows("ip link show v0", "02:00:5e:10:00:01"));
	assert_true(shows("ip link show v0", "UP"));
}

static void super_frames_are_limited(void **state)
{
	(void)state;
	assert_int_equal(netif_set_gso_limits(NULL, "v0", 61000, 64, &err), 0);
	assert_true(shows("ip -details link show v0", "gso_max_size 61000 gso_max_segs 64"));
	assert_int_equal(netif_set_gso_limits(NULL, "v0", UINT32_MAX, 64, &err), N2N_EINVAL);
	assert_string_equal(err.text,
		"cannot limit super-frames of interface \"v0\" to 4294967295 bytes, 64 segments: "
		"Invalid argument; check that the interface allows this value");
	assert_int_equal(netif_set_gso_limits(NULL, "v0", 61000, 65536, &err), N2N_EINVAL);
	assert_int_equal(netif_set_gso_limits(NULL, "none0", 61000, 64, &err), N2N_ENOENT);
}

static void routers_are_ignored_and_believed_again(void **state)
{
	static const char *const show[] = {"cat /proc/sys/net/ipv6/conf/v0/accept_ra",
		"cat /proc/sys/net/ipv6/conf/v0/autoconf"};
	struct netif_routers before, again;

	(void)state;
	if (access("/proc/sys/net/ipv6", F_OK) != 0)
		return;
	run("echo 2 >/proc/sys/net/ipv6/conf/v0/accept_ra");
	assert_int_equal(netif_ignore_routers(NULL, "v0", &before, &err), 0);
	assert_true(shows(show[0], "0\n") && shows(show[1], "0\n"));
	/* What is so already is not put back. */
	assert_int_equal(netif_ignore_routers(NULL, "v0", &again, &err), 0);
	netif_restore_routers(NULL, "v0", &again);
	assert_true(shows(show[0], "0\n") && shows(show[1], "0\n"));
	netif_restore_routers(NULL, "v0", &before);
	assert_true(shows(show[0], "2\n") && shows(show[1], "1\n"));
	assert_int_equal(netif_ignore_routers(NULL, "none0", &before, &err), 0);
	netif_restore_routers(NULL, "none0", &before);
}

static void queues_of_a_tap_are_counted(void **state)
{
	(void)state;
	assert_int_equal(netif_tap_queues(NULL, "none0"), N2N_ENOENT);
	assert_int_equal(netif_tap_queues(NULL, "lo"), 0);
	assert_int_equal(netif_tap_queues(NULL, "v0"), 0); /* with several queues, but no TAP */
	if (access("/dev/net/tun", R_OK | W_OK))
		return;
	run("ip tuntap add mode tap name one0; ip tuntap add mode tap name many0 multi_queue");
	assert_int_equal(netif_tap_queues(NULL, "one0"), 0);
	assert_int_equal(netif_tap_queues(NULL, "many0"), 0);
	run("ip link delete one0; ip link delete many0");
}

static void addresses_of_both_families_are_added(void **state)
{
	struct endpoint v4 = address("10.1.2.1"), point = address("10.9.9.0"),
			v6 = address("fd00::1");

	(void)state;
	assert_int_equal(netif_add_address(NULL, "v0", &v4, 24, &err), 0);
	assert_int_equal(netif_add_address(NULL, "v0", &v4, 24, &err), 0);
	assert_int_equal(netif_add_address(NULL, "v0", &point, 31, &err), 0);
	assert_true(shows("ip address show v0", "inet 10.1.2.1/24 brd 10.1.2.255 "));
	assert_true(shows("ip address show v0", "inet 10.9.9.0/31 scope"));
	if (access("/proc/net/if_inet6", F_OK) == 0) {
		assert_int_equal(netif_add_address(NULL, "v0", &v6, 64, &err), 0);
		assert_true(shows("ip address show v0", "inet6 fd00::1/64 scope global nodad "));
		assert_int_equal(netif_add_address(NULL, "v0", &v6, 129, &err), N2N_EINVAL);
	}
	assert_int_equal(netif_add_address(NULL, "v0", &v4, 33, &err), N2N_EINVAL);
	assert_string_equal(err.text,
		"cannot give interface \"v0\" the address 10.1.2.1/33: Invalid "
		"argument; check that the interface allows this value");
}

static void failures_say_what_and_why(void **state)
{
	const struct mac group = {{3, 0, 0, 0, 0, 1}};
	struct endpoint ip = address("10.1.2.1");

	(void)state;
	assert_int_equal(netif_set_mac(NULL, "none0", &group, &err), N2N_ENOENT);
	assert_int_equal(netif_add_address(NULL, "none0", &ip, 24, &err), N2N_ENOENT);
	assert_int_equal(netif_set_up(NULL, "none0", &err), N2N_ENOENT);
	assert_int_equal(netif_set_mtu(NULL, "none0", 1400, &err), N2N_ENOENT);
	assert_string_equal(err.text,
		"cannot give interface \"none0\" the MTU 1400: there is no such interface; check "
		"its name, or whether another program removed it");
	assert_int_equal(netif_set_mac(NULL, "v0", &group, &err), N2N_EINVAL);
	assert_int_equal(netif_set_mtu(NULL, "v0", 1, &err), N2N_EINVAL);
	assert_string_equal(err.text, "cannot give interface \"v0\" the MTU 1: Invalid argument; "
				      "check that the interface allows this value");
}

static void without_rights_the_advice_is_a_capability(void **state)
{
	struct endpoint ip = address("10.1.2.1");
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		if (setuid(65534))
			_exit(2);
		if (netif_set_up(NULL, "v0", &err) != N2N_EPERM ||
			netif_add_address(NULL, "v0", &ip, 24, &err) != N2N_EPERM)
			_exit(1);
		_exit(strstr(err.text, "CAP_NET_ADMIN") != NULL ? 0 : 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* So that other instances know it, and people; what a user noted there is put back. */
static void an_interface_is_marked(void **state)
{
	(void)state;
	assert_int_equal(netif_mark(NULL, "v0", &err), 0);
	assert_int_equal(netif_mark(NULL, "v0", &err), 0); /* as after a kill -9 */
	assert_true(shows("ip link show v0", "alias [n2n]\n"));
	netif_unmark(NULL, "v0");
	assert_false(shows("ip link show v0", "alias"));
	run("ip link set v0 alias 'to the cellar'");
	netif_unmark(NULL, "v0");
	assert_int_equal(netif_mark(NULL, "v0", &err), 0);
	assert_true(shows("ip link show v0", "alias [n2n] to the cellar\n"));
	netif_unmark(NULL, "v0");
	assert_true(shows("ip link show v0", "alias to the cellar\n"));
	assert_int_equal(netif_mark(NULL, "none0", &err), N2N_ENOENT);
	netif_unmark(NULL, "none0");
	assert_true(netif_is_mark("[n2n]") && netif_is_mark("[n2n] x"));
	assert_false(netif_is_mark("") || netif_is_mark("[n2n") || netif_is_mark("[n2n]x"));
}

static void changes_are_noticed(void **state)
{
	struct netif_watch *w;
	struct pollfd p = {.events = POLLIN};

	(void)state;
	assert_int_equal(netif_watch_open(NULL, &w, &err), 0);
	p.fd = (int)netif_watch_handle(w).value;
	assert_false(netif_watch_drain(w));
	run("ip address add 10.1.2.1/24 dev v0");
	assert_int_equal(poll(&p, 1, 2000), 1);
	assert_true(netif_watch_drain(w));
	assert_false(netif_watch_drain(w));
	run("ip link set v1 up");
	assert_int_equal(poll(&p, 1, 2000), 1);
	assert_true(netif_watch_drain(w));

	run("ip link set v0 up; ip route add 10.9.0.0/16 dev v0");
	while (netif_watch_drain(w))
		;
	run("ip route add 10.8.0.0/16 dev v0");
	assert_int_equal(poll(&p, 1, 2000), 1);
	assert_true(netif_watch_drain(w));
	assert_false(netif_watch_drain(w));
	run("ip rule add to 10.8.0.0/16 lookup main");
	assert_int_equal(poll(&p, 1, 2000), 1);
	assert_true(netif_watch_drain(w));
	run("ip rule del to 10.8.0.0/16 lookup main");

	/* More notices than the socket holds: some are lost, the news is not. */
	run("for i in $(seq 400); do echo link set v0 mtu $((1300 + i)); done | ip -batch -");
	for (unsigned i = 0; netif_watch_drain(w); i++)
		assert_true(i < 1000);
	assert_false(netif_watch_drain(w));
	netif_watch_close(w);
	netif_watch_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_interface_is_set_up),
		TEST(super_frames_are_limited),
		TEST(routers_are_ignored_and_believed_again),
		TEST(queues_of_a_tap_are_counted),
		TEST(addresses_of_both_families_are_added),
		TEST(failures_say_what_and_why),
		TEST(without_rights_the_advice_is_a_capability),
		TEST(an_interface_is_marked),
		TEST(changes_are_noticed),
	};

	if (unshare(CLONE_NEWNET)) {
		print_message("skipped: needs root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
