/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the options of a community and the checks of what belongs together. */
#include "conf/community_conf.h"

#include <stdio.h>
#include <string.h>

#include "base/base32.h"
#include "conf/secret_source.h"
#include "conf/values.h"

#define V4_PREFIX_DEFAULT 24
#define V6_PREFIX_DEFAULT 64
#define MTU_MIN		  576 /* RFC 791: what every host takes */

#define MAC_HOLD_DAYS	  30
#define MAC_HOLD_DAYS_MAX 3650

static bool is_overlay_address(const struct endpoint *ip)
{
	struct endpoint with_port = *ip;

	with_port.port = 1;
	return endpoint_is_usable(&with_port) && !endpoint_is_loopback(ip);
}

/* True when ip is the first or last of its IPv4 network, which no host may have. */
static bool is_network_or_broadcast(const struct overlay_address *a)
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
static const char *parse_address(struct overlay_address *a, const char *value)
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
	if (value[len] == 0 || value_number(&a->prefix, value + len + 1, 1, v4 ? 32 : 128))
		return NULL;
	return v4 ? "has a wrong prefix; give 1 to 32, the bits of the network, e.g. 10.1.2.1/24"
		  : "has a wrong prefix; give 1 to 128, the bits of the network, e.g. fd00::1/64";
}

bool overlay_address_parse(struct overlay_address *a, const char *value)
{
	return parse_address(a, value) == NULL;
}

static bool has_address(const struct community_conf *c, const struct endpoint *ip)
{
	for (size_t i = 0; i < c->address_count; i++)
		if (endpoint_same_ip(&c->addresses[i].ip, ip))
			return true;
	return false;
}

static int set_address(void *field, const char *value, char *why, size_t why_cap)
{
	struct community_conf *conf = field;
	struct overlay_address a = {.prefix = 0};
	const char *wrong;

	/* "dhcp:0.0.0.0" is how earlier versions had it. */
	if (strcmp(value, "dhcp") == 0 || strcmp(value, "dhcp:0.0.0.0") == 0) {
		conf->dhcp = true;
		return 0;
	}
	wrong = parse_address(&a, value);
	if (wrong != NULL)
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
	if (has_address(conf, &a.ip))
		return value_wrong(
			why, why_cap, "is an address that was given already; give each once");
	if (conf->address_count == OVERLAY_ADDRESSES_MAX)
		return value_wrong(why, why_cap, "is one address too many; give at most %d",
			OVERLAY_ADDRESSES_MAX);
	conf->addresses[conf->address_count++] = a;
	return 0;
}

static int set_device(void *field, const char *value, char *why, size_t why_cap)
{
	const char **device = field;

	if (!value_is_interface(value))
		return value_wrong(why, why_cap,
			"cannot name an interface; give 1 to %d ASCII characters without blanks, "
			"'/', ':' and '%%', e.g. n2n0",
			INTERFACE_NAME_MAX);
	*device = value;
	return 0;
}

static int set_community(void *field, const char *value, char *why, size_t why_cap)
{
	const char **name = field;
	size_t len = strlen(value);

	if (len == 0 || len > COMMUNITY_NAME_MAX || !value_is_printable(value))
		return value_wrong(why, why_cap,
			"cannot name a community; give 1 to %d bytes of UTF-8 without control "
			"characters",
			COMMUNITY_NAME_MAX);
	*name = value;
	return 0;
}

static int set_key(void *field, const char *value, char *why, size_t why_cap)
{
	char *key = field;
	size_t len = strlen(value);
	struct secret_source source;

	if (secret_source_parse(&source, value, why, why_cap) != 0)
		return N2N_EINVAL;
	if (len == 0 || len > COMMUNITY_SECRET_MAX)
		return value_wrong(why, why_cap,
			"has %zu bytes; give a key string or a passphrase of 1 to %d bytes", len,
			COMMUNITY_SECRET_MAX);
	memcpy(key, value, len + 1);
	return 0;
}

/* const char * */
static int set_key_file(void *field, const char *value, char *why, size_t why_cap)
{
	struct secret_source source;

	if (secret_source_parse(&source, value, why, why_cap) != 0)
		return N2N_EINVAL;
	return value_path(field, value, why, why_cap);
}

