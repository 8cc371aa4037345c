/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/edge/misfit.h"

#include "core/session/send.h"

#define SURE_MS	    40000u /* the dead are listed for a lease of 30 s, and that takes time to tell */
#define PROOFS	    2	   /* of one member, or one each of two */
#define WRONG_MS    10000u /* between the first of them and what is made of it */
#define TOLD_MAX    8	   /* peers told at a time, and so many at once ... */
#define TOLD_PER_MS 60000u /* ... and one more each minute */

/* It is listed for so long that it must be alive, and what we send it went through all the time. */
static bool is_there(const struct peer *p)
{
	const struct hop *h = &p->community->hop;
	uint64_t now_ms = core_of(p->community)->now_ms;

	return p->listed && now_ms >= p->listed_ms + SURE_MS && h->up_ms != 0 &&
	       now_ms >= h->up_ms + SURE_MS && h->unanswered_ms == 0;
}

void misfit_unanswered(struct peer *p)
{
	/* Handshakes with those who confirmed before say nothing of anybody's key. */
	if (!p->session->confirmed && is_there(p))
		p->community->unanswered++;
}

static void note_first(struct community *c)
{
	if (c->misfit_ms == 0)
		c->misfit_ms = core_of(c)->now_ms;
}

void misfit_unfit(struct peer *p)
{
	if (p->community->party.mode != MODE_PASSPHRASE)
		return;
	note_first(p->community);
	if (p->unfits == 0)
		p->unfit_ms = core_of(p->community)->now_ms;
	if (p->unfits < UINT8_MAX)
		p->unfits++;
}

/* from: where it came from, or NULL. What came through the relay came from there. */
static void tell(struct peer *p, bool holds, const struct origin *from)
{
	struct community *c = p->community;
	struct event e = {.kind = EVENT_OTHER_PASSPHRASE,
		.community = c->index,
		.value = holds,
		.key = p->remote};

	if (from != NULL && from->hop_id == 0)
		e.remote = from->way.remote;
	edge_id(e.edge, p->remote);
	p->told_misfit = holds;
	if (holds)
		c->n_misfits++;
	else
		c->n_misfits--;
	core_event(core_of(c), &e);
}

void misfit_proved(struct peer *p, const struct origin *from)
{
	struct community *c = p->community;

	/* Under another key no handshake comes so far. */
	if (c->party.mode != MODE_PASSPHRASE)
		return;
	note_first(c);
	if (p->misfits < UINT8_MAX)
		p->misfits++;
	/* Whom nobody ever confirmed hears that its own is wrong. */
	if (!p->told_misfit && p->misfits >= PROOFS && c->any_confirmed &&
		c->n_misfits < TOLD_MAX &&
		bucket_take(&c->misfits, core_of(c)->now_ms * 1000 / TOLD_PER_MS, 1, TOLD_MAX))
		tell(p, true, from);
}

void misfit_clear(struct peer *p)
{
	guesses_left(&p->community->guesses, p->remote);
	p->misfits = p->unfits = 0;
	if (p->told_misfit)
		tell(p, false, NULL);
}

void misfit_right(struct peer *p)
{
	p->community->key_seen = true;
	misfit_clear(p);
}

bool misfit_wrong_key(const struct community *c)
{
	uint64_t now_ms = core_of(c)->now_ms;
	bool listed = false;

	if (c->party.mode != MODE_KEY || c->any_confirmed || c->key_seen)
		return false;
	for (const struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		if (p->session->attempt != NULL && !p->session->confirmed && is_there(p) &&
			now_ms >= p->session->attempt_ms + SURE_MS)
			return true;
		listed = listed || p->listed;
	}
	return listed && c->unanswered > 0;
}

/* Who died does not answer twice, nor stay listed. */
static unsigned proofs(const struct peer *p)
{
	bool alive = p->unfits > 1 ||
		     (is_there(p) && core_of(p->community)->now_ms >= p->unfit_ms + SURE_MS);

	return p->misfits + (alive ? p->unfits : 0u);
}

bool misfit_wrong_passphrase(const struct community *c)
{
	unsigned n = 0;

	if (c->party.mode != MODE_PASSPHRASE || c->any_confirmed || c->key_seen ||
		c->misfit_ms == 0 || core_of(c)->now_ms < c->misfit_ms + WRONG_MS)
		return false;
	for (const struct peer *p = c->peers; p != NULL; p = p->hh.next)
		if (p->listed)
			n += proofs(p);
	return n >= PROOFS;
}
