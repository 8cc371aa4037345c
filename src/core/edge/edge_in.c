/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The slow way in: what a worker could not place comes here (PROTOCOL.md 6.5). Packets for key sets
 * so new that no view has them, first packets of handshakes we answered, envelopes; all within
 * budgets, so that strangers cannot keep the control thread from its work.
 */
#include <string.h>

#include "core/edge/edge_state.h"
#include "core/frame/offload.h"

#define RELAYED_PER_S	50
#define RELAYED_BURST	50
#define SPLIT_MASKS_MAX 4
#define SUPERNODE_PER_S 500
#define WANTED_WAIT_MS	5000u /* longest pause after failures while a frame waits */

/* ---- what was opened ---- */

static void deliver(struct edge *e, const struct session *s, const struct frame *f)
{
	uint64_t owned = atomic_load_explicit(&s->mac, memory_order_relaxed);

	if (f->len < FRAME_MIN || f->len > FRAME_MAX || owned == 0 ||
		owned != frame_source(f->data))
		drops_add(&e->node.drops, DROP_SOURCE_MAC, 1);
	else
		e->node.io.deliver(e->node.io.ctx, s->community, f);
}

static void take_plain(struct edge *e, struct session *s, const struct keyset *k,
	const struct data_header *h, uint8_t *data, size_t len, const struct origin *from,
	uint64_t now_ms)
{
	struct frame f = {.data = data, .len = len};

	if (h->kind == KIND_CONTROL)
		control_input(&e->node, s, k, data, len, from, now_ms);
	else if (h->csum_unset && !(offload_locate(&f) && offload_fill(&f)))
		drops_add(&e->node.drops, DROP_MALFORMED, 1);
	else if (h->kind == KIND_ETHERNET && len > 0)
		deliver(e, s, &f);
}

static void heard(struct edge *e, struct session *s, struct keyset *k, unsigned kind,
	const struct origin *from, uint64_t now_ms)
{
	e->node.now_ms = now_ms;
	if (!k->confirmed)
		session_confirm(&e->node, s, k);
	if (s->gone || s->kind != SESSION_PEER)
		return;
	if (from->hop_id != 0) {
		search_doubt(&e->node, s, now_ms);
	} else {
		((struct peer *)s->owner)->last_direct = from->remote;
		budget_know(&e->budget, &from->remote);
		search_seen(&e->node, s, from, kind == KIND_CONTROL, now_ms);
	}
}

void edge_heard(struct edge *e, uint32_t index, const struct origin *from, uint64_t now_ms)
{
	struct keyset *k;
	struct session *s = session_by_index(&e->node, index, &k);

	if (s != NULL)
		heard(e, s, k, KIND_ETHERNET, from, now_ms);
}

void edge_control(struct edge *e, uint32_t index, const uint8_t *plain, size_t len,
	const struct origin *from, uint64_t now_ms)
{
	struct keyset *k;
	struct session *s = session_by_index(&e->node, index, &k);

	if (s == NULL)
		return;
	heard(e, s, k, KIND_CONTROL, from, now_ms);
	if (!s->gone)
		control_input(&e->node, s, k, plain, len, from, now_ms);
}

void edge_early_frame(struct edge *e, uint32_t index, const struct frame *f, uint64_t now_ms)
{
	struct session *s = session_by_id(&e->node, INDEX_ID(index));

	e->node.now_ms = now_ms;
	if (s != NULL)
		deliver(e, s, f);
}

/* A broadcast wakes those who are there: listed, or, with no roster to go by, met before. */
static bool wants_broadcast(const struct peer *p, uint64_t now_ms)
{
	return session_sending(p->session, now_ms) == NULL &&
	       (p->listed || (p->remembered && !hop_is_up(p->community)));
}

static void hold(struct edge *e, struct session *s, const struct frame *f, uint64_t now_ms)
{
	if (!wait_frame(&e->node, s, f, now_ms))
		return;
	if (session_sending(s, now_ms) == NULL || session_used_up(s))
		session_want(s);
	if (s->confirmed && s->not_before_ms > now_ms + WANTED_WAIT_MS)
		s->not_before_ms = now_ms + WANTED_WAIT_MS;
	session_tick(&e->node, s, now_ms);
	wait_flush(&e->node, s, now_ms);
}

