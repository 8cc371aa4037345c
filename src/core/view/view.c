/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Editing what workers look up, and making roots of it. */
#include <stdlib.h>
#include <string.h>

#include "core/view/view_groups.h"

#define ADDRESS_MASK UINT64_C(0xffffffffffff)
#define GROUP_BIT    (UINT64_C(1) << 40) /* of the first byte of an address */

/* ---- looking up ---- */

const struct port *view_owner(const struct view *v, unsigned community, uint64_t address)
{
	return table_find(v->community[community].owners, table_sip(v->hash_key, address), address);
}

const struct port *view_port(const struct view *v, unsigned community, uint64_t address)
{
	const struct view_community *c = &v->community[community];
	const struct port *owner;

	if (address & GROUP_BIT)
		return &port_all;
	owner = view_owner(v, community, address);
	if (owner != NULL)
		return owner;
	return c->fdb != NULL ? port_find(c->ports, fdb_find(c->fdb, address)) : &port_all;
}

bool view_learn(const struct view *v, const struct link *from, uint64_t address)
{
	const struct view_community *c = &v->community[from->community];

	if (c->fdb == NULL || !link_has_role(from, ROLE_BRIDGE) ||
		view_owner(v, from->community, address) != NULL)
		return false;
	fdb_learn(c->fdb, address, from->port, c->step);
	return true;
}

uint64_t view_ip_key(const uint8_t hash_key[SIPHASH_KEY_LEN], const uint8_t ip[16])
{
	uint8_t out[8];

	crypto_siphash64(out, hash_key, ip, 16);
	return load_be64(out);
}

/* Keys are hashes already. */
static const struct port *find_ip(const struct table *t, uint64_t key)
{
	return t != NULL ? table_find(t, table_spread(NULL, key), key) : NULL;
}

const struct port *view_ip_owner(const struct view *v, unsigned community, uint64_t key)
{
	return find_ip(v->community[community].ips, key);
}

const struct port *view_asked(const struct view *v, unsigned community, uint64_t key)
{
	return find_ip(v->community[community].asked, key);
}

bool view_learn_here(const struct view *v, unsigned community, uint64_t address)
{
	const struct view_community *c = &v->community[community];

	if (view_owner(v, community, address) != NULL)
		return false;
	if (c->fdb != NULL)
		fdb_learn(c->fdb, address, PORT_HERE, c->step);
	return true;
}

bool view_is_supernode(const struct view *v, const struct way *from)
{
	for (uint32_t i = 0; i < v->doors.n_hops; i++)
		if (way_same_remote(&v->doors.hop[i].way, from))
			return true;
	return false;
}

/* ---- editing ---- */

int view_editor_init(struct view_editor *e, const uint8_t hash_key[SIPHASH_KEY_LEN])
{
	int rc;

	memset(e, 0, sizeof(*e));
	memcpy(e->hash_key, hash_key, SIPHASH_KEY_LEN);
	rc = table_editor_init(&e->links, table_spread, NULL);
	if (rc == 0)
		rc = table_editor_init(&e->handles, table_sip, e->hash_key);
	e->changed = true;
	return rc;
}

void view_editor_fini(struct view_editor *e)
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		table_editor_fini(&e->community[i].ports, NULL, NULL);
		table_editor_fini(&e->community[i].owners, NULL, NULL);
		table_editor_fini(&e->community[i].ips, NULL, NULL);
		table_editor_fini(&e->community[i].asked, NULL, NULL);
		view_groups_fini(&e->community[i], NULL, NULL);
		free(e->community[i].gate);
	}
	table_editor_fini(&e->links, NULL, NULL);
	table_editor_fini(&e->handles, NULL, NULL);
	free(e->own);
	free(e->shown);
	crypto_wipe(e, sizeof(*e));
}

static int put(struct view_editor *e, struct table_editor *t, uint64_t key, void *value)
{
	int rc;

	if (table_get(t, key) == value)
		return 0;
	rc = table_put(t, key, value);
	e->changed = e->changed || rc == 0;
	return rc;
}

/* Removes the key if it leads to this value. */
static void take(struct view_editor *e, struct table_editor *t, uint64_t key, const void *value)
{
	if (table_get(t, key) != value)
		return;
	(void)table_remove(t, key);
	e->changed = true;
}

int view_put_link(struct view_editor *e, struct link *l)
{
	return put(e, &e->links, l->id, l);
}

void view_remove_link(struct view_editor *e, const struct link *l)
{
	take(e, &e->links, l->id, l);
}

int view_put_handle(struct view_editor *e, uint32_t hop_id, uint32_t handle, struct link *l)
{
	return put(e, &e->handles, view_handle_key(hop_id, handle), l);
}

