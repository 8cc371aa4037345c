/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the user wants of an edge: a community, supernodes, a process. One thread, as options.h.
 */
#ifndef N2N_CONF_EDGE_CONF_H
#define N2N_CONF_EDGE_CONF_H

#include "conf/community_conf.h"
#include "conf/process_conf.h"

#define HOST_NAME_MAX_LEN 253

struct edge_supernode {
	char host[HOST_NAME_MAX_LEN + 1]; /* a name or an address without brackets */
	uint16_t port;
	const char *key; /* the text after "/", or NULL; not yet checked */
};

/* Pointers are into argv or the environment. */
struct edge_conf {
	struct community_conf community;
	struct edge_supernode supernodes[SUPERNODES_MAX]; /* in the user's order */
	size_t supernode_count;				  /* at least 1 */
	struct endpoint local;				  /* ip none: all; port 0: any */
	const char *underlay; /* interface to send by; NULL: as routes say */
	unsigned fwmark;      /* of what is sent; 0: none */
	struct process_conf process;
};

extern const struct option_set edge_options;

/*
 * Fills conf from the environment and the command line, then checks what belongs together: that of
 * community_conf_check, a supernode, and another interface underneath. With help or version asked
 * for, the second part is left out. N2N_EINVAL: the program prints err and exits with status 2. The
 * key is overwritten in argv.
 */
MUST_CHECK int edge_conf_parse(
	struct edge_conf *conf, int argc, char **argv, struct conf_error *err);

#endif
