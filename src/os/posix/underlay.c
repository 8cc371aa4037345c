/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What follows from the facts about a host: which side an interface is on, which address is best.
 */
#include "os/underlay.h"

#define STACK_MAX    8 /* interfaces on top of each other, and ports of ports */
#define PLENTY	     2 /* addresses of a family that an interface has in front of others */
#define DOUBTFUL_MAX 4 /* of containers and of interfaces without a carrier, together */

enum tier {
	TIER_SUPERNODE,
	TIER_FAR,
	TIER_DEVICE,
	TIER_PLENTY,
	TIER_SOFTWARE,
	TIER_NO_CARRIER,
	TIER_TUNNEL_USED,
	TIER_TUNNEL,
	TIERS
};

static struct underlay_link *find(const struct underlay_host *h, unsigned index)
{
	for (size_t i = 0; index != 0 && i < h->n_links; i++)
		if (h->link[i].index == index)
			return &h->link[i];
	return NULL;
}

/* ---- sides ---- */

/* Takes over the side of what it is stacked on, or of a port. */
static void join_side(struct underlay_link *l, const struct underlay_link *other)
{
	if (other != NULL && other->side > l->side)
		l->side = other->side;
}

static void note_port(struct underlay_link *bridge, const struct underlay_link *port)
{
	if (!port->carrier || port->kind == UNDERLAY_TUNNEL || port->side != UNDERLAY_OUTSIDE)
		return;
	bridge->leads_out = true;
	bridge->has_real = bridge->has_real || port->kind == UNDERLAY_DEVICE;
}

static struct underlay_link *bridge_of(const struct underlay_host *h, const struct underlay_link *l)
{
	struct underlay_link *master = find(h, l->master);

	return master != NULL && master->kind == UNDERLAY_BRIDGE ? master : NULL;
}

static void spread_up(const struct underlay_host *h)
{
	for (unsigned round = 0; round < STACK_MAX; round++)
		for (size_t i = 0; i < h->n_links; i++)
			join_side(&h->link[i], find(h, h->link[i].lower));
}

static void spread_to_bridges(const struct underlay_host *h)
{
	for (size_t i = 0; i < h->n_links; i++) {
		struct underlay_link *bridge = bridge_of(h, &h->link[i]);

		if (bridge != NULL)
			note_port(bridge, &h->link[i]);
	}
	for (size_t i = 0; i < h->n_links; i++) {
		struct underlay_link *bridge = bridge_of(h, &h->link[i]);

		if (bridge != NULL && !bridge->leads_out)
			join_side(bridge, &h->link[i]);
	}
}

enum underlay_side underlay_side_of(const struct underlay_host *h, unsigned link)
{
	const struct underlay_link *l = find(h, link);

	return l != NULL ? l->side : UNDERLAY_OUTSIDE;
}

unsigned underlay_mtu_of(const struct underlay_host *h, unsigned link)
{
	const struct underlay_link *l = find(h, link);

	return l != NULL ? l->mtu : 0;
}

/* ---- addresses ---- */

static bool leads_to_supernode(const struct underlay_host *h, unsigned link)
{
	for (size_t i = 0; i < h->n_supernodes; i++)
		if (h->supernode[i] == link)
			return true;
	return false;
}

/* TIERS: not at all. */
static enum tier tier_of(const struct underlay_host *h, const struct underlay_link *l)
{
	bool supernode, everywhere;

	if (l == NULL || !l->up || l->loopback || l->side != UNDERLAY_OUTSIDE)
		return TIERS;
	supernode = leads_to_supernode(h, l->index);
	everywhere = h->far[0] == l->index || h->far[1] == l->index;
	if (l->kind == UNDERLAY_TUNNEL)
		return supernode || everywhere ? TIER_TUNNEL_USED : TIER_TUNNEL;
	if (!l->carrier)
		return TIER_NO_CARRIER;
	if (supernode)
		return TIER_SUPERNODE;
	if (everywhere)
		return TIER_FAR;
	return l->kind == UNDERLAY_DEVICE || l->has_real ? TIER_DEVICE : TIER_SOFTWARE;
}

static bool is_offered(const struct endpoint *e)
{
	return !endpoint_is_none(e) && !endpoint_is_loopback(e) && !endpoint_is_link_local(e);
}

/* How many addresses before this one are of its interface and family. */
static unsigned before(const struct underlay_host *h, size_t at)
{
	const struct underlay_address *a = &h->address[at];
	unsigned n = 0;

	for (size_t i = 0; i < at && n < PLENTY; i++)
		if (h->address[i].link == a->link &&
			endpoint_is_v4(&h->address[i].ip) == endpoint_is_v4(&a->ip) &&
			is_offered(&h->address[i].ip))
			n++;
	return n;
}

static enum tier tier_of_address(const struct underlay_host *h, size_t at)
{
	enum tier tier = tier_of(h, find(h, h->address[at].link));

	if (!is_offered(&h->address[at].ip))
		return TIERS;
	return tier < TIER_PLENTY && before(h, at) == PLENTY ? TIER_PLENTY : tier;
}

void underlay_settle(struct underlay_host *h)
{
	spread_up(h);
	spread_to_bridges(h);
	spread_up(h);
	for (size_t i = 0; i < h->n_addresses; i++)
		h->address[i].rank = tier_of_address(h, i);
}

static bool reaches(const struct underlay_socket *socket, const struct underlay_address *a)
{
	return (endpoint_is_v4(&a->ip) ? socket->v4 : socket->v6) &&
	       (socket->link == 0 || socket->link == a->link) &&
	       (endpoint_is_none(&socket->only) || endpoint_same_ip(&socket->only, &a->ip));
}

/* The best address of a family, or NULL. */
static const struct endpoint *best(
	const struct underlay_host *h, const struct underlay_socket *socket, bool v4)
{
	const struct underlay_address *found = NULL;

	for (size_t i = 0; i < h->n_addresses; i++) {
		const struct underlay_address *a = &h->address[i];

		if (a->rank < TIERS && endpoint_is_v4(&a->ip) == v4 && reaches(socket, a) &&
			(found == NULL || a->rank < found->rank))
			found = a;
	}
	return found != NULL ? &found->ip : NULL;
}

/* A family that found no place gets the last one; returns how many there are then. */
static size_t make_room(const struct endpoint *first, struct endpoint *out, size_t n, size_t cap)
{
	if (first == NULL || cap < 2)
		return n;
	for (size_t i = 0; i < n; i++)
		if (endpoint_is_v4(&out[i]) == endpoint_is_v4(first))
			return n;
	out[n < cap ? n : cap - 1] = *first;
	return n < cap ? n + 1 : cap;
}

size_t underlay_rank(const struct underlay_host *h, const struct underlay_socket *socket,
	struct endpoint *out, size_t cap)
{
	size_t n = 0, doubtful = 0;

	for (unsigned tier = 0; tier < TIERS; tier++) {
		for (size_t i = 0; i < h->n_addresses && n < cap; i++) {
			const struct underlay_address *a = &h->address[i];

			if (a->rank != tier || !reaches(socket, a))
				continue;
			if ((tier == TIER_SOFTWARE || tier == TIER_NO_CARRIER) &&
				++doubtful > DOUBTFUL_MAX)
				continue;
			out[n++] = a->ip;
		}
	}
	n = make_room(best(h, socket, true), out, n, cap);
	return make_room(best(h, socket, false), out, n, cap);
}
