/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames that no worker could send: they wait, and a handshake begins. */
#include <string.h>

#include "core/edge/edge_state.h"

#define WANTED_WAIT_MS 5000u /* longest pause after failures while a frame waits */

/* Now, not at the next tick: somebody waits. */
static void hurry(struct core *core, struct session *s)
{
	if (s->confirmed && s->not_before_ms > core->now_ms + WANTED_WAIT_MS)
		s->not_before_ms = core->now_ms + WANTED_WAIT_MS;
	session_look_at(core, s, core->now_ms);
}

static void hold(struct node *n, struct session *s, const struct frame *f)
{
	struct core *core = &n->core;

	if (!waiting_add(&core->waiting, &s->waiting, f, core->now_ms)) {
		core_drop(core, DROP_WAIT_FULL);
		return;
	}
	if (session_sending(s, core->now_ms) == NULL || session_used_up(s))
		session_want(core, s);
	hurry(core, s);
}

/* A broadcast wakes those who are there: listed, or, with no roster to go by, met before. */
static bool wants_broadcast(const struct peer *p)
{
	return session_sending(p->session, core_of(p->community)->now_ms) == NULL &&
	       (p->listed || (p->remembered && !hop_is_up(p->community)));
}

static void hold_for_all(
	struct community *c, const struct frame *f, const struct missed *m, const uint16_t *ports)
{
	backlog_add(c, f, m, ports);
	if (!m->all && m->n == 0)
		return;
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		struct session *s = p->session;

		if (!wants_broadcast(p) || s->wanted || s->attempt != NULL)
			continue;
		session_want(core_of(c), s);
		hurry(core_of(c), s);
	}
}

void edge_frame(struct node *n, struct note *note)
{
	struct community *c = edge_of(n)->community[note->to.community];
	struct session *s = note->index != 0 ? session_by_id(&n->core, note->index) : NULL;
	const struct frame f = {.data = note->data, .len = note->len};
	uint16_t ports[MISSED_MAX];

	if (c == NULL || c->generation != note->to.generation) {
		/* Its interface belongs to another community by now. */
		core_drop(&n->core, DROP_NO_PEER);
	} else if (note->index == 0) {
		memcpy(ports, note->data + note->len, note->missed.n * sizeof(ports[0]));
		hold_for_all(c, &f, &note->missed, ports);
	} else if (s != NULL && s->link.kind == LINK_PEER && s->link.community == c->index) {
		hold(n, s, &f);
	} else { /* it left in the meantime */
		core_drop(&n->core, DROP_NO_PEER);
	}
}
