/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading the configuration, and reading it again while the program runs. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/config.h"
#include "os/sys.h"

#include <cmocka.h>

#define FIRST  "correct horse battery staple"
#define SECOND "another horse battery staple"

struct fixture {
	struct config c;
	struct log log;
	struct edge_conf conf;
	struct edge_setup setup;
	struct edge_fresh fresh;
	struct os_error err;
	char dir[64], conf_path[80], key_path[80];
	char why[4096];
	char *argv[4];
};

static void drop_line(void *ctx, enum log_level level, const char *line)
{
	(void)ctx, (void)level, (void)line;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(crypto_start(), 0);
	f->log = (struct log){.level = LOG_DEBUG, .sink = drop_line};
	snprintf(f->dir, sizeof(f->dir), "/tmp/n2n-config-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->conf_path, sizeof(f->conf_path), "%s/edge.conf", f->dir);
	snprintf(f->key_path, sizeof(f->key_path), "%s/key", f->dir);
	f->argv[0] = strdup("edge");
	f->argv[1] = strdup(f->conf_path);
	f->c = (struct config){.argc = 2, .argv = f->argv, .log = &f->log};
	*state = f;
	return unsetenv("N2N_KEY") || unsetenv("N2N_COMMUNITY");
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	edge_conf_free(&f->conf);
	(void)unlink(f->conf_path);
	(void)unlink(f->key_path);
	assert_int_equal(rmdir(f->dir), 0);
	for (int i = 0; i < 4; i++)
		free(f->argv[i]);
	free(f);
	return 0;
}

static void put(const char *path, const char *text)
{
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	assert_true(fputs(text, to) >= 0);
	assert_int_equal(fchmod(fileno(to), 0600), 0);
	assert_int_equal(fclose(to), 0);
}

static void start(struct fixture *f)
{
	assert_int_equal(config_read(&f->conf, &f->c), 0);
	f->setup = (struct edge_setup){.conf = &f->conf};
	assert_int_equal(config_read_secrets(&f->c, &f->conf, &f->setup, &f->err), 0);
}

static int read_again(struct fixture *f)
{
	return f->setup.reloader.read(
		f->setup.reloader.ctx, &f->conf, &f->fresh, f->why, sizeof(f->why));
}

static void drop_fresh(struct fixture *f)
{
	f->setup.reloader.wipe(f->setup.reloader.ctx, &f->fresh);
	edge_conf_free(f->fresh.conf);
	free(f->fresh.conf);
}

/* Nothing of the fixture holds the text. */
static void assert_wiped(const struct fixture *f, const char *secret)
{
	assert_null(memmem(&f->c, sizeof(f->c), secret, strlen(secret)));
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		assert_string_equal(f->conf.community[i].key, "");
}

static const char two[] = "supernode sn:1\n[community a]\ndevice a0\nkey " FIRST
			  "\n[community b]\ndevice b0\nkey-file key\n";

static void each_community_has_its_secret(void **state)
{
	struct fixture *f = *state;

	put(f->conf_path, two);
	put(f->key_path, SECOND "\n");
	start(f);
	assert_null(f->setup.secret[0].key);
	assert_string_equal(f->setup.secret[0].passphrase, FIRST);
	assert_string_equal(f->setup.secret[1].passphrase, SECOND);
	assert_null(f->setup.secret[2].passphrase);
	config_wipe(&f->c);
	assert_wiped(f, FIRST);
	assert_wiped(f, SECOND);
}

static void a_wrong_secret_is_told_with_its_line(void **state)
{
	struct fixture *f = *state;
	char wanted[256];

	put(f->conf_path, two);
	assert_int_equal(config_read(&f->conf, &f->c), 0);
	f->setup = (struct edge_setup){.conf = &f->conf};
	assert_int_equal(config_read_secrets(&f->c, &f->conf, &f->setup, &f->err), 0);
	assert_string_equal(f->setup.secret[0].passphrase, FIRST);
	f->err = f->setup.secret[1].why;
	assert_int_equal(f->err.code, N2N_ENOENT);
	snprintf(wanted, sizeof(wanted), "%s:7: cannot read \"%s", f->conf_path, f->key_path);
	assert_int_equal(strncmp(f->err.text, wanted, strlen(wanted)), 0);
}

/* Nothing is left to start with then. */
static void that_of_the_only_one_is_an_error(void **state)
{
	struct fixture *f = *state;

	put(f->conf_path, "supernode sn:1\n[community b]\ndevice b0\nkey-file key\n");
	assert_int_equal(config_read(&f->conf, &f->c), 0);
	f->setup = (struct edge_setup){.conf = &f->conf};
	assert_int_equal(config_read_secrets(&f->c, &f->conf, &f->setup, &f->err), N2N_ENOENT);
	assert_non_null(strstr(f->err.text, ":4: cannot read"));
}

static void two_may_have_the_same_variable(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(setenv("N2N_KEY", FIRST, 1), 0);
	put(f->conf_path, "supernode sn:1\n[community a]\nkey env:N2N_KEY\n[community b]\nkey "
			  "env:N2N_KEY\n");
	start(f);
	assert_string_equal(f->setup.secret[0].passphrase, FIRST);
	assert_string_equal(f->setup.secret[1].passphrase, FIRST);
	assert_string_equal(getenv("N2N_KEY"), "");
}

static void read_again_it_is_what_the_file_says_by_now(void **state)
{
	struct fixture *f = *state;

	put(f->conf_path, two);
	put(f->key_path, SECOND "\n");
	start(f);
	config_wipe(&f->c);
	assert_int_equal(read_again(f), 0);
	assert_int_equal(f->fresh.conf->community_count, 2);
	for (int i = 0; i < 2; i++) {
		assert_false(f->fresh.secret[i].changed);
		assert_non_null(f->fresh.secret[i].passphrase);
	}
	drop_fresh(f);
	assert_wiped(f, FIRST);

	put(f->key_path, FIRST);
	put(f->conf_path, "supernode sn:1\n[community c]\ndevice c0\nkey x\n[community b]\ndevice "
			  "b0\nkey-file key\naddress 10.0.0.1\n");
	assert_int_equal(read_again(f), 0);
	assert_string_equal(f->fresh.conf->community[0].device, "c0");
	assert_false(f->fresh.secret[0].changed); /* it had none */
	assert_true(f->fresh.secret[1].changed);
	assert_string_equal(f->fresh.secret[1].passphrase, FIRST);
	assert_int_equal(f->fresh.conf->community[1].address_count, 1);
	drop_fresh(f);
}

static void read_again_all_that_is_wrong_is_told(void **state)
{
	struct fixture *f = *state;
	char wanted[1024];

	put(f->conf_path, two);
	put(f->key_path, SECOND "\n");
	start(f);
	put(f->conf_path, "supernode sn:1\nprot 1\n[community a]\nmtu 1\n");
	assert_int_equal(read_again(f), N2N_EINVAL);
	assert_null(f->fresh.conf);
	snprintf(wanted, sizeof(wanted),
		"%s:2: unknown option \"prot\"; did you mean \"port\"?\n%s:4: mtu: \"1\" is not an "
		"MTU; give a number from 576 to 1500\n%s:3: no key: write \"key KEY\" or "
		"\"key-file FILE\" below",
		f->conf_path, f->conf_path, f->conf_path);
	assert_string_equal(f->why, wanted);
	assert_int_equal(f->setup.reloader.read(&f->c, &f->conf, &f->fresh, f->why, 8), N2N_EINVAL);
	assert_int_equal(strlen(f->why), 7); /* cut */
	assert_int_equal(unlink(f->conf_path), 0);
	assert_int_equal(read_again(f), N2N_EINVAL);
	assert_non_null(strstr(f->why, "cannot read"));

	put(f->conf_path, two); /* the running one was not touched */
	assert_int_equal(read_again(f), 0);
	assert_false(f->fresh.secret[0].changed);
	drop_fresh(f);
}

static void what_was_wiped_is_as_it_was(void **state)
{
	struct fixture *f = *state;

	put(f->conf_path, "supernode sn:1\ncommunity a\ndevice a0\n");
	f->argv[2] = strdup("-k");
	f->argv[3] = strdup(FIRST);
	f->c.argc = 4;
	start(f);
	assert_string_equal(f->argv[3], "");
	config_wipe(&f->c);
	put(f->conf_path, "supernode sn:1\ncommunity a\ndevice a0\naddress 10.0.0.1\n");
	assert_int_equal(read_again(f), 0);
	assert_null(f->fresh.secret[0].passphrase);
	assert_null(f->fresh.secret[0].key);
	assert_false(f->fresh.secret[0].changed);
	drop_fresh(f);
	/* To be left and joined anew it would have to be known. */
	put(f->conf_path, "supernode sn:1\ncommunity a\ndevice a0\nmtu 1300\n");
	assert_int_equal(read_again(f), N2N_EINVAL);
	assert_non_null(strstr(f->why, "the MTU of the community at \"a0\" needs a restart"));
	/* Another device is another community, and of that nothing is known. */
	put(f->conf_path, "supernode sn:1\ncommunity a\ndevice b0\n");
	assert_int_equal(read_again(f), N2N_EINVAL);
	assert_non_null(strstr(f->why, "that was not there at the start"));
	put(f->conf_path, "supernode sn:1\ncommunity a\ndevice a0\nkey-file key\n");
	put(f->key_path, SECOND);
	f->c.argc = 2;
	assert_int_equal(read_again(f), 0);
	assert_true(f->fresh.secret[0].changed);
	drop_fresh(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_community_has_its_secret),
		TEST(a_wrong_secret_is_told_with_its_line),
		TEST(that_of_the_only_one_is_an_error),
		TEST(two_may_have_the_same_variable),
		TEST(read_again_it_is_what_the_file_says_by_now),
		TEST(read_again_all_that_is_wrong_is_told),
		TEST(what_was_wiped_is_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
