/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may begin a handshake with us, and what answers ours: the order in which that is looked at.
 */
#include "core/handshakes.h"

#include <string.h>

#include "core/session/attempt.h"
#include "core/session/responder.h"

/* Looked at before anything that costs: a flood must neither take the time nor a budget of all. */
static bool may_be_read(struct node *n, struct request *r)
{
	r->has_shown = responder_shown(&n->core, r);
	switch (budget_handshake(n->budget, r->from, r->has_shown, n->core.now_ms)) {
	case BUDGET_GRANTED:
		return true;
	case BUDGET_PROVE:
		core_drop(&n->core, DROP_UNPROVEN);
		responder_ask_cookie(&n->core, r, COOKIE_LOAD);
		return false;
	case BUDGET_SPENT:
		break;
	}
	core_drop(&n->core, DROP_RATE);
	return false;
}

static void take_init(struct node *n, const struct party *self, const struct msg_init *init,
	const uint8_t *tag, const struct origin *from)
{
	struct request r = {.self = self, .init = init, .from = from, .tag = tag};
	uint16_t result = 0;

	if (!may_be_read(n, &r))
		return;
	if (init->key_index != self->key_index || answer_read(&r.answer, self, init) != 0) {
		core_drop(&n->core, DROP_AUTH);
		return;
	}
	if (memcmp(r.answer.noise.rs, self->self.public, KEY_LEN) == 0) {
		core_drop(&n->core, DROP_REFLECTED);
		goto out;
	}
	r.session = n->role->find(n, self, r.answer.noise.rs);
	if (n->role->fresh != NULL && !n->role->fresh(n, r.session, r.answer.theirs.freshness)) {
		core_drop(&n->core, DROP_STALE);
		goto out;
	}
	if (responder_settles(&n->core, &r))
		goto out;
	if (n->role->refuses != NULL)
		result = n->role->refuses(n, r.session, &r.answer.theirs, from);
	if (result == REFUSED_IN_SILENCE)
		core_drop(&n->core, DROP_STALE);
	else if (result != 0)
		responder_refuse(&n->core, &r, result);
	else if (n->role->admit != NULL &&
		 !n->role->admit(n, self, r.answer.noise.rs, from, r.stale))
		core_drop(&n->core, DROP_RATE);
	else
		responder_answer(&n->core, &r);
out:
	answer_wipe(&r.answer);
}

/*
 * Answers come from where the question went; of several such places, what comes first counts. A
 * copy from elsewhere is as genuine, but who sent it on may be anybody: what follows goes to where
 * the question went, put into *asked.
 */
static const struct origin *trusted(
	const struct session *s, const struct origin *from, struct origin *asked)
{
	if (attempt_went_to(s, from))
		return from;
	return session_way(s, asked) && !origin_same(asked, from) ? asked : from;
}

/* An answer to the attempt of this session; false when it does not fit. */
static bool take_answer(
	struct node *n, struct session *s, const struct msg_response *m, const struct origin *from)
{
	struct handshake_result result;
	struct payload theirs;
	struct origin asked;
	unsigned effects;

	if (attempt_finish(s->attempt, s->party, m, &result, &theirs) != 0)
		return false;
	if (s->link.kind == LINK_HOP && theirs.result != 0) {
		crypto_wipe(&result, sizeof(result));
		session_end_attempt(s);
		n->role->refused(n, s, theirs.result);
		return true;
	}
	if (n->role->accept != NULL && !n->role->accept(n, s)) {
		crypto_wipe(&result, sizeof(result));
		core_drop(&n->core, DROP_RATE);
		return true;
	}
	effects = attempt_take(&n->core, s, &result, &theirs, trusted(s, from, &asked));
	crypto_wipe(&result, sizeof(result));
	node_act(n, s, effects);
	if (!s->gone)
		node_look(n, s);
	return true;
}

static void take_response(
	struct node *n, const uint8_t *body, size_t body_len, const struct origin *from)
{
	struct msg_response m;
	struct session *s;

	if (msg_response_decode(&m, body, body_len) != 0) {
		core_drop(&n->core, DROP_MALFORMED);
		return;
	}
	s = session_by_id(&n->core, INDEX_ID(m.receiver));
	if (s == NULL || s->attempt == NULL || s->attempt->index != m.receiver)
		core_drop(&n->core, DROP_UNKNOWN);
	else if (!budget_answer(n->budget, n->core.now_ms))
		core_drop(&n->core, DROP_RATE);
	else if (!take_answer(n, s, &m, from))
		core_drop(&n->core, DROP_AUTH);
}

void handshake_take(struct node *n, const struct listener *l, const uint8_t *body, size_t body_len,
	const struct origin *from)
{
	unsigned type = envelope_type(body, body_len);
	struct msg_init init;

	if (l->to.kind == TO_ANY)
		n->role->hello(n, body, body_len, from);
	else if (type == PACKET_RESPONSE && l->to.kind != TO_SUPERNODE)
		take_response(n, body, body_len, from);
	else if (type == PACKET_INIT && l->to.kind != TO_HOP &&
		 msg_init_decode(&init, body, body_len) == 0)
		take_init(n, l->self, &init, body + body_len, from);
	else
		core_drop(&n->core, DROP_MALFORMED);
}
