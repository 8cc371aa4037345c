/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The other members of a community: who is listed, how to reach them, what they say of themselves
 * inside the session. Sessions, keys and paths themselves are session.c's and search.c's.
 */
#include <stdlib.h>
#include <string.h>

#include "core/edge/edge_state.h"

#define FORGET_MS      60000u /* an unlisted peer without keys is forgotten */
#define GIVE_WAY_MS    1000u  /* of two that are listed together the larger key lets go first */
#define RESTART_GAP_MS 5000u  /* between handshakes because the roster says "restarted" */
#define SILENT_MS      15000u /* sending and hearing nothing at all: try a new handshake */

struct peer *peer_find(struct community *c, const uint8_t remote[KEY_LEN])
{
	const uint8_t *hash_key = c->edge->node.hash_key;
	struct peer *p;

	HASH_FIND(hh, c->peers, remote, KEY_LEN, p);
	return p;
}

struct peer *peer_create(struct community *c, const uint8_t remote[KEY_LEN])
{
	const uint8_t *hash_key = c->edge->node.hash_key;
	struct node *n = &c->edge->node;
	struct peer *p;

	if (HASH_COUNT(c->peers) >= PEERS_MAX)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->session = session_create(n, SESSION_PEER, &c->party, c->index, remote);
	if (p->session == NULL) {
		free(p);
		return NULL;
	}
	p->session->owner = p;
	p->session->search.reason = RELAY_SEARCHING;
	p->community = c;
	p->unlisted_ms = n->now_ms;
	memcpy(p->remote, remote, KEY_LEN);
	HASH_ADD(hh, c->peers, remote, KEY_LEN, p);
	if (p->hh.tbl == NULL) {
		session_retire(n, p->session);
		free(p);
		return NULL;
	}
	return p;
}

static void forget(struct peer *p)
{
	HASH_DELETE(hh, p->community->peers, p);
	session_retire(&p->community->edge->node, p->session);
	free(p);
}

bool peer_way(struct peer *p, struct origin *to)
{
	const struct hop *h = &p->community->hop;

	*to = (struct origin){0};
	if (hop_is_up(p->community) && p->handle != 0) {
		to->hop_id = h->session->id;
		to->handle = p->handle;
		return true;
	}
	to->remote = p->last_direct;
	return !endpoint_is_none(&to->remote);
}

static struct node *node_of(const struct peer *p)
{
	return &p->community->edge->node;
}

/* A relayed session follows the relay; one without any path takes what there is. */
static void repath(struct peer *p)
{
	struct node *n = node_of(p);
	struct session *s = p->session;
	const struct path *path = session_path(s);
	struct path *relay;

	if (path != NULL && path->hop == NULL && !s->search.guessed) {
		session_set_path(n, &s->copy, NULL);
		return;
	}
	relay = n->role->fallback(n, s);
	session_set_path(n, &s->path, relay);
	session_set_path(n, &s->copy, NULL);
	s->search.guessed = relay == NULL && !endpoint_is_none(&p->last_direct);
	if (s->search.guessed)
		search_use(n, s, &p->last_direct, &s->origin.local);
}

void peers_repath(struct community *c)
{
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		repath(p);
}

/* ---- the roster ---- */

static void unlist(struct peer *p, uint64_t now_ms)
{
	if (!p->listed)
		return;
	p->listed = false;
	p->handle = 0;
	p->unlisted_ms = now_ms;
	repath(p);
	node_view_touch(node_of(p));
}

static void want_soon(struct peer *p, uint64_t delay_ms, uint64_t now_ms)
{
	p->session->failures = 0;
	p->session->not_before_ms = now_ms + delay_ms;
	session_want(p->session);
}

