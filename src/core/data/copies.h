/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sending group packets on to the members of a fan-out set, at a supernode: copies, each with the
 * headers of its destination's hop, many to one call of the sink (PROTOCOL.md 6.4, 10.2). One
 * worker's own; what it counts is read by any thread.
 */
#ifndef N2N_CORE_DATA_COPIES_H
#define N2N_CORE_DATA_COPIES_H

#include "core/data/fanout.h"
#include "core/data/receive.h"

struct copier {
	struct transmitter *tx;	   /* borrowed */
	uint8_t (*slot)[SLOT_LEN]; /* BATCH_MAX of them, owned */
	struct datagram out[BATCH_MAX];
	size_t n;		  /* of them, not sent yet */
	_Atomic uint64_t packets; /* group packets that were sent on */
	_Atomic uint64_t copies, bytes;
};

/* tx is borrowed. N2N_ENOMEM: nothing is held. */
MUST_CHECK int copier_init(struct copier *c, struct transmitter *tx);
/* A zeroed one is fine. */
void copier_fini(struct copier *c);

/*
 * 0 < n <= BATCH_MAX genuine group packets of one registration with the same relay handle, at data
 * and len: those that may are sent on, verdict EMPTY. The others are dropped: REFUSED where the
 * sender is to be told, else DROP.
 */
void copier_run(struct copier *c, struct receiver *r, const struct view *v, struct rx *run[],
	size_t n, uint64_t now_ms);

#endif
