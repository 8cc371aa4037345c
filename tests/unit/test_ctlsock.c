/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests the control socket's client against a server thread. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/ctlsock.h"
#include "os/sys.h"
#include "os/thread.h"

#include <cmocka.h>

/* A server that takes one connection, reads a line, and does what its test wants. */
struct server {
	char dir[40];
	char path[64];
	int listener;
	struct thread *thread;
	void (*answer)(int fd);
	char request[64];
};

static struct os_error err;

static void serve(void *ctx)
{
	struct server *s = ctx;
	size_t len = 0;
	int fd = accept(s->listener, NULL, NULL);

	while (len < sizeof(s->request) - 1 && read(fd, s->request + len, 1) == 1)
		if (s->request[len++] == '\n')
			break;
	s->answer(fd);
	close(fd);
}

#define QUEUED 2 /* what a backlog of 1 holds */

/* Takes what waits in the queue after a while, then serves. */
static void serve_late(void *ctx)
{
	struct server *s = ctx;

	usleep(100000);
	for (unsigned i = 0; i < QUEUED; i++)
		close(accept(s->listener, NULL, NULL));
	serve(s);
}

static int setup(void **state)
{
	static struct server s;
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	*state = &s;
	memset(&s, 0, sizeof(s));
	strcpy(s.dir, "/tmp/n2n-test-ctl-XXXXXX");
	if (mkdtemp(s.dir) == NULL)
		return -1;
	snprintf(s.path, sizeof(s.path), "%s/control", s.dir);
	strcpy(at.sun_path, s.path);
	s.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return bind(s.listener, (struct sockaddr *)&at, sizeof(at)) || listen(s.listener, 1);
}

static int teardown(void **state)
{
	struct server *s = *state;

	thread_join(s->thread);
	close(s->listener);
	return unlink(s->path) || rmdir(s->dir);
}

static int ask(struct server *s, void (*answer)(int fd), char **reply)
{
	s->answer = answer;
	assert_int_equal(thread_start(&s->thread, "server", serve, s), 0);
	return ctlsock_request(s->path, "{\"a\": 1}", CTLSOCK_TIMEOUT_MS, reply, &err);
}

static void put(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

static void answer_shortly(int fd)
{
	put(fd, "{\"ok\": true}\nmore", 17);
}

static void answer_in_pieces(int fd)
{
	for (const char *p = "{\"ok\": true}\n"; *p; p++) {
		put(fd, p, 1);
		usleep(1000);
	}
}

static void answer_nothing(int fd)
{
	(void)fd;
}

static void answer_half(int fd)
{
	put(fd, "{\"ok\"", 5);
}

static void answer_largest(int fd)
{
	char *data = malloc(CTLSOCK_REPLY_MAX);

	memset(data, 'x', CTLSOCK_REPLY_MAX);
	data[CTLSOCK_REPLY_MAX - 1] = '\n';
	put(fd, data, CTLSOCK_REPLY_MAX);
	free(data);
}

static void answer_too_much(int fd)
{
	char *data = malloc(CTLSOCK_REPLY_MAX + 1);

	memset(data, 'x', CTLSOCK_REPLY_MAX + 1);
	put(fd, data, CTLSOCK_REPLY_MAX + 1);
	free(data);
}

static void answer_never(int fd)
{
	char c;

	put(fd, "{", 1);
	(void)!read(fd, &c, 1); /* until the client gives up */
}

static void one_line_is_answered_by_one(void **state)
{
	struct server *s = *state;
	char *reply;

	assert_int_equal(ask(s, answer_shortly, &reply), 0);
	assert_string_equal(reply, "{\"ok\": true}");
	free(reply);
	thread_join(s->thread);
	s->thread = NULL;
	assert_string_equal(s->request, "{\"a\": 1}\n");
}

static void an_answer_may_come_in_pieces(void **state)
{
	char *reply;

	assert_int_equal(ask(*state, answer_in_pieces, &reply), 0);
	assert_string_equal(reply, "{\"ok\": true}");
	free(reply);
}

static void hanging_up_early_is_told(void **state)
{
	struct server *s = *state;
	char *reply;

	assert_int_equal(ask(s, answer_nothing, &reply), N2N_EIO);
	assert_non_null(strstr(err.text, "hung up before it answered"));
	thread_join(s->thread);
	assert_int_equal(ask(s, answer_half, &reply), N2N_EIO);
}

static void the_largest_answer_is_taken(void **state)
{
	char *reply;

	assert_int_equal(ask(*state, answer_largest, &reply), 0);
	assert_int_equal(strlen(reply), CTLSOCK_REPLY_MAX - 1);
	free(reply);
}

static void a_larger_one_is_refused(void **state)
{
	char *reply;

	assert_int_equal(ask(*state, answer_too_much, &reply), N2N_ENOSPC);
	assert_non_null(strstr(err.text, "is longer than 16 MiB"));
}

static void a_full_queue_is_waited_for(void **state)
{
	struct server *s = *state;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd[QUEUED];
	char *reply;

	strcpy(at.sun_path, s->path);
	for (unsigned i = 0; i < QUEUED; i++) {
		fd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fd[i], (struct sockaddr *)&at, sizeof(at)), 0);
	}
	s->answer = answer_shortly;
	assert_int_equal(thread_start(&s->thread, "server", serve_late, s), 0);
	assert_int_equal(ctlsock_request(s->path, "x", CTLSOCK_TIMEOUT_MS, &reply, &err), 0);
	free(reply);
	for (unsigned i = 0; i < QUEUED; i++)
		close(fd[i]);
}

