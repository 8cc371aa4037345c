/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which member gets the address that it claims, and how long one is kept for who is away. */
#include <assert.h>
#include <string.h>

#include "core/edge/edge_state.h"

#define AGE_MS	   10000u	    /* between looks at who is away */
#define ABSENT_MAX (UINT64_MAX / 2) /* it does not run over */
/* What was heard of an address before the claim would be forgotten by then (PROTOCOL.md 9.9). */
#define TRIAL_MS     ((FDB_AGE_MAX + 1) * LEARNED_STEP_MS)
#define CLAIMS_PER_S 2	    /* of one peer that are looked at ... */
#define CLAIMS_BURST 10	    /* ... and so many at once */
#define DOUBT_MS     3000u  /* a ring that brings a member's own frames is cut by then */
#define TOLD_BURST   8	    /* refusals told at once ... */
#define TOLD_PER_MS  60000u /* ... and one more each minute */

static_assert(MAC_OWNERS_MAX >= PEERS_MAX, "there is room for whoever is here");

static bool is_here(const struct peer *p)
{
	return p != NULL && (p->listed || p->up || p->session->current != NULL);
}

static bool is_derived(const struct mac *mac, const uint8_t remote[KEY_LEN])
{
	const struct mac derived = owners_derive(remote);

	return mac_equal(mac, &derived);
}

static bool is_ours(const struct community *c, const struct mac *mac)
{
	return mac_equal(mac, &c->mac);
}

static void changed(const struct community *c)
{
	core_event(core_of(c), &(struct event){.kind = EVENT_STATE, .community = c->index});
}

/*
 * Frames for the address go to its owner or, while that is not known here, to nobody. Where the
 * owner stands by, another bridge carries its frames, and is learned to.
 */
static int show(const struct community *c, const struct owner *o)
{
	struct view_editor *v = &core_of(c)->view;
	const struct port *to = o->peer != NULL ? o->peer->port : &port_nobody;

	if (o->peer != NULL && link_has_role(&o->peer->session->link, ROLE_STANDBY)) {
		view_remove_owner(v, c->index, mac_number(&o->mac), to);
		return 0;
	}
	return view_put_owner(v, c->index, mac_number(&o->mac), to);
}

/* What of its claim is granted to it. */
static void grant_roles(struct peer *p)
{
	struct link *l = &p->session->link;
	bool was_bridge = link_has_role(l, ROLE_BRIDGE);

	atomic_store_explicit(&l->roles, roles_granted(p->community, p->remote, p->claim.roles),
		memory_order_relaxed);
	if (was_bridge && !link_has_role(l, ROLE_BRIDGE))
		switch_forget(p);
}

void claims_regrant(struct community *c)
{
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		const struct owner *o = owners_of_mac(&c->owners, &p->claim.mac);

		grant_roles(p);
		/* Without memory it is as before, until it claims again. */
		if (o != NULL)
			(void)show(c, o);
	}
}

/* What it says of itself, and the address that its frames may come from. */
static void set_claim(struct peer *p, const struct control_claim *m, uint64_t source)
{
	const struct control_claim before = p->claim;

	p->claim = *m;
	p->refused = (struct control_claim){0};
	grant_roles(p);
	atomic_store_explicit(&p->session->link.mac, source, memory_order_relaxed);
	addresses_claimed(p, &before);
}

/* The address is nobody's. */
static void release(struct community *c, struct owner *o)
{
	static const struct control_claim nothing;
	const struct mac mac = o->mac;
	struct peer *p = o->peer;

	view_remove_owner(
		&core_of(c)->view, c->index, mac_number(&mac), p != NULL ? p->port : &port_nobody);
	owners_remove(&c->owners, o);
	if (p != NULL)
		set_claim(p, &nothing, 0);
	changed(c);
}

/* Looks who is here and who is not. */
static void age(struct community *c)
{
	uint64_t now_ms = core_of(c)->now_ms, elapsed_ms = now_ms - c->aged_ms;

	c->aged_ms = now_ms;
	for (size_t i = 0; i < c->owners.n; i++) {
		struct owner *o = &c->owners.at[i];

		if (is_here(o->peer))
			o->absent_ms = 0;
		else
			o->absent_ms += o->absent_ms > 0 ? elapsed_ms : 1; /* it just left */
	}
}

/* Whose the address was before we cannot know: we may have started just now. */
static void set_trial(const struct community *c, struct owner *o)
{
	if (!is_derived(&o->mac, o->remote))
		o->trial_ms = core_of(c)->now_ms + TRIAL_MS;
}