static void list(struct community *c, const struct roster_entry *r, uint64_t now_ms)
{
	struct peer *p = peer_find(c, r->static_public);
	bool was_listed, restarted;

	if (memcmp(r->static_public, c->party.self.public, KEY_LEN) == 0)
		return;
	if (p == NULL)
		p = peer_create(c, r->static_public);
	if (p == NULL)
		return;
	was_listed = p->listed;
	restarted = p->session->confirmed && p->session->incarnation != r->incarnation &&
		    p->incarnation != r->incarnation;
	p->marked = true;
	p->listed = true;
	p->incarnation = r->incarnation;
	if (p->handle != r->handle) {
		p->handle = r->handle;
		node_view_touch(&c->edge->node);
		repath(p);
	}
	if (restarted)
		want_soon(p, random_below(&c->edge->node.io.random, RESTART_GAP_MS / 10), now_ms);
	else if (!was_listed && session_tx(p->session) == NULL)
		want_soon(p, memcmp(c->party.self.public, p->remote, KEY_LEN) > 0 ? GIVE_WAY_MS : 0,
			now_ms);
}

static void drop_unmarked(struct community *c, uint64_t now_ms)
{
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		if (!p->marked)
			unlist(p, now_ms);
}

void peers_roster(struct community *c, const struct control_roster *m, uint64_t now_ms)
{
	struct hop *h = &c->hop;
	bool anew = m->base == 0;

	/* A page repeated, or one of a version older than ours. */
	if (!anew && m->version >> 32 == h->roster >> 32 && m->version <= h->roster)
		return;
	if (!anew && (m->base >> 32 != h->roster >> 32 || m->base > h->roster)) {
		control_post(&c->edge->node, h->session, CONTROL_REGISTER);
		return;
	}
	if (anew) {
		if (h->collecting && m->version == h->roster)
			return;
		for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
			p->marked = false;
		h->collecting = true;
	}
	for (unsigned i = 0; i < m->n; i++) {
		const struct roster_entry *r = &m->entry[i];
		struct peer *p = r->gone ? peer_find(c, r->static_public) : NULL;

		if (!r->gone)
			list(c, r, now_ms);
		else if (p != NULL && p->handle == r->handle)
			unlist(p, now_ms);
	}
	h->roster = m->version;
	if (m->last && h->collecting) {
		h->collecting = false;
		drop_unmarked(c, now_ms);
	}
}

/* ---- in the session ---- */

void peer_keyed(struct peer *p, uint64_t now_ms)
{
	struct session *s = p->session;

	if (s->origin.hop_id == 0 && !endpoint_is_none(&s->origin.remote))
		p->last_direct = s->origin.remote;
	if (session_path(s) == NULL)
		repath(p);
	control_post(node_of(p), s, CONTROL_CLAIM);
	control_post(node_of(p), s, CONTROL_CANDIDATES);
	control_flush(node_of(p), s, NULL, now_ms);
}

static void told_right_key(struct community *c)
{
	c->any_confirmed = true;
	c->told_wrong = false;
	c->unanswered = 0;
	c->unfit = 0;
}

void peer_confirmed(struct peer *p, bool restarted, uint64_t now_ms)
{
	struct node *n = node_of(p);

	told_right_key(p->community);
	if (p->handle == 0 && p->session->origin.hop_id != 0) {
		p->handle = p->session->origin.handle;
		node_view_touch(n);
	}
	if (restarted) {
		/* The new process may not know the mask key of the old: the path is to be found
		 * anew. */
		p->session->search.guessed = true;
		repath(p);
		search_again(p->session, now_ms);
		node_peer_event(n, p->session, EVENT_PEER_RESTARTED, 0);
	}
	peer_keyed(p, now_ms);
	if (!p->up) {
		p->up = true;
		node_peer_event(n, p->session, EVENT_PEER_UP, 0);
	}
	node_event(n, &(struct event){.kind = EVENT_STATE, .community = p->community->index});
}

static uint64_t mac_number(const struct mac *m)
{
	return (uint64_t)load_be16(m->b) << 32 | load_be32(m->b + 2);
}

/* One owner at a time: who has an address and is up keeps it. */
static bool claimed_by_other(const struct peer *p, const struct mac *mac)
{
	const struct community *c = p->community;

	if (mac_equal(mac, &c->mac))
		return true;
	for (const struct peer *q = c->peers; q != NULL; q = q->hh.next)
		if (q != p && q->up && mac_equal(&q->claim.mac, mac))
			return true;
	return false;
}

