/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the checks of what belongs together. */
#include "conf/edge_check.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "conf/secret_source.h"

#define MTU_MIN_V6 1280 /* RFC 8200, 5 */

struct checking {
	struct edge_conf *conf;
	const struct edge_lines *lines;
	struct conf_report *report;
	bool again;
};

#define WRONG(k, line, ...) edge_file_wrong((k)->lines, (k)->report, line, __VA_ARGS__)

/* The line of an option of the block, or else that where the block begins. */
static unsigned line_of(const struct block_lines *b, const char *option)
{
	unsigned line = edge_file_line(b, option);

	return line != 0 ? line : b->header;
}

/* ---- one community ---- */

static bool has_v6_address(const struct community_conf *c)
{
	for (size_t i = 0; i < c->address_count; i++)
		if (!endpoint_is_v4(&c->addresses[i].ip))
			return true;
	return false;
}

static void check_mtu(
	const struct checking *k, struct community_conf *c, const struct block_lines *b)
{
	if (c->mtu == 0)
		c->mtu = c->bridge ? MTU_MAX : MTU_DEFAULT;
	if (c->mtu < MTU_MIN_V6 && has_v6_address(c))
		WRONG(k, line_of(b, "mtu"),
			"option -M: %u is too small for the IPv6 address given with -a; give %d or "
			"more",
			c->mtu, MTU_MIN_V6);
}

static void say_no_key(const struct checking *k, const struct block_lines *b)
{
	const char *env = getenv("N2N_KEY");

	if (k->lines->path == NULL)
		WRONG(k, 0, "no key: give one with -k KEY or -K FILE, or in the variable N2N_KEY");
	else if (!k->conf->has_blocks)
		WRONG(k, 0,
			"no key: write \"key KEY\" or \"key-file FILE\", or give one in the "
			"variable N2N_KEY");
	else
		WRONG(k, b->header, "no key: write \"key KEY\" or \"key-file FILE\" below%s",
			env != NULL && *env != 0 ? ", or \"key env:N2N_KEY\"" : "");
}

/* A value that was wrong is no missing one. */
static void check_key(
	const struct checking *k, const struct community_conf *c, const struct block_lines *b)
{
	unsigned key = edge_file_line(b, "key"), file = edge_file_line(b, "key-file");

	if (c->key[0] != 0 && c->key_file != NULL && key != 0 && file != 0)
		WRONG(k, file,
			"\"key-file\" and the \"key\" of line %u exclude each other; leave "
			"one out",
			key);
	else if (c->key[0] != 0 && c->key_file != NULL)
		WRONG(k, 0, "options -k and -K exclude each other; give one of them");
	else if (c->key[0] == 0 && c->key_file == NULL && key == 0 && file == 0 &&
		 (!k->again || k->conf->has_blocks))
		say_no_key(k, b);
}

/* What stands before it, a byte order mark or a blank, is for the program to judge. */
static bool names_its_community(const char *key)
{
	while (*key != 0 && !isalnum((unsigned char)*key))
		key++;
	for (const char *p = COMMUNITY_KEY_PREFIX; *p != 0; p++, key++)
		if (tolower((unsigned char)*key) != *p)
			return false;
	return true;
}

static void check_name(
	const struct checking *k, const struct community_conf *c, const struct block_lines *b)
{
	if (c->name != NULL || c->key_file != NULL || c->key[0] == 0 || secret_source_is(c->key) ||
		names_its_community(c->key) || edge_file_line(b, "community") != 0)
		return;
	if (k->conf->has_blocks)
		WRONG(k, b->header,
			"no name: write [community NAME], or give a key that starts "
			"with " COMMUNITY_KEY_PREFIX);
	else
		WRONG(k, 0,
			"no community: name it with -c NAME, or give a key that starts "
			"with " COMMUNITY_KEY_PREFIX);
}

/* ---- two communities ---- */

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What can be read once only. */
static bool read_same_once(const struct community_conf *a, const struct community_conf *b)
{
	const char *from[2] = {a->key_file != NULL ? a->key_file : a->key,
		b->key_file != NULL ? b->key_file : b->key};

	return strcmp(from[0], from[1]) == 0 &&
	       ((a->key_file != NULL && strcmp(from[0], "-") == 0) ||
		       strncmp(from[0], "fd:", 3) == 0);
}

static void check_addresses(const struct checking *k, unsigned first, unsigned second)
{
	const struct community_conf *a = &k->conf->community[first];
	const struct community_conf *b = &k->conf->community[second];
	char ip[ENDPOINT_TEXT_MAX];

	if (!same_text(a->netns, b->netns))
		return;
	for (size_t i = 0; i < a->address_count; i++)
		for (size_t j = 0; j < b->address_count; j++)
			if (endpoint_same_ip(&a->addresses[i].ip, &b->addresses[j].ip))
				WRONG(k, k->lines->block[second].address[j],
					"address: \"%s\" is given already in line %u, and one host "
					"has it once; give another, or put one of the interfaces "
					"into a \"netns\"",
					endpoint_format_ip(&a->addresses[i].ip, ip),
					k->lines->block[first].address[i]);
}

static void check_pair(const struct checking *k, unsigned first, unsigned second)
{
	const struct community_conf *a = &k->conf->community[first];
	const struct community_conf *b = &k->conf->community[second];
	const struct block_lines *la = &k->lines->block[first], *lb = &k->lines->block[second];
	char quoted[CONF_QUOTED_CAP];

	if (strcmp(a->device, b->device) == 0)
		WRONG(k, line_of(lb, "device"),
			"device: \"%s\" is that of line %u, too; give each community its own",
			b->device, line_of(la, "device"));
	if (a->name != NULL && b->name != NULL && strcmp(a->name, b->name) == 0)
		WRONG(k, lb->header, "community: %s is that of line %u, too; one is enough",
			conf_quote(quoted, b->name), la->header);
	if (read_same_once(a, b))
		WRONG(k, b->line,
			"the key of line %u is read there, too, and can be read once "
			"only; name a file",
			a->line);
	check_addresses(k, first, second);
}

/* ---- the process ---- */

static void check_process(const struct checking *k)
{
	const struct edge_conf *conf = k->conf;

	if (conf->supernode_count == 0 && edge_file_line(&k->lines->process, "supernode") == 0)
		WRONG(k, 0,
			k->lines->path == NULL
				? "no supernode: give at least one with -l HOST:PORT"
				: "no supernode: write at least one \"supernode HOST:PORT\" first");
	for (unsigned i = 0; i < conf->community_count; i++)
		if (same_text(conf->underlay, conf->community[i].device))
			WRONG(k, edge_file_line(&k->lines->process, "underlay"),
				"--underlay \"%.15s\" is the interface of this network itself "
				"(-d); give the one that leads to the network underneath",
				conf->underlay);
}

void edge_check(struct edge_conf *conf, const struct edge_lines *lines, bool again,
	struct conf_report *report)
{
	const struct checking k = {.conf = conf, .lines = lines, .report = report, .again = again};

	for (unsigned i = 0; i < conf->community_count; i++) {
		struct community_conf *c = &conf->community[i];

		check_mtu(&k, c, &lines->block[i]);
		check_key(&k, c, &lines->block[i]);
		check_name(&k, c, &lines->block[i]);
		for (unsigned j = 0; j < i; j++)
			check_pair(&k, j, i);
	}
	check_process(&k);
}
