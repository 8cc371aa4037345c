/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What members say of the groups to which they listen: of too many words the last one counts. */
#include "peer_test.h"

static uint32_t seq;

static struct mac group_of(uint8_t number)
{
	return (struct mac){{1, 0, 0x5e, 1, 2, number}};
}

static void listen_to(struct fixture *f, uint8_t number, uint8_t group)
{
	const struct control_listeners m = {.n = 1, .group = {group_of(group)}};
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	control_listeners_encode(&w, ++seq, &m);
	say(f, number, &w);
}

static bool wants(const struct fixture *f, uint8_t group)
{
	const struct mac mac = group_of(group);

	return listeners_want(peer_of(f, 1), mac_number(&mac));
}

static const char *shown(struct fixture *f)
{
	struct status_peer p;

	assert_true(edge_peer_status(f->e, 0, peer_of(f, 1)->remote, f->core->now_ms, &p));
	return p.groups.all;
}

static void of_too_many_the_last_one_counts(void **state)
{
	struct fixture *f = *state;
	struct keyset *far;
	uint8_t last = 0;

	seq = 0;
	go_up(f, 0x11);
	list_all(f, VERSION(1), 1);
	far = meet(f, 1);
	listen_to(f, 1, 0);
	assert_true(wants(f, 0));
	assert_null(shown(f));
	while (shown(f) == NULL && last < 200)
		listen_to(f, 1, ++last);
	assert_in_range(last, 2, 199);
	/* Until there is room it gets everything; what it says meanwhile takes the place of that.
	 */
	listen_to(f, 1, 250);
	assert_string_equal(shown(f), "unknown");
	f->core->now_ms += 499;
	node_look(f->node, peer_of(f, 1)->session);
	assert_string_equal(shown(f), "unknown");
	f->core->now_ms += 1;
	node_look(f->node, peer_of(f, 1)->session);
	assert_null(shown(f));
	assert_true(wants(f, 250));
	assert_false(wants(f, last));
	/* What waits does not outlive the process that said it. */
	listen_to(f, 1, 1);
	listen_to(f, 1, 2);
	listeners_restart(peer_of(f, 1));
	f->core->now_ms += 5000;
	node_look(f->node, peer_of(f, 1)->session);
	assert_string_equal(shown(f), "unknown");
	keyset_destroy(far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(of_too_many_the_last_one_counts, setup, teardown),
	};

	return crypto_start() != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
