/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests what an edge's command line means, and that each wrong value gets its line. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/edge_conf.h"
#include "conf/features.h"

#include <cmocka.h>

#define WORDS_MAX 40
#define WORD_CAP  320

struct line {
	struct edge_conf conf;
	struct conf_error err;
	char words[WORDS_MAX][WORD_CAP];
};

/* The first thing that is wrong. */
static void take_first(void *ctx, bool wrong, const char *text)
{
	struct line *l = ctx;

	if (wrong && l->err.text[0] == 0)
		snprintf(l->err.text, sizeof(l->err.text), "%s", text);
}

/* Parses the words, which end with NULL; argv must be writable and stays with the line. */
static int parse(struct line *l, const char *const *words)
{
	char *argv[WORDS_MAX + 1] = {l->words[0]};
	int argc = 1;

	memset(l, 0, sizeof(*l));
	strcpy(l->words[0], "edge");
	for (; words[argc - 1] != NULL; argc++) {
		strcpy(l->words[argc], words[argc - 1]);
		argv[argc] = l->words[argc];
	}
	return edge_conf_parse(
		&l->conf, &(const struct edge_conf_input){.argc = argc,
				  .argv = argv,
				  .report = &(struct conf_report){.say = take_first, .ctx = l}});
}

#define PARSE(...) parse(&l, (const char *const[]){__VA_ARGS__, NULL})
#define ENOUGH	   "-c", "net", "-k", "pass", "-l", "sn:7654"

static int clear_environment(void **state)
{
	(void)state;
	return unsetenv("N2N_KEY") || unsetenv("N2N_COMMUNITY") || unsetenv("N2N_WORKERS") ||
	       unsetenv("N2N_DISABLE") || unsetenv("N2N_UNDERLAY") || unsetenv("N2N_FWMARK");
}

static void assert_ip(const struct endpoint *e, const char *text)
{
	char buf[ENDPOINT_TEXT_MAX];

	assert_string_equal(endpoint_format_ip(e, buf), text);
}

static void the_product_page_works(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(PARSE("-d", "edge0", "-a", "10.1.2.1", "-c", "mynetwork", "-k",
				 "encryptme", "-l", "192.0.2.1:7654"),
		0);
	assert_string_equal(l.conf.community[0].device, "edge0");
	assert_int_equal(l.conf.community[0].address_count, 1);
	assert_ip(&l.conf.community[0].addresses[0].ip, "10.1.2.1");
	assert_int_equal(l.conf.community[0].addresses[0].ip.port, 0);
	assert_int_equal(l.conf.community[0].addresses[0].prefix, 24);
	assert_string_equal(l.conf.community[0].name, "mynetwork");
	assert_string_equal(l.conf.community[0].key, "encryptme");
	assert_int_equal(l.conf.supernode_count, 1);
	assert_string_equal(l.conf.supernodes[0].host, "192.0.2.1");
	assert_int_equal(l.conf.supernodes[0].port, 7654);
	assert_null(l.conf.supernodes[0].key);
	assert_string_equal(l.words[8], ""); /* the key */
}

static void what_is_not_given_has_its_default(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(PARSE(ENOUGH), 0);
	assert_string_equal(l.conf.community[0].device, "n2n0");
	assert_int_equal(l.conf.community[0].address_count, 0);
	assert_int_equal(l.conf.community[0].mtu, 1376);
	assert_int_equal(l.conf.community[0].mac_hold_days, 30);
	assert_true(mac_is_zero(&l.conf.community[0].mac));
	assert_true(endpoint_is_none(&l.conf.local));
	assert_int_equal(l.conf.local.port, 0);
	assert_null(l.conf.community[0].key_file);
	assert_null(l.conf.process.state_dir);
	assert_int_equal(l.conf.process.verbosity, 0);
	assert_false(l.conf.process.help || l.conf.process.version);
}

/* As earlier versions had it, too, and beside other addresses. */
static void dhcp_gives_an_address(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(PARSE(ENOUGH, "-a", "dhcp"), 0);
	assert_true(l.conf.community[0].dhcp);
	assert_int_equal(l.conf.community[0].address_count, 0);
	assert_int_equal(PARSE(ENOUGH, "-a", "fd00::1", "-a", "dhcp:0.0.0.0"), 0);
	assert_true(l.conf.community[0].dhcp);
	assert_int_equal(l.conf.community[0].address_count, 1);
	assert_int_equal(PARSE(ENOUGH, "-a", "10.1.2.1"), 0);
	assert_false(l.conf.community[0].dhcp);
	assert_int_equal(PARSE(ENOUGH, "-a", "dhcp:10.1.2.1"), N2N_EINVAL);
}

