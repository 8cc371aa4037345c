/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker leaves for the control thread: which verdict leaves which note, in which queue, how
 * many of them one link may leave, and that nothing is lost by a full queue that nobody tells
 * again. The queues are the host's.
 */
#include "core/data/note.h"
#include "host/worker/queue.h"
#include "wire_test.h"

#define NOW_MS	     5000u
#define SIZE	     8 /* of the queues but that of control */
#define CONTROL_SIZE 128
#define LINK_MAX     32 /* control notes of one link in RECENT_MS */
#define RECENT_MS    100
#define ELSEWHERE_MS 100
#define DATA_LEN     40

/* A link that has keys and a path. */
struct end {
	struct link link;
	struct recv_keys keys;
	struct path path;
};

struct fixture {
	struct queue queue[NOTE_QUEUES];
	struct notes notes;
	struct drops drops;
	bool refuses[NOTE_QUEUES];
	struct end end[3];
	struct link hop;
	uint8_t data[SLOT_LEN];
};

/* ---- the worker's side of the queues ---- */

static struct note *next(void *ctx, enum note_queue queue)
{
	struct fixture *f = ctx;

	return f->refuses[queue] ? NULL : queue_next(&f->queue[queue]);
}

static void push(void *ctx, enum note_queue queue)
{
	queue_push(&((struct fixture *)ctx)->queue[queue]);
}

static size_t filled(void *ctx, enum note_queue queue)
{
	return queue_filled(&((struct fixture *)ctx)->queue[queue]);
}

static struct endpoint host(uint8_t number)
{
	return endpoint_v4(0x0a000000u + number, 500);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct note_sink sink = {.next = next, .push = push, .filled = filled, .ctx = f};

	assert_non_null(f);
	for (unsigned i = 0; i < NOTE_QUEUES; i++) {
		sink.size[i] = i == QUEUE_CONTROL ? CONTROL_SIZE : SIZE;
		assert_int_equal(queue_init(&f->queue[i], sink.size[i]), 0);
	}
	notes_init(&f->notes, &sink, &f->drops);
	for (uint8_t i = 0; i < 3; i++) {
		struct end *e = &f->end[i];

		e->link.id = 1001u + i;
		e->link.awake = true;
		e->keys.index = e->link.id << 2 | 1;
		e->keys.heard = true;
		e->path.way.remote = host(i);
		e->link.path = &e->path;
	}
	f->hop.id = 500;
	memset(f->data, 0x5a, sizeof(f->data));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < NOTE_QUEUES; i++)
		queue_fini(&f->queue[i]);
	free(f);
	return 0;
}

/* ---- datagrams ---- */

/* One of end i, which came the way it sends to. */
static struct rx datagram(struct fixture *f, unsigned i, enum verdict verdict)
{
	return (struct rx){.verdict = verdict,
		.link = &f->end[i].link,
		.keys = &f->end[i].keys,
		.data = f->data,
		.len = DATA_LEN,
		.origin = {.way = f->end[i].path.way}};
}

static void come(struct fixture *f, unsigned i, enum verdict verdict, uint64_t now_ms)
{
	const struct rx x = datagram(f, i, verdict);

	notes_rx(&f->notes, &x, now_ms);
}

static void come_relayed(struct fixture *f, unsigned i, uint64_t now_ms)
{
	struct rx x = datagram(f, i, VERDICT_EMPTY);

	x.origin.hop_id = f->hop.id;
	x.origin.handle = 9;
	notes_rx(&f->notes, &x, now_ms);
}

static void come_from(struct fixture *f, unsigned i, uint8_t number, uint64_t now_ms)
{
	struct rx x = datagram(f, i, VERDICT_EMPTY);

	x.origin.way.remote = host(number);
	notes_rx(&f->notes, &x, now_ms);
}

/* ---- the control thread's side ---- */

