/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Notes of those who have keys: packets that no worker could place, and word of what was heard. */
#include "core/data/pieces.h"
#include "inbox_test.h"

/* ---- packets under keys that no view had ---- */

static void a_known_index_is_no_strangers_and_costs_no_budget(void **state)
{
	uint8_t plain[64], whole[60];
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	size_t len = bye(plain);

	refuse(f);
	s->link.mac = OWNED;
	send_packet_as_peer(f, KIND_CONTROL, plain, len, f->mask);
	take(f);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
	send_packet_as_peer(f, KIND_ETHERNET, whole, frame_of(OWNED, whole), f->mask);
	take(f);
	assert_int_equal(f->rig.delivered, 1);
	send_packet_as_peer(f, KIND_ETHERNET, NULL, 0, f->mask);
	take(f);
	assert_int_equal(s->link.rx_ms, f->core->now_ms);
	assert_int_equal(f->budget, 0);
	assert_drops(f, DROP_RATE, 0);
	/* Once only. */
	f->counter--;
	send_packet_as_peer(f, KIND_ETHERNET, NULL, 0, f->mask);
	take(f);
	assert_drops(f, DROP_REPLAY, 1);
	/* Neither is a forged one tried under anything else. */
	send_packet_as_peer(f, KIND_CONTROL, plain, len, f->mask);
	f->note.data[DATA_HEADER_LEN] ^= 1;
	take(f);
	assert_int_equal(drops(f, DROP_AUTH), 1);
	assert_int_equal(f->budget, 0);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
}

static void frames_are_delivered_from_their_owner_only(void **state)
{
	uint8_t whole[60];
	struct fixture *f = *state;
	struct session *s = add_keyed(f);

	s->link.mac = LINK_MAC_REFUSED;
	send_packet_as_peer(f, KIND_ETHERNET, whole, frame_of(OWNED, whole), f->mask);
	take(f);
	send_packet_as_peer(f, KIND_ETHERNET, whole, frame_of(0, whole), f->mask);
	take(f);
	s->link.mac = OWNED;
	send_packet_as_peer(f, KIND_ETHERNET, whole, frame_of(OWNED + 1, whole), f->mask);
	take(f);
	assert_drops(f, DROP_SOURCE_MAC, 3);
	assert_int_equal(f->rig.delivered, 0);
	/* A worker has opened it, before the claim. */
	begin_note(f, NOTE_EARLY, HOST);
	f->note.index = s->link.id << 2 | 1;
	f->note.len = frame_of(OWNED, f->note.data);
	take(f);
	assert_int_equal(f->rig.delivered, 1);
	f->note.len = frame_of(OWNED + 1, f->note.data);
	take(f);
	f->note.len = FRAME_MIN - 1;
	take(f);
	assert_int_equal(f->rig.delivered, 1);
	assert_drops(f, DROP_SOURCE_MAC, 5);
	/* A hop carries no frames. */
	s->link.kind = LINK_HOP;
	send_packet_as_peer(f, KIND_ETHERNET, whole, frame_of(OWNED, whole), f->mask);
	take(f);
	assert_int_equal(f->rig.delivered, 1);
}

/* They went before the CLAIM that overtook them, or is lost and comes again. */
static void frames_before_the_claim_wait_for_it(void **state)
{
	uint8_t whole[60], plain[64];
	struct fixture *f = *state;
	struct session *s = add_keyed(f);

	send_packet_as_peer(f, KIND_ETHERNET, whole, frame_of(OWNED, whole), f->mask);
	take(f);
	begin_note(f, NOTE_EARLY, HOST);
	f->note.index = s->link.id << 2 | 1;
	f->note.len = frame_of(OWNED + 1, f->note.data);
	take(f);
	assert_int_equal(f->rig.delivered, 0);
	assert_int_equal(s->early.n, 2);
	s->link.mac = OWNED;
	send_packet_as_peer(f, KIND_CONTROL, plain, bye(plain), f->mask);
	take(f);
	assert_int_equal(f->rig.delivered, 1);
	assert_drops(f, DROP_SOURCE_MAC, 1);
	assert_int_equal(s->early.n, 0);
}

