/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests what a supernode's command line means. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/features.h"
#include "conf/supernode_conf.h"

#include <cmocka.h>

#define WORDS_MAX 10

static struct supernode_conf conf;
static struct conf_error err;

static int parse(const char *const words[WORDS_MAX])
{
	static char copies[WORDS_MAX + 1][64];
	char *argv[WORDS_MAX + 2] = {copies[0]};
	int argc = 1;

	strcpy(copies[0], "supernode");
	for (; words[argc - 1] != NULL; argc++) {
		strcpy(copies[argc], words[argc - 1]);
		argv[argc] = copies[argc];
	}
	return supernode_conf_parse(&conf, argc, argv, &err);
}

#define PARSE(...) parse((const char *const[WORDS_MAX]){__VA_ARGS__})

static void a_port_is_given_either_way(void **state)
{
	char text[ENDPOINT_TEXT_MAX];

	(void)state;
	assert_int_equal(PARSE(NULL), 0);
	assert_true(endpoint_is_none(&conf.local));
	assert_int_equal(conf.local.port, 7654);
	assert_int_equal(PARSE("-l", "1234"), 0); /* as the product page has it */
	assert_int_equal(conf.local.port, 1234);
	assert_int_equal(PARSE("-p", "[2001:db8::1]:5"), 0);
	assert_string_equal(endpoint_format(&conf.local, text), "[2001:db8::1]:5");
	assert_int_equal(PARSE("--port", "192.0.2.1:5", "-l", "6"), 0); /* the last one counts */
	assert_true(endpoint_is_none(&conf.local));
	assert_int_equal(conf.local.port, 6);
}

static void one_address_has_a_limit(void **state)
{
	(void)state;
	assert_int_equal(PARSE(NULL), 0);
	assert_int_equal(conf.per_address, 300);
	assert_int_equal(PARSE("--max-per-address", "1"), 0);
	assert_int_equal(conf.per_address, 1);
	assert_int_equal(PARSE("--max-per-address=20000"), 0);
	assert_int_equal(conf.per_address, 20000);
	assert_int_equal(PARSE("--max-per-address=20001"), N2N_EINVAL);
	assert_int_equal(PARSE("--max-per-address=0"), N2N_EINVAL);
	assert_string_equal(err.text,
		"option --max-per-address: \"0\" is not a number of registrations; give 1 to "
		"20000");
}

static void groups_have_limits(void **state)
{
	(void)state;
	assert_int_equal(PARSE(NULL), 0);
	assert_int_equal(conf.group_packets, 200);
	assert_int_equal(conf.group_bits, 1000000);
	assert_int_equal(conf.group_copies, 50000);
	assert_int_equal(
		PARSE("--group-packets=0", "--group-bits", "8000000", "--group-copies=1"), 0);
	assert_int_equal(conf.group_packets, 0);
	assert_int_equal(conf.group_bits, 8000000);
	assert_int_equal(conf.group_copies, 1);
	assert_int_equal(PARSE("--group-copies=1000000001"), N2N_EINVAL);
	assert_string_equal(err.text,
		"option --group-copies: \"1000000001\" is not a rate; give 0 (nothing) to "
		"1000000000 a second");
}

static void the_rest_is_as_for_an_edge(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-f", "-v", "-v", "--state-dir", "/s"), 0);
	assert_int_equal(conf.process.verbosity, 2);
	assert_string_equal(conf.process.state_dir, "/s");
	assert_false(conf.process.help || conf.process.version);
	assert_int_equal(conf.process.workers, 0);
	assert_int_equal(conf.process.disabled, 0);
	assert_int_equal(PARSE("--workers=64", "--disable=gro,ipsec-mb"), 0);
	assert_int_equal(conf.process.workers, 64);
	assert_int_equal(conf.process.disabled, FEATURE_GRO | FEATURE_IPSEC_MB);
	assert_int_equal(PARSE("--workers=-1"), N2N_EINVAL);
	assert_int_equal(PARSE("-h"), 0);
	assert_true(conf.process.help);
	assert_int_equal(PARSE("--version"), 0);
	assert_true(conf.process.version);
	assert_false(conf.process.help);
}

static void each_wrong_value_is_explained(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-l", "host:7654"), N2N_EINVAL);
	assert_string_equal(err.text,
		"option -l: \"host:7654\" is not a port to listen at; give PORT (0 to 65535, 0 "
		"takes any free one) or ADDRESS:PORT, e.g. 192.0.2.1:7654 or [2001:db8::1]:7654");
	assert_int_equal(PARSE("7654"), N2N_EINVAL);
	assert_string_equal(err.text,
		"unexpected argument \"7654\"; supernode takes options only, try \"supernode "
		"--help\"");
	assert_int_equal(PARSE("--state-dir", ""), N2N_EINVAL);
	assert_int_equal(PARSE("-k", "x"), N2N_EINVAL);
	assert_string_equal(err.text, "unknown option -k; try \"supernode --help\"");
}

static void each_setting_has_its_options(void **state)
{
	static const char *const hints[] = {
		[SETTING_NONE] = "",
		[SETTING_COMMUNITY] = "",
		[SETTING_INTERFACE] = "",
		[SETTING_INSTANCE] = " (option -p or --state-dir)",
		[SETTING_PORT] = " (option -p)",
		[SETTING_UNDERLAY] = "",
		[SETTING_STATE_DIR] = " (option --state-dir)",
		[SETTING_SUPERNODE] = "",
		[SETTING_MAC] = "",
		[SETTING_ADDRESS] = "",
		[SETTING_WORKERS] = " (option --workers)",
		[SETTING_PER_ADDRESS] = " (option --max-per-address)",
	};
	char buf[OPTIONS_HINT_CAP];

	(void)state;
	for (unsigned i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		assert_string_equal(
			options_hint(buf, &supernode_options, (enum setting)i), hints[i]);
}

static void help_names_all_and_fits(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	assert_non_null(f);
	options_help(&supernode_options, f);
	assert_int_equal(fclose(f), 0);
	for (size_t i = 0; i < OPTION_BLOCKS_MAX && supernode_options.blocks[i].specs; i++)
		for (const struct option_spec *o = supernode_options.blocks[i].specs; o->name; o++)
			assert_int_equal(
				strstr(text, o->name) == NULL, (o->flags & OPTION_HIDDEN) != 0);
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		assert_in_range(strlen(line), 1, 100);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_is_given_either_way),
		cmocka_unit_test(one_address_has_a_limit),
		cmocka_unit_test(groups_have_limits),
		cmocka_unit_test(the_rest_is_as_for_an_edge),
		cmocka_unit_test(each_wrong_value_is_explained),
		cmocka_unit_test(each_setting_has_its_options),
		cmocka_unit_test(help_names_all_and_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
