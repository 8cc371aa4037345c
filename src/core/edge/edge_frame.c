/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames that no worker could send: they wait, and a handshake begins. */
#include "core/edge/edge_state.h"

#define WANTED_WAIT_MS 5000u /* longest pause after failures while a frame waits */

static void hold(struct node *n, struct session *s, const struct frame *f)
{
	struct core *core = &n->core;

	if (!waiting_add(&core->waiting, &s->waiting, f, core->now_ms)) {
		core_drop(core, DROP_WAIT_FULL);
		return;
	}
	if (session_sending(s, core->now_ms) == NULL || session_used_up(s))
		session_want(core, s);
	if (s->confirmed && s->not_before_ms > core->now_ms + WANTED_WAIT_MS)
		s->not_before_ms = core->now_ms + WANTED_WAIT_MS;
	/* Now, not at the next tick: somebody waits. */
	session_look_at(core, s, core->now_ms);
}

/* A broadcast wakes those who are there: listed, or, with no roster to go by, met before. */
static bool wants_broadcast(const struct peer *p)
{
	return session_sending(p->session, core_of(p->community)->now_ms) == NULL &&
	       (p->listed || (p->remembered && !hop_is_up(p->community)));
}

void edge_frame(struct node *n, const struct addressee *of, uint32_t link_id, const struct frame *f)
{
	struct community *c = edge_of(n)->community[of->community];
	struct session *s = link_id != 0 ? session_by_id(&n->core, link_id) : NULL;

	/* Its interface belongs to another community by now. */
	if (c == NULL || c->generation != of->generation) {
		core_drop(&n->core, DROP_NO_PEER);
		return;
	}
	if (s != NULL && s->link.kind == LINK_PEER && s->link.community == c->index)
		hold(n, s, f);
	else if (link_id != 0)
		core_drop(&n->core, DROP_NO_PEER); /* it left in the meantime */
	for (struct peer *p = c->peers; link_id == 0 && p != NULL; p = p->hh.next)
		if (wants_broadcast(p) && n->core.waiting.n < WAITING_MAX / 2)
			hold(n, p->session, f);
}
