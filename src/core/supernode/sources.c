/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counting where sessions and registrations come from. */
#include "core/supernode/sources.h"

#include <stdlib.h>
#include <string.h>

#define NET_LEN 6 /* bytes of a /48 */

void sources_init(struct sources *s, const uint8_t hash_key[SIPHASH_KEY_LEN], unsigned per_address)
{
	*s = (struct sources){.hash_key = hash_key, .per_address = per_address};
}

void sources_fini(struct sources *s)
{
	struct source *p, *next;

	HASH_ITER (hh, s->table, p, next) {
		HASH_DELETE(hh, s->table, p);
		free(p);
	}
}

/* ---- places ---- */

/* An IPv4 address stands for itself in its mapped form, whose first half no IPv6 network has. */
static const uint8_t *prefix_of(const struct endpoint *address)
{
	return endpoint_is_v4(address) ? address->ip + 8 : address->ip;
}

static struct source *find(const struct sources *s, const uint8_t *prefix, size_t len)
{
	const uint8_t *hash_key = s->hash_key;
	struct source *p;

	HASH_FIND(hh, s->table, prefix, len, p);
	return p;
}

static struct source *get(struct sources *s, const uint8_t *prefix, size_t len)
{
	const uint8_t *hash_key = s->hash_key;
	struct source *p = find(s, prefix, len);

	if (p != NULL)
		return p;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	memcpy(p->prefix, prefix, len);
	HASH_ADD(hh, s->table, prefix[0], len, p);
	if (p->hh.tbl == NULL) {
		free(p);
		return NULL;
	}
	return p;
}

static bool is_net(const struct source *p)
{
	return p->hh.keylen == NET_LEN;
}

static bool is_idle(const struct source *p, uint64_t now_ms)
{
	return p->waiting == 0 && p->registered == 0 && p->places == 0 &&
	       pace_is_full(&p->arrivals, now_ms);
}

struct source *sources_place(struct sources *s, const struct endpoint *address)
{
	const uint8_t *prefix = prefix_of(address);
	struct source *p = get(s, prefix, sizeof(p->prefix));

	if (p != NULL && p->net == NULL && !endpoint_is_v4(address)) {
		p->net = get(s, prefix, NET_LEN);
		if (p->net == NULL)
			return NULL; /* the next sweep finds the rest */
		p->net->places++;
	}
	return p;
}

bool source_has(const struct source *at, const struct endpoint *address)
{
	return memcmp(at->prefix, prefix_of(address), sizeof(at->prefix)) == 0;
}

static void let_go(struct sources *s, struct source *p)
{
	if (p->net != NULL)
		p->net->places--;
	HASH_DELETE(hh, s->table, p);
	free(p);
}

static void release(struct sources *s, struct source *p, uint64_t now_ms)
{
	struct source *net = p->net;

	if (!is_idle(p, now_ms))
		return;
	let_go(s, p);
	if (net != NULL && is_idle(net, now_ms))
		let_go(s, net);
}

/* A /48 goes after its /64s, and not between them: the walk would stand on it. */
void sources_sweep(struct sources *s, uint64_t now_ms)
{
	struct source *p, *next;

	for (unsigned nets = 0; nets < 2; nets++)
		HASH_ITER (hh, s->table, p, next)
			if (is_net(p) == (nets != 0) && is_idle(p, now_ms))
				let_go(s, p);
}

/* ---- limits ---- */

static unsigned factor(const struct source *p)
{
	return is_net(p) ? SOURCE_NET_FACTOR : 1;
}

static uint64_t arrival_ms(const struct sources *s, const struct source *p)
{
	uint64_t ms = SOURCE_REFILL_MS / ((uint64_t)s->per_address * factor(p));

	return ms != 0 ? ms : 1;
}

static bool has_room(const struct sources *s, const struct source *p, unsigned in_community)
{
	unsigned max = s->per_address * factor(p);

	return p->registered < max ||
	       (in_community < max && p->registered < max * SOURCE_ALL_FACTOR);
}

static bool is_paced(const struct sources *s, const struct source *p, uint64_t now_ms)
{
	uint64_t burst = (uint64_t)s->per_address * factor(p);

	return pace_due_ms(&p->arrivals, now_ms, arrival_ms(s, p), burst) > now_ms;
}

bool source_is_crowded(const struct sources *s, const struct source *at)
{
	return !has_room(s, at, UINT32_MAX) ||
	       (at->net != NULL && !has_room(s, at->net, UINT32_MAX));
}

bool sources_admit_move(
	const struct sources *s, const struct source *to, const struct source_share *share)
{
	return has_room(s, to, share->here) &&
	       (to->net == NULL || has_room(s, to->net, share->net));
}

bool sources_admit(const struct sources *s, const struct source *at,
	const struct source_share *share, uint64_t now_ms)
{
	return sources_admit_move(s, at, share) && !is_paced(s, at, now_ms) &&
	       (at->net == NULL || !is_paced(s, at->net, now_ms));
}

/* ---- counting, at a place and at its /48 ---- */

static bool is_full(const struct source *p)
{
	return p != NULL && p->waiting >= SOURCE_WAITING_MAX * factor(p);
}

const struct source *sources_full(const struct sources *s, const struct endpoint *at)
{
	const struct source *p = find(s, prefix_of(at), sizeof(p->prefix));

	if (!is_full(p) && !endpoint_is_v4(at))
		p = find(s, prefix_of(at), NET_LEN);
	return is_full(p) ? p : NULL;
}

bool source_is_in(const struct source *at, const struct source *place)
{
	return at == place || at->net == place;
}

struct source *sources_enter(struct sources *s, const struct endpoint *at)
{
	struct source *p = sources_place(s, at);

	for (struct source *i = p; i != NULL; i = i->net)
		i->waiting++;
	return p;
}

void sources_leave(struct sources *s, struct source *from, uint64_t now_ms)
{
	for (struct source *i = from; i != NULL; i = i->net)
		i->waiting--;
	release(s, from, now_ms);
}

void sources_registered(struct sources *s, struct source *at, uint64_t now_ms)
{
	for (struct source *i = at; i != NULL; i = i->net) {
		i->waiting--;
		i->registered++;
		pace_spend(&i->arrivals, now_ms, arrival_ms(s, i));
	}
}

void sources_unregistered(struct source *at)
{
	for (struct source *i = at; i != NULL; i = i->net) {
		i->registered--;
		i->waiting++;
	}
}

void sources_move(
	struct sources *s, struct source *from, struct source *to, bool registered, uint64_t now_ms)
{
	for (struct source *i = to; i != NULL; i = i->net)
		*(registered ? &i->registered : &i->waiting) += 1;
	for (struct source *i = from; i != NULL; i = i->net)
		*(registered ? &i->registered : &i->waiting) -= 1;
	release(s, from, now_ms);
}
