/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any frames on an edge's interface, in batches. On a network that loses nothing each proper frame
 * with the interface's own address comes out at the other edge, once, unchanged and in order; all
 * others do not.
 */
#include "core_world.h"

struct expected {
	unsigned n, seen;
	size_t len[BATCH_MAX];
	uint8_t data[BATCH_MAX][FRAME_MAX];
};

static void check_frame(struct world *w, const struct frame *f)
{
	struct expected *x = w->ctx;

	CHECK(x->seen < x->n && f->len == x->len[x->seen]);
	CHECK(memcmp(f->data, x->data[x->seen], f->len) == 0);
	x->seen++;
}

static void expect(struct expected *x, const struct frame *f, const struct mac *own)
{
	if (f->len < FRAME_MIN || f->len > FRAME_MAX || memcmp(f->data + 6, own->b, 6) != 0)
		return;
	memcpy(x->data[x->n], f->data, f->len);
	x->len[x->n++] = f->len;
}

/* A frame in a block that ends where its tag would. */
static uint8_t *make_frame(struct world *w, struct feed *feed, struct frame *f)
{
	const uint8_t addresses = feed_u8(feed);
	const struct mac a = edge_mac(w->a, 0), b = edge_mac(w->b, 0);
	uint8_t buf[SLOT_LEN];
	uint8_t *block;

	memset(buf, 0, sizeof(buf));
	memcpy(buf, (addresses & 1) != 0 ? b.b : a.b, sizeof(b.b));
	memcpy(buf + 6, a.b, sizeof(a.b));
	if ((addresses & 2) != 0)
		f->len = feed_bytes(feed, buf, FRAME_MAX + 100);
	else
		f->len = 12 + feed_bytes(feed, buf + 12, FRAME_MAX - 12);
	if ((addresses & 4) != 0)
		memset(buf, 0xff, 6);
	block = malloc(SLOT_HEADROOM + f->len + DATA_TAG_LEN);
	CHECK(block != NULL);
	f->data = block + SLOT_HEADROOM;
	memcpy(f->data, buf, f->len);
	return block;
}

static void send_batch(struct world *w, struct feed *feed)
{
	static struct expected x;
	const struct mac own = edge_mac(w->a, 0);
	struct frame frames[BATCH_MAX];
	uint8_t *block[BATCH_MAX];
	size_t n = 0;

	x.n = x.seen = 0;
	w->ctx = &x;
	for (size_t want = 1u + feed_u8(feed) % 8; n < want && feed->left > 0; n++) {
		frames[n] = (struct frame){.len = 0};
		block[n] = make_frame(w, feed, &frames[n]);
		expect(&x, &frames[n], &own);
	}
	edge_frames_out(&w->a->worker, node_view(edge_node(w->a)), 0, frames, n, w->now_ms);
	world_run(w);
	CHECK(x.seen == x.n);
	for (size_t i = 0; i < n; i++)
		free(block[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world_create(AT_A);
	struct feed feed = {data, size};

	w->at_b = check_frame;
	for (unsigned i = 0; i < 20 && feed.left > 0; i++)
		send_batch(w, &feed);
	world_destroy(w);
	return 0;
}
