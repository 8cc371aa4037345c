/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of the path in use. */
#include "core/path/path.h"

#include <stdlib.h>

#include "core/path/probe.h"
#include "core/session/send.h"

#define RTT_NOISE_US 1000u /* differences below say nothing */

/* ---- which path ---- */

static void trust_again(struct core *core, struct session *s)
{
	struct search *q = s->search;

	if (q != NULL) {
		q->doubted = false;
		q->unheard_ms = 0;
		q->suspect_probe_ms = 0;
	}
	session_set_path(core, &s->link.copy, NULL);
}

void path_use(struct core *core, struct session *s, const struct way *way)
{
	struct path *p = malloc(sizeof(*p));

	if (p == NULL)
		return;
	*p = probe_path(s, way);
	p->limit = core_limit(core, way);
	session_set_path(core, &s->link.path, p);
	trust_again(core, s);
	if (s->search != NULL)
		s->search->reason = RELAY_NOT;
	session_look_at(core, s, core->flush_ms);
}

void path_guess(struct core *core, struct session *s, const struct way *way)
{
	struct search *q = search_get(s);

	if (q == NULL)
		return;
	q->guessed = true;
	path_use(core, s, way);
}

void path_follow_route(struct core *core, struct session *s)
{
	struct way last = s->route.direct;

	/* It may begin now, or be due for a copy by the new relay. */
	session_look_at(core, s, core->flush_ms);
	if (link_direct(&s->link) != NULL && (s->search == NULL || !s->search->guessed)) {
		session_set_path(core, &s->link.copy, NULL);
		return;
	}
	session_set_path(core, &s->link.path, session_relay_path(s));
	session_set_path(core, &s->link.copy, NULL);
	if (s->search != NULL)
		s->search->guessed = false;
	if (link_path(&s->link) == NULL && !way_is_none(&last) && search_allows(core, s, &last)) {
		last.local = s->origin.way.local;
		path_guess(core, s, &last);
	}
}

void path_restart(struct core *core, struct session *s)
{
	struct search *q = search_get(s);

	if (q != NULL)
		q->guessed = true;
	path_follow_route(core, s);
	search_restart(core, s);
}

/* Since the path was last heard on, the peer sent from there. */
static bool left_for(const struct session *s, const struct candidate *c)
{
	return c->used_ms > link_word(&s->link.rx_direct_ms);
}

/* And that is a while. */
static bool moved_to(const struct core *core, const struct session *s, const struct candidate *c)
{
	return left_for(s, c) && core->now_ms >= link_word(&s->link.rx_direct_ms) + PATH_PROBE_MS;
}

/* A path that works is left only for one clearly faster. */
static bool keeps_path(const struct core *core, const struct session *s, const struct candidate *c)
{
	const struct search *q = s->search;
	const struct path *p = link_direct(&s->link);

	return s->link.kind == LINK_PEER && p != NULL && !q->guessed && q->suspect_probe_ms == 0 &&
	       !moved_to(core, s, c) &&
	       (way_same_remote(&p->way, &c->way) || (c->rtt_us + RTT_NOISE_US) * 2 > q->rtt_us);
}

static void use_candidate(struct core *core, struct session *s, const struct candidate *c)
{
	s->search->rtt_us = s->search->shown_us = c->rtt_us;
	s->search->guessed = false;
	s->search->proven_ms = core->now_ms;
	s->search->keepalive_ms = 0;
	path_use(core, s, &c->way);
	/* The echo was the first thing heard on it. */
	atomic_store_explicit(&s->link.rx_direct_ms, core->now_ms, memory_order_relaxed);
	if (s->link.kind == LINK_PEER)
		send_event(core, s, EVENT_PATH_DIRECT, c->rtt_us);
}

void path_echo(struct core *core, struct session *s, const struct control_echo *m,
	const struct origin *from)
{
	const struct path *p = link_direct(&s->link);
	struct search *q = s->search;
	const struct candidate *c;

	if (from->hop_id != 0 || m->token == 0 || q == NULL)
		return;
	if (p != NULL && q->suspect_probe_ms != 0 && m->token == q->suspect_token &&
		way_same_remote(&p->way, &from->way)) {
		q->proven_ms = core->now_ms;
		trust_again(core, s);
		return;
	}
	c = search_match(core, s, m->token, &from->way);
	if (c == NULL)
		return;
	if (p != NULL && way_same_remote(&p->way, &c->way))
		q->proven_ms = core->now_ms;
	if (!keeps_path(core, s, c))
		use_candidate(core, s, c);
	else if (p != NULL && way_same_remote(&p->way, &c->way))
		q->shown_us = c->rtt_us < q->shown_us ? c->rtt_us : (q->shown_us + c->rtt_us) / 2;
}

