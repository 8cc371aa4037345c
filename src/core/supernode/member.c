/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Edges with a hop session here: coming, registering, being told of each other, leaving. */
#include "core/supernode/member.h"

#include <stdlib.h>
#include <string.h>

#include "core/supernode/supernode_state.h"

#define UNREGISTERED_MS 10000u /* a hop session must register within this time */

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
	m->since_ms = sn->node.now_ms;
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

void member_remove(struct supernode *sn, struct member *m)
{
	member_unregister(sn, m);
	HASH_DELETE(hh, sn->members, m);
	session_retire(&sn->node, m->session);
	free(m);
}

bool member_is_over(const struct member *m, uint64_t now_ms)
{
	uint64_t heard = atomic_load_explicit(&m->session->rx_ms, memory_order_relaxed);

	if (m->entry == NULL)
		return now_ms >= m->since_ms + UNREGISTERED_MS;
	return now_ms >= (heard > m->since_ms ? heard : m->since_ms) + LEASE_S * 1000u;
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
				member_of(e)->session->out[CONTROL_ROSTER].seq == 0)
				control_post(&sn->node, member_of(e)->session, CONTROL_ROSTER);
}

static void went_up(struct supernode *sn, const struct member *m)
{
	struct event e = {.kind = EVENT_MEMBER_UP, .value = member_handle(m)};
	const struct path *p = session_path(m->session);

	if (p != NULL)
		e.remote = p->remote;
	node_view_touch(&sn->node);
	node_event(&sn->node, &e);
}

static void went_down(struct supernode *sn, struct member *m, uint32_t handle)
{
	m->since_ms = sn->node.now_ms;
	node_view_touch(&sn->node);
	node_event(&sn->node, &(struct event){.kind = EVENT_MEMBER_DOWN, .value = handle});
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
		control_post(&sn->node, m->session, CONTROL_ROSTER);
		if (before != m->entry->told.handle)
			went_up(sn, m);
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
		control_post(&sn->node, m->session, CONTROL_ROSTER);
}
