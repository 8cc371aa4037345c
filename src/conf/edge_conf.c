/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the options of an edge that are no community's, and where all of them come from. */
#include "conf/edge_conf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/edge_check.h"
#include "conf/edge_file.h"
#include "conf/secret_source.h"
#include "conf/values.h"

/*
 * A name of letters, digits, '-', '_' and '.', or an address. The resolver would take "10.1.2" for
 * 10.1.0.2, so what ends in a number has to be a whole address.
 */
static bool is_host(const char *host, bool bracketed)
{
	struct endpoint e;
	const char *last = strrchr(host, '.');

	if (bracketed)
		return value_address(&e, host) && !endpoint_is_v4(&e);
	if (strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") !=
			strlen(host) ||
		host[0] == 0 || host[0] == '.' || host[0] == '-' || strstr(host, "..") != NULL)
		return false;
	last = last != NULL ? last + 1 : host;
	if (*last != 0 && strspn(last, "0123456789") == strlen(last))
		return value_address(&e, host);
	return true;
}

#define EXAMPLES ", e.g. sn.example.net:7654 or [2001:db8::1]:7654"

/* Parses "HOST:PORT[/KEY]", HOST in brackets if an IPv6 address; NULL, or what is wrong. */
static const char *parse_supernode(struct edge_supernode *s, const char *value)
{
	bool bracketed = *value == '[';
	const char *host = value + bracketed;
	size_t len = strcspn(host, bracketed ? "]" : ":/");
	const char *rest = host + len;
	char number[6];
	unsigned port;
	size_t digits;

	if (len > HOST_NAME_MAX_LEN || (bracketed && *rest++ != ']') || *rest++ != ':')
		return "is not a supernode; give HOST:PORT or HOST:PORT/KEY" EXAMPLES;
	memcpy(s->host, host, len);
	s->host[len] = 0;

	if (!is_host(s->host, bracketed))
		return "has a wrong host; give a name or an address, IPv6 in brackets" EXAMPLES;

	digits = strcspn(rest, "/");
	snprintf(number, sizeof(number), "%.*s", (int)digits, rest);
	if (digits >= sizeof(number) || !value_number(&port, number, 1, UINT16_MAX))
		return "has a wrong port; give 1 to 65535 after the host" EXAMPLES;
	s->port = (uint16_t)port;
	s->key = rest[digits] != 0 ? rest + digits + 1 : NULL;
	if (s->key != NULL && *s->key == 0)
		return "has no key after the \"/\"; give the one that the supernode prints at its "
		       "start, or leave the \"/\" out";
	return NULL;
}

static int set_supernode(void *field, const char *value, char *why, size_t why_cap)
{
	struct edge_conf *conf = field;
	struct edge_supernode s;
	const char *wrong = parse_supernode(&s, value);

	if (wrong != NULL)
		return value_wrong(why, why_cap, "%s", wrong);
	if (conf->supernode_count == SUPERNODES_MAX)
		return value_wrong(
			why, why_cap, "is one supernode too many; give at most %d", SUPERNODES_MAX);
	conf->supernodes[conf->supernode_count++] = s;
	return 0;
}

/* const char * */
static int set_underlay(void *field, const char *value, char *why, size_t why_cap)
{
	if (!value_is_interface(value))
		return value_wrong(why, why_cap,
			"cannot name an interface; give one of this host's, e.g. eth0");
	*(const char **)field = value;
	return 0;
}

/* Decimal digits, or 0x and hexadecimal ones. */
static bool parse_mark(unsigned *mark, const char *text)
{
	unsigned n = 0;

	if (strncmp(text, "0x", 2) != 0)
		return value_number(mark, text, 1, UINT32_MAX);
	text += 2;
	if (strlen(text) > 8 || strspn(text, "0123456789abcdefABCDEF") != strlen(text))
		return false;
	for (; *text != 0; text++)
		n = n << 4 | (unsigned)(*text <= '9' ? *text - '0' : (*text | 0x20) - 'a' + 10);
	*mark = n;
	return n != 0;
}

/* unsigned */
static int set_fwmark(void *field, const char *value, char *why, size_t why_cap)
{
	if (!parse_mark(field, value))
		return value_wrong(
			why, why_cap, "is not a mark; give 1 to 4294967295, or 0x1 to 0xffffffff");
	return 0;
}

