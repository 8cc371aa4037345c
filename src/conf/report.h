/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is wrong with what a user wrote: all of it, one line after the other. One thread. */
#ifndef N2N_CONF_REPORT_H
#define N2N_CONF_REPORT_H

#include <stdbool.h>

#include "conf/options.h"

struct conf_report {
	/* Takes a line for people, as struct conf_error has it; wrong: else it is to be known. */
	void (*say)(void *ctx, bool wrong, const char *text);
	void *ctx;
	unsigned wrong; /* how many were wrong, so far */
};

/* Says that something is wrong. */
void conf_report_wrong(struct conf_report *r, const struct conf_error *err);
/* Says what is only to be known. */
void conf_report_note(struct conf_report *r, const struct conf_error *err);

#endif
