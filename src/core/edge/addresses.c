/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who has which IP address: the claims, in the order in which they came, of each address. */
#include "core/edge/addresses.h"

#include <stdlib.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "core/frame/announce.h"
#include "core/frame/frame.h"

#define LOOK_MS	       1000u
#define GONE_MS	       30000u  /* unlisted and unheard for so long: as the lease at a supernode */
#define CONTEST_MS     40000u  /* longer than a lease, so that it is no machine that was replaced */
#define TRIAL_MS       350000u /* as of a MAC address: PROTOCOL.md 9.4 */
#define ANNOUNCE_PER_S 10
#define ANNOUNCE_BURST 50
#define TOLD_BURST     8      /* conflicts told at once ... */
#define TOLD_PER_MS    60000u /* ... and one more each minute */

/* One peer claims one address. */
struct claimant {
	struct claimant *next; /* it came later */
	struct peer *peer;
};

/* Lives while it has claimants. */
struct address {
	UT_hash_handle hh; /* addresses->all, by ip */
	uint8_t ip[16];
	struct claimant *first;		 /* has it, unless it is ours */
	struct address *next_due, **due; /* in addresses->due; due is NULL: it is not */
	bool told;			 /* EVENT_IP_CONFLICT was */
	uint64_t key;			 /* view_ip_key of it */
	const struct port *shown;	 /* whose it is in the view; NULL: nobody's */
	const struct port *asked;	 /* who is asked there; NULL: everybody */
	uint64_t bound_ms;		 /* since when the first one has it */
	const struct peer *bridge;	 /* for whose LAN it is kept; NULL: nobody's. It is here */
	uint64_t kept_ms;		 /* until then */
	uint64_t contest_ms;		 /* since when two claim it; 0: not */
};

static struct address *find(struct community *c, const uint8_t ip[16])
{
	const uint8_t *hash_key = core_of(c)->hash_key;
	struct address *a;

	HASH_FIND(hh, c->addresses.all, ip, sizeof(a->ip), a);
	return a;
}

static struct address *get(struct community *c, const uint8_t ip[16])
{
	const uint8_t *hash_key = core_of(c)->hash_key;
	struct address *a = find(c, ip);

	if (a != NULL)
		return a;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return NULL;
	memcpy(a->ip, ip, sizeof(a->ip));
	a->key = view_ip_key(core_of(c)->view.hash_key, ip);
	HASH_ADD(hh, c->addresses.all, ip, sizeof(a->ip), a);
	if (a->hh.tbl == NULL) {
		free(a);
		return NULL;
	}
	return a;
}

static void not_due(struct address *a)
{
	if (a->due == NULL)
		return;
	*a->due = a->next_due;
	if (a->next_due != NULL)
		a->next_due->due = a->due;
	a->due = NULL;
}

static void drop_unused(struct community *c, struct address *a)
{
	if (a->first != NULL)
		return;
	not_due(a);
	HASH_DELETE(hh, c->addresses.all, a);
	free(a);
}

/* One host's: not unspecified, nor of a group or of every host's own. IPv4 in its mapped form. */
static bool is_hosts(const uint8_t ip[16])
{
	static const uint8_t unspecified[16], loopback[16] = {[15] = 1};
	struct endpoint e = {.port = 0};

	memcpy(e.ip, ip, sizeof(e.ip));
	if (endpoint_is_v4(&e))
		return ip[12] != 0 && ip[12] != 127 && ip[12] < 224;
	return ip[0] != 0xff && memcmp(ip, unspecified, sizeof(unspecified)) != 0 &&
	       memcmp(ip, loopback, sizeof(loopback)) != 0;
}

static bool is_link_local(const uint8_t ip[16])
{
	return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}

static bool is_ours(const struct community *c, const uint8_t ip[16])
{
	for (unsigned i = 0; i < c->n_addresses; i++)
		if (memcmp(c->address[i].ip, ip, sizeof(c->address[i].ip)) == 0)
			return true;
	return false;
}

/* ---- for workers ---- */

static bool is_named_bridge(const struct peer *p)
{
	return link_has_role(&p->session->link, ROLE_BRIDGE) &&
	       roles_are_named(p->community, ROLE_BRIDGE);
}

int addresses_show_ours(struct community *c)
{
	struct view_editor *v = &core_of(c)->view;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < c->n_addresses; i++)
		rc = view_put_ip(
			v, c->index, view_ip_key(v->hash_key, c->address[i].ip), &port_nobody);
	return rc;
}

/*
 * Whether nobody but its first claimant is to be asked where it is (PROTOCOL.md 10.4). While a LAN
 * may have it, or another member says that it has, all are to hear the question.
 */
