/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * By which interface datagrams leave, and which route leads there, in a network namespace of its
 * own: "out" has the default route, and a shorter way by "in" shadows it, as a network of ours
 * may that takes all traffic. Needs root.
 */
#define _GNU_SOURCE
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/route.h"
#include "os/udp.h"

#include <cmocka.h>

#define SENT 5

/* Each address of the other side is known, so that nothing is asked for. */
static const char make_out[] = "ip link add out type veth peer name out1 && ip link set out1 up && "
			       "ip link set out up && "
			       "ip addr add 10.1.0.2/24 dev out && "
			       "ip addr add fd01::2/64 dev out nodad && "
			       "ip neigh add 10.1.0.1 lladdr 02:00:00:00:00:01 dev out && "
			       "ip neigh add fd01::1 lladdr 02:00:00:00:00:01 dev out && "
			       "ip route add default via 10.1.0.1 dev out metric 7 && "
			       "ip -6 route add default via fd01::1 dev out metric 8";
static const char make_in[] = "ip link add in type veth peer name in1 && ip link set in1 up && "
			      "ip link set in up && "
			      "ip addr add 10.2.0.2/24 dev in && "
			      "ip addr add fd02::2/64 dev in nodad && "
			      "ip neigh add 10.2.0.1 lladdr 02:00:00:00:00:02 dev in && "
			      "ip neigh add fd02::1 lladdr 02:00:00:00:00:02 dev in && "
			      "ip route add 128.0.0.0/1 via 10.2.0.1 dev in && "
			      "ip -6 route add 2000::/3 via fd02::1 dev in";

struct fixture {
	struct udp *u;
	struct udp_batch *b;
	struct os_error err;
};

static void run(const char *command)
{
	assert_int_equal(system(command), 0);
}

static struct endpoint parsed(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(&e, text, 9), 0);
	return e;
}

static int setup(void **state)
{
	const struct endpoint any = {.port = 0};
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	return system("ip link set lo up") || system(make_out) || system(make_in) ||
	       udp_open(&f->u, &any, 0, &f->err) || udp_batch_create(&f->b, SENT);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	udp_close(f->u);
	udp_batch_destroy(f->b);
	free(f);
	(void)!system("ip link del in; ip link del out; ip rule del fwmark 5 2>/dev/null");
	return 0;
}

/* Bytes; 0 if there is no such interface. */
static unsigned long left_by(const char *device)
{
	unsigned long sent = 0, n;
	char line[512], name[32];
	FILE *file = fopen("/proc/net/dev", "r");

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, " %31[^:]: %*u %*u %*u %*u %*u %*u %*u %*u %lu", name, &n) == 2 &&
			strcmp(name, device) == 0)
			sent = n;
	fclose(file);
	return sent;
}

/* Sends some datagrams, so large that nothing else counts, and says whether this is where they
 * left. */
static bool leaves_by(struct fixture *f, const char *to, const char *from, const char *device)
{
	static uint8_t data[1000];
	struct udp_packet_out out[SENT];
	struct udp_sent count = {0};
	unsigned long before = left_by(device), bytes;

	for (size_t i = 0; i < SENT; i++) {
		out[i] = (struct udp_packet_out){data, sizeof(data), parsed(to), {.port = 0}};
		if (from != NULL)
			out[i].local = parsed(from);
	}
	assert_int_equal(udp_send(f->u, f->b, out, SENT, &count), SENT);
	bytes = left_by(device) - before;
	return count.sent == SENT && bytes >= SENT * sizeof(data);
}

static void leave_by(struct fixture *f, const char *device, uint32_t mark)
{
	const struct udp_exit by = {device, mark};

	if (udp_leave_by(f->u, &by, &f->err) != 0)
		fail_msg("%s", f->err.text);
}

static void routes_decide_unless_an_interface_is_named(void **state)
{
	static const struct {
		const char *to, *from;
	} ways[] = {{"192.0.2.7", NULL}, {"192.0.2.7", "10.1.0.2"}, {"192.0.2.7", "10.2.0.2"},
		{"2001:db8::7", NULL}, {"2001:db8::7", "fd01::2"}, {"2001:db8::7", "fd02::2"}};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		assert_true(leaves_by(f, ways[i].to, ways[i].from, "in"));
	leave_by(f, "out", 0);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		assert_true(leaves_by(f, ways[i].to, ways[i].from, "out"));
}

/* What comes while it is away goes nowhere else. */
static void an_interface_comes_back_under_another_index(void **state)
{
	const struct udp_exit by = {"out", 0};
	struct fixture *f = *state;

	leave_by(f, "out", 0);
	run("ip link del out");
	assert_int_equal(udp_leave_by(f->u, &by, &f->err), N2N_ENOENT);
	assert_string_equal(f->err.text,
		"there is no interface \"out\" for the network underneath; check its name with "
		"\"ip link\", or choose another");
	assert_int_equal(f->err.setting, SETTING_UNDERLAY);
	assert_false(leaves_by(f, "192.0.2.7", NULL, "in"));
	assert_false(leaves_by(f, "2001:db8::7", NULL, "in"));
	run(make_out);
	assert_false(leaves_by(f, "192.0.2.7", NULL, "out"));
	leave_by(f, "out", 0);
	assert_true(leaves_by(f, "192.0.2.7", NULL, "out"));
	assert_true(leaves_by(f, "2001:db8::7", "fd01::2", "out"));
}

