/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The driver: time, effects, views. What comes in is inbox.c. */
#include "core/node.h"

#include <stddef.h>
#include <string.h>

#include "core/control.h"
#include "core/path/path.h"
#include "core/session/attempt.h"
#include "core/session/send.h"

int node_init(struct node *n, const struct role *role, const struct core_config *c)
{
	memset(n, 0, sizeof(*n));
	n->role = role;
	if (core_init(&n->core, c) != 0)
		return N2N_ENOMEM;
	n->rx.aead = n->core.tx.aead;
	n->rx.drops = &n->core.drops;
	n->budget = budget_create(n->core.hash_key);
	if (n->budget == NULL) {
		core_fini(&n->core);
		return N2N_ENOMEM;
	}
	return 0;
}

void node_fini(struct node *n)
{
	struct session *s, *next;

	HASH_ITER (hh, n->core.sessions, s, next)
		session_retire(&n->core, s);
	budget_destroy(n->budget);
	core_fini(&n->core);
}

/* ---- effects ---- */

void node_act(struct node *n, struct session *s, unsigned effects)
{
	if (effects == 0)
		return;
	n->role->effects(n, s, effects);
	if (s->gone)
		return;
	control_flush(n, s, NULL);
}

/* ---- time ---- */

void node_look(struct node *n, struct session *s)
{
	struct core *core = &n->core;
	uint64_t at_ms;
	bool begin;

	session_tick(core, s);
	begin = attempt_is_due(core, s) && (n->role->begin == NULL || n->role->begin(n, s));
	node_act(n, s, attempt_tick(core, s, begin));
	if (s->gone)
		return;
	path_tick(core, s);
	/* What the role has to say goes before the frames that waited for keys. */
	control_flush(n, s, NULL);
	send_waiting(core, s);
	at_ms = n->role->look(n, s);
	if (s->gone)
		return;
	session_look_at(core, s, at_ms);
	session_look_at(core, s, session_next_ms(core, s));
	session_look_at(core, s, path_next_ms(core, s));
}

static void expire_embryos(struct node *n)
{
	struct embryos *p = &n->core.embryos;

	if (p->expire_ms == 0 || n->core.now_ms < p->expire_ms)
		return;
	p->expire_ms = 0;
	for (unsigned i = 0; i < p->n; i++) {
		struct embryo *e = &p->at[i];

		if (e->party == NULL)
			continue;
		if (n->core.now_ms < e->born_ms + EMBRYO_LIFE_MS) {
			embryos_expire_by(p, e->born_ms + EMBRYO_LIFE_MS);
			continue;
		}
		if (n->role->unconfirmed != NULL)
			n->role->unconfirmed(n, e);
		session_discard_embryo(e);
	}
}

static struct session *of_deadline(struct deadline *d)
{
	return (struct session *)((char *)d - offsetof(struct session, due));
}

void node_look_due(struct node *n)
{
	struct deadline *d;

	while ((d = deadline_take(&n->core.deadlines, n->core.now_ms)) != NULL)
		node_look(n, of_deadline(d));
}

void node_tick(struct node *n, uint64_t now_ms)
{
	core_enter(&n->core, now_ms);
	n->core.flush_ms = now_ms + SESSION_TICK_MS;
	expire_embryos(n);
	node_look_due(n);
	n->role->tick(n);
}

/* ---- views ---- */

const struct view *node_view_changed(struct node *n)
{
	struct view_editor *e = &n->core.view;

	if (!e->changed)
		return NULL;
	memset(&e->doors, 0, sizeof(e->doors));
	n->role->doors(n, &e->doors);
	e->doors.env_version = n->env_version;
	return view_publish(e, core_retire_any, &n->core) == 0 ? e->shown : NULL;
}

bool node_view_is_due(const struct node *n)
{
	return n->core.view.changed;
}
