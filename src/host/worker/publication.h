/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How workers come by the newest view, and when memory they may still look at is freed: epochs.
 *
 * Each worker has one word. It enters with the current epoch, uses the view and what hangs on it,
 * and leaves (0) before it sleeps. What the control thread retires is stamped with the epoch and
 * freed once every worker is at rest or entered in a later one. A worker never waits for anybody.
 */
#ifndef N2N_HOST_WORKER_PUBLICATION_H
#define N2N_HOST_WORKER_PUBLICATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

#define READERS_MAX WORKERS_MAX

struct view;
struct retired;

struct publication {
	_Atomic(const struct view *) view;
	_Atomic uint64_t epoch;
	_Atomic uint64_t reader[READERS_MAX]; /* the epoch it entered in; 0 while it rests */
	unsigned n_readers;
	struct retired *limbo; /* the control thread's: retired, not yet freed */
	uint64_t limbo_epoch;
};

/* n_readers <= READERS_MAX workers, numbered from 0; none has entered. Control thread. */
void publication_init(struct publication *p, unsigned n_readers);

/*
 * A worker's, by its number. The view, and all it leads to, is valid until it leaves; NULL before
 * the first show.
 */
const struct view *publication_enter(struct publication *p, unsigned reader);
/* A worker's, before it sleeps: what is retired while it is inside is not freed until then. */
void publication_leave(struct publication *p, unsigned reader);

/* The control thread's. First show the view in which nothing retired occurs ... */
void publication_show(struct publication *p, const struct view *v);
/* ... then, if nothing is in limbo, hand over what was retired. */
void publication_retire(struct publication *p, struct retired *list);
/* Frees what is in limbo if all workers have passed; true when limbo is empty. */
bool publication_reclaim(struct publication *p);
/* Frees what is in limbo. No worker may run any more. */
void publication_fini(struct publication *p);

#endif
