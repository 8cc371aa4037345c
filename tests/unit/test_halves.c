/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames that come in halves, through an edge's worker: in every order, by every way. */
#include "edge_data_test.h"

#define LEN 1514

static int begin(void **state)
{
	struct fixture *f;
	int rc = setup(state);

	f = *state;
	f->rig.node.core.view.pieces = pieces_create();
	assert_non_null(f->rig.node.core.view.pieces);
	f->rig.node.core.view.changed = true;
	f->view = rig_view(&f->rig);
	return rc;
}

static int end(void **state)
{
	struct fixture *f = *state;

	pieces_destroy(f->rig.node.core.view.pieces);
	return teardown(state);
}

/* A frame of a peer, told by its number. */
static void make(uint8_t *frame, unsigned from, uint8_t number, size_t len)
{
	const struct mac mac = mac_of(from);

	plain_frame(frame, &own, &mac, number, len);
	frame[len - 1] = (uint8_t)~number;
}

static void seal(struct fixture *f, const struct far_end *e, struct data_header h, uint8_t *packet,
	size_t len, const uint8_t mask[MASK_LEN])
{
	struct aead_op op = {.text = packet + DATA_HEADER_LEN,
		.len = len,
		.ad = packet,
		.ad_len = DATA_HEADER_LEN};

	h.cipher = AEAD_CHACHA20POLY1305;
	h.index = e->s->link.id << 2;
	data_header_write(packet, &h);
	key_nonce(op.nonce, e->far->tx.iv, h.counter);
	aead_seal(e->far->tx.key, f->rig.node.core.tx.aead, &op, 1);
	packet_mask(packet, len + DATA_OVERHEAD, DATA_HEADER_LEN, mask);
}

/* A datagram at this place in memory, for the next place of the batch. */
static struct rx *come_at(struct fixture *f, uint8_t *at, unsigned from, struct data_header h,
	const uint8_t *text, size_t len)
{
	const struct endpoint address = test_endpoint((uint8_t)(from + 1), 500);
	struct rx *x = &f->rx[f->n++];

	memset(x, 0xa5, sizeof(*x));
	x->in = (struct datagram){.data = at, .len = len + DATA_OVERHEAD, .way = way_to(&address)};
	memcpy(at + DATA_HEADER_LEN, text, len);
	seal(f, &f->end[from], h, at, len, f->view->community[from == OTHER].mask);
	return x;
}

static struct rx *come_relayed(
	struct fixture *f, unsigned from, struct data_header h, const uint8_t *text, size_t len)
{
	struct far_end *hop = &f->end[HOP];
	uint8_t *p = f->slots[f->n];
	const struct relay_header r = {
		RELAY_HOP_LIMIT, hop->s->link.id << 2, f->relay_counter++, handle_of(from), false};
	struct rx *x = &f->rx[f->n++];

	memset(x, 0xa5, sizeof(*x));
	x->in = (struct datagram){.data = p,
		.len = RELAY_HEADER_LEN + len + DATA_OVERHEAD,
		.way = link_path(&hop->s->link)->way};
	memcpy(p + SLOT_HEADROOM, text, len);
	seal(f, &f->end[from], h, p + RELAY_HEADER_LEN, len, f->end[from].far->tx.mask);
	relay_header_write(p, &r);
	relay_mac(p + RELAY_MASKED_LEN, hop->far->tx.hop_key, p, p + RELAY_HEADER_LEN,
		x->in.len - RELAY_HEADER_LEN);
	packet_mask(p, x->in.len, RELAY_MASKED_LEN, f->view->doors.hop[1].mask);
	return x;
}

/* Half of frame number of a peer, in a slot of its own. */
static void come(struct fixture *f, unsigned from, uint8_t number, enum frame_piece piece)
{
	const struct data_header h = {
		.piece = (uint8_t)piece, .counter = 2u * number + (piece == PIECE_LAST)};
	uint8_t frame[FRAME_MAX];

	make(frame, from, number, LEN);
	come_at(f, f->slots[f->n], from, h, frame + (piece == PIECE_LAST ? LEN / 2 : 0), LEN / 2);
}

static void take(struct fixture *f)
{
	edge_datagrams_in(&f->w, f->view, f->rx, f->n, START_MS);
	f->n_written = 0;
	edge_frames_in(&f->w, f->rx, f->n);
	f->n = 0;
}

static void check(const struct fixture *f, size_t at, unsigned from, uint8_t number)
{
	uint8_t want[FRAME_MAX];

	make(want, from, number, LEN);
	assert_true(at < f->n_written);
	assert_int_equal(f->written[at].len, LEN);
	assert_memory_equal(f->written[at].data, want, LEN);
}

