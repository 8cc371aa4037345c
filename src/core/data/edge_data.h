/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The data path of an edge: frames from the interface to datagrams, datagrams to frames. Run by
 * workers, each with its own struct edge_worker and the newest view, in batches.
 */
#ifndef N2N_CORE_DATA_EDGE_DATA_H
#define N2N_CORE_DATA_EDGE_DATA_H

#include "base/pace.h"
#include "core/data/halves.h"
#include "core/data/note.h"
#include "core/frame/offload.h"
#include "core/view/view.h"

/* The way into the interfaces, and what they take. */
struct frame_sink {
	void (*write)(void *ctx, unsigned community, const struct joined *j, size_t n);
	void *ctx;
	unsigned kinds;	 /* of super-frames: a set of OFFLOAD_BIT */
	bool csum_unset; /* frames whose checksum is unset */
};

/* Frames to addresses that nobody knows: a community's, of one worker. */
#define FLOOD_EVERY_MS 1
#define FLOOD_BURST    2000

struct edge_worker {
	struct transmitter tx;
	struct receiver rx;
	struct drops drops;
	struct tx run[BATCH_MAX];
	uint8_t copy[SLOT_LEN]; /* of a frame that goes to many */
	struct halves halves;	/* of edge_datagrams_in, until edge_frames_in has been called */
	struct pace unknown[COMMUNITIES_MAX]; /* what is flooded for want of knowing better */
	struct join join;
	struct frame_sink in; /* for edge_frames_in */
	struct notes *notes; /* for edge_frames_out: what cannot go out yet, and word of what did */
};

/*
 * thread: its number, below core_config.nworkers. The caller sets in and notes afterwards, which
 * are borrowed, as is what sink leads to. N2N_ENOMEM: nothing is held.
 */
MUST_CHECK int edge_worker_init(struct edge_worker *w, unsigned thread, struct datagram_sink sink);
/* Once its thread has ended; a zeroed one is fine. */
void edge_worker_fini(struct edge_worker *w);

/*
 * Sends n <= BATCH_MAX frames of a community's interface, cut to what fits a datagram
 * (core/frame/offload.h). Their buffers are sealed in place. What cannot go out yet is left as a
 * note, what nobody is there for is dropped and counted. An index without a community in the view
 * is fine: all is dropped.
 */
void edge_frames_out(struct edge_worker *w, const struct view *v, unsigned community,
	struct frame *frames, size_t n, uint64_t now_ms);

/*
 * Takes n <= BATCH_MAX datagrams and gives each its verdict. Then edge_frames_in is to be
 * called for the frames, and notes_rx for all of them.
 */
void edge_datagrams_in(
	struct edge_worker *w, const struct view *v, struct rx *x, size_t n, uint64_t now_ms);
/* Joins the frames among n <= BATCH_MAX datagrams with a verdict and writes them to w->in. */
void edge_frames_in(struct edge_worker *w, const struct rx *x, size_t n);

#endif
