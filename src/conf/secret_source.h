/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a secret is to be read, as users write it instead of the secret: "file:PATH", "env:NAME",
 * "fd:N", "cred:NAME" (a credential of systemd). Any thread.
 */
#ifndef N2N_CONF_SECRET_SOURCE_H
#define N2N_CONF_SECRET_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum secret_source_kind {
	SECRET_GIVEN, /* it is the secret itself */
	SECRET_FILE,
	SECRET_ENV,
	SECRET_FD,
	SECRET_CRED
};

struct secret_source {
	enum secret_source_kind kind;
	const char *name; /* of the file, variable or credential, within the text */
	unsigned fd;
};

/*
 * Reads what text names. N2N_EINVAL: it begins as such a name does and is none; why, to follow what
 * the value is called, says what is accepted.
 */
MUST_CHECK int secret_source_parse(
	struct secret_source *s, const char *text, char *why, size_t why_cap);
/* True for text that begins as one, right or wrong: it is not the secret itself. */
bool secret_source_is(const char *text);

#endif
