/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Halves in any order, of any session, length and time: what is joined was cut so, comes whole and
 * once, and no half is lost without being counted. One session has no more than an equal share of
 * the pool, and loses none of it.
 */
#include "core/data/pieces.h"
#include "fuzz_check.h"

#define OP_LEN	     6
#define PATTERN_STEP 37
#define OTHERS	     64 /* sessions, by the one byte of their index */
#define SHARE	     (PIECES_MAX / (OTHERS + 1))
#define QUIET	     (4 * OTHERS)

struct world {
	struct pieces *pool;
	struct drops drops;
	uint64_t now_ms, taken, joined;
	uint64_t quiet_since_ms;
	uint32_t quiet_at; /* counter of its oldest half */
};

/* Of a half's bytes: they tell whose they are. */
static uint8_t pattern(uint32_t index, uint32_t counter, size_t i)
{
	return (uint8_t)(index * 5 + counter * PATTERN_STEP + i * 11);
}

static void check_text(const uint8_t *text, size_t len, uint32_t index, uint32_t counter)
{
	for (size_t i = 0; i < len; i++)
		CHECK(text[i] == pattern(index, counter, i));
}

/* Its bytes end where they end. */
static void take(struct world *w, struct half *h)
{
	uint8_t *text = malloc(h->len), *out = malloc(FRAME_MAX);
	uint32_t first = h->piece == PIECE_FIRST ? h->counter : h->counter - 1;
	size_t len;

	CHECK(text != NULL && out != NULL);
	for (size_t i = 0; i < h->len; i++)
		text[i] = pattern(h->index, h->counter, i);
	h->data = text;
	len = pieces_take(w->pool, h, out, &w->drops, w->now_ms);
	w->taken++;
	if (len > 0) {
		CHECK((len + 1) / 2 == h->len || len / 2 == h->len);
		check_text(out, (len + 1) / 2, h->index, first);
		check_text(out + (len + 1) / 2, len / 2, h->index, first + 1);
		w->joined++;
	}
	free(text);
	free(out);
}

/* All first halves of its share, or all last ones, whose frames must come. */
static void quiet(struct world *w, uint8_t piece)
{
	const uint64_t joined = w->joined;

	for (uint32_t i = 0; i < SHARE; i++) {
		struct half h = {.index = QUIET,
			.counter = w->quiet_at + 2 * i + (piece == PIECE_LAST),
			.piece = piece,
			.len = HALF_MIN};

		take(w, &h);
	}
	if (piece == PIECE_FIRST) {
		w->quiet_since_ms = w->now_ms;
		return;
	}
	CHECK(w->joined == joined + SHARE);
	w->quiet_at += 2 * SHARE;
}

/* Its halves do not wait for too long. */
static void pass_time(struct world *w, uint64_t ms)
{
	const bool late = w->now_ms + ms >= w->quiet_since_ms + PIECES_WAIT_MS;

	if (late)
		quiet(w, PIECE_LAST);
	w->now_ms += ms;
	if (late)
		quiet(w, PIECE_FIRST);
}

/* What, session and key set, counter, length, how much later. */
static void step(struct world *w, const uint8_t *op)
{
	struct half h = {
		.index = op[1],
		.counter = op[2],
		.piece = (op[0] & 1) != 0 ? PIECE_LAST : PIECE_FIRST,
		.csum_unset = (op[0] & 2) != 0,
		.len = HALF_MIN + (size_t)(op[3] << 8 | op[4]) % (HALF_MAX - HALF_MIN + 1),
	};
	unsigned repeat = (op[0] & 4) != 0 ? 1u + (op[0] >> 3) * 8u : 1;

	pass_time(w, op[5] * 8u);
	if (op[5] == UINT8_MAX)
		pieces_sweep(w->pool, &w->drops, w->now_ms);
	for (unsigned i = 0; i < repeat; i++, h.counter += 2)
		take(w, &h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.pool = pieces_create(), .now_ms = 1000};
	uint64_t dropped;

	CHECK(w.pool != NULL);
	quiet(&w, PIECE_FIRST);
	for (; size >= OP_LEN; data += OP_LEN, size -= OP_LEN)
		step(&w, data);
	quiet(&w, PIECE_LAST);
	pieces_sweep(w.pool, &w.drops, w.now_ms + PIECES_WAIT_MS);
	dropped = drops_get(&w.drops, DROP_PIECE_LATE) + drops_get(&w.drops, DROP_PIECE_ROOM) +
		  drops_get(&w.drops, DROP_MALFORMED);
	CHECK(w.taken == 2 * w.joined + dropped);
	pieces_destroy(w.pool);
	return 0;
}
