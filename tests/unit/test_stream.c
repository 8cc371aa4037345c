/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests TCP streams and the descriptor of interrupts over loopback. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/interrupt.h"
#include "os/stream.h"
#include "os/sys.h"

#include <cmocka.h>

#define SOON_MS 50
#define LATE_MS 5000

/* A listener and both ends of a connection to it. */
struct pair {
	struct os_handle listener, here, there;
	struct endpoint at, from;
	struct os_error err;
};

static const struct stream_limit never = {UINT64_MAX, {{-1}, {-1}}};

static struct endpoint address(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(&e, text, 1), 0);
	e.port = 0;
	return e;
}

static void listen_at(struct pair *p, const char *ip)
{
	struct sockaddr_in6 a;
	socklen_t len = sizeof(a);

	p->at = address(ip);
	assert_int_equal(stream_listen(&p->listener, &p->at, &p->err), 0);
	assert_int_equal(getsockname((int)p->listener.value, (struct sockaddr *)&a, &len), 0);
	p->at.port = ntohs(a.sin6_port); /* at the same place in both families */
}

static void join(struct pair *p, const char *ip)
{
	struct stream_limit limit = stream_limit_within(&never, LATE_MS);
	unsigned ready;

	listen_at(p, ip);
	assert_int_equal(stream_accept(&p->there, &p->from, p->listener), N2N_EAGAIN);
	assert_int_equal(stream_connect(&p->here, &p->at, &limit, &p->err), 0);
	assert_int_equal(stream_wait(&p->listener, 1, STREAM_READ, &limit, &ready), 0);
	assert_int_equal(stream_accept(&p->there, &p->from, p->listener), 0);
	assert_true(endpoint_same_ip(&p->from, &p->at));
}

static void part(struct pair *p)
{
	stream_close(p->here);
	stream_close(p->there);
	stream_close(p->listener);
}

static void check_pair(const char *ip)
{
	struct stream_limit limit = stream_limit_within(&never, LATE_MS);
	char got[6] = "";
	struct pair p;

	join(&p, ip);
	assert_int_equal(stream_send(p.here, "hello", 5, &limit), 0);
	assert_int_equal(stream_receive(p.there, got, 3, &limit), 0);
	assert_int_equal(stream_receive(p.there, got + 3, 2, &limit), 0);
	assert_string_equal(got, "hello");
	part(&p);
}

static void bytes_pass_in_both_families(void **state)
{
	(void)state;
	check_pair("127.0.0.1");
	check_pair("::1");
}

static void closing_none_is_fine(void **state)
{
	(void)state;
	stream_close(os_handle_none());
	assert_true(fcntl(STDERR_FILENO, F_GETFD) >= 0);
}

static void limits_end_a_wait(void **state)
{
	struct stream_limit limit = stream_limit_within(&never, SOON_MS), within;
	uint64_t start = sys_now_ms();
	struct pair p;
	unsigned ready;
	size_t done;
	char byte;

	(void)state;
	within = stream_limit_within(&limit, LATE_MS);
	assert_int_equal(within.until_ms, limit.until_ms);
	within = stream_limit_within(&never, 0);
	assert_true(stream_limit_reached(&within));
	assert_false(stream_limit_reached(&never));
	join(&p, "127.0.0.1");
	assert_int_equal(stream_get(p.there, &byte, 1, &done), N2N_EAGAIN);
	assert_int_equal(done, 0);
	assert_int_equal(stream_receive(p.there, &byte, 1, &limit), N2N_EAGAIN);
	assert_true(sys_now_ms() - start >= SOON_MS);
	assert_true(stream_limit_reached(&limit));
	assert_int_equal(stream_wait(&p.there, 1, STREAM_READ, &limit, &ready), N2N_EAGAIN);
	part(&p);
}

static void sending_to_one_who_does_not_read_ends(void **state)
{
	static uint8_t much[16 << 20];
	struct stream_limit limit = stream_limit_within(&never, SOON_MS);
	struct pair p;

	(void)state;
	join(&p, "127.0.0.1");
	assert_int_equal(stream_send(p.here, much, sizeof(much), &limit), N2N_EAGAIN);
	part(&p);
}

static void hanging_up_is_noticed(void **state)
{
	struct stream_limit limit = stream_limit_within(&never, LATE_MS);
	struct pair p;
	unsigned ready;
	char byte = 0;
	int rc;

	(void)state;
	join(&p, "127.0.0.1");
	stream_close(p.there);
	p.there = os_handle_none();
	assert_int_equal(stream_wait(&p.here, 1, STREAM_READ, &limit, &ready), 0);
	assert_int_equal(stream_receive(p.here, &byte, 1, &limit), N2N_EIO);
	/* The first is answered by a reset, which a later one finds. No signal comes. */
	do
		rc = stream_send(p.here, &byte, 1, &limit);
	while (rc == 0 && !stream_limit_reached(&limit));
	assert_int_equal(rc, N2N_EIO);
	part(&p);
}

