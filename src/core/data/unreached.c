/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/data/unreached.h"

#include "core/data/unsent.h"
#include "core/frame/vital.h"

void unreached_begin(struct unreached *u, struct edge_worker *w, const struct view *v,
	unsigned community, struct frame *f)
{
	u->w = w;
	u->v = v;
	u->community = community;
	u->f = f;
	u->reached = u->left = false;
	u->n = 0;
}

static void leave(struct unreached *u)
{
	const struct addressee of = {.community = (uint8_t)u->community,
		.generation = u->v->community[u->community].generation};
	const struct missed m = {
		.view = u->v->version,
		.n = u->n,
		.all = !u->reached && !u->left && u->n < MISSED_MAX,
		.more = u->left,
	};

	if (unsent_finish(u->w, u->f))
		notes_missed(u->w->notes, &of, &m, u->port, u->f);
	u->left = true;
	u->n = 0;
}

void unreached_add(struct unreached *u, uint16_t port)
{
	if (u->n == MISSED_MAX)
		leave(u);
	u->port[u->n++] = port;
}

void unreached_leave(struct unreached *u)
{
	bool nobody = !u->reached && !u->left;

	if (u->n > 0 || nobody || (!u->left && frame_is_vital(u->f->data, u->f->len)))
		leave(u);
}
