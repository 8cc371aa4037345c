/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worker with real sockets: it hears its stop at any moment, and unpacks what the sockets got. */
#define _GNU_SOURCE
#define _POSIX_C_SOURCE 200809L
#include <net/if.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/view/view.h"
#include "host/worker/edge.h"
#include "host/worker/supernode.h"
#include "resident_test.h"

#include <cmocka.h>

#define LOOPBACK    0x7f000001
#define STOP_TRIALS 1000
#define TRAIN	    45
#define WAIT_MS	    20000 /* for what is due, at most */
#define PAUSE_NS    100000

/* What the role saw; written by the worker's thread, read after it was stopped or by the counts. */
static struct {
	atomic_uint datagrams;
	bool wrong_view;
	unsigned batches;
	unsigned in_batch[BATCH_MAX];
	uint8_t first_byte[2 * BATCH_MAX];
} seen;

static struct worker worker;
static struct udp *running; /* the worker's socket, from start to stop */
static struct drops drops;
static struct publication views;
static struct view_editor editor;
static const struct view *view;

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

static struct overlays overlays;

static struct udp *start(unsigned use)
{
	static const struct worker_role role = {.datagrams = take};
	struct udp *u = open_udp(use);
	const struct worker_config c = {
		.udp = u, .views = &views, .overlays = &overlays, .notify = notify};

	memset(&seen, 0, sizeof(seen));
	memset(&drops, 0, sizeof(drops));
	publication_init(&views, 1);
	publication_show(&views, view);
	assert_int_equal(worker_init(&worker, &c, &role), 0);
	worker.drops = &drops;
	assert_int_equal(worker_start(&worker), 0);
	running = u;
	return u;
}

