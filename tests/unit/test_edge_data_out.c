/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The data path of an edge, outwards: where each frame of a batch goes, and in which order. */
#include "edge_data_test.h"

#define CANARY	  0xc7
#define EVERYBODY 100
#define NOBODY	  101

static struct mac target(unsigned to)
{
	static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

	return to == EVERYBODY ? all : mac_of(to);
}

static struct frame *next_frame(struct fixture *f)
{
	uint8_t *slot = f->slots[f->n];

	assert_true(f->n < BATCH_MAX);
	memset(slot, CANARY, SLOT_LEN);
	f->frames[f->n] = (struct frame){.data = slot + SLOT_HEADROOM};
	return &f->frames[f->n++];
}

static void put(struct fixture *f, unsigned to, uint8_t number)
{
	const struct mac mac = target(to);
	struct frame *frame = next_frame(f);

	frame->len = plain_frame(frame->data, &mac, &own, number, len_of(number));
}

static void send_out(struct fixture *f, unsigned community)
{
	f->n_sent = f->n_checked = f->calls = 0;
	f->n_notes = 0;
	edge_frames_out(&f->w, f->view, community, f->frames, f->n, START_MS);
	f->n = 0;
}

static uint8_t *strip_relay(struct fixture *f, struct datagram *d, unsigned to)
{
	struct far_end *hop = &f->end[HOP];
	const struct path *way = link_path(&hop->s->link);
	const size_t inner = d->len - RELAY_HEADER_LEN;
	uint8_t mac[RELAY_MAC_LEN];
	struct relay_header h;

	assert_true(endpoint_equal(&d->way.remote, &way->way.remote));
	packet_mask(d->data, d->len, RELAY_MASKED_LEN, way->mask);
	assert_true(relay_header_read(&h, d->data));
	assert_int_equal(h.hop_limit, RELAY_HOP_LIMIT);
	assert_int_equal(h.index, hop->far->rx.index);
	assert_int_equal(h.counter, f->relay_expected++);
	assert_int_equal(h.handle, handle_of(to));
	relay_mac(mac, hop->far->rx.hop_key, d->data, d->data + RELAY_HEADER_LEN, inner);
	assert_memory_equal(mac, d->data + RELAY_MASKED_LEN, sizeof(mac));
	d->len = inner;
	return d->data + RELAY_HEADER_LEN;
}

/* The next datagram is for this peer; its plaintext. */
static struct slice next_sent(struct fixture *f, unsigned to, struct data_header *h)
{
	struct datagram *d = &f->sent[f->n_checked++];
	struct far_end *e = &f->end[to];
	uint8_t *packet = d->data;
	struct slice plain;

	assert_true(f->n_checked <= f->n_sent);
	if (link_path(&e->s->link)->hop != NULL)
		packet = strip_relay(f, d, to);
	else
		assert_true(endpoint_equal(&d->way.remote, &link_path(&e->s->link)->way.remote));
	plain = rig_open(&f->rig, e->far, packet, d->len, h);
	assert_int_equal(h->counter, e->expected++);
	assert_int_equal(h->kind, KIND_ETHERNET);
	return plain;
}

static void check_plain(struct slice plain, unsigned to, uint8_t number)
{
	const struct mac mac = target(to);
	uint8_t want[SLOT_LEN];

	assert_int_equal(plain.len, plain_frame(want, &mac, &own, number, len_of(number)));
	assert_memory_equal(plain.data, want, plain.len);
}

/* The peers in the order in which a flood reaches them, whatever it is: each of them once. */
static void flood_order(const struct fixture *f, unsigned order[PEERS])
{
	const struct table_entry *e;
	unsigned n = 0, seen = 0;

	for (uint32_t at = 0; (e = table_next(f->view->community[0].ports, &at)) != NULL;) {
		assert_true(n < PEERS);
		for (unsigned i = 0; i < PEERS; i++)
			if (e->value == f->port[i])
				order[n] = i;
		seen |= 1u << order[n++];
	}
	assert_int_equal(n, PEERS);
	assert_int_equal(seen, (1u << PEERS) - 1);
}

static void check_sent(struct fixture *f, unsigned to, uint8_t number)
{
	unsigned order[PEERS] = {0};
	struct data_header h;

	if (to < SESSIONS) {
		check_plain(next_sent(f, to, &h), to, number);
		assert_false(h.csum_unset);
		return;
	}
	flood_order(f, order);
	for (unsigned i = 0; i < PEERS; i++)
		check_plain(next_sent(f, order[i], &h), to, number);
}

static void frames_go_where_they_should(void **state)
{
	static const unsigned to[] = {0, 0, 1, 0, EVERYBODY, 0, NOBODY, NOBODY, 1, EVERYBODY,
		EVERYBODY, NOBODY, 3, 3, 4, 3, 0};
	struct fixture *f = *state;

	for (uint8_t i = 0; i < sizeof(to) / sizeof(to[0]); i++)
		put(f, to[i], i);
	send_out(f, 0);
	for (uint8_t i = 0; i < sizeof(to) / sizeof(to[0]); i++)
		check_sent(f, to[i], i);
	assert_int_equal(f->n_checked, f->n_sent);
	/* One call for each run, and for all copies of one. */
	assert_int_equal(f->calls, 9 + 3);
	assert_drops(f, DROP_NO_PATH, 0);
}