/* As a train is received: one behind the other, the last half of a frame right behind the first. */
static void halves_of_a_train_become_frames(void **state)
{
	static uint8_t train[BATCH_MAX * (FRAME_MAX + 2 * DATA_OVERHEAD)];
	struct fixture *f = *state;
	uint8_t frame[FRAME_MAX];

	for (size_t len = FRAME_MAX - 1; len <= FRAME_MAX; len++) {
		uint8_t *at = train;

		for (uint32_t i = 0; i < BATCH_MAX / 2; i++) {
			struct data_header h = {
				.piece = PIECE_FIRST, .counter = f->end[0].counter++};
			const size_t first = (len + 1) / 2;

			make(frame, 0, (uint8_t)i, len);
			at += come_at(f, at, 0, h, frame, first)->in.len;
			h = (struct data_header){
				.piece = PIECE_LAST, .counter = f->end[0].counter++};
			at += come_at(f, at, 0, h, frame + first, len - first)->in.len;
		}
		take(f);
		assert_int_equal(f->n_written, BATCH_MAX / 2);
		for (uint8_t i = 0; i < BATCH_MAX / 2; i++) {
			make(frame, 0, i, len);
			assert_int_equal(f->written[i].len, len);
			assert_memory_equal(f->written[i].data, frame, len);
		}
	}
	assert_drops(f, DROP_MALFORMED, 0);
	assert_int_equal(link_word(&f->end[0].s->link.rx_frames), BATCH_MAX);
	assert_int_equal(
		link_word(&f->end[0].s->link.rx_bytes), BATCH_MAX / 2 * (2 * FRAME_MAX - 1));
	assert_int_equal(link_word(&f->end[0].s->link.rx_frame_ms), START_MS);
}

/* Two peers, mixed, swapped, and in two batches: every frame comes, each once. */
static void order_does_not_matter(void **state)
{
	struct fixture *f = *state;

	come(f, 0, 0, PIECE_LAST);
	come(f, 0, 0, PIECE_FIRST);
	come(f, 0, 1, PIECE_FIRST);
	come(f, 1, 1, PIECE_FIRST);
	come(f, 1, 1, PIECE_LAST);
	come(f, 0, 1, PIECE_LAST);
	come(f, 0, 2, PIECE_LAST);
	come(f, 1, 2, PIECE_LAST);
	come(f, 1, 3, PIECE_FIRST);
	take(f);
	assert_int_equal(f->n_written, 3);
	check(f, 0, 0, 0);
	check(f, 1, 1, 1);
	check(f, 2, 0, 1);
	come(f, 1, 3, PIECE_LAST);
	come(f, 0, 2, PIECE_FIRST);
	come(f, 1, 2, PIECE_FIRST);
	take(f);
	assert_int_equal(f->n_written, 3);
	check(f, 0, 1, 3);
	check(f, 1, 0, 2);
	check(f, 2, 1, 2);
	assert_drops(f, DROP_MALFORMED, 0);
}

/* A copy of a half is a repetition, and a frame without one of its halves never comes. */
static void copies_and_single_halves_come_to_nothing(void **state)
{
	struct fixture *f = *state;

	come(f, 0, 0, PIECE_FIRST);
	come(f, 0, 0, PIECE_FIRST);
	come(f, 0, 1, PIECE_LAST);
	come(f, 0, 2, PIECE_FIRST);
	take(f);
	assert_int_equal(f->n_written, 0);
	assert_drops(f, DROP_REPLAY, 1);
	come(f, 0, 0, PIECE_LAST);
	come(f, 0, 0, PIECE_FIRST);
	take(f);
	assert_int_equal(f->n_written, 1);
	check(f, 0, 0, 0);
	come(f, 0, 0, PIECE_LAST);
	take(f);
	assert_int_equal(f->n_written, 0);
	assert_drops(f, DROP_REPLAY, 3);
	pieces_sweep(f->view->pieces, &f->w.drops, START_MS + PIECES_WAIT_MS);
	assert_int_equal(drops_get(&f->w.drops, DROP_PIECE_LATE), 2);
}

