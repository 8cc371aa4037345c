/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sealing and dressing: what the other end finds in the datagrams of a run, on each kind of path.
 */
#include "core_test.h"

#define START_MS 1000u

struct fixture {
	struct rig rig;
	struct core *core; /* of rig */
	struct party member, edge;
	struct session *s, *hop;
	struct keyset *far, *far_hop;
	uint8_t slots[BATCH_MAX][SLOT_LEN];
	struct tx run[BATCH_MAX];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	rig_init(&f->rig, NULL, 1);
	f->core = &f->rig.node.core;
	f->core->now_ms = START_MS;
	f->s = rig_session(&f->rig, LINK_PEER, &f->member, 1, &f->far);
	f->hop = rig_session(&f->rig, LINK_HOP, &f->edge, 2, &f->far_hop);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	keyset_destroy(f->far);
	keyset_destroy(f->far_hop);
	rig_fini(&f->rig);
	free(f);
	return 0;
}

/* Frames of growing length, each filled with its number. */
static void prepare(struct fixture *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		f->run[i] = (struct tx){
			.link = &f->s->link,
			.keys = &f->s->current->tx,
			.packet = f->slots[i] + RELAY_HEADER_LEN,
			.len = 14 + i,
			.kind = KIND_ETHERNET,
		};
		memset(f->slots[i] + SLOT_HEADROOM, (int)i, 14 + i);
	}
	f->rig.n_sent = 0;
}

static void check_packet(struct fixture *f, uint8_t *packet, size_t len, size_t i, uint32_t counter)
{
	uint8_t want[SLOT_LEN];
	struct data_header h;
	struct slice plain = rig_open(&f->rig, f->far, packet, len, &h);

	memset(want, (int)i, sizeof(want));
	assert_int_equal(plain.len, 14 + i);
	assert_memory_equal(plain.data, want, plain.len);
	assert_int_equal(h.counter, counter);
	assert_int_equal(h.kind, KIND_ETHERNET);
	assert_false(h.csum_unset);
}

static bool send_run(struct fixture *f, size_t n)
{
	prepare(f, n);
	return transmit_run(&f->core->tx, f->run, n, START_MS + 5);
}

static void a_run_goes_out_in_order(void **state)
{
	struct fixture *f = *state;
	const struct endpoint to = test_endpoint(1, 500);

	for (uint32_t round = 0; round < 2; round++) {
		assert_true(send_run(f, BATCH_MAX));
		assert_int_equal(f->rig.n_sent, BATCH_MAX);
		for (unsigned i = 0; i < BATCH_MAX; i++) {
			assert_true(endpoint_equal(&f->rig.sent[i].way.remote, &to));
			check_packet(f, f->rig.sent[i].data, f->rig.sent[i].len, i,
				round * BATCH_MAX + i);
		}
	}
	assert_int_equal(f->s->link.tx_frames, 2 * BATCH_MAX);
	assert_int_equal(
		f->s->link.tx_bytes, 2 * (14 * BATCH_MAX + BATCH_MAX * (BATCH_MAX - 1) / 2));
	assert_int_equal(f->s->link.tx_ms, START_MS + 5);
	assert_int_equal(f->s->link.tx_frame_ms, START_MS + 5);
}

static void a_known_mask_replaces_the_split(void **state)
{
	struct fixture *f = *state;
	const struct endpoint at = test_endpoint(9, 9);
	const struct way way = way_to(&at);
	struct sent *d = &f->rig.sent[0];
	struct data_header h;

	memset(f->s->mask, 0x77, MASK_LEN);
	f->s->mask_known = true;
	path_use(f->core, f->s, &way);
	assert_true(send_run(f, 1));
	assert_true(endpoint_equal(&d->way.remote, &at));
	packet_mask(d->data, d->len, DATA_HEADER_LEN, f->s->mask);
	assert_true(data_header_read(&h, d->data));
	assert_int_equal(h.index, f->far->rx.index);
}

static void check_relayed(struct fixture *f, struct sent *d, size_t i, uint32_t counter)
{
	const struct path *way = link_path(&f->hop->link);
	uint8_t mac[RELAY_MAC_LEN];
	struct relay_header h;
	size_t inner = d->len - RELAY_HEADER_LEN;

	assert_true(endpoint_equal(&d->way.remote, &way->way.remote));
	packet_mask(d->data, d->len, RELAY_MASKED_LEN, way->mask);
	assert_true(relay_header_read(&h, d->data));
	assert_int_equal(h.hop_limit, RELAY_HOP_LIMIT);
	assert_int_equal(h.index, f->far_hop->rx.index);
	assert_int_equal(h.counter, counter);
	assert_int_equal(h.handle, 0xabcd);
	relay_mac(mac, f->far_hop->rx.hop_key, d->data, d->data + RELAY_HEADER_LEN, inner);
	assert_memory_equal(mac, d->data + RELAY_MASKED_LEN, sizeof(mac));
	check_packet(f, d->data + RELAY_HEADER_LEN, inner, i, counter);
}

static struct path *relay_path(struct fixture *f)
{
	struct path *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->hop = &f->hop->link;
	p->handle = 0xabcd;
	p->hop_limit = RELAY_HOP_LIMIT;
	return p;
}

static void relayed_runs_carry_a_header_each(void **state)
{
	struct fixture *f = *state;

	session_set_path(f->core, &f->s->link.path, relay_path(f));
	assert_true(send_run(f, 8));
	assert_int_equal(f->rig.n_sent, 8);
	for (unsigned i = 0; i < 8; i++)
		check_relayed(f, &f->rig.sent[i], i, i);
	assert_int_equal(f->hop->link.tx_ms, START_MS + 5);
}

