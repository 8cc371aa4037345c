/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Deadlines: when something has to be looked at next. A wheel of slots of 64 ms that covers 4
 * minutes; what is due later waits in the last slot and is put off again. Setting, clearing and
 * taking cost the same however many there are. Control thread. Nothing is allocated.
 *
 * A deadline is set when control state changes and looked at when it fires; packets never move one.
 */
#ifndef N2N_CORE_SESSION_DEADLINE_H
#define N2N_CORE_SESSION_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#define DEADLINE_SLOTS 4096u

/* Embedded in what has one; zeroed: not set. */
struct deadline {
	struct deadline *next, **link; /* link NULL: not set */
	uint64_t at_ms;
};

struct deadlines {
	uint64_t slot_now; /* everything in slots before this one was taken */
	struct deadline *slot[DEADLINE_SLOTS];
};

/* None is set. now_ms is of the clock that all times below are of, and never goes back. */
void deadlines_init(struct deadlines *w, uint64_t now_ms);
/* Sets it, or moves it if it is set. A time in the past is now. */
void deadline_set(struct deadlines *w, struct deadline *d, uint64_t at_ms);
/* The same, unless it is set to an earlier time. */
void deadline_set_earlier(struct deadlines *w, struct deadline *d, uint64_t at_ms);
/* A deadline that is not set is fine. */
void deadline_clear(struct deadline *d);
/* Takes one that is due out and returns it; NULL: none is. */
struct deadline *deadline_take(struct deadlines *w, uint64_t now_ms);

#endif
