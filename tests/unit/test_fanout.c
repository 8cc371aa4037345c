/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Group packets at a supernode: which members get a copy at which version of a set, what FANOUT
 * changes, what the limits let through, and what the sender is told.
 */
#include "core/supernode/fans.h"
#include "core/supernode/registry.h"
#include "core/supernode/supernode.h"
#include "core_test.h"

#define START_MS  5000u
#define ALL	  1000
#define INNER_LEN (DATAGRAM_MIN_LEN + 34)
#define ELSEWHERE (c->n - 1) /* the last one is of another community */

struct end {
	struct session *s;
	struct keyset *far;
	struct registry_entry *entry;
	struct member_fan *fan;
	uint32_t counter;
	unsigned copies; /* that came in the last batch */
	unsigned came;	 /* in all */
};

struct crowd {
	struct rig rig;
	struct party self;
	struct registry registry;
	struct fans fans;
	struct relay_pairs *pairs;
	struct supernode_worker w;
	const struct view *view;
	uint64_t now_ms;
	unsigned n;
	struct end end[ALL];
	struct roster_cursor cursor[ALL];
	uint8_t slots[BATCH_MAX][SLOT_LEN];
	struct rx rx[BATCH_MAX];
	size_t n_rx, inner_len;
	uint32_t sender; /* whose handle the copies must bear */
	unsigned calls, most;
};

/* Whoever it is for knows it by the address. */
static void sink(void *ctx, const struct datagram *d, size_t n)
{
	struct crowd *c = ctx;

	c->calls++;
	c->most = c->most > n ? c->most : (unsigned)n;
	for (size_t i = 0; i < n; i++) {
		uint8_t p[SLOT_LEN], mac[RELAY_MAC_LEN];
		struct relay_header h;
		struct end *e = &c->end[d[i].way.remote.port];

		memcpy(p, d[i].data, d[i].len);
		packet_mask(p, d[i].len, RELAY_MASKED_LEN, link_path(&e->s->link)->mask);
		assert_true(relay_header_read(&h, p));
		assert_true(h.group);
		assert_int_equal(h.index, e->far->rx.index);
		assert_int_equal(h.handle, c->sender);
		assert_int_equal(h.hop_limit, RELAY_HOP_LIMIT);
		assert_int_equal(d[i].len, RELAY_HEADER_LEN + c->inner_len);
		relay_mac(mac, e->far->rx.hop_key, p, p + RELAY_HEADER_LEN, c->inner_len);
		assert_memory_equal(mac, p + RELAY_MASKED_LEN, sizeof(mac));
		assert_int_equal(p[RELAY_HEADER_LEN], 0x77);
		e->copies++;
		e->came++;
	}
}

static void add_member(struct crowd *c, unsigned i)
{
	const uint8_t tag[COMMUNITY_TAG_LEN] = {(uint8_t)(i == ELSEWHERE ? 2 : 1)};
	const uint8_t remote[KEY_LEN] = {(uint8_t)i, (uint8_t)(i >> 8), 1};
	struct roster_entry says = {.incarnation = 1};
	struct endpoint at = test_endpoint(1, (uint16_t)i);
	struct way way = way_to(&at);
	struct end *e = &c->end[i];

	memcpy(says.static_public, remote, KEY_LEN);
	e->s = session_create(&c->rig.node.core, LINK_MEMBER, &c->self, 0, remote);
	e->far = rig_keys(&c->rig, e->s, e->s->link.id << 2, (uint8_t)i);
	path_use(&c->rig.node.core, e->s, &way);
	assert_int_equal(
		registry_put(&c->registry, REGISTRY_SELF, tag, &says, &e->entry), REGISTRY_CREATED);
	e->fan = fans_enter(&c->fans, e->entry->community->id);
	assert_non_null(e->fan);
	e->s->link.member = link_member(e->entry->community->id, e->entry->told.handle);
	e->s->link.fanout = &e->fan->shared;
	assert_int_equal(
		view_put_handle(&c->rig.node.core.view, 0, e->entry->told.handle, &e->s->link), 0);
}

