/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of supernodes. The system's resolver is this file's: some names have answers that are made
 * up, some hang, and the rest goes on to the real one.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/loop/resolve.h"

#include <cmocka.h>

#define PORT	  7654
#define POOL	  4	/* threads of libuv that look names up */
#define WAIT_MS	  20000 /* for an answer, at most */
#define SETTLE_MS 50	/* for an answer that must not come */

/* ---- the system's resolver ---- */

struct answer {
	struct addrinfo info;
	struct sockaddr_in6 address; /* room for either family */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t change;
	unsigned asked;	  /* look-ups begun */
	unsigned hanging; /* of them, those that wait ... */
	bool let_go;	  /* ... for this */
	bool missing;	  /* "maybe.test" does not exist now */
	bool missed;	  /* what "first.test" hears that hung */
	bool first_hung;  /* "first.test" hangs but once */
} dns = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};

static struct addrinfo *answer_with(const struct sockaddr *a, size_t len, struct addrinfo *next)
{
	struct answer *x = calloc(1, sizeof(*x));

	/* No assertion of cmocka's: this is a thread of libuv's. */
	if (x == NULL)
		abort();
	memcpy(&x->address, a, len);
	x->info = (struct addrinfo){
		.ai_family = a->sa_family,
		.ai_socktype = SOCK_DGRAM,
		.ai_addrlen = (socklen_t)len,
		.ai_addr = (struct sockaddr *)&x->address,
		.ai_next = next,
	};
	return &x->info;
}

static struct addrinfo *answer_v4(uint8_t last, struct addrinfo *next)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	const uint8_t ip[4] = {192, 0, 2, last};

	memcpy(&a.sin_addr, ip, sizeof(ip));
	return answer_with((const struct sockaddr *)&a, sizeof(a), next);
}

static struct addrinfo *answer_v6(uint8_t last, struct addrinfo *next)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6};
	const uint8_t ip[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = last};

	memcpy(&a.sin6_addr, ip, sizeof(ip));
	return answer_with((const struct sockaddr *)&a, sizeof(a), next);
}

/* An address of a kind that nobody here can use. */
static struct addrinfo *answer_strange(struct addrinfo *next)
{
	const struct sockaddr a = {.sa_family = AF_UNIX};

	return answer_with(&a, sizeof(a), next);
}

static int answer_really(const char *name, const struct addrinfo *hints, struct addrinfo **list)
{
	int (*ask)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	void (*release)(struct addrinfo *);
	struct addrinfo *real = NULL;
	struct addrinfo **tail = list;
	int rc;

	*(void **)&ask = dlsym(RTLD_NEXT, "getaddrinfo");
	*(void **)&release = dlsym(RTLD_NEXT, "freeaddrinfo");
	if (ask == NULL || release == NULL)
		abort();
	rc = ask(name, NULL, hints, &real);
	if (rc != 0)
		return rc;
	for (const struct addrinfo *a = real; a != NULL; a = a->ai_next) {
		*tail = answer_with(a->ai_addr, a->ai_addrlen, NULL);
		tail = &(*tail)->ai_next;
	}
	release(real);
	return 0;
}

static void hang(void)
{
	dns.hanging++;
	pthread_cond_broadcast(&dns.change);
	while (!dns.let_go)
		pthread_cond_wait(&dns.change, &dns.lock);
	dns.hanging--;
}

int getaddrinfo(
	const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	int rc = 0;

	(void)service;
	*list = NULL;
	pthread_mutex_lock(&dns.lock);
	dns.asked++;
	if (strcmp(name, "hangs.test") == 0)
		hang();
	if (strcmp(name, "first.test") == 0 && !dns.first_hung) {
		dns.first_hung = true;
		hang();
		if (dns.missed)
			rc = EAI_AGAIN;
		else
			*list = answer_v4(1, NULL);
	} else if (strcmp(name, "missing.test") == 0 ||
		   (dns.missing &&
			   (strcmp(name, "maybe.test") == 0 || strcmp(name, "first.test") == 0)))
		rc = EAI_NONAME;
	else if (strcmp(name, "strange.test") == 0)
		*list = answer_strange(NULL);
	else if (strcmp(name, "several.test") == 0)
		*list = answer_v6(1, answer_strange(answer_v4(2, answer_v6(3, NULL))));
	else if (strcmp(name, "many.test") == 0)
		for (uint8_t i = SUPERNODE_ADDRESSES + 3; i > 0; i--)
			*list = answer_v4(i, *list);
	else if (strstr(name, ".test") != NULL)
		*list = answer_v4(9, NULL);
	else
		rc = answer_really(name, hints, list);
	pthread_mutex_unlock(&dns.lock);
	return rc;
}

