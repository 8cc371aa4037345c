/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program supernode: options, rights, start, stop. */
#include "crypto/crypto.h"
#include "host/loop/log.h"
#include "host/loop/process.h"
#include "host/supernode/supernode_host.h"
#include "os/rights.h"
#include "os/sys.h"

/* What parses packets needs no rights. */
#define RIGHTS 0

static int prepare(struct os_error *err)
{
	if (crypto_start() != 0)
		return os_error_set(err, N2N_ENOSYS, "the cryptographic library does not start");
	return rights_drop(RIGHTS, err);
}

static int run_supernode(
	const struct supernode_conf *conf, struct parent *parent, const struct log *log)
{
	const struct supernode_setup setup = {.conf = conf, .parent = parent, .log = log};
	struct supernode_host *h = NULL;
	struct os_error err = {0};
	char hint[OPTIONS_HINT_CAP];
	int status = PROCESS_OK;

	if (prepare(&err) != 0 || supernode_host_open(&h, &setup, &err) != 0)
		status = PROCESS_UNABLE;
	else if (supernode_host_run(h, &err) != 0)
		status = PROCESS_FAILED;
	if (status != PROCESS_OK)
		log_error(
			log, "%s%s", err.text, options_hint(hint, &supernode_options, err.setting));
	supernode_host_close(h);
	return status;
}

static int run(const struct supernode_conf *conf, const struct log *log)
{
	const struct process_setup setup = {
		.parent = {.keep = RIGHTS, .local = conf->local}, .log = log};
	struct parent *parent;
	int status;

	if (!process_start(&parent, &setup, &status))
		return status;
	status = run_supernode(conf, parent, log);
	parent_destroy(parent);
	return status;
}

static int tell(const struct supernode_conf *conf)
{
	struct os_error err;

	if (conf->process.help)
		options_help(&supernode_options, stdout);
	else
		puts("supernode " N2N_VERSION);
	if (sys_flush_stdout(conf->process.help ? "the help" : "the version", &err) == 0)
		return PROCESS_OK;
	fprintf(stderr, "supernode: %s\n", err.text);
	return PROCESS_FAILED;
}

int main(int argc, char **argv)
{
	struct supernode_conf conf;
	struct conf_error err;
	struct log log;

	sys_open_standard();
	if (supernode_conf_parse(&conf, argc, argv, &err) != 0) {
		fprintf(stderr, "supernode: %s\n", err.text);
		return PROCESS_UNABLE;
	}
	if (conf.process.help || conf.process.version)
		return tell(&conf);
	host_log_init(&log, "supernode", conf.process.verbosity);
	return run(&conf, &log);
}
