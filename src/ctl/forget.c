/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns "n2n forget": a MAC address is free for another member (docs/CONTROL.md). */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mac.h"
#include "conf/process_conf.h"
#include "conf/values.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/text.h"

struct forget_conf {
	bool help;
	struct ask_conf ask;
};

static const struct option_set options = {
	.program = "n2n forget",
	.usage = "[-d INSTANCE] MAC",
	.blocks = {{"Options", ask_options, offsetof(struct forget_conf, ask)},
		{NULL, help_options, offsetof(struct forget_conf, help)}},
	.epilogue = "An edge keeps a MAC address for the member that had it first, also while that "
		    "is away.\nForget that when another member has taken its place for good: a "
		    "machine set up anew\nor exchanged. Say so on each machine whose \"n2n "
		    "status\" shows it as refused. Where it\nsays \"which is ours\", choose "
		    "another there, with -m of edge.\n",
};

static void show(void *ctx, const char *instance, const json_t *answer, const char *line)
{
	const json_t *list = json_object_get(json_object_get(answer, "result"), "forgotten"), *f;
	size_t i;

	(void)line;
	json_array_foreach (list, i, f) {
		const char *was = json_string_value(json_object_get(f, "was"));
		const char *is = json_string_value(json_object_get(f, "is"));

		printf("%s: %s belonged to %.*s, and ", instance, (const char *)ctx, ID_SHOWN,
			was != NULL ? was : "-");
		if (is == NULL)
			puts("will belong to the member that claims it next");
		else if (was != NULL && strcmp(was, is) == 0)
			puts("still does: nobody else here wants it");
		else
			printf("belongs to %.*s now\n", ID_SHOWN, is);
	}
}

static int usage(const char *text)
{
	fprintf(stderr, "n2n: %s\n", text);
	return STATUS_USAGE;
}

/* Takes the MAC address out of the words, wherever it stands; false when there is none. */
static bool take_mac(struct mac *mac, int *argc, char **argv)
{
	for (int i = *argc - 1; i > 0; i--) {
		if (mac_parse(mac, argv[i]) != 0)
			continue;
		memmove(&argv[i], &argv[i + 1], (size_t)(*argc - i) * sizeof(argv[0]));
		--*argc;
		return true;
	}
	return false;
}

/* A word at the end that is no option, nor the value of one. */
static bool has_word(int argc, char **argv)
{
	const char *before = argc > 2 ? argv[argc - 2] : "";

	return argc > 1 && argv[argc - 1][0] != '-' &&
	       (before[0] != '-' || strchr(before, '=') != NULL);
}

int forget_command(int argc, char **argv)
{
	struct forget_conf conf = {.help = false};
	char text[MAC_TEXT_MAX], request[64], quoted[CONF_QUOTED_CAP], why[CONF_QUOTED_CAP + 64];
	struct mac mac;
	bool has_mac = take_mac(&mac, &argc, argv), word = has_word(argc, argv);
	struct conf_error err;

	if (has_mac && word) {
		snprintf(why, sizeof(why), "%s is one word too many; say \"n2n forget MAC\"",
			conf_quote(quoted, argv[argc - 1]));
		return usage(why);
	}
	if (options_from_args(&options, argc - word, argv, &conf, &err) != 0)
		return usage(err.text);
	if (conf.help) {
		options_help(&options, stdout);
		return STATUS_OK;
	}
	if (!has_mac)
		return usage("say \"n2n forget MAC\", e.g. 02:00:5e:10:00:01, which \"n2n "
			     "status\" shows as refused");
	mac_format(&mac, text);
	snprintf(request, sizeof(request), "{\"v\":1,\"cmd\":\"forget\",\"mac\":\"%s\"}", text);
	return ask_instances(&conf.ask, &options, request, show, text);
}
