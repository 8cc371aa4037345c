/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names and texts of what the core tells: one each, and fit for their readers. */
#include <stdio.h>
#include <stdlib.h>

#include "core/session/event.h"
#include "core/status.h"
#include "wire_test.h"

#define TABLE_MAX 128

struct table {
	const char *name[TABLE_MAX];
	size_t n;
};

/* Machines compare names: lower case, words joined by '-', each once. */
static void check_name(struct table *t, const char *name)
{
	assert_true(t->n < TABLE_MAX);
	assert_true(name[0] >= 'a' && name[0] <= 'z');
	assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
	for (size_t i = 0; i < t->n; i++)
		assert_string_not_equal(name, t->name[i]);
	t->name[t->n++] = name;
}

/* People read texts as a part of a sentence. */
static void check_text(const char *text)
{
	assert_true(strlen(text) > 3);
	assert_true(text[0] >= 'a' && text[0] <= 'z');
	assert_int_not_equal(text[strlen(text) - 1], '.');
	assert_null(strstr(text, "-l"));
}

static void each_has_a_name_and_a_text(void **state)
{
	struct table communities = {.n = 0}, supernodes = {.n = 0}, reasons = {.n = 0},
		     refusals = {.n = 0}, events = {.n = 0}, peers = {.n = 0};

	(void)state;
#define X(id, word, explanation)                                                                   \
	check_name(&communities, community_state_name(COMMUNITY_##id));                            \
	check_text(community_state_text(COMMUNITY_##id));                                          \
	assert_string_equal(community_state_name(COMMUNITY_##id), word);
	COMMUNITY_STATES(X)
#undef X
#define X(id, word, explanation)                                                                   \
	check_name(&supernodes, supernode_state_name(SUPERNODE_##id));                             \
	check_text(explanation);                                                                   \
	assert_string_equal(supernode_state_name(SUPERNODE_##id), word);
	SUPERNODE_STATES(X)
#undef X
#define X(id, word, explanation)                                                                   \
	check_name(&peers, peer_state_name(PEER_##id));                                            \
	check_text(peer_state_text(PEER_##id));                                                    \
	assert_string_equal(peer_state_name(PEER_##id), word);
	PEER_STATES(X)
#undef X
#define X(id, word, explanation)                                                                   \
	check_name(&reasons, relay_reason_name(RELAY_##id));                                       \
	check_text(relay_reason_text(RELAY_##id));                                                 \
	assert_int_equal(relay_reason_parse(word), RELAY_##id);
	RELAY_REASONS(X)
#undef X
#define X(id, word, explanation)                                                                   \
	check_name(&refusals, register_refusal_name(REGISTER_##id));                               \
	check_text(register_refusal_text(REGISTER_##id));                                          \
	assert_string_equal(register_refusal_name(REGISTER_##id), word);
	REGISTER_REFUSALS(X)
#undef X
#define X(id, word, explanation)                                                                   \
	check_name(&events, word);                                                                 \
	check_text(event_text(EVENT_##id));                                                        \
	assert_string_equal(event_text(EVENT_##id), explanation);
	EVENT_KINDS(X)
#undef X
	assert_int_equal(communities.n, 8);
	assert_int_equal(supernodes.n, 9);
	assert_int_equal(peers.n, 5);
	assert_int_equal(reasons.n, 6);
	assert_int_equal(refusals.n, REGISTER_RESULTS - 1);
	assert_int_equal(events.n, EVENT_STATE + 1);
}

/* The contract that the names are part of names each of them. */
static void each_name_is_in_control_md(void **state)
{
	static const char *const names[] = {
#define X(id, word, explanation) "`" word "`",
		COMMUNITY_STATES(X) SUPERNODE_STATES(X) PEER_STATES(X) RELAY_REASONS(X)
			REGISTER_REFUSALS(X)
#undef X
	};
	static char text[1 << 16];
	const char *root = getenv("N2N_SOURCE_ROOT");
	char path[1024];
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/docs/CONTROL.md", root != NULL ? root : ".");
	f = fopen(path, "r");
	assert_non_null(f);
	assert_in_range(fread(text, 1, sizeof(text) - 1, f), 1000, sizeof(text) - 2);
	fclose(f);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strstr(text, names[i]) == NULL)
			fail_msg("CONTROL.md does not know %s", names[i]);
}

static void what_is_in_no_table_has_a_question_mark(void **state)
{
	(void)state;
	assert_string_equal(community_state_name((enum community_state)8), "?");
	assert_string_equal(community_state_text((enum community_state) - 1), "?");
	assert_string_equal(supernode_state_name((enum supernode_state)9), "?");
	assert_string_equal(relay_reason_name((enum relay_reason)6), "?");
	assert_string_equal(relay_reason_text((enum relay_reason) - 1), "?");
	assert_string_equal(event_text((enum event_kind) - 1), "?");
	assert_string_equal(peer_state_name((enum peer_state)5), "?");
	assert_string_equal(peer_state_text((enum peer_state) - 1), "?");
	assert_string_equal(register_refusal_name(REGISTER_OK), "other");
	assert_string_equal(register_refusal_name(255), "other");
}

/* A newer program may answer with a reason that an older tool does not know. */
static void an_unknown_reason_is_none(void **state)
{
	(void)state;
	assert_int_equal(relay_reason_parse("full-moon"), RELAY_NOT);
	assert_int_equal(relay_reason_parse(""), RELAY_NOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_a_name_and_a_text),
		cmocka_unit_test(each_name_is_in_control_md),
		cmocka_unit_test(what_is_in_no_table_has_a_question_mark),
		cmocka_unit_test(an_unknown_reason_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