static struct crowd *crowd(unsigned n, struct fan_limits limits)
{
	struct crowd *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->n = n;
	c->inner_len = INNER_LEN;
	rig_init(&c->rig, NULL, 1);
	c->now_ms = c->rig.node.core.now_ms = START_MS;
	registry_init(&c->registry, c->rig.node.core.hash_key, &c->rig.node.core.io.random,
		&(struct registry_limits){ALL, ALL});
	fans_init(&c->fans, &limits, c->rig.node.core.hash_key);
	c->pairs = relay_pairs_create();
	assert_int_equal(
		supernode_worker_init(&c->w, 0, c->pairs, (struct datagram_sink){sink, c}), 0);
	c->rig.node.core.view.supernode = true;
	for (unsigned i = 0; i < n; i++)
		add_member(c, i);
	c->view = rig_view(&c->rig);
	c->rig.n_sent = 0;
	return c;
}

static void end(struct crowd *c)
{
	for (unsigned i = 0; i < c->n; i++) {
		c->end[i].s->link.fanout = NULL;
		fans_leave(&c->rig.node.core, &c->fans, c->end[i].fan);
		keyset_destroy(c->end[i].far);
		session_retire(&c->rig.node.core, c->end[i].s);
	}
	assert_int_equal(c->fans.handles, 0);
	assert_int_equal(c->fans.sets, 0);
	assert_null(c->fans.communities);
	registry_fini(&c->registry);
	supernode_worker_fini(&c->w);
	relay_pairs_destroy(c->pairs);
	rig_fini(&c->rig);
	free(c);
}

static void at(struct crowd *c, uint64_t now_ms)
{
	c->now_ms = c->rig.node.core.now_ms = now_ms;
}

static uint32_t handle(const struct crowd *c, unsigned i)
{
	return c->end[i].entry->told.handle;
}

/* ---- FANOUT and FANNED ---- */

/* The last packet for this member has one FANNED of a set. */
static struct control_fanned told(struct crowd *c, unsigned who)
{
	struct sent *s = &c->rig.sent[c->rig.n_sent - 1];
	struct control_fanned f;
	struct control_msg m;
	struct data_header h;
	struct slice plain;
	struct reader r;

	assert_int_equal(c->rig.n_sent, 1);
	plain = rig_open(&c->rig, c->end[who].far, s->data, s->len, &h);
	reader_init(&r, plain.data, plain.len);
	assert_int_equal(control_next(&r, &m), 1);
	assert_int_equal(m.type, CONTROL_FANNED);
	assert_int_equal(control_fanned_decode(&f, m.body), 0);
	c->rig.n_sent = 0;
	return f;
}

/* False: it was not answered. */
static bool ask(struct crowd *c, unsigned who, const struct control_fanout *f)
{
	uint8_t buf[CONTROL_MAX_LEN];
	struct control_msg m;
	struct writer w;
	struct reader r;

	writer_init(&w, buf, sizeof(buf));
	control_fanout_encode(&w, f);
	reader_init(&r, buf, writer_len(&w));
	assert_int_equal(control_next(&r, &m), 1);
	c->rig.node.core.asked_len = writer_len(&w);
	fans_take(&c->rig.node.core, &c->fans, &c->registry, c->end[who].s, c->end[who].fan, &m);
	c->rig.node.core.asked_len = 0;
	return c->rig.n_sent > 0;
}

/* The version that the supernode has then. */
static uint32_t change(struct crowd *c, unsigned who, uint32_t base, uint32_t version,
	const unsigned *gone, unsigned n_gone, const unsigned *new, unsigned n_new)
{
	struct control_fanout f = {.set = 3,
		.base = base,
		.version = version,
		.n_gone = (uint8_t)n_gone,
		.n_new = (uint8_t)n_new};

	for (unsigned i = 0; i < n_gone; i++)
		f.gone[i] = handle(c, gone[i]);
	for (unsigned i = 0; i < n_new; i++)
		f.new[i] = handle(c, new[i]);
	assert_true(ask(c, who, &f));
	return told(c, who).version;
}

#define LIST(...)                                                                                  \
	(const unsigned[]){__VA_ARGS__}, sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned)
#define NONE NULL, 0

/* ---- group packets ---- */

static struct rx *put_group(struct crowd *c, unsigned from, unsigned set, uint32_t version)
{
	struct end *e = &c->end[from];
	struct rx *x = &c->rx[c->n_rx];
	uint8_t *p = c->slots[c->n_rx++];
	size_t len = RELAY_HEADER_LEN + c->inner_len;

