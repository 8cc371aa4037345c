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

/* ---- frames in halves ---- */

static void use_limit(struct fixture *f, uint16_t limit)
{
	const struct way way = link_path(&f->hop->link)->way, direct = link_path(&f->s->link)->way;

	f->rig.limit = limit;
	path_use(f->core, f->hop, &way);
	path_use(f->core, f->s, &direct);
}

/* n frames of this length, each filled with its number; the last byte tells the length. */
static void prepare_long(struct fixture *f, size_t n, size_t len)
{
	prepare(f, n);
	for (size_t i = 0; i < n; i++) {
		f->run[i].len = len;
		memset(f->slots[i] + SLOT_HEADROOM, (int)i, len);
		f->slots[i][SLOT_HEADROOM + len - 1] = (uint8_t)len;
	}
}

static void check_text(const struct slice *first, const struct slice *last, size_t i, size_t len)
{
	uint8_t want[SLOT_LEN], got[SLOT_LEN];

	memset(want, (int)i, len);
	want[len - 1] = (uint8_t)len;
	memcpy(got, first->data, first->len);
	if (last != NULL)
		memcpy(got + first->len, last->data, last->len);
	assert_int_equal(first->len + (last != NULL ? last->len : 0), len);
	assert_memory_equal(got, want, len);
}

/* Two datagrams, from d on, hold frame i. */
static void check_halves(struct fixture *f, struct sent *d, size_t i, size_t len, uint32_t counter)
{
	struct data_header h;
	struct slice half[2];

	for (uint32_t k = 0; k < 2; k++) {
		half[k] = rig_open(&f->rig, f->far, d[k].data, d[k].len, &h);
		assert_int_equal(h.piece, k == 0 ? PIECE_FIRST : PIECE_LAST);
		assert_int_equal(h.counter, counter + k);
		assert_int_equal(h.kind, KIND_ETHERNET);
	}
	assert_true(half[0].len - half[1].len <= 1);
	check_text(&half[0], &half[1], i, len);
}

static void what_fits_its_path_stays_whole(void **state)
{
	struct fixture *f = *state;
	struct data_header h;
	struct slice whole;

	use_limit(f, 1472);
	prepare_long(f, 2, 1472 - DATA_OVERHEAD);
	assert_true(transmit_run(&f->core->tx, f->run, 2, START_MS + 5));
	assert_int_equal(f->rig.n_sent, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(f->rig.sent[i].len, 1472);
		whole = rig_open(&f->rig, f->far, f->rig.sent[i].data, f->rig.sent[i].len, &h);
		assert_int_equal(h.piece, PIECE_WHOLE);
		check_text(&whole, NULL, i, 1472 - DATA_OVERHEAD);
	}
	prepare_long(f, 2, 1472 - DATA_OVERHEAD + 1);
	assert_true(transmit_run(&f->core->tx, f->run, 2, START_MS + 5));
	assert_int_equal(f->rig.n_sent, 4);
	for (uint32_t i = 0; i < 2; i++)
		check_halves(f, &f->rig.sent[2 * i], i, 1472 - DATA_OVERHEAD + 1, 2 + 2 * i);
}

/* Equal datagrams make a train; and counters are used without a gap, which is one packet's loss. */
static void a_full_run_goes_in_twice_as_many(void **state)
{
	struct fixture *f = *state;

	use_limit(f, 1472);
	prepare_long(f, BATCH_MAX, FRAME_MAX);
	assert_true(transmit_run(&f->core->tx, f->run, BATCH_MAX, START_MS + 5));
	assert_int_equal(f->rig.n_sent, 2 * BATCH_MAX);
	for (uint32_t i = 0; i < BATCH_MAX; i++) {
		assert_int_equal(f->rig.sent[2 * i].len, HALF_MAX + DATA_OVERHEAD);
		assert_int_equal(f->rig.sent[2 * i + 1].len, HALF_MAX + DATA_OVERHEAD);
		check_halves(f, &f->rig.sent[2 * i], i, FRAME_MAX, 2 * i);
	}
	assert_int_equal(f->s->link.tx_frames, BATCH_MAX);
	assert_int_equal(f->s->link.tx_bytes, BATCH_MAX * FRAME_MAX);
}

/* Long and short ones keep their order, wherever a run is parted. */
static void a_mixed_run_stays_in_order(void **state)
{
	struct fixture *f = *state;

	use_limit(f, 1472);
	for (unsigned shift = 0; shift < 3; shift++) {
		const uint32_t first = (uint32_t)f->s->current->tx.counter;
		size_t at = 0;

		prepare_long(f, BATCH_MAX, 1501);
		for (size_t i = 0; i < BATCH_MAX; i++)
			if (i % 3 == shift)
				f->run[i].len = 100 + i;
		assert_true(transmit_run(&f->core->tx, f->run, BATCH_MAX, START_MS + 5));
		for (size_t i = 0; i < BATCH_MAX; i++) {
			struct sent *d = &f->rig.sent[at];
			struct data_header h;

			if (i % 3 != shift) {
				check_halves(f, d, i, 1501, first + (uint32_t)at);
				at += 2;
				continue;
			}
			assert_int_equal(
				rig_open(&f->rig, f->far, d->data, d->len, &h).len, 100 + i);
			assert_int_equal(h.piece, PIECE_WHOLE);
			assert_int_equal(h.counter, first + at++);
		}
		assert_int_equal(at, f->rig.n_sent);
	}
}

