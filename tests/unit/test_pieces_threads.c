/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pool of halves under several workers, one that sweeps, and one that fills it: the halves
 * of a frame are others'.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/data/pieces.h"
#include "os/thread.h"

#include <cmocka.h>

#define WORKERS	 4
#define SESSIONS 6
#define FRAMES	 2000 /* of each session */
#define PARTIES	 (WORKERS + 2)
#define FILLERS	 40		  /* sessions of which no frame is ever whole */
#define FILL	 (8 * PIECES_MAX) /* halves of them */

struct world {
	struct pieces *pool;
	_Atomic unsigned came[SESSIONS][FRAMES]; /* how often */
	_Atomic unsigned busy;
};

struct party {
	struct world *w;
	unsigned number;
	struct drops drops;
	uint64_t taken, joined, wrong;
};

static size_t length_of(unsigned session, unsigned frame)
{
	return FRAME_MIN + (frame * 7 + session) % (FRAME_MAX - FRAME_MIN);
}

static uint8_t pattern(unsigned session, unsigned frame, size_t i)
{
	return (uint8_t)(session * 31 + frame * 7 + i);
}

static void check(struct party *p, const uint8_t *out, size_t len, unsigned session, unsigned frame)
{
	p->joined++;
	atomic_fetch_add(&p->w->came[session][frame], 1);
	p->wrong += len != length_of(session, frame);
	for (size_t i = 0; i < len; i++)
		p->wrong += out[i] != pattern(session, frame, i);
}

static void take(struct party *p, unsigned session, unsigned frame, bool last)
{
	size_t len = length_of(session, frame), first = (len + 1) / 2;
	uint8_t text[FRAME_MAX], out[FRAME_MAX];
	const struct half h = {
		.index = 4 * session,
		.counter = 2 * frame + last,
		.piece = last ? PIECE_LAST : PIECE_FIRST,
		.data = text + (last ? first : 0),
		.len = last ? len - first : first,
	};

	for (size_t i = 0; i < len; i++)
		text[i] = pattern(session, frame, i);
	p->taken++;
	len = pieces_take(p->w->pool, &h, out, &p->drops, 1000);
	if (len > 0)
		check(p, out, len, session, frame);
}

/* Each half has one worker, and the two of a frame mostly have two. */
static void work(void *ctx)
{
	struct party *p = ctx;

	for (unsigned frame = 0; frame < FRAMES; frame++)
		for (unsigned session = 0; session < SESSIONS; session++) {
			if ((frame + session) % WORKERS == p->number)
				take(p, session, frame, false);
			if ((frame / WORKERS + session) % WORKERS == p->number)
				take(p, session, frame, true);
		}
	atomic_fetch_sub(&p->w->busy, 1);
}

static void fill(void *ctx)
{
	static const uint8_t text[HALF_MAX];
	struct party *p = ctx;
	uint8_t out[FRAME_MAX];

	for (uint32_t i = 0; i < FILL; i++) {
		const struct half h = {.index = 4 * (SESSIONS + i % FILLERS),
			.counter = 2 * i,
			.piece = PIECE_FIRST,
			.data = text,
			.len = HALF_MAX};

		p->taken++;
		p->wrong += pieces_take(p->w->pool, &h, out, &p->drops, 1000);
	}
}

static void sweep(void *ctx)
{
	struct party *p = ctx;

	while (atomic_load(&p->w->busy) > 0)
		pieces_sweep(p->w->pool, &p->drops, 1000);
}

static void each_half_is_joined_once_or_counted(void **state)
{
	static struct world w;
	static void (*const role[PARTIES])(void *) = {work, work, work, work, fill, sweep};
	static struct party party[PARTIES];
	struct thread *thread[PARTIES];
	uint64_t taken = 0, joined = 0, dropped = 0;

	(void)state;
	w.pool = pieces_create();
	assert_non_null(w.pool);
	w.busy = WORKERS;
	for (unsigned i = 0; i < PARTIES; i++) {
		party[i].w = &w;
		party[i].number = i;
		assert_int_equal(thread_start(&thread[i], "party", role[i], &party[i]), 0);
	}
	for (unsigned i = 0; i < PARTIES; i++)
		thread_join(thread[i]);
	assert_true(drops_get(&party[WORKERS].drops, DROP_PIECE_ROOM) > 0);
	pieces_sweep(w.pool, &party[0].drops, 1000 + PIECES_WAIT_MS);
	for (unsigned i = 0; i < PARTIES; i++) {
		assert_int_equal(party[i].wrong, 0);
		taken += party[i].taken;
		joined += party[i].joined;
		dropped += drops_get(&party[i].drops, DROP_PIECE_ROOM) +
			   drops_get(&party[i].drops, DROP_PIECE_LATE);
	}
	assert_int_equal(taken - party[WORKERS].taken, 2 * SESSIONS * FRAMES);
	assert_int_equal(taken, 2 * joined + dropped);
	assert_true(joined > SESSIONS * FRAMES / 8);
	for (unsigned s = 0; s < SESSIONS; s++)
		for (unsigned f = 0; f < FRAMES; f++)
			assert_true(w.came[s][f] <= 1);
	pieces_destroy(w.pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_half_is_joined_once_or_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
