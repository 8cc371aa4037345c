/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the sessions of a supernode come from, so that one place cannot fill it (PROTOCOL.md 8.6).
 * A place is an IPv4 address or a /64 of IPv6; a /48 of IPv6 is one as well, with twice the limits.
 * Only addresses that have shown to receive are counted: that of a confirmed handshake, or one that
 * echoed. A place is kept while something is counted there, and until its arrivals have paid off.
 * Control thread; times are milliseconds of the node's clock.
 */
#ifndef N2N_CORE_SUPERNODE_SOURCES_H
#define N2N_CORE_SUPERNODE_SOURCES_H

#include "base/endpoint.h"
#include "base/pace.h"
#include "core/session/hash.h"

#define SOURCE_WAITING_MAX 64	  /* sessions without a registration at one place */
#define SOURCE_NET_FACTOR  2	  /* a /48, measured by a /64: half of a community at the default */
#define SOURCE_ALL_FACTOR  4	  /* all communities, measured by one */
#define SOURCE_REFILL_MS   60000u /* as many registrations as one community may have from there */

struct source {
	UT_hash_handle hh;   /* sources->table, by prefix */
	struct source *net;  /* of a /64: its /48; else NULL */
	uint32_t waiting;    /* sessions without a registration */
	uint32_t registered; /* sessions with one, in all communities */
	uint32_t places;     /* of a /48: its /64s here */
	uint8_t prefix[8];   /* a /48 has 6 */
	struct pace arrivals;
};

/* Embedded in a supernode. */
struct sources {
	struct source *table;
	const uint8_t *hash_key; /* the node's */
	unsigned per_address;	 /* registrations in one community from one place */
};

/* How many registrations of one community come from a place, and how many from its /48. */
struct source_share {
	unsigned here, net;
};

/* hash_key is borrowed; per_address is not 0. */
void sources_init(struct sources *s, const uint8_t hash_key[SIPHASH_KEY_LEN], unsigned per_address);
/* Frees all; a zeroed one is fine. */
void sources_fini(struct sources *s);

/*
 * Where one of the sessions without a registration has to end before another begins at this
 * address: its place, or the /48 of that; NULL: nowhere.
 */
const struct source *sources_full(const struct sources *s, const struct endpoint *at);
/* True for the place itself, and for a /64 of the /48 that place is. */
bool source_is_in(const struct source *at, const struct source *place);
/*
 * A session begins, without a registration. Its place, borrowed until sources_leave; NULL without
 * memory.
 */
struct source *sources_enter(struct sources *s, const struct endpoint *at);
/* A session ends that has no registration. */
void sources_leave(struct sources *s, struct source *from, uint64_t now_ms);
/*
 * True when one more registration may come from there now: share tells of its community, and is
 * looked at only if source_is_crowded.
 */
bool sources_admit(const struct sources *s, const struct source *at,
	const struct source_share *share, uint64_t now_ms);
/* So many registrations come from there that those of one community have to be counted. */
bool source_is_crowded(const struct sources *s, const struct source *at);
/* A session is registered; its arrival is paid for. */
void sources_registered(struct sources *s, struct source *at, uint64_t now_ms);
/* Its registration ended. */
void sources_unregistered(struct source *at);

/* True when the address belongs to this place. */
bool source_has(const struct source *at, const struct endpoint *address);
/* The place of an address to which a session moves; uncounted before sources_move. NULL: no memory.
 */
struct source *sources_place(struct sources *s, const struct endpoint *address);
/* True when a registration of that community may move there: it is not an arrival. */
bool sources_admit_move(
	const struct sources *s, const struct source *to, const struct source_share *share);
/* A session goes from one place to another, with its registration if it has one. */
void sources_move(struct sources *s, struct source *from, struct source *to, bool registered,
	uint64_t now_ms);
/* Frees places that nothing is counted at and whose arrivals have paid off; now and then. */
void sources_sweep(struct sources *s, uint64_t now_ms);

#endif