	memset(x, 0xa5, sizeof(*x));
	x->in = (struct datagram){.data = p, .len = len};
	x->in.way.remote = test_endpoint(1, (uint16_t)from);
	relay_header_write(p, &(struct relay_header){RELAY_HOP_LIMIT, e->s->link.id << 2,
				      e->counter++, fanout_handle(set, version), true});
	memset(p + RELAY_HEADER_LEN, 0x77, c->inner_len);
	relay_mac(p + RELAY_MASKED_LEN, e->far->tx.hop_key, p, p + RELAY_HEADER_LEN, c->inner_len);
	packet_mask(p, len, RELAY_MASKED_LEN, c->view->hop_mask);
	return x;
}

static void take(struct crowd *c)
{
	for (unsigned i = 0; i < c->n; i++)
		c->end[i].copies = 0;
	c->calls = 0;
	supernode_datagrams_in(&c->w, c->view, c->rx, c->n_rx, c->now_ms);
	c->n_rx = 0;
}

/* Whether a packet of set 3 was sent on. */
static bool send(struct crowd *c, unsigned from, uint32_t version)
{
	const struct rx *x = put_group(c, from, 3, version);

	c->sender = handle(c, from);
	take(c);
	return x->verdict == VERDICT_EMPTY;
}

static void assert_got(const struct crowd *c, const unsigned *who, unsigned n)
{
	unsigned got = 0;

	for (unsigned i = 0; i < n; i++)
		assert_int_equal(c->end[who[i]].copies, 1);
	for (unsigned i = 0; i < c->n; i++)
		got += c->end[i].copies;
	assert_int_equal(got, n);
}

/* ---- tests ---- */

/* Packets that left before the change and after it go to those that the sender means. */
static void two_versions_of_a_set_stand_side_by_side(void **state)
{
	struct crowd *c = crowd(12, (struct fan_limits)FAN_LIMITS_DEFAULT);

	(void)state;
	assert_int_equal(change(c, 0, 0, 5, NONE, LIST(1, 2, 3, 4, 5, 6)), 5);
	assert_true(send(c, 0, 5));
	assert_got(c, LIST(1, 2, 3, 4, 5, 6));
	assert_int_equal(change(c, 0, 5, 9, LIST(2, 6), LIST(7, 8)), 9);
	assert_true(send(c, 0, 5));
	assert_got(c, LIST(1, 2, 3, 4, 5, 6));
	assert_true(send(c, 0, 9));
	assert_got(c, LIST(1, 3, 4, 5, 7, 8));
	/* One that goes and comes again with one change is in both. */
	assert_int_equal(change(c, 0, 9, 10, LIST(1, 7), LIST(7, 9)), 10);
	assert_true(send(c, 0, 9));
	assert_got(c, LIST(1, 3, 4, 5, 7, 8));
	assert_true(send(c, 0, 10));
	assert_got(c, LIST(3, 4, 5, 7, 8, 9));
	assert_false(send(c, 0, 5));
	assert_got(c, NONE);
	assert_int_equal(drops_get(&c->w.drops, DROP_FANOUT), 1);
	/* Other sets are others. */
	c->sender = handle(c, 0);
	(void)put_group(c, 0, 4, 10);
	take(c);
	assert_got(c, NONE);
	end(c);
}

static void a_change_that_follows_from_nothing_here_changes_nothing(void **state)
{
	struct crowd *c = crowd(8, (struct fan_limits)FAN_LIMITS_DEFAULT);

	(void)state;
	assert_int_equal(change(c, 0, 4, 5, NONE, LIST(1, 2)), 0);
	assert_false(send(c, 0, 5));
	assert_int_equal(change(c, 0, 0, 5, NONE, LIST(1, 2)), 5);
	assert_int_equal(change(c, 0, 4, 6, NONE, LIST(3)), 5);
	assert_int_equal(change(c, 0, 6, 7, NONE, LIST(3)), 5);
	assert_int_equal(change(c, 0, 5, 7, NONE, LIST(3)), 7);
	/* Repetitions, of this change and of the first, which came late. */
	assert_int_equal(change(c, 0, 5, 7, NONE, LIST(4)), 7);
	assert_int_equal(change(c, 0, 0, 5, NONE, LIST(1, 2)), 7);
	assert_true(send(c, 0, 5));
	assert_got(c, LIST(1, 2));
	assert_true(send(c, 0, 7));
	assert_got(c, LIST(1, 2, 3));
	/* Anew: nothing of before counts. */
	assert_int_equal(change(c, 0, 0, 8, NONE, LIST(5)), 8);
	assert_false(send(c, 0, 7));
	assert_true(send(c, 0, 8));
	assert_got(c, LIST(5));
	assert_false(send(c, 0, 0));
	end(c);
}

