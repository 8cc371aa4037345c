/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many frames may go to more than one (PROTOCOL.md 10.5): of each source of an interface, of an
 * interface in all, by a relay in all, and of a peer into our interface; each kind has its own. Who
 * has none of a kind left has them of the others still. Workers, but for storm_dropped.
 */
#ifndef N2N_CORE_DATA_STORM_H
#define N2N_CORE_DATA_STORM_H

#include "base/flood_kind.h"
#include "base/pace.h"
#include "core/view/view.h"

#define STORM_SETS 64
#define STORM_WAYS 4

#define STORM_RELAYED_MAX 4 /* peers by relay: to more of them what is below holds */

/* Shares of what a relay takes of one member for many. */
enum storm_share {
	SHARE_VITAL,
	SHARE_PROBE,
	SHARE_OTHERS,
	SHARE_ALL, /* together */
	SHARES
};

struct storm_source {
	_Atomic uint64_t who;		       /* community << 48 | address; 0: nobody */
	_Atomic uint64_t full_ms[FLOOD_KINDS]; /* of a struct pace each, as below */
};

/*
 * Of all workers of an edge. Zeroed, nobody has sent anything. There is no lock: workers that take
 * of the same bucket at the same time may let one more pass each.
 */
struct storm {
	struct storm_source source[STORM_SETS][STORM_WAYS];
	_Atomic uint64_t total_ms[COMMUNITIES_MAX][FLOOD_KINDS];
	_Atomic uint64_t
		relay_us[COMMUNITIES_MAX][SHARES]; /* when each will have all it may keep */
	struct {
		_Atomic uint64_t since_ms;
		_Atomic uint32_t n;
	} over[COMMUNITIES_MAX];
};

/*
 * Whether one more frame of this kind may go from a source, as a number, of a community's interface
 * to more than one. hash_key is the view's.
 */
bool storm_lets_out(struct storm *s, const uint8_t hash_key[SIPHASH_KEY_LEN], unsigned community,
	uint64_t source, enum flood_kind kind, uint64_t now_ms);
/*
 * Whether a frame of this kind, a packet of len bytes, may go to a relay for more than
 * STORM_RELAYED_MAX peers. plan: what the supernode takes; NULL, or 0 in it: as it does by default.
 */
bool storm_lets_relay(struct storm *s, unsigned community, const struct group_plan *plan,
	enum flood_kind kind, size_t len, uint64_t now_ms);
/*
 * Whether a packet of a stream may go to a relay for many: what others may need at once is theirs.
 */
bool storm_lets_stream(struct storm *s, unsigned community, const struct group_plan *plan,
	size_t len, uint64_t now_ms);
/*
 * A frame of a community's interface may not. Returns 0, or once a second, while that goes on, how
 * many could not in the last one.
 */
uint32_t storm_over(struct storm *s, unsigned community, uint64_t now_ms);

/*
 * Whether one more frame of this kind may come into our interface from a peer; if not it is counted
 * with its link. Workers that take of one peer at the same time may let one more pass.
 */
bool storm_lets_in(struct link *from, enum flood_kind kind, uint64_t now_ms);
/* How many of a peer's could not, so far. Any thread. */
uint64_t storm_dropped(const struct link *from, enum flood_kind kind);

#endif
