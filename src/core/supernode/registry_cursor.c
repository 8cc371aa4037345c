/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a subscriber has still to be told: the changes behind its version, a page at a time
 * (PROTOCOL.md 8.2).
 */
#include "core/supernode/registry.h"

/* Walks the changes of a roster in the order of their versions. */
struct walk {
	const struct registry_community *community;
	const struct registry_entry *entry; /* the next that came or changed, or NULL */
	unsigned tombstone;		    /* the next that left, counted from the oldest */
};

void registry_subscribe(struct registry_entry *e, struct roster_cursor *cursor, uint64_t known)
{
	/* Versions of another community, or of this one before it ended, say nothing here. */
	if (e->cursor != cursor)
		*cursor = (struct roster_cursor){0};
	cursor->known = known;
	cursor->sent = 0;
	e->cursor = cursor;
}

/*
 * The version the subscriber has, or 0 when it must start anew: after a restart of ours, or when
 * departures that it was not told of are forgotten. Who started anew at a version was told of
 * nobody who had left before.
 */
static uint64_t base_of(const struct registry_community *c, const struct roster_cursor *at)
{
	uint64_t told = at->known > at->anew ? at->known : at->anew;

	if (at->known >> 32 != c->version >> 32 || told < c->forgotten || at->known > c->version)
		return 0;
	return at->known;
}

/* NULL behind the newest. */
static const struct tombstone *tombstone(const struct registry_community *c, unsigned i)
{
	if (i >= c->n_tombstones)
		return NULL;
	return &c->tombstone[(c->first_tombstone + i) % TOMBSTONES_MAX];
}

/* Who starts anew needs to hear of nobody who left. */
static struct walk walk_anew(const struct registry_community *c)
{
	return (struct walk){c, c->oldest, c->n_tombstones};
}

static struct walk walk_after(const struct registry_community *c, uint64_t version)
{
	struct walk w = {.community = c};
	const struct registry_entry *e = c->newest;

	for (; e != NULL && e->changed > version; e = e->older)
		w.entry = e;
	while (w.tombstone < c->n_tombstones && tombstone(c, w.tombstone)->changed <= version)
		w.tombstone++;
	return w;
}

/* The version of the next change and what it says; 0 when there is none. */
static uint64_t walk_next(struct walk *w, struct roster_entry *change)
{
	const struct tombstone *t = tombstone(w->community, w->tombstone);
	const struct registry_entry *e = w->entry;

	if (e != NULL && (t == NULL || e->changed < t->changed)) {
		*change = e->told;
		w->entry = e->newer;
		return e->changed;
	}
	if (t == NULL)
		return 0;
	*change = (struct roster_entry){.gone = true, .handle = t->handle};
	memcpy(change->static_public, t->static_public, KEY_LEN);
	w->tombstone++;
	return t->changed;
}

/* Fills a page with changes up to version limit; the version that it leads to. */
static uint64_t fill(struct control_roster *page, struct walk *w, const struct registry_entry *self,
	uint64_t limit)
{
	size_t room = CONTROL_MAX_LEN - CONTROL_HEADER_LEN - ROSTER_FIXED_LEN;
	uint64_t reached = page->base, version;
	struct roster_entry change;

	page->n = 0;
	while ((version = walk_next(w, &change)) != 0 && version <= limit) {
		size_t len = ROSTER_ENTRY_LEN + change.locator_len;

		if (page->n == ROSTER_PAGE_MAX || len > room)
			return reached;
		reached = version;
		if (!change.gone && change.handle == self->told.handle)
			continue;
		page->entry[page->n++] = change;
		room -= len;
	}
	return limit;
}

bool registry_page(const struct registry_entry *self, struct control_roster *page)
{
	const struct registry_community *c = self->community;
	struct roster_cursor *at = self->cursor;
	/* A page sent again must not say more than before: the first copy may have arrived. */
	uint64_t limit = at->sent != 0 ? at->sent : c->version;
	uint64_t base = base_of(c, at);
	struct walk w = base == 0 ? walk_anew(c) : walk_after(c, base);

	if (at->sent == 0)
		at->starting = base == 0 ? c->version : 0;
	page->base = base;
	page->version = fill(page, &w, self, limit);
	page->last = page->version == c->version;
	at->sent = page->version > base ? page->version : 0;
	return at->sent != 0;
}

bool registry_took_page(const struct registry_entry *self)
{
	struct roster_cursor *at = self->cursor;

	if (at->sent == 0)
		return false;
	at->known = at->sent;
	at->sent = 0;
	if (at->starting > at->anew)
		at->anew = at->starting;
	return at->known < self->community->version;
}
