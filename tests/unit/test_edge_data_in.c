/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The data path of an edge, inwards: what each datagram of a batch is, whatever stands beside it.
 */
#include "edge_data_test.h"

enum via {
	DIRECT,
	RELAY
};

enum what {
	FRAME,
	SUM_FRAME, /* its checksum is unset, and has a place */
	EMPTY,
	PADDING, /* and nothing else: as good as empty */
	CONTROL,
	NO_PLACE, /* a checksum unset in a frame that has none */
	EMPTY_SUM,
	CONTROL_SUM,
	OTHER_CIPHER,
	WRONG_TAG,
	AGAIN,		/* a counter that was used */
	OTHERS_ADDRESS, /* a source MAC of another member */
	LONG,
	SHORT,
	WHATS
};

static struct rx *next_rx(struct fixture *f, size_t len, const struct endpoint *from)
{
	struct rx *x = &f->rx[f->n];

	assert_true(f->n < BATCH_MAX);
	memset(x, 0xa5, sizeof(*x)); /* a worker's array holds what the last batch left */
	x->in = (struct datagram){.data = f->slots[f->n], .len = len, .way = way_to(from)};
	f->n++;
	return x;
}

static size_t plain_of(unsigned from, enum what what, uint8_t number, uint8_t *out)
{
	const struct mac mac = mac_of(from), others = mac_of((from + 1) % PEERS);
	struct writer w;

	switch (what) {
	case SUM_FRAME:
		return segment(out, &mac, number, SUM_UNSET);
	case EMPTY:
	case EMPTY_SUM:
		return 0;
	case PADDING:
		writer_init(&w, out, SLOT_LEN);
		control_pad(&w, CONTROL_HEADER_LEN + number % 3 * 100u);
		return writer_len(&w);
	case OTHERS_ADDRESS:
		return plain_frame(out, &own, &others, number, len_of(number));
	case LONG:
		return plain_frame(out, &own, &mac, number, FRAME_MAX + 1);
	case SHORT:
		return plain_frame(out, &own, &mac, number, FRAME_MIN - 1);
	default:
		return plain_frame(out, &own, &mac, number, len_of(number));
	}
}

/* Seals what is at packet + DATA_HEADER_LEN. */
static void seal(struct fixture *f, struct far_end *e, const struct data_header *h, uint8_t *packet,
	size_t len, const uint8_t mask[MASK_LEN])
{
	struct aead_op op = {.text = packet + DATA_HEADER_LEN,
		.len = len,
		.ad = packet,
		.ad_len = DATA_HEADER_LEN};

	data_header_write(packet, h);
	key_nonce(op.nonce, e->far->tx.iv, h->counter);
	aead_seal(e->far->tx.key, f->rig.node.core.tx.aead, &op, 1);
	packet_mask(packet, len + DATA_OVERHEAD, DATA_HEADER_LEN, mask);
}

/* The inner packet is in its place. */
static void wrap(struct fixture *f, unsigned from, struct rx *x)
{
	struct far_end *hop = &f->end[HOP];
	uint8_t *p = x->in.data;
	const struct relay_header h = {
		RELAY_HOP_LIMIT, hop->s->link.id << 2, f->relay_counter++, handle_of(from), false};

	x->in.way = link_path(&hop->s->link)->way;
	x->in.len += RELAY_HEADER_LEN;
	relay_header_write(p, &h);
	relay_mac(p + RELAY_MASKED_LEN, hop->far->tx.hop_key, p, p + RELAY_HEADER_LEN,
		x->in.len - RELAY_HEADER_LEN);
	packet_mask(p, x->in.len, RELAY_MASKED_LEN, f->view->doors.hop[1].mask);
}

static struct rx *come(
	struct fixture *f, unsigned from, enum via via, enum what what, uint8_t number)
{
	struct far_end *e = &f->end[from];
	const struct endpoint at = test_endpoint((uint8_t)(from + 1), 500);
	struct rx *x = next_rx(f, 0, &at);
	uint8_t *packet = x->in.data + (via == RELAY ? RELAY_HEADER_LEN : 0);
	const size_t len = plain_of(from, what, number, packet + DATA_HEADER_LEN);
	const struct data_header h = {
		.kind = what == CONTROL || what == CONTROL_SUM || what == PADDING ? KIND_CONTROL
										  : KIND_ETHERNET,
		.cipher = what == OTHER_CIPHER ? AEAD_AES256GCM : AEAD_CHACHA20POLY1305,
		.csum_unset = what == SUM_FRAME || what == NO_PLACE || what == EMPTY_SUM ||
			      what == CONTROL_SUM,
		.index = e->s->link.id << 2,
		.counter = what == AGAIN ? 0 : e->counter++,
	};