/* The oldest note of a queue is of this kind; a copy of it. */
static struct note take(struct fixture *f, enum note_queue queue, enum note_kind kind)
{
	struct note *n = queue_first(&f->queue[queue]), copy;

	assert_non_null(n);
	assert_int_equal(n->kind, kind);
	copy = *n;
	queue_pop(&f->queue[queue]);
	return copy;
}

static void assert_empty(struct fixture *f)
{
	for (unsigned i = 0; i < NOTE_QUEUES; i++)
		assert_null(queue_first(&f->queue[i]));
}

static void assert_lost(const struct fixture *f, uint64_t n)
{
	uint64_t all = 0;

	for (enum drop d = 0; d < DROP_COUNT; d++)
		all += drops_get(&f->drops, d);
	assert_int_equal(drops_get(&f->drops, DROP_QUEUE_FULL), n);
	assert_int_equal(all, n);
}

/* Empties a queue; how many notes of this kind were in it, and none of another. */
static unsigned empty(struct fixture *f, enum note_queue queue, enum note_kind kind)
{
	unsigned n = 0;

	for (; queue_first(&f->queue[queue]) != NULL; n++)
		(void)take(f, queue, kind);
	return n;
}

/* ---- which verdict leaves what ---- */

static void what_was_opened_goes_with_its_keys(void **state)
{
	static const struct {
		enum verdict verdict;
		enum note_kind kind;
	} row[] = {{VERDICT_CONTROL, NOTE_CONTROL}, {VERDICT_EARLY, NOTE_EARLY}};
	struct fixture *f = *state;

	for (unsigned i = 0; i < 2; i++) {
		struct note n;

		come(f, i, row[i].verdict, NOW_MS);
		n = take(f, QUEUE_CONTROL, row[i].kind);
		assert_int_equal(n.index, f->end[i].keys.index);
		assert_int_equal(n.len, DATA_LEN);
		assert_memory_equal(n.data, f->data, DATA_LEN);
		assert_true(way_same_remote(&n.origin.way, &f->end[i].path.way));
		assert_int_equal(n.origin.hop_id, 0);
		assert_empty(f);
	}
	assert_lost(f, 0);
}

/* Whom it was opened for goes along: nobody opens it again. */
static void envelopes_carry_their_addressee(void **state)
{
	struct fixture *f = *state;

	for (unsigned relayed = 0; relayed < 2; relayed++) {
		const enum note_queue queue = relayed ? QUEUE_RELAYED : QUEUE_UNKNOWN;
		struct rx x = {.verdict = VERDICT_ENVELOPE,
			.data = f->data,
			.len = 300,
			.origin = {.way.remote = host(7),
				.hop_id = relayed ? 500 : 0,
				.handle = relayed ? 66 : 0},
			.to = {.kind = TO_PEER, .community = 3, .generation = 44}};
		struct note n;

		notes_rx(&f->notes, &x, NOW_MS);
		n = take(f, queue, NOTE_ENVELOPE);
		assert_int_equal(n.to.kind, TO_PEER);
		assert_int_equal(n.to.community, 3);
		assert_int_equal(n.to.generation, 44);
		assert_int_equal(n.len, 300);
		assert_memory_equal(n.data, f->data, 300);
		assert_int_equal(n.origin.hop_id, x.origin.hop_id);
		assert_int_equal(n.origin.handle, x.origin.handle);
		assert_true(way_same_remote(&n.origin.way, &x.origin.way));
		assert_int_equal(n.index, 0);
		assert_empty(f);
	}
}

