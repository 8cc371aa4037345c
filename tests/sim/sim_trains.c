/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Super-frames from interface to interface. What an interface is handed is cut again, and each
 * frame is compared with the one that the sender's system would have made, byte for byte, with its
 * checksum filled in.
 */
#include "../own_queries.h"
#include "../unit/offload_test.h"
#include "core/control.h"
#include "core/edge/edge_state.h"
#include "sim.h"

#define EDGES_MAX   4
#define NODES	    (EDGES_MAX + 1)
#define FLOWS_MAX   (3 * EDGES_MAX)
#define PORT	    20000 /* and the number of the flow */
#define SEGMENT_MIN 400
#define SEGMENT_MAX 1300
#define TRAIN_MAX   60000
#define TCP_KINDS   (OFFLOAD_BIT(OFFLOAD_TCP4) | OFFLOAD_BIT(OFFLOAD_TCP6))

/* What was sent under one header. */
struct train {
	struct sketch sketch;
	size_t size;
	uint32_t offset; /* of its payload in the flow */
	uint32_t first;	 /* number of its first segment in the flow */
};

struct flow {
	unsigned number;
	struct sim_node *from, *to; /* to NULL: everybody */
	struct sketch like;
	uint32_t n_trains, cap_trains, n_segments, cap_segments, len;
	struct train *trains;
	uint8_t *count[NODES]; /* how often each segment came there */
	uint32_t next[NODES];  /* in order */
	uint32_t mark;	       /* a segment */
};

struct scene {
	struct sim *s;
	struct sim_node *sn, *edge[EDGES_MAX];
	struct dice dice;
	struct flow flow[FLOWS_MAX];
	unsigned n_flows;
	bool disordered; /* the network is one that may lose, double and reorder */
	unsigned trains[OFFLOAD_KINDS], finished;
};

/* ---- what is sent ---- */

static void fill_payload(
	const struct flow *f, const struct train *t, size_t at, size_t len, uint8_t *out)
{
	for (size_t i = 0; i < len; i++) {
		const size_t offset = t->offset + at + i;

		out[i] = (uint8_t)(offset * 167 + (offset >> 8) * 13 + f->number * 59);
	}
	if (f->like.tcp)
		return;
	for (size_t i = 0; i < len; i += t->size)
		store_be32(out + i, (uint32_t)(t->first + (at + i) / t->size));
}

static void set_addresses(const struct flow *f, uint8_t *frame)
{
	const struct mac from = sim_mac(f->from);

	memset(frame, 0xff, sizeof(from.b));
	if (f->to != NULL)
		memcpy(frame, sim_mac(f->to).b, sizeof(from.b));
	memcpy(frame + sizeof(from.b), from.b, sizeof(from.b));
}

static uint32_t segments_in(const struct train *t)
{
	return (uint32_t)segments_of(&t->sketch, t->size);
}

static struct train *note_train(struct flow *f, const struct sketch *sketch, size_t size)
{
	struct train *t;

	if (f->n_trains == f->cap_trains) {
		f->cap_trains = f->cap_trains * 2 + 64;
		f->trains = realloc(f->trains, f->cap_trains * sizeof(*f->trains));
		assert_non_null(f->trains);
	}
	t = &f->trains[f->n_trains++];
	*t = (struct train){*sketch, size, f->len, f->n_segments};
	f->len += (uint32_t)sketch->len;
	f->n_segments += segments_in(t);
	for (unsigned i = 0; f->n_segments > f->cap_segments && i < NODES; i++) {
		const uint32_t cap = f->n_segments * 2;

		f->count[i] = realloc(f->count[i], cap);
		assert_non_null(f->count[i]);
		memset(f->count[i] + f->cap_segments, 0, cap - f->cap_segments);
		if (i == NODES - 1)
			f->cap_segments = cap;
	}
	return t;
}

/* Sends n segments under one header, or a single frame if n is 1. */
static void send_train(struct scene *c, struct flow *f, size_t n)
{
	static uint8_t payload[BYTES_MAX], frame[BYTES_MAX];
	struct sketch s = f->like;
	size_t size = SEGMENT_MIN + dice_roll(&c->dice, SEGMENT_MAX - SEGMENT_MIN + 1);
	struct frame super;
	struct train *t;

	if (n * size > TRAIN_MAX)
		size = TRAIN_MAX / n;
	s.len = n * size - (dice_one_in(&c->dice, 2) ? dice_roll(&c->dice, SEGMENT_MIN - 4) : 0);
	s.id = (uint16_t)f->n_segments;
	s.seq += f->len;
	s.sum = dice_one_in(&c->dice, 5) ? SUM_FINISHED : SUM_UNSET;
	if (s.tcp && dice_one_in(&c->dice, 3))
		s.flags |= PSH;
	if (s.tcp && dice_one_in(&c->dice, 9))
		s.flags |= CWR | ECE;
	t = note_train(f, &s, size);
	fill_payload(f, t, 0, s.len, payload);
	s.payload = payload;
	super = n > 1 ? sketch_train(&s, size, frame) : sketch_frame(&s, frame);
	set_addresses(f, frame);
	sim_send_super(f->from, &super, 1);
}

