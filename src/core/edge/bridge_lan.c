/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which bridges are on the LAN at our interface, and which of them serves each of its VLANs. */
#include <string.h>

#include "core/edge/bridge.h"
#include "core/edge/presence.h"

#define HEARD_MS   2700u   /* of two probes that should have come in it one may be lost */
#define FORGET_MS  60000u  /* a neighbour that is heard no more */
#define SEEN_MS	   1000u   /* between looks at which VLANs there are */
#define USED_MS	   300000u /* a VLAN without frames is probed for so long */
#define DEAF_MS	   5000u   /* longer than a probe is heard */
#define SETTLE_MS  2500u   /* whoever is in a VLAN was heard by then */
#define UNHEARD_MS 3000u   /* what was sent is unanswered for so long: it does not get there */
#define STAY_MS	   3000u   /* who stands by does so for this long at least */

#define TURNS_BURST  3	    /* times that a VLAN becomes ours at once ... */
#define TURNS_PER_MS 10000u /* ... and once more in this time */

/* ---- VLANs ---- */

int lan_find(const struct bridge *b, uint16_t vlan)
{
	for (size_t i = 0; i < b->n_lans; i++)
		if (b->lan[i].vlan == vlan)
			return (int)i;
	return -1;
}

/* Its place; beyond the room for VLANs there is none, and it goes as what is in no VLAN. */
static int find_or_add(struct bridge *b, uint16_t vlan, uint64_t now_ms)
{
	int i = lan_find(b, vlan);

	if (i < 0 && b->n_lans < LANS_MAX) {
		i = (int)b->n_lans++;
		b->lan[i] = (struct lan){.vlan = vlan, .since_ms = now_ms};
		for (size_t k = 0; k < b->n_neighbours; k++)
			b->neighbour[k].heard_ms[i] = 0;
	}
	return i;
}

static void use(struct bridge *b, uint16_t vlan, uint64_t now_ms)
{
	int i = find_or_add(b, vlan, now_ms);

	if (i >= 0)
		b->lan[i].used_ms = now_ms;
}

static void drop_lan(struct bridge *b, size_t i)
{
	size_t last = --b->n_lans;

	b->lan[i] = b->lan[last];
	for (size_t k = 0; k < b->n_neighbours; k++) {
		b->neighbour[k].heard_ms[i] = b->neighbour[k].heard_ms[last];
		b->neighbour[k].serves[i] = b->neighbour[k].serves[last];
		b->neighbour[k].carries[i] = b->neighbour[k].carries[last];
	}
}

static void look_at_vlans(struct bridge *b, uint64_t now_ms)
{
	if (b->seen == NULL || now_ms < b->seen_ms + SEEN_MS)
		return;
	b->seen_ms = now_ms;
	for (uint16_t word = 0; word < VLAN_WORDS; word++) {
		uint64_t bits = 0;

		if (atomic_load_explicit(&b->seen->word[word], memory_order_relaxed) != 0)
			bits = atomic_exchange_explicit(
				&b->seen->word[word], 0, memory_order_relaxed);
		for (uint16_t bit = 0; bits != 0; bit++, bits >>= 1)
			if (bits & 1)
				use(b, (uint16_t)(word * 64 + bit), now_ms);
	}
}

/* ---- neighbours ---- */

static struct neighbour *find(struct bridge *b, const uint8_t remote[KEY_LEN])
{
	for (size_t i = 0; i < b->n_neighbours; i++)
		if (memcmp(b->neighbour[i].remote, remote, KEY_LEN) == 0)
			return &b->neighbour[i];
	return NULL;
}

static uint64_t last_heard_ms(const struct bridge *b, const struct neighbour *n)
{
	uint64_t last = 0;

	for (size_t i = 0; i < b->n_lans; i++)
		if (n->heard_ms[i] > last)
			last = n->heard_ms[i];
	return last;
}

static bool is_heard(const struct neighbour *n, size_t lan, uint64_t now_ms)
{
	return n->heard_ms[lan] != 0 && now_ms < n->heard_ms[lan] + HEARD_MS;
}

static bool anybody_heard(const struct bridge *b, size_t lan, uint64_t now_ms)
{
	for (size_t i = 0; i < b->n_neighbours; i++)
		if (is_heard(&b->neighbour[i], lan, now_ms))
			return true;
	return false;
}

