/* SPDX-License-Identifier: GPL-3.0-or-later */
/* More frames for many than may pass: what workers dropped is told while it lasts. */
#include "core/data/storm.h"
#include "core/edge/edge_state.h"

#define LOOK_MS	    1000u
#define GAP_MS	    3000u  /* without any, and it was a burst */
#define LASTS_MS    2000u  /* from one word of them to another, before it is told */
#define OVER_MS	    30000u /* without any */
#define TOLD_BURST  8	   /* told at once ... */
#define TOLD_PER_MS 60000u /* ... and one more each minute */

static uint64_t now_of(const struct community *c)
{
	return core_of(c)->now_ms;
}

/* Some came. Whether that is to be told now. */
static bool goes_on(struct storm_watch *w, uint64_t now_ms)
{
	if (!w->told && now_ms >= w->last_ms + GAP_MS)
		w->first_ms = now_ms;
	w->last_ms = now_ms;
	return !w->told && now_ms >= w->first_ms + LASTS_MS;
}

static bool is_over(const struct storm_watch *w, uint64_t now_ms)
{
	return w->told && now_ms >= w->last_ms + OVER_MS;
}

/* ---- of our interface ---- */

void storms_end(struct community *c)
{
	if (!c->storms.ours.told)
		return;
	c->storms.ours.told = false;
	core_event(core_of(c), &(struct event){.kind = EVENT_STORM, .community = c->index});
}

void storms_came(
	struct community *c, const struct mac *source, enum flood_kind kind, uint32_t per_s)
{
	struct storm_watch *w = &c->storms.ours;

	if (!goes_on(w, now_of(c)))
		return;
	w->told = true;
	core_event(core_of(c), &(struct event){
				       .kind = EVENT_STORM,
				       .community = c->index,
				       .value = per_s,
				       .flood = kind,
				       .mac = *source,
			       });
}

/* ---- of a peer ---- */

static void tell(const struct peer *p, enum flood_kind kind, uint64_t per_s)
{
	struct event e = {
		.kind = EVENT_STORM,
		.community = p->community->index,
		.value = per_s < UINT32_MAX ? (uint32_t)per_s : UINT32_MAX,
		.flood = kind,
		.key = p->remote,
	};

	edge_id(e.edge, p->remote);
	core_event(core_of(p->community), &e);
}

void storms_part(struct peer *p)
{
	if (p->storm.told)
		tell(p, FLOOD_VITAL, 0);
	p->storm.told = false;
}

/* How many of which kind, mostly, were dropped since it was looked the last time. */
static uint64_t dropped(struct peer *p, enum flood_kind *kind)
{
	uint64_t all = 0, most = 0;

	for (unsigned i = 0; i < FLOOD_KINDS; i++) {
		uint64_t n = storm_dropped(&p->session->link, (enum flood_kind)i);
		uint64_t more = n - p->storm.seen[i];

		p->storm.seen[i] = n;
		all += more;
		if (more > most) {
			most = more;
			*kind = (enum flood_kind)i;
		}
	}
	return all;
}

static void look(struct peer *p, uint64_t since_ms)
{
	uint64_t now_ms = now_of(p->community), n;
	enum flood_kind kind = FLOOD_VITAL;

	n = dropped(p, &kind);
	if (n == 0) {
		if (is_over(&p->storm, now_ms))
			storms_part(p);
		return;
	}
	if (!goes_on(&p->storm, now_ms) || !bucket_take(&p->community->storms.told,
						   now_ms * 1000 / TOLD_PER_MS, 1, TOLD_BURST))
		return;
	p->storm.told = true;
	tell(p, kind, n * 1000 / since_ms + 1);
}

void storms_tick(struct community *c)
{
	uint64_t now_ms = now_of(c), since_ms = now_ms - c->storms.looked_ms;

	if (since_ms < LOOK_MS)
		return;
	c->storms.looked_ms = now_ms;
	if (is_over(&c->storms.ours, now_ms))
		storms_end(c);
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		look(p, since_ms);
}