static void send_any(struct scene *c, struct flow *f)
{
	const uint32_t kind = dice_roll(&c->dice, 8);

	send_train(c, f, kind == 0 ? 45 : kind < 3 ? 1 : 2 + dice_roll(&c->dice, 9));
}

/* ---- what comes ---- */

static struct flow *flow_of(struct scene *c, const struct frame *frame)
{
	const size_t l3 = load_be16(frame->data + 12) == 0x8100 ? 18 : 14;
	const size_t l4 = l3 + (frame->data[l3] >> 4 == 6 ? 40 : 20);
	const unsigned number = load_be16(frame->data + l4) - PORT;

	assert_true(number < c->n_flows);
	return &c->flow[number];
}

/* The train, and i its segment, that this must be. */
static const struct train *train_of(const struct flow *f, const struct frame *frame, size_t *i)
{
	const uint8_t *l4 = frame->data + transport_at(&f->like);
	const uint32_t number = f->like.tcp ? load_be32(l4 + 4) - f->like.seq : load_be32(l4 + 8);
	uint32_t low = 0, high = f->n_trains;

	while (high - low > 1) {
		const uint32_t middle = (low + high) / 2;
		const struct train *t = &f->trains[middle];

		if ((f->like.tcp ? t->offset : t->first) <= number)
			low = middle;
		else
			high = middle;
	}
	assert_true(low < f->n_trains);
	*i = number - f->trains[low].first;
	if (f->like.tcp) {
		*i = (number - f->trains[low].offset) / f->trains[low].size;
		assert_int_equal((number - f->trains[low].offset) % f->trains[low].size, 0);
	}
	assert_true(*i < segments_in(&f->trains[low]));
	return &f->trains[low];
}

static void check_segment(struct scene *c, const struct sim_node *at, struct frame *got)
{
	static uint8_t payload[BYTES_MAX], data[BYTES_MAX];
	struct flow *f = flow_of(c, got);
	struct sketch s;
	struct frame want;
	uint32_t number;
	size_t i;
	const struct train *t = train_of(f, got, &i);

	assert_true(at != f->from && (f->to == NULL || at == f->to));
	s = t->sketch;
	s.sum = SUM_FINISHED;
	s.payload = payload;
	s = sketch_segment(&s, t->size, i);
	fill_payload(f, t, i * t->size, s.len, payload + i * t->size);
	want = sketch_frame(&s, data);
	set_addresses(f, data);
	assert_true(offload_fill(got));
	assert_int_equal(got->len, want.len);
	assert_memory_equal(got->data, want.data, want.len);

	number = t->first + (uint32_t)i;
	assert_int_equal(++f->count[at->number][number], 1);
	if (!c->disordered)
		assert_int_equal(number, f->next[at->number]);
	f->next[at->number] = number + 1;
}

static bool on_interface(void *ctx, struct sim_node *at, const struct joined *j)
{
	static uint8_t whole[BYTES_MAX], slot[FRAME_MAX];
	struct scene *c = ctx;
	struct frame f = {whole, 0, j->offload}, segment = {.data = slot};
	struct cut cut;

	if (is_own_query(j->piece[0].data, j->piece[0].len))
		return false;
	for (size_t i = 0; i < j->n_pieces; i++) {
		assert_true(f.len + j->piece[i].len <= sizeof(whole));
		memcpy(whole + f.len, j->piece[i].data, j->piece[i].len);
		f.len += j->piece[i].len;
	}
	assert_int_equal(f.offload.kind != OFFLOAD_NONE, j->n_pieces > 1);
	assert_true(((at->worker.in.kinds | 1) & OFFLOAD_BIT(f.offload.kind)) != 0);
	assert_true(at->worker.in.csum_unset || !f.offload.csum_unset);
	c->trains[f.offload.kind]++;
	c->finished += !f.offload.csum_unset;
	assert_true(cut_begin(&cut, &f));
	assert_int_equal(cut_left(&cut), j->n_pieces);
	while (cut_left(&cut) > 0) {
		cut_next(&cut, &segment);
		check_segment(c, at, &segment);
	}
	return false;
}

