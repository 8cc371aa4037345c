/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the loop of a worker thread: who is ready, a few batches from each, what is left over. */
#include "host/worker/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/resident.h"
#include "core/view/view.h"
#include "os/sys.h"

#define ROUNDS	      4 /* batches per source and wake-up: none may starve the others */
#define BUFFER_LEN    UDP_TRAIN_MAX
#define AT_ONCE	      (256 << 10) /* bytes received before they are looked at: what a cache holds */
#define SOURCES_MAX   (UDP_FAMILIES + COMMUNITIES_MAX)
#define PATIENCE_NS   100000u
#define IN_VAIN_MAX   8	 /* times in a row, before it is rare */
#define PATIENT_EVERY 64 /* wake-ups, from then on */

static const size_t queue_sizes[NOTE_QUEUES] = {
	[QUEUE_CONTROL] = 256,
	[QUEUE_OWN] = 128,
	[QUEUE_LOOP] = 128, /* probes of three on a LAN with 32 VLANs */
	[QUEUE_GROUPS] = 64,
	[QUEUE_RELAYED] = 128,
	[QUEUE_UNKNOWN] = 256, /* of a flood of 20,000 a second, what comes in 10 ms */
	[QUEUE_HELLO] = 128,
};

/* ---- to the control thread ---- */

static struct note *next_note(void *ctx, enum note_queue queue)
{
	struct worker *w = ctx;

	return queue_next(&w->queue[queue]);
}

static void push_note(void *ctx, enum note_queue queue)
{
	struct worker *w = ctx;

	queue_push(&w->queue[queue]);
	w->posted = true;
}

static size_t filled(void *ctx, enum note_queue queue)
{
	struct worker *w = ctx;

	return queue_filled(&w->queue[queue]);
}

void worker_count(struct worker *w, struct drops *drops)
{
	struct note_sink sink = {.next = next_note, .push = push_note, .filled = filled, .ctx = w};

	memcpy(sink.size, queue_sizes, sizeof(sink.size));
	notes_init(&w->notes, &sink, drops);
	w->drops = drops;
}

void worker_fail(struct worker *w)
{
	atomic_store(&w->failed, true);
	w->posted = true;
}

/* ---- sockets ---- */

/* What does not fit into the socket's buffer is lost: there is a long queue ahead of it already. */
static void send_datagrams(void *ctx, const struct datagram *d, size_t n)
{
	struct worker *w = ctx;
	struct udp_sent count = {0};

	for (size_t i = 0; i < n; i++)
		w->sending[i] = (struct udp_packet_out){
			.data = d[i].data,
			.len = d[i].len,
			.to = d[i].way.remote,
			.local = d[i].way.local,
		};
	(void)udp_send(w->c.udp, w->batch_out, w->sending, n, &count);
	w->handled += n;
	if (count.too_large > 0)
		drops_add(w->drops, DROP_UNDERLAY_MTU, count.too_large);
	if (count.sent + count.too_large < n)
		drops_add(w->drops, DROP_SOCKET, n - count.sent - count.too_large);
}

struct datagram_sink worker_sink(struct worker *w)
{
	return (struct datagram_sink){.send = send_datagrams, .ctx = w};
}

static size_t datagrams_of(const struct udp_packet *p)
{
	return (p->len + p->segment_size - 1) / p->segment_size;
}

/*
 * What a member sends straight comes by the network underneath; else it is carried by a path that
 * it is to be for. A supernode may be inside another n2n network, and the first one answers before
 * the view has it.
 */
static bool is_nested(const struct worker *w, const struct view *v, const struct udp_packet *p)
{
	const struct way from = {.carrier = CARRIER_UDP, .remote = p->from};

	return overlays_has(w->c.overlays, p->link) && v->doors.n_hops > 0 &&
	       !view_is_supernode(v, &from);
}

/* Nothing in it can be a packet of ours. */
static void drop_packet(struct worker *w, const struct udp_packet *p)
{
	if (p->truncated)
		drops_add(w->drops, DROP_TOO_LONG, 1);
	else
		drops_add(w->drops, DROP_TOO_SHORT, p->segment_size > 0 ? datagrams_of(p) : 1);
}

/* Appends the datagrams of a packet to the count in w->rx, working through them when it is full. */
static size_t unpack(
	struct worker *w, const struct view *v, const struct udp_packet *p, size_t count)
{
	w->handled += datagrams_of(p);
	for (size_t at = 0; at < p->len; at += p->segment_size) {
		size_t left = p->len - at;

		if (count == BATCH_MAX) {
			w->role->datagrams(w, v, count);
			count = 0;
		}
		w->rx[count++].in = (struct datagram){
			.data = p->data + at,
			.len = left < p->segment_size ? left : p->segment_size,
			.way = {CARRIER_UDP, p->from, p->local},
		};
	}
	return count;
}

/* False when the socket is empty for now. */
static bool receive(struct worker *w, const struct view *v, enum udp_family family)
{
	size_t asked = w->asked, count = 0, bytes = 0;
	int n = udp_recv(w->c.udp, family, w->batch_in, w->packets, asked);

	if (n < 0) {
		worker_fail(w);
		return false;
	}
	for (int i = 0; i < n; i++) {
		const struct udp_packet *p = &w->packets[i];

		bytes += p->len;
		if (p->truncated || p->segment_size < DATAGRAM_MIN_LEN) {
			drop_packet(w, p);
			continue;
		}
		if (is_nested(w, v, p)) {
			drops_add(w->drops, DROP_OVERLAY, datagrams_of(p));
			continue;
		}
		/* A train stays together, so that its frames can be joined. */
		if (count + datagrams_of(p) > BATCH_MAX && count > 0) {
			w->role->datagrams(w, v, count);
			count = 0;
		}
		count = unpack(w, v, p, count);
	}
	if (count > 0)
		w->role->datagrams(w, v, count);
	w->asked = bytes > AT_ONCE / 2 ? AT_ONCE / BUFFER_LEN : BATCH_MAX;
	return (size_t)n == asked;
}

