/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the reading of rows: for getopt_long, the environment, the errors and the help. */
#include "conf/options.h"

#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conf/secret_source.h"

#define NAME_MAX_LEN 32
#define QUOTED_MAX   64 /* bytes of a wrong value that are shown */
#define LEFT_CAP     80
#define LONG_BASE    256 /* what getopt_long returns for the first row's long name */

/* The rows of a set one after the other, as if its blocks were one. */
struct row {
	const struct option_spec *spec;
	const struct option_block *block;
	size_t number;
};

static struct row first_row(const struct option_set *set)
{
	return (struct row){.spec = set->blocks[0].specs, .block = set->blocks};
}

/* True when r is a row of the set and not its end; goes on to the next block where one ends. */
static bool is_row(struct row *r, const struct option_set *set)
{
	const struct option_block *end = set->blocks + OPTION_BLOCKS_MAX;

	while (r->block < end && (r->spec == NULL || r->spec->name == NULL))
		r->spec = ++r->block < end ? r->block->specs : NULL;
	return r->block < end;
}

static void next_row(struct row *r)
{
	r->spec++;
	r->number++;
}

#define for_each_row(r, set) for (struct row r = first_row(set); is_row(&(r), set); next_row(&(r)))

/* Values and unknown words are quoted in errors: nothing in them may reach a terminal's mind. */
static void flatten(char *text)
{
	for (char *p = text; *p != 0; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
}

int conf_fail(struct conf_error *err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	flatten(err->text);
	return N2N_EINVAL;
}

const char *conf_quote(char buf[CONF_QUOTED_CAP], const char *value)
{
	size_t len = strlen(value), shown = QUOTED_MAX;

	while (len > QUOTED_MAX && shown > QUOTED_MAX - 4 &&
		((unsigned char)value[shown] & 0xc0) == 0x80)
		shown--; /* not in the middle of a character of UTF-8 */
	if (len <= QUOTED_MAX)
		snprintf(buf, CONF_QUOTED_CAP, "\"%s\"", value);
	else
		snprintf(buf, CONF_QUOTED_CAP, "\"%.*s...\" (%zu bytes)", (int)shown, value, len);
	flatten(buf);
	return buf;
}

int option_apply(
	const struct option_use *use, void *target, const char *value, struct conf_error *err)
{
	const struct option_spec *spec = use->spec;
	char why[256] = "", quoted[CONF_QUOTED_CAP];

	if (spec->set((char *)target + use->base + spec->field, value, why, sizeof(why)) == 0)
		return 0;
	if (spec->flags & OPTION_SECRET)
		return conf_fail(err, "%s: the value %s", use->text, why);
	return conf_fail(err, "%s: %s %s", use->text, conf_quote(quoted, value), why);
}

static struct option_use use_of(const struct row *r)
{
	return (struct option_use){
		.spec = r->spec, .number = r->number, .block = r->block, .base = r->block->base};
}

int options_from_env(const struct option_set *set, void *target, struct conf_error *err)
{
	for_each_row (r, set) {
		struct option_use used = use_of(&r);
		const char *value = r.spec->env != NULL ? getenv(r.spec->env) : NULL;

		if (value == NULL || *value == 0)
			continue;
		snprintf(used.text, sizeof(used.text), "variable %s", r.spec->env);
		if (option_apply(&used, target, value, err) != 0)
			return N2N_EINVAL;
	}
	return 0;
}

/* The two descriptions that getopt_long wants. */
struct getopt_tables {
	struct option names[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 3];
};

static void fill_tables(struct getopt_tables *t, const struct option_set *set)
{
	char *p = t->letters;

	memset(t, 0, sizeof(*t));
	*p++ = '+'; /* stop at the first word that is no option */
	*p++ = ':'; /* tell a missing argument from an unknown option */
	for_each_row (r, set) {
		struct option *name = &t->names[r.number];

		assert(r.number < OPTIONS_MAX);
		name->name = r.spec->name;
		name->has_arg = r.spec->arg != NULL ? required_argument : no_argument;
		name->val = LONG_BASE + (int)r.number;
		if (r.spec->letter != 0) {
			*p++ = r.spec->letter;
			if (r.spec->arg != NULL)
				*p++ = ':';
		}
	}
}

bool options_find(struct option_use *use, const struct option_set *set, const char *name)
{
	for_each_row (r, set) {
		*use = use_of(&r);
		if (strcmp(name, r.spec->name) == 0)
			return true;
	}
	return false;
}

bool options_find_letter(struct option_use *use, const struct option_set *set, char letter)
{
	for_each_row (r, set) {
		*use = use_of(&r);
		if (letter != 0 && letter == r.spec->letter)
			return true;
	}
	return false;
}

/* True for "-c" where the set has a letter c: hardly the value that it stands for. */
static bool is_letter(const struct option_set *set, const char *value)
{
	struct option_use found;

	return value != NULL && value[0] == '-' && value[1] != 0 && value[2] == 0 &&
	       options_find_letter(&found, set, value[1]);
}

/* Finds the row of what getopt_long reported; false when there is none. */
static bool find_usage(struct option_use *used, const struct option_set *set, int reported)
{
	for_each_row (r, set) {
		*used = use_of(&r);
		if (reported == LONG_BASE + (int)r.number) {
			snprintf(used->text, sizeof(used->text), "option --%s", r.spec->name);
			return true;
		}
		if (r.spec->letter != 0 && reported == r.spec->letter) {
			snprintf(used->text, sizeof(used->text), "option -%c", reported);
			return true;
		}
	}
	return false;
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein distance; neither is longer than NAME_MAX_LEN. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[NAME_MAX_LEN + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t replaced = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = min(replaced, min(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_len];
}

/* The option whose name is nearest to what was written, or NULL when none is near. */
static const char *nearest(const struct option_set *set, const char *word, size_t len)
{
	const char *best = NULL;
	size_t least = len / 3 + 2; /* as many letters as may be wrong, and one */

	if (len > NAME_MAX_LEN)
		return NULL;
	for_each_row (r, set) {
		size_t d = distance(word, len, r.spec->name, strlen(r.spec->name));

		if (d < least && !(r.spec->flags & OPTION_HIDDEN)) {
			best = r.spec->name;
			least = d;
		}
	}
	return best;
}

const char *options_nearest(const struct option_set *set, const char *word)
{
	return nearest(set, word, strlen(word));
}

static int fail_unknown(const struct option_set *set, const char *word, struct conf_error *err)
{
	size_t len = strcspn(word, "="), shown = min(len, QUOTED_MAX);
	const char *cut = shown < len ? "..." : "";
	const char *alike[2] = {NULL, NULL};
	size_t count = 0;
	const char *near;

	for_each_row (r, set) {
		if (len != 0 && strncmp(r.spec->name, word, len) == 0 && count++ < 2)
			alike[count - 1] = r.spec->name;
	}
	if (count > 1)
		return conf_fail(err, "option --%.*s is ambiguous; write --%s or --%s%s", (int)len,
			word, alike[0], alike[1], count > 2 ? " or others" : "");
	near = nearest(set, word, len);
	if (near != NULL)
		return conf_fail(err,
			"unknown option --%.*s%s; did you mean --%s? try \"%s --help\"", (int)shown,
			word, cut, near, set->program);
	return conf_fail(err, "unknown option --%.*s%s; try \"%s --help\"", (int)shown, word, cut,
		set->program);
}

/* What getopt_long refused with '?' or ':'; it has left its finding in optopt and optind. */
static int fail_refused(
	const struct option_set *set, char **argv, bool missing, struct conf_error *err)
{
	struct option_use used;

	if (optopt == 0)
		return fail_unknown(set, argv[optind - 1] + 2, err);
	if (!find_usage(&used, set, optopt))
		return conf_fail(
			err, "unknown option -%c; try \"%s --help\"", optopt, set->program);
	if (missing)
		return conf_fail(err, "%s: %s is missing; try \"%s --help\"", used.text,
			used.spec->arg, set->program);
	return conf_fail(err, "%s takes no argument; try \"%s --help\"", used.text, set->program);
}

/* "lacking" took the option "taken" for its value, if that is not empty. */
static int fail_surplus(const struct option_set *set, const char *word,
	const struct option_use *last, const struct option_use *lacking, const char *taken,
	struct conf_error *err)
{
	char quoted[CONF_QUOTED_CAP];

	/* It may well be the second half of a passphrase. */
	if (last->spec != NULL && last->spec->flags & OPTION_SECRET)
		return conf_fail(err,
			"unexpected argument after the value of --%s; put a value that holds "
			"blanks in quotes",
			last->spec->name);
	if (*taken != 0)
		return conf_fail(err, "%s: %s is missing, it took %s for that; try \"%s --help\"",
			lacking->text, lacking->spec->arg, conf_quote(quoted, taken), set->program);
	return conf_fail(err, "unexpected argument %s; %s takes %s, try \"%s --help\"",
		conf_quote(quoted, word), set->program,
		set->takes != NULL ? set->takes : "options only", set->program);
}

int options_walk(const struct option_set *set, int argc, char **argv,
	int (*visit)(void *ctx, const struct option_use *use, char *value, struct conf_error *err),
	void *ctx, struct conf_error *err)
{
	struct getopt_tables tables;
	struct option_use used = {.text = ""}, lacking = {.text = ""};
	char taken[3] = "";
	int found;

	fill_tables(&tables, set);
	optind = 0; /* start afresh, as glibc and musl want it told */
	opterr = 0;
	while ((found = getopt_long(argc, argv, tables.letters, tables.names, NULL)) != -1) {
		int rc;

		if (found == '?' || found == ':' || !find_usage(&used, set, found))
			return fail_refused(set, argv, found == ':', err);
		if (!(used.spec->flags & OPTION_SECRET) && is_letter(set, optarg)) {
			lacking = used;
			memcpy(taken, optarg, sizeof(taken));
		}
		rc = visit(ctx, &used, optarg, err);
		if (rc != 0)
			return rc;
	}
	if (optind < argc)
		return fail_surplus(set, argv[optind], &used, &lacking, taken, err);
	return 0;
}

static int apply_word(
	void *target, const struct option_use *use, char *value, struct conf_error *err)
{
	int rc = option_apply(use, target, value, err);

	/* Every user of the host can see the arguments of a process. */
	if (use->spec->flags & OPTION_SECRET && value != NULL &&
		!(use->spec->flags & OPTION_SOURCE && secret_source_is(value)))
		memset(value, 0, strlen(value));
	return rc;
}

int options_from_args(
	const struct option_set *set, int argc, char **argv, void *target, struct conf_error *err)
{
	return options_walk(set, argc, argv, apply_word, target, err);
}

/* Writes "  -m, --mac MAC" and returns its width. */
static int left_column(char *buf, size_t cap, const struct option_spec *spec)
{
	char letter[] = "   ";

	if (spec->letter != 0) {
		letter[0] = '-';
		letter[1] = spec->letter;
		letter[2] = ',';
	}
	return snprintf(buf, cap, "  %s --%s%s%s", letter, spec->name, spec->arg != NULL ? " " : "",
		spec->arg != NULL ? spec->arg : "");
}

/* The width of the left column. */
static int left_width(const struct option_set *set)
{
	char left[LEFT_CAP];
	int width = 0;

	for_each_row (r, set) {
		int w = left_column(left, sizeof(left), r.spec);

		width = w > width && !(r.spec->flags & OPTION_HIDDEN) ? w : width;
	}
	return width;
}

void options_help(const struct option_set *set, FILE *to)
{
	const struct option_block *block = NULL;
	int width = left_width(set);
	char left[LEFT_CAP];

	fprintf(to, "Usage: %s %s\n", set->program, set->usage);
	for_each_row (r, set) {
		if (r.spec->flags & OPTION_HIDDEN)
			continue;
		if (block != r.block && r.block->heading != NULL)
			fprintf(to, "\n%s:\n", r.block->heading);
		block = r.block;
		left_column(left, sizeof(left), r.spec);
		fprintf(to, "%-*s  %s%s", width, left, r.spec->help,
			r.spec->flags & OPTION_REPEATABLE ? "; repeatable" : "");
		if (r.spec->env != NULL)
			fprintf(to, "; or $%s", r.spec->env);
		fputc('\n', to);
	}
	if (set->epilogue != NULL)
		fprintf(to, "\n%s", set->epilogue);
}

const char *options_hint(
	char buf[OPTIONS_HINT_CAP], const struct option_set *set, enum setting setting)
{
	const char *before = " (option ";
	size_t len = 0;

	buf[0] = 0;
	if (set == NULL || setting == SETTING_NONE)
		return buf;
	for_each_row (r, set) {
		const char letter[] = {'-', r.spec->letter, 0};

		if (!(r.spec->settings & SETTING_BIT(setting)))
			continue;
		len += (size_t)snprintf(buf + len, OPTIONS_HINT_CAP - len, "%s%s%s", before,
			r.spec->letter != 0 ? letter : "--",
			r.spec->letter != 0 ? "" : r.spec->name);
		assert(len + 1 < OPTIONS_HINT_CAP);
		before = " or ";
	}
	if (len != 0)
		memcpy(buf + len, ")", 2);
	return buf;
}
