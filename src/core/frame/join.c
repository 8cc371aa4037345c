/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Joining frames to trains. A frame that can be told to belong to a flow either continues the train
 * of that flow or ends it, so each flow has at most one train that grows, and trains stand in the
 * order of their first frames: within a flow nothing overtakes. A frame that belongs to no known
 * flow may have to do with any (a fragment, an ICMP error) and ends all trains.
 */
#include <assert.h>
#include <string.h>

#include "core/frame/offload.h"
#include "core/frame/parse.h"

#define FLOWS_MAX    8 /* that are remembered; the one begun first makes place */
#define IP_TOTAL_MAX 65535

struct train {
	const struct frame *first; /* its headers become those of the train */
	struct joined *out;
	struct layout layout;
	bool open;	 /* takes more frames; the entry still tells the flow if not */
	uint16_t size;	 /* of each payload */
	uint16_t pseudo; /* sum of the pseudo-header without the length, from the second frame on */
	uint16_t id;	 /* of the frame added last: IPv4 */
	uint16_t id_step;
	uint32_t seq;	   /* of the frame that would come next */
	uint32_t len;	   /* of the whole train */
	uint8_t end_flags; /* FIN and PSH of its last frame */
};

struct flows {
	struct train train[FLOWS_MAX];
	size_t n;
	size_t begun;
};

/* ---- checksums ---- */

static uint16_t pseudo_sum(const struct layout *l, const uint8_t *data)
{
	const uint8_t *ip = data + l->l3;
	uint16_t addresses =
		l->v6 ? sum_bytes(ip + IP6_ADDRESSES, 32) : sum_bytes(ip + IP4_ADDRESSES, 8);

	return sum_fold((uint32_t)addresses + (l->tcp ? 6 : 17));
}

/* Both checksums are right; an unset one too has but one right value. */
static bool sums_right(const struct train *t, const struct frame *f)
{
	const struct layout *l = &t->layout;
	const uint8_t *l4 = f->data + l->l4;
	const size_t len = f->len - l->l4;
	const uint16_t pseudo = sum_fold((uint32_t)t->pseudo + (uint16_t)len);

	if (!l->v6 && sum_bytes(f->data + l->l3, IP4_LEN) != 0xffff) {
		return false;
	}
	if (f->offload.csum_unset) {
		return load_be16(l4 + layout_csum_offset(l)) == pseudo;
	}
	return sum_fold((uint32_t)pseudo + sum_bytes(l4, len)) == 0xffff;
}

/* ---- what may be joined ---- */

static size_t ip_len(const struct layout *l)
{
	return l->v6 ? IP6_LEN : IP4_LEN;
}

/* May be part of a train at all, its checksums aside. */
static bool joinable(const struct layout *l, const struct frame *f, unsigned kinds)
{
	const uint8_t *l4 = f->data + l->l4;

	if ((kinds & OFFLOAD_BIT(layout_kind(l))) == 0 || l->end != f->len ||
		l->payload == l->end || l->l4 != l->l3 + ip_len(l)) {
		return false;
	}
	if (f->offload.csum_unset && (f->offload.csum_start != l->l4 ||
					     f->offload.csum_offset != layout_csum_offset(l))) {
		return false;
	}
	if (l->tcp) {
		return (l4[TCP_FLAGS] & (TCP_SYN | TCP_RST | TCP_URG)) == 0;
	}
	return load_be16(l4 + UDP_LENGTH) == f->len - l->l4 && load_be16(l4 + UDP_CSUM) != 0;
}

/* All that the IP headers must have in common, the addresses aside. */
static bool same_ip(const uint8_t *a, const uint8_t *b, bool v6)
{
	if (v6) {
		return memcmp(a, b, IP6_PAYLOAD) == 0 && memcmp(a + 6, b + 6, 2) == 0;
	}
	return memcmp(a, b, IP4_TOTAL) == 0 && memcmp(a + IP4_FLAGS, b + IP4_FLAGS, 4) == 0;
}

