/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The last step out: sealing packets under a key set and dressing them for a path (PROTOCOL.md 6).
 * Batches: counters are reserved and tags computed for a run of packets at once. Used by workers
 * for frames and by the control thread for its own packets, each with a transmitter of its own.
 */
#ifndef N2N_CORE_DATA_TRANSMIT_H
#define N2N_CORE_DATA_TRANSMIT_H

#include "core/frame/frame.h"
#include "core/link/drop.h"
#include "core/link/link.h"

#define BATCH_MAX 64

/* One packet on its way out. */
struct tx {
	struct link *link;
	struct send_keys *keys;
	uint8_t *packet; /* data header; SLOT_HEADROOM - DATA_HEADER_LEN writable bytes before it */
	size_t len;	 /* of the plaintext, then of the whole packet */
	uint8_t header[DATA_HEADER_LEN]; /* in the clear: the mask depends on the path */
	uint8_t kind;			 /* enum frame_kind */
	uint8_t piece;			 /* enum frame_piece */
	bool group;			 /* under a group's key */
	bool csum_unset;
};

/* Where finished datagrams go, in order, with as few system calls as the system allows. */
struct datagram_sink {
	void (*send)(void *ctx, const struct datagram *d, size_t n);
	void *ctx;
};

/* What one sending thread owns. */
struct transmitter {
	struct aead_state *aead;
	struct datagram_sink sink;
	struct drops *drops;
	struct aead_op ops[BATCH_MAX];
	struct datagram out[BATCH_MAX];
	size_t n_out; /* of these, not handed to the sink yet */
	bool held;    /* until transmit_release */
	/* Of frames in halves: what goes out together, and where the last halves lie. */
	struct tx cut[BATCH_MAX];
	uint8_t last[BATCH_MAX / 2][HALF_SLOT_LEN];
};

/*
 * thread: the number of the thread that uses it, below core_config.nworkers, or that itself for the
 * control thread. drops and what sink leads to are borrowed. N2N_ENOMEM: nothing is held.
 */
MUST_CHECK int transmitter_init(
	struct transmitter *t, unsigned thread, struct datagram_sink sink, struct drops *drops);
/* A zeroed one is fine. */
void transmitter_fini(struct transmitter *t);

/*
 * Seals a run of 0 < n <= BATCH_MAX packets of one link under one key set, in place, and sends them
 * on the link's path, and again on its copy path if there is one; without any they are dropped and
 * counted. A frame longer than one of the two takes goes in halves (PROTOCOL.md 6.8). False when
 * the key set is used up: nothing was sent.
 */
bool transmit_run(struct transmitter *t, struct tx *run, size_t n, uint64_t now_ms);
/*
 * The same on a path of the caller's choice alone: probes and the like, no frames. What does not go
 * where the link's packets go leaves its ticks and counters as they are.
 */
bool transmit_on(
	struct transmitter *t, struct tx *run, size_t n, struct path *via, uint64_t now_ms);

/*
 * The same of packets under a group's key, for the fan-out set that the path's handle names
 * (PROTOCOL.md 10.2). Signed if the keys say so: SLOT_TAIL bytes behind each are written.
 */
bool transmit_group(
	struct transmitter *t, struct tx *run, size_t n, const struct path *path, uint64_t now_ms);

/* Bytes of the packets, as a relay counts them, in which that sends a frame of len bytes. */
size_t transmit_group_len(const struct send_keys *keys, const struct path *path, size_t len);

/*
 * Copies for many peers leave together: from here on what is sent is kept, up to BATCH_MAX
 * datagrams, until transmit_flush or, at the end, transmit_release. The packets are the caller's
 * and stay as they are until then.
 */
void transmit_hold(struct transmitter *t);
void transmit_flush(struct transmitter *t);
void transmit_release(struct transmitter *t);

/* What the relay headers of a burst on one path have in common. */
struct relay_burst {
	const struct send_keys *keys; /* of the hop */
	const struct path *way;	      /* to the supernode, or to the edge at one */
	struct relay_header next;
};

/* Reserves n relay counters of the path's hop; false, counted, when the hop cannot send now. */
bool transmit_relay_begin(struct transmitter *t, struct relay_burst *b, const struct path *path,
	size_t n, uint64_t now_ms);
/*
 * Puts the next of the n headers before a packet, which has RELAY_HEADER_LEN writable bytes before
 * it, and fills d.
 */
void transmit_relay_header(struct relay_burst *b, uint8_t *packet, size_t len, struct datagram *d);

#endif
