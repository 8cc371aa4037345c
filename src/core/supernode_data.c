/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The relay, top to bottom: a datagram from a registered edge -> check the hop MAC and window ->
 * find the destination in the same community -> a new header for its hop -> out. The packet inside
 * is never touched and could not be read.
 */
#include <stdlib.h>
#include <string.h>

#include "core/relay_budget.h"
#include "core/supernode_state.h"

int supernode_worker_init(struct supernode_worker *w, unsigned thread, struct datagram_sink sink)
{
	memset(w, 0, sizeof(*w));
	w->budget = relay_budget_create();
	if (w->budget == NULL || transmitter_init(&w->tx, thread, sink, &w->drops) != 0) {
		supernode_worker_fini(w);
		return N2N_ENOMEM;
	}
	w->rx.aead = w->tx.aead;
	w->rx.drops = &w->drops;
	return 0;
}

void supernode_worker_fini(struct supernode_worker *w)
{
	transmitter_fini(&w->tx);
	relay_budget_destroy(w->budget);
	w->budget = NULL;
}

/* Where a packet of this member goes, or NULL with the reason. */
static struct session *destination(struct supernode_worker *w, const struct view *v,
	const struct view_id *from, const struct relay_header *h, enum drop *why, uint64_t now_ms)
{
	struct session *to = view_handle(v, 0, h->handle);
	const struct view_id *target = to != NULL ? view_entry(v, to->id) : NULL;

	*why = DROP_NOT_REGISTERED;
	if (from == NULL || from->handle == 0)
		return NULL;
	*why = DROP_NO_DESTINATION;
	if (target == NULL || target == from || target->community != from->community)
		return NULL;
	*why = DROP_RATE;
	return relay_budget_take(w->budget, from->id, target->id, now_ms) ? to : NULL;
}

static void count(struct supernode_worker *w, size_t len)
{
	uint64_t packets = atomic_load_explicit(&w->packets, memory_order_relaxed);
	uint64_t bytes = atomic_load_explicit(&w->bytes, memory_order_relaxed);

	atomic_store_explicit(&w->packets, packets + 1, memory_order_relaxed);
	atomic_store_explicit(&w->bytes, bytes + len, memory_order_relaxed);
}

/* x is a relay packet with its header in the clear; true when out is to be sent. */
static bool relay(struct supernode_worker *w, const struct view *v, struct rx *x,
	struct relay_header *h, struct datagram *out, uint64_t now_ms)
{
	const struct view_id *from;
	struct path path = {.hop = NULL};
	enum drop why;

	if (!receive_relayed(&w->rx, v, x, h, now_ms))
		return false;
	if (h->hop_limit == 0) {
		receive_drop(&w->rx, x, DROP_MALFORMED);
		return false;
	}
	from = view_entry(v, x->session->id);
	path.hop = destination(w, v, from, h, &why, now_ms);
	if (path.hop == NULL) {
		receive_drop(&w->rx, x, why);
		return false;
	}
	path.handle = from->handle;
	path.hop_limit = h->hop_limit;
	x->verdict = VERDICT_EMPTY;
	if (!transmit_relay_header(&w->tx, &path, x->data, x->len, out, now_ms))
		return false;
	count(w, x->len);
	return true;
}

static void classify(struct supernode_worker *w, const struct view *v, struct rx *x,
	struct datagram *out, size_t *n_out, uint64_t now_ms)
{
	uint8_t clear[RELAY_MASKED_LEN];
	struct relay_header h;
	struct session *s;

	*x = (struct rx){.in = x->in, .data = x->in.data, .len = x->in.len};
	x->origin.remote = x->in.remote;
	x->origin.local = x->in.local;
	if (x->len < DATAGRAM_MIN_LEN || x->len > DATAGRAM_MAX) {
		receive_drop(&w->rx, x, x->len < DATAGRAM_MIN_LEN ? DROP_TOO_SHORT : DROP_TOO_LONG);
		return;
	}
	packet_peek(clear, sizeof(clear), x->data, x->len, v->hop_mask);
	if (relay_header_read(&h, clear) && view_session(v, INDEX_ID(h.index)) != NULL) {
		memcpy(x->data, clear, sizeof(clear));
		*n_out += relay(w, v, x, &h, &out[*n_out], now_ms);
		return;
	}
	x->verdict = VERDICT_UNKNOWN;
	if (!data_header_read(&x->header, clear))
		return;
	s = view_session(v, INDEX_ID(x->header.index));
	x->keys = s != NULL ? session_keys(s, x->header.index) : NULL;
	if (x->keys == NULL)
		return;
	x->session = s;
	x->verdict = VERDICT_NONE;
	data_header_write(x->data, &x->header);
}

/* An envelope, or the first packet of a key set too new for this view. */
static void check_unknown(struct supernode_worker *w, const struct view *v, struct rx *x)
{
	struct data_header h;

	if (!receive_is_envelope(v, x) && !receive_peek(&h, x->data, x->len, v->hop_mask))
		receive_drop(&w->rx, x, DROP_UNKNOWN);
}

void supernode_datagrams_in(
	struct supernode_worker *w, const struct view *v, struct rx *x, size_t n, uint64_t now_ms)
{
	struct datagram out[BATCH_MAX];
	size_t n_out = 0;

	for (size_t i = 0; i < n; i++) {
		struct rx *run = &x[i];

		classify(w, v, run, out, &n_out, now_ms);
		if (run->verdict == VERDICT_NONE)
			receive_open(&w->rx, &run, 1, now_ms);
		else if (run->verdict == VERDICT_UNKNOWN)
			check_unknown(w, v, run);
	}
	if (n_out > 0)
		w->tx.sink.send(w->tx.sink.ctx, out, n_out);
}