	seal(f, e, &h, packet, len,
		via == RELAY ? e->far->tx.mask : f->view->community[from == OTHER].mask);
	x->in.len = len + DATA_OVERHEAD;
	if (what == WRONG_TAG)
		packet[DATA_HEADER_LEN] ^= 1; /* the tag, and so the mask, stay */
	if (via == RELAY)
		wrap(f, from, x);
	return x;
}

/* A keepalive of the supernode. */
static void come_from_hop(struct fixture *f)
{
	struct far_end *e = &f->end[HOP];
	struct rx *x = next_rx(f, DATA_OVERHEAD, &link_path(&e->s->link)->way.remote);
	const struct data_header h = {.cipher = AEAD_CHACHA20POLY1305,
		.index = e->s->link.id << 2,
		.counter = e->counter++};

	seal(f, e, &h, x->in.data, 0, f->view->doors.hop[1].mask);
}

static void take(struct fixture *f)
{
	edge_datagrams_in(&f->w, f->view, f->rx, f->n, START_MS);
	f->n_written = 0;
	f->writes = 0;
	edge_frames_in(&f->w, f->rx, f->n);
	f->n = 0;
}

/* A drop reason, or DROP_COUNT. */
static enum drop fate(enum what what)
{
	static const enum drop fates[WHATS] = {
		[FRAME] = DROP_COUNT,
		[SUM_FRAME] = DROP_COUNT,
		[EMPTY] = DROP_COUNT,
		[PADDING] = DROP_COUNT,
		[CONTROL] = DROP_COUNT,
		[NO_PLACE] = DROP_MALFORMED,
		[EMPTY_SUM] = DROP_MALFORMED,
		[CONTROL_SUM] = DROP_CIPHER,
		[OTHER_CIPHER] = DROP_CIPHER,
		[WRONG_TAG] = DROP_AUTH,
		[AGAIN] = DROP_REPLAY,
		[OTHERS_ADDRESS] = DROP_SOURCE_MAC,
		[LONG] = DROP_FRAME_LONG,
		[SHORT] = DROP_FRAME_SHORT,
	};

	return fates[what];
}

static void check_origin(const struct fixture *f, const struct rx *x, unsigned from, enum via via)
{
	assert_true(way_same_remote(&x->origin.way, &x->in.way));
	assert_int_equal(x->origin.hop_id, via == RELAY ? f->end[HOP].s->link.id : 0);
	if (via == RELAY)
		assert_int_equal(x->origin.handle, handle_of(from));
}

static void check_verdict(const struct fixture *f, const struct rx *x, unsigned from, enum via via,
	enum what what, uint8_t number)
{
	static const enum verdict verdicts[] = {
		[FRAME] = VERDICT_FRAME,
		[SUM_FRAME] = VERDICT_FRAME,
		[EMPTY] = VERDICT_EMPTY,
		[PADDING] = VERDICT_EMPTY,
		[CONTROL] = VERDICT_CONTROL,
	};
	uint8_t want[SLOT_LEN];

	check_origin(f, x, from, via);
	assert_ptr_equal(x->link, &f->end[from].s->link);
	if (fate(what) != DROP_COUNT) {
		assert_int_equal(x->verdict, VERDICT_DROP);
		assert_int_equal(x->why, fate(what));
		return;
	}
	assert_int_equal(x->verdict, verdicts[what]);
	assert_ptr_equal(x->keys, &f->end[from].s->current->rx);
	assert_int_equal(x->len, plain_of(from, what, number, want));
	assert_memory_equal(x->data, want, x->len);
	assert_int_equal(x->offload.csum_unset, what == SUM_FRAME);
}

