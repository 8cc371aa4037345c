/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Edges with a hop session here: coming, registering, being told of each other, leaving. */
#include "core/supernode/member.h"

#include <stdlib.h>
#include <string.h>

#include "core/supernode/supernode_state.h"

#define UNREGISTERED_MS 10000u	/* a hop session must register within this time */
#define LOBBY_MAX	1000	/* sessions without a registration; the oldest gives way */
#define SENT_MAX	6	/* copies of a message, until the edge shows that it receives */
#define PAGE_MS		500u	/* two pages a second, */
#define TWICE_MS	100000u /* a copy that is refused knocks again within 48 s */
#define PAGES_BURST	48u	/* and a roster of 1,000 at once, and what changes meanwhile */

struct member *member_find(struct supernode *sn, const uint8_t remote[KEY_LEN])
{
	const uint8_t *hash_key = sn->node.core.hash_key;
	struct member *m;

	HASH_FIND(hh, sn->members, remote, KEY_LEN, m);
	return m;
}

/* ---- who is not registered ---- */

static void enter_lobby(struct supernode *sn, struct member *m)
{
	m->next = NULL;
	m->link = sn->lobby_end;
	*m->link = m;
	sn->lobby_end = &m->next;
	sn->n_lobby++;
}

static void leave_lobby(struct supernode *sn, const struct member *m)
{
	*m->link = m->next;
	if (m->next != NULL)
		m->next->link = m->link;
	else
		sn->lobby_end = m->link;
	sn->n_lobby--;
}

/* ---- coming and going ---- */

static struct member *make(struct supernode *sn, const uint8_t remote[KEY_LEN])
{
	const uint8_t *hash_key = sn->node.core.hash_key;
	struct member *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->since_ms = sn->node.core.now_ms;
	m->session = session_create(&sn->node.core, LINK_MEMBER, &sn->party, 0, remote);
	if (m->session != NULL)
		HASH_ADD_KEYPTR(hh, sn->members, m->session->remote, KEY_LEN, m);
	if (m->session == NULL || m->hh.tbl == NULL) {
		session_retire(&sn->node.core, m->session);
		free(m);
		return NULL;
	}
	m->session->owner = m;
	outbox_limit(&m->session->out, SENT_MAX);
	return m;
}

/*
 * An honest edge registers with its first packet: those who wait are others. So the first of them
 * gives way: of all, and of those who are where the new one is.
 */
static void make_room(struct supernode *sn, const struct endpoint *at)
{
	const struct source *full;

	if (sn->n_lobby >= LOBBY_MAX)
		member_remove(sn, sn->lobby);
	while ((full = sources_full(&sn->sources, at)) != NULL) {
		struct member *m = sn->lobby;

		while (!source_is_in(m->source, full))
			m = m->next;
		member_remove(sn, m);
	}
}

struct member *member_create(
	struct supernode *sn, const uint8_t remote[KEY_LEN], const struct endpoint *at)
{
	struct source *source;
	struct member *m;

	make_room(sn, at);
	source = sources_enter(&sn->sources, at);
	m = source != NULL ? make(sn, remote) : NULL;
	if (m == NULL) {
		if (source != NULL)
			sources_leave(&sn->sources, source, sn->node.core.now_ms);
		return NULL;
	}
	m->source = source;
	enter_lobby(sn, m);
	return m;
}

void member_remove(struct supernode *sn, struct member *m)
{
	member_unregister(sn, m);
	leave_lobby(sn, m);
	sources_leave(&sn->sources, m->source, sn->node.core.now_ms);
	HASH_DELETE(hh, sn->members, m);
	session_retire(&sn->node.core, m->session);
	free(m);
}

uint64_t member_over_ms(const struct member *m)
{
	uint64_t heard = link_word(&m->session->link.rx_ms);

	if (m->entry == NULL)
		return m->since_ms + UNREGISTERED_MS;
	return (heard > m->since_ms ? heard : m->since_ms) + LEASE_S * 1000u;
}

uint32_t member_handle(const struct member *m)
{
	return m->entry != NULL ? m->entry->told.handle : 0;
}

