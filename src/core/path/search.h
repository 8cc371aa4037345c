/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The search for a direct path, and its life afterwards (PROTOCOL.md 9): candidates told by the
 * peer or seen as source addresses are probed inside the session; the first to echo is used; a path
 * that falls silent is probed, doubled through the relay, and given up. Control thread only.
 */
#ifndef N2N_CORE_PATH_SEARCH_H
#define N2N_CORE_PATH_SEARCH_H

#include "base/endpoint.h"
#include "base/relay_reason.h"
#include "wire/control.h"

#define SEARCH_MAX (CANDIDATES_MAX + 4) /* some that were not told have a place, too */

/* Milliseconds. */
#define PATH_SUSPECT_MS	    2000u /* sent, and nothing heard for so long */
#define PATH_DEAD_MS	    3000u
#define PATH_PROBE_MS	    300u
#define PATH_IDLE_ECHO_MS   1000u  /* receiving and silent: show that we are here */
#define PATH_STALE_MS	    30000u /* nothing heard: a NAT may have closed the way */
#define SEARCH_ROUND_MAX_MS 25000u
#define NAT_KEEPALIVE_MS    21500u /* +- 3.5 s */

struct node;
struct session;
struct origin;

struct candidate {
	struct endpoint remote;
	struct endpoint local; /* none: the system chooses */
	uint64_t token;	       /* of the probe under way; 0: none */
	uint64_t sent_ms;
	uint64_t echoed_ms; /* last echo; 0: none */
	uint32_t rtt_ms;    /* of it */
	uint64_t used_ms;   /* the peer last sent from there, other than probes; 0: never */
	uint64_t next_ms;   /* next probe in this round; 0: the round is over */
	uint8_t tries;
	bool told; /* the peer announced it, as against seen as a source */
};

struct search {
	struct candidate c[SEARCH_MAX];
	uint8_t n;
	uint8_t rounds;
	uint64_t round_ms; /* next round */
	bool guessed;	   /* the direct path was never echoed: taken for want of a relay */
	enum relay_reason reason;
	uint32_t rtt_ms;	   /* of the direct path, when it was found */
	uint64_t unheard_ms;	   /* first sending that nothing was heard after; 0: none */
	uint64_t heard_ms;	   /* rx_direct_ms as last seen */
	bool doubted;		   /* the peer came through the relay although we had this path */
	uint64_t suspect_probe_ms; /* when the current path was first probed on suspicion; 0: not */
	uint64_t suspect_next_ms;
	uint64_t suspect_token;
	uint64_t keepalive_ms;
};

/* The peer's addresses as it told them: replaces those told before and starts a round. */
void search_told(struct session *s, const struct control_candidates *m, uint64_t now_ms);
/* A genuine packet, maybe a probe, came from an address that is not the path's: probe it. */
void search_seen(struct node *n, struct session *s, const struct origin *from, bool probing,
	uint64_t now_ms);
/* An echo came back: its candidate becomes the path. */
void search_echo(struct node *n, struct session *s, const struct control_echo *m,
	const struct origin *from, uint64_t now_ms);
/* The peer's probe is echoed to where it came from. */
void search_answer(struct node *n, struct session *s, const struct control_probe *m,
	const struct origin *from);
/* A PING is answered on the way it came. */
void search_pong(
	struct node *n, struct session *s, const struct control_ping *m, const struct origin *from);
/* Makes this address the session's path, with the mask key known now. */
void search_use(struct node *n, struct session *s, const struct endpoint *remote,
	const struct endpoint *local);
/*
 * A packet came through the relay while our path is direct: the peer may not be heard by us, or we
 * not by it. Probes at once and sends by both ways until there is an answer.
 */
void search_doubt(struct node *n, struct session *s, uint64_t now_ms);
/* Starts a new round at once. */
void search_again(struct session *s, uint64_t now_ms);
void search_tick(struct node *n, struct session *s, uint64_t now_ms);

#endif
