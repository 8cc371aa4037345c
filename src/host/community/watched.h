/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A community's interface as others may change it while we run: what it is compared with what it
 * should be, and what follows of that. Nothing is done or said here, so that it is the same for
 * every system and every test. Control thread.
 *
 * It is looked at when the system says that something changed, at most once a second: so neither
 * our own changes nor a program that fights us makes more of them than that.
 */
#ifndef N2N_HOST_COMMUNITY_WATCHED_H
#define N2N_HOST_COMMUNITY_WATCHED_H

#include "base/bucket.h"
#include "conf/community_conf.h"
#include "os/netif_state.h"

enum watched_state {
	WATCHED_UP,
	WATCHED_DOWN, /* somebody set it down */
	WATCHED_AWAY  /* in another network namespace, where it is not seen */
};

struct watched {
	unsigned index;	 /* the system's, whatever the interface is called */
	unsigned master; /* of what takes its frames; 0: nothing does */
	char name[INTERFACE_NAME_MAX + 1];
	char bridge[INTERFACE_NAME_MAX + 1]; /* what takes its frames; empty: nothing does */
	enum watched_state state;
	unsigned mtu;
	bool looked;	  /* at least once */
	bool missed;	  /* it was not there, last time */
	uint64_t bare_ms; /* since when it is of no use for want of an address; 0: it is */
	struct bucket put[OVERLAY_ADDRESSES_MAX]; /* how often each address is put back */
	bool refused[OVERLAY_ADDRESSES_MAX];	  /* the system would not have it back */
	struct bucket marks;			  /* how often the mark is put back */
	bool mark_refused;
};

/* How what it was given is: the mark, or an address of -a. */
enum watched_gift {
	WATCHED_PRESENT,
	WATCHED_PUT_BACK, /* it is gone, and to be put back */
	WATCHED_MISSING,  /* it is gone, and who took it away would do so again */
	WATCHED_IDLE	  /* it need not be there now: the interface is down, or in a bridge */
};

/* What a look brought. */
struct watched_news {
	bool renamed;	  /* name is new */
	bool bridged;	  /* bridge is new, or empty */
	bool moved;	  /* state is new */
	bool resized;	  /* mtu is new */
	bool readdressed; /* it has another MAC address than the members know: mac */
	struct mac mac;
	enum watched_gift mark; /* without it others take its network for the one underneath */
	bool bare; /* it is up and has had no address for a while, and nothing else uses it */
	enum watched_gift address[OVERLAY_ADDRESSES_MAX]; /* in the order of -a */
	/* Interfaces that have the same address, or a range that is within ours; NULL: none. */
	const struct netif_link *same[OVERLAY_ADDRESSES_MAX];
	const struct netif_link *within[OVERLAY_ADDRESSES_MAX];
	bool bridged_address[OVERLAY_ADDRESSES_MAX]; /* one that is not answered for */
	const struct netif_address *surplus; /* at the first look: one that -a does not name */
};

/* An interface that was just made; name is what it is called. */
void watched_init(struct watched *w, unsigned index, const char *name, unsigned mtu);
/*
 * Compares. mac: what the members know. Pointers in *news are into s.
 */
void watched_look(struct watched *w, const struct community_conf *conf, const struct mac *mac,
	const struct netif_state *s, uint64_t now_ms, struct watched_news *news);
/* The user wants other addresses: what was seen of the former ones says nothing of these. */
void watched_addresses_changed(struct watched *w);
/* For machines: "up", "down", "away". */
const char *watched_state_name(enum watched_state s);

#endif
