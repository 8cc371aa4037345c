/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fan-out sets of multicast groups: who has one. */
#include <string.h>

#include "core/edge/edge_state.h"

#define LOOK_MS	    1000u
#define IDLE_MS	    60000u /* nothing was sent to it: another one may have its set */
#define HANDLES_MAX 1000u  /* in all of them together, so that the supernode has room for more */

/* Who listens; returns how many of them by the relay. */
static unsigned audience(const struct community *c, uint64_t group, struct port_set *who)
{
	unsigned n = 0;

	memset(who, 0, sizeof(*who));
	for (const struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		if (!listeners_want(p, group))
			continue;
		port_set_add(who, p->port->number);
		n += group_is_relayed(p);
	}
	return n;
}

/* It goes when the supernode has nobody in it any more, and so holds nothing for it. */
static unsigned keep(struct community *c, unsigned set)
{
	const struct fan *f = c->group.fan[set];
	const struct group_use *use = c->group.use;
	struct port_set who;
	unsigned n = 0;

	if (core_of(c)->now_ms < link_word(&use->stream_ms[set]) + IDLE_MS)
		n = audience(c, f->group, &who);
	if (n < GROUP_RELAYED_MIN) {
		n = 0;
		memset(&who, 0, sizeof(who));
	}
	/* One that there is already takes no memory. */
	return group_want(c, set, f->group, n == 0 && fan_is_empty(f) ? NULL : &who) == 0 ? n : 0;
}

static bool has_set(const struct group *g, uint64_t group)
{
	for (unsigned i = 1; i < FANOUT_SETS; i++)
		if (g->fan[i] != NULL && g->fan[i]->group == group)
			return true;
	return false;
}

static unsigned free_set(const struct group *g)
{
	unsigned i = 1;

	while (i < FANOUT_SETS && g->fan[i] != NULL)
		i++;
	return i;
}

/* Returns how many are in it. */
static unsigned open_set(struct community *c, uint64_t group, unsigned room)
{
	struct group *g = &c->group;
	unsigned set = free_set(g), n;
	struct port_set who;

	if (set == FANOUT_SETS || has_set(g, group))
		return 0;
	n = audience(c, group, &who);
	if (n < GROUP_RELAYED_MIN || n > room || group_want(c, set, group, &who) != 0)
		return 0;
	atomic_store_explicit(&g->use->stream_ms[set], core_of(c)->now_ms, memory_order_relaxed);
	atomic_store_explicit(&g->use->paused_ms[set], 0, memory_order_relaxed);
	return n;
}

/* Whoever comes first has it; those beyond ask again with their next frame. */
static void open_wanted(struct community *c, unsigned used)
{
	struct group_use *use = c->group.use;

	for (unsigned i = 0; i < STREAMS_WANTED; i++) {
		uint64_t group = atomic_exchange_explicit(&use->wanted[i], 0, memory_order_relaxed);

		if (group != 0 && used < HANDLES_MAX)
			used += open_set(c, group, HANDLES_MAX - used);
	}
}

void group_streams_tick(struct community *c)
{
	struct group *g = &c->group;
	bool due = core_of(c)->now_ms >= g->streams_ms;
	unsigned used = 0;

	if (g->key == NULL || (!due && !g->streams_changed))
		return;
	g->streams_changed = false;
	for (unsigned i = 1; i < FANOUT_SETS; i++)
		if (g->fan[i] != NULL)
			used += keep(c, i);
	if (!due)
		return;
	g->streams_ms = core_of(c)->now_ms + LOOK_MS;
	open_wanted(c, used);
}
