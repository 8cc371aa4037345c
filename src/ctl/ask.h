/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asking the programs of this host at their control sockets (docs/CONTROL.md): one of them, or all
 * that run. One thread.
 */
#ifndef N2N_CTL_ASK_H
#define N2N_CTL_ASK_H

#include <jansson.h>

#include "conf/options.h"

struct ask_conf {
	const char *instance;  /* NULL: all that run */
	const char *state_dir; /* NULL: where they are by default */
	unsigned timeout_ms;   /* for an answer; 0: as usual */
};

/* The options that choose it, for a struct ask_conf. */
extern const struct option_spec ask_options[];

/* An instance carried the request out: its answer, which has a "result", and the same as it came.
 */
typedef void ask_show(void *ctx, const char *instance, const json_t *answer, const char *line);

/*
 * Sends request, a short line without its newline, and shows the answers; one that comes in parts
 * (CONTROL.md 2) part by part. What fails is explained on
 * standard error, after the options that set has. STATUS_OK; STATUS_FAILED: some instance could not
 * be asked or refused, or none runs.
 *
 * An answer with the code "not-found", or from a program that does not know the command, counts as
 * a failure only if no instance did any better: of several, one is meant.
 */
int ask_instances(const struct ask_conf *conf, const struct option_set *set, const char *request,
	ask_show *show, void *ctx);

#endif
