/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Halves of frames that wait for the other half (PROTOCOL.md 6.8): it came before, comes later, or
 * by another path, to another worker. One pool for all threads of a process, of a fixed size; a
 * short lock, and no allocation. Halves that lie side by side in a batch never come here
 * (halves.h).
 *
 * Who leaves many halves single, by loss or on purpose, gives way: beyond PIECES_PER_SESSION his
 * own oldest goes, and when the pool is full the oldest of who has most. So no session loses a half
 * to others while it has no more than an equal share, however many they send.
 */
#ifndef N2N_CORE_DATA_PIECES_H
#define N2N_CORE_DATA_PIECES_H

#include "core/frame/frame.h"
#include "core/link/drop.h"

#define PIECES_MAX	   1024
#define PIECES_PER_SESSION 64
#define PIECES_WAIT_MS	   2000

/* Half a frame, opened. */
struct half {
	uint32_t index; /* of the key set that it came under, whose session's INDEX_ID it has */
	uint32_t group; /* of a group packet: index of the group key, which index is not; else 0 */
	uint32_t counter; /* its own */
	uint8_t piece;	  /* PIECE_FIRST or PIECE_LAST */
	bool csum_unset;
	const uint8_t *data;
	size_t len; /* HALF_MIN to HALF_MAX */
};

struct pieces;

/* Resident; NULL when memory is short. */
struct pieces *pieces_create(void);
/* Wipes what waits: no thread may use it any more. Accepts NULL. */
void pieces_destroy(struct pieces *p);

/* Whether two halves are those of one frame, first and last, by all but what key set they have. */
bool pieces_match(const struct half *first, const struct half *last);
/* Whether such two make a frame: as cut by its sender, and of one mind about the checksum. */
bool pieces_fit(const struct half *first, const struct half *last);

/*
 * Takes a half whose packet was genuine and new. Returns the length of the frame written to out if
 * the other half waited, else 0: it waits now, as a copy, or both were no frame. What is dropped
 * for it, and what waited too long, is counted in drops, of the calling thread. Any thread.
 */
size_t pieces_take(struct pieces *p, const struct half *h, uint8_t out[FRAME_MAX],
	struct drops *drops, uint64_t now_ms);
/*
 * Drops what waited too long, so that it is counted though nothing comes any more. Any thread.
 */
void pieces_sweep(struct pieces *p, struct drops *drops, uint64_t now_ms);

#endif