/* Adds it as the owner of an address that nobody has. */
static bool own(struct peer *p, const struct mac *mac)
{
	struct community *c = p->community;
	struct owner *o;

	if (owners_is_full(&c->owners)) {
		age(c);
		o = owners_surplus(&c->owners);
		if (o != NULL)
			release(c, o);
	}
	o = owners_add(&c->owners, mac, p->remote, p);
	if (o == NULL)
		return false;
	if (show(c, o) != 0) {
		owners_remove(&c->owners, o);
		return false;
	}
	set_trial(c, o);
	changed(c);
	return true;
}

static void tell(const struct peer *p, enum mac_refusal why, const uint8_t *owner)
{
	struct event e = {
		.kind = EVENT_MAC_REFUSED,
		.community = p->community->index,
		.value = why,
		.key = p->remote,
		.mac = p->refused.mac,
	};

	edge_id(e.edge, p->remote);
	if (owner != NULL)
		edge_id(e.owner, owner);
	core_event(core_of(p->community), &e);
}

/*
 * The static of the bridge behind which an address that nobody owns was heard of late, maybe ours;
 * NULL: there is none, or it is who claims it.
 */
static const uint8_t *bridge_of(const struct peer *claimant, const struct mac *mac)
{
	const struct community *c = claimant->community;
	uint16_t number = c->fdb != NULL ? fdb_find(c->fdb, mac_number(mac)) : PORT_FLOOD;

	if (number == PORT_HERE)
		return c->party.self.public;
	for (const struct peer *p = c->peers; p != NULL && number != PORT_FLOOD; p = p->hh.next)
		if (p->port->number == number)
			return p != claimant && is_here(p) ? p->remote : NULL;
	return NULL;
}

const uint8_t *claims_whose(const struct peer *claimant, const struct mac *mac)
{
	const struct owner *o = owners_of_mac(&claimant->community->owners, mac);

	return o != NULL ? o->remote : bridge_of(claimant, mac);
}

static enum mac_refusal why_refused(const struct peer *p)
{
	const struct mac *mac = &p->refused.mac;

	if (!is_ours(p->community, mac))
		return owners_of_mac(&p->community->owners, mac) != NULL ? MAC_IS_ANOTHERS
									 : MAC_IS_IN_USE;
	return is_derived(mac, p->remote) ? MAC_IS_OURS_BY_CHOICE : MAC_IS_OURS;
}

void claims_unsay(struct peer *p)
{
	if (p->told)
		tell(p, MAC_IS_FREE, NULL);
	p->told = false;
}

/* Whose the address is, to who claims it; nobody: to who claimed it in vain. */
static void answer(struct peer *p, const struct mac *mac, const uint8_t *owner)
{
	uint8_t id[EDGE_ID_LEN] = {0};

	if (owner != NULL)
		edge_id(id, owner);
	refusals_send(p, mac, id);
}

/* It has no address then: no frame comes from it, and none goes to it alone. */
static void refuse(struct peer *p, const struct control_claim *m)
{
	static const struct control_claim nothing;
	struct community *c = p->community;
	const uint8_t *whose = claims_whose(p, &m->mac);

	if (!mac_equal(&p->refused.mac, &m->mac))
		claims_unsay(p);
	set_claim(p, &nothing, LINK_MAC_REFUSED);
	p->refused = *m;
	/* Where nobody has it, memory was short. That it is ours the peer knows by our claim. */
	if (whose == NULL && !is_ours(c, &m->mac))
		return;
	if (whose != NULL) {
		p->knows = true;
		answer(p, &m->mac, whose);
	}
	if (p->told)
		return;
	p->told = bucket_take(&c->refusals, core_of(c)->now_ms * 1000 / TOLD_PER_MS, 1, TOLD_BURST);
	if (p->told)
		tell(p, why_refused(p), whose);
}

/* It has the address that it claims; it may believe that it is refused. */
static void grant(struct peer *p, const struct control_claim *m)
{
	bool stood_by = link_has_role(&p->session->link, ROLE_STANDBY), stands_by;

	set_claim(p, m, mac_number(&m->mac));
	stands_by = link_has_role(&p->session->link, ROLE_STANDBY);
	if (stood_by != stands_by)
		claims_meet(p);
	if (stands_by && !stood_by)
		switch_forget(p);
	p->community->moved = p->community->moved || (stood_by && !stands_by);
	claims_unsay(p);
	if (p->knows && session_sending(p->session, core_of(p->community)->now_ms) != NULL) {
		p->knows = false;
		answer(p, &m->mac, NULL);
	}
}

