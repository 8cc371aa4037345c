/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns what an edge does and says when its interfaces are not as they should be. */
#include "host/edge/edge_host_state.h"

#define LOOK_PAUSE_MS  1000u
#define LOOK_ANYWAY_MS 60000u

#define IPV6_MTU_MIN 1280 /* RFC 8200, 5 */

#define LINES_BURST  16	    /* about what was changed ... */
#define LINES_PER_MS 60000u /* ... and one more each minute, while it changes over and over */

/* Where things are said and done about one interface, and what it is called. */
struct about {
	struct edge_host *h;
	struct membership *m;
	struct notices *notices;
	const struct log *log;
	uint64_t now_ms;
	const char *name;   /* as it is called now */
	const char *device; /* as it was named: by that notices are found again */
};

/* Of a line about a change: who changes things all the time fills no log. */
static enum log_level level(const struct about *a)
{
	return bucket_take(&a->h->interface_lines, a->now_ms * 1000 / LINES_PER_MS, 1, LINES_BURST)
		       ? LOG_INFO
		       : LOG_DEBUG;
}

/* ---- the interface itself ---- */

static void look_at_state(const struct about *a, const struct watched_news *news)
{
	const struct watched *w = &a->m->watched;

	if (news->renamed)
		log_line(a->log, level(a), "the interface made as %s is called %s now", a->device,
			a->name);
	if (news->moved && w->state == WATCHED_AWAY)
		log_line(a->log, level(a),
			"%s was taken to another network namespace; what is changed there is not "
			"seen here, and addresses that were given to it are to be given there",
			a->name);
	if (news->moved && w->state == WATCHED_UP)
		log_line(a->log, level(a), "%s is up again", a->name);
	notices_set(a->notices, a->now_ms, w->state == WATCHED_DOWN, "interface-down", a->device,
		"%s was set down, so that no frames pass; set it up: ip link set %s up", a->name,
		a->name);
}

static void look_at_mtu(const struct about *a, const struct watched_news *news)
{
	unsigned mtu = a->m->watched.mtu;

	if (news->resized) {
		membership_fit_trains(a->m, a->log);
		log_line(a->log, level(a), "%s has the MTU %u now, as somebody set it", a->name,
			mtu);
	}
	notices_set(a->notices, a->now_ms, mtu > MTU_MAX && a->m->watched.state != WATCHED_AWAY,
		"mtu-too-large", a->device,
		"%s was given the MTU %u, but no frame with more than %u bytes of payload is "
		"carried; set what was chosen: ip link set %s mtu %u",
		a->name, mtu, MTU_MAX, a->name, a->m->conf->mtu);
}

/* What refuses it may be mended, or do it for us. */
static void look_at_routers(const struct about *a, const struct watched_news *news)
{
	const struct watched *w = &a->m->watched;
	bool anew = news->resized || (news->moved && w->state == WATCHED_UP);

	if (!w->missed && (anew || a->m->believed.code != 0))
		membership_ignore_routers(a->m);
	notices_set(a->notices, a->now_ms, !w->missed && a->m->believed.code != 0,
		"routers-believed", a->device, "%s", a->m->believed.text);
}

/* To fight for an address would be lost, or break what it was changed for. */
static void look_at_mac(const struct about *a, const struct watched_news *news)
{
	char text[MAC_TEXT_MAX];

	if (!news->readdressed)
		return;
	mac_format(&news->mac, text);
	if (edge_set_mac(a->h->edge, a->m->index, &news->mac, a->now_ms) != 0) {
		a->h->watch_due = true;
		return;
	}
	log_line(a->log, level(a), "%s was given the MAC address %s; the other members are told",
		a->name, text);
}

static void look_at_bridge(const struct about *a, const struct watched_news *news)
{
	const struct watched *w = &a->m->watched;

	if (!news->bridged)
		return;
	if (w->bridge[0] != 0)
		log_line(a->log, level(a), "%s is a port of %s now", a->name, w->bridge);
	else
		log_line(a->log, level(a), "%s is no port of a bridge any more", a->name);
}

static void mark_again(const struct about *a)
{
	struct os_error err = {.code = 0};
	int rc = netif_mark(a->m->ns, a->name, &err);

	a->m->watched.mark_refused = rc != 0;
	if (rc == 0)
		log_line(a->log, level(a), "the mark of %s was gone and is put back", a->name);
	notices_set(a->notices, a->now_ms, rc != 0, "mark-missing", a->device,
		"%s; until then other instances on this host may take the network of %s for the "
		"one underneath, and send through it",
		err.text, a->name);
}

