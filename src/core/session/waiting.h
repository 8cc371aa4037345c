/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames that wait for a session: copied into a fixed pool, a bounded share for each. Control
 * thread. */
#ifndef N2N_CORE_SESSION_WAITING_H
#define N2N_CORE_SESSION_WAITING_H

#include "core/frame/frame.h"

#define WAITING_MAX	    256 /* frames held for all sessions together */
#define WAITING_PER_SESSION 16
#define WAITING_MS	    5000u

struct waiting {
	struct waiting *next;
	uint64_t since_ms;
	size_t len;
	uint8_t slot[SLOT_LEN]; /* the frame is at SLOT_HEADROOM */
};

struct waiting_pool {
	struct waiting *free;
	struct waiting *all; /* WAITING_MAX of them */
	unsigned n;	     /* that wait */
};

/* A session's, oldest first; zeroed: empty. */
struct waiting_list {
	struct waiting *first;
	unsigned n;
};

/* N2N_ENOMEM. */
MUST_CHECK int waiting_pool_init(struct waiting_pool *p);
/* Wipes and frees; a zeroed one is fine. */
void waiting_pool_fini(struct waiting_pool *p);
/* Copies a frame; false when the pool or the session's share is full, or the frame too long. */
bool waiting_add(
	struct waiting_pool *p, struct waiting_list *l, const struct frame *f, uint64_t now_ms);
/* Gives the first frame back to the pool. The list is not empty. */
void waiting_pop(struct waiting_pool *p, struct waiting_list *l);
/* Gives back what has waited too long; returns how many. */
unsigned waiting_expire(struct waiting_pool *p, struct waiting_list *l, uint64_t now_ms);
/* Gives back all. */
void waiting_clear(struct waiting_pool *p, struct waiting_list *l);

#endif
