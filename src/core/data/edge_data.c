/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The data path of an edge, both ways, top to bottom.
 *
 * Out: a super-frame -> cut -> whom is it for -> a run of frames to one session -> sealed -> sent.
 * In:  a datagram -> unmask, find its key set -> a run under one key set -> opened -> checked ->
 *      joined -> written.
 */
#include "core/data/edge_data.h"

#include <string.h>

#include "wire/envelope.h"

int edge_worker_init(struct edge_worker *w, unsigned thread, struct datagram_sink sink)
{
	memset(w, 0, sizeof(*w));
	if (transmitter_init(&w->tx, thread, sink, &w->drops) != 0) {
		edge_worker_fini(w);
		return N2N_ENOMEM;
	}
	w->rx.aead = w->tx.aead;
	w->rx.drops = &w->drops;
	return 0;
}

void edge_worker_fini(struct edge_worker *w)
{
	transmitter_fini(&w->tx);
}

/* Makes a frame whole where nobody else would. */
static bool finish(struct edge_worker *w, struct frame *f)
{
	if (offload_fill(f))
		return true;
	drops_add(&w->drops, DROP_MALFORMED, 1);
	return false;
}

/* ---- out ---- */

static void leave_waiting(
	struct edge_worker *w, struct session *s, struct frame *f, unsigned community)
{
	if (finish(w, f))
		w->unsent(w->unsent_ctx, &(struct unsent){s, f, community});
}

/* Sends frames[0..n) to one session; those that cannot go now are left to the control thread. */
static void send_run(struct edge_worker *w, struct session *s, unsigned community,
	struct frame *frames[], size_t n, uint64_t now_ms)
{
	struct keyset *k = session_sending(s, now_ms);

	for (size_t i = 0; i < n; i++)
		w->run[i] = (struct tx){
			.session = s,
			.keys = k,
			.packet = frames[i]->data - DATA_HEADER_LEN,
			.len = frames[i]->len,
			.kind = KIND_ETHERNET,
			.csum_unset = frames[i]->offload.csum_unset,
		};
	if (k != NULL && transmit_run(&w->tx, w->run, n, now_ms))
		return;
	for (size_t i = 0; i < n; i++)
		leave_waiting(w, s, frames[i], community);
}

/* One copy for each peer; those without keys are left to the control thread. */
static void send_to_all(struct edge_worker *w, const struct view_community *c, unsigned community,
	struct frame *f, uint64_t now_ms)
{
	bool unreached = false;

	for (uint32_t i = 0; i < c->n_peers; i++) {
		struct keyset *k = session_sending(c->peers[i], now_ms);
		uint8_t *copy = w->copy + SLOT_HEADROOM;
		struct tx x = {
			.session = c->peers[i],
			.keys = k,
			.packet = copy - DATA_HEADER_LEN,
			.len = f->len,
			.kind = KIND_ETHERNET,
			.csum_unset = f->offload.csum_unset,
		};

		memcpy(copy, f->data, f->len);
		if (k == NULL || !transmit_run(&w->tx, &x, 1, now_ms))
			unreached = true;
	}
	if (unreached)
		leave_waiting(w, NULL, f, community);
}

/* The session a frame is for, or NULL for everybody; before: the frame before it, or NULL. */
static struct session *destination(const struct view *v, unsigned community, const struct frame *f,
	const struct frame *before, struct session *its)
{
	struct mac to;

	if (before != NULL && memcmp(f->data, before->data, sizeof(to.b)) == 0)
		return its;

	memcpy(to.b, f->data, sizeof(to.b));
	return mac_is_group(&to) ? NULL : view_mac(v, community, &to);
}

void edge_frames_out(struct edge_worker *w, const struct view *v, unsigned community,
	struct frame *frames, size_t n, uint64_t now_ms)
{
	const struct view_community *c = &v->community[community];
	const struct frame *before = NULL;
	struct frame *run[BATCH_MAX];
	struct session *to = NULL;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		struct frame *f = &frames[i];
		struct session *s;

		if (f->len < FRAME_MIN || f->len > FRAME_MAX) {
			drops_add(&w->drops,
				f->len < FRAME_MIN ? DROP_FRAME_SHORT : DROP_FRAME_LONG, 1);
			continue;
		}
		s = destination(v, community, f, before, to);
		before = f;
		if (len > 0 && s != to) {
			send_run(w, to, community, run, len, now_ms);
			len = 0;
		}
		to = s;
		if (s != NULL)
			run[len++] = f;
		else if (c->n_peers > 0)
			send_to_all(w, c, community, f, now_ms);
		else
			drops_add(&w->drops, DROP_NO_PEER, 1);
	}
	if (len > 0)
		send_run(w, to, community, run, len, now_ms);
}

