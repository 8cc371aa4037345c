/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A worker: a thread that owns a pair of UDP sockets and, at an edge, the interfaces' queues, and
 * moves packets in both directions. It looks things up in the published view, and leaves to the
 * control thread, through queues, whatever it cannot finish. No allocation, no lock, no log line
 * and no look at the clock per packet.
 *
 * This is the part that both roles share; worker/edge.h and worker/supernode.h embed it. The
 * control thread makes, starts, stops and ends workers; worker_fail and the sink are the worker's
 * own.
 */
#ifndef N2N_HOST_WORKER_WORKER_H
#define N2N_HOST_WORKER_WORKER_H

#include "core/data/receive.h"
#include "host/worker/overlays.h"
#include "host/worker/publication.h"
#include "host/worker/queue.h"
#include "os/poll.h"
#include "os/thread.h"
#include "os/udp.h"

/*
 * Datagrams that come and leave before it is looked who else has something, by and large: a frame
 * for many is many of them. What waits behind them waits as long as they take, and longer where
 * others want the core as well.
 */
#define TURN_MAX 64

struct worker;

struct worker_role {
	/* Works through w->rx[0..n). */
	void (*datagrams)(struct worker *w, const struct view *v, size_t n);
	/* Reads some frames from source i and sends them; returns false when that is empty. */
	bool (*frames)(struct worker *w, const struct view *v, unsigned i);
};

struct worker_config {
	unsigned number; /* from 0 */
	struct udp *udp;
	struct publication *views;
	const struct overlays *overlays; /* NULL: there are none */
	void (*notify)(void *ctx);	 /* wakes the control thread; from the worker's thread */
	void *notify_ctx;
};

struct worker {
	struct worker_config c;
	const struct worker_role *role;
	struct drops *drops; /* of the core's worker */
	struct poll *poll;
	struct thread *thread;
	struct udp_batch *batch_in;
	struct udp_batch *batch_out;
	uint8_t *buffers; /* of packets */
	struct udp_packet packets[BATCH_MAX];
	size_t asked; /* how many packets to receive next */
	struct udp_packet_out sending[BATCH_MAX];
	struct rx rx[BATCH_MAX];
	struct queue queue[NOTE_QUEUES];
	struct notes notes; /* what it leaves in them */
	uint64_t now_ms;
	uint64_t handled; /* datagrams that came and left, since it began */
	bool moved;	  /* frames, since it last waited for work */
	unsigned in_vain; /* waits for more that saw none, in a row */
	unsigned skipped; /* of them, not even tried */
	bool posted;	  /* something since the control thread was last woken */
	atomic_bool stop;
	atomic_bool failed; /* it ended by itself: a socket or interface is gone */
};

/*
 * Not running yet. *c is copied; what it points to, and role, are borrowed. N2N_ENOMEM, N2N_ENOSPC,
 * N2N_EEXIST: nothing is held. Then come worker_count, and worker_add_tap for each interface.
 */
MUST_CHECK int worker_init(
	struct worker *w, const struct worker_config *c, const struct worker_role *role);
/*
 * Adds an interface, a source of frames, which role->frames gets as number i, below
 * COMMUNITIES_MAX. tap is borrowed. Errors of poll_add_tap. Also while the worker runs.
 */
MUST_CHECK int worker_add_tap(struct worker *w, const struct tap *tap, unsigned i);
/* Takes it away again, also while the worker runs, which may be reading until it has rested. */
void worker_remove_tap(struct worker *w, const struct tap *tap);
/* Errors of thread_start. */
MUST_CHECK int worker_start(struct worker *w);
/* Stops the thread and waits for its end. One that was not started is fine. */
void worker_stop(struct worker *w);
/* Frees all; the thread has been stopped. A zeroed one is fine. */
void worker_fini(struct worker *w);

/* The core's way out: sends at once; what the socket's buffer does not take is dropped, counted. */
struct datagram_sink worker_sink(struct worker *w);
/* Where what is lost is counted: the core's worker of the role. Before worker_start. */
void worker_count(struct worker *w, struct drops *drops);

/* Ends the thread: what it works on is gone. */
void worker_fail(struct worker *w);

#endif