/* Not many, not long, and not in the room of others. */
static void who_never_claims_has_few_frames_waiting(void **state)
{
	uint8_t whole[60];
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	unsigned n;

	for (unsigned i = 0; i < 20; i++) {
		send_packet_as_peer(f, KIND_ETHERNET, whole, frame_of(OWNED, whole), f->mask);
		take(f);
	}
	n = s->early.n;
	assert_in_range(n, 1, 19);
	assert_drops(f, DROP_SOURCE_MAC, 20 - n);
	f->core->now_ms += WAITING_MS;
	session_tick(f->core, s);
	assert_drops(f, DROP_SOURCE_MAC, 20);
	assert_int_equal(f->core->waiting.n, 0);
	f->core->waiting.n = WAITING_MAX / 2;
	send_packet_as_peer(f, KIND_ETHERNET, whole, frame_of(OWNED, whole), f->mask);
	take(f);
	assert_drops(f, DROP_SOURCE_MAC, 21);
	f->core->waiting.n = 0;
}

static void keep_frame(void *ctx, unsigned community, const struct frame *f)
{
	struct fixture *fixture = ctx;

	assert_int_equal(community, COMMUNITY);
	fixture->rig.delivered++;
	fixture->frame.len = f->len;
	memcpy(fixture->frame.data, f->data, f->len);
}

/* The interface knows nothing of unset checksums that were opened here. */
static void frames_are_made_whole_before_they_are_delivered(void **state)
{
	const struct mac mac = {{2, 0, 0, 0, 0, 9}};
	static const uint8_t payload[40] = {7};
	struct sketch sketch = {.tcp = true,
		.ttl = 64,
		.flags = ACK,
		.sum = SUM_UNSET,
		.payload = payload,
		.len = sizeof(payload)};
	uint8_t buf[BYTES_MAX], finished[BYTES_MAX], none[60];
	struct fixture *f = *state;
	struct frame whole = sketch_frame(&sketch, buf), want;
	struct session *s = add_keyed(f);
	struct data_header h = {.kind = KIND_ETHERNET, .csum_unset = true};

	sketch.sum = SUM_FINISHED;
	want = sketch_frame(&sketch, finished);
	memcpy(whole.data + 6, mac.b, sizeof(mac.b));
	memcpy(want.data + 6, mac.b, sizeof(mac.b));
	s->link.mac = OWNED;
	f->core->io.deliver = keep_frame;
	begin_note(f, NOTE_UNKNOWN, HOST);
	seal_as(f, f->far, h, whole.data, whole.len, f->mask);
	take(f);
	assert_int_equal(f->rig.delivered, 1);
	assert_int_equal(f->frame.len, want.len);
	assert_memory_equal(f->frame.data, want.data, want.len);
	/* One without a place for it is no frame. */
	begin_note(f, NOTE_UNKNOWN, HOST);
	h.counter = 1;
	seal_as(f, f->far, h, none, frame_of(OWNED, none), f->mask);
	take(f);
	assert_int_equal(f->rig.delivered, 1);
	assert_drops(f, DROP_MALFORMED, 1);
}

static void take_half(struct fixture *f, uint32_t counter, const uint8_t *data, size_t len)
{
	const struct data_header h = {.kind = KIND_ETHERNET,
		.piece = counter % 2 == 0 ? PIECE_FIRST : PIECE_LAST,
		.counter = counter};

	begin_note(f, NOTE_UNKNOWN, HOST);
	seal_as(f, f->far, h, data, len, f->mask);
	take(f);
}

/* The two of a frame meet, whatever is too long or too short for one is refused. */
static void halves_are_joined_before_they_are_delivered(void **state)
{
	static const size_t bad[] = {1, HALF_MIN - 1, HALF_MAX + 1};
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	uint8_t whole[FRAME_MAX] = {0};
	size_t len = frame_of(OWNED, whole);

	f->rig.node.core.view.pieces = pieces_create();
	assert_non_null(f->rig.node.core.view.pieces);
	s->link.mac = OWNED;
	f->core->io.deliver = keep_frame;
	for (uint32_t counter = 0; counter < 4; counter += 2, len = FRAME_MAX - 1) {
		const size_t first = (len + 1) / 2;

		take_half(f, counter + 1, whole + first, len - first);
		assert_int_equal(f->rig.delivered, counter / 2);
		take_half(f, counter, whole, first);
		assert_int_equal(f->rig.delivered, counter / 2 + 1);
		assert_int_equal(f->frame.len, len);
		assert_memory_equal(f->frame.data, whole, len);
	}
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		take_half(f, 10 + 2 * i, whole, bad[i]);
		take_half(f, 11 + 2 * i, whole, bad[i]);
		assert_drops(f, DROP_MALFORMED, 2 * (i + 1));
	}
	assert_int_equal(f->rig.delivered, 2);
	pieces_sweep(f->rig.node.core.view.pieces, &f->core->drops, UINT64_MAX / 2);
	assert_int_equal(drops(f, DROP_PIECE_LATE), 0);
	pieces_destroy(f->rig.node.core.view.pieces);
}

