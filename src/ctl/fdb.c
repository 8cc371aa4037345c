/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Owns "n2n fdb": where each Ethernet address that an edge knows leads to, and who listens to which
 * group (docs/CONTROL.md).
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "conf/process_conf.h"
#include "conf/values.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/text.h"

#define REQUEST	       "{\"v\":1,\"cmd\":\"fdb\"}"
#define GROUPS_REQUEST "{\"v\":1,\"cmd\":\"status\"}"
#define LINE	       "  %-17s  %-8s  %-7s  %-7s  %s\n"

struct fdb_conf {
	bool json;
	bool help;
	struct ask_conf ask;
};

static const struct option_spec specs[] = {
	{
		.name = "json",
		.letter = 'j',
		.help = "show the answers as they came, in JSON, a line for each part",
		.field = offsetof(struct fdb_conf, json),
		.set = value_set_true,
	},
	{0},
};

static const struct option_set options = {
	.program = "n2n fdb",
	.usage = "[-j] [-d INSTANCE]",
	.blocks = {{"Options", specs, 0}, {NULL, ask_options, offsetof(struct fdb_conf, ask)},
		{NULL, help_options, offsetof(struct fdb_conf, help)}},
	.epilogue = "Frames for an address go to the member behind it, those for \"here\" to none: "
		    "it is\nat our own interface. Addresses are owned by the member that claimed "
		    "them, or\nlearned from the frames of bridges (-r of edge) until nothing came "
		    "for 300 s. Those of\nmulticast groups follow: each with who listens to it.\n",
};

/* What was shown of one instance so far. */
struct shown {
	char community[CELL_MAX];
	json_t *counts; /* of who: how many */
};

static void count(json_t *counts, const char *who)
{
	json_int_t n = json_integer_value(json_object_get(counts, who));

	json_object_set_new(counts, who, json_integer(n + 1));
}

static void show_address(struct shown *s, const json_t *a, double step_s)
{
	const json_t *age = json_object_get(a, "age_s");
	bool here = strcmp(text_member(a, "port"), "here") == 0;
	char who[ID_SHOWN + 1], heard[CELL_MAX] = "-";
	double at_least = json_number_value(age);

	snprintf(who, sizeof(who), "%s", here ? "here" : text_member(a, "id"));
	if (json_is_number(age))
		snprintf(heard, sizeof(heard), "%.0f-%.0f s", at_least, at_least + step_s);
	printf(LINE, text_member(a, "mac"), who, here ? "-" : text_member(a, "peer_state"),
		text_member(a, "known"), heard);
	count(s->counts, who);
}

static void show_title(struct shown *s, const char *instance, const char *name)
{
	char title[CELL_MAX];

	snprintf(title, sizeof(title), "%s", name);
	if (strcmp(s->community, title) == 0)
		return;
	text_print_counts("  in all   ", s->counts);
	json_object_clear(s->counts);
	memcpy(s->community, title, sizeof(title));
	printf("%s: community %s\n", instance, name);
	printf(LINE, "MAC", "PORT", "STATE", "KNOWN", "HEARD");
}

static void show(void *ctx, const char *instance, const json_t *answer, const char *line)
{
	const json_t *result = json_object_get(answer, "result"), *c, *a;
	struct shown *s = ctx;
	double step_s = json_number_value(json_object_get(result, "step_s"));
	size_t i, k;

	(void)line;
	json_array_foreach (json_object_get(result, "communities"), i, c) {
		show_title(s, instance, text_member(c, "name"));
		json_array_foreach (json_object_get(c, "addresses"), k, a)
			show_address(s, a, step_s);
	}
	if (json_is_integer(json_object_get(result, "next")))
		return;
	text_print_counts("  in all   ", s->counts);
	json_object_clear(s->counts);
	s->community[0] = 0;
}

/* ---- groups ---- */

/* Returns how many lines that took. */
static size_t show_listener(const json_t *groups, const char *who, const char *state)
{
	const char *all = json_string_value(json_object_get(groups, "all"));
	const json_t *mac;
	size_t i;

	if (all != NULL)
		printf(LINE, "all groups", who, state, all, "-");
	json_array_foreach (json_object_get(groups, "macs"), i, mac)
		printf(LINE, json_string_value(mac), who, state, "listens", "-");
	return i + (all != NULL);
}

static void show_groups(void *ctx, const char *instance, const json_t *answer, const char *line)
{
	const json_t *communities =
		json_object_get(json_object_get(answer, "result"), "communities");
	const json_t *c, *p;
	char id[ID_SHOWN + 1];
	size_t i, k, n;

	(void)ctx;
	(void)line;
	json_array_foreach (communities, i, c) {
		/* A supernode's community has none. */
		if (!json_is_object(json_object_get(c, "groups")))
			continue;
		printf("%s: groups of community %s\n", instance, text_member(c, "name"));
		n = show_listener(json_object_get(c, "groups"), "here", "-");
		json_array_foreach (json_object_get(c, "peers"), k, p) {
			snprintf(id, sizeof(id), "%s", text_member(p, "id"));
			n += show_listener(
				json_object_get(p, "groups"), id, text_member(p, "state"));
		}
		if (n == 0)
			puts("  nobody listens to any");
	}
}

static void show_json(void *ctx, const char *instance, const json_t *answer, const char *line)
{
	(void)ctx;
	(void)instance;
	(void)answer;
	puts(line);
}

int fdb_command(int argc, char **argv)
{
	struct fdb_conf conf = {.json = false};
	struct shown shown = {.community = ""};
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
	shown.counts = json_object();
	if (shown.counts == NULL) {
		fputs("n2n: no memory; free some\n", stderr);
		return STATUS_FAILED;
	}
	status = ask_instances(&conf.ask, &options, REQUEST, conf.json ? show_json : show, &shown);
	json_decref(shown.counts);
	if (status == STATUS_OK && !conf.json)
		status = ask_instances(&conf.ask, &options, GROUPS_REQUEST, show_groups, NULL);
	return status;
}
