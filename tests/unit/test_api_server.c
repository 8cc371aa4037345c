/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control socket: answers, refusals, limits, and clients that misbehave. */
#define _GNU_SOURCE
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
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

#define TURNS	  200
#define BIG	  (4 << 20)
#define STATUS	  "{\"v\":1,\"cmd\":\"status\"}\n"
#define NO_REPLY  "(closed)"
#define SLOW	  40
#define SECOND_NS 1000000000u

struct fixture {
	char dir[64];
	char path[96];
	uv_loop_t loop;
	struct api_server *server;
};

static json_t *small_answer(void *ctx, const json_t *request, struct api_error *err)
{
	(void)request;
	(void)err;
	return json_pack("{s:i}", "answer", *(int *)ctx);
}

/* Says its argument again, if that is a string. */
static json_t *echo_answer(void *ctx, const json_t *request, struct api_error *err)
{
	const json_t *argument = json_object_get(request, "text");

	(void)ctx;
	if (json_is_string(argument))
		return json_pack("{s:s}", "text", json_string_value(argument));
	err->code = API_BAD_ARGUMENT;
	snprintf(err->message, sizeof(err->message), "\"text\" has to be a string");
	return NULL;
}

/* So many milliseconds, in seconds. */
static json_t *real_answer(void *ctx, const json_t *request, struct api_error *err)
{
	json_int_t ms = json_integer_value(json_object_get(request, "ms"));

	(void)ctx;
	(void)err;
	return json_pack("{s:f}", "s", (double)ms / 1000);
}

/* As if memory were short. */
static json_t *no_answer(void *ctx, const json_t *request, struct api_error *err)
{
	(void)ctx;
	(void)request;
	(void)err;
	return NULL;
}

static json_t *big_answer(void *ctx, const json_t *request, struct api_error *err)
{
	char *text = malloc(BIG + 1);
	json_t *answer;

	(void)ctx;
	(void)request;
	(void)err;
	assert_non_null(text);
	memset(text, 'x', BIG);
	text[BIG] = 0;
	answer = json_pack("{s:s}", "text", text);
	free(text);
	return answer;
}

/* Whose answer is still to be given. */
static struct api_later *asked;

static void begin_slow(void *ctx, const json_t *request, struct api_later *later)
{
	(void)ctx;
	(void)request;
	asked = later;
}

static void answer_at_once(void *ctx, const json_t *request, struct api_later *later)
{
	const struct api_error err = {.code = API_BUSY, .message = "not now"};

	(void)ctx;
	(void)request;
	api_answer(later, NULL, &err);
}

static const struct api_command commands[] = {{.name = "status", .answer = small_answer},
	{.name = "big", .answer = big_answer}, {.name = "echo", .answer = echo_answer},
	{.name = "real", .answer = real_answer}, {.name = "no", .answer = no_answer},
	{.name = "slow", .begin = begin_slow}, {.name = "busy", .begin = answer_at_once},
	{.name = NULL}};
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

static void commands_have_arguments(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);

	expect(f, fd, "{\"v\":1,\"cmd\":\"echo\",\"text\":\"x\"}\n",
		"{\"v\":1,\"ok\":true,\"result\":{\"text\":\"x\"}}");
	expect(f, fd, "{\"text\":\"\\u00e4 \\\"\",\"cmd\":\"echo\",\"v\":1}\n",
		"{\"v\":1,\"ok\":true,\"result\":{\"text\":\"\u00e4 \\\"\"}}");
	close(fd);
	expect_error(f, "{\"v\":1,\"cmd\":\"echo\"}\n", "bad-argument");
	expect_error(f, "{\"v\":1,\"cmd\":\"echo\",\"text\":7}\n", "bad-argument");
	expect_error(f, "{\"v\":1,\"cmd\":\"echo\",\"text\":{\"text\":\"x\"}}\n", "bad-argument");
	expect_error(f, "{\"v\":1,\"cmd\":\"echo\",\"text\":\"\\u0000\"}\n", "bad-request");
	expect_error(
		f, "{\"v\":1,\"cmd\":\"echo\",\"text\":\"x\",\"text\":\"y\"}\n", "bad-request");
}

