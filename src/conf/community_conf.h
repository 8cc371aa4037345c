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

enum key_place {
	KEY_NOWHERE,
	KEY_IN_ENVIRONMENT,
	KEY_IN_FILE, /* of the configuration */
	KEY_IN_ARGUMENTS
};

/*
 * Pointers are into argv, the environment or text of the configuration. Zero or NULL means "not
 * given" where nothing else is said.
 */
struct community_conf {
	const char *device; /* never NULL; 1 to INTERFACE_NAME_MAX characters, also a file name */
	struct overlay_address addresses[OVERLAY_ADDRESSES_MAX];
	size_t address_count;
	bool dhcp; /* and what the system's DHCP client gets */
	const char *name;
	/* Key string or passphrase, or where it is (secret_source.h); empty when in a file. */
	char key[COMMUNITY_SECRET_MAX + 1];
	enum key_place key_place; /* where key was written */
	const char *key_file;	  /* "-": standard input; or as secret_source.h says */
	unsigned line;		  /* of the configuration file, for its key; 0: none */
	const char *netns;	  /* of the interface: NAME or a path; NULL: ours */
	struct mac mac;		  /* zero: from the static key */
	unsigned mtu;		  /* 0 until checked: not given */
	unsigned mac_hold_days;	  /* an address is kept so long for who is away */
	bool accept_ra;		  /* router advertisements of members */
	bool bridge;		  /* frames of others are carried */
	bool dhcp_server;	  /* so are answers of DHCP servers ... */
	bool router;		  /* ... and advertisements of routers */
	bool bpdu_guard;
	bool signed_broadcast;
	unsigned learn; /* addresses of others */
	size_t trusted_count;
	struct trusted_conf trusted[TRUSTED_MAX];
};

/* For a struct community_conf. */
extern const struct option_spec community_options[];

/* What holds where nothing is given. */
void community_conf_init(struct community_conf *c);
/* Reads "ADDRESS[/PREFIX]"; false for anything else. */
bool overlay_address_parse(struct overlay_address *a, const char *value);
/* Wipes the secret. */
void community_conf_wipe(struct community_conf *c);

#endif
