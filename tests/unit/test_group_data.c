/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Group packets on the data path of an edge: who gets what when it floods, and what it takes. */
#include "core/keys/group_key.h"
#include "edge_data_test.h"

#define FROM 3 /* a peer behind the relay */

struct sender {
	struct group_key *key;
	struct group_recv *recv; /* as the edge has it */
};

static void tell(struct fixture *f, struct sender *s, uint32_t floor, bool is_signed)
{
	static const uint8_t tag[COMMUNITY_TAG_LEN] = {7};
	const struct random rnd = seeded_random(&f->rig.seed);
	const struct group_params p = {.nthreads = 2, .tag = tag};
	struct control_group_key told;

	s->key = group_key_create(&p, &rnd, AEAD_CHACHA20POLY1305, random_u32(&rnd), is_signed);
	assert_non_null(s->key);
	told = s->key->told;
	told.floor = floor;
	s->recv = group_recv_create(&p, &told);
	assert_non_null(s->recv);
	atomic_store(&f->end[FROM].s->link.group[0], &s->recv->recv);
}

static void forget(struct fixture *f, struct sender *s)
{
	atomic_store(&f->end[FROM].s->link.group[0], NULL);
	group_key_destroy(s->key);
	group_recv_destroy(s->recv);
}

/* A relay packet of FROM with a frame under its group key. */
struct shape {
	uint32_t counter;
	bool group, outer; /* the type of the inner packet, the bit of the outer one */
	bool forged;	   /* without the signature's key */
	bool bare;	   /* straight, under our own mask */
};

static void come(struct fixture *f, const struct sender *s, const struct shape *as, uint8_t number)
{
	const struct far_end *hop = &f->end[HOP];
	const struct mac mac = mac_of(FROM);
	struct rx *x = &f->rx[f->n];
	uint8_t *p = f->slots[f->n++], *packet = p + RELAY_HEADER_LEN;
	uint8_t *text = packet + DATA_HEADER_LEN;
	size_t len = plain_frame(text, &own, &mac, number, len_of(number));
	const struct data_header h = {.cipher = AEAD_CHACHA20POLY1305,
		.group = as->group,
		.index = s->key->told.index,
		.counter = as->counter};
	const struct relay_header r = {.hop_limit = RELAY_HOP_LIMIT,
		.index = hop->s->link.id << 2,
		.counter = f->relay_counter++,
		.handle = handle_of(FROM),
		.group = as->outer};
	struct aead_op op = {.text = text, .ad = packet, .ad_len = DATA_HEADER_LEN};

	data_header_write(packet, &h);
	if (s->key->told.is_signed) {
		signing_append(&s->key->signing, packet, text, len);
		text[len] ^= as->forged;
		len += SIGNATURE_LEN;
	}
	op.len = len;
	key_nonce(op.nonce, s->key->send.iv, h.counter);
	aead_seal(s->key->send.key, f->rig.node.core.tx.aead, &op, 1);
	len += DATA_OVERHEAD;
	packet_mask(packet, len, DATA_HEADER_LEN,
		as->bare ? f->view->community[0].mask : s->key->send.mask);
	x->in = (struct datagram){packet, len, way_to(&(struct endpoint){.port = 1})};
	x->in.way.remote = test_endpoint(FROM + 1, 500);
	if (as->bare)
		return;
	relay_header_write(p, &r);
	relay_mac(p + RELAY_MASKED_LEN, hop->far->tx.hop_key, p, packet, len);
	packet_mask(p, len + RELAY_HEADER_LEN, RELAY_MASKED_LEN, f->view->doors.hop[1].mask);
	x->in = (struct datagram){p, len + RELAY_HEADER_LEN, link_path(&hop->s->link)->way};
}

static void take(struct fixture *f)
{
	edge_datagrams_in(&f->w, f->view, f->rx, f->n, START_MS);
	f->n_written = 0;
	edge_frames_in(&f->w, f->rx, f->n);
	f->n = 0;
}

static void each_is_taken_once(void **state)
{
	struct fixture *f = *state;
	struct sender s;

	tell(f, &s, 0, false);
	for (uint8_t i = 0; i < 5; i++)
		come(f, &s, &(struct shape){.counter = i, .group = true, .outer = true}, i);
	take(f);
	assert_int_equal(f->n_written, 5);
	assert_drops(f, DROP_REPLAY, 0);
	assert_int_equal(f->end[FROM].s->link.rx_frames, 5);
	for (uint8_t i = 0; i < 5; i++)
		come(f, &s, &(struct shape){.counter = i, .group = true, .outer = true}, i);
	take(f);
	assert_int_equal(f->n_written, 0);
	assert_drops(f, DROP_REPLAY, 5);
	forget(f, &s);
}

static void nothing_below_the_floor(void **state)
{
	struct fixture *f = *state;
	struct sender s;

	tell(f, &s, 100, false);
	for (uint8_t i = 95; i < 105; i++)
		come(f, &s, &(struct shape){.counter = i, .group = true, .outer = true}, i);
	take(f);
	assert_int_equal(f->n_written, 5);
	assert_drops(f, DROP_REPLAY, 5);
	forget(f, &s);
}

