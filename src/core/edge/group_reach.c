/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whom group packets may reach, as things are. */
#include "core/edge/edge_state.h"

#define SPREAD_GIVE_MS 60000u /* after that who has not the next key leaves the sets */

bool group_is_relayed(const struct peer *p)
{
	const struct community *c = p->community;
	const struct link *l = &p->session->link;
	const struct path *path = link_path(l);

	return p->handle != 0 && hop_is_up(c) && path != NULL &&
	       path->hop == &c->hop.session->link &&
	       atomic_load_explicit(&l->copy, memory_order_relaxed) == NULL &&
	       session_sending(p->session, core_of(c)->now_ms) != NULL && !p->group.removed;
}

bool group_has_acked(const struct peer *p, uint32_t index)
{
	return p->group.has == index || p->group.has_next == index;
}

bool group_may_fan(const struct peer *p)
{
	const struct group *g = &p->community->group;

	if (g->key == NULL || g->shut || g->relayed < GROUP_RELAYED_MIN || !group_is_relayed(p) ||
		p->group.has != g->key->told.index)
		return false;
	return g->next == NULL || p->group.has_next != 0 ||
	       core_of(p->community)->now_ms < g->next->made_ms + g->spread_ms + SPREAD_GIVE_MS;
}