/* One half straight, the other through the relay, as when the path changes in between. */
static void halves_meet_from_different_ways(void **state)
{
	struct fixture *f = *state;
	struct data_header h = {.piece = PIECE_LAST, .counter = 1};
	uint8_t frame[FRAME_MAX];

	make(frame, 0, 0, LEN);
	come(f, 0, 0, PIECE_FIRST);
	come_relayed(f, 0, h, frame + LEN / 2, LEN / 2);
	take(f);
	assert_int_equal(f->n_written, 1);
	check(f, 0, 0, 0);
	h.counter = 3;
	make(frame, 0, 1, LEN);
	come_relayed(f, 0, h, frame + LEN / 2, LEN / 2);
	take(f);
	come(f, 0, 1, PIECE_FIRST);
	take(f);
	assert_int_equal(f->n_written, 1);
	check(f, 0, 0, 1);
	assert_drops(f, DROP_MALFORMED, 0);
}

/* The sum is found in the frame, as neither half alone would tell. */
static void an_unset_checksum_is_the_whole_frames(void **state)
{
	struct fixture *f = *state;
	const struct mac mac = mac_of(0);
	struct data_header h = {.csum_unset = true};
	uint8_t frame[SLOT_LEN];

	for (uint32_t i = 0; i < 2; i++) {
		const size_t len = segment(frame, &mac, i, SUM_UNSET), first = (len + 1) / 2;

		h.piece = PIECE_FIRST;
		h.counter = 2 * i;
		come_at(f, f->slots[f->n], 0, h, frame, first);
		if (i == 1)
			take(f);
		h.piece = PIECE_LAST;
		h.counter++;
		come_at(f, f->slots[f->n], 0, h, frame + first, len - first);
		take(f);
		assert_int_equal(f->n_written, 1);
		assert_int_equal(f->written[0].len, len);
		assert_memory_equal(f->written[0].data, frame, len);
		assert_true(f->written[0].offload.csum_unset);
	}
	assert_drops(f, DROP_MALFORMED, 0);
	/* And none is there. */
	make(frame, 0, 9, LEN);
	h.piece = PIECE_FIRST;
	h.counter = 20;
	come_at(f, f->slots[f->n], 0, h, frame, LEN / 2);
	h.piece = PIECE_LAST;
	h.counter++;
	come_at(f, f->slots[f->n], 0, h, frame + LEN / 2, LEN / 2);
	take(f);
	assert_int_equal(f->n_written, 0);
	assert_drops(f, DROP_MALFORMED, 1);
}

/* In or out of the pool, by their header or by their length. */
static void what_is_no_half_of_a_frame_is_refused(void **state)
{
	static const struct {
		uint8_t kind, piece;
		size_t len;
		enum drop why;
	} bad[] = {
		{KIND_ETHERNET, PIECE_FIRST, HALF_MAX + 1, DROP_MALFORMED},
		{KIND_ETHERNET, PIECE_LAST, HALF_MAX + 1, DROP_MALFORMED},
		{KIND_ETHERNET, PIECE_FIRST, HALF_MIN - 1, DROP_MALFORMED},
		{KIND_ETHERNET, PIECE_LAST, 0, DROP_MALFORMED},
		{KIND_CONTROL, PIECE_FIRST, 100, DROP_CIPHER},
		{KIND_CONTROL, PIECE_LAST, 100, DROP_CIPHER},
	};
	static const uint8_t text[FRAME_MAX];
	struct fixture *f = *state;
	struct data_header h = {.counter = 0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const uint64_t before = drops_get(&f->w.drops, bad[i].why);

		h = (struct data_header){
			.kind = bad[i].kind, .piece = bad[i].piece, .counter = h.counter + 2};
		come_at(f, f->slots[0], 0, h, text, bad[i].len);
		take(f);
		assert_int_equal(f->rx[0].verdict, VERDICT_DROP);
		assert_int_equal(drops_get(&f->w.drops, bad[i].why), before + 1);
	}
	/* Side by side, but not as a sender cuts. */
	h = (struct data_header){.piece = PIECE_FIRST, .counter = 100};
	come_at(f, f->slots[f->n], 0, h, text, 300);
	h = (struct data_header){.piece = PIECE_LAST, .counter = 101};
	come_at(f, f->slots[f->n], 0, h, text, 298);
	take(f);
	assert_int_equal(f->rx[0].verdict, VERDICT_DROP);
	assert_int_equal(f->rx[1].verdict, VERDICT_DROP);
	assert_int_equal(drops_get(&f->w.drops, DROP_MALFORMED), 6);
}

/* Of 14 to 1,522 bytes, odd or even: what halves would make beyond that is none, joined or apart.
 */
