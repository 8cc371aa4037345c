/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Open-addressed tables that workers look things up in. */
#include "core/link/view.h"

#include <stdlib.h>
#include <string.h>

/* At most half full, so that probing ends soon and always. */
static uint32_t table_mask(uint32_t entries)
{
	uint32_t size = 4;

	while (size < entries * 2 + 1)
		size *= 2;
	return size - 1;
}

static uint32_t hash(const struct view *v, const void *key, size_t len)
{
	uint8_t h[8];

	crypto_siphash64(h, v->hash_key, key, len);
	return load_be32(h);
}

struct view *view_create(
	const uint8_t hash_key[SIPHASH_KEY_LEN], uint32_t n_sessions, uint32_t n_handles)
{
	struct view *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	memcpy(v->hash_key, hash_key, SIPHASH_KEY_LEN);
	v->ids_mask = table_mask(n_sessions);
	v->ids = calloc(v->ids_mask + 1u, sizeof(*v->ids));
	v->handles_mask = table_mask(n_handles);
	v->handles = calloc(v->handles_mask + 1u, sizeof(*v->handles));
	if (v->ids == NULL || v->handles == NULL) {
		view_destroy(v);
		return NULL;
	}
	return v;
}

void view_destroy(void *view)
{
	struct view *v = view;

	if (v == NULL)
		return;
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		free(v->community[i].macs);
		free(v->community[i].peers);
	}
	free(v->ids);
	free(v->handles);
	crypto_wipe(v, sizeof(*v));
	free(v);
}

/* Ids are random and ours, so they are their own hash. */
static void add_id(struct view *v, const struct view_id *entry)
{
	uint32_t i = entry->id & v->ids_mask;

	while (v->ids[i].session != NULL)
		i = (i + 1) & v->ids_mask;
	v->ids[i] = *entry;
}

void view_add_session(struct view *v, struct session *s)
{
	add_id(v, &(struct view_id){.id = s->id, .session = s});
}

void view_add_member(struct view *v, struct session *s, uint32_t handle, uint32_t community)
{
	add_id(v, &(struct view_id){s->id, s, handle, community});
	view_add_handle(v, 0, handle, s);
}

void view_add_env_key(struct view *v, const uint8_t key[KEY_LEN])
{
	memcpy(v->env_keys[v->n_env_keys++], key, KEY_LEN);
}

const struct view_id *view_entry(const struct view *v, uint32_t id)
{
	for (uint32_t i = id & v->ids_mask; v->ids[i].session != NULL; i = (i + 1) & v->ids_mask)
		if (v->ids[i].id == id)
			return &v->ids[i];
	return NULL;
}

struct session *view_session(const struct view *v, uint32_t id)
{
	const struct view_id *entry = view_entry(v, id);

	return entry != NULL ? entry->session : NULL;
}

/* Handles towards an edge are a supernode's choice, maybe a hostile one's. */
static uint32_t handle_slot(const struct view *v, uint32_t hop_id, uint32_t handle)
{
	uint8_t key[8];

	store_be32(key, hop_id);
	store_be32(key + 4, handle);
	return hash(v, key, sizeof(key)) & v->handles_mask;
}

void view_add_handle(struct view *v, uint32_t hop_id, uint32_t handle, struct session *s)
{
	uint32_t i = handle_slot(v, hop_id, handle);

	while (v->handles[i].session != NULL)
		i = (i + 1) & v->handles_mask;
	v->handles[i] = (struct view_handle){hop_id, handle, s};
}

struct session *view_handle(const struct view *v, uint32_t hop_id, uint32_t handle)
{
	uint32_t i = handle_slot(v, hop_id, handle);

	for (; v->handles[i].session != NULL; i = (i + 1) & v->handles_mask)
		if (v->handles[i].handle == handle && v->handles[i].hop_id == hop_id)
			return v->handles[i].session;
	return NULL;
}

int view_size_community(struct view *v, unsigned community, uint32_t n_peers)
{
	struct view_community *c = &v->community[community];

	c->macs_mask = table_mask(n_peers);
	c->macs = calloc(c->macs_mask + 1u, sizeof(*c->macs));
	c->peers = calloc(n_peers + 1u, sizeof(struct session *));
	return c->macs != NULL && c->peers != NULL ? 0 : N2N_ENOMEM;
}

void view_add_peer(struct view *v, unsigned community, struct session *s, const struct mac *mac)
{
	struct view_community *c = &v->community[community];
	uint32_t i;

	c->peers[c->n_peers++] = s;
	if (mac == NULL)
		return;
	i = hash(v, mac->b, sizeof(mac->b)) & c->macs_mask;
	while (c->macs[i].session != NULL)
		i = (i + 1) & c->macs_mask;
	c->macs[i] = (struct view_mac){*mac, s};
}

struct session *view_mac(const struct view *v, unsigned community, const struct mac *mac)
{
	const struct view_community *c = &v->community[community];
	uint32_t i = hash(v, mac->b, sizeof(mac->b)) & c->macs_mask;

	for (; c->macs[i].session != NULL; i = (i + 1) & c->macs_mask)
		if (mac_equal(&c->macs[i].mac, mac))
			return c->macs[i].session;
	return NULL;
}

bool view_is_supernode(const struct view *v, const struct endpoint *e)
{
	for (uint32_t i = 0; i < v->n_supernodes; i++)
		if (endpoint_equal(&v->supernodes[i], e))
			return true;
	return false;
}
