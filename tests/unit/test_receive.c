/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first step in: which keys may open an envelope, and whose relay packets count. */
#include "core/data/receive.h"
#include "core_test.h"

#define MADE_MS 1000u
#define NOW_MS	5000u
#define INNER	DATAGRAM_MIN_LEN

struct fixture {
	struct rig rig;
	struct party party;
	struct session *hop, *peer;
	struct keyset *far_hop, *far_peer;
	const struct view *view;
	struct drops drops;
	struct receiver receiver;
	struct rx rx;
	uint8_t slot[SLOT_LEN];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	rig_init(&f->rig, NULL, 1);
	f->rig.node.core.now_ms = MADE_MS;
	f->hop = rig_session(&f->rig, LINK_HOP, &f->party, 1, &f->far_hop);
	f->peer = rig_session(&f->rig, LINK_PEER, &f->party, 2, &f->far_peer);
	f->view = rig_view(&f->rig);
	f->receiver.drops = &f->drops;
	f->receiver.aead = aead_state_create(0);
	assert_non_null(f->receiver.aead);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	keyset_destroy(f->far_hop);
	keyset_destroy(f->far_peer);
	aead_state_destroy(f->receiver.aead);
	rig_fini(&f->rig);
	free(f);
	return 0;
}

/* A relay packet that this far end made, its header in the clear. */
static void relay_packet(
	struct fixture *f, const struct keyset *far, uint32_t index, uint32_t counter)
{
	const struct relay_header h = {RELAY_HOP_LIMIT, index, counter, 0x300, false};
	struct rx *x = &f->rx;

	memset(f->slot, 0x77, sizeof(f->slot));
	relay_header_write(f->slot, &h);
	relay_mac(f->slot + RELAY_MASKED_LEN, far->tx.hop_key, f->slot, f->slot + RELAY_HEADER_LEN,
		INNER);
	*x = (struct rx){.relay = h, .data = f->slot, .len = RELAY_HEADER_LEN + INNER};
}

static bool comes_through(struct fixture *f, uint64_t now_ms)
{
	struct rx *run[] = {&f->rx};

	return receive_relayed(&f->receiver, f->view, run, 1, now_ms) == 1;
}

static void assert_refused(struct fixture *f, enum drop why, uint64_t now_ms)
{
	const uint64_t before = drops_get(&f->drops, why);

	assert_false(comes_through(f, now_ms));
	assert_int_equal(f->rx.verdict, VERDICT_DROP);
	assert_int_equal(f->rx.why, why);
	assert_int_equal(drops_get(&f->drops, why), before + 1);
}

static void a_hop_relays(void **state)
{
	struct fixture *f = *state;

	relay_packet(f, f->far_hop, f->hop->link.id << 2, 0);
	assert_true(comes_through(f, NOW_MS));
	assert_ptr_equal(f->rx.link, &f->hop->link);
	assert_ptr_equal(f->rx.data, f->slot + RELAY_HEADER_LEN);
	assert_int_equal(f->rx.len, INNER);
	assert_int_equal(link_word(&f->hop->link.rx_ms), NOW_MS);
}

/* Otherwise a member could have others take its packets for those of any handle. */
static void a_peer_does_not_relay_though_its_mac_is_right(void **state)
{
	struct fixture *f = *state;

	relay_packet(f, f->far_peer, f->peer->link.id << 2, 0);
	assert_refused(f, DROP_UNKNOWN, NOW_MS);
}

static void nobody_relays_under_an_index_that_is_not_there(void **state)
{
	struct fixture *f = *state;

	relay_packet(f, f->far_hop, (f->hop->link.id ^ 1) << 2, 0);
	assert_refused(f, DROP_UNKNOWN, NOW_MS);
	relay_packet(f, f->far_hop, f->hop->link.id << 2 | 1, 0);
	assert_refused(f, DROP_UNKNOWN, NOW_MS);
}

static void keys_end_when_they_are_said_to(void **state)
{
	struct fixture *f = *state;

	relay_packet(f, f->far_hop, f->hop->link.id << 2, 0);
	assert_refused(f, DROP_UNKNOWN, MADE_MS + KEYS_REJECT_MS);
	assert_true(comes_through(f, MADE_MS + KEYS_REJECT_MS - 1));
}

static void the_shortest_relay_packet_has_room_for_another(void **state)
{
	struct fixture *f = *state;

	relay_packet(f, f->far_hop, f->hop->link.id << 2, 0);
	f->rx.len--;
	assert_refused(f, DROP_TOO_SHORT, NOW_MS);
	assert_int_equal(link_word(&f->hop->link.rx_ms), 0);
}

/* Who repeats what a supernode once said does not make it look alive. */
static void what_is_repeated_is_no_sign_of_life(void **state)
{
	struct fixture *f = *state;

	relay_packet(f, f->far_hop, f->hop->link.id << 2, 7);
	assert_true(comes_through(f, NOW_MS));
	relay_packet(f, f->far_hop, f->hop->link.id << 2, 7);
	assert_refused(f, DROP_REPLAY, NOW_MS + 1);
	relay_packet(f, f->far_hop, f->hop->link.id << 2, 8);
	f->slot[RELAY_MASKED_LEN] ^= 1;
	assert_refused(f, DROP_AUTH, NOW_MS + 2);
	assert_int_equal(link_word(&f->hop->link.rx_ms), NOW_MS);
}