/* The process ends where a stop is missed: nobody else could end the thread. */
static void missed(int signal)
{
	static const char text[] = "the worker does not hear its stop\n";

	(void)signal;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

static void stop(struct udp *u)
{
	signal(SIGALRM, missed);
	alarm(WAIT_MS / 1000);
	worker_stop(&worker);
	alarm(0);
	running = NULL;
	worker_fini(&worker);
	udp_close(u);
}

/* Sends n datagrams of len bytes that begin with their number. */
static void send_to(const struct endpoint *to, size_t n, size_t len)
{
	static uint8_t bytes[BATCH_MAX][256];
	struct udp_packet_out out[BATCH_MAX];
	const struct endpoint anywhere = {0};
	struct os_error err;
	struct udp *from;
	struct udp_batch *b;
	struct udp_sent sent = {0};

	assert_int_equal(udp_open(&from, &anywhere, FEATURES_OF_UDP, &err), 0);
	assert_int_equal(udp_batch_create(&b, BATCH_MAX), 0);
	for (size_t i = 0; i < n; i++) {
		bytes[i][0] = (uint8_t)i;
		out[i] = (struct udp_packet_out){.data = bytes[i], .len = len, .to = *to};
	}
	assert_int_equal(udp_send(from, b, out, n, &sent), n);
	assert_int_equal(sent.sent, n);
	udp_batch_destroy(b);
	udp_close(from);
}

static void send_all(const struct udp *to, size_t n, size_t len)
{
	const struct endpoint at = endpoint_v4(LOOPBACK, udp_port(to, UDP_V4));

	send_to(&at, n, len);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void wait_for_drops(enum drop why, uint64_t n)
{
	const uint64_t until_ms = now_ms() + WAIT_MS;

	while (atomic_load(&drops.n[why]) < n) {
		if (now_ms() > until_ms)
			fail_msg("%u of %u datagrams were counted", (unsigned)drops.n[why],
				(unsigned)n);
		nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
	}
}

/* As long as pause_ns is 0 it spins, to be there at once. */
static void wait_for_datagrams(unsigned n, long pause_ns)
{
	const uint64_t until_ms = now_ms() + WAIT_MS;

	while (atomic_load(&seen.datagrams) < n) {
		if (now_ms() > until_ms)
			fail_msg("%u of %u datagrams came", seen.datagrams, n);
		if (pause_ns > 0)
			nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
	}
}

/* While it looks around, while it falls asleep, while it sleeps; a missed one would hang. */
static void a_stop_is_never_missed(void **state)
{
	(void)state;
	for (int i = 0; i < STOP_TRIALS; i++) {
		struct udp *u = start(0);

		send_all(u, 1, 26);
		wait_for_datagrams(1, 0);
		for (volatile int k = 0; k < i % 40 * 500; k++)
			;
		stop(u);
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
	wait_for_datagrams(TRAIN, PAUSE_NS);
	send_all(u, BATCH_MAX, 100);
	wait_for_datagrams(TRAIN + BATCH_MAX, PAUSE_NS);
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
		wait_for_drops(DROP_TOO_SHORT, BATCH_MAX);
		send_all(u, 1, 0);
		wait_for_drops(DROP_TOO_SHORT, BATCH_MAX + 1);
		stop(u);
		assert_int_equal(seen.datagrams, 0);
	}
}

/* No worker runs. */
static void destroy_now(void *ctx, void *memory, void (*destroy)(void *memory))
{
	(void)ctx;
	destroy(memory);
}

/* The edge's supernode is at this port of ours; 0: it knows none yet. */
static void show_supernode(uint16_t port)
{
	editor.doors.n_hops = port != 0;
	editor.doors.hop[0].way.remote = endpoint_v4(LOOPBACK, port);
	editor.changed = true;
	assert_int_equal(view_publish(&editor, destroy_now, NULL), 0);
	view = editor.shown;
}

/* What comes by an interface of an n2n network would be carried by itself. */
static void what_comes_by_an_overlay_is_counted_only(void **state)
{
	const unsigned lo = if_nametoindex("lo"), other = lo + 1;
	struct udp *u;

	(void)state;
	overlays_set(&overlays, (const unsigned[]){other, lo}, 2);
	show_supernode(1);
	u = start(FEATURES_OF_UDP);
	send_all(u, BATCH_MAX, 100);
	wait_for_drops(DROP_OVERLAY, BATCH_MAX);
	assert_int_equal(seen.datagrams, 0);
	overlays_set(&overlays, &other, 1);
	send_all(u, BATCH_MAX, 100);
	wait_for_datagrams(BATCH_MAX, PAUSE_NS);
	stop(u);
	assert_int_equal(drops.n[DROP_OVERLAY], BATCH_MAX);
	assert_false(overlays_has(NULL, lo));
	/* What may be a supernode's answer is the control thread's to judge. */
	overlays_set(&overlays, &lo, 1);
	show_supernode(0);
	u = start(FEATURES_OF_UDP);
	send_all(u, 1, 100);
	wait_for_datagrams(1, PAUSE_NS);
	stop(u);
	overlays_set(&overlays, NULL, 0);
}

/* A source that each turn brings much to send, and one that has something once that goes on. */
static struct {
	struct endpoint other;
	bool sends;	/* what comes has much sent */
	unsigned turns; /* of the first, before the other's */
	uint64_t turn_ns;
	atomic_bool other_came;
} shared;

/* How long the calling thread would have a core at a time; 0: this system does not say. */
static uint64_t turn_of_thread(void)
{
	uint64_t attributes[7] = {sizeof(attributes)};

	if (syscall(SYS_sched_getattr, 0, attributes, sizeof(attributes), 0) != 0)
		return 0;
	return attributes[3]; /* sched_runtime */
}

static void send_much(struct worker *w)
{
	static uint8_t byte;
	const struct datagram_sink sink = worker_sink(w);
	struct datagram d[BATCH_MAX];

	for (unsigned i = 0; i < BATCH_MAX; i++)
		d[i] = (struct datagram){
			&byte, 1, {.carrier = CARRIER_UDP, .remote = endpoint_v4(LOOPBACK, 9)}};
	for (unsigned n = 0; n < TURN_MAX; n += BATCH_MAX)
		sink.send(sink.ctx, d, BATCH_MAX);
}

static void take_shared(struct worker *w, const struct view *v, size_t n)
{
	(void)v;
	(void)n;
	if (!endpoint_is_v4(&w->rx[0].in.way.remote)) {
		shared.turn_ns = turn_of_thread();
		atomic_store(&shared.other_came, true);
		return;
	}
	if (atomic_load(&shared.other_came))
		return;
	if (shared.turns++ == 0)
		send_to(&shared.other, 1, 26);
	if (shared.sends)
		send_much(w);
}

/* Who comes while a batch of another source is at work waits for that and one more, not for all. */
static void have_much(bool sends)
{
	static const struct worker_role role = {.datagrams = take_shared};
	const struct endpoint anywhere = {0};
	const uint64_t until_ms = now_ms() + WAIT_MS;
	struct worker_config c = {.views = &views, .notify = notify};
	struct os_error err;

	shared.sends = sends;
	shared.turns = 0;
	atomic_store(&shared.other_came, false);
	assert_int_equal(udp_open(&running, &anywhere, 0, &err), 0);
	c.udp = running;
	shared.other = (struct endpoint){.ip = {[15] = 1}, .port = udp_port(running, UDP_V6)};
	publication_init(&views, 1);
	publication_show(&views, view);
	assert_int_equal(worker_init(&worker, &c, &role), 0);
	worker.drops = &drops;
	if (shared.other.port == 0) {
		stop(running);
		print_message("this system lacks IPv6\n");
		skip();
	}
	for (unsigned i = 0; i < 6; i++)
		send_all(running, BATCH_MAX, 26);
	assert_int_equal(worker_start(&worker), 0);
	while (!atomic_load(&shared.other_came)) {
		if (now_ms() > until_ms)
			fail_msg("the other source was not looked at");
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
	}
	stop(running);
	assert_in_range(shared.turns, 1, 2);
}

static void much_to_send_is_in_nobodys_way(void **state)
{
	(void)state;
	have_much(true);
}

static void much_that_comes_is_in_nobodys_way(void **state)
{
	uint64_t own_ns;

	(void)state;
	have_much(false);
	/* Where the system has such a thing, the worker asked for it. */
	thread_take_short_turns();
	own_ns = turn_of_thread();
	print_message("turns of %u us\n", (unsigned)(own_ns / 1000));
	assert_int_equal(shared.turn_ns, own_ns);
}

static size_t missing_of(const struct worker *w)
{
	size_t missing = pages_missing(w->buffers, (size_t)BATCH_MAX * UDP_TRAIN_MAX);

	for (unsigned i = 0; i < NOTE_QUEUES; i++)
		missing += pages_missing(
			w->queue[i].notes, (w->queue[i].mask + 1) * sizeof(struct note));
	return missing;
}

/* Else a program grows with what comes, for minutes and again in a rush. */
static void all_memory_is_there_from_the_start(void **state)
{
	struct udp *u = open_udp(FEATURES_OF_UDP);
	const struct worker_config c = {.udp = u, .views = &views, .notify = notify};
	struct relay_pairs *pairs = relay_pairs_create();
	struct worker_supernode *supernode;
	struct worker_edge *edge;

	(void)state;
	assert_non_null(pairs);
	assert_int_equal(worker_edge_create(&edge, &c), 0);
	assert_int_equal(missing_of(&edge->base), 0);
	assert_int_equal(pages_missing(edge, sizeof(*edge)), 0);
	assert_int_equal(pages_missing(edge->super, TAP_FRAME_MAX), 0);
	assert_int_equal(pages_missing(edge->slots, BATCH_MAX * sizeof(*edge->slots)), 0);
	worker_edge_destroy(edge);
	assert_int_equal(worker_supernode_create(&supernode, &c, pairs), 0);
	assert_int_equal(missing_of(&supernode->base), 0);
	assert_int_equal(pages_missing(supernode, sizeof(*supernode)), 0);
	worker_supernode_destroy(supernode);
	relay_pairs_destroy(pairs);
	udp_close(u);
}

/* A test that failed leaves its worker running. */
static int stop_what_runs(void **state)
{
	(void)state;
	if (running != NULL)
		stop(running);
	return 0;
}

static int setup(void **state)
{
	static const uint8_t hash_key[SIPHASH_KEY_LEN];

	(void)state;
	if (view_editor_init(&editor, hash_key) != 0 || view_publish(&editor, NULL, NULL) != 0)
		return 1;
	view = editor.shown;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	view_editor_fini(&editor);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_memory_is_there_from_the_start),
		cmocka_unit_test_teardown(a_stop_is_never_missed, stop_what_runs),
		cmocka_unit_test_teardown(a_train_stays_together, stop_what_runs),
		cmocka_unit_test_teardown(tiny_datagrams_are_counted_only, stop_what_runs),
		cmocka_unit_test_teardown(what_comes_by_an_overlay_is_counted_only, stop_what_runs),
		cmocka_unit_test_teardown(much_to_send_is_in_nobodys_way, stop_what_runs),
		cmocka_unit_test_teardown(much_that_comes_is_in_nobodys_way, stop_what_runs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