/* ---- registration ---- */

static struct member *member_of(const struct registry_entry *e)
{
	return (struct member *)e->cursor;
}

/* The next page waits for its turn; one under way keeps its own. */
static void post_page(struct supernode *sn, struct member *m)
{
	struct core *core = &sn->node.core;
	uint64_t at_ms = pace_due_ms(&m->pages, core->now_ms, PAGE_MS, PAGES_BURST);

	session_post_at(core, m->session, CONTROL_ROSTER, at_ms);
}

/* Who has a page under way, or to come, learns it with that or the next one. */
void members_tell(struct supernode *sn)
{
	const struct registry_community *c;

	while ((c = registry_next_changed(&sn->registry)) != NULL)
		for (const struct registry_entry *e = c->newest; e != NULL; e = e->older)
			if (e->cursor != NULL &&
				!outbox_holds(&member_of(e)->session->out, CONTROL_ROSTER))
				post_page(sn, member_of(e));
}

/* Without memory it may send and is not reached, until it registers again. */
static void show_handle(struct supernode *sn, const struct member *m)
{
	if (view_put_handle(&sn->node.core.view, 0, member_handle(m), &m->session->link) != 0)
		core_drop(&sn->node.core, DROP_NO_DESTINATION);
}

/* Workers relay for it from now on. */
static void went_up(struct supernode *sn, struct member *m)
{
	struct link *l = &m->session->link;
	const struct path *p = link_path(l);
	struct event e = {.kind = EVENT_MEMBER_UP, .value = member_handle(m)};

	leave_lobby(sn, m);
	sources_registered(&sn->sources, m->source, sn->node.core.now_ms);
	if (p != NULL)
		e.remote = p->way.remote;
	m->fan = fans_enter(&sn->fans, m->entry->community->id);
	atomic_store_explicit(
		&l->fanout, m->fan != NULL ? &m->fan->shared : NULL, memory_order_release);
	atomic_store_explicit(&l->member, link_member(m->entry->community->id, member_handle(m)),
		memory_order_relaxed);
	core_event(&sn->node.core, &e);
}

static void went_down(struct supernode *sn, struct member *m, uint32_t handle)
{
	struct link *l = &m->session->link;

	m->since_ms = sn->node.core.now_ms;
	enter_lobby(sn, m);
	sources_unregistered(m->source);
	atomic_store_explicit(&l->member, 0, memory_order_relaxed);
	atomic_store_explicit(&l->fanout, NULL, memory_order_relaxed);
	fans_leave(&sn->node.core, &sn->fans, m->fan);
	m->fan = NULL;
	view_remove_handle(&sn->node.core.view, 0, handle, l);
	session_look_at(&sn->node.core, m->session, member_over_ms(m));
	core_event(&sn->node.core, &(struct event){.kind = EVENT_MEMBER_DOWN, .value = handle});
}

void member_unregister(struct supernode *sn, struct member *m)
{
	uint32_t handle = member_handle(m);

	if (!registry_remove(&sn->registry, REGISTRY_SELF, handle))
		return;
	m->entry = NULL;
	went_down(sn, m, handle);
	members_tell(sn);
}

/* How many of a community come from a place, without one that may be going there. */
static struct source_share share_of(
	const struct registry_community *c, const struct source *at, const struct member *without)
{
	struct source_share share = {0, 0};

	for (const struct registry_entry *e = c != NULL ? c->newest : NULL; e != NULL;
		e = e->older) {
		const struct member *m = e->cursor != NULL ? member_of(e) : without;

		if (m == without)
			continue;
		share.here += m->source == at;
		share.net += at->net != NULL && m->source->net == at->net;
	}
	return share;
}

static enum register_result admit(
	struct supernode *sn, struct member *m, const struct control_register *r)
{
	const struct registry_community *c = registry_community(&sn->registry, r->tag);
	struct source_share share = {0, 0};

	if (source_is_crowded(&sn->sources, m->source))
		share = share_of(c, m->source, m);
	if (!sources_admit(&sn->sources, m->source, &share, sn->node.core.now_ms))
		return REGISTER_ADDRESS_LIMIT;
	return c != NULL && c->n_entries >= sn->registry.limits.community ? REGISTER_COMMUNITY_FULL
									  : REGISTER_OK;
}

