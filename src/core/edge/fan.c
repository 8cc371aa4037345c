/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is in a fan-out set, and how that changes. */
#include "core/edge/fan.h"

#include <stdlib.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "core/session/send.h"

#define AGAIN_FIRST_MS 300u
#define AGAIN_MAX_MS   5000u
#define REFUSED_SURE   3u /* so often it named the version before, and no answer was late */
#define FULL_MS	       5000u
#define FULL_SHIFT     6u   /* 5 minutes: room may come, and each asks some work of it */
#define PAUSE_MS       100u /* changes are gathered; workers have let go of the version before */

struct fan *fan_create(uint64_t group, const struct port_set *who)
{
	struct fan *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->all = who == NULL;
	f->group = group;
	if (who != NULL)
		f->who = *who;
	return f;
}

/* The supernode had no room for so many changes in a row; told once for all sets. */
static void set_full(struct community *c, struct fan *f, unsigned times)
{
	unsigned *full = &c->group.full, before = *full;

	*full -= f->full > 0;
	*full += times > 0;
	f->full = times;
	if (times > 0)
		f->full_ms = core_of(c)->now_ms +
			     (FULL_MS << (times - 1 < FULL_SHIFT ? times - 1 : FULL_SHIFT));
	if ((before > 0) != (*full > 0))
		core_event(core_of(c), &(struct event){
					       .kind = EVENT_FANOUT_REFUSED,
					       .community = c->index,
					       .supernode = c->hop.supernode,
					       .remote = c->hop.way.remote,
					       .key = c->edge->supernode[c->hop.supernode].key,
					       .value = *full > 0,
				       });
}

static void forget_entries(unsigned set, const struct fan_entry *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (e[i].peer != NULL)
			e[i].peer->group.sets &= (uint16_t) ~(1u << set);
}

void fan_reset(struct community *c, unsigned set)
{
	struct fan *f = c->group.fan[set];

	if (f == NULL)
		return;
	forget_entries(set, f->in, f->n_in);
	if (f->pending != 0)
		forget_entries(set, f->coming, f->change.n_new);
	f->n_in = 0;
	f->version = f->pending = 0;
	f->next_ms = f->full_ms = 0;
	set_full(c, f, 0);
}

bool fan_is_empty(const struct fan *f)
{
	return f->n_in == 0 && f->pending == 0;
}

void fan_free(struct fan *f)
{
	if (f == NULL)
		return;
	free(f->in);
	free(f);
}

static bool belongs(const struct fan *f, const struct peer *p)
{
	return (f->all || port_set_has(&f->who, p->port->number)) && group_may_fan(p);
}

static bool stays(const struct fan *f, const struct fan_entry *e)
{
	return e->peer != NULL && !e->struck && e->handle == e->peer->handle && belongs(f, e->peer);
}

/* ---- changes ---- */

static void find_leaving(struct fan *f)
{
	struct control_fanout *m = &f->change;

	for (size_t i = 0; i < f->n_in && m->n_gone < FANOUT_CHANGES_MAX; i++)
		if (!stays(f, &f->in[i]))
			m->gone[m->n_gone++] = f->in[i].handle;
}

static void find_coming(struct community *c, unsigned set, struct fan *f)
{
	struct control_fanout *m = &f->change;

	for (struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		if (m->n_gone + m->n_new == FANOUT_CHANGES_MAX)
			return;
		/* Who is on the list still, but struck, leaves it first. */
		if ((p->group.sets >> set & 1) != 0 || !belongs(f, p))
			continue;
		f->coming[m->n_new] = (struct fan_entry){.peer = p, .handle = p->handle};
		m->new[m->n_new++] = p->handle;
	}
}

static bool make_room(struct fan *f)
{
	size_t need = f->n_in + f->change.n_new;
	struct fan_entry *in;

	if (need <= f->cap)
		return true;
	in = realloc(f->in, 2 * need * sizeof(*in));
	if (in == NULL)
		return false;
	f->in = in;
	f->cap = 2 * need;
	return true;
}

static void begin_change(struct community *c, unsigned set, struct fan *f)
{
	struct control_fanout *m = &f->change;

	memset(m, 0, sizeof(*m));
	find_leaving(f);
	if (core_of(c)->now_ms >= f->full_ms)
		find_coming(c, set, f);
	if (m->n_gone + m->n_new == 0 || !make_room(f) ||
		c->edge->fan_version >= FANOUT_VERSION_MAX)
		return;
	for (unsigned i = 0; i < m->n_new; i++)
		f->coming[i].peer->group.sets |= (uint16_t)(1u << set);
	m->set = (uint8_t)set;
	m->base = f->version;
	m->version = f->pending = ++c->edge->fan_version;
	f->tries = f->refused = 0;
	f->next_ms = 0;
}