static void only_members_of_the_community_get_copies_and_never_the_sender(void **state)
{
	struct crowd *c = crowd(8, (struct fan_limits)FAN_LIMITS_DEFAULT);
	struct control_fanout f = {.set = 3, .version = 1, .n_new = 5};

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		f.new[i] = 1000 + i; /* nobody's */
	f.new[4] = handle(c, 2);
	assert_true(ask(c, 0, &f));
	assert_int_equal(told(c, 0).version, 1);
	assert_int_equal(c->fans.handles, 1);
	assert_int_equal(change(c, 0, 1, 2, NONE, LIST(0, 1, 1, 2, 2, 1, ELSEWHERE)), 2);
	assert_true(send(c, 0, 2));
	assert_got(c, LIST(1, 2));
	/* Who registers elsewhere later gets none either, nor who is gone. */
	c->end[1].s->link.member = c->end[ELSEWHERE].s->link.member;
	view_remove_handle(&c->rig.node.core.view, 0, handle(c, 2), &c->end[2].s->link);
	c->view = rig_view(&c->rig);
	assert_true(send(c, 0, 2));
	assert_got(c, NONE);
	/* Nor sends anything who is not registered. */
	c->end[0].s->link.member = 0;
	assert_false(send(c, 0, 2));
	assert_int_equal(drops_get(&c->w.drops, DROP_NOT_REGISTERED), 1);
	end(c);
}

static void a_repetition_or_a_wrong_mac_is_not_copied(void **state)
{
	struct crowd *c = crowd(6, (struct fan_limits)FAN_LIMITS_DEFAULT);

	(void)state;
	assert_int_equal(change(c, 0, 0, 1, NONE, LIST(1, 2)), 1);
	assert_true(send(c, 0, 1));
	c->end[0].counter--;
	assert_false(send(c, 0, 1));
	assert_got(c, NONE);
	assert_int_equal(drops_get(&c->w.drops, DROP_REPLAY), 1);
	(void)put_group(c, 0, 3, 1)->in.data[RELAY_MASKED_LEN]++;
	take(c);
	assert_got(c, NONE);
	assert_int_equal(drops_get(&c->w.drops, DROP_AUTH), 1);
	c->inner_len = DATAGRAM_MIN_LEN - 1;
	assert_false(send(c, 0, 1));
	assert_got(c, NONE);
	assert_int_equal(drops_get(&c->w.drops, DROP_TOO_SHORT), 1);
	end(c);
}

/* Nor do they open a way for packets to one. */
static void group_packets_need_no_answer_and_are_none(void **state)
{
	struct crowd *c = crowd(4, (struct fan_limits)FAN_LIMITS_DEFAULT);

	(void)state;
	assert_int_equal(change(c, 0, 0, 1, NONE, LIST(1)), 1);
	for (unsigned i = 0; i < 150; i++)
		assert_true(send(c, 0, 1));
	assert_int_equal(relay_budget_take(c->w.budget, c->end[0].s->link.id, c->end[1].s->link.id,
				 64, c->now_ms),
		RELAY_STRANGER_PER_S);
	assert_int_equal(relay_budget_take(c->w.budget, c->end[1].s->link.id, c->end[2].s->link.id,
				 64, c->now_ms),
		RELAY_STRANGER_PER_S);
	end(c);
}

static void a_registration_has_a_second_of_packets_and_of_bits(void **state)
{
	struct crowd *c = crowd(6, (struct fan_limits){200, 1000000, 50000});
	unsigned passed = 0;

	(void)state;
	assert_int_equal(change(c, 0, 0, 1, NONE, LIST(1, 2)), 1);
	assert_int_equal(change(c, 3, 0, 1, NONE, LIST(1, 2)), 1);
	for (unsigned i = 0; i < 300; i++)
		passed += send(c, 0, 1);
	assert_int_equal(passed, 200);
	assert_int_equal(drops_get(&c->w.drops, DROP_GROUP_RATE), 100);
	for (unsigned i = 0; i < 1000; i++) {
		at(c, c->now_ms + 2);
		passed += send(c, 0, 1);
	}
	assert_in_range(passed, 599, 601);
	/* Large ones: 1 Mbit is 100 of them. */
	c->inner_len = 1250;
	for (passed = 0; send(c, 3, 1);)
		passed++;
	assert_int_equal(passed, 100);
	at(c, c->now_ms + 500);
	for (passed = 0; send(c, 3, 1);)
		passed++;
	assert_int_equal(passed, 50);
	end(c);
}

