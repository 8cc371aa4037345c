/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Streams to groups with more than four listeners by the relay: as group packets while they are
 * slow, by the fan-out set of the group (PROTOCOL.md 10.3). What a supernode sends on for many is
 * little and is there for broadcasts, so streams have a part of it; a faster one goes as copies to
 * each, which have no limit, and loses nothing. Workers.
 */
#ifndef N2N_CORE_DATA_STREAMS_H
#define N2N_CORE_DATA_STREAMS_H

#include "core/data/audience.h"
#include "core/data/storm.h"

#define STREAM_KEPT_US	1000000u /* so much of their share may be kept */
#define STREAM_PAUSE_MS 10000u	 /* so long copies go of what was faster: order stays */

/*
 * The set by which a frame of len bytes to this group, with that audience, goes; NULL: by none. A
 * group without one that may be worth it is left to the control thread. What the frame takes of
 * the relay is noted in s.
 */
const struct group_set *streams_take(struct storm *s, const struct view *v, unsigned community,
	const struct audience *a, uint64_t group, size_t len, uint64_t now_ms);

#endif
