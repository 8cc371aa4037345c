/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests the wait set of a worker, and threads with it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "os/poll.h"
#include "os/sys.h"
#include "os/thread.h"

#include <cmocka.h>

#define CAP 4

struct pipes {
	struct poll *p;
	int fd[CAP][2];
};

static int setup(void **state)
{
	static struct pipes s;

	*state = &s;
	if (poll_create(&s.p))
		return -1;
	for (unsigned i = 0; i < CAP; i++)
		if (pipe2(s.fd[i], O_CLOEXEC) || poll_add(s.p, s.fd[i][0], 10 + i))
			return -1;
	return 0;
}

static int teardown(void **state)
{
	struct pipes *s = *state;

	poll_destroy(s->p);
	for (unsigned i = 0; i < CAP; i++) {
		close(s->fd[i][0]);
		close(s->fd[i][1]);
	}
	return 0;
}

static void fill(const struct pipes *s, unsigned i)
{
	assert_int_equal(write(s->fd[i][1], "x", 1), 1);
}

static void drain(const struct pipes *s, unsigned i)
{
	char c;

	assert_int_equal(read(s->fd[i][0], &c, 1), 1);
}

static void test_readiness(void **state)
{
	struct pipes *s = *state;
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

static void test_hang_up(void **state)
{
	struct pipes *s = *state;
	unsigned tags[CAP];

	close(s->fd[1][1]);
	assert_int_equal(poll_wait(s->p, -1, tags, CAP), 1);
	assert_int_equal(tags[0], 11);
	close(s->fd[1][0]);
	assert_int_equal(poll_wait(s->p, 0, tags, CAP), 0);
	assert_int_equal(pipe2(s->fd[1], O_CLOEXEC), 0);
}

static void test_wrong_descriptors(void **state)
{
	struct pipes *s = *state;
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_int_equal(poll_add(s->p, s->fd[0][0], 1), N2N_EEXIST);
	assert_int_equal(poll_add(s->p, -1, 1), N2N_EINVAL);
	assert_int_equal(poll_add(s->p, file, 1), N2N_EINVAL);
	close(file);
	poll_destroy(NULL);
}

static void test_timeout(void **state)
{
	struct pipes *s = *state;
	unsigned tags[CAP];
	uint64_t before = sys_now_ms();

	assert_int_equal(poll_wait(s->p, 30, tags, CAP), 0);
	assert_in_range(sys_now_ms() - before, 29, 2000);
}

static void test_early_wake(void **state)
{
	struct pipes *s = *state;
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

static void test_wake_from_a_thread(void **state)
{
	struct pipes *s = *state;
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
		TEST(test_readiness),
		TEST(test_hang_up),
		TEST(test_wrong_descriptors),
		TEST(test_timeout),
		TEST(test_early_wake),
		TEST(test_wake_from_a_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
