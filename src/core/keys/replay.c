/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The replay window: a ring of bits. */
#include "core/keys/replay.h"

#include <assert.h>
#include <string.h>

void replay_init(struct replay *r, uint64_t *bits, size_t words)
{
	assert(words >= 2 && (words & (words - 1)) == 0);
	atomic_flag_clear(&r->lock);
	r->next = 0;
	r->words = words;
	r->bits = bits;
	memset(bits, 0, words * sizeof(*bits));
}

void replay_begin_at(struct replay *r, uint64_t floor)
{
	if (floor == 0)
		return;
	memset(r->bits, 0xff, r->words * sizeof(*r->bits));
	r->next = floor;
	if (floor % 64 != 0)
		r->bits[floor / 64 & (r->words - 1)] = (UINT64_C(1) << floor % 64) - 1;
}

void replay_lock(struct replay *r)
{
	while (atomic_flag_test_and_set_explicit(&r->lock, memory_order_acquire))
		;
}

void replay_unlock(struct replay *r)
{
	atomic_flag_clear_explicit(&r->lock, memory_order_release);
}

static uint64_t *word_of(const struct replay *r, uint64_t counter)
{
	return &r->bits[(counter / 64) & (r->words - 1)];
}

bool replay_seen(const struct replay *r, uint64_t counter)
{
	if (counter >= r->next)
		return false;
	/* The newest word may be filled only in part, so the window is one word less than the ring.
	 */
	if (counter / 64 + r->words <= (r->next - 1) / 64)
		return true;
	return (*word_of(r, counter) >> (counter % 64)) & 1;
}

bool replay_accept(struct replay *r, uint64_t counter)
{
	if (replay_seen(r, counter))
		return false;
	if (counter >= r->next) {
		uint64_t first = r->next == 0 ? 0 : (r->next - 1) / 64 + 1;
		uint64_t last = counter / 64;

		/* Words entered anew hold bits of a counter one ring ago. */
		if (last >= r->words && first < last - r->words + 1)
			first = last - r->words + 1;
		for (uint64_t i = first; i <= last; i++)
			*word_of(r, i * 64) = 0;
		r->next = counter + 1;
	}
	*word_of(r, counter) |= UINT64_C(1) << (counter % 64);
	return true;
}
