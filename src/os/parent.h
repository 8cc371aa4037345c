/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program in two processes: a child that does everything, and its parent, which parses nothing
 * that comes from outside and keeps the rights that the child gives up (os/rights.h). The parent is
 * the process that was started: it hands signals on and returns what the child returned. Over a
 * socket the child may ask it for what takes rights: tap_open and udp_open do so when they are
 * given one. It does what the user configured, which it reads itself, and nothing else.
 *
 * Every system; where a process cannot give up rights of its own there is no parent. Before there
 * are threads; asking is for one thread at a time.
 */
#ifndef N2N_OS_PARENT_H
#define N2N_OS_PARENT_H

#include <stdbool.h>

#include "base/endpoint.h"
#include "base/limits.h"
#include "base/log.h"
#include "os/error.h"

struct parent;

/* The TAPs that may be opened. */
struct parent_interfaces {
	unsigned n;
	struct parent_interface {
		char name[INTERFACE_NAME_MAX + 1];
		char netns[NETNS_MAX + 1]; /* the network namespace to be in; empty: ours */
		bool dhcp;		   /* a DHCP client may run there */
	} at[COMMUNITIES_MAX];
};

struct parent_setup {
	unsigned keep; /* what the child keeps, a set of enum right */
	struct parent_interfaces interfaces;
	struct endpoint local; /* what UDP sockets may be bound to, as for udp_open */
	char underlay_netns[NETNS_MAX +
			    1]; /* where these are, and the child; empty: where we are */
	/*
	 * What the user wants by now, for the parent to see by itself when it is asked for another
	 * interface; false: it cannot tell, and nothing else is allowed. NULL: nothing ever
	 * changes.
	 */
	bool (*reread)(void *ctx, struct parent_interfaces *out);
	void *ctx;
};

/*
 * Parts the process in two if it has more rights than the child is to keep; else *out is NULL and
 * nothing happens. Returns in both: parent_is_here tells them apart. When the parent ends, however
 * that happens, the child gets the signal that asks it to end. It has all rights until it drops
 * them. N2N_EAGAIN,
 * N2N_ENOMEM: no process or descriptor to be had.
 */
MUST_CHECK int parent_fork(
	struct parent **out, const struct parent_setup *setup, struct os_error *err);
/* True in the parent's process; false in the child's, and for NULL. */
bool parent_is_here(const struct parent *p);
/* For the child: the number by which the system knows its parent; 0 for NULL. */
unsigned parent_number(const struct parent *p);
/* True in a child whose parent has ended. */
bool parent_is_gone(const struct parent *p);
/*
 * For the child, about to read anew what the user wants: the parent does so at once as well. What
 * it allows is then what the child has read, though the user may change it again before the child
 * asks. NULL is fine.
 */
void parent_reread(struct parent *p);
/*
 * The parent's part: gives up the rights that no request takes, closes what it does not need, and
 * serves until the child has ended. Returns the child's exit status, or 128 and the number of the
 * signal that killed it, which is an error line unless the signal was asked for. N2N_E*, explained:
 * the rights could not be given up, and the child is dead. The caller wipes its secrets before.
 */
MUST_CHECK int parent_serve(struct parent *p, const struct log *log, struct os_error *err);
/* Frees it, in the child and in the parent. NULL is fine. */
void parent_destroy(struct parent *p);

#endif
