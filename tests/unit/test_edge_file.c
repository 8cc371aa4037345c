/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests what a configuration file means, alone and with a command line, and each wrong line. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_text.h"
#include "conf/edge_file.h"

#include <cmocka.h>

#define WORDS_MAX 16
#define WORD_CAP  128
#define PATH	  "dir/edge.conf"

/* The files of a world, the words of a command line, and what came of them. */
struct fixture {
	const char *text; /* of PATH; NULL: it is not there */
	char words[WORDS_MAX][WORD_CAP];
	char wrong[8192], notes[1024]; /* a line each */
	struct edge_conf conf;
	char *bytes; /* the text as conf has it */
	bool again;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	*state = f;
	return unsetenv("N2N_KEY") || unsetenv("N2N_COMMUNITY");
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	edge_conf_free(&f->conf);
	free(f);
	return 0;
}

static int read_file(void *ctx, struct edge_conf *conf, const char *path, char **text, size_t *len,
	struct conf_error *err)
{
	struct fixture *f = ctx;

	if (f->text == NULL)
		return conf_fail(err, "cannot read \"%s\"", path);
	assert_string_equal(path, PATH);
	*len = strlen(f->text);
	f->bytes = *text = edge_conf_piece(conf, *len + 1);
	assert_non_null(*text);
	memcpy(*text, f->text, *len);
	return 0;
}

static void say(void *ctx, bool wrong, const char *text)
{
	struct fixture *f = ctx;
	char *to = wrong ? f->wrong : f->notes;
	size_t cap = wrong ? sizeof(f->wrong) : sizeof(f->notes), len = strlen(to);

	assert_null(strchr(text, '\n'));
	assert_true(len + strlen(text) + 2 < cap);
	snprintf(to + len, cap - len, "%s\n", text);
}

/* The words end with NULL. */
static int parse_words(struct fixture *f, const char *const *words)
{
	char *argv[WORDS_MAX + 1] = {f->words[0]};
	struct conf_report report = {.say = say, .ctx = f};
	struct edge_conf_input in = {.argc = 1,
		.argv = argv,
		.again = f->again,
		.read = read_file,
		.ctx = f,
		.report = &report};
	int rc;

	edge_conf_free(&f->conf);
	strcpy(f->words[0], "edge");
	f->wrong[0] = f->notes[0] = 0;
	for (; words[in.argc - 1] != NULL; in.argc++) {
		strcpy(f->words[in.argc], words[in.argc - 1]);
		argv[in.argc] = f->words[in.argc];
	}
	rc = edge_conf_parse(&f->conf, &in);
	assert_int_equal(report.wrong != 0, rc != 0);
	assert_int_equal(f->wrong[0] != 0, rc != 0);
	return rc;
}

#define PARSE(...) parse_words(f, (const char *const[]){__VA_ARGS__, NULL})

static int parse(struct fixture *f, const char *text)
{
	f->text = text;
	return PARSE("-F", PATH);
}

static void assert_wrong(struct fixture *f, const char *text, const char *wrong)
{
	assert_int_equal(parse(f, text), N2N_EINVAL);
	assert_string_equal(f->wrong, wrong);
}

static void assert_address(const struct community_conf *c, size_t i, const char *ip)
{
	char buf[ENDPOINT_TEXT_MAX];

	assert_true(i < c->address_count);
	assert_string_equal(endpoint_format_ip(&c->addresses[i].ip, buf), ip);
}

/* ---- blocks ---- */

static const char two[] = "# two networks\n"
			  "supernode sn.example.org:7654\n"
			  "port = 7777\n"
			  "verbose\n"
			  "\n"
			  "[community office]\n"
			  "key      correct horse\n"
			  "address  10.1.2.1/24\n"
			  "address  fd00::1\n"
			  "device   office0\n"
			  "netns = blue\n"
			  "\n"
			  "[community \"play # ground\"]\n"
			  "key-file play.key\n"
			  "bridge\n";

