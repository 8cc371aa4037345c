/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Routes as text. */
#include "os/route.h"

#include <stdio.h>

char *os_route_format_hop(const struct os_route *r, char buf[ROUTE_TEXT_MAX])
{
	bool mixed = endpoint_is_v4(&r->net) && !endpoint_is_v4(&r->via);
	char via[ENDPOINT_TEXT_MAX];

	if (endpoint_is_none(&r->via))
		snprintf(buf, ROUTE_TEXT_MAX, "dev %s", r->device);
	else
		snprintf(buf, ROUTE_TEXT_MAX, "via %s%s dev %s", mixed ? "inet6 " : "",
			endpoint_format_ip(&r->via, via), r->device);
	return buf;
}

char *os_route_format(const struct os_route *r, char buf[ROUTE_TEXT_MAX])
{
	char net[ENDPOINT_TEXT_MAX], hop[ROUTE_TEXT_MAX];

	os_route_format_hop(r, hop);
	if (r->prefix == 0)
		snprintf(buf, ROUTE_TEXT_MAX, "default %.80s", hop);
	else
		snprintf(buf, ROUTE_TEXT_MAX, "%s/%u %.80s", endpoint_format_ip(&r->net, net),
			r->prefix, hop);
	return buf;
}
