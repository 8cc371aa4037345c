/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The budget of guesses of one passphrase community (PROTOCOL.md 5.5): how many handshakes that are
 * not confirmed may go on, who has his turn when that is spent, and when somebody is to be told of
 * it. It knows statics and times only; whom it concerns is admission.c's business. Control thread;
 * times are the core's now_ms.
 */
#ifndef N2N_CORE_EDGE_GUESSES_H
#define N2N_CORE_EDGE_GUESSES_H

#include "base/random.h"
#include "core/link/way.h"
#include "crypto/crypto.h"

#define GUESSES_PER_MINUTE 10
#define GUESSES_BEGUN	   5	  /* own attempts that wait for their answer at once */
#define GUESSES_SUSPECT	   10	  /* so many failures are evidence */
#define LOTTERY_MS	   6000u  /* one draw */
#define GUESS_MS	   60000u /* so long a guess counts */

/* A handshake with this static that counts until then. All zero: none. */
struct guess {
	uint64_t until_ms;
	uint8_t remote[KEY_LEN];
};

struct guesses {
	struct guess counted[GUESSES_PER_MINUTE]; /* the last ones */
	struct guess begun[GUESSES_BEGUN];
	bool drawing;	     /* the budget is spent: draws decide */
	uint64_t lottery_ms; /* when the running draw ends */
	uint8_t draw_key[SIPHASH_KEY_LEN];
	uint64_t best[2]; /* tickets of the candidate: its source's and its own */
	uint8_t candidate[KEY_LEN];
	uint8_t admitted[KEY_LEN]; /* winner of the last draw */
	struct {
		uint64_t ms; /* 0: free */
		bool tried;  /* and something came that may have been a try */
		uint8_t remote[KEY_LEN];
	} suspect[GUESSES_SUSPECT]; /* handshakes that failed, of statics not confirmed since */
	bool told;
};

/*
 * A place for a guess in a list of n where those whose time is over are free; NULL: there is none.
 * The lists of what is on a voucher's word are such ones too.
 */
struct guess *guess_place(struct guess *list, unsigned n, uint64_t now_ms);
/* Takes all guesses with this static out of a list; true when there was one. */
bool guess_remove(struct guess *list, unsigned n, const uint8_t remote[KEY_LEN]);

/* True when as many were counted within a minute as may be. */
bool guesses_spent(const struct guesses *g, uint64_t now_ms);
/* A handshake with this static goes on, or failed without having been counted: it counts ... */
void guesses_spend(struct guesses *g, const uint8_t remote[KEY_LEN], uint64_t now_ms);
/* ... until the static turns out to know the passphrase: nothing is held against it any more. */
void guesses_refund(struct guesses *g, const uint8_t remote[KEY_LEN]);
/*
 * May a handshake with a static that nothing speaks for go on? from is where its message came from.
 * While the budget is spent it takes part in the draw, and true says that it has won.
 */
bool guesses_admit(struct guesses *g, const uint8_t remote[KEY_LEN], const struct origin *from,
	uint64_t now_ms, const struct random *rnd);
/*
 * The same before an attempt of ours, which would go to to: it reserves its place for a moment.
 * *drawn: it won the draw, and its answer is not to take part in another.
 */
bool guesses_begin(struct guesses *g, const uint8_t remote[KEY_LEN], const struct origin *to,
	uint64_t now_ms, const struct random *rnd, bool *drawn);
/* An attempt of ours was answered, or ended: its reservation does. */
void guesses_begun(struct guesses *g, const uint8_t remote[KEY_LEN]);

/* A handshake stayed unconfirmed; tried: something came that may have been the confirmation. */
void guesses_failed(struct guesses *g, const uint8_t remote[KEY_LEN], uint64_t now_ms, bool tried);
/* This static went away, and may have died in the middle: what it never tried is no evidence. */
void guesses_left(struct guesses *g, const uint8_t remote[KEY_LEN]);
/*
 * True once when there is evidence that somebody guesses: many failed some time ago, and none of
 * their statics was confirmed since. Slow honest ones were, by then.
 */
bool guesses_tell(struct guesses *g, uint64_t now_ms);

#endif
