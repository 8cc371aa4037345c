/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For whom a frame to more than one is: everybody, or who listens (PROTOCOL.md 10.3). Workers, in a
 * view that they hold.
 */
#ifndef N2N_CORE_DATA_AUDIENCE_H
#define N2N_CORE_DATA_AUDIENCE_H

#include "core/frame/membership.h"
#include "core/view/view.h"

struct audience {
	enum multicast_kind kind; /* of the frame */
	bool listed;		  /* only who is in the lists */
	uint32_t at;
	const struct table *ports;
	const struct listeners *list[2]; /* no port is in both; NULL: none */
};

/* Of a frame of at least FRAME_MIN bytes. False: nobody of those who are there. */
bool audience_of(struct audience *a, const struct view *v, unsigned community, const uint8_t *data,
	size_t len);
/* The next port, each once; NULL: there is no more. */
const struct port *audience_next(struct audience *a);

#endif
