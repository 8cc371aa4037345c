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

struct edge_setup {
	const struct edge_conf *conf;	 /* kept */
	const struct community_key *key; /* key mode, or NULL */
	const char *passphrase;		 /* passphrase mode; the community has a name then */
	struct parent *parent; /* that opens interface and sockets, or NULL; outlives it */
	const struct log *log; /* kept */
};

/*
 * Makes everything ready, interface and addresses included, and says so in a line. Any failure is
 * a condition of the start that the user has to mend; err explains it.
 */
MUST_CHECK int edge_host_open(
	struct edge_host **out, const struct edge_setup *setup, struct os_error *err);
/* Until SIGINT or SIGTERM: 0, after leaving politely. Else N2N_E*, explained. */
MUST_CHECK int edge_host_run(struct edge_host *h, struct os_error *err);
/*
 * NULL is fine. False when a look-up hangs in the system's resolver: it cannot be taken back, and
 * the process should not wait for it at its exit.
 */
bool edge_host_close(struct edge_host *h);

#endif