/*
 * Two that probe a VLAN only because the other one does would go on for ever. Of who is not heard
 * at all we take it over.
 */
static void drop_unused(struct bridge *b, uint64_t now_ms)
{
	for (size_t i = b->n_lans; i-- > 1;) {
		struct lan *l = &b->lan[i];

		if (l->used_ms == 0 && anybody_heard(b, i, now_ms))
			continue;
		if (l->used_ms == 0 && !anybody_heard(b, 0, now_ms))
			l->used_ms = now_ms;
		if (l->used_ms != 0 && now_ms < l->used_ms + USED_MS)
			continue;
		if (l->used_ms != 0)
			b->deaf_until_ms = now_ms + DEAF_MS;
		drop_lan(b, i);
	}
}

static struct neighbour *meet(struct bridge *b, const struct peer *p)
{
	struct neighbour *n = find(b, p->remote);

	if (n != NULL || b->n_neighbours == NEIGHBOURS_MAX)
		return n;
	n = &b->neighbour[b->n_neighbours++];
	*n = (struct neighbour){.heard_ms = {0}};
	memcpy(n->remote, p->remote, KEY_LEN);
	edge_id(n->id, p->remote);
	return n;
}

/* Its owner, if that is a bridge as we see it: no other member can pose as one on the LAN. */
static const struct peer *of_tag(const struct community *c, const uint8_t tag[LOOP_TAG_LEN])
{
	static const uint8_t none[LOOP_TAG_LEN];

	for (const struct peer *p = c->peers; p != NULL; p = p->hh.next)
		if (memcmp(p->claim.tag, tag, LOOP_TAG_LEN) == 0 && !p->left &&
			link_has_role(&p->session->link, ROLE_BRIDGE))
			return memcmp(tag, none, LOOP_TAG_LEN) != 0 ? p : NULL;
	return NULL;
}

static int place_of(struct bridge *b, uint16_t vlan, uint64_t now_ms)
{
	return now_ms < b->deaf_until_ms ? lan_find(b, vlan) : find_or_add(b, vlan, now_ms);
}

/* Anybody on the LAN can say that others carry it, and a moment later that they do not. */
static bool may_turn(struct lan *l, uint64_t now_ms)
{
	return bucket_take(&l->turns, now_ms * 1000 / TURNS_PER_MS, 1, TURNS_BURST);
}

bool lan_heard(struct community *c, const struct loop_frame *f)
{
	struct bridge *b = c->bridge;
	uint64_t now_ms = core_of(c)->now_ms;
	const struct peer *p = of_tag(c, f->tag);
	struct neighbour *n = p != NULL ? meet(b, p) : NULL;
	int i = n != NULL ? place_of(b, f->vlan, now_ms) : -1;
	bool is_new;

	if (i < 0)
		return false;
	is_new = !is_heard(n, (size_t)i, now_ms);
	n->heard_ms[i] = now_ms;
	n->serves[i] = (f->flags & LOOP_SERVES) != 0;
	n->carries[i] = (f->flags & LOOP_CARRIES) != 0;
	/* Two LANs became one: switches on its side send to it. */
	if (is_new && n->carries[i] && b->lan[i].carries && may_turn(&b->lan[i], now_ms))
		b->lan[i].taken = true;
	return is_new;
}

bool lan_has(const struct community *c, const uint8_t remote[KEY_LEN], uint16_t vlan)
{
	const struct neighbour *n = find(c->bridge, remote);
	int i = lan_find(c->bridge, vlan);

	return n != NULL && i >= 0 && is_heard(n, (size_t)i, core_of(c)->now_ms);
}

bool lan_is_agreed(const struct community *c, const uint8_t remote[KEY_LEN], uint16_t vlan)
{
	struct bridge *b = c->bridge;
	int i = lan_find(b, vlan);

	return lan_has(c, remote, vlan) && !(b->lan[i].carries && find(b, remote)->carries[i]);
}