void freeaddrinfo(struct addrinfo *list)
{
	while (list != NULL) {
		struct addrinfo *next = list->ai_next;

		free(list); /* the answer begins with it */
		list = next;
	}
}

static unsigned asked(void)
{
	unsigned n;

	pthread_mutex_lock(&dns.lock);
	n = dns.asked;
	pthread_mutex_unlock(&dns.lock);
	return n;
}

/* ---- one resolver ---- */

struct fixture {
	uv_loop_t loop;
	uv_timer_t limit;
	bool late;
	struct log log;
	unsigned warnings, lines;
	struct resolver *r;
	unsigned reports;
	unsigned number; /* of the name reported last ... */
	size_t n;	 /* ... and its addresses */
	struct endpoint at[SUPERNODE_ADDRESSES];
};

static void on_line(void *ctx, enum log_level level, const char *line)
{
	struct fixture *f = ctx;

	(void)line;
	f->lines++;
	f->warnings += level == LOG_WARN;
}

static void on_found(void *ctx, unsigned i, const struct endpoint *addresses, size_t n)
{
	struct fixture *f = ctx;

	assert_in_range(n, 1, SUPERNODE_ADDRESSES);
	f->reports++;
	f->number = i;
	f->n = n;
	memcpy(f->at, addresses, n * sizeof(*addresses));
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct resolver_config c = {.found = on_found};

	if (f == NULL || uv_loop_init(&f->loop) != 0 || uv_timer_init(&f->loop, &f->limit) != 0)
		return 1;
	f->log = (struct log){LOG_DEBUG, on_line, f};
	c.loop = &f->loop;
	c.log = &f->log;
	c.ctx = f;
	dns.asked = 0;
	dns.let_go = dns.missing = dns.missed = dns.first_hung = false;
	*state = f;
	return resolver_create(&f->r, &c);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	/* What a test that failed left hanging. */
	pthread_mutex_lock(&dns.lock);
	dns.let_go = true;
	pthread_cond_broadcast(&dns.change);
	pthread_mutex_unlock(&dns.lock);
	resolver_stop(f->r);
	uv_close((uv_handle_t *)&f->limit, NULL);
	(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&f->loop) != 0)
		return 1;
	resolver_destroy(f->r);
	free(f);
	return 0;
}

static void on_limit(uv_timer_t *t)
{
	struct fixture *f = t->data;

	f->late = true;
}

/* Runs the loop as long as a look-up is under way, at most so long. True when none is any more. */
static bool settle(struct fixture *f, uint64_t ms)
{
	f->late = false;
	f->limit.data = f;
	assert_int_equal(uv_timer_start(&f->limit, on_limit, ms, 0), 0);
	uv_unref((uv_handle_t *)&f->limit);
	while (!f->late && uv_run(&f->loop, UV_RUN_ONCE) != 0)
		;
	(void)uv_timer_stop(&f->limit);
	return !f->late;
}

/* A tick, and all that comes of it; returns the number of look-ups. */
static unsigned tick(struct fixture *f, uint64_t now_ms, bool hurry)
{
	unsigned before = asked();

	resolver_tick(f->r, now_ms, hurry);
	if (!settle(f, WAIT_MS))
		fail_msg("a look-up begun at %u ms does not end", (unsigned)now_ms);
	return asked() - before;
}

static void assert_address(const struct fixture *f, size_t i, const char *text)
{
	struct endpoint want;

	assert_int_equal(endpoint_parse(&want, text, PORT), 0);
	assert_true(i < f->n);
	assert_true(endpoint_equal(&f->at[i], &want));
}

/* ---- tests ---- */

