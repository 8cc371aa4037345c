/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The relay, top to bottom: a run of datagrams from a registered edge to another -> check the hop
 * MACs and window -> find the destination in the same community -> new headers for its hop -> out.
 * The packets inside are never touched and could not be read.
 */
#include "core/data/supernode_data.h"

#include <stdlib.h>
#include <string.h>

int supernode_worker_init(struct supernode_worker *w, unsigned thread, struct relay_pairs *pairs,
	struct datagram_sink sink)
{
	memset(w, 0, sizeof(*w));
	w->budget = relay_budget_create(pairs);
	if (w->budget == NULL || transmitter_init(&w->tx, thread, sink, &w->drops) != 0 ||
		copier_init(&w->copier, &w->tx) != 0) {
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
	copier_fini(&w->copier);
	relay_budget_destroy(w->budget);
	w->budget = NULL;
}

/*
 * Where packets of this member with this handle go, or NULL with the reason. own: the word of its
 * registration, which may change at any time and is read once.
 */
static struct link *destination(const struct view *v, const struct link *from, uint64_t own,
	uint32_t handle, enum drop *why)
{
	struct link *to = view_handle(v, 0, handle);

	*why = DROP_NOT_REGISTERED;
	if (own == 0)
		return NULL;
	*why = DROP_NO_DESTINATION;
	if (to == NULL || to == from || link_word(&to->member) >> 32 != own >> 32)
		return NULL;
	return to;
}

static void count(struct supernode_worker *w, const struct datagram *out, size_t n)
{
	uint64_t packets = atomic_load_explicit(&w->packets, memory_order_relaxed);
	uint64_t bytes = atomic_load_explicit(&w->bytes, memory_order_relaxed);

	for (size_t i = 0; i < n; i++)
		bytes += out[i].len - RELAY_HEADER_LEN;
	atomic_store_explicit(&w->packets, packets + n, memory_order_relaxed);
	atomic_store_explicit(&w->bytes, bytes, memory_order_relaxed);
}

static void drop_run(struct supernode_worker *w, struct rx *const run[], size_t n, enum drop why)
{
	for (size_t i = 0; i < n; i++)
		receive_drop(&w->rx, run[i], why);
}

/* Gives n genuine packets of one member for another their new headers; returns how many go out. */
static size_t forward(struct supernode_worker *w, const struct view *v, struct rx *run[], size_t n,
	struct datagram *out, uint64_t now_ms)
{
	const struct link *from = run[0]->link;
	uint64_t own = link_word(&from->member);
	struct link *to;
	struct path path = {.hop_limit = run[0]->relay.hop_limit};
	struct relay_burst burst;
	enum drop why;
	size_t allowed;

	to = destination(v, from, own, run[0]->relay.handle, &why);
	if (to == NULL) {
		drop_run(w, run, n, why);
		return 0;
	}
	allowed = relay_budget_take(w->budget, from->id, to->id, n, now_ms);
	drop_run(w, run + allowed, n - allowed, DROP_RATE);
	path.hop = to;
	path.handle = (uint32_t)own;
	for (size_t i = 0; i < allowed; i++)
		run[i]->verdict = VERDICT_EMPTY;
	if (allowed == 0 || !transmit_relay_begin(&w->tx, &burst, &path, allowed, now_ms))
		return 0;
	for (size_t i = 0; i < allowed; i++)
		transmit_relay_header(&burst, run[i]->data, run[i]->len, &out[i]);
	count(w, out, allowed);
	return allowed;
}

static size_t relay_run(struct supernode_worker *w, const struct view *v, struct rx *run[],
	size_t n, struct datagram *out, uint64_t now_ms)
{
	n = receive_relayed(&w->rx, v, run, n, now_ms);
	if (n > 0 && run[0]->relay.hop_limit == 0) {
		drop_run(w, run, n, DROP_MALFORMED);
		return 0;
	}
	if (n > 0 && run[0]->relay.group) {
		copier_run(&w->copier, &w->rx, v, run, n, now_ms);
		return 0;
	}
	return n > 0 ? forward(w, v, run, n, out, now_ms) : 0;
}

static bool same_run(const struct relay_header *a, const struct relay_header *b)
{
	return a->index == b->index && a->handle == b->handle && a->hop_limit == b->hop_limit &&
	       a->group == b->group;
}

static void relay_all(
	struct supernode_worker *w, const struct view *v, struct rx *x, size_t n, uint64_t now_ms)
{
	struct datagram out[BATCH_MAX];
	struct rx *run[BATCH_MAX];
	size_t len = 0, n_out = 0;

	for (size_t i = 0; i < n; i++) {
		if (x[i].verdict != VERDICT_RELAYED)
			continue;
		if (len > 0 && !same_run(&x[i].relay, &run[0]->relay)) {
			n_out += relay_run(w, v, run, len, out + n_out, now_ms);
			len = 0;
		}
		run[len++] = &x[i];
	}
	if (len > 0)
		n_out += relay_run(w, v, run, len, out + n_out, now_ms);
	if (n_out > 0)
		w->tx.sink.send(w->tx.sink.ctx, out, n_out);
}

static void classify(struct supernode_worker *w, const struct view *v, struct rx *x)
{
	uint8_t clear[RELAY_MASKED_LEN];
	struct link *s;

	*x = (struct rx){.in = x->in, .data = x->in.data, .len = x->in.len};
	x->origin.way = x->in.way;
	if (x->len < DATAGRAM_MIN_LEN || x->len > DATAGRAM_MAX) {
		receive_drop(&w->rx, x, x->len < DATAGRAM_MIN_LEN ? DROP_TOO_SHORT : DROP_TOO_LONG);
		return;
	}
	packet_peek(clear, sizeof(clear), x->data, x->len, v->hop_mask);
	if (relay_header_read(&x->relay, clear) && view_link(v, INDEX_ID(x->relay.index)) != NULL) {
		memcpy(x->data, clear, sizeof(clear));
		x->verdict = VERDICT_RELAYED;
		return;
	}
	x->verdict = VERDICT_UNKNOWN;
	if (!data_header_read(&x->header, clear))
		return;
	s = view_link(v, INDEX_ID(x->header.index));
	x->keys = s != NULL ? link_keys(s, x->header.index) : NULL;
	if (x->keys == NULL)
		return;
	x->link = s;
	x->verdict = VERDICT_NONE;
	data_header_write(x->data, &x->header);
}

/* An envelope, or the first packet of a key set too new for this view. */
static void check_unknown(struct supernode_worker *w, const struct view *v, struct rx *x)
{
	struct data_header h;

	if (!receive_envelope(v, x) && !receive_peek(&h, x->data, x->len, v->hop_mask))
		receive_drop(&w->rx, x, DROP_UNKNOWN);
}

void supernode_datagrams_in(
	struct supernode_worker *w, const struct view *v, struct rx *x, size_t n, uint64_t now_ms)
{
	for (size_t i = 0; i < n; i++)
		classify(w, v, &x[i]);
	relay_all(w, v, x, n, now_ms);
	for (size_t i = 0; i < n; i++) {
		struct rx *run = &x[i];

		if (run->verdict == VERDICT_NONE)
			receive_open(&w->rx, &run, 1, now_ms);
		else if (run->verdict == VERDICT_UNKNOWN)
			check_unknown(w, v, run);
	}
}