static const struct option_spec network_options[] = {
	{
		.name = "supernode",
		.letter = 'l',
		.arg = "HOST:PORT[/KEY]",
		.help = "a supernode, with its public key if known",
		.flags = OPTION_REPEATABLE,
		.settings = SETTING_BIT(SETTING_SUPERNODE),
		.set = set_supernode,
	},
	{
		.name = "port",
		.letter = 'p',
		.arg = "[ADDRESS:]PORT",
		.help = "UDP port to use, default any free one",
		.field = offsetof(struct edge_conf, local),
		.settings = SETTING_BIT(SETTING_PORT),
		.set = value_listen,
	},
	{
		.name = "underlay",
		.arg = "INTERFACE",
		.env = "N2N_UNDERLAY",
		.help = "send by this interface, whatever routes say",
		.field = offsetof(struct edge_conf, underlay),
		.settings = SETTING_BIT(SETTING_UNDERLAY),
		.set = set_underlay,
	},
	{
		.name = "underlay-netns",
		.arg = "NAME|PATH",
		.help = "network namespace of the network underneath",
		.field = offsetof(struct edge_conf, underlay_netns),
		.settings = SETTING_BIT(SETTING_UNDERLAY_NETNS),
		.set = value_netns,
	},
	{
		.name = "fwmark",
		.arg = "N",
		.env = "N2N_FWMARK",
		.help = "mark what is sent, for rules of routing (ip rule)",
		.field = offsetof(struct edge_conf, fwmark),
		.set = set_fwmark,
	},
	{0},
};

static const struct option_spec file_options[] = {
	{
		.name = "config",
		.letter = 'F',
		.arg = "FILE",
		.help = "read options from a file, one to a line; or \"edge FILE\"",
		.flags = OPTION_LINE_ONLY,
		.field = offsetof(struct edge_conf, file),
		.set = value_path,
	},
	{
		.name = "check",
		.help = "say what is wrong with them, and exit",
		.flags = OPTION_LINE_ONLY,
		.field = offsetof(struct edge_conf, check),
		.set = value_set_true,
	},
	{0},
};

static const struct option_spec worker_options[] = {
	{
		.name = "workers",
		.arg = "N",
		.env = "N2N_WORKERS",
		.help = "threads that move packets, default 1",
		.field = offsetof(struct process_conf, workers),
		.settings = SETTING_BIT(SETTING_WORKERS),
		.set = value_workers,
	},
	{0},
};

const struct option_set edge_options = {
	.program = "edge",
	.usage = "-c COMMUNITY {-k KEY | -K FILE} -l HOST:PORT [-a ADDRESS] [-d NAME] ...\n"
		 "       edge -F FILE ...",
	.blocks =
		{
			{"Overlay network", community_options,
				offsetof(struct edge_conf, community)},
			{"Network underneath", network_options, 0},
			{"Program", file_options, 0},
			{NULL, worker_options, offsetof(struct edge_conf, process)},
			{NULL, process_options, offsetof(struct edge_conf, process)},
			{NULL, about_options, offsetof(struct edge_conf, process)},
		},
	.takes = "one FILE at most, before its options",
	.epilogue = "A key may be given as file:PATH, env:NAME, fd:N or cred:NAME (of systemd).\n"
		    "With a key of \"n2n key new\" the name (-c) is a label: members meet whose "
		    "labels differ.\n" EXIT_STATUS_HELP,
};

/* ---- text ---- */

char *edge_conf_piece(struct edge_conf *conf, size_t len)
{
	struct conf_piece *piece = malloc(sizeof(*piece) + len);

	if (piece == NULL)
		return NULL;
	memset(piece->text, 0, len);
	piece->len = len;
	piece->next = conf->pieces;
	conf->pieces = piece;
	return piece->text;
}

static void wipe(volatile char *p, size_t len)
{
	while (len-- != 0)
		*p++ = 0;
}

void edge_conf_wipe_text(const char *text)
{
	/* The text is a piece's, which may be written. */
	wipe((volatile char *)(uintptr_t)text, strlen(text));
}

void edge_conf_free(struct edge_conf *conf)
{
	for (unsigned i = 0; i <= COMMUNITIES_MAX; i++)
		community_conf_wipe(&conf->community[i]);
	while (conf->pieces != NULL) {
		struct conf_piece *piece = conf->pieces;

		conf->pieces = piece->next;
		wipe(piece->text, piece->len); /* what was wrong in it may be a secret */
		free(piece);
	}
}

/* ---- where it comes from ---- */

/* A key and a key file exclude each other, yet each goes before either of an earlier place. */
struct earlier_key {
	char key[COMMUNITY_SECRET_MAX + 1];
	enum key_place place;
	const char *file;
};

static void set_aside(struct earlier_key *e, struct community_conf *c)
{
	memcpy(e->key, c->key, sizeof(e->key));
	e->place = c->key_place;
	e->file = c->key_file;
	community_conf_wipe(c);
	c->key_file = NULL;
}

/* What was given since, at a place, counts; else what was set aside. */
static void settle_key(struct community_conf *c, struct earlier_key *e, enum key_place place)
{
	if (c->key[0] != 0 || c->key_file != NULL) {
		c->key_place = place;
	} else {
		memcpy(c->key, e->key, sizeof(e->key));
		c->key_place = e->place;
		c->key_file = e->file;
	}
	wipe(e->key, sizeof(e->key));
}

struct command_line {
	struct edge_conf *conf;
	int argc;
	char **argv;
	bool again;
};

