/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The first step in: from a datagram to the key set it is for, and opening it (PROTOCOL.md 6.5).
 * Classifying takes off masks and relay headers; opening checks windows and tags, a run of packets
 * at a time. Any thread, with a receiver of its own and a view.
 */
#ifndef N2N_CORE_DATA_RECEIVE_H
#define N2N_CORE_DATA_RECEIVE_H

#include "core/data/transmit.h"
#include "core/view/view.h"

enum verdict {
	VERDICT_NONE,	 /* nothing yet: its link and keys are known, it is to be opened */
	VERDICT_RELAYED, /* its relay header is in the clear and to be checked */
	VERDICT_FRAME,	 /* data, len: an Ethernet frame for the session's community */
	VERDICT_EARLY,	 /* a frame before the peer's CLAIM took effect: for the control thread */
	VERDICT_HALF,	 /* data, len: half of a frame, which waits for the other one */
	VERDICT_EMPTY,	 /* keepalive or confirm: nothing, padding alone, or part of another's frame
			  */
	VERDICT_CONTROL, /* data, len: control messages */
	VERDICT_ENVELOPE, /* data, len: body and 16-byte tag of an opened envelope; to */
	VERDICT_UNKNOWN,  /* data, len: a packet for keys not in the view, or an answer only the
			     control thread can open; tried */
	VERDICT_REFUSED,  /* at a supernode: counted under why, and its sender is to be told */
	VERDICT_DROP	  /* counted under why */
};

/* One datagram on its way in. in.data is unmasked and opened in place. */
struct rx {
	struct datagram in;
	enum verdict verdict;
	enum drop why;
	struct link *link;
	struct recv_keys *keys;
	struct data_header header;
	struct relay_header relay;
	uint8_t *data;
	size_t len;
	struct offload offload; /* of a frame: its checksum may be unset */
	struct origin origin;
	struct addressee to; /* of an envelope */
	uint32_t tried;	     /* version of the envelope keys that did not open it */
};

struct receiver {
	struct aead_state *aead;
	struct drops *drops;
	struct aead_op ops[BATCH_MAX];
};

/*
 * Whether a data packet may have this header under a key set of this suite: the agreed transform, a
 * counter below the limit, halves and an unset checksum with frames only (PROTOCOL.md 6.1, 6.2).
 */
bool receive_allowed(const struct data_header *h, enum aead_suite suite);
/*
 * Opens packets whose link, keys, header, data (the data header) and len are set: checks the
 * window, the cipher, the tag, and sets the verdict; the link's counters and ticks follow. 0 < n <=
 * BATCH_MAX, all of one key set.
 */
void receive_open(struct receiver *r, struct rx *run[], size_t n, uint64_t now_ms);
/*
 * True when this is a data packet under that mask key; gives its header and leaves the packet. len
 * is at least DATAGRAM_MIN_LEN.
 */
bool receive_peek(
	struct data_header *h, const uint8_t *packet, size_t len, const uint8_t mask[MASK_LEN]);
/*
 * Opens an envelope in place if one of the view's keys fits: verdict ENVELOPE. What came through a
 * relay is not for a hop. False: it is none, and as before.
 */
bool receive_envelope(const struct view *v, struct rx *x);
/* True when it has the size of a cookie, which only the control thread can open. */
bool receive_may_be_cookie(const struct rx *x);
/* Sets the verdict of a whole frame, or of nothing, at data, len: of kind Ethernet, opened. */
void receive_frame(struct receiver *r, struct rx *x);
/* Sets verdict DROP and counts it. */
void receive_drop(struct receiver *r, struct rx *x, enum drop why);
/*
 * Checks 0 < n <= BATCH_MAX relay packets of one hop session, by the same relay.index: keys, MAC,
 * replay (PROTOCOL.md 6.4). Their relay headers are clear at x->data. Moves the genuine ones to the
 * front of run and returns their number: data and len are then the inner packet, link and keys the
 * hop's. The others are dropped.
 */
size_t receive_relayed(
	struct receiver *r, const struct view *v, struct rx *run[], size_t n, uint64_t now_ms);

#endif
