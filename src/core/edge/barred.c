/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who speaks for others (PROTOCOL.md 9.7): what workers dropped and counted becomes an event when
 * it begins, and when it is over.
 */
#include <string.h>

#include "core/edge/edge_state.h"

#define LOOK_MS	    1000u
#define SETTLED_MS  5000u   /* what was under way when a member changed its address has come */
#define OVER_MS	    300000u /* without another one */
#define TOLD_BURST  8	    /* told at once ... */
#define TOLD_PER_MS 60000u  /* ... and one more each minute */

static bool take_bucket(struct community *c)
{
	return bucket_take(&c->barred.told, core_of(c)->now_ms * 1000 / TOLD_PER_MS, 1, TOLD_BURST);
}

/* ---- of a peer ---- */

static void tell(const struct peer *p, enum barred what, bool begins, const struct spoken_for *of)
{
	struct event e = {
		.kind = EVENT_FIRST_HOP,
		.community = p->community->index,
		.value = begins,
		.barred = what,
		.key = p->remote,
	};

	edge_id(e.edge, p->remote);
	memcpy(e.ip, of->ip, sizeof(e.ip));
	if (of->owner != NULL) {
		e.owner_key = of->owner->remote;
		edge_id(e.owner, of->owner->remote);
	}
	core_event(core_of(p->community), &e);
}

/*
 * Whether that is worth telling: not what an address that changes brings about, nor what two who
 * claim one address, be it of IP or a MAC address, do to each other, which is told as that.
 */
static bool is_news(const struct peer *p, enum barred what, struct spoken_for *of)
{
	const struct link *l = &p->session->link;

	if (what == BARRED_SOURCE)
		return mac_is_zero(&p->refused.mac) &&
		       core_of(p->community)->now_ms >= p->barred[what].since_ms + SETTLED_MS;
	return what != BARRED_NEIGHBOUR ||
	       (addresses_find(p, link_word(&l->barred_ip), of) && !of->rival);
}

/* It brings frames from an address that somebody may have claimed wrongly. */
static bool is_to_be_heard(const struct peer *p)
{
	const struct link *l = &p->session->link;
	const struct mac mac = mac_from_number(link_word(&l->barred_mac));

	return link_has_role(l, ROLE_BRIDGE) && claims_brought(p->community, &mac, p);
}

static bool is_lans(struct peer *p)
{
	const struct link *l = &p->session->link;

	return link_has_role(l, ROLE_BRIDGE) && addresses_brought(p, link_word(&l->barred_ip));
}

/* What a bridge has for its LAN it keeps by saying where that is. */
static void look_at_said(struct peer *p)
{
	uint64_t key = link_word(&p->session->link.said_ip);

	if (key == 0)
		return;
	atomic_store_explicit(&p->session->link.said_ip, 0, memory_order_relaxed);
	(void)addresses_brought(p, key);
}

static void end(struct peer *p, enum barred what)
{
	if (p->barred[what].told)
		tell(p, what, false, &(struct spoken_for){.rival = false});
	p->barred[what].told = false;
	p->barred[what].since_ms = 0;
}

static void look(struct peer *p, enum barred what)
{
	uint64_t count = link_word(&p->session->link.barred[what]);
	uint64_t now_ms = core_of(p->community)->now_ms;
	struct barred_watch *b = &p->barred[what];
	struct spoken_for of = {.rival = false};

	if (count == b->seen) {
		if (b->since_ms != 0 && now_ms >= b->last_ms + OVER_MS)
			end(p, what);
		return;
	}
	b->seen = count;
	b->last_ms = now_ms;
	if (b->since_ms == 0)
		b->since_ms = now_ms;
	if ((what == BARRED_SOURCE && is_to_be_heard(p)) ||
		(what == BARRED_NEIGHBOUR && is_lans(p)))
		return;
	if (b->told || !is_news(p, what, &of) || !take_bucket(p->community))
		return;
	b->told = true;
	tell(p, what, true, &of);
}

void barred_part(struct peer *p)
{
	for (unsigned what = 0; what < BARRED_KINDS; what++)
		end(p, what);
}

/* ---- of us ---- */

static void tell_ours(struct community *c, enum barred what, bool begins)
{
	struct event e = {
		.kind = EVENT_FIRST_HOP,
		.community = c->index,
		.value = begins,
		.barred = what,
	};

	c->barred.ours[what].told = begins;
	edge_id(e.edge, c->party.self.public);
	core_event(core_of(c), &e);
}

void barred_ours(struct node *n, const struct addressee *of, enum barred what)
{
	struct community *c = edge_of(n)->community[of->community];

	if (c == NULL || c->generation != of->generation)
		return;
	c->barred.ours[what].last_ms = n->core.now_ms;
	if (!c->barred.ours[what].told)
		tell_ours(c, what, true);
}

void barred_tick(struct community *c)
{
	uint64_t now_ms = core_of(c)->now_ms;

	if (now_ms < c->barred.looked_ms + LOOK_MS)
		return;
	c->barred.looked_ms = now_ms;
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		look_at_said(p);
	for (unsigned what = 0; what < BARRED_KINDS; what++) {
		if (c->barred.ours[what].told && now_ms >= c->barred.ours[what].last_ms + OVER_MS)
			tell_ours(c, what, false);
		for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
			look(p, what);
	}
}
