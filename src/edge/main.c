/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program edge: options, secret, rights, start, stop. */
#include <stdlib.h>

#include "edge/secret.h"
#include "host/edge/edge_host.h"
#include "host/loop/log.h"
#include "host/loop/process.h"
#include "os/args.h"
#include "os/rights.h"
#include "os/sys.h"

/* What parses packets sets up interfaces, and nothing else that takes rights. */
#define RIGHTS RIGHT_INTERFACES

/* The secret first: its file may be one that only all the rights can read. */
static int prepare(
	struct secret *secret, struct edge_conf *conf, const struct log *log, struct os_error *err)
{
	int rc;

	if (crypto_start() != 0)
		return os_error_set(err, N2N_ENOSYS, "the cryptographic library does not start");
	rc = secret_read(secret, &conf->community, log, err);
	return rc != 0 ? rc : rights_drop(RIGHTS, err);
}

static int open_edge(struct edge_host **h, struct edge_conf *conf, struct parent *parent,
	const struct log *log, struct os_error *err)
{
	struct secret secret = {0};
	struct edge_setup setup = {.conf = conf, .parent = parent, .log = log};
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

static int run_edge(struct edge_conf *conf, struct parent *parent, const struct log *log)
{
	struct edge_host *h = NULL;
	struct os_error err = {0};
	char hint[OPTIONS_HINT_CAP];
	int status = PROCESS_OK;

	if (open_edge(&h, conf, parent, log, &err) != 0)
		status = PROCESS_UNABLE;
	else if (edge_host_run(h, &err) != 0)
		status = PROCESS_FAILED;
	if (status != PROCESS_OK)
		log_error(log, "%s%s", err.text, options_hint(hint, &edge_options, err.setting));
	/* A normal exit would wait for the look-up. */
	if (!edge_host_close(h))
		quick_exit(status);
	return status;
}

static void forget(void *conf)
{
	secret_forget(conf);
}

static int run(struct edge_conf *conf, const struct log *log)
{
	const struct process_setup setup = {
		.parent = {.keep = RIGHTS,
			.interface = conf->community.device,
			.local = conf->local},
		.forget = forget,
		.ctx = &conf->community,
		.log = log,
	};
	struct parent *parent;
	int status;

	if (!process_start(&parent, &setup, &status))
		return status;
	status = run_edge(conf, parent, log);
	parent_destroy(parent);
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
		return PROCESS_OK;
	fprintf(stderr, "edge: %s\n", err.text);
	return PROCESS_FAILED;
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
		return PROCESS_UNABLE;
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
		return PROCESS_UNABLE;
	}
	status = run_with(argc, words, argv);
	free(words);
	return status;
}