/* Whichever of the two takes less decides, for the packets are the same. */
static void the_smaller_of_path_and_copy_decides(void **state)
{
	struct fixture *f = *state;
	struct path *copy;

	use_limit(f, 1472);
	session_set_path(f->core, &f->s->link.copy, relay_path(f));
	prepare_long(f, 1, 1452 - RELAY_HEADER_LEN - DATA_OVERHEAD);
	assert_true(transmit_run(&f->core->tx, f->run, 1, START_MS + 5));
	assert_int_equal(f->rig.n_sent, 2);
	prepare_long(f, 1, 1452 - RELAY_HEADER_LEN - DATA_OVERHEAD + 1);
	assert_true(transmit_run(&f->core->tx, f->run, 1, START_MS + 5));
	assert_int_equal(f->rig.n_sent, 4);
	check_halves(f, &f->rig.sent[0], 0, 1452 - RELAY_HEADER_LEN - DATA_OVERHEAD + 1, 1);
	/* And the other way round: a wide copy of a narrow path. */
	use_limit(f, 1300);
	copy = calloc(1, sizeof(*copy));
	assert_non_null(copy);
	*copy = *link_path(&f->s->link);
	copy->limit = 1500;
	session_set_path(f->core, &f->s->link.copy, copy);
	prepare_long(f, 1, 1300 - DATA_OVERHEAD + 1);
	assert_true(transmit_run(&f->core->tx, f->run, 1, START_MS + 5));
	assert_int_equal(f->rig.n_sent, 4);
	assert_int_equal(f->rig.sent[0].len, f->rig.sent[2].len);
}

/* The way beyond the supernode is not known, the one to it is. */
static void a_relayed_path_has_the_limit_of_its_hop(void **state)
{
	static const uint16_t limit[] = {DATAGRAM_MAX, 1472, 1300};
	static const size_t most[] = {1452, 1452, 1300};
	struct fixture *f = *state;

	for (size_t i = 0; i < 3; i++) {
		const size_t longest = most[i] - RELAY_HEADER_LEN - DATA_OVERHEAD;

		use_limit(f, limit[i]);
		session_set_path(f->core, &f->s->link.path, relay_path(f));
		prepare_long(f, 1, longest);
		assert_true(transmit_run(&f->core->tx, f->run, 1, START_MS + 5));
		assert_int_equal(f->rig.n_sent, 1);
		assert_int_equal(f->rig.sent[0].len, most[i]);
		prepare_long(f, 1, longest + 1);
		assert_true(transmit_run(&f->core->tx, f->run, 1, START_MS + 5));
		assert_int_equal(f->rig.n_sent, 2);
	}
}

/* Its counters are two, and what does not go out is as it was. */
static void halves_need_two_counters(void **state)
{
	struct fixture *f = *state;
	struct send_keys *k = &f->s->current->tx;

	use_limit(f, 1472);
	k->counter = COUNTER_LIMIT - 3;
	prepare_long(f, 2, FRAME_MAX);
	assert_false(transmit_run(&f->core->tx, f->run, 2, START_MS + 5));
	assert_int_equal(f->rig.n_sent, 0);
	assert_int_equal(f->s->link.tx_frames, 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(f->run[i].len, FRAME_MAX);
		assert_int_equal(f->slots[i][SLOT_HEADROOM + FRAME_MAX / 2], i);
	}
}

static void control_is_never_cut(void **state)
{
	struct fixture *f = *state;
	struct data_header h;

	use_limit(f, 1000);
	prepare_long(f, 1, 1150);
	f->run[0].kind = KIND_CONTROL;
	assert_true(transmit_run(&f->core->tx, f->run, 1, START_MS + 5));
	assert_int_equal(f->rig.n_sent, 1);
	assert_int_equal(
		rig_open(&f->rig, f->far, f->rig.sent[0].data, f->rig.sent[0].len, &h).len, 1150);
	assert_int_equal(h.piece, PIECE_WHOLE);
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
		cmocka_unit_test_setup_teardown(what_fits_its_path_stays_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_run_goes_in_twice_as_many, setup, teardown),
		cmocka_unit_test_setup_teardown(a_mixed_run_stays_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_smaller_of_path_and_copy_decides, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_relayed_path_has_the_limit_of_its_hop, setup, teardown),
		cmocka_unit_test_setup_teardown(halves_need_two_counters, setup, teardown),
		cmocka_unit_test_setup_teardown(control_is_never_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_a_way_it_is_a_counted_drop, setup, teardown),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
