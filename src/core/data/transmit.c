/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sealing runs of packets, frames in halves among them, and dressing them for direct and relayed
 * paths. */
#include "core/data/transmit.h"

#include <assert.h>
#include <string.h>

/* A datagram through the relay: nobody here knows the way from there to the other edge. */
#define RELAY_LIMIT 1452

/* Where a run goes: fixed before it is cut and sealed. */
struct ways {
	const struct path *path, *copy; /* copy may be NULL */
	size_t room;			/* the longest plaintext that both take as one datagram */
};

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

/* Apart from what all packets pass: few are signed. */
static void sign_run(struct transmitter *t, struct tx *run, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		signing_append(run[i].keys->signing, run[i].header, run[i].packet + DATA_HEADER_LEN,
			run[i].len);
		run[i].len += SIGNATURE_LEN;
		t->ops[i].len = run[i].len;
	}
}

/* Turns plaintexts at packet + DATA_HEADER_LEN into sealed packets with clear headers. first: the
 * counter of the first, reserved for all of them. */
static void seal_run(struct transmitter *t, struct tx *run, size_t n, uint32_t first)
{
	const struct send_keys *k = run[0].keys;
	const bool group = run[0].group;

	for (size_t i = 0; i < n; i++) {
		const struct data_header h = {
			.kind = run[i].kind,
			.piece = run[i].piece,
			.group = group,
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
	if (k->signing != NULL)
		sign_run(t, run, n);
	aead_seal(k->key, t->aead, t->ops, n);
	for (size_t i = 0; i < n; i++)
		run[i].len += DATA_OVERHEAD;
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

void transmit_flush(struct transmitter *t)
{
	if (t->n_out > 0)
		t->sink.send(t->sink.ctx, t->out, t->n_out);
	t->n_out = 0;
}

void transmit_hold(struct transmitter *t)
{
	t->held = true;
}

void transmit_release(struct transmitter *t)
{
	transmit_flush(t);
	t->held = false;
}

/* Writes the masked headers that this path needs, just before the datagrams leave. */
static void send_on(
	struct transmitter *t, struct tx *run, size_t n, const struct path *path, uint64_t now_ms)
{
	bool split = path->hop != NULL || !path->mask_known;
	struct relay_burst relay;
	struct datagram *out;

	if (path->hop != NULL && !transmit_relay_begin(t, &relay, path, n, now_ms))
		return;
	if (path->hop != NULL)
		relay.next.group = run[0].group;
	if (t->n_out + n > BATCH_MAX)
		transmit_flush(t);
	out = t->out + t->n_out;
	for (size_t i = 0; i < n; i++) {
		struct tx *x = &run[i];

		memcpy(x->packet, x->header, DATA_HEADER_LEN);
		packet_mask(x->packet, x->len, DATA_HEADER_LEN, split ? x->keys->mask : path->mask);
		if (path->hop == NULL)
			out[i] = (struct datagram){x->packet, x->len, path->way};
		else
			transmit_relay_header(&relay, x->packet, x->len, &out[i]);
	}
	t->n_out += n;
	if (!t->held)
		transmit_flush(t);
}

bool transmit_on(struct transmitter *t, struct tx *run, size_t n, struct path *via, uint64_t now_ms)
{
	uint32_t first;

	assert(n > 0 && n <= BATCH_MAX);
	if (!send_keys_reserve(run[0].keys, (uint32_t)n, &first))
		return false;
	seal_run(t, run, n, first);
	send_on(t, run, n, via, now_ms);
	return true;
}

/* ---- frames that go in halves ---- */

static size_t room_on(const struct path *path)
{
	const struct path *way = path->hop != NULL ? link_path(path->hop) : path;
	size_t limit = way != NULL ? way->limit : RELAY_LIMIT;

	if (path->hop != NULL) {
		limit = limit < RELAY_LIMIT ? limit : RELAY_LIMIT;
		limit -= RELAY_HEADER_LEN;
	}
	return limit - DATA_OVERHEAD;
}

static struct ways ways_of(const struct link *l)
{
	struct ways w = {link_path(l), atomic_load_explicit(&l->copy, memory_order_acquire), 0};

	if (w.path != NULL)
		w.room = room_on(w.path);
	if (w.path != NULL && w.copy != NULL) {
		size_t room = room_on(w.copy);

		w.room = room < w.room ? room : w.room;
	}
	return w;
}

static bool is_cut(const struct tx *x, const struct ways *w)
{
	return x->len > w->room && x->kind == KIND_ETHERNET;
}

/* What a run holds before it is sealed. */
struct tally {
	uint64_t frames, bytes;
	size_t pieces;
};

static struct tally count_run(const struct tx *run, size_t n, const struct ways *w)
{
	struct tally t = {.pieces = n};

	for (size_t i = 0; i < n; i++) {
		if (run[i].kind == KIND_ETHERNET && run[i].len > 0) {
			t.frames++;
			t.bytes += run[i].len;
			t.pieces += run[i].len > w->room;
		}
	}
	return t;
}

static void note_sent(struct link *s, const struct tally *t, uint64_t now_ms)
{
	atomic_store_explicit(&s->tx_ms, now_ms, memory_order_relaxed);
	if (t->frames == 0)
		return;
	atomic_store_explicit(&s->tx_frame_ms, now_ms, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->tx_frames, t->frames, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->tx_bytes, t->bytes, memory_order_relaxed);
}

/* The last half needs a header of its own, and the first one's tag goes where it lay. */
static void halve(struct tx half[2], const struct tx *whole, uint8_t slot[HALF_SLOT_LEN])
{
	size_t first = (whole->len + 1) / 2;

	assert(whole->len <= FRAME_MAX);
	half[0] = half[1] = *whole;
	half[0].piece = PIECE_FIRST;
	half[0].len = first;
	half[1].piece = PIECE_LAST;
	half[1].len = whole->len - first;
	half[1].packet = slot + RELAY_HEADER_LEN;
	memcpy(half[1].packet + DATA_HEADER_LEN, whole->packet + DATA_HEADER_LEN + first,
		half[1].len);
}

static void send_sealed(struct transmitter *t, struct tx *run, size_t n, uint32_t first,
	const struct ways *w, uint64_t now_ms)
{
	seal_run(t, run, n, first);
	send_on(t, run, n, w->path, now_ms);
	if (w->copy == NULL)
		return;
	transmit_flush(t); /* the headers of the other path take the same place */
	send_on(t, run, n, w->copy, now_ms);
}

/*
 * Up to twice as many packets: in parts of BATCH_MAX, the halves of a frame in the same one. None
 * is kept, as there is one place for last halves.
 */
static void send_in_pieces(struct transmitter *t, const struct tx *run, size_t n, uint32_t first,
	const struct ways *w, uint64_t now_ms)
{
	size_t m = 0, halved = 0;

	for (size_t i = 0; i < n; i++) {
		if (m + 2 > BATCH_MAX) {
			send_sealed(t, t->cut, m, first, w, now_ms);
			transmit_flush(t);
			first += (uint32_t)m;
			m = halved = 0;
		}
		if (is_cut(&run[i], w)) {
			halve(&t->cut[m], &run[i], t->last[halved++]);
			m += 2;
		} else {
			t->cut[m++] = run[i];
		}
	}
	send_sealed(t, t->cut, m, first, w, now_ms);
	transmit_flush(t);
}

/* What one packet takes less for being signed. */
static size_t group_room(const struct send_keys *keys, const struct path *path)
{
	return room_on(path) - (keys->signing != NULL ? SIGNATURE_LEN : 0);
}

size_t transmit_group_len(const struct send_keys *keys, const struct path *path, size_t len)
{
	size_t each = DATA_OVERHEAD + (keys->signing != NULL ? SIGNATURE_LEN : 0);

	return len + (len > group_room(keys, path) ? 2 * each : each);
}

bool transmit_group(
	struct transmitter *t, struct tx *run, size_t n, const struct path *path, uint64_t now_ms)
{
	struct ways w = {path, NULL, group_room(run[0].keys, path)};
	struct tally sum;
	uint32_t first;

	assert(n > 0 && n <= BATCH_MAX);
	sum = count_run(run, n, &w);
	if (!send_keys_reserve(run[0].keys, (uint32_t)sum.pieces, &first))
		return false;
	if (sum.pieces == n)
		send_sealed(t, run, n, first, &w, now_ms);
	else
		send_in_pieces(t, run, n, first, &w, now_ms);
	return true;
}

bool transmit_run(struct transmitter *t, struct tx *run, size_t n, uint64_t now_ms)
{
	const struct ways w = ways_of(run[0].link);
	struct tally sum;
	uint32_t first;

	assert(n > 0 && n <= BATCH_MAX);
	if (w.path == NULL) {
		drops_add(t->drops, DROP_NO_PATH, n);
		return true;
	}
	sum = count_run(run, n, &w);
	if (!send_keys_reserve(run[0].keys, (uint32_t)sum.pieces, &first))
		return false;
	note_sent(run[0].link, &sum, now_ms);
	if (sum.pieces == n)
		send_sealed(t, run, n, first, &w, now_ms);
	else
		send_in_pieces(t, run, n, first, &w, now_ms);
	return true;
}
