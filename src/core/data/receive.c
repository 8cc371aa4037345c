/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening runs of packets: window, cipher, tag, verdict. */
#include "core/data/receive.h"

#include <assert.h>
#include <string.h>

#include "core/frame/offload.h"
#include "wire/control.h"
#include "wire/envelope.h"

bool receive_peek(
	struct data_header *h, const uint8_t *packet, size_t len, const uint8_t mask[MASK_LEN])
{
	uint8_t clear[DATA_HEADER_LEN];

	packet_peek(clear, sizeof(clear), packet, len, mask);
	return data_header_read(h, clear);
}

bool receive_envelope(const struct view *v, struct rx *x)
{
	x->tried = v->doors.env_version;
	for (uint32_t i = 0; i < v->doors.n_env; i++) {
		const struct view_env *e = &v->doors.env[i];
		size_t body_len = x->len - ENVELOPE_OVERHEAD;

		if ((x->origin.hop_id != 0 && e->to.kind != TO_PEER) ||
			envelope_open(x->data, x->data, x->len, NULL, 0, e->key) != 0)
			continue;
		memmove(x->data + body_len, x->data + x->len - TAG_LEN, TAG_LEN);
		x->len = body_len + TAG_LEN;
		x->to = e->to;
		x->verdict = VERDICT_ENVELOPE;
		return true;
	}
	return false;
}

bool receive_may_be_cookie(const struct rx *x)
{
	return x->len == COOKIE_MSG_LEN + ENVELOPE_OVERHEAD;
}

void receive_drop(struct receiver *r, struct rx *x, enum drop why)
{
	x->verdict = VERDICT_DROP;
	x->why = why;
	drops_add(r->drops, why, 1);
}

bool receive_allowed(const struct data_header *h, enum aead_suite suite)
{
	return h->cipher == suite && h->counter < COUNTER_LIMIT &&
	       (h->kind == KIND_ETHERNET || (!h->csum_unset && h->piece == PIECE_WHOLE));
}

/* Drops what the window or the header forbids and lists the rest as work for the cipher. */
static size_t admit(struct receiver *r, struct rx *run[], size_t n, struct rx *todo[])
{
	struct recv_keys *k = run[0]->keys;
	size_t count = 0;

	replay_lock(&k->window);
	for (size_t i = 0; i < n; i++) {
		struct rx *x = run[i];

		if (!receive_allowed(&x->header, k->suite))
			receive_drop(r, x, DROP_CIPHER);
		else if (replay_seen(&k->window, x->header.counter))
			receive_drop(r, x, DROP_REPLAY);
		else
			todo[count++] = x;
	}
	replay_unlock(&k->window);
	return count;
}

static bool locate_checksum(struct rx *x)
{
	struct frame f = {.data = x->data, .len = x->len};
	bool found = offload_locate(&f);

	x->offload = f.offload;
	return found;
}

static inline void judge_frame(struct receiver *r, struct rx *x)
{
	if (x->header.csum_unset && !locate_checksum(x))
		receive_drop(r, x, DROP_MALFORMED);
	else if (x->len == 0)
		x->verdict = VERDICT_EMPTY;
	else if (x->len < FRAME_MIN)
		receive_drop(r, x, DROP_FRAME_SHORT);
	else
		x->verdict = VERDICT_FRAME;
}

void receive_frame(struct receiver *r, struct rx *x)
{
	judge_frame(r, x);
}

static void judge(struct receiver *r, struct rx *x)
{
	x->data += DATA_HEADER_LEN;
	x->len -= DATA_OVERHEAD;
	if (x->header.kind == KIND_CONTROL)
		x->verdict = control_is_empty(x->data, x->len) ? VERDICT_EMPTY : VERDICT_CONTROL;
	else if (x->header.kind != KIND_ETHERNET)
		receive_drop(r, x, DROP_MALFORMED);
	else if (x->header.piece == PIECE_WHOLE)
		judge_frame(r, x);
	else if (x->len < HALF_MIN || x->len > HALF_MAX)
		receive_drop(r, x, DROP_MALFORMED);
	else
		x->verdict = VERDICT_HALF;
}

/* What comes from elsewhere says nothing about the path that we send on. */
static bool came_on(const struct path *path, const struct origin *from)
{
	return from->hop_id == 0 && path != NULL && path->hop == NULL &&
	       way_same_remote(&path->way, &from->way);
}

static void count_opened(struct rx *todo[], size_t n, uint64_t now_ms)
{
	struct link *s = todo[0]->link;
	const struct path *path = link_path(s);
	uint64_t frames = 0, bytes = 0;

	atomic_store_explicit(&s->rx_ms, now_ms, memory_order_relaxed);
	for (size_t i = 0; i < n; i++) {
		if (came_on(path, &todo[i]->origin))
			atomic_store_explicit(&s->rx_direct_ms, now_ms, memory_order_relaxed);
		if (todo[i]->verdict == VERDICT_FRAME || todo[i]->verdict == VERDICT_HALF) {
			frames += todo[i]->header.piece != PIECE_FIRST;
			bytes += todo[i]->len;
		}
	}
	if (bytes == 0)
		return;
	atomic_store_explicit(&s->rx_frame_ms, now_ms, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->rx_frames, frames, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->rx_bytes, bytes, memory_order_relaxed);
}