/* Ports are those of the flow; sequence and checksum are looked at elsewhere. len is that of b. */
static bool same_tcp(const uint8_t *a, const uint8_t *b, size_t len)
{
	const uint8_t free = TCP_FIN | TCP_PSH | TCP_CWR;

	return memcmp(a + 8, b + 8, 5) == 0 && ((a[TCP_FLAGS] ^ b[TCP_FLAGS]) & ~free) == 0 &&
	       (b[TCP_FLAGS] & TCP_CWR) == 0 && memcmp(a + 14, b + 14, 2) == 0 &&
	       memcmp(a + 18, b + 18, len - 18) == 0;
}

/* IPv4 identifications count up, or are all the same where they mean nothing (RFC 6864). */
static bool id_follows(const struct train *t, const uint8_t *ip)
{
	const uint16_t step = (uint16_t)(load_be16(ip + IP4_ID) - t->id);

	if (t->out->n_pieces > 1) {
		return step == t->id_step;
	}
	return step == 1 || (step == 0 && (ip[IP4_FLAGS] & 0x40) != 0);
}

/* Types, protocols and lengths of headers are compared too, so all of it lies at the same places.
 */
static bool headers_fit(const struct train *t, const struct layout *l, const uint8_t *data)
{
	const uint8_t *first = t->first->data;

	if (memcmp(first, data, l->l3) != 0 || !same_ip(first + l->l3, data + l->l3, l->v6) ||
		(!l->v6 && !id_follows(t, data + l->l3))) {
		return false;
	}
	return !l->tcp ||
	       (load_be32(data + l->l4 + TCP_SEQ) == t->seq &&
		       same_tcp(first + l->l4, data + l->l4, (size_t)(l->payload - l->l4)));
}

/* f is joinable and of the flow of t. */
static bool fits(struct train *t, const struct layout *l, const struct frame *f)
{
	const size_t n = f->len - l->payload;

	if (!t->open || n > t->size || t->len + n - l->l3 > IP_TOTAL_MAX ||
		!headers_fit(t, l, f->data)) {
		return false;
	}
	if (t->out->n_pieces == 1) {
		t->pseudo = pseudo_sum(l, f->data);
		t->open = sums_right(t, t->first);
	}
	return t->open && sums_right(t, f);
}

/* ---- trains ---- */

static void train_begin(
	struct train *t, const struct layout *l, const struct frame *f, struct joined *out)
{
	const uint8_t *l4 = f->data + l->l4;

	*t = (struct train){
		.first = f,
		.out = out,
		.layout = *l,
		.open = !l->tcp || (l4[TCP_FLAGS] & (TCP_FIN | TCP_PSH)) == 0,
		.size = (uint16_t)(f->len - l->payload),
		.len = (uint32_t)f->len,
	};
	if (l->tcp) {
		t->seq = load_be32(l4 + TCP_SEQ) + t->size;
	}
	if (!l->v6) {
		t->id = load_be16(f->data + l->l3 + IP4_ID);
	}
}

static void write_headers(const struct train *t)
{
	const struct layout *l = &t->layout;
	uint8_t *ip = t->first->data + l->l3;
	uint8_t *l4 = t->first->data + l->l4;
	const uint16_t l4_len = (uint16_t)(t->len - l->l4);

	if (l->v6) {
		store_be16(ip + IP6_PAYLOAD, l4_len);
	} else {
		store_be16(ip + IP4_TOTAL, (uint16_t)(t->len - l->l3));
		store_be16(ip + IP4_CSUM, 0);
		store_be16(ip + IP4_CSUM, (uint16_t)~sum_bytes(ip, IP4_LEN));
	}
	if (l->tcp) {
		l4[TCP_FLAGS] |= t->end_flags;
	} else {
		store_be16(l4 + UDP_LENGTH, l4_len);
	}
	store_be16(l4 + layout_csum_offset(l), sum_fold((uint32_t)t->pseudo + l4_len));
}

/* No frame is added any more. */
static void train_end(struct train *t)
{
	const struct layout *l = &t->layout;

	if (t->open && t->out->n_pieces > 1) {
		write_headers(t);
		t->out->offload = (struct offload){
			.kind = (uint8_t)layout_kind(l),
			.ecn = l->tcp && (t->first->data[l->l4 + TCP_FLAGS] & TCP_CWR) != 0,
			.csum_unset = true,
			.csum_start = l->l4,
			.csum_offset = layout_csum_offset(l),
			.header_len = l->payload,
			.segment_size = t->size,
		};
	}
	t->open = false;
}

