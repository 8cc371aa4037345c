/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/data/unsent.h"

bool unsent_finish(struct edge_worker *w, struct frame *f)
{
	if (offload_fill(f))
		return true;
	drops_add(&w->drops, DROP_MALFORMED, 1);
	return false;
}

void unsent_leave(struct edge_worker *w, const struct view *v, unsigned community,
	const struct link *l, struct frame *f)
{
	const struct addressee of = {
		.community = (uint8_t)community, .generation = v->community[community].generation};

	if (unsent_finish(w, f))
		notes_frame(w->notes, &of, l, f);
}

void unsent_give(struct edge_worker *w, const struct port *to, struct frame *f)
{
	if (unsent_finish(w, f))
		to->sink.take(to->sink.ctx, &f, 1);
}
