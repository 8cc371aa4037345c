/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which handshakes a supernode may answer at all, by their freshness (PROTOCOL.md 5.8): nothing
 * that was answered by an earlier run of it, nor what an edge it does not know sent long ago.
 * Everything that is answered lies at or below a limit that the state directory holds, and that is
 * the floor of the next run. What no honest clock may say is told in HELLO.
 *
 * Times are in milliseconds since 1970, by the supernode's own clock, which never goes back within
 * a run. Control thread; no I/O.
 */
#ifndef N2N_CORE_SUPERNODE_FRESH_H
#define N2N_CORE_SUPERNODE_FRESH_H

#include <stdbool.h>
#include <stdint.h>

#define FRESH_SPAN_MS UINT64_C(300000) /* how wrong the clock of an unknown edge may be */

struct fresh {
	uint64_t floor;	   /* nothing up to it is answered */
	uint64_t limit;	   /* nor above it; what is to be kept */
	uint64_t highest;  /* that was answered */
	uint64_t start_ms; /* our clock when the run began */
};

/* floor: what was kept by the run before, 0 for none. The limit is to be kept before anything is
 * answered. */
void fresh_init(struct fresh *f, uint64_t floor, uint64_t wall_ms);
/*
 * What an edge may use now: the time by our clock, or, while the floor is ahead of that, a number
 * above it that grows at half its pace, so that the clock gets there.
 */
uint64_t fresh_now(const struct fresh *f, uint64_t wall_ms);
/* May a handshake with this freshness be answered? known: its static has a session. */
bool fresh_admits(struct fresh *f, uint64_t freshness, bool known, uint64_t wall_ms);
/* Raises the limit when time comes near it; then it is to be kept again. Once a second will do. */
void fresh_raise(struct fresh *f, uint64_t wall_ms);

#endif