static void what_is_unknown_says_which_keys_were_tried(void **state)
{
	struct fixture *f = *state;

	for (unsigned relayed = 0; relayed < 2; relayed++) {
		const enum note_queue queue = relayed ? QUEUE_RELAYED : QUEUE_UNKNOWN;
		struct rx x = {.verdict = VERDICT_UNKNOWN,
			.data = f->data,
			.len = DATAGRAM_MAX,
			.origin = {.way.remote = host(7), .hop_id = relayed ? 500 : 0},
			.tried = 17};
		struct note n;

		notes_rx(&f->notes, &x, NOW_MS);
		n = take(f, queue, NOTE_UNKNOWN);
		assert_int_equal(n.tried, 17);
		assert_int_equal(n.len, DATAGRAM_MAX);
		assert_int_equal(n.origin.hop_id, x.origin.hop_id);
		assert_int_equal(n.index, 0);
		assert_empty(f);
	}
}

/* A link that is awake, heard and comes its way costs the control thread nothing. */
static void usual_traffic_leaves_nothing(void **state)
{
	static const enum verdict verdicts[] = {
		VERDICT_FRAME, VERDICT_EMPTY, VERDICT_DROP, VERDICT_NONE, VERDICT_RELAYED};
	struct fixture *f = *state;

	for (unsigned i = 0; i < 1000; i++) {
		come(f, i % 3, verdicts[i % 5], NOW_MS + i);
		notes_sent(&f->notes, &f->end[i % 3].link);
	}
	assert_empty(f);
	assert_lost(f, 0);
}

/* One that was refused has the control thread look, until it does; and again, once it did. */
static void what_is_refused_is_told(void **state)
{
	struct fixture *f = *state;

	f->end[1].link.awake = false;
	for (unsigned i = 0; i < 2 * SIZE; i++)
		come(f, 1, VERDICT_REFUSED, NOW_MS);
	assert_int_equal(take(f, QUEUE_OWN, NOTE_AWAKE).index, f->end[1].link.id);
	assert_empty(f);
	f->end[1].link.awake = false;
	come(f, 1, VERDICT_REFUSED, NOW_MS + 1);
	(void)take(f, QUEUE_OWN, NOTE_AWAKE);
	assert_empty(f);
	assert_lost(f, 0);
}

/* ---- word of what was heard ---- */

static void the_first_packet_under_a_key_set_is_told_once(void **state)
{
	static const enum verdict verdicts[] = {VERDICT_FRAME, VERDICT_EMPTY, VERDICT_EARLY};
	struct fixture *f = *state;

	for (unsigned i = 0; i < 3; i++) {
		struct note n;

		f->end[i].keys.heard = false;
		come(f, i, verdicts[i], NOW_MS);
		n = take(f, QUEUE_OWN, NOTE_HEARD);
		assert_int_equal(n.index, f->end[i].keys.index);
		assert_true(way_same_remote(&n.origin.way, &f->end[i].path.way));
		assert_int_equal(n.len, 0);
		assert_true(f->end[i].keys.heard);
		come(f, i, verdicts[i], NOW_MS);
		assert_null(queue_first(&f->queue[QUEUE_OWN]));
	}
	/* Control tells by itself that it was heard. */
	f->end[0].keys.heard = false;
	come(f, 0, VERDICT_CONTROL, NOW_MS);
	assert_null(queue_first(&f->queue[QUEUE_OWN]));
}

static void another_address_is_told_ten_times_a_second(void **state)
{
	const struct endpoint new_one = host(77);
	struct fixture *f = *state;
	struct note n;

	come_from(f, 0, 77, NOW_MS);
	n = take(f, QUEUE_OWN, NOTE_HEARD);
	assert_int_equal(n.index, f->end[0].keys.index);
	assert_true(endpoint_equal(&n.origin.way.remote, &new_one));
	come_from(f, 0, 78, NOW_MS + ELSEWHERE_MS - 1);
	assert_empty(f);
	/* Others are not held up by it. */
	come_from(f, 1, 77, NOW_MS + ELSEWHERE_MS - 1);
	assert_int_equal(take(f, QUEUE_OWN, NOTE_HEARD).index, f->end[1].keys.index);
	come_from(f, 0, 78, NOW_MS + ELSEWHERE_MS);
	(void)take(f, QUEUE_OWN, NOTE_HEARD);
	/* From where it sends to, by whatever address of ours, is no news. */
	come_from(f, 0, 0, NOW_MS + 10 * ELSEWHERE_MS);
	assert_empty(f);
}

