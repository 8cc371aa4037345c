/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns "n2n status": asks the programs that run and shows what they say (docs/CONTROL.md). */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rtt.h"
#include "conf/process_conf.h"
#include "conf/values.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/text.h"

#define REQUEST "{\"v\":1,\"cmd\":\"status\"}"

struct status_conf {
	bool json;
	bool help;
	struct ask_conf ask;
};

static const struct option_spec specs[] = {
	{
		.name = "json",
		.letter = 'j',
		.help = "show the answer as it came, in JSON, a line for each instance",
		.field = offsetof(struct status_conf, json),
		.set = value_set_true,
	},
	{0},
};

static const struct option_set options = {
	.program = "n2n status",
	.usage = "[-j] [-d INSTANCE]",
	.blocks = {{"Options", specs, 0}, {NULL, ask_options, offsetof(struct status_conf, ask)},
		{NULL, help_options, offsetof(struct status_conf, help)}},
};

#define PROCESSES_MAX 64

/* ---- reading the answer; what is missing is shown as nothing ---- */

static double number(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

static void copy(char cell[CELL_MAX], const char *text)
{
	snprintf(cell, CELL_MAX, "%s", text);
}

static void age(char cell[CELL_MAX], const json_t *object, const char *name)
{
	if (json_is_number(json_object_get(object, name)))
		text_duration(cell, number(object, name));
	else
		copy(cell, "-");
}

/* ---- for people ---- */

static void print_refusal(const json_t *supernode)
{
	bool now = strcmp(text_member(supernode, "state"), "refused") == 0;

	if (!json_is_string(json_object_get(supernode, "refused_text")))
		return;
	printf(", %s%s",
		now ? "" : "refused the last time: ", text_member(supernode, "refused_text"));
	if (now)
		printf("; to be asked again in %.0f s", number(supernode, "retry_s"));
}

static void print_supernodes(const json_t *community)
{
	const json_t *s;
	size_t i;

	json_array_foreach (json_object_get(community, "supernodes"), i, s) {
		printf("  supernode %s: %s", text_member(s, "name"), text_member(s, "state"));
		print_refusal(s);
		if (json_is_string(json_object_get(s, "observed")))
			printf(", sees us as %s", text_member(s, "observed"));
		if (json_is_true(json_object_get(s, "key_changed")))
			fputs(", KEY CHANGED since the last run", stdout);
		putchar('\n');
	}
}

static void fill_path(char row[][CELL_MAX], const json_t *peer)
{
	const json_t *path = json_object_get(peer, "path");
	bool direct = strcmp(text_member(path, "kind"), "direct") == 0;
	char rtt[RTT_TEXT_MAX];

	copy(row[0], text_member(path, "kind"));
	copy(row[1], direct ? text_member(path, "endpoint") : text_member(path, "reason"));
	if (direct)
		copy(row[2], rtt_format((uint64_t)number(path, "rtt_us"), rtt));
	else
		copy(row[2], "-");
}

static bool is_in(const json_t *peer, const char *state)
{
	return strcmp(text_member(peer, "state"), state) == 0;
}

static void fill_peer(char row[][CELL_MAX], const json_t *peer)
{
	/* Of who does not answer, or never did, neither path nor keys lead anywhere. */
	const json_t *here = is_in(peer, "up") || is_in(peer, "idle") ? peer : NULL;
	const char *address =
		json_string_value(json_array_get(json_object_get(peer, "addresses"), 0));

	snprintf(row[0], CELL_MAX, "%.*s", ID_SHOWN, text_member(peer, "id"));
	copy(row[1], text_member(peer, "state"));
	copy(row[2], address != NULL ? address : "-");
	copy(row[3], text_member(peer, "mac"));
	fill_path(&row[4], here);
	copy(row[7], text_member(here, "cipher"));
	age(row[8], here, "key_age_s");
	age(row[9], peer, "heard_s");
	text_bytes(row[10], number(peer, "bytes_in"));
	text_bytes(row[11], number(peer, "bytes_out"));
}

static void print_peers(const json_t *community)
{
	static const char *const titles[] = {"PEER", "STATE", "ADDRESS", "MAC", "PATH", "VIA",
		"RTT", "CIPHER", "KEY AGE", "HEARD", "IN", "OUT"};
	struct table t = {.columns = sizeof(titles) / sizeof(titles[0])};
	const json_t *peers = json_object_get(community, "peers"), *peer;
	char(*row)[CELL_MAX] = table_row(&t);
	size_t i;

	if (json_array_size(peers) == 0 || row == NULL)
		goto out;
	for (i = 0; i < t.columns; i++)
		copy(row[i], titles[i]);
	json_array_foreach (peers, i, peer) {
		row = table_row(&t);
		if (row == NULL)
			break;
		fill_peer(row, peer);
	}
	table_print(&t, 2, stdout);
out:
	table_fini(&t);
}

/* Those who asked for an address in vain. */
static void print_refused(const json_t *community)
{
	const json_t *peer;
	size_t i;

	json_array_foreach (json_object_get(community, "peers"), i, peer) {
		const json_t *refused = json_object_get(peer, "mac_refused");
		const char *mac = text_member(refused, "mac"),
			   *owner = text_member(refused, "owner");

		if (!json_is_object(refused))
			continue;
		printf("  refused   %.*s claims MAC %s, ", ID_SHOWN, text_member(peer, "id"), mac);
		if (strcmp(owner, text_member(community, "id")) == 0)
			puts("which is ours");
		else
			printf("which belongs to %.*s; see \"n2n forget --help\"\n", ID_SHOWN,
				owner);
	}
}

/* Those of whom something was dropped, as they spoke for others. */
static void print_barred(const json_t *community)
{
	const json_t *peer, *count;
	const char *name;
	size_t i;

	json_array_foreach (json_object_get(community, "peers"), i, peer) {
		json_t *barred = json_object_get(peer, "barred");
		const char *sign = ": ";

		if (json_object_size(barred) == 0)
			continue;
		printf("  dropped   of %.*s", ID_SHOWN, text_member(peer, "id"));
		json_object_foreach (barred, name, count) {
			printf("%s%" JSON_INTEGER_FORMAT " %s", sign, json_integer_value(count),
				name);
			sign = ", ";
		}
		putchar('\n');
	}
}

/* As it is now, whatever it was made as. */
static void print_interface(const json_t *c)
{
	printf("  interface %s, %s, MTU %.0f", text_member(c, "interface"),
		text_member(c, "interface_state"), number(c, "mtu"));
	if (json_is_string(json_object_get(c, "bridge")))
		printf(", a port of %s", text_member(c, "bridge"));
	putchar('\n');
}

/* A bridge's: whether frames pass, and if not why. */
static void print_port(const json_t *c)
{
	const json_t *port = json_object_get(c, "port"), *vlan;
	size_t i;

	if (!json_is_object(port))
		return;
	printf("  port      %s: %s", text_member(port, "state"), text_member(port, "state_text"));
	if (json_is_string(json_object_get(port, "peer")))
		printf(" (%.*s)", ID_SHOWN, text_member(port, "peer"));
	json_array_foreach (json_object_get(port, "vlans"), i, vlan) {
		printf("; VLAN %.0f %s", number(vlan, "id"), text_member(vlan, "state"));
		if (json_is_string(json_object_get(vlan, "peer")))
			printf(" (%.*s)", ID_SHOWN, text_member(vlan, "peer"));
	}
	putchar('\n');
}

/* What is learned of others, where anything is. */
static void print_switch(const json_t *community)
{
	const json_t *s = json_object_get(community, "switch");
	double learned = number(s, "learned"), unlearned = number(s, "unlearned");

	if (!json_is_true(json_object_get(s, "bridge")) && learned == 0)
		return;
	printf("  switch    %.0f %s learned", learned, learned == 1 ? "address" : "addresses");
	if (unlearned > 0)
		printf(", %.0f times there was no room for one (--learn %.0f)", unlearned,
			number(s, "room"));
	putchar('\n');
}

/* Only where it is not as everybody expects it: a copy for each. */
static void print_broadcast(const json_t *community)
{
	const json_t *b = json_object_get(community, "broadcast");
	double group = number(b, "group"), refused = number(b, "refused");

	if (group == 0 && refused == 0)
		return;
	printf("  broadcast one packet for %.0f members by the supernode%s, a copy each for %.0f",
		group, json_is_true(json_object_get(b, "signed")) ? ", signed" : "",
		number(b, "copies"));
	if (refused > 0)
		printf("; %.0f over its limits", refused);
	putchar('\n');
}

/* Where hosts at the interface listen to any, or get all for a while to come. */
static void print_listening(const json_t *community)
{
	const json_t *groups = json_object_get(community, "groups");
	size_t n = json_array_size(json_object_get(groups, "macs"));
	const char *all = json_string_value(json_object_get(groups, "all"));

	if (all != NULL && strcmp(all, "router") == 0)
		puts("  groups    all of multicast comes here: a multicast router or a querier is "
		     "there");
	else if (all != NULL && strcmp(all, "many") == 0)
		puts("  groups    all of multicast comes here: hosts listen to more groups than "
		     "can be told");
	else if (n > 0)
		printf("  groups    hosts here listen to %zu multicast %s\n", n,
			n == 1 ? "group" : "groups");
}

static void print_community(const json_t *c)
{
	const json_t *address;
	size_t i;

	printf("  community %s: %s\n", text_member(c, "name"), text_member(c, "state_text"));
	printf("  we are    %.*s, MAC %s", ID_SHOWN, text_member(c, "id"), text_member(c, "mac"));
	json_array_foreach (json_object_get(c, "addresses"), i, address)
		printf(", %s", json_string_value(address));
	if (json_is_true(json_object_get(json_object_get(c, "dhcp"), "waiting")))
		fputs(", waiting for an address from DHCP", stdout);
	putchar('\n');
	print_interface(c);
	print_port(c);
	print_switch(c);
	print_broadcast(c);
	print_listening(c);
	print_supernodes(c);
	print_peers(c);
	print_barred(c);
	print_refused(c);
}

/* A line each, with what it means. */
static void print_drops(const json_t *result)
{
	json_t *drops = json_object_get(result, "drops"), *count;
	const json_t *texts = json_object_get(result, "drop_texts");
	struct table t = {.columns = 3};
	const char *reason;

	json_object_foreach (drops, reason, count) {
		char(*row)[CELL_MAX] = table_row(&t);

		if (row == NULL)
			break;
		copy(row[0], t.rows == 1 ? "dropped " : "");
		snprintf(row[1], CELL_MAX, "%" JSON_INTEGER_FORMAT " %s", json_integer_value(count),
			reason);
		copy(row[2], text_member(texts, reason));
	}
	table_print(&t, 2, stdout);
	table_fini(&t);
}

static void print_notices(const json_t *result)
{
	double unlisted = number(json_object_get(result, "node"), "notices_unlisted");
	const json_t *notice;
	size_t i;

	json_array_foreach (json_object_get(result, "notices"), i, notice)
		printf("  NOTICE    %s\n", text_member(notice, "text"));
	if (unlisted > 0)
		printf("  NOTICE    %.0f times there was no room for more; the log has some of "
		       "them\n",
			unlisted);
}

/* What goes to many, and how much of it may. */
static void print_groups(const json_t *groups)
{
	const json_t *limits = json_object_get(groups, "limits");
	char buf[CELL_MAX];

	printf("  groups    %.0f packets as %.0f copies, %s; at most %.0f packets and %.0f bits a "
	       "second of a member, %.0f copies in a network\n",
		number(groups, "packets"), number(groups, "copies"),
		text_bytes(buf, number(groups, "bytes")), number(limits, "packets"),
		number(limits, "bits"), number(limits, "copies"));
}

static void print_relay(const json_t *result)
{
	const json_t *registry = json_object_get(result, "registry");
	const json_t *relay = json_object_get(result, "relay");
	double members = number(registry, "members"), communities = number(registry, "communities");
	char buf[CELL_MAX];

	printf("  key       %s\n", text_member(json_object_get(result, "node"), "key"));
	printf("  registry  %.0f %s of %.0f %s\n", members, members == 1 ? "member" : "members",
		communities, communities == 1 ? "community" : "communities");
	text_print_counts("  refused  ", json_object_get(registry, "refused"));
	printf("  relayed   %.0f packets, %s\n", number(relay, "packets"),
		text_bytes(buf, number(relay, "bytes")));
	print_groups(json_object_get(relay, "groups"));
}

/* How packets are moved: what is missing here makes it slower. */
static void print_engine(const json_t *node)
{
	const json_t *offloads = json_object_get(node, "offloads"), *name;
	json_t *ciphers = json_object_get(node, "cipher_providers"), *library;
	double workers = number(node, "workers");
	const char *suite, *separator = ", with ";
	size_t i;

	printf("  engine    %.0f %s", workers, workers == 1 ? "worker" : "workers");
	json_array_foreach (offloads, i, name) {
		printf("%s%s", separator, json_string_value(name));
		separator = " ";
	}
	json_object_foreach (ciphers, suite, library)
		printf(", %s by %s", suite, json_string_value(library));
	putchar('\n');
}

static void print_result(const json_t *result)
{
	const json_t *node = json_object_get(result, "node"), *community;
	const json_t *ports = json_object_get(node, "udp_ports");
	double port = number(ports, "ipv4");
	char buf[CELL_MAX];
	size_t i;

	printf("%s: %s %s, up for %s, UDP port %.0f\n", text_member(node, "instance"),
		text_member(node, "role"), text_member(node, "version"),
		text_duration(buf, number(node, "uptime_s")),
		port > 0 ? port : number(ports, "ipv6"));
	print_engine(node);
	if (json_object_get(result, "registry") != NULL)
		print_relay(result);
	json_array_foreach (json_object_get(result, "communities"), i, community)
		print_community(community);
}

/* What is said of a process is shown with the first of its instances only. */
struct seen {
	size_t n;
	json_int_t process[PROCESSES_MAX];
};

static bool is_new(struct seen *s, const json_t *result)
{
	json_int_t process =
		json_integer_value(json_object_get(json_object_get(result, "node"), "process"));

	for (size_t i = 0; i < s->n; i++)
		if (s->process[i] == process)
			return false;
	if (s->n < PROCESSES_MAX)
		s->process[s->n++] = process;
	return true;
}

/* ---- the command ---- */

static void show_json(void *ctx, const char *instance, const json_t *answer, const char *line)
{
	(void)ctx;
	(void)instance;
	(void)answer;
	puts(line);
}

static void show(void *ctx, const char *instance, const json_t *answer, const char *line)
{
	const json_t *result = json_object_get(answer, "result");

	(void)instance;
	(void)line;
	print_result(result);
	if (!is_new(ctx, result))
		return;
	print_notices(result);
	print_drops(result);
}

int status_command(int argc, char **argv)
{
	struct status_conf conf = {.json = false};
	struct seen seen = {.n = 0};
	struct conf_error err;

	if (options_from_args(&options, argc, argv, &conf, &err) != 0) {
		fprintf(stderr, "n2n: %s\n", err.text);
		return STATUS_USAGE;
	}
	if (conf.help) {
		options_help(&options, stdout);
		return STATUS_OK;
	}
	return ask_instances(&conf.ask, &options, REQUEST, conf.json ? show_json : show, &seen);
}
