/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unset checksums, and cutting against segments that are written one by one. */
#include "core/frame/parse.h"
#include "offload_test.h"

#define CASES 6000

struct fixture {
	uint8_t payload[IP_MAX];
	uint8_t train[BYTES_MAX];
	uint8_t want[BYTES_MAX];
	uint8_t got[SLOT_LEN];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct dice d = dice_at(1);

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

static struct sketch tcp4(const struct fixture *f, size_t len)
{
	return (struct sketch){
		.tcp = true, .ttl = 64, .flags = ACK, .payload = f->payload, .len = len};
}

/* ---- checksums ---- */

static void sums_are_those_of_rfc_1071(void **state)
{
	const struct fixture *f = *state;
	static const uint8_t zero[64];

	for (size_t start = 0; start < 9; start++) {
		for (size_t len = 0; len < 300; len++) {
			assert_int_equal(sum_bytes(f->payload + start, len),
				plain_add(0, f->payload + start, len));
		}
	}
	assert_int_equal(sum_bytes(f->payload, IP_MAX), plain_add(0, f->payload, IP_MAX));
	assert_int_equal(sum_bytes(zero, sizeof(zero)), 0);
}

/* As many carries as there can be. */
static void sums_of_ones(void **state)
{
	struct fixture *f = *state;

	memset(f->train, 0xff, sizeof(f->train));
	for (size_t len = 2; len < 200; len += 2) {
		assert_int_equal(sum_bytes(f->train, len), 0xffff);
	}
	assert_int_equal(sum_bytes(f->train, 65534), 0xffff);
	assert_int_equal(sum_bytes(f->train, 65535), 0xff00);
}

static void unset_sums_are_found_and_filled(void **state)
{
	struct fixture *f = *state;

	for (uint64_t seed = 0; seed < CASES; seed++) {
		struct dice dice = dice_at(seed), *d = &dice;
		struct sketch s = sketch_any(d, f->payload, dice_roll(d, 1300));
		struct offload facts;
		struct frame frame, want;

		s.sum = SUM_UNSET;
		frame = sketch_frame(&s, f->train);
		facts = frame.offload;
		CHECK(offload_travels(&frame));
		frame.offload = (struct offload){.kind = OFFLOAD_NONE};
		CHECK(offload_locate(&frame));
		check_facts(d, &frame.offload, &facts);
		s.sum = SUM_FINISHED;
		want = sketch_frame(&s, f->want);
		CHECK(offload_fill(&frame));
		check_facts(d, &frame.offload, &want.offload);
		CHECK(frame.len == want.len && memcmp(frame.data, want.data, want.len) == 0);
	}
}

static void a_finished_sum_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct sketch s = tcp4(f, 100);
	struct frame frame;

	s.sum = SUM_FINISHED_WRONG;
	frame = sketch_frame(&s, f->train);
	sketch_frame(&s, f->want);
	assert_false(offload_travels(&frame));
	assert_true(offload_fill(&frame));
	assert_memory_equal(frame.data, f->want, frame.len);
}

/* The payload is chosen so that the sum comes out as 0, which to UDP means none. */
static void a_sum_of_zero_becomes_ones(void **state)
{
	struct fixture *f = *state;
	uint8_t payload[2] = {0, 0};
	struct sketch s = {.payload = payload, .len = sizeof(payload), .sum = SUM_FINISHED};
	struct frame frame = sketch_frame(&s, f->train);

	store_be16(payload, load_be16(frame.data + 34 + 6));
	s.sum = SUM_UNSET;
	frame = sketch_frame(&s, f->train);
	assert_true(offload_fill(&frame));
	assert_int_equal(load_be16(frame.data + 34 + 6), 0xffff);
}

static void facts_outside_the_frame_are_not_filled(void **state)
{
	struct fixture *f = *state;
	struct sketch s = tcp4(f, 100);
	struct frame frame = sketch_frame(&s, f->train);

	sketch_frame(&s, f->want);
	frame.offload.csum_offset = (uint16_t)(frame.len - 34 - 1);
	assert_false(offload_fill(&frame));
	frame.offload.csum_offset = 0xffff;
	assert_false(offload_fill(&frame));
	frame.offload.csum_start = 0xffff;
	assert_false(offload_fill(&frame));
	assert_memory_equal(frame.data, f->want, frame.len);
	frame.offload.csum_start = 34;
	frame.offload.csum_offset = (uint16_t)(frame.len - 34 - 2);
	assert_true(offload_fill(&frame));
}

