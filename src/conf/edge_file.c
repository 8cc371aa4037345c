/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns what the lines of a configuration file mean. */
#include "conf/edge_file.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conf/secret_source.h"
#include "conf/v3_options.h"

/* Where the reading of a file has come to. */
struct reader {
	struct edge_conf *conf;
	struct edge_lines *lines;
	struct conf_report *report;
	bool has_blocks;
	int block;	      /* index of the community; -1: before the first block */
	unsigned secret_line; /* the last that held a secret */
};

static void report_line(const struct edge_lines *lines, struct conf_report *report, unsigned line,
	bool wrong, const char *text)
{
	struct conf_error err;

	if (lines->path == NULL)
		(void)conf_fail(&err, "%s", text);
	else if (line == 0)
		(void)conf_fail(&err, FILE_NAME_SHOWN ": %s", lines->path, text);
	else
		(void)conf_fail(&err, FILE_NAME_SHOWN ":%u: %s", lines->path, line, text);
	if (wrong)
		conf_report_wrong(report, &err);
	else
		conf_report_note(report, &err);
}

void edge_file_wrong(const struct edge_lines *lines, struct conf_report *report, unsigned line,
	const char *fmt, ...)
{
	char text[384];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	report_line(lines, report, line, true, text);
}

#define WRONG(r, line, ...) edge_file_wrong((r)->lines, (r)->report, (line)->number, __VA_ARGS__)

unsigned edge_file_line(const struct block_lines *lines, const char *option)
{
	struct option_use use;

	return options_find(&use, &edge_options, option) ? lines->option[use.number] : 0;
}

/* ---- blocks ---- */

/* Makes the place ready for the lines that follow. */
static void enter_block(struct reader *r, const struct conf_line *line, unsigned i)
{
	r->block = (int)i;
	community_conf_wipe(&r->conf->community[i]);
	community_conf_init(&r->conf->community[i]);
	r->conf->community[i].device = NULL; /* until it is given, or all are */
	r->conf->community[i].line = line->number;
	r->lines->block[i] = (struct block_lines){.header = line->number};
}

/* False: it is none, which was reported. */
static bool begin_block(struct reader *r, const struct conf_line *line)
{
	char quoted[CONF_QUOTED_CAP];
	unsigned i = r->conf->community_count;

	enter_block(r, line, COMMUNITIES_MAX);
	if (strcmp(line->name, "community") != 0) {
		WRONG(r, line, "unknown block %s; give [community NAME]",
			conf_quote(quoted, line->name));
		return false;
	}
	if (i == COMMUNITIES_MAX) {
		WRONG(r, line, "this is one community too many; one process serves %d",
			COMMUNITIES_MAX);
		return false;
	}
	r->conf->community_count++;
	enter_block(r, line, i);
	return true;
}

/* ---- options ---- */

bool edge_file_is_of_community(const struct option_use *use)
{
	return use->block->specs == community_options;
}

static struct block_lines *lines_of(struct reader *r, const struct option_use *use)
{
	if (!edge_file_is_of_community(use))
		return &r->lines->process;
	return &r->lines->block[r->block < 0 ? 0 : r->block];
}

static void say_unknown(const struct reader *r, const struct conf_line *line)
{
	char quoted[CONF_QUOTED_CAP];
	const char *near = line->letter == 0 ? options_nearest(&edge_options, line->name) : NULL;

	/* It may well be the rest of a key. */
	if (r->secret_line != 0 && line->number == r->secret_line + 1 && line->value == NULL)
		WRONG(r, line, "this follows a key and is no option; write a key on one line");
	else if (line->letter != 0)
		WRONG(r, line, "unknown option -%c; \"edge --help\" shows them", line->letter);
	else if (near != NULL)
		WRONG(r, line, "unknown option %s; did you mean \"%s\"?",
			conf_quote(quoted, line->name), near);
	else
		WRONG(r, line, "unknown option %s; \"edge --help\" shows them",
			conf_quote(quoted, line->name));
}

