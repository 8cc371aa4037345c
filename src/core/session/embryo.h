/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Embryos: handshakes that were answered and are not confirmed yet, in a fixed pool. One holds no
 * cipher context and is in no view, so that strangers allocate nothing and cause no work in
 * workers; the first genuine packet under its keys turns it into a key set (PROTOCOL.md 5.5).
 * Control thread.
 */
#ifndef N2N_CORE_SESSION_EMBRYO_H
#define N2N_CORE_SESSION_EMBRYO_H

#include "base/bucket.h"
#include "core/keys/handshake.h"
#include "core/link/way.h"

/* While one is younger: no own start, and no older attempt in its place. */
#define EMBRYO_HOLD_MS 5000u
#define EMBRYO_LIFE_MS 15000u

struct session;

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
	struct origin origin; /* how its message 1 came at first: repetitions may be anybody's */
	bool spread;	      /* some repetition came from elsewhere, and was answered there */
	bool directly;	      /* some repetition was answered without a relay */
	bool stale;	      /* of a low freshness, with a cookie: it may be a replay */
	bool misfit;	      /* embryo_strange has said so */
	uint8_t strange;      /* packets from its origin that nobody could place */
	uint64_t strange_ms;  /* the first of them */
	uint64_t born_ms;
	struct bucket opens; /* packets that are tried with its keys */
};

struct embryos {
	unsigned n;
	struct embryo *at;		   /* n of them */
	uint8_t cookie_secret[2][KEY_LEN]; /* current and previous */
	uint64_t cookie_ms;		   /* when the current one is replaced */
	uint64_t expire_ms;		   /* none ends earlier; 0: there is none */
};

/* N2N_ENOMEM. */
MUST_CHECK int embryos_init(struct embryos *p, unsigned n, const struct random *rnd);
/* Wipes and frees; a zeroed one is fine. */
void embryos_fini(struct embryos *p);

/* The handshake with this remote that waits for confirmation, or NULL. */
struct embryo *embryo_find(
	const struct embryos *p, const struct party *self, const uint8_t remote[KEY_LEN]);
/* The one whose key set to be has this index, which a stranger may have made up; or NULL. */
struct embryo *embryo_by_index(const struct embryos *p, uint32_t index);
/* One whose session to be has this id, or NULL. */
struct embryo *embryo_by_id(const struct embryos *p, uint32_t id);
/*
 * Nobody could place a packet that came from where its message 1 had come from. True once, when
 * that is proof of other keys: the initiator goes on confirming, for longer than what was on its
 * way.
 */
bool embryo_strange(struct embryo *e, uint64_t now_ms);
/* Some embryo ends at this time. */
void embryos_expire_by(struct embryos *p, uint64_t at_ms);
/*
 * A free place, for a remote with a session or for one without: some are kept for the former. Else
 * that of the oldest one, if it has waited long enough for an honest peer: it is to be discarded
 * first, through session_discard_embryo. NULL: no room.
 */
struct embryo *embryo_place(const struct embryos *p, bool known, uint64_t now_ms);

#endif
