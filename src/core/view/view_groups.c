/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who listens to which group, as the control thread edits it. */
#include "core/view/view_groups.h"

#include <stdlib.h>
#include <string.h>

static struct listeners *with(const struct listeners *old, const struct port *port)
{
	uint32_t n = old != NULL ? old->n : 0;
	struct listeners *l = malloc(sizeof(*l) + (n + 1) * sizeof(l->port[0]));

	if (l == NULL)
		return NULL;
	if (n > 0)
		memcpy(l->port, old->port, n * sizeof(l->port[0]));
	l->port[n] = port;
	l->n = n + 1;
	return l;
}

static uint32_t place(const struct listeners *l, const struct port *port)
{
	uint32_t i = 0;

	while (l != NULL && i < l->n && l->port[i] != port)
		i++;
	return i;
}

/* Of more than one. */
static struct listeners *without(const struct listeners *old, uint32_t at)
{
	struct listeners *l = malloc(sizeof(*l) + (old->n - 1) * sizeof(l->port[0]));

	if (l == NULL)
		return NULL;
	l->n = old->n - 1;
	memcpy(l->port, old->port, l->n * sizeof(l->port[0]));
	if (at < l->n)
		l->port[at] = old->port[l->n];
	return l;
}

/* The editor owns them, and gives them to workers as const. */
static struct listeners *owned(const struct listeners *l)
{
	union {
		const struct listeners *read;
		struct listeners *own;
	} u = {l};

	return u.own;
}

static void dispose(struct listeners *l, table_retire *retire, void *ctx)
{
	if (l == NULL)
		return;
	if (retire != NULL)
		retire(ctx, l, free);
	else
		free(l);
}

static struct listeners *find(const struct view_community_editor *c, uint64_t group)
{
	return group == LISTEN_REST ? owned(c->next.rest) : table_get(&c->groups, group);
}

int view_listen(struct view_editor *e, unsigned community, uint64_t group, const struct port *port,
	table_retire *retire, void *ctx)
{
	struct view_community_editor *c = &e->community[community];
	struct listeners *old = find(c, group), *l = with(old, port);
	int rc = 0;

	if (l == NULL)
		return N2N_ENOMEM;
	if (group == LISTEN_REST)
		c->next.rest = l;
	else
		rc = table_put(&c->groups, group, l);
	if (rc != 0) {
		free(l);
		return rc;
	}
	dispose(old, retire, ctx);
	e->changed = true;
	return 0;
}

void view_unlisten(struct view_editor *e, unsigned community, uint64_t group,
	const struct port *port, table_retire *retire, void *ctx)
{
	struct view_community_editor *c = &e->community[community];
	struct listeners *old = find(c, group), *l = NULL;
	uint32_t at = place(old, port);

	if (old == NULL || at == old->n)
		return;
	if (old->n > 1) {
		l = without(old, at);
		c->next.unsorted = c->next.unsorted || l == NULL;
	}
	if (group == LISTEN_REST)
		c->next.rest = l;
	else if (l == NULL || table_put(&c->groups, group, l) != 0) {
		c->next.unsorted = c->next.unsorted || l != NULL;
		free(l);
		(void)table_remove(&c->groups, group);
	}
	dispose(old, retire, ctx);
	e->changed = true;
}

void view_unsort(struct view_editor *e, unsigned community)
{
	e->community[community].next.unsorted = true;
	e->changed = true;
}

void view_groups_fini(struct view_community_editor *c, table_retire *retire, void *ctx)
{
	const struct table_entry *entry;

	if (c->groups.draft != NULL)
		for (uint32_t at = 0; (entry = table_next(c->groups.draft, &at)) != NULL;)
			dispose(entry->value, retire, ctx);
	dispose(owned(c->next.rest), retire, ctx);
	c->next.rest = NULL;
	table_editor_fini(&c->groups, retire, ctx);
}
