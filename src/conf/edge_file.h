/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration file of an edge: what its lines mean. Options of the process come first, then a
 * block [community NAME] for each community; or no blocks at all, and the options of one community
 * among the others, as n2n 2 and 3 have it. Any thread.
 */
#ifndef N2N_CONF_EDGE_FILE_H
#define N2N_CONF_EDGE_FILE_H

#include "conf/conf_text.h"
#include "conf/edge_conf.h"
#include "conf/report.h"

#define FILE_NAME_SHOWN "%.120s" /* how errors show the path */

/* In which lines of a file what stands; 0: in none. */
struct block_lines {
	unsigned header;
	unsigned option[OPTIONS_MAX]; /* by its number in edge_options, the last of each */
	unsigned address[OVERLAY_ADDRESSES_MAX]; /* by index in the community */
};

struct edge_lines {
	const char *path; /* NULL: there is no file */
	struct block_lines process, block[COMMUNITIES_MAX + 1];
};

/*
 * Applies the text, which has to stay as long as conf, to conf. The communities of blocks, if there
 * are any, are all that conf has afterwards. Reports every line that is wrong, and goes on with the
 * next. No secret is left in the text of lines that are right. N2N_ENOENT: there is no line that
 * says something.
 */
MUST_CHECK int edge_file_apply(struct edge_conf *conf, struct edge_lines *lines,
	struct conf_text *text, struct conf_report *report);

/* Reports an error with the file and the line before it, or without if there are none. */
__attribute__((format(printf, 4, 5))) void edge_file_wrong(const struct edge_lines *lines,
	struct conf_report *report, unsigned line, const char *fmt, ...);
/* Whether a community is what an option chooses something for. */
bool edge_file_is_of_community(const struct option_use *use);
/* The line of an option of a block, by its long name; 0: none. */
unsigned edge_file_line(const struct block_lines *lines, const char *option);

#endif
