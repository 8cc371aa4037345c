/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the user wants of a process, whichever program it is: options that edge and supernode share.
 * Each list is for a block of an option set. Read-only; any thread.
 */
#ifndef N2N_CONF_PROCESS_CONF_H
#define N2N_CONF_PROCESS_CONF_H

#include <stdbool.h>

#include "conf/options.h"

/* Pointers are into argv or the environment. All zero: nothing was given. */
struct process_conf {
	const char *state_dir; /* or NULL */
	unsigned workers;      /* 0: as the program finds best */
	unsigned disabled;     /* a set of enum feature */
	unsigned verbosity;    /* how often -v was given */
	bool help;
	bool version;
};

/* For a struct process_conf: where it keeps things, how much it says. */
extern const struct option_spec process_options[];
/* For a struct process_conf: --help and --version. */
extern const struct option_spec about_options[];
/* For a bool: --help alone. */
extern const struct option_spec help_options[];

#endif