/* A bridge has the frames of its other ports to carry, which are of 1,500 bytes. */
static void a_bridge_has_full_frames_unless_told_otherwise(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(PARSE(ENOUGH, "-r"), 0);
	assert_int_equal(l.conf.community[0].mtu, 1500);
	assert_int_equal(PARSE(ENOUGH, "-M", "1376", "-r"), 0);
	assert_int_equal(l.conf.community[0].mtu, 1376);
	assert_int_equal(PARSE(ENOUGH, "-r", "-M", "1300"), 0);
	assert_int_equal(l.conf.community[0].mtu, 1300);
}

static void everything_can_be_given(void **state)
{
	const struct mac mac = {{0x02, 0, 0x5e, 0x10, 0, 1}};
	struct line l;

	(void)state;
	assert_int_equal(
		PARSE("--address", "10.1.2.1/16", "-a", "fd00::1", "-a", "fd00:1::1/48", "-a",
			"10.9.9.0/31", "--community", "caf\xc3\xa9", "--key-file", "-", "-l",
			"a.example:1/abc", "--supernode", "[2001:db8::1]:65535/d/e", "-p",
			"192.0.2.7:99", "-m", "02-00-5e-10-00-01", "-M", "1500", "--state-dir",
			"/s", "-fvv", "--verbose", "--mac-hold", "3650", "-r", "--trust",
			"4BXK2NFAQ2W5PZ3DHT6RJYCMVE=router,bridge", "--learn", "100"),
		0);
	assert_int_equal(l.conf.community[0].address_count, 4);
	assert_int_equal(l.conf.community[0].addresses[0].prefix, 16);
	assert_ip(&l.conf.community[0].addresses[1].ip, "fd00::1");
	assert_int_equal(l.conf.community[0].addresses[1].prefix, 64);
	assert_int_equal(l.conf.community[0].addresses[2].prefix, 48);
	assert_int_equal(l.conf.community[0].addresses[3].prefix, 31);
	assert_string_equal(l.conf.community[0].name, "caf\xc3\xa9");
	assert_string_equal(l.conf.community[0].key_file, "-");
	assert_string_equal(l.conf.community[0].key, "");
	assert_int_equal(l.conf.supernode_count, 2);
	assert_string_equal(l.conf.supernodes[0].key, "abc");
	assert_string_equal(l.conf.supernodes[1].host, "2001:db8::1");
	assert_int_equal(l.conf.supernodes[1].port, 65535);
	assert_string_equal(l.conf.supernodes[1].key, "d/e"); /* for the program to refuse */
	assert_ip(&l.conf.local, "192.0.2.7");
	assert_int_equal(l.conf.local.port, 99);
	assert_true(mac_equal(&l.conf.community[0].mac, &mac));
	assert_int_equal(l.conf.community[0].mtu, 1500);
	assert_int_equal(l.conf.community[0].mac_hold_days, 3650);
	assert_true(l.conf.community[0].bridge);
	assert_int_equal(l.conf.community[0].learn, 100);
	assert_int_equal(l.conf.community[0].trusted_count, 1);
	assert_int_equal(l.conf.community[0].trusted[0].edge[0], 0xe0);
	assert_true(l.conf.community[0].trusted[0].bridge && l.conf.community[0].trusted[0].router);
	assert_false(l.conf.community[0].trusted[0].dhcp);
	assert_string_equal(l.conf.process.state_dir, "/s");
	assert_int_equal(l.conf.process.verbosity, 3);
}

#define TRUST_HINT                                                                                 \
	" names no member and its roles; give EDGE=ROLES with the 26 characters of its edge id, "  \
	"which \"n2n status\" shows there, and one or more of bridge, dhcp, router, with commas "  \
	"between"

struct wrong {
	const char *option, *value, *text;
};

#define ADDRESS_HINT                                                                               \
	" is not an IPv4 or IPv6 address; give ADDRESS or ADDRESS/PREFIX, e.g. 10.1.2.1/24"