static void mixed_batches_stay_in_order(void **state)
{
	static const unsigned any[] = {0, 1, 2, 3, 4, EVERYBODY, NOBODY};
	struct fixture *f = *state;
	unsigned to[BATCH_MAX];

	for (unsigned round = 0; round < 50; round++) {
		for (uint8_t i = 0; i < BATCH_MAX; i++) {
			to[i] = i > 0 && roll(f, 2) == 0 ? to[i - 1] : any[roll(f, 7)];
			put(f, to[i], i);
		}
		send_out(f, 0);
		for (uint8_t i = 0; i < BATCH_MAX; i++)
			check_sent(f, to[i], i);
		assert_int_equal(f->n_checked, f->n_sent);
	}
	assert_int_equal(f->n_notes, 0);
	assert_drops(f, DROP_NO_PATH, 0);
}

static void used_up_keys_leave_their_frames(void **state)
{
	static const unsigned to[] = {0, 1, 1, 1, 0, 2, 1, 0};
	struct fixture *f = *state;

	f->end[1].s->current->tx.counter = COUNTER_LIMIT - 2;
	for (uint8_t i = 0; i < sizeof(to) / sizeof(to[0]); i++)
		put(f, to[i], i);
	send_out(f, 0);
	/* All of a run or nothing. */
	assert_int_equal(f->n_notes, 4);
	for (uint8_t i = 0, k = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		if (to[i] != 1) {
			check_sent(f, to[i], i);
			continue;
		}
		assert_int_equal(f->note[k].index, f->end[1].s->link.id);
		assert_int_equal(f->note[k].to.community, 0);
		assert_int_equal(f->note[k].to.generation, GENERATION);
		check_plain((struct slice){f->note[k].data, f->note[k].len}, 1, i);
		k++;
	}
	assert_int_equal(f->n_checked, f->n_sent);
	assert_int_equal(f->end[1].s->link.tx_frames, 0);
	assert_drops(f, DROP_NO_PATH, 0);
}

/* The next datagram is this segment for that address, its checksum unset. */
static void check_unset(struct fixture *f, unsigned to, uint32_t number, struct mac mac)
{
	uint8_t want[SLOT_LEN];
	struct data_header h;
	struct slice plain = next_sent(f, to, &h);

	(void)segment(want, &own, number, SUM_UNSET);
	memcpy(want, mac.b, sizeof(mac.b));
	assert_true(h.csum_unset);
	assert_memory_equal(plain.data, want, plain.len);
}

/* What waits is made whole, since the control thread knows nothing of unset checksums. */
static void frames_that_wait_are_made_whole(void **state)
{
	struct fixture *f = *state;
	const struct mac mac = mac_of(1);
	unsigned order[PEERS] = {0};
	uint8_t want[SLOT_LEN];

	session_forget_keys(&f->rig.node.core, f->end[1].s);
	for (uint32_t i = 0; i < 4; i++) {
		struct frame *frame = next_frame(f);

		frame->len = segment(frame->data, &own, i, SUM_UNSET);
		memcpy(frame->data, i == 2 ? mac_of(0).b : i == 3 ? target(EVERYBODY).b : mac.b, 6);
		assert_true(offload_locate(frame));
	}
	send_out(f, 0);
	/* To everybody else it goes as it is. */
	assert_int_equal(f->n_sent, 1 + PEERS - 1);
	check_unset(f, 0, 2, mac_of(0));
	flood_order(f, order);
	for (unsigned i = 0; i < PEERS; i++)
		if (order[i] != 1)
			check_unset(f, order[i], 3, target(EVERYBODY));
	assert_int_equal(f->n_notes, 3);
	for (uint32_t i = 0; i < 3; i++) {
		const size_t len = segment(want, &own, i == 2 ? 3 : i, SUM_FINISHED);

		memcpy(want, i == 2 ? target(EVERYBODY).b : mac.b, 6);
		assert_int_equal(f->note[i].index, i == 2 ? 0 : f->end[1].s->link.id);
		assert_int_equal(f->note[i].len, len);
		assert_memory_equal(f->note[i].data, want, len);
	}
	assert_drops(f, DROP_MALFORMED, 0);
}