static void set_claim(struct peer *p, const struct control_claim *m)
{
	atomic_store_explicit(&p->session->mac, mac_number(&m->mac), memory_order_relaxed);
	if (!mac_equal(&p->claim.mac, &m->mac))
		node_view_touch(node_of(p));
	p->claim = *m;
	p->refused = (struct control_claim){0};
}

/* Whoever claimed it before is not up: no frames for it any more. */
static void take_from_others(const struct peer *p, const struct mac *mac)
{
	static const struct control_claim nothing;

	for (struct peer *q = p->community->peers; q != NULL; q = q->hh.next)
		if (q != p && mac_equal(&q->claim.mac, mac))
			set_claim(q, &nothing);
}

static void take_claim(struct peer *p, const struct control_claim *m)
{
	if (mac_is_zero(&m->mac) || mac_is_group(&m->mac))
		return;
	if (claimed_by_other(p, &m->mac)) {
		p->refused = *m;
		return;
	}
	take_from_others(p, &m->mac);
	set_claim(p, m);
}

static bool in_overlay(const struct community *c, const struct endpoint *e)
{
	for (unsigned i = 0; i < c->n_addresses; i++) {
		const struct claim_address *a = &c->address[i];
		const struct endpoint net = {.port = 0};
		unsigned bits = a->prefix;
		struct endpoint own = net;

		memcpy(own.ip, a->ip, sizeof(own.ip));
		if (endpoint_is_v4(&own) != endpoint_is_v4(e))
			continue;
		if (endpoint_is_v4(&own))
			bits += 96;
		if (memcmp(own.ip, e->ip, bits / 8) == 0 &&
			(bits % 8 == 0 ||
				((own.ip[bits / 8] ^ e->ip[bits / 8]) >> (8 - bits % 8)) == 0))
			return true;
	}
	return false;
}

static void take_candidates(struct peer *p, struct control_candidates *m, uint64_t now_ms)
{
	struct session *s = p->session;
	const struct path *path = session_path(s);
	bool new_mask = !s->mask_known || memcmp(s->mask, m->mask, MASK_LEN) != 0;
	uint8_t kept = 0;

	memcpy(s->mask, m->mask, MASK_LEN);
	s->mask_known = true;
	if (new_mask && path != NULL && path->hop == NULL)
		search_use(node_of(p), s, &path->remote, &path->local);
	/* A path to the overlay through the overlay would swallow itself. */
	for (unsigned i = 0; i < m->n; i++)
		if (!in_overlay(p->community, &m->candidate[i].endpoint))
			m->candidate[kept++] = m->candidate[i];
	m->n = kept;
	search_told(s, m, now_ms);
}

static void take_bye(struct peer *p, uint64_t now_ms)
{
	struct node *n = node_of(p);

	session_forget_keys(n, p->session);
	p->session->wanted = false;
	p->session->not_before_ms = now_ms + RESTART_GAP_MS;
	unlist(p, now_ms);
}

void peer_message(
	struct peer *p, const struct control_msg *m, const struct origin *from, uint64_t now_ms)
{
	struct node *n = node_of(p);
	union {
		struct control_candidates candidates;
		struct control_claim claim;
		struct control_probe probe;
		struct control_echo echo;
		struct control_ping ping;
	} u;

	switch (m->type) {
	case CONTROL_CANDIDATES:
		if (control_candidates_decode(&u.candidates, m->body) == 0)
			take_candidates(p, &u.candidates, now_ms);
		break;
	case CONTROL_CLAIM:
		if (control_claim_decode(&u.claim, m->body) == 0)
			take_claim(p, &u.claim);
		break;
	case CONTROL_PATH_PROBE:
		if (from->hop_id == 0 && control_probe_decode(&u.probe, m->body) == 0) {
			search_answer(n, p->session, &u.probe, from);
			search_seen(n, p->session, from, true, now_ms);
		}
		break;
	case CONTROL_PATH_ECHO:
		if (control_echo_decode(&u.echo, m->body) == 0) {
			search_echo(n, p->session, &u.echo, from, now_ms);
			if (from->hop_id == 0)
				p->last_direct = from->remote;
		}
		break;
	case CONTROL_PING:
		if (control_ping_decode(&u.ping, m->body) == 0)
			search_pong(n, p->session, &u.ping, from);
		break;
	case CONTROL_BYE:
		take_bye(p, now_ms);
		break;
	default:
		break;
	}
}

