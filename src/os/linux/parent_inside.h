/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the child asks of its parent on Linux, and how. */
#ifndef N2N_OS_LINUX_PARENT_INSIDE_H
#define N2N_OS_LINUX_PARENT_INSIDE_H

#include <stdint.h>

#include "os/parent.h"

enum request_kind {
	REQUEST_UDP = 1, /* a bound socket */
	REQUEST_TAP,	 /* a queue of the interface */
	REQUEST_DHCP,	 /* a DHCP client at it: the descriptor is dhcp.c's */
	REQUEST_NETLINK, /* a socket that sets up interfaces, in a namespace that one is in */
	REQUEST_SETTING, /* what an interface there takes of routers: a file */
	REQUEST_REREAD	 /* that it look what the user wants by now: EALREADY when it has */
};

/* All of one length. What a kind does not use is zero. */
struct parent_request {
	uint32_t kind;
	uint32_t family; /* UDP: of enum udp_family */
	uint32_t port;	 /* UDP */
	uint32_t join;	 /* UDP: one more socket of the port; TAP: one more queue */
	uint32_t use;	 /* TAP: a set of enum feature */
	struct parent_interface interface; /* TAP; NETLINK: netns; SETTING: any one in it */
	char setting[16];		   /* SETTING */
};

/* With a descriptor beside it if and only if error and why.code are 0. */
struct parent_answer {
	int32_t error;	     /* all but TAP: an errno; EPERM also for what is not configured */
	struct os_error why; /* TAP */
};

/*
 * Asks, and waits for the answer: a descriptor, which is the caller's, or -1. Without a parent that
 * answers error is EPIPE.
 */
int parent_ask(
	struct parent *p, const struct parent_request *request, struct parent_answer *answer);

#endif