/* Counts from here on. */
static void mark(struct scene *c)
{
	for (unsigned i = 0; i < c->n_flows; i++) {
		struct flow *f = &c->flow[i];

		f->mark = f->n_segments;
		for (unsigned k = 0; k < NODES; k++)
			f->next[k] = f->n_segments;
	}
	memset(c->trains, 0, sizeof(c->trains));
	c->finished = 0;
}

/* Segments sent since the mark that did not come where they should, and those that should. */
static uint32_t missing(const struct scene *c, uint32_t *sent)
{
	uint32_t n = 0;

	*sent = 0;
	for (unsigned i = 0; i < c->n_flows; i++) {
		const struct flow *f = &c->flow[i];

		for (unsigned k = 0; k < c->s->n_nodes; k++) {
			const struct sim_node *at = c->s->nodes[k];

			if (!at->is_edge || (f->to != NULL ? at != f->to : at == f->from))
				continue;
			for (uint32_t number = f->mark; number < f->n_segments; number++)
				n += f->count[k][number] == 0;
			*sent += f->n_segments - f->mark;
		}
	}
	return n;
}

static void assert_all_came(struct scene *c)
{
	uint32_t sent;

	sim_run(c->s, 1000);
	assert_int_equal(missing(c, &sent), 0);
	assert_true(sent > 0);
	sim_assert_clean(c->s);
}

/* ---- scenes ---- */

/* A hop takes half as long as the direct way: a change of path overtakes nothing. */
static void set_delays(struct scene *c, const struct sim_link *like)
{
	struct sim_link direct = *like, hop = *like;

	direct.delay_ms = 20;
	hop.delay_ms = 10;
	sim_all_links(c->s, &direct);
	for (unsigned i = 1; i < c->s->n_nodes; i++) {
		*sim_link(c->s, c->sn, c->s->nodes[i]) = hop;
		*sim_link(c->s, c->s->nodes[i], c->sn) = hop;
	}
}

static void set_up(struct scene *c, unsigned edges, bool direct)
{
	*c = (struct scene){.dice = dice_at(sim_seed())};
	c->s = sim_create(sim_seed(), NODES);
	c->s->batch = BATCH_MAX;
	c->s->interface = on_interface;
	c->s->interface_ctx = c;
	c->sn = sim_add_supernode(c->s);
	for (unsigned i = 0; i < edges; i++)
		c->edge[i] = sim_add_edge(c->s, &sim_key, c->sn);
	set_delays(c, &(struct sim_link){.blocked = false});
	sim_block_direct(c->s, !direct);
	sim_start_all(c->s);
	assert_true(sim_until(c->s, 9000, direct ? sim_all_direct : sim_all_up, c->s));
	sim_run(c->s, 3000);
}

static void tear_down(struct scene *c)
{
	sim_assert_clean(c->s);
	for (unsigned i = 0; i < c->n_flows; i++) {
		free(c->flow[i].trains);
		for (unsigned k = 0; k < NODES; k++)
			free(c->flow[i].count[k]);
	}
	sim_destroy(c->s);
}

static struct flow *add_flow(struct scene *c, struct sim_node *from, struct sim_node *to,
	enum offload_kind kind, bool v6)
{
	struct flow *f = &c->flow[c->n_flows];

	assert_true(c->n_flows < FLOWS_MAX);
	*f = (struct flow){.number = c->n_flows++, .from = from, .to = to};
	f->like = (struct sketch){
		.vlan = f->number % 4 == 3,
		.vlan_type = 0x8100,
		.vlan_id = 5,
		.v6 = v6,
		.tcp = kind != OFFLOAD_UDP,
		.host = (uint8_t)f->number,
		.ttl = 64,
		.df = f->number % 2 == 0,
		.port = (uint16_t)(PORT + f->number),
		.seq = (uint32_t)-5000,
		.flags = ACK,
		.tcp_options = 12,
		.option_byte = 1,
		.payload = NULL,
	};
	return f;
}

static void add_flows(struct scene *c, struct sim_node *from, struct sim_node *to)
{
	(void)add_flow(c, from, to, OFFLOAD_TCP4, false);
	(void)add_flow(c, from, to, OFFLOAD_TCP6, true);
	(void)add_flow(c, from, to, OFFLOAD_UDP, c->n_flows % 2 == 0);
}

