/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of src/core/data/edge_data.c share: an edge's worker in a world of five peers, two
 * of them relayed, one peer in another community, and the other ends of their key sets. What leaves
 * is recorded.
 */
#ifndef N2N_TESTS_EDGE_DATA_TEST_H
#define N2N_TESTS_EDGE_DATA_TEST_H

#include "core/data/edge_data.h"
#include "core_test.h"
#include "offload_test.h"

#define START_MS   1000u
#define GENERATION 40 /* of community 0; the other has the next */
#define PEERS	   5  /* of community 0; the last two through the relay */
#define RELAYED	   3
#define OTHER	   PEERS /* of community 1 */
#define SESSIONS   (PEERS + 1)
#define HOP	   SESSIONS /* the number of the hop's session */
#define ENDS	   (SESSIONS + 1)
#define OUT_MAX	   (BATCH_MAX * PEERS)

struct far_end {
	struct session *s;
	struct keyset *far;
	uint32_t counter;  /* of what it sends */
	uint32_t expected; /* of what we send */
};

struct fixture {
	struct rig rig;
	struct party party;
	struct edge_worker w;
	const struct view *view;
	struct port *port[SESSIONS];
	struct far_end end[ENDS];
	uint32_t relay_counter, relay_expected;
	/* Out. */
	uint8_t slots[BATCH_MAX][SLOT_LEN];
	struct frame frames[BATCH_MAX];
	size_t n;
	uint8_t out[OUT_MAX][SLOT_LEN];
	struct datagram sent[OUT_MAX];
	size_t n_sent, n_checked;
	unsigned calls;
	struct notes notes;
	struct note note[BATCH_MAX]; /* of frames that have to wait */
	size_t n_notes;
	/* In. */
	struct rx rx[BATCH_MAX];
	struct {
		unsigned community;
		struct offload offload;
		size_t n_pieces, len;
		uint8_t data[BYTES_MAX];
	} written[BATCH_MAX];
	size_t n_written;
	unsigned writes;
};

/* ---- the world ---- */

static inline void sink(void *ctx, const struct datagram *d, size_t n)
{
	struct fixture *f = ctx;

	f->calls++;
	for (size_t i = 0; i < n; i++) {
		assert_true(f->n_sent < OUT_MAX && d[i].len <= SLOT_LEN);
		memcpy(f->out[f->n_sent], d[i].data, d[i].len);
		f->sent[f->n_sent] = d[i];
		f->sent[f->n_sent].data = f->out[f->n_sent];
		f->n_sent++;
	}
}

static inline struct note *next_note(void *ctx, enum note_queue queue)
{
	struct fixture *f = ctx;

	assert_int_equal(queue, QUEUE_OWN);
	assert_true(f->n_notes < BATCH_MAX);
	return &f->note[f->n_notes];
}

static inline void push_note(void *ctx, enum note_queue queue)
{
	struct fixture *f = ctx;

	(void)queue;
	assert_true(
		f->note[f->n_notes].kind == NOTE_FRAME || f->note[f->n_notes].kind == NOTE_OWN ||
		f->note[f->n_notes].kind == NOTE_LACKING ||
		f->note[f->n_notes].kind == NOTE_BARRED ||
		f->note[f->n_notes].kind == NOTE_FOREIGN || f->note[f->n_notes].kind == NOTE_STORM);
	f->n_notes++;
}

static inline size_t filled_notes(void *ctx, enum note_queue queue)
{
	const struct fixture *f = ctx;

	return queue == QUEUE_OWN ? f->n_notes : 0;
}

static inline void write_frames(void *ctx, unsigned community, const struct joined *j, size_t n)
{
	struct fixture *f = ctx;

	f->writes++;
	for (size_t i = 0; i < n; i++) {
		size_t k = f->n_written++;

		assert_true(k < BATCH_MAX);
		f->written[k].community = community;
		f->written[k].offload = j[i].offload;
		f->written[k].n_pieces = j[i].n_pieces;
		f->written[k].len = 0;
		for (size_t p = 0; p < j[i].n_pieces; p++) {
			memcpy(f->written[k].data + f->written[k].len, j[i].piece[p].data,
				j[i].piece[p].len);
			f->written[k].len += j[i].piece[p].len;
		}
	}
}

static inline struct mac mac_of(unsigned peer)
{
	return (struct mac){{2, 0, 0, 0, 1, (uint8_t)peer}};
}

static inline uint32_t handle_of(unsigned peer)
{
	return 0x300 + peer;
}

static inline void set_relay(struct fixture *f, unsigned peer)
{
	struct path *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->hop = &f->end[HOP].s->link;
	p->handle = handle_of(peer);
	p->hop_limit = RELAY_HOP_LIMIT;
	session_set_path(&f->rig.node.core, &f->end[peer].s->link.path, p);
}