/* Takes the word out that is a file, behind the program's name or at the end behind --check. */
static void take_file_word(struct command_line *l)
{
	if (l->argc > 1 && l->argv[1][0] != '-' && l->argv[1][0] != 0) {
		l->conf->file = l->argv[1];
		l->argc--;
		l->argv++;
	} else if (l->argc > 2 && strcmp(l->argv[l->argc - 2], "--check") == 0 &&
		   l->argv[l->argc - 1][0] != '-') {
		l->conf->file = l->argv[l->argc - 1];
		l->argc--;
	}
}

/* What has to be known of the command line before the file is read. */
static int look_ahead(void *ctx, const struct option_use *use, char *value, struct conf_error *err)
{
	struct edge_conf *conf = ctx;

	if (strcmp(use->spec->name, "config") == 0) {
		if (conf->file != NULL)
			return conf_fail(err, "two configuration files are named; one can be read");
		return option_apply(use, conf, value, err);
	}
	conf->process.help = conf->process.help || strcmp(use->spec->name, "help") == 0;
	conf->process.version = conf->process.version || strcmp(use->spec->name, "version") == 0;
	return 0;
}

static int take_word(void *ctx, const struct option_use *use, char *value, struct conf_error *err)
{
	struct command_line *l = ctx;
	bool secret = use->spec->flags & OPTION_SECRET;
	int rc;

	if (secret && l->again && *value == 0)
		return 0;
	if (l->conf->has_blocks && edge_file_is_of_community(use))
		return conf_fail(err,
			"%s is of one community, and \"%.120s\" has a block for each; write it "
			"into "
			"its block",
			use->text, l->conf->file);
	rc = option_apply(use, l->conf, value, err);
	/* Every user of the host can see the arguments of a process. */
	if (secret && !secret_source_is(value))
		wipe(value, strlen(value));
	return rc;
}

static int take_file(struct edge_conf *conf, struct edge_lines *lines,
	const struct edge_conf_input *in, struct conf_error *err)
{
	struct conf_error why;
	struct conf_text text;
	unsigned line = 0;
	char *bytes;
	size_t len;

	lines->path = conf->file;
	if (in->read(in->ctx, conf, conf->file, &bytes, &len, err) != 0)
		return N2N_EINVAL;
	if (conf_text_init(&text, bytes, len, &line, &why) != 0)
		return conf_fail(err, FILE_NAME_SHOWN ":%u: %s", conf->file, line, why.text);
	if (edge_file_apply(conf, lines, &text, in->report) != 0)
		return conf_fail(err,
			FILE_NAME_SHOWN ": there is no option in it; write one to a line, as "
					"\"edge --help\" shows them",
			conf->file);
	return 0;
}

/* Environment, file and command line, one after the other. */
static int take_all(struct edge_conf *conf, struct edge_lines *lines, struct command_line *l,
	const struct edge_conf_input *in, struct conf_error *err)
{
	struct community_conf *c = &conf->community[0];
	struct earlier_key earlier = {.file = NULL};
	int rc = options_from_env(&edge_options, conf, err);

	if (c->key[0] != 0)
		c->key_place = KEY_IN_ENVIRONMENT;
	if (rc == 0 && conf->file != NULL && !conf->process.help && !conf->process.version) {
		set_aside(&earlier, c);
		rc = take_file(conf, lines, in, err);
		if (!conf->has_blocks)
			settle_key(c, &earlier, KEY_IN_FILE);
	}
	if (rc == 0 && !conf->has_blocks)
		set_aside(&earlier, c);
	if (rc == 0)
		rc = options_walk(&edge_options, l->argc, l->argv, take_word, l, err);
	if (!conf->has_blocks)
		settle_key(c, &earlier, KEY_IN_ARGUMENTS);
	wipe(earlier.key, sizeof(earlier.key));
	return rc;
}

static int fail(struct edge_conf *conf)
{
	for (unsigned i = 0; i <= COMMUNITIES_MAX; i++)
		community_conf_wipe(&conf->community[i]);
	return N2N_EINVAL;
}

int edge_conf_parse(struct edge_conf *conf, const struct edge_conf_input *in)
{
	struct command_line l = {
		.conf = conf, .argc = in->argc, .argv = in->argv, .again = in->again};
	struct edge_lines lines = {.path = NULL};
	struct conf_error err;
	int rc;

	memset(conf, 0, sizeof(*conf));
	conf->community_count = 1;
	community_conf_init(&conf->community[0]);
	take_file_word(&l);
	rc = options_walk(&edge_options, l.argc, l.argv, look_ahead, conf, &err);
	if (rc == 0)
		rc = take_all(conf, &lines, &l, in, &err);
	if (rc != 0)
		conf_report_wrong(in->report, &err);
	else if (!conf->process.help && !conf->process.version)
		edge_check(conf, &lines, in->again, in->report);
	return in->report->wrong == 0 ? 0 : fail(conf);
}
