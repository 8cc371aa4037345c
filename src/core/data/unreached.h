/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whom of all a frame did not reach, while it is sent from one to the next: it is left to the
 * control thread for them, and for who comes up soon (core/edge/backlog.h). Workers.
 */
#ifndef N2N_CORE_DATA_UNREACHED_H
#define N2N_CORE_DATA_UNREACHED_H

#include "core/data/edge_data.h"

struct unreached {
	struct edge_worker *w;
	const struct view *v;
	unsigned community;
	struct frame *f;
	bool reached; /* somebody was, or need not be; the sender sets it */
	bool left;    /* some of the others were left */
	uint16_t n;
	uint16_t port[MISSED_MAX];
};

/* For a frame of the community's interface. All of it is borrowed until unreached_leave. */
void unreached_begin(struct unreached *u, struct edge_worker *w, const struct view *v,
	unsigned community, struct frame *f);
/* The port of this number was not reached. */
void unreached_add(struct unreached *u, uint16_t port);
/*
 * All others were. Fills in what the interface left undone, if the frame is left: where somebody
 * was not reached or nobody is there, and what is vital (frame_is_vital) always, for newcomers.
 */
void unreached_leave(struct unreached *u);

#endif