static inline void make_view(struct fixture *f)
{
	struct view_editor *e = &f->rig.node.core.view;
	uint8_t mask[MASK_LEN];

	for (unsigned i = 0; i < 2; i++) {
		memset(mask, 0x50 + (int)i, MASK_LEN);
		assert_int_equal(view_add_community(e, i, GENERATION + i, mask, NULL), 0);
	}
	/* Two communities are at the same supernode; what comes is the second's. */
	for (unsigned i = 0; i < 2; i++) {
		struct view_hop *h = &e->doors.hop[e->doors.n_hops++];

		h->way = link_path(&f->end[HOP].s->link)->way;
		memset(h->mask, 0x41 + (int)i, MASK_LEN);
	}
	for (unsigned i = 0; i < SESSIONS; i++) {
		struct link *l = &f->end[i].s->link;
		const struct mac mac = mac_of(i);

		f->port[i] = view_add_port(
			e, l->community, &(struct port){.kind = PORT_LINK, .link = l});
		assert_non_null(f->port[i]);
		l->port = f->port[i]->number;
		assert_int_equal(view_put_owner(e, l->community, mac_number(&mac), f->port[i]), 0);
		assert_int_equal(view_put_handle(e, f->end[HOP].s->link.id, handle_of(i), l), 0);
	}
	f->view = rig_view(&f->rig);
}

static inline int setup(void **state)
{
	struct note_sink notes = {.next = next_note, .push = push_note, .filled = filled_notes};
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	rig_init(&f->rig, NULL, 1);
	f->rig.node.core.now_ms = START_MS;
	for (unsigned i = 0; i < ENDS; i++) {
		struct far_end *e = &f->end[i];
		const struct mac mac = mac_of(i);

		e->s = rig_session(&f->rig, i == HOP ? LINK_HOP : LINK_PEER, &f->party,
			(uint8_t)(i + 1), &e->far);
		e->s->link.community = i == OTHER;
		atomic_store(&e->s->link.awake, true);
		atomic_store(
			&e->s->link.mac, (uint64_t)load_be16(mac.b) << 32 | load_be32(mac.b + 2));
	}
	for (unsigned i = RELAYED; i < PEERS; i++)
		set_relay(f, i);
	make_view(f);
	assert_int_equal(edge_worker_init(&f->w, 0, (struct datagram_sink){sink, f}), 0);
	notes.ctx = f;
	notes.size[QUEUE_OWN] = BATCH_MAX;
	notes_init(&f->notes, &notes, &f->w.drops);
	f->w.notes = &f->notes;
	f->w.in = (struct frame_sink){write_frames, f, 0, true};
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < ENDS; i++)
		keyset_destroy(f->end[i].far);
	edge_worker_fini(&f->w);
	rig_fini(&f->rig);
	for (unsigned i = 0; i < SESSIONS; i++)
		free(f->port[i]);
	free(f);
	return 0;
}

static inline uint32_t roll(struct fixture *f, uint32_t bound)
{
	const struct random rnd = seeded_random(&f->rig.seed);

	return random_below(&rnd, bound);
}

static inline void assert_drops(const struct fixture *f, enum drop why, uint64_t n)
{
	uint64_t all = 0;

	for (enum drop d = 0; d < DROP_COUNT; d++)
		all += drops_get(&f->w.drops, d);
	assert_int_equal(drops_get(&f->w.drops, why), n);
	assert_int_equal(all, n);
}

/* ---- frames ---- */

static const struct mac own = {{2, 0, 0, 0, 9, 9}}; /* of our interface */

static inline size_t len_of(uint8_t number)
{
	return FRAME_MIN + number % 50;
}

/* No IP: two addresses, a type, and a number all over. */
static inline size_t plain_frame(
	uint8_t *data, const struct mac *to, const struct mac *from, uint8_t number, size_t len)
{
	memset(data, number, len);
	memcpy(data, to->b, sizeof(to->b));
	memcpy(data + 6, from->b, sizeof(from->b));
	if (len >= FRAME_MIN)
		store_be16(data + 12, 0x88b5);
	return len;
}

/* The i-th segment of a TCP stream, its checksum unset. */
static inline size_t segment(uint8_t *data, const struct mac *from, uint32_t i, enum sum sum)
{
	static uint8_t payload[100];
	static uint8_t buf[BYTES_MAX];
	const struct sketch s = {
		.tcp = true,
		.ttl = 64,
		.id = (uint16_t)(7 + i),
		.port = 5,
		.seq = i * (uint32_t)sizeof(payload),
		.flags = ACK,
		.sum = sum,
		.payload = payload,
		.len = sizeof(payload),
	};
	struct frame f = sketch_frame(&s, buf);

	memcpy(data, buf, f.len);
	memcpy(data + 6, from->b, sizeof(from->b));
	return f.len;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
