/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which addresses are gone, and since when. */
#include "host/edge/held.h"

static bool is_in(const struct endpoint *ip, const struct endpoint *list, size_t n)
{
	size_t i = 0;

	while (i < n && !endpoint_same_ip(ip, &list[i]))
		i++;
	return i < n;
}

static void hold(struct held *h, const struct endpoint *ip)
{
	struct held_address *room = NULL;

	for (size_t i = 0; i < HELD_MAX; i++) {
		if (endpoint_same_ip(&h->address[i].at, ip))
			return;
		if (room == NULL && endpoint_is_none(&h->address[i].at))
			room = &h->address[i];
	}
	if (room != NULL)
		*room = (struct held_address){.at = *ip};
}

size_t held_look(struct held *h, const struct endpoint *list, size_t n, uint64_t now_ms,
	struct endpoint gone[HELD_MAX])
{
	size_t n_gone = 0;

	for (size_t i = 0; i < HELD_MAX; i++) {
		struct held_address *a = &h->address[i];

		if (endpoint_is_none(&a->at))
			continue;
		if (is_in(&a->at, list, n))
			a->gone_ms = 0;
		else if (a->gone_ms == 0)
			a->gone_ms = now_ms;
		if (a->gone_ms != 0 && now_ms >= a->gone_ms + HELD_MS)
			*a = (struct held_address){.gone_ms = 0};
		else if (a->gone_ms != 0)
			gone[n_gone++] = a->at;
	}
	for (size_t i = 0; i < n; i++)
		hold(h, &list[i]);
	return n_gone;
}
