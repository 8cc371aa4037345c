/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/data/audience.h"

bool audience_of(struct audience *a, const struct view *v, unsigned community, const uint8_t *data,
	size_t len)
{
	const struct view_community *c = &v->community[community];
	uint64_t group = frame_destination(data);

	*a = (struct audience){.kind = MULTICAST_LINK, .ports = c->ports};
	if ((data[0] & 1) != 0)
		a->kind = multicast_kind(data, len);
	/* Nobody is there: who comes soon may listen. */
	if (a->kind == MULTICAST_LINK || a->kind == MULTICAST_ROUTER || c->unsorted ||
		c->ports->count == 0)
		return true;
	a->listed = true;
	a->list[0] = c->rest;
	if (a->kind == MULTICAST_STREAM)
		a->list[1] = table_find(c->groups, table_sip(v->hash_key, group), group);
	return a->list[0] != NULL || a->list[1] != NULL;
}

static const struct port *next_listed(struct audience *a)
{
	uint32_t n = a->list[0] != NULL ? a->list[0]->n : 0, at = a->at++;

	if (at < n)
		return a->list[0]->port[at];
	return a->list[1] != NULL && at - n < a->list[1]->n ? a->list[1]->port[at - n] : NULL;
}

const struct port *audience_next(struct audience *a)
{
	const struct table_entry *e;

	if (a->listed)
		return next_listed(a);
	e = table_next(a->ports, &a->at);
	return e != NULL ? e->value : NULL;
}
