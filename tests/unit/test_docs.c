/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the texts for users say of options is what the programs take. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/edge_conf.h"
#include "conf/supernode_conf.h"

#include <cmocka.h>

#define WORDS_MAX 40
#define LINE_CAP  512

static const char *const texts[] = {
	"README.md", "SECURITY.md", "docs/ARCHITECTURE.md", "docs/CONTROL.md", "docs/PROTOCOL.md"};

/* Calls look for each line of each text and returns the sum of what it says. */
static unsigned for_each_line(unsigned (*look)(const char *file, const char *line))
{
	const char *root = getenv("N2N_SOURCE_ROOT");
	unsigned found = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char path[1024], line[LINE_CAP];
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", root ? root : ".", texts[i]);
		f = fopen(path, "r");
		if (!f)
			fail_msg("cannot read %s", path);
		while (fgets(line, sizeof(line), f))
			found += look(texts[i], line);
		fclose(f);
	}
	return found;
}

/* Cuts a command line, which has no quotes, at its blanks. */
static int cut(char *line, char *words[WORDS_MAX + 1])
{
	int n = 0;

	for (char *w = strtok(line, " \n"); w != NULL && n < WORDS_MAX; w = strtok(NULL, " \n"))
		words[n++] = w;
	words[n] = NULL;
	return n;
}

/* Its first error. */
static void take_error(void *ctx, bool wrong, const char *text)
{
	struct conf_error *err = ctx;

	if (wrong && err->text[0] == 0)
		snprintf(err->text, sizeof(err->text), "%s", text);
}

static int give_file(void *ctx, struct edge_conf *conf, const char *path, char **text, size_t *len,
	struct conf_error *err)
{
	static const char file[] = "supernode sn:7654\n[community net]\nkey pass\n";

	(void)ctx, (void)path, (void)err;
	*text = edge_conf_piece(conf, sizeof(file));
	assert_non_null(*text);
	memcpy(*text, file, sizeof(file));
	*len = sizeof(file) - 1;
	return 0;
}

static int parse_edge(int n, char **words, struct conf_error *err)
{
	struct conf_report report = {.say = take_error, .ctx = err};
	const struct edge_conf_input in = {
		.argc = n, .argv = words, .read = give_file, .report = &report};
	struct edge_conf conf;
	int rc = edge_conf_parse(&conf, &in);

	edge_conf_free(&conf);
	return rc;
}

/* A command line shown is an indented one that begins with a program's name. */
static unsigned is_taken(const char *file, const char *line)
{
	char copy[LINE_CAP], *words[WORDS_MAX + 1];
	struct conf_error err = {""};
	int n, rc;

	strcpy(copy, line);
	n = cut(copy, words);
	if (strncmp(line, "    ", 4) || n < 2 || words[1][0] != '-' || strchr(line, '<') != NULL ||
		strchr(line, '$') != NULL)
		return 0;
	if (!strcmp(words[0], "edge"))
		rc = parse_edge(n, words, &err);
	else if (!strcmp(words[0], "supernode"))
		rc = supernode_conf_parse(&(struct supernode_conf){0}, n, words, &err);
	else
		return 0;
	if (rc)
		fail_msg("%s: %s%s", file, line, err.text);
	return 1;
}

static void each_command_line_shown_is_taken(void **state)
{
	(void)state;
	assert_true(for_each_line(is_taken) >= 4);
}

/* The text that README.md shows below the name of a configuration file. */
struct shown {
	char text[2048];
	size_t len;
};

static int give_shown(void *ctx, struct edge_conf *conf, const char *path, char **text, size_t *len,
	struct conf_error *err)
{
	const struct shown *s = ctx;

	(void)path, (void)err;
	*len = s->len;
	*text = edge_conf_piece(conf, s->len + 1);
	assert_non_null(*text);
	memcpy(*text, s->text, s->len);
	return 0;
}

