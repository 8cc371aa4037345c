/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Members vouch for each other (PROTOCOL.md 5.5): while the budget of guesses is spent, some that
 * we have confirmed are asked, inside their sessions, whom of those that wait they have confirmed
 * themselves. On a member's word one handshake goes on that does not count; while it is not
 * confirmed it is held against who gave it.
 */
#include <string.h>

#include "core/edge/edge_state.h"
#include "core/session/send.h"

#define TURN_MS	      250u   /* between questions */
#define ASKED	      3	     /* members, in a turn */
#define WORD_WAIT_MS  10000u /* so long after it was refused a static waits for a word */
#define AGAIN_MS      2000u  /* and is asked about once in so long */
#define ANSWER_MS     5000u  /* after a question a word counts */
#define VOUCH_MS      600000u
#define HELD_MAX      1000 /* words of one member */
#define ANSWERS_PER_S 4
#define ANSWERS_BURST 8

/* ---- what a word is worth ---- */

static struct peer *voucher_of(const struct peer *p)
{
	const struct session *s = p->trust.voucher != 0
					  ? session_by_id(core_of(p->community), p->trust.voucher)
					  : NULL;
	struct peer *v = s != NULL && s->link.kind == LINK_PEER ? s->owner : NULL;

	return v != NULL && v->community == p->community && v->trust.exempt ? v : NULL;
}

/* A place on the account of who vouched for it; NULL: nobody did, or his account is full. */
static struct guess *account_for(const struct peer *p)
{
	uint64_t now_ms = core_of(p->community)->now_ms;
	struct peer *v = now_ms < p->trust.vouch_until_ms ? voucher_of(p) : NULL;

	return v != NULL ? guess_place(v->trust.vouched, VOUCHED_MAX, now_ms) : NULL;
}

bool vouch_stands(const struct peer *p)
{
	return account_for(p) != NULL;
}

bool vouch_use(struct peer *p)
{
	struct guess *at = account_for(p);

	if (at == NULL)
		return false;
	at->until_ms = core_of(p->community)->now_ms + VOUCH_MS;
	memcpy(at->remote, p->remote, KEY_LEN);
	p->trust.voucher = 0;
	return true;
}

void vouch_refund(struct community *c, const uint8_t remote[KEY_LEN])
{
	for (struct peer *v = c->peers; v != NULL; v = v->hh.next)
		(void)guess_remove(v->trust.vouched, VOUCHED_MAX, remote);
}

/* ---- asking ---- */

static bool waits_for_a_word(const struct peer *p, uint64_t now_ms)
{
	const struct trust *t = &p->trust;

	return p->listed && !t->exempt && t->wanted_ms != 0 &&
	       now_ms < t->wanted_ms + WORD_WAIT_MS &&
	       (t->asked_ms == 0 || now_ms >= t->asked_ms + AGAIN_MS) &&
	       (t->voucher == 0 || now_ms >= t->vouch_until_ms);
}

static bool can_be_asked(struct peer *p, uint64_t now_ms)
{
	return p->trust.exempt && session_sending(p->session, now_ms) != NULL &&
	       guess_place(p->trust.vouched, VOUCHED_MAX, now_ms) != NULL;
}

/* From some peer on, so that all have their turn. */
static void collect(struct community *c, struct control_vouch *m)
{
	uint64_t now_ms = core_of(c)->now_ms;
	unsigned n = HASH_COUNT(c->peers);
	struct peer *p = c->peers;

	m->n = 0;
	if (n == 0)
		return;
	for (uint32_t skip = random_below(&core_of(c)->io.random, n); skip > 0; skip--)
		p = p->hh.next;
	for (; n > 0 && m->n < VOUCH_MAX; n--) {
		if (waits_for_a_word(p, now_ms)) {
			memcpy(m->static_public[m->n++], p->remote, KEY_LEN);
			p->trust.asked_ms = now_ms;
		}
		p = p->hh.next != NULL ? p->hh.next : c->peers;
	}
}

