/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the comparison of two configurations. */
#include "conf/edge_diff.h"

#include <string.h>

/* NULL is a text that equals itself only. */
static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* In whatever order: each of a is in b, which has as many. */
static bool same_addresses(const struct community_conf *a, const struct community_conf *b)
{
	size_t found = 0;

	for (size_t i = 0; i < a->address_count; i++)
		for (size_t j = 0; j < b->address_count; j++)
			found += endpoint_same_ip(&a->addresses[i].ip, &b->addresses[j].ip) &&
				 a->addresses[i].prefix == b->addresses[j].prefix;
	return a->dhcp == b->dhcp && a->address_count == b->address_count &&
	       found == a->address_count;
}

static bool same_trust(const struct community_conf *a, const struct community_conf *b)
{
	if (a->trusted_count != b->trusted_count)
		return false;
	for (size_t i = 0; i < a->trusted_count; i++) {
		const struct trusted_conf *t = &a->trusted[i], *u = &b->trusted[i];

		if (memcmp(t->edge, u->edge, sizeof(t->edge)) != 0 || t->bridge != u->bridge ||
			t->dhcp != u->dhcp || t->router != u->router)
			return false;
	}
	return true;
}

static unsigned if_differs(bool differs, enum edge_change change)
{
	return differs ? (unsigned)change : 0;
}

static unsigned community_changes(const struct community_conf *a, const struct community_conf *b)
{
	return if_differs(!same_text(a->name, b->name), CHANGE_NAME) |
	       if_differs(!same_addresses(a, b), CHANGE_ADDRESSES) |
	       if_differs(!same_trust(a, b), CHANGE_TRUST) |
	       if_differs(
		       a->dhcp_server != b->dhcp_server || a->router != b->router, CHANGE_ROLES) |
	       if_differs(a->mac_hold_days != b->mac_hold_days, CHANGE_MAC_HOLD) |
	       if_differs(a->bridge != b->bridge, CHANGE_BRIDGE) |
	       if_differs(a->bpdu_guard != b->bpdu_guard, CHANGE_BPDU_GUARD) |
	       if_differs(a->signed_broadcast != b->signed_broadcast, CHANGE_SIGNED_BROADCAST) |
	       if_differs(a->learn != b->learn, CHANGE_LEARN) |
	       if_differs(a->accept_ra != b->accept_ra, CHANGE_ACCEPT_RA) |
	       if_differs(a->mtu != b->mtu, CHANGE_MTU) |
	       if_differs(!mac_equal(&a->mac, &b->mac), CHANGE_MAC) |
	       if_differs(!same_text(a->netns, b->netns), CHANGE_NETNS);
}

/* Their order counts: they are tried in it. */
static bool same_supernodes(const struct edge_conf *a, const struct edge_conf *b)
{
	if (a->supernode_count != b->supernode_count)
		return false;
	for (size_t i = 0; i < a->supernode_count; i++) {
		const struct edge_supernode *s = &a->supernodes[i], *t = &b->supernodes[i];

		if (strcmp(s->host, t->host) != 0 || s->port != t->port ||
			!same_text(s->key, t->key))
			return false;
	}
	return true;
}

static unsigned process_changes(const struct edge_conf *a, const struct edge_conf *b)
{
	const struct process_conf *p = &a->process, *q = &b->process;

	return if_differs(p->verbosity != q->verbosity, CHANGE_VERBOSITY) |
	       if_differs(!same_supernodes(a, b), CHANGE_SUPERNODES) |
	       if_differs(!endpoint_equal(&a->local, &b->local), CHANGE_PORT) |
	       if_differs(!same_text(a->underlay, b->underlay), CHANGE_UNDERLAY) |
	       if_differs(a->fwmark != b->fwmark, CHANGE_FWMARK) |
	       if_differs(!same_text(a->underlay_netns, b->underlay_netns), CHANGE_UNDERLAY_NETNS) |
	       if_differs(p->workers != q->workers, CHANGE_WORKERS) |
	       if_differs(!same_text(p->state_dir, q->state_dir), CHANGE_STATE_DIR) |
	       if_differs(p->disabled != q->disabled, CHANGE_DISABLED);
}

static int find_device(const struct edge_conf *conf, const char *device)
{
	for (unsigned i = 0; i < conf->community_count; i++)
		if (strcmp(conf->community[i].device, device) == 0)
			return (int)i;
	return -1;
}

void edge_diff(struct edge_diff *d, const struct edge_conf *was, const struct edge_conf *is)
{
	memset(d, 0, sizeof(*d));
	for (unsigned i = 0; i < was->community_count; i++)
		d->went[i] = find_device(is, was->community[i].device) < 0;
	for (unsigned i = 0; i < is->community_count; i++) {
		int before = find_device(was, is->community[i].device);

		d->before[i] = before;
		if (before >= 0)
			d->changed[i] =
				community_changes(&was->community[before], &is->community[i]);
	}
	d->process = process_changes(was, is);
}

const char *edge_change_name(enum edge_change change)
{
	static const struct {
		enum edge_change change;
		const char *name;
	} names[] = {
		{CHANGE_NAME, "the name"},
		{CHANGE_ADDRESSES, "the addresses"},
		{CHANGE_TRUST, "the list of who is trusted"},
		{CHANGE_ROLES, "what servers and routers may do here"},
		{CHANGE_MAC_HOLD, "how long MAC addresses are held"},
		{CHANGE_BRIDGE, "whether it is a bridge"},
		{CHANGE_BPDU_GUARD, "the guard against spanning trees"},
		{CHANGE_SIGNED_BROADCAST, "whether broadcasts are signed"},
		{CHANGE_LEARN, "the number of addresses to remember"},
		{CHANGE_ACCEPT_RA, "whether routers are believed"},
		{CHANGE_MTU, "the MTU"},
		{CHANGE_MAC, "the MAC address"},
		{CHANGE_NETNS, "the network namespace"},
		{CHANGE_VERBOSITY, "how much is logged"},
		{CHANGE_SUPERNODES, "the list of supernodes"},
		{CHANGE_PORT, "the UDP port"},
		{CHANGE_UNDERLAY, "the interface to the network underneath"},
		{CHANGE_FWMARK, "the mark of packets"},
		{CHANGE_UNDERLAY_NETNS, "the network namespace underneath"},
		{CHANGE_WORKERS, "the number of workers"},
		{CHANGE_STATE_DIR, "the state directory"},
		{CHANGE_DISABLED, "the list of disabled features"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].change == change)
			return names[i].name;
	return "something";
}