static void each_block_is_a_community(void **state)
{
	struct fixture *f = *state;
	const struct community_conf *c = f->conf.community;

	assert_int_equal(parse(f, two), 0);
	assert_string_equal(f->notes, "");
	assert_int_equal(f->conf.supernode_count, 1);
	assert_string_equal(f->conf.supernodes[0].host, "sn.example.org");
	assert_int_equal(f->conf.local.port, 7777);
	assert_int_equal(f->conf.process.verbosity, 1);
	assert_int_equal(f->conf.community_count, 2);
	assert_true(f->conf.has_blocks);
	assert_true(f->conf.file_has_key);

	assert_string_equal(c[0].name, "office");
	assert_string_equal(c[0].key, "correct horse");
	assert_int_equal(c[0].key_place, KEY_IN_FILE);
	assert_int_equal(c[0].line, 7);
	assert_address(&c[0], 0, "10.1.2.1");
	assert_address(&c[0], 1, "fd00::1");
	assert_string_equal(c[0].device, "office0");
	assert_string_equal(c[0].netns, "blue");
	assert_false(c[0].bridge);
	assert_int_equal(c[0].mtu, MTU_DEFAULT);

	assert_string_equal(c[1].name, "play # ground");
	assert_string_equal(c[1].key, "");
	assert_string_equal(c[1].key_file, "dir/play.key"); /* beside the file */
	assert_int_equal(c[1].address_count, 0);
	assert_string_equal(c[1].device, "n2n1"); /* by its place */
	assert_null(c[1].netns);
	assert_true(c[1].bridge);
	assert_int_equal(c[1].mtu, MTU_MAX);
	assert_null(memmem(f->bytes, strlen(two), "correct horse", 13)); /* wiped */
}

static void sixteen_blocks_are_as_many_as_there_may_be(void **state)
{
	struct fixture *f = *state;
	char text[4096] = "supernode sn:1\n";
	char device[8];

	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			"[community c%u]\nkey k\n", i);
	assert_int_equal(parse(f, text), 0);
	assert_int_equal(f->conf.community_count, COMMUNITIES_MAX);
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		snprintf(device, sizeof(device), "n2n%u", i);
		assert_string_equal(f->conf.community[i].device, device);
	}
	strcat(text, "[community d]\nkey k\nnonsense\n[community e]\n");
	assert_wrong(f, text,
		PATH ":34: this is one community too many; one process serves 16\n" PATH
		     ":36: this follows a key and is no option; write a key on one line\n" PATH
		     ":37: this is one community too many; one process serves 16\n");
}

static void the_command_line_goes_before_the_file(void **state)
{
	struct fixture *f = *state;

	f->text = two;
	assert_int_equal(PARSE(PATH, "-p", "1", "-l", "b:2"), 0);
	assert_int_equal(f->conf.local.port, 1);
	assert_int_equal(f->conf.supernode_count, 2);
	assert_string_equal(f->conf.supernodes[1].host, "b");
	assert_int_equal(PARSE("-p", "1", "--check", PATH), 0);
	assert_true(f->conf.check);
	assert_int_equal(f->conf.local.port, 1);
	assert_string_equal(f->conf.file, PATH);
	assert_int_equal(PARSE("--config=" PATH), 0);
	assert_int_equal(f->conf.community_count, 2);
}

static void what_makes_no_sense_together_is_told(void **state)
{
	struct fixture *f = *state;

	f->text = two;
	assert_int_equal(PARSE(PATH, "-a", "10.0.0.1"), N2N_EINVAL);
	assert_string_equal(f->wrong, "option -a is of one community, and \"" PATH
				      "\" has a block for each; write it into its block\n");
	assert_int_equal(PARSE("-F", PATH, "-F", PATH), N2N_EINVAL);
	assert_string_equal(f->wrong, "two configuration files are named; one can be read\n");
	assert_int_equal(PARSE(PATH, "-F", PATH), N2N_EINVAL);
	assert_int_equal(PARSE("-p", "1", PATH), N2N_EINVAL); /* it may be half of a passphrase */
	f->text = NULL;
	assert_int_equal(PARSE("-F", PATH), N2N_EINVAL);
	assert_string_equal(f->wrong, "cannot read \"" PATH "\"\n");
	assert_int_equal(PARSE("-F", PATH, "--help"), 0);
}

/* Which of the communities it would be for it does not say. */
static void variables_of_a_community_are_not_for_blocks(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(setenv("N2N_KEY", "envkey", 1), 0);
	assert_int_equal(parse(f, two), 0);
	assert_string_equal(f->conf.community[0].key, "correct horse");
	assert_string_equal(f->conf.community[1].key, "");
	assert_wrong(f, "supernode a:1\n[community a]\n",
		PATH ":2: no key: write \"key KEY\" or \"key-file FILE\" below, or \"key "
		     "env:N2N_KEY\"\n");
}