static void an_address_is_reported_at_the_next_tick_and_once(void **state)
{
	struct fixture *f = *state;

	resolver_add(f->r, "192.0.2.7", PORT);
	assert_int_equal(f->reports, 0);
	assert_int_equal(tick(f, 1000, false), 0);
	assert_int_equal(f->reports, 1);
	assert_int_equal(f->number, 0);
	assert_int_equal(f->n, 1);
	assert_address(f, 0, "192.0.2.7");
	resolver_add(f->r, "2001:db8::7", PORT);
	assert_int_equal(tick(f, 2000, true), 0);
	assert_int_equal(f->reports, 2);
	assert_int_equal(f->number, 1);
	assert_address(f, 0, "2001:db8::7");
	assert_int_equal(tick(f, 1000000, true), 0);
	assert_int_equal(f->reports, 2);
	assert_int_equal(f->lines, 0);
}

static bool system_knows(const char *name)
{
	struct addrinfo *found;

	if (getaddrinfo(name, NULL, NULL, &found) != 0)
		return false;
	freeaddrinfo(found);
	return true;
}

/* A minimal system has no /etc/hosts, and not even this name; then that is what must be told. */
static void a_name_is_found_as_this_system_finds_it(void **state)
{
	struct fixture *f = *state;
	bool known = system_knows("localhost");
	bool loopback = true;

	resolver_add(f->r, "localhost", PORT);
	assert_int_equal(tick(f, 1000, false), 1);
	assert_int_equal(f->reports, known ? 1 : 0);
	assert_int_equal(f->lines, known ? 0 : 1);
	for (size_t i = 0; i < f->n; i++) {
		loopback = loopback && endpoint_is_loopback(&f->at[i]);
		assert_int_equal(f->at[i].port, PORT);
	}
	assert_true(loopback);
}

static void addresses_keep_the_order_of_the_system(void **state)
{
	struct fixture *f = *state;

	resolver_add(f->r, "several.test", PORT);
	(void)tick(f, 1000, false);
	assert_int_equal(f->n, 3);
	assert_address(f, 0, "2001:db8::1");
	assert_address(f, 1, "192.0.2.2");
	assert_address(f, 2, "2001:db8::3");
}

static void of_too_many_addresses_the_first_are_taken(void **state)
{
	struct fixture *f = *state;

	resolver_add(f->r, "many.test", PORT);
	(void)tick(f, 1000, false);
	assert_int_equal(f->n, SUPERNODE_ADDRESSES);
	assert_address(f, 0, "192.0.2.1");
	assert_address(f, SUPERNODE_ADDRESSES - 1, "192.0.2.8");
}

static void each_name_is_reported_under_its_number(void **state)
{
	struct fixture *f = *state;

	resolver_add(f->r, "missing.test", PORT);
	resolver_add(f->r, "other.test", PORT + 1);
	assert_int_equal(tick(f, 1000, false), 2);
	assert_int_equal(f->reports, 1);
	assert_int_equal(f->number, 1);
	assert_address(f, 0, "192.0.2.9:7655");
}

/* Nothing usable is as good as nothing. */
static void a_name_without_usable_address_is_told(void **state)
{
	struct fixture *f = *state;

	resolver_add(f->r, "strange.test", PORT);
	(void)tick(f, 1000, false);
	assert_int_equal(f->reports, 0);
	assert_int_equal(f->warnings, 1);
}

static void a_missing_name_is_told_once_until_it_was_found(void **state)
{
	struct fixture *f = *state;

	dns.missing = true;
	resolver_add(f->r, "maybe.test", PORT);
	assert_int_equal(tick(f, 1000, true), 1);
	assert_int_equal(tick(f, 100000, true), 1);
	assert_int_equal(f->reports, 0);
	assert_int_equal(f->warnings, 1);
	dns.missing = false;
	assert_int_equal(tick(f, 200000, true), 1);
	assert_int_equal(f->reports, 1);
	dns.missing = true;
	assert_int_equal(tick(f, 300000, true), 1);
	assert_int_equal(f->warnings, 2);
}

static void a_name_is_looked_up_again_every_five_minutes(void **state)
{
	struct fixture *f = *state;

	resolver_add(f->r, "other.test", PORT);
	assert_int_equal(tick(f, 1000, false), 1);
	assert_int_equal(tick(f, 300999, false), 0);
	assert_int_equal(tick(f, 301000, false), 1);
	assert_int_equal(f->reports, 2);
}