static void numbers_are_written_as_they_are_meant(void **state)
{
	static const struct {
		const char *ms, *seconds;
	} number[] = {
		{"824", "0.824"},
		{"1", "0.001"},
		{"0", "0.0"},
		{"1000", "1.0"},
		{"100", "0.1"},
		{"4350", "4.35"},
		{"31536000001", "31536000.001"}, /* a year */
		{"99999999999999", "99999999999.999"},
	};
	struct fixture *f = *state;
	char request[96], answer[96];

	for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
		int fd = connect_to(f);

		snprintf(request, sizeof(request), "{\"v\":1,\"cmd\":\"real\",\"ms\":%s}\n",
			number[i].ms);
		snprintf(answer, sizeof(answer), "{\"v\":1,\"ok\":true,\"result\":{\"s\":%s}}",
			number[i].seconds);
		expect(f, fd, request, answer);
		close(fd);
		turn(f);
	}
}

/* The longest request is taken; what does not come to an end by then is not. */
static void an_argument_is_as_long_as_a_request(void **state)
{
	static const char head[] = "{\"v\":1,\"cmd\":\"echo\",\"text\":\"", tail[] = "\"}\n";
	struct fixture *f = *state;
	char request[API_REQUEST_MAX + 2];
	size_t len = API_REQUEST_MAX - strlen(head) - strlen(tail);

	for (size_t more = 0; more < 2; more++) {
		int fd = connect_to(f);
		char *line;

		strcpy(request, head);
		memset(request + strlen(head), 'x', len + more);
		strcpy(request + strlen(head) + len + more, tail);
		say(fd, request);
		line = hear(f, fd);
		if (more == 0)
			assert_int_equal(strlen(line),
				strlen("{\"v\":1,\"ok\":true,\"result\":{\"text\":\"\"}}") + len);
		else
			assert_string_equal(line, NO_REPLY);
		free(line);
		close(fd);
		turn(f);
	}
}

static void without_an_answer_the_connection_ends(void **state)
{
	struct fixture *f = *state;
	int fd = connect_to(f);

	expect(f, fd, "{\"v\":1,\"cmd\":\"no\"}\n", NO_REPLY);
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
	/* Its low bits are those of 1. */
	expect_error(f, "{\"v\":4294967297,\"cmd\":\"status\"}\n", "bad-version");
	expect_error(f, "{\"v\":18446744073709551617,\"cmd\":\"status\"}\n", "bad-request");
	expect_error(f, "{\"v\":1,\"cmd\":\"statu\"}\n", "unknown-command");
}

