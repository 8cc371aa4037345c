/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program supernode: options, start, stop. */
#include "crypto/crypto.h"
#include "host/loop/log.h"
#include "host/supernode/supernode_host.h"
#include "os/sys.h"

enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2
};

static int run(const struct supernode_conf *conf, const struct log *log)
{
	const struct supernode_setup setup = {.conf = conf, .log = log};
	struct supernode_host *h = NULL;
	struct os_error err = {0};
	char hint[OPTIONS_HINT_CAP];
	int status = STATUS_OK;
	int rc = 0;

	if (sys_harden(&err) != 0)
		log_warn(log, "%s", err.text);
	if (crypto_start() != 0)
		rc = os_error_set(&err, N2N_ENOSYS, "the cryptographic library does not start");
	if (rc != 0 || supernode_host_open(&h, &setup, &err) != 0)
		status = STATUS_USAGE;
	else if (supernode_host_run(h, &err) != 0)
		status = STATUS_FAILED;
	if (status != STATUS_OK)
		log_error(
			log, "%s%s", err.text, options_hint(hint, &supernode_options, err.setting));
	supernode_host_close(h);
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
		return STATUS_OK;
	fprintf(stderr, "supernode: %s\n", err.text);
	return STATUS_FAILED;
}

int main(int argc, char **argv)
{
	struct supernode_conf conf;
	struct conf_error err;
	struct log log;

	sys_open_standard();
	if (supernode_conf_parse(&conf, argc, argv, &err) != 0) {
		fprintf(stderr, "supernode: %s\n", err.text);
		return STATUS_USAGE;
	}
	if (conf.process.help || conf.process.version)
		return tell(&conf);
	host_log_init(&log, "supernode", conf.process.verbosity);
	return run(&conf, &log);
}
