/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our own probe comes out of the overlay: a ring, which one of those who find it cuts. */
#include <string.h>

#include "core/edge/bridge.h"

#define OTHERS_MS 500u	  /* time for others to be the one */
#define ANSWER_MS 1500u	  /* a probe comes back in it, even through a storm */
#define QUIET_MS  5000u	  /* the ring is gone when no probe came back for so long, ... */
#define SPREAD_MS 2000u	  /* ... and up to this */
#define QUIET_MAX 300000u /* a ring that is there again and again is looked for less often */
#define AGAIN_MS  600000u /* if it came back within this time */
#define LATELY_MS 1200u	  /* of the probes of one who listens two may be lost */

static void tell(struct community *c, bool found)
{
	const struct loop *l = &c->bridge->loop;
	struct event e = {
		.kind = EVENT_LOOP, .community = c->index, .value = found, .key = l->remote};

	edge_id(e.edge, l->remote);
	core_event(core_of(c), &e);
}

static void find(struct community *c)
{
	struct loop *l = &c->bridge->loop;
	uint64_t now_ms = core_of(c)->now_ms;

	if (l->opened_ms != 0 && now_ms < l->opened_ms + AGAIN_MS)
		l->quiet_ms = l->quiet_ms < QUIET_MAX / 2 ? l->quiet_ms * 2 : QUIET_MAX;
	else
		l->quiet_ms = QUIET_MS;
	l->spread_ms = random_below(&core_of(c)->io.random, SPREAD_MS);
	l->state = LOOP_FOUND;
	l->alone = true;
	tell(c, true);
}

static bool is_ours_to_cut(const struct community *c, const struct loop_frame *f)
{
	const struct bridge *b = c->bridge;
	int lan = lan_find(b, f->vlan);

	return b->number - f->number < PROBES_LATELY && (lan < 0 || !b->lan[lan].standby);
}

void loop_back(struct community *c, struct peer *p, const struct loop_frame *f)
{
	struct bridge *b = c->bridge;
	struct loop *l = &b->loop;
	uint64_t now_ms = core_of(c)->now_ms;

	/*
	 * One on our LAN brings it: with that one it is agreed who serves. Unless it does not
	 * believe us a bridge.
	 */
	if (!is_ours_to_cut(c, f) || lan_is_agreed(c, p->remote, f->vlan))
		return;
	l->back_ms = now_ms;
	l->alone = false;
	if (l->state != LOOP_FOUND) {
		memcpy(l->remote, p->remote, KEY_LEN);
		l->vlan = f->vlan;
	}
	if (b->listen_until_ms != 0)
		return; /* those on the LAN may not be known yet, and nothing passes */
	if (l->state == LOOP_NONE) {
		l->state = LOOP_SUSPECTED;
		l->due_ms = now_ms + random_below(&core_of(c)->io.random, OTHERS_MS + 1);
	} else if (l->state == LOOP_ASKED && f->number - l->asked < PROBES_LATELY) {
		find(c);
	}
}

void loop_listened(struct community *c)
{
	const struct loop *l = &c->bridge->loop;

	/* The ring is one of others, who need not look who cuts it. */
	if (l->state == LOOP_NONE && l->back_ms != 0 &&
		core_of(c)->now_ms < l->back_ms + LATELY_MS &&
		!lan_is_agreed(c, l->remote, l->vlan))
		find(c);
}

bool loop_tick(struct community *c)
{
	struct bridge *b = c->bridge;
	struct loop *l = &b->loop;
	uint64_t now_ms = core_of(c)->now_ms;

	switch (l->state) {
	case LOOP_NONE:
		break;
	case LOOP_SUSPECTED:
		if (now_ms < l->due_ms)
			break;
		l->state = lan_is_agreed(c, l->remote, l->vlan) ? LOOP_NONE : LOOP_ASKED;
		l->due_ms = now_ms + ANSWER_MS;
		l->asked = b->number + 1;
		return l->state == LOOP_ASKED;
	case LOOP_ASKED:
		if (now_ms >= l->due_ms)
			l->state = LOOP_NONE;
		break;
	case LOOP_FOUND:
		if (now_ms < l->back_ms + (l->alone ? ANSWER_MS : l->quiet_ms) + l->spread_ms)
			break;
		l->state = LOOP_NONE;
		if (!l->alone)
			l->opened_ms = now_ms;
		tell(c, false);
		return true;
	}
	return false;
}