static void in_a_hurry_pauses_grow_from_one_second_to_ten(void **state)
{
	static const unsigned pause_ms[] = {1000, 2000, 4000, 8000, 10000, 10000};
	struct fixture *f = *state;
	uint64_t now_ms = 1000;

	resolver_add(f->r, "missing.test", PORT);
	assert_int_equal(tick(f, now_ms, true), 1);
	for (size_t i = 0; i < sizeof(pause_ms) / sizeof(pause_ms[0]); i++) {
		assert_int_equal(tick(f, now_ms + pause_ms[i] - 1, true), 0);
		now_ms += pause_ms[i];
		assert_int_equal(tick(f, now_ms, true), 1);
	}
	/* A time without hurry, and the first pause is short again. */
	assert_int_equal(tick(f, now_ms + 1, false), 0);
	now_ms += 10000;
	assert_int_equal(tick(f, now_ms, true), 1);
	assert_int_equal(tick(f, now_ms + 1000, true), 1);
}

static void a_change_has_names_looked_up_at_once(void **state)
{
	struct fixture *f = *state;

	resolver_add(f->r, "missing.test", PORT);
	resolver_add(f->r, "other.test", PORT);
	resolver_add(f->r, "192.0.2.7", PORT);
	assert_int_equal(tick(f, 1000, true), 2);
	assert_int_equal(tick(f, 1001, true), 0);
	resolver_changed(f->r);
	resolver_changed(f->r);
	assert_int_equal(tick(f, 1002, true), 2);
	assert_int_equal(tick(f, 1003, true), 0);
	/* And what follows it comes soon again. */
	assert_int_equal(tick(f, 2002, true), 2);
}

/* Where all is well a name that has addresses waits for its turn. */
static void without_hurry_a_change_concerns_what_has_no_address(void **state)
{
	struct fixture *f = *state;

	resolver_add(f->r, "other.test", PORT);
	resolver_add(f->r, "missing.test", PORT);
	assert_int_equal(tick(f, 1000, false), 2);
	resolver_changed(f->r);
	assert_int_equal(tick(f, 1001, false), 1);
	assert_int_equal(f->reports, 1);
	/* That it was well then is not kept for later. */
	assert_int_equal(tick(f, 1002, true), 0);
}

static void wait_until_hanging(unsigned n)
{
	struct timespec until;

	assert_int_equal(clock_gettime(CLOCK_REALTIME, &until), 0);
	until.tv_sec += WAIT_MS / 1000;
	pthread_mutex_lock(&dns.lock);
	while (dns.hanging < n)
		if (pthread_cond_timedwait(&dns.change, &dns.lock, &until) != 0)
			break;
	n = dns.hanging < n ? 0 : n;
	pthread_mutex_unlock(&dns.lock);
	if (n == 0)
		fail_msg("the look-ups did not begin");
}

static void let_go(void)
{
	pthread_mutex_lock(&dns.lock);
	dns.let_go = true;
	pthread_cond_broadcast(&dns.change);
	pthread_mutex_unlock(&dns.lock);
}

/* By itself one question at a time, after a change one more, and no more than that. */
static void a_look_up_that_hangs_is_begun_anew_after_a_change_only(void **state)
{
	struct fixture *f = *state;

	resolver_add(f->r, "hangs.test", PORT);
	resolver_tick(f->r, 1000, true);
	wait_until_hanging(1);
	resolver_tick(f->r, 1000000, true);
	assert_false(settle(f, SETTLE_MS));
	assert_int_equal(asked(), 1);
	resolver_changed(f->r);
	resolver_tick(f->r, 1001000, true);
	wait_until_hanging(2);
	resolver_changed(f->r);
	resolver_tick(f->r, 1002000, true);
	assert_false(settle(f, SETTLE_MS));
	assert_int_equal(asked(), 2);
	let_go();
	assert_true(settle(f, WAIT_MS));
	assert_in_range(f->reports, 1, 2); /* the older answer may be late */
	/* What had no room then is asked now. */
	assert_int_equal(tick(f, 1003000, true), 1);
}

static void hang_and_ask_anew(struct fixture *f)
{
	resolver_add(f->r, "first.test", PORT);
	resolver_tick(f->r, 1000, true);
	wait_until_hanging(1);
	resolver_changed(f->r);
	resolver_tick(f->r, 2000, true);
	for (unsigned i = 0; i < WAIT_MS / SETTLE_MS && f->reports == 0; i++)
		(void)settle(f, SETTLE_MS);
	assert_int_equal(f->reports, 1);
	assert_address(f, 0, "192.0.2.9");
}

static void the_newest_answer_counts(void **state)
{
	struct fixture *f = *state;

	hang_and_ask_anew(f);
	let_go();
	assert_true(settle(f, WAIT_MS));
	assert_int_equal(f->reports, 1);
}