static void lengths_have_limits(void **state)
{
	static const size_t len[] = {
		FRAME_MIN, 0, FRAME_MIN - 1, FRAME_MAX, FRAME_MAX + 1, FRAME_MIN};
	struct fixture *f = *state;
	const struct mac mac = mac_of(0);
	uint8_t want[SLOT_LEN];
	struct data_header h;

	for (uint8_t i = 0; i < 6; i++) {
		struct frame *frame = next_frame(f);

		(void)plain_frame(frame->data, &mac, &own, i, FRAME_MAX + 1);
		frame->len = len[i];
	}
	send_out(f, 0);
	assert_int_equal(f->n_sent, 3);
	assert_int_equal(f->calls, 1);
	for (uint8_t i = 0; i < 6; i++) {
		struct slice plain;

		if (len[i] < FRAME_MIN || len[i] > FRAME_MAX)
			continue;
		plain = next_sent(f, 0, &h);
		(void)plain_frame(want, &mac, &own, i, FRAME_MAX);
		assert_int_equal(plain.len, len[i]);
		assert_memory_equal(plain.data, want, plain.len);
	}
	assert_int_equal(drops_get(&f->w.drops, DROP_FRAME_SHORT), 2);
	assert_int_equal(drops_get(&f->w.drops, DROP_FRAME_LONG), 1);
}

static void communities_are_apart(void **state)
{
	struct fixture *f = *state;
	struct data_header h;

	put(f, OTHER, 1);
	put(f, 0, 2); /* known in the other community only: to everybody of this one */
	put(f, EVERYBODY, 3);
	send_out(f, 1);
	assert_int_equal(f->n_sent, 3);
	check_plain(next_sent(f, OTHER, &h), OTHER, 1);
	check_plain(next_sent(f, OTHER, &h), 0, 2);
	check_plain(next_sent(f, OTHER, &h), EVERYBODY, 3);
	/* And where nobody is: it is left for those who come. */
	view_remove_port(&f->rig.node.core.view, 1, f->port[OTHER]);
	f->view = rig_view(&f->rig);
	put(f, EVERYBODY, 1);
	put(f, NOBODY, 2);
	send_out(f, 1);
	assert_int_equal(f->n_sent, 0);
	assert_int_equal(f->n_notes, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(f->note[i].index, 0);
		assert_int_equal(f->note[i].to.community, 1);
		assert_true(f->note[i].missed.all);
		assert_int_equal(f->note[i].missed.view, f->view->version);
	}
	assert_drops(f, DROP_NO_PEER, 0);
}

/* Nothing is written before the headroom's part that is used, nor behind the tag. */
static void check_canaries(struct fixture *f, unsigned to, size_t header, size_t most)
{
	const struct mac mac = mac_of(to);

	for (uint8_t i = 0; i < BATCH_MAX; i++) {
		struct frame *frame = next_frame(f);

		frame->len = plain_frame(frame->data, &mac, &own, i, most - i);
	}
	send_out(f, 0);
	assert_int_equal(f->n_sent, BATCH_MAX);
	assert_int_equal(f->calls, 1);
	for (uint8_t i = 0; i < BATCH_MAX; i++) {
		const size_t end = SLOT_HEADROOM + most - i + DATA_TAG_LEN;

		assert_int_equal(f->sent[i].len, header + most - i + DATA_TAG_LEN);
		for (size_t k = 0; k < SLOT_LEN; k++)
			if (k < SLOT_HEADROOM - header || k >= end)
				assert_int_equal(f->slots[i][k], CANARY);
	}
}

static void slots_are_written_within_their_bounds(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(SLOT_HEADROOM, RELAY_HEADER_LEN + DATA_HEADER_LEN);
	check_canaries(f, 0, DATA_HEADER_LEN, FRAME_MAX);
	/* No datagram of more than 1,452 bytes goes through a relay. */
	check_canaries(f, RELAYED, SLOT_HEADROOM, 1452 - RELAY_HEADER_LEN - DATA_OVERHEAD);
}

/* A whole batch, and the next: one header each, counters without a hole, in one call. */
static void relayed_trains_count_on(void **state)
{
	struct fixture *f = *state;

	for (unsigned round = 0; round < 3; round++) {
		const uint8_t turn = round == 2 ? 40 : BATCH_MAX;

		for (uint8_t i = 0; i < BATCH_MAX; i++)
			put(f, i < turn ? RELAYED : RELAYED + 1, i);
		send_out(f, 0);
		assert_int_equal(f->calls, round == 2 ? 2 : 1);
		assert_int_equal(f->n_sent, BATCH_MAX);
		for (uint8_t i = 0; i < BATCH_MAX; i++)
			check_sent(f, i < turn ? RELAYED : RELAYED + 1, i);
	}
	assert_int_equal(f->relay_expected, 3 * BATCH_MAX);
	/* A hop that has no counters left sends nothing, and says so. */
	f->end[HOP].s->current->tx.relay_counter = COUNTER_LIMIT - 1;
	put(f, RELAYED, 1);
	put(f, RELAYED, 2);
	put(f, 0, 3);
	send_out(f, 0);
	assert_int_equal(f->n_sent, 1);
	check_sent(f, 0, 3);
	assert_drops(f, DROP_NO_PATH, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_go_where_they_should),
		TEST(mixed_batches_stay_in_order),
		TEST(used_up_keys_leave_their_frames),
		TEST(frames_that_wait_are_made_whole),
		TEST(lengths_have_limits),
		TEST(communities_are_apart),
		TEST(slots_are_written_within_their_bounds),
		TEST(relayed_trains_count_on),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
