/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The schema of what users may choose. An option is a row; rows that belong together, because they
 * fill one struct, are a block; a program has a set of blocks, some of them shared with others. The
 * environment, the command line and the help come of the same rows. The environment is read first,
 * the command line overrides it. One thread: getopt_long keeps its place in globals.
 */
#ifndef N2N_CONF_OPTIONS_H
#define N2N_CONF_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/setting.h"

enum option_flag {
	OPTION_REPEATABLE = 1, /* each use adds a value; else the last one counts */
	OPTION_HIDDEN = 2,     /* not shown in the help */
	OPTION_SECRET = 4,     /* the value is not quoted in errors, and overwritten in argv */
	OPTION_PATH = 8,       /* names a file, relative to where it is written */
	OPTION_SOURCE = 16,    /* may tell where it is instead, as secret_source.h says */
	OPTION_LINE_ONLY = 32  /* has no place in a file */
};

struct option_spec {
	const char *name;  /* long name, without "--" */
	char letter;	   /* 0: none */
	const char *arg;   /* what the help calls the argument; NULL: it takes none */
	const char *env;   /* environment variable; NULL: none */
	const char *help;  /* one sentence fragment */
	unsigned flags;	   /* of enum option_flag */
	unsigned settings; /* what it chooses: a set of SETTING_BIT, for options_hint */
	size_t field;	   /* offset, in the struct of its block, of what set is given */
	/*
	 * Stores a value, NULL for an option without argument. On N2N_EINVAL it has written to why
	 * what is wrong and what is accepted, to follow the quoted value: "is not an IPv4 address;
	 * give ...". A secret is valid during the call only, any other value as long as argv.
	 */
	int (*set)(void *field, const char *value, char *why, size_t why_cap);
};

struct option_block {
	const char *heading;		 /* in the help; NULL: goes on under that before */
	const struct option_spec *specs; /* the last one has no name */
	size_t base; /* offset, in what the set fills, of the struct they fill */
};

#define OPTION_BLOCKS_MAX 6

struct option_set {
	const char *program; /* "edge" */
	const char *usage;   /* what follows the program's name in the first line of the help */
	struct option_block blocks[OPTION_BLOCKS_MAX]; /* those without rows are left out */
	const char *takes;    /* on its command line; NULL: "options only" */
	const char *epilogue; /* last lines of the help, or NULL */
};

#define OPTIONS_MAX	64 /* of a set */
#define OPTION_TEXT_CAP 48

/* An option of a set that a user gave, and how it was called there. */
struct option_use {
	const struct option_spec *spec;
	size_t number; /* of the row in its set, below OPTIONS_MAX */
	const struct option_block *block;
	size_t base;		    /* of its block */
	char text[OPTION_TEXT_CAP]; /* for errors: "option --mtu" */
};

#define EXIT_STATUS_HELP                                                                           \
	"Exit status: 0 stopped in order; 1 failed while running; 2 could not start: a value is\n" \
	"wrong, or something it needs is missing or in use.\n"

/* The number that a macro stands for, as a string literal; for help texts. */
#define OPTION_NUMBER(macro)	OPTION_NUMBER_1(macro)
#define OPTION_NUMBER_1(digits) #digits

#define CONF_QUOTED_CAP 128

/* One line for people, without newline, control characters, secrets or the program's name. */
struct conf_error {
	char text[512];
};

/*
 * Applies the environment variables of the set that are there and not empty to target, the struct
 * that the set fills. N2N_EINVAL.
 */
MUST_CHECK int options_from_env(const struct option_set *set, void *target, struct conf_error *err);
/*
 * Applies the command line. N2N_EINVAL for unknown or ambiguous options, wrong values, missing
 * arguments and anything that is not an option. Secrets in argv are gone afterwards.
 */
MUST_CHECK int options_from_args(
	const struct option_set *set, int argc, char **argv, void *target, struct conf_error *err);

/*
 * Shows visit each option of the command line with its value, which it may overwrite, NULL for
 * none, until it returns another number than 0; that is returned. Else as options_from_args.
 */
MUST_CHECK int options_walk(const struct option_set *set, int argc, char **argv,
	int (*visit)(void *ctx, const struct option_use *use, char *value, struct conf_error *err),
	void *ctx, struct conf_error *err);

/* The option of this long name, or of this letter; false: there is none. Leaves text empty. */
bool options_find(struct option_use *use, const struct option_set *set, const char *name);
bool options_find_letter(struct option_use *use, const struct option_set *set, char letter);
/* The name of an option that is not hidden and reads nearly so, or NULL. */
const char *options_nearest(const struct option_set *set, const char *word);
/* Stores a value, NULL for none, into target plus the base and field of use. N2N_EINVAL. */
MUST_CHECK int option_apply(
	const struct option_use *use, void *target, const char *value, struct conf_error *err);

/* Prints the usage, the options that are not hidden, and the epilogue. */
void options_help(const struct option_set *set, FILE *to);

#define OPTIONS_HINT_CAP 64

/*
 * How a user of the program chooses a setting, to follow an error whose last advice that is: "
 * (option -d)", " (option -p or --state-dir)". Empty when set has no such option, or is NULL.
 * Returns buf.
 */
const char *options_hint(
	char buf[OPTIONS_HINT_CAP], const struct option_set *set, enum setting setting);

/* Writes value in quotes to buf and returns it; of a long one the start and the length. Control
 * characters become '?'. */
const char *conf_quote(char buf[CONF_QUOTED_CAP], const char *value);

/* Fills err and returns N2N_EINVAL. */
__attribute__((format(printf, 2, 3))) int conf_fail(struct conf_error *err, const char *fmt, ...);

#endif