void edge_frame_waits(struct edge *e, unsigned community, uint32_t session_id,
	const struct frame *f, uint64_t now_ms)
{
	struct session *s = session_id != 0 ? session_by_id(&e->node, session_id) : NULL;

	e->node.now_ms = now_ms;
	if (s != NULL) {
		hold(e, s, f, now_ms);
		return;
	}
	for (struct peer *p = e->community[community]->peers; session_id == 0 && p != NULL;
		p = p->hh.next)
		if (wants_broadcast(p, now_ms) && e->node.n_waiting < WAITING_MAX / 2)
			hold(e, p->session, f, now_ms);
}

/* ---- packets for key sets the worker did not know ---- */

static void open_packet(struct edge *e, struct session *s, struct keyset *k,
	const struct data_header *h, uint8_t *data, size_t len, const struct origin *from,
	uint64_t now_ms)
{
	struct rx x = {
		.session = s, .keys = k, .header = *h, .data = data, .len = len, .origin = *from};
	struct rx *run = &x;

	receive_open(&e->worker.rx, &run, 1, now_ms);
	if (x.verdict == VERDICT_DROP)
		return;
	heard(e, s, k, h->kind, from, now_ms);
	if (!s->gone)
		take_plain(e, s, k, h, x.data, x.len, from, now_ms);
}

static void confirm_embryo(struct edge *e, struct embryo *b, const struct data_header *h,
	uint8_t *data, size_t len, const struct origin *from, uint64_t now_ms)
{
	struct session *s = responder_confirm(&e->node, b, h, data, len, from, now_ms);

	if (s != NULL && !s->gone)
		take_plain(e, s, session_keys(s, h->index), h, data + DATA_HEADER_LEN,
			len - DATA_OVERHEAD, from, now_ms);
}

/* A known index under this mask, or exactly the one given: it is for us, and handled. */
static bool try_mask(struct edge *e, const uint8_t mask[MASK_LEN], const uint32_t *index,
	uint8_t *data, size_t len, const struct origin *from, uint64_t now_ms)
{
	struct data_header h;
	struct session *s;
	struct keyset *k;
	struct embryo *b;

	if (!receive_peek(&h, data, len, mask) || (index != NULL && h.index != *index))
		return false;
	s = session_by_index(&e->node, h.index, &k);
	b = responder_by_index(&e->node, h.index);
	if (s == NULL && b == NULL)
		return false;
	data_header_write(data, &h);
	if (s != NULL)
		open_packet(e, s, k, &h, data, len, from, now_ms);
	else
		confirm_embryo(e, b, &h, data, len, from, now_ms);
	return true;
}

static bool same_place(const struct origin *a, const struct origin *b)
{
	return a->hop_id != 0 || b->hop_id != 0 ? a->hop_id == b->hop_id && a->handle == b->handle
						: endpoint_equal(&a->remote, &b->remote);
}

/* Split masks, of whoever shook hands from this place: first what waits for confirmation; 4 at
 * most. */
static bool try_split_masks(struct edge *e, struct community *c, uint8_t *data, size_t len,
	const struct origin *from, uint64_t now_ms)
{
	unsigned left = SPLIT_MASKS_MAX;

	for (unsigned i = 0; i < e->node.n_embryos && left > 0; i++) {
		struct embryo *b = &e->node.embryos[i];

		if (b->party != &c->party || !same_place(&b->origin, from))
			continue;
		left--;
		if (try_mask(e, b->rx_mask, &b->result.rx_index, data, len, from, now_ms))
			return true;
	}
	for (struct peer *p = c->peers; p != NULL && left > 0; p = p->hh.next) {
		bool relayed = from->hop_id != 0 && p->handle == from->handle;

		if (!relayed && !same_place(&p->session->origin, from))
			continue;
		for (unsigned i = 0; i < SESSION_POSITIONS && left > 0; i++) {
			struct keyset *k =
				atomic_load_explicit(&p->session->rx[i], memory_order_relaxed);

			if (k == NULL)
				continue;
			left--;
			if (try_mask(e, k->rx_mask, &k->rx_index, data, len, from, now_ms))
				return true;
		}
	}
	return false;
}

