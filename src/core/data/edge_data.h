/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The data path of an edge: frames from the interface to datagrams, datagrams to frames. Run by
 * workers, each with its own struct edge_worker and the newest view, in batches.
 */
#ifndef N2N_CORE_DATA_EDGE_DATA_H
#define N2N_CORE_DATA_EDGE_DATA_H

#include "core/data/halves.h"
#include "core/data/note.h"
#include "core/data/storm.h"
#include "core/frame/offload.h"
#include "core/view/view.h"

/* The way into the interfaces, and what they take. */
struct frame_sink {
	void (*write)(void *ctx, unsigned community, const struct joined *j, size_t n);
	void *ctx;
	unsigned kinds;	 /* of super-frames: a set of OFFLOAD_BIT */
	bool csum_unset; /* frames whose checksum is unset */
};

/*
 * Whose masks fitted the last datagram: where the search for the next one's begins, as a stream is
 * mostly of one community. Any numbers: views change.
 */
struct last_masks {
	uint32_t hop;	    /* of the view's hops */
	unsigned community; /* of its communities */
};

struct edge_worker {
	struct transmitter tx;
	struct receiver rx;
	struct drops drops;
	struct tx run[BATCH_MAX];
	uint8_t copies[BATCH_MAX][SLOT_LEN]; /* of frames that go to many */
	size_t n_copies;		     /* of these, on their way out */
	struct last_masks last;
	struct halves halves;	/* of edge_datagrams_in, until edge_frames_in has been called */
	struct storm *storm;	/* what may go to many, counted with all workers of the edge */
	struct storm own_storm; /* that, where there is one, or of the first of them */
	struct join join;
	struct frame_sink in; /* for edge_frames_in */
	struct notes *notes; /* for edge_frames_out: what cannot go out yet, and word of what did */
};

/*
 * thread: its number, below core_config.nworkers. The caller sets in and notes afterwards, and
 * storm where there are several workers, which are borrowed, as is what sink leads to. N2N_ENOMEM:
 * nothing is held.
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
