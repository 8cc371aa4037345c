/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The registry: communities, their members, and the changes each member has still to be told.
 *
 * Each change of a roster gets the next version. Members stand in a list by the version that
 * changed them last, departures in a short ring of tombstones; so what a member at version v has to
 * learn is what stands behind v, and nobody is told the whole roster again (PROTOCOL.md 8.2).
 */
#include <stdlib.h>
#include <string.h>

#include "core/supernode/supernode_state.h"

struct member *member_find(struct supernode *sn, const uint8_t remote[KEY_LEN])
{
	const uint8_t *hash_key = sn->node.hash_key;
	struct member *m;

	HASH_FIND(hh, sn->members, remote, KEY_LEN, m);
	return m;
}

struct member *member_create(struct supernode *sn, const uint8_t remote[KEY_LEN])
{
	const uint8_t *hash_key = sn->node.hash_key;
	struct member *m;

	if (HASH_COUNT(sn->members) >= sn->members_max)
		return NULL;
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return NULL;
	memcpy(m->remote, remote, KEY_LEN);
	m->born_ms = m->unregistered_ms = sn->node.now_ms;
	m->session = session_create(&sn->node, SESSION_MEMBER, &sn->party, 0, remote);
	if (m->session != NULL)
		HASH_ADD(hh, sn->members, remote, KEY_LEN, m);
	if (m->session == NULL || m->hh.tbl == NULL) {
		session_retire(&sn->node, m->session);
		free(m);
		return NULL;
	}
	m->session->owner = m;
	return m;
}

/* ---- communities ---- */

static struct registry_community *community_get(struct supernode *sn, const uint8_t tag[TAG_ID_LEN])
{
	const uint8_t *hash_key = sn->node.hash_key;
	struct registry_community *c;

