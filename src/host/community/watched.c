/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the comparison of an interface with what it should be. */
#include "host/community/watched.h"

#include <stdio.h>
#include <string.h>

#define BARE_MS 15000u /* time to ask for an address, or to put it into a bridge */

#define PUT_BURST  3	   /* an address is put back so often at once ... */
#define PUT_PER_MS 600000u /* ... and once more each ten minutes */

void watched_init(struct watched *w, unsigned index, const char *name, unsigned mtu)
{
	*w = (struct watched){.index = index, .mtu = mtu};
	snprintf(w->name, sizeof(w->name), "%s", name);
}

const char *watched_state_name(enum watched_state s)
{
	static const char *const names[] = {
		[WATCHED_UP] = "up", [WATCHED_DOWN] = "down", [WATCHED_AWAY] = "away"};

	return names[s];
}

/* ---- addresses ---- */

static bool has_address(const struct netif_state *s, unsigned index, const struct endpoint *ip)
{
	for (size_t i = 0; i < s->n_addresses; i++)
		if (s->address[i].index == index && endpoint_same_ip(&s->address[i].ip, ip))
			return true;
	return false;
}

static bool is_wanted(const struct community_conf *conf, const struct endpoint *ip)
{
	for (size_t i = 0; i < conf->address_count; i++)
		if (endpoint_same_ip(&conf->addresses[i].ip, ip))
			return true;
	return false;
}

/* One that somebody gave it: those that the system makes by itself serve no member. */
static const struct netif_address *given_address(
	const struct netif_state *s, unsigned index, const struct community_conf *but)
{
	for (size_t i = 0; i < s->n_addresses; i++) {
		const struct netif_address *a = &s->address[i];

		if (a->index == index &&
			(endpoint_is_v4(&a->ip) || !endpoint_is_link_local(&a->ip)) &&
			(but == NULL || !is_wanted(but, &a->ip)))
			return a;
	}
	return NULL;
}

/* Whether two addresses agree in the first bits of their family. */
static bool agree(const struct endpoint *a, const struct endpoint *b, unsigned bits)
{
	if (endpoint_is_v4(a) != endpoint_is_v4(b))
		return false;
	if (endpoint_is_v4(a))
		bits += 96;
	return memcmp(a->ip, b->ip, bits / 8) == 0 &&
	       (bits % 8 == 0 || (a->ip[bits / 8] ^ b->ip[bits / 8]) >> (8 - bits % 8) == 0);
}

/*
 * A range of another interface that is as long as ours or lies within it: what we say is reached
 * through the community is looked for there. One that holds ours gives way to it, and a single
 * address is no range.
 */
static bool is_within(const struct overlay_address *ours, const struct netif_address *a)
{
	return a->prefix >= ours->prefix && a->prefix < (endpoint_is_v4(&a->ip) ? 32 : 128) &&
	       !endpoint_is_link_local(&a->ip) && agree(&ours->ip, &a->ip, ours->prefix);
}

/* Other interfaces that have what is ours; those made upon ours and its bridge are no others. */
static void find_elsewhere(const struct netif_link *own, const struct overlay_address *ours,
	const struct netif_state *s, size_t k, struct watched_news *news)
{
	for (size_t i = 0; i < s->n_addresses; i++) {
		const struct netif_address *a = &s->address[i];
		const struct netif_link *l = netif_state_link(s, a->index);

		if (l == NULL || l->index == own->index || l->index == own->master ||
			l->below == own->index || l->vrf != own->vrf)
			continue;
		if (endpoint_same_ip(&a->ip, &ours->ip))
			news->same[k] = l;
		else if (l->up && is_within(ours, a))
			news->within[k] = l;
	}
}

static bool may_put(struct bucket *b, uint64_t now_ms)
{
	return bucket_take(b, now_ms * 1000 / PUT_PER_MS, 1, PUT_BURST);
}

static void look_at_address(struct watched *w, const struct netif_link *own,
	const struct overlay_address *ours, const struct netif_state *s, size_t k, uint64_t now_ms,
	struct watched_news *news)
{
	bool there = has_address(s, own->index, &ours->ip);