static void only_what_is_found_again_travels(void **state)
{
	struct fixture *f = *state;
	struct sketch s = tcp4(f, 100);
	const struct frame good = sketch_frame(&s, f->train);
	struct frame frame = good;

	assert_true(offload_travels(&frame));
	frame.offload.csum_start++;
	assert_false(offload_travels(&frame));
	frame = good;
	frame.offload.csum_offset = 6;
	assert_false(offload_travels(&frame));
	frame = good;
	frame.offload.csum_unset = false;
	assert_false(offload_travels(&frame));
	frame = good;
	frame.offload.kind = OFFLOAD_TCP4;
	assert_false(offload_travels(&frame));
}

static void check_not_found(struct fixture *f, const struct sketch *s)
{
	struct frame frame = sketch_frame(s, f->train);
	const struct offload before = frame.offload;
	const struct dice d[1] = {{0, 0}};

	assert_false(offload_travels(&frame));
	assert_false(offload_locate(&frame));
	check_facts(d, &frame.offload, &before);
}

static void what_is_no_place_for_an_unset_sum(void **state)
{
	struct fixture *f = *state;
	struct sketch s = tcp4(f, 100);

	s.more = true; /* a fragment */
	check_not_found(f, &s);
	s = tcp4(f, 100);
	s.padding = 1;
	check_not_found(f, &s);
	s = tcp4(f, 100);
	s.v6 = true;
	s.n_extensions = 9;
	check_not_found(f, &s);
	s.padding = 0;
	for (unsigned proto = 0; proto < 256; proto++) {
		struct frame frame;

		s.n_extensions = 1;
		s.extension[0] = (uint8_t)proto;
		frame = sketch_frame(&s, f->train);
		assert_int_equal(offload_travels(&frame), proto == 0 || proto == 43 || proto == 60);
	}
}

static void check_byte(struct fixture *f, const struct sketch *s, size_t at, uint8_t value)
{
	struct frame frame = sketch_frame(s, f->train);

	assert_true(offload_locate(&frame));
	frame.data[at] = value;
	assert_false(offload_locate(&frame));
}

static void headers_that_lie(void **state)
{
	struct fixture *f = *state;
	struct sketch s = tcp4(f, 100);

	check_byte(f, &s, 12, 9);	  /* no IP */
	check_byte(f, &s, 14, 0x65);	  /* IPv6 within the type of IPv4 */
	check_byte(f, &s, 14, 0x44);	  /* an IPv4 header of 16 bytes */
	check_byte(f, &s, 16, 1);	  /* longer than the frame */
	check_byte(f, &s, 17, 19);	  /* shorter than the IPv4 header */
	check_byte(f, &s, 17, 39);	  /* shorter than both headers */
	check_byte(f, &s, 17, 139);	  /* one byte less than the frame */
	check_byte(f, &s, 21, 1);	  /* the second fragment */
	check_byte(f, &s, 23, 1);	  /* ICMP */
	check_byte(f, &s, 34 + 12, 0x4f); /* a TCP header of 16 bytes */
	s.len = 19;
	check_byte(f, &s, 14, 0x4f); /* an IPv4 header beyond the end */
	s.len = 39;
	check_byte(f, &s, 34 + 12, 0xf0); /* TCP options beyond the end */
	s = tcp4(f, 100);
	s.vlan = true;
	s.vlan_type = 0x8100;
	check_byte(f, &s, 17, 1);
	check_byte(f, &s, 16, 0x81);
	s = tcp4(f, 100);
	s.v6 = true;
	check_byte(f, &s, 14, 0x45);
	check_byte(f, &s, 18, 1);
	check_byte(f, &s, 19, 10);
	s.n_extensions = 1;
	check_byte(f, &s, 14 + 40 + 1, 255);
}

/* ---- cutting ---- */