/* Whatever stands next to whatever: each datagram is judged as if it came alone. */
static void everything_in_one_batch(void **state)
{
	struct fixture *f = *state;
	uint64_t dropped[DROP_COUNT + 1] = {0}, frames = 0, counted = 0;
	size_t k;
	struct {
		unsigned from;
		enum via via;
		enum what what;
	} c[BATCH_MAX] = {{.from = 0}};

	for (unsigned i = 0; i < SESSIONS; i++)
		(void)come(f, i, DIRECT, EMPTY, 0); /* uses counter 0 */
	take(f);
	for (unsigned round = 0; round < 200; round++) {
		for (uint8_t i = 0; i < BATCH_MAX; i++) {
			if (i > 0 && roll(f, 2) == 0)
				c[i] = c[i - 1];
			else if (roll(f, 9) == 0)
				c[i].from = HOP;
			else
				c[i].from = roll(f, SESSIONS);
			if (roll(f, 3) == 0)
				c[i].via = (enum via)roll(f, 2);
			c[i].what = roll(f, 2) == 0 ? (enum what)roll(f, WHATS) : FRAME;
			if (c[i].from == HOP)
				come_from_hop(f);
			else
				(void)come(f, c[i].from, c[i].via, c[i].what, i);
		}
		take(f);
		k = 0;
		for (uint8_t i = 0; i < BATCH_MAX; i++) {
			if (c[i].from == HOP) {
				assert_int_equal(f->rx[i].verdict, VERDICT_EMPTY);
				assert_ptr_equal(f->rx[i].link, &f->end[HOP].s->link);
				continue;
			}
			check_verdict(f, &f->rx[i], c[i].from, c[i].via, c[i].what, i);
			dropped[fate(c[i].what)]++;
			if (c[i].what != FRAME && c[i].what != SUM_FRAME)
				continue;
			frames++;
			assert_int_equal(f->written[k].community, c[i].from == OTHER);
			assert_int_equal(f->written[k].len, f->rx[i].len);
			assert_memory_equal(f->written[k].data, f->rx[i].data, f->rx[i].len);
			k++;
		}
		assert_int_equal(k, f->n_written);
	}
	for (enum drop d = 0; d < DROP_COUNT; d++)
		assert_int_equal(drops_get(&f->w.drops, d), dropped[d]);
	/* Sessions count too what was opened and only then found to be no frame of theirs. */
	for (unsigned i = 0; i < SESSIONS; i++)
		counted += f->end[i].s->link.rx_frames;
	assert_int_equal(counted, frames + dropped[DROP_SOURCE_MAC] + dropped[DROP_FRAME_LONG]);
}

/* Neither the window nor any word of the session shows that it came. */
static void a_forbidden_header_has_no_effect(void **state)
{
	static const enum what whats[] = {CONTROL_SUM, OTHER_CIPHER, WRONG_TAG};
	struct fixture *f = *state;
	struct link *s = &f->end[0].s->link;

	for (unsigned i = 0; i < 3; i++) {
		f->end[0].counter = i;
		(void)come(f, 0, DIRECT, whats[i], 1);
		take(f);
		assert_int_equal(f->rx[0].verdict, VERDICT_DROP);
		assert_int_equal(s->rx_ms, 0);
		assert_int_equal(s->rx_direct_ms, 0);
		f->end[0].counter = i;
		(void)come(f, 0, DIRECT, CONTROL, 1);
		take(f);
		assert_int_equal(f->rx[0].verdict, VERDICT_CONTROL);
		s->rx_ms = s->rx_direct_ms = 0;
	}
}

/* Genuine, but no frame: it keeps the session alive and nothing else. */
static void a_sum_without_a_place_is_no_frame(void **state)
{
	struct fixture *f = *state;
	struct link *s = &f->end[0].s->link;

	(void)come(f, 0, DIRECT, NO_PLACE, 1);
	(void)come(f, 0, DIRECT, EMPTY_SUM, 2);
	(void)come(f, 0, RELAY, NO_PLACE, 3);
	take(f);
	assert_int_equal(f->writes, 0);
	assert_int_equal(s->rx_frames, 0);
	assert_int_equal(s->rx_frame_ms, 0);
	assert_drops(f, DROP_MALFORMED, 3);
}