/* ---- in ---- */

/* The packet is for this key set: from now on its header is in the clear. */
static void assign(struct rx *x, struct session *s, struct keyset *k)
{
	x->session = s;
	x->keys = k;
	data_header_write(x->data, &x->header);
}

/* before: the datagram before this one, whose look-up may serve again; or NULL. */
static bool find_by_index(
	const struct view *v, struct rx *x, enum session_kind kind, const struct rx *before)
{
	bool again = before != NULL && before->verdict == VERDICT_NONE &&
		     before->header.index == x->header.index;
	struct session *s = again ? before->session : view_session(v, INDEX_ID(x->header.index));
	struct keyset *k;

	if (s == NULL || s->kind != kind)
		return false;
	k = again ? before->keys : session_keys(s, x->header.index);
	if (k == NULL)
		return false;
	assign(x, s, k);
	return true;
}

/* A datagram from a supernode: the hop's own packet, or one relayed. */
static void classify_hop(const struct view *v, struct rx *x)
{
	uint8_t clear[RELAY_MASKED_LEN];

	packet_peek(clear, sizeof(clear), x->data, x->len, v->hop_mask);
	if (data_header_read(&x->header, clear) && find_by_index(v, x, SESSION_HOP, NULL))
		return;
	x->verdict = VERDICT_UNKNOWN;
	if (!relay_header_read(&x->relay, clear) ||
		view_session(v, INDEX_ID(x->relay.index)) == NULL)
		return;
	memcpy(x->data, clear, sizeof(clear));
	x->verdict = VERDICT_RELAYED;
}

static void classify(
	struct edge_worker *w, const struct view *v, struct rx *x, const struct rx *before)
{
	*x = (struct rx){.in = x->in, .data = x->in.data, .len = x->in.len};
	x->origin.remote = x->in.remote;
	x->origin.local = x->in.local;
	if (x->len < DATAGRAM_MIN_LEN) {
		receive_drop(&w->rx, x, DROP_TOO_SHORT);
		return;
	}
	if (x->len > DATAGRAM_MAX) {
		receive_drop(&w->rx, x, DROP_TOO_LONG);
		return;
	}
	if (view_is_supernode(v, &x->in.remote)) {
		classify_hop(v, x);
		return;
	}
	for (unsigned i = 0; i < v->n_communities; i++)
		if (receive_peek(&x->header, x->data, x->len, v->community[i].mask) &&
			find_by_index(v, x, SESSION_PEER, before))
			return;
	x->verdict = VERDICT_UNKNOWN;
}

static bool fits(struct rx *x, struct session *s, struct keyset *k)
{
	if (k == NULL || !receive_peek(&x->header, x->data, x->len, k->rx_mask) ||
		x->header.index != k->rx_index)
		return false;
	assign(x, s, k);
	x->verdict = VERDICT_NONE;
	return true;
}

/*
 * Through the relay the split's mask keys are used; the source handle tells whose to try, and the
 * packet before it which first.
 */
static void find_by_handle(const struct view *v, struct rx *x, const struct rx *before)
{
	struct session *s;

	if (before != NULL && before->verdict == VERDICT_NONE &&
		before->origin.handle == x->origin.handle && fits(x, before->session, before->keys))
		return;
	s = view_handle(v, x->origin.hop_id, x->origin.handle);
	for (unsigned i = 0; s != NULL && i < SESSION_POSITIONS; i++)
		if (fits(x, s, atomic_load_explicit(&s->rx[i], memory_order_acquire)))
			return;
}

/* Of one hop, with a relay header each. */
static void relayed_run(
	struct edge_worker *w, const struct view *v, struct rx *run[], size_t n, uint64_t now_ms)
{
	n = receive_relayed(&w->rx, v, run, n, now_ms);
	for (size_t i = 0; i < n; i++) {
		struct rx *x = run[i];

		x->origin.hop_id = x->session->id;
		x->origin.handle = x->relay.handle;
		x->session = NULL;
		x->keys = NULL;
		x->verdict = VERDICT_UNKNOWN;
		find_by_handle(v, x, i > 0 ? run[i - 1] : NULL);
	}
}