static void rules_see_the_mark(void **state)
{
	struct fixture *f = *state;

	run("ip rule add fwmark 5 lookup 100; ip route add default via 10.1.0.1 dev out table 100");
	assert_true(leaves_by(f, "192.0.2.7", NULL, "in"));
	leave_by(f, NULL, 5);
	assert_true(leaves_by(f, "192.0.2.7", NULL, "out"));
	assert_true(leaves_by(f, "192.0.2.7", "10.1.0.2", "out"));
}

static void an_ipv6_address_does_not_go_with_an_interface(void **state)
{
	const struct udp_exit by = {"out", 0};
	struct endpoint at = parsed("fd01::2");
	struct fixture *f = *state;

	udp_close(f->u);
	at.port = 0;
	assert_int_equal(udp_open(&f->u, &at, 0, &f->err), 0);
	assert_int_equal(udp_leave_by(f->u, &by, &f->err), N2N_EINVAL);
	assert_int_equal(f->err.setting, SETTING_PORT);
}

/* Interfaces may be chosen by anybody, marks may not. */
static void what_takes_rights_says_so(void **state)
{
	struct fixture *f = *state;
	const struct udp_exit by_mark = {NULL, 5}, by_device = {"out", 0};
	pid_t child = fork();
	int status;

	if (child == 0) {
		if (setuid(65534) != 0)
			_exit(2);
		_exit(udp_leave_by(f->u, &by_device, &f->err) == 0 &&
					udp_leave_by(f->u, &by_device, &f->err) == 0 &&
					udp_leave_by(f->u, &by_mark, &f->err) == N2N_EPERM &&
					strstr(f->err.text, "CAP_NET_ADMIN") != NULL
				? 0
				: 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* ---- routes as text ---- */

static void assert_route(const char *to, const char *device, uint32_t mark, const char *text)
{
	const struct endpoint e = parsed(to);
	unsigned link = device != NULL ? if_nametoindex(device) : 0;
	char buf[ROUTE_TEXT_MAX];
	struct os_route r;

	if (text == NULL) {
		assert_int_equal(os_route_find(&r, &e, link, mark), N2N_ENOENT);
		return;
	}
	assert_int_equal(os_route_find(&r, &e, link, mark), 0);
	assert_string_equal(os_route_format(&r, buf), text);
}

static void routes_are_named_as_they_stand_in_the_table(void **state)
{
	const struct endpoint e = parsed("192.0.2.7");
	char buf[ROUTE_TEXT_MAX];
	struct os_route r;

	(void)state;
	assert_route("192.0.2.7", NULL, 0, "128.0.0.0/1 via 10.2.0.1 dev in");
	assert_route("192.0.2.7", "out", 0, "default via 10.1.0.1 dev out");
	assert_route("10.1.0.9", NULL, 0, "10.1.0.0/24 dev out");
	assert_route("10.1.0.9", "in", 0, NULL);
	assert_route("2001:db8::7", NULL, 0, "2000::/3 via fd02::1 dev in");
	assert_route("2001:db8::7", "out", 0, "default via fd01::1 dev out");
	assert_route("2001:db8::7", "lo", 0, NULL);
	assert_int_equal(os_route_find(&r, &e, 99999, 0), N2N_ENOENT);
	assert_int_equal(os_route_find(&r, &e, if_nametoindex("out"), 0), 0);
	assert_int_equal(r.metric, 7);
	assert_string_equal(os_route_format_hop(&r, buf), "via 10.1.0.1 dev out");
	run("ip route del default; ip route del 128.0.0.0/1");
	assert_route("192.0.2.7", NULL, 0, NULL);
	run("ip rule add fwmark 5 lookup 100; ip route add default via 10.1.0.1 dev out table 100");
	assert_route("192.0.2.7", NULL, 5, "default via 10.1.0.1 dev out");
}

static void of_several_hops_one_is_named(void **state)
{
	(void)state;
	run("ip route add 192.0.2.0/24 nexthop via 10.2.0.1 dev in nexthop via 10.1.0.1 dev out");
	assert_route("192.0.2.7", NULL, 0, "192.0.2.0/24 via 10.2.0.1 dev in");
	assert_route("192.0.2.7", "out", 0, "192.0.2.0/24 via 10.1.0.1 dev out");
	run("ip route add 198.51.100.0/24 via inet6 fd01::1 dev out");
	assert_route("198.51.100.7", NULL, 0, "198.51.100.0/24 via inet6 fd01::1 dev out");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(routes_decide_unless_an_interface_is_named),
		TEST(an_interface_comes_back_under_another_index),
		TEST(rules_see_the_mark),
		TEST(an_ipv6_address_does_not_go_with_an_interface),
		TEST(what_takes_rights_says_so),
		TEST(routes_are_named_as_they_stand_in_the_table),
		TEST(of_several_hops_one_is_named),
	};

	if (unshare(CLONE_NEWNET)) {
		print_message("skipped: needs root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