/* What n2n 2 and 3 had and is not here; true: *use is what it is called here. */
static bool take_v3(struct reader *r, const struct conf_line *line, struct option_use *use)
{
	const struct v3_option *o = line->dashed ? v3_option_find(line->letter, line->name) : NULL;
	const char letter[] = {'-', line->letter, 0};
	char text[256];

	if (o != NULL && o->fate == V3_SAME)
		return options_find(use, &edge_options, o->say);
	if (o == NULL) {
		say_unknown(r, line);
		return false;
	}
	snprintf(text, sizeof(text), "%s%s: %s%s", line->letter != 0 ? letter : "--",
		line->letter != 0 ? "" : line->name,
		o->fate == V3_NEEDLESS ? "not needed any more: " : "", o->say);
	report_line(r->lines, r->report, line->number, o->fate == V3_GONE, text);
	return false;
}

/* Finds what a line chooses; false: nothing, which was reported. */
static bool find_option(struct reader *r, const struct conf_line *line, struct option_use *use)
{
	bool found = line->letter != 0 ? options_find_letter(use, &edge_options, line->letter)
				       : options_find(use, &edge_options, line->name);

	/* "-V" was something else. */
	if (!found || (line->letter != 0 && use->spec->flags & OPTION_LINE_ONLY))
		found = take_v3(r, line, use);
	else if (use->spec->flags & OPTION_LINE_ONLY) {
		WRONG(r, line, "\"%s\" is for the command line only", use->spec->name);
		return false;
	}
	if (!found)
		return false;
	if (line->letter != 0)
		snprintf(use->text, sizeof(use->text), "-%c", line->letter);
	else
		snprintf(use->text, sizeof(use->text), "%s%s", line->dashed ? "--" : "",
			use->spec->name);
	return true;
}

static bool is_in_place(struct reader *r, const struct conf_line *line, struct option_use *use)
{
	unsigned before;

	if (r->has_blocks && edge_file_is_of_community(use) != (r->block >= 0)) {
		if (r->block < 0)
			WRONG(r, line,
				"\"%s\" is of one community; put it behind a line "
				"[community NAME]",
				use->spec->name);
		else
			WRONG(r, line,
				"\"%s\" is of the whole process; put it before the first "
				"block",
				use->spec->name);
		return false;
	}
	before = lines_of(r, use)->option[use->number];
	if (before != 0 && !(use->spec->flags & OPTION_REPEATABLE)) {
		WRONG(r, line, "\"%s\" is given already in line %u; leave one out", use->spec->name,
			before);
		return false;
	}
	if (use->spec->arg == NULL && line->value != NULL) {
		WRONG(r, line, "%s takes no value; leave it out, or the line to do without",
			use->text);
		return false;
	}
	if (use->spec->arg != NULL && line->value == NULL) {
		WRONG(r, line, "%s: %s is missing", use->text, use->spec->arg);
		return false;
	}
	return true;
}

/* ---- values ---- */

/* A copy that conf owns; NULL: no memory. */
static char *keep_joined(struct edge_conf *conf, const char *a, size_t a_len, const char *b,
	size_t b_len, const char *c)
{
	size_t c_len = strlen(c);
	char *text = edge_conf_piece(conf, a_len + b_len + c_len + 1);

	if (text == NULL)
		return NULL;
	memcpy(text, a, a_len);
	memcpy(text + a_len, b, b_len);
	memcpy(text + a_len + b_len, c, c_len + 1);
	return text;
}

/* A path that is not absolute is relative to the file in which it stands. */
static const char *resolve(struct reader *r, const struct option_spec *spec, const char *value)
{
	static const char file[] = "file:";
	const char *slash = strrchr(r->lines->path, '/');
	bool source = spec->flags & OPTION_SOURCE && secret_source_is(value);
	size_t prefix =
		source && strncmp(value, file, sizeof(file) - 1) == 0 ? sizeof(file) - 1 : 0;
	bool is_path = prefix != 0 || (spec->flags & OPTION_PATH && !source);

	if (slash == NULL || !is_path || value[prefix] == '/' || value[prefix] == 0 ||
		strcmp(value, "-") == 0)
		return value;
	return keep_joined(r->conf, value, prefix, r->lines->path,
		(size_t)(slash + 1 - r->lines->path), value + prefix);
}

/* n2n 2 and 3 say so of an address that is not asked for by DHCP. */
static const char *without_static(const struct option_use *use, const char *value)
{
	static const char word[] = "static:";

	return use->spec->letter == 'a' && strncmp(value, word, sizeof(word) - 1) == 0
		       ? value + sizeof(word) - 1
		       : value;
}

