/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who may say what hosts believe of their first hop (PROTOCOL.md 9.7): where an IP address is says
 * nobody but the member that claimed it, if one did; what a DHCP server or a router says comes of
 * members that have the role. Any thread, with a view that it holds; frames are of at least
 * FRAME_MIN bytes.
 */
#ifndef N2N_CORE_DATA_GUARD_H
#define N2N_CORE_DATA_GUARD_H

#include "core/data/edge_data.h"
#include "core/frame/first_hop.h"

/* For guard_in, of a frame that may be one; it is counted with the link. */
enum drop guard_look(const struct view *v, struct link *from, const uint8_t *data, size_t len);

/*
 * Why a frame of this peer, from an address that it may send from, may not come in; DROP_COUNT: it
 * may. The caller counts it among its drops.
 */
static inline enum drop guard_in(
	const struct view *v, struct link *from, const uint8_t *data, size_t len)
{
	return first_hop_likely(data, len) ? guard_look(v, from, data, len) : DROP_COUNT;
}

/* The peer sent from this address, which is not its own: counts that with its link. */
void guard_source(struct link *from, uint64_t source);

/* For guard_out, of a frame that may be one. */
bool guard_lets_out(struct edge_worker *w, const struct view *v, unsigned community,
	const struct frame *f, uint64_t now_ms);

/*
 * Whether a frame of a community's interface may go out: what a server or a router says only if
 * this side has the role. If not it is counted, and word of it left.
 */
static inline bool guard_out(struct edge_worker *w, const struct view *v, unsigned community,
	const struct frame *f, uint64_t now_ms)
{
	return !first_hop_likely(f->data, f->len) || guard_lets_out(w, v, community, f, now_ms);
}

#endif