/* ---- files of n2n 2 and 3 ---- */

static void a_file_of_version_3_is_read_as_it_is(void **state)
{
	static const char text[] = "\xef\xbb\xbf#\r\n"
				   "# edge.conf\r\n"
				   "-d=n2n0\r\n"
				   "-c=mynetwork\r\n"
				   "-k=my # \"pass=word\"\r\n"
				   "# -m=DE:AD:BE:EF:99:99\r\n"
				   "-a=static:1.2.3.4/16\r\n"
				   "-p=50001\r\n"
				   "--supernode-list  7.8.9.0:7777\r\n"
				   "-l b.example:1\r\n"
				   "-f\r\n"
				   "-r\r\n"
				   "-A5\r\n"
				   "-u 99\r\n"
				   "-V\r\n";
	struct fixture *f = *state;
	const struct community_conf *c = f->conf.community;

	assert_int_equal(parse(f, text), 0);
	assert_false(f->conf.has_blocks || f->conf.process.version);
	assert_int_equal(f->conf.community_count, 1);
	assert_string_equal(c->device, "n2n0");
	assert_string_equal(c->name, "mynetwork");
	assert_string_equal(c->key, "my # \"pass=word\"");
	assert_address(c, 0, "1.2.3.4");
	assert_int_equal(c->addresses[0].prefix, 16);
	assert_true(c->bridge);
	assert_int_equal(f->conf.local.port, 50001);
	assert_int_equal(f->conf.supernode_count, 2);
	assert_string_equal(f->conf.supernodes[0].host, "7.8.9.0");
	assert_string_equal(f->notes,
		PATH ":13: -A: not needed any more: everything is encrypted, always\n" PATH
		     ":14: -u: not needed any more: rights are given up by themselves\n" PATH
		     ":15: -V: not needed any more: without -v little is logged\n");
}

static void what_version_3_had_and_is_missed_is_told(void **state)
{
	assert_wrong(*state, "-c=n\n-k=k\n-l=a:1\n-S1\n-R=x\n-s 255.255.255.0\n-W\n",
		PATH ":4: -S: that all goes through the supernode cannot be chosen\n" PATH
		     ":5: -R: there are no filter rules; write them for nftables\n" PATH
		     ":6: -s: the network is given with the address, as 10.1.2.1/24\n" PATH
		     ":7: unknown option -W; \"edge --help\" shows them\n");
}

/* Such a file is a part of what one community has, like the environment and the command line. */
static void without_blocks_places_go_before_each_other(void **state)
{
	static const char text[] = "community file\nkey-file a\nsupernode sn:1\naddress 10.0.0.1\n";
	struct fixture *f = *state;
	const struct community_conf *c = f->conf.community;

	assert_int_equal(setenv("N2N_KEY", "envkey", 1), 0);
	assert_int_equal(setenv("N2N_COMMUNITY", "env", 1), 0);
	f->text = text;
	assert_int_equal(PARSE(PATH), 0);
	assert_string_equal(c->name, "file");
	assert_string_equal(c->key, "");
	assert_string_equal(c->key_file, "dir/a");
	assert_int_equal(PARSE(PATH, "-c", "line", "-k", "linekey", "-a", "10.0.0.2"), 0);
	assert_string_equal(c->name, "line");
	assert_string_equal(c->key, "linekey");
	assert_int_equal(c->key_place, KEY_IN_ARGUMENTS);
	assert_null(c->key_file);
	assert_int_equal(c->address_count, 2);
	assert_string_equal(f->words[5], ""); /* wiped */
	f->text = "supernode sn:1\n";
	assert_int_equal(PARSE(PATH), 0);
	assert_string_equal(c->name, "env");
	assert_string_equal(c->key, "envkey");
	assert_int_equal(c->key_place, KEY_IN_ENVIRONMENT);
	assert_false(f->conf.file_has_key);
	f->text = "supernode sn:1\nkey filekey\n";
	assert_int_equal(PARSE(PATH), 0);
	assert_string_equal(c->key, "filekey");
	assert_true(f->conf.file_has_key);
}

/* ---- wrong lines ---- */

