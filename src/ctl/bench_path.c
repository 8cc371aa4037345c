/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns "n2n bench path": measures the ways to one machine by turns. */
#include <stdio.h>

#include "conf/process_conf.h"
#include "conf/values.h"
#include "ctl/bench.h"
#include "ctl/bench_client.h"
#include "ctl/bench_peer.h"
#include "ctl/bench_report.h"
#include "ctl/commands.h"
#include "os/interrupt.h"
#include "os/sys.h"

#define STEPS 7 /* of a turn, each as long as the option says */

struct path_conf {
	struct endpoint to[BENCH_PATHS_MAX];
	size_t n;
	unsigned port, rounds, seconds;
	const char *state_dir;
	bool json;
	bool help;
};

static int set_rounds(void *field, const char *value, char *why, size_t why_cap)
{
	if (!value_number(field, value, 1, BENCH_ROUNDS_MAX))
		return value_wrong(
			why, why_cap, "is no number of rounds; give 1 to %d", BENCH_ROUNDS_MAX);
	return 0;
}

static int set_seconds(void *field, const char *value, char *why, size_t why_cap)
{
	if (!value_number(field, value, 1, BENCH_STEP_MAX_S))
		return value_wrong(
			why, why_cap, "is no number of seconds; give 1 to %d", BENCH_STEP_MAX_S);
	return 0;
}

static const struct option_spec specs[] = {
	{
		.name = "rounds",
		.letter = 'n',
		.arg = "N",
		.help = "how often each address is measured, by turns; default 3",
		.field = offsetof(struct path_conf, rounds),
		.set = set_rounds,
	},
	{
		.name = "time",
		.letter = 't',
		.arg = "SECONDS",
		.help = "for each of the seven steps of a turn; default 2",
		.field = offsetof(struct path_conf, seconds),
		.set = set_seconds,
	},
	{
		.name = "port",
		.letter = 'p',
		.arg = "PORT",
		.help = "where \"n2n bench serve\" listens; default " OPTION_NUMBER(BENCH_PORT),
		.field = offsetof(struct path_conf, port),
		.settings = SETTING_BIT(SETTING_PORT),
		.set = bench_value_port,
	},
	{
		.name = "json",
		.letter = 'j',
		.help = "write one line of JSON instead of the table",
		.field = offsetof(struct path_conf, json),
		.set = value_set_true,
	},
	{
		.name = "state-dir",
		.arg = "DIR",
		.help = "the same as was given to the edge of this host",
		.field = offsetof(struct path_conf, state_dir),
		.set = value_path,
	},
	{0},
};

static const struct option_set options = {
	.program = "n2n bench path",
	.usage = "ADDRESS [ADDRESS...] [OPTIONS]",
	.blocks = {{"Options", specs, 0}, {NULL, help_options, offsetof(struct path_conf, help)}},
	.epilogue = "Start \"n2n bench serve\" on the other machine first. Give its address in the "
		    "tunnel and,\nfor comparison, the one outside. Ctrl-C shows what was measured "
		    "by then.\n",
};

/* ---- command line ---- */

static int add_address(struct path_conf *conf, const char *word, struct conf_error *err)
{
	char buf[CONF_QUOTED_CAP];

	if (conf->n == BENCH_PATHS_MAX)
		return conf_fail(err, "%s is one address too many; give at most %d",
			conf_quote(buf, word), BENCH_PATHS_MAX);
	if (!value_address(&conf->to[conf->n], word) || endpoint_is_none(&conf->to[conf->n]))
		return conf_fail(err,
			"%s is not an address; give one of the other machine without a port, e.g. "
			"10.1.2.2 or fd00::2",
			conf_quote(buf, word));
	conf->n++;
	return 0;
}

