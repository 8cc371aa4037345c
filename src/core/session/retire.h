/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory that a worker may still look at: it is unhooked first, then retired, and destroyed when
 * every worker has passed a point of rest since (host/worker/publication.h). Control thread.
 */
#ifndef N2N_CORE_SESSION_RETIRE_H
#define N2N_CORE_SESSION_RETIRE_H

struct retired {
	struct retired *next;
	void *memory;
	void (*destroy)(void *memory);
};

/* Puts memory at the head of a list. Accepts NULL memory. */
void retire(struct retired **list, void *memory, void (*destroy)(void *memory));
/* Destroys all of a list; NULL is an empty one. */
void retired_destroy(struct retired *list);

#endif
