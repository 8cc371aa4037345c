/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests trains of datagrams: over loopback, between namespaces, refused, and without room. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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

#include "feature_sets.h"
#include "os/udp.h"

#include <cmocka.h>

#define WIDE	 128
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

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

static bool readable(const struct udp *u, enum udp_family family, int timeout_ms)
{
	struct pollfd p = {.fd = (int)udp_handle(u, family).value, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1;
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

/* What a message that was received holds: len bytes in datagrams of segment_size. */
struct shape {
	size_t len, segment_size;
};

/* A sender and a receiver of both families, and room for trains. */
struct line {
	struct udp *from, *to;
	struct udp_batch *b;
	struct udp_packet_out out[WIDE];
	struct udp_packet in[WIDE];
	uint8_t *data, *room;
};

static void line_open(struct line *l, unsigned use_from, unsigned use_to)
{
	struct os_error err;

	assert_int_equal(udp_open(&l->from, &any, use_from, &err), 0);
	assert_int_equal(udp_open(&l->to, &any, use_to, &err), 0);
	assert_int_equal(udp_batch_create(&l->b, WIDE), 0);
	l->data = malloc(1 << 20);
	l->room = malloc((size_t)WIDE * UDP_TRAIN_MAX);
	for (size_t i = 0; i < 1 << 20; i++)
		l->data[i] = (uint8_t)(i * 31 >> 3);
	for (size_t i = 0; i < WIDE; i++)
		l->in[i] = (struct udp_packet){
			.data = l->room + i * UDP_TRAIN_MAX, .cap = UDP_TRAIN_MAX};
}

static void line_close(struct line *l)
{
	udp_close(l->from);
	udp_close(l->to);
	udp_batch_destroy(l->b);
	free(l->data);
	free(l->room);
}

/* Lays n packets with the given lengths into the data, gap bytes apart. */
static void lay_out(struct line *l, const size_t *lens, size_t n, size_t gap)
{
	size_t at = 0;

	assert_true(n <= WIDE);
	for (size_t i = 0; i < n; i++) {
		l->out[i] = (struct udp_packet_out){
			l->data + at, lens[i], loopback(UDP_V4, udp_port(l->to, UDP_V4)), any};
		at += lens[i] + gap;
	}
}

static void send_all(struct line *l, size_t n)
{
	struct udp_sent sent = {0};

	assert_int_equal(udp_send(l->from, l->b, l->out, n, &sent), n);
	assert_int_equal(sent.sent, n);
	assert_int_equal(sent.too_large + sent.refused, 0);
}

/* Receives what is there; returns the number of messages. */
static size_t receive_all(struct line *l, enum udp_family family)
{
	size_t got = 0;

	while (got < WIDE && readable(l->to, family, 50)) {
		int r = udp_recv(l->to, family, l->b, l->in + got, WIDE - got);

		assert_true(r > 0);
		got += (size_t)r;
	}
	for (size_t i = 0; i < got; i++)
		assert_false(l->in[i].truncated);
	return got;
}

/* The datagrams in n messages are the first packets of l->out, in order; returns their number. */
static size_t check_datagrams(const struct line *l, size_t n)
{
	const struct udp_packet_out *p = l->out;

	for (size_t i = 0; i < n; i++) {
		const struct udp_packet *m = &l->in[i];
		size_t at = 0;

		do {
			size_t left = m->len - at;

			assert_int_equal(p->len, left < m->segment_size ? left : m->segment_size);
			assert_memory_equal(p->data, m->data + at, p->len);
			at += p++->len;
		} while (at < m->len);
	}
	return (size_t)(p - l->out);
}

/* Sends packets of these lengths; they arrive as the messages expected. */
static void check_shapes(
	const size_t *lens, size_t n, const struct shape *expected, size_t n_expected)
{
	for (size_t gap = 0; gap < 40; gap += 39) {
		struct line l;

		line_open(&l, FEATURES_OF_UDP, FEATURES_OF_UDP);
		lay_out(&l, lens, n, gap);
		send_all(&l, n);
		assert_int_equal(receive_all(&l, UDP_V4), n_expected);
		for (size_t i = 0; i < n_expected; i++) {
			assert_int_equal(l.in[i].len, expected[i].len);
			assert_int_equal(l.in[i].segment_size, expected[i].segment_size);
		}
		assert_int_equal(check_datagrams(&l, n_expected), n);
		line_close(&l);
	}
}

/* Skips where the system has no trains to test. */
static void need_trains(void)
{
	struct os_error err;
	struct udp *u;
	unsigned uses;

	assert_int_equal(udp_open(&u, &any, FEATURES_OF_UDP, &err), 0);
	uses = udp_uses(u);
	udp_close(u);
	if (uses != FEATURES_OF_UDP) {
		print_message("this system lacks UDP_SEGMENT or UDP_GRO\n");
		skip();
	}
}

static void what_is_used_is_what_was_asked_for(void **state)
{
	(void)state;
	need_trains();
	for (unsigned use = 0; use <= FEATURES_OF_UDP; use = next_set(use, FEATURES_OF_UDP)) {
		struct os_error err;
		struct udp *u, *more;

		assert_int_equal(udp_open(&u, &any, use, &err), 0);
		assert_int_equal(udp_uses(u), use);
		assert_int_equal(udp_join(&more, u, &err), 0);
		assert_int_equal(udp_uses(more), use);
		udp_close(more);
		udp_close(u);
	}
}

static void trains_of_each_shape_arrive(void **state)
{
	static const size_t shorter_last[] = {1000, 1000, 500, 1000, 200, 200, 200};
	static const struct shape ends[] = {{2500, 1000}, {1200, 1000}, {400, 200}};
	static const size_t growing[] = {100, 200, 200, 300};
	static const struct shape grown[] = {{100, 100}, {400, 200}, {300, 300}};
	static const size_t empty[] = {100, 100, 0, 0, 100, 1, 0};
	static const struct shape apart[] = {{200, 100}, {0, 0}, {0, 0}, {101, 100}, {0, 0}};

	(void)state;
	need_trains();
	check_shapes(shorter_last, COUNT(shorter_last), ends, COUNT(ends));
	check_shapes(growing, COUNT(growing), grown, COUNT(grown));
	check_shapes(empty, COUNT(empty), apart, COUNT(apart));
}

static void trains_keep_to_their_limits(void **state)
{
	static const struct shape full[] = {{64000, 1000}};
	static const struct shape too_many[] = {{64000, 1000}, {1000, 1000}};
	static const struct shape largest[] = {{65473, 1416}};
	static const struct shape too_long[] = {{65136, 1416}, {338, 338}};
	size_t lens[65];

	(void)state;
	need_trains();
	for (size_t i = 0; i < 65; i++)
		lens[i] = 1000;
	check_shapes(lens, 64, full, COUNT(full));
	check_shapes(lens, 65, too_many, COUNT(too_many));

	for (size_t i = 0; i < 46; i++)
		lens[i] = 1416;
	lens[46] = 337;
	check_shapes(lens, 47, largest, COUNT(largest));
	lens[46] = 338;
	check_shapes(lens, 47, too_long, COUNT(too_long));
}

/* The same datagrams arrive, whatever the two sides use. */
static void each_side_may_do_without(void **state)
{
	size_t lens[WIDE];

	(void)state;
	need_trains();
	for (size_t i = 0; i < WIDE; i++)
		lens[i] = i % 50 == 49 ? 17 : 1416;
	for (unsigned uses = 0; uses < 4; uses++) {
		struct line l;
		size_t messages;

		line_open(&l, uses & 1 ? FEATURE_GSO : 0, uses & 2 ? FEATURE_GRO : 0);
		lay_out(&l, lens, WIDE, 26);
		send_all(&l, WIDE);
		messages = receive_all(&l, UDP_V4);
		assert_int_equal(messages, uses == 3 ? 5 : WIDE);
		assert_int_equal(check_datagrams(&l, messages), WIDE);
		line_close(&l);
	}
}

/* Trains of several ways stay apart, and each keeps its source address. */
static void each_way_has_its_own_train(void **state)
{
	static const size_t lens[] = {9, 9, 9, 9, 9, 9, 9};
	struct endpoint one = parsed("127.0.0.2:1"), two = parsed("127.0.0.3:1");
	struct line l;

	(void)state;
	need_trains();
	line_open(&l, FEATURES_OF_UDP, FEATURES_OF_UDP);
	lay_out(&l, lens, 7, 0);
	l.out[0].local = l.out[1].local = one;
	l.out[2].local = l.out[3].local = two;
	memcpy(l.out[5].to.ip, one.ip, sizeof(one.ip));
	memcpy(l.out[6].to.ip, one.ip, sizeof(one.ip));
	send_all(&l, 7);
	assert_int_equal(receive_all(&l, UDP_V4), 4);
	assert_int_equal(check_datagrams(&l, 4), 7);
	assert_int_equal(l.in[0].len, 18);
	assert_true(endpoint_same_ip(&l.in[0].from, &one));
	assert_int_equal(l.in[1].len, 18);
	assert_true(endpoint_same_ip(&l.in[1].from, &two));
	assert_int_equal(l.in[2].len, 9);
	assert_int_equal(l.in[3].len, 18);
	assert_true(endpoint_same_ip(&l.in[3].local, &one));
	line_close(&l);
}

static void families_do_not_mix_in_a_train(void **state)
{
	size_t lens[60];
	struct line l;

	(void)state;
	need_trains();
	line_open(&l, FEATURES_OF_UDP, FEATURES_OF_UDP);
	if (os_handle_is_none(udp_handle(l.to, UDP_V6))) {
		line_close(&l);
		print_message("this host has no IPv6\n");
		skip();
	}
	for (size_t i = 0; i < 60; i++)
		lens[i] = 100;
	lay_out(&l, lens, 60, 3);
	for (size_t i = 20; i < 40; i++)
		l.out[i].to = l.out[i].local = loopback(UDP_V6, udp_port(l.to, UDP_V6));
	send_all(&l, 60);
	assert_int_equal(receive_all(&l, UDP_V6), 1);
	assert_int_equal(l.in[0].len, 2000);
	assert_int_equal(l.in[0].segment_size, 100);
	assert_true(endpoint_same_ip(&l.in[0].from, &l.out[20].to));
	memmove(l.out + 20, l.out + 40, 20 * sizeof(l.out[0]));
	assert_int_equal(receive_all(&l, UDP_V4), 2);
	assert_int_equal(check_datagrams(&l, 2), 40);
	line_close(&l);
}

static void a_train_survives_a_lost_source_address(void **state)
{
	static const size_t lens[] = {5, 5, 5};
	struct line l;

	(void)state;
	need_trains();
	line_open(&l, FEATURES_OF_UDP, FEATURES_OF_UDP);
	lay_out(&l, lens, 3, 0);
	for (size_t i = 0; i < 3; i++)
		l.out[i].local = parsed("198.51.100.77:1");
	send_all(&l, 3);
	assert_int_equal(receive_all(&l, UDP_V4), 1);
	assert_int_equal(check_datagrams(&l, 1), 3);
	assert_int_equal(udp_uses(l.from), FEATURES_OF_UDP);
	line_close(&l);
}

/* The system takes up to a second to see that a link is up, and drops what is sent before. */
#define UNTIL_UP(link)                                                                             \
	"for i in $(seq 500); do ip link show " link                                               \
	" | grep -q 'state UP' && exit 0; sleep 0.01; done; exit 1"

/* Two network namespaces with a veth between them: l->from is in one, l->to in the other. */
static bool line_between_namespaces(struct line *l, const char *setup)
{
	char command[512];
	int here, there;

	if (unshare(CLONE_NEWNET) || (there = open("/proc/self/ns/net", O_RDONLY)) < 0 ||
		unshare(CLONE_NEWNET) || (here = open("/proc/self/ns/net", O_RDONLY)) < 0)
		return false;
	snprintf(command, sizeof(command),
		"ip link add v0 type veth peer name v1 netns /proc/%d/fd/%d && "
		"ip link set v0 up && ip address add 10.1.2.1/24 dev v0 && %s",
		(int)getpid(), there, setup);
	if (system(command))
		return false;
	line_open(l, FEATURES_OF_UDP, 0);
	udp_close(l->to);
	if (setns(there, CLONE_NEWNET) ||
		system("ip link set v1 up && ip address add 10.1.2.2/24 dev v1") ||
		system(UNTIL_UP("v1")) ||
		udp_open(&l->to, &any, FEATURES_OF_UDP, &(struct os_error){0}) ||
		setns(here, CLONE_NEWNET) || system(UNTIL_UP("v0")))
		return false;
	return true;
}

static void lay_out_between(struct line *l, const size_t *lens, size_t n)
{
	lay_out(l, lens, n, 10);
	for (size_t i = 0; i < n; i++) {
		l->out[i].to = parsed("10.1.2.2:1");
		l->out[i].to.port = udp_port(l->to, UDP_V4);
	}
}

/* A segment above the limit of the interface is told apart, and trains go on. */
static int too_large_in_trains(unsigned unused)
{
	static const size_t lens[] = {1473, 1473, 1473, 10, 1472, 1472, 700, 1473};
	struct udp_sent sent = {0};
	struct line l;

	(void)unused;
	if (!line_between_namespaces(&l, "true"))
		return 77;
	lay_out_between(&l, lens, 8);
	if (udp_send(l.from, l.b, l.out, 8, &sent) != 8)
		return 1;
	if (sent.sent != 4 || sent.too_large != 4 || sent.refused)
		return 2;
	if (!(udp_uses(l.from) & FEATURE_GSO))
		return 3;
	memmove(l.out, l.out + 3, 4 * sizeof(l.out[0]));
	return check_datagrams(&l, receive_all(&l, UDP_V4)) == 4 ? 0 : 4;
}

/* A way without checksum and segmentation offload: in software, or datagram by datagram. */
static int plain_way(unsigned unused)
{
	size_t lens[45];
	struct line l;

	(void)unused;
	if (!line_between_namespaces(
		    &l, "ethtool -K v0 tx off tx-udp-segmentation off gso off >/dev/null"))
		return 77;
	for (size_t i = 0; i < 45; i++)
		lens[i] = 1416;
	lay_out_between(&l, lens, 45);
	for (int turn = 0; turn < 3; turn++) {
		send_all(&l, 45);
		if (check_datagrams(&l, receive_all(&l, UDP_V4)) != 45)
			return 1;
	}
	return 0;
}

static void a_way_out_without_trains_ends_them(void **state)
{
	(void)state;
	need_trains();
	in_child(too_large_in_trains, 0);
	in_child(plain_way, 0);
}

/* Lets sendmmsg fail for a single message, which in this test a train is. */
static int refuse_trains(unsigned error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmmsg, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {COUNT(code), code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int send_refused(unsigned error)
{
	static const size_t lens[] = {9, 9, 9, 9};
	struct udp_sent sent = {0};
	struct line l;
	bool ends = error == EIO || error == EINVAL;

	line_open(&l, FEATURES_OF_UDP, FEATURES_OF_UDP);
	lay_out(&l, lens, 4, 0);
	if (refuse_trains(error))
		return 77;
	for (int turn = 0; turn < 2; turn++) {
		if (udp_send(l.from, l.b, l.out, 4, &sent) != 4)
			return 1;
		if (udp_uses(l.from) != (ends ? FEATURE_GRO : FEATURES_OF_UDP))
			return 2;
		if (error == EPERM)
			continue;
		if (receive_all(&l, UDP_V4) != 4 || check_datagrams(&l, 4) != 4)
			return 3;
	}
	if (error == EPERM ? sent.refused != 8 : sent.sent != 8)
		return 4;
	line_close(&l);
	return 0;
}

/* A refused train goes by the datagram; GSO ends when it is to blame. */
static void a_refused_train_goes_one_by_one(void **state)
{
	(void)state;
	need_trains();
	in_child(send_refused, EIO);
	in_child(send_refused, EINVAL);
	in_child(send_refused, EMSGSIZE);
	in_child(send_refused, EPERM); /* a firewall: nothing to be gained */
}

/* A train that finds no room is not sent in part. */
static int fill_with_trains(unsigned unused)
{
	struct udp_sent sent = {0};
	size_t lens[WIDE], done;
	int least = 1;
	struct line l;

	(void)unused;
	if (!line_between_namespaces(
		    &l, "tc qdisc add dev v0 root tbf rate 8kbit burst 70000 latency 60s"))
		return 77;
	if (setsockopt((int)udp_handle(l.from, UDP_V4).value, SOL_SOCKET, SO_SNDBUF, &least,
		    sizeof(least)))
		return 1;
	for (size_t i = 0; i < WIDE; i++)
		lens[i] = i % 8 == 7 ? 100 : 1000;
	lay_out_between(&l, lens, WIDE);
	if (!udp_wait_writable(l.from, UDP_V4, 0))
		return 2;
	do {
		struct udp_sent before = sent;

		done = udp_send(l.from, l.b, l.out, WIDE, &sent);
		if (done % 8 || sent.sent - before.sent != done || sent.refused + sent.too_large)
			return 3;
	} while (done == WIDE);
	return udp_wait_writable(l.from, UDP_V4, 20) ? 4 : 0;
}

static void a_full_buffer_stops_between_trains(void **state)
{
	(void)state;
	need_trains();
	in_child(fill_with_trains, 0);
}

/* A shorter buffer cuts a train as it cuts a datagram. */
static void a_train_too_long_is_cut(void **state)
{
	static const size_t lens[] = {100, 100, 100};
	struct line l;

	(void)state;
	need_trains();
	line_open(&l, FEATURES_OF_UDP, FEATURES_OF_UDP);
	lay_out(&l, lens, 3, 0);
	send_all(&l, 3);
	l.in[0].cap = 250;
	assert_true(readable(l.to, UDP_V4, 2000));
	assert_int_equal(udp_recv(l.to, UDP_V4, l.b, l.in, 1), 1);
	assert_true(l.in[0].truncated);
	assert_int_equal(l.in[0].len, 250);
	assert_int_equal(l.in[0].segment_size, 100);
	line_close(&l);
}

static void waiting_to_write_tells_whether_one_may(void **state)
{
	struct endpoint at = loopback(UDP_V4, 0);
	struct os_error err;
	struct udp *u;

	(void)state;
	assert_int_equal(udp_open(&u, &at, 0, &err), 0);
	assert_true(udp_wait_writable(u, UDP_V4, 0));
	assert_false(udp_wait_writable(u, UDP_V6, 0)); /* not available */
	udp_close(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_used_is_what_was_asked_for),
		cmocka_unit_test(trains_of_each_shape_arrive),
		cmocka_unit_test(trains_keep_to_their_limits),
		cmocka_unit_test(each_side_may_do_without),
		cmocka_unit_test(each_way_has_its_own_train),
		cmocka_unit_test(families_do_not_mix_in_a_train),
		cmocka_unit_test(a_train_survives_a_lost_source_address),
		cmocka_unit_test(a_way_out_without_trains_ends_them),
		cmocka_unit_test(a_refused_train_goes_one_by_one),
		cmocka_unit_test(a_full_buffer_stops_between_trains),
		cmocka_unit_test(a_train_too_long_is_cut),
		cmocka_unit_test(waiting_to_write_tells_whether_one_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
