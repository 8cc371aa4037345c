/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sealing runs of packets and dressing them for direct and relayed paths. */
#include "core/transmit.h"

#include <assert.h>
#include <string.h>

#include "core/session.h"

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
	struct keyset *k = run[0].keys;
	uint32_t first;

	if (!keyset_reserve(k, (uint32_t)n, &first))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct data_header h = {
			.kind = run[i].kind,
			.cipher = (uint8_t)k->suite,
			.csum_unset = run[i].csum_unset,
			.index = k->tx_index,
			.counter = first + (uint32_t)i,
		};
		struct aead_op *op = &t->ops[i];

		data_header_write(run[i].header, &h);
		op->text = run[i].packet + DATA_HEADER_LEN;
		op->len = run[i].len;
		op->ad = run[i].header;
		op->ad_len = DATA_HEADER_LEN;
		keyset_nonce(op->nonce, k->tx_iv, h.counter);
	}
	aead_seal(k->tx_key, t->aead, t->ops, n);
	for (size_t i = 0; i < n; i++)
		run[i].len += DATA_OVERHEAD;
	return true;
}

bool transmit_relay_header(struct transmitter *t, const struct path *path, uint8_t *packet,
	size_t len, struct datagram *d, uint64_t now_ms)
{
	struct keyset *k = session_sending(path->hop, now_ms);
	const struct path *way = session_path(path->hop);
	struct relay_header h = {.hop_limit = path->hop_limit, .handle = path->handle};
	uint8_t *relay = packet - RELAY_HEADER_LEN;

	if (k == NULL || way == NULL || !keyset_reserve_relay(k, 1, &h.counter)) {
		drops_add(t->drops, DROP_NO_PATH, 1);
		return false;
	}
	h.index = k->tx_index;
	relay_header_write(relay, &h);
	relay_mac(relay + RELAY_MASKED_LEN, k->tx_hop_key, relay, packet, len);
	packet_mask(relay, len + RELAY_HEADER_LEN, RELAY_MASKED_LEN, way->mask);
	*d = (struct datagram){relay, len + RELAY_HEADER_LEN, way->remote, way->local};
	atomic_store_explicit(&path->hop->tx_ms, now_ms, memory_order_relaxed);
	return true;
}

/* Writes the masked headers that this path needs, just before the datagrams leave. */
static void send_on(
	struct transmitter *t, struct tx *run, size_t n, const struct path *path, uint64_t now_ms)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		struct tx *x = &run[i];
		bool split = path->hop != NULL || !path->mask_known;

		memcpy(x->packet, x->header, DATA_HEADER_LEN);
		packet_mask(
			x->packet, x->len, DATA_HEADER_LEN, split ? x->keys->tx_mask : path->mask);
		if (path->hop == NULL)
			t->out[count++] =
				(struct datagram){x->packet, x->len, path->remote, path->local};
		else if (transmit_relay_header(t, path, x->packet, x->len, &t->out[count], now_ms))
			count++;
	}
	if (count > 0)
		t->sink.send(t->sink.ctx, t->out, count);
}

static void count_run(const struct tx *run, size_t n, uint64_t now_ms)
{
	struct session *s = run[0].session;
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
	count_run(run, n, now_ms);
	return true;
}

bool transmit_run(struct transmitter *t, struct tx *run, size_t n, uint64_t now_ms)
{
	struct session *s = run[0].session;
	const struct path *path = session_path(s);
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
