/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What members call a community: told to each, and known only while it differs. */
#include "peer_test.h"

static uint32_t seq;

static void call_it(struct fixture *f, uint8_t number, const char *name)
{
	struct control_names m = {.community_len = (uint8_t)strlen(name)};
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	memcpy(m.community, name, m.community_len);
	writer_init(&w, buf, sizeof(buf));
	control_names_encode(&w, ++seq, &m);
	say(f, number, &w);
}

static const char *shown(struct fixture *f, uint8_t number)
{
	struct status_peer p;

	assert_true(edge_peer_status(f->e, 0, peer_of(f, number)->remote, f->core->now_ms, &p));
	return p.label;
}

/* Registered, with two members, of whom the first has keys. */
static struct keyset *begin(struct fixture *f, const char *ours)
{
	seq = 0;
	go_up(f, 0x11);
	strcpy(f->c->name, ours);
	list_all(f, VERSION(1), 2);
	return meet(f, 1);
}

static void another_name_is_told_until_it_is_the_same(void **state)
{
	struct fixture *f = *state;
	struct keyset *far = begin(f, "office");

	call_it(f, 1, "office");
	assert_int_equal(f->events[EVENT_LABEL], 0);
	assert_null(shown(f, 1));
	call_it(f, 1, "home");
	assert_int_equal(f->events[EVENT_LABEL], 1);
	assert_int_equal(f->last[EVENT_LABEL].value, 1);
	assert_memory_equal(f->last[EVENT_LABEL].key, peer_of(f, 1)->remote, KEY_LEN);
	assert_string_equal(shown(f, 1), "home");
	/* Said again, with each new key: that is no news. */
	call_it(f, 1, "home");
	assert_int_equal(f->events[EVENT_LABEL], 1);
	call_it(f, 1, "office");
	assert_int_equal(f->events[EVENT_LABEL], 2);
	assert_int_equal(f->last[EVENT_LABEL].value, 0);
	assert_null(shown(f, 1));
	keyset_destroy(far);
}

static void it_is_over_when_the_member_is_gone(void **state)
{
	struct fixture *f = *state;
	struct keyset *far = begin(f, "office"), *again;

	call_it(f, 1, "home");
	assert_int_equal(f->last[EVENT_LABEL].value, 1);
	goodbye(f, 1);
	node_look(f->node, peer_of(f, 1)->session);
	assert_int_equal(f->events[EVENT_LABEL], 2);
	assert_int_equal(f->last[EVENT_LABEL].value, 0);
	/* It comes back as it was. */
	list_change(f, VERSION(1), VERSION(2), 1, false);
	again = meet(f, 1);
	assert_int_equal(f->events[EVENT_LABEL], 3);
	assert_int_equal(f->last[EVENT_LABEL].value, 1);
	peer_forget(peer_of(f, 1));
	assert_int_equal(f->events[EVENT_LABEL], 4);
	assert_int_equal(f->last[EVENT_LABEL].value, 0);
	keyset_destroy(far);
	keyset_destroy(again);
}

static void who_has_no_name_for_it_differs_from_nobody(void **state)
{
	struct fixture *f = *state;
	struct keyset *far = begin(f, "");

	call_it(f, 1, "home");
	strcpy(f->c->name, "office");
	call_it(f, 1, "");
	assert_int_equal(f->events[EVENT_LABEL], 0);
	assert_null(shown(f, 1));
	keyset_destroy(far);
}

/* Under a passphrase the name is half of the secret. */
static void a_passphrase_leaves_no_choice(void **state)
{
	struct fixture *f = *state;
	struct keyset *far = begin(f, "office");

	f->c->party.mode = MODE_PASSPHRASE;
	call_it(f, 1, "home");
	assert_int_equal(f->events[EVENT_LABEL], 0);
	keyset_destroy(far);
}

/* With the keys, in the same packet as what else is told; without a name nothing is. */
static void our_name_is_told_with_the_keys(void **state)
{
	struct fixture *f = *state;
	struct keyset *far = begin(f, "office");
	struct session *s = peer_of(f, 1)->session;
	struct control_names m;
	struct control_msg msg;
	struct reader r;
	struct writer w;
	uint8_t buf[CONTROL_MAX_LEN];

	assert_true(outbox_holds(&s->out, CONTROL_NAMES));
	writer_init(&w, buf, sizeof(buf));
	peer_encode(peer_of(f, 1), CONTROL_NAMES, 7, &w);
	reader_init(&r, buf, writer_len(&w));
	assert_int_equal(control_next(&r, &msg), 1);
	assert_int_equal(msg.type, CONTROL_NAMES);
	assert_int_equal(msg.seq, 7);
	assert_int_equal(control_names_decode(&m, msg.body), 0);
	assert_string_equal(m.community, "office");
	keyset_destroy(far);
	f->c->name[0] = 0;
	far = meet(f, 2);
	assert_false(outbox_holds(&peer_of(f, 2)->session->out, CONTROL_NAMES));
	keyset_destroy(far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			another_name_is_told_until_it_is_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(
			it_is_over_when_the_member_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(
			who_has_no_name_for_it_differs_from_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(a_passphrase_leaves_no_choice, setup, teardown),
		cmocka_unit_test_setup_teardown(our_name_is_told_with_the_keys, setup, teardown),
	};

	return crypto_start() != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
