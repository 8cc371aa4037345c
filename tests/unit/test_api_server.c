/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control socket: answers, refusals, limits, and clients that misbehave. */
#define _GNU_SOURCE
#include <poll.h>
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
#include <unistd.h>

#include "api/server.h"

#include <cmocka.h>

#define TURNS	 200
#define BIG	 (4 << 20)
#define STATUS	 "{\"v\":1,\"cmd\":\"status\"}\n"
#define NO_REPLY "(closed)"

struct fixture {
	char dir[64];
	char path[96];
	uv_loop_t loop;
	struct api_server *server;
};

static json_t *small_answer(void *ctx)
{
	return json_pack("{s:i}", "answer", *(int *)ctx);
}

static json_t *big_answer(void *ctx)
{
	char *text = malloc(BIG + 1);
	json_t *answer;

	(void)ctx;
	assert_non_null(text);
	memset(text, 'x', BIG);
	text[BIG] = 0;
	answer = json_pack("{s:s}", "text", text);
	free(text);
	return answer;
}

static const struct api_command commands[] = {
	{"status", small_answer}, {"big", big_answer}, {NULL, NULL}};
static int the_answer = 42;

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct os_error err;

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/n2n-api-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/control", f->dir);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(
		api_server_create(&f->server, &f->loop, f->path, commands, &the_answer, &err), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	api_server_close(f->server);
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	assert_int_equal(stat(f->path, &st), -1);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static int connect_to(struct fixture *f)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void turn(struct fixture *f)
{
	(void)uv_run(&f->loop, UV_RUN_NOWAIT);
	(void)poll(NULL, 0, 1);
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* The next line, without its newline, or NO_REPLY when the server hung up; to be freed. */
static char *hear(struct fixture *f, int fd)
{
	char *line = calloc(1, BIG + 4096);
	size_t len = 0;

	assert_non_null(line);
	for (unsigned i = 0; i < TURNS;) {
		ssize_t n = recv(fd, line + len, 4095 + BIG - len, 0);

		if (n == 0 || (n < 0 && len == 0 && i == TURNS - 1)) {
			strcpy(line, n == 0 ? NO_REPLY : "(nothing)");
			return line;
		}
		if (n > 0) {
			len += (size_t)n;
			i = 0;
		} else {
			i++;
		}
		if (len > 0 && line[len - 1] == '\n') {
			line[len - 1] = 0;
			return line;
		}
		turn(f);
	}
	strcpy(line, "(cut)");
	return line;
}

static void expect(struct fixture *f, int fd, const char *request, const char *reply)
{
	char *line;

	say(fd, request);
	line = hear(f, fd);
	assert_string_equal(line, reply);
	free(line);
}

static void expect_error(struct fixture *f, const char *request, const char *code)
{
	int fd = connect_to(f);
	char *line;
	json_t *reply;
	const char *said;
	int v, ok;

	say(fd, request);
	line = hear(f, fd);
	reply = json_loads(line, 0, NULL);
	assert_non_null(reply);
	assert_int_equal(json_unpack(reply, "{s:i, s:b, s:{s:s}}", "v", &v, "ok", &ok, "error",
				 "code", &said),
		0);
	assert_int_equal(v, 1);
	assert_false(ok);
	assert_string_equal(said, code);
	json_decref(reply);
	free(line);
	close(fd);
	turn(f);
}

static void a_command_is_answered(void **state)
{
	struct fixture *f = *state;
	char compact[128];
	struct stat st;
	int fd = connect_to(f);

	snprintf(compact, sizeof(compact), "{\"v\":1,\"ok\":true,\"result\":{\"answer\":42}}");
	expect(f, fd, STATUS, compact);
	expect(f, fd, "{ \"cmd\": \"status\", \"v\": 1, \"later\": [] }\n", compact);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	close(fd);
	turn(f);
}

static void what_is_not_understood_is_refused(void **state)
{
	struct fixture *f = *state;

	expect_error(f, "\n", "bad-request");
	expect_error(f, "nonsense\n", "bad-request");
	expect_error(f, "[]\n", "bad-request");
	expect_error(f, "{\"v\":1}\n", "bad-request");
	expect_error(f, "{\"v\":\"1\",\"cmd\":\"status\"}\n", "bad-request");
	expect_error(f, "{\"v\":1,\"cmd\":\"status\",\"cmd\":\"status\"}\n", "bad-request");
	expect_error(f, "{\"v\":2,\"cmd\":\"status\"}\n", "bad-version");
	expect_error(f, "{\"v\":1,\"cmd\":\"statu\"}\n", "unknown-command");
}

static void a_request_may_come_in_pieces(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);
	char *line;

	for (const char *p = STATUS; *p != 0; p++) {
		assert_int_equal(send(fd, p, 1, 0), 1);
		turn(f);
	}
	line = hear(f, fd);
	assert_non_null(strstr(line, "42"));
	free(line);
	close(fd);
	turn(f);
}