/* Addresses come first. */
static int parse(struct path_conf *conf, int argc, char **argv, struct conf_error *err)
{
	int rc = 0;

	for (; argc > 1 && argv[1][0] != '-' && rc == 0; argc--, argv++)
		rc = add_address(conf, argv[1], err);
	if (rc == 0)
		rc = options_from_args(&options, argc, argv, conf, err);
	for (size_t i = 0; i < conf->n; i++)
		conf->to[i].port = (uint16_t)conf->port;
	if (rc == 0 && !conf->help && conf->n == 0)
		return conf_fail(err,
			"bench path: no address is given; start \"n2n bench serve\" on the other "
			"machine and give its address, e.g. n2n bench path 10.1.2.2");
	return rc;
}

/* ---- measuring ---- */

struct run {
	const struct path_conf *conf;
	struct bench_client client;
	struct bench_report report;
	struct os_handle interrupt;
};

static bool interrupted(const struct run *run)
{
	const struct stream_limit limit = {UINT64_MAX, {run->interrupt, os_handle_none()}};

	return stream_limit_reached(&limit);
}

static int measure_tcp(struct bench_session *s, struct bench_path_results *path, unsigned round,
	struct os_error *err)
{
	static const struct {
		enum bench_measure measure;
		enum bench_kind kind;
		unsigned streams;
	} steps[] = {
		{BENCH_TCP1_UP, BENCH_TCP_UP, 1},
		{BENCH_TCP1_DOWN, BENCH_TCP_DOWN, 1},
		{BENCH_TCP4_UP, BENCH_TCP_UP, 4},
		{BENCH_TCP4_DOWN, BENCH_TCP_DOWN, 4},
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && rc == 0; i++) {
		double bit_s;

		rc = bench_session_tcp(s, steps[i].kind, steps[i].streams, &bit_s, err);
		if (rc == 0)
			path->value[steps[i].measure][round] = bit_s;
	}
	return rc;
}

static int measure_flood(struct bench_session *s, enum bench_kind kind, double *value,
	struct bench_path_results *path, struct os_error *err)
{
	double arrived;
	int rc = bench_session_flood(s, kind, &arrived, err);

	if (rc == 0 && arrived > 0)
		*value = arrived;
	else if (rc == 0)
		path->udp_blocked = true;
	return rc;
}

static int measure_udp(struct bench_session *s, struct bench_path_results *path, unsigned round,
	struct os_error *err)
{
	struct bench_rtt rtt;
	int rc = bench_session_rtt(s, &rtt, err);

	if (rc != 0)
		return rc;
	if (rtt.lost == 1) {
		path->udp_blocked = true;
		return 0;
	}
	path->value[BENCH_RTT_P50][round] = rtt.p50_us;
	path->value[BENCH_RTT_P90][round] = rtt.p90_us;
	path->value[BENCH_RTT_P99][round] = rtt.p99_us;
	path->value[BENCH_RTT_LOST][round] = rtt.lost;
	rc = measure_flood(s, BENCH_FLOOD_UP, &path->value[BENCH_UDP_UP][round], path, err);
	if (rc == 0)
		rc = measure_flood(
			s, BENCH_FLOOD_DOWN, &path->value[BENCH_UDP_DOWN][round], path, err);
	return rc;
}

/* Remembers what the edge says, and whether it said the same before. */
static void ask_edge(struct bench_path_results *path, const char *state_dir)
{
	json_t *now = bench_peer_find(path->address, state_dir);
	bool changed = path->peer != NULL && now != NULL &&
		       (json_is_true(json_object_get(path->peer, "changed")) ||
			       !json_equal(json_object_get(path->peer, "path"),
				       json_object_get(now, "path")));

	if (now == NULL)
		return;
	json_object_set_new(now, "changed", json_boolean(changed));
	json_decref(path->peer);
	path->peer = now;
}

static int turn(struct run *run, size_t i, unsigned round, struct os_error *err)
{
	struct bench_path_results *path = &run->report.paths[i];
	struct bench_session s;
	int rc = bench_session_open(&s, &run->client, &run->conf->to[i], err);

	if (rc != 0)
		return rc;
	fprintf(stderr, "round %u of %u: %s\n", round + 1, run->conf->rounds, path->address);
	rc = measure_tcp(&s, path, round, err);
	if (rc == 0)
		rc = measure_udp(&s, path, round, err);
	bench_session_close(&s);
	ask_edge(path, run->conf->state_dir);
	return rc;
}