/* As deep as a request has room for, and bytes that no text has. */
static void nonsense_is_refused_whatever_it_is(void **state)
{
	static const char zero[] = "{\"v\":1,\0\"cmd\":\"status\"}\n";
	struct fixture *f = *state;
	char request[API_REQUEST_MAX + 1];
	int fd = connect_to(f);
	char *line;

	for (const char *deep = "[{"; *deep != 0; deep++) {
		memset(request, *deep, API_REQUEST_MAX - 1);
		strcpy(request + API_REQUEST_MAX - 1, "\n");
		expect_error(f, request, "bad-request");
	}
	expect_error(f, "{\"v\":1,\"cmd\":\"\xff\"}\n", "bad-request");
	assert_int_equal(send(fd, zero, sizeof(zero) - 1, MSG_NOSIGNAL), sizeof(zero) - 1);
	line = hear(f, fd);
	assert_non_null(strstr(line, "bad-request"));
	free(line);
	/* Half a request, and gone. */
	say(fd, "{\"v\":1,");
	turn(f);
	close(fd);
	turn(f);
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

/* A client that does not leave and lets the server wait, in one of three ways. */
static int connect_slow(struct fixture *f, unsigned i)
{
	static const char *const said[] = {"", "{\"v\":1,", "{\"v\":1,\"cmd\":\"big\"}\n"};
	int fd = connect_to(f);

	say(fd, said[i % 3]);
	turn(f);
	return fd;
}

static bool is_served(struct fixture *f, int fd)
{
	char *line;
	bool served;

	say(fd, STATUS);
	line = hear(f, fd);
	served = strstr(line, "42") != NULL;
	free(line);
	return served;
}

static void forty_slow_clients_do_not_block(void **state)
{
	struct fixture *f = *state;
	int slow[SLOW], honest;
	uint64_t start;

	for (unsigned i = 0; i < SLOW; i++)
		slow[i] = connect_slow(f, i);
	start = uv_hrtime();
	honest = connect_to(f);
	assert_true(is_served(f, honest));
	assert_true(uv_hrtime() - start < SECOND_NS);
	/* One that was answered stays while others come. */
	for (unsigned i = 0; i < API_CLIENTS_MAX - 1; i++) {
		close(slow[i]);
		slow[i] = connect_slow(f, 0);
	}
	assert_true(is_served(f, honest));
	close(honest);
	for (unsigned i = 0; i < SLOW; i++)
		close(slow[i]);
	for (unsigned i = 0; i < 5; i++)
		turn(f);
}

static bool was_closed(int fd)
{
	struct pollfd p = {.fd = fd};

	return poll(&p, 1, 0) == 1 && p.revents & POLLHUP;
}

static void the_one_that_asked_the_longest_ago_gives_way(void **state)
{
	struct fixture *f = *state;
	int fd[API_CLIENTS_MAX], more[3];

	for (unsigned i = 0; i < API_CLIENTS_MAX; i++)
		fd[i] = connect_slow(f, i);
	/* The first one, which asked nothing so far. */
	assert_true(is_served(f, fd[0]));
	for (unsigned i = 0; i < 3; i++) {
		more[i] = connect_slow(f, 0);
		turn(f);
		turn(f);
	}
	for (unsigned i = 0; i < API_CLIENTS_MAX; i++)
		assert_int_equal(was_closed(fd[i]), i >= 1 && i < 4);
	for (unsigned i = 0; i < API_CLIENTS_MAX; i++)
		close(fd[i]);
	for (unsigned i = 0; i < 3; i++)
		close(more[i]);
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

#define SLOW_REQUEST "{\"v\":1,\"cmd\":\"slow\"}\n"

static void begin(struct fixture *f, int fd)
{
	asked = NULL;
	say(fd, SLOW_REQUEST);
	for (unsigned i = 0; i < TURNS && asked == NULL; i++)
		turn(f);
	assert_non_null(asked);
}

static void an_answer_may_come_later(void **state)
{
	const struct api_error none = {.code = NULL};
	struct fixture *f = *state;
	int slow = connect_to(f), other = connect_to(f);
	char *line;

	begin(f, slow);
	expect(f, other, STATUS, "{\"v\":1,\"ok\":true,\"result\":{\"answer\":42}}");
	api_answer(asked, json_pack("{s:i}", "took", 3), &none);
	line = hear(f, slow);
	assert_string_equal(line, "{\"v\":1,\"ok\":true,\"result\":{\"took\":3}}");
	free(line);
	expect(f, slow, STATUS, "{\"v\":1,\"ok\":true,\"result\":{\"answer\":42}}");
	close(slow);
	close(other);
	expect_error(f, "{\"v\":1,\"cmd\":\"busy\"}\n", "busy");
}

static void who_waits_may_leave_or_say_no_more(void **state)
{
	const struct api_error none = {.code = NULL};
	struct fixture *f = *state;
	int fd = connect_to(f);
	char *line;

	begin(f, fd);
	close(fd);
	turn(f);
	turn(f);
	api_answer(asked, json_pack("{s:i}", "took", 3), &none);
	fd = connect_to(f);
	begin(f, fd);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	turn(f);
	turn(f);
	api_answer(asked, json_pack("{s:i}", "took", 3), &none);
	line = hear(f, fd);
	assert_string_equal(line, "{\"v\":1,\"ok\":true,\"result\":{\"took\":3}}");
	free(line);
	close(fd);
	fd = connect_to(f);
	begin(f, fd);
	expect(f, fd, STATUS, NO_REPLY);
	api_answer(asked, NULL, &none);
	close(fd);
}

static void an_answer_outlives_the_server(void **state)
{
	const struct api_error none = {.code = NULL};
	struct fixture *f = *state;
	struct api_server *other;
	struct os_error err = {0};
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/other", f->dir);
	assert_int_equal(api_server_create(&other, &f->loop, path, commands, &the_answer, &err), 0);
	memcpy(f->path, path, sizeof(f->path));
	fd = connect_to(f);
	begin(f, fd);
	api_server_close(other);
	turn(f);
	turn(f);
	api_answer(asked, json_pack("{s:i}", "took", 3), &none);
	close(fd);
	snprintf(f->path, sizeof(f->path), "%s/control", f->dir);
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
		cmocka_unit_test_setup_teardown(
			nonsense_is_refused_whatever_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_request_may_come_in_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_request_too_long_ends_the_connection, set_up, tear_down),
		cmocka_unit_test_setup_teardown(commands_have_arguments, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			numbers_are_written_as_they_are_meant, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_argument_is_as_long_as_a_request, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			without_an_answer_the_connection_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_big_answer_survives_a_half_close, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_client_may_leave_in_the_middle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			two_requests_at_once_are_a_breach, set_up, tear_down),
		cmocka_unit_test_setup_teardown(forty_slow_clients_do_not_block, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_one_that_asked_the_longest_ago_gives_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(closing_ends_the_clients, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_answer_may_come_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			who_waits_may_leave_or_say_no_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_answer_outlives_the_server, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stale_name_is_taken_over, set_up, tear_down),
	};

	/* As the programs do. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