/* The same address over another carrier is another way. */
static void another_carrier_is_told(void **state)
{
	struct fixture *f = *state;
	struct rx x = datagram(f, 0, VERDICT_FRAME);

	x.origin.way.carrier = 3;
	notes_rx(&f->notes, &x, NOW_MS);
	assert_int_equal(take(f, QUEUE_OWN, NOTE_HEARD).origin.way.carrier, 3);
}

/* Through the relay although there is a direct path: the other side may have lost it. */
static void the_relay_is_news_only_beside_a_direct_path(void **state)
{
	struct fixture *f = *state;
	struct path relayed = {.hop = &f->hop, .handle = 9};
	struct note n;

	come_relayed(f, 0, NOW_MS);
	n = take(f, QUEUE_OWN, NOTE_HEARD);
	assert_int_equal(n.origin.hop_id, f->hop.id);
	assert_int_equal(n.origin.handle, 9);
	f->end[1].link.path = &relayed;
	come_relayed(f, 1, NOW_MS);
	assert_empty(f);
	come(f, 1, VERDICT_FRAME, NOW_MS); /* and directly when the path is the relay's */
	(void)take(f, QUEUE_OWN, NOTE_HEARD);
	f->end[2].link.path = NULL;
	come_relayed(f, 2, NOW_MS);
	assert_empty(f);
}

/* ---- frames after a pause ---- */

static void waking_is_told_once_until_it_falls_asleep_again(void **state)
{
	struct fixture *f = *state;
	struct link *l = &f->end[0].link;

	for (unsigned spell = 0; spell < 3; spell++) {
		l->awake = false;
		/* Either way, whichever is first. */
		if (spell % 2 == 0)
			notes_sent(&f->notes, l);
		else
			come(f, 0, VERDICT_FRAME, NOW_MS);
		assert_int_equal(take(f, QUEUE_OWN, NOTE_AWAKE).index, l->id);
		assert_true(l->awake);
		notes_sent(&f->notes, l);
		come(f, 0, VERDICT_FRAME, NOW_MS);
		assert_empty(f);
	}
	/* What is no frame wakes nobody. */
	l->awake = false;
	come(f, 0, VERDICT_EMPTY, NOW_MS);
	come(f, 0, VERDICT_CONTROL, NOW_MS);
	(void)take(f, QUEUE_CONTROL, NOTE_CONTROL);
	assert_empty(f);
	assert_false(l->awake);
}

/* As when a broadcast goes to more idle peers than there is room for notes. */
static void a_flood_that_wakes_all_leaves_room_for_frames_that_wait(void **state)
{
	static const struct addressee of = {.generation = 1};
	struct fixture *f = *state;
	const struct frame frame = {.data = f->data, .len = 60};
	struct link idle[3 * SIZE] = {{.id = 1}};
	unsigned woken = 0;

	for (unsigned i = 0; i < 3 * SIZE; i++) {
		idle[i].id = 1 + i;
		notes_sent(&f->notes, &idle[i]);
		woken += idle[i].awake;
	}
	notes_frame(&f->notes, &of, &f->end[1].link, &frame);
	assert_lost(f, 0);
	assert_int_equal(woken, SIZE / 2);
	for (unsigned i = 0; i < woken; i++)
		assert_int_equal(take(f, QUEUE_OWN, NOTE_AWAKE).index, 1 + i);
	(void)take(f, QUEUE_OWN, NOTE_FRAME);
	/* The next one wakes others. */
	notes_sent(&f->notes, &idle[woken]);
	assert_int_equal(take(f, QUEUE_OWN, NOTE_AWAKE).index, 1 + woken);
	assert_empty(f);
}

/* ---- frames that wait ---- */

