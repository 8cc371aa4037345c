/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Candidates for a direct path, and the rounds in which they are probed. */
#include <stdlib.h>
#include <string.h>

#include "core/path/probe.h"
#include "core/path/search.h"

#define PROBE_TRIES    4
#define PROBE_FIRST_MS 200u
#define ROUND_FIRST_MS 2000u
#define RESEEN_MS      1000u /* a source already probed is probed again no sooner */
#define PROBES_PER_S   32    /* to all addresses of one peer */

struct search *search_get(struct session *s)
{
	if (s->search == NULL)
		s->search = calloc(1, sizeof(*s->search));
	return s->search;
}

static struct candidate *find(struct search *q, const struct way *way)
{
	for (unsigned i = 0; i < q->n; i++)
		if (way_same_remote(&q->c[i].way, way))
			return &q->c[i];
	return NULL;
}

/* A new entry, instead of the one seen longest ago if the list is full; NULL if all were told. */
static struct candidate *add(struct search *q, const struct way *way)
{
	struct candidate *c = NULL;

	if (q->n < SEARCH_MAX)
		c = &q->c[q->n++];
	else
		for (unsigned i = 0; i < q->n; i++)
			if (!q->c[i].told && (c == NULL || q->c[i].sent_ms < c->sent_ms))
				c = &q->c[i];
	if (c != NULL)
		*c = (struct candidate){.way = *way};
	return c;
}

static void start(struct candidate *c, uint64_t now_ms)
{
	c->tries = 0;
	c->next_ms = now_ms < c->refused_ms ? 0 : now_ms;
}

static bool is_told(const struct control_candidates *m, const struct way *way)
{
	for (unsigned i = 0; i < m->n; i++) {
		const struct way told = way_to(&m->candidate[i].endpoint);

		if (way_same_remote(&told, way))
			return true;
	}
	return false;
}

void search_told(struct core *core, struct session *s, const struct control_candidates *m)
{
	struct search *q = search_get(s);
	unsigned kept = 0;

	if (q == NULL)
		return;
	/* What is known of an address that is told again, or held against it, stays known. */
	for (unsigned i = 0; i < q->n; i++) {
		struct candidate *c = &q->c[i];
		bool gone = c->told && !is_told(m, &c->way);

		c->told = c->told && !gone;
		if (!gone || core->now_ms < c->refused_ms)
			q->c[kept++] = *c;
	}
	q->n = (uint8_t)kept;
	for (unsigned i = 0; i < m->n; i++) {
		const struct way way = way_to(&m->candidate[i].endpoint);
		struct candidate *c = find(q, &way);

		if (c == NULL)
			c = add(q, &way);
		if (c != NULL)
			c->told = true;
	}
	search_again(core, s);
}

void search_offer(struct core *core, struct session *s, const struct way *way)
{
	struct search *q = search_get(s);
	struct candidate *c = q != NULL ? find(q, way) : NULL;

	if (q != NULL && c == NULL)
		c = add(q, way);
	if (c == NULL)
		return;
	c->way = *way;
	start(c, core->now_ms);
	session_look_at(core, s, core->now_ms);
}

void search_again(struct core *core, struct session *s)
{
	struct search *q = s->search;

	if (q == NULL)
		return;
	q->rounds = 0;
	q->round_ms = 0;
	for (unsigned i = 0; i < q->n; i++)
		start(&q->c[i], core->now_ms);
	if (link_direct(&s->link) == NULL)
		q->reason = q->n > 0 ? RELAY_SEARCHING : RELAY_NO_ADDRESS;
	session_look_at(core, s, core->flush_ms);
}

void search_restart(struct core *core, struct session *s)
{
	struct search *q = s->search;

	for (unsigned i = 0; q != NULL && i < q->n; i++) {
		q->c[i].token = 0;
		q->c[i].echoed_ms = 0;
		q->c[i].used_ms = 0;
	}
	search_again(core, s);
}

/* Nothing that was told or seen may be tried. */
static bool all_overlay(const struct search *q)
{
	for (unsigned i = 0; i < q->n; i++)
		if (!q->c[i].overlay)
			return false;
	return true;
}

static void refuse(struct candidate *c, uint64_t refused_ms, uint64_t longer_ms)
{
	c->overlay = true;
	c->refused_ms = refused_ms + longer_ms;
	c->longer_ms = longer_ms;
	c->token = 0;
	c->echoed_ms = 0;
	c->next_ms = 0;
}

void search_refuse(struct session *s, const struct way *way, uint64_t refused_ms)
{
	struct search *q = search_get(s);
	struct candidate *c = q != NULL ? find(q, way) : NULL;

	if (q != NULL && c == NULL)
		c = add(q, way);
	if (c != NULL)
		refuse(c, refused_ms, 0);
}

bool search_refuse_probed(struct core *core, struct session *s, const struct way *way, bool longer)
{
	struct search *q = s->search;
	struct candidate *c = q != NULL ? find(q, way) : NULL;
	uint64_t for_ms = REFUSED_MS;

	if (c == NULL)
		return false;
	if (core->now_ms < c->refused_ms)
		return true; /* another one of the same round */
	if (longer && c->refused_ms != 0)
		for_ms = 2 * (REFUSED_MS + c->longer_ms);
	if (for_ms > REFUSED_MAX_MS)
		for_ms = REFUSED_MAX_MS;
	refuse(c, core->now_ms + REFUSED_MS, for_ms - REFUSED_MS);
	if (q->reason == RELAY_NO_ANSWER && all_overlay(q))
		q->reason = RELAY_OVERLAY;
	return true;
}

static bool may_be_forgiven(const struct core *core, const struct candidate *c)
{
	return core->now_ms + REFUSED_MS >= c->refused_ms + REFUSED_MIN_MS &&
	       core_is_underlay(core, &c->way);
}