static void send_change(struct community *c, struct fan *f)
{
	uint64_t wait_ms = AGAIN_FIRST_MS << (f->tries < 5 ? f->tries : 5);
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	control_fanout_encode(&w, &f->change);
	send_control(core_of(c), c->hop.session, &w);
	f->tries++;
	f->next_ms = core_of(c)->now_ms + (wait_ms < AGAIN_MAX_MS ? wait_ms : AGAIN_MAX_MS);
}

void fan_tick(struct community *c, unsigned set)
{
	struct fan *f = c->group.fan[set];

	if (f == NULL || core_of(c)->now_ms < f->next_ms)
		return;
	if (f->pending == 0)
		begin_change(c, set, f);
	if (f->pending != 0)
		send_change(c, f);
}

/* ---- answers ---- */

static bool is_gone(const struct control_fanout *m, uint32_t handle)
{
	for (unsigned i = 0; i < m->n_gone; i++)
		if (m->gone[i] == handle)
			return true;
	return false;
}

static void take_effect(struct fan *f, unsigned set)
{
	const struct control_fanout *m = &f->change;
	size_t n = 0;

	for (size_t i = 0; i < f->n_in; i++) {
		if (is_gone(m, f->in[i].handle))
			forget_entries(set, &f->in[i], 1);
		else
			f->in[n++] = f->in[i];
	}
	for (unsigned i = 0; i < m->n_new; i++)
		f->in[n++] = f->coming[i];
	f->n_in = n;
	f->version = f->pending;
	f->pending = 0;
}

/*
 * It has no room for it: who was to come has copies of his own for longer, and who leaves goes
 * first. Should it take it yet, it will name a version that is not known here.
 */
static void give_up(struct community *c, unsigned set, struct fan *f)
{
	forget_entries(set, f->coming, f->change.n_new);
	f->pending = 0;
	set_full(c, f, f->full + 1);
	f->next_ms = f->change.n_new > 0 ? core_of(c)->now_ms + PAUSE_MS : f->full_ms;
}

bool fan_answered(struct community *c, unsigned set, uint32_t version)
{
	struct fan *f = c->group.fan[set];

	if (f == NULL)
		return false;
	if (f->pending != 0 && version == f->pending) {
		take_effect(f, set);
		if (f->change.n_new > 0)
			set_full(c, f, 0);
		f->next_ms = core_of(c)->now_ms + PAUSE_MS;
		return true;
	}
	/* What it has is that before the change, or nothing was there to lose. */
	if (version == f->version || f->version == 0) {
		if (f->pending != 0 && f->refused < f->tries && ++f->refused == REFUSED_SURE)
			give_up(c, set, f);
		return false;
	}
	fan_reset(c, set);
	return true;
}

/* ---- peers that go ---- */

static bool strike(struct fan_entry *e, size_t n, const struct peer *p, bool gone)
{
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		if (e[i].peer != p)
			continue;
		found = found || !e[i].struck;
		e[i].struck = true;
		if (gone)
			e[i].peer = NULL;
	}
	return found;
}

bool fan_strike(struct peer *p, bool gone)
{
	bool found = false;

	for (unsigned set = 0; p->group.sets >> set != 0; set++) {
		struct fan *f = p->community->group.fan[set];

		if ((p->group.sets >> set & 1) == 0)
			continue;
		found = strike(f->in, f->n_in, p, gone) || found;
		if (f->pending != 0)
			(void)strike(f->coming, f->change.n_new, p, gone);
	}
	return found;
}

bool fan_handle_differs(const struct fan *f, const struct peer *p)
{
	for (size_t i = 0; i < f->n_in; i++)
		if (f->in[i].peer == p && f->in[i].handle != p->handle)
			return true;
	for (unsigned i = 0; f->pending != 0 && i < f->change.n_new; i++)
		if (f->coming[i].peer == p && f->coming[i].handle != p->handle)
			return true;
	return false;
}

static bool have_key(const struct fan_entry *e, size_t n, uint32_t index)
{
	for (size_t i = 0; i < n; i++)
		if (e[i].peer != NULL && !e[i].struck && !group_has_acked(e[i].peer, index))
			return false;
	return true;
}

bool fan_has_key(const struct fan *f, uint32_t index)
{
	return have_key(f->in, f->n_in, index) &&
	       (f->pending == 0 || have_key(f->coming, f->change.n_new, index));
}
