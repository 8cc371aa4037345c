/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns "n2n reload": the programs of this host read their files anew (docs/CONTROL.md). */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "conf/process_conf.h"
#include "conf/values.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/text.h"

#define WHO	  "{\"v\":1,\"cmd\":\"status\"}"
#define RELOAD_MS 120000 /* passphrases take a while */

#define REQUEST "{\"v\":1,\"cmd\":\"reload\"}"

#define PROCESSES_MAX 64

struct reload_conf {
	bool json;
	bool help;
	struct ask_conf ask;
};

static const struct option_spec specs[] = {
	{
		.name = "json",
		.letter = 'j',
		.help = "show the answer as it came, in JSON, a line for each process",
		.field = offsetof(struct reload_conf, json),
		.set = value_set_true,
	},
	{0},
};

static const struct option_set options = {
	.program = "n2n reload",
	.usage = "[-j] [-d INSTANCE]",
	.blocks = {{"Options", specs, 0}, {NULL, ask_options, offsetof(struct reload_conf, ask)},
		{NULL, help_options, offsetof(struct reload_conf, help)}},
	.epilogue = "An edge that was started with a file reads it again: communities come and go, "
		    "and\naddresses, who is trusted, and how much is logged change at once. What "
		    "takes a\nrestart is told. With a mistake in the file nothing changes.\n",
};

/* ---- whom to ask: a process has several instances ---- */

struct processes {
	size_t n;
	json_int_t number[PROCESSES_MAX];
	char instance[PROCESSES_MAX][CELL_MAX]; /* one of each */
};

static void note_process(void *ctx, const char *instance, const json_t *answer, const char *line)
{
	const json_t *node = json_object_get(json_object_get(answer, "result"), "node");
	json_int_t number = json_integer_value(json_object_get(node, "process"));
	struct processes *p = ctx;

	(void)line;
	/* A supernode has no such file; what was left a moment ago goes away before it answers. */
	if (strcmp(text_member(node, "role"), "edge") != 0 || p->n == PROCESSES_MAX ||
		json_array_size(
			json_object_get(json_object_get(answer, "result"), "communities")) == 0)
		return;
	for (size_t i = 0; i < p->n; i++)
		if (p->number[i] == number)
			return;
	p->number[p->n] = number;
	snprintf(p->instance[p->n++], CELL_MAX, "%s", instance);
}

/* ---- the answer ---- */

static bool is_fine(const json_t *result)
{
	return json_is_true(json_object_get(result, "applied")) &&
	       json_array_size(json_object_get(result, "refused")) == 0;
}

static void print_lines(const json_t *list, const char *title, FILE *to)
{
	const json_t *line;
	size_t i;

	json_array_foreach (list, i, line)
		fprintf(to, "%s%s\n", title, json_string_value(line));
}

static void print(const json_t *result)
{
	const json_t *refused = json_object_get(result, "refused"), *r;
	const json_t *changes = json_object_get(result, "changes");
	const json_t *restart = json_object_get(result, "restart");
	size_t i;

	print_lines(json_object_get(result, "wrong"), "n2n: ", stderr);
	if (!json_is_true(json_object_get(result, "applied"))) {
		fputs("n2n: nothing was changed\n", stderr);
		return;
	}
	print_lines(changes, "", stdout);
	print_lines(restart, "needs a restart: ", stdout);
	json_array_foreach (refused, i, r)
		fprintf(stderr, "n2n: %s %s\n", text_member(r, "device"), text_member(r, "reason"));
	if (json_array_size(changes) + json_array_size(restart) + json_array_size(refused) == 0)
		puts("nothing is new");
}

struct shown {
	bool json;
	bool failed;
};

static void show(void *ctx, const char *instance, const json_t *answer, const char *line)
{
	const json_t *result = json_object_get(answer, "result");
	struct shown *s = ctx;

	(void)instance;
	if (s->json)
		puts(line);
	else
		print(result);
	s->failed = s->failed || !is_fine(result);
}

static int reload_each(const struct reload_conf *conf, const struct processes *p)
{
	struct shown shown = {.json = conf->json};
	int status = STATUS_OK;

	for (size_t i = 0; i < p->n; i++) {
		struct ask_conf one = {p->instance[i], conf->ask.state_dir, RELOAD_MS};
		int rc = ask_instances(&one, &options, REQUEST, show, &shown);

		status = rc != STATUS_OK ? rc : status;
	}
	if (p->n == 0)
		fputs("n2n: no edge runs here that could be asked\n", stderr);
	return p->n == 0 || shown.failed ? STATUS_FAILED : status;
}

int reload_command(int argc, char **argv)
{
	struct reload_conf conf = {.help = false};
	struct processes all = {.n = 0};
	struct conf_error err;
	int status;

	if (options_from_args(&options, argc, argv, &conf, &err) != 0) {
		fprintf(stderr, "n2n: %s\n", err.text);
		return STATUS_USAGE;
	}
	if (conf.help) {
		options_help(&options, stdout);
		return STATUS_OK;
	}
	status = ask_instances(&conf.ask, &options, WHO, note_process, &all);
	return status == STATUS_OK ? reload_each(&conf, &all) : status;
}
