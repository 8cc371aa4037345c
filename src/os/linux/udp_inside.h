/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the two halves of UDP on Linux share: the sockets (udp.c) and the datagrams (udp_io.c).
 */
#ifndef N2N_OS_LINUX_UDP_INSIDE_H
#define N2N_OS_LINUX_UDP_INSIDE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "os/posix/address.h"

struct udp {
	int fd[UDP_FAMILIES]; /* -1: not available */
	uint16_t port[UDP_FAMILIES];
	struct endpoint at;		  /* as given to udp_open */
	atomic_uint uses;		  /* a set of enum feature */
	size_t send_buffer[UDP_FAMILIES]; /* as the system counts, with its own costs */
	atomic_bool by_device;		  /* udp_leave_by named an interface */
	struct parent *parent;		  /* that makes the sockets, or NULL */
};

/*
 * Makes a socket with its options and binds it; join: to a port that has sockets of ours. 0 or an
 * errno; *fd is the caller's. Any thread.
 */
MUST_CHECK int udp_make_socket(
	int *fd, enum udp_family family, const struct endpoint *at, bool join);

#endif
