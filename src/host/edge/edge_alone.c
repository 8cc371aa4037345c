/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the word to who is registered and meets nobody: it may be in the wrong community. */
#include "host/edge/edge_host_state.h"

#define ALONE_MS 15000u

/* Whoever met somebody once, in this run or before, has the right name and key. */
static bool has_met(
	const struct edge_host *h, struct membership *m, const struct status_community *c)
{
	struct known_peer one;

	m->met = m->met || c->listed > 0 || c->up > 0 ||
		 edge_known_peers(h->edge, m->index, &one, 1) > 0;
	return m->met;
}

static void look(struct edge_host *h, struct membership *m, uint64_t now_ms)
{
	struct status_community c;

	if (!edge_community_status(h->edge, m->index, now_ms, &c))
		return;
	if (has_met(h, m, &c) || c.state != COMMUNITY_ALONE || c.supernode < 0) {
		(void)notices_clear(&h->host.notices, "alone", m->conf->device);
		m->alone_ms = 0;
		return;
	}
	if (m->alone_ms == 0)
		m->alone_ms = now_ms;
	if (now_ms >= m->alone_ms + ALONE_MS)
		notices_remark(&h->host.notices, now_ms, "alone", m->conf->device,
			"nobody else is in community %s at supernode %s so far. For its first "
			"member that is as it should be; else compare with the others: %s, and "
			"which supernode they use",
			m->name, h->supernode[c.supernode],
			c.by_key ? "whether they have this very key"
				 : "how the name is spelled, small and capital letters included");
}

void edge_alone_tick(struct edge_host *h, uint64_t now_ms)
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (h->member[i].conf != NULL)
			look(h, &h->member[i], now_ms);
}