static void read_shown(struct shown *s)
{
	const char *root = getenv("N2N_SOURCE_ROOT");
	char path[1024], line[LINE_CAP];
	FILE *f;

	snprintf(path, sizeof(path), "%s/README.md", root ? root : ".");
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) && strncmp(line, "    # /etc/n2n/edge.conf", 24))
		;
	for (s->len = 0; fgets(line, sizeof(line), f) && (*line == '\n' || *line == ' ');) {
		size_t len = strlen(line);

		assert_true(s->len + len < sizeof(s->text));
		memcpy(s->text + s->len, line, len);
		s->len += len;
	}
	fclose(f);
}

static void the_configuration_shown_is_right(void **state)
{
	char program[] = "edge", file[] = "edge.conf";
	char *words[] = {program, file, NULL};
	struct conf_error err = {""};
	struct conf_report report = {.say = take_error, .ctx = &err};
	struct shown s;
	const struct edge_conf_input in = {
		.argc = 2, .argv = words, .read = give_shown, .ctx = &s, .report = &report};
	struct edge_conf conf;

	(void)state;
	read_shown(&s);
	if (edge_conf_parse(&conf, &in) != 0)
		fail_msg("README.md: %s", err.text);
	assert_int_equal(conf.community_count, 2);
	assert_string_equal(conf.community[1].device, "play0");
	edge_conf_free(&conf);
}

static bool has_option(const struct option_set *set, const char *name, size_t len)
{
	for (size_t i = 0; i < OPTION_BLOCKS_MAX && set->blocks[i].specs; i++)
		for (const struct option_spec *o = set->blocks[i].specs; o->name; o++)
			if (strlen(o->name) == len && !memcmp(o->name, name, len))
				return true;
	return false;
}

/* Every "--word", but for those of the tools of this source tree. */
static unsigned knows_options(const char *file, const char *line)
{
	unsigned n = 0;

	if (strstr(line, "./dev") != NULL || strstr(line, "tools/") != NULL)
		return 0;
	for (const char *p = strstr(line, "--"); p != NULL; p = strstr(p, "--")) {
		size_t len = strspn(p += 2, "abcdefghijklmnopqrstuvwxyz-");

		if (len == 0 || !islower((unsigned char)*p))
			continue;
		if (!has_option(&edge_options, p, len) && !has_option(&supernode_options, p, len))
			fail_msg("%s: no program has --%.*s", file, (int)len, p);
		n++;
	}
	return n;
}

static void each_option_named_exists(void **state)
{
	(void)state;
	assert_true(for_each_line(knows_options) >= 4);
}

static const struct option_spec *option_with(const struct option_set *set, char letter)
{
	for (size_t i = 0; i < OPTION_BLOCKS_MAX && set->blocks[i].specs; i++)
		for (const struct option_spec *o = set->blocks[i].specs; o->name; o++)
			if (o->letter == letter)
				return o;
	return NULL;
}

/* A key comes from one of two places, and a port is called what its option calls it. */
static void usage_lines_are_true(void **state)
{
	static const struct option_set *const sets[] = {&edge_options, &supernode_options};

	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (const char *p = strchr(sets[i]->usage, '-'); p != NULL; p = strchr(p + 1, '-'))
			assert_non_null(option_with(sets[i], p[1]));
	assert_non_null(strstr(edge_options.usage, "{-k KEY | -K FILE}"));
	assert_non_null(strstr(supernode_options.usage, option_with(&supernode_options, 'p')->arg));
}

/* What both programs have means the same in both. */
static void shared_options_stand_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPTION_BLOCKS_MAX; i++)
		for (const struct option_spec *o = edge_options.blocks[i].specs; o && o->name; o++)
			if ((!o->arg && edge_options.blocks[i].specs != community_options &&
				    strcmp(o->name, "check")) ||
				!strcmp(o->name, "state-dir") || !strcmp(o->name, "disable"))
				assert_true(edge_options.blocks[i].specs == process_options ||
					    edge_options.blocks[i].specs == about_options);
	for (size_t i = 2; i < 4; i++)
		assert_ptr_equal(
			supernode_options.blocks[i].specs, edge_options.blocks[i + 2].specs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_command_line_shown_is_taken),
		cmocka_unit_test(the_configuration_shown_is_right),
		cmocka_unit_test(each_option_named_exists),
		cmocka_unit_test(usage_lines_are_true),
		cmocka_unit_test(shared_options_stand_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
