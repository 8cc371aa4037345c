/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of owned addresses: an array in the order in which they were taken. */
#include "core/edge/owners.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 16

struct mac owners_derive(const uint8_t remote[KEY_LEN])
{
	struct mac mac;

	memcpy(mac.b, remote, sizeof(mac.b));
	mac.b[0] = 0x02; /* locally administered */
	return mac;
}

struct owner *owners_of_mac(const struct owners *o, const struct mac *mac)
{
	for (size_t i = 0; i < o->n; i++)
		if (mac_equal(&o->at[i].mac, mac))
			return &o->at[i];
	return NULL;
}

struct owner *owners_of_static(const struct owners *o, const uint8_t remote[KEY_LEN])
{
	for (size_t i = 0; i < o->n; i++)
		if (memcmp(o->at[i].remote, remote, KEY_LEN) == 0)
			return &o->at[i];
	return NULL;
}

static bool make_room(struct owners *o)
{
	size_t room = o->room == 0 ? ROOM_MIN : 2 * o->room;
	struct owner *at;

	if (o->n < o->room)
		return true;
	at = realloc(o->at, room * sizeof(*at));
	if (at == NULL)
		return false;
	o->at = at;
	o->room = room;
	return true;
}

struct owner *owners_add(
	struct owners *o, const struct mac *mac, const uint8_t remote[KEY_LEN], struct peer *peer)
{
	struct owner *new;

	if (owners_is_full(o) || !make_room(o))
		return NULL;
	new = &o->at[o->n++];
	*new = (struct owner){.mac = *mac, .peer = peer};
	memcpy(new->remote, remote, KEY_LEN);
	return new;
}

void owners_remove(struct owners *o, struct owner *which)
{
	size_t i = (size_t)(which - o->at);

	assert(i < o->n);
	memmove(which, which + 1, (o->n - i - 1) * sizeof(*which));
	o->n--;
}

bool owners_is_full(const struct owners *o)
{
	return o->n >= MAC_OWNERS_MAX;
}

struct owner *owners_surplus(const struct owners *o)
{
	for (size_t i = o->n; i > 0; i--)
		if (o->at[i - 1].absent_ms > 0)
			return &o->at[i - 1];
	return NULL;
}

struct owner *owners_expired(const struct owners *o, uint64_t hold_ms)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->at[i].absent_ms > hold_ms)
			return &o->at[i];
	return NULL;
}

void owners_fini(struct owners *o)
{
	free(o->at);
	*o = (struct owners){.at = NULL};
}
