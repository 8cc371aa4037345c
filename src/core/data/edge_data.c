/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The data path of an edge, both ways, top to bottom.
 *
 * Out: a super-frame -> cut -> whom is it for -> a run of frames on one link -> sealed -> sent.
 * In:  a datagram -> unmask, find its key set -> a run under one key set -> opened -> halves made
 *      whole -> checked -> joined -> written.
 */
#include "core/data/edge_data.h"

#include <string.h>

#include "core/data/admit.h"
#include "core/data/flood.h"
#include "core/data/unsent.h"
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
	w->storm = &w->own_storm;
	return 0;
}

void edge_worker_fini(struct edge_worker *w)
{
	transmitter_fini(&w->tx);
}

/* ---- out ---- */

/* Sends frames[0..n) on one link; those that cannot go now are left to the control thread. */
static void send_run(struct edge_worker *w, const struct view *v, unsigned community,
	struct link *l, struct frame *frames[], size_t n, uint64_t now_ms)
{
	struct send_keys *k = link_sending(l, now_ms);

	for (size_t i = 0; i < n; i++)
		w->run[i] = (struct tx){
			.link = l,
			.keys = k,
			.packet = frames[i]->data - DATA_HEADER_LEN,
			.len = frames[i]->len,
			.kind = KIND_ETHERNET,
			.csum_unset = frames[i]->offload.csum_unset,
		};
	if (k != NULL && transmit_run(&w->tx, w->run, n, now_ms)) {
		notes_sent(w->notes, l);
		return;
	}
	for (size_t i = 0; i < n; i++)
		unsent_leave(w, v, community, l, frames[i]);
}

/* Frames for one port, in order. */
static void send_to(struct edge_worker *w, const struct view *v, unsigned community,
	const struct port *to, struct frame *frames[], size_t n, uint64_t now_ms)
{
	switch (to->kind) {
	case PORT_LINK:
		send_run(w, v, community, to->link, frames, n, now_ms);
		break;
	case PORT_SINK:
		for (size_t i = 0; i < n; i++)
			unsent_give(w, to, frames[i]);
		break;
	case PORT_NOBODY:
		drops_add(&w->drops, DROP_OWNER_AWAY, n);
		break;
	case PORT_ALL:
		flood(w, v, community, frames, n, now_ms);
		break;
	case PORT_INTERFACE:
		drops_add(&w->drops, DROP_LOCAL, n);
		break;
	}
}

/* The port a frame is for; before: the frame before it, or NULL, and its. */
static const struct port *destination(const struct view *v, unsigned community,
	const struct frame *f, const struct frame *before, const struct port *its)
{
	if (before != NULL && memcmp(f->data, before->data, 6) == 0)
		return its;
	return view_port(v, community, frame_destination(f->data));
}

void edge_frames_out(struct edge_worker *w, const struct view *v, unsigned community,
	struct frame *frames, size_t n, uint64_t now_ms)
{
	const struct frame *before = NULL;
	const struct port *to = NULL;
	struct frame *run[BATCH_MAX];
	size_t len = 0;