static void check_cut(struct fixture *f, struct dice *d, const struct sketch *s, size_t size)
{
	const struct frame train = sketch_train(s, size, f->train);
	struct frame got = {.data = f->got};
	struct cut c;

	CHECK(cut_begin(&c, &train));
	CHECK(cut_left(&c) == segments_of(s, size));
	for (size_t i = 0; i < segments_of(s, size); i++) {
		const struct sketch segment = sketch_segment(s, size, i);
		const struct frame want = sketch_frame(&segment, f->want);

		CHECK(cut_left(&c) == segments_of(s, size) - i);
		cut_next(&c, &got);
		CHECK(got.len == want.len && memcmp(got.data, want.data, want.len) == 0);
		check_facts(d, &got.offload, &want.offload);
	}
	CHECK(cut_left(&c) == 0);
}

/* Mostly the sizes of real traffic, and some of all others that fit. */
static size_t any_size(struct dice *d, const struct sketch *s)
{
	const uint32_t most = (uint32_t)(FRAME_MAX - payload_at(s));

	switch (dice_roll(d, 4)) {
	case 0:
		return 1 + dice_roll(d, most);
	case 1:
		return 1 + dice_roll(d, 16);
	default:
		return most;
	}
}

static size_t any_len(struct dice *d, const struct sketch *s, size_t size)
{
	const size_t most = IP_MAX - (payload_at(s) - ip_at(s));
	size_t len = dice_roll(d, (uint32_t)(60 * size));

	if (dice_one_in(d, 10)) {
		len = size;
	}
	return len < most ? len : most;
}

static void trains_are_cut_as_if_written_so(void **state)
{
	struct fixture *f = *state;

	for (uint64_t seed = 0; seed < CASES; seed++) {
		struct dice dice = dice_at(seed), *d = &dice;
		struct sketch s = sketch_any(d, f->payload, 0);
		size_t size = any_size(d, &s);

		if (s.tcp && dice_one_in(d, 20)) {
			s.flags = (uint8_t)dice_any(d);
			s.reserved = (uint8_t)dice_roll(d, 16);
			s.urgent = (uint16_t)dice_any(d);
		}
		s.len = any_len(d, &s, size);
		check_cut(f, d, &s, size);
	}
}

static void the_longest_train_in_the_smallest_pieces(void **state)
{
	struct fixture *f = *state;
	struct sketch s = tcp4(f, IP_MAX - 40);
	struct dice d = dice_at(0);

	check_cut(f, &d, &s, 1);
	s.len = IP_MAX - 40;
	check_cut(f, &d, &s, FRAME_MAX - 54);
}

/* What the system says about places is not relied on. */
static void places_are_taken_from_the_bytes(void **state)
{
	struct fixture *f = *state;
	struct sketch s = tcp4(f, 3000), segment = sketch_segment(&s, 1000, 0);
	struct frame train = sketch_train(&s, 1000, f->train), got = {.data = f->got};
	struct cut c;

	train.offload.header_len = 14;
	train.offload.csum_start = 0xffff;
	train.offload.csum_offset = 0xffff;
	assert_true(cut_begin(&c, &train));
	assert_int_equal(cut_left(&c), 3);
	cut_next(&c, &got);
	sketch_frame(&segment, f->want);
	assert_int_equal(got.len, 1054);
	assert_memory_equal(got.data, f->want, got.len);
	assert_int_equal(got.offload.csum_start, 34);
	assert_int_equal(got.offload.csum_offset, 16);
}

/* A wrong sum is not healed; the kernel does not look at it either. */
static void a_wrong_sum_stays_wrong(void **state)
{
	struct fixture *f = *state;

	for (unsigned sum = SUM_UNSET_WRONG; sum <= SUM_FINISHED_WRONG; sum++) {
		struct sketch s = tcp4(f, 2500);
		struct frame train, got = {.data = f->got};
		struct cut c;

		s.sum = (enum sum)sum;
		train = sketch_train(&s, 1000, f->train);
		assert_true(cut_begin(&c, &train));
		while (cut_left(&c) > 0) {
			uint32_t right;

			cut_next(&c, &got);
			assert_true(offload_fill(&got));
			right = plain_pseudo(got.data + 14, 6, got.len - 34);
			right = plain_add(right, got.data + 34, got.len - 34);
			assert_int_not_equal(right, 0xffff);
		}
	}
}

