/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames for all that did not reach all: each waits once in its community for the members that come
 * up, and is sent to those that it missed, in order (PROTOCOL.md 10). What a host cannot do without
 * (core/frame/vital.h) waits longer, above all where nobody is there yet, and has its room before
 * all else; of equals the newest stay. A frame that is there already takes the place of the former.
 *
 * Control thread, time is the core's now_ms.
 */
#ifndef N2N_CORE_EDGE_BACKLOG_H
#define N2N_CORE_EDGE_BACKLOG_H

#include "core/frame/frame.h"

#define BACKLOG_BYTES	 98304u /* of one community, with what is kept about each */
#define BACKLOG_MS	 5000u
#define BACKLOG_VITAL_MS 30000u /* what is vital, and reached nobody when it was sent */

struct backlog_frame;
struct community;
struct missed;
struct peer;

/* A community's; zeroed: empty. */
struct backlog {
	struct backlog_frame *first, *last; /* owned, oldest first */
	size_t bytes;
	uint64_t number; /* of the newest that ever was */
};

/*
 * A frame of at least FRAME_MIN bytes missed those of m, whose numbers of ports are at ports: who
 * has keys gets it now. It is copied.
 */
void backlog_add(
	struct community *c, const struct frame *f, const struct missed *m, const uint16_t *ports);
/* Who has keys gets what waits and it missed. */
void backlog_give(struct peer *p);
/* Its port leaves, and another may get the number. */
void backlog_part(const struct peer *p);
/* Ends what is too old. */
void backlog_tick(struct community *c);
/* Wipes and frees all. */
void backlog_clear(struct community *c);

#endif