static void a_frame_that_waits_goes_with_its_interface(void **state)
{
	const struct addressee of = {.community = 2, .generation = 31};
	struct fixture *f = *state;
	const struct frame frame = {.data = f->data, .len = FRAME_MAX};

	struct note n;

	notes_frame(&f->notes, &of, &f->end[1].link, &frame);
	n = take(f, QUEUE_OWN, NOTE_FRAME);
	assert_int_equal(n.index, f->end[1].link.id);
	assert_int_equal(n.to.community, 2);
	assert_int_equal(n.to.generation, 31);
	assert_int_equal(n.len, FRAME_MAX);
	assert_memory_equal(n.data, f->data, FRAME_MAX);
	assert_empty(f);
}

/* The largest frame, with as many behind it as there can be. */
static void a_frame_for_all_says_whom_it_missed(void **state)
{
	const struct addressee of = {.community = 2, .generation = 31};
	struct fixture *f = *state;
	const struct frame frame = {.data = f->data, .len = FRAME_MAX};
	const struct missed m = {.view = 7, .n = MISSED_MAX, .more = true};
	uint16_t ports[MISSED_MAX];
	struct note n;

	for (unsigned i = 0; i < MISSED_MAX; i++)
		ports[i] = (uint16_t)(31 * i);
	notes_missed(&f->notes, &of, &m, ports, &frame);
	n = take(f, QUEUE_OWN, NOTE_FRAME);
	assert_int_equal(n.index, 0);
	assert_int_equal(n.to.generation, 31);
	assert_int_equal(n.missed.view, 7);
	assert_true(n.missed.more && !n.missed.all);
	assert_int_equal(n.missed.n, MISSED_MAX);
	assert_memory_equal(n.data, f->data, FRAME_MAX);
	assert_memory_equal(n.data + FRAME_MAX, ports, sizeof(ports));
	assert_empty(f);
}

/* A storm leaves half of the queue to ARP, and what missed nobody is lost by nobody. */
static void a_storm_leaves_room_for_what_is_vital(void **state)
{
	static const struct missed all = {.all = true}, nobody = {.view = 1};
	const struct addressee of = {.generation = 1};
	struct fixture *f = *state;
	struct frame frame = {.data = f->data, .len = 60};

	store_be16(f->data + 12, 0x88b5);
	for (unsigned i = 0; i < SIZE; i++)
		notes_missed(&f->notes, &of, &all, NULL, &frame);
	assert_lost(f, SIZE / 2);
	store_be16(f->data + 12, 0x0806);
	notes_missed(&f->notes, &of, &nobody, NULL, &frame);
	assert_lost(f, SIZE / 2);
	for (unsigned i = 0; i < SIZE / 2 + 1; i++)
		notes_missed(&f->notes, &of, &all, NULL, &frame);
	assert_lost(f, SIZE / 2 + 1);
	assert_int_equal(empty(f, QUEUE_OWN, NOTE_FRAME), SIZE);
}

/* ---- limits ---- */

static void a_link_leaves_so_many_control_notes_and_no_more(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < LINK_MAX + 5; i++)
		come(f, 0, VERDICT_CONTROL, NOW_MS);
	assert_lost(f, 5);
	/* Nobody else suffers. */
	come(f, 1, VERDICT_CONTROL, NOW_MS);
	assert_int_equal(empty(f, QUEUE_CONTROL, NOTE_CONTROL), LINK_MAX + 1);
	/* That they were taken does not count, only time does. */
	come(f, 0, VERDICT_CONTROL, NOW_MS + RECENT_MS - 1);
	assert_empty(f);
	come(f, 0, VERDICT_CONTROL, NOW_MS + RECENT_MS);
	assert_int_equal(empty(f, QUEUE_CONTROL, NOTE_CONTROL), 1);
	assert_lost(f, 6);
}