static bool is_settled(const struct community *c, const struct address *a)
{
	return a->first != NULL && a->first->next == NULL && a->bridge == NULL &&
	       !is_ours(c, a->ip) &&
	       (!roles_are_named(c, ROLE_BRIDGE) || is_named_bridge(a->first->peer) ||
		       core_of(c)->now_ms >= a->bound_ms + TRIAL_MS);
}

static void show_asked(struct community *c, struct address *a)
{
	struct view_editor *v = &core_of(c)->view;
	const struct port *to = is_settled(c, a) ? a->first->peer->port : NULL;

	if (to == a->asked)
		return;
	if (to == NULL)
		view_remove_asked(v, c->index, a->key, a->asked);
	else if (view_put_asked(v, c->index, a->key, to) != 0)
		return;
	a->asked = to;
}

static void show_owner(struct community *c, struct address *a)
{
	struct view_editor *v = &core_of(c)->view;
	const struct port *to = NULL;

	if (a->first != NULL)
		to = a->bridge != NULL ? a->bridge->port : a->first->peer->port;
	if (to == a->shown || is_ours(c, a->ip))
		return;
	if (to == NULL)
		view_remove_ip(v, c->index, a->key, a->shown);
	else if (view_put_ip(v, c->index, a->key, to) != 0)
		return;
	a->shown = to;
}

/*
 * Whose it is by now. Without memory it is nobody's, until it is looked at again; to replace who
 * had it takes none.
 */
static void show(struct community *c, struct address *a)
{
	show_owner(c, a);
	show_asked(c, a);
}

/* One that is ours no more is his who claims it; what the view had of that was replaced. */
static void give_up(struct community *c, const uint8_t ip[16])
{
	struct view_editor *v = &core_of(c)->view;
	struct address *a = find(c, ip);

	view_remove_ip(v, c->index, view_ip_key(v->hash_key, ip), &port_nobody);
	if (a == NULL)
		return;
	a->shown = NULL;
	show(c, a);
}

int addresses_change_ours(struct community *c, const struct claim_address *list, unsigned n)
{
	struct claim_address before[CLAIM_ADDRESSES_MAX];
	const uint8_t n_before = c->n_addresses;
	int rc;

	memcpy(before, c->address, sizeof(before));
	c->n_addresses = (uint8_t)n;
	if (n > 0)
		memcpy(c->address, list, n * sizeof(*list));
	rc = addresses_show_ours(c);
	if (rc != 0) {
		memcpy(c->address, before, sizeof(before));
		c->n_addresses = n_before;
		return rc;
	}
	for (unsigned i = 0; i < n_before; i++)
		if (!is_ours(c, before[i].ip))
			give_up(c, before[i].ip);
	for (unsigned i = 0; i < n; i++) {
		struct address *a = find(c, list[i].ip);

		if (a != NULL)
			show(c, a);
	}
	return 0;
}

static bool claims(const struct address *a, const struct peer *p)
{
	for (const struct claimant *at = a->first; at != NULL; at = at->next)
		if (at->peer == p)
			return true;
	return false;
}

bool addresses_find(const struct peer *p, uint64_t key, struct spoken_for *out)
{
	const struct community *c = p->community;
	const struct address *a = c->addresses.all;

	while (a != NULL && a->key != key)
		a = a->hh.next;
	*out = (struct spoken_for){.rival = a != NULL && claims(a, p)};
	for (unsigned i = 0; i < c->n_addresses; i++) {
		memcpy(out->ip, c->address[i].ip, sizeof(out->ip));
		if (view_ip_key(core_of(c)->view.hash_key, out->ip) == key)
			return true;
	}
	if (a == NULL || a->first == NULL)
		return false;
	memcpy(out->ip, a->ip, sizeof(out->ip));
	out->owner = a->bridge != NULL ? a->bridge : a->first->peer;
	return out->owner != p;
}

/* ---- conflicts ---- */

/* Between the one that has it, NULL for us, and the next one. */
static void tell(struct community *c, struct address *a, const struct peer *has,
	const struct peer *other, bool begins)
{
	struct event e = {
		.kind = EVENT_IP_CONFLICT,
		.community = c->index,
		.value = IP_IS_FREE,
	};

	a->told = begins;
	if (begins)
		e.value = a->bridge != NULL ? IP_IS_LANS : IP_IS_CLAIMED;
	memcpy(e.ip, a->ip, sizeof(e.ip));
	if (other != NULL) {
		e.key = other->remote;
		edge_id(e.edge, other->remote);
	}
	if (has != NULL) {
		e.owner_key = has->remote;
		edge_id(e.owner, has->remote);
	}
	core_event(core_of(c), &e);
}

