/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the options of an edge and the checks of what belongs together. */
#include "conf/edge_conf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "conf/features.h"
#include "conf/values.h"

#define V4_PREFIX_DEFAULT 24
#define V6_PREFIX_DEFAULT 64
#define MTU_MIN		  576  /* RFC 791: what every host takes */
#define MTU_MIN_V6	  1280 /* RFC 8200, 5 */

static bool is_overlay_address(const struct endpoint *ip)
{
	struct endpoint with_port = *ip;

	with_port.port = 1;
	return endpoint_is_usable(&with_port) && !endpoint_is_loopback(ip);
}

/* True when ip is the first or last of its IPv4 network, which no host may have. */
static bool is_network_or_broadcast(const struct edge_address *a)
{
	const uint8_t *ip = a->ip.ip + 12;
	uint32_t bits =
		(uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3];
	uint32_t host_mask;

	if (!endpoint_is_v4(&a->ip) || a->prefix > 30)
		return false;
	host_mask = UINT32_MAX >> a->prefix;
	return (bits & host_mask) == 0 || (bits & host_mask) == host_mask;
}

/* Parses "ADDRESS[/PREFIX]"; returns NULL, or what is wrong with it. */
static const char *parse_address(struct edge_address *a, const char *value)
{
	static const char no_address[] = "is not an IPv4 or IPv6 address; give ADDRESS or "
					 "ADDRESS/PREFIX, e.g. 10.1.2.1/24";
	char ip[ENDPOINT_TEXT_MAX];
	size_t len = strcspn(value, "/");
	bool v4;

	if (len >= sizeof(ip))
		return no_address;
	memcpy(ip, value, len);
	ip[len] = 0;
	if (!value_address(&a->ip, ip))
		return no_address;
	v4 = endpoint_is_v4(&a->ip);
	a->prefix = v4 ? V4_PREFIX_DEFAULT : V6_PREFIX_DEFAULT;
	if (!value[len] || value_number(&a->prefix, value + len + 1, 1, v4 ? 32 : 128))
		return NULL;
	return v4 ? "has a wrong prefix; give 1 to 32, the bits of the network, e.g. 10.1.2.1/24"
		  : "has a wrong prefix; give 1 to 128, the bits of the network, e.g. fd00::1/64";
}

static int set_address(void *field, const char *value, char *why, size_t why_cap)
{
	struct edge_conf *conf = field;
	struct edge_address a = {.prefix = 0};
	const char *wrong = parse_address(&a, value);

	if (wrong)
		return value_wrong(why, why_cap, "%s", wrong);
	if (!is_overlay_address(&a.ip))
		return value_wrong(why, why_cap,
			"is not the address of a host; give one of a private network, e.g. "
			"10.1.2.1/24");
	if (is_network_or_broadcast(&a))
		return value_wrong(why, why_cap,
			"is the network or broadcast address of its /%u; give the address of a "
			"host in it",
			a.prefix);
	if (conf->address_count == OVERLAY_ADDRESSES_MAX)
		return value_wrong(why, why_cap, "is one address too many; give at most %d",
			OVERLAY_ADDRESSES_MAX);
	conf->addresses[conf->address_count++] = a;
	return 0;
}

/* What the kernel takes as the name of an interface, in ASCII, and with '%' as itself. */
static bool is_interface_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > INTERFACE_NAME_MAX || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name > '~' || strchr("/:%", *name))
			return false;
	return true;
}

static int set_device(void *field, const char *value, char *why, size_t why_cap)
{
	const char **device = field;

	if (!is_interface_name(value))
		return value_wrong(why, why_cap,
			"cannot name an interface; give 1 to %d ASCII characters without blanks, "
			"'/', ':' and '%%', e.g. n2n0",
			INTERFACE_NAME_MAX);
	*device = value;
	return 0;
}

static int set_community(void *field, const char *value, char *why, size_t why_cap)
{
	const char **community = field;
	size_t len = strlen(value);

	if (len == 0 || len > COMMUNITY_NAME_MAX || !value_is_printable(value))
		return value_wrong(why, why_cap,
			"cannot name a community; give 1 to %d bytes of UTF-8 without control "
			"characters",
			COMMUNITY_NAME_MAX);
	*community = value;
	return 0;
}

static int set_key(void *field, const char *value, char *why, size_t why_cap)
{
	char *key = field;
	size_t len = strlen(value);

	if (len == 0 || len > EDGE_KEY_MAX)
		return value_wrong(why, why_cap,
			"has %zu bytes; give a key string or a passphrase of 1 to %d bytes", len,
			EDGE_KEY_MAX);
	memcpy(key, value, len + 1);
	return 0;
}

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
		!host[0] || host[0] == '.' || host[0] == '-' || strstr(host, ".."))
		return false;
	last = last ? last + 1 : host;
	if (*last && strspn(last, "0123456789") == strlen(last))
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
	s->key = rest[digits] ? rest + digits + 1 : NULL;
	if (s->key && !*s->key)
		return "has no key after the \"/\"; give the one that the supernode prints at its "
		       "start, or leave the \"/\" out";
	return NULL;
}

