/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a bridge knows of the LAN at its interface, so that no loop melts it (PROTOCOL.md 9.8):
 *
 * - bridge_lan.c: which other bridges of the community are on the LAN, by their probes, and which
 *   of them serves each VLAN. All others stand by.
 * - bridge_loop.c: our own probe came out of the overlay, so that there is a ring. One of those in
 *   it closes, and opens again when the ring is gone.
 * - bridge.c: probes, and what follows for the gate (core/data/gate.h), the members and the user.
 *
 * Control thread, time is the core's.
 */
#ifndef N2N_CORE_EDGE_BRIDGE_H
#define N2N_CORE_EDGE_BRIDGE_H

#include "core/data/gate.h"
#include "core/edge/edge_state.h"

#define LANS_MAX       GATE_LANS
#define NEIGHBOURS_MAX 16

/* One VLAN at our interface; the first is what is in none. */
struct lan {
	uint16_t vlan;
	uint64_t used_ms;	     /* something of it came, last; 0: probes alone */
	uint64_t since_ms;	     /* it is probed */
	bool standby;		     /* as of now: another one serves it ... */
	uint8_t server[EDGE_ID_LEN]; /* ... this one */
	bool carries;		     /* we do */
	uint64_t stands_by_ms;	     /* since when it stands by */
	struct bucket turns;	     /* of those that make it ours */
	bool taken;		     /* it became ours, and nothing was done about that yet */
	bool announcing;	     /* it is being announced ... */
	size_t announced;	     /* ... so many addresses are */
};

/* Another bridge of the community that was heard on the LAN. */
struct neighbour {
	uint8_t remote[KEY_LEN];
	uint8_t id[EDGE_ID_LEN];
	bool serves[LANS_MAX];	     /* as it says in each VLAN ... */
	bool carries[LANS_MAX];	     /* ... and this */
	uint64_t heard_ms[LANS_MAX]; /* its probe, in each VLAN, last; 0: never */
};

enum loop_state {
	LOOP_NONE,
	LOOP_SUSPECTED, /* our probe came back; until due_ms somebody else may close */
	LOOP_ASKED,	/* another probe is out; until due_ms it may come back */
	LOOP_FOUND	/* the gate is closed */
};

struct loop {
	enum loop_state state;
	uint64_t due_ms;
	uint32_t asked;	    /* number of the probe that is out */
	uint16_t vlan;	    /* in which one came back */
	bool alone;	    /* none came back since it closed: another one cut the ring as well */
	uint64_t back_ms;   /* one of ours came back, last */
	uint64_t quiet_ms;  /* so long none may come back before the gate opens */
	uint64_t spread_ms; /* and this much more */
	uint64_t opened_ms; /* when it did, last; 0: never */
	uint8_t remote[KEY_LEN]; /* by whom it came */
};

struct bridge {
	uint32_t number;	      /* of the last probe */
	uint64_t probed_ms, probe_ms; /* the last, the next */
	uint32_t master; /* the host's bridge of which the interface is a port, as it says; 0: none
			  */
	uint64_t patient_until_ms;   /* so long it waits for those that it has not met */
	uint64_t listen_until_ms;    /* 0: it does not */
	bool told_standby;	     /* as the user was */
	struct bucket told;	     /* how often */
	struct bucket announcements; /* in all VLANs */
	uint64_t claimed_ms;	     /* CLAIM says something else about standby since then */
	bool serves;
	uint64_t deaf_until_ms; /* so long probes bring no VLAN back that nobody used */
	size_t n_lans;
	struct lan lan[LANS_MAX];
	size_t n_neighbours;
	struct neighbour neighbour[NEIGHBOURS_MAX];
	struct vlans_seen *seen; /* owned until it is retired */
	uint64_t seen_ms;	 /* when it was looked at */
	struct loop loop;
	uint8_t bpdu_from[KEY_LEN]; /* that was told ... */
	uint64_t bpdu_until_ms;	    /* ... until then, if none comes; 0: of nobody */
};

/* ---- bridge_lan.c ---- */

/* A probe of a bridge that is on our LAN came. True: we had not heard it there. */
bool lan_heard(struct community *c, const struct loop_frame *f);
/* Whether this member was heard on our LAN in this VLAN a moment ago. */
bool lan_has(const struct community *c, const uint8_t remote[KEY_LEN], uint16_t vlan);
/* The same, and one of both leaves the VLAN to the other. */
bool lan_is_agreed(const struct community *c, const uint8_t remote[KEY_LEN], uint16_t vlan);
/* Our place among the VLANs that are probed, or -1. */
int lan_find(const struct bridge *b, uint16_t vlan);
/* Who is there, and who serves; open: what is ours passes. True: a VLAN is ours that was not. */
bool lan_tick(struct community *c, bool open);
/* The members on our LAN, as ports of the switch, those that left a moment ago included. */
void lan_ports(struct community *c, struct port_set *out);

/* ---- bridge_loop.c ---- */

/* Our own probe came out of the overlay, by this peer. True: another one is to be sent. */
void loop_back(struct community *c, struct peer *p, const struct loop_frame *f);
/* We have listened, and are about to open: not if a probe came back a moment ago. */
void loop_listened(struct community *c);
/* Time passes. True: a probe is to be sent at once. */
bool loop_tick(struct community *c);

#endif