/* Some members at random, each as likely as any other. */
static unsigned choose(struct community *c, struct peer *out[ASKED])
{
	struct core *core = core_of(c);
	unsigned seen = 0;

	for (struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		uint32_t at;

		if (!can_be_asked(p, core->now_ms))
			continue;
		at = seen < ASKED ? seen : random_below(&core->io.random, seen + 1);
		if (at < ASKED)
			out[at] = p;
		seen++;
	}
	return seen < ASKED ? seen : ASKED;
}

static void say(struct peer *p, enum control_type type, const struct control_vouch *m)
{
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	control_vouch_encode(&w, type, m);
	send_control(core_of(p->community), p->session, &w);
}

void vouch_want(struct peer *p)
{
	p->trust.wanted_ms = core_of(p->community)->now_ms;
	p->community->vouch_wanted_ms = p->trust.wanted_ms;
}

void vouch_tick(struct community *c)
{
	uint64_t now_ms = core_of(c)->now_ms;
	struct peer *asked[ASKED];
	struct control_vouch m;
	unsigned n;

	if (c->vouch_wanted_ms == 0 || now_ms >= c->vouch_wanted_ms + WORD_WAIT_MS ||
		now_ms < c->vouch_turn_ms)
		return;
	c->vouch_turn_ms = now_ms + TURN_MS;
	n = choose(c, asked);
	if (n == 0)
		return;
	collect(c, &m);
	for (unsigned i = 0; m.n > 0 && i < n; i++) {
		asked[i]->trust.question_ms = now_ms;
		say(asked[i], CONTROL_VOUCH_ASK, &m);
	}
}

/* ---- what others ask, and their words ---- */

static void answer(struct peer *p, const struct control_vouch *question)
{
	struct control_vouch m = {.n = 0};

	if (!bucket_take(
		    &p->trust.answers, core_of(p->community)->now_ms, ANSWERS_PER_S, ANSWERS_BURST))
		return;
	for (unsigned i = 0; i < question->n; i++) {
		const struct peer *q = peer_find(p->community, question->static_public[i]);

		if (q != NULL && q->trust.exempt)
			memcpy(m.static_public[m.n++], q->remote, KEY_LEN);
	}
	if (m.n > 0)
		say(p, CONTROL_VOUCH, &m);
}

static unsigned words_of(const struct peer *v)
{
	uint64_t now_ms = core_of(v->community)->now_ms;
	unsigned n = 0;

	for (const struct peer *p = v->community->peers; p != NULL; p = p->hh.next)
		n += p->trust.voucher == v->session->link.id && now_ms < p->trust.vouch_until_ms;
	return n;
}

/* Only what was asked, and one answer to a question. */
static void take_word(struct peer *v, const struct control_vouch *m)
{
	struct core *core = core_of(v->community);
	uint64_t asked_ms = v->trust.question_ms;
	unsigned held;

	v->trust.question_ms = 0;
	if (asked_ms == 0 || core->now_ms >= asked_ms + ANSWER_MS || !v->trust.exempt)
		return;
	held = words_of(v);
	for (unsigned i = 0; i < m->n && held < HELD_MAX; i++) {
		struct peer *p = peer_find(v->community, m->static_public[i]);

		if (p == NULL || p->trust.exempt || !p->listed || p->trust.asked_ms < asked_ms ||
			vouch_stands(p))
			continue;
		p->trust.voucher = v->session->link.id;
		p->trust.vouch_until_ms = core->now_ms + VOUCH_MS;
		held++;
		session_look_at(core, p->session, core->flush_ms);
	}
}

void vouch_message(struct peer *p, const struct control_msg *m)
{
	struct control_vouch v;

	if (p->community->party.mode != MODE_PASSPHRASE || control_vouch_decode(&v, m->body) != 0)
		return;
	if (m->type == CONTROL_VOUCH_ASK)
		answer(p, &v);
	else
		take_word(p, &v);
}