/* The look-up of the datagram before serves for the index, never for where it came from. */
static void one_index_from_several_addresses(void **state)
{
	struct fixture *f = *state;
	const struct endpoint at[] = {test_endpoint(1, 500), test_endpoint(77, 1),
		test_endpoint(2, 500), test_endpoint(1, 501)};

	for (unsigned i = 0; i < 4; i++)
		come(f, 0, DIRECT, FRAME, (uint8_t)i)->in.way.remote = at[i];
	(void)come(f, 0, RELAY, FRAME, 4);
	(void)come(f, 0, DIRECT, FRAME, 5);
	take(f);
	for (uint8_t i = 0; i < 6; i++)
		check_verdict(f, &f->rx[i], 0, i == 4 ? RELAY : DIRECT, FRAME, i);
	for (unsigned i = 0; i < 4; i++)
		assert_true(endpoint_equal(&f->rx[i].origin.way.remote, &at[i]));
	assert_int_equal(f->n_written, 6);
}

/* Another's index behind a run: its mask fits, its key does not. */
static void a_borrowed_index_opens_nothing(void **state)
{
	struct fixture *f = *state;
	struct far_end thief = f->end[1];
	struct rx *x;
	struct data_header h = {
		.cipher = AEAD_CHACHA20POLY1305, .index = f->end[0].s->link.id << 2, .counter = 1};
	const struct endpoint at = test_endpoint(2, 500);

	(void)come(f, 0, DIRECT, FRAME, 0);
	x = next_rx(f, DATA_OVERHEAD, &at);
	seal(f, &thief, &h, x->in.data, 0, f->view->community[0].mask);
	/* The right session, at a position where it has no keys. */
	h.index++;
	x = next_rx(f, DATA_OVERHEAD, &at);
	seal(f, &thief, &h, x->in.data, 0, f->view->community[0].mask);
	/* A hop's index from a stranger, and a peer's from the supernode. */
	h.index = f->end[HOP].s->link.id << 2;
	x = next_rx(f, DATA_OVERHEAD, &at);
	seal(f, &f->end[HOP], &h, x->in.data, 0, f->view->community[0].mask);
	x = come(f, 1, DIRECT, FRAME, 4);
	x->in.way = link_path(&f->end[HOP].s->link)->way;
	(void)come(f, 0, DIRECT, FRAME, 5);
	take(f);
	check_verdict(f, &f->rx[0], 0, DIRECT, FRAME, 0);
	check_verdict(f, &f->rx[5], 0, DIRECT, FRAME, 5);
	assert_int_equal(f->rx[1].verdict, VERDICT_DROP);
	assert_int_equal(f->rx[1].why, DROP_AUTH);
	assert_int_equal(f->rx[2].verdict, VERDICT_UNKNOWN);
	assert_int_equal(f->rx[3].verdict, VERDICT_UNKNOWN);
	assert_int_not_equal(f->rx[4].verdict, VERDICT_FRAME);
	assert_int_equal(f->n_written, 2);
}

/* A relayed packet of peer 0, under any handle. */
static void come_under(struct fixture *f, unsigned handle)
{
	struct rx *x = come(f, 0, RELAY, FRAME, 0);

	x->in.len -= RELAY_HEADER_LEN;
	f->relay_counter--;
	wrap(f, handle, x);
}

/* A relay header is no proof of anything: MAC, window, handle and inner packet are. */
static void relayed_packets_are_checked_one_by_one(void **state)
{
	struct fixture *f = *state;
	struct rx *x;

	for (uint8_t i = 0; i < 8; i++) {
		x = come(f, i % 2, RELAY, FRAME, i);
		if (i == 2)
			x->in.data[RELAY_MASKED_LEN] ^= 1;
		if (i == 4)
			f->relay_counter = 0;
	}
	take(f);
	for (uint8_t i = 0; i < 8; i++) {
		if (i == 2) {
			assert_int_equal(f->rx[i].verdict, VERDICT_DROP);
			assert_int_equal(f->rx[i].why, DROP_AUTH);
		} else if (i == 5 || i == 6) {
			assert_int_equal(f->rx[i].verdict, VERDICT_DROP);
			assert_int_equal(f->rx[i].why, DROP_REPLAY);
		} else {
			/* The seventh took the counter that the forged one did not use up. */
			check_verdict(f, &f->rx[i], i % 2, RELAY, FRAME, i);
		}
	}
	assert_int_equal(f->n_written, 5);
	/* Under the handle of one who did not seal it, and of nobody. */
	f->relay_counter = 100;
	(void)come(f, 0, RELAY, FRAME, 0);
	come_under(f, 1);
	come_under(f, 99);
	(void)come(f, 0, RELAY, FRAME, 3);
	take(f);
	check_verdict(f, &f->rx[0], 0, RELAY, FRAME, 0);
	assert_int_equal(f->rx[1].verdict, VERDICT_UNKNOWN);
	assert_int_equal(f->rx[2].verdict, VERDICT_UNKNOWN);
	check_verdict(f, &f->rx[3], 0, RELAY, FRAME, 3);
}

