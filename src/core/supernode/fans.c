/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fan-out sets as their owners change them, and what these are told. */
#include "core/supernode/fans.h"

#include <stdlib.h>
#include <string.h>

#include "core/session/send.h"
#include "core/supernode/registry.h"

#define CHANGES_MS    200u /* FANOUTs worked on: five a second, */
#define CHANGES_BURST 40u  /* and so many at once */
#define TELL_MS	      1000u

void fans_init(struct fans *f, const struct fan_limits *limits, const uint8_t *hash_key)
{
	*f = (struct fans){.limits = *limits, .hash_key = hash_key};
}

/* ---- registrations ---- */

static struct fans_community *community_get(struct fans *f, uint32_t id)
{
	const uint8_t *hash_key = f->hash_key;
	struct fans_community *c;

	HASH_FIND(hh, f->communities, &id, sizeof(id), c);
	if (c != NULL)
		return c;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->id = id;
	HASH_ADD(hh, f->communities, id, sizeof(id), c);
	if (c->hh.tbl == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

struct member_fan *fans_enter(struct fans *f, uint32_t community)
{
	struct member_fan *fan = calloc(1, sizeof(*fan));

	if (fan == NULL)
		return NULL;
	fan->community = community_get(f, community);
	if (fan->community == NULL) {
		free(fan);
		return NULL;
	}
	fan->community->registrations++;
	fan->shared.community = &fan->community->shared;
	fan->shared.limits = &f->limits;
	return fan;
}

static struct fan_set *set_of(const struct member_fan *fan, unsigned set)
{
	return atomic_load_explicit(&fan->shared.set[set], memory_order_relaxed);
}

static uint32_t handles_in(const struct fan_set *s)
{
	return s != NULL ? s->n_gone + s->n_both + s->n_new : 0;
}

void fans_leave(struct core *core, struct fans *f, struct member_fan *fan)
{
	if (fan == NULL)
		return;
	for (unsigned i = 0; i < FANOUT_SETS; i++) {
		f->sets -= set_of(fan, i) != NULL;
		core_retire(core, set_of(fan, i), free);
	}
	f->handles -= fan->handles;
	if (--fan->community->registrations == 0) {
		HASH_DELETE(hh, f->communities, fan->community);
		core_retire(core, fan->community, free);
	}
	core_retire(core, fan, free);
}

/* ---- changes ---- */

static int by_number(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static const uint32_t *find(const uint32_t *sorted, size_t n, uint32_t handle)
{
	return n > 0 ? bsearch(&handle, sorted, n, sizeof(handle), by_number) : NULL;
}

/* Who comes and is neither there already, nor named twice, nor nobody. */
static void add_new(struct fan_set *s, const struct registry *r, uint32_t community,
	const struct control_fanout *m, const bool there[FANOUT_CHANGES_MAX])
{
	const uint32_t before = s->n_gone + s->n_both;

	for (unsigned i = 0; i < m->n_new; i++) {
		const struct registry_entry *e = registry_find(r, m->new[i]);

		if (there[i] || (i > 0 && m->new[i] == m->new[i - 1]) || e == NULL ||
			e->community->id != community)
			continue;
		s->handle[before + s->n_new++] = m->new[i];
	}
}

/* The set after a change of what it was at its version, or of nothing; m's handles are sorted. */
static struct fan_set *make(const struct fan_set *old, const struct registry *r, uint32_t community,
	const struct control_fanout *m)
{
	const uint32_t *was = old != NULL ? old->handle + old->n_gone : NULL;
	size_t n = old != NULL ? old->n_both + old->n_new : 0;
	struct fan_set *s = calloc(1, sizeof(*s) + (n + m->n_new) * sizeof(s->handle[0]));
	bool there[FANOUT_CHANGES_MAX] = {false};

	if (s == NULL)
		return NULL;
	s->base = m->base;
	s->version = m->version;
	for (size_t i = 0; i < n; i++)
		if (find(m->gone, m->n_gone, was[i]) != NULL)
			s->handle[s->n_gone++] = was[i];
	for (size_t i = 0; i < n; i++) {
		const uint32_t *again;

		if (find(m->gone, m->n_gone, was[i]) != NULL)
			continue;
		s->handle[s->n_gone + s->n_both++] = was[i];
		/* One of several of the same is as good: add_new takes the first. */
		again = find(m->new, m->n_new, was[i]);
		while (again != NULL && again > m->new &&again[-1] == *again)
			again--;
		if (again != NULL)
			there[again - m->new] = true;
	}
	add_new(s, r, community, m, there);
	return s;
}

/* What does not fit, or follows from nothing that is here, changes nothing. */
static void change(struct core *core, struct fans *f, const struct registry *r,
	struct member_fan *fan, struct control_fanout *m)
{
	struct fan_set *old = set_of(fan, m->set), *s;
	uint32_t version = old != NULL ? old->version : 0;

	if (m->version <= version || (m->base != 0 && m->base != version))
		return;
	qsort(m->gone, m->n_gone, sizeof(m->gone[0]), by_number);
	qsort(m->new, m->n_new, sizeof(m->new[0]), by_number);
	s = make(m->base != 0 ? old : NULL, r, fan->community->id, m);
	if (s == NULL || fan->handles - handles_in(old) + handles_in(s) > FAN_HANDLES_MAX) {
		free(s);
		return;
	}
	f->sets += old == NULL;
	f->handles += handles_in(s) - (uint64_t)handles_in(old);
	fan->handles += handles_in(s) - handles_in(old);
	atomic_store_explicit(&fan->shared.set[m->set], s, memory_order_release);
	core_retire(core, old, free);
}

/* ---- what is told ---- */

static void write_fanned(struct writer *w, const struct member_fan *fan, unsigned set)
{
	const struct fan_set *s = set_of(fan, set);
	const struct fan_limits *l = fan->shared.limits;
	const struct control_fanned m = {
		.set = (uint8_t)set,
		.version = s != NULL ? s->version : 0,
		.refused = atomic_load_explicit(&fan->shared.refused, memory_order_relaxed),
		.packets_s = l->copies != 0 ? l->packets : 0,
		.bytes_s = l->bits / 8,
	};

	control_fanned_encode(w, &m);
}

void fans_take(struct core *core, struct fans *f, const struct registry *r, struct session *s,
	struct member_fan *fan, const struct control_msg *m)
{
	uint8_t buf[CONTROL_MAX_LEN];
	struct control_fanout change_of;
	struct writer w;

	if (control_fanout_decode(&change_of, m->body) != 0)
		return;
	if (!pace_take(&fan->changes, core->now_ms, CHANGES_MS, CHANGES_BURST)) {
		core_drop(core, DROP_RATE);
		return;
	}
	change(core, f, r, fan, &change_of);
	writer_init(&w, buf, sizeof(buf));
	write_fanned(&w, fan, change_of.set);
	send_reply(core, s, &w, true, NULL);
}

uint64_t fans_tell(struct core *core, struct session *s, struct member_fan *fan)
{
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;
	uint32_t sets;

	if (atomic_load_explicit(&fan->shared.tell, memory_order_relaxed) == 0)
		return 0;
	if (fan->told_ms != 0 && core->now_ms < fan->told_ms + TELL_MS)
		return fan->told_ms + TELL_MS;
	fan->told_ms = core->now_ms;
	sets = atomic_exchange_explicit(&fan->shared.tell, 0, memory_order_relaxed);
	writer_init(&w, buf, sizeof(buf));
	for (unsigned i = 0; i < FANOUT_SETS; i++)
		if (sets & 1u << i)
			write_fanned(&w, fan, i);
	send_control(core, s, &w);
	return 0;
}