/* All flows at once, every so often. */
static void talk(struct scene *c, uint64_t ms, uint64_t every_ms)
{
	for (uint64_t t = 0; t < ms; t += every_ms) {
		for (unsigned i = 0; i < c->n_flows; i++)
			send_any(c, &c->flow[i]);
		sim_run(c->s, every_ms);
	}
}

/* ---- a network that loses nothing ---- */

static void interfaces_of_each_kind(bool direct)
{
	static const struct {
		unsigned kinds;
		bool csum_unset;
	} takes[] = {{SIM_KINDS, true}, {TCP_KINDS, true}, {0, true}, {0, false}};
	struct scene c;

	set_up(&c, 2, direct);
	add_flows(&c, c.edge[0], c.edge[1]);
	add_flows(&c, c.edge[1], c.edge[0]);
	for (size_t i = 0; i < sizeof(takes) / sizeof(takes[0]); i++) {
		for (unsigned k = 0; k < 2; k++) {
			c.edge[k]->worker.in.kinds = takes[i].kinds;
			c.edge[k]->worker.in.csum_unset = takes[i].csum_unset;
		}
		mark(&c);
		talk(&c, 5000, 100);
		assert_all_came(&c);
		for (unsigned kind = OFFLOAD_TCP4; kind < OFFLOAD_KINDS; kind++)
			assert_int_equal(
				c.trains[kind] > 0, (takes[i].kinds & OFFLOAD_BIT(kind)) != 0);
		if (!takes[i].csum_unset)
			assert_int_equal(c.finished, c.trains[OFFLOAD_NONE]);
	}
	assert_int_equal(sim_is_direct(c.edge[0], c.edge[1]), direct);
	tear_down(&c);
}

static void direct_trains_come_in_order(void **state)
{
	(void)state;
	interfaces_of_each_kind(true);
}

static void relayed_trains_come_in_order(void **state)
{
	(void)state;
	interfaces_of_each_kind(false);
}

/* Ten minutes, in which keys change five times. */
static void rekeys_lose_nothing(bool direct)
{
	struct scene c;
	uint32_t before;

	set_up(&c, 2, direct);
	add_flows(&c, c.edge[0], c.edge[1]);
	add_flows(&c, c.edge[1], c.edge[0]);
	before = sim_session(c.edge[0], c.edge[1])->current->generation;
	mark(&c);
	talk(&c, 600000, 1000);
	assert_all_came(&c);
	assert_true(sim_session(c.edge[0], c.edge[1])->current->generation >= before + 4);
	tear_down(&c);
}

static void rekeys_lose_no_direct_train(void **state)
{
	(void)state;
	rekeys_lose_nothing(true);
}

static void rekeys_lose_no_relayed_train(void **state)
{
	(void)state;
	rekeys_lose_nothing(false);
}

/* Nothing comes back but what n2n itself sends, and the relay lets all of it pass all the same. */
static void one_way_trains_pass_the_relay(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, 2, false);
	add_flows(&c, c.edge[0], c.edge[1]);
	mark(&c);
	talk(&c, 600000, 1000);
	assert_all_came(&c);
	tear_down(&c);
}

/* Ten minutes, with the direct path blocked for every other one. */
static void changes_of_path_double_nothing(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, 2, true);
	add_flows(&c, c.edge[0], c.edge[1]);
	add_flows(&c, c.edge[1], c.edge[0]);
	for (unsigned minute = 0; minute < 10; minute++) {
		const bool blocked = minute % 2 == 1;

		sim_block_direct(c.s, blocked);
		/* What is sent until the silence is noticed is lost. */
		c.disordered = blocked;
		mark(&c);
		talk(&c, 10000, 500);
		if (!blocked)
			assert_all_came(&c);
		sim_run(c.s, 1000);
		c.disordered = false;
		mark(&c);
		talk(&c, 48000, 500);
		assert_all_came(&c);
		assert_int_equal(sim_is_direct(c.edge[0], c.edge[1]), !blocked);
	}
	tear_down(&c);
}

/* ---- a network that loses, doubles and reorders ---- */

static void a_bad_network_changes_nothing(bool direct)
{
	struct scene c;
	uint32_t sent, lost;

	set_up(&c, 2, direct);
	add_flows(&c, c.edge[0], c.edge[1]);
	add_flows(&c, c.edge[1], c.edge[0]);
	set_delays(&c, &(struct sim_link){.loss = 20, .dup = 30, .reorder = 30, .jitter_ms = 3});
	sim_block_direct(c.s, !direct);
	c.disordered = true;
	mark(&c);
	talk(&c, 200000, 500);
	sim_run(c.s, 1000);
	lost = missing(&c, &sent);
	assert_in_range(lost, sent / 100, sent / 8);
	for (unsigned kind = OFFLOAD_TCP4; kind < OFFLOAD_KINDS; kind++)
		assert_true(c.trains[kind] > 0);
	tear_down(&c);
}