void view_remove_handle(
	struct view_editor *e, uint32_t hop_id, uint32_t handle, const struct link *l)
{
	take(e, &e->handles, view_handle_key(hop_id, handle), l);
}

int view_add_community(struct view_editor *e, unsigned community, uint32_t generation,
	const uint8_t mask[MASK_LEN], struct fdb *fdb)
{
	struct view_community_editor *c = &e->community[community];
	int rc;

	memset(c, 0, sizeof(*c));
	port_numbers_init(&c->numbers);
	rc = table_editor_init(&c->ports, table_spread, NULL);
	if (rc == 0)
		rc = table_editor_init(&c->owners, table_sip, e->hash_key);
	if (rc == 0)
		rc = table_editor_init(&c->ips, table_spread, NULL);
	if (rc == 0)
		rc = table_editor_init(&c->asked, table_spread, NULL);
	if (rc == 0)
		rc = table_editor_init(&c->groups, table_sip, e->hash_key);
	if (rc != 0) {
		table_editor_fini(&c->ports, NULL, NULL);
		table_editor_fini(&c->owners, NULL, NULL);
		table_editor_fini(&c->ips, NULL, NULL);
		table_editor_fini(&c->asked, NULL, NULL);
		memset(c, 0, sizeof(*c));
		return rc;
	}
	c->next.generation = generation;
	c->next.fdb = fdb;
	memcpy(c->next.mask, mask, MASK_LEN);
	e->changed = true;
	return 0;
}

void view_remove_community(
	struct view_editor *e, unsigned community, table_retire *retire, void *ctx)
{
	struct view_community_editor *c = &e->community[community];

	table_editor_fini(&c->ports, retire, ctx);
	table_editor_fini(&c->owners, retire, ctx);
	table_editor_fini(&c->ips, retire, ctx);
	table_editor_fini(&c->asked, retire, ctx);
	view_groups_fini(c, retire, ctx);
	view_set_gate(e, community, NULL, retire, ctx);
	memset(&c->next, 0, sizeof(c->next));
	e->changed = true;
}

struct port *view_add_port(struct view_editor *e, unsigned community, const struct port *as)
{
	struct view_community_editor *c = &e->community[community];
	int number = port_take(&c->numbers);
	struct port *p = number > 0 ? malloc(sizeof(*p)) : NULL;

	if (p != NULL) {
		*p = *as;
		p->number = (uint16_t)number;
		if (put(e, &c->ports, p->number, p) == 0)
			return p;
	}
	free(p);
	if (number > 0)
		port_release(&c->numbers, (uint16_t)number);
	return NULL;
}

void view_remove_port(struct view_editor *e, unsigned community, const struct port *port)
{
	struct view_community_editor *c = &e->community[community];

	take(e, &c->ports, port->number, port);
	port_release(&c->numbers, port->number);
}

/* Tables hold void *; workers get it back as const. */
static int put_port(
	struct view_editor *e, struct table_editor *t, uint64_t key, const struct port *port)
{
	union {
		const struct port *read;
		void *value;
	} p = {port};

	return put(e, t, key, p.value);
}

int view_put_owner(
	struct view_editor *e, unsigned community, uint64_t address, const struct port *port)
{
	return put_port(e, &e->community[community].owners, address & ADDRESS_MASK, port);
}

void view_remove_owner(
	struct view_editor *e, unsigned community, uint64_t address, const struct port *port)
{
	take(e, &e->community[community].owners, address & ADDRESS_MASK, port);
}

bool view_leads_to(
	const struct view_editor *e, unsigned community, uint64_t address, const struct port *port)
{
	const struct view_community_editor *c = &e->community[community];
	const struct port *owner;
	uint16_t number;

	if (address & GROUP_BIT)
		return true;
	owner = table_get(&c->owners, address);
	if (owner != NULL)
		return owner == port;
	number = c->next.fdb != NULL ? fdb_find(c->next.fdb, address) : PORT_FLOOD;
	return number == port->number ||
	       (number != PORT_HERE && table_get(&c->ports, number) == NULL);
}

void view_remove_owners(struct view_editor *e, unsigned community, const struct port *port)
{
	struct table_editor *owners = &e->community[community].owners;
	const struct table_entry *entry;
	uint32_t at = 0;

	while ((entry = table_next(owners->draft, &at)) != NULL) {
		if (entry->value != port)
			continue;
		take(e, owners, entry->key, port);
		at = 0; /* others may have moved */
	}
}

int view_put_ip(struct view_editor *e, unsigned community, uint64_t key, const struct port *port)
{
	return put_port(e, &e->community[community].ips, key, port);
}

void view_remove_ip(
	struct view_editor *e, unsigned community, uint64_t key, const struct port *port)
{
	take(e, &e->community[community].ips, key, port);
}