	find_elsewhere(own, ours, s, k, news);
	news->bridged_address[k] = there && own->master != 0;
	/* What takes addresses away as well, or makes others of them, is no fight for them. */
	if (!own->up || own->master != 0 || news->resized)
		w->put[k] = (struct bucket){.started = false};
	if (there)
		news->address[k] = WATCHED_PRESENT;
	else if (!own->up || own->master != 0)
		news->address[k] = WATCHED_IDLE;
	else if (news->same[k] == NULL && may_put(&w->put[k], now_ms))
		news->address[k] = WATCHED_PUT_BACK;
	else
		news->address[k] = WATCHED_MISSING;
}

void watched_addresses_changed(struct watched *w)
{
	memset(w->put, 0, sizeof(w->put));
	memset(w->refused, 0, sizeof(w->refused));
	w->bare_ms = 0;
}

/* ---- the rest ---- */

/* Who notes something at the interface replaces what was there, and does no wrong. */
static void look_at_mark(
	struct watched *w, const struct netif_link *own, uint64_t now_ms, struct watched_news *news)
{
	if (!own->marked)
		news->mark = may_put(&w->marks, now_ms) ? WATCHED_PUT_BACK : WATCHED_MISSING;
}

static bool is_built_upon(const struct netif_state *s, unsigned index)
{
	for (size_t i = 0; i < s->n_links; i++)
		if (s->link[i].below == index)
			return true;
	return false;
}

static void set_state(struct watched *w, enum watched_state state, struct watched_news *news)
{
	news->moved = w->state != state;
	w->state = state;
}

static void take_name(char name[INTERFACE_NAME_MAX + 1], const char *now, bool *changed)
{
	*changed = strcmp(name, now) != 0;
	if (*changed)
		snprintf(name, INTERFACE_NAME_MAX + 1, "%s", now);
}

/* Nobody can be reached by it, and nothing else makes use of it. */
static bool is_bare(const struct community_conf *conf, const struct netif_link *own,
	const struct netif_state *s)
{
	return conf->address_count == 0 && own->up && own->master == 0 &&
	       given_address(s, own->index, NULL) == NULL && !is_built_upon(s, own->index);
}

static void look_for_any_address(struct watched *w, const struct community_conf *conf,
	const struct netif_link *own, const struct netif_state *s, uint64_t now_ms,
	struct watched_news *news)
{
	if (!is_bare(conf, own, s))
		w->bare_ms = 0;
	else if (w->bare_ms == 0)
		w->bare_ms = now_ms;
	news->bare = w->bare_ms != 0 && now_ms >= w->bare_ms + BARE_MS;
}

void watched_look(struct watched *w, const struct community_conf *conf, const struct mac *mac,
	const struct netif_state *s, uint64_t now_ms, struct watched_news *news)
{
	const struct netif_link *own = netif_state_link(s, w->index), *master;

	*news = (struct watched_news){.renamed = false};
	if (own == NULL) {
		/* One that was removed ends the program: it has a second for that. */
		if (w->missed)
			set_state(w, WATCHED_AWAY, news);
		w->missed = true;
		w->bare_ms = 0;
		return;
	}
	w->missed = false;
	set_state(w, own->up ? WATCHED_UP : WATCHED_DOWN, news);
	take_name(w->name, own->name, &news->renamed);
	w->master = own->master;
	master = netif_state_link(s, own->master);
	take_name(w->bridge, master != NULL ? master->name : "", &news->bridged);
	news->resized = own->mtu != w->mtu;
	w->mtu = own->mtu;
	news->readdressed =
		!mac_equal(&own->mac, mac) && !mac_is_zero(&own->mac) && !mac_is_group(&own->mac);
	news->mac = own->mac;
	look_at_mark(w, own, now_ms, news);
	for (size_t k = 0; k < conf->address_count; k++)
		look_at_address(w, own, &conf->addresses[k], s, k, now_ms, news);
	look_for_any_address(w, conf, own, s, now_ms, news);
	if (!w->looked && conf->address_count > 0)
		news->surplus = given_address(s, own->index, conf);
	w->looked = true;
}