/* The bit outside and the type inside belong together, and to the relay. */
static void types_stay_where_they_belong(void **state)
{
	struct fixture *f = *state;
	struct sender s;

	tell(f, &s, 0, false);
	come(f, &s, &(struct shape){.counter = 0, .group = false, .outer = true}, 0);
	come(f, &s, &(struct shape){.counter = 1, .group = true, .outer = false}, 1);
	come(f, &s, &(struct shape){.counter = 2, .group = true, .bare = true}, 2);
	take(f);
	assert_int_equal(f->n_written, 0);
	assert_int_equal(f->rx[0].verdict, VERDICT_DROP);
	assert_int_equal(f->rx[0].why, DROP_GROUP_KEY);
	/* Nobody's, as any noise: the control thread would look for a handshake. */
	assert_true(f->rx[1].verdict == VERDICT_UNKNOWN || f->rx[1].verdict == VERDICT_DROP);
	assert_true(f->rx[2].verdict == VERDICT_UNKNOWN || f->rx[2].verdict == VERDICT_DROP);
	assert_int_equal(f->end[FROM].s->link.rx_ms, 0);
	forget(f, &s);
}

static void without_the_key_word_is_left(void **state)
{
	struct fixture *f = *state;
	struct sender s;

	tell(f, &s, 0, false);
	atomic_store(&f->end[FROM].s->link.group[0], NULL);
	for (uint8_t i = 0; i < 3; i++)
		come(f, &s, &(struct shape){.counter = i, .group = true, .outer = true}, i);
	take(f);
	assert_int_equal(f->n_written, 0);
	assert_drops(f, DROP_GROUP_KEY, 3);
	assert_int_equal(f->n_notes, 1);
	assert_int_equal(f->note[0].kind, NOTE_LACKING);
	assert_int_equal(f->note[0].index, f->end[FROM].s->link.id);
	forget(f, &s);
}

static void signatures_are_checked(void **state)
{
	struct fixture *f = *state;
	struct sender s;

	tell(f, &s, 0, true);
	for (uint8_t i = 0; i < 6; i++)
		come(f, &s,
			&(struct shape){
				.counter = i, .group = true, .outer = true, .forged = i % 2 == 1},
			i);
	take(f);
	assert_int_equal(f->n_written, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(f->written[i].len, len_of((uint8_t)(2 * i)));
	assert_drops(f, DROP_SIGNATURE, 3);
	/* The window knows nothing of those. */
	come(f, &s, &(struct shape){.counter = 1, .group = true, .outer = true}, 1);
	take(f);
	assert_int_equal(f->n_written, 1);
	/* An unsigned one under a key of signed ones. */
	s.key->told.is_signed = false;
	come(f, &s, &(struct shape){.counter = 9, .group = true, .outer = true}, 1);
	take(f);
	assert_int_equal(f->n_written, 0);
	assert_drops(f, DROP_SIGNATURE, 4);
	forget(f, &s);
}

/* One packet for those in the set, a copy for all others, and one call for all of it. */
static void a_flood_reaches_each_in_one_way(void **state)
{
	struct fixture *f = *state;
	struct sender s;
	struct group_use use = {0};
	struct group_set set = {.n = 2};
	struct group_plan plan = {.use = &use, .set = {&set}};
	struct frame frame;
	uint8_t slot[SLOT_LEN];
	struct frame *one = &frame;
	static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

	tell(f, &s, 0, false);
	set.keys = &s.key->send;
	set.path = (struct path){.hop = &f->end[HOP].s->link,
		.handle = fanout_handle(0, 5),
		.hop_limit = RELAY_HOP_LIMIT};
	for (unsigned i = RELAYED; i < PEERS; i++)
		port_set_add(&set.ports, f->port[i]->number);
	view_set_group(&f->rig.node.core.view, 0, &plan);
	f->view = rig_view(&f->rig);
	frame = (struct frame){.data = slot + SLOT_HEADROOM,
		.len = plain_frame(slot + SLOT_HEADROOM, &all, &own, 1, 60)};
	edge_frames_out(&f->w, f->view, 0, one, 1, START_MS);
	assert_int_equal(f->n_sent, 1 + RELAYED);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->sent[0].len, RELAY_HEADER_LEN + 60 + DATA_OVERHEAD);
	assert_int_equal(group_key_floor(s.key), 1);
	assert_int_equal(use.frames, 1);
	assert_int_equal(use.copies, 1);
	for (unsigned i = 1; i <= RELAYED; i++)
		assert_int_equal(f->sent[i].len, 60 + DATA_OVERHEAD);
	view_set_group(&f->rig.node.core.view, 0, NULL);
	forget(f, &s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_is_taken_once),
		TEST(nothing_below_the_floor),
		TEST(types_stay_where_they_belong),
		TEST(without_the_key_word_is_left),
		TEST(signatures_are_checked),
		TEST(a_flood_reaches_each_in_one_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