/* What cannot work at all is told before anything is measured. */
static int greet_all(struct run *run, struct os_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < run->conf->n && rc == 0; i++) {
		struct bench_session s;

		rc = bench_session_open(&s, &run->client, &run->conf->to[i], err);
		if (rc == 0)
			bench_session_close(&s);
	}
	return rc;
}

static int measure_all(struct run *run, struct os_error *err)
{
	const struct path_conf *conf = run->conf;
	int rc = greet_all(run, err);

	if (rc == 0)
		fprintf(stderr, "this takes about %zu s; Ctrl-C shows what there is by then\n",
			conf->rounds * conf->n * STEPS * conf->seconds);
	for (unsigned round = 0; round < conf->rounds && rc == 0; round++)
		for (size_t i = 0; i < conf->n && rc == 0; i++)
			rc = turn(run, i, round, err);
	run->report.complete = rc == 0;
	return rc;
}

/* ---- the command ---- */

static int start(struct run *run, struct os_error *err)
{
	const struct path_conf *conf = run->conf;
	struct random random;
	int rc;

	bench_report_init(&run->report);
	run->report.port = conf->port;
	run->report.rounds = conf->rounds;
	run->report.seconds = conf->seconds;
	run->report.n = conf->n;
	for (size_t i = 0; i < conf->n; i++)
		endpoint_format_ip(&conf->to[i], run->report.paths[i].address);
	rc = interrupt_open(&run->interrupt, err);
	if (rc == 0)
		rc = sys_random(&random, err);
	if (rc == 0)
		rc = bench_client_init(&run->client, conf->seconds, run->interrupt, &random, err);
	return rc;
}

static bool any_udp_blocked(const struct bench_report *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->paths[i].udp_blocked)
			return true;
	return false;
}

static bool no_edge_seen(const struct bench_report *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->paths[i].peer != NULL)
			return false;
	return true;
}

static int show(const struct run *run)
{
	const struct bench_report *r = &run->report;
	int rc;

	if (bench_report_is_empty(r))
		return 0;
	rc = run->conf->json ? bench_report_print_json(r) : bench_report_print(r);
	if (rc != 0)
		fprintf(stderr, "n2n: cannot show the results: %s\n", n2n_err_text(rc));
	else if (!run->conf->json && no_edge_seen(r) && !sys_is_root())
		puts("Run as root to see whether a tunnel is direct or relayed.");
	return rc;
}

static int run_path(const struct path_conf *conf)
{
	struct run run = {.conf = conf, .interrupt = os_handle_none()};
	char hint[OPTIONS_HINT_CAP];
	struct os_error err;
	int rc = start(&run, &err), status = STATUS_OK;

	if (rc == 0)
		rc = measure_all(&run, &err);
	/* Stopped on purpose with something to show is no failure. */
	if (rc != 0 && !os_handle_is_none(run.interrupt) && interrupted(&run)) {
		status = bench_report_is_empty(&run.report) ? STATUS_FAILED : STATUS_OK;
	} else if (rc != 0) {
		fprintf(stderr, "n2n: %s%s\n", err.text, options_hint(hint, &options, err.setting));
		status = STATUS_FAILED;
	}
	if (show(&run) != 0 || any_udp_blocked(&run.report))
		status = STATUS_FAILED;
	bench_client_fini(&run.client);
	bench_report_fini(&run.report);
	stream_close(run.interrupt);
	return status;
}

int bench_path(int argc, char **argv)
{
	struct path_conf conf = {.port = BENCH_PORT, .rounds = 3, .seconds = 2};
	struct conf_error err;

	if (parse(&conf, argc, argv, &err) != 0) {
		fprintf(stderr, "n2n: %s\n", err.text);
		return STATUS_USAGE;
	}
	if (conf.help) {
		options_help(&options, stdout);
		return STATUS_OK;
	}
	return run_path(&conf);
}