/* The two between whom it is now. False: there are no two. */
static bool rivals(const struct community *c, const struct address *a, const struct peer **has,
	const struct peer **other)
{
	const struct claimant *rival = a->first;

	*has = NULL;
	if (rival != NULL && a->bridge != NULL) {
		*has = a->bridge;
	} else if (rival != NULL && !is_ours(c, a->ip)) {
		*has = rival->peer;
		rival = rival->next;
	}
	*other = rival != NULL ? rival->peer : NULL;
	return rival != NULL;
}

/* We know of ourselves that we are here, and need not wait. */
static void look_at_contest(struct community *c, struct address *a)
{
	uint64_t now_ms = core_of(c)->now_ms;
	const struct peer *has, *other;

	if (!rivals(c, a, &has, &other)) {
		a->contest_ms = 0;
		return;
	}
	if (a->contest_ms == 0)
		a->contest_ms = now_ms;
	if (a->told || (has != NULL && now_ms < a->contest_ms + CONTEST_MS))
		return;
	if (bucket_take(&c->addresses.told, now_ms * 1000 / TOLD_PER_MS, 1, TOLD_BURST))
		tell(c, a, has, other, true);
}

/* It is between others from now on: what is told goes on between them, or is over. */
static void rival_left(struct community *c, struct address *a)
{
	uint64_t now_ms = core_of(c)->now_ms;
	const struct peer *has, *other;
	bool on = a->told && rivals(c, a, &has, &other);

	if (on && bucket_take(&c->addresses.told, now_ms * 1000 / TOLD_PER_MS, 1, TOLD_BURST)) {
		tell(c, a, has, other, true);
		return;
	}
	if (a->told)
		tell(c, a, NULL, NULL, false);
	if (!on)
		a->contest_ms = 0;
}

/* ---- announcements ---- */

/* Who took its place may be one whose hosts still know the former MAC address. */
static void announce(struct community *c, const struct address *a)
{
	const struct core_io *io = &core_of(c)->io;
	uint8_t slot[SLOT_LEN];
	struct frame f = {.data = slot + SLOT_HEADROOM};

	/* Switches would send to us what another one is to carry. */
	if (c->gated)
		return;
	f.len = announce_frame(f.data, &a->first->peer->claim.mac, a->ip);
	io->deliver(io->ctx, c->index, &f);
}

static void announce_due(struct community *c)
{
	struct addresses *t = &c->addresses;

	while (t->due != NULL &&
		bucket_take(&t->announced, core_of(c)->now_ms, ANNOUNCE_PER_S, ANNOUNCE_BURST)) {
		struct address *a = t->due;

		not_due(a);
		announce(c, a);
	}
}

/*
 * The newest first, so that many do not keep it waiting. What is not said of a router in an
 * advertisement counts as a no; so nothing is said of link-local addresses, which routers go by.
 */
static void announce_soon(struct community *c, struct address *a)
{
	if (a->due != NULL || is_ours(c, a->ip) || is_link_local(a->ip))
		return;
	a->due = &c->addresses.due;
	a->next_due = *a->due;
	if (a->next_due != NULL)
		a->next_due->due = &a->next_due;
	*a->due = a;
	announce_due(c);
}

/* ---- addresses of LANs behind bridges ---- */

/*
 * An address that nobody had may be a host's of a LAN: who has heard it there is not to be told
 * otherwise because somebody claims it.
 */
static bool may_be_lans(const struct community *c)
{
	return (c->roles & ROLE_BRIDGE) != 0 || roles_are_named(c, ROLE_BRIDGE);
}

static void give_back(struct community *c, struct address *a)
{
	a->bridge = NULL;
	a->bound_ms = core_of(c)->now_ms; /* on trial again */
	show(c, a);
	rival_left(c, a);
}

bool addresses_brought(struct peer *by, uint64_t key)
{
	struct community *c = by->community;
	uint64_t now_ms = core_of(c)->now_ms;
	struct address *a = c->addresses.all;

	if (key == 0 || !is_named_bridge(by))
		return false;
	while (a != NULL && a->key != key)
		a = a->hh.next;
	if (a == NULL || a->first == NULL || is_ours(c, a->ip) || claims(a, by) ||
		is_named_bridge(a->first->peer) ||
		(a->bridge != by && now_ms >= a->bound_ms + TRIAL_MS))
		return false;
	if (a->bridge == NULL || a->bridge == by) {
		a->bridge = by;
		a->kept_ms = now_ms + TRIAL_MS;
		show(c, a);
	}
	return a->bridge == by;
}

/* ---- claims ---- */