/* ---- envelopes ---- */

static bool try_answers(struct edge *e, struct community *c, uint8_t *data, size_t len,
	const struct origin *from, uint64_t now_ms)
{
	if (from->hop_id == 0 && endpoint_equal(&c->hop.remote, &from->remote)) {
		if (hop_hello_answer(c, data, len, now_ms))
			return true;
		if (c->hop.session != NULL && c->hop.session->attempt != NULL &&
			attempt_cookie(c->hop.session->attempt, data, len) == 0) {
			c->hop.session->attempt_next_ms = now_ms;
			session_tick(&e->node, c->hop.session, now_ms);
			return true;
		}
	}
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		struct session *s = p->session;

		if (s->attempt == NULL ||
			(from->hop_id != 0 ? p->handle != from->handle
					   : !endpoint_equal(&p->last_direct, &from->remote)))
			continue;
		if (attempt_cookie(s->attempt, data, len) == 0) {
			s->attempt_next_ms = now_ms;
			session_tick(&e->node, s, now_ms);
			return true;
		}
	}
	return false;
}

static void take_response(
	struct edge *e, const uint8_t *body, size_t len, const struct origin *from, uint64_t now_ms)
{
	struct msg_response m;
	struct session *s;

	if (msg_response_decode(&m, body, len) != 0) {
		drops_add(&e->node.drops, DROP_MALFORMED, 1);
		return;
	}
	s = session_by_id(&e->node, INDEX_ID(m.receiver));
	if (s == NULL || !session_response(&e->node, s, &m, from, now_ms))
		drops_add(&e->node.drops, DROP_AUTH, 1);
}

static bool try_envelope(struct edge *e, const struct party *self, const uint8_t *data, size_t len,
	const struct origin *from, uint64_t now_ms)
{
	uint8_t body[ENVELOPE_BODY_MAX];
	size_t body_len = len - ENVELOPE_OVERHEAD;
	struct msg_init init;
	unsigned type;

	if (envelope_open(body, data, len, NULL, 0, self->env_key) != 0)
		return false;
	type = envelope_type(body, body_len);
	if (type == PACKET_RESPONSE)
		take_response(e, body, body_len, from, now_ms);
	else if (type == PACKET_INIT && self->role == ROLE_EDGE &&
		 msg_init_decode(&init, body, body_len) == 0)
		responder_init(&e->node, self, &init, from, data + len - TAG_LEN, now_ms);
	else
		drops_add(&e->node.drops, DROP_MALFORMED, 1);
	return true;
}

static bool try_community(struct edge *e, struct community *c, uint8_t *data, size_t len,
	const struct origin *from, uint64_t now_ms)
{
	if (try_split_masks(e, c, data, len, from, now_ms))
		return true;
	if (len < ENVELOPE_MIN_LEN || len > ENVELOPE_MAX_LEN)
		return false;
	if (try_envelope(e, &c->party, data, len, from, now_ms))
		return true;
	if (c->hop.session != NULL && from->hop_id == 0 &&
		endpoint_equal(&c->hop.remote, &from->remote) &&
		try_envelope(e, &c->hop.party, data, len, from, now_ms))
		return true;
	return try_answers(e, c, data, len, from, now_ms);
}

/* ---- unknown datagrams ---- */

static bool within_budget(struct edge *e, const struct origin *from, uint64_t now_ms)
{
	uint8_t h[8], key[8];

	if (from->hop_id == 0)
		return budget_take(&e->budget, &from->remote, now_ms);
	store_be32(key, from->hop_id);
	store_be32(key + 4, from->handle);
	crypto_siphash64(h, e->node.hash_key, key, sizeof(key));
	return bucket_take(
		&e->relayed[h[0] % BUDGET_BUCKETS], now_ms, RELAYED_PER_S, RELAYED_BURST);
}