void search_rerouted(struct core *core, struct session *s)
{
	struct search *q = s->search;
	bool news = false;

	for (unsigned i = 0; q != NULL && i < q->n; i++) {
		struct candidate *c = &q->c[i];

		c->refused_ms -= c->longer_ms;
		c->longer_ms = 0;
		if (!c->overlay || !may_be_forgiven(core, c))
			continue;
		c->overlay = false;
		c->refused_ms = 0;
		start(c, core->now_ms);
		news = true;
	}
	if (!news)
		return;
	if (link_direct(&s->link) == NULL)
		q->reason = RELAY_SEARCHING;
	q->rounds = 0;
	q->round_ms = 0;
	session_look_at(core, s, core->flush_ms);
}

bool search_allows(const struct core *core, const struct session *s, const struct way *way)
{
	const struct candidate *c = s->search != NULL ? find(s->search, way) : NULL;

	return (c == NULL || core->now_ms >= c->refused_ms) && core_is_underlay(core, way);
}

static void try_candidate(struct core *core, struct session *s, struct candidate *c)
{
	if (c->tries >= PROBE_TRIES) {
		c->next_ms = 0;
		return;
	}
	/* Over the limit: later. A peer that tells ever new addresses makes us no weapon. */
	if (!bucket_take(&s->probes, core->now_ms, PROBES_PER_S, PROBES_PER_S))
		return;
	if (c->tries == 0)
		c->overlay = !core_is_underlay(core, &c->way);
	if (c->overlay) {
		c->next_ms = 0;
		return;
	}
	c->token = random_u64(&core->io.random);
	c->sent_ms = core->now_ms;
	c->sent_us = core_now_us(core);
	c->next_ms = core->now_ms + (PROBE_FIRST_MS << c->tries++);
	probe_send(core, s, &c->way, c->token);
}

/* True while some candidate of this round is still being tried. */
static bool probe_candidates(struct core *core, struct session *s)
{
	bool trying = false;

	for (unsigned i = 0; i < s->search->n; i++) {
		struct candidate *c = &s->search->c[i];

		if (c->next_ms == 0)
			continue;
		trying = true;
		if (core->now_ms >= c->next_ms)
			try_candidate(core, s, c);
	}
	return trying;
}

static struct candidate *add_source(struct core *core, struct session *s, const struct way *way)
{
	struct search *q = search_get(s);

	if (q == NULL ||
		!bucket_take(&s->answers, core->now_ms, PROBE_ANSWERS_PER_S, PROBE_ANSWERS_PER_S))
		return NULL;
	return add(q, way);
}

void search_seen(struct core *core, struct session *s, const struct origin *from, bool probing)
{
	const struct path *p = link_direct(&s->link);
	struct candidate *c = s->search != NULL ? find(s->search, &from->way) : NULL;
	bool known = c != NULL;

	if (from->hop_id != 0 || (p != NULL && way_same_remote(&p->way, &from->way)))
		return;
	if (!known && (c = add_source(core, s, &from->way)) == NULL)
		return;
	if (!probing) {
		c->used_ms = core->now_ms;
		session_look_at(core, s, core->flush_ms);
	}
	if (known && (c->next_ms != 0 || core->now_ms < c->sent_ms + RESEEN_MS))
		return;
	c->way.local = from->way.local;
	start(c, core->now_ms);
	try_candidate(core, s, c);
	if (s->link.kind == LINK_MEMBER)
		c->next_ms = 0;
	session_look_at(core, s, core->flush_ms);
}

struct candidate *search_match(
	struct core *core, struct session *s, uint64_t token, const struct way *from)
{
	struct search *q = s->search;

	for (unsigned i = 0; q != NULL && i < q->n; i++) {
		struct candidate *c = &q->c[i];

		if (c->token != token || !way_same_remote(&c->way, from))
			continue;
		c->token = 0;
		c->next_ms = 0;
		c->rtt_us = (uint32_t)(core_now_us(core) - c->sent_us);
		c->echoed_ms = core->now_ms;
		c->way.local = from->local;
		return c;
	}
	return NULL;
}

static void next_round(struct core *core, struct search *q)
{
	uint32_t wait = ROUND_FIRST_MS << (q->rounds < 4 ? q->rounds : 4);

	if (q->reason == RELAY_SEARCHING)
		q->reason = all_overlay(q) ? RELAY_OVERLAY : RELAY_NO_ANSWER;
	if (wait > SEARCH_ROUND_MAX_MS)
		wait = SEARCH_ROUND_MAX_MS;
	q->round_ms = core->now_ms + random_jitter(&core->io.random, wait, 20);
}

void search_tick(struct core *core, struct session *s)
{
	struct search *q = s->search;

	if (q == NULL || probe_candidates(core, s) || link_direct(&s->link) != NULL || q->n == 0)
		return;
	if (q->round_ms == 0) {
		next_round(core, q);
		return;
	}
	if (core->now_ms < q->round_ms)
		return;
	q->round_ms = 0;
	if (q->rounds < UINT8_MAX)
		q->rounds++;
	for (unsigned i = 0; i < q->n; i++)
		start(&q->c[i], core->now_ms);
}

uint64_t search_next_ms(const struct core *core, const struct session *s)
{
	const struct search *q = s->search;

	if (q == NULL || q->n == 0)
		return UINT64_MAX;
	for (unsigned i = 0; i < q->n; i++)
		if (q->c[i].next_ms != 0)
			return core->now_ms + SESSION_TICK_MS;
	if (link_direct(&s->link) != NULL)
		return UINT64_MAX;
	return q->round_ms > core->now_ms ? q->round_ms : core->now_ms + SESSION_TICK_MS;
}
