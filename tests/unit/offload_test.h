/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames for the tests of src/core/offload*.c, written field by field from a description, with a
 * checksum that adds one word after the other. A segment of a train is described and written
 * anew, so nothing here knows how to cut.
 */
#ifndef N2N_TESTS_OFFLOAD_TEST_H
#define N2N_TESTS_OFFLOAD_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/frame/offload.h"

#include <cmocka.h>

#define IP_MAX	  65535
#define BYTES_MAX (IP_MAX + 40 + 18 + 100)
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("seed %llu: " #condition, (unsigned long long)d->seed);           \
	} while (0)

enum {
	FIN = 1,
	SYN = 2,
	RST = 4,
	PSH = 8,
	ACK = 16,
	URG = 32,
	ECE = 64,
	CWR = 128
};

enum sum {
	SUM_UNSET,
	SUM_FINISHED,
	SUM_UNSET_WRONG,
	SUM_FINISHED_WRONG
};

/* A frame. */
struct sketch {
	bool vlan, v6, tcp;
	uint16_t vlan_type, vlan_id;
	uint8_t mac, host;	   /* make addresses */
	uint8_t ip_options;	   /* bytes, IPv4 */
	uint8_t extension[10];	   /* protocol numbers, IPv6 */
	uint8_t extension_len[10]; /* in 8 bytes, beyond the first */
	uint8_t n_extensions;
	uint8_t tos, ttl;
	uint32_t label; /* IPv6 flow label, 20 bits */
	uint16_t id;
	bool df, more;	   /* IPv4 */
	bool ip_sum_wrong; /* IPv4 */
	uint16_t port;
	uint32_t seq, ack;
	uint8_t flags, reserved;
	uint16_t window, urgent;
	uint8_t tcp_options, option_byte; /* how many bytes, all the same */
	bool no_sum;			  /* UDP */
	enum sum sum;
	size_t padding;
	const uint8_t *payload;
	size_t len;
};

struct dice {
	uint64_t seed, state;
};

static inline struct dice dice_at(uint64_t seed)
{
	return (struct dice){seed, seed * UINT64_C(0x9e3779b97f4a7c15)};
}

static inline uint32_t dice_any(struct dice *d)
{
	uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(z >> 31);
}

/* 0 to n - 1. */
static inline uint32_t dice_roll(struct dice *d, uint32_t n)
{
	return dice_any(d) % n;
}

static inline bool dice_one_in(struct dice *d, uint32_t n)
{
	return dice_roll(d, n) == 0;
}

/* ---- the plain checksum ---- */

static inline uint32_t plain_add(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
		sum = sum > 0xffff ? sum - 0xffff : sum;
	}
	return sum;
}

/* Of the pseudo-header of a transport packet of len bytes. */
static inline uint32_t plain_pseudo(const uint8_t *ip, uint8_t proto, size_t len)
{
	uint32_t sum = ip[0] >> 4 == 4 ? plain_add(0, ip + 12, 8) : plain_add(0, ip + 8, 32);
	const uint8_t rest[] = {0, proto, (uint8_t)(len >> 8), (uint8_t)len};

	return plain_add(sum, rest, sizeof(rest));
}

/* ---- writing a frame ---- */

static inline size_t ip_at(const struct sketch *s)
{
	return s->vlan ? 18 : 14;
}

static inline size_t transport_at(const struct sketch *s)
{
	size_t at = ip_at(s) + (s->v6 ? 40 : 20u + s->ip_options);

	for (size_t i = 0; s->v6 && i < s->n_extensions; i++) {
		at += 8 + 8u * s->extension_len[i];
	}
	return at;
}

static inline size_t payload_at(const struct sketch *s)
{
	return transport_at(s) + (s->tcp ? 20u + s->tcp_options : 8);
}

static inline size_t sum_offset(const struct sketch *s)
{
	return s->tcp ? 16 : 6;
}

static inline enum offload_kind kind_of(const struct sketch *s)
{
	return !s->tcp ? OFFLOAD_UDP : s->v6 ? OFFLOAD_TCP6 : OFFLOAD_TCP4;
}

static inline void sketch_ether(struct writer *w, const struct sketch *s)
{
	writer_u32(w, 0x02000000);
	writer_u16(w, 1);
	writer_u32(w, 0x02000000);
	writer_u16(w, (uint16_t)(0x200 + s->mac));
	if (s->vlan) {
		writer_u16(w, s->vlan_type);
		writer_u16(w, s->vlan_id);
	}
	writer_u16(w, s->v6 ? 0x86dd : 0x0800);
}

