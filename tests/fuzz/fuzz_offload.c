/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames with facts as an interface may give them: they are cut, what comes out is joined, and what
 * comes out of that is cut again and must be the same frames, but for what joining may change.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/data/own_datagram.h"
#include "core/frame/offload.h"
#include "fuzz_check.h"

struct feed {
	const uint8_t *p;
	size_t left;
};

/* Frames in slots of their own. */
struct row {
	struct frame frames[JOIN_MAX];
	uint8_t slots[JOIN_MAX][FRAME_MAX];
	size_t n;
};

static uint16_t feed_u16(struct feed *feed)
{
	uint16_t v;

	if (feed->left < 2) {
		feed->left = 0;
		return 0;
	}
	v = load_be16(feed->p);
	feed->p += 2;
	feed->left -= 2;
	return v;
}

/* Adds the segments of f, if they fit. */
static void cut_to(struct row *row, const struct frame *f)
{
	struct cut c;

	if (!cut_begin(&c, f) || cut_left(&c) > JOIN_MAX - row->n) {
		return;
	}
	for (; cut_left(&c) > 0; row->n++) {
		struct frame *out = &row->frames[row->n];

		out->data = row->slots[row->n];
		cut_next(&c, out);
		CHECK(out->len <= FRAME_MAX && out->offload.kind == OFFLOAD_NONE);
		CHECK(!out->offload.csum_unset || offload_travels(out));
	}
}

/* Whatever it is, no byte behind its end is looked at. */
static void look_for_own(const struct frame *f)
{
	const struct endpoint from[] = {endpoint_v4(0x0a000001, 5), {{0xfd, [15] = 1}, 5}};
	struct own_sockets *own = own_create(from, 2);
	struct endpoint to;

	CHECK(own != NULL);
	if (own_datagram_likely(own, f->data, f->len) && own_datagram(own, f->data, f->len, &to))
		CHECK(f->len >= OWN_MIN_LEN);
	free(own);
}

static void feed_frame(struct row *row, struct feed *feed)
{
	const uint16_t facts = feed_u16(feed), size = feed_u16(feed), want = feed_u16(feed);
	struct frame f = {.len = want < feed->left ? want : feed->left};
	uint8_t *block = malloc(f.len + 1); /* so that a sanitizer sees the first byte beyond */

	CHECK(block != NULL);
	f.data = block + 1;
	memcpy(f.data, feed->p, f.len);
	feed->p += f.len;
	feed->left -= f.len;
	f.offload = (struct offload){
		.kind = (uint8_t)(facts & 7),
		.ecn = (facts & 8) != 0,
		.csum_unset = (facts & 16) != 0,
		.csum_start = facts >> 8,
		.csum_offset = (facts & 32) != 0 ? 16 : 6,
		.segment_size = size,
	};
	look_for_own(&f);
	cut_to(row, &f);
	free(block);
}

static struct frame gather(const struct joined *out, uint8_t *whole)
{
	struct frame f = {whole, 0, out->offload};

	for (size_t i = 0; i < out->n_pieces; i++) {
		memcpy(whole + f.len, out->piece[i].data, out->piece[i].len);
		f.len += out->piece[i].len;
	}
	return f;
}

/*
 * Both sums of TCP that mean the same may stand for each other, and where an IPv4 packet is never
 * to be fragmented, its identification may be any.
 */
static void forgive(struct frame *f, const struct frame *before, const struct offload *facts)
{
	const size_t sum = (size_t)facts->csum_start + facts->csum_offset;
	const size_t ip = facts->csum_start - 20;

	if (facts->csum_offset == 16 && load_be16(before->data + sum) == 0) {
		CHECK(load_be16(f->data + sum) == 0xffff);
		store_be16(f->data + sum, 0);
	}
	if (f->data[ip - 2] == 8 && (f->data[ip + 6] & 0x40) != 0) {
		memcpy(f->data + ip + 4, before->data + ip + 4, 2);
		memcpy(f->data + ip + 10, before->data + ip + 10, 2);
	}
}

/* The frames of before that went into the i-th of what was joined. */
static void check_joined(const struct join *j, size_t i, struct row *before)
{
	static uint8_t whole[JOIN_MAX * FRAME_MAX];
	static struct row again;
	const struct frame f = gather(&j->out[i], whole);
	const bool train = j->out[i].n_pieces > 1;
	size_t k = 0;

	CHECK((f.offload.kind != OFFLOAD_NONE) == train);
	again.n = 0;
	cut_to(&again, &f);
	CHECK(again.n == j->out[i].n_pieces);
	for (size_t b = 0; b < before->n; b++) {
		struct frame *want = &before->frames[b], *got = &again.frames[k];

		if (j->train[b] != i) {
			continue;
		}
		CHECK(offload_fill(want) && offload_fill(got));
		if (train) {
			forgive(got, want, &f.offload);
		}
		CHECK(got->len == want->len && memcmp(got->data, want->data, got->len) == 0);
		k++;
	}
	CHECK(k == again.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct row row, before;
	static struct join j;
	struct feed feed = {data, size};
	const unsigned kinds = feed_u16(&feed);
	size_t n_out, pieces = 0;

	row.n = 0;
	while (feed.left > 0) {
		feed_frame(&row, &feed);
	}
	before = row;
	for (size_t i = 0; i < row.n; i++) {
		before.frames[i].data = before.slots[i];
	}
	n_out = offload_join(&j, row.frames, row.n, kinds);
	for (size_t i = 0; i < n_out; i++) {
		CHECK((OFFLOAD_BIT(j.out[i].offload.kind) & (kinds | 1)) != 0);
		check_joined(&j, i, &before);
		pieces += j.out[i].n_pieces;
	}
	CHECK(pieces == row.n);
	return 0;
}
