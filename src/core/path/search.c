/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finding a direct path and watching over it.
 *
 *   relayed --echo--> direct --2 s unheard--> probed --300 ms--> doubled --3 s unheard--> relayed
 *                       ^------------------------echo-----------------'
 */
#include <stdlib.h>
#include <string.h>

#include "core/node.h"

#define PROBE_TRIES    4
#define PROBE_FIRST_MS 200u
#define ROUND_FIRST_MS 2000u
#define RESEEN_MS      1000u  /* a source already probed is probed again no sooner */
#define ECHO_LIFE_MS   10000u /* an echo proves an address for so long */
#define PROBES_PER_S   32     /* to all addresses of one peer */
#define ANSWERS_PER_S  20     /* to one session: echoes, PONGs, and new sources probed */

static uint64_t load(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

static bool is_direct(const struct path *p)
{
	return p != NULL && p->hop == NULL;
}

static struct path direct_path(
	const struct session *s, const struct endpoint *remote, const struct endpoint *local)
{
	struct path p = {.remote = *remote, .local = *local, .mask_known = s->mask_known};

	memcpy(p.mask, s->mask, MASK_LEN);
	return p;
}

static void send_probe(struct node *n, struct session *s, const struct endpoint *remote,
	const struct endpoint *local, uint64_t token)
{
	struct path via = direct_path(s, remote, local);
	uint8_t buf[CONTROL_HEADER_LEN + 8];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	control_probe_encode(&w, &(struct control_probe){token});
	node_send(n, s, KIND_CONTROL, buf, writer_len(&w), &via);
}

static void reply(struct node *n, struct session *s, const struct origin *to, const uint8_t *plain,
	size_t len)
{
	struct path via = direct_path(s, &to->remote, &to->local);

	/* Else one packet, with a forged source at that, would bring its victim many. */
	if (n->answered || !bucket_take(&s->answers, n->now_ms, ANSWERS_PER_S, ANSWERS_PER_S)) {
		drops_add(&n->drops, DROP_RATE, 1);
		return;
	}
	n->answered = true;
	node_send(n, s, KIND_CONTROL, plain, len, to->hop_id == 0 ? &via : NULL);
}

void search_answer(
	struct node *n, struct session *s, const struct control_probe *m, const struct origin *from)
{
	const struct control_echo echo = {m->token, from->remote};
	uint8_t buf[CONTROL_HEADER_LEN + 32];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	control_echo_encode(&w, &echo);
	reply(n, s, from, buf, writer_len(&w));
}

void search_pong(
	struct node *n, struct session *s, const struct control_ping *m, const struct origin *from)
{
	struct control_pong pong = {.token = m->token};
	uint8_t buf[CONTROL_HEADER_LEN + 32];
	struct writer w;

	if (from->hop_id == 0)
		pong.observed = from->remote;
	writer_init(&w, buf, sizeof(buf));
	control_pong_encode(&w, &pong);
	reply(n, s, from, buf, writer_len(&w));
}

/* ---- candidates ---- */

static struct candidate *find(struct search *q, const struct endpoint *remote)
{
	for (unsigned i = 0; i < q->n; i++)
		if (endpoint_equal(&q->c[i].remote, remote))
			return &q->c[i];
	return NULL;
}

/* A new entry, instead of the one seen longest ago if the list is full; NULL if all were told. */
static struct candidate *add(struct search *q)
{
	struct candidate *old = NULL;

	if (q->n < SEARCH_MAX)
		return &q->c[q->n++];
	for (unsigned i = 0; i < q->n; i++)
		if (!q->c[i].told && (old == NULL || q->c[i].sent_ms < old->sent_ms))
			old = &q->c[i];
	return old;
}

static void start(struct candidate *c, uint64_t now_ms)
{
	c->tries = 0;
	c->next_ms = now_ms;
}

static bool is_told(const struct control_candidates *m, const struct endpoint *remote)
{
	for (unsigned i = 0; i < m->n; i++)
		if (endpoint_equal(&m->candidate[i].endpoint, remote))
			return true;
	return false;
}

void search_told(struct session *s, const struct control_candidates *m, uint64_t now_ms)
{
	struct search *q = &s->search;
	unsigned kept = 0;

	/* What is known of an address that is told again stays known. */
	for (unsigned i = 0; i < q->n; i++)
		if (!q->c[i].told || is_told(m, &q->c[i].remote))
			q->c[kept++] = q->c[i];
	q->n = (uint8_t)kept;
	for (unsigned i = 0; i < m->n; i++) {
		struct candidate *c = find(q, &m->candidate[i].endpoint);

		if (c == NULL && (c = add(q)) != NULL)
			*c = (struct candidate){.remote = m->candidate[i].endpoint};
		if (c != NULL)
			c->told = true;
	}
	search_again(s, now_ms);
}

void search_again(struct session *s, uint64_t now_ms)
{
	struct search *q = &s->search;

	q->rounds = 0;
	q->round_ms = 0;
	for (unsigned i = 0; i < q->n; i++)
		start(&q->c[i], now_ms);
	if (!is_direct(session_path(s)))
		q->reason = q->n > 0 ? RELAY_SEARCHING : RELAY_NO_ADDRESS;
}

static void try_candidate(struct node *n, struct session *s, struct candidate *c, uint64_t now_ms)
{
	if (c->tries >= PROBE_TRIES) {
		c->next_ms = 0;
		return;
	}
	/* Over the limit: later. A peer that tells ever new addresses makes us no weapon. */
	if (!bucket_take(&s->probes, now_ms, PROBES_PER_S, PROBES_PER_S))
		return;
	c->token = random_u64(&n->io.random);
	c->sent_ms = now_ms;
	c->next_ms = now_ms + (PROBE_FIRST_MS << c->tries++);
	send_probe(n, s, &c->remote, &c->local, c->token);
}

/* True while some candidate of this round is still being tried. */
static bool probe_candidates(struct node *n, struct session *s, uint64_t now_ms)
{
	bool trying = false;

	for (unsigned i = 0; i < s->search.n; i++) {
		struct candidate *c = &s->search.c[i];

		if (c->next_ms == 0)
			continue;
		trying = true;
		if (now_ms >= c->next_ms)
			try_candidate(n, s, c, now_ms);
	}
	return trying;
}

void search_seen(
	struct node *n, struct session *s, const struct origin *from, bool probing, uint64_t now_ms)
{
	const struct path *p = session_path(s);
	struct candidate *c = find(&s->search, &from->remote);

	if (from->hop_id != 0 || (is_direct(p) && endpoint_equal(&p->remote, &from->remote)))
		return;
	if (c != NULL && !probing)
		c->used_ms = now_ms;
	if (c != NULL && (c->next_ms != 0 || now_ms < c->sent_ms + RESEEN_MS))
		return;
	if (c == NULL) {
		if (!bucket_take(&s->answers, now_ms, ANSWERS_PER_S, ANSWERS_PER_S) ||
			(c = add(&s->search)) == NULL)
			return;
		*c = (struct candidate){.remote = from->remote, .used_ms = probing ? 0 : now_ms};
	}
	c->local = from->local;
	start(c, now_ms);
	try_candidate(n, s, c, now_ms);
}

static void tick_rounds(struct node *n, struct session *s, uint64_t now_ms)
{
	struct search *q = &s->search;
	uint32_t wait = ROUND_FIRST_MS << (q->rounds < 4 ? q->rounds : 4);

	if (probe_candidates(n, s, now_ms) || is_direct(session_path(s)) || q->n == 0)
		return;
	if (q->round_ms == 0) {
		if (q->reason == RELAY_SEARCHING)
			q->reason = RELAY_NO_ANSWER;
		if (wait > SEARCH_ROUND_MAX_MS)
			wait = SEARCH_ROUND_MAX_MS;
		q->round_ms = now_ms + random_jitter(&n->io.random, wait, 20);
		return;
	}
	if (now_ms < q->round_ms)
		return;
	q->round_ms = 0;
	if (q->rounds < UINT8_MAX)
		q->rounds++;
	for (unsigned i = 0; i < q->n; i++)
		start(&q->c[i], now_ms);
}

/* ---- the path in use ---- */

static void trust_again(struct node *n, struct session *s)
{
	s->search.doubted = false;
	s->search.unheard_ms = 0;
	s->search.suspect_probe_ms = 0;
	session_set_path(n, &s->copy, NULL);
}

void search_use(struct node *n, struct session *s, const struct endpoint *remote,
	const struct endpoint *local)
{
	struct path *p = malloc(sizeof(*p));

	if (p == NULL)
		return;
	*p = direct_path(s, remote, local);
	session_set_path(n, &s->path, p);
	trust_again(n, s);
	s->search.reason = RELAY_NOT;
}

/* Since the path was last heard on, and that is a while, the peer sent from there. */
static bool moved_to(const struct session *s, const struct candidate *c, uint64_t now_ms)
{
	uint64_t heard = load(&s->rx_direct_ms);

	return c->used_ms > heard && now_ms >= heard + PATH_PROBE_MS;
}

/* A path that works is left only for one clearly faster. */
static bool keeps_path(const struct session *s, const struct candidate *c, uint64_t now_ms)
{
	const struct search *q = &s->search;
	const struct path *p = session_path(s);

	return s->kind == SESSION_PEER && is_direct(p) && !q->guessed && q->suspect_probe_ms == 0 &&
	       !moved_to(s, c, now_ms) &&
	       (endpoint_equal(&p->remote, &c->remote) || (c->rtt_ms + 1) * 2 > q->rtt_ms);
}

static void use_candidate(struct node *n, struct session *s, struct candidate *c)
{
	s->search.rtt_ms = c->rtt_ms;
	s->search.guessed = false;
	s->search.keepalive_ms = 0;
	search_use(n, s, &c->remote, &c->local);
	/* The echo was the first thing heard on it. */
	atomic_store_explicit(&s->rx_direct_ms, n->now_ms, memory_order_relaxed);
	if (s->kind == SESSION_PEER)
		node_peer_event(n, s, EVENT_PATH_DIRECT, c->rtt_ms);
}

void search_echo(struct node *n, struct session *s, const struct control_echo *m,
	const struct origin *from, uint64_t now_ms)
{
	struct search *q = &s->search;
	const struct path *p = session_path(s);
	struct candidate *c = NULL;

	if (from->hop_id != 0 || m->token == 0)
		return;
	if (is_direct(p) && q->suspect_probe_ms != 0 && m->token == q->suspect_token &&
		endpoint_equal(&p->remote, &from->remote)) {
		trust_again(n, s);
		return;
	}
	for (unsigned i = 0; i < q->n && c == NULL; i++)
		if (q->c[i].token == m->token && endpoint_equal(&q->c[i].remote, &from->remote))
			c = &q->c[i];
	if (c == NULL)
		return;
	c->token = 0;
	c->next_ms = 0;
	c->rtt_ms = (uint32_t)(now_ms - c->sent_ms);
	c->echoed_ms = now_ms;
	c->local = from->local;
	if (!keeps_path(s, c, now_ms))
		use_candidate(n, s, c);
}

static void give_up(struct node *n, struct session *s, enum relay_reason reason, uint64_t now_ms)
{
	struct path *relay = n->role->fallback(n, s);

	trust_again(n, s);
	search_again(s, now_ms);
	/* With no relay either, a silent path is better than none, and any echo better than it. */
	if (relay == NULL) {
		s->search.guessed = true;
		return;
	}
	session_set_path(n, &s->path, relay);
	s->search.reason = reason;
	node_peer_event(n, s, EVENT_PATH_RELAY, (uint32_t)reason);
}

static void suspect(struct node *n, struct session *s, const struct path *p, uint64_t now_ms)
{
	struct search *q = &s->search;
	uint64_t silence = now_ms - q->unheard_ms;

	if (silence < PATH_SUSPECT_MS)
		return;
	if (silence >= PATH_DEAD_MS) {
		give_up(n, s, RELAY_SILENT, now_ms);
		return;
	}
	if (q->suspect_probe_ms == 0) {
		q->suspect_probe_ms = now_ms;
		q->suspect_next_ms = now_ms;
		q->suspect_token = random_u64(&n->io.random) | 1;
	} else if (now_ms >= q->suspect_probe_ms + PATH_PROBE_MS &&
		   atomic_load_explicit(&s->copy, memory_order_relaxed) == NULL) {
		session_set_path(n, &s->copy, n->role->fallback(n, s));
	}
	if (now_ms >= q->suspect_next_ms) {
		q->suspect_next_ms = now_ms + PATH_PROBE_MS;
		send_probe(n, s, &p->remote, &p->local, q->suspect_token);
	}
}

/* Nothing was heard for so long that the way may be closed: the next frame goes by both ways. */
static void hedge(struct node *n, struct session *s, uint64_t heard_ms, uint64_t now_ms)
{
	bool hedged = atomic_load_explicit(&s->copy, memory_order_relaxed) != NULL;
	bool stale = now_ms >= heard_ms + PATH_STALE_MS;

	if (stale && !hedged)
		session_set_path(n, &s->copy, n->role->fallback(n, s));
	else if (!stale && hedged)
		session_set_path(n, &s->copy, NULL);
}

/* Shows the peer that we hear it, and NATs that the path is in use. */
static void keep_alive(struct node *n, struct session *s, uint64_t now_ms)
{
	struct search *q = &s->search;
	uint64_t sent = load(&s->tx_ms), frame_in = load(&s->rx_frame_ms);
	uint64_t frame_out = load(&s->tx_frame_ms);
	bool receiving = frame_in != 0 && now_ms < frame_in + PATH_IDLE_ECHO_MS;
	bool active =
		now_ms < frame_in + SESSION_ACTIVE_MS || now_ms < frame_out + SESSION_ACTIVE_MS;

	if (q->keepalive_ms <= sent)
		q->keepalive_ms = sent + random_jitter(&n->io.random, NAT_KEEPALIVE_MS, 16);
	if ((receiving && now_ms >= sent + PATH_IDLE_ECHO_MS) ||
		(active && now_ms >= q->keepalive_ms))
		node_send(n, s, KIND_ETHERNET, NULL, 0, NULL);
}

/* The peer moved to where an echo came from not long ago. */
static bool follow(struct node *n, struct session *s, uint64_t now_ms)
{
	for (unsigned i = 0; i < s->search.n; i++) {
		struct candidate *c = &s->search.c[i];

		if (c->echoed_ms == 0 || now_ms >= c->echoed_ms + ECHO_LIFE_MS ||
			!moved_to(s, c, now_ms))
			continue;
		use_candidate(n, s, c);
		return true;
	}
	return false;
}

static void tick_direct(struct node *n, struct session *s, const struct path *p, uint64_t now_ms)
{
	struct search *q = &s->search;
	uint64_t heard = load(&s->rx_direct_ms);
	bool answered = heard != q->heard_ms;
	bool asked = q->doubted || load(&s->tx_frame_ms) > heard;

	if (follow(n, s, now_ms))
		return;
	q->heard_ms = heard;
	if (q->unheard_ms != 0 && (answered || !asked))
		trust_again(n, s);
	else if (q->unheard_ms == 0 && asked && !answered)
		q->unheard_ms = now_ms;
	if (q->unheard_ms != 0) {
		suspect(n, s, p, now_ms);
		return;
	}
	hedge(n, s, heard, now_ms);
	keep_alive(n, s, now_ms);
}

void search_doubt(struct node *n, struct session *s, uint64_t now_ms)
{
	struct search *q = &s->search;

	if (!is_direct(session_path(s)) || q->doubted || session_sending(s, now_ms) == NULL ||
		now_ms < load(&s->rx_direct_ms) + PATH_PROBE_MS)
		return;
	q->doubted = true;
	if (q->unheard_ms == 0)
		q->unheard_ms = now_ms - PATH_SUSPECT_MS;
	session_set_path(n, &s->copy, n->role->fallback(n, s));
	search_tick(n, s, now_ms);
}

void search_tick(struct node *n, struct session *s, uint64_t now_ms)
{
	struct path *p = session_path(s);

	if (s->kind == SESSION_HOP)
		return;
	if (session_sending(s, now_ms) == NULL) {
		if (s->kind == SESSION_PEER && is_direct(p)) {
			session_set_path(n, &s->path, n->role->fallback(n, s));
			session_set_path(n, &s->copy, NULL);
		}
		return;
	}
	tick_rounds(n, s, now_ms);
	p = session_path(s);
	if (s->kind == SESSION_PEER && is_direct(p))
		tick_direct(n, s, p, now_ms);
}