/* Those whose signature is wrong are dropped, the others stand at the front, without it. */
static size_t check_signatures(
	struct receiver *r, const struct recv_keys *k, struct rx *todo[], size_t n)
{
	size_t right = 0;

	for (size_t i = 0; i < n; i++) {
		const struct aead_op op = r->ops[i];

		if (op.ok && !signing_check(k->signing, op.ad, op.text, op.len)) {
			receive_drop(r, todo[i], DROP_SIGNATURE);
			continue;
		}
		if (op.ok)
			todo[i]->len -= SIGNATURE_LEN;
		r->ops[right] = op;
		todo[right++] = todo[i];
	}
	return right;
}

void receive_open(struct receiver *r, struct rx *run[], size_t n, uint64_t now_ms)
{
	struct recv_keys *k = run[0]->keys;
	struct rx *todo[BATCH_MAX];
	size_t count, opened = 0;

	assert(n > 0 && n <= BATCH_MAX);
	if (now_ms >= k->until_ms) {
		for (size_t i = 0; i < n; i++)
			receive_drop(r, run[i], DROP_EXPIRED);
		return;
	}
	count = admit(r, run, n, todo);
	for (size_t i = 0; i < count; i++) {
		struct aead_op *op = &r->ops[i];

		op->text = todo[i]->data + DATA_HEADER_LEN;
		op->len = todo[i]->len - DATA_OVERHEAD;
		op->ad = todo[i]->data;
		op->ad_len = DATA_HEADER_LEN;
		key_nonce(op->nonce, k->iv, todo[i]->header.counter);
	}
	aead_open(k->key, r->aead, r->ops, count);
	if (k->signing != NULL)
		count = check_signatures(r, k, todo, count);
	replay_lock(&k->window);
	for (size_t i = 0; i < count; i++) {
		if (!r->ops[i].ok) {
			receive_drop(r, todo[i], DROP_AUTH);
		} else if (!replay_accept(&k->window, todo[i]->header.counter)) {
			receive_drop(r, todo[i], DROP_REPLAY);
		} else {
			judge(r, todo[i]);
			todo[opened++] = todo[i];
		}
	}
	replay_unlock(&k->window);
	if (opened > 0)
		count_opened(todo, opened, now_ms);
}

/* The keys of the hop that these packets name, or NULL. */
static struct recv_keys *hop_keys(
	const struct view *v, uint32_t index, struct link **hop, uint64_t now_ms)
{
	struct recv_keys *k;

	*hop = view_link(v, INDEX_ID(index));
	k = *hop != NULL && (*hop)->kind != LINK_PEER ? link_keys(*hop, index) : NULL;
	return k != NULL && now_ms < k->until_ms ? k : NULL;
}

static bool hop_mac_is_right(const struct recv_keys *k, const struct rx *x)
{
	uint8_t mac[RELAY_MAC_LEN];

	relay_mac(mac, k->hop_key, x->data, x->data + RELAY_HEADER_LEN, x->len - RELAY_HEADER_LEN);
	return crypto_equal(mac, x->data + RELAY_MASKED_LEN, sizeof(mac));
}

size_t receive_relayed(
	struct receiver *r, const struct view *v, struct rx *run[], size_t n, uint64_t now_ms)
{
	struct link *hop;
	struct recv_keys *k = hop_keys(v, run[0]->relay.index, &hop, now_ms);
	size_t right = 0, fresh = 0;

	for (size_t i = 0; i < n; i++) {
		if (run[i]->len < RELAYED_MIN_LEN)
			receive_drop(r, run[i], DROP_TOO_SHORT);
		else if (k == NULL)
			receive_drop(r, run[i], DROP_UNKNOWN);
		else if (!hop_mac_is_right(k, run[i]))
			receive_drop(r, run[i], DROP_AUTH);
		else
			run[right++] = run[i];
	}
	if (right == 0)
		return 0;
	replay_lock(&k->relay_window);
	for (size_t i = 0; i < right; i++) {
		struct rx *x = run[i];

		if (!replay_accept(&k->relay_window, x->relay.counter)) {
			receive_drop(r, x, DROP_REPLAY);
			continue;
		}
		x->link = hop;
		x->keys = k;
		x->data += RELAY_HEADER_LEN;
		x->len -= RELAY_HEADER_LEN;
		run[fresh++] = x;
	}
	replay_unlock(&k->relay_window);
	if (fresh > 0)
		atomic_store_explicit(&hop->rx_ms, now_ms, memory_order_relaxed);
	return fresh;
}