static bool begins(struct fixture *f, const struct sketch *s, size_t size)
{
	const struct frame train = sketch_train(s, size, f->train);
	struct cut c;

	return cut_begin(&c, &train);
}

static void segments_that_fit_no_frame(void **state)
{
	struct fixture *f = *state;
	struct sketch s = tcp4(f, 5000);

	assert_true(begins(f, &s, FRAME_MAX - 54));
	assert_false(begins(f, &s, FRAME_MAX - 53));
	assert_false(begins(f, &s, 0));
	s.vlan = true;
	s.vlan_type = 0x8100;
	assert_false(begins(f, &s, FRAME_MAX - 54));
	assert_true(begins(f, &s, FRAME_MAX - 58));
	s.len = 1000;
	assert_true(begins(f, &s, 60000));
	s.v6 = true;
	s.n_extensions = 1;
	s.extension_len[0] = 200; /* headers alone are too long */
	assert_false(begins(f, &s, 1));
}

static void facts_that_contradict_the_bytes(void **state)
{
	struct fixture *f = *state;

	for (unsigned is = 0; is < 4; is++) {
		struct sketch s = tcp4(f, 3000);
		struct frame train;
		struct cut c;

		s.tcp = is < 2;
		s.v6 = is % 2 == 1;
		train = sketch_train(&s, 1000, f->train);
		for (unsigned kind = OFFLOAD_TCP4; kind < 256; kind++) {
			train.offload.kind = (uint8_t)kind;
			assert_int_equal(cut_begin(&c, &train), kind == kind_of(&s));
		}
		train.offload.kind = (uint8_t)kind_of(&s);
		train.len--;
		assert_false(cut_begin(&c, &train));
		s.padding = 1;
		assert_false(begins(f, &s, 1000));
	}
}

static void a_udp_train_has_a_checksum(void **state)
{
	struct fixture *f = *state;
	struct sketch s = {.payload = f->payload, .len = 3000, .sum = SUM_FINISHED};

	assert_true(begins(f, &s, 1000));
	s.no_sum = true;
	assert_false(begins(f, &s, 1000));
}

/* ---- plain frames through cutting ---- */

static bool pass(struct fixture *f, const struct frame *in, struct frame *out)
{
	struct cut c;

	if (!cut_begin(&c, in)) {
		return false;
	}
	assert_int_equal(cut_left(&c), 1);
	*out = (struct frame){.data = f->got};
	cut_next(&c, out);
	assert_int_equal(cut_left(&c), 0);
	return true;
}

static void a_plain_frame_passes_as_it_is(void **state)
{
	struct fixture *f = *state;

	for (uint64_t seed = 0; seed < 500; seed++) {
		struct dice dice = dice_at(seed), *d = &dice;
		struct sketch s = sketch_any(d, f->payload, dice_roll(d, 1100));
		struct frame in = sketch_frame(&s, f->train), out;

		CHECK(pass(f, &in, &out));
		CHECK(out.len == in.len && memcmp(out.data, in.data, in.len) == 0);
		check_facts(d, &out.offload, &in.offload);
	}
}

static void a_sum_that_may_not_travel_is_filled(void **state)
{
	struct fixture *f = *state;
	struct sketch s = tcp4(f, 100);
	struct frame in = sketch_frame(&s, f->train), out;

	in.data[23] = 132; /* no longer TCP */
	assert_true(pass(f, &in, &out));
	assert_false(out.offload.csum_unset);
	sketch_frame(&s, f->want);
	f->want[23] = 132;
	store_be16(f->want + 50, (uint16_t)~plain_add(0, f->want + 34, in.len - 34));
	assert_memory_equal(out.data, f->want, in.len);
	in.offload.csum_start = (uint16_t)in.len;
	assert_false(pass(f, &in, &out));
	in.offload.csum_unset = false;
	assert_true(pass(f, &in, &out));
}

