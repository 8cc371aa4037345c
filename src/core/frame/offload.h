/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Super-frames: cutting them into frames that fit a datagram each, joining such frames again, and
 * the transport checksum that may be left unset in between (PROTOCOL.md 6.7). TCP and UDP over IPv4
 * and IPv6, with at most two VLAN tags. Pure functions on bytes; any thread.
 */
#ifndef N2N_CORE_FRAME_OFFLOAD_H
#define N2N_CORE_FRAME_OFFLOAD_H

#include "base/err.h"
#include "core/frame/frame.h"

#define JOIN_MAX 64 /* frames that are looked at together */

/* ---- checksums ---- */

/*
 * True when a receiver that knows only the bytes finds the same unset checksum as the facts say:
 * then the fact may travel (bit 0 of header byte 1). Else it must be filled in before.
 */
bool offload_travels(const struct frame *f);
/*
 * Sets the facts of a received frame whose checksum is unset; false, and nothing changed, when
 * there is no place for it.
 */
MUST_CHECK bool offload_locate(struct frame *f);
/*
 * Fills in an unset checksum, if it is, of a single frame as its facts say; false when they point
 * outside the frame.
 */
MUST_CHECK bool offload_fill(struct frame *f);

/* ---- cutting ---- */

/* A frame being cut. Borrows its bytes. */
struct cut {
	const uint8_t *data;
	size_t len;
	struct offload offload; /* found from the bytes: header_len of the system is a hint */
	size_t next;		/* offset of the payload that comes next */
	uint32_t index;		/* of the next segment */
	uint32_t count;		/* of segments */
	/* Private. */
	uint16_t pseudo;  /* sum of the pseudo-header without the length */
	uint16_t ip4_sum; /* sum of the IPv4 header without what differs between segments */
	uint8_t l3;	  /* offset of the IP header */
	bool v6;
};

/*
 * Begins with a frame as the interface gave it; a plain one has one segment, itself. Of the facts
 * only kind, csum_unset and segment_size are believed, and places in a plain frame. False when the
 * bytes contradict them, or a segment would not fit FRAME_MAX. There are at most as many segments
 * as bytes.
 */
MUST_CHECK bool cut_begin(struct cut *c, const struct frame *f);
/* How many segments cut_next has still to write. */
static inline uint32_t cut_left(const struct cut *c)
{
	return c->count - c->index;
}
/*
 * Writes the next segment, a whole frame of at most FRAME_MAX bytes, to out->data and sets
 * out->len and out->offload. Its checksum is unset if the super-frame's was and it may travel so;
 * else it is finished. cut_left() > 0.
 */
void cut_next(struct cut *c, struct frame *out);

/* ---- joining ---- */

/* A frame for the interface: pieces to be written one after the other. Points into struct join. */
struct joined {
	struct offload offload;
	struct slice *piece; /* the first is a whole frame, the others are payloads */
	size_t n_pieces;
};

struct join {
	struct joined out[JOIN_MAX];
	struct slice piece[JOIN_MAX];
	uint8_t train[JOIN_MAX]; /* which out a frame went to */
};

/*
 * Joins n <= JOIN_MAX frames, in the order of arrival, to j->out and returns the number of those.
 * kinds holds an OFFLOAD_BIT for each kind of train that the interface takes. What the kernel's own
 * receive offload would not join is passed through as it is. Trains stand in the order of their
 * first frames, and a train takes no frame once another one of its flow stands behind it, so the
 * order within a flow stays. Headers of the first frame of a train are changed in place; frames
 * with a finished checksum are joined only when it is right, and then it becomes unset.
 * Identifications that are all the same, with DF set, count up when the train is cut again. The
 * frames' bytes are borrowed by j.
 */
size_t offload_join(struct join *j, const struct frame *frames, size_t n, unsigned kinds);

#endif
