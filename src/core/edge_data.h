/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The data path of an edge: frames from the interface to datagrams, datagrams to frames. Run by
 * workers, each with its own struct edge_worker and the newest view, in batches.
 */
#ifndef N2N_CORE_EDGE_DATA_H
#define N2N_CORE_EDGE_DATA_H

#include "core/receive.h"
#include "core/view.h"

/* A frame that cannot go out yet: the control thread holds it and starts a handshake. */
struct unsent {
	struct session *session; /* NULL: to every peer without keys */
	const struct frame *frame;
	unsigned community;
};

struct edge_worker {
	struct transmitter tx;
	struct receiver rx;
	struct drops drops;
	struct tx run[BATCH_MAX];
	uint8_t copy[SLOT_LEN]; /* of a frame that goes to many */
	void (*unsent)(void *ctx, const struct unsent *u);
	void *unsent_ctx;
};

MUST_CHECK int edge_worker_init(struct edge_worker *w, unsigned thread, struct datagram_sink sink);
void edge_worker_fini(struct edge_worker *w);

/* Sends n <= BATCH_MAX frames of a community's interface. Their buffers are sealed in place. */
void edge_frames_out(struct edge_worker *w, const struct view *v, unsigned community,
	struct frame *frames, size_t n, uint64_t now_ms);

/*
 * Takes n <= BATCH_MAX datagrams and gives each its verdict. Frames are then to be written to the
 * interface of session->community; control messages, unknown datagrams, and the first packet under
 * a key set (keyset.heard was false) to be passed to the control thread.
 */
void edge_datagrams_in(
	struct edge_worker *w, const struct view *v, struct rx *x, size_t n, uint64_t now_ms);

#endif