	HASH_FIND(hh, sn->communities, tag, TAG_ID_LEN, c);
	if (c != NULL)
		return c;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	memcpy(c->tag, tag, TAG_ID_LEN);
	c->id = ++sn->last_community;
	/* A count of 1 says "nothing yet": 0 as a base means starting anew. */
	c->version = (uint64_t)(random_u32(&sn->node.io.random) | 1) << 32 | 1;
	c->forgotten = c->version;
	HASH_ADD(hh, sn->communities, tag, TAG_ID_LEN, c);
	if (c->hh.tbl == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

static void append(struct registry_community *c, struct member *m)
{
	m->changed = ++c->version;
	m->older = c->newest;
	m->newer = NULL;
	if (c->newest != NULL)
		c->newest->newer = m;
	else
		c->oldest = m;
	c->newest = m;
}

static void unlink_member(struct registry_community *c, struct member *m)
{
	if (m->newer != NULL)
		m->newer->older = m->older;
	else
		c->newest = m->older;
	if (m->older != NULL)
		m->older->newer = m->newer;
	else
		c->oldest = m->newer;
	m->newer = m->older = NULL;
}

/* Everybody has something to learn; who has a page under way learns it with the next one. */
static void tell_all(struct supernode *sn, const struct registry_community *c)
{
	for (struct member *m = c->newest; m != NULL; m = m->older)
		if (m->session->out[CONTROL_ROSTER].seq == 0)
			control_post(&sn->node, m->session, CONTROL_ROSTER);
}

/* Without memory for graves all departures are forgotten: members then start anew. */
static void bury(struct registry_community *c, const struct member *m)
{
	c->version++;
	if (c->tombstone == NULL)
		c->tombstone = calloc(TOMBSTONES_MAX, sizeof(*c->tombstone));
	if (c->tombstone == NULL) {
		c->forgotten = c->version;
		return;
	}
	if (c->n_tombstones == TOMBSTONES_MAX) {
		c->forgotten = c->tombstone[0].changed;
		memmove(&c->tombstone[0], &c->tombstone[1],
			(TOMBSTONES_MAX - 1) * sizeof(c->tombstone[0]));
		c->n_tombstones--;
	}
	c->tombstone[c->n_tombstones] = (struct tombstone){c->version, m->entry};
	c->tombstone[c->n_tombstones++].entry.gone = true;
}

static uint32_t new_handle(struct supernode *sn)
{
	const uint8_t *hash_key = sn->node.hash_key;

	for (;;) {
		uint32_t handle = random_u32(&sn->node.io.random);
		struct member *other;

		HASH_FIND(by_handle, sn->handles, &handle, sizeof(handle), other);
		if (handle != 0 && other == NULL)
			return handle;
	}
}

void member_unregister(struct supernode *sn, struct member *m)
{
	struct registry_community *c = m->community;

	if (c == NULL)
		return;
	node_event(&sn->node, &(struct event){.kind = EVENT_MEMBER_DOWN, .value = m->entry.handle});
	unlink_member(c, m);
	bury(c, m);
	HASH_DELETE(by_handle, sn->handles, m);
	m->community = NULL;
	m->unregistered_ms = sn->node.now_ms;
	m->entry.handle = 0;
	node_view_touch(&sn->node);
	if (--c->n_members > 0) {
		tell_all(sn, c);
		return;
	}
	HASH_DELETE(hh, sn->communities, c);
	free(c->tombstone);
	free(c);
}

void member_remove(struct supernode *sn, struct member *m)
{
	member_unregister(sn, m);
	HASH_DELETE(hh, sn->members, m);
	session_retire(&sn->node, m->session);
	free(m);
}

static void tell_up(struct supernode *sn, const struct member *m)
{
	struct event e = {.kind = EVENT_MEMBER_UP, .value = m->entry.handle};
	const struct path *p = session_path(m->session);

	if (p != NULL)
		e.remote = p->remote;
	node_event(&sn->node, &e);
}

static enum register_result enter(
	struct supernode *sn, struct member *m, const struct control_register *r)
{
	const uint8_t *hash_key = sn->node.hash_key;
	struct registry_community *c = community_get(sn, r->tag);

	if (c == NULL || c->n_members >= COMMUNITY_MEMBERS_MAX)
		return REGISTER_FULL;
	m->entry = (struct roster_entry){.handle = new_handle(sn)};
	HASH_ADD(by_handle, sn->handles, entry.handle, sizeof(m->entry.handle), m);
	if (m->by_handle.tbl == NULL)
		return REGISTER_FULL;
	m->community = c;
	c->n_members++;
	node_view_touch(&sn->node);
	append(c, m);
	tell_up(sn, m);
	return REGISTER_OK;
}

enum register_result member_register(
	struct supernode *sn, struct member *m, const struct control_register *r)
{
	struct roster_entry *entry = &m->entry;
	bool same;

	/* Another identity is another member: the others must be told that this one left. */
	if (m->community != NULL &&
		(memcmp(m->community->tag, r->tag, TAG_ID_LEN) != 0 ||
			memcmp(entry->static_public, r->static_public, KEY_LEN) != 0))
		member_unregister(sn, m);
	same = m->community != NULL && entry->incarnation == r->incarnation &&
	       entry->locator_len == r->locator_len &&
	       memcmp(entry->locator, r->locator, r->locator_len) == 0;
	if (m->community == NULL) {
		enum register_result result = enter(sn, m, r);

		if (result != REGISTER_OK)
			return result;
	} else if (!same) {
		unlink_member(m->community, m);
		append(m->community, m);
	}
	entry->incarnation = r->incarnation;
	memcpy(entry->static_public, r->static_public, KEY_LEN);
	entry->locator_len = r->locator_len;
	memcpy(entry->locator, r->locator, sizeof(entry->locator));
	m->known = r->roster_version;
	m->sent = 0;
	if (!same)
		tell_all(sn, m->community);
	control_post(&sn->node, m->session, CONTROL_ROSTER);
	return REGISTER_OK;
}

/* ---- pages ---- */

/*
 * The version the member has, or 0 when it must start anew: after a restart of ours, or when
 * departures that it was not told of are forgotten. Who started anew at a version was told of
 * nobody who had left before.
 */
static uint64_t base_of(const struct member *m)
{
	const struct registry_community *c = m->community;
	uint64_t told = m->known > m->anew ? m->known : m->anew;

	if (m->known >> 32 != c->version >> 32 || told < c->forgotten || m->known > c->version)
		return 0;
	return m->known;
}

/* The oldest member changed after version v. */
static const struct member *first_after(const struct registry_community *c, uint64_t v)
{
	const struct member *m = c->newest, *first = NULL;

	for (; m != NULL && m->changed > v; m = m->older)
		first = m;
	return first;
}

/* NULL where there are no graves, which has no end to compute either. */
static const struct tombstone *graves_end(const struct registry_community *c)
{
	return c->n_tombstones > 0 ? c->tombstone + c->n_tombstones : c->tombstone;
}

static const struct tombstone *first_grave_after(const struct registry_community *c, uint64_t v)
{
	const struct tombstone *t = c->tombstone;

	while (t != graves_end(c) && t->changed <= v)
		t++;
	return t;
}

/* The next change behind a member's version, in order; NULL when there is none. */
static const struct roster_entry *next_change(const struct member **m, const struct tombstone **t,
	const struct tombstone *end, uint64_t *version)
{
	if (*m != NULL && (*t == end || (*m)->changed < (*t)->changed)) {
		const struct member *now = *m;

		*version = now->changed;
		*m = now->newer;
		return &now->entry;
	}
	if (*t == end)
		return NULL;
	*version = (*t)->changed;
	return &(*t)++->entry;
}

bool member_page(struct member *m, struct control_roster *page)
{
	const struct registry_community *c = m->community;
	const struct tombstone *end = graves_end(c);
	/* A page sent again must not say more than before: the first copy may have arrived. */
	uint64_t limit = m->sent != 0 ? m->sent : c->version;
	uint64_t base = base_of(m), version = 0;
	const struct member *next = first_after(c, base);
	const struct tombstone *t = base == 0 ? end : first_grave_after(c, base);
	size_t room = CONTROL_MAX_LEN - CONTROL_HEADER_LEN - ROSTER_FIXED_LEN;
	const struct roster_entry *entry;

	if (m->sent == 0)
		m->starting = base == 0 ? c->version : 0;
	page->base = base;
	page->version = base;
	page->n = 0;
	while ((entry = next_change(&next, &t, end, &version)) != NULL && version <= limit) {
		size_t len = ROSTER_ENTRY_LEN + entry->locator_len;

		if (page->n == ROSTER_PAGE_MAX || len > room) {
			limit = page->version;
			break;
		}
		page->version = version;
		if (entry == &m->entry)
			continue;
		page->entry[page->n++] = *entry;
		room -= len;
	}
	page->version = limit;
	page->last = limit == c->version;
	m->sent = limit > base ? limit : 0;
	return m->sent != 0;
}

void member_took_page(struct supernode *sn, struct member *m)
{
	if (m->community == NULL || m->sent == 0)
		return;
	m->known = m->sent;
	m->sent = 0;
	if (m->starting > m->anew)
		m->anew = m->starting;
	if (m->known < m->community->version)
		control_post(&sn->node, m->session, CONTROL_ROSTER);
}
