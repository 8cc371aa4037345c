/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the user wants of a supernode: a port, limits, and a process. One thread, as options.h. */
#ifndef N2N_CONF_SUPERNODE_CONF_H
#define N2N_CONF_SUPERNODE_CONF_H

#include "base/endpoint.h"
#include "conf/process_conf.h"

#define SUPERNODE_PORT_DEFAULT 7654

/* Pointers are into argv or the environment. */
struct supernode_conf {
	struct endpoint local; /* ip none: all */
	unsigned per_address;  /* registrations in one community from one address */
	/* What is sent on to groups in a second: of a member, and of all of a community. */
	unsigned group_packets, group_bits, group_copies;
	struct process_conf process;
};

extern const struct option_set supernode_options;

/*
 * Fills conf from the environment and the command line. N2N_EINVAL: the program prints err and
 * exits with status 2.
 */
MUST_CHECK int supernode_conf_parse(
	struct supernode_conf *conf, int argc, char **argv, struct conf_error *err);

#endif
