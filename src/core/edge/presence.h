/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether a peer is there, by what was sent to it and heard of it (enum peer_state). Whoever is
 * there answers within a second (PROTOCOL.md 9.3), so that what stays unanswered says something;
 * nothing follows from silence between two that have nothing to say. Control thread.
 */
#ifndef N2N_CORE_EDGE_PRESENCE_H
#define N2N_CORE_EDGE_PRESENCE_H

#include "core/edge/edge_state.h"

/* As of now_ms, which may be later than the core's. */
enum peer_state presence_state(const struct peer *p, uint64_t now_ms);
/* It confirmed keys: it is here, and that is told unless it was all the time. */
void presence_met(struct peer *p);
/*
 * Its part of looking at the session: notes what is unanswered, asks again, tells who is gone.
 * Returns when to look again, if nothing else happens; UINT64_MAX: never.
 */
uint64_t presence_look(struct peer *p);

#endif
