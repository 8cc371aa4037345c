/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ports of a community's switch: what an Ethernet address leads to. What stands behind a port is
 * its kind; a frame's way is chosen without knowing it, and the data path switches on it once for
 * a run of frames.
 *
 * The control thread numbers the ports, since the forwarding table (fdb.h) has 13 bits for one.
 * Workers reach them through a table of the view (core/link/table.h, hashed with table_spread) by
 * number, and, for the addresses that peers own, through one by address.
 *
 * A number must not come to mean another port while anything leads to it. It is held in two places:
 * tables that workers have, and the forwarding table, where a worker that has an old table may
 * write it again at any time. So it is used again after three steps, in this order:
 *
 * 1. port_release: the port is removed from the next table; workers may still find it.
 * 2. port_hidden: that table is shown, a grace period begins. Who enters now does not find the
 *    port; a forwarding entry that leads to it is as good as none.
 * 3. port_reclaim: the grace period is over, so nobody has the port and nobody learns its number.
 *    It is swept out of the forwarding table, and is free. A worker that ever finds the next port
 *    of this number has entered after the sweep, and sees what it did.
 *
 * All functions here that change something are the control thread's.
 */
#ifndef N2N_CORE_SWITCH_PORT_H
#define N2N_CORE_SWITCH_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/link/table.h"
#include "core/switch/port_set.h"

struct frame;
struct link;

enum port_kind {
	PORT_ALL,      /* the flood group: every port but the one that a frame came from */
	PORT_LINK,     /* a peer */
	PORT_SINK,     /* a function */
	PORT_NOBODY,   /* an address whose owner is away: not for anybody else */
	PORT_INTERFACE /* our interface: what came by it is there already */
};

/* For what is not a link; called by workers. The frames are theirs, valid during the call. */
struct port_sink {
	void (*take)(void *ctx, struct frame *frames[], size_t n);
	void *ctx;
};

/* Immutable while workers may find it, and retired like what it leads to. */
struct port {
	enum port_kind kind;
	uint16_t number;
	union {
		struct link *link;     /* PORT_LINK; borrowed */
		struct port_sink sink; /* PORT_SINK */
	};
};

/* The flood group, which is in no table. */
extern const struct port port_all;
/* Where frames for an owner who is away end; in no table of ports either. */
extern const struct port port_nobody;
/* Behind our own interface, as learned; in no table of ports either. */
extern const struct port port_here;

/* A worker's: the port of this number, or the flood group if ports has none. */
static inline const struct port *port_find(const struct table *ports, uint16_t number)
{
	const struct port *p;

	if (number == PORT_HERE)
		return &port_here;
	p = table_find(ports, table_spread(NULL, number), number);
	return p != NULL ? p : &port_all;
}

struct fdb;

/* Which numbers of a community are in use, or not yet free. */
struct port_numbers {
	struct port_set taken;	  /* all of these */
	struct port_set released; /* maybe in the tables shown */
	struct port_set hidden;	  /* no more; a grace period is running for them */
	uint16_t last;		  /* taken last */
	bool grace;		  /* hidden is not empty */
};

/* None is in use but that of the flood group. */
void port_numbers_init(struct port_numbers *n);
/*
 * Takes a number from 1 to PORT_HERE - 1, the one that was free for longest or nearly so, and
 * returns it; N2N_ENOSPC if none is free.
 */
MUST_CHECK int port_take(struct port_numbers *n);
/* Step 1: the port's number, taken before, will not be in the next table shown. */
void port_release(struct port_numbers *n, uint16_t number);
/*
 * Step 2: the tables that workers find from now on have none of the numbers released so far. Called
 * when what was retired with them is handed over for its grace period (publication_retire). Not
 * while one is running: port_reclaim ends it.
 */
void port_hidden(struct port_numbers *n);
/*
 * Step 3: that grace period is over. Sweeps its ports out of f, which may be NULL where nothing is
 * learned; the numbers are free. Without one, does nothing.
 */
void port_reclaim(struct port_numbers *n, struct fdb *f);

#endif
