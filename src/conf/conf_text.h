/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text of a configuration file, line by line: what a line says, not what it means. Any thread.
 *
 *	# a comment has a line of its own
 *	name value			name=value, name = "value", name
 *	[block] [block NAME]		[block "NAME"]
 *	-n value			-n=value, -nvalue, --name value, --name=value, -n, --name
 *
 * In quotes '\' stands before a quote or another '\'. What starts with '-' is as the files of n2n 2
 * and 3 are: the value reaches to the end of the line, and quotes are a part of it. Around all of
 * these blanks and tabs do not count, lines may end in CR LF, and a byte order mark may come first.
 */
#ifndef N2N_CONF_CONF_TEXT_H
#define N2N_CONF_CONF_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/options.h"

#define CONF_TEXT_MAX 262144 /* bytes of a file */
#define CONF_LINE_MAX 4096   /* bytes of a line */

enum conf_line_kind {
	CONF_LINE_OPTION,
	CONF_LINE_BLOCK
};

struct conf_line {
	unsigned number; /* from 1 */
	enum conf_line_kind kind;
	const char *name;  /* of the option, without dashes, or of the block; never NULL */
	const char *value; /* NULL: none */
	bool dashed;	   /* with one dash or two */
	char letter;	   /* with one dash; else 0 */
	char why[128];	   /* what is wrong with how it is written; empty: nothing */
};

struct conf_text {
	char *at, *end;
	unsigned number; /* of the line before at */
};

/*
 * Starts at the beginning of len bytes, which are changed while they are read and hold what the
 * lines point to; one byte behind them is written, too. N2N_EINVAL: it is no text, as err says
 * without the name of the file; *number is the line.
 */
MUST_CHECK int conf_text_init(
	struct conf_text *t, char *text, size_t len, unsigned *number, struct conf_error *err);
/* The next line that says something; false at the end. */
bool conf_text_next(struct conf_text *t, struct conf_line *line);
/* Whether a block begins in what is left of it; looks only. */
bool conf_text_has_block(const struct conf_text *t);

#endif
