/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration of the program: read, looked at, read again. One thread. */
#ifndef N2N_EDGE_CONFIG_H
#define N2N_EDGE_CONFIG_H

#include "conf/edge_conf.h"
#include "edge/secret.h"
#include "host/edge/edge_host.h"

/* Which secret the community of a device has, as a keyed hash. */
struct secret_print {
	char device[INTERFACE_NAME_MAX + 1]; /* empty: none */
	uint8_t hash[16];
};

struct config {
	int argc;
	char **argv; /* kept; secrets are overwritten in it */
	struct log *log;
	struct secret secret[COMMUNITIES_MAX]; /* by index in the conf that was read last */
	struct secret_print print[COMMUNITIES_MAX];
	uint8_t print_key[SIPHASH_KEY_LEN]; /* random */
};

/*
 * Reads what argv, the environment and the file say into conf, and writes what is wrong to standard
 * error. N2N_EINVAL; conf has to be freed then, too.
 */
MUST_CHECK int config_read(struct edge_conf *conf, const struct config *c);
/*
 * Looks at the secrets of conf, too, and says what it found: a line on standard output when all is
 * right, one for each thing that is not on standard error. N2N_EINVAL; N2N_EIO: standard output.
 */
MUST_CHECK int config_check(const struct edge_conf *conf);
/*
 * Reads the secrets of conf into c->secret, wipes them elsewhere, and gives them to setup with the
 * way to read all again, for which c is kept. The errors of secret_read, with the line; of one of
 * several communities they are in its secret.
 */
MUST_CHECK int config_read_secrets(
	struct config *c, struct edge_conf *conf, struct edge_setup *setup, struct os_error *err);
/* Wipes the secrets that were read. */
void config_wipe(struct config *c);
/* Leaves the secrets of conf unread, and no copy of them in this process. */
void config_forget(struct edge_conf *conf);

#endif
