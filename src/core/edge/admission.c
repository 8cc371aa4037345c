/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which handshakes of a passphrase community go on (PROTOCOL.md 5.5): each may be a guess. Those
 * with statics that confirmed under this passphrase, in this process, do; for others somebody must
 * speak, or they need a place in the budget.
 */
#include <string.h>

#include "core/edge/edge_state.h"

#define DRAWN_MS    300000u /* who was drawn may come so much later */
#define SWEEP_PER_S 100	    /* own handshakes with members never met */

/* What speaks for a static may be used once. */
static bool is_spoken_for(const struct peer *p)
{
	return p->trust.known || core_of(p->community)->now_ms < p->trust.drawn_until_ms ||
	       vouch_stands(p);
}

/* Uses it, and counts what is to be counted. */
static bool use_word(struct peer *p)
{
	uint64_t now_ms = core_of(p->community)->now_ms;

	if (p->trust.known) {
		p->trust.known = false;
		return true;
	}
	if (now_ms < p->trust.drawn_until_ms) {
		p->trust.drawn_until_ms = 0;
		guesses_spend(&p->community->guesses, p->remote, now_ms);
		return true;
	}
	return vouch_use(p);
}

/* p may be NULL. */
static bool goes_on(struct community *c, struct peer *p, const uint8_t remote[KEY_LEN],
	const struct origin *from)
{
	struct core *core = core_of(c);

	if (p != NULL && use_word(p))
		return true;
	if (guesses_admit(&c->guesses, remote, from, core->now_ms, &core->io.random)) {
		guesses_spend(&c->guesses, remote, core->now_ms);
		return true;
	}
	if (p != NULL)
		vouch_want(p);
	return false;
}

bool admission_answer(struct community *c, const uint8_t remote[KEY_LEN], const struct origin *from)
{
	struct peer *p = peer_find(c, remote);

	/* The pre-shared key opened its message 1. */
	if (c->party.mode == MODE_KEY)
		c->key_seen = true;
	if (c->party.mode != MODE_PASSPHRASE)
		return true;
	/* Its last one takes no confirmation any more once this one is answered. */
	if (p != NULL && p->trust.exempt && p->trust.answered)
		admission_unconfirmed(c, remote, core_of(c)->now_ms, false);
	if (p == NULL || !p->trust.exempt)
		return goes_on(c, p, remote, from);
	p->trust.answered = true;
	return true;
}

/*
 * It may be a replay, of which whoever saw the static's handshakes can send any number. So it takes
 * part as one that nobody knows, and not at all while the member's keys are alive: a member whose
 * clock went back is reached by ours, or when they end.
 */
bool admission_answer_stale(
	struct community *c, const uint8_t remote[KEY_LEN], const struct origin *from)
{
	const struct peer *p = peer_find(c, remote);
	struct core *core = core_of(c);
	uint8_t somebody[KEY_LEN];

	if (c->party.mode != MODE_PASSPHRASE)
		return true;
	if (p != NULL && session_sending(p->session, core->now_ms) != NULL)
		return false;
	memcpy(somebody, remote, KEY_LEN);
	somebody[0] ^= 0xff;
	if (!guesses_admit(&c->guesses, somebody, from, core->now_ms, &core->io.random))
		return false;
	guesses_spend(&c->guesses, somebody, core->now_ms);
	return true;
}

bool admission_accept(struct peer *p)
{
	struct community *c = p->community;
	struct origin asked;

	if (c->party.mode != MODE_PASSPHRASE || p->trust.exempt)
		return true;
	guesses_begun(&c->guesses, p->remote);
	(void)session_way(p->session, &asked);
	return goes_on(c, p, p->remote, &asked);
}

/* Those never met, without a frame that waits for them, have their turn at a pace. */
static bool has_its_turn(struct peer *p)
{
	const struct session *s = p->session;

	return s->confirmed || s->waiting.n > 0 ||
	       bucket_take(&p->community->sweep, core_of(p->community)->now_ms, SWEEP_PER_S,
		       SWEEP_PER_S / 4);
}

bool admission_begin(struct peer *p)
{
	struct community *c = p->community;
	struct core *core = core_of(c);
	struct origin to;
	bool drawn;

	if (c->party.mode != MODE_PASSPHRASE || p->trust.exempt || is_spoken_for(p))
		return has_its_turn(p);
	if (session_way(p->session, &to) && guesses_begin(&c->guesses, p->remote, &to, core->now_ms,
						    &core->io.random, &drawn)) {
		if (drawn)
			p->trust.drawn_until_ms = core->now_ms + DRAWN_MS;
		return true;
	}
	vouch_want(p);
	return false;
}

void admission_confirmed(struct peer *p)
{
	struct trust *t = &p->trust;

	if (p->community->party.mode != MODE_PASSPHRASE)
		return;
	t->exempt = true;
	t->answered = false;
	t->known = false;
	t->confirmed_ms = core_of(p->community)->now_ms;
	t->drawn_until_ms = t->wanted_ms = 0;
	t->voucher = 0;
	guesses_refund(&p->community->guesses, p->remote);
	vouch_refund(p->community, p->remote);
}

void admission_unconfirmed(
	struct community *c, const uint8_t remote[KEY_LEN], uint64_t began_ms, bool tried)
{
	struct peer *p = peer_find(c, remote);
	uint64_t now_ms = core_of(c)->now_ms;

	if (c->party.mode != MODE_PASSPHRASE)
		return;
	if (p != NULL) {
		p->trust.answered = false;
		if (p->trust.confirmed_ms >= began_ms && began_ms < now_ms)
			return;
		if (p->trust.exempt)
			guesses_spend(&c->guesses, remote, now_ms);
		p->trust.exempt = false;
	}
	guesses_failed(&c->guesses, remote, now_ms, tried);
	if (c->unfit++ == 0)
		c->unfit_ms = now_ms;
}

void admission_tick(struct community *c)
{
	struct core *core = core_of(c);

	if (c->party.mode != MODE_PASSPHRASE)
		return;
	vouch_tick(c);
	/* Whom nobody ever confirmed is told that its own passphrase is wrong. */
	if (c->any_confirmed && guesses_tell(&c->guesses, core->now_ms))
		core_event(core, &(struct event){.kind = EVENT_GUESSING, .community = c->index});
}
