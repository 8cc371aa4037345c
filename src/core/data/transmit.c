/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sealing runs of packets and dressing them for direct and relayed paths. */
#include "core/data/transmit.h"

#include <assert.h>
#include <string.h>

int transmitter_init(
	struct transmitter *t, unsigned thread, struct datagram_sink sink, struct drops *drops)
{
	t->aead = aead_state_create(thread);
	t->sink = sink;
	t->drops = drops;
	return t->aead != NULL ? 0 : N2N_ENOMEM;
}

void transmitter_fini(struct transmitter *t)
{
	aead_state_destroy(t->aead);
	t->aead = NULL;
}

/* Turns plaintexts at packet + DATA_HEADER_LEN into sealed packets with clear headers. */
static bool seal_run(struct transmitter *t, struct tx *run, size_t n)
{
	struct send_keys *k = run[0].keys;
	uint32_t first;

	if (!send_keys_reserve(k, (uint32_t)n, &first))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct data_header h = {
			.kind = run[i].kind,
			.cipher = (uint8_t)k->suite,
			.csum_unset = run[i].csum_unset,
			.index = k->index,
			.counter = first + (uint32_t)i,
		};
		struct aead_op *op = &t->ops[i];

		data_header_write(run[i].header, &h);
		op->text = run[i].packet + DATA_HEADER_LEN;
		op->len = run[i].len;
		op->ad = run[i].header;
		op->ad_len = DATA_HEADER_LEN;
		key_nonce(op->nonce, k->iv, h.counter);
	}
	aead_seal(k->key, t->aead, t->ops, n);
	for (size_t i = 0; i < n; i++)
		run[i].len += DATA_OVERHEAD;
	return true;
}

bool transmit_relay_begin(struct transmitter *t, struct relay_burst *b, const struct path *path,
	size_t n, uint64_t now_ms)
{
	struct send_keys *k = link_sending(path->hop, now_ms);

	*b = (struct relay_burst){
		.keys = k,
		.way = link_path(path->hop),
		.next = {.hop_limit = path->hop_limit, .handle = path->handle},
	};
	if (k == NULL || b->way == NULL ||
		!send_keys_reserve_relay(k, (uint32_t)n, &b->next.counter)) {
		drops_add(t->drops, DROP_NO_PATH, n);
		return false;
	}
	b->next.index = k->index;
	atomic_store_explicit(&path->hop->tx_ms, now_ms, memory_order_relaxed);
	return true;
}

void transmit_relay_header(struct relay_burst *b, uint8_t *packet, size_t len, struct datagram *d)
{
	uint8_t *relay = packet - RELAY_HEADER_LEN;

	relay_header_write(relay, &b->next);
	b->next.counter++;
	relay_mac(relay + RELAY_MASKED_LEN, b->keys->hop_key, relay, packet, len);
	packet_mask(relay, len + RELAY_HEADER_LEN, RELAY_MASKED_LEN, b->way->mask);
	*d = (struct datagram){relay, len + RELAY_HEADER_LEN, b->way->way};
}

/* Writes the masked headers that this path needs, just before the datagrams leave. */
static void send_on(
	struct transmitter *t, struct tx *run, size_t n, const struct path *path, uint64_t now_ms)
{
	bool split = path->hop != NULL || !path->mask_known;
	struct relay_burst relay;

	if (path->hop != NULL && !transmit_relay_begin(t, &relay, path, n, now_ms))
		return;
	for (size_t i = 0; i < n; i++) {
		struct tx *x = &run[i];

		memcpy(x->packet, x->header, DATA_HEADER_LEN);
		packet_mask(x->packet, x->len, DATA_HEADER_LEN, split ? x->keys->mask : path->mask);
		if (path->hop == NULL)
			t->out[i] = (struct datagram){x->packet, x->len, path->way};
		else
			transmit_relay_header(&relay, x->packet, x->len, &t->out[i]);
	}
	t->sink.send(t->sink.ctx, t->out, n);
}

static void count_run(const struct tx *run, size_t n, uint64_t now_ms)
{
	struct link *s = run[0].link;
	uint64_t frames = 0, bytes = 0;

	for (size_t i = 0; i < n; i++) {
		if (run[i].kind == KIND_ETHERNET && run[i].len > DATA_OVERHEAD) {
			frames++;
			bytes += run[i].len - DATA_OVERHEAD;
		}
	}
	atomic_store_explicit(&s->tx_ms, now_ms, memory_order_relaxed);
	if (frames == 0)
		return;
	atomic_store_explicit(&s->tx_frame_ms, now_ms, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->tx_frames, frames, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->tx_bytes, bytes, memory_order_relaxed);
}

bool transmit_on(struct transmitter *t, struct tx *run, size_t n, struct path *via, uint64_t now_ms)
{
	assert(n > 0 && n <= BATCH_MAX);
	if (!seal_run(t, run, n))
		return false;
	send_on(t, run, n, via, now_ms);
	return true;
}

bool transmit_run(struct transmitter *t, struct tx *run, size_t n, uint64_t now_ms)
{
	struct link *s = run[0].link;
	const struct path *path = link_path(s);
	const struct path *copy = atomic_load_explicit(&s->copy, memory_order_acquire);

	assert(n > 0 && n <= BATCH_MAX);
	if (path == NULL) {
		drops_add(t->drops, DROP_NO_PATH, n);
		return true;
	}
	if (!seal_run(t, run, n))
		return false;
	send_on(t, run, n, path, now_ms);
	if (copy != NULL)
		send_on(t, run, n, copy, now_ms);
	count_run(run, n, now_ms);
	return true;
}
