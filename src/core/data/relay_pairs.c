/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the table of pairs: in each word a print of the pair and a time. */
#include "core/data/relay_pairs.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/resident.h"

#define SETS	     8192u
#define WAYS	     4u
#define AHEAD_MAX_MS 60000u

struct relay_pairs {
	_Atomic uint64_t entry[SETS][WAYS]; /* print << 32 | milliseconds; 0: empty */
};

struct relay_pairs *relay_pairs_create(void)
{
	return resident_calloc(1, sizeof(struct relay_pairs));
}

void relay_pairs_destroy(struct relay_pairs *p)
{
	free(p);
}

/* The ids are random: mixing is enough. */
static uint64_t mix(uint32_t from, uint32_t to)
{
	uint64_t x = ((uint64_t)from << 32 | to) * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ x >> 32;
}

static uint32_t print_of(uint64_t mixed)
{
	return (uint32_t)(mixed >> 32) | 1;
}

/* Workers look at the clock when they wake up, so another one's entry may lie in the future. */
static uint32_t age(uint64_t entry, uint64_t now_ms)
{
	uint32_t ms = (uint32_t)now_ms - (uint32_t)entry;

	return ms > UINT32_MAX - AHEAD_MAX_MS ? 0 : ms;
}

void relay_pairs_note(struct relay_pairs *p, uint32_t from, uint32_t to, uint64_t now_ms)
{
	uint64_t mixed = mix(from, to);
	_Atomic uint64_t *set = p->entry[mixed % SETS], *place = set;
	uint32_t oldest = 0;

	for (unsigned i = 0; i < WAYS; i++) {
		uint64_t e = atomic_load_explicit(&set[i], memory_order_relaxed);

		if (e >> 32 == print_of(mixed)) {
			if ((uint32_t)e == (uint32_t)now_ms)
				return; /* the cache line stays where it is */
			place = &set[i];
			break;
		}
		if (e == 0 || age(e, now_ms) > oldest) {
			oldest = e == 0 ? UINT32_MAX : age(e, now_ms);
			place = &set[i];
		}
	}
	atomic_store_explicit(
		place, (uint64_t)print_of(mixed) << 32 | (uint32_t)now_ms, memory_order_relaxed);
}

bool relay_pairs_sent(
	const struct relay_pairs *p, uint32_t from, uint32_t to, uint64_t now_ms, uint32_t ms)
{
	uint64_t mixed = mix(from, to);

	for (unsigned i = 0; i < WAYS; i++) {
		uint64_t e = atomic_load_explicit(&p->entry[mixed % SETS][i], memory_order_relaxed);

		if (e >> 32 == print_of(mixed))
			return age(e, now_ms) < ms;
	}
	return false;
}