/* The line of an address that the community has already; 0: none. */
static unsigned line_of_address(const struct reader *r, unsigned block, const char *value)
{
	const struct community_conf *c = &r->conf->community[block];
	struct overlay_address a;

	if (!overlay_address_parse(&a, value))
		return 0;
	for (size_t i = 0; i < c->address_count; i++)
		if (endpoint_same_ip(&c->addresses[i].ip, &a.ip))
			return r->lines->block[block].address[i];
	return 0;
}

static void say_wrong(const struct reader *r, const struct conf_line *line,
	const struct option_use *use, unsigned block, const char *value, const char *text)
{
	unsigned other = use->spec->letter == 'a' ? line_of_address(r, block, value) : 0;

	if (other != 0)
		WRONG(r, line, "%s; it stands in line %u", text, other);
	else
		WRONG(r, line, "%s", text);
}

static void store(struct reader *r, const struct conf_line *line, struct option_use *use)
{
	unsigned block = edge_file_is_of_community(use) && r->block > 0 ? (unsigned)r->block : 0;
	struct community_conf *c = &r->conf->community[block];
	size_t had = c->address_count;
	const char *value = line->value;
	struct conf_error err;

	if (value != NULL)
		value = resolve(r, use->spec, without_static(use, value));
	if (value == NULL && line->value != NULL) {
		WRONG(r, line, "no memory for the value; free some");
		return;
	}
	use->base += block * sizeof(*c);
	if (option_apply(use, r->conf, value, &err) != 0)
		say_wrong(r, line, use, block, value, err.text);
	if (c->address_count > had)
		r->lines->block[block].address[had] = line->number;
	if (use->spec->flags & OPTION_SOURCE)
		c->line = line->number;
	if (!(use->spec->flags & OPTION_SECRET))
		return;
	r->secret_line = line->number;
	c->key_place = KEY_IN_FILE;
	r->conf->file_has_key = r->conf->file_has_key || !secret_source_is(line->value);
	edge_conf_wipe_text(line->value);
}

static void take_option(struct reader *r, const struct conf_line *line)
{
	struct block_lines *lines;
	struct option_use use;

	if (!find_option(r, line, &use) || !is_in_place(r, line, &use))
		return;
	lines = lines_of(r, &use);
	lines->option[use.number] = line->number;
	store(r, line, &use);
}

/* The name of a block is its option "community". */
static void take_name(struct reader *r, const struct conf_line *block)
{
	struct conf_line line = *block;

	line.kind = CONF_LINE_OPTION;
	if (line.value != NULL)
		take_option(r, &line);
}

/* ---- the file ---- */

/* Those that do without have n2n0, n2n1, ... by their place in the file. */
static void name_devices(struct edge_conf *conf)
{
	static const char *const names[COMMUNITIES_MAX] = {"n2n0", "n2n1", "n2n2", "n2n3", "n2n4",
		"n2n5", "n2n6", "n2n7", "n2n8", "n2n9", "n2n10", "n2n11", "n2n12", "n2n13", "n2n14",
		"n2n15"};

	for (unsigned i = 0; i < conf->community_count; i++)
		if (conf->community[i].device == NULL)
			conf->community[i].device = names[i];
}

static void take_line(struct reader *r, const struct conf_line *line)
{
	bool is_block = line->kind == CONF_LINE_BLOCK;

	if (line->why[0] != 0) {
		WRONG(r, line, "%s", line->why);
		if (is_block)
			enter_block(r, line, COMMUNITIES_MAX);
	} else if (!is_block) {
		take_option(r, line);
	} else if (begin_block(r, line)) {
		take_name(r, line);
	}
}

int edge_file_apply(struct edge_conf *conf, struct edge_lines *lines, struct conf_text *text,
	struct conf_report *report)
{
	struct reader r = {.conf = conf,
		.lines = lines,
		.report = report,
		.has_blocks = conf_text_has_block(text),
		.block = -1};
	struct conf_line line;
	bool empty = true;

	if (r.has_blocks) {
		community_conf_wipe(&conf->community[0]);
		conf->community_count = 0;
		conf->has_blocks = true;
	}
	for (; conf_text_next(text, &line); empty = false)
		take_line(&r, &line);
	name_devices(conf);
	return empty ? N2N_ENOENT : 0;
}
