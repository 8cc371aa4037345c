/* SPDX-License-Identifier: GPL-3.0-or-later */
/* By which keys and from which supernodes an edge may be addressed: for the view. */
#include <string.h>

#include "core/edge/edge_state.h"

static void add_env(struct view_doors *d, const struct community *c, enum addressee_kind kind)
{
	struct view_env *e = &d->env[d->n_env++];
	const struct party *self = kind == TO_HOP ? &c->hop.party : &c->party;

	memcpy(e->key, self->env_key, KEY_LEN);
	e->to = (struct addressee){
		.kind = (uint8_t)kind,
		.community = (uint8_t)c->index,
		.generation = c->generation,
	};
}

/* Until the supernode's key is known nobody uses the mask. */
static void add_hop(struct view_doors *d, const struct hop *h)
{
	struct view_hop *at = &d->hop[d->n_hops++];

	at->way = h->way;
	memcpy(at->mask, h->party.hop_mask, MASK_LEN);
}

static bool answered_directly(const struct embryos *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->at[i].party != NULL && p->at[i].directly)
			return true;
	return false;
}

void edge_doors(struct node *n, struct view_doors *d)
{
	const struct edge *e = edge_of(n);
	const struct community *c;

	core_let_split(&n->core, n->core.n_bound > 0 || answered_directly(&n->core.embryos));
	for (unsigned at = 0; (c = edge_next_community(e, &at)) != NULL;) {
		add_env(d, c, TO_PEER);
		if (c->hop.session != NULL)
			add_env(d, c, TO_HOP);
		if (c->hop.state != SUPERNODE_UNRESOLVED)
			add_hop(d, &c->hop);
	}
}
