/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Joining against a description: which frames belong together is found from the sketches that the
 * frames were written from, and what comes out is cut again by a plain reading of the facts.
 */
#include "offload_test.h"

#define CASES 4000
#define ALL   (~0u)
#define FLOWS 6

struct fixture {
	uint8_t payload[IP_MAX];
	uint8_t frame[JOIN_MAX][BYTES_MAX]; /* given to the join, which may change them */
	uint8_t before[JOIN_MAX][SLOT_LEN];
	uint8_t whole[BYTES_MAX];
	uint8_t segment[BYTES_MAX];
	struct frame frames[JOIN_MAX];
	struct offload facts[JOIN_MAX];
	struct sketch sketches[JOIN_MAX];
	bool garbage[JOIN_MAX];
	uint8_t flow[JOIN_MAX];
	uint8_t expected[JOIN_MAX]; /* the place in the output */
	struct join join;
	size_t n, n_out, joined;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct dice d = dice_at(2);

	assert_non_null(f);
	for (size_t i = 0; i < sizeof(f->payload); i++) {
		f->payload[i] = (uint8_t)dice_any(&d);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* Frame i from its sketch. */
static void put(struct fixture *f, size_t i)
{
	f->frames[i] = sketch_frame(&f->sketches[i], f->frame[i]);
	assert_true(f->frames[i].len <= SLOT_LEN);
	memcpy(f->before[i], f->frame[i], f->frames[i].len);
	f->facts[i] = f->frames[i].offload;
}

static size_t gather(const struct joined *out, uint8_t *whole)
{
	size_t len = 0;

	for (size_t i = 0; i < out->n_pieces; i++) {
		assert_true(len + out->piece[i].len <= BYTES_MAX);
		memcpy(whole + len, out->piece[i].data, out->piece[i].len);
		len += out->piece[i].len;
	}
	return len;
}

/* ---- cut and joined again ---- */

static bool may_be_whole(const struct sketch *s)
{
	return s->len > 0 && (s->v6 ? s->n_extensions : s->ip_options) == 0 &&
	       (!s->tcp || (s->flags & (SYN | RST | URG)) == 0);
}

static void what_was_cut_is_whole_again(void **state)
{
	struct fixture *f = *state;
	size_t joined = 0;

	for (uint64_t seed = 0; seed < CASES; seed++) {
		struct dice dice = dice_at(seed), *d = &dice;
		struct sketch s = sketch_any(d, f->payload, 0);
		const size_t room = FRAME_MAX - payload_at(&s);
		const size_t size = 1 + dice_roll(d, (uint32_t)room);
		struct frame train;
		size_t most = JOIN_MAX * size, len;
		struct cut c;

		if (most > IP_MAX - (payload_at(&s) - ip_at(&s))) {
			most = IP_MAX - (payload_at(&s) - ip_at(&s));
		}
		s.len = 1 + dice_roll(d, (uint32_t)most);
		train = sketch_train(&s, size, f->whole);
		CHECK(cut_begin(&c, &train));
		for (f->n = 0; cut_left(&c) > 0; f->n++) {
			f->frames[f->n].data = f->frame[f->n];
			cut_next(&c, &f->frames[f->n]);
		}
		f->n_out = offload_join(&f->join, f->frames, f->n, ALL);
		if (!may_be_whole(&s) || f->n == 1) {
			CHECK(f->n_out == f->n);
			continue;
		}
		CHECK(f->n_out == 1);
		s.sum = SUM_UNSET;
		train = sketch_train(&s, size, f->whole);
		len = gather(&f->join.out[0], f->segment);
		CHECK(len == train.len && memcmp(f->segment, f->whole, len) == 0);
		check_facts(d, &f->join.out[0].offload, &train.offload);
		joined++;
	}
	assert_true(joined > CASES / 2);
}

/* ---- mixes ---- */

/* The kernel's rules, on descriptions. */
static bool joinable(const struct fixture *f, size_t i, unsigned kinds)
{
	const struct sketch *s = &f->sketches[i];

	return may_be_whole(s) && (kinds & OFFLOAD_BIT(kind_of(s))) != 0 && s->padding == 0 &&
	       !(s->no_sum && !s->tcp);
}

static bool sums_right(const struct sketch *s)
{
	return s->sum < SUM_UNSET_WRONG && (s->v6 || !s->ip_sum_wrong);
}

static bool same_headers(const struct sketch *a, const struct sketch *b)
{
	if (a->mac != b->mac || a->vlan != b->vlan || (a->vlan && a->vlan_id != b->vlan_id) ||
		(a->vlan && a->vlan_type != b->vlan_type) || a->tos != b->tos || a->ttl != b->ttl) {
		return false;
	}
	if (a->v6 ? a->label != b->label : a->df != b->df) {
		return false;
	}
	return !a->tcp ||
	       (a->ack == b->ack && a->window == b->window && a->reserved == b->reserved &&
		       a->urgent == b->urgent && a->tcp_options == b->tcp_options &&
		       (a->tcp_options == 0 || a->option_byte == b->option_byte) &&
		       ((a->flags ^ b->flags) & ~(FIN | PSH | CWR)) == 0 && (b->flags & CWR) == 0);
}

struct expected {
	const struct sketch *first, *last;
	size_t out, count, bytes;
	bool open;
	uint16_t step;
};

static bool continues(const struct expected *e, const struct sketch *s)
{
	uint16_t step;

	if (!e->open || s->len > e->first->len || !same_headers(e->first, s) ||
		!sums_right(e->first) || !sums_right(s) || e->bytes + s->len > IP_MAX) {
		return false;
	}
	step = (uint16_t)(s->id - e->last->id);
	if (!s->v6 && (e->count > 1 ? step != e->step : step != 1 && !(step == 0 && s->df))) {
		return false;
	}
	return !s->tcp || s->seq == (uint32_t)(e->last->seq + e->last->len);
}

/* Fills in f->expected and returns how many frames come out. */
static size_t expect(struct fixture *f, unsigned kinds)
{
	struct expected flows[FLOWS];
	size_t n_out = 0;

	memset(flows, 0, sizeof(flows));
	for (size_t i = 0; i < f->n; i++) {
		const struct sketch *s = &f->sketches[i];
		struct expected *e = &flows[f->flow[i]];
		const bool may = !f->garbage[i] && joinable(f, i, kinds);

		if (f->garbage[i]) {
			memset(flows, 0, sizeof(flows));
		}
		if (may && continues(e, s)) {
			e->step = (uint16_t)(s->id - e->last->id);
			e->count++;
			e->bytes += s->len;
		} else {
			*e = (struct expected){.first = s, .out = n_out++, .count = 1};
			e->open = may;
			e->bytes = payload_at(s) - ip_at(s) + s->len;
		}
		e->last = s;
		e->open = e->open && s->len == e->first->len &&
			  !(s->tcp && (s->flags & (FIN | PSH)) != 0);
		f->expected[i] = (uint8_t)e->out;
	}
	return n_out;
}

/* They differ in the port only, in the address only, in the protocol only. */
static void tell_apart(struct sketch *flow)
{
	static const uint8_t port[FLOWS] = {0, 1, 2, 2, 3, 3}, host[FLOWS] = {0, 0, 1, 2, 3, 3};

	for (unsigned i = 0; i < FLOWS; i++) {
		flow[i].port = port[i];
		flow[i].host = host[i];
		flow[i].v6 = flow[i & ~1u].v6;
	}
	flow[5].tcp = !flow[4].tcp;
}

static void start_flows(struct fixture *f, struct dice *d, struct sketch *flow)
{
	for (unsigned i = 0; i < FLOWS; i++) {
		flow[i] = sketch_any(d, f->payload, 0);
		flow[i].ip_options = flow[i].n_extensions = 0;
		flow[i].flags = ACK;
	}
	tell_apart(flow);
	for (unsigned i = 0; i < FLOWS; i++) {
		const size_t room = FRAME_MAX - payload_at(&flow[i]) - 20;

		flow[i].len = dice_one_in(d, 2) ? room : 1 + dice_roll(d, (uint32_t)room);
	}
}

/* Something by which the kernel would tell that this one does not belong to the last. */
static void differ(struct sketch *s, struct dice *d)
{
	switch (dice_roll(d, 26)) {
	case 0:
		s->seq += s->tcp ? 1000 : 0; /* a hole */
		break;
	case 1:
		s->seq -= (uint32_t)s->len; /* the last one again */
		s->id--;
		break;
	case 2:
		s->flags |= PSH;
		break;
	case 3:
		s->flags |= FIN;
		break;
	case 4:
		s->flags |= CWR;
		break;
	case 5:
		s->flags ^= ECE;
		break;
	case 6:
		s->flags |= (uint8_t)(SYN << dice_roll(d, 2));
		break;
	case 7:
		s->flags |= URG;
		break;
	case 8:
		s->ttl++;
		break;
	case 9:
		s->tos++;
		break;
	case 10:
		s->window++;
		break;
	case 11:
		s->ack++;
		break;
	case 12:
		s->option_byte++;
		break;
	case 13:
		s->tcp_options = (uint8_t)((s->tcp_options + 4) % 20);
		break;
	case 14:
		s->id += 7;
		break;
	case 15:
		s->df = !s->df;
		break;
	case 16:
		s->label ^= 1;
		break;
	case 17:
		s->mac++;
		break;
	case 18:
		s->vlan_id++;
		break;
	case 19:
		s->reserved ^= 1; /* AccECN */
		break;
	case 20:
		s->urgent ^= 1;
		break;
	default:
		break;
	}
}

/* Something that holds for this frame only. */
static void spoil(struct sketch *s, struct dice *d)
{
	switch (dice_roll(d, 9)) {
	case 0:
		s->sum = SUM_UNSET_WRONG;
		break;
	case 1:
		s->sum = SUM_FINISHED_WRONG;
		break;
	case 2:
		s->ip_sum_wrong = true;
		break;
	case 3:
		s->no_sum = true;
		break;
	case 4:
		s->len = 0; /* no more than an acknowledgement */
		break;
	case 5:
		s->len = 1 + dice_roll(d, (uint32_t)s->len);
		break;
	case 6:
		s->padding = 1 + dice_roll(d, 6);
		break;
	case 7:
		s->ip_options = 4;
		s->n_extensions = 1;
		break;
	default:
		s->len = s->len > 9 ? s->len - 9 : s->len;
		break;
	}
}

static void make_garbage(struct fixture *f, size_t i, struct dice *d)
{
	struct frame *frame = &f->frames[i];

	f->garbage[i] = true;
	switch (dice_roll(d, 4)) {
	case 0:
		frame->data[ip_at(&f->sketches[i]) - 1]++; /* of the ethertype */
		break;
	case 1:
		frame->len = dice_roll(d, (uint32_t)payload_at(&f->sketches[i]));
		break;
	case 2:
		frame->offload.kind = OFFLOAD_UDP;
		break;
	default:
		frame->data[ip_at(&f->sketches[i])] = 0;
		break;
	}
	memcpy(f->before[i], f->frame[i], frame->len);
	f->facts[i] = frame->offload;
}

static void make_mix(struct fixture *f, struct dice *d)
{
	const uint32_t trouble = 3 + dice_roll(d, 60);
	const uint32_t burst = 1 + dice_roll(d, 20);
	struct sketch flow[FLOWS];
	unsigned now = 0;

	start_flows(f, d, flow);
	f->n = dice_roll(d, JOIN_MAX + 1);
	for (size_t i = 0; i < f->n; i++) {
		struct sketch *s;

		if (dice_one_in(d, burst)) {
			now = dice_roll(d, FLOWS);
		}
		s = &flow[now];
		if (dice_one_in(d, trouble)) {
			differ(s, d);
		}
		s->payload = f->payload + dice_roll(d, IP_MAX - 2 * FRAME_MAX);
		f->sketches[i] = *s;
		f->flow[i] = (uint8_t)now;
		f->garbage[i] = false;
		if (dice_one_in(d, trouble)) {
			spoil(&f->sketches[i], d);
		}
		put(f, i);
		if (dice_one_in(d, 4 * trouble)) {
			make_garbage(f, i, d);
		}
		s->seq += (uint32_t)f->sketches[i].len;
		s->id = (uint16_t)(s->id + (s->df && s->host == 0 ? 0 : 1));
		s->flags &= (uint8_t) ~(SYN | RST | FIN | PSH | URG | CWR);
	}
}

/* Segment i of a train, by the facts alone; the last byte of a frame that is not there is never. */
static struct frame cut_by_facts(
	const struct offload *facts, const uint8_t *whole, size_t len, size_t i, uint8_t *out)
{
	const size_t header = facts->header_len, size = facts->segment_size;
	const size_t start = header + i * size;
	const size_t n = len - start < size ? len - start : size;
	const bool tcp = facts->kind != OFFLOAD_UDP;
	const bool last = start + n == len;
	uint8_t *ip = out + (whole[12] == 0x81 || whole[12] == 0x88 ? 18 : 14);
	uint8_t *l4 = out + facts->csum_start;
	const size_t l4_len = header + n - facts->csum_start;

	memcpy(out, whole, header);
	memcpy(out + header, whole + start, n);
	if (ip[0] >> 4 == 4) {
		store_be16(ip + 2, (uint16_t)(l4_len + 20));
		store_be16(ip + 4, (uint16_t)(load_be16(ip + 4) + i));
		store_be16(ip + 10, 0);
		store_be16(ip + 10, (uint16_t)~plain_add(0, ip, 20));
	} else {
		store_be16(ip + 4, (uint16_t)l4_len);
	}
	if (tcp) {
		store_be32(l4 + 4, (uint32_t)(load_be32(l4 + 4) + i * size));
		l4[13] &= (uint8_t) ~((i > 0 ? CWR : 0) | (last ? 0 : FIN | PSH));
	} else {
		store_be16(l4 + 4, (uint16_t)l4_len);
	}
	store_be16(l4 + facts->csum_offset, (uint16_t)plain_pseudo(ip, tcp ? 6 : 17, l4_len));
	return (struct frame){out, header + n, {.kind = OFFLOAD_NONE}};
}

/* The i-th frame as it should leave: unset sum, and an id that counts where it meant nothing. */
static void check_segment(
	struct fixture *f, struct dice *d, const struct joined *out, size_t len, size_t i, size_t k)
{
	struct sketch s = f->sketches[i];
	struct frame want, got;
	uint8_t buf[SLOT_LEN];

	for (size_t first = 0; first < i; first++) {
		if (f->join.train[first] == f->join.train[i]) {
			s.id = (uint16_t)(f->sketches[first].id + k);
			break;
		}
	}
	CHECK(s.id == f->sketches[i].id || s.df || s.v6);
	s.sum = SUM_UNSET;
	want = sketch_frame(&s, f->segment);
	got = cut_by_facts(&out->offload, f->whole, len, k, buf);
	CHECK(got.len == want.len && memcmp(got.data, want.data, want.len) == 0);
}

static void check_train(struct fixture *f, struct dice *d, size_t index)
{
	const struct joined *out = &f->join.out[index];
	const size_t len = gather(out, f->whole);
	struct sketch whole = {.len = 0};
	size_t k = 0;

	for (size_t i = 0; i < f->n; i++) {
		if (f->join.train[i] != index) {
			continue;
		}
		if (out->n_pieces == 1) {
			CHECK(len == f->frames[i].len && out->piece[0].data == f->frame[i]);
			CHECK(memcmp(f->whole, f->before[i], len) == 0);
			check_facts(d, &out->offload, &f->facts[i]);
		} else {
			whole = k == 0 ? f->sketches[i] : whole;
			whole.flags |= f->sketches[i].flags;
			check_segment(f, d, out, len, i, k);
		}
		k++;
	}
	CHECK(k == out->n_pieces && k > 0);
	if (k > 1) {
		struct frame want;

		/* The train as one packet: lengths and sums in its headers, and the facts. */
		whole.sum = SUM_UNSET;
		whole.payload = f->whole + payload_at(&whole);
		size_t size = whole.len;
		whole.len = len - payload_at(&whole);
		want = sketch_train(&whole, size, f->segment);
		CHECK(want.len == len && memcmp(f->segment, f->whole, len) == 0);
		check_facts(d, &out->offload, &want.offload);
		f->joined++;
	}
}

static void check_mix(struct fixture *f, struct dice *d, unsigned kinds)
{
	const size_t n_out = expect(f, kinds);
	size_t pieces = 0;

	f->n_out = offload_join(&f->join, f->frames, f->n, kinds);
	CHECK(f->n_out == n_out);
	for (size_t i = 0; i < f->n; i++) {
		CHECK(f->join.train[i] == f->expected[i]);
	}
	for (size_t i = 0; i < n_out; i++) {
		check_train(f, d, i);
		pieces += f->join.out[i].n_pieces;
	}
	CHECK(pieces == f->n);
}

static void any_mix_is_joined_by_the_rules(void **state)
{
	struct fixture *f = *state;

	f->joined = 0;
	for (uint64_t seed = 0; seed < CASES; seed++) {
		struct dice d = dice_at(seed);

		make_mix(f, &d);
		check_mix(f, &d, dice_one_in(&d, 4) ? dice_roll(&d, 16) : ALL);
	}
	assert_true(f->joined > CASES);
}

/* More flows than are remembered: fewer joins, but each flow keeps its order. */
static void many_flows_keep_their_order(void **state)
{
	struct fixture *f = *state;
	size_t joined = 0;

	for (uint64_t seed = 0; seed < 300; seed++) {
		struct dice dice = dice_at(seed), *d = &dice;
		const uint32_t n_flows = 2 + dice_roll(d, 30);
		struct sketch s = {.tcp = dice_one_in(d, 2), .payload = f->payload, .len = 100};

		s.flags = ACK;
		f->n = JOIN_MAX;
		for (size_t i = 0; i < f->n; i++) {
			f->flow[i] = (uint8_t)dice_roll(d, n_flows);
			s.port = f->flow[i];
			s.seq = (uint32_t)(100 * i);
			s.id = (uint16_t)i;
			for (size_t k = 0; k < i; k++) {
				s.seq = f->flow[k] == f->flow[i] ? f->sketches[k].seq + 100 : s.seq;
				s.id = f->flow[k] == f->flow[i] ? f->sketches[k].id + 1 : s.id;
			}
			f->sketches[i] = s;
			put(f, i);
		}
		f->n_out = offload_join(&f->join, f->frames, f->n, ALL);
		for (size_t i = 0; i < f->n; i++) {
			for (size_t k = 0; k < i; k++) {
				CHECK(f->flow[k] != f->flow[i] ||
					f->join.train[k] <= f->join.train[i]);
			}
		}
		CHECK(n_flows > 8 || f->n_out <= n_flows);
		for (size_t i = 0; i < f->n_out; i++) {
			check_train(f, d, i);
		}
		joined += f->n - f->n_out;
	}
	assert_true(joined > 1000);
}

/* ---- single rules ---- */

static struct sketch tcp4(const struct fixture *f, size_t len)
{
	return (struct sketch){
		.tcp = true, .ttl = 64, .flags = ACK, .payload = f->payload, .len = len};
}

/* n frames of one flow that follow each other. */
static void put_row(struct fixture *f, struct sketch s, size_t n)
{
	for (f->n = 0; f->n < n; f->n++) {
		f->sketches[f->n] = s;
		put(f, f->n);
		s.seq += (uint32_t)s.len;
		s.id++;
	}
}

static void nothing_in_nothing_out(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(offload_join(&f->join, f->frames, 0, ALL), 0);
}

static void only_kinds_that_the_interface_takes(void **state)
{
	struct fixture *f = *state;

	for (unsigned is = 0; is < 4; is++) {
		struct sketch s = tcp4(f, 500);

		s.tcp = is < 2;
		s.v6 = is % 2 == 1;
		for (unsigned kinds = 0; kinds < 1u << OFFLOAD_KINDS; kinds++) {
			put_row(f, s, 10);
			assert_int_equal(offload_join(&f->join, f->frames, 10, kinds),
				(kinds & OFFLOAD_BIT(kind_of(&s))) != 0 ? 1 : 10);
		}
	}
}

static void an_ip_packet_is_no_longer_than_65535(void **state)
{
	struct fixture *f = *state;

	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct sketch s = tcp4(f, 1400);
		size_t len, header;

		s.v6 = v6;
		header = v6 ? 60 : 40;
		put_row(f, s, JOIN_MAX);
		assert_int_equal(offload_join(&f->join, f->frames, JOIN_MAX, ALL), 2);
		len = gather(&f->join.out[0], f->whole);
		assert_int_equal(len, 14 + header + 46 * 1400);
		assert_int_equal(load_be16(f->whole + (v6 ? 18 : 16)), v6 ? len - 54 : len - 14);
	}
}

static void ids_that_count_or_mean_nothing(void **state)
{
	struct fixture *f = *state;
	static const struct {
		uint16_t id[3];
		bool df;
		size_t n_out;
	} rows[] = {
		{{5, 6, 7}, false, 1},
		{{5, 6, 7}, true, 1},
		{{0xffff, 0, 1}, false, 1},
		{{5, 5, 5}, false, 3},
		{{5, 5, 5}, true, 1},
		{{5, 5, 6}, true, 2},
		{{5, 6, 6}, true, 2},
		{{5, 7, 9}, true, 3},
		{{7, 6, 5}, false, 3},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sketch s = tcp4(f, 100);

		s.df = rows[i].df;
		put_row(f, s, 3);
		for (size_t k = 0; k < 3; k++) {
			f->sketches[k].id = rows[i].id[k];
			put(f, k);
		}
		assert_int_equal(offload_join(&f->join, f->frames, 3, ALL), rows[i].n_out);
	}
}

static void a_shorter_one_ends_the_train(void **state)
{
	struct fixture *f = *state;

	for (unsigned tcp = 0; tcp < 2; tcp++) {
		struct sketch s = tcp4(f, 100);
		size_t more;

		s.tcp = tcp;
		put_row(f, s, 4);
		for (size_t i = 2; i < 4; i++) {
			f->sketches[i].len = 50;
			f->sketches[i].seq = (uint32_t)(100 + 50 * i);
			put(f, i);
		}
		assert_int_equal(offload_join(&f->join, f->frames, 4, ALL), 2);
		assert_int_equal(f->join.out[0].n_pieces, 3);
		more = f->join.out[1].n_pieces;
		assert_int_equal(more, 1);
	}
}

static void flags_of_a_frame_alone(void **state)
{
	struct fixture *f = *state;
	static const uint8_t flags[] = {SYN, RST, URG, PSH, FIN, CWR};

	for (size_t i = 0; i < sizeof(flags); i++) {
		struct sketch s = tcp4(f, 100);

		s.flags |= flags[i];
		put_row(f, s, 3);
		assert_int_equal(offload_join(&f->join, f->frames, 3, ALL), 3);
	}
}

/* Padding that makes up for the length in the pseudo-header: the sum over all of it is right. */
static void padding_is_no_payload(void **state)
{
	struct fixture *f = *state;
	struct sketch s = tcp4(f, 100);

	s.sum = SUM_FINISHED;
	s.padding = 2;
	put_row(f, s, 2);
	f->sketches[1].seq += 2;
	put(f, 1);
	for (size_t i = 0; i < 2; i++) {
		store_be16(f->frame[i] + f->frames[i].len - 2, 0xfffd);
		assert_int_equal(
			plain_add(plain_pseudo(f->frame[i] + 14, 6, 122), f->frame[i] + 34, 122),
			0xffff);
	}
	assert_int_equal(offload_join(&f->join, f->frames, 2, ALL), 2);
}

/* A UDP datagram that says to end before its IP packet does. */
static void a_udp_length_that_lies(void **state)
{
	struct fixture *f = *state;
	struct sketch s = tcp4(f, 100);

	s.tcp = false;
	s.sum = SUM_FINISHED;
	put_row(f, s, 2);
	assert_int_equal(offload_join(&f->join, f->frames, 2, ALL), 1);
	for (size_t i = 0; i < 2; i++) {
		uint8_t *udp = f->frame[i] + 34;

		put(f, i);
		store_be16(udp + 4, 106);
		store_be16(udp + 6, (uint16_t)(load_be16(udp + 6) + 2));
		assert_int_equal(
			plain_add(plain_pseudo(f->frame[i] + 14, 17, 108), udp, 108), 0xffff);
	}
	assert_int_equal(offload_join(&f->join, f->frames, 2, ALL), 2);
}

/* 0 in the field says that there is no sum, even where it would be the right one. */
static void udp_without_a_sum(void **state)
{
	struct fixture *f = *state;
	uint8_t payload[2] = {0, 0};
	struct sketch s = {.payload = payload, .len = sizeof(payload), .sum = SUM_FINISHED};

	put_row(f, s, 2);
	assert_int_equal(offload_join(&f->join, f->frames, 2, ALL), 1);
	put_row(f, s, 2);
	store_be16(payload, load_be16(f->frame[0] + 34 + 6));
	s.no_sum = true;
	put_row(f, s, 2);
	assert_int_equal(
		plain_add(plain_pseudo(f->frame[0] + 14, 17, 10), f->frame[0] + 34, 10), 0xffff);
	assert_int_equal(offload_join(&f->join, f->frames, 2, ALL), 2);
}

/* An unset sum at a place where nobody expects it says nothing about the right one. */
static void facts_of_another_place(void **state)
{
	struct fixture *f = *state;

	put_row(f, tcp4(f, 100), 3);
	f->frames[1].offload.csum_offset = 6;
	assert_int_equal(offload_join(&f->join, f->frames, 3, ALL), 3);
	assert_int_equal(f->join.out[1].offload.csum_offset, 6);
	put_row(f, tcp4(f, 100), 3);
	f->frames[1].offload.csum_start = 14;
	assert_int_equal(offload_join(&f->join, f->frames, 3, ALL), 3);
	assert_int_equal(f->join.out[1].offload.csum_start, 14);
}

static void finished_and_unset_sums_join(void **state)
{
	struct fixture *f = *state;

	put_row(f, tcp4(f, 100), 8);
	for (size_t i = 0; i < 8; i += 2) {
		f->sketches[i].sum = SUM_FINISHED;
		put(f, i);
	}
	assert_int_equal(offload_join(&f->join, f->frames, 8, ALL), 1);
	assert_true(f->join.out[0].offload.csum_unset);
}

/* ---- bytes of strangers ---- */

static void every_prefix(void **state)
{
	struct fixture *f = *state;

	for (uint64_t seed = 0; seed < 40; seed++) {
		struct dice dice = dice_at(seed), *d = &dice;
		const struct sketch s = sketch_any(d, f->payload, 1 + dice_roll(d, 60));

		put_row(f, s, 2);
		for (size_t len = 0; len <= f->frames[1].len; len++) {
			uint8_t *copy = malloc(len + 1);
			struct frame pair[2];
			size_t n_out;

			assert_non_null(copy);
			put_row(f, s, 2);
			memcpy(copy + 1, f->before[1], len);
			pair[0] = f->frames[0];
			pair[1] = (struct frame){copy + 1, len, f->facts[1]};
			n_out = offload_join(&f->join, pair, 2, ALL);
			CHECK(n_out == 2 || len == f->frames[1].len);
			pair[0] = pair[1];
			pair[1] = f->frames[0];
			CHECK(offload_join(&f->join, pair, 2, ALL) == 2);
			free(copy);
		}
	}
}

static void broken_bytes(void **state)
{
	struct fixture *f = *state;

	for (uint64_t seed = 0; seed < CASES; seed++) {
		struct dice dice = dice_at(seed), *d = &dice;
		size_t pieces = 0;

		make_mix(f, d);
		for (size_t i = 0; i < f->n; i++) {
			for (uint32_t n = dice_roll(d, 3); n > 0 && f->frames[i].len > 80; n--) {
				f->frame[i][dice_roll(d, 80)] = (uint8_t)dice_any(d);
			}
		}
		f->n_out = offload_join(&f->join, f->frames, f->n, ALL);
		for (size_t i = 0; i < f->n_out; i++) {
			pieces += f->join.out[i].n_pieces;
		}
		CHECK(pieces == f->n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_cut_is_whole_again),
		cmocka_unit_test(any_mix_is_joined_by_the_rules),
		cmocka_unit_test(many_flows_keep_their_order),
		cmocka_unit_test(nothing_in_nothing_out),
		cmocka_unit_test(only_kinds_that_the_interface_takes),
		cmocka_unit_test(an_ip_packet_is_no_longer_than_65535),
		cmocka_unit_test(ids_that_count_or_mean_nothing),
		cmocka_unit_test(a_shorter_one_ends_the_train),
		cmocka_unit_test(flags_of_a_frame_alone),
		cmocka_unit_test(padding_is_no_payload),
		cmocka_unit_test(a_udp_length_that_lies),
		cmocka_unit_test(udp_without_a_sum),
		cmocka_unit_test(facts_of_another_place),
		cmocka_unit_test(finished_and_unset_sums_join),
		cmocka_unit_test(every_prefix),
		cmocka_unit_test(broken_bytes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
