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
		rc = edge_conf_parse(&(struct edge_conf){0}, n, words, &err);
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
			if ((!o->arg && edge_options.blocks[i].specs != community_options) ||
				!strcmp(o->name, "state-dir") || !strcmp(o->name, "disable"))
				assert_true(edge_options.blocks[i].specs == process_options ||
					    edge_options.blocks[i].specs == about_options);
	for (size_t i = 2; i < 4; i++)
		assert_ptr_equal(
			supernode_options.blocks[i].specs, edge_options.blocks[i + 1].specs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_command_line_shown_is_taken),
		cmocka_unit_test(each_option_named_exists),
		cmocka_unit_test(usage_lines_are_true),
		cmocka_unit_test(shared_options_stand_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
