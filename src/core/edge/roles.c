/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which roles of members are believed: what they say, unless the user names who may have one. */
#include <string.h>

#include "core/edge/edge_state.h"

bool roles_are_named(const struct community *c, unsigned role)
{
	for (size_t i = 0; i < c->n_trusted; i++)
		if ((c->trusted[i].roles & role) != 0)
			return true;
	return false;
}

uint8_t roles_granted(const struct community *c, const uint8_t remote[KEY_LEN], uint8_t said)
{
	uint8_t id[EDGE_ID_LEN], named = 0, granted = 0;

	edge_id(id, remote);
	for (size_t i = 0; i < c->n_trusted; i++) {
		named |= c->trusted[i].roles;
		if (memcmp(c->trusted[i].edge, id, sizeof(id)) == 0)
			granted |= c->trusted[i].roles;
	}
	/* It does not need to say what its user may have forgotten, but only a bridge stands by. */
	granted |= said & (uint8_t)~named;
	if ((granted & ROLE_BRIDGE) == 0)
		granted &= (uint8_t)~ROLE_STANDBY;
	return granted;
}
