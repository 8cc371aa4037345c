/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answering handshakes. What is answered and not yet confirmed is an embryo in a fixed pool: it
 * holds no cipher context and is in no view, so that strangers allocate nothing and cause no work
 * in workers. The first genuine packet under its keys turns it into a key set (PROTOCOL.md 5.5).
 */
#ifndef N2N_CORE_SESSION_RESPONDER_H
#define N2N_CORE_SESSION_RESPONDER_H

#include "core/node.h"

struct embryo {
	const struct party *party; /* NULL: free */
	struct session *session;   /* of a known remote, else NULL */
	uint8_t remote[KEY_LEN];
	uint8_t msg1_hash[32];
	struct payload theirs;
	struct handshake_result result;
	uint8_t rx_mask[MASK_LEN]; /* the split's, to recognise the first packet */
	uint8_t noise2[NOISE_MAX];
	size_t noise2_len;
	struct origin origin;
	uint64_t born_ms;
};

/* Takes an INIT addressed to self. tag is the last 16 bytes of its datagram. */
void responder_init(struct node *n, const struct party *self, const struct msg_init *m,
	const struct origin *from, const uint8_t tag[TAG_LEN], uint64_t now_ms);
/* The handshake with this remote that waits for confirmation, or NULL. */
struct embryo *responder_find(
	struct node *n, const struct party *self, const uint8_t remote[KEY_LEN]);
struct embryo *responder_by_index(struct node *n, uint32_t index);
/*
 * Tries to open a packet with an embryo's keys; on success the session has a confirmed key set and
 * is returned with the plaintext in place, else NULL. h is the clear header, also in packet.
 */
struct session *responder_confirm(struct node *n, struct embryo *e, const struct data_header *h,
	uint8_t *packet, size_t len, const struct origin *from, uint64_t now_ms);
void responder_discard(struct node *n, struct embryo *e);
/* Ends embryos that were not confirmed in time. */
void responder_tick(struct node *n, uint64_t now_ms);

#endif