static bool from_supernode(const struct edge *e, const struct origin *from)
{
	for (unsigned i = 0; i < e->n_communities; i++)
		if (from->hop_id == 0 &&
			endpoint_equal(&e->community[i]->hop.remote, &from->remote))
			return true;
	return false;
}

/* A peer of an earlier run still sends to us under keys that we have forgotten. */
static bool wake_stale(struct edge *e, struct community *c, uint8_t *data, size_t len,
	const struct origin *from, uint64_t now_ms)
{
	struct data_header h;

	if (from->hop_id != 0 || !receive_peek(&h, data, len, c->mask))
		return false;
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		if (!endpoint_equal(&p->last_direct, &from->remote) ||
			session_tx(p->session) != NULL)
			continue;
		session_want(p->session);
		session_tick(&e->node, p->session, now_ms);
		return true;
	}
	return false;
}

static bool take_relayed(
	struct edge *e, uint8_t *data, size_t len, const struct origin *from, uint64_t now_ms)
{
	struct session *hop = session_by_id(&e->node, from->hop_id);

	return hop != NULL && hop->kind == SESSION_HOP &&
	       try_community(e, hop->owner, data, len, from, now_ms);
}

static bool take_direct(
	struct edge *e, uint8_t *data, size_t len, const struct origin *from, uint64_t now_ms)
{
	for (unsigned i = 0; i < e->n_communities; i++)
		if (try_community(e, e->community[i], data, len, from, now_ms))
			return true;
	for (unsigned i = 0; i < e->n_communities; i++)
		if (wake_stale(e, e->community[i], data, len, from, now_ms))
			return true;
	return false;
}

/* The first packets under keys newer than the worker's view, at a known index, are no stranger's.
 */
static bool take_known(
	struct edge *e, uint8_t *data, size_t len, const struct origin *from, uint64_t now_ms)
{
	for (unsigned i = 0; i < e->n_communities; i++)
		if (try_mask(e, e->community[i]->mask, NULL, data, len, from, now_ms))
			return true;
	return from_supernode(e, from) && try_mask(e, e->hop_mask, NULL, data, len, from, now_ms);
}

void edge_unknown(
	struct edge *e, uint8_t *data, size_t len, const struct origin *from, uint64_t now_ms)
{
	bool allowed;

	e->node.now_ms = now_ms;
	if (len < DATAGRAM_MIN_LEN || len > DATAGRAM_MAX ||
		(from->hop_id == 0 && take_known(e, data, len, from, now_ms)))
		return;
	allowed = from_supernode(e, from)
			  ? bucket_take(&e->supernodes, now_ms, SUPERNODE_PER_S, SUPERNODE_PER_S)
			  : within_budget(e, from, now_ms);
	if (!allowed)
		drops_add(&e->node.drops, DROP_RATE, 1);
	else if (from->hop_id != 0 ? !take_relayed(e, data, len, from, now_ms)
				   : !take_direct(e, data, len, from, now_ms))
		drops_add(&e->node.drops, DROP_UNKNOWN, 1);
}

void edge_datagram(struct edge *e, struct datagram *d, uint64_t now_ms)
{
	struct rx x = {.in = *d};

	e->node.now_ms = now_ms;
	edge_datagrams_in(&e->worker, node_view(&e->node), &x, 1, now_ms);
	switch (x.verdict) {
	case VERDICT_UNKNOWN:
		edge_unknown(e, x.data, x.len, &x.origin, now_ms);
		break;
	case VERDICT_FRAME:
	case VERDICT_EARLY:
	case VERDICT_EMPTY:
	case VERDICT_CONTROL:
		heard(e, x.session, x.keys, x.header.kind, &x.origin, now_ms);
		if (!x.session->gone)
			take_plain(
				e, x.session, x.keys, &x.header, x.data, x.len, &x.origin, now_ms);
		break;
	case VERDICT_NONE:
	case VERDICT_RELAYED:
	case VERDICT_DROP:
		break;
	}
}
