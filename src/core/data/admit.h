/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What passes between the interface and the peers of a community, before anybody asks where to: the
 * rules of a switch port, for frames that go out and for those that come in. Workers, with what
 * edge_data.h gives them; frames are of at least FRAME_MIN bytes.
 */
#ifndef N2N_CORE_DATA_ADMIT_H
#define N2N_CORE_DATA_ADMIT_H

#include <string.h>

#include "core/data/gate.h"
#include "core/data/guard.h"
#include "core/data/own_datagram.h"

/*
 * False if something else than the addresses and the type of a frame may decide on it: all but IP
 * without a tag that is no word of a first hop, nor, unless own is NULL, a datagram of ours.
 */
static inline bool admit_is_plain(const struct own_sockets *own, const uint8_t *data, size_t len)
{
	const uint8_t *ip = data + FIRST_HOP_IP;

	if (len < FIRST_HOP_V4_MIN || len > FRAME_MAX)
		return false;
	switch (load_be16(data + FIRST_HOP_TYPE)) {
	case 0x0800:
		return !first_hop_likely_v4(ip) && (own == NULL || ip[9] != FIRST_HOP_UDP ||
							   load_be16(ip + 20) != own->port_v4);
	case 0x86dd:
		return len >= FIRST_HOP_V6_MIN && !first_hop_likely_v6(ip) &&
		       (own == NULL || ip[6] != FIRST_HOP_UDP ||
			       load_be16(ip + 40) != own->port_v6);
	default:
		return false;
	}
}

/* Whether addresses and type of two frames are the same. */
static inline bool admit_is_alike(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, FIRST_HOP_IP) == 0;
}

/*
 * Whether the frame passes as the one before it did, in the same view, and to the same port: what
 * most frames cost. Of others admit_out and admit_in are to be asked.
 */
static inline bool admit_out_again(
	const struct view *v, const struct frame *f, const struct frame *before)
{
	return before != NULL && admit_is_alike(f->data, before->data) &&
	       admit_is_plain(v->own, f->data, f->len);
}

/* Those for many are counted one by one. */
static inline bool admit_in_again(const struct rx *x, const struct rx *before)
{
	return before != NULL && before->link == x->link && (x->data[0] & 1) == 0 &&
	       admit_is_alike(x->data, before->data) && admit_is_plain(NULL, x->data, x->len);
}

/*
 * Whether a frame of the interface may go out; if not it is counted. before: the one before, that
 * passed, or NULL.
 */
bool admit_out(struct edge_worker *w, const struct view *v, unsigned community,
	const struct frame *f, const struct frame *before, uint64_t now_ms);
/*
 * Whether a frame that a peer sent may come in, as its verdict says afterwards (PROTOCOL.md 9.4).
 * before: one before it in the same batch, that may, or NULL.
 */
void admit_in(struct edge_worker *w, const struct view *v, struct rx *x, const struct rx *before,
	uint64_t now_ms);

#endif
