/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the command line: one table for getopt_long, the environment, the errors and the help. */
#include "conf/options.h"

#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX  64
#define NAME_MAX_LEN 32
#define QUOTED_MAX   64	 /* bytes of a wrong value that are shown */
#define LONG_BASE    256 /* what getopt_long returns for the first row's long name */

/* How the user called an option: "option --mtu", "option -M" or "variable N2N_KEY". */
struct usage {
	const struct option_spec *spec;
	char text[NAME_MAX_LEN + 16];
};

/* Values and unknown words are quoted in errors: nothing in them may reach a terminal's mind. */
static void flatten(char *text)
{
	for (char *p = text; *p; p++)
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

static int apply(const struct usage *used, void *target, const char *value, struct conf_error *err)
{
	const struct option_spec *spec = used->spec;
	char why[256] = "", quoted[CONF_QUOTED_CAP];

	if (!spec->set((char *)target + spec->field, value, why, sizeof(why)))
		return 0;
	if (spec->flags & OPTION_SECRET)
		return conf_fail(err, "%s: the value %s", used->text, why);
	return conf_fail(err, "%s: %s %s", used->text, conf_quote(quoted, value), why);
}

int options_from_env(const struct option_set *set, void *target, struct conf_error *err)
{
	for (size_t i = 0; i < set->count; i++) {
		struct usage used = {.spec = &set->specs[i]};
		const char *value = used.spec->env ? getenv(used.spec->env) : NULL;

		if (!value || !*value)
			continue;
		snprintf(used.text, sizeof(used.text), "variable %s", used.spec->env);
		if (apply(&used, target, value, err))
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

	assert(set->count <= OPTIONS_MAX);
	memset(t, 0, sizeof(*t));
	*p++ = '+'; /* stop at the first word that is no option */
	*p++ = ':'; /* tell a missing argument from an unknown option */
	for (size_t i = 0; i < set->count; i++) {
		const struct option_spec *spec = &set->specs[i];

		t->names[i].name = spec->name;
		t->names[i].has_arg = spec->arg ? required_argument : no_argument;
		t->names[i].val = LONG_BASE + (int)i;
		if (spec->letter) {
			*p++ = spec->letter;
			if (spec->arg)
				*p++ = ':';
		}
	}
}

/* Finds the row of what getopt_long reported; false when there is none. */
static bool find_usage(struct usage *used, const struct option_set *set, int reported)
{
	for (size_t i = 0; i < set->count; i++) {
		used->spec = &set->specs[i];
		if (reported == LONG_BASE + (int)i) {
			snprintf(used->text, sizeof(used->text), "option --%s", used->spec->name);
			return true;
		}
		if (used->spec->letter && reported == used->spec->letter) {
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

	for (size_t i = 0; i < set->count && len <= NAME_MAX_LEN; i++) {
		const struct option_spec *spec = &set->specs[i];
		size_t d = distance(word, len, spec->name, strlen(spec->name));

		if (d < least && !(spec->flags & OPTION_HIDDEN)) {
			best = spec->name;
			least = d;
		}
	}
	return best;
}

static int fail_unknown(const struct option_set *set, const char *word, struct conf_error *err)
{
	size_t len = strcspn(word, "="), shown = min(len, QUOTED_MAX);
	const char *cut = shown < len ? "..." : "";
	const char *alike[2] = {NULL, NULL};
	size_t count = 0;
	const char *near;

	for (size_t i = 0; i < set->count && len; i++)
		if (!strncmp(set->specs[i].name, word, len) && count++ < 2)
			alike[count - 1] = set->specs[i].name;
	if (count > 1)
		return conf_fail(err, "option --%.*s is ambiguous; write --%s or --%s%s", (int)len,
			word, alike[0], alike[1], count > 2 ? " or others" : "");
	near = nearest(set, word, len);
	if (near)
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
	struct usage used;

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

static int fail_surplus(const struct option_set *set, const char *word,
	const struct option_spec *last, struct conf_error *err)
{
	char quoted[CONF_QUOTED_CAP];

	/* It may well be the second half of a passphrase. */
	if (last && last->flags & OPTION_SECRET)
		return conf_fail(err,
			"unexpected argument after the value of --%s; put a value that holds "
			"blanks in quotes",
			last->name);
	return conf_fail(err, "unexpected argument %s; %s takes options only, try \"%s --help\"",
		conf_quote(quoted, word), set->program, set->program);
}

int options_from_args(
	const struct option_set *set, int argc, char **argv, void *target, struct conf_error *err)
{
	struct getopt_tables tables;
	struct usage used = {.spec = NULL};
	int found;

	fill_tables(&tables, set);
	optind = 0; /* start afresh, as glibc and musl want it told */
	opterr = 0;
	while ((found = getopt_long(argc, argv, tables.letters, tables.names, NULL)) != -1) {
		int rc;

		if (found == '?' || found == ':' || !find_usage(&used, set, found))
			return fail_refused(set, argv, found == ':', err);
		rc = apply(&used, target, optarg, err);
		/* Every user of the host can see the arguments of a process. */
		if (used.spec->flags & OPTION_SECRET && optarg)
			memset(optarg, 0, strlen(optarg));
		if (rc)
			return rc;
	}
	if (optind < argc)
		return fail_surplus(set, argv[optind], used.spec, err);
	return 0;
}

/* Writes "  -m, --mac MAC" and returns its width. */
static int left_column(char *buf, size_t cap, const struct option_spec *spec)
{
	char letter[] = "   ";

	if (spec->letter) {
		letter[0] = '-';
		letter[1] = spec->letter;
		letter[2] = ',';
	}
	return snprintf(buf, cap, "  %s --%s%s%s", letter, spec->name, spec->arg ? " " : "",
		spec->arg ? spec->arg : "");
}

void options_help(const struct option_set *set, FILE *to)
{
	const char *section = NULL;
	char left[80];
	int width = 0;

	for (size_t i = 0; i < set->count; i++) {
		int w = left_column(left, sizeof(left), &set->specs[i]);

		width = w > width && !(set->specs[i].flags & OPTION_HIDDEN) ? w : width;
	}
	fprintf(to, "Usage: %s %s\n", set->program, set->usage);
	for (size_t i = 0; i < set->count; i++) {
		const struct option_spec *spec = &set->specs[i];

		if (spec->flags & OPTION_HIDDEN)
			continue;
		if (!section || strcmp(section, spec->section)) {
			section = spec->section;
			fprintf(to, "\n%s:\n", section);
		}
		left_column(left, sizeof(left), spec);
		fprintf(to, "%-*s  %s%s", width, left, spec->help,
			spec->flags & OPTION_REPEATABLE ? "; repeatable" : "");
		if (spec->env)
			fprintf(to, "; or $%s", spec->env);
		fputc('\n', to);
	}
	if (set->epilogue)
		fprintf(to, "\n%s", set->epilogue);
}

const char *options_hint(
	char buf[OPTIONS_HINT_CAP], const struct option_set *set, enum setting setting)
{
	const char *before = " (option ";
	size_t len = 0;

	buf[0] = 0;
	for (size_t i = 0; set && i < set->count; i++) {
		const struct option_spec *spec = &set->specs[i];
		char letter[] = {'-', spec->letter, 0};

		if (setting == SETTING_NONE || !(spec->settings & SETTING_BIT(setting)))
			continue;
		len += (size_t)snprintf(buf + len, OPTIONS_HINT_CAP - len, "%s%s%s", before,
			spec->letter ? letter : "--", spec->letter ? "" : spec->name);
		assert(len + 1 < OPTIONS_HINT_CAP);
		before = " or ";
	}
	if (len)
		memcpy(buf + len, ")", 2);
	return buf;
}
