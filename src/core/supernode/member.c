/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Edges with a hop session here: coming, registering, being told of each other, leaving. */
#include "core/supernode/member.h"

#include <stdlib.h>
#include <string.h>

#include "core/supernode/supernode_state.h"

#define UNREGISTERED_MS 10000u /* a hop session must register within this time */

struct member *member_find(struct supernode *sn, const uint8_t remote[KEY_LEN])
{
	const uint8_t *hash_key = sn->node.core.hash_key;
	struct member *m;

	HASH_FIND(hh, sn->members, remote, KEY_LEN, m);
	return m;
}

struct member *member_create(struct supernode *sn, const uint8_t remote[KEY_LEN])
{
	const uint8_t *hash_key = sn->node.core.hash_key;
	struct member *m;

	if (HASH_COUNT(sn->members) >= sn->members_max)
		return NULL;
	m = calloc(1, sizeof(*m));
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
	return m;
}

void member_remove(struct supernode *sn, struct member *m)
{
	member_unregister(sn, m);
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

/* Who has a page under way learns it with the next one. */
void members_tell(struct supernode *sn)
{
	const struct registry_community *c;

	while ((c = registry_next_changed(&sn->registry)) != NULL)
		for (const struct registry_entry *e = c->newest; e != NULL; e = e->older)
			if (e->cursor != NULL &&
				!outbox_holds(&member_of(e)->session->out, CONTROL_ROSTER))
				session_post(&sn->node.core, member_of(e)->session, CONTROL_ROSTER);
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

	if (p != NULL)
		e.remote = p->way.remote;
	atomic_store_explicit(&l->member, link_member(m->entry->community->id, member_handle(m)),
		memory_order_relaxed);
	core_event(&sn->node.core, &e);
}

static void went_down(struct supernode *sn, struct member *m, uint32_t handle)
{
	struct link *l = &m->session->link;

	m->since_ms = sn->node.core.now_ms;
	atomic_store_explicit(&l->member, 0, memory_order_relaxed);
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

enum register_result member_register(
	struct supernode *sn, struct member *m, const struct control_register *r)
{
	const uint32_t before = member_handle(m);
	struct roster_entry says = {
		.handle = before, .incarnation = r->incarnation, .locator_len = r->locator_len};

	memcpy(says.static_public, r->static_public, KEY_LEN);
	memcpy(says.locator, r->locator, sizeof(says.locator));
	(void)registry_put(&sn->registry, REGISTRY_SELF, r->tag, &says, &m->entry);
	if (before != 0 && before != member_handle(m))
		went_down(sn, m, before);
	if (m->entry != NULL) {
		registry_subscribe(m->entry, &m->cursor, r->roster_version);
		session_post(&sn->node.core, m->session, CONTROL_ROSTER);
		if (before != m->entry->told.handle)
			went_up(sn, m);
		show_handle(sn, m);
	}
	members_tell(sn);
	return m->entry != NULL ? REGISTER_OK : REGISTER_FULL;
}

/* ---- pages ---- */

bool member_page(const struct member *m, struct control_roster *page)
{
	return m->entry != NULL && registry_page(m->entry, page);
}

void member_took_page(struct supernode *sn, struct member *m)
{
	if (m->entry != NULL && registry_took_page(m->entry))
		session_post(&sn->node.core, m->session, CONTROL_ROSTER);
}