static void every_wrong_line_is_told(void **state)
{
	assert_wrong(*state,
		"supernode sn.example.org\n"
		"prot 777\n"
		"address 10.0.0.1\n"
		"\n"
		"[community a]\n"
		"key x\n"
		"device t0\n"
		"mtu 70\n"
		"mtu 1300\n"
		"adress 10.0.0.1\n"
		"address 10.0.0.1\n"
		"address 10.0.0.1/16\n"
		"port 1\n"
		"community b\n"
		"bridge yes\n"
		"netns\n"
		"help\n"
		"config x\n"
		"xyzzy\x1b\n"
		"\n"
		"[community b]\n"
		"device t0\n"
		"address 10.0.0.1\n"
		"[communty c]\n"
		"nonsense\n"
		"address 10.0.0.1\n"
		"mtu 70\n"
		"port 7\n"
		"key a word\n"
		"key another one\n"
		"[community\n"
		"key a third\n"
		"mtu 71\n"
		"[community a]\n"
		"key \"x\n",
		PATH
		":1: supernode: \"sn.example.org\" is not a supernode; give HOST:PORT or "
		"HOST:PORT/KEY, e.g. sn.example.net:7654 or [2001:db8::1]:7654\n" PATH
		":2: unknown option \"prot\"; did you mean \"port\"?\n" PATH
		":3: \"address\" is of one community; put it behind a line [community "
		"NAME]\n" PATH
		":8: mtu: \"70\" is not an MTU; give a number from 576 to 1500\n" PATH
		":9: \"mtu\" is given already in line 8; leave one out\n" PATH
		":10: unknown option \"adress\"; did you mean \"address\"?\n" PATH
		":12: address: \"10.0.0.1/16\" is an address that was given already; give "
		"each once; it stands in line 11\n" PATH
		":13: \"port\" is of the whole process; put it before the first block\n" PATH
		":14: \"community\" is given already in line 5; leave one out\n" PATH
		":15: bridge takes no value; leave it out, or the line to do without\n" PATH
		":16: netns: NAME|PATH is missing\n" PATH
		":17: \"help\" is for the command line only\n" PATH
		":18: \"config\" is for the command line only\n" PATH
		":19: a control character in the line; remove it, or check that it is the "
		"right file\n" PATH ":24: unknown block \"communty\"; give [community NAME]\n" PATH
		":25: unknown option \"nonsense\"; \"edge --help\" shows them\n" PATH
		":27: mtu: \"70\" is not an MTU; give a number from 576 to 1500\n" PATH
		":28: \"port\" is of the whole process; put it before the first block\n" PATH
		":30: \"key\" is given already in line 29; leave one out\n" PATH
		":31: a block has no \"]\" at the end of its line\n" PATH
		":33: mtu: \"71\" is not an MTU; give a number from 576 to 1500\n" PATH
		":35: the quote at the start of the value has no other at its end\n" PATH
		":21: no key: write \"key KEY\" or \"key-file FILE\" below\n" PATH
		":22: device: \"t0\" is that of line 7, too; give each community its own\n" PATH
		":23: address: \"10.0.0.1\" is given already in line 11, and one host has it "
		"once; give another, or put one of the interfaces into a \"netns\"\n" PATH
		":34: no key: write \"key KEY\" or \"key-file FILE\" below\n" PATH
		":34: community: \"a\" is that of line 5, too; one is enough\n");
}

static void what_a_community_shares_with_another_is_told(void **state)
{
	assert_wrong(*state,
		"supernode a:1\nunderlay n2n1\n"
		"[community a]\nkey fd:3\nnetns x\naddress 10.0.0.1\n"
		"[community b]\nkey fd:3\naddress 10.0.0.1\n" /* in another namespace */
		"[community c]\nkey-file -\ndevice n2n1\n"
		"[community d]\nkey-file -\n",
		PATH
		":8: the key of line 4 is read there, too, and can be read once only; name a "
		"file\n" PATH
		":12: device: \"n2n1\" is that of line 7, too; give each community its own\n" PATH
		":14: the key of line 11 is read there, too, and can be read once only; name a "
		"file\n" PATH
		":2: --underlay \"n2n1\" is the interface of this network itself (-d); give "
		"the one that leads to the network underneath\n" PATH
		":2: --underlay \"n2n1\" is the interface of this network itself (-d); give "
		"the one that leads to the network underneath\n");
}