#define HOST_HINT      " is not the address of a host; give one of a private network, e.g. 10.1.2.1/24"
#define EXAMPLES       ", e.g. sn.example.net:7654 or [2001:db8::1]:7654"
#define SUPERNODE_HINT " is not a supernode; give HOST:PORT or HOST:PORT/KEY" EXAMPLES
#define HOST_PART_HINT " has a wrong host; give a name or an address, IPv6 in brackets" EXAMPLES
#define PORT_PART_HINT " has a wrong port; give 1 to 65535 after the host" EXAMPLES
#define KEY_PART_HINT                                                                              \
	" has no key after the \"/\"; give the one that the supernode prints at its start, or "    \
	"leave the \"/\" out"
#define V4_PREFIX_HINT                                                                             \
	" has a wrong prefix; give 1 to 32, the bits of the network, e.g. 10.1.2.1/24"
#define V6_PREFIX_HINT                                                                             \
	" has a wrong prefix; give 1 to 128, the bits of the network, e.g. fd00::1/64"
#define DEVICE_HINT                                                                                \
	" cannot name an interface; give 1 to 15 ASCII characters without blanks, '/', ':' and "   \
	"'%', e.g. n2n0"
#define MAC_HINT " is not a MAC address; give six bytes in hex, e.g. 02:00:5e:10:00:01"
#define HOLD_HINT                                                                                  \
	" is no number of days; give 0 to 3650, e.g. 30, or 0 to let others have the address of "  \
	"a "                                                                                       \
	"member as soon as it is gone"
#define MTU_HINT      " is not an MTU; give a number from 576 to 1500"
#define NAME_HINT     " cannot name a community; give 1 to 64 bytes of UTF-8 without control characters"
#define UNDERLAY_HINT " cannot name an interface; give one of this host's, e.g. eth0"
#define MARK_HINT     " is not a mark; give 1 to 4294967295, or 0x1 to 0xffffffff"
#define PORT_HINT                                                                                  \
	" is not a port to listen at; give PORT (0 to 65535, 0 takes any free one) or "            \
	"ADDRESS:PORT, e.g. 192.0.2.1:7654 or [2001:db8::1]:7654"