static inline void sketch_ip4(struct writer *w, const struct sketch *s)
{
	uint8_t *ip = w->p;
	uint16_t sum;

	writer_u8(w, (uint8_t)(0x45 + s->ip_options / 4));
	writer_u8(w, s->tos);
	writer_u16(w, (uint16_t)(payload_at(s) + s->len - ip_at(s)));
	writer_u16(w, s->id);
	writer_u16(w, (uint16_t)((s->df ? 0x4000 : 0) | (s->more ? 0x2000 : 0)));
	writer_u8(w, s->ttl);
	writer_u8(w, s->tcp ? 6 : 17);
	writer_u16(w, 0);
	writer_u32(w, 0x0a000001);
	writer_u32(w, 0x0a000100u + s->host);
	for (size_t i = 0; i < s->ip_options; i++) {
		writer_u8(w, 1);
	}
	sum = (uint16_t)~plain_add(0, ip, 20u + s->ip_options);
	store_be16(ip + 10, s->ip_sum_wrong ? sum ^ 0x100 : sum);
}

static inline void sketch_ip6(struct writer *w, const struct sketch *s)
{
	const uint8_t last = s->tcp ? 6 : 17;

	writer_u32(w, 6u << 28 | (uint32_t)s->tos << 20 | s->label);
	writer_u16(w, (uint16_t)(payload_at(s) + s->len - ip_at(s) - 40));
	writer_u8(w, s->n_extensions > 0 ? s->extension[0] : last);
	writer_u8(w, s->ttl);
	for (unsigned i = 0; i < 2; i++) {
		writer_u64(w, UINT64_C(0xfd00000000000001) + i);
		writer_u64(w, UINT64_C(0xabcdef0123456700) + i * s->host);
	}
	for (size_t i = 0; i < s->n_extensions; i++) {
		writer_u8(w, i + 1u < s->n_extensions ? s->extension[i + 1] : last);
		writer_u8(w, s->extension_len[i]);
		writer_zero(w, 6 + 8u * s->extension_len[i]);
	}
}

static inline void sketch_transport(struct writer *w, const struct sketch *s)
{
	writer_u16(w, s->port);
	writer_u16(w, 443);
	if (!s->tcp) {
		writer_u16(w, (uint16_t)(8 + s->len));
		writer_u16(w, 0);
		return;
	}
	writer_u32(w, s->seq);
	writer_u32(w, s->ack);
	writer_u8(w, (uint8_t)((5 + s->tcp_options / 4) << 4 | s->reserved));
	writer_u8(w, s->flags);
	writer_u16(w, s->window);
	writer_u16(w, 0);
	writer_u16(w, s->urgent);
	for (size_t i = 0; i < s->tcp_options; i++) {
		writer_u8(w, s->option_byte);
	}
}

/* The value of the field, the transport packet at l4 being complete but for it. */
static inline uint16_t sketch_sum(const struct sketch *s, const uint8_t *ip, const uint8_t *l4)
{
	const size_t len = payload_at(s) - transport_at(s) + s->len;
	uint32_t sum = plain_pseudo(ip, s->tcp ? 6 : 17, len);

	if (!s->tcp && s->no_sum) {
		return 0;
	}
	if (s->sum == SUM_FINISHED || s->sum == SUM_FINISHED_WRONG) {
		sum = (uint16_t)~plain_add(sum, l4, len);
		sum = sum == 0 ? 0xffff : sum;
	}
	return (uint16_t)(s->sum >= SUM_UNSET_WRONG ? sum ^ 0x0400 : sum);
}

/* Writes the frame to data, of BYTES_MAX bytes, and returns it with its facts, not as a train. */
static inline struct frame sketch_frame(const struct sketch *s, uint8_t *data)
{
	const size_t l3 = ip_at(s), l4 = transport_at(s);
	struct writer w;

	writer_init(&w, data, BYTES_MAX);
	sketch_ether(&w, s);
	if (s->v6) {
		sketch_ip6(&w, s);
	} else {
		sketch_ip4(&w, s);
	}
	assert_int_equal(writer_len(&w), l4);
	sketch_transport(&w, s);
	assert_int_equal(writer_len(&w), payload_at(s));
	writer_copy(&w, s->payload, s->len);
	store_be16(data + l4 + sum_offset(s), sketch_sum(s, data + l3, data + l4));
	for (size_t i = 0; i < s->padding; i++) {
		writer_u8(&w, 0);
	}
	assert_true(writer_ok(&w));
	if (s->sum == SUM_UNSET || s->sum == SUM_UNSET_WRONG) {
		return (struct frame){data, writer_len(&w),
			{.csum_unset = true,
				.csum_start = (uint16_t)l4,
				.csum_offset = (uint16_t)sum_offset(s)}};
	}
	return (struct frame){data, writer_len(&w), {.kind = OFFLOAD_NONE}};
}