/* ---- masks that only we know ---- */

static void split_masks_are_tried_for_whoever_shook_hands_from_there(void **state)
{
	uint8_t plain[64];
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	size_t len = bye(plain);

	send_packet_as_peer(f, KIND_CONTROL, plain, len, s->current->rx.mask);
	take(f);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
	assert_int_equal(f->budget, 1);
	/* From elsewhere, for another party, or within no budget: not. */
	send_packet_as_peer(f, KIND_CONTROL, plain, len, s->current->rx.mask);
	f->note.origin = from_host(HOST + 1);
	take(f);
	assert_drops(f, DROP_UNKNOWN, 1);
	f->listener[0].self = &f->peer;
	send_packet_as_peer(f, KIND_CONTROL, plain, len, s->current->rx.mask);
	take(f);
	f->listener[0].self = &f->self;
	f->listener[0].to.kind = TO_HOP;
	send_packet_as_peer(f, KIND_CONTROL, plain, len, s->current->rx.mask);
	take(f);
	assert_drops(f, DROP_UNKNOWN, 3);
	f->listener[0].to.kind = TO_PEER;
	refuse(f);
	send_packet_as_peer(f, KIND_CONTROL, plain, len, s->current->rx.mask);
	take(f);
	assert_int_equal(drops(f, DROP_RATE), 1);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
}

/* Each is for one key set, and opens no door to another. */
static void a_split_mask_is_for_its_own_index(void **state)
{
	uint8_t plain[64];
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	struct keyset *far = rig_keys(&f->rig, s, s->link.id << 2 | 2, 2);
	const struct data_header h = {.kind = KIND_CONTROL};

	begin_note(f, NOTE_UNKNOWN, HOST);
	seal_as(f, far, h, plain, bye(plain), s->keys[1]->rx.mask);
	take(f);
	assert_drops(f, DROP_UNKNOWN, 1);
	begin_note(f, NOTE_UNKNOWN, HOST);
	seal_as(f, far, h, plain, bye(plain), s->keys[2]->rx.mask);
	take(f);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
	keyset_destroy(far);
}

/* Relayed packets have no other mask; the handle tells whose. */
static void relayed_packets_are_known_by_their_handle(void **state)
{
	uint8_t plain[64];
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	struct session *hop = session_create(f->core, LINK_HOP, &f->self, 0, (uint8_t[KEY_LEN]){5});
	size_t len = bye(plain);

	assert_non_null(hop);
	s->route.relay = &hop->link;
	s->route.handle = 66;
	for (unsigned what = 0; what < 3; what++) {
		send_packet_as_peer(f, KIND_CONTROL, plain, len, s->current->rx.mask);
		f->note.origin = (struct origin){.hop_id = hop->link.id, .handle = 66};
		f->note.origin.handle += what == 1;
		f->note.origin.hop_id += what == 2;
		take(f);
	}
	assert_int_equal(f->messages[CONTROL_BYE], 1);
	assert_drops(f, DROP_UNKNOWN, 2);
	/* Our own mask key is not for what was relayed. */
	send_packet_as_peer(f, KIND_CONTROL, plain, len, f->mask);
	f->note.origin = (struct origin){.hop_id = hop->link.id, .handle = 66};
	take(f);
	assert_drops(f, DROP_UNKNOWN, 3);
}

/* From one address, many may have shaken hands: four masks are tried, whatever comes. */
static void four_split_masks_are_tried_at_most(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	struct keyset *far;
	uint8_t plain[64];
	size_t len = bye(plain);

	/* Four of the first are tried before the fifth, which is another's. */
	for (unsigned i = 0; i < 3; i++)
		keyset_destroy(
			rig_keys(&f->rig, s, s->link.id << 2 | ((i + 2) & 3), (uint8_t)(2 + i)));
	s = session_create(f->core, LINK_PEER, &f->self, COMMUNITY, (uint8_t[KEY_LEN]){7});
	assert_non_null(s);
	s->origin = from_host(HOST);
	far = rig_keys(&f->rig, s, s->link.id << 2, 9);
	begin_note(f, NOTE_UNKNOWN, HOST);
	seal_as(f, far, (struct data_header){.kind = KIND_CONTROL}, plain, len,
		s->keys[0]->rx.mask);
	take(f);
	assert_drops(f, DROP_UNKNOWN, 1);
	/* Under our own mask it is found at once. */
	begin_note(f, NOTE_UNKNOWN, HOST);
	seal_as(f, far, (struct data_header){.kind = KIND_CONTROL}, plain, len, f->mask);
	take(f);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
	keyset_destroy(far);
}