static const struct wrong wrong[] = {
	{"-a", "10.1.2", "\"10.1.2\"" ADDRESS_HINT},
	{"-a", "", "\"\"" ADDRESS_HINT},
	{"-a", "dhcp6", "\"dhcp6\"" ADDRESS_HINT},
	{"-a", "static:10.1.2.1", "\"static:10.1.2.1\"" ADDRESS_HINT},
	{"-a", "10.1.2.1/", "\"10.1.2.1/\"" V4_PREFIX_HINT},
	{"-a", "10.1.2.1/0", "\"10.1.2.1/0\"" V4_PREFIX_HINT},
	{"-a", "10.1.2.1/33", "\"10.1.2.1/33\"" V4_PREFIX_HINT},
	{"-a", "10.1.2.1/255.255.255.0", "\"10.1.2.1/255.255.255.0\"" V4_PREFIX_HINT},
	{"-a", "10.1.2.1:80", "\"10.1.2.1:80\"" ADDRESS_HINT},
	{"-a", "10.1.2.256", "\"10.1.2.256\"" ADDRESS_HINT},
	{"-a", "fd00::1/129", "\"fd00::1/129\"" V6_PREFIX_HINT},
	{"-a", "[fd00::1]", "\"[fd00::1]\"" ADDRESS_HINT},
	{"-a", "1111111111111111111111111111111111111111111111111111111111",
		"\"1111111111111111111111111111111111111111111111111111111111\"" ADDRESS_HINT},
	{"-a", "0.0.0.0", "\"0.0.0.0\"" HOST_HINT},
	{"-a", "127.0.0.1", "\"127.0.0.1\"" HOST_HINT},
	{"-a", "224.0.0.1", "\"224.0.0.1\"" HOST_HINT},
	{"-a", "255.255.255.255", "\"255.255.255.255\"" HOST_HINT},
	{"-a", "::", "\"::\"" HOST_HINT},
	{"-a", "::1", "\"::1\"" HOST_HINT},
	{"-a", "ff02::1", "\"ff02::1\"" HOST_HINT},
	{"-a", "10.1.2.0",
		"\"10.1.2.0\" is the network or broadcast address of its /24; give the address of "
		"a host in it"},
	{"-a", "10.1.2.255/24",
		"\"10.1.2.255/24\" is the network or broadcast address of its /24; give the "
		"address of a host in it"},
	{"-a", "10.1.2.7/30",
		"\"10.1.2.7/30\" is the network or broadcast address of its /30; give the address "
		"of a host in it"},
	{"-c", "", "\"\"" NAME_HINT},
	{"-c", "a\tb", "\"a?b\"" NAME_HINT},
	{"-c", "01234567890123456789012345678901234567890123456789012345678901234",
		"\"0123456789012345678901234567890123456789012345678901234567890123...\" (65 "
		"bytes)" NAME_HINT},
	{"-d", "", "\"\"" DEVICE_HINT},
	{"-d", ".", "\".\"" DEVICE_HINT},
	{"-d", "..", "\"..\"" DEVICE_HINT},
	{"-d", "a/b", "\"a/b\"" DEVICE_HINT},
	{"-d", "n2n0:1", "\"n2n0:1\"" DEVICE_HINT},
	{"-d", "n2n%d", "\"n2n%d\"" DEVICE_HINT},
	{"-d", "n2n 0", "\"n2n 0\"" DEVICE_HINT},
	{"-d", "n2n\t0", "\"n2n?0\"" DEVICE_HINT},
	{"-d", "n\xc3\xa9", "\"n\xc3\xa9\"" DEVICE_HINT},
	{"-d", "0123456789abcdef", "\"0123456789abcdef\"" DEVICE_HINT},
	{"-k", "", "the value has 0 bytes; give a key string or a passphrase of 1 to 256 bytes"},
	{"-K", "", "\"\" is no path; give one that is not empty"},
	{"-l", "", "\"\"" SUPERNODE_HINT},
	{"-l", "host", "\"host\"" SUPERNODE_HINT},
	{"-l", "host:", "\"host:\"" PORT_PART_HINT},
	{"-l", "host:0", "\"host:0\"" PORT_PART_HINT},
	{"-l", "host:65536", "\"host:65536\"" PORT_PART_HINT},
	{"-l", "host:000007654", "\"host:000007654\"" PORT_PART_HINT},
	{"-l", "host:http", "\"host:http\"" PORT_PART_HINT},
	{"-l", "host:7654/", "\"host:7654/\"" KEY_PART_HINT},
	{"-l", "host/key:7654", "\"host/key:7654\"" SUPERNODE_HINT},
	{"-l", ":7654", "\":7654\"" HOST_PART_HINT},
	{"-l", "-host:7654", "\"-host:7654\"" HOST_PART_HINT},
	{"-l", "a..b:7654", "\"a..b:7654\"" HOST_PART_HINT},
	{"-l", "ho st:7654", "\"ho st:7654\"" HOST_PART_HINT},
	{"-l", "10.1.2:7654", "\"10.1.2:7654\"" HOST_PART_HINT},
	{"-l", "2130706433:7654", "\"2130706433:7654\"" HOST_PART_HINT},
	{"-l", "2001:db8::1:7654", "\"2001:db8::1:7654\"" HOST_PART_HINT},
	{"-l", "[2001:db8::1]", "\"[2001:db8::1]\"" SUPERNODE_HINT},
	{"-l", "[2001:db8::1:7654", "\"[2001:db8::1:7654\"" SUPERNODE_HINT},
	{"-l", "[192.0.2.1]:7654", "\"[192.0.2.1]:7654\"" HOST_PART_HINT},
	{"-l", "[host]:7654", "\"[host]:7654\"" HOST_PART_HINT},
	{"-m", "02:00:5e:10:00", "\"02:00:5e:10:00\"" MAC_HINT},
	{"-m", "", "\"\"" MAC_HINT},
	{"-m", "03:00:5e:10:00:01",
		"\"03:00:5e:10:00:01\" is not the MAC address of one interface; its first byte has "
		"to be even, and not all may be zero"},
	{"-m", "00:00:00:00:00:00",
		"\"00:00:00:00:00:00\" is not the MAC address of one interface; its first byte has "
		"to be even, and not all may be zero"},
	{"--mac-hold", "3651", "\"3651\"" HOLD_HINT},
	{"--mac-hold", "-1", "\"-1\"" HOLD_HINT},
	{"--mac-hold", "30d", "\"30d\"" HOLD_HINT},
	{"--mac-hold", "", "\"\"" HOLD_HINT},
	{"--learn", "0", "\"0\" is no number of addresses; give 1 to 524288, e.g. 32768"},
	{"--learn", "524289", "\"524289\" is no number of addresses; give 1 to 524288, e.g. 32768"},
	{"--trust", "4bxk2nfa=bridge", "\"4bxk2nfa=bridge\"" TRUST_HINT},
	{"--trust", "4bxk2nfaq2w5pz3dht6rjycmve", "\"4bxk2nfaq2w5pz3dht6rjycmve\"" TRUST_HINT},
	{"--trust", "4bxk2nfaq2w5pz3dht6rjycmve=", "\"4bxk2nfaq2w5pz3dht6rjycmve=\"" TRUST_HINT},
	{"--trust", "4bxk2nfaq2w5pz3dht6rjycmve=dhcp,",
		"\"4bxk2nfaq2w5pz3dht6rjycmve=dhcp,\"" TRUST_HINT},
	{"--trust", "4bxk2nfaq2w5pz3dht6rjycmve=,dhcp",
		"\"4bxk2nfaq2w5pz3dht6rjycmve=,dhcp\"" TRUST_HINT},
	{"--trust", "4bxk2nfaq2w5pz3dht6rjycmve=bridges",
		"\"4bxk2nfaq2w5pz3dht6rjycmve=bridges\"" TRUST_HINT},
	{"--trust", "4bxk2nfaq2w5pz3dht6rjycmv1=dhcp",
		"\"4bxk2nfaq2w5pz3dht6rjycmv1=dhcp\"" TRUST_HINT},
	{"-M", "575", "\"575\"" MTU_HINT},
	{"-M", "9001", "\"9001\"" MTU_HINT},
	{"-M", "1400b", "\"1400b\"" MTU_HINT},
	{"-p", "", "\"\"" PORT_HINT},
	{"-p", "65536", "\"65536\"" PORT_HINT},
	{"-p", "x", "\"x\"" PORT_HINT},
	{"-p", "192.0.2.1", "\"192.0.2.1\"" PORT_HINT},
	{"-p", "2001:db8::1", "\"2001:db8::1\"" PORT_HINT},
	{"-p", "localhost:7654", "\"localhost:7654\"" PORT_HINT},
	{"--state-dir", "", "\"\" is no path; give one that is not empty"},
	{"--underlay", "", "\"\"" UNDERLAY_HINT},
	{"--underlay", "eth/0", "\"eth/0\"" UNDERLAY_HINT},
	{"--underlay", "0123456789abcdef", "\"0123456789abcdef\"" UNDERLAY_HINT},
	{"--fwmark", "0", "\"0\"" MARK_HINT},
	{"--fwmark", "0x0", "\"0x0\"" MARK_HINT},
	{"--fwmark", "0x", "\"0x\"" MARK_HINT},
	{"--fwmark", "0x1g", "\"0x1g\"" MARK_HINT},
	{"--fwmark", "0x100000000", "\"0x100000000\"" MARK_HINT},
	{"--fwmark", "4294967296", "\"4294967296\"" MARK_HINT},
	{"--fwmark", "", "\"\"" MARK_HINT},
};