static void nothing_is_sent_on_where_a_limit_is_zero(void **state)
{
	const struct fan_limits zero[] = {{0, 1000000, 50000}, {200, 0, 50000}, {200, 1000000, 0}};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct crowd *c = crowd(4, zero[i]);
		struct control_fanned f;

		assert_int_equal(change(c, 0, 0, 1, NONE, LIST(1, 2)), 1);
		assert_false(send(c, 0, 1));
		assert_got(c, NONE);
		/* So it sends to each member by itself. */
		assert_int_equal(fans_tell(&c->rig.node.core, c->end[0].s, c->end[0].fan), 0);
		f = told(c, 0);
		assert_true(f.packets_s == 0 || f.bytes_s == 0);
		end(c);
	}
}

/* What is refused is told, once a second, with how often and with the limits. */
static void the_sender_is_told(void **state)
{
	struct crowd *c = crowd(6, (struct fan_limits){20, 800000, 50000});
	struct core *core = &c->rig.node.core;
	struct control_fanned f;
	unsigned notes = 0;

	(void)state;
	assert_int_equal(fans_tell(core, c->end[0].s, c->end[0].fan), 0);
	assert_int_equal(c->rig.n_sent, 0);
	assert_int_equal(change(c, 0, 0, 1, NONE, LIST(1, 2)), 1);
	for (unsigned i = 0; i < 50; i++) {
		const struct rx *x = put_group(c, 0, 3, 1);

		c->sender = handle(c, 0);
		take(c);
		notes += x->verdict == VERDICT_REFUSED;
	}
	assert_int_equal(notes, 30);
	assert_int_equal(fans_tell(core, c->end[0].s, c->end[0].fan), 0);
	f = told(c, 0);
	assert_int_equal(f.set, 3);
	assert_int_equal(f.version, 1);
	assert_int_equal(f.refused, 30);
	assert_int_equal(f.packets_s, 20);
	assert_int_equal(f.bytes_s, 100000);
	/* A version that there is not; it is told when the second is over. */
	at(c, START_MS + 400);
	assert_false(send(c, 0, 2));
	assert_int_equal(fans_tell(core, c->end[0].s, c->end[0].fan), START_MS + 1000);
	assert_int_equal(c->rig.n_sent, 0);
	at(c, START_MS + 1000);
	assert_int_equal(fans_tell(core, c->end[0].s, c->end[0].fan), 0);
	assert_int_equal(told(c, 0).version, 1);
	at(c, START_MS + 9000);
	assert_int_equal(fans_tell(core, c->end[0].s, c->end[0].fan), 0);
	assert_int_equal(c->rig.n_sent, 0);
	end(c);
}

static void changes_have_a_limit(void **state)
{
	struct crowd *c = crowd(4, (struct fan_limits)FAN_LIMITS_DEFAULT);
	struct control_fanout f = {.set = 1};
	unsigned answered = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		f.version = i + 1;
		answered += ask(c, 0, &f);
		c->rig.n_sent = 0;
		at(c, c->now_ms + 10);
	}
	assert_in_range(answered, 80, 92);
	end(c);
}

/* In all sets together; what does not fit leaves the set as it is. */
static void the_room_of_a_registration_is_bounded(void **state)
{
	struct crowd *c = crowd(ALL, (struct fan_limits)FAN_LIMITS_DEFAULT);
	struct control_fanout f = {.n_new = FANOUT_CHANGES_MAX};
	uint32_t version[FANOUT_SETS] = {0};
	unsigned refused = 0;

	(void)state;
	for (unsigned i = 0; i < 80; i++) {
		f.set = (uint8_t)(i % FANOUT_SETS);
		f.base = version[f.set];
		f.version = f.base + 1;
		for (unsigned k = 0; k < f.n_new; k++)
			f.new[k] = handle(c, i / FANOUT_SETS * 150 + k);
		assert_true(ask(c, 0, &f));
		version[f.set] = told(c, 0).version;
		refused += version[f.set] != f.version;
		at(c, c->now_ms + 200);
	}
	assert_true(refused > 0);
	assert_in_range(c->fans.handles, FAN_HANDLES_MAX - FANOUT_CHANGES_MAX, FAN_HANDLES_MAX);
	assert_int_equal(c->fans.sets, FANOUT_SETS);
	end(c);
}

