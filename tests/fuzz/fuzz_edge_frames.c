/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any frames and super-frames on an edge's interface, in batches. On a network that loses nothing
 * each proper frame with the interface's own address comes out at the other edge, once, unchanged
 * and in order, alone or as part of a train; all others do not.
 */
#include "core_world.h"

#define SUPER_MAX 9000
#define CUT_MAX	  (BATCH_MAX / 2) /* in halves they are one batch on their way in */

/* A frame in a block that ends where its tag would. */
struct block {
	uint8_t *start;
	struct frame frame;
};

struct batch {
	struct world *w;
	struct mac own;
	struct block block[BATCH_MAX];
	size_t n;
	/* What should come out, with its checksum filled in. */
	struct frame expected[BATCH_MAX];
	uint8_t data[BATCH_MAX][FRAME_MAX];
	size_t n_expected, seen;
};

/* ---- in ---- */

static void expect(struct batch *b, const struct frame *f)
{
	struct frame *x = &b->expected[b->n_expected];

	/* What is for ourselves goes to nobody. */
	if (f->len < FRAME_MIN || f->len > FRAME_MAX ||
		memcmp(f->data, b->own.b, sizeof(b->own.b)) == 0 ||
		memcmp(f->data + 6, b->own.b, sizeof(b->own.b)) != 0)
		return;
	*x = (struct frame){b->data[b->n_expected++], f->len, f->offload};
	memcpy(x->data, f->data, f->len);
	CHECK(offload_fill(x));
}

static void add(struct batch *b, const struct frame *f)
{
	struct block *block = &b->block[b->n++];

	block->start = malloc(SLOT_HEADROOM + f->len + DATA_TAG_LEN);
	CHECK(block->start != NULL);
	block->frame = (struct frame){block->start + SLOT_HEADROOM, f->len, f->offload};
	memcpy(block->frame.data, f->data, f->len);
	expect(b, f);
}

/* All segments of a super-frame, if there is room. */
static void add_cut(struct batch *b, const struct frame *super)
{
	uint8_t slot[FRAME_MAX];
	struct frame f = {.data = slot};
	struct cut cut;

	if (!cut_begin(&cut, super) || cut_left(&cut) > CUT_MAX - b->n)
		return;
	while (cut_left(&cut) > 0) {
		cut_next(&cut, &f);
		add(b, &f);
	}
}

static struct offload feed_facts(struct feed *feed)
{
	const uint8_t facts = feed_u8(feed), start = feed_u8(feed), high = feed_u8(feed);

	return (struct offload){
		.kind = facts & 7,
		.csum_unset = (facts & 16) != 0,
		.csum_start = start,
		.csum_offset = (facts & 32) != 0 ? 16 : 6,
		.segment_size = (uint16_t)(high << 8 | feed_u8(feed)),
	};
}

static void feed_frame(struct batch *b, struct feed *feed)
{
	const uint8_t addresses = feed_u8(feed);
	const bool super = (addresses & 8) != 0;
	const size_t max = super ? SUPER_MAX : FRAME_MAX;
	const struct mac to = edge_mac((addresses & 1) != 0 ? b->w->b : b->w->a, 0);
	static uint8_t buf[SUPER_MAX];
	struct frame f = {.data = buf};

	memset(buf, 0, sizeof(buf));
	memcpy(buf, to.b, sizeof(to.b));
	memcpy(buf + 6, b->own.b, sizeof(b->own.b));
	if (super)
		f.offload = feed_facts(feed);
	if ((addresses & 2) != 0)
		f.len = feed_bytes(feed, buf, super ? max : max + 100);
	else
		f.len = 12 + feed_bytes(feed, buf + 12, max - 12);
	if ((addresses & 4) != 0)
		memset(buf, 0xff, 6);
	if (super)
		add_cut(b, &f);
	else
		add(b, &f);
}

/* ---- out ---- */

static struct frame gather(const struct joined *j, uint8_t whole[BATCH_MAX * FRAME_MAX])
{
	struct frame f = {whole, 0, j->offload};

	for (size_t i = 0; i < j->n_pieces; i++) {
		memcpy(whole + f.len, j->piece[i].data, j->piece[i].len);
		f.len += j->piece[i].len;
	}
	return f;
}

/*
 * A sum of TCP may be written in two ways, and where an IPv4 packet is never to be fragmented, its
 * identification may be any.
 */