static void a_bad_direct_network(void **state)
{
	(void)state;
	a_bad_network_changes_nothing(true);
}

static void a_bad_relayed_network(void **state)
{
	(void)state;
	a_bad_network_changes_nothing(false);
}

/* ---- frames that are not for the workers alone ---- */

/* They wait in the control thread, with their checksums filled in there. */
static void trains_wait_for_a_session(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, 2, true);
	add_flows(&c, c.edge[0], c.edge[1]);
	for (unsigned i = 0; i < c.n_flows; i++) {
		sim_run(c.s, 600000);
		assert_false(sim_all_up(c.s));
		mark(&c);
		send_train(&c, &c.flow[i], WAITING_PER_SESSION);
		sim_run(c.s, 2000);
		assert_true(c.finished > 0);
		talk(&c, 1000, 100);
		assert_all_came(&c);
	}
	tear_down(&c);
}

/* The receiver's worker does not know yet whose the address is; the CLAIM is on the way. */
static void early_trains_are_taken(void **state)
{
	struct sim_node *a, *b;
	struct session *s;
	struct scene c;
	uint32_t sent;

	(void)state;
	set_up(&c, 2, true);
	a = c.edge[0];
	b = c.edge[1];
	add_flows(&c, a, b);
	for (unsigned i = 0; i < c.n_flows; i++) {
		mark(&c);
		atomic_store(&sim_session(b, a)->link.mac, 0);
		s = sim_session(a, b);
		a->node->core.now_ms = c.s->now_ms;
		session_post(&a->node->core, s, CONTROL_CLAIM);
		control_flush(a->node, s, NULL);
		send_train(&c, &c.flow[i], 12);
		assert_all_came(&c);
		/* One by one, by the control thread. */
		assert_int_equal(c.finished, 12);
		talk(&c, 1000, 100);
		assert_all_came(&c);
	}
	mark(&c);
	atomic_store(&sim_session(b, a)->link.mac, 0);
	send_train(&c, &c.flow[0], 12);
	/* Some of them wait for a CLAIM that does not come. */
	sim_run(c.s, WAITING_MS + 1000);
	assert_int_equal(missing(&c, &sent), 12);
	assert_int_equal(sim_drops(b, DROP_SOURCE_MAC), 12);
	tear_down(&c);
}

/* To everybody: some direct, some relayed, and each interface takes something else. */
static void everybody_gets_right_sums(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, EDGES_MAX, true);
	sim_block(c.s, c.edge[0], c.edge[2], true);
	c.edge[1]->worker.in.csum_unset = false;
	c.edge[1]->worker.in.kinds = 0;
	c.edge[3]->worker.in.kinds = 0;
	(void)add_flow(&c, c.edge[0], NULL, OFFLOAD_UDP, false);
	(void)add_flow(&c, c.edge[0], NULL, OFFLOAD_UDP, true);
	(void)add_flow(&c, c.edge[3], NULL, OFFLOAD_UDP, false);
	c.disordered = true;
	talk(&c, 10000, 100);
	assert_false(sim_is_direct(c.edge[0], c.edge[2]));
	assert_true(sim_is_direct(c.edge[0], c.edge[1]));
	c.disordered = false;
	mark(&c);
	talk(&c, 20000, 100);
	assert_all_came(&c);
	/* And asleep: it waits at the control thread for each of them. */
	sim_run(c.s, 600000);
	assert_false(sim_all_up(c.s));
	mark(&c);
	send_train(&c, &c.flow[0], 3);
	sim_run(c.s, 2000);
	assert_all_came(&c);
	tear_down(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(direct_trains_come_in_order),
		cmocka_unit_test(relayed_trains_come_in_order),
		cmocka_unit_test(rekeys_lose_no_direct_train),
		cmocka_unit_test(rekeys_lose_no_relayed_train),
		cmocka_unit_test(one_way_trains_pass_the_relay),
		cmocka_unit_test(changes_of_path_double_nothing),
		cmocka_unit_test(a_bad_direct_network),
		cmocka_unit_test(a_bad_relayed_network),
		cmocka_unit_test(trains_wait_for_a_session),
		cmocka_unit_test(early_trains_are_taken),
		cmocka_unit_test(everybody_gets_right_sums),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