	if (community >= v->n_communities || v->community[community].generation == 0) {
		drops_add(&w->drops, DROP_NO_PEER, n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct frame *f = &frames[i];
		const struct port *p = to;

		if (!admit_out_again(v, f, before)) {
			if (!admit_out(w, v, community, f, before, now_ms))
				continue;
			p = destination(v, community, f, before, to);
		}
		before = f;
		if (len > 0 && p != to) {
			send_to(w, v, community, to, run, len, now_ms);
			len = 0;
		}
		to = p;
		run[len++] = f;
	}
	if (len > 0)
		send_to(w, v, community, to, run, len, now_ms);
}

/* ---- in ---- */

/* The packet is for this key set: from now on its header is in the clear. */
static void assign(struct rx *x, struct link *s, struct recv_keys *k)
{
	x->link = s;
	x->keys = k;
	data_header_write(x->data, &x->header);
}

/* before: the datagram before this one, whose look-up may serve again; or NULL. */
static bool find_by_index(
	const struct view *v, struct rx *x, enum link_kind kind, const struct rx *before)
{
	bool again = before != NULL && before->verdict == VERDICT_NONE &&
		     before->header.index == x->header.index;
	struct link *s = again ? before->link : view_link(v, INDEX_ID(x->header.index));
	struct recv_keys *k;

	if (s == NULL || s->kind != kind)
		return false;
	k = again ? before->keys : link_keys(s, x->header.index);
	if (k == NULL)
		return false;
	assign(x, s, k);
	return true;
}

/* The hop's own packet, or one relayed; false: neither, under this mask. */
static bool classify_hop(const struct view *v, struct rx *x, const uint8_t mask[MASK_LEN])
{
	uint8_t clear[RELAY_MASKED_LEN];

	packet_peek(clear, sizeof(clear), x->data, x->len, mask);
	if (data_header_read(&x->header, clear) && find_by_index(v, x, LINK_HOP, NULL))
		return true;
	if (!relay_header_read(&x->relay, clear) || view_link(v, INDEX_ID(x->relay.index)) == NULL)
		return false;
	memcpy(x->data, clear, sizeof(clear));
	x->verdict = VERDICT_RELAYED;
	return true;
}

/* True when it came from a supernode: communities at the same one have a mask each. */
static bool classify_hops(struct edge_worker *w, const struct view *v, struct rx *x)
{
	const struct view_hop *first = v->doors.hop, *end = first + v->doors.n_hops;
	const struct view_hop *h = first + (w->last.hop < v->doors.n_hops ? w->last.hop : 0);
	bool supernode = false;

	for (uint32_t left = v->doors.n_hops; left > 0; left--) {
		if (way_same_remote(&h->way, &x->in.way)) {
			supernode = true;
			if (classify_hop(v, x, h->mask)) {
				w->last.hop = (uint32_t)(h - first);
				return true;
			}
		}
		h = h + 1 < end ? h + 1 : first;
	}
	if (supernode)
		x->verdict = VERDICT_UNKNOWN;
	return supernode;
}

/* Directly, from a peer in one of our communities. */
static bool classify_peer(
	struct edge_worker *w, const struct view *v, struct rx *x, const struct rx *before)
{
	const uint32_t n = v->n_communities;
	uint32_t place = w->last.community < n ? w->last.community : 0;