static void each_wrong_value_is_explained(void **state)
{
	char expected[512];
	struct line l;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(PARSE(ENOUGH, wrong[i].option, wrong[i].value), N2N_EINVAL);
		snprintf(expected, sizeof(expected), "option %s: %s", wrong[i].option,
			wrong[i].text);
		assert_string_equal(l.err.text, expected);
		assert_string_equal(l.conf.community[0].key, ""); /* nothing secret stays behind */
	}
}

static void a_file_comes_first(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(PARSE(ENOUGH, "n2n.conf"), N2N_EINVAL);
	assert_string_equal(l.err.text, "unexpected argument \"n2n.conf\"; edge takes one FILE at "
					"most, before its options, try \"edge --help\"");
}

static void values_have_limits_of_length(void **state)
{
	char value[WORD_CAP] = "";
	struct line l;

	(void)state;
	memset(value, 'k', COMMUNITY_SECRET_MAX);
	assert_int_equal(PARSE("-c", "net", "-l", "sn:1", "-k", value), 0);
	assert_string_equal(l.conf.community[0].key, value);
	value[COMMUNITY_SECRET_MAX] = 'k';
	assert_int_equal(PARSE("-c", "net", "-l", "sn:1", "-k", value), N2N_EINVAL);
	assert_string_equal(l.err.text,
		"option -k: the value has 257 bytes; give a key string or a passphrase of 1 to 256 "
		"bytes");

	memset(value, 'h', sizeof(value));
	strcpy(value + HOST_NAME_MAX_LEN, ":7654");
	assert_int_equal(PARSE(ENOUGH, "-l", value), 0);
	assert_int_equal(strlen(l.conf.supernodes[1].host), HOST_NAME_MAX_LEN);
	memset(value, 'h', sizeof(value));
	strcpy(value + HOST_NAME_MAX_LEN + 1, ":7654");
	assert_int_equal(PARSE(ENOUGH, "-l", value), N2N_EINVAL);

	assert_int_equal(PARSE(ENOUGH, "-d", "0123456789abcd~"), 0);
	assert_string_equal(l.conf.community[0].device, "0123456789abcd~");

	memset(value, 'c', sizeof(value));
	value[COMMUNITY_NAME_MAX] = 0;
	assert_int_equal(PARSE(ENOUGH, "-c", value), 0);
	assert_string_equal(l.conf.community[0].name, value);
}