static void a_request_too_long_ends_the_connection(void **state)
{
	struct fixture *f = *state;
	char request[API_REQUEST_MAX + 1];
	int fd = connect_to(f);

	memset(request, ' ', sizeof(request));
	request[sizeof(request) - 1] = 0;
	expect(f, fd, request, NO_REPLY);
	close(fd);
	/* One byte less, with its newline, is read. */
	request[sizeof(request) - 2] = '\n';
	expect_error(f, request, "bad-request");
}

static void a_big_answer_survives_a_half_close(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);
	char *line;

	say(fd, "{\"v\":1,\"cmd\":\"big\"}\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	line = hear(f, fd);
	assert_true(strlen(line) > BIG);
	free(line);
	line = hear(f, fd);
	assert_string_equal(line, NO_REPLY);
	free(line);
	close(fd);
}

static void a_client_may_leave_in_the_middle(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);

	say(fd, "{\"v\":1,\"cmd\":\"big\"}\n");
	for (unsigned i = 0; i < 5; i++)
		turn(f);
	close(fd);
	for (unsigned i = 0; i < 5; i++)
		turn(f);
	expect_error(f, "nonsense\n", "bad-request");
}

static void two_requests_at_once_are_a_breach(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);

	expect(f, fd, STATUS STATUS, NO_REPLY);
	close(fd);
}

static void clients_beyond_the_limit_wait(void **state)
{
	struct fixture *f = *state;
	int fd[API_CLIENTS_MAX + 1];
	char *line;

	for (unsigned i = 0; i <= API_CLIENTS_MAX; i++) {
		fd[i] = connect_to(f);
		turn(f);
	}
	say(fd[API_CLIENTS_MAX], STATUS);
	line = hear(f, fd[API_CLIENTS_MAX]);
	assert_string_equal(line, "(nothing)");
	free(line);
	/* It is its turn as soon as another one leaves. */
	close(fd[0]);
	line = hear(f, fd[API_CLIENTS_MAX]);
	assert_non_null(strstr(line, "42"));
	free(line);
	for (unsigned i = 1; i <= API_CLIENTS_MAX; i++)
		close(fd[i]);
	for (unsigned i = 0; i < 5; i++)
		turn(f);
}

static void closing_ends_the_clients(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);

	say(fd, "{\"v\":1,\"cmd\":\"big\"}\n");
	turn(f);
	turn(f);
	/* tear_down closes the server under it. */
	close(fd);
}

static void a_stale_name_is_taken_over(void **state)
{
	struct fixture *f = *state;
	struct api_server *other;
	struct os_error err = {0};
	char path[160];

	/* A name left behind by a process that was killed. */
	snprintf(path, sizeof(path), "%s/stale", f->dir);
	fclose(fopen(path, "w"));
	assert_int_equal(api_server_create(&other, &f->loop, path, commands, &the_answer, &err), 0);
	api_server_close(other);
	snprintf(path, sizeof(path), "%s/missing/control", f->dir);
	assert_int_equal(
		api_server_create(&other, &f->loop, path, commands, &the_answer, &err), N2N_EIO);
	assert_non_null(strstr(err.text, path));
	turn(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_command_is_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_not_understood_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_request_may_come_in_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_request_too_long_ends_the_connection, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_big_answer_survives_a_half_close, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_client_may_leave_in_the_middle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			two_requests_at_once_are_a_breach, set_up, tear_down),
		cmocka_unit_test_setup_teardown(clients_beyond_the_limit_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(closing_ends_the_clients, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stale_name_is_taken_over, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
