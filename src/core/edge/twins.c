/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two hosts with one identity, a copied state directory (PROTOCOL.md 8.7): of a peer, and of
 * ourselves. Who is refused for it keeps still, so that the other one works.
 */
#include "core/edge/edge_state.h"

#define HEARD_MS    5000u   /* who speaks with us does not speak with the other one */
#define OTHER_MS    10000u  /* longer than that, so that asking does not keep it from being still */
#define OVER_MS	    300000u /* without the process before the last for so long it has ended */
#define TOLD_BURST  8	    /* told at once ... */
#define TOLD_PER_MS 60000u  /* ... and one more each minute */

/* Of a peer, or, where remote is NULL, of us. */
static void tell(struct community *c, const uint8_t *remote, enum twice how)
{
	struct event e = {
		.kind = EVENT_IDENTITY_TWICE, .community = c->index, .value = how, .key = remote};

	edge_id(e.edge, remote != NULL ? remote : c->party.self.public);
	core_event(core_of(c), &e);
}

static bool may_tell(const struct community *c, struct bucket *told)
{
	return bucket_take(told, core_of(c)->now_ms * 1000 / TOLD_PER_MS, 1, TOLD_BURST);
}

/* What holds is told, and that it does not any more. */
static void look(struct peer *p)
{
	struct community *c = p->community;

	if (p->twice_ms != 0 && core_of(c)->now_ms >= p->twice_ms + OVER_MS)
		p->twice_ms = 0;
	/* Of whom nobody here met a supernode may say what it likes. */
	if (p->told_twice == (twins_is_one(p) && p->session->confirmed))
		return;
	if (!p->told_twice && !may_tell(c, &c->twins))
		return;
	p->told_twice = !p->told_twice;
	tell(c, p->remote, p->told_twice ? TWICE_OTHER : TWICE_NOT);
}

bool twins_is_one(const struct peer *p)
{
	return p->listed_twice || p->twice_ms != 0;
}

/* How much was opened under these keys. */
static uint64_t opened(struct recv_keys *k)
{
	uint64_t next;

	replay_lock(&k->window);
	next = k->window.next;
	replay_unlock(&k->window);
	return next;
}

/*
 * The keys in use are shared with another than the one that is listed, who opens nothing of what is
 * sent, and nothing comes under them.
 */
static void look_at_keys(struct peer *p)
{
	struct core *core = core_of(p->community);
	struct session *s = p->session;
	struct keyset *k = s->current;
	uint64_t heard;

	if (!twins_is_one(p) || !p->listed || k == NULL || k->incarnation == p->incarnation) {
		p->other.since_ms = 0;
		return;
	}
	heard = opened(&k->rx);
	if (p->other.since_ms != 0 && heard == p->other.heard &&
		core->now_ms < p->other.since_ms + OTHER_MS)
		return;
	if (p->other.since_ms != 0 && heard == p->other.heard)
		session_want(core, s);
	p->other.heard = heard;
	p->other.since_ms = core->now_ms;
}

void twins_listed(struct peer *p, bool twice)
{
	p->listed_twice = twice;
	look(p);
}

void twins_met(struct peer *p)
{
	p->twice_ms = core_of(p->community)->now_ms;
	look(p);
}

void twins_part(struct peer *p)
{
	p->listed_twice = false;
	p->twice_ms = 0;
	look(p);
}

/* The same of us. */
static void look_at_ours(struct community *c)
{
	if (c->twice_told == c->twice || (c->twice != TWICE_NOT && !may_tell(c, &c->twice_bucket)))
		return;
	c->twice_told = c->twice;
	tell(c, NULL, c->twice);
}

void twins_ours(struct community *c, enum twice how)
{
	c->twice = how;
	look_at_ours(c);
}

void twins_tick(struct community *c)
{
	look_at_ours(c);
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		look(p);
		look_at_keys(p);
	}
	if (twins_are_refused(c))
		twins_keep_still(c);
}

bool twins_are_refused(const struct community *c)
{
	return c->twice == TWICE_US;
}

bool twins_wait(const struct community *c)
{
	for (unsigned i = 0; twins_are_refused(c) && i < c->edge->n_supernodes; i++)
		if (c->hop.refused[i].result == REGISTER_IDENTITY_TWICE &&
			c->edge->supernode[i].n > 0)
			return true;
	return false;
}

void twins_forget(struct refusal *r)
{
	if (r->result == REGISTER_IDENTITY_TWICE)
		*r = (struct refusal){.result = REGISTER_OK};
}

bool twins_spare(const struct peer *p)
{
	const struct session *s = p->session;

	return s->current != NULL &&
	       core_of(p->community)->now_ms < link_word(&s->link.rx_ms) + HEARD_MS;
}

void twins_keep_still(struct community *c)
{
	struct core *core = core_of(c);

	for (struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		const struct session *s = p->session;
		bool is_still =
			s->current == NULL && s->attempt == NULL && s->embryo == NULL && !s->wanted;

		if (is_still || twins_spare(p))
			continue;
		session_forget_keys(core, p->session);
		p->session->wanted = false;
		session_look_at(core, p->session, core->flush_ms);
	}
}