/* Without memory the claim does not count. */
static void add(struct peer *p, const uint8_t ip[16])
{
	struct community *c = p->community;
	struct claimant **at, *new;
	struct address *a;

	if (!is_hosts(ip))
		return;
	a = get(c, ip);
	if (a == NULL)
		return;
	for (at = &a->first; *at != NULL; at = &(*at)->next)
		if ((*at)->peer == p)
			return;
	new = calloc(1, sizeof(*new));
	if (new != NULL) {
		new->peer = p;
		*at = new;
		if (new == a->first)
			a->bound_ms = core_of(c)->now_ms;
		show(c, a);
		if (new == a->first && !may_be_lans(c))
			announce_soon(c, a);
		look_at_contest(c, a);
	}
	drop_unused(c, a);
}

static void take_out(struct peer *p, const uint8_t ip[16])
{
	struct community *c = p->community;
	struct address *a = find(c, ip);
	struct claimant **at, *gone;
	const struct peer *has, *other;

	if (a == NULL)
		return;
	for (at = &a->first; *at != NULL && (*at)->peer != p;)
		at = &(*at)->next;
	gone = *at;
	if (gone == NULL)
		return;
	(void)rivals(c, a, &has, &other);
	*at = gone->next;
	free(gone);
	if (at == &a->first)
		a->bound_ms = core_of(c)->now_ms;
	show(c, a);
	if (at == &a->first && a->first != NULL && a->bridge == NULL)
		announce_soon(c, a);
	if (p == has || p == other)
		rival_left(c, a);
	look_at_contest(c, a);
	drop_unused(c, a);
}

static bool names(const struct control_claim *m, const uint8_t ip[16])
{
	for (unsigned i = 0; i < m->n; i++)
		if (memcmp(m->address[i].ip, ip, sizeof(m->address[i].ip)) == 0)
			return true;
	return false;
}

/* A supernode that was restarted does not list it for a while: whoever is heard is here. */
static bool is_here(const struct peer *p)
{
	uint64_t heard_ms = link_word(&p->session->link.rx_ms);

	if (mac_is_zero(&p->claim.mac))
		return false;
	return p->listed ||
	       (p->session->current != NULL && core_of(p->community)->now_ms < heard_ms + GONE_MS);
}

static void enter(struct peer *p)
{
	p->has_addresses = true;
	for (unsigned i = 0; i < p->claim.n; i++)
		add(p, p->claim.address[i].ip);
}

static void leave(struct peer *p, const struct control_claim *claimed)
{
	p->has_addresses = false;
	for (unsigned i = 0; i < claimed->n; i++)
		take_out(p, claimed->address[i].ip);
}

void addresses_claimed(struct peer *p, const struct control_claim *before)
{
	bool is_same = mac_equal(&p->claim.mac, &before->mac);

	if (!p->has_addresses || !is_here(p)) {
		if (p->has_addresses)
			leave(p, before);
		addresses_look(p);
		return;
	}
	for (unsigned i = 0; i < before->n; i++)
		if (!is_same || !names(&p->claim, before->address[i].ip))
			take_out(p, before->address[i].ip);
	enter(p);
}

/* As first ones they were announced already, but where a LAN may have such. */
void addresses_moved(struct peer *p, const struct control_claim *before)
{
	struct community *c = p->community;

	for (unsigned i = 0; may_be_lans(c) && i < p->claim.n; i++) {
		struct address *a = find(c, p->claim.address[i].ip);

		if (a != NULL && a->first->peer == p && a->bridge == NULL && names(before, a->ip))
			announce_soon(c, a);
	}
}

void addresses_look(struct peer *p)
{
	bool here = is_here(p);

	if (here && !p->has_addresses)
		enter(p);
	else if (!here && p->has_addresses)
		leave(p, &p->claim);
}

void addresses_part(struct peer *p)
{
	struct address *a, *next;

	if (p->has_addresses)
		leave(p, &p->claim);
	HASH_ITER (hh, p->community->addresses.all, a, next) {
		if (a->bridge == p)
			give_back(p->community, a);
	}
}

void addresses_tick(struct community *c)
{
	uint64_t now_ms = core_of(c)->now_ms;
	struct address *a, *next;

	announce_due(c);
	if (now_ms < c->addresses.looked_ms + LOOK_MS)
		return;
	c->addresses.looked_ms = now_ms;
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		addresses_look(p);
	HASH_ITER (hh, c->addresses.all, a, next) {
		if (a->bridge != NULL && (now_ms >= a->kept_ms || !is_here(a->bridge) ||
						 !is_named_bridge(a->bridge)))
			give_back(c, a);
		show(c, a);
		look_at_contest(c, a);
	}
}

void addresses_fini(struct community *c)
{
	struct address *a, *next;

	HASH_ITER (hh, c->addresses.all, a, next) {
		HASH_DELETE(hh, c->addresses.all, a);
		while (a->first != NULL) {
			struct claimant *gone = a->first;

			a->first = gone->next;
			free(gone);
		}
		free(a);
	}
}