static void plain_frames_of_any_length(void **state)
{
	struct fixture *f = *state;

	for (size_t len = 0; len <= FRAME_MAX + 2u; len++) {
		struct frame in = {f->payload, len, {.kind = OFFLOAD_NONE}}, out;

		assert_int_equal(pass(f, &in, &out), len <= FRAME_MAX);
		if (len <= FRAME_MAX) {
			assert_int_equal(out.len, len);
			assert_memory_equal(out.data, in.data, len);
		}
	}
}

/* ---- bytes of strangers ---- */

/* In a block of their own, so that a sanitizer sees the first byte read beyond. */
static void try_everything(struct fixture *f, const uint8_t *data, size_t len, struct offload facts)
{
	uint8_t *copy = malloc(len + 1);
	struct frame frame = {copy + 1, len, facts}, out = {.data = f->got};
	struct cut c;

	assert_non_null(copy);
	memcpy(frame.data, data, len);
	(void)offload_travels(&frame);
	if (cut_begin(&c, &frame)) {
		size_t total = 0;

		while (cut_left(&c) > 0) {
			cut_next(&c, &out);
			assert_true(out.len <= FRAME_MAX);
			total += out.len;
		}
		assert_true(total >= len);
	}
	if (offload_fill(&frame)) {
		assert_false(frame.offload.csum_unset);
	}
	if (offload_locate(&frame)) {
		assert_true(offload_fill(&frame));
	}
	free(copy);
}

static void every_prefix(void **state)
{
	struct fixture *f = *state;

	for (uint64_t seed = 0; seed < 60; seed++) {
		struct dice d = dice_at(seed);
		const struct sketch s = sketch_any(&d, f->payload, 1 + dice_roll(&d, 60));
		const struct frame train = sketch_train(&s, 25, f->train);
		struct offload plain = train.offload;

		plain.kind = OFFLOAD_NONE;
		for (size_t len = 0; len <= train.len; len++) {
			try_everything(f, train.data, len, train.offload);
			try_everything(f, train.data, len, plain);
		}
	}
}

static void broken_bytes_and_facts(void **state)
{
	struct fixture *f = *state;

	for (uint64_t seed = 0; seed < CASES; seed++) {
		struct dice d = dice_at(seed);
		const struct sketch s = sketch_any(&d, f->payload, dice_roll(&d, 2000));
		struct frame train = sketch_train(&s, 1 + dice_roll(&d, 1400), f->train);

		for (uint32_t n = dice_roll(&d, 4); n > 0; n--) {
			train.data[dice_roll(&d, (uint32_t)payload_at(&s))] = (uint8_t)dice_any(&d);
		}
		if (dice_one_in(&d, 2)) {
			train.offload.kind = (uint8_t)dice_roll(&d, 6);
			train.offload.csum_start = (uint16_t)dice_any(&d);
			train.offload.csum_offset = (uint16_t)dice_any(&d);
			train.offload.segment_size = (uint16_t)dice_any(&d);
		}
		try_everything(f, train.data, train.len, train.offload);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_those_of_rfc_1071),
		cmocka_unit_test(sums_of_ones),
		cmocka_unit_test(unset_sums_are_found_and_filled),
		cmocka_unit_test(a_finished_sum_is_left_alone),
		cmocka_unit_test(a_sum_of_zero_becomes_ones),
		cmocka_unit_test(facts_outside_the_frame_are_not_filled),
		cmocka_unit_test(only_what_is_found_again_travels),
		cmocka_unit_test(what_is_no_place_for_an_unset_sum),
		cmocka_unit_test(headers_that_lie),
		cmocka_unit_test(trains_are_cut_as_if_written_so),
		cmocka_unit_test(the_longest_train_in_the_smallest_pieces),
		cmocka_unit_test(places_are_taken_from_the_bytes),
		cmocka_unit_test(a_wrong_sum_stays_wrong),
		cmocka_unit_test(segments_that_fit_no_frame),
		cmocka_unit_test(facts_that_contradict_the_bytes),
		cmocka_unit_test(a_udp_train_has_a_checksum),
		cmocka_unit_test(a_plain_frame_passes_as_it_is),
		cmocka_unit_test(a_sum_that_may_not_travel_is_filled),
		cmocka_unit_test(plain_frames_of_any_length),
		cmocka_unit_test(every_prefix),
		cmocka_unit_test(broken_bytes_and_facts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