/* Whoever has two sessions can choose their ids by trying. */
static void two_links_that_take_turns_leave_no_more(void **state)
{
	struct fixture *f = *state;

	f->end[1].link.id = f->end[0].link.id + (1u << 20);
	for (unsigned i = 0; i < 2 * (LINK_MAX + 5); i++)
		come(f, i % 2, VERDICT_CONTROL, NOW_MS);
	assert_int_equal(empty(f, QUEUE_CONTROL, NOTE_CONTROL), 2 * LINK_MAX);
	assert_lost(f, 10);
	for (unsigned i = 0; i < 6; i++)
		come_from(f, i % 2, 77, NOW_MS + i);
	assert_int_equal(empty(f, QUEUE_OWN, NOTE_HEARD), 2);
}

/* What early frames wait for, the CLAIM, comes as control. */
static void early_frames_leave_half_of_it_to_control(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < LINK_MAX; i++)
		come(f, 0, VERDICT_EARLY, NOW_MS);
	assert_lost(f, LINK_MAX / 2);
	for (unsigned i = 0; i < LINK_MAX; i++)
		come(f, 0, VERDICT_CONTROL, NOW_MS);
	assert_lost(f, LINK_MAX);
	for (unsigned i = 0; i < LINK_MAX / 2; i++)
		(void)take(f, QUEUE_CONTROL, NOTE_EARLY);
	assert_int_equal(empty(f, QUEUE_CONTROL, NOTE_CONTROL), LINK_MAX / 2);
}

/* All of them together leave three quarters of the queue to control. */
static void early_frames_of_all_fill_a_quarter_of_the_queue(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 3 * LINK_MAX / 2; i++)
		come(f, i % 3, VERDICT_EARLY, NOW_MS);
	assert_int_equal(queue_filled(&f->queue[QUEUE_CONTROL]), CONTROL_SIZE / 4);
	assert_lost(f, 3 * LINK_MAX / 2 - CONTROL_SIZE / 4);
	come(f, 1, VERDICT_CONTROL, NOW_MS);
	assert_int_equal(queue_filled(&f->queue[QUEUE_CONTROL]), CONTROL_SIZE / 4 + 1);
	/* Room again, once they are taken. */
	(void)take(f, QUEUE_CONTROL, NOTE_EARLY);
	(void)take(f, QUEUE_CONTROL, NOTE_EARLY);
	come(f, 2, VERDICT_EARLY, NOW_MS + RECENT_MS);
	assert_int_equal(queue_filled(&f->queue[QUEUE_CONTROL]), CONTROL_SIZE / 4);
}

static void each_queue_fills_alone(void **state)
{
	const struct addressee of = {.community = 0, .generation = 1};
	struct fixture *f = *state;
	const struct frame frame = {.data = f->data, .len = 60};
	struct rx unknown = {.verdict = VERDICT_UNKNOWN, .data = f->data, .len = 60};

	for (unsigned i = 0; i < SIZE + 3; i++)
		notes_rx(&f->notes, &unknown, NOW_MS);
	assert_lost(f, 3);
	unknown.origin.hop_id = 500;
	for (unsigned i = 0; i < SIZE + 2; i++)
		notes_rx(&f->notes, &unknown, NOW_MS);
	assert_lost(f, 5);
	for (unsigned i = 0; i < SIZE + 1; i++)
		notes_frame(&f->notes, &of, &f->end[1].link, &frame);
	assert_lost(f, 6);
	come(f, 0, VERDICT_CONTROL, NOW_MS);
	assert_int_equal(empty(f, QUEUE_UNKNOWN, NOTE_UNKNOWN), SIZE);
	assert_int_equal(empty(f, QUEUE_RELAYED, NOTE_UNKNOWN), SIZE);
	assert_int_equal(empty(f, QUEUE_OWN, NOTE_FRAME), SIZE);
	assert_int_equal(empty(f, QUEUE_CONTROL, NOTE_CONTROL), 1);
}

