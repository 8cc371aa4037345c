/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames of an interface that a worker cannot seal: made whole, they are given to somebody else.
 * Workers, with what edge_data.h gives them.
 */
#ifndef N2N_CORE_DATA_UNSENT_H
#define N2N_CORE_DATA_UNSENT_H

#include "core/data/edge_data.h"

/* Fills in what the interface left undone (core/frame/offload.h); false, counted: it cannot be. */
bool unsent_finish(struct edge_worker *w, struct frame *f);
/* Leaves it to the control thread, for who is behind the link. */
void unsent_leave(struct edge_worker *w, const struct view *v, unsigned community,
	const struct link *l, struct frame *f);
/* Gives it to what is behind a port of kind PORT_SINK. */
void unsent_give(struct edge_worker *w, const struct port *to, struct frame *f);

#endif
