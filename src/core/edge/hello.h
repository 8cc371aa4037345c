/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HELLO as an edge asks it, and what answers claim (PROTOCOL.md 4.6, 5.8). Anybody who sees a
 * question can answer it, and nothing in an answer is proved: a few are kept, for each to be tried.
 * Control thread. Owns nothing; zeroed, nothing was asked.
 */
#ifndef N2N_CORE_EDGE_HELLO_H
#define N2N_CORE_EDGE_HELLO_H

#include "core/session/core.h"
#include "wire/envelope.h"

#define HELLO_CLAIMS 4

struct hello_claim {
	uint8_t key[KEY_LEN];
	uint64_t freshness; /* 0: none was told */
};

struct hello {
	uint8_t asked;		 /* since it began; counts up to its maximum */
	uint8_t tag[2][TAG_LEN]; /* of the last two: answers refer to them */
	unsigned heard;		 /* different answers since the last question */
	uint8_t n;
	uint8_t next; /* those before had their turn */
	bool trying;  /* one has its turn */
	struct hello_claim claim[HELLO_CLAIMS];
};

/* Nothing was asked, nothing is answered. */
void hello_begin(struct hello *h);
/* A key proved itself: no claim waits any more. */
void hello_settle(struct hello *h);
/*
 * Sends a question there; those claims that had their turn are forgotten. Returns the pause until
 * the next question, in milliseconds, should nothing come.
 */
uint32_t hello_ask(struct hello *h, struct core *core, const struct way *to);
/* Whether an envelope refers to one of the last two questions; m is what it says. */
bool hello_is_answer(const struct hello *h, const uint8_t *data, size_t len, struct msg_hello *m);
/*
 * Keeps what an answer claims, if that is new. When there are too many, each one since the last
 * question is as likely to be kept as any other, of those that have not had their turn.
 */
void hello_claim(struct hello *h, const struct msg_hello *m, struct random *random);
/* The claim whose turn begins, valid until the next call; NULL: all had theirs. */
const struct hello_claim *hello_next(struct hello *h);

/* Whether a claim has its turn or waits for it. */
static inline bool hello_has_more(const struct hello *h)
{
	return h->trying || h->next < h->n;
}

#endif