static void lists_have_limits(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(PARSE("-c", "n", "-k", "p", "-l", "a:1", "-l", "a:2", "-l", "a:3", "-l",
				 "a:4", "-l", "a:5", "-l", "a:6", "-l", "a:7", "-l", "a:8"),
		0);
	assert_int_equal(l.conf.supernode_count, 8);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(l.conf.supernodes[i].port, i + 1);
	assert_int_equal(PARSE("-l", "a:1", "-l", "a:2", "-l", "a:3", "-l", "a:4", "-l", "a:5",
				 "-l", "a:6", "-l", "a:7", "-l", "a:8", "-l", "a:9"),
		N2N_EINVAL);
	assert_string_equal(
		l.err.text, "option -l: \"a:9\" is one supernode too many; give at most 8");
	assert_int_equal(PARSE("-a", "10.0.0.1", "-a", "10.0.0.2", "-a", "10.0.0.3", "-a",
				 "10.0.0.4", "-a", "10.0.0.5", "-a", "10.0.0.6", "-a", "10.0.0.7",
				 "-a", "10.0.0.8", "-a", "10.0.0.9"),
		N2N_EINVAL);
	assert_string_equal(
		l.err.text, "option -a: \"10.0.0.9\" is one address too many; give at most 8");
	assert_int_equal(PARSE("-a", "10.0.0.1", "-a", "fd00::1", "-a", "10.0.0.1/16"), N2N_EINVAL);
	assert_string_equal(l.err.text,
		"option -a: \"10.0.0.1/16\" is an address that was given already; give each once");
}

static void the_way_out_is_chosen(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(PARSE(ENOUGH), 0);
	assert_null(l.conf.underlay);
	assert_int_equal(l.conf.fwmark, 0);
	assert_int_equal(PARSE(ENOUGH, "--underlay", "eth0", "--fwmark", "7654"), 0);
	assert_string_equal(l.conf.underlay, "eth0");
	assert_int_equal(l.conf.fwmark, 7654);
	assert_int_equal(PARSE(ENOUGH, "--fwmark=0xFfff0a1b"), 0);
	assert_int_equal(l.conf.fwmark, 0xffff0a1b);
	assert_int_equal(PARSE(ENOUGH, "--fwmark=4294967295"), 0);
	assert_int_equal(l.conf.fwmark, UINT32_MAX);
	assert_int_equal(PARSE(ENOUGH, "--underlay", "n2n7", "-d", "n2n7"), N2N_EINVAL);
	assert_string_equal(l.err.text,
		"--underlay \"n2n7\" is the interface of this network itself (-d); give the one "
		"that leads to the network underneath");
}

