/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program edge: options, secrets, rights, start, stop. */
#include <stdlib.h>
#include <string.h>

#include "edge/config.h"
#include "edge/config_inside.h"
#include "host/edge/edge_host.h"
#include "host/loop/log.h"
#include "host/loop/process.h"
#include "os/args.h"
#include "os/dhcp.h"
#include "os/interrupt.h"
#include "os/netns.h"
#include "os/rights.h"
#include "os/sys.h"

/* What parses packets sets up interfaces, and nothing else that takes rights. */
#define RIGHTS RIGHT_INTERFACES

/* The secrets first: a file may be one that only all the rights can read. */
static int prepare(
	struct config *c, struct edge_conf *conf, struct edge_setup *setup, struct os_error *err)
{
	int rc = 0;

	if (crypto_start() != 0)
		return os_error_set(err, N2N_ENOSYS, "the cryptographic library does not start");
	/* All that is not opened by the parent is there: look-ups of names, too. */
	if (conf->underlay_netns != NULL)
		rc = netns_enter(conf->underlay_netns, err);
	if (rc == 0)
		rc = config_read_secrets(c, conf, setup, err);
	return rc != 0 ? rc : rights_drop(RIGHTS, err);
}

static int open_edge(struct edge_host **h, struct config *c, struct edge_conf *conf,
	struct parent *parent, struct os_error *err)
{
	struct edge_setup setup = {.conf = conf, .parent = parent, .log = c->log};
	int rc = prepare(c, conf, &setup, err);

	if (rc == 0)
		rc = edge_host_open(h, &setup, err);
	config_wipe(c);
	return rc;
}

static int run_edge(struct config *c, struct edge_conf *conf, struct parent *parent)
{
	struct edge_host *h = NULL;
	struct os_error err = {0};
	char hint[OPTIONS_HINT_CAP];
	int status = PROCESS_OK;

	if (open_edge(&h, c, conf, parent, &err) != 0)
		status = PROCESS_UNABLE;
	else if (edge_host_run(h, &err) != 0)
		status = PROCESS_FAILED;
	if (status != PROCESS_OK)
		log_error(c->log, "%s%s", err.text, options_hint(hint, &edge_options, err.setting));
	/* A normal exit would wait for the look-up. */
	if (!edge_host_close(h))
		quick_exit(status);
	return status;
}

/* The parent has no use for secrets. */
static void forget(void *ctx)
{
	struct edge_conf *conf = ctx;

	for (unsigned i = 0; i < conf->community_count; i++)
		secret_close(&conf->community[i]);
	config_forget(conf);
}

static void list_interfaces(struct parent_interfaces *out, const struct edge_conf *conf)
{
	out->n = conf->community_count;
	for (unsigned i = 0; i < out->n; i++) {
		const struct community_conf *community = &conf->community[i];

		strncpy(out->at[i].name, community->device, INTERFACE_NAME_MAX);
		if (community->netns != NULL)
			strncpy(out->at[i].netns, community->netns, NETNS_MAX);
		out->at[i].dhcp = community->dhcp;
	}
}

static void be_quiet(void *ctx, bool wrong, const char *text)
{
	(void)ctx, (void)wrong, (void)text;
}

/* For the parent: what the file has by now, as the parent reads it. The child tells the user. */
static bool reread(void *ctx, struct parent_interfaces *out)
{
	struct edge_conf *conf = calloc(1, sizeof(*conf));
	struct conf_report report = {.say = be_quiet};
	bool right = conf != NULL && config_parse(conf, ctx, true, &report) == 0;

	if (right)
		list_interfaces(out, conf);
	if (conf != NULL) {
		config_forget(conf);
		edge_conf_free(conf);
	}
	free(conf);
	return right;
}

static int run(struct config *c, struct edge_conf *conf)
{
	struct process_setup setup = {
		.parent = {.keep = RIGHTS, .local = conf->local},
		.forget = forget,
		.ctx = conf,
		.log = c->log,
	};
	struct parent *parent;
	int status;

	list_interfaces(&setup.parent.interfaces, conf);
	if (conf->underlay_netns != NULL)
		strncpy(setup.parent.underlay_netns, conf->underlay_netns, NETNS_MAX);
	if (conf->file != NULL) {
		setup.parent.reread = reread;
		setup.parent.ctx = c;
	}
	if (!process_start(&parent, &setup, &status))
		return status;
	status = run_edge(c, conf, parent);
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

static int check(const struct edge_conf *conf)
{
	if (crypto_start() != 0)
		return PROCESS_UNABLE;
	switch (config_check(conf)) {
	case 0:
		return PROCESS_OK;
	case N2N_EINVAL:
		return PROCESS_UNABLE;
	default:
		return PROCESS_FAILED;
	}
}

static int run_with(struct config *c, struct edge_conf *conf, char **argv)
{
	struct log log;
	int rc = config_read(conf, c);

	args_show(c->argc, argv, c->argv);
	if (rc != 0)
		return PROCESS_UNABLE;
	if (conf->process.help || conf->process.version)
		return tell(conf);
	if (conf->check)
		return check(conf);
	host_log_init(&log, "edge", conf->process.verbosity);
	c->log = &log;
	return run(c, conf);
}

int main(int argc, char **argv)
{
	struct config c = {.argc = argc};
	struct edge_conf conf;
	int status;

	sys_open_standard();
	/* Somebody may have the file read again before it was read at all. */
	interrupt_hold();
	if (dhcp_is_hook(argc, argv, &status))
		return status;
	c.argv = args_copy(argc, argv);
	if (c.argv == NULL) {
		fputs("edge: no memory for the command line; free some\n", stderr);
		return PROCESS_UNABLE;
	}
	status = run_with(&c, &conf, argv);
	edge_conf_free(&conf);
	free(c.argv);
	return status;
}
