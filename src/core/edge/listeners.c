/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What members say of the groups to which they listen, and what workers are to do with it. */
#include <stdlib.h>
#include <string.h>

#include "core/edge/edge_state.h"

/* An honest member says something new at most as often as ANNOUNCE_MS in snoop.c. */
#define TAKEN_PER_S 2
#define TAKEN_BURST 30

static int listen(struct peer *p, uint64_t group)
{
	struct core *core = core_of(p->community);

	p->community->group.streams_changed = true;
	return view_listen(&core->view, p->community->index, group, p->port, core_retire_any, core);
}

static void unlisten(struct peer *p, uint64_t group)
{
	struct core *core = core_of(p->community);

	p->community->group.streams_changed = true;
	view_unlisten(&core->view, p->community->index, group, p->port, core_retire_any, core);
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct mac));
}

static void unlisten_all(struct peer *p)
{
	struct listened *l = &p->listened;

	for (unsigned i = 0; i < l->n; i++)
		unlisten(p, mac_number(&l->group[i]));
	free(l->group);
	l->group = NULL;
	l->n = 0;
}

/* It gets everything, as one of whom nothing is known. */
static void listen_to_all(struct peer *p)
{
	struct community *c = p->community;

	if (p->listened.known && listen(p, LISTEN_REST) != 0)
		view_unsort(&core_of(c)->view, c->index);
	p->listened.known = false;
	unlisten_all(p);
}

/* Sorts them, each once; returns how many there are. */
static uint8_t sorted(struct mac *out, const struct control_listeners *m)
{
	uint8_t n = 0;

	memcpy(out, m->group, m->n * sizeof(*out));
	qsort(out, m->n, sizeof(*out), by_bytes);
	for (unsigned i = 0; i < m->n; i++)
		if (n == 0 || !mac_equal(&out[n - 1], &out[i]))
			out[n++] = out[i];
	return n;
}

static bool has(const struct mac *group, unsigned n, const struct mac *one)
{
	return n > 0 && bsearch(one, group, n, sizeof(*one), by_bytes) != NULL;
}

/* Those of new are added before anything is taken away. Takes new over. */
static void change(struct peer *p, struct mac *new, uint8_t n)
{
	struct listened *l = &p->listened;
	struct listened before = *l;
	bool failed = false;

	for (unsigned i = 0; i < n; i++)
		if (!has(before.group, before.n, &new[i]))
			failed = listen(p, mac_number(&new[i])) != 0 || failed;
	l->group = new;
	l->n = n;
	for (unsigned i = 0; i < before.n; i++)
		if (!has(new, n, &before.group[i]))
			unlisten(p, mac_number(&before.group[i]));
	free(before.group);
	if (failed)
		listen_to_all(p);
	else if (!l->known)
		unlisten(p, LISTEN_REST);
	l->known = !failed;
}

int listeners_meet(struct peer *p)
{
	return listen(p, LISTEN_REST);
}

static void forget_waiting(struct listened *l)
{
	free(l->waiting);
	l->waiting = NULL;
}

/* What it says counts. */
static void apply(struct peer *p, const struct control_listeners *m)
{
	struct mac group[LISTENED_MAX], *new = NULL;
	uint8_t n = sorted(group, m);

	if (n > 0) {
		new = malloc(n * sizeof(*new));
		if (new == NULL) {
			listen_to_all(p);
			return;
		}
		memcpy(new, group, n * sizeof(*new));
	}
	change(p, new, n);
}

static bool has_room(struct peer *p)
{
	return bucket_take(
		&p->listened.taken, core_of(p->community)->now_ms, TAKEN_PER_S, TAKEN_BURST);
}

/*
 * It was acknowledged and is not sent again: of too many the last one has to count. Until then it
 * gets everything, and for good where memory is short.
 */
static void wait_for_room(struct peer *p, const struct control_listeners *m)
{
	struct core *core = core_of(p->community);

	listen_to_all(p);
	p->listened.waiting = malloc(sizeof(*m));
	if (p->listened.waiting == NULL)
		return;
	*p->listened.waiting = *m;
	session_look_at(core, p->session, core->now_ms + 1000 / TAKEN_PER_S);
}

void listeners_take(struct peer *p, const struct control_listeners *m)
{
	forget_waiting(&p->listened);
	p->listened.all = m->all;
	if (m->all)
		listen_to_all(p);
	else if (has_room(p))
		apply(p, m);
	else
		wait_for_room(p, m);
}

uint64_t listeners_look(struct peer *p)
{
	if (p->listened.waiting == NULL)
		return UINT64_MAX;
	if (!has_room(p))
		return core_of(p->community)->now_ms + 1000 / TAKEN_PER_S;
	apply(p, p->listened.waiting);
	forget_waiting(&p->listened);
	return UINT64_MAX;
}

void listeners_restart(struct peer *p)
{
	forget_waiting(&p->listened);
	p->listened.all = false;
	listen_to_all(p);
}

void listeners_describe(const struct peer *p, struct status_groups *out)
{
	*out = (struct status_groups){.n = p->listened.n, .group = p->listened.group};
	if (!p->listened.known)
		out->all = p->listened.all ? "said" : "unknown";
}

bool listeners_want(const struct peer *p, uint64_t group)
{
	const struct listened *l = &p->listened;
	struct mac mac;

	if (!l->known)
		return l->all;
	mac = mac_from_number(group);
	return has(l->group, l->n, &mac);
}

void listeners_part(struct peer *p)
{
	unlisten(p, LISTEN_REST);
	unlisten_all(p);
	listeners_free(&p->listened);
}

void listeners_free(struct listened *l)
{
	free(l->group);
	l->group = NULL;
	forget_waiting(l);
}