/* Who said goodbye does not serve until its last probe is old. */
static void forget_neighbours(struct community *c)
{
	struct bridge *b = c->bridge;
	uint64_t now_ms = core_of(c)->now_ms;

	for (size_t i = b->n_neighbours; i-- > 0;) {
		struct neighbour *n = &b->neighbour[i];
		const struct peer *p = peer_find(c, n->remote);

		if (p == NULL || now_ms >= last_heard_ms(b, n) + FORGET_MS)
			*n = b->neighbour[--b->n_neighbours];
		else if (p->left || !link_has_role(&p->session->link, ROLE_BRIDGE))
			memset(n->heard_ms, 0, sizeof(n->heard_ms));
	}
}

void lan_ports(struct community *c, struct port_set *out)
{
	const struct bridge *b = c->bridge;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < b->n_neighbours; i++) {
		const struct peer *p = peer_find(c, b->neighbour[i].remote);

		if (p != NULL)
			port_set_add(out, p->port->number);
	}
}

/* ---- who serves ---- */

/* By this session others than those on the LAN are reached, as far as is known. */
static bool is_reached(const struct community *c, const struct peer *p)
{
	uint64_t now_ms = core_of(c)->now_ms;
	enum peer_state state = presence_state(p, now_ms);

	if (!p->up || (state != PEER_UP && state != PEER_IDLE) || lan_has(c, p->remote, 0))
		return false;
	if (p->asked_ms != 0 && now_ms >= p->asked_ms + UNHEARD_MS)
		return false;
	return session_sending(p->session, now_ms) != NULL || hop_is_up(c);
}

static void look_at_uplink(struct community *c)
{
	struct bridge *b = c->bridge;
	bool served = b->serves;

	b->serves = false;
	for (const struct peer *p = c->peers; p != NULL && !b->serves; p = p->hh.next)
		b->serves = is_reached(c, p);
	if (served && !b->serves)
		b->probe_ms = core_of(c)->now_ms;
}

/*
 * Who reaches others goes before who does not, then who carries the LAN by now: a change costs
 * frames, since switches send where they learned to. Of equals it is the smallest id.
 */
static unsigned rank(bool serves, bool carries)
{
	return serves * 2u + carries;
}

static const uint8_t *server_of(
	const struct bridge *b, size_t lan, const uint8_t ours[EDGE_ID_LEN], uint64_t now_ms)
{
	const uint8_t *best = ours;
	unsigned best_rank = rank(b->serves, b->lan[lan].carries);

	for (size_t i = 0; i < b->n_neighbours; i++) {
		const struct neighbour *n = &b->neighbour[i];
		unsigned its = rank(n->serves[lan], n->carries[lan]);

		if (!is_heard(n, lan, now_ms) || its < best_rank)
			continue;
		if (its > best_rank || memcmp(n->id, best, EDGE_ID_LEN) < 0)
			best = n->id;
		best_rank = its;
	}
	return best;
}

static bool is_settled(const struct bridge *b, size_t lan, uint64_t now_ms)
{
	return lan == 0 || now_ms >= b->lan[lan].since_ms + SETTLE_MS ||
	       anybody_heard(b, lan, now_ms);
}

/* True: it is ours now, and was not. */
static bool turn(struct lan *l, const uint8_t *server, bool ours, uint64_t now_ms)
{
	bool taken = l->standby && ours;

	if (taken && (now_ms < l->stands_by_ms + STAY_MS || !may_turn(l, now_ms)))
		return false;
	if (!l->standby && !ours)
		l->stands_by_ms = now_ms;
	memcpy(l->server, server, EDGE_ID_LEN);
	l->standby = !ours;
	return taken;
}

bool lan_tick(struct community *c, bool open)
{
	struct bridge *b = c->bridge;
	uint64_t now_ms = core_of(c)->now_ms;
	uint8_t ours[EDGE_ID_LEN];
	bool taken = false;

	edge_id(ours, c->party.self.public);
	look_at_vlans(b, now_ms);
	drop_unused(b, now_ms);
	forget_neighbours(c);
	look_at_uplink(c);
	for (size_t i = 0; i < b->n_lans; i++) {
		struct lan *l = &b->lan[i];
		const uint8_t *server =
			is_settled(b, i, now_ms) ? server_of(b, i, ours, now_ms) : b->lan[0].server;

		if (turn(l, server, memcmp(server, ours, EDGE_ID_LEN) == 0, now_ms))
			l->taken = true;
		l->carries = !l->standby && open;
		taken = taken || l->taken;
	}
	return taken;
}
