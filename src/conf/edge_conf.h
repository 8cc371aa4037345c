/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the user wants of an edge: the options of the command line and their checks. */
#ifndef N2N_CONF_EDGE_CONF_H
#define N2N_CONF_EDGE_CONF_H

#include "base/endpoint.h"
#include "base/limits.h"
#include "base/mac.h"
#include "conf/options.h"

#define EDGE_KEY_MAX	  256 /* bytes of a key string or passphrase */
#define HOST_NAME_MAX_LEN 253

struct edge_address {
	struct endpoint ip; /* port 0 */
	unsigned prefix;    /* bits of its own family */
};

struct edge_supernode {
	char host[HOST_NAME_MAX_LEN + 1]; /* a name or an address without brackets */
	uint16_t port;
	const char *key; /* the text after "/", or NULL; not yet checked */
};

/* Pointers are into argv or the environment. Zero or NULL means "not given" where nothing else is
 * said. */
struct edge_conf {
	const char *device; /* never NULL; 1 to 15 characters, also a file name */
	struct edge_address addresses[OVERLAY_ADDRESSES_MAX];
	size_t address_count;
	const char *community;
	char key[EDGE_KEY_MAX + 1]; /* key string or passphrase; empty when in a file */
	const char *key_file;	    /* "-": standard input */
	struct edge_supernode supernodes[SUPERNODES_MAX]; /* in the user's order */
	size_t supernode_count;				  /* at least 1 */
	struct endpoint local;				  /* ip none: all; port 0: any */
	struct mac mac;					  /* zero: from the static key */
	unsigned mtu;
	const char *state_dir;
	unsigned workers;   /* 0: as the program finds best */
	unsigned disabled;  /* a set of enum feature */
	unsigned verbosity; /* how often -v was given */
	bool help;
	bool version;
};

extern const struct option_set edge_options;

/*
 * Fills conf from the environment and the command line, then checks what belongs together: a key
 * from exactly one place, a community unless a key that starts with "n2n4-" names it, a
 * supernode. With help or version asked for, the second part is left out. N2N_EINVAL: the program
 * prints err and exits with status 2. The key is overwritten in argv.
 *
 * Whether a community is needed with --key-file only the program can tell, once it has read it.
 */
MUST_CHECK int edge_conf_parse(
	struct edge_conf *conf, int argc, char **argv, struct conf_error *err);
/* Wipes the secrets. */
void edge_conf_wipe(struct edge_conf *conf);

#endif