/* Both ways at once: one window, one order, one train. */
static void direct_and_relayed_segments_join(void **state)
{
	struct fixture *f = *state;
	const struct mac mac = mac_of(0);
	uint8_t whole[BATCH_MAX * 200];
	size_t len = 0;

	f->w.in.kinds = OFFLOAD_BIT(OFFLOAD_TCP4);
	for (uint8_t i = 0; i < BATCH_MAX - 1; i++) {
		uint8_t one[SLOT_LEN];
		const size_t n = segment(one, &mac, i, SUM_UNSET);

		(void)come(f, 0, i % 3 == 1 ? RELAY : DIRECT, SUM_FRAME, i);
		memcpy(whole + len, one + (i > 0 ? n - 100 : 0), i > 0 ? 100 : n);
		len += i > 0 ? 100 : n;
	}
	(void)come(f, 0, DIRECT, FRAME, 99);
	take(f);
	assert_int_equal(f->writes, 1);
	assert_int_equal(f->n_written, 2);
	assert_int_equal(f->written[0].n_pieces, BATCH_MAX - 1);
	assert_int_equal(f->written[0].offload.kind, OFFLOAD_TCP4);
	assert_int_equal(f->written[0].offload.segment_size, 100);
	assert_int_equal(f->written[0].len, len);
	assert_memory_equal(f->written[0].data + 54, whole + 54, len - 54);
	assert_int_equal(f->written[1].n_pieces, 1);
	/* A hole ends a train; so does what is not joined by this interface. */
	(void)come(f, 0, DIRECT, SUM_FRAME, 0);
	(void)come(f, 0, DIRECT, SUM_FRAME, 1);
	(void)come(f, 0, DIRECT, WRONG_TAG, 2);
	(void)come(f, 0, DIRECT, SUM_FRAME, 3);
	(void)come(f, 0, DIRECT, SUM_FRAME, 4);
	take(f);
	assert_int_equal(f->n_written, 2);
	assert_int_equal(f->written[0].n_pieces, 2);
	assert_int_equal(f->written[1].n_pieces, 2);
}

static void sums_are_filled_in_for_plain_interfaces(void **state)
{
	struct fixture *f = *state;
	uint8_t want[SLOT_LEN];

	f->w.in.csum_unset = false;
	for (uint8_t i = 0; i < 6; i++)
		(void)come(f, i % 2 == 0 ? 0 : OTHER, DIRECT, SUM_FRAME, i);
	take(f);
	/* Interfaces take turns. */
	assert_int_equal(f->writes, 6);
	for (uint8_t i = 0; i < 6; i++) {
		const struct mac mac = mac_of(i % 2 == 0 ? 0 : OTHER);
		const size_t len = segment(want, &mac, i, SUM_FINISHED);

		assert_int_equal(f->written[i].community, i % 2);
		assert_false(f->written[i].offload.csum_unset);
		assert_int_equal(f->written[i].len, len);
		assert_memory_equal(f->written[i].data, want, len);
	}
	assert_drops(f, DROP_MALFORMED, 0);
}

