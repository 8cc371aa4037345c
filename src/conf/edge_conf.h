/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the user wants of an edge: communities, supernodes, a process. One thread, as options.h.
 */
#ifndef N2N_CONF_EDGE_CONF_H
#define N2N_CONF_EDGE_CONF_H

#include "conf/community_conf.h"
#include "conf/process_conf.h"
#include "conf/report.h"

#define HOST_NAME_MAX_LEN 253

struct edge_supernode {
	char host[HOST_NAME_MAX_LEN + 1]; /* a name or an address without brackets */
	uint16_t port;
	const char *key; /* the text after "/", or NULL; not yet checked */
};

/* Text that a configuration owns. */
struct conf_piece {
	struct conf_piece *next;
	size_t len;
	char text[];
};

/* Pointers are into argv, the environment or pieces. */
struct edge_conf {
	/* The last is where lines go of a block of the file that is none: they are checked. */
	struct community_conf community[COMMUNITIES_MAX + 1];
	unsigned community_count;			  /* at least 1 */
	struct edge_supernode supernodes[SUPERNODES_MAX]; /* in the user's order */
	size_t supernode_count;				  /* at least 1 */
	struct endpoint local;				  /* ip none: all; port 0: any */
	const char *underlay;	    /* interface to send by; NULL: as routes say */
	const char *underlay_netns; /* of the sockets: a name or a path; NULL: ours */
	unsigned fwmark;	    /* of what is sent; 0: none */
	struct process_conf process;
	const char *file;  /* of the configuration, or NULL */
	bool check;	   /* it is to be looked at, and no more */
	bool has_blocks;   /* the file has, and the command line chooses no community's options */
	bool file_has_key; /* a secret stands in the file itself */
	struct conf_piece *pieces;
};

extern const struct option_set edge_options;

struct edge_conf_input {
	int argc;
	char **argv;
	bool again; /* secrets of argv and environment are wiped by now, and may be missing */
	/*
	 * Reads a file of at most CONF_TEXT_MAX bytes into a piece of conf. N2N_E*, explained.
	 */
	int (*read)(void *ctx, struct edge_conf *conf, const char *path, char **text, size_t *len,
		struct conf_error *err);
	void *ctx;
	struct conf_report *report;
};

/*
 * Fills conf from the environment, the file that the command line names, with -F or as its first
 * word or behind --check, and the command line, each going before what comes earlier. Then it
 * checks what belongs together (edge_check.h). With help or version asked for, file and checks are
 * left out. N2N_EINVAL: report has all that is wrong; conf has to be freed then, too. Keys are
 * overwritten in argv and in the file's text.
 */
MUST_CHECK int edge_conf_parse(struct edge_conf *conf, const struct edge_conf_input *in);
/* Wipes the secrets that are still in it, and frees what it holds; a zeroed one is fine. */
void edge_conf_free(struct edge_conf *conf);

/* Room for text that lives as long as conf; NULL: no memory. */
char *edge_conf_piece(struct edge_conf *conf, size_t len);
/* Overwrites a text that is within a piece. */
void edge_conf_wipe_text(const char *text);

#endif