static void take_relayed(
	struct edge_worker *w, const struct view *v, struct rx *x, size_t n, uint64_t now_ms)
{
	struct rx *run[BATCH_MAX];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (x[i].verdict != VERDICT_RELAYED)
			continue;
		if (len > 0 && x[i].relay.index != run[0]->relay.index) {
			relayed_run(w, v, run, len, now_ms);
			len = 0;
		}
		run[len++] = &x[i];
	}
	if (len > 0)
		relayed_run(w, v, run, len, now_ms);
}

static void open_all(struct edge_worker *w, struct rx *x, size_t n, uint64_t now_ms)
{
	struct rx *run[BATCH_MAX];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (x[i].verdict != VERDICT_NONE)
			continue;
		if (len > 0 && x[i].keys != run[0]->keys) {
			receive_open(&w->rx, run, len, now_ms);
			len = 0;
		}
		run[len++] = &x[i];
	}
	if (len > 0)
		receive_open(&w->rx, run, len, now_ms);
}

/*
 * An unknown datagram goes to the control thread if it may be for us: an envelope, or a packet of a
 * key set too new for this view. What was relayed cannot be told from noise here, since the first
 * packet of a handshake has a mask that no view is in time for; it has a queue and budgets of its
 * own.
 */
static void check_unknown(struct edge_worker *w, const struct view *v, struct rx *x)
{
	bool supernode = view_is_supernode(v, &x->in.remote);
	struct data_header h;

	if (x->origin.hop_id != 0 || v->split_direct || receive_is_envelope(v, x))
		return;
	/* Its answers may have any padding, and only the control thread can open them. */
	if (supernode && x->len >= ENVELOPE_MIN_LEN && x->len <= ENVELOPE_MAX_LEN)
		return;
	if (supernode && receive_peek(&h, x->data, x->len, v->hop_mask))
		return;
	for (unsigned i = 0; i < v->n_communities; i++)
		if (receive_peek(&h, x->data, x->len, v->community[i].mask))
			return;
	receive_drop(&w->rx, x, DROP_UNKNOWN);
}

/* A member may send only from its own address: it cannot pose as another. */
static void check_frame(struct edge_worker *w, struct rx *x)
{
	uint64_t owned = atomic_load_explicit(&x->session->mac, memory_order_relaxed);
	struct frame f = {.data = x->data, .len = x->len, .offload = x->offload};

	if (x->len > FRAME_MAX) {
		receive_drop(&w->rx, x, DROP_FRAME_LONG);
	} else if (owned == 0) { /* the control thread takes whole frames */
		x->verdict = finish(w, &f) ? VERDICT_EARLY : VERDICT_DROP;
		x->why = DROP_MALFORMED;
		x->header.csum_unset = false;
	} else if (owned != frame_source(x->data)) {
		receive_drop(&w->rx, x, DROP_SOURCE_MAC);
	}
}

void edge_datagrams_in(
	struct edge_worker *w, const struct view *v, struct rx *x, size_t n, uint64_t now_ms)
{
	for (size_t i = 0; i < n; i++)
		classify(w, v, &x[i], i > 0 ? &x[i - 1] : NULL);
	take_relayed(w, v, x, n, now_ms);
	open_all(w, x, n, now_ms);
	for (size_t i = 0; i < n; i++) {
		if (x[i].verdict == VERDICT_FRAME)
			check_frame(w, &x[i]);
		else if (x[i].verdict == VERDICT_UNKNOWN)
			check_unknown(w, v, &x[i]);
	}
}

static void write_run(
	struct edge_worker *w, unsigned community, const struct frame *frames, size_t n)
{
	size_t n_joined = offload_join(&w->join, frames, n, w->in.kinds);

	w->in.write(w->in.ctx, community, w->join.out, n_joined);
}

void edge_frames_in(struct edge_worker *w, const struct rx *x, size_t n)
{
	struct frame frames[BATCH_MAX];
	unsigned community = 0;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		struct frame *f = &frames[len];

		if (x[i].verdict != VERDICT_FRAME)
			continue;
		if (len > 0 && x[i].session->community != community) {
			write_run(w, community, frames, len);
			f = &frames[0];
			len = 0;
		}
		community = x[i].session->community;
		*f = (struct frame){x[i].data, x[i].len, x[i].offload};
		if (w->in.csum_unset || finish(w, f))
			len++;
	}
	if (len > 0)
		write_run(w, community, frames, len);
}
