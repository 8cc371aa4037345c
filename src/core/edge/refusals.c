/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Claims of MAC addresses that were refused (PROTOCOL.md 7.14): whoever claimed is told, and we are
 * told by others. Who refuses us is asked again, by another CLAIM, until it refuses no more.
 */
#include <string.h>

#include "core/edge/edge_state.h"
#include "core/session/send.h"

#define LOOK_MS	    1000u
#define AGAIN_MS    30000u /* between claims to who refuses, +- 20 % */
#define TOLD_BURST  8	   /* told at once ... */
#define TOLD_PER_MS 60000u /* ... and one more each minute */
#define OVER_MS	    90000u /* who does not refuse for so long, asked over and over, grants it */

void refusals_send(struct peer *p, const struct mac *mac, const uint8_t owner[EDGE_ID_LEN])
{
	struct control_claim_refused m = {.mac = *mac};
	uint8_t buf[CONTROL_HEADER_LEN + sizeof(m)];
	struct writer w;

	memcpy(m.owner, owner, sizeof(m.owner));
	writer_init(&w, buf, sizeof(buf));
	control_claim_refused_encode(&w, &m);
	send_control(core_of(p->community), p->session, &w);
}

static bool refuses(const struct peer *p)
{
	return p->refuses.heard_ms != 0;
}

/* How many refuse us is told whenever it changes: with one of them, and whose it is. */
static void tell(struct community *c)
{
	const struct peer *one = NULL;
	struct event e = {.kind = EVENT_CLAIM_REFUSED, .community = c->index, .mac = c->mac};

	for (const struct peer *p = c->peers; p != NULL; p = p->hh.next)
		if (refuses(p)) {
			e.value++;
			one = one != NULL ? one : p;
		}
	if (e.value == c->refusing ||
		(e.value > 0 && !bucket_take(&c->refusing_told,
					core_of(c)->now_ms * 1000 / TOLD_PER_MS, 1, TOLD_BURST)))
		return;
	c->refusing = e.value;
	if (one != NULL) {
		e.key = one->remote;
		edge_id(e.edge, one->remote);
		memcpy(e.owner, one->refuses.owner, sizeof(e.owner));
	}
	core_event(core_of(c), &e);
}

static void ask_later(struct peer *p)
{
	struct core *core = core_of(p->community);

	p->refuses.again_ms = core->now_ms + random_jitter(&core->io.random, AGAIN_MS, 20);
}

/* While there are no keys it cannot be asked, and what it said holds. */
static void ask(struct peer *p)
{
	struct core *core = core_of(p->community);

	if (session_sending(p->session, core->now_ms) == NULL)
		p->refuses.heard_ms = core->now_ms;
	if (!p->up || core->now_ms >= p->refuses.heard_ms + OVER_MS) {
		p->refuses.heard_ms = 0;
	} else if (core->now_ms >= p->refuses.again_ms) {
		ask_later(p);
		session_post(core, p->session, CONTROL_CLAIM);
	}
}

void refusals_take(struct peer *p, const struct control_claim_refused *m)
{
	struct community *c = p->community;

	if (!mac_equal(&m->mac, &c->mac))
		return; /* it is ours no more */
	if (!refuses(p))
		ask_later(p);
	p->refuses.heard_ms = crypto_is_zero(m->owner, sizeof(m->owner)) ? 0 : core_of(c)->now_ms;
	memcpy(p->refuses.owner, m->owner, sizeof(p->refuses.owner));
}

void refusals_end(struct community *c)
{
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		p->refuses.heard_ms = 0;
	tell(c);
}

void refusals_tick(struct community *c)
{
	struct core *core = core_of(c);

	if (core->now_ms < c->refusing_ms + LOOK_MS)
		return;
	c->refusing_ms = core->now_ms;
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		if (refuses(p))
			ask(p);
	tell(c);
}
