/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests the wait set of a worker, and threads with it. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "os/poll.h"
#include "os/sys.h"
#include "os/thread.h"

#include <cmocka.h>

#define CAP 4

/* What is waited for: datagrams from one socket to each of CAP others. */
struct sockets {
	struct poll *p;
	struct udp *from;
	struct udp *to[CAP];
	struct udp_batch *batch;
};

static struct udp *open_socket(void)
{
	const struct endpoint loopback = endpoint_v4(0x7f000001, 0);
	struct os_error err;
	struct udp *u;

	return udp_open(&u, &loopback, 0, &err) ? NULL : u;
}

static int setup(void **state)
{
	static struct sockets s;

	*state = &s;
	s.from = open_socket();
	if (!s.from || udp_batch_create(&s.batch, 1) || poll_create(&s.p))
		return -1;
	for (unsigned i = 0; i < CAP; i++) {
		s.to[i] = open_socket();
		if (s.to[i] == NULL || poll_add_udp(s.p, s.to[i], UDP_V4, 10 + i))
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	struct sockets *s = *state;

	poll_destroy(s->p);
	udp_batch_destroy(s->batch);
	udp_close(s->from);
	for (unsigned i = 0; i < CAP; i++)
		udp_close(s->to[i]);
	return 0;
}

static void fill(const struct sockets *s, unsigned i)
{
	const struct udp_packet_out out = {.data = (const uint8_t *)"x",
		.len = 1,
		.to = endpoint_v4(0x7f000001, udp_port(s->to[i], UDP_V4))};
	struct udp_sent count = {0};

	assert_int_equal(udp_send(s->from, s->batch, &out, 1, &count), 1);
	assert_int_equal(count.sent, 1);
}

static void drain(const struct sockets *s, unsigned i)
{
	uint8_t byte;
	struct udp_packet in = {.data = &byte, .cap = 1};

	assert_int_equal(udp_recv(s->to[i], UDP_V4, s->batch, &in, 1), 1);
}

static void readiness_lasts_until_it_is_read(void **state)
{
	struct sockets *s = *state;
	unsigned tags[CAP];

	assert_int_equal(poll_wait(s->p, 0, tags, CAP), 0);
	fill(s, 2);
	assert_int_equal(poll_wait(s->p, -1, tags, CAP), 1);
	assert_int_equal(tags[0], 12);
	assert_int_equal(poll_wait(s->p, -1, tags, CAP), 1); /* not read yet */
	drain(s, 2);
	assert_int_equal(poll_wait(s->p, 0, tags, CAP), 0);

	fill(s, 0);
	fill(s, 3);
	assert_int_equal(poll_wait(s->p, -1, tags, CAP), 2);
	assert_int_equal(tags[0] + tags[1], 10 + 13);
	assert_int_equal(poll_wait(s->p, -1, tags, 1), 1);
}

static void what_is_closed_is_no_longer_waited_for(void **state)
{
	struct sockets *s = *state;
	unsigned tags[CAP];

	fill(s, 1);
	assert_int_equal(poll_wait(s->p, -1, tags, CAP), 1);
	assert_int_equal(tags[0], 11);
	udp_close(s->to[1]);
	s->to[1] = NULL;
	assert_int_equal(poll_wait(s->p, 0, tags, CAP), 0);
}

static void a_socket_is_added_once(void **state)
{
	struct sockets *s = *state;

	assert_int_equal(poll_add_udp(s->p, s->to[0], UDP_V4, 1), N2N_EEXIST);
	assert_int_equal(poll_add_udp(s->p, s->to[0], UDP_V6, 1), N2N_ENOENT);
	poll_destroy(NULL);
}

static void a_wait_ends_in_time(void **state)
{
	struct sockets *s = *state;
	unsigned tags[CAP];
	uint64_t before = sys_now_ms();

	assert_int_equal(poll_wait(s->p, 30, tags, CAP), 0);
	assert_in_range(sys_now_ms() - before, 29, 2000);
}

static void a_wake_up_before_the_wait_ends_it(void **state)
{
	struct sockets *s = *state;
	unsigned tags[CAP];

	for (int i = 0; i < 3; i++)
		poll_wake(s->p);
	assert_int_equal(poll_wait(s->p, -1, tags, CAP), 0);
	assert_int_equal(poll_wait(s->p, 0, tags, CAP), 0);

	/* A wake-up does not hide what is ready, however little room there is. */
	fill(s, 1);
	poll_wake(s->p);
	assert_int_equal(poll_wait(s->p, -1, tags, 1), 1);
	assert_int_equal(tags[0], 11);
}

struct sleeper {
	struct poll *p;
	char name[16];
	sigset_t blocked;
	int result;
};

static void sleep_until_woken(void *ctx)
{
	struct sleeper *s = ctx;
	unsigned tags[CAP];

	pthread_getname_np(pthread_self(), s->name, sizeof(s->name));
	pthread_sigmask(SIG_SETMASK, NULL, &s->blocked);
	s->result = poll_wait(s->p, 60000, tags, CAP);
}

static void a_thread_is_woken_by_another(void **state)
{
	struct sockets *s = *state;
	struct sleeper sleeper = {.p = s->p, .result = -1};
	struct thread *t;
	sigset_t mine;
	uint64_t before = sys_now_ms();

	assert_int_equal(
		thread_start(&t, "a-name-that-is-too-long", sleep_until_woken, &sleeper), 0);
	poll_wake(s->p);
	thread_join(t);
	assert_int_equal(sleeper.result, 0);
	assert_true(sys_now_ms() - before < 30000);
	assert_string_equal(sleeper.name, "a-name-that-is-");
	assert_true(sigismember(&sleeper.blocked, SIGTERM));
	pthread_sigmask(SIG_SETMASK, NULL, &mine);
	assert_false(sigismember(&mine, SIGTERM));
	thread_join(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(readiness_lasts_until_it_is_read),
		TEST(what_is_closed_is_no_longer_waited_for),
		TEST(a_socket_is_added_once),
		TEST(a_wait_ends_in_time),
		TEST(a_wake_up_before_the_wait_ends_it),
		TEST(a_thread_is_woken_by_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