/* HELLOs have a queue of their own: a flood of them loses no handshake. */
static void hellos_are_in_nobodys_way(void **state)
{
	struct fixture *f = *state;
	struct rx hello = {.verdict = VERDICT_ENVELOPE,
		.data = f->data,
		.len = 100,
		.origin = {.way.remote = host(7)},
		.to = {.kind = TO_ANY}};
	struct rx init = hello;

	init.to.kind = TO_SUPERNODE;
	for (unsigned i = 0; i < 2 * SIZE; i++)
		notes_rx(&f->notes, &hello, NOW_MS);
	assert_lost(f, SIZE);
	for (unsigned i = 0; i < SIZE; i++)
		notes_rx(&f->notes, &init, NOW_MS);
	assert_lost(f, SIZE);
	assert_int_equal(empty(f, QUEUE_UNKNOWN, NOTE_ENVELOPE), SIZE);
	assert_int_equal(empty(f, QUEUE_HELLO, NOTE_ENVELOPE), SIZE);
}

/* ---- a full queue ---- */

static void what_found_no_room_the_next_packet_tells(void **state)
{
	struct fixture *f = *state;

	f->end[0].keys.heard = false;
	f->end[0].link.awake = false;
	f->refuses[QUEUE_OWN] = true;
	for (unsigned i = 0; i < 3; i++) {
		come(f, 0, VERDICT_FRAME, NOW_MS);
		assert_false(f->end[0].keys.heard);
		assert_false(f->end[0].link.awake);
	}
	assert_lost(f, 6);
	f->refuses[QUEUE_OWN] = false;
	come(f, 0, VERDICT_FRAME, NOW_MS);
	assert_int_equal(take(f, QUEUE_OWN, NOTE_AWAKE).index, f->end[0].link.id);
	assert_int_equal(take(f, QUEUE_OWN, NOTE_HEARD).index, f->end[0].keys.index);
	come(f, 0, VERDICT_FRAME, NOW_MS);
	assert_empty(f);
	assert_lost(f, 6);
}

/* That it comes from elsewhere is told again soon, not by every packet of a storm. */
static void another_address_that_found_no_room_is_told_soon(void **state)
{
	struct fixture *f = *state;

	f->refuses[QUEUE_OWN] = true;
	come_from(f, 0, 77, NOW_MS);
	come_from(f, 0, 77, NOW_MS);
	assert_lost(f, 1);
	f->refuses[QUEUE_OWN] = false;
	come_from(f, 0, 77, NOW_MS + ELSEWHERE_MS);
	assert_int_equal(take(f, QUEUE_OWN, NOTE_HEARD).index, f->end[0].keys.index);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_opened_goes_with_its_keys),
		TEST(envelopes_carry_their_addressee),
		TEST(what_is_unknown_says_which_keys_were_tried),
		TEST(usual_traffic_leaves_nothing),
		TEST(what_is_refused_is_told),
		TEST(the_first_packet_under_a_key_set_is_told_once),
		TEST(another_address_is_told_ten_times_a_second),
		TEST(another_carrier_is_told),
		TEST(the_relay_is_news_only_beside_a_direct_path),
		TEST(waking_is_told_once_until_it_falls_asleep_again),
		TEST(a_flood_that_wakes_all_leaves_room_for_frames_that_wait),
		TEST(a_frame_that_waits_goes_with_its_interface),
		TEST(a_frame_for_all_says_whom_it_missed),
		TEST(a_storm_leaves_room_for_what_is_vital),
		TEST(a_link_leaves_so_many_control_notes_and_no_more),
		TEST(two_links_that_take_turns_leave_no_more),
		TEST(early_frames_leave_half_of_it_to_control),
		TEST(early_frames_of_all_fill_a_quarter_of_the_queue),
		TEST(each_queue_fills_alone),
		TEST(hellos_are_in_nobodys_way),
		TEST(what_found_no_room_the_next_packet_tells),
		TEST(another_address_that_found_no_room_is_told_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