static int set_supernode(void *field, const char *value, char *why, size_t why_cap)
{
	struct edge_conf *conf = field;
	struct edge_supernode s;
	const char *wrong = parse_supernode(&s, value);

	if (wrong)
		return value_wrong(why, why_cap, "%s", wrong);
	if (conf->supernode_count == SUPERNODES_MAX)
		return value_wrong(
			why, why_cap, "is one supernode too many; give at most %d", SUPERNODES_MAX);
	conf->supernodes[conf->supernode_count++] = s;
	return 0;
}

static int set_mac(void *field, const char *value, char *why, size_t why_cap)
{
	struct mac mac;

	if (mac_parse(&mac, value))
		return value_wrong(why, why_cap,
			"is not a MAC address; give six bytes in hex, e.g. 02:00:5e:10:00:01");
	if (mac_is_group(&mac) || mac_is_zero(&mac))
		return value_wrong(why, why_cap,
			"is not the MAC address of one interface; its first byte has to be even, "
			"and not all may be zero");
	memcpy(field, &mac, sizeof(mac));
	return 0;
}

static int set_mtu(void *field, const char *value, char *why, size_t why_cap)
{
	if (!value_number(field, value, MTU_MIN, MTU_MAX))
		return value_wrong(why, why_cap, "is not an MTU; give a number from %d to %d",
			MTU_MIN, MTU_MAX);
	return 0;
}

#define OVERLAY "Overlay network"
#define NETWORK "Network underneath"
#define PROGRAM "Program"

static const struct option_spec specs[] = {
	{
		.name = "community",
		.letter = 'c',
		.arg = "NAME",
		.env = "N2N_COMMUNITY",
		.help = "network to join, if not named by the key",
		.section = OVERLAY,
		.field = offsetof(struct edge_conf, community),
		.set = set_community,
	},
	{
		.name = "key",
		.letter = 'k',
		.arg = "KEY",
		.env = "N2N_KEY",
		.help = "its key (n2n4-...) or passphrase",
		.section = OVERLAY,
		.flags = OPTION_SECRET,
		.field = offsetof(struct edge_conf, key),
		.set = set_key,
	},
	{
		.name = "key-file",
		.letter = 'K',
		.arg = "FILE",
		.help = "read the key from a file, - for standard input",
		.section = OVERLAY,
		.field = offsetof(struct edge_conf, key_file),
		.set = value_path,
	},
	{
		.name = "address",
		.letter = 'a',
		.arg = "ADDRESS[/PREFIX]",
		.help = "this host's address in it, default /24 or IPv6 /64",
		.section = OVERLAY,
		.flags = OPTION_REPEATABLE,
		.set = set_address,
	},
	{
		.name = "device",
		.letter = 'd',
		.arg = "NAME",
		.help = "the TAP interface to make, default n2n0",
		.section = OVERLAY,
		.field = offsetof(struct edge_conf, device),
		.settings = SETTING_BIT(SETTING_INTERFACE) | SETTING_BIT(SETTING_INSTANCE),
		.set = set_device,
	},
	{
		.name = "mac",
		.letter = 'm',
		.arg = "MAC",
		.help = "its MAC address, default made from the edge's own key",
		.section = OVERLAY,
		.field = offsetof(struct edge_conf, mac),
		.set = set_mac,
	},
	{
		.name = "mtu",
		.letter = 'M',
		.arg = "MTU",
		.help = "its MTU in bytes, default " OPTION_NUMBER(MTU_DEFAULT),
		.section = OVERLAY,
		.field = offsetof(struct edge_conf, mtu),
		.set = set_mtu,
	},
	{
		.name = "supernode",
		.letter = 'l',
		.arg = "HOST:PORT[/KEY]",
		.help = "a supernode, with its public key if known",
		.section = NETWORK,
		.flags = OPTION_REPEATABLE,
		.settings = SETTING_BIT(SETTING_SUPERNODE),
		.set = set_supernode,
	},
	{
		.name = "port",
		.letter = 'p',
		.arg = "[ADDRESS:]PORT",
		.help = "UDP port to use, default any free one",
		.section = NETWORK,
		.field = offsetof(struct edge_conf, local),
		.settings = SETTING_BIT(SETTING_PORT),
		.set = value_listen,
	},
	{
		.name = "workers",
		.arg = "N",
		.env = "N2N_WORKERS",
		.help = "threads that move packets, default 1",
		.section = PROGRAM,
		.field = offsetof(struct edge_conf, workers),
		.settings = SETTING_BIT(SETTING_WORKERS),
		.set = value_workers,
	},
	{
		.name = "disable",
		.arg = "FEATURE,...",
		.env = "N2N_DISABLE",
		.help = "do without features of this system, as fallbacks do",
		.section = PROGRAM,
		.flags = OPTION_HIDDEN | OPTION_REPEATABLE,
		.field = offsetof(struct edge_conf, disabled),
		.set = feature_disable,
	},
	{
		.name = "state-dir",
		.arg = "DIR",
		.help = "where keys and the control socket live",
		.section = PROGRAM,
		.field = offsetof(struct edge_conf, state_dir),
		.settings = SETTING_BIT(SETTING_STATE_DIR) | SETTING_BIT(SETTING_INSTANCE),
		.set = value_path,
	},
	{
		.name = "foreground",
		.letter = 'f',
		.help = "do not go to the background (always so)",
		.section = PROGRAM,
		.set = value_ignore,
	},
	{
		.name = "verbose",
		.letter = 'v',
		.help = "log more",
		.section = PROGRAM,
		.flags = OPTION_REPEATABLE,
		.field = offsetof(struct edge_conf, verbosity),
		.set = value_count,
	},
	{
		.name = "help",
		.letter = 'h',
		.help = "show this text and exit",
		.section = PROGRAM,
		.field = offsetof(struct edge_conf, help),
		.set = value_set_true,
	},
	{
		.name = "version",
		.letter = 'V',
		.help = "show the version and exit",
		.section = PROGRAM,
		.field = offsetof(struct edge_conf, version),
		.set = value_set_true,
	},
};

