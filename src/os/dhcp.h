/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The system's DHCP client at an interface of ours. It is a program of its own that parses what
 * strangers send, and takes rights that we have given up: the parent (os/parent.h) starts it with a
 * command line and an environment of its own, again when it ends, and has it release its lease in
 * the end. It gets an IPv4 address for the interface, and neither routes nor name servers nor
 * an MTU.
 *
 * Every system; where a program cannot be started so, dhcp_open says N2N_ENOSYS. One thread.
 */
#ifndef N2N_OS_DHCP_H
#define N2N_OS_DHCP_H

#include <stdbool.h>

#include "os/error.h"
#include "os/parent.h"

#define DHCP_NAME_CAP 12

struct dhcp;

/* What became of it. */
struct dhcp_news {
	char client[DHCP_NAME_CAP]; /* "udhcpc" */
	bool runs;		    /* it was started, else it ended */
	int status;		    /* as a shell tells it, where it ended */
	unsigned again_ms;	    /* when it is started again, then */
};

/*
 * Has a client run at the interface, which was configured for it and is there, until dhcp_close;
 * netns: the network namespace that it is in, NULL or empty: where the parent is. N2N_ENOENT: no
 * client is installed, or there is no such namespace; N2N_EPERM: there is no parent that could
 * start one.
 */
MUST_CHECK int dhcp_open(struct dhcp **out, struct parent *parent, const char *netns,
	const char *interface, struct os_error *err);
/* The next news, if there are any. */
bool dhcp_read(struct dhcp *d, struct dhcp_news *news);
/* It is to release its lease and end, which takes it 2 s at most. NULL is fine. */
void dhcp_end(struct dhcp *d);
/* Whether it has, or nobody knows; then there are no news any more. */
bool dhcp_has_ended(struct dhcp *d);
/* Frees; a client that has not ended does so. NULL is fine. */
void dhcp_close(struct dhcp *d);

/*
 * For the start of main: where this process was started by a client, to give the interface what it
 * got, that is done, *status is what to exit with, and true is returned.
 */
bool dhcp_is_hook(int argc, char **argv, int *status);

#endif