static int set_mac(void *field, const char *value, char *why, size_t why_cap)
{
	struct mac mac;

	if (mac_parse(&mac, value) != 0)
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

static int set_mac_hold(void *field, const char *value, char *why, size_t why_cap)
{
	if (!value_number(field, value, 0, MAC_HOLD_DAYS_MAX))
		return value_wrong(why, why_cap,
			"is no number of days; give 0 to %d, e.g. 30, or 0 to let others have the "
			"address of a member as soon as it is gone",
			MAC_HOLD_DAYS_MAX);
	return 0;
}

static int set_learn(void *field, const char *value, char *why, size_t why_cap)
{
	if (!value_number(field, value, 1, LEARN_MAX))
		return value_wrong(why, why_cap, "is no number of addresses; give 1 to %d, e.g. %d",
			LEARN_MAX, LEARN_DEFAULT);
	return 0;
}

/* The next of "a,b,c", which *list is behind afterwards; false: it is no role. */
static bool take_role(struct trusted_conf *t, const char **list)
{
	size_t len = strcspn(*list, ",");
	const char *role = *list;

	*list += len + ((*list)[len] == ',');
	if (len == 4 && memcmp(role, "dhcp", len) == 0)
		t->dhcp = true;
	else if (len == 6 && memcmp(role, "router", len) == 0)
		t->router = true;
	else if (len == 6 && memcmp(role, "bridge", len) == 0)
		t->bridge = true;
	else
		return false;
	return true;
}

static bool parse_trusted(struct trusted_conf *t, const char *value)
{
	size_t len = strcspn(value, "=");
	const char *roles = value + len + 1;

	if (value[len] == 0 || *roles == 0 ||
		base32_decode(t->edge, sizeof(t->edge), value, len) != 0)
		return false;
	while (*roles != 0)
		if (!take_role(t, &roles) || (*roles == 0 && roles[-1] == ','))
			return false;
	return true;
}

static int set_trust(void *field, const char *value, char *why, size_t why_cap)
{
	struct community_conf *conf = field;
	struct trusted_conf t = {0};

	if (!parse_trusted(&t, value))
		return value_wrong(why, why_cap,
			"names no member and its roles; give EDGE=ROLES with the %u characters of "
			"its edge id, which \"n2n status\" shows there, and one or more of "
			"bridge, dhcp, router, with commas between",
			BASE32_LEN(TRUSTED_ID_LEN));
	if (conf->trusted_count == TRUSTED_MAX)
		return value_wrong(
			why, why_cap, "is one member too many; give at most %d", TRUSTED_MAX);
	conf->trusted[conf->trusted_count++] = t;
	return 0;
}

const struct option_spec community_options[] = {
	{
		.name = "community",
		.letter = 'c',
		.arg = "NAME",
		.env = "N2N_COMMUNITY",
		.help = "network to join; with a key file a label only",
		.field = offsetof(struct community_conf, name),
		.settings = SETTING_BIT(SETTING_COMMUNITY),
		.set = set_community,
	},
	{
		.name = "key",
		.letter = 'k',
		.arg = "KEY",
		.env = "N2N_KEY",
		.help = "its key (n2n4-...) or passphrase",
		.flags = OPTION_SECRET | OPTION_SOURCE,
		.field = offsetof(struct community_conf, key),
		.set = set_key,
	},
	{
		.name = "key-file",
		.letter = 'K',
		.arg = "FILE",
		.help = "read the key from a file, - for standard input",
		.flags = OPTION_PATH | OPTION_SOURCE,
		.field = offsetof(struct community_conf, key_file),
		.set = set_key_file,
	},
	{
		.name = "address",
		.letter = 'a',
		.arg = "ADDRESS[/PREFIX]",
		.help = "its address here, default /24 or IPv6 /64; or dhcp",
		.flags = OPTION_REPEATABLE,
		.settings = SETTING_BIT(SETTING_ADDRESS),
		.set = set_address,
	},
	{
		.name = "device",
		.letter = 'd',
		.arg = "NAME",
		.help = "the TAP interface to make, default n2n0",
		.field = offsetof(struct community_conf, device),
		.settings = SETTING_BIT(SETTING_INTERFACE) | SETTING_BIT(SETTING_INSTANCE),
		.set = set_device,
	},
	{
		.name = "netns",
		.arg = "NAME|PATH",
		.help = "network namespace to put the interface into",
		.field = offsetof(struct community_conf, netns),
		.settings = SETTING_BIT(SETTING_NETNS),
		.set = value_netns,
	},
	{
		.name = "mac",
		.letter = 'm',
		.arg = "MAC",
		.help = "its MAC address, default made from the edge's own key",
		.field = offsetof(struct community_conf, mac),
		.settings = SETTING_BIT(SETTING_MAC),
		.set = set_mac,
	},
	{
		.name = "mtu",
		.letter = 'M',
		.arg = "MTU",
		.help = "its MTU in bytes, default " OPTION_NUMBER(
			MTU_DEFAULT) ", a bridge's " OPTION_NUMBER(MTU_MAX),
		.field = offsetof(struct community_conf, mtu),
		.set = set_mtu,
	},
	{
		.name = "mac-hold",
		.arg = "DAYS",
		.help = "keep others' MAC addresses for them when away, default " OPTION_NUMBER(
			MAC_HOLD_DAYS),
		.field = offsetof(struct community_conf, mac_hold_days),
		.set = set_mac_hold,
	},
	{
		.name = "accept-ra",
		.help = "take IPv6 routes and addresses that a member advertises",
		.field = offsetof(struct community_conf, accept_ra),
		.set = value_set_true,
	},
	{
		.name = "bridge",
		.letter = 'r',
		.help = "carry frames of other hosts behind this one",
		.field = offsetof(struct community_conf, bridge),
		.settings = SETTING_BIT(SETTING_BRIDGE),
		.set = value_set_true,
	},
	{
		.name = "dhcp-server",
		.help = "a DHCP server here, or behind this host, may answer members",
		.field = offsetof(struct community_conf, dhcp_server),
		.settings = SETTING_BIT(SETTING_DHCP_SERVER),
		.set = value_set_true,
	},
	{
		.name = "router",
		.help = "a router here, or behind this host, may advertise itself",
		.field = offsetof(struct community_conf, router),
		.settings = SETTING_BIT(SETTING_ROUTER),
		.set = value_set_true,
	},
	{
		.name = "trust",
		.arg = "EDGE=ROLE,...",
		.help = "only who is named so may be bridge, dhcp, router",
		.flags = OPTION_REPEATABLE,
		.settings = SETTING_BIT(SETTING_TRUST),
		.set = set_trust,
	},
	{
		.name = "bpdu-guard",
		.help = "let no spanning tree reach through the network",
		.field = offsetof(struct community_conf, bpdu_guard),
		.settings = SETTING_BIT(SETTING_BPDU_GUARD),
		.set = value_set_true,
	},
	{
		.name = "signed-broadcast",
		.help = "sign broadcasts, so that no member can forge them",
		.field = offsetof(struct community_conf, signed_broadcast),
		.settings = SETTING_BIT(SETTING_SIGNED_BROADCAST),
		.set = value_set_true,
	},
	{
		.name = "learn",
		.arg = "N",
		.help = "addresses of others to remember, default " OPTION_NUMBER(LEARN_DEFAULT),
		.field = offsetof(struct community_conf, learn),
		.settings = SETTING_BIT(SETTING_LEARN),
		.set = set_learn,
	},
	{0},
};

void community_conf_init(struct community_conf *c)
{
	memset(c, 0, sizeof(*c));
	c->device = "n2n0";
	c->mac_hold_days = MAC_HOLD_DAYS;
	c->learn = LEARN_DEFAULT;
}

static void wipe(char *secret, size_t len)
{
	volatile char *p = secret; /* or the compiler leaves it out as a useless store */

	while (len-- != 0)
		*p++ = 0;
}

void community_conf_wipe(struct community_conf *c)
{
	wipe(c->key, sizeof(c->key));
}
