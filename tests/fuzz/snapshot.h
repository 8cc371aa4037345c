/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A state that is costly to build is built once, and each run of a fuzz target begins with exactly
 * that state, so that a find is reproduced by its input alone.
 *
 * Two files offer it. snapshot_arena.c, for libFuzzer: what the project's code allocates between
 * snapshot_take and snapshot_restore lies in one piece of memory that is then put back.
 * snapshot_fresh.c, for the replay of the seeds: the state is built anew each time, in ordinary
 * memory that the usual tools watch. One thread.
 */
#ifndef N2N_TESTS_SNAPSHOT_H
#define N2N_TESTS_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The state that build(what) makes. A program has one state: build and what are the same at each
 * call. Build must take nothing from outside the process, and leave nothing of it in variables.
 */
void *snapshot_take(void *(*build)(int what), int what);
/*
 * Whether what was taken shall be destroyed and, with all that the run allocated, freed before it
 * is restored. With a snapshot that is to find leaks only, and it takes time: true for about one
 * input of 32, always the same ones.
 */
bool snapshot_wants_end(const uint8_t *input, size_t len);
/* Ends what snapshot_take began. Aborts if it was to be freed, and something was not. */
void snapshot_restore(void);

#endif