static void train_add(struct train *t, const struct frame *f)
{
	const struct layout *l = &t->layout;
	const size_t n = f->len - l->payload;

	if (l->tcp) {
		t->end_flags = f->data[l->l4 + TCP_FLAGS] & (TCP_FIN | TCP_PSH);
		t->seq += (uint32_t)n;
	}
	if (!l->v6) {
		const uint16_t id = load_be16(f->data + l->l3 + IP4_ID);

		t->id_step = (uint16_t)(id - t->id);
		t->id = id;
	}
	t->len += (uint32_t)n;
	t->out->n_pieces++;
	if (n < t->size || t->end_flags != 0) {
		train_end(t);
	}
}

/* ---- flows ---- */

static bool same_addresses(const uint8_t *a, const uint8_t *b, bool v6)
{
	return v6 ? memcmp(a + IP6_ADDRESSES, b + IP6_ADDRESSES, 32) == 0
		  : memcmp(a + IP4_ADDRESSES, b + IP4_ADDRESSES, 8) == 0;
}

static struct train *flow_find(struct flows *flows, const struct layout *l, const uint8_t *data)
{
	for (size_t i = 0; i < flows->n; i++) {
		struct train *t = &flows->train[i];

		if (memcmp(t->first->data + t->layout.l4, data + l->l4, 4) == 0 &&
			t->layout.tcp == l->tcp && t->layout.v6 == l->v6 &&
			same_addresses(t->first->data + t->layout.l3, data + l->l3, l->v6)) {
			return t;
		}
	}
	return NULL;
}

/* An entry for a new flow. */
static struct train *flow_new(struct flows *flows)
{
	struct train *t = &flows->train[flows->begun++ % FLOWS_MAX];

	if (flows->n < FLOWS_MAX) {
		flows->n++;
	} else {
		train_end(t);
	}
	return t;
}

static void flows_end(struct flows *flows)
{
	for (size_t i = 0; i < flows->n; i++) {
		train_end(&flows->train[i]);
	}
	flows->n = flows->begun = 0;
}

/* ---- joining ---- */

/* The train that f became part of, or fresh, where it stands alone so far. */
static struct joined *join_one(
	struct flows *flows, const struct frame *f, unsigned kinds, struct joined *fresh)
{
	struct layout l;
	struct train *t;
	bool may;

	if (f->offload.kind != OFFLOAD_NONE || !layout_find(&l, f->data, f->len)) {
		flows_end(flows);
		return fresh;
	}
	t = flow_find(flows, &l, f->data);
	may = joinable(&l, f, kinds);
	if (t && may && fits(t, &l, f)) {
		train_add(t, f);
		return t->out;
	}
	if (t != NULL) {
		train_end(t);
	}
	if (may) {
		train_begin(t != NULL ? t : flow_new(flows), &l, f, fresh);
	}
	return fresh;
}

/* The pieces of each train next to each other. */
static void lay_out(struct join *j, size_t n_out, const struct frame *frames, size_t n)
{
	struct slice *next = j->piece;

	for (size_t i = 0; i < n_out; i++) {
		j->out[i].piece = next;
		next += j->out[i].n_pieces;
		j->out[i].n_pieces = 0;
	}
	for (size_t i = 0; i < n; i++) {
		struct joined *out = &j->out[j->train[i]];
		const size_t skip = out->n_pieces == 0 ? 0 : out->offload.header_len;

		out->piece[out->n_pieces++] =
			(struct slice){frames[i].data + skip, frames[i].len - skip};
	}
}

size_t offload_join(struct join *j, const struct frame *frames, size_t n, unsigned kinds)
{
	struct flows flows = {.n = 0};
	size_t n_out = 0;

	assert(n <= JOIN_MAX);
	for (size_t i = 0; i < n; i++) {
		struct joined *fresh = &j->out[n_out];
		struct joined *out = join_one(&flows, &frames[i], kinds, fresh);

		if (out == fresh) {
			fresh->offload = frames[i].offload;
			fresh->n_pieces = 1;
			n_out++;
		}
		j->train[i] = (uint8_t)(out - j->out);
	}
	flows_end(&flows);
	lay_out(j, n_out, frames, n);
	return n_out;
}
