/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Communities and their entries: coming, changing, leaving. */
#include "core/supernode/registry.h"

#include <stdlib.h>
#include <string.h>

#define TOMBSTONES_MIN 4 /* most communities are small; doubled until it is TOMBSTONES_MAX */

void registry_init(struct registry *r, const uint8_t hash_key[SIPHASH_KEY_LEN],
	const struct random *random, const struct registry_limits *limits)
{
	*r = (struct registry){.random = *random, .limits = *limits};
	memcpy(r->hash_key, hash_key, SIPHASH_KEY_LEN);
}

/* ---- communities ---- */

struct registry_community *registry_community(
	const struct registry *r, const uint8_t tag[COMMUNITY_TAG_LEN])
{
	const uint8_t *hash_key = r->hash_key;
	struct registry_community *c;

	HASH_FIND(hh, r->communities, tag, COMMUNITY_TAG_LEN, c);
	return c;
}

static struct registry_community *community_get(
	struct registry *r, const uint8_t tag[COMMUNITY_TAG_LEN])
{
	const uint8_t *hash_key = r->hash_key;
	struct registry_community *c = registry_community(r, tag);

	if (c != NULL)
		return c;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	memcpy(c->tag, tag, COMMUNITY_TAG_LEN);
	c->id = ++r->last_community;
	/* A count of 1 says "nothing yet": 0 as a base means starting anew. */
	c->version = (uint64_t)(random_u32(&r->random) | 1) << 32 | 1;
	c->forgotten = c->version;
	HASH_ADD(hh, r->communities, tag, COMMUNITY_TAG_LEN, c);
	if (c->hh.tbl == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

static void mark_changed(struct registry *r, struct registry_community *c)
{
	if (c->is_changed)
		return;
	c->is_changed = true;
	c->next_changed = r->changed;
	r->changed = c;
}

static void unmark_changed(struct registry *r, struct registry_community *c)
{
	struct registry_community **at = &r->changed;

	if (!c->is_changed)
		return;
	while (*at != c)
		at = &(*at)->next_changed;
	*at = c->next_changed;
	c->is_changed = false;
}

struct registry_community *registry_next_changed(struct registry *r)
{
	struct registry_community *c = r->changed;

	if (c != NULL)
		unmark_changed(r, c);
	return c;
}

static void community_end(struct registry *r, struct registry_community *c)
{
	unmark_changed(r, c);
	HASH_DELETE(hh, r->communities, c);
	free(c->tombstone);
	free(c);
}

/* ---- the order of changes ---- */

static void append(struct registry_community *c, struct registry_entry *e)
{
	e->changed = ++c->version;
	e->older = c->newest;
	e->newer = NULL;
	if (c->newest != NULL)
		c->newest->newer = e;
	else
		c->oldest = e;
	c->newest = e;
}

static void take_out(struct registry_community *c, const struct registry_entry *e)
{
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		c->newest = e->older;
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		c->oldest = e->newer;
}

/* Room for one more departure: the ring grows, or at its full size forgets the oldest. */
static bool make_room(struct registry_community *c)
{
	unsigned room = c->tombstones_room > 0 ? 2 * c->tombstones_room : TOMBSTONES_MIN;
	struct tombstone *more;

	if (c->n_tombstones < c->tombstones_room)
		return true;
	if (c->tombstones_room == TOMBSTONES_MAX) {
		c->forgotten = c->tombstone[c->first_tombstone].changed;
		c->first_tombstone = (c->first_tombstone + 1) % TOMBSTONES_MAX;
		c->n_tombstones--;
		return true;
	}
	more = realloc(c->tombstone, room * sizeof(*more));
	if (more == NULL)
		return false;
	c->tombstone = more;
	c->tombstones_room = room;
	return true;
}

/* Without memory for it all departures are forgotten: subscribers then start anew. */
static void bury(struct registry_community *c, const struct registry_entry *e)
{
	struct tombstone *t;

	c->version++;
	if (!make_room(c)) {
		c->n_tombstones = 0;
		c->forgotten = c->version;
		return;
	}
	t = &c->tombstone[(c->first_tombstone + c->n_tombstones) % TOMBSTONES_MAX];
	t->changed = c->version;
	t->handle = e->told.handle;
	memcpy(t->static_public, e->told.static_public, KEY_LEN);
	c->n_tombstones++;
}

/* ---- entries ---- */

struct registry_entry *registry_find(const struct registry *r, uint32_t handle)
{
	const uint8_t *hash_key = r->hash_key;
	struct registry_entry *e;

	HASH_FIND(hh, r->entries, &handle, sizeof(handle), e);
	return e;
}

static uint32_t new_handle(const struct registry *r)
{
	for (;;) {
		uint32_t handle = random_u32(&r->random);

		if (handle != 0 && registry_find(r, handle) == NULL)
			return handle;
	}
}

static struct registry_entry *entry_create(
	struct registry *r, uint32_t owner, const struct roster_entry *says)
{
	const uint8_t *hash_key = r->hash_key;
	struct registry_entry *e;

	if (HASH_COUNT(r->entries) >= r->limits.entries)
		return NULL;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return NULL;
	e->owner = owner;
	e->told = *says;
	e->told.gone = false;
	if (owner == REGISTRY_SELF)
		e->told.handle = new_handle(r);
	HASH_ADD(hh, r->entries, told.handle, sizeof(e->told.handle), e);
	if (e->hh.tbl == NULL) {
		free(e);
		return NULL;
	}
	return e;
}

static struct registry_entry *enter(struct registry *r, uint32_t owner,
	const uint8_t tag[COMMUNITY_TAG_LEN], const struct roster_entry *says)
{
	struct registry_community *c = community_get(r, tag);
	struct registry_entry *e = NULL;

	if (c == NULL)
		return NULL;
	if (c->n_entries < r->limits.community)
		e = entry_create(r, owner, says);
	if (e != NULL) {
		e->community = c;
		c->n_entries++;
		append(c, e);
		mark_changed(r, c);
	} else if (c->n_entries == 0) {
		community_end(r, c);
	}
	return e;
}

static void leave(struct registry *r, struct registry_entry *e)
{
	struct registry_community *c = e->community;

	take_out(c, e);
	HASH_DELETE(hh, r->entries, e);
	if (--c->n_entries > 0) {
		bury(c, e);
		mark_changed(r, c);
	} else {
		community_end(r, c);
	}
	free(e);
}

static enum registry_result refresh(
	struct registry *r, struct registry_entry *e, const struct roster_entry *says)
{
	struct roster_entry *told = &e->told;

	if (told->incarnation == says->incarnation && told->twice == says->twice &&
		told->locator_len == says->locator_len &&
		memcmp(told->locator, says->locator, says->locator_len) == 0)
		return REGISTRY_SAME;
	told->incarnation = says->incarnation;
	told->twice = says->twice;
	told->locator_len = says->locator_len;
	memcpy(told->locator, says->locator, sizeof(told->locator));
	take_out(e->community, e);
	append(e->community, e);
	mark_changed(r, e->community);
	return REGISTRY_CHANGED;
}

enum registry_result registry_put(struct registry *r, uint32_t owner,
	const uint8_t tag[COMMUNITY_TAG_LEN], const struct roster_entry *says,
	struct registry_entry **entry)
{
	struct registry_entry *e = registry_find(r, says->handle);
	const bool known = e != NULL;

	*entry = NULL;
	if (known ? e->owner != owner : says->handle == 0 && owner != REGISTRY_SELF)
		return REGISTRY_REFUSED;
	if (known && memcmp(e->community->tag, tag, COMMUNITY_TAG_LEN) == 0 &&
		memcmp(e->told.static_public, says->static_public, KEY_LEN) == 0) {
		*entry = e;
		return refresh(r, e, says);
	}
	/* Another identity is another member: the others must be told that this one left. */
	if (known)
		leave(r, e);
	*entry = enter(r, owner, tag, says);
	if (*entry == NULL)
		return REGISTRY_FULL;
	return known ? REGISTRY_MOVED : REGISTRY_CREATED;
}

bool registry_remove(struct registry *r, uint32_t owner, uint32_t handle)
{
	struct registry_entry *e = registry_find(r, handle);

	if (e == NULL || e->owner != owner)
		return false;
	leave(r, e);
	return true;
}

static unsigned remove_all(struct registry *r, uint32_t owner)
{
	struct registry_entry *e, *next;
	unsigned removed = 0;

	HASH_ITER (hh, r->entries, e, next) {
		if (e->owner != owner)
			continue;
		leave(r, e);
		removed++;
	}
	return removed;
}

unsigned registry_forget_owner(struct registry *r, uint32_t owner)
{
	return owner != REGISTRY_SELF ? remove_all(r, owner) : 0;
}

void registry_fini(struct registry *r)
{
	while (r->entries != NULL)
		(void)remove_all(r, r->entries->owner);
}