bool member_is_other(const struct member *m, const struct control_register *r)
{
	return m->entry != NULL &&
	       (memcmp(m->entry->community->tag, r->tag, COMMUNITY_TAG_LEN) != 0 ||
		       memcmp(m->entry->told.static_public, r->static_public, KEY_LEN) != 0);
}

static enum register_result put(
	struct supernode *sn, struct member *m, const struct control_register *r)
{
	const uint32_t before = member_handle(m);
	struct roster_entry says = {.handle = before,
		.twice = m->twice_ms != 0,
		.incarnation = r->incarnation,
		.locator_len = r->locator_len};

	memcpy(says.static_public, r->static_public, KEY_LEN);
	memcpy(says.locator, r->locator, sizeof(says.locator));
	(void)registry_put(&sn->registry, REGISTRY_SELF, r->tag, &says, &m->entry);
	if (m->entry == NULL)
		return REGISTER_SUPERNODE_FULL;
	registry_subscribe(m->entry, &m->cursor, r->roster_version);
	post_page(sn, m);
	if (before == 0)
		went_up(sn, m);
	show_handle(sn, m);
	members_tell(sn);
	return REGISTER_OK;
}

enum register_result member_register(
	struct supernode *sn, struct member *m, const struct control_register *r)
{
	enum register_result result = REGISTER_OK;

	if (member_is_other(m, r))
		return REGISTER_OTHER_IDENTITY;
	if (m->entry == NULL)
		result = admit(sn, m, r);
	return result == REGISTER_OK ? put(sn, m, r) : result;
}

/* Tells what is to be told of it, to it and to the others. */
static void tell_twice(struct supernode *sn, struct member *m)
{
	struct roster_entry says = m->entry->told;

	says.twice = m->twice_ms != 0;
	(void)registry_put(
		&sn->registry, REGISTRY_SELF, m->entry->community->tag, &says, &m->entry);
	session_post(&sn->node.core, m->session, CONTROL_REGISTERED);
	members_tell(sn);
}

void member_is_twice(struct supernode *sn, struct member *m)
{
	bool news = m->twice_ms == 0;

	m->twice_ms = sn->node.core.now_ms;
	if (news && m->entry != NULL)
		tell_twice(sn, m);
}

void member_settle(struct supernode *sn, struct member *m)
{
	if (m->twice_ms == 0 || sn->node.core.now_ms < m->twice_ms + TWICE_MS)
		return;
	m->twice_ms = 0;
	if (m->entry != NULL)
		tell_twice(sn, m);
}

/* ---- where it is ---- */

static bool may_move(const struct supernode *sn, const struct member *m, const struct source *to)
{
	struct source_share share = {0, 0};

	if (source_is_crowded(&sn->sources, to))
		share = share_of(m->entry->community, to, m);
	return sources_admit_move(&sn->sources, to, &share);
}

bool member_moved(struct supernode *sn, struct member *m)
{
	const struct path *p = link_path(&m->session->link);
	struct source *to;
	bool stays = true;

	if (p == NULL || source_has(m->source, &p->way.remote))
		return true;
	to = sources_place(&sn->sources, &p->way.remote);
	if (to == NULL)
		return true;
	if (m->entry != NULL && !may_move(sn, m, to)) {
		member_unregister(sn, m);
		stays = false;
	}
	sources_move(&sn->sources, m->source, to, m->entry != NULL, sn->node.core.now_ms);
	m->source = to;
	return stays;
}

/* ---- pages ---- */

bool member_page(struct supernode *sn, struct member *m, struct control_roster *page)
{
	const bool again = m->cursor.sent != 0;

	if (m->entry == NULL || !registry_page(m->entry, page))
		return false;
	if (!again)
		pace_spend(&m->pages, sn->node.core.now_ms, PAGE_MS);
	return true;
}

void member_took_page(struct supernode *sn, struct member *m)
{
	if (m->entry != NULL && registry_took_page(m->entry))
		post_page(sn, m);
}