/* ---- watching over it ---- */

static void give_up(struct core *core, struct session *s, enum relay_reason reason)
{
	struct path *relay = session_relay_path(s);

	trust_again(core, s);
	search_again(core, s);
	/* With no relay either, a silent path is better than none, and any echo better than it. */
	if (relay == NULL) {
		s->search->guessed = true;
		return;
	}
	session_set_path(core, &s->link.path, relay);
	s->search->reason = reason;
	send_event(core, s, EVENT_PATH_RELAY, (uint32_t)reason);
}

/* Unlike a silent path, one that leads back to us is worse than none. */
static void leave_overlay(struct core *core, struct session *s, uint64_t refused_ms)
{
	struct path *relay = session_relay_path(s);
	const struct way way = link_direct(&s->link)->way;

	search_refuse(s, &way, refused_ms);
	session_set_path(core, &s->link.path, relay);
	trust_again(core, s);
	session_look_at(core, s, core->flush_ms);
	s->search->guessed = false;
	s->search->reason = RELAY_OVERLAY;
	if (relay != NULL)
		send_event(core, s, EVENT_PATH_RELAY, RELAY_OVERLAY);
}

void path_refuse(struct core *core, struct session *s)
{
	if (link_direct(&s->link) != NULL && search_get(s) != NULL)
		leave_overlay(core, s, core->now_ms + REFUSED_MS);
}

void path_measure(struct core *core, struct session *s)
{
	const struct path *old = link_direct(&s->link);
	uint16_t limit = old != NULL ? core_limit(core, &old->way) : 0;
	struct path *p;

	if (old == NULL || limit == old->limit || (p = malloc(sizeof(*p))) == NULL)
		return;
	*p = *old;
	p->limit = limit;
	session_set_path(core, &s->link.path, p);
}

void path_rerouted(struct core *core, struct session *s)
{
	const struct path *p = link_direct(&s->link);

	if (!way_is_none(&s->route.direct) && !core_is_underlay(core, &s->route.direct))
		s->route.direct = (struct way){.carrier = CARRIER_UDP};
	if (p != NULL && !core_is_underlay(core, &p->way) && search_get(s) != NULL)
		leave_overlay(core, s, 0);
	else
		search_rerouted(core, s);
	path_measure(core, s);
}

static bool has_copy(const struct session *s)
{
	return atomic_load_explicit(&s->link.copy, memory_order_relaxed) != NULL;
}

static void suspect(struct core *core, struct session *s, const struct path *p)
{
	struct search *q = s->search;
	uint64_t now_ms = core->now_ms, silence = now_ms - q->unheard_ms;

	if (silence < PATH_SUSPECT_MS)
		return;
	if (silence >= PATH_DEAD_MS) {
		give_up(core, s, RELAY_SILENT);
		return;
	}
	if (q->suspect_probe_ms == 0) {
		q->suspect_probe_ms = now_ms;
		q->suspect_next_ms = now_ms;
		q->suspect_token = random_u64(&core->io.random) | 1;
	} else if (now_ms >= q->suspect_probe_ms + PATH_PROBE_MS && !has_copy(s)) {
		session_set_path(core, &s->link.copy, session_relay_path(s));
	}
	if (now_ms >= q->suspect_next_ms) {
		q->suspect_next_ms = now_ms + PATH_PROBE_MS;
		probe_send(core, s, &p->way, q->suspect_token);
	}
}

/* Nothing was heard for so long that the way may be closed: the next frame goes by both ways. */
static void hedge(struct core *core, struct session *s, uint64_t heard_ms)
{
	bool stale = core->now_ms >= heard_ms + PATH_STALE_MS;

	if (stale && !has_copy(s))
		session_set_path(core, &s->link.copy, session_relay_path(s));
	else if (!stale && has_copy(s))
		session_set_path(core, &s->link.copy, NULL);
}

static bool has_recent_frames(const struct core *core, const struct session *s)
{
	return core->now_ms < link_word(&s->link.rx_frame_ms) + SESSION_ACTIVE_MS ||
	       core->now_ms < link_word(&s->link.tx_frame_ms) + SESSION_ACTIVE_MS;
}

/* Shows the peer that we hear it: its frames, when nothing else was sent since, are answered. */
static void answer_frames(struct core *core, struct session *s)
{
	uint64_t sent = link_word(&s->link.tx_ms);

	if (link_word(&s->link.rx_frame_ms) > sent && core->now_ms >= sent + PATH_IDLE_ECHO_MS)
		send_empty(core, s);
}