static bool is_anothers(const struct peer *p, const struct owner *o)
{
	return o != NULL && memcmp(o->remote, p->remote, KEY_LEN) != 0;
}

/* Whether somebody has the address whom the peer cannot take it from; o: its owner, or NULL. */
static bool is_taken(const struct peer *p, const struct mac *mac, const struct owner *o)
{
	if (is_ours(p->community, mac))
		return true;
	if (o == NULL)
		return !is_derived(mac, p->remote) && bridge_of(p, mac) != NULL;
	return is_anothers(p, o) && (!is_derived(mac, p->remote) || is_derived(mac, o->remote));
}

/* Gives it the address that it claims, or not; it has no other one. */
static void decide(struct peer *p, const struct control_claim *claim)
{
	struct community *c = p->community;
	const struct control_claim m = *claim; /* it may be the peer's own, which changes */
	struct owner *o = owners_of_mac(&c->owners, &m.mac);
	struct control_claim lost = {0};
	struct peer *loser = NULL;

	if (is_taken(p, &m.mac, o)) {
		refuse(p, &m);
		return;
	}
	if (is_anothers(p, o)) {
		loser = o->peer;
		if (loser != NULL)
			lost = loser->claim;
		release(c, o);
		o = NULL;
	}
	if (o != NULL) {
		o->absent_ms = 0;
	} else if (!own(p, &m.mac)) { /* until it claims it again */
		refuse(p, &m);
		return;
	}
	grant(p, &m);
	if (!mac_is_zero(&lost.mac))
		refuse(loser, &lost);
}

/*
 * Nobody has the address any more: who was refused it, and was met first, gets it, and of the
 * others it is said whose it is now.
 */
static void offer(struct community *c, const struct mac *mac)
{
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		if (p->up && mac_equal(&p->refused.mac, mac)) {
			claims_unsay(p);
			decide(p, &p->refused);
		}
}

/* Frames from an address that nobody owns come from there; NULL: from our own interface. */
static void learn(struct community *c, const struct mac *mac, const struct peer *by)
{
	if (c->fdb != NULL)
		fdb_learn(c->fdb, mac_number(mac), by != NULL ? by->port->number : PORT_HERE,
			core_of(c)->view.community[c->index].next.step);
}

bool claims_brought(struct community *c, const struct mac *mac, const struct peer *by)
{
	struct owner *o = owners_of_mac(&c->owners, mac);
	uint64_t now_ms = core_of(c)->now_ms;
	struct control_claim lost = {0};
	struct peer *loser;

	if (by == NULL) {
		c->brought = *mac;
		c->brought_ms = now_ms;
	}
	if (o == NULL || !owners_on_trial(o, now_ms) || c->fdb == NULL)
		return false;
	if (o->doubted_ms == 0)
		o->doubted_ms = now_ms;
	if (now_ms < o->doubted_ms + DOUBT_MS)
		return true;
	loser = o->peer;
	if (loser != NULL)
		lost = loser->claim;
	learn(c, mac, by);
	release(c, o);
	offer(c, mac);
	if (!mac_is_zero(&lost.mac))
		refuse(loser, &lost);
	return true;
}

int claims_move(struct community *c, const struct mac *mac)
{
	struct owner *o = owners_of_mac(&c->owners, mac);
	struct peer *loser = o != NULL ? o->peer : NULL;
	struct control_claim lost = loser != NULL ? loser->claim : (struct control_claim){0};
	const struct mac was = c->mac;

	if (view_put_owner(&core_of(c)->view, c->index, mac_number(mac), &port_nobody) != 0)
		return N2N_ENOMEM;
	view_remove_owner(&core_of(c)->view, c->index, mac_number(&was), &port_nobody);
	view_set_interface(
		&core_of(c)->view, c->index, mac_number(mac), (c->roles & ROLE_BRIDGE) != 0);
	refusals_end(c);
	foreign_end(c);
	c->mac = *mac;
	if (o != NULL) {
		owners_remove(&c->owners, o);
		changed(c);
	}
	if (loser != NULL)
		refuse(loser, &lost);
	offer(c, &was);
	return 0;
}

