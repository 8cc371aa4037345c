/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the options of an edge that are neither a community's nor every program's. */
#include "conf/edge_conf.h"

#include <stdio.h>
#include <string.h>

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
		.name = "fwmark",
		.arg = "N",
		.env = "N2N_FWMARK",
		.help = "mark what is sent, for rules of routing (ip rule)",
		.field = offsetof(struct edge_conf, fwmark),
		.set = set_fwmark,
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
	.usage = "-c COMMUNITY {-k KEY | -K FILE} -l HOST:PORT [-a ADDRESS] [-d NAME] ...",
	.blocks =
		{
			{"Overlay network", community_options,
				offsetof(struct edge_conf, community)},
			{"Network underneath", network_options, 0},
			{"Program", worker_options, offsetof(struct edge_conf, process)},
			{NULL, process_options, offsetof(struct edge_conf, process)},
			{NULL, about_options, offsetof(struct edge_conf, process)},
		},
	.epilogue = EXIT_STATUS_HELP,
};

static int check(struct edge_conf *conf, struct conf_error *err)
{
	if (community_conf_check(&conf->community, err) != 0)
		return N2N_EINVAL;
	if (conf->supernode_count == 0)
		return conf_fail(err, "no supernode: give at least one with -l HOST:PORT");
	if (conf->underlay != NULL && strcmp(conf->underlay, conf->community.device) == 0)
		return conf_fail(err,
			"--underlay \"%.15s\" is the interface of this network itself (-d); give "
			"the one that leads to the network underneath",
			conf->underlay);
	return 0;
}

int edge_conf_parse(struct edge_conf *conf, int argc, char **argv, struct conf_error *err)
{
	struct community_conf *c = &conf->community;
	struct community_conf env;
	int rc;

	memset(conf, 0, sizeof(*conf));
	community_conf_init(c);
	rc = options_from_env(&edge_options, conf, err);

	/* Its key is set aside, so that -K overrides it and yet does not stand beside -k. */
	env = *c;
	community_conf_wipe(c);
	if (rc == 0)
		rc = options_from_args(&edge_options, argc, argv, conf, err);
	if (c->key[0] == 0 && c->key_file == NULL)
		memcpy(c->key, env.key, sizeof(env.key));
	if (rc == 0 && !conf->process.help && !conf->process.version)
		rc = check(conf, err);
	if (rc != 0)
		community_conf_wipe(c);
	community_conf_wipe(&env);
	return rc;
}
