/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns what an edge's worker does with a batch: read and cut, hand to the core, write or pass on.
 */
#include "host/worker/edge.h"

#include <stdlib.h>
#include <string.h>

#include "base/resident.h"

/* What is taken from the interface per turn, so that the sockets get theirs. */
#define READS_MAX    64
#define SEGMENTS_MAX 256
/* A guest's train may have tens of thousands of segments, each a datagram of its own. */
#define TRAIN_MAX 2048

/* ---- out ---- */

static void send_frames(struct worker_edge *w, const struct view *v, unsigned community)
{
	if (w->n_frames > 0)
		edge_frames_out(&w->core, v, community, w->frames, w->n_frames, w->base.now_ms);
	w->n_frames = 0;
}

static bool is_for_group(const struct frame *f)
{
	return (f->data[0] & 1) != 0;
}

/*
 * Cuts what was read into the batch and returns the number of segments. Small frames gather; a
 * large train leaves at once, and so does what may go to many, that its copies be counted.
 */
static uint32_t take_frame(
	struct worker_edge *w, const struct view *v, unsigned community, const struct frame *f)
{
	struct cut cut;
	uint32_t segments;

	w->base.moved = true;
	if (!cut_begin(&cut, f) || cut_left(&cut) > TRAIN_MAX) {
		drops_add(&w->core.drops,
			f->offload.kind == OFFLOAD_NONE ? DROP_FRAME_LONG : DROP_UNCUT, 1);
		return 1;
	}
	segments = cut_left(&cut);
	if (w->n_frames + cut_left(&cut) > BATCH_MAX)
		send_frames(w, v, community);
	while (cut_left(&cut) > 0) {
		struct frame *out = &w->frames[w->n_frames];

		out->data = w->slots[w->n_frames++] + SLOT_HEADROOM;
		cut_next(&cut, out);
		if (w->n_frames == BATCH_MAX)
			send_frames(w, v, community);
	}
	if (w->n_frames > BATCH_MAX / 2 || is_for_group(f))
		send_frames(w, v, community);
	return segments;
}

/* The interface was removed: nothing comes by it any more but that word, over and over. */
static void give_up(struct worker_edge *w, unsigned community, const struct tap *tap)
{
	worker_remove_tap(&w->base, tap);
	atomic_store_explicit(&w->gone[community], true, memory_order_release);
}

bool worker_edge_has_lost(const struct worker_edge *w, unsigned community)
{
	return atomic_load_explicit(&w->gone[community], memory_order_acquire);
}

static bool frames_out(struct worker *base, const struct view *v, unsigned community)
{
	struct worker_edge *w = (struct worker_edge *)base;
	struct tap *tap = atomic_load_explicit(&w->tap[community], memory_order_acquire);
	struct frame f = {.data = w->super};
	const uint64_t before = base->handled;
	uint32_t segments = 0;
	int len = 0;

	/* It was ready, and may have been taken away since. */
	if (tap == NULL)
		return false;
	for (unsigned i = 0;
		i < READS_MAX && segments < SEGMENTS_MAX && base->handled - before < TURN_MAX;
		i++) {
		len = tap_read(tap, f.data, TAP_FRAME_MAX, &f.offload);
		if (len < 0)
			break;
		f.len = (size_t)len;
		segments += take_frame(w, v, community, &f);
	}
	if (len == N2N_ENOENT)
		give_up(w, community, tap);
	send_frames(w, v, community);
	return len >= 0;
}

/* ---- what interfaces take ---- */

#define TAKES_CSUM_UNSET (1u << 31) /* beside a set of OFFLOAD_BIT */

static unsigned what_it_takes(const struct tap *tap)
{
	return tap_kinds(tap) | (tap_uses(tap) & FEATURE_VNET_HDR ? TAKES_CSUM_UNSET : 0);
}

/*
 * Super-frames are for what every interface takes. The worker reads it for each batch, so that a
 * new interface is given nothing that it does not take: it is written before that is attached.
 */
static void take_stock(struct worker_edge *w)
{
	unsigned takes = ~0u;

	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		const struct tap *tap = atomic_load_explicit(&w->tap[i], memory_order_relaxed);

		if (tap != NULL)
			takes &= what_it_takes(tap);
	}
	atomic_store_explicit(&w->takes, takes, memory_order_release);
}

