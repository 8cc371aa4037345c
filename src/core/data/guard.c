/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which frames that speak for others pass, and what is counted of those that do not. */
#include "core/data/guard.h"

static void count(struct link *from, enum barred what)
{
	atomic_fetch_add_explicit(&from->barred[what], 1, memory_order_relaxed);
}

void guard_source(struct link *from, uint64_t source)
{
	atomic_store_explicit(&from->barred_mac, source, memory_order_relaxed);
	count(from, BARRED_SOURCE);
}

/* What a frame of this kind takes a role for; 0: it takes none. */
static unsigned role_for(enum first_hop_kind kind)
{
	switch (kind) {
	case FIRST_HOP_DHCP:
		return ROLE_DHCP;
	case FIRST_HOP_ROUTER:
		return ROLE_ROUTER;
	case FIRST_HOP_HIDDEN:
		return ROLE_OF_NOBODY;
	case FIRST_HOP_NEIGHBOUR:
	case FIRST_HOP_OTHER:
		break;
	}
	return 0;
}

/* A bridge on its LAN carries what it says. */
static bool stands_by(const struct port *owner)
{
	return owner->kind == PORT_LINK && link_has_role(owner->link, ROLE_STANDBY);
}

/* Whether an address is another's than who is behind that link. */
static bool is_anothers(const struct view *v, struct link *from, const struct first_hop *said)
{
	uint64_t key = view_ip_key(v->hash_key, said->ip);
	const struct port *owner = view_ip_owner(v, from->community, key);

	if (owner == NULL)
		return false;
	if (owner->number == from->port && link_has_role(from, ROLE_BRIDGE))
		atomic_store_explicit(&from->said_ip, key, memory_order_relaxed);
	if (owner->number == from->port || (stands_by(owner) && link_has_role(from, ROLE_BRIDGE)))
		return false;
	atomic_store_explicit(&from->barred_ip, key, memory_order_relaxed);
	return true;
}

enum drop guard_look(const struct view *v, struct link *from, const uint8_t *data, size_t len)
{
	struct first_hop said;
	unsigned role;

	first_hop_read(&said, data, len);
	if (said.kind == FIRST_HOP_OTHER)
		return DROP_COUNT;
	role = role_for(said.kind);
	if (role != 0 && !link_has_role(from, role)) {
		count(from, role == ROLE_DHCP ? BARRED_DHCP : BARRED_ROUTER);
		return role == ROLE_DHCP ? DROP_DHCP : DROP_ROUTER;
	}
	if (said.kind != FIRST_HOP_DHCP && is_anothers(v, from, &said)) {
		count(from, BARRED_NEIGHBOUR);
		return DROP_NEIGHBOUR;
	}
	return DROP_COUNT;
}

bool guard_lets_out(struct edge_worker *w, const struct view *v, unsigned community,
	const struct frame *f, uint64_t now_ms)
{
	const struct view_community *c = &v->community[community];
	const struct addressee of = {.community = (uint8_t)community, .generation = c->generation};
	struct first_hop said;
	unsigned role;

	first_hop_read(&said, f->data, f->len);
	role = role_for(said.kind);
	if ((c->roles & role) == role)
		return true;
	drops_add(&w->drops, role == ROLE_DHCP ? DROP_OWN_DHCP : DROP_OWN_ROUTER, 1);
	notes_barred(w->notes, &of, role == ROLE_DHCP ? BARRED_DHCP : BARRED_ROUTER, now_ms);
	return false;
}
