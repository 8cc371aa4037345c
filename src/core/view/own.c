/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The set of our own sockets' addresses. */
#include "core/view/own.h"

#include <stdlib.h>
#include <string.h>

struct own_sockets *own_create(const struct endpoint *addresses, size_t n)
{
	struct own_sockets *own = calloc(1, sizeof(*own) + n * sizeof(own->ip[0]));

	for (size_t i = 0; own != NULL && i < n; i++) {
		if (addresses[i].port == 0)
			continue;
		if (endpoint_is_v4(&addresses[i]))
			own->port_v4 = addresses[i].port;
		else
			own->port_v6 = addresses[i].port;
		memcpy(own->ip[own->n++], addresses[i].ip, sizeof(own->ip[0]));
	}
	return own;
}

bool own_equal(const struct own_sockets *a, const struct own_sockets *b)
{
	return a != NULL && b != NULL && a->n == b->n && a->port_v4 == b->port_v4 &&
	       a->port_v6 == b->port_v6 && memcmp(a->ip, b->ip, a->n * sizeof(a->ip[0])) == 0;
}

bool own_has(const struct own_sockets *own, const uint8_t ip[16])
{
	for (size_t i = 0; i < own->n; i++)
		if (memcmp(own->ip[i], ip, sizeof(own->ip[i])) == 0)
			return true;
	return false;
}
