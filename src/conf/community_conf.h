/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the user wants of a community and of this host in it: a block of options and its checks. Any
 * thread.
 */
#ifndef N2N_CONF_COMMUNITY_CONF_H
#define N2N_CONF_COMMUNITY_CONF_H

#include "base/endpoint.h"
#include "base/limits.h"
#include "base/mac.h"
#include "conf/options.h"

#define COMMUNITY_SECRET_MAX 256 /* bytes of a key string or passphrase */
#define TRUSTED_ID_LEN	     16	 /* bytes of an edge id */

/* "EDGE=dhcp,router,bridge" */
struct trusted_conf {
	uint8_t edge[TRUSTED_ID_LEN]; /* its edge id */
	bool bridge, dhcp, router;
};

struct overlay_address {
	struct endpoint ip; /* port 0 */
	unsigned prefix;    /* bits of its own family */
};

/*
 * Pointers are into argv or the environment. Zero or NULL means "not given" where nothing else is
 * said.
 */
struct community_conf {
	const char *device; /* never NULL; 1 to INTERFACE_NAME_MAX characters, also a file name */
	struct overlay_address addresses[OVERLAY_ADDRESSES_MAX];
	size_t address_count;
	const char *name;
	char key[COMMUNITY_SECRET_MAX + 1]; /* key string or passphrase; empty when in a file */
	const char *key_file;		    /* "-": standard input */
	struct mac mac;			    /* zero: from the static key */
	unsigned mtu;			    /* 0 until checked: not given */
	unsigned mac_hold_days;		    /* an address is kept so long for who is away */
	bool accept_ra;			    /* router advertisements of members */
	bool bridge;			    /* frames of others are carried */
	bool dhcp_server;		    /* so are answers of DHCP servers ... */
	bool router;			    /* ... and advertisements of routers */
	bool bpdu_guard;
	unsigned learn; /* addresses of others */
	size_t trusted_count;
	struct trusted_conf trusted[TRUSTED_MAX];
};

/* For a struct community_conf. */
extern const struct option_spec community_options[];

/* What holds where nothing is given. */
void community_conf_init(struct community_conf *c);
/*
 * Checks what belongs together: a key from exactly one place, a name unless a key that starts with
 * COMMUNITY_KEY_PREFIX gives it, an MTU that carries the addresses. N2N_EINVAL.
 *
 * Whether a name is needed with a key file only the program can tell, once it has read it.
 * An MTU that was not given is chosen: a bridge has what its other ports have.
 */
MUST_CHECK int community_conf_check(struct community_conf *c, struct conf_error *err);
/* Wipes the secret. */
void community_conf_wipe(struct community_conf *c);

#endif