static void encode_candidates(struct community *c, uint32_t seq, struct writer *w)
{
	const struct edge *e = c->edge;
	struct control_candidates m = {.port_count = 1};

	memcpy(m.mask, c->mask, MASK_LEN);
	if (hop_is_up(c) && endpoint_is_usable(&c->hop.observed)) {
		m.candidate[m.n].kind = CANDIDATE_OBSERVED;
		m.candidate[m.n++].endpoint = c->hop.observed;
	}
	for (unsigned i = 0; i < e->n_local && m.n < CANDIDATES_MAX; i++) {
		m.candidate[m.n].kind = CANDIDATE_LOCAL;
		m.candidate[m.n++].endpoint = e->local[i];
	}
	control_candidates_encode(w, seq, &m);
}

void peer_encode(struct peer *p, enum control_type type, uint32_t seq, struct writer *w)
{
	struct community *c = p->community;
	struct control_claim claim = {.mac = c->mac, .n = c->n_addresses};

	if (type == CONTROL_CANDIDATES) {
		encode_candidates(c, seq, w);
	} else if (type == CONTROL_CLAIM) {
		memcpy(claim.address, c->address, sizeof(claim.address));
		control_claim_encode(w, seq, &claim);
	}
}

void peers_moved(struct community *c, uint64_t now_ms)
{
	static const struct endpoint anywhere;
	struct node *n = &c->edge->node;

	for (struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		const struct path *path = session_path(p->session);

		control_post(n, p->session, CONTROL_CANDIDATES);
		if (path != NULL && path->hop == NULL)
			search_use(n, p->session, &path->remote, &anywhere);
		search_again(p->session, now_ms);
		/* Whoever hears this from a new address asks back there. */
		node_send(n, p->session, KIND_ETHERNET, NULL, 0, NULL);
	}
}

/* ---- time ---- */

/* The other owner may be gone by now. */
static void claim_again(struct peer *p)
{
	const struct control_claim claim = p->refused;

	take_claim(p, &claim);
}

/* The other side may be a new process that knows nothing of us, and no roster says so. */
static void doubt_silence(struct peer *p, uint64_t now_ms)
{
	struct session *s = p->session;
	const struct keyset *k = session_tx(s);
	uint64_t sent = atomic_load_explicit(&s->tx_frame_ms, memory_order_relaxed);
	uint64_t heard = atomic_load_explicit(&s->rx_ms, memory_order_relaxed);

	if (k == NULL || s->attempt != NULL)
		return;
	if (heard < k->born_ms)
		heard = k->born_ms;
	if (sent >= heard + SILENT_MS && now_ms < sent + SILENT_MS)
		session_want(s);
}

void peers_tick(struct community *c, uint64_t now_ms)
{
	struct peer *p, *next;

	for (p = c->peers; p != NULL; p = next) {
		bool idle = p->session->attempt == NULL && p->session->embryo == NULL;

		next = p->hh.next;
		doubt_silence(p, now_ms);
		if (p->up && !mac_is_zero(&p->refused.mac))
			claim_again(p);
		if (p->up && session_sending(p->session, now_ms) == NULL && idle) {
			p->up = false;
			node_peer_event(&c->edge->node, p->session, EVENT_PEER_DOWN, 0);
		}
		if (!p->listed && !p->remembered && !p->up && idle &&
			session_tx(p->session) == NULL && now_ms >= p->unlisted_ms + FORGET_MS)
			forget(p);
	}
}