void claims_tick(struct community *c)
{
	struct owner *o;

	if (core_of(c)->now_ms < c->aged_ms + AGE_MS)
		return;
	age(c);
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		if (!is_here(p))
			claims_unsay(p);
	while ((o = owners_expired(&c->owners, c->hold_ms)) != NULL) {
		const struct mac mac = o->mac;

		release(c, o);
		offer(c, &mac);
	}
}

static void take(struct peer *p, const struct control_claim *m)
{
	struct community *c = p->community;
	struct owner *before = owners_of_static(&c->owners, p->remote);
	const struct control_claim was = p->claim;

	if (before != NULL && !mac_equal(&before->mac, &m->mac)) {
		const struct mac mac = before->mac;

		release(c, before);
		offer(c, &mac);
	}
	decide(p, m);
	if (!mac_equal(&was.mac, &p->claim.mac))
		addresses_moved(p, &was);
}

uint64_t claims_look(struct peer *p)
{
	const struct control_claim m = p->waiting;
	uint64_t now_ms = core_of(p->community)->now_ms;

	if (mac_is_zero(&m.mac))
		return UINT64_MAX;
	if (!bucket_take(&p->claims, now_ms, CLAIMS_PER_S, CLAIMS_BURST))
		return now_ms + 1000 / CLAIMS_PER_S;
	p->waiting = (struct control_claim){0};
	take(p, &m);
	return UINT64_MAX;
}

void claims_take(struct peer *p, const struct control_claim *m)
{
	if (mac_is_zero(&m->mac) || mac_is_group(&m->mac))
		return;
	/* It was acknowledged and is not sent again: of too many the last one has to count. */
	p->waiting = *m;
	session_look_at(core_of(p->community), p->session, claims_look(p));
}

void claims_meet(struct peer *p)
{
	struct owner *o = owners_of_static(&p->community->owners, p->remote);

	if (o == NULL)
		return;
	o->peer = p;
	/* It replaces an entry, which always succeeds, but that of one who stood by: without memory
	 * its address is learned until its next claim. */
	(void)show(p->community, o);
}

void claims_part(struct peer *p)
{
	struct owner *o = owners_of_static(&p->community->owners, p->remote);

	if (o == NULL)
		return;
	o->peer = NULL;
	(void)show(p->community, o);
}

void claims_remember(struct community *c, const struct known_owner *k, struct peer *p)
{
	struct owner *o;

	if (mac_is_zero(&k->mac) || mac_is_group(&k->mac) || is_ours(c, &k->mac) ||
		owners_of_mac(&c->owners, &k->mac) != NULL ||
		owners_of_static(&c->owners, k->remote) != NULL)
		return;
	o = owners_add(&c->owners, &k->mac, k->remote, p);
	if (o == NULL)
		return;
	if (k->trial)
		set_trial(c, o);
	o->absent_ms = k->absent_ms > 0 ? k->absent_ms : 1;
	if (o->absent_ms > ABSENT_MAX)
		o->absent_ms = ABSENT_MAX;
	if (show(c, o) != 0)
		owners_remove(&c->owners, o);
}

/* It is in use where frames from it were dropped of late as they came, if there were any. */
static void learn_brought(struct community *c, const struct mac *mac)
{
	if (c->brought_ms != 0 && core_of(c)->now_ms < c->brought_ms + TRIAL_MS &&
		mac_equal(&c->brought, mac))
		learn(c, mac, NULL);
	for (const struct peer *p = c->peers; p != NULL; p = p->hh.next)
		if (p->barred[BARRED_SOURCE].since_ms != 0 && is_here(p) &&
			link_has_role(&p->session->link, ROLE_BRIDGE) &&
			link_word(&p->session->link.barred_mac) == mac_number(mac))
			learn(c, mac, p);
}

bool claims_forget(struct community *c, const struct mac *mac, struct forgotten_owner *out)
{
	struct owner *o = owners_of_mac(&c->owners, mac);
	struct control_claim claim = {0};
	struct peer *p;

	if (o == NULL)
		return false;
	*out = (struct forgotten_owner){.taken = false};
	edge_id(out->owner, o->remote);
	p = o->peer;
	if (p != NULL && p->up)
		claim = p->claim;
	release(c, o);
	learn_brought(c, mac);
	offer(c, mac);
	if (!mac_is_zero(&claim.mac))
		decide(p, &claim);
	o = owners_of_mac(&c->owners, mac);
	out->taken = o != NULL;
	if (o != NULL)
		edge_id(out->taker, o->remote);
	return true;
}