/* Before the CLAIM took effect: for the control thread, which takes whole frames. */
static void early_frames_are_made_whole(void **state)
{
	struct fixture *f = *state;
	const struct mac mac = mac_of(0);
	uint8_t want[SLOT_LEN];
	size_t len;

	f->end[0].s->link.mac = 0;
	(void)come(f, 0, DIRECT, SUM_FRAME, 7);
	(void)come(f, 1, DIRECT, FRAME, 8);
	(void)come(f, 0, RELAY, FRAME, 9);
	take(f);
	len = segment(want, &mac, 7, SUM_FINISHED);
	assert_int_equal(f->rx[0].verdict, VERDICT_EARLY);
	assert_false(f->rx[0].header.csum_unset);
	assert_int_equal(f->rx[0].len, len);
	assert_memory_equal(f->rx[0].data, want, len);
	check_verdict(f, &f->rx[1], 1, DIRECT, FRAME, 8);
	assert_int_equal(f->rx[2].verdict, VERDICT_EARLY);
	assert_int_equal(f->n_written, 1);
	assert_drops(f, DROP_MALFORMED, 0);
}

static void expired_keys_open_nothing(void **state)
{
	struct fixture *f = *state;

	for (uint8_t i = 0; i < 4; i++)
		(void)come(f, i % 2, DIRECT, FRAME, i);
	test_made_at(f->end[1].s->current, 1);
	test_made_at(f->end[0].s->current, START_MS);
	edge_datagrams_in(&f->w, f->view, f->rx, f->n, KEYS_REJECT_MS + 1);
	for (uint8_t i = 0; i < 4; i++) {
		assert_int_equal(f->rx[i].verdict, i % 2 == 1 ? VERDICT_DROP : VERDICT_FRAME);
		if (i % 2 == 1)
			assert_int_equal(f->rx[i].why, DROP_EXPIRED);
	}
	assert_drops(f, DROP_EXPIRED, 2);
}

static void lengths_of_datagrams_have_limits(void **state)
{
	static const size_t len[] = {0, DATAGRAM_MIN_LEN - 1, DATAGRAM_MAX + 1, 100, DATAGRAM_MAX};
	struct fixture *f = *state;
	const struct endpoint at = test_endpoint(200, 1);
	struct rx *x;

	for (unsigned i = 0; i < 5; i++) {
		x = next_rx(f, len[i], &at);
		memset(x->in.data, 0x3d, SLOT_LEN);
	}
	(void)come(f, 0, DIRECT, FRAME, 1);
	take(f);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(f->rx[i].verdict, VERDICT_DROP);
	check_verdict(f, &f->rx[5], 0, DIRECT, FRAME, 1);
	assert_int_equal(drops_get(&f->w.drops, DROP_TOO_SHORT), 2);
	assert_int_equal(drops_get(&f->w.drops, DROP_TOO_LONG), 1);
	assert_int_equal(drops_get(&f->w.drops, DROP_UNKNOWN), 2);
}

/* Its place in the view has a mask that everybody knows: zeros. */
static void where_a_community_was_nobody_is_let_in(void **state)
{
	static const uint8_t zeros[MASK_LEN];
	struct fixture *f = *state;
	struct core *core = &f->rig.node.core;
	const struct endpoint at = test_endpoint(200, 1);
	struct rx *x = next_rx(f, 100, &at);

	view_remove_community(&core->view, 0, core_retire_any, core);
	f->view = rig_view(&f->rig);
	assert_int_equal(f->view->n_communities, 2);
	memset(x->in.data, 0x3d, x->in.len);
	data_header_write(x->in.data, &(struct data_header){.index = 5});
	packet_mask(x->in.data, x->in.len, DATA_HEADER_LEN, zeros);
	take(f);
	assert_int_equal(f->rx[0].verdict, VERDICT_DROP);
	assert_int_equal(f->rx[0].why, DROP_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_in_one_batch),
		TEST(a_forbidden_header_has_no_effect),
		TEST(a_sum_without_a_place_is_no_frame),
		TEST(one_index_from_several_addresses),
		TEST(a_borrowed_index_opens_nothing),
		TEST(relayed_packets_are_checked_one_by_one),
		TEST(direct_and_relayed_segments_join),
		TEST(sums_are_filled_in_for_plain_interfaces),
		TEST(early_frames_are_made_whole),
		TEST(expired_keys_open_nothing),
		TEST(lengths_of_datagrams_have_limits),
		TEST(where_a_community_was_nobody_is_let_in),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
