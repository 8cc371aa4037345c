/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A membership: one community that this host is in, as everything but the core sees it. Its name
 * and tag, its interface with a queue for each worker, its files. Control thread.
 */
#ifndef N2N_HOST_COMMUNITY_MEMBERSHIP_H
#define N2N_HOST_COMMUNITY_MEMBERSHIP_H

#include "base/log.h"
#include "conf/community_conf.h"
#include "core/edge/edge.h"
#include "host/community/watched.h"
#include "os/netif.h"
#include "os/netns.h"
#include "os/state.h"
#include "os/tap.h"

/* What a community is joined with. */
struct membership_setup {
	const struct community_conf *conf; /* kept */
	const struct community_key *key;   /* key mode, or NULL */
	const uint8_t *prs;	/* passphrase mode: it, stretched; conf->name is set then */
	const uint8_t *seed;	/* what our identity in it comes of */
	struct parent *parent;	/* that opens the interface, or NULL; kept */
	const struct netns *ns; /* where that is to be, copied; NULL: here */
	const struct log *log;	/* for what is lost of earlier runs */
};

struct membership {
	const struct community_conf *conf; /* NULL: no membership of this index */
	struct parent *parent;
	const struct netns *ns; /* where its interface is: there below; NULL: here */
	bool has_ns;
	struct netns there;
	bool cut_off;			   /* from there, when it was last looked */
	struct netns_id ns_id;		   /* which one that was when it was made */
	struct netif_watch *watch;	   /* of what changes there, or NULL */
	unsigned index;			   /* of the core's community, and of this */
	char name[COMMUNITY_NAME_MAX + 1]; /* for people */
	uint8_t tag[COMMUNITY_TAG_LEN];
	unsigned n_queues;
	struct tap *tap[WORKERS_MAX]; /* queues of the interface */
	struct watched watched;	      /* the interface as it is by now */
	struct netif_routers routers; /* what it took from them, to be put back */
	struct os_error believed;     /* why it may still take it; code 0: it does not */
	bool addresses_due;	      /* not all that the user wants are there */
	bool changed;		      /* something worth saving, since saved_ms */
	uint64_t saved_ms;
	bool met;	   /* another member, ever */
	uint64_t alone_ms; /* since when it is registered and nobody is there; 0: it is not so */
};

/*
 * Joins a community: remembers what earlier runs knew of it. st may be NULL. Returns its index, or
 * N2N_E*, explained. m is what m[index] is to be: the caller puts it there.
 */
MUST_CHECK int membership_join(struct membership *m, struct edge *e, struct state *st,
	const struct membership_setup *setup, struct os_error *err);
/*
 * Makes its interface, with n_queues queues, and sets it up; disabled: a set of enum feature. What
 * is wanted and not vital is a debug line. N2N_E*, explained.
 */
MUST_CHECK int membership_make_interface(struct membership *m, const struct edge *e,
	unsigned n_queues, unsigned disabled, const struct log *log, struct os_error *err);
/* The network namespace that its interface is in has lost its name, or another one has it by now.
 */
bool membership_is_cut_off(const struct membership *m);
/* The interface has another MTU: what goes by it in one piece is as large as then fits. */
void membership_fit_trains(const struct membership *m, const struct log *log);
/*
 * Unless the user wants routers' word: the system forgets that it should not take it when it makes
 * its IPv6 side of an interface anew, as after an MTU that was too small for that. believed says
 * how that went.
 */
void membership_ignore_routers(struct membership *m);
/*
 * The user wants other addresses at its interface, those of conf: former ones are taken away, and
 * the members told. N2N_E*, explained: some are not there, the core knows them all the same, and
 * addresses_due says so until this succeeds.
 */
MUST_CHECK int membership_change_addresses(struct membership *m, struct edge *e,
	const struct community_conf *conf, uint64_t now_ms, struct os_error *err);
/* The user names others for roles, those of conf. */
void membership_change_trust(
	struct membership *m, struct edge *e, const struct community_conf *conf, uint64_t now_ms);
/* A frame for its interface that the control thread has; false: it would not take it. */
bool membership_deliver(const struct membership *m, const struct frame *f);
/*
 * Saves what is worth it, if something changed a while ago or it is time anyway, or at once.
 * N2N_E*, explained: the first failure, the rest was saved all the same.
 */
MUST_CHECK int membership_save(struct membership *m, const struct edge *e, struct state *st,
	uint64_t now_ms, bool at_once, struct os_error *err);
/* "n2n0 is up with 10.0.0.1/24, MAC ..., UDP port 7777, community x", at info. */
void membership_say_ready(
	const struct membership *m, const struct edge *e, uint16_t port, const struct log *log);
/* Its queues, which workers may be reading, are closed when they have rested. */
void membership_retire_queues(struct membership *m, struct core *core);
/* Closes the interface; one that stays is as it was. A zeroed one is fine. */
void membership_close(struct membership *m);

#endif
