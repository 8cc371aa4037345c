/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests UDP sockets over loopback. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/udp.h"

#include <cmocka.h>

#define BATCH 4

static const struct endpoint any = {.port = 0};

static struct endpoint parsed(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(&e, text, 0), 0);
	return e;
}

static struct endpoint loopback(enum udp_family family, uint16_t port)
{
	struct endpoint e = parsed(family == UDP_V4 ? "127.0.0.1:1" : "[::1]:1");

	e.port = port;
	return e;
}

/* A pair of sockets, a batch, and room for what arrives. */
struct fixture {
	struct udp *u;
	struct udp_batch *b;
	struct os_error err;
	struct udp_packet in[16];
	uint8_t room[16][64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	for (size_t i = 0; i < 16; i++)
		f->in[i] = (struct udp_packet){.data = f->room[i], .cap = sizeof(f->room[i])};
	return udp_open(&f->u, &any, FEATURE_GSO, &f->err) || udp_batch_create(&f->b, BATCH);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	udp_close(f->u);
	udp_batch_destroy(f->b);
	free(f);
	return 0;
}

static bool has(const struct fixture *f, enum udp_family family)
{
	return !os_handle_is_none(udp_handle(f->u, family));
}

static bool readable(const struct udp *u, enum udp_family family, int timeout_ms)
{
	struct pollfd p = {.fd = (int)udp_handle(u, family).value, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1;
}

/* Receives exactly n datagrams, in as many calls as that takes. */
static void receive(struct fixture *f, enum udp_family family, size_t n)
{
	size_t got = 0;

	while (got < n) {
		int r;

		assert_true(readable(f->u, family, 2000));
		r = udp_recv(f->u, family, f->b, f->in + got, n - got);
		assert_in_range(r, 1, BATCH);
		got += (size_t)r;
	}
	assert_int_equal(udp_recv(f->u, family, f->b, f->in + 15, 1), 0);
}

static void datagrams_pass_in_both_families(void **state)
{
	struct fixture *f = *state;

	if (!has(f, UDP_V4) || !has(f, UDP_V6)) {
		print_message("this host lacks one of the families\n");
		skip();
	}
	assert_int_not_equal(udp_port(f->u, UDP_V4), 0);
	assert_int_equal(udp_port(f->u, UDP_V4), udp_port(f->u, UDP_V6));
	for (int i = UDP_V4; i < UDP_FAMILIES; i++) {
		enum udp_family family = (enum udp_family)i;
		struct endpoint me = loopback(family, udp_port(f->u, family));
		struct udp_packet_out out = {(const uint8_t *)"hello", 5, me, any};
		struct udp_sent sent = {0};

		assert_int_equal(udp_send(f->u, f->b, &out, 1, &sent), 1);
		assert_int_equal(sent.sent, 1);
		receive(f, family, 1);
		assert_int_equal(f->in[0].len, 5);
		assert_memory_equal(f->in[0].data, "hello", 5);
		assert_true(endpoint_equal(&f->in[0].from, &me));
		assert_true(endpoint_equal(&f->in[0].local, &me));
		assert_false(f->in[0].truncated);
	}
}

static void nothing_there_is_no_error(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(udp_recv(f->u, UDP_V4, f->b, f->in, 1), 0);
	assert_int_equal(udp_recv(f->u, UDP_V6, f->b, f->in, 1), 0);
	assert_int_equal(udp_send(f->u, f->b, NULL, 0, NULL), 0);
}

/* The whole of 127/8 is ours: an answer can leave from any address of it. */
static void an_answer_leaves_from_where_it_was_asked(void **state)
{
	struct fixture *f = *state;
	struct endpoint to = parsed("127.0.0.3:1"), from = parsed("127.0.0.2:1");
	struct udp_packet_out out = {(const uint8_t *)"x", 1, to, from};
	struct udp_sent sent = {0};

	out.to.port = udp_port(f->u, UDP_V4);
	assert_int_equal(udp_send(f->u, f->b, &out, 1, &sent), 1);
	receive(f, UDP_V4, 1);
	assert_true(endpoint_same_ip(&f->in[0].from, &from));
	assert_int_equal(f->in[0].from.port, udp_port(f->u, UDP_V4));
	assert_true(endpoint_same_ip(&f->in[0].local, &to));
}

static void a_lost_source_address_is_left_away(void **state)
{
	struct fixture *f = *state;
	struct endpoint me = loopback(UDP_V4, udp_port(f->u, UDP_V4));
	struct udp_packet_out out[3] = {
		{(const uint8_t *)"1", 1, me, any},
		{(const uint8_t *)"2", 1, me, parsed("198.51.100.77:1")}, /* not ours */
		{(const uint8_t *)"3", 1, me, parsed("[::1]:1")},	  /* of the other family */
	};
	struct udp_sent sent = {0};

	assert_int_equal(udp_send(f->u, f->b, out, 3, &sent), 3);
	assert_int_equal(sent.sent, 3);
	receive(f, UDP_V4, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(f->in[i].data[0], '1' + i);
		assert_true(endpoint_equal(&f->in[i].from, &me));
	}
	if (has(f, UDP_V6)) {
		out[1].to = loopback(UDP_V6, udp_port(f->u, UDP_V6));
		out[1].local = parsed("[2001:db8::77]:1");
		assert_int_equal(udp_send(f->u, f->b, out + 1, 1, &sent), 1);
		assert_int_equal(sent.sent, 4);
		receive(f, UDP_V6, 1);
		assert_true(endpoint_same_ip(&f->in[0].from, &out[1].to));
	}
}

/* More than the batch holds, the families mixed, one impossible packet in the middle. */
static void order_is_kept_and_each_is_counted_once(void **state)
{
	struct fixture *f = *state;
	struct udp_packet_out out[13];
	struct udp_sent sent = {0};
	uint8_t numbers[13];
	size_t v4 = 0, v6 = 0;

	for (uint8_t i = 0; i < 13; i++) {
		enum udp_family family = i >= 8 && i % 2 && has(f, UDP_V6) ? UDP_V6 : UDP_V4;

		numbers[i] = i;
		out[i] = (struct udp_packet_out){
			&numbers[i], 1, loopback(family, udp_port(f->u, family)), any};
		*(family == UDP_V4 ? &v4 : &v6) += 1;
	}
	out[2].to.port = 0;
	out[6].to = parsed("255.255.255.255:9"); /* EACCES without SO_BROADCAST */
	assert_int_equal(udp_send(f->u, f->b, out, 13, &sent), 13);
	assert_int_equal(sent.sent, 11);
	assert_int_equal(sent.refused, 2);
	assert_int_equal(sent.too_large, 0);
	receive(f, UDP_V4, v4 - 2);
	for (size_t i = 1; i < v4 - 2; i++)
		assert_true(f->in[i - 1].data[0] < f->in[i].data[0]);
	if (v6)
		receive(f, UDP_V6, v6);
	for (size_t i = 1; i < v6; i++)
		assert_true(f->in[i - 1].data[0] < f->in[i].data[0]);
}

static void what_is_cut_is_marked(void **state)
{
	struct fixture *f = *state;
	struct endpoint me = loopback(UDP_V4, udp_port(f->u, UDP_V4));
	static const uint8_t data[65] = {1, 2, 3};
	struct udp_packet_out out[3] = {
		{data, 65, me, any}, {data, 64, me, any}, {data, 0, me, any}};
	struct udp_sent sent = {0};

	assert_int_equal(udp_send(f->u, f->b, out, 3, &sent), 3);
	receive(f, UDP_V4, 3);
	assert_true(f->in[0].truncated);
	assert_int_equal(f->in[0].len, 64);
	assert_false(f->in[1].truncated);
	assert_int_equal(f->in[1].len, 64);
	assert_memory_equal(f->in[1].data, data, 64);
	assert_false(f->in[2].truncated);
	assert_int_equal(f->in[2].len, 0);
}

static void what_is_too_large_is_counted(void **state)
{
	struct fixture *f = *state;
	struct endpoint me = loopback(UDP_V4, udp_port(f->u, UDP_V4));
	uint8_t *data = calloc(1, 70000);
	struct udp_packet_out out[2] = {{data, 70000, me, any}, {data, 1, me, any}};
	struct udp_sent sent = {0};

	assert_int_equal(udp_send(f->u, f->b, out, 2, &sent), 2);
	assert_int_equal(sent.too_large, 1);
	assert_int_equal(sent.sent, 1);
	receive(f, UDP_V4, 1);
	free(data);
}

/* Loopback tells a sender at once that nobody listens; neither direction may trip over it. */
static void a_closed_port_is_no_error(void **state)
{
	struct fixture *f = *state;
	struct udp_sent sent = {0};
	struct udp *gone;
	struct udp_packet_out out = {(const uint8_t *)"x", 1, any, any};

	assert_int_equal(udp_open(&gone, &any, FEATURE_GSO, &f->err), 0);
	out.to = loopback(UDP_V4, udp_port(gone, UDP_V4));
	udp_close(gone);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(udp_send(f->u, f->b, &out, 1, &sent), 1);
		assert_int_equal(udp_recv(f->u, UDP_V4, f->b, f->in, 1), 0);
	}
	assert_int_equal(sent.sent, 3);
}

static void a_port_in_use_is_not_shared(void **state)
{
	struct fixture *f = *state;
	struct endpoint at = {.port = udp_port(f->u, UDP_V4)};
	char expected[128];
	struct udp *second = NULL;
	int status;
	pid_t child;

	snprintf(expected, sizeof(expected),
		"UDP port %u is in use by another program; stop that one or choose another port",
		at.port);
	assert_int_equal(udp_open(&second, &at, FEATURE_GSO, &f->err), N2N_EEXIST);
	assert_int_equal(f->err.code, N2N_EEXIST);
	assert_string_equal(f->err.text, expected);
	assert_int_equal(f->err.setting, SETTING_PORT);
	assert_null(second);

	child = fork();
	if (child == 0)
		_exit(udp_open(&second, &at, FEATURE_GSO, &f->err) == N2N_EEXIST ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Datagrams from many senders are spread over both pairs, and none is lost. */
static void joined_sockets_share_the_senders(void **state)
{
	struct fixture *f = *state;
	struct udp *more, *first = f->u;
	struct udp_packet_out out = {(const uint8_t *)"x", 1, any, any};
	struct udp_sent sent = {0};
	int at_first = 0, at_more = 0;

	assert_int_equal(udp_join(&more, f->u, &f->err), 0);
	assert_int_equal(udp_port(more, UDP_V4), udp_port(first, UDP_V4));
	assert_int_equal(udp_port(more, UDP_V6), udp_port(first, UDP_V6));
	out.to = loopback(UDP_V4, udp_port(first, UDP_V4));
	for (int i = 0; i < 64; i++) {
		struct udp *sender;

		assert_int_equal(udp_open(&sender, &any, FEATURE_GSO, &f->err), 0);
		assert_int_equal(udp_send(sender, f->b, &out, 1, &sent), 1);
		udp_close(sender);
	}
	while (readable(first, UDP_V4, 0))
		at_first += udp_recv(first, UDP_V4, f->b, f->in, 16);
	while (readable(more, UDP_V4, 0))
		at_more += udp_recv(more, UDP_V4, f->b, f->in, 16);
	assert_int_equal(at_first + at_more, 64);
	assert_int_not_equal(at_first, 0);
	assert_int_not_equal(at_more, 0);
	udp_close(more);
}

static void one_address_means_one_family(void **state)
{
	struct fixture *f = *state;
	struct endpoint at = loopback(UDP_V4, 0);
	struct udp *u;

	assert_int_equal(udp_open(&u, &at, FEATURE_GSO, &f->err), 0);
	assert_true(!os_handle_is_none(udp_handle(u, UDP_V4)));
	assert_true(os_handle_is_none(udp_handle(u, UDP_V6)));
	assert_int_equal(udp_port(u, UDP_V6), 0);
	udp_close(u);

	if (has(f, UDP_V6)) {
		struct udp_packet_out out = {(const uint8_t *)"x", 1, loopback(UDP_V4, 9), any};
		struct udp_sent sent = {0};

		at = loopback(UDP_V6, 0);
		assert_int_equal(udp_open(&u, &at, FEATURE_GSO, &f->err), 0);
		assert_true(os_handle_is_none(udp_handle(u, UDP_V4)));
		assert_int_equal(udp_send(u, f->b, &out, 1, &sent), 1);
		assert_int_equal(sent.refused, 1);
		udp_close(u);
	}
	at = parsed("0.0.0.0:0"); /* the same as none: both families */
	assert_int_equal(udp_open(&u, &at, FEATURE_GSO, &f->err), 0);
	for (int i = UDP_V4; i < UDP_FAMILIES; i++)
		assert_int_equal(!os_handle_is_none(udp_handle(u, (enum udp_family)i)),
			has(f, (enum udp_family)i));
	udp_close(u);
	at = parsed("198.51.100.77:0");
	assert_int_equal(udp_open(&u, &at, FEATURE_GSO, &f->err), N2N_ENOENT);
	assert_string_equal(f->err.text,
		"cannot open a UDP port at 198.51.100.77: this host has no such address; choose "
		"one that \"ip address\" shows");
}

static void a_low_port_is_denied(void **state)
{
	struct fixture *f = *state;
	struct endpoint at = {.port = 1};
	int status;
	pid_t child;

	child = fork();
	if (child == 0) {
		struct udp *u;

		if (geteuid() == 0 && setuid(65534))
			_exit(2);
		_exit(udp_open(&u, &at, FEATURE_GSO, &f->err) == N2N_EPERM &&
					strstr(f->err.text, "not allowed to open UDP port 1;") !=
						NULL
				? 0
				: 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Runs test in a child process, because what it does to the process cannot be undone. */
static void in_child(int (*test)(unsigned arg), unsigned arg)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(test(arg));
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("needs root, network namespaces and seccomp\n");
		skip();
	}
	assert_int_equal(status, 0);
}

/* Sends n packets of len bytes over a slow interface with an MTU of 1500; 0 or 77. */
static int send_slowly(size_t n, size_t len, size_t *done, struct udp_sent *sent)
{
	static const uint8_t data[2000];
	struct udp_packet_out out[32];
	struct os_error err;
	struct udp *u;
	struct udp_batch *b;
	int least = 1;

	if (unshare(CLONE_NEWNET) ||
		system("ip link add v0 type veth peer name v1 && ip link set v0 up && "
		       "ip link set v1 up && ip address add 10.1.2.1/24 dev v0 && "
		       "ip neighbour add 10.1.2.2 lladdr 02:00:00:00:00:02 dev v0 && "
		       "tc qdisc add dev v0 root tbf rate 8kbit burst 1600 latency 60s"))
		return 77;
	if (udp_open(&u, &any, FEATURE_GSO, &err) || udp_batch_create(&b, BATCH) ||
		setsockopt((int)udp_handle(u, UDP_V4).value, SOL_SOCKET, SO_SNDBUF, &least,
			sizeof(least)))
		return 1;
	for (size_t i = 0; i < n; i++)
		out[i] = (struct udp_packet_out){data, len, parsed("10.1.2.2:9"), any};
	*done = udp_send(u, b, out, n, sent);
	udp_close(u);
	udp_batch_destroy(b);
	return 0;
}

static int fill_buffer(unsigned unused)
{
	struct udp_sent sent = {0};
	size_t done;
	int rc = send_slowly(32, 1000, &done, &sent);

	(void)unused;
	if (rc)
		return rc;
	if (done == 0 || done == 32)
		return 2;
	return sent.sent == done && sent.refused + sent.too_large == 0 ? 0 : 3;
}

/* A full send buffer stops the call at the first packet that found no room. */
static void a_full_buffer_is_told(void **state)
{
	(void)state;
	in_child(fill_buffer, 0);
}

static int send_one(unsigned len)
{
	struct udp_sent sent = {0};
	size_t done;
	int rc = send_slowly(1, len, &done, &sent);

	if (rc)
		return rc;
	return done == 1 && sent.sent == (len <= 1472) && sent.too_large == (len > 1472) ? 0 : 2;
}

/* Nothing is fragmented. */
static void the_limit_of_the_interface_counts(void **state)
{
	(void)state;
	in_child(send_one, 1472);
	in_child(send_one, 1473);
}

/* Lets socket() fail for one address family as it does on a host without it. */
static int remove_family(unsigned family)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, family, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int open_without(unsigned missing)
{
	enum udp_family lacks = missing == AF_INET ? UDP_V4 : UDP_V6;
	enum udp_family has = missing == AF_INET ? UDP_V6 : UDP_V4;
	struct os_error err;
	struct udp *u, *more;

	if (remove_family(missing))
		return 77;
	if (udp_open(&u, &any, FEATURE_GSO, &err) || !os_handle_is_none(udp_handle(u, lacks)) ||
		os_handle_is_none(udp_handle(u, has)) || udp_port(u, lacks) != 0 ||
		udp_port(u, has) == 0)
		return 1;
	if (udp_join(&more, u, &err) || !os_handle_is_none(udp_handle(more, lacks)) ||
		os_handle_is_none(udp_handle(more, has)))
		return 2;
	udp_close(more);
	udp_close(u);
	return 0;
}

static int open_without_both(unsigned missing)
{
	struct os_error err;
	struct udp *u;

	if (remove_family(missing) || remove_family(AF_INET))
		return 77;
	return udp_open(&u, &any, FEATURE_GSO, &err) == N2N_ENOSYS ? 0 : 1;
}

static void a_missing_family_is_done_without(void **state)
{
	struct fixture *f = *state;

	if (!has(f, UDP_V4) || !has(f, UDP_V6)) {
		print_message("this host lacks one of the families\n");
		skip();
	}
	in_child(open_without, AF_INET6);
	in_child(open_without, AF_INET);
	in_child(open_without_both, AF_INET6);
}

static void destroying_nothing_is_fine(void **state)
{
	(void)state;
	udp_close(NULL);
	udp_batch_destroy(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(datagrams_pass_in_both_families),
		TEST(nothing_there_is_no_error),
		TEST(an_answer_leaves_from_where_it_was_asked),
		TEST(a_lost_source_address_is_left_away),
		TEST(order_is_kept_and_each_is_counted_once),
		TEST(what_is_cut_is_marked),
		TEST(what_is_too_large_is_counted),
		TEST(a_closed_port_is_no_error),
		TEST(a_port_in_use_is_not_shared),
		TEST(joined_sockets_share_the_senders),
		TEST(one_address_means_one_family),
		TEST(a_low_port_is_denied),
		cmocka_unit_test(a_full_buffer_is_told),
		cmocka_unit_test(the_limit_of_the_interface_counts),
		TEST(a_missing_family_is_done_without),
		cmocka_unit_test(destroying_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