/* ---- trains ---- */

static inline struct frame sketch_train(const struct sketch *s, size_t size, uint8_t *data)
{
	struct frame f = sketch_frame(s, data);

	f.offload.kind = (uint8_t)kind_of(s);
	f.offload.ecn = s->tcp && (s->flags & CWR) != 0;
	f.offload.header_len = (uint16_t)payload_at(s);
	f.offload.segment_size = (uint16_t)size;
	return f;
}

static inline size_t segments_of(const struct sketch *s, size_t size)
{
	return s->len == 0 ? 1 : (s->len + size - 1) / size;
}

/* The i-th segment of the train s. */
static inline struct sketch sketch_segment(const struct sketch *s, size_t size, size_t i)
{
	const size_t n = segments_of(s, size);
	struct sketch segment = *s;

	segment.payload += i * size;
	segment.len = i + 1 < n ? size : s->len - i * size;
	segment.id = (uint16_t)(s->id + i);
	segment.seq = (uint32_t)(s->seq + i * size);
	if (i > 0) {
		segment.flags &= (uint8_t)~CWR;
	}
	if (i + 1 < n) {
		segment.flags &= (uint8_t) ~(FIN | PSH);
	}
	return segment;
}

/* Something of every kind; payload of len bytes. */
static inline struct sketch sketch_any(struct dice *d, const uint8_t *payload, size_t len)
{
	static const uint8_t protos[] = {0, 43, 60};
	struct sketch s = {
		.vlan = dice_one_in(d, 4),
		.vlan_type = dice_one_in(d, 2) ? 0x8100 : 0x88a8,
		.vlan_id = (uint16_t)dice_any(d),
		.v6 = dice_one_in(d, 2),
		.tcp = !dice_one_in(d, 3),
		.mac = (uint8_t)dice_any(d),
		.host = (uint8_t)dice_any(d),
		.tos = (uint8_t)dice_any(d),
		.ttl = (uint8_t)dice_any(d),
		.label = dice_any(d) & 0xfffff,
		.id = (uint16_t)dice_any(d),
		.df = dice_one_in(d, 2),
		.port = (uint16_t)dice_any(d),
		.seq = dice_any(d),
		.ack = dice_any(d),
		.flags = ACK,
		.window = (uint16_t)dice_any(d),
		.option_byte = (uint8_t)dice_any(d),
		.sum = dice_one_in(d, 2) ? SUM_UNSET : SUM_FINISHED,
		.payload = payload,
		.len = len,
	};

	if (dice_one_in(d, 2)) {
		s.tcp_options = 12;
	} else if (dice_one_in(d, 2)) {
		s.tcp_options = (uint8_t)(4 * dice_roll(d, 11));
	}
	if (dice_one_in(d, 3)) {
		s.flags |= (uint8_t)(dice_any(d) & (FIN | PSH | ECE | CWR));
	}
	if (dice_one_in(d, 5)) {
		s.ip_options = (uint8_t)(4 * dice_roll(d, 11));
		s.n_extensions = (uint8_t)dice_roll(d, 9);
		for (size_t i = 0; i < s.n_extensions; i++) {
			s.extension[i] = protos[dice_roll(d, 3)];
			s.extension_len[i] = (uint8_t)dice_roll(d, 4);
		}
	}
	return s;
}

static inline void check_facts(
	const struct dice *d, const struct offload *a, const struct offload *b)
{
	CHECK(a->kind == b->kind);
	CHECK(a->ecn == b->ecn);
	CHECK(a->csum_unset == b->csum_unset);
	CHECK(a->csum_start == b->csum_start);
	CHECK(a->csum_offset == b->csum_offset);
	CHECK(a->header_len == b->header_len);
	CHECK(a->segment_size == b->segment_size);
}

#endif