/*
 * Whoever repeats message 1 from elsewhere, or was faster with it, changes nothing: the first
 * packet is tried with each handshake that waits, and costs no budget.
 */
static void first_packets_are_known_wherever_they_come_from(void **state)
{
	struct fixture *f = *state;
	struct keyset *keys[EMBRYOS - EMBRYOS / 4];
	const unsigned n = EMBRYOS - EMBRYOS / 4;

	for (uint8_t i = 0; i < n; i++) {
		struct knock k;

		knock(f, &k, (uint8_t)(20 + i));
		note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
		take(f);
		keys[i] = take_answer(f, &k);
	}
	refuse(f);
	for (unsigned i = 0; i < n; i++) {
		begin_note(f, NOTE_UNKNOWN, (uint8_t)(100 + i));
		seal_as(f, keys[i], (struct data_header){.kind = KIND_ETHERNET}, NULL, 0,
			keys[i]->tx.mask);
		take(f);
		assert_int_equal(f->created, i + 1);
	}
	assert_drops(f, DROP_RATE, 0);
	for (unsigned i = 0; i < n; i++)
		keyset_destroy(keys[i]);
}

/* It waits for the other one, unless it is too long or too short for any. */
static void a_first_packet_may_be_half_a_frame(void **state)
{
	static const size_t len[] = {1, HALF_MIN - 1, HALF_MIN, HALF_MAX, HALF_MAX + 1};
	static const uint8_t text[HALF_MAX + 1];
	const struct data_header h = {.kind = KIND_ETHERNET, .piece = PIECE_FIRST};
	struct fixture *f = *state;
	struct knock k;

	f->rig.node.core.view.pieces = pieces_create();
	assert_non_null(f->rig.node.core.view.pieces);
	for (uint8_t i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		struct keyset *keys;

		knock(f, &k, (uint8_t)(20 + i));
		note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
		take(f);
		keys = take_answer(f, &k);
		begin_note(f, NOTE_UNKNOWN, HOST);
		seal_as(f, keys, h, text, len[i], keys->tx.mask);
		take(f);
		assert_int_equal(f->created, i + 1);
		keyset_destroy(keys);
	}
	assert_drops(f, DROP_MALFORMED, 3);
	pieces_sweep(f->rig.node.core.view.pieces, &f->core->drops, UINT64_MAX / 2);
	assert_int_equal(drops(f, DROP_PIECE_LATE), 2);
	pieces_destroy(f->rig.node.core.view.pieces);
}

/* ---- word of what was heard ---- */

static void word_of_the_first_packet_confirms_once(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_session(f);

	for (unsigned initiator = 0; initiator < 2; initiator++) {
		struct handshake_result ours, theirs;
		struct keyset *k;

		test_results(&ours, &theirs, AEAD_CHACHA20POLY1305, (uint8_t)(8 + initiator));
		ours.rx_index = s->link.id << 2 | initiator;
		ours.initiator = initiator;
		k = session_make_keys(f->core, LINK_PEER, &ours);
		assert_non_null(k);
		k->incarnation = 1;
		session_add_keys(f->core, s, k);
		begin_note(f, NOTE_HEARD, HOST);
		f->note.index = ours.rx_index;
		f->n_effects = 0;
		for (unsigned again = 0; again < 2; again++) {
			take(f);
			assert_int_equal(f->n_effects, 1);
			assert_true(k->confirmed);
			/* The responder answers, so that the initiator knows. */
			if (again == 0)
				assert_int_equal(f->rig.n_sent > 0, !initiator);
		}
	}
}

static void a_genuine_packet_shows_where_the_peer_is(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	struct origin moved = from_host(77);

	moved.way.local = test_endpoint(1, 1);
	begin_note(f, NOTE_HEARD, 77);
	f->note.origin = moved;
	f->note.index = s->link.id << 2 | 1;
	take(f);
	assert_true(way_same_remote(&s->route.direct, &moved.way));
	assert_true(endpoint_is_none(&s->route.direct.local));
	/* It is probed, not believed. */
	assert_int_equal(f->rig.n_sent, 1);
	assert_true(way_same_remote(&f->rig.sent[0].way, &moved.way));
	assert_int_equal(link_path(&s->link)->way.remote.ip[15], HOST);
	/* Nor is it worth more than a stranger's: anybody may put it into a packet. */
	refuse(f);
	assert_false(budget_datagram(f->rig.node.budget, &moved, f->core->now_ms));
	/* What comes from the end of the path is: the budget of all others may be spent. */
	f->note.origin = from_host(HOST);
	take(f);
	assert_true(budget_datagram(f->rig.node.budget, &f->note.origin, f->core->now_ms));
	f->note.origin.way.remote.port++;
	assert_false(budget_datagram(f->rig.node.budget, &f->note.origin, f->core->now_ms));
}