static void what_belongs_together_is_checked(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(parse(&l, (const char *const[]){NULL}), N2N_EINVAL);
	assert_string_equal(
		l.err.text, "no key: give one with -k KEY or -K FILE, or in the variable N2N_KEY");
	assert_int_equal(PARSE("-c", "net", "-k", "a", "-K", "b", "-l", "sn:1"), N2N_EINVAL);
	assert_string_equal(l.err.text, "options -k and -K exclude each other; give one of them");
	assert_int_equal(PARSE("-k", "pass", "-l", "sn:1"), N2N_EINVAL);
	assert_string_equal(l.err.text,
		"no community: name it with -c NAME, or give a key that starts with n2n4-");
	assert_int_equal(PARSE("-k", "n2n4", "-l", "sn:1"), N2N_EINVAL);
	assert_int_equal(PARSE("-k", "n2n4-abc", "-l", "sn:1"), 0);
	assert_int_equal(PARSE("-k", "N2N4-ABC", "-l", "sn:1"), 0);
	assert_int_equal(PARSE("-K", "file", "-l", "sn:1"), 0);
	assert_int_equal(
		PARSE(ENOUGH, "-M", "1279", "-a", "10.0.0.1", "-a", "fd00::1"), N2N_EINVAL);
	assert_string_equal(l.err.text, "option -M: 1279 is too small for the IPv6 address given "
					"with -a; give 1280 or more");
	assert_int_equal(PARSE(ENOUGH, "-M", "1280", "-a", "fd00::1"), 0);
	assert_int_equal(PARSE(ENOUGH, "-M", "576", "-a", "10.0.0.1"), 0);
	assert_int_equal(PARSE("-c", "net", "-k", "pass"), N2N_EINVAL);
	assert_string_equal(l.err.text, "no supernode: give at least one with -l HOST:PORT");
}

static void help_needs_nothing_else(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(PARSE("--help"), 0);
	assert_true(l.conf.process.help);
	assert_int_equal(PARSE("-V"), 0);
	assert_true(l.conf.process.version);
	assert_int_equal(PARSE("-h", "-M", "1"), N2N_EINVAL);
}

static void the_environment_is_overridden(void **state)
{
	struct line l;

	(void)state;
	setenv("N2N_KEY", "envkey", 1);
	setenv("N2N_COMMUNITY", "envnet", 1);
	assert_int_equal(PARSE("-l", "sn:1"), 0);
	assert_string_equal(l.conf.community[0].key, "envkey");
	assert_string_equal(l.conf.community[0].name, "envnet");

	assert_int_equal(PARSE("-l", "sn:1", "-k", "linekey", "-c", "linenet"), 0);
	assert_string_equal(l.conf.community[0].key, "linekey");
	assert_string_equal(l.conf.community[0].name, "linenet");

	assert_int_equal(PARSE("-l", "sn:1", "-K", "file"), 0);
	assert_string_equal(l.conf.community[0].key, "");
	assert_string_equal(l.conf.community[0].key_file, "file");

	setenv("N2N_COMMUNITY", "bad\n", 1);
	assert_int_equal(PARSE("-l", "sn:1"), N2N_EINVAL);
	assert_string_equal(l.err.text, "variable N2N_COMMUNITY: \"bad?\"" NAME_HINT);
	assert_string_equal(l.conf.community[0].key, "");
}

static void namespaces_have_names_or_paths(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(PARSE(ENOUGH), 0);
	assert_null(l.conf.community[0].netns);
	assert_null(l.conf.underlay_netns);
	assert_int_equal(PARSE(ENOUGH, "--netns", "blue", "--underlay-netns", "/proc/1/ns/net"), 0);
	assert_string_equal(l.conf.community[0].netns, "blue");
	assert_string_equal(l.conf.underlay_netns, "/proc/1/ns/net");
	assert_int_equal(PARSE(ENOUGH, "--netns", ".."), N2N_EINVAL);
	assert_string_equal(l.err.text,
		"option --netns: \"..\" cannot name a network namespace; give the name that "
		"\"ip netns\" shows, or a path, e.g. /proc/1/ns/net");
	assert_int_equal(PARSE(ENOUGH, "--underlay-netns="), N2N_EINVAL);
}

static void workers_are_counted(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(PARSE(ENOUGH), 0);
	assert_int_equal(l.conf.process.workers, 0);
	assert_int_equal(PARSE(ENOUGH, "--workers", "3"), 0);
	assert_int_equal(l.conf.process.workers, 3);
	assert_int_equal(PARSE(ENOUGH, "--workers", "0"), N2N_EINVAL);
	assert_string_equal(l.err.text,
		"option --workers: \"0\" is not a number of threads; give 1 to 64, at most one for "
		"each core");
	assert_int_equal(PARSE(ENOUGH, "--workers", "65"), N2N_EINVAL);
}