/* The same sealed packets leave on both paths: the receiver's window lets one of each pass. */
static void doubted_paths_are_doubled(void **state)
{
	struct fixture *f = *state;

	session_set_path(f->core, &f->s->link.copy, relay_path(f));
	assert_true(send_run(f, 4));
	assert_int_equal(f->rig.n_sent, 8);
	for (unsigned i = 0; i < 4; i++) {
		check_packet(f, f->rig.sent[i].data, f->rig.sent[i].len, i, i);
		check_relayed(f, &f->rig.sent[4 + i], i, i);
	}
	assert_int_equal(f->s->link.tx_frames, 4);
}

/* Packets differ in kind and checksum within a run, and only frames count as frames. */
static void each_packet_has_its_own_header(void **state)
{
	static const struct {
		uint8_t kind;
		bool csum_unset;
		size_t len;
	} packet[] = {{KIND_ETHERNET, true, 60}, {KIND_ETHERNET, false, 61},
		{KIND_CONTROL, false, 9}, {KIND_ETHERNET, false, 0}, {KIND_ETHERNET, true, 62}};
	struct fixture *f = *state;
	const size_t n = sizeof(packet) / sizeof(packet[0]);
	struct data_header h;

	prepare(f, n);
	for (size_t i = 0; i < n; i++) {
		f->run[i].kind = packet[i].kind;
		f->run[i].csum_unset = packet[i].csum_unset;
		f->run[i].len = packet[i].len;
	}
	assert_true(transmit_run(&f->core->tx, f->run, n, START_MS + 5));
	assert_int_equal(f->rig.n_sent, n);
	for (uint32_t i = 0; i < n; i++) {
		struct sent *d = &f->rig.sent[i];

		assert_int_equal(rig_open(&f->rig, f->far, d->data, d->len, &h).len, packet[i].len);
		assert_int_equal(h.kind, packet[i].kind);
		assert_int_equal(h.csum_unset, packet[i].csum_unset);
		assert_int_equal(h.counter, i);
	}
	assert_int_equal(f->s->link.tx_frames, 3);
	assert_int_equal(f->s->link.tx_bytes, 60 + 61 + 62);
}

/* What is no frame leaves the time of the last frame as it was. */
static void keepalives_are_no_frames(void **state)
{
	struct fixture *f = *state;

	prepare(f, 2);
	f->run[0].len = f->run[1].len = 0;
	assert_true(transmit_run(&f->core->tx, f->run, 2, START_MS + 5));
	assert_int_equal(f->s->link.tx_ms, START_MS + 5);
	assert_int_equal(f->s->link.tx_frame_ms, 0);
	assert_int_equal(f->s->link.tx_frames, 0);
}

/* The path of the caller's choice, and no other. */
static void a_chosen_path_is_the_only_one(void **state)
{
	struct fixture *f = *state;
	struct path *via = relay_path(f);

	session_set_path(f->core, &f->s->link.copy, relay_path(f));
	prepare(f, BATCH_MAX);
	assert_true(transmit_on(&f->core->tx, f->run, BATCH_MAX, via, START_MS + 5));
	assert_int_equal(f->rig.n_sent, BATCH_MAX);
	for (unsigned i = 0; i < BATCH_MAX; i++)
		check_relayed(f, &f->rig.sent[i], i, i);
	assert_int_equal(f->s->link.tx_ms, 0);
	assert_int_equal(f->s->link.tx_frames, 0);
	free(via);
}

static void used_up_keys_send_nothing(void **state)
{
	struct fixture *f = *state;
	struct send_keys *k = &f->s->current->tx;

	k->counter = COUNTER_LIMIT - 3;
	assert_false(send_run(f, 4));
	assert_int_equal(f->rig.n_sent, 0);
	assert_int_equal(f->s->link.tx_frames, 0);
	/* The frames are still there to be sealed under the next keys. */
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(f->run[i].len, 14 + i);
		assert_int_equal(f->slots[i][SLOT_HEADROOM], i);
	}
}

static void without_a_way_it_is_a_counted_drop(void **state)
{
	struct fixture *f = *state;
	struct drops *drops = &f->core->drops;

	session_set_path(f->core, &f->s->link.path, NULL);
	assert_true(send_run(f, 3));
	assert_int_equal(f->rig.n_sent, 0);
	assert_int_equal(drops_get(drops, DROP_NO_PATH), 3);
	session_set_path(f->core, &f->s->link.path, relay_path(f));
	f->hop->current->tx.relay_counter = COUNTER_LIMIT;
	assert_true(send_run(f, 2));
	assert_int_equal(f->rig.n_sent, 0);
	assert_int_equal(drops_get(drops, DROP_NO_PATH), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_run_goes_out_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(a_known_mask_replaces_the_split, setup, teardown),
		cmocka_unit_test_setup_teardown(relayed_runs_carry_a_header_each, setup, teardown),
		cmocka_unit_test_setup_teardown(doubted_paths_are_doubled, setup, teardown),
		cmocka_unit_test_setup_teardown(each_packet_has_its_own_header, setup, teardown),
		cmocka_unit_test_setup_teardown(keepalives_are_no_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(a_chosen_path_is_the_only_one, setup, teardown),
		cmocka_unit_test_setup_teardown(used_up_keys_send_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_a_way_it_is_a_counted_drop, setup, teardown),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
