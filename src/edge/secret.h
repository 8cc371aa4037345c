/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The secret of a community as the user gave it: where it is read from, whether it is a key string
 * or a passphrase, and how good a passphrase it is. One thread: the environment is changed.
 */
#ifndef N2N_EDGE_SECRET_H
#define N2N_EDGE_SECRET_H

#include <stdbool.h>

#include "base/log.h"
#include "conf/community_conf.h"
#include "crypto/keystring.h"
#include "os/error.h"

struct secret {
	bool is_key;
	struct community_key key;
	char passphrase[COMMUNITY_SECRET_MAX + 1];
};

/*
 * Around a secret, wherever it comes from, a byte order mark, blanks and line ends do not count, so
 * that what editors add makes no other secret of it. A key may be wrapped over several lines; what
 * is almost a key is none, and no passphrase either.
 *
 * Reads the secret that conf names. Warns of what is unwise. Explained in err: N2N_EINVAL: empty,
 * no key string although it begins like one, a passphrase of several lines or without a community's
 * name, a place where nothing is; N2N_EAUTH: a key string that is damaged; N2N_ENOSYS: one of a
 * newer version; the errors of file_read. Wiping s is the caller's, after a failure too.
 */
MUST_CHECK int secret_read(struct secret *s, const struct community_conf *conf,
	const struct log *log, struct os_error *err);
/*
 * Looks whether secret_read would do, as far as can be told without waiting, rights, or taking from
 * others what can be read once only. Its errors; why it cannot be told is a line at info.
 */
MUST_CHECK int secret_check(
	const struct community_conf *conf, const struct log *log, struct os_error *err);
/*
 * True when the secret can be read no more after it was read: it came from standard input, an open
 * file or a pipe, or was wiped in argv or the environment.
 */
bool secret_is_gone(const struct community_conf *conf);
/* Closes the open file from which the secret was to be read, in a process that does not read it. */
void secret_close(const struct community_conf *conf);
/* Leaves no copy of the secret that conf has or names in this process, the environment included. */
void secret_forget(struct community_conf *conf);
/* Overwrites it all; a secret that was never read is fine. */
void secret_wipe(struct secret *s);

/* A cautious guess at the entropy of a passphrase that a person made up, in bits. */
unsigned secret_bits(const char *passphrase);

#endif
