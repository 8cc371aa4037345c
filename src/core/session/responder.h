/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answering handshakes (PROTOCOL.md 5.5): message 1 was opened, and a message 2 is made or sent
 * again; what is answered waits as an embryo, and its first packet makes a key set of it. Who may
 * be answered, and which session a remote has, is its callers' business. Control thread.
 */
#ifndef N2N_CORE_SESSION_RESPONDER_H
#define N2N_CORE_SESSION_RESPONDER_H

#include "core/session/session.h"

/* A message 1 that was opened by answer_read. */
struct request {
	const struct party *self;    /* whom it was addressed to */
	const struct msg_init *init; /* as it came */
	const struct origin *from;
	const uint8_t *tag;	 /* the last 16 bytes of its datagram */
	struct answer answer;	 /* answer.noise.rs is the remote static */
	struct session *session; /* ours with that remote, or NULL */
	bool has_shown;		 /* a cookie that is right (responder_shown) */
	bool stale;		 /* responder_settles: its freshness is no higher than one seen */
};

/* True when its mac2 shows a cookie that was sent to where it comes from. No Diffie-Hellman. */
bool responder_shown(struct core *core, const struct request *r);
/* Answers with a cookie, of which the reason is for people only. */
void responder_ask_cookie(struct core *core, const struct request *r, enum cookie_reason reason);

/*
 * Deals with a repetition, which gets the same answer again, and with one that is older than
 * another already taken, which is a replay or comes from a clock that went back: a cookie tells
 * them apart. False: it is neither, and may be answered.
 */
bool responder_settles(struct core *core, struct request *r);
/*
 * Answers that it is refused, with this result: no keys come of it, and nothing is kept. The
 * session with that remote goes on as it is.
 */
void responder_refuse(struct core *core, struct request *r, uint16_t result);
/* Answers, if there is room. */
void responder_answer(struct core *core, struct request *r);
/*
 * Tries to open the first packet under an embryo's keys; h is its clear header, also in packet. On
 * success returns the key set that it makes, not yet in any session, else NULL. The plaintext is
 * then in place. The embryo stays.
 */
struct keyset *responder_open(struct core *core, struct embryo *e, const struct data_header *h,
	uint8_t *packet, size_t len);
/* The embryo becomes a key set of the session: the session learns, the embryo is discarded. */
void responder_confirm(struct core *core, struct embryo *e, struct session *s, struct keyset *k,
	const struct origin *from);

#endif
