/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Our own datagrams and the host's routes: tells the core which sockets are ours, and the user by
 * which route what they send is led into our interface, and what to do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/edge/edge_host_state.h"
#include "os/route.h"
#include "os/sys.h"

#define CODE	 "own-datagrams"
#define WHO_MAX	 (SUPERNODE_NAME_MAX + 16)
#define CURE_MAX (ROUTE_TEXT_MAX + ENDPOINT_TEXT_MAX + OPTIONS_HINT_CAP + 64)

/* To be freed if there is no error. */
static int addresses_now_and_held(
	struct edge_host *h, uint64_t now_ms, struct endpoint **list, size_t *n)
{
	struct endpoint gone[HELD_MAX], *all;
	int now = netif_addresses(list);
	size_t n_gone;

	if (now < 0)
		return now;
	n_gone = held_look(&h->held, *list, (size_t)now, now_ms, gone);
	*n = (size_t)now + n_gone;
	all = realloc(*list, (*n + 1) * sizeof(*all));
	if (all == NULL) {
		free(*list);
		return N2N_ENOMEM;
	}
	memcpy(all + now, gone, n_gone * sizeof(*gone));
	*list = all;
	return 0;
}

void edge_own_look(struct edge_host *h, uint64_t now_ms)
{
	uint16_t v4 = udp_port(h->host.udp, UDP_V4), v6 = udp_port(h->host.udp, UDP_V6);
	const struct endpoint *only = &h->conf->local;
	struct endpoint *list;
	size_t n, kept = 0;
	int rc = addresses_now_and_held(h, now_ms, &list, &n);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (!endpoint_is_none(only) && !endpoint_same_ip(&list[i], only))
			continue;
		list[kept] = list[i];
		list[kept++].port = endpoint_is_v4(&list[i]) ? v4 : v6;
	}
	if (rc != 0 || edge_own_sockets(h->edge, list, kept, now_ms) != 0)
		log_debug(h->host.log, "no memory for the addresses of this host");
	if (rc == 0)
		free(list);
}

/* ---- the notice ---- */

static bool is_better(const struct os_route *a, const struct os_route *b)
{
	return a->prefix != b->prefix ? a->prefix > b->prefix : a->metric < b->metric;
}

/* The best route that leads by another interface, and not into an n2n network. */
static bool find_other(const struct edge_host *h, const struct endpoint *to, const char *not_by,
	struct os_route *best)
{
	const struct underlay_host *seen = h->underlay != NULL ? underlay_seen(h->underlay) : NULL;
	bool found = false;
	struct os_route r;

	for (size_t i = 0; seen != NULL && i < seen->n_links; i++) {
		const struct underlay_link *l = &seen->link[i];

		if (l->side != UNDERLAY_OUTSIDE || !l->up || l->loopback ||
			os_route_find(&r, to, l->index, h->conf->fwmark) != 0 ||
			strcmp(r.device, not_by) == 0 || (found && !is_better(&r, best)))
			continue;
		*best = r;
		found = true;
	}
	return found;
}

static void write_cure(
	const struct edge_host *h, const struct endpoint *to, const char *by, char cure[CURE_MAX])
{
	char ip[ENDPOINT_TEXT_MAX], hop[ROUTE_TEXT_MAX], hint[OPTIONS_HINT_CAP];
	struct os_route other;

	endpoint_format_ip(to, ip);
	if (!find_other(h, to, by, &other))
		snprintf(cure, CURE_MAX,
			"give %s a route by the interface that leads to the network underneath",
			ip);
	else if (h->conf->underlay != NULL)
		snprintf(cure, CURE_MAX, "ip route replace %s %.100s", ip,
			os_route_format_hop(&other, hop));
	else
		snprintf(cure, CURE_MAX,
			"ip route replace %s %.100s, or have edge send by %s alone%s", ip,
			os_route_format_hop(&other, hop), other.device,
			options_hint(hint, h->host.options, SETTING_UNDERLAY));
}

static void tell(struct edge_host *h, const struct event *e, const char *who)
{
	const char *device = h->member[e->community].watched.name;
	const struct endpoint *to = &e->remote;
	char at[ENDPOINT_TEXT_MAX], ip[ENDPOINT_TEXT_MAX], text[ROUTE_TEXT_MAX] = "?";
	char cure[CURE_MAX];
	struct os_route r = {.device = ""};

	if (os_route_find(&r, to, 0, h->conf->fwmark) == 0)
		os_route_format(&r, text);
	write_cure(h, to, r.device, cure);
	notices_raise(&h->host.notices, sys_now_ms(), CODE, endpoint_format(to, at),
		"our own packets to %s%s are led into %s by the route \"%s\"; they are dropped. "
		"Keep them outside: %s",
		endpoint_format_ip(to, ip), who, device, text, cure);
}

void edge_own_event(struct edge_host *h, const struct event *e)
{
	char id[EDGE_ID_TEXT_LEN + 1], at[ENDPOINT_TEXT_MAX], who[WHO_MAX] = "";

	switch ((enum own_receiver)e->value) {
	case OWN_ENDED:
		(void)notices_clear(&h->host.notices, CODE, endpoint_format(&e->remote, at));
		return;
	case OWN_TO_SUPERNODE:
		snprintf(who, sizeof(who), " (supernode %s)", h->supernode[e->supernode]);
		break;
	case OWN_TO_PEER:
		edge_id_format(e->edge, id);
		snprintf(who, sizeof(who), " (peer %.8s)", id);
		break;
	case OWN_TO_OTHERS:
		break;
	}
	tell(h, e, who);
}
