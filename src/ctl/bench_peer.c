/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the question to the edges of this host who lies behind an address. */
#include "ctl/bench_peer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/instances.h"
#include "base/relay_reason.h"
#include "ctl/text.h"
#include "os/ctlsock.h"
#include "os/state.h"

#define REQUEST "{\"v\":1,\"cmd\":\"status\"}"

/* "10.1.2.2/24" is the address 10.1.2.2. */
static bool has_address(const json_t *peer, const char *address)
{
	size_t i, len = strlen(address);
	const json_t *entry;

	json_array_foreach (json_object_get(peer, "addresses"), i, entry) {
		const char *text = json_string_value(entry);

		if (text != NULL && strncmp(text, address, len) == 0 &&
			(text[len] == '/' || text[len] == '\0'))
			return true;
	}
	return false;
}

static const json_t *find_in(const json_t *result, const char *address)
{
	const json_t *community, *peer;
	size_t i, j;

	json_array_foreach (json_object_get(result, "communities"), i, community)
		json_array_foreach (json_object_get(community, "peers"), j, peer)
			if (has_address(peer, address))
				return peer;
	return NULL;
}

static void copy(json_t *to, const char *name, const json_t *from, const char *as)
{
	json_t *value = json_object_get(from, as);

	json_object_set_new(to, name, value != NULL ? json_incref(value) : json_null());
}

static json_t *describe(const json_t *node, const json_t *peer)
{
	const json_t *path = json_object_get(peer, "path");
	const char *cipher = json_string_value(json_object_get(peer, "cipher"));
	json_t *facts = json_object();

	copy(facts, "instance", node, "instance");
	copy(facts, "id", peer, "id");
	copy(facts, "path", path, "kind");
	copy(facts, "endpoint", path, "endpoint");
	copy(facts, "reason", path, "reason");
	copy(facts, "cipher", peer, "cipher");
	copy(facts, "library", json_object_get(node, "cipher_providers"),
		cipher != NULL ? cipher : "");
	copy(facts, "workers", node, "workers");
	copy(facts, "offloads", node, "offloads");
	return facts;
}

/* NULL when there is no answer. */
static json_t *ask(const char *instance, const char *state_dir)
{
	char path[STATE_SOCKET_MAX];
	struct os_error err;
	char *line = NULL;
	json_t *answer;

	if (state_control_path(path, state_dir, instance, &err) != 0 ||
		ctlsock_request(path, REQUEST, CTLSOCK_TIMEOUT_MS, &line, &err) != 0)
		return NULL;
	answer = json_loads(line, 0, NULL);
	free(line);
	return answer;
}

json_t *bench_peer_find(const char *address, const char *state_dir)
{
	json_t *facts = NULL;
	struct instances all;
	struct os_error err;

	if (instances_list(&all, state_dir, &err) != 0)
		return NULL;
	for (unsigned i = 0; i < all.n && facts == NULL; i++) {
		json_t *answer = ask(all.name[i], state_dir);
		const json_t *result = json_object_get(answer, "result");
		const json_t *peer = find_in(result, address);

		if (peer != NULL)
			facts = describe(json_object_get(result, "node"), peer);
		json_decref(answer);
	}
	return facts;
}

/* ---- for people ---- */

static void print_engine(const json_t *peer)
{
	json_int_t workers = json_integer_value(json_object_get(peer, "workers"));
	const char *separator = " with ";
	const json_t *name;
	size_t i;

	printf("; %s by %s; %" JSON_INTEGER_FORMAT " %s", text_member(peer, "cipher"),
		text_member(peer, "library"), workers, workers == 1 ? "worker" : "workers");
	json_array_foreach (json_object_get(peer, "offloads"), i, name) {
		printf("%s%s", separator, json_string_value(name));
		separator = " ";
	}
}

void bench_peer_print(const char *address, const json_t *peer)
{
	const char *path = text_member(peer, "path");

	if (peer == NULL) {
		printf("%s: no edge of this host has such a peer\n", address);
		return;
	}
	printf("%s: through %s, ", address, text_member(peer, "instance"));
	if (strcmp(path, "direct") == 0)
		printf("direct to %s", text_member(peer, "endpoint"));
	else if (strcmp(path, "relay") == 0)
		printf("RELAYED by the supernode, because %s",
			relay_reason_text(relay_reason_parse(text_member(peer, "reason"))));
	else
		fputs("not connected", stdout);
	print_engine(peer);
	if (json_is_true(json_object_get(peer, "changed")))
		fputs("; the path changed between the rounds", stdout);
	putchar('\n');
}