	for (uint32_t left = n; left > 0; left--) {
		const struct view_community *c = &v->community[place];

		if (c->generation != 0 && receive_peek(&x->header, x->data, x->len, c->mask) &&
			find_by_index(v, x, LINK_PEER, before)) {
			w->last.community = place;
			return true;
		}
		place = place + 1 < n ? place + 1 : 0;
	}
	return false;
}

static void classify(
	struct edge_worker *w, const struct view *v, struct rx *x, const struct rx *before)
{
	*x = (struct rx){.in = x->in, .data = x->in.data, .len = x->in.len};
	x->origin.way = x->in.way;
	if (x->len < DATAGRAM_MIN_LEN) {
		receive_drop(&w->rx, x, DROP_TOO_SHORT);
		return;
	}
	if (x->len > DATAGRAM_MAX) {
		receive_drop(&w->rx, x, DROP_TOO_LONG);
		return;
	}
	if (!classify_hops(w, v, x) && !classify_peer(w, v, x, before))
		x->verdict = VERDICT_UNKNOWN;
}

static bool fits(struct rx *x, struct link *s, struct recv_keys *k)
{
	if (k == NULL || !receive_peek(&x->header, x->data, x->len, k->mask) ||
		x->header.index != k->index)
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
	struct link *s;

	if (before != NULL && before->verdict == VERDICT_NONE &&
		before->origin.handle == x->origin.handle && fits(x, before->link, before->keys))
		return;
	s = view_handle(v, x->origin.hop_id, x->origin.handle);
	for (unsigned i = 0; s != NULL && i < LINK_POSITIONS; i++)
		if (fits(x, s, atomic_load_explicit(&s->rx[i], memory_order_acquire)))
			return;
}

/* A group packet: under one of the keys that who is behind its handle has told (PROTOCOL.md 10.1).
 */
static void find_group(struct edge_worker *w, const struct view *v, struct rx *x, uint64_t now_ms)
{
	struct link *s = view_handle(v, x->origin.hop_id, x->origin.handle);
	uint8_t clear[DATA_HEADER_LEN];

	for (unsigned i = 0; s != NULL && i < LINK_GROUP_KEYS; i++) {
		struct recv_keys *k = atomic_load_explicit(&s->group[i], memory_order_acquire);

		if (k == NULL)
			continue;
		packet_peek(clear, sizeof(clear), x->data, x->len, k->mask);
		if (!group_header_read(&x->header, clear) || x->header.index != k->index)
			continue;
		assign(x, s, k);
		x->verdict = VERDICT_NONE;
		return;
	}
	x->header.group = false;
	receive_drop(&w->rx, x, DROP_GROUP_KEY);
	if (s != NULL && w->notes != NULL)
		notes_lacking(w->notes, s, now_ms);
}

/* Of one hop, with a relay header each. */
static void relayed_run(
	struct edge_worker *w, const struct view *v, struct rx *run[], size_t n, uint64_t now_ms)
{
	n = receive_relayed(&w->rx, v, run, n, now_ms);
	for (size_t i = 0; i < n; i++) {
		struct rx *x = run[i];

		x->origin.hop_id = x->link->id;
		x->origin.handle = x->relay.handle;
		x->link = NULL;
		x->keys = NULL;
		x->verdict = VERDICT_UNKNOWN;
		if (x->relay.group)
			find_group(w, v, x, now_ms);
		else
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
 * An unknown datagram goes to the control thread if it may be for us: an envelope, or a packet
 * under keys too new for this view. What was relayed and is no envelope cannot be told from noise
 * here, since the first packet of a handshake has a mask that no view is in time for; it has a
 * queue and budgets of its own.
 */
static void check_unknown(struct edge_worker *w, const struct view *v, struct rx *x)
{
	bool supernode = view_is_supernode(v, &x->in.way);
	struct data_header h;

	if (receive_envelope(v, x) || x->origin.hop_id != 0 ||
		atomic_load_explicit(v->split_direct, memory_order_relaxed) ||
		receive_may_be_cookie(x))
		return;
	/* Its answers may have any padding, and only the control thread can open them. */
	if (supernode && x->len >= ENVELOPE_MIN_LEN && x->len <= ENVELOPE_MAX_LEN)
		return;
	for (uint32_t i = 0; supernode && i < v->doors.n_hops; i++)
		if (receive_peek(&h, x->data, x->len, v->doors.hop[i].mask))
			return;
	for (unsigned i = 0; i < v->n_communities; i++)
		if (v->community[i].generation != 0 &&
			receive_peek(&h, x->data, x->len, v->community[i].mask))
			return;
	receive_drop(&w->rx, x, DROP_UNKNOWN);
}

void edge_datagrams_in(
	struct edge_worker *w, const struct view *v, struct rx *x, size_t n, uint64_t now_ms)
{
	const struct rx *before = NULL;

	for (size_t i = 0; i < n; i++)
		classify(w, v, &x[i], i > 0 ? &x[i - 1] : NULL);
	take_relayed(w, v, x, n, now_ms);
	open_all(w, x, n, now_ms);
	for (size_t i = 0; i < n; i++) {
		if (x[i].verdict == VERDICT_HALF)
			halves_join(&w->halves, &w->rx, v->pieces, x, i, n, now_ms);
		if (x[i].verdict == VERDICT_FRAME) {
			if (!admit_in_again(&x[i], before))
				admit_in(w, v, &x[i], before, now_ms);
			before = x[i].verdict == VERDICT_FRAME ? &x[i] : before;
		} else if (x[i].verdict == VERDICT_UNKNOWN) {
			check_unknown(w, v, &x[i]);
		}
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
		if (len > 0 && x[i].link->community != community) {
			write_run(w, community, frames, len);
			f = &frames[0];
			len = 0;
		}
		community = x[i].link->community;
		*f = (struct frame){x[i].data, x[i].len, x[i].offload};
		if (w->in.csum_unset || unsent_finish(w, f))
			len++;
	}
	if (len > 0)
		write_run(w, community, frames, len);
}
