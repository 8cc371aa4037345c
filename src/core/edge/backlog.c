/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/edge/backlog.h"

#include <stdlib.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "core/frame/vital.h"
#include "core/session/send.h"

struct backlog_frame {
	struct backlog_frame *next;
	uint64_t number; /* rises from one to the next */
	uint64_t until_ms;
	uint32_t view;	   /* who came later missed it */
	bool vital, given; /* given: somebody has had it */
	uint16_t len;
	struct port_set *missed; /* behind the frame; NULL: all */
	uint8_t data[];
};

/* Sets are words: they begin at one. */
static size_t size_with(size_t len, bool set)
{
	size_t size = sizeof(struct backlog_frame) + (len + 7) / 8 * 8;

	return set ? size + sizeof(struct port_set) : size;
}

static size_t size_of(const struct backlog_frame *b)
{
	return size_with(b->len, b->missed != NULL);
}

/* at: what leads to it. */
static void take_out(struct backlog *l, struct backlog_frame **at)
{
	struct backlog_frame *b = *at;

	*at = b->next;
	l->bytes -= size_of(b);
	if (l->last == b) {
		l->last = l->first;
		while (l->last != NULL && l->last->next != NULL)
			l->last = l->last->next;
	}
	crypto_wipe(b, size_of(b));
	free(b);
}

static void append(struct backlog *l, struct backlog_frame *b)
{
	b->number = ++l->number;
	b->next = NULL;
	if (l->last != NULL)
		l->last->next = b;
	else
		l->first = b;
	l->last = b;
	l->bytes += size_of(b);
}

/*
 * An address that nobody was known to have may have an owner by now: who has had the frame, or
 * is to have it, but nobody else.
 */
static bool is_for(const struct backlog_frame *b, const struct peer *p)
{
	const struct community *c = p->community;

	return view_leads_to(&core_of(c)->view, c->index, frame_destination(b->data), p->port);
}

static bool missed_it(const struct backlog_frame *b, const struct peer *p)
{
	return (b->missed == NULL || b->view < p->view ||
		       port_set_has(b->missed, p->port->number)) &&
	       is_for(b, p);
}

static bool is_awaited(const struct community *c, const struct backlog_frame *b)
{
	for (const struct peer *p = c->peers; p != NULL; p = p->hh.next)
		if (p->listed && p->had < b->number && missed_it(b, p))
			return true;
	return false;
}

/* Nobody will get it any more: counts it, if somebody was to. */
static void give_up(struct community *c, struct backlog_frame **at, enum drop why)
{
	bool awaited = is_awaited(c, *at);

	if (awaited)
		core_drop(core_of(c), why);
	else if (!(*at)->given)
		core_drop(core_of(c), DROP_NO_PEER);
	take_out(&c->backlog, at);
}

void backlog_give(struct peer *p)
{
	struct core *core = core_of(p->community);
	struct backlog *l = &p->community->backlog;
	struct backlog_frame *b;

	if (p->had == l->number || session_sending(p->session, core->now_ms) == NULL)
		return;
	/* Mostly it is only the newest: there may be many of both, and a new one often. */
	for (b = p->had + 1 == l->number ? l->last : l->first; b != NULL; b = b->next) {
		if (b->number <= p->had || !missed_it(b, p))
			continue;
		/* Keys that are used up send nothing: the next ones do. */
		if (!send_frame(core, p->session, b->data, b->len))
			return;
		b->given = true;
		p->had = b->number;
	}
	p->had = l->number;
}

static void give_all(struct community *c)
{
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		backlog_give(p);
}

static void add_ports(struct port_set *set, const struct missed *m, const uint16_t *ports)
{
	for (unsigned i = 0; i < m->n; i++)
		if (ports[i] < PORTS_MAX)
			port_set_add(set, ports[i]);
}

static struct backlog_frame *create(
	struct community *c, const struct frame *f, const struct missed *m, const uint16_t *ports)
{
	struct backlog_frame *b = calloc(1, size_with(f->len, !m->all));
	bool vital = frame_is_vital(f->data, f->len);

	if (b == NULL)
		return NULL;
	b->vital = vital;
	b->given = !m->all;
	b->view = m->view;
	b->until_ms = core_of(c)->now_ms + (vital && m->all ? BACKLOG_VITAL_MS : BACKLOG_MS);
	b->len = (uint16_t)f->len;
	memcpy(b->data, f->data, f->len);
	if (!m->all) {
		b->missed = (struct port_set *)((uint8_t *)b + size_with(f->len, false));
		add_ports(b->missed, m, ports);
	}
	return b;
}

static struct backlog_frame **find(struct backlog *l, const struct frame *f)
{
	struct backlog_frame **at = &l->first;

	while (*at != NULL && ((*at)->len != f->len || memcmp((*at)->data, f->data, f->len) != 0))
		at = &(*at)->next;
	return at;
}

/* The oldest of those that are worth least. */
static struct backlog_frame **least(struct backlog *l)
{
	for (struct backlog_frame **at = &l->first; *at != NULL; at = &(*at)->next)
		if (!(*at)->vital)
			return at;
	return &l->first;
}

/* Of those ports of one frame that one note had no room for; it was given up if it is not there. */
static void add_more(
	struct community *c, const struct frame *f, const struct missed *m, const uint16_t *ports)
{
	struct backlog_frame *b = *find(&c->backlog, f);
	struct port_set these = {{0}};

	if (b == NULL || b->missed == NULL || b->view != m->view)
		return;
	add_ports(&these, m, ports);
	add_ports(b->missed, m, ports);
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		if (p->had >= b->number && port_set_has(&these, p->port->number) && is_for(b, p))
			(void)send_frame(core_of(c), p->session, b->data, b->len);
}

void backlog_add(
	struct community *c, const struct frame *f, const struct missed *m, const uint16_t *ports)
{
	struct backlog *l = &c->backlog;
	struct backlog_frame *b, **before;

	if (m->more) {
		add_more(c, f, m, ports);
		return;
	}
	b = create(c, f, m, ports);
	if (b == NULL) {
		core_drop(core_of(c), DROP_WAIT_FULL);
		return;
	}
	before = find(l, f);
	if (*before != NULL)
		take_out(l, before);
	append(l, b);
	give_all(c);
	while (l->bytes > BACKLOG_BYTES)
		give_up(c, least(l), DROP_WAIT_FULL);
}

void backlog_part(const struct peer *p)
{
	const uint16_t number = p->port->number;

	for (struct backlog_frame *b = p->community->backlog.first; b != NULL; b = b->next)
		if (b->missed != NULL)
			b->missed->word[number / 64] &= ~(UINT64_C(1) << number % 64);
}

void backlog_tick(struct community *c)
{
	struct backlog_frame **at = &c->backlog.first;

	while (*at != NULL)
		if (core_of(c)->now_ms >= (*at)->until_ms)
			give_up(c, at, DROP_WAIT_TIMEOUT);
		else
			at = &(*at)->next;
}

void backlog_clear(struct community *c)
{
	while (c->backlog.first != NULL)
		take_out(&c->backlog, &c->backlog.first);
}