static void look_at_mark(const struct about *a, const struct watched_news *news)
{
	bool missing = news->mark == WATCHED_MISSING;

	if (news->mark == WATCHED_PUT_BACK)
		mark_again(a);
	else if (!missing || !a->m->watched.mark_refused)
		notices_set(a->notices, a->now_ms, missing, "mark-missing", a->device,
			"the alias of %s was replaced again after \"[n2n]\" was put back in front "
			"of it; without that word other instances on this host may take its "
			"network for the one underneath, and send through it. Let whoever sets the "
			"alias begin it with \"[n2n] \"",
			a->name);
}

/* ---- its addresses ---- */

/* What the system says against it holds until it is there, or can be put back. */
static void put_back(const struct about *a, size_t k, const char *ip)
{
	const struct overlay_address *ours = &a->m->conf->addresses[k];
	struct os_error err = {.code = 0};
	int rc = netif_add_address(a->m->ns, a->name, &ours->ip, ours->prefix, &err);

	a->m->watched.refused[k] = rc != 0;
	if (rc == 0)
		log_line(a->log, level(a), "the address %s/%u of %s was gone and is put back", ip,
			ours->prefix, a->name);
	notices_set(a->notices, a->now_ms, rc != 0, "address-missing", ip,
		"the address %s/%u of %s is gone, and cannot be put back: %s%s", ip, ours->prefix,
		a->name, err.text,
		!endpoint_is_v4(&ours->ip) && a->m->watched.mtu < IPV6_MTU_MIN
			? ". With an MTU below 1280 there is no IPv6; give it a larger one"
			: "");
}

static void look_for_ours(
	const struct about *a, const struct watched_news *news, size_t k, const char *ip)
{
	const struct overlay_address *ours = &a->m->conf->addresses[k];
	bool missing = news->address[k] == WATCHED_MISSING && news->same[k] == NULL;

	if (news->address[k] == WATCHED_PUT_BACK)
		put_back(a, k, ip);
	else if (!missing || !a->m->watched.refused[k])
		notices_set(a->notices, a->now_ms, missing, "address-missing", ip,
			"the address %s/%u of %s was taken away again after it was put back; give "
			"it back: ip addr add %s/%u dev %s",
			ip, ours->prefix, a->name, ip, ours->prefix, a->name);
}

static void look_for_others(
	const struct about *a, const struct watched_news *news, size_t k, const char *ip)
{
	const struct overlay_address *ours = &a->m->conf->addresses[k];
	const struct netif_link *same = news->same[k], *within = news->within[k];
	const char *other = same != NULL ? same->name : within != NULL ? within->name : "";

	notices_set(a->notices, a->now_ms, same != NULL, "address-elsewhere", ip,
		"the address %s of %s is one of %s on this host, too, so that this host does not "
		"answer the members reliably, or not at all; give one of the two another address",
		ip, a->name, other);
	notices_set(a->notices, a->now_ms, same == NULL && within != NULL, "range-elsewhere", ip,
		"the range of %s/%u, which is reached by %s, is in use at %s on this host as well: "
		"of both, some hosts are not reached. Choose another range for one of the two",
		ip, ours->prefix, a->name, other);
}

static void look_at_address(const struct about *a, const struct watched_news *news, size_t k)
{
	const struct overlay_address *ours = &a->m->conf->addresses[k];
	const char *bridge = a->m->watched.bridge;
	char ip[ENDPOINT_TEXT_MAX];

	endpoint_format_ip(&ours->ip, ip);
	look_for_ours(a, news, k, ip);
	notices_set(a->notices, a->now_ms, news->bridged_address[k], "bridged-address", ip,
		"%s is a port of %s, and an address of a port is not answered for; give %s/%u to "
		"the bridge: ip addr del %s/%u dev %s; ip addr add %s/%u dev %s",
		a->name, bridge, ip, ours->prefix, ip, ours->prefix, a->name, ip, ours->prefix,
		bridge);
	look_for_others(a, news, k, ip);
}

