/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The search for a direct path (PROTOCOL.md 9): candidates told by the peer or seen as source
 * addresses are probed inside the session, in rounds. What becomes of the one that echoes is
 * path.h. Held by sessions whose path is searched, and allocated then. Control thread.
 */
#ifndef N2N_CORE_PATH_SEARCH_H
#define N2N_CORE_PATH_SEARCH_H

#include "base/relay_reason.h"
#include "core/session/session.h"

#define SEARCH_MAX	    (CANDIDATES_MAX + 4) /* some that were not told have a place, too */
#define SEARCH_ROUND_MAX_MS 25000u
#define ECHO_LIFE_MS	    10000u   /* an echo proves an address for so long */
#define REFUSED_MS	    60000u   /* a way that was refused is not probed for so long */
#define REFUSED_MIN_MS	    10000u   /* the same, however often routes change */
#define REFUSED_MAX_MS	    3840000u /* for longer each time: doubled so often */

struct candidate {
	struct way way; /* local none: the system chooses */
	uint64_t token; /* of the probe under way; 0: none */
	uint64_t sent_ms;
	uint64_t sent_us;    /* the same by core_now_us */
	uint64_t echoed_ms;  /* last echo; 0: none */
	uint32_t rtt_us;     /* of it */
	uint64_t used_ms;    /* the peer last sent from there, other than probes; 0: never */
	uint64_t next_ms;    /* next probe in this round; 0: the round is over */
	uint64_t refused_ms; /* not probed before, whatever its route; 0: it may be */
	uint64_t longer_ms;  /* how much of that is over REFUSED_MS */
	uint8_t tries;
	bool told;    /* the peer announced it, as against seen as a source */
	bool overlay; /* it leads into an n2n network of this host, as last looked */
};

struct search {
	/* The candidates. */
	struct candidate c[SEARCH_MAX];
	uint8_t n;
	uint8_t rounds;
	uint64_t round_ms; /* next round */
	enum relay_reason reason;
	/* The path in use (path.c). */
	bool guessed;		   /* it was never echoed: taken for want of a relay */
	uint32_t rtt_us;	   /* of the direct path, when it was found */
	uint32_t shown_us;	   /* the same, as probed since: for people */
	uint64_t proven_ms;	   /* last echo on it: the peer heard us; 0: none */
	uint64_t unheard_ms;	   /* first sending that nothing was heard after; 0: none */
	uint64_t heard_ms;	   /* rx_direct_ms as last seen */
	bool doubted;		   /* the peer came through the relay although we had this path */
	uint64_t suspect_probe_ms; /* when the current path was first probed on suspicion; 0: not */
	uint64_t suspect_next_ms;
	uint64_t suspect_token;
	uint64_t keepalive_ms;
};

/* The session's search, made if there is none yet; NULL when memory is short. */
struct search *search_get(struct session *s);
/* The peer's addresses as it told them: replaces those told before and starts a round. */
void search_told(struct core *core, struct session *s, const struct control_candidates *m);
/* A carrier of the host's leads to the peer, it says: probed like what the peer told. */
void search_offer(struct core *core, struct session *s, const struct way *way);
/*
 * A genuine packet, maybe a probe, came from a way that is not the path's: probe it. At a
 * supernode, where anybody may have keys, once for each such packet: the source may be forged.
 */
void search_seen(struct core *core, struct session *s, const struct origin *from, bool probing);
/*
 * This way leads into an n2n network of this host. It is not probed before refused_ms, whatever its
 * route; 0: as soon as that leads elsewhere.
 */
void search_refuse(struct session *s, const struct way *way, uint64_t refused_ms);
/*
 * The same of a candidate that no path leads by, as our probe came back: for REFUSED_MS or, if
 * longer, twice as long each time, up to REFUSED_MAX_MS, until routes change. False: it is none.
 */
bool search_refuse_probed(struct core *core, struct session *s, const struct way *way, bool longer);
/* Routes changed: probes what led into such a network and does not any more. */
void search_rerouted(struct core *core, struct session *s);
/* Whether it is not refused, and leaves by no n2n network of this host. */
bool search_allows(const struct core *core, const struct session *s, const struct way *way);
/*
 * The peer is another process: what the last one echoed, and where it sent from, says nothing of
 * this one. What it told is probed anew, in a new round.
 */
void search_restart(struct core *core, struct session *s);
/* Starts a new round at once, if there is anything to probe. */
void search_again(struct core *core, struct session *s);
/* Probes what is due. */
void search_tick(struct core *core, struct session *s);
/* When there is something to probe next; UINT64_MAX: never, as things are. */
uint64_t search_next_ms(const struct core *core, const struct session *s);
/* The candidate whose probe this echo answers, with its round trip noted; NULL: none. */
struct candidate *search_match(
	struct core *core, struct session *s, uint64_t token, const struct way *from);

#endif