/* And NATs that the path is in use. */
static void keep_alive(struct core *core, struct session *s)
{
	struct search *q = s->search;
	uint64_t sent = link_word(&s->link.tx_ms);

	if (q->keepalive_ms <= sent)
		q->keepalive_ms = sent + random_jitter(&core->io.random, NAT_KEEPALIVE_MS, 35);
	if (has_recent_frames(core, s) && core->now_ms >= q->keepalive_ms)
		send_empty(core, s);
}

/* Where an echo came from not long ago, and the peer sent from since it was heard on the path. */
static const struct candidate *next_place(const struct core *core, const struct session *s)
{
	for (unsigned i = 0; i < s->search->n; i++) {
		const struct candidate *c = &s->search->c[i];

		if (c->echoed_ms != 0 && core->now_ms < c->echoed_ms + ECHO_LIFE_MS &&
			left_for(s, c))
			return c;
	}
	return NULL;
}

static bool follow(struct core *core, struct session *s)
{
	const struct candidate *c = next_place(core, s);

	if (c == NULL || !moved_to(core, s, c))
		return false;
	use_candidate(core, s, c);
	return true;
}

static void tick_direct(struct core *core, struct session *s, const struct path *p)
{
	struct search *q = search_get(s);
	uint64_t heard = link_word(&s->link.rx_direct_ms);
	bool answered, asked;

	if (q == NULL || follow(core, s))
		return;
	answered = heard != q->heard_ms;
	asked = q->doubted || link_word(&s->link.tx_frame_ms) > heard;
	q->heard_ms = heard;
	/* What is heard does not show that we are: once it is probed, an echo has to. */
	if (q->unheard_ms != 0 && q->suspect_probe_ms == 0 && (answered || !asked))
		trust_again(core, s);
	else if (q->unheard_ms == 0 && asked && !answered)
		q->unheard_ms = core->now_ms;
	if (q->unheard_ms != 0) {
		suspect(core, s, p);
		return;
	}
	hedge(core, s, heard);
	answer_frames(core, s);
	keep_alive(core, s);
}

/* Probes at once, and sends by both ways if no echo comes soon. */
static void doubt(struct core *core, struct session *s)
{
	struct search *q = s->search;

	if (q->doubted || session_sending(s, core->now_ms) == NULL)
		return;
	q->doubted = true;
	/* Idle sessions are looked at rarely: what was heard since then is no answer to this. */
	q->heard_ms = link_word(&s->link.rx_direct_ms);
	if (q->unheard_ms == 0 || core->now_ms < q->unheard_ms + PATH_SUSPECT_MS)
		q->unheard_ms = core->now_ms - PATH_SUSPECT_MS;
	path_tick(core, s);
	session_look_at(core, s, core->flush_ms);
}

void path_doubt(struct core *core, struct session *s)
{
	if (link_direct(&s->link) != NULL && search_get(s) != NULL &&
		core->now_ms >= link_word(&s->link.rx_direct_ms) + PATH_PROBE_MS) {
		if (!s->search->doubted && session_sending(s, core->now_ms) != NULL)
			session_set_path(core, &s->link.copy, session_relay_path(s));
		doubt(core, s);
	}
}

void path_probed(struct core *core, struct session *s, const struct origin *from)
{
	const struct path *p = link_direct(&s->link);

	if (p != NULL && from->hop_id == 0 && way_same_remote(&p->way, &from->way) &&
		search_get(s) != NULL && core->now_ms >= s->search->proven_ms + PATH_PROVEN_MS)
		doubt(core, s);
}

void path_tick(struct core *core, struct session *s)
{
	const struct path *p;

	if (s->link.kind == LINK_HOP)
		return;
	/* Without keys the path is kept: after so long the next frames go by the relay as well. */
	if (session_sending(s, core->now_ms) == NULL)
		return;
	search_tick(core, s);
	p = link_direct(&s->link);
	if (s->link.kind != LINK_PEER)
		return;
	if (p != NULL)
		tick_direct(core, s, p);
	else
		answer_frames(core, s);
}

uint64_t path_next_ms(const struct core *core, const struct session *s)
{
	const struct search *q = s->search;
	uint64_t soon = core->now_ms + SESSION_TICK_MS, next, stale;

	if (q == NULL || s->link.kind == LINK_HOP || session_sending(s, core->now_ms) == NULL)
		return UINT64_MAX;
	next = search_next_ms(core, s);
	if (s->link.kind != LINK_PEER || link_direct(&s->link) == NULL)
		return next;
	if (q->unheard_ms != 0 || next_place(core, s) != NULL)
		return soon;
	stale = link_word(&s->link.rx_direct_ms) + PATH_STALE_MS;
	if (stale > core->now_ms && stale < next)
		next = stale;
	if (has_recent_frames(core, s) && q->keepalive_ms < next)
		next = q->keepalive_ms;
	return next > soon ? next : soon;
}
