/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worker with real sockets: it hears its stop at any moment, and unpacks what the sockets got. */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/link/view.h"
#include "host/worker/worker.h"

#include <cmocka.h>

#define LOOPBACK    0x7f000001
#define STOP_TRIALS 1000
#define TRAIN	    45
#define WAIT_S	    5

/* What the role saw; written by the worker's thread, read after it was stopped or by the counts. */
static struct {
	atomic_uint datagrams;
	bool wrong_view;
	unsigned batches;
	unsigned in_batch[BATCH_MAX];
	uint8_t first_byte[2 * BATCH_MAX];
} seen;

static struct worker worker;
static struct drops drops;
static struct publication views;
static struct view *view;

static void take(struct worker *w, const struct view *v, size_t n)
{
	unsigned at = atomic_load(&seen.datagrams);

	seen.wrong_view = seen.wrong_view || v != view;
	w->moved = true; /* so that it looks around before it sleeps */
	for (size_t i = 0; i < n && at + i < sizeof(seen.first_byte); i++)
		seen.first_byte[at + i] = w->rx[i].in.data[0];
	if (seen.batches < BATCH_MAX)
		seen.in_batch[seen.batches++] = (unsigned)n;
	atomic_fetch_add(&seen.datagrams, (unsigned)n);
}

static void notify(void *ctx)
{
	(void)ctx;
}

static struct udp *open_udp(unsigned use)
{
	const struct endpoint at = endpoint_v4(LOOPBACK, 0);
	struct os_error err;
	struct udp *u = NULL;

	assert_int_equal(udp_open(&u, &at, use, &err), 0);
	return u;
}

static struct udp *start(unsigned use)
{
	static const struct worker_role role = {.datagrams = take};
	struct udp *u = open_udp(use);
	const struct worker_config c = {.udp = u, .views = &views, .notify = notify};

	memset(&seen, 0, sizeof(seen));
	memset(&drops, 0, sizeof(drops));
	publication_init(&views, 1);
	publication_show(&views, view);
	assert_int_equal(worker_init(&worker, &c, &role), 0);
	worker.drops = &drops;
	assert_int_equal(worker_start(&worker), 0);
	return u;
}

static void stop(struct udp *u)
{
	worker_stop(&worker);
	worker_fini(&worker);
	udp_close(u);
}

/* Sends n datagrams of len bytes that begin with their number. */
static void send_all(const struct udp *to, size_t n, size_t len)
{
	static uint8_t bytes[BATCH_MAX][256];
	struct udp_packet_out out[BATCH_MAX];
	struct udp *from = open_udp(FEATURES_OF_UDP);
	struct udp_batch *b;
	struct udp_sent sent = {0};

	assert_int_equal(udp_batch_create(&b, BATCH_MAX), 0);
	for (size_t i = 0; i < n; i++) {
		bytes[i][0] = (uint8_t)i;
		out[i] = (struct udp_packet_out){.data = bytes[i],
			.len = len,
			.to = endpoint_v4(LOOPBACK, udp_port(to, UDP_V4))};
	}
	assert_int_equal(udp_send(from, b, out, n, &sent), n);
	assert_int_equal(sent.sent, n);
	udp_batch_destroy(b);
	udp_close(from);
}

static bool wait_for(const _Atomic uint64_t *count, uint64_t at_least)
{
	for (int i = 0; i < WAIT_S * 10000; i++) {
		if (atomic_load(count) >= at_least)
			return true;
		nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
	}
	return false;
}

static bool wait_for_datagrams(unsigned n)
{
	for (int i = 0; i < WAIT_S * 10000; i++) {
		if (atomic_load(&seen.datagrams) >= n)
			return true;
		nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
	}
	return false;
}

/* While it looks around, while it falls asleep, while it sleeps; a missed one would hang. */
static void a_stop_is_never_missed(void **state)
{
	(void)state;
	for (int i = 0; i < STOP_TRIALS; i++) {
		struct udp *u = start(0);

		send_all(u, 1, 26);
		while (atomic_load(&seen.datagrams) == 0)
			;
		for (volatile int k = 0; k < i % 40 * 500; k++)
			;
		alarm(WAIT_S);
		stop(u);
		alarm(0);
	}
}

static void a_train_stays_together(void **state)
{
	struct udp *u = start(FEATURES_OF_UDP);

	(void)state;
	if (udp_uses(u) != FEATURES_OF_UDP) {
		stop(u);
		print_message("this system lacks UDP_SEGMENT or UDP_GRO\n");
		skip();
	}
	send_all(u, TRAIN, 200);
	assert_true(wait_for_datagrams(TRAIN));
	send_all(u, BATCH_MAX, 100);
	assert_true(wait_for_datagrams(TRAIN + BATCH_MAX));
	stop(u);
	assert_false(seen.wrong_view);
	assert_int_equal(seen.batches, 2);
	assert_int_equal(seen.in_batch[0], TRAIN);
	assert_int_equal(seen.in_batch[1], BATCH_MAX);
	for (unsigned i = 0; i < TRAIN + BATCH_MAX; i++)
		assert_int_equal(seen.first_byte[i], i < TRAIN ? i : i - TRAIN);
}

/* What cannot be a packet costs next to nothing, and is counted. */
static void tiny_datagrams_are_counted_only(void **state)
{
	static const unsigned uses[] = {0, FEATURES_OF_UDP};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct udp *u = start(uses[i]);

		send_all(u, BATCH_MAX, DATAGRAM_MIN_LEN - 1);
		assert_true(wait_for(&drops.n[DROP_TOO_SHORT], BATCH_MAX));
		send_all(u, 1, 0);
		assert_true(wait_for(&drops.n[DROP_TOO_SHORT], BATCH_MAX + 1));
		stop(u);
		assert_int_equal(seen.datagrams, 0);
	}
}

static int setup(void **state)
{
	static const uint8_t hash_key[SIPHASH_KEY_LEN];

	(void)state;
	view = view_create(hash_key, 1, 1);
	return view == NULL;
}

static int teardown(void **state)
{
	(void)state;
	view_destroy(view);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stop_is_never_missed),
		cmocka_unit_test(a_train_stays_together),
		cmocka_unit_test(tiny_datagrams_are_counted_only),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
