/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A running edge: the core, its interface, its sockets, its memory of earlier runs. Made and run
 * by one thread, which becomes the control thread.
 */
#ifndef N2N_HOST_EDGE_EDGE_HOST_H
#define N2N_HOST_EDGE_EDGE_HOST_H

#include <stdbool.h>

#include "base/log.h"
#include "conf/edge_conf.h"
#include "crypto/keystring.h"
#include "os/error.h"
#include "os/parent.h"

struct edge_host;

/*
 * The secret of a community. Key and passphrase NULL, after reading anew: it cannot be read twice,
 * as what comes from standard input, and is as it was.
 */
struct edge_secret {
	const struct community_key *key; /* key mode, or NULL */
	const char *passphrase;		 /* passphrase mode; the community has a name then */
	bool changed;	/* read anew: it is not what the community of this device had */
	bool stretched; /* the passphrase was, to: */
	uint8_t prs[KEY_LEN];
	struct os_error why; /* code is not 0: there is none */
};

/* What the user wants by now. */
struct edge_fresh {
	struct edge_conf *conf; /* on the heap, the receiver's: edge_conf_free and free */
	struct edge_secret secret[COMMUNITIES_MAX]; /* by index of conf->community */
};

/* How what the user wants is read anew. Control thread. */
struct edge_reloader {
	/*
	 * Reads files, command line and secrets again; now is what holds. N2N_EINVAL: something is
	 * wrong, or a community would have to be left that could not be joined again without its
	 * key, and why has all of it, a line each, cut to why_cap bytes; N2N_ENOMEM. *out is empty
	 * then.
	 */
	int (*read)(void *ctx, const struct edge_conf *now, struct edge_fresh *out, char *why,
		size_t why_cap);
	/* Wipes the secrets, which are not valid afterwards; conf stays the receiver's. */
	void (*wipe)(void *ctx, struct edge_fresh *fresh);
	void *ctx;
};

struct edge_setup {
	const struct edge_conf *conf;		    /* kept */
	struct edge_secret secret[COMMUNITIES_MAX]; /* by index of conf->community */
	struct parent *parent;	       /* that opens interface and sockets, or NULL; outlives it */
	struct log *log;	       /* kept; its level is changed by a reload */
	struct edge_reloader reloader; /* read is NULL: there is nothing to read again */
};

/*
 * Makes everything ready, interface and addresses included, and says so in a line. Any failure is
 * a condition of the start that the user has to mend; err explains it. A signal that asks for the
 * end is heard meanwhile: then it returns at once, with 0, and so does edge_host_run.
 */
MUST_CHECK int edge_host_open(
	struct edge_host **out, const struct edge_setup *setup, struct os_error *err);
/* Until SIGINT or SIGTERM: 0, after leaving politely. Else N2N_E*, explained. */
MUST_CHECK int edge_host_run(struct edge_host *h, struct os_error *err);
/*
 * NULL is fine. False when a look-up hangs in the system's resolver, or a passphrase is being
 * stretched: that cannot be taken back, and the process should not wait for it at its exit.
 */
bool edge_host_close(struct edge_host *h);

#endif