static void features_are_disabled_by_name(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(PARSE(ENOUGH), 0);
	assert_int_equal(l.conf.process.disabled, 0);
	assert_int_equal(PARSE(ENOUGH, "--disable=gso,vnethdr", "--disable=uso"), 0);
	assert_int_equal(l.conf.process.disabled, FEATURE_GSO | FEATURE_VNET_HDR | FEATURE_USO);
	assert_int_equal(PARSE(ENOUGH, "--disable=uso,tso,gso,gro,vnethdr,ipsec-mb"), 0);
	assert_int_equal(l.conf.process.disabled, FEATURE_END - 1);
	assert_int_equal(PARSE(ENOUGH, "--disable=gso,"), N2N_EINVAL);
	assert_int_equal(PARSE(ENOUGH, "--disable=gs"), N2N_EINVAL);
	assert_string_equal(l.err.text,
		"option --disable: \"gs\" is not a list of features; give some of uso, tso, gso, "
		"gro, vnethdr, ipsec-mb, separated by commas");
	setenv("N2N_DISABLE", "tso", 1);
	assert_int_equal(PARSE(ENOUGH), 0);
	assert_int_equal(l.conf.process.disabled, FEATURE_TSO);
}

static void wiping_leaves_no_key(void **state)
{
	static const char zero[COMMUNITY_SECRET_MAX + 1];
	struct line l;

	(void)state;
	assert_int_equal(PARSE(ENOUGH), 0);
	community_conf_wipe(&l.conf.community[0]);
	assert_memory_equal(l.conf.community[0].key, zero, sizeof(zero));
}

static void help_names_all_and_fits(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	unsigned n = 0;

	(void)state;
	assert_non_null(f);
	options_help(&edge_options, f);
	assert_int_equal(fclose(f), 0);
	for (size_t i = 0; i < OPTION_BLOCKS_MAX && edge_options.blocks[i].specs; i++)
		for (const struct option_spec *o = edge_options.blocks[i].specs; o->name; o++, n++)
			assert_int_equal(
				strstr(text, o->name) == NULL, (o->flags & OPTION_HIDDEN) != 0);
	assert_int_equal(n, 31);
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		assert_in_range(strlen(line), 1, 100);
	free(text);
}

static void each_setting_has_its_options(void **state)
{
	static const char *const hints[] = {
		[SETTING_NONE] = "",
		[SETTING_COMMUNITY] = " (option -c)",
		[SETTING_INTERFACE] = " (option -d)",
		[SETTING_INSTANCE] = " (option -d or --state-dir)",
		[SETTING_PORT] = " (option -p)",
		[SETTING_UNDERLAY] = " (option --underlay)",
		[SETTING_STATE_DIR] = " (option --state-dir)",
		[SETTING_SUPERNODE] = " (option -l)",
		[SETTING_MAC] = " (option -m)",
		[SETTING_PER_ADDRESS] = "",
		[SETTING_ADDRESS] = " (option -a)",
		[SETTING_WORKERS] = " (option --workers)",
	};
	char buf[OPTIONS_HINT_CAP];

	(void)state;
	for (unsigned i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		assert_string_equal(options_hint(buf, &edge_options, (enum setting)i), hints[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_product_page_works, clear_environment),
		cmocka_unit_test_setup(what_is_not_given_has_its_default, clear_environment),
		cmocka_unit_test_setup(
			a_bridge_has_full_frames_unless_told_otherwise, clear_environment),
		cmocka_unit_test_setup(dhcp_gives_an_address, clear_environment),
		cmocka_unit_test_setup(everything_can_be_given, clear_environment),
		cmocka_unit_test_setup(each_wrong_value_is_explained, clear_environment),
		cmocka_unit_test_setup(values_have_limits_of_length, clear_environment),
		cmocka_unit_test_setup(a_file_comes_first, clear_environment),
		cmocka_unit_test_setup(lists_have_limits, clear_environment),
		cmocka_unit_test_setup(the_way_out_is_chosen, clear_environment),
		cmocka_unit_test_setup(what_belongs_together_is_checked, clear_environment),
		cmocka_unit_test_setup(help_needs_nothing_else, clear_environment),
		cmocka_unit_test_setup(the_environment_is_overridden, clear_environment),
		cmocka_unit_test_setup(namespaces_have_names_or_paths, clear_environment),
		cmocka_unit_test_setup(workers_are_counted, clear_environment),
		cmocka_unit_test_setup(features_are_disabled_by_name, clear_environment),
		cmocka_unit_test_setup(wiping_leaves_no_key, clear_environment),
		cmocka_unit_test(help_names_all_and_fits),
		cmocka_unit_test(each_setting_has_its_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
