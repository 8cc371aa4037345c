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

/*
 * Cuts what was read into the batch and returns the number of segments. Small frames gather; a
 * large train leaves at once.
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
	if (w->n_frames > BATCH_MAX / 2)
		send_frames(w, v, community);
	return segments;
}

static bool frames_out(struct worker *base, const struct view *v, unsigned community)
{
	struct worker_edge *w = (struct worker_edge *)base;
	struct frame f = {.data = w->super};
	uint32_t segments = 0;
	int len = 0;

	for (unsigned i = 0; i < READS_MAX && segments < SEGMENTS_MAX; i++) {
		len = tap_read(w->tap[community], f.data, TAP_FRAME_MAX, &f.offload);
		if (len < 0)
			break;
		f.len = (size_t)len;
		segments += take_frame(w, v, community, &f);
	}
	if (len == N2N_ENOENT)
		worker_fail(base);
	send_frames(w, v, community);
	return len >= 0;
}

/* ---- in ---- */

static void datagrams_in(struct worker *base, const struct view *v, size_t n)
{
	struct worker_edge *w = (struct worker_edge *)base;

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

	for (size_t i = 0; i < n; i++)
		if (tap_write(w->tap[community], j[i].piece, j[i].n_pieces, &j[i].offload) != 0)
			drops_add(&w->core.drops, DROP_TAP, j[i].n_pieces);
}

/* ---- making ---- */

static const struct worker_role role = {.datagrams = datagrams_in, .frames = frames_out};

/* Super-frames are for what every interface takes. */
static int add_taps(struct worker_edge *w)
{
	int rc = 0;

	w->core.in.kinds = ~0u;
	w->core.in.csum_unset = true;
	for (unsigned i = 0; rc == 0 && i < COMMUNITIES_MAX; i++) {
		const struct tap *tap = w->tap[i];

		if (tap == NULL)
			continue;
		w->core.in.kinds &= tap_kinds(tap);
		w->core.in.csum_unset =
			w->core.in.csum_unset && (tap_uses(tap) & FEATURE_VNET_HDR) != 0;
		rc = worker_add_tap(&w->base, tap, i);
	}
	return rc;
}

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
	return add_taps(w);
}

int worker_edge_create(struct worker_edge **out, const struct worker_config *c,
	struct tap *const taps[COMMUNITIES_MAX])
{
	struct worker_edge *w = resident_calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return N2N_ENOMEM;
	memcpy(w->tap, taps, sizeof(w->tap));
	rc = make(w, c);
	if (rc != 0) {
		worker_edge_destroy(w);
		return rc;
	}
	*out = w;
	return 0;
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