static void look_at_addresses(const struct about *a, const struct watched_news *news)
{
	const struct netif_address *more = news->surplus;
	char ip[ENDPOINT_TEXT_MAX], hint[OPTIONS_HINT_CAP];

	for (size_t k = 0; k < a->m->conf->address_count; k++)
		look_at_address(a, news, k);
	if (more != NULL) {
		endpoint_format_ip(&more->ip, ip);
		log_line(a->log, level(a),
			"%s has the address %s/%u, too, which was not given here; if an earlier "
			"run left it: ip addr del %s/%u dev %s",
			a->name, ip, more->prefix, ip, more->prefix, a->name);
	}
	notices_set(a->notices, a->now_ms, news->bare && a->m->conf->dhcp, "no-lease", a->device,
		"%s has no address yet: no DHCP server answers its client; check that a member has "
		"one, and that its edge lets it answer%s",
		a->name, options_hint(hint, a->h->host.options, SETTING_DHCP_SERVER));
	notices_set(a->notices, a->now_ms, news->bare && !a->m->conf->dhcp, "no-address", a->device,
		"%s has no address, so that nobody reaches this host by it; give it one when this "
		"program is started, or with \"ip addr add ADDRESS/PREFIX dev %s\", or make it a "
		"port of a bridge. A DHCP client gets one if the edge of a member with a server "
		"lets it answer%s",
		a->name, a->name, options_hint(hint, a->h->host.options, SETTING_DHCP_SERVER));
}

/* ---- looking ---- */

static void look(
	struct edge_host *h, const struct netif_state *s, struct membership *m, uint64_t now_ms)
{
	const struct mac mac = edge_mac(h->edge, m->index);
	struct watched_news news;
	struct about a = {
		.h = h,
		.m = m,
		.notices = &h->host.notices,
		.log = h->host.log,
		.now_ms = now_ms,
		.name = m->watched.name,
		.device = m->conf->device,
	};

	watched_look(&m->watched, m->conf, &mac, s, now_ms, &news);
	look_at_state(&a, &news);
	look_at_mtu(&a, &news);
	look_at_routers(&a, &news);
	look_at_mac(&a, &news);
	look_at_bridge(&a, &news);
	look_at_mark(&a, &news);
	look_at_addresses(&a, &news);
	edge_dhcp_look(h, m->index, s, now_ms);
	if (m->watched.missed && m->watched.state != WATCHED_AWAY)
		h->watch_due = true;
	if (m->watched.bare_ms != 0 && !news.bare)
		h->watch_due = true;
}

/* Those that are where we are share one picture; s is that. */
static int look_at_one(
	struct edge_host *h, const struct netif_state *here, struct membership *m, uint64_t now_ms)
{
	struct netif_state there;
	int rc;

	if (m->ns == NULL) {
		look(h, here, m, now_ms);
		return 0;
	}
	rc = netif_state_read(m->ns, &there);
	if (rc == 0) {
		look(h, &there, m, now_ms);
		edge_bridged(h->edge, m->index, m->watched.master, now_ms);
	}
	netif_state_free(&there);
	notices_set(&h->host.notices, now_ms, m->cut_off, "netns-gone", m->conf->device,
		"the network namespace \"%s\" that %s is in was removed, or made anew, so that "
		"nobody gets to this one; make it, if it is not there, and have the file read "
		"again (n2n reload), or start this program again",
		m->there.name, m->watched.name);
	return rc;
}

static void look_at_all(struct edge_host *h, uint64_t now_ms)
{
	struct netif_state s;
	int rc = netif_state_read(NULL, &s);

	h->watched_ms = now_ms;
	h->watch_due = rc != 0;
	for (unsigned i = 0; rc == 0 && i < COMMUNITIES_MAX; i++)
		if (h->member[i].conf != NULL && look_at_one(h, &s, &h->member[i], now_ms) != 0)
			h->watch_due = true;
	netif_state_free(&s);
}

void edge_interfaces_changed(struct edge_host *h, uint64_t now_ms)
{
	h->watch_due = true;
	edge_interfaces_tick(h, now_ms);
}

/* Nobody looks more often than this is called. */
static void look_for_changes_elsewhere(struct edge_host *h)
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (h->member[i].watch != NULL && netif_watch_drain(h->member[i].watch))
			h->watch_due = true;
}

/* That a namespace loses its name is no change in it. */
static void look_for_cut_off(struct edge_host *h)
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		struct membership *m = &h->member[i];
		bool cut_off = m->conf != NULL && membership_is_cut_off(m);

		h->watch_due = h->watch_due || cut_off != m->cut_off;
		m->cut_off = cut_off;
	}
}

void edge_interfaces_tick(struct edge_host *h, uint64_t now_ms)
{
	uint64_t pause_ms;

	look_for_changes_elsewhere(h);
	look_for_cut_off(h);
	pause_ms = h->watch_due ? LOOK_PAUSE_MS : LOOK_ANYWAY_MS;

	if (h->watched_ms == 0 || now_ms >= h->watched_ms + pause_ms)
		look_at_all(h, now_ms);
}
