/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the names and texts of what the core tells: its states and its events. */
#include <stddef.h>

#include "core/link/drop.h"
#include "core/session/event.h"
#include "core/status.h"

struct name {
	const char *name, *text;
};

#define ROW(id, name, text)   {name, text},
#define COUNT(table)	      (sizeof(table) / sizeof((table)[0]))
#define LOOK_UP(table, i, as) ((size_t)(i) < COUNT(table) ? (table)[i].as : "?")

static const struct name community_states[] = {COMMUNITY_STATES(ROW)};
static const struct name gate_states[] = {GATE_STATES(ROW)};
static const char *const address_kinds[] = {
#define X(id, name) name,
	ADDRESS_KINDS(X)
#undef X
};
static const struct name peer_states[] = {PEER_STATES(ROW)};
static const struct name supernode_states[] = {SUPERNODE_STATES(ROW)};
static const struct name refusals[] = {
#define X(id, name, text) [REGISTER_##id] = {name, text},
	REGISTER_REFUSALS(X)
#undef X
};
static const struct name events[] = {EVENT_KINDS(ROW)};

const char *community_state_name(enum community_state s)
{
	return LOOK_UP(community_states, s, name);
}

const char *community_state_text(enum community_state s)
{
	return LOOK_UP(community_states, s, text);
}

const char *community_text(const struct status_community *c)
{
	if (c->state == COMMUNITY_UP && c->supernode < 0)
		return "connected, but no supernode answers: only members with a direct path are "
		       "reached";
	return community_state_text(c->state);
}

const char *gate_state_name(enum gate_state s)
{
	return LOOK_UP(gate_states, s, name);
}

const char *gate_state_text(enum gate_state s)
{
	return LOOK_UP(gate_states, s, text);
}

const char *address_kind_name(enum address_kind k)
{
	return (size_t)k < COUNT(address_kinds) ? address_kinds[k] : "?";
}

const char *peer_state_name(enum peer_state s)
{
	return LOOK_UP(peer_states, s, name);
}

const char *peer_state_text(enum peer_state s)
{
	return LOOK_UP(peer_states, s, text);
}

const char *supernode_state_name(enum supernode_state s)
{
	return LOOK_UP(supernode_states, s, name);
}

static const struct name *refusal(unsigned result)
{
	static const struct name other = {"other", "it does not say why"};

	return result < COUNT(refusals) && refusals[result].name != NULL ? &refusals[result]
									 : &other;
}

const char *register_refusal_name(unsigned result)
{
	return refusal(result)->name;
}

const char *register_refusal_text(unsigned result)
{
	return refusal(result)->text;
}

const char *event_text(enum event_kind kind)
{
	return LOOK_UP(events, kind, text);
}

const char *barred_name(enum barred what)
{
	static const enum drop as[BARRED_KINDS] = {
		[BARRED_SOURCE] = DROP_SOURCE_MAC,
		[BARRED_NEIGHBOUR] = DROP_NEIGHBOUR,
		[BARRED_DHCP] = DROP_DHCP,
		[BARRED_ROUTER] = DROP_ROUTER,
	};

	return drop_name(what < BARRED_KINDS ? as[what] : DROP_COUNT);
}