int view_put_asked(struct view_editor *e, unsigned community, uint64_t key, const struct port *port)
{
	return put_port(e, &e->community[community].asked, key, port);
}

void view_remove_asked(
	struct view_editor *e, unsigned community, uint64_t key, const struct port *port)
{
	take(e, &e->community[community].asked, key, port);
}

void view_set_own(struct view_editor *e, struct own_sockets *own, table_retire *retire, void *ctx)
{
	if (e->own != NULL)
		retire(ctx, e->own, free);
	e->own = own;
	e->changed = true;
}

void view_set_interface(struct view_editor *e, unsigned community, uint64_t own, bool bridge)
{
	struct view_community *c = &e->community[community].next;

	c->own = own;
	c->bridge = bridge;
	e->changed = true;
}

void view_set_roles(struct view_editor *e, unsigned community, uint8_t roles)
{
	e->community[community].next.roles = roles;
	e->changed = true;
}

void view_set_gate(struct view_editor *e, unsigned community, struct gate *gate,
	table_retire *retire, void *ctx)
{
	struct view_community_editor *c = &e->community[community];

	if (c->gate != NULL)
		retire(ctx, c->gate, free);
	c->gate = gate;
	c->next.gate = gate;
	e->changed = true;
}

void view_set_group(struct view_editor *e, unsigned community, const struct group_plan *plan)
{
	e->community[community].next.group = plan;
	e->changed = true;
}

unsigned view_next_step(struct view_editor *e, unsigned community)
{
	struct view_community *c = &e->community[community].next;

	c->step = (uint8_t)((c->step + 1) % 8);
	e->changed = true;
	return c->step;
}

/* ---- publishing ---- */

static int publish_tables(struct view_editor *e, table_retire *retire, void *ctx)
{
	int rc = table_publish(&e->links, retire, ctx);

	if (rc == 0)
		rc = table_publish(&e->handles, retire, ctx);
	for (unsigned i = 0; rc == 0 && i < COMMUNITIES_MAX; i++) {
		struct view_community_editor *c = &e->community[i];

		if (c->next.generation == 0)
			continue;
		rc = table_publish(&c->ports, retire, ctx);
		if (rc == 0)
			rc = table_publish(&c->owners, retire, ctx);
		if (rc == 0)
			rc = table_publish(&c->ips, retire, ctx);
		if (rc == 0)
			rc = table_publish(&c->asked, retire, ctx);
		if (rc == 0)
			rc = table_publish(&c->groups, retire, ctx);
	}
	return rc;
}

static void fill(struct view *v, const struct view_editor *e)
{
	v->version = e->version + 1;
	v->supernode = e->supernode;
	memcpy(v->hop_mask, e->hop_mask, MASK_LEN);
	memcpy(v->hash_key, e->hash_key, SIPHASH_KEY_LEN);
	v->links = e->links.shown;
	v->handles = e->handles.shown;
	v->doors = e->doors;
	v->split_direct = &e->split_direct;
	v->own = e->own;
	v->pieces = e->pieces;
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		const struct view_community_editor *c = &e->community[i];

		if (c->next.generation == 0)
			continue;
		v->community[i] = c->next;
		v->community[i].ports = c->ports.shown;
		v->community[i].owners = c->owners.shown;
		v->community[i].ips = c->ips.shown;
		v->community[i].asked = c->asked.shown;
		v->community[i].groups = c->groups.shown;
		v->n_communities = i + 1;
	}
}

static void destroy_view(void *view)
{
	crypto_wipe(view, sizeof(struct view));
	free(view);
}

static void numbers_rested(void *community)
{
	struct view_community_editor *c = community;

	port_reclaim(&c->numbers, c->next.fdb);
}

/* Numbers that no table shows any more are used again after the grace period that begins now. */
static void rest_numbers(struct view_editor *e, table_retire *retire, void *ctx)
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		struct view_community_editor *c = &e->community[i];

		if (c->next.generation == 0 || c->numbers.grace)
			continue;
		port_hidden(&c->numbers);
		if (c->numbers.grace)
			retire(ctx, c, numbers_rested);
	}
}

/*
 * The tables may be published before the root that leads to them is: a worker with the old root has
 * the old tables, which are destroyed no earlier than it.
 */
int view_publish(struct view_editor *e, table_retire *retire, void *ctx)
{
	struct view *v;

	if (!e->changed)
		return 0;
	v = calloc(1, sizeof(*v));
	if (v == NULL || publish_tables(e, retire, ctx) != 0) {
		free(v);
		return N2N_ENOMEM;
	}
	fill(v, e);
	if (e->shown != NULL)
		retire(ctx, e->shown, destroy_view);
	e->shown = v;
	e->version = v->version;
	e->changed = false;
	rest_numbers(e, retire, ctx);
	return 0;
}