static void a_packet_through_the_relay_makes_the_direct_path_doubtful(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	struct session *hop = session_create(f->core, LINK_HOP, &f->self, 0, (uint8_t[KEY_LEN]){5});
	const struct way before = s->route.direct;

	assert_non_null(hop);
	s->route.relay = &hop->link;
	s->route.handle = 66;
	f->core->now_ms += PATH_PROBE_MS;
	begin_note(f, NOTE_HEARD, HOST);
	f->note.origin = (struct origin){.hop_id = hop->link.id, .handle = 66};
	f->note.index = s->link.id << 2 | 1;
	take(f);
	assert_true(way_same_remote(&s->route.direct, &before));
	assert_non_null(s->link.copy);
	/* Where a hop's packets come from is nobody's news. */
	s->link.kind = LINK_HOP;
	begin_note(f, NOTE_HEARD, 78);
	f->note.index = s->link.id << 2 | 1;
	take(f);
	assert_true(way_same_remote(&s->route.direct, &before));
}

static void control_comes_with_word_of_where_from(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_keyed(f);

	begin_note(f, NOTE_CONTROL, HOST);
	f->note.index = s->link.id << 2 | 1;
	f->note.len = bye(f->note.data);
	take(f);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
	assert_int_equal(f->budget, 0);
	/* A message may end the session; nothing of it is looked at then. */
	f->note.len = 0;
	for (unsigned i = 0; i < 2; i++) {
		struct writer w;

		writer_init(&w, f->note.data, SLOT_LEN);
		control_unregister_encode(&w);
		f->note.len = writer_len(&w) + bye(f->note.data + writer_len(&w));
		take(f);
	}
	assert_int_equal(f->messages[CONTROL_UNREGISTER], 1);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
	assert_null(session_by_id(f->core, INDEX_ID(f->note.index)));
	f->known = NULL;
}

static void notes_of_what_is_gone_find_nobody(void **state)
{
	static const enum note_kind kinds[] = {NOTE_CONTROL, NOTE_EARLY, NOTE_HEARD, NOTE_AWAKE};
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	uint32_t index = s->link.id << 2 | 2; /* a position without keys */

	for (unsigned i = 0; i < 8; i++) {
		begin_note(f, kinds[i % 4], HOST);
		f->note.index = kinds[i % 4] == NOTE_AWAKE ? INDEX_ID(index) + 1 : index;
		f->note.len = bye(f->note.data);
		if (kinds[i % 4] != NOTE_EARLY)
			take(f);
		if (i == 3)
			index += 4; /* and no session */
	}
	begin_note(f, NOTE_EARLY, HOST);
	f->note.index = index;
	f->note.len = frame_of(OWNED, f->note.data);
	take(f);
	assert_int_equal(f->rig.delivered, 0);
	assert_int_equal(f->messages[CONTROL_BYE], 0);
	assert_int_equal(f->n_effects, 0);
	assert_drops(f, DROP_UNKNOWN, 1); /* the frame: the others carry nothing that is lost */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_known_index_is_no_strangers_and_costs_no_budget),
		TEST(frames_are_delivered_from_their_owner_only),
		TEST(frames_before_the_claim_wait_for_it),
		TEST(who_never_claims_has_few_frames_waiting),
		TEST(frames_are_made_whole_before_they_are_delivered),
		TEST(halves_are_joined_before_they_are_delivered),
		TEST(split_masks_are_tried_for_whoever_shook_hands_from_there),
		TEST(a_split_mask_is_for_its_own_index),
		TEST(relayed_packets_are_known_by_their_handle),
		TEST(four_split_masks_are_tried_at_most),
		TEST(first_packets_are_known_wherever_they_come_from),
		TEST(a_first_packet_may_be_half_a_frame),
		TEST(word_of_the_first_packet_confirms_once),
		TEST(a_genuine_packet_shows_where_the_peer_is),
		TEST(a_packet_through_the_relay_makes_the_direct_path_doubtful),
		TEST(control_comes_with_word_of_where_from),
		TEST(notes_of_what_is_gone_find_nobody),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