static void fit_taps(struct worker_edge *w)
{
	unsigned takes = atomic_load_explicit(&w->takes, memory_order_acquire);

	w->core.in.kinds = takes & ~TAKES_CSUM_UNSET;
	w->core.in.csum_unset = (takes & TAKES_CSUM_UNSET) != 0;
}

/* ---- in ---- */

static void datagrams_in(struct worker *base, const struct view *v, size_t n)
{
	struct worker_edge *w = (struct worker_edge *)base;

	fit_taps(w);
	edge_datagrams_in(&w->core, v, base->rx, n, base->now_ms);
	edge_frames_in(&w->core, base->rx, n);
	for (size_t i = 0; i < n; i++) {
		base->moved = base->moved || base->rx[i].verdict == VERDICT_FRAME;
		notes_rx(&base->notes, &base->rx[i], base->now_ms);
	}
}

static void write_frames(void *ctx, unsigned community, const struct joined *j, size_t n)
{
	struct worker_edge *w = ctx;
	struct tap *tap = atomic_load_explicit(&w->tap[community], memory_order_acquire);

	for (size_t i = 0; i < n; i++)
		if (tap == NULL || tap_write(tap, j[i].piece, j[i].n_pieces, &j[i].offload) != 0)
			drops_add(&w->core.drops, DROP_TAP, j[i].n_pieces);
}

/* ---- making ---- */

static const struct worker_role role = {.datagrams = datagrams_in, .frames = frames_out};

static int make(struct worker_edge *w, const struct worker_config *c)
{
	int rc = worker_init(&w->base, c, &role);

	if (rc == 0)
		rc = edge_worker_init(&w->core, c->number, worker_sink(&w->base));
	if (rc == 0 && (w->slots = resident_calloc(BATCH_MAX, sizeof(*w->slots))) == NULL)
		rc = N2N_ENOMEM;
	if (rc == 0 && (w->super = resident_calloc(1, TAP_FRAME_MAX)) == NULL)
		rc = N2N_ENOMEM;
	if (rc != 0)
		return rc;
	w->core.notes = &w->base.notes;
	w->core.in.write = write_frames;
	w->core.in.ctx = w;
	worker_count(&w->base, &w->core.drops);
	take_stock(w);
	return 0;
}

int worker_edge_create(struct worker_edge **out, const struct worker_config *c)
{
	struct worker_edge *w = resident_calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return N2N_ENOMEM;
	rc = make(w, c);
	if (rc != 0) {
		worker_edge_destroy(w);
		return rc;
	}
	*out = w;
	return 0;
}

/*
 * A batch that the worker has begun may still be made for what interfaces took before; nothing in
 * it is for a community that it did not know then, since the view comes after this one.
 */
int worker_edge_attach(struct worker_edge *w, unsigned community, struct tap *tap)
{
	const unsigned takes = atomic_load_explicit(&w->takes, memory_order_relaxed);
	int rc;

	/* Not before: the worker may find the interface gone until it has rested. */
	atomic_store_explicit(&w->gone[community], false, memory_order_release);
	atomic_store_explicit(&w->takes, takes & what_it_takes(tap), memory_order_release);
	atomic_store_explicit(&w->tap[community], tap, memory_order_release);
	rc = worker_add_tap(&w->base, tap, community);
	if (rc != 0)
		worker_edge_detach(w, community);
	return rc;
}

void worker_edge_detach(struct worker_edge *w, unsigned community)
{
	struct tap *tap = atomic_load_explicit(&w->tap[community], memory_order_relaxed);

	if (tap == NULL)
		return;
	worker_remove_tap(&w->base, tap);
	atomic_store_explicit(&w->tap[community], NULL, memory_order_release);
	take_stock(w);
}

static void wipe_and_free(void *buffer, size_t len)
{
	if (buffer != NULL)
		crypto_wipe(buffer, len);
	free(buffer);
}

void worker_edge_destroy(struct worker_edge *w)
{
	if (w == NULL)
		return;
	worker_stop(&w->base);
	edge_worker_fini(&w->core);
	worker_fini(&w->base);
	wipe_and_free(w->slots, BATCH_MAX * sizeof(*w->slots));
	wipe_and_free(w->super, TAP_FRAME_MAX);
	free(w);
}
