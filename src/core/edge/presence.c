/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/edge/presence.h"

#include "core/session/send.h"

#define HEARD_MS  5000u	 /* who was heard for so long is up */
#define ASK_MS	  2000u	 /* unanswered for so long: what was sent, or its answer, may be lost */
#define ASKS	  3	 /* ... and so often, ... */
#define AGAIN_MS  1000u	 /* ... once in this time */
#define SILENT_MS 3000u	 /* unanswered for so long, whoever is there had answered */
#define AWAY_MS	  15000u /* a supernode that was restarted lists those again who are there */

static uint64_t heard_ms(const struct peer *p)
{
	return link_word(&p->session->link.rx_ms);
}

static bool has_keys(const struct peer *p, uint64_t now_ms)
{
	return session_sending(p->session, now_ms) != NULL;
}

/* When it is away, as things are. */
static uint64_t leaves_ms(const struct peer *p, uint64_t now_ms)
{
	uint64_t at_ms = p->left ? 0 : p->unlisted_ms + AWAY_MS;

	if (has_keys(p, now_ms) && heard_ms(p) + AWAY_MS > at_ms)
		at_ms = heard_ms(p) + AWAY_MS;
	return at_ms;
}

enum peer_state presence_state(const struct peer *p, uint64_t now_ms)
{
	if (!p->listed && now_ms >= leaves_ms(p, now_ms))
		return PEER_AWAY;
	if (!p->session->confirmed)
		return PEER_JOINING;
	if (has_keys(p, now_ms) && heard_ms(p) != 0 && now_ms < heard_ms(p) + HEARD_MS)
		return PEER_UP;
	if (p->asked_ms != 0 && heard_ms(p) < p->asked_ms && now_ms >= p->asked_ms + SILENT_MS)
		return PEER_SILENT;
	return PEER_IDLE;
}

void presence_met(struct peer *p)
{
	p->left = false;
	if (p->up)
		return;
	p->up = true;
	send_event(core_of(p->community), p->session, EVENT_PEER_UP, 0);
	labels_look(p);
}

/* Since when something is unanswered. Each look sees the last frame; handshakes are sent over and
 * over. */
static void note_asked(struct peer *p)
{
	const struct session *s = p->session;
	uint64_t sent_ms = link_word(&s->link.tx_frame_ms);

	if (s->attempt != NULL && s->attempt_ms > sent_ms)
		sent_ms = s->attempt_ms;
	if (heard_ms(p) >= p->asked_ms)
		p->asked_ms = 0;
	if (p->asked_ms != 0 || sent_ms <= heard_ms(p))
		return;
	p->asked_ms = sent_ms;
	p->asks = 0;
}

/* A direct path is probed when it is silent; of what went through the relay nobody knows. */
static void ask_again(struct peer *p)
{
	struct core *core = core_of(p->community);
	uint8_t buf[CONTROL_HEADER_LEN + 8];
	struct writer w;

	if (p->asked_ms == 0 || p->asks >= ASKS || link_direct(&p->session->link) != NULL ||
		core->now_ms < p->asked_ms + ASK_MS + p->asks * AGAIN_MS)
		return;
	p->asks++;
	writer_init(&w, buf, sizeof(buf));
	control_ping_encode(&w, &(struct control_ping){random_u64(&core->io.random)});
	send_question(core, p->session, &w, NULL);
}

/* Another bridge may have its hosts by now, and is found only if frames for them go to all. */
static void let_go(struct peer *p, enum peer_state state)
{
	bool unreached = state == PEER_SILENT || state == PEER_AWAY;

	if (unreached && !p->unreached)
		switch_forget(p);
	p->unreached = unreached;
	atomic_store_explicit(&p->session->link.unreached, unreached, memory_order_relaxed);
}

uint64_t presence_look(struct peer *p)
{
	struct core *core = core_of(p->community);
	enum peer_state state;

	note_asked(p);
	ask_again(p);
	state = presence_state(p, core->now_ms);
	let_go(p, state);
	switch (state) {
	case PEER_UP:
		presence_met(p);
		break;
	case PEER_AWAY:
		if (p->up)
			send_event(core, p->session, EVENT_PEER_DOWN, 0);
		p->up = false;
		labels_look(p);
		break;
	case PEER_JOINING:
	case PEER_IDLE:
	case PEER_SILENT:
		break;
	}
	return p->up && !p->listed ? leaves_ms(p, core->now_ms) : UINT64_MAX;
}
