/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program edge: options, secret, start, stop. */
#include <stdlib.h>
#include <string.h>

#include "edge/secret.h"
#include "host/edge/edge_host.h"
#include "host/loop/log.h"
#include "os/args.h"
#include "os/sys.h"

enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2
};

static int prepare(
	struct secret *secret, struct edge_conf *conf, const struct log *log, struct os_error *err)
{
	if (sys_harden(err) != 0)
		log_warn(log, "%s", err->text);
	if (crypto_start() != 0)
		return os_error_set(err, N2N_ENOSYS, "the cryptographic library does not start");
	return secret_read(secret, &conf->community, log, err);
}

static int open_edge(
	struct edge_host **h, struct edge_conf *conf, const struct log *log, struct os_error *err)
{
	struct secret secret = {0};
	struct edge_setup setup = {.conf = conf, .log = log};
	int rc = prepare(&secret, conf, log, err);

	if (secret.is_key)
		setup.key = &secret.key;
	else
		setup.passphrase = secret.passphrase;
	if (rc == 0)
		rc = edge_host_open(h, &setup, err);
	secret_wipe(&secret);
	return rc;
}

static int run(struct edge_conf *conf, const struct log *log)
{
	struct edge_host *h = NULL;
	struct os_error err = {0};
	char hint[OPTIONS_HINT_CAP];
	int status = STATUS_OK;

	if (open_edge(&h, conf, log, &err) != 0)
		status = STATUS_USAGE;
	else if (edge_host_run(h, &err) != 0)
		status = STATUS_FAILED;
	if (status != STATUS_OK)
		log_error(log, "%s%s", err.text, options_hint(hint, &edge_options, err.setting));
	/* A normal exit would wait for the look-up. */
	if (!edge_host_close(h))
		quick_exit(status);
	return status;
}

static int tell(const struct edge_conf *conf)
{
	struct os_error err;

	if (conf->process.help)
		options_help(&edge_options, stdout);
	else
		puts("edge " N2N_VERSION);
	if (sys_flush_stdout(conf->process.help ? "the help" : "the version", &err) == 0)
		return STATUS_OK;
	fprintf(stderr, "edge: %s\n", err.text);
	return STATUS_FAILED;
}

static int run_with(int argc, char **words, char **argv)
{
	struct edge_conf conf;
	struct conf_error err;
	struct log log;
	int rc = edge_conf_parse(&conf, argc, words, &err);

	args_show(argc, argv, words);
	if (rc != 0) {
		fprintf(stderr, "edge: %s\n", err.text);
		community_conf_wipe(&conf.community);
		return STATUS_USAGE;
	}
	if (conf.process.help || conf.process.version)
		return tell(&conf);
	host_log_init(&log, "edge", conf.process.verbosity);
	return run(&conf, &log);
}

int main(int argc, char **argv)
{
	char **words;
	int status;

	sys_open_standard();
	words = args_copy(argc, argv);
	if (words == NULL) {
		fputs("edge: no memory for the command line; free some\n", stderr);
		return STATUS_USAGE;
	}
	status = run_with(argc, words, argv);
	free(words);
	return status;
}