/* ---- a community of 1,000 ---- */

/* The set of all others of the community. */
static void fan_to_all(struct crowd *c, unsigned who)
{
	struct control_fanout f = {.set = 3};
	unsigned next = 0;

	while (next < c->n) {
		f.base = f.version++;
		for (f.n_new = 0; f.n_new < FANOUT_CHANGES_MAX && next < c->n; next++)
			f.new[f.n_new++] = handle(c, next);
		assert_true(ask(c, who, &f));
		assert_int_equal(told(c, who).version, f.version);
	}
	assert_int_equal(f.version, 5);
}

static void one_packet_becomes_a_thousand_in_few_calls(void **state)
{
	struct crowd *c = crowd(ALL, (struct fan_limits)FAN_LIMITS_DEFAULT);

	(void)state;
	fan_to_all(c, 0);
	assert_true(send(c, 0, 5));
	for (unsigned i = 1; i < ELSEWHERE; i++)
		assert_int_equal(c->end[i].copies, 1);
	assert_int_equal(c->end[0].copies, 0);
	assert_int_equal(c->end[ELSEWHERE].copies, 0);
	assert_int_equal(c->calls, 16);
	assert_int_equal(c->most, BATCH_MAX);
	assert_int_equal(c->w.copier.copies, ALL - 2);
	assert_int_equal(c->w.copier.bytes, (ALL - 2) * INNER_LEN);
	/* At both versions together, no more than twice the community. */
	assert_in_range(c->fans.handles, ALL - 2, 2 * ALL);
	end(c);
}

/* A community's copies: a second of them at once, then as they flow. */
static void a_community_has_its_copies_a_second(void **state)
{
	struct crowd *c = crowd(ALL, (struct fan_limits)FAN_LIMITS_DEFAULT);
	uint64_t copies;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		fan_to_all(c, i);
	for (unsigned ms = 0; ms < 10000; ms += 5) {
		at(c, c->now_ms + 5);
		for (unsigned i = 0; i < 20; i++)
			(void)send(c, i, 5);
	}
	copies = c->w.copier.copies;
	assert_in_range(copies, 500000 - 1000, 550000 + 1000);
	end(c);
}

/*
 * Some members send all that they can get. One who sends a little still gets it through, and one
 * who has just begun; among those who flood nobody gets nothing.
 */
static void who_floods_takes_nothing_from_others(void **state)
{
	struct crowd *c = crowd(ALL, (struct fan_limits)FAN_LIMITS_DEFAULT);
	unsigned quiet = 0, passed = 0, least = 10000;
	unsigned sent[10] = {0};

	(void)state;
	for (unsigned i = 0; i < 12; i++)
		fan_to_all(c, i);
	for (unsigned ms = 0; ms < 30000; ms += 5) {
		at(c, c->now_ms + 5);
		for (unsigned i = 0; i < 10; i++)
			sent[i] += send(c, i, 5);
		if (ms % 1000 == 0 && ms > 5000) {
			passed += send(c, 10, 5);
			quiet++;
		}
	}
	assert_int_equal(passed, quiet);
	for (unsigned i = 0; i < 4; i++)
		assert_true(send(c, 11, 5));
	for (unsigned i = 0; i < 10; i++)
		least = sent[i] < least ? sent[i] : least;
	assert_true(least > 0);
	end(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_versions_of_a_set_stand_side_by_side),
		cmocka_unit_test(a_change_that_follows_from_nothing_here_changes_nothing),
		cmocka_unit_test(only_members_of_the_community_get_copies_and_never_the_sender),
		cmocka_unit_test(a_repetition_or_a_wrong_mac_is_not_copied),
		cmocka_unit_test(group_packets_need_no_answer_and_are_none),
		cmocka_unit_test(a_registration_has_a_second_of_packets_and_of_bits),
		cmocka_unit_test(nothing_is_sent_on_where_a_limit_is_zero),
		cmocka_unit_test(the_sender_is_told),
		cmocka_unit_test(changes_have_a_limit),
		cmocka_unit_test(the_room_of_a_registration_is_bounded),
		cmocka_unit_test(one_packet_becomes_a_thousand_in_few_calls),
		cmocka_unit_test(a_community_has_its_copies_a_second),
		cmocka_unit_test(who_floods_takes_nothing_from_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