static void an_old_answer_counts_behind_a_newer_failure(void **state)
{
	struct fixture *f = *state;

	dns.missing = true;
	resolver_add(f->r, "first.test", PORT);
	resolver_tick(f->r, 1000, true);
	wait_until_hanging(1);
	resolver_changed(f->r);
	resolver_tick(f->r, 2000, true);
	for (unsigned i = 0; i < WAIT_MS / SETTLE_MS && f->warnings == 0; i++)
		(void)settle(f, SETTLE_MS);
	assert_int_equal(f->warnings, 1);
	let_go();
	assert_true(settle(f, WAIT_MS));
	assert_int_equal(f->reports, 1);
	assert_address(f, 0, "192.0.2.1");
}

static void an_old_failure_is_not_told_behind_a_newer_answer(void **state)
{
	struct fixture *f = *state;

	dns.missed = true;
	hang_and_ask_anew(f);
	let_go();
	assert_true(settle(f, WAIT_MS));
	assert_int_equal(f->lines, 0);
}

static void nothing_is_reported_after_a_stop(void **state)
{
	struct fixture *f = *state;

	resolver_add(f->r, "hangs.test", PORT);
	resolver_add(f->r, "192.0.2.7", PORT);
	resolver_tick(f->r, 1000, true);
	assert_int_equal(f->reports, 1);
	wait_until_hanging(1);
	resolver_stop(f->r);
	/* It cannot be taken back: the loop stays busy. */
	assert_false(settle(f, SETTLE_MS));
	resolver_tick(f->r, 1000000, true);
	let_go();
	assert_true(settle(f, WAIT_MS));
	assert_int_equal(tick(f, 2000000, true), 0);
	assert_int_equal(f->reports, 1);
	assert_int_equal(f->lines, 0);
	assert_int_equal(asked(), 1);
}

/* Behind those that hang others have not begun: they never do. */
static void a_stop_takes_back_what_has_not_begun(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < POOL; i++)
		resolver_add(f->r, "hangs.test", PORT);
	resolver_add(f->r, "other.test", PORT);
	resolver_add(f->r, "missing.test", PORT);
	resolver_tick(f->r, 1000, true);
	/* libuv lets look-ups have half of its threads. */
	wait_until_hanging(POOL / 2);
	resolver_stop(f->r);
	let_go();
	assert_true(settle(f, WAIT_MS));
	assert_int_equal(asked(), POOL / 2);
	assert_int_equal(f->reports, 0);
	assert_int_equal(f->lines, 0);
}

static void nothing_can_be_stopped_and_destroyed(void **state)
{
	(void)state;
	resolver_stop(NULL);
	resolver_destroy(NULL);
}

int main(void)
{
#define RESOLVER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		RESOLVER_TEST(an_address_is_reported_at_the_next_tick_and_once),
		RESOLVER_TEST(a_name_is_found_as_this_system_finds_it),
		RESOLVER_TEST(addresses_keep_the_order_of_the_system),
		RESOLVER_TEST(of_too_many_addresses_the_first_are_taken),
		RESOLVER_TEST(each_name_is_reported_under_its_number),
		RESOLVER_TEST(a_name_without_usable_address_is_told),
		RESOLVER_TEST(a_missing_name_is_told_once_until_it_was_found),
		RESOLVER_TEST(a_name_is_looked_up_again_every_five_minutes),
		RESOLVER_TEST(in_a_hurry_pauses_grow_from_one_second_to_ten),
		RESOLVER_TEST(a_change_has_names_looked_up_at_once),
		RESOLVER_TEST(without_hurry_a_change_concerns_what_has_no_address),
		RESOLVER_TEST(a_look_up_that_hangs_is_begun_anew_after_a_change_only),
		RESOLVER_TEST(the_newest_answer_counts),
		RESOLVER_TEST(an_old_answer_counts_behind_a_newer_failure),
		RESOLVER_TEST(an_old_failure_is_not_told_behind_a_newer_answer),
		RESOLVER_TEST(nothing_is_reported_after_a_stop),
		RESOLVER_TEST(a_stop_takes_back_what_has_not_begun),
		cmocka_unit_test(nothing_can_be_stopped_and_destroyed),
	};

	if (setenv("UV_THREADPOOL_SIZE", "4", 1) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
