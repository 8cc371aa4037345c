/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window of freshness that is answered, and the limit that outlives the process. */
#include "core/supernode/fresh.h"

void fresh_init(struct fresh *f, uint64_t floor, uint64_t wall_ms)
{
	/* A number that nobody's time can reach is damage: it must not lock everybody out. */
	if (floor > UINT64_MAX / 2)
		floor = 0;
	*f = (struct fresh){.floor = floor, .highest = floor, .start_ms = wall_ms};
	fresh_raise(f, wall_ms);
}

uint64_t fresh_now(const struct fresh *f, uint64_t wall_ms)
{
	uint64_t least = f->floor + 1 + (wall_ms - f->start_ms) / 2;

	return wall_ms > least ? wall_ms : least;
}

bool fresh_admits(struct fresh *f, uint64_t freshness, bool known, uint64_t wall_ms)
{
	uint64_t now = fresh_now(f, wall_ms);

	if (freshness <= f->floor || freshness > f->limit)
		return false;
	/* The limit is further than the span from now, but for a moment: see fresh_raise. */
	if (!known && (freshness + FRESH_SPAN_MS <= now || freshness > now + FRESH_SPAN_MS))
		return false;
	if (freshness > f->highest)
		f->highest = freshness;
	return true;
}

void fresh_raise(struct fresh *f, uint64_t wall_ms)
{
	uint64_t now = fresh_now(f, wall_ms);

	if (f->limit <= now + FRESH_SPAN_MS)
		f->limit = now + 2 * FRESH_SPAN_MS;
}