const struct option_set edge_options = {
	.program = "edge",
	.usage = "-c COMMUNITY -k KEY -l HOST:PORT [-a ADDRESS] [-d NAME] ...",
	.specs = specs,
	.count = sizeof(specs) / sizeof(specs[0]),
	.epilogue = EXIT_STATUS_HELP,
};

static void wipe(char *secret, size_t len)
{
	volatile char *p = secret; /* or the compiler leaves it out as a useless store */

	while (len--)
		*p++ = 0;
}

static bool names_its_community(const char *key)
{
	for (const char *p = COMMUNITY_KEY_PREFIX; *p; p++, key++)
		if (tolower((unsigned char)*key) != *p)
			return false;
	return true;
}

static bool has_v6_address(const struct edge_conf *conf)
{
	for (size_t i = 0; i < conf->address_count; i++)
		if (!endpoint_is_v4(&conf->addresses[i].ip))
			return true;
	return false;
}

static int check(const struct edge_conf *conf, struct conf_error *err)
{
	if (conf->mtu < MTU_MIN_V6 && has_v6_address(conf))
		return conf_fail(err,
			"option -M: %u is too small for the IPv6 address given with -a; give %d or "
			"more",
			conf->mtu, MTU_MIN_V6);
	if (!conf->key[0] && !conf->key_file)
		return conf_fail(err, "no key: give one with -k KEY or -K FILE, or in the variable "
				      "N2N_KEY");
	if (conf->key[0] && conf->key_file)
		return conf_fail(err, "options -k and -K exclude each other; give one of them");
	if (!conf->community && !conf->key_file && !names_its_community(conf->key))
		return conf_fail(err, "no community: name it with -c NAME, or give a key that "
				      "starts with " COMMUNITY_KEY_PREFIX);
	if (!conf->supernode_count)
		return conf_fail(err, "no supernode: give at least one with -l HOST:PORT");
	return 0;
}

int edge_conf_parse(struct edge_conf *conf, int argc, char **argv, struct conf_error *err)
{
	char env_key[sizeof(conf->key)];
	int rc;

	memset(conf, 0, sizeof(*conf));
	conf->device = "n2n0";
	conf->mtu = MTU_DEFAULT;
	rc = options_from_env(&edge_options, conf, err);

	/* Set aside, so that -K overrides it and yet does not stand beside -k. */
	memcpy(env_key, conf->key, sizeof(env_key));
	edge_conf_wipe(conf);
	if (!rc)
		rc = options_from_args(&edge_options, argc, argv, conf, err);
	if (!conf->key[0] && !conf->key_file)
		memcpy(conf->key, env_key, sizeof(env_key));
	if (!rc && !conf->help && !conf->version)
		rc = check(conf, err);
	if (rc)
		edge_conf_wipe(conf);
	wipe(env_key, sizeof(env_key));
	return rc;
}

void edge_conf_wipe(struct edge_conf *conf)
{
	wipe(conf->key, sizeof(conf->key));
}