static void what_halves_make_is_as_long_as_a_frame(void **state)
{
	static const struct {
		size_t first, last, frames, malformed, single;
	} pairs[] = {
		{HALF_MAX, HALF_MAX, 1, 0, 0},
		{HALF_MAX, HALF_MAX - 1, 1, 0, 0},
		{HALF_MIN, HALF_MIN, 1, 0, 0},
		{HALF_MIN + 1, HALF_MIN, 1, 0, 0},
		{HALF_MAX + 1, HALF_MAX, 0, 1, 1},
		{HALF_MAX + 1, HALF_MAX + 1, 0, 2, 0},
		{HALF_MIN, HALF_MIN - 1, 0, 1, 1},
		{HALF_MIN - 1, HALF_MIN - 1, 0, 2, 0},
		{1, 0, 0, 2, 0},
	};
	struct fixture *f = *state;
	uint8_t frame[FRAME_MAX + 2];
	size_t malformed = 0, single = 0, n = 2 * sizeof(pairs) / sizeof(pairs[0]);

	for (size_t i = 0; i < n; i++) {
		const size_t first = pairs[i / 2].first, last = pairs[i / 2].last;
		struct data_header h = {.piece = PIECE_FIRST, .counter = (uint32_t)(4 * i)};

		memset(frame, 0, sizeof(frame));
		make(frame, 0, 1, FRAME_MIN);
		come_at(f, f->slots[f->n], 0, h, frame, first);
		if (i % 2 == 1)
			take(f);
		h.piece = PIECE_LAST;
		h.counter++;
		come_at(f, f->slots[f->n], 0, h, frame + first, last);
		take(f);
		malformed += pairs[i / 2].malformed;
		single += pairs[i / 2].single;
		assert_int_equal(f->n_written, pairs[i / 2].frames);
		if (f->n_written == 1) {
			assert_int_equal(f->written[0].len, first + last);
			assert_memory_equal(f->written[0].data, frame, first + last);
		}
		assert_int_equal(drops_get(&f->w.drops, DROP_MALFORMED), malformed);
	}
	pieces_sweep(f->view->pieces, &f->w.drops, START_MS + PIECES_WAIT_MS);
	assert_int_equal(drops_get(&f->w.drops, DROP_PIECE_LATE), single);
}

/* In a buffer that ends where the datagram ends; and the whole of it may have been cut off. */
static void every_length_is_judged(void **state)
{
	static const uint8_t text[HALF_MAX + 9];
	struct fixture *f = *state;

	for (size_t len = 0; len < sizeof(text); len++) {
		const bool fits = len >= HALF_MIN && len <= HALF_MAX;
		const struct data_header h = {.piece = len % 2 == 0 ? PIECE_FIRST : PIECE_LAST,
			.counter = (uint32_t)(4 * len + 1)};
		uint8_t *exact = malloc(DATA_OVERHEAD + len);

		assert_non_null(exact);
		come_at(f, exact, 0, h, text, len);
		take(f);
		assert_int_equal(f->rx[0].verdict, fits ? VERDICT_HALF : VERDICT_DROP);
		assert_int_equal(f->n_written, 0);
		come_at(f, exact, 0, h, text, len);
		f->rx[0].in.len = len; /* what is left then is not genuine */
		take(f);
		assert_int_not_equal(f->rx[0].verdict, VERDICT_HALF);
		free(exact);
	}
	assert_int_equal(
		drops_get(&f->w.drops, DROP_MALFORMED), HALF_MIN + sizeof(text) - HALF_MAX - 1);
}

/* Halves are genuine packets: what looks for signs of life sees them. */
static void halves_are_signs_of_life(void **state)
{
	struct fixture *f = *state;
	struct link *l = &f->end[0].s->link;

	come(f, 0, 0, PIECE_FIRST);
	take(f);
	assert_int_equal(link_word(&l->rx_ms), START_MS);
	assert_int_equal(link_word(&l->rx_direct_ms), START_MS);
	assert_int_equal(link_word(&l->rx_frame_ms), START_MS);
	assert_int_equal(link_word(&l->rx_frames), 0);
	come(f, 0, 0, PIECE_LAST);
	take(f);
	assert_int_equal(link_word(&l->rx_frames), 1);
	assert_int_equal(link_word(&l->rx_bytes), LEN);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(halves_of_a_train_become_frames),
		TEST(order_does_not_matter),
		TEST(copies_and_single_halves_come_to_nothing),
		TEST(halves_meet_from_different_ways),
		TEST(an_unset_checksum_is_the_whole_frames),
		TEST(what_is_no_half_of_a_frame_is_refused),
		TEST(what_halves_make_is_as_long_as_a_frame),
		TEST(every_length_is_judged),
		TEST(halves_are_signs_of_life),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