/* A keepalive of the peer from there. */
static void keepalive_from(struct fixture *f, struct origin from, uint32_t counter, uint64_t now_ms)
{
	const struct data_header h = {.kind = KIND_ETHERNET,
		.cipher = (uint8_t)f->far_peer->tx.suite,
		.index = f->peer->link.id << 2,
		.counter = counter};
	struct aead_op op = {
		.text = f->slot + DATA_HEADER_LEN, .ad = f->slot, .ad_len = DATA_HEADER_LEN};
	struct rx *run[] = {&f->rx};

	data_header_write(f->slot, &h);
	key_nonce(op.nonce, f->far_peer->tx.iv, counter);
	aead_seal(f->far_peer->tx.key, f->receiver.aead, &op, 1);
	f->rx = (struct rx){.data = f->slot,
		.len = DATA_OVERHEAD,
		.header = h,
		.link = &f->peer->link,
		.keys = link_keys(&f->peer->link, h.index),
		.origin = from};
	receive_open(&f->receiver, run, 1, now_ms);
	assert_int_equal(f->rx.verdict, VERDICT_EMPTY);
	assert_int_equal(link_word(&f->peer->link.rx_ms), now_ms);
}

/* That a path works only what came on it can say: nobody must keep a dead one by other ways. */
static void only_what_came_on_the_path_speaks_for_it(void **state)
{
	struct fixture *f = *state;
	const struct endpoint elsewhere = test_endpoint(9, 9);
	const struct origin on_it = {.way = link_path(&f->peer->link)->way};
	const _Atomic uint64_t *direct_ms = &f->peer->link.rx_direct_ms;
	struct path *relayed = calloc(1, sizeof(*relayed));

	keepalive_from(f, on_it, 0, NOW_MS);
	assert_int_equal(link_word(direct_ms), NOW_MS);
	keepalive_from(f, (struct origin){.way = way_to(&elsewhere)}, 1, NOW_MS + 1);
	keepalive_from(f, (struct origin){.way = on_it.way, .hop_id = 5}, 2, NOW_MS + 2);
	assert_int_equal(link_word(direct_ms), NOW_MS);
	keepalive_from(f, on_it, 3, NOW_MS + 3);
	assert_int_equal(link_word(direct_ms), NOW_MS + 3);
	assert_non_null(relayed);
	*relayed = (struct path){.way = on_it.way, .hop = &f->hop->link};
	session_set_path(&f->rig.node.core, &f->peer->link.path, relayed);
	keepalive_from(f, on_it, 4, NOW_MS + 4);
	session_set_path(&f->rig.node.core, &f->peer->link.path, NULL);
	keepalive_from(f, on_it, 5, NOW_MS + 5);
	assert_int_equal(link_word(direct_ms), NOW_MS + 3);
}

static void seal_envelope(struct fixture *f, const uint8_t key[KEY_LEN], uint32_t hop_id)
{
	const struct random rnd = seeded_random(&f->rig.seed);
	const uint8_t body[40] = {PACKET_INIT << 4};

	envelope_seal(f->slot, body, sizeof(body), NULL, 0, key, &rnd);
	f->rx = (struct rx){
		.data = f->slot, .len = sizeof(body) + ENVELOPE_OVERHEAD, .origin.hop_id = hop_id};
}

/* A key that was taken away still lies behind those that are in use. */
static void envelopes_open_under_the_keys_in_use_only(void **state)
{
	struct fixture *f = *state;
	static struct view v;

	v = (struct view){.doors.n_env = 2};
	for (uint8_t i = 0; i < 3; i++)
		v.doors.env[i] = (struct view_env){.key = {i}, .to = {.kind = TO_PEER}};
	for (uint8_t i = 0; i < 2; i++) {
		seal_envelope(f, v.doors.env[i].key, 0);
		assert_true(receive_envelope(&v, &f->rx));
		assert_int_equal(f->rx.verdict, VERDICT_ENVELOPE);
	}
	seal_envelope(f, v.doors.env[2].key, 0);
	assert_false(receive_envelope(&v, &f->rx));
	assert_int_equal(f->rx.verdict, VERDICT_NONE);
}

static void what_a_relay_brings_is_for_peers_only(void **state)
{
	struct fixture *f = *state;
	static struct view v;

	v = (struct view){.doors.n_env = 2};
	v.doors.env[0] = (struct view_env){.key = {1}, .to = {.kind = TO_ANY}};
	v.doors.env[1] = (struct view_env){.key = {2}, .to = {.kind = TO_PEER}};
	seal_envelope(f, v.doors.env[0].key, 0);
	assert_true(receive_envelope(&v, &f->rx));
	seal_envelope(f, v.doors.env[0].key, 5);
	assert_false(receive_envelope(&v, &f->rx));
	seal_envelope(f, v.doors.env[1].key, 5);
	assert_true(receive_envelope(&v, &f->rx));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_hop_relays),
		TEST(a_peer_does_not_relay_though_its_mac_is_right),
		TEST(nobody_relays_under_an_index_that_is_not_there),
		TEST(keys_end_when_they_are_said_to),
		TEST(the_shortest_relay_packet_has_room_for_another),
		TEST(what_is_repeated_is_no_sign_of_life),
		TEST(only_what_came_on_the_path_speaks_for_it),
		TEST(envelopes_open_under_the_keys_in_use_only),
		TEST(what_a_relay_brings_is_for_peers_only),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
