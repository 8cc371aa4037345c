/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What became of the options of n2n 2 and 3, for files that were written for these. Any thread. */
#ifndef N2N_CONF_V3_OPTIONS_H
#define N2N_CONF_V3_OPTIONS_H

enum v3_fate {
	V3_SAME,     /* it is called otherwise */
	V3_NEEDLESS, /* nothing is lost without it */
	V3_GONE	     /* who gave it wanted what there is not */
};

struct v3_option {
	char letter;	  /* or 0 */
	const char *name; /* or NULL */
	enum v3_fate fate;
	const char *say; /* V3_SAME: our name of it; else why, to follow "-A: " */
};

/* By its letter unless that is 0, else by its long name; NULL: there was none. */
const struct v3_option *v3_option_find(char letter, const char *name);

#endif