/* ---- the loop ---- */

static bool serve(struct worker *w, const struct view *v, unsigned source)
{
	if (source < UDP_FAMILIES)
		return receive(w, v, source);
	return w->role->frames(w, v, source - UDP_FAMILIES);
}

/* After much work it looks who has become ready since: another round would be ahead of them. */
static void wake_up(struct worker *w, unsigned ready[], size_t n)
{
	const struct view *v = publication_enter(w->c.views, w->c.number);
	const uint64_t before = w->handled;

	w->now_ms = sys_now_ms();
	for (unsigned round = 0; n > 0 && round < ROUNDS && w->handled - before < TURN_MAX;
		round++) {
		size_t left = 0;

		for (size_t i = 0; i < n; i++)
			if (serve(w, v, ready[i]))
				ready[left++] = ready[i];
		n = left;
	}
	publication_leave(w->c.views, w->c.number);
	if (w->posted) {
		w->posted = false;
		w->c.notify(w->c.notify_ctx);
	}
}

/*
 * An answer often comes soon, and a sleeper is woken at several times the cost of a packet. So who
 * has just moved frames looks around for a moment, letting others run, and leaves that to one in
 * some wake-ups where it was in vain of late.
 */
static bool is_patient(struct worker *w)
{
	bool moved = w->moved;

	w->moved = false;
	return moved && (w->in_vain < IN_VAIN_MAX || ++w->skipped % PATIENT_EVERY == 0);
}

static int look_around(struct worker *w, unsigned ready[])
{
	uint64_t until = sys_now_ns() + PATIENCE_NS;
	int n;

	do {
		n = poll_wait(w->poll, 0, ready, SOURCES_MAX);
		if (n != 0) {
			w->in_vain = 0;
			return n;
		}
		thread_yield();
	} while (sys_now_ns() < until && !atomic_load_explicit(&w->stop, memory_order_relaxed));
	w->in_vain++;
	return 0;
}

/* Looking around may have used up the wake-up that goes with stop. */
static int wait_for_work(struct worker *w, unsigned ready[])
{
	int n = is_patient(w) ? look_around(w, ready) : 0;

	return n != 0 || atomic_load(&w->stop) ? n : poll_wait(w->poll, -1, ready, SOURCES_MAX);
}

static void run(void *ctx)
{
	struct worker *w = ctx;

	thread_take_short_turns();
	while (!atomic_load(&w->stop) && !atomic_load(&w->failed)) {
		unsigned ready[SOURCES_MAX];
		int n = wait_for_work(w, ready);

		if (n < 0)
			worker_fail(w);
		wake_up(w, ready, n > 0 ? (size_t)n : 0);
	}
}

static int add_sockets(struct worker *w)
{
	for (unsigned family = 0; family < UDP_FAMILIES; family++) {
		int rc = poll_add_udp(w->poll, w->c.udp, family, family);

		if (rc != 0 && rc != N2N_ENOENT) /* the family is not available */
			return rc;
	}
	return 0;
}

static int make(struct worker *w)
{
	int rc = poll_create(&w->poll);

	if (rc == 0)
		rc = udp_batch_create(&w->batch_in, BATCH_MAX);
	if (rc == 0)
		rc = udp_batch_create(&w->batch_out, BATCH_MAX);
	if (rc == 0)
		udp_batch_leave_room(w->batch_out); /* to the control thread */
	for (unsigned i = 0; rc == 0 && i < NOTE_QUEUES; i++)
		rc = queue_init(&w->queue[i], queue_sizes[i]);
	if (rc == 0 && (w->buffers = resident_calloc(BATCH_MAX, BUFFER_LEN)) == NULL)
		rc = N2N_ENOMEM;
	return rc == 0 ? add_sockets(w) : rc;
}

int worker_init(struct worker *w, const struct worker_config *c, const struct worker_role *role)
{
	int rc;

	memset(w, 0, sizeof(*w));
	w->c = *c;
	w->role = role;
	rc = make(w);
	if (rc != 0) {
		worker_fini(w);
		return rc;
	}
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		w->packets[i].data = w->buffers + (size_t)i * BUFFER_LEN;
		w->packets[i].cap = BUFFER_LEN;
	}
	w->asked = BATCH_MAX;
	return 0;
}

int worker_add_tap(struct worker *w, const struct tap *tap, unsigned i)
{
	return poll_add_tap(w->poll, tap, UDP_FAMILIES + i);
}

void worker_remove_tap(struct worker *w, const struct tap *tap)
{
	poll_remove_tap(w->poll, tap);
}

int worker_start(struct worker *w)
{
	char name[16];

	snprintf(name, sizeof(name), "worker %u", w->c.number);
	return thread_start(&w->thread, name, run, w);
}

void worker_stop(struct worker *w)
{
	if (w->thread == NULL)
		return;
	atomic_store(&w->stop, true);
	poll_wake(w->poll);
	thread_join(w->thread);
	w->thread = NULL;
}

void worker_fini(struct worker *w)
{
	for (unsigned i = 0; i < NOTE_QUEUES; i++)
		queue_fini(&w->queue[i]);
	udp_batch_destroy(w->batch_in);
	udp_batch_destroy(w->batch_out);
	poll_destroy(w->poll);
	if (w->buffers != NULL)
		crypto_wipe(w->buffers, (size_t)BATCH_MAX * BUFFER_LEN);
	free(w->buffers);
	memset(w, 0, sizeof(*w));
}