static void a_wait_tells_which_is_ready(void **state)
{
	struct stream_limit limit = stream_limit_within(&never, LATE_MS);
	struct stream_limit soon = stream_limit_within(&never, SOON_MS);
	struct pair a, b;
	unsigned ready;
	struct os_handle of[4];

	(void)state;
	join(&a, "127.0.0.1");
	join(&b, "::1");
	memcpy(of, (struct os_handle[]){{-1}, a.there, {-1}, b.there}, sizeof(of));
	assert_int_equal(stream_wait(of, 4, STREAM_READ, &soon, &ready), N2N_EAGAIN);
	assert_int_equal(stream_send(b.here, "b", 1, &limit), 0);
	assert_int_equal(stream_wait(of, 4, STREAM_READ, &limit, &ready), 0);
	assert_int_equal(ready, 1 << 3);
	assert_int_equal(stream_send(a.here, "a", 1, &limit), 0);
	assert_int_equal(stream_wait(&a.there, 1, STREAM_READ, &limit, &ready), 0);
	assert_int_equal(stream_wait(of, 4, STREAM_READ, &limit, &ready), 0);
	assert_int_equal(ready, 1 << 1 | 1 << 3);
	assert_int_equal(stream_wait(of, 4, STREAM_WRITE, &limit, &ready), 0);
	assert_int_equal(ready, 1 << 1 | 1 << 3);
	part(&a);
	part(&b);
}

static void a_stop_ends_a_wait(void **state)
{
	struct stream_limit limit = stream_limit_within(&never, LATE_MS);
	struct pair a, b;
	unsigned ready;
	char byte;

	(void)state;
	join(&a, "127.0.0.1");
	join(&b, "127.0.0.1");
	limit.stop[1] = b.there;
	assert_false(stream_limit_reached(&limit));
	assert_int_equal(stream_send(b.here, "x", 1, &never), 0);
	assert_int_equal(stream_wait(&b.there, 1, STREAM_READ, &never, &ready), 0);
	assert_int_equal(stream_receive(a.there, &byte, 1, &limit), N2N_EAGAIN);
	assert_true(stream_limit_reached(&limit));
	assert_true(sys_now_ms() < limit.until_ms);
	part(&a);
	part(&b);
}

static void a_refused_connection_is_told(void **state)
{
	struct stream_limit limit = stream_limit_within(&never, LATE_MS);
	struct pair p;

	(void)state;
	listen_at(&p, "127.0.0.1");
	stream_close(p.listener);
	assert_int_equal(stream_connect(&p.here, &p.at, &limit, &p.err), N2N_ENOENT);
	assert_true(os_handle_is_none(p.here));
	assert_int_equal(p.err.code, N2N_ENOENT);
	assert_non_null(strstr(p.err.text, "127.0.0.1:"));
	assert_non_null(strstr(p.err.text, "refuses"));
}

/* Once the backlog is full, Linux leaves further connections without an answer. */
static void connecting_gives_up_in_time(void **state)
{
	struct stream_limit soon;
	struct pair p;
	struct os_handle full[64];
	int rc = 0;
	size_t n = 0;

	(void)state;
	listen_at(&p, "127.0.0.1");
	while (rc == 0 && n < 64) {
		soon = stream_limit_within(&never, SOON_MS);
		rc = stream_connect(&full[n], &p.at, &soon, &p.err);
		n += rc == 0;
	}
	assert_int_equal(rc, N2N_EAGAIN);
	assert_non_null(strstr(p.err.text, "no answer from 127.0.0.1:"));
	while (n > 0)
		stream_close(full[--n]);
	stream_close(p.listener);
}

static void an_address_nowhere_is_told(void **state)
{
	struct endpoint to = address("255.255.255.255");
	struct os_error err;
	struct os_handle h;

	(void)state;
	to.port = 1;
	assert_int_not_equal(stream_connect(&h, &to, &never, &err), 0);
	assert_true(os_handle_is_none(h));
	assert_non_null(strstr(err.text, "255.255.255.255:1"));
}

static void listening_fails_with_the_reason(void **state)
{
	struct endpoint at = address("192.0.2.1");
	struct pair p;
	struct os_handle h;

	(void)state;
	listen_at(&p, "127.0.0.1");
	assert_int_equal(stream_listen(&h, &p.at, &p.err), N2N_EEXIST);
	assert_true(os_handle_is_none(h));
	assert_non_null(strstr(p.err.text, "in use"));
	assert_int_equal(p.err.setting, SETTING_PORT);
	assert_int_equal(stream_listen(&h, &at, &p.err), N2N_ENOENT);
	assert_non_null(strstr(p.err.text, "no such address"));
	stream_close(p.listener);
}

static void an_interrupt_ends_a_wait(void **state)
{
	struct stream_limit limit = stream_limit_within(&never, LATE_MS);
	struct os_error err;
	unsigned ready;

	(void)state;
	assert_int_equal(interrupt_open(&limit.stop[0], &err), 0);
	assert_false(stream_limit_reached(&limit));
	assert_int_equal(raise(SIGINT), 0);
	assert_int_equal(stream_wait(NULL, 0, STREAM_READ, &limit, &ready), N2N_EAGAIN);
	/* It stays. */
	assert_true(stream_limit_reached(&limit));
	assert_true(stream_limit_reached(&limit));
	assert_int_equal(raise(SIGTERM), 0);
	assert_true(sys_now_ms() < limit.until_ms);
	stream_close(limit.stop[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_pass_in_both_families),
		cmocka_unit_test(closing_none_is_fine),
		cmocka_unit_test(limits_end_a_wait),
		cmocka_unit_test(sending_to_one_who_does_not_read_ends),
		cmocka_unit_test(hanging_up_is_noticed),
		cmocka_unit_test(a_wait_tells_which_is_ready),
		cmocka_unit_test(a_stop_ends_a_wait),
		cmocka_unit_test(a_refused_connection_is_told),
		cmocka_unit_test(connecting_gives_up_in_time),
		cmocka_unit_test(an_address_nowhere_is_told),
		cmocka_unit_test(listening_fails_with_the_reason),
		cmocka_unit_test(an_interrupt_ends_a_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