static void what_does_not_fit_together_has_its_line(void **state)
{
	struct fixture *f = *state;

	assert_wrong(f, "supernode a:1\n[community]\nkey pass\nmtu 1279\naddress fd00::1\n",
		PATH ":4: option -M: 1279 is too small for the IPv6 address given with -a; give "
		     "1280 or more\n" PATH
		     ":2: no name: write [community NAME], or give a key that starts with n2n4-\n");
	assert_wrong(f, "supernode a:1\n[community a]\nkey pass\nkey-file x\n",
		PATH ":4: \"key-file\" and the \"key\" of line 3 exclude each other; leave one "
		     "out\n");
	assert_wrong(f, "[community a]\nkey pass\n",
		PATH ": no supernode: write at least one \"supernode HOST:PORT\" first\n");
	assert_wrong(f, "# nothing\n",
		PATH ": there is no option in it; write one to a line, as "
		     "\"edge --help\" shows them\n");
	assert_wrong(f, "supernode a:1\n[community a]\nkey cred:../x\n",
		PATH ":3: key: the value names no credential; give cred:NAME as in "
		     "LoadCredential=NAME:... of the unit\n");
}

/* A key that was wrapped, or whose option is wrong, is not shown. */
static void no_secret_is_in_an_error(void **state)
{
	struct fixture *f = *state;
	char text[400] = "supernode a:1\ncommunity a\nkey ";

	assert_wrong(f,
		"supernode a:1\ncommunity a\nkey n2n4-half\nandtheotherhalf\nkye topsecret\n",
		PATH ":4: this follows a key and is no option; write a key on one line\n" PATH
		     ":5: unknown option \"kye\"; did you mean \"key\"?\n");
	memset(text + strlen(text), 's', 300);
	assert_wrong(f, text,
		PATH ":3: key: the value has 300 bytes; give a key string or a passphrase of 1 to "
		     "256 bytes\n");
}

static void paths_are_relative_to_the_file(void **state)
{
	static const struct {
		const char *line, *path;
	} rows[] = {
		{"key-file a", "dir/a"},
		{"key-file ../a", "dir/../a"},
		{"key-file /a", "/a"},
		{"key-file -", "-"},
		{"key-file file:a", "file:dir/a"},
		{"key-file file:/a", "file:/a"},
		{"key-file env:A", "env:A"},
		{"key-file cred:a", "cred:a"},
	};
	struct fixture *f = *state;
	char text[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "supernode a:1\ncommunity c\nstate-dir s\n%s\n",
			rows[i].line);
		assert_int_equal(parse(f, text), 0);
		assert_string_equal(f->conf.community[0].key_file, rows[i].path);
		assert_string_equal(f->conf.process.state_dir, "dir/s");
		assert_false(f->conf.file_has_key);
	}
	assert_int_equal(parse(f, "supernode a:1\ncommunity c\nkey file:k\n"), 0);
	assert_string_equal(f->conf.community[0].key, "file:dir/k");
	assert_false(f->conf.file_has_key);
}

/* Read again, what was wiped is missing and not wrong. */
static void read_again_wiped_keys_are_not_missed(void **state)
{
	struct fixture *f = *state;

	f->again = true;
	f->text = "supernode a:1\ncommunity c\n";
	assert_int_equal(PARSE(PATH, "-k", ""), 0);
	assert_string_equal(f->conf.community[0].key, "");
	f->again = false;
	assert_int_equal(PARSE(PATH, "-k", ""), N2N_EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_block_is_a_community),
		TEST(sixteen_blocks_are_as_many_as_there_may_be),
		TEST(the_command_line_goes_before_the_file),
		TEST(what_makes_no_sense_together_is_told),
		TEST(variables_of_a_community_are_not_for_blocks),
		TEST(a_file_of_version_3_is_read_as_it_is),
		TEST(what_version_3_had_and_is_missed_is_told),
		TEST(without_blocks_places_go_before_each_other),
		TEST(every_wrong_line_is_told),
		TEST(what_a_community_shares_with_another_is_told),
		TEST(what_does_not_fit_together_has_its_line),
		TEST(no_secret_is_in_an_error),
		TEST(paths_are_relative_to_the_file),
		TEST(read_again_wiped_keys_are_not_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