static void the_exchange_ends_in_time(void **state)
{
	uint64_t before = sys_now_ms();
	char *reply;

	assert_int_equal(ask(*state, answer_never, &reply), N2N_EAGAIN);
	assert_in_range(sys_now_ms() - before, CTLSOCK_TIMEOUT_MS - 1, CTLSOCK_TIMEOUT_MS + 3000);
	assert_non_null(strstr(err.text, "within 5 s"));
}

static void nobody_there_is_told(void **state)
{
	struct server *s = *state;
	char path[128], *reply;

	snprintf(path, sizeof(path), "%s/none", s->dir);
	assert_int_equal(ctlsock_request(path, "x", CTLSOCK_TIMEOUT_MS, &reply, &err), N2N_ENOENT);
	assert_non_null(strstr(err.text, "nothing answers at"));
	assert_int_equal(err.setting, SETTING_INSTANCE);
	close(s->listener); /* the file stays, as after a crash */
	assert_int_equal(
		ctlsock_request(s->path, "x", CTLSOCK_TIMEOUT_MS, &reply, &err), N2N_ENOENT);
	memset(path, 'a', sizeof(path));
	path[108] = 0;
	assert_int_equal(ctlsock_request(path, "x", CTLSOCK_TIMEOUT_MS, &reply, &err), N2N_EINVAL);
	s->listener = -1;
}

static int ask_as_nobody(const char *path)
{
	char *reply;

	if (geteuid() == 0 && setuid(65534))
		return 2;
	return ctlsock_request(path, "x", CTLSOCK_TIMEOUT_MS, &reply, &err) == N2N_EPERM ? 0 : 1;
}

static void a_denied_socket_is_told(void **state)
{
	struct server *s = *state;
	int status;
	pid_t child;

	assert_int_equal(chmod(s->path, 0), 0);
	child = fork();
	if (child == 0)
		_exit(ask_as_nobody(s->path));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_line_is_answered_by_one),
		TEST(an_answer_may_come_in_pieces),
		TEST(hanging_up_early_is_told),
		TEST(the_largest_answer_is_taken),
		TEST(a_larger_one_is_refused),
		TEST(a_full_queue_is_waited_for),
		TEST(the_exchange_ends_in_time),
		TEST(nobody_there_is_told),
		TEST(a_denied_socket_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