static void forgive(struct frame *got, const struct frame *want, const struct offload *facts)
{
	const size_t sum = (size_t)facts->csum_start + facts->csum_offset;
	const size_t ip = facts->csum_start - 20u;

	if (facts->csum_offset == 16 && load_be16(want->data + sum) == 0)
		memcpy(got->data + sum, want->data + sum,
			load_be16(got->data + sum) == 0xffff ? 2 : 0);
	if (got->data[ip - 2] == 8 && (got->data[ip + 6] & 0x40) != 0) {
		memcpy(got->data + ip + 4, want->data + ip + 4, 2);
		memcpy(got->data + ip + 10, want->data + ip + 10, 2);
	}
}

/* The frames of the batch that became the i-th of what the interface is handed. */
static void check_joined(struct batch *b, const struct join *join, size_t i)
{
	static uint8_t whole[BATCH_MAX * FRAME_MAX];
	uint8_t slot[FRAME_MAX];
	const struct frame f = gather(&join->out[i], whole);
	struct frame got = {.data = slot};
	struct cut cut;

	CHECK((f.offload.kind != OFFLOAD_NONE) == (join->out[i].n_pieces > 1));
	CHECK(cut_begin(&cut, &f));
	for (size_t k = 0; k < b->n_expected; k++) {
		if (join->train[k] != i)
			continue;
		CHECK(cut_left(&cut) > 0);
		cut_next(&cut, &got);
		CHECK(offload_fill(&got));
		if (f.offload.kind != OFFLOAD_NONE)
			forgive(&got, &b->expected[k], &f.offload);
		CHECK(got.len == b->expected[k].len);
		CHECK(memcmp(got.data, b->expected[k].data, got.len) == 0);
		b->seen++;
	}
	CHECK(cut_left(&cut) == 0);
}

static void on_interface(void *ctx, unsigned community, const struct joined *j, size_t n)
{
	struct batch *b = ctx;
	const struct edge_worker *at = &b->w->mover[AT_B].edge;

	CHECK(community == 0 && j == at->join.out);
	for (size_t i = 0; i < n; i++) {
		CHECK(((at->in.kinds | 1) & OFFLOAD_BIT(j[i].offload.kind)) != 0);
		CHECK(at->in.csum_unset || !j[i].offload.csum_unset);
		check_joined(b, &at->join, i);
	}
}

/* All that is under way arrives at once. */
static void receive(struct batch *b)
{
	struct world *w = b->w;
	struct rx x[BATCH_MAX];
	size_t n = 0;

	for (; w->count > 0; n++, w->count--) {
		const struct parcel *p = &w->queue[w->head];

		CHECK(p->to == AT_B && n < BATCH_MAX);
		x[n].in = (struct datagram){
			malloc(p->len), p->len, {.remote = world_address(p->from)}};
		CHECK(x[n].in.data != NULL);
		memcpy(x[n].in.data, p->data, p->len);
		w->head = (w->head + 1) % QUEUE_MAX;
	}
	edge_datagrams_in(&w->mover[AT_B].edge, world_view(w, AT_B), x, n, w->now_ms);
	edge_frames_in(&w->mover[AT_B].edge, x, n);
	for (size_t i = 0; i < n; i++) {
		CHECK(x[i].verdict == VERDICT_FRAME || x[i].verdict == VERDICT_EMPTY ||
			x[i].verdict == VERDICT_DROP);
		free(x[i].in.data);
	}
	CHECK(b->seen == b->n_expected);
}

static void run_batch(struct world *w, struct feed *feed)
{
	static struct batch b;
	const uint8_t options = feed_u8(feed);
	struct frame frames[BATCH_MAX];

	b.w = w;
	b.own = edge_mac(w->a, 0);
	b.n = b.n_expected = b.seen = 0;
	/* Only who takes unset checksums takes super-frames. */
	w->mover[AT_B].edge.in = (struct frame_sink){.write = on_interface, .ctx = &b};
	w->mover[AT_B].edge.in.csum_unset = (options & 0x80) != 0;
	if (w->mover[AT_B].edge.in.csum_unset)
		w->mover[AT_B].edge.in.kinds = options >> 3 & 0xe;
	for (size_t want = 1u + options % 8; want > 0 && b.n < CUT_MAX && feed->left > 0; want--)
		feed_frame(&b, feed);
	for (size_t i = 0; i < b.n; i++)
		frames[i] = b.block[i].frame;
	edge_frames_out(&w->mover[AT_A].edge, world_view(w, AT_A), 0, frames, b.n, w->now_ms);
	receive(&b);
	for (size_t i = 0; i < b.n; i++)
		free(b.block[i].start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world_begin(AT_A);
	struct feed feed = {data, size};

	for (unsigned i = 0; i < 20 && feed.left > 0; i++)
		run_batch(w, &feed);
	world_end(w, data, size);
	return 0;
}
