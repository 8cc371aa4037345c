/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns what an edge's worker does with a batch: read, hand to the core, write or pass on. */
#include "host/worker_edge.h"

#include <stdlib.h>

#define FRAME_CAP (SLOT_LEN - SLOT_HEADROOM - DATA_TAG_LEN)

static bool frames_out(struct worker *base, const struct view *v, unsigned community)
{
	struct worker_edge *w = (struct worker_edge *)base;
	size_t n = 0;
	int len = 0;

	while (n < BATCH_MAX) {
		uint8_t *data = w->slots[n] + SLOT_HEADROOM;

		len = tap_read(w->tap[community], data, FRAME_CAP);
		if (len < 0)
			break;
		w->frames[n++] = (struct frame){.data = data, .len = (size_t)len};
	}
	if (len == N2N_ENOENT)
		worker_fail(base);
	if (n > 0)
		edge_frames_out(&w->core, v, community, w->frames, n, base->now_ms);
	return n == BATCH_MAX;
}

static void datagrams_in(struct worker *base, const struct view *v, size_t n)
{
	struct worker_edge *w = (struct worker_edge *)base;

	edge_datagrams_in(&w->core, v, base->rx, n, base->now_ms);
	for (size_t i = 0; i < n; i++) {
		const struct rx *x = &base->rx[i];

		if (x->verdict == VERDICT_FRAME &&
			tap_write(w->tap[x->session->community], x->data, x->len) != 0)
			drops_add(&w->core.drops, DROP_TAP, 1);
		worker_post_rx(base, x);
	}
}

static void leave_waiting(void *ctx, const struct unsent *u)
{
	worker_post_frame(ctx, u->community, u->session != NULL ? u->session->id : 0, u->frame);
}

static const struct worker_role role = {.datagrams = datagrams_in, .frames = frames_out};

static int make(struct worker_edge *w, const struct worker_config *c)
{
	int rc = worker_init(&w->base, c, &role);

	if (rc == 0)
		rc = edge_worker_init(&w->core, c->number, worker_sink(&w->base));
	if (rc == 0 && (w->slots = calloc(BATCH_MAX, sizeof(*w->slots))) == NULL)
		rc = N2N_ENOMEM;
	if (rc != 0)
		return rc;
	w->core.unsent = leave_waiting;
	w->core.unsent_ctx = &w->base;
	w->base.drops = &w->core.drops;
	for (unsigned i = 0; rc == 0 && i < w->n_taps; i++)
		rc = worker_add_source(&w->base, tap_fd(w->tap[i]), i);
	return rc;
}

int worker_edge_create(struct worker_edge **out, const struct worker_config *c,
	struct tap *const *taps, unsigned n_taps)
{
	struct worker_edge *w = calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return N2N_ENOMEM;
	w->n_taps = n_taps;
	for (unsigned i = 0; i < n_taps; i++)
		w->tap[i] = taps[i];
	rc = make(w, c);
	if (rc != 0) {
		worker_edge_destroy(w);
		return rc;
	}
	*out = w;
	return 0;
}

void worker_edge_destroy(struct worker_edge *w)
{
	if (w == NULL)
		return;
	worker_stop(&w->base);
	edge_worker_fini(&w->core);
	worker_fini(&w->base);
	free(w->slots);
	free(w);
}
