/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control messages. */
#include "control_again.h"
#include "wire_test.h"

#define MESSAGES 26
#define ROOM	 4096

struct sample {
	uint8_t type;
	uint32_t seq;
	size_t len;
	uint8_t wire[ROOM];
};

static struct endpoint endpoint_max(void)
{
	struct endpoint e = {.port = UINT16_MAX};

	memset(e.ip, 0xfe, sizeof(e.ip));
	return e;
}

static void fill_ack(struct control_ack *m)
{
	*m = (struct control_ack){.n = ACK_RANGES_MAX};
	for (uint32_t i = 0; i < ACK_RANGES_MAX; i++) {
		m->range[i].first = i;
		m->range[i].last = UINT32_MAX - i;
	}
	m->range[3].last = m->range[3].first;
}

static void fill_register(struct control_register *m)
{
	*m = (struct control_register){.incarnation = UINT32_MAX,
		.roster_version = UINT64_MAX,
		.locator_len = ROSTER_LOCATOR_MAX};
	memset(m->tag, 0xa1, sizeof(m->tag));
	memset(m->static_public, 0xa2, sizeof(m->static_public));
	memset(m->proof, 0xa3, sizeof(m->proof));
	memset(m->locator, 0xa4, sizeof(m->locator));
}

static void fill_roster(struct control_roster *m)
{
	*m = (struct control_roster){
		.base = UINT64_MAX - 1, .version = UINT64_MAX, .last = true, .n = ROSTER_PAGE_MAX};
	for (uint8_t i = 0; i < m->n; i++) {
		m->entry[i].gone = i % 2;
		m->entry[i].twice = i % 3 == 0;
		m->entry[i].handle = UINT32_MAX - i;
		m->entry[i].incarnation = i;
		memset(m->entry[i].static_public, i + 1, KEY_LEN);
		m->entry[i].locator_len = (uint8_t)(ROSTER_LOCATOR_MAX - i);
		memset(m->entry[i].locator, 0x80 + i, m->entry[i].locator_len);
	}
}

static void fill_candidates(struct control_candidates *m)
{
	*m = (struct control_candidates){.port_count = 1, .n = CANDIDATES_MAX};
	memset(m->mask, 0xb1, sizeof(m->mask));
	for (uint8_t i = 0; i < m->n; i++) {
		m->candidate[i].kind = i;
		m->candidate[i].endpoint = i % 2 ? endpoint_max() : endpoint_v4(0x0a000001u + i, 1);
	}
}

static void fill_claim(struct control_claim *m)
{
	*m = (struct control_claim){
		.mac = {{2, 3, 4, 5, 6, 7}}, .roles = ROLES_ALL, .n = CLAIM_ADDRESSES_MAX};
	memset(m->tag, 0xb2, sizeof(m->tag));
	for (uint8_t i = 0; i < m->n; i++) {
		struct endpoint e = i % 2 ? endpoint_max() : endpoint_v4(0x0a000001u + i, 0);

		memcpy(m->address[i].ip, e.ip, sizeof(e.ip));
		m->address[i].prefix = i % 2 ? 128 : 32;
	}
}

static void fill_vouch(struct control_vouch *m)
{
	*m = (struct control_vouch){.n = VOUCH_MAX};
	for (uint8_t i = 0; i < m->n; i++)
		memset(m->static_public[i], 0xc0 + i, KEY_LEN);
}

/* Those of PROTOCOL.md 7.14 to 7.20. */
static void write_group_sample(struct writer *w, unsigned n)
{
	union {
		struct control_group_key key;
		struct control_listeners listeners;
		struct control_names names;
		struct control_fanout fanout;
		struct control_claim_refused refused;
	} m;

	switch (n) {
	case 0:
		control_claim_refused_encode(w, memset(&m.refused, 0x47, sizeof(m.refused)));
		break;
	case 7:
		memset(&m.key, 0x51, sizeof(m.key));
		m.key.is_signed = true;
		control_group_key_encode(w, 9, &m.key);
		break;
	case 1:
		control_group_key_encode(w, 10, &(struct control_group_key){0});
		break;
	case 2:
		control_group_ask_encode(w, &(struct control_group_ask){UINT32_MAX});
		break;
	case 3:
		m.listeners = (struct control_listeners){.all = true, .n = LISTENED_MAX};
		for (unsigned i = 0; i < LISTENED_MAX; i++)
			m.listeners.group[i] = (struct mac){{1, 0, 0x5e, 0, 0, (uint8_t)i}};
		control_listeners_encode(w, 11, &m.listeners);
		break;
	case 4:
		m.names = (struct control_names){.community_len = COMMUNITY_NAME_MAX};
		memset(m.names.community, 'x', COMMUNITY_NAME_MAX);
		control_names_encode(w, 12, &m.names);
		break;
	case 5:
		m.fanout = (struct control_fanout){.set = FANOUT_SETS - 1,
			.version = FANOUT_VERSION_MAX,
			.n_gone = FANOUT_CHANGES_MAX / 2,
			.n_new = FANOUT_CHANGES_MAX / 2};
		control_fanout_encode(w, &m.fanout);
		break;
	default:
		control_fanned_encode(w, &(struct control_fanned){FANOUT_SETS - 1, 1, 2, 3, 4});
		break;
	}
}

/* Writes the n-th sample message. */
static void write_sample(struct writer *w, unsigned n)
{
	union {
		struct control_ack ack;
		struct control_register reg;
		struct control_roster roster;
		struct control_candidates candidates;
		struct control_claim claim;
		struct control_vouch vouch;
	} m;

	switch (n) {
	case 0:
		fill_ack(&m.ack);
		control_ack_encode(w, &m.ack);
		break;
	case 1:
		control_ack_encode(w, &(struct control_ack){0});
		break;
	case 2:
		control_ping_encode(w, &(struct control_ping){UINT64_MAX});
		break;
	case 3:
		control_pong_encode(w, &(struct control_pong){UINT64_MAX, endpoint_max()});
		break;
	case 4:
		fill_register(&m.reg);
		control_register_encode(w, UINT32_MAX, &m.reg);
		break;
	case 5:
		control_register_encode(w, 1, &(struct control_register){0});
		break;
	case 6:
		control_registered_encode(w, 2,
			&(struct control_registered){
				UINT8_MAX, UINT32_MAX, UINT16_MAX, endpoint_max(), true});
		break;
	case 7:
		fill_roster(&m.roster);
		control_roster_encode(w, 3, &m.roster);
		break;
	case 8:
		control_roster_encode(w, 4, &(struct control_roster){.version = 1});
		break;
	case 9:
		control_bye_encode(w, &(struct control_bye){BYE_SHUTDOWN});
		break;
	case 10:
		fill_candidates(&m.candidates);
		control_candidates_encode(w, 5, &m.candidates);
		break;
	case 11:
		control_candidates_encode(w, 6, &(struct control_candidates){0});
		break;
	case 12:
		control_probe_encode(w, &(struct control_probe){UINT64_MAX});
		break;
	case 13:
		control_echo_encode(w, &(struct control_echo){0, endpoint_v4(0, 0)});
		break;
	case 14:
		fill_claim(&m.claim);
		control_claim_encode(w, 7, &m.claim);
		break;
	case 15:
		control_claim_encode(w, 8, &(struct control_claim){0});
		break;
	case 16:
		fill_vouch(&m.vouch);
		control_vouch_encode(w, CONTROL_VOUCH_ASK, &m.vouch);
		break;
	case 17:
		control_vouch_encode(w, CONTROL_VOUCH, &(struct control_vouch){0});
		break;
	default:
		write_group_sample(w, n - 18);
		break;
	}
}

static void get_sample(struct sample *s, unsigned n)
{
	struct writer w;

	writer_init(&w, s->wire, sizeof(s->wire));
	write_sample(&w, n);
	assert_true(writer_ok(&w));
	s->len = writer_len(&w);
	s->type = s->wire[0];
	s->seq = load_be32(s->wire + 4);
}

static struct control_msg only_message(const uint8_t *wire, size_t len)
{
	struct control_msg m;
	struct reader r;

	reader_init(&r, wire, len);
	assert_int_equal(control_next(&r, &m), 1);
	assert_int_equal(control_next(&r, &(struct control_msg){0}), 0);
	return m;
}

static void every_message_round_trips(void **state)
{
	static struct sample s;
	uint8_t again[ROOM];
	uint32_t types = 0;

	(void)state;
	for (unsigned n = 0; n < MESSAGES; n++) {
		struct control_msg m;
		struct writer w;

		get_sample(&s, n);
		m = only_message(s.wire, s.len);
		assert_int_equal(m.type, s.type);
		assert_int_equal(m.seq, s.seq);
		assert_int_equal(reader_left(&m.body), s.len - CONTROL_HEADER_LEN);
		writer_init(&w, again, sizeof(again));
		assert_int_equal(control_again(&w, &m), 0);
		assert_true(writer_ok(&w));
		assert_int_equal(writer_len(&w), s.len);
		assert_memory_equal(again, s.wire, s.len);
		types |= UINT32_C(1) << s.type;
	}
	/* Every type that has a body: ACK to NAMES without UNREGISTER, VOUCH_ASK to FANNED. */
	assert_int_equal(types, (0x1fffe & ~(1 << CONTROL_UNREGISTER)) | 0x1f << CONTROL_VOUCH_ASK);
}

static void fields_of_register(void **state)
{
	static struct sample s;
	struct control_register in, out;

	(void)state;
	get_sample(&s, 4);
	fill_register(&in);
	memset(&out, 0xff, sizeof(out));
	assert_int_equal(control_register_decode(&out, only_message(s.wire, s.len).body), 0);
	assert_memory_equal(out.tag, in.tag, sizeof(in.tag));
	assert_memory_equal(out.static_public, in.static_public, sizeof(in.static_public));
	assert_memory_equal(out.proof, in.proof, sizeof(in.proof));
	assert_int_equal(out.incarnation, in.incarnation);
	assert_int_equal(out.roster_version, in.roster_version);
	assert_int_equal(out.locator_len, in.locator_len);
	assert_memory_equal(out.locator, in.locator, sizeof(in.locator));
}

static void fields_of_roster(void **state)
{
	static struct sample s;
	struct control_roster in, out;

	(void)state;
	get_sample(&s, 7);
	fill_roster(&in);
	memset(&out, 0xff, sizeof(out));
	assert_int_equal(control_roster_decode(&out, only_message(s.wire, s.len).body), 0);
	assert_int_equal(out.base, in.base);
	assert_int_equal(out.version, in.version);
	assert_true(out.last);
	assert_int_equal(out.n, in.n);
	for (unsigned i = 0; i < in.n; i++) {
		const struct roster_entry *a = &in.entry[i], *b = &out.entry[i];

		assert_int_equal(a->gone, b->gone);
		assert_int_equal(a->handle, b->handle);
		assert_int_equal(a->incarnation, b->incarnation);
		assert_memory_equal(a->static_public, b->static_public, KEY_LEN);
		assert_int_equal(a->locator_len, b->locator_len);
		assert_memory_equal(a->locator, b->locator, ROSTER_LOCATOR_MAX);
	}
}

/* A packet cut anywhere is malformed; so is a body cut anywhere with a length that fits it. */
static void truncation(void **state)
{
	static struct sample s;
	uint8_t again[ROOM];

	(void)state;
	for (unsigned n = 0; n < MESSAGES; n++) {
		get_sample(&s, n);
		for (size_t len = 1; len < s.len; len++) {
			uint8_t *packet = exact_copy(s.wire, len);
			struct control_msg m = {.type = s.type};
			struct reader r;
			struct writer w;

			reader_init(&r, packet, len);
			assert_int_equal(control_next(&r, &m), N2N_EINVAL);
			assert_int_equal(control_next(&r, &m), N2N_EINVAL);
			if (len >= CONTROL_HEADER_LEN) {
				m.type = s.type;
				reader_init(&m.body, packet + CONTROL_HEADER_LEN,
					len - CONTROL_HEADER_LEN);
				writer_init(&w, again, sizeof(again));
				assert_int_equal(control_again(&w, &m), N2N_EINVAL);
			}
			free(packet);
		}
	}
}

static void trailing_bytes_are_ignored(void **state)
{
	static struct sample s;
	uint8_t again[ROOM];

	(void)state;
	for (unsigned n = 0; n < MESSAGES; n++) {
		struct control_msg m;
		struct writer w;

		get_sample(&s, n);
		memset(s.wire + s.len, 0xff, 3);
		store_be16(s.wire + 2, (uint16_t)(s.len - CONTROL_HEADER_LEN + 3));
		m = only_message(s.wire, s.len + 3);
		writer_init(&w, again, sizeof(again));
		assert_int_equal(control_again(&w, &m), 0);
		assert_int_equal(writer_len(&w), s.len);
		assert_memory_equal(again + 4, s.wire + 4, s.len - 4);
	}
}

static void small_buffers(void **state)
{
	static struct sample s;

	(void)state;
	for (unsigned n = 0; n < MESSAGES; n++) {
		get_sample(&s, n);
		for (size_t cap = 0; cap <= s.len; cap++) {
			uint8_t *out = malloc(cap);
			struct writer w;

			assert_non_null(out);
			writer_init(&w, out, cap);
			write_sample(&w, n);
			assert_int_equal(writer_ok(&w), cap == s.len);
			free(out);
		}
	}
}

static void bit_flips(void **state)
{
	static struct sample s;
	uint8_t again[ROOM], third[ROOM];

	(void)state;
	for (unsigned n = 0; n < MESSAGES; n++) {
		get_sample(&s, n);
		for (size_t bit = 0; bit < s.len * 8; bit++) {
			uint8_t *packet = exact_copy(s.wire, s.len);
			struct control_msg m;
			struct reader r;
			struct writer w;

			packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
			reader_init(&r, packet, s.len);
			writer_init(&w, again, sizeof(again));
			if (control_next(&r, &m) == 1 && control_again(&w, &m) == 0) {
				assert_true(writer_ok(&w));
				m = only_message(again, writer_len(&w));
				writer_init(&w, third, sizeof(third));
				assert_int_equal(control_again(&w, &m), 0);
				assert_memory_equal(again, third, writer_len(&w));
			}
			free(packet);
		}
	}
}

static void several_messages_in_a_packet(void **state)
{
	uint8_t packet[64];
	struct control_msg m;
	struct reader r;
	struct writer w;

	(void)state;
	writer_init(&w, packet, sizeof(packet));
	control_unregister_encode(&w);
	control_ping_encode(&w, &(struct control_ping){1});
	control_end(&w, control_begin(&w, CONTROL_PAD, 0));
	control_end(&w, control_begin(&w, CONTROL_TYPES, 9));
	assert_true(writer_ok(&w));
	reader_init(&r, packet, writer_len(&w));
	assert_int_equal(control_next(&r, &m), 1);
	assert_int_equal(m.type, CONTROL_UNREGISTER);
	assert_int_equal(reader_left(&m.body), 0);
	assert_int_equal(control_next(&r, &m), 1);
	assert_int_equal(m.type, CONTROL_PING);
	assert_int_equal(control_next(&r, &m), 1);
	assert_int_equal(m.type, CONTROL_PAD);
	assert_int_equal(control_next(&r, &m), 1);
	assert_int_equal(m.type, CONTROL_TYPES);
	assert_int_equal(m.seq, 9);
	assert_int_equal(control_next(&r, &m), 0);
	assert_int_equal(control_next(&r, &m), 0);
}

static void padding_of_every_length(void **state)
{
	uint8_t buf[CONTROL_MAX_LEN];
	struct control_msg m;
	struct writer w;
	struct reader r;

	(void)state;
	assert_true(control_is_empty(NULL, 0));
	for (size_t len = CONTROL_HEADER_LEN; len <= sizeof(buf); len++) {
		writer_init(&w, buf, sizeof(buf));
		control_pad(&w, len);
		assert_true(writer_ok(&w) && writer_len(&w) == len);
		assert_true(control_is_empty(buf, len));
		/* Cut short it is damaged, and for the control thread to see. */
		for (size_t cut = 1; cut < len; cut += cut < 20 ? 1 : 97)
			assert_false(control_is_empty(buf, cut));
	}
	writer_init(&w, buf, sizeof(buf));
	control_ping_encode(&w, &(struct control_ping){7});
	control_pad(&w, 100);
	assert_int_equal(writer_len(&w), 100);
	assert_false(control_is_empty(buf, 100));
	reader_init(&r, buf, 100);
	assert_int_equal(control_next(&r, &m), 1);
	assert_int_equal(m.type, CONTROL_PING);
	assert_int_equal(control_next(&r, &m), 1);
	assert_int_equal(m.type, CONTROL_PAD);
	assert_int_equal(control_next(&r, &m), 0);
	/* More than there is room for: nothing is written beyond. */
	writer_init(&w, buf, 50);
	control_pad(&w, 51);
	assert_false(writer_ok(&w));
	assert_int_equal(buf[50], 0);
}

static void empty_packet(void **state)
{
	struct control_msg m;
	struct reader r;

	(void)state;
	reader_init(&r, NULL, 0);
	assert_int_equal(control_next(&r, &m), 0);
}

static void body_above_its_length_field(void **state)
{
	const size_t cap = CONTROL_HEADER_LEN + UINT16_MAX + 1;
	uint8_t *packet = malloc(cap);
	struct writer w;
	size_t begin;

	(void)state;
	assert_non_null(packet);
	writer_init(&w, packet, cap);
	begin = control_begin(&w, CONTROL_PAD, 0);
	writer_zero(&w, UINT16_MAX);
	control_end(&w, begin);
	assert_true(writer_ok(&w));
	assert_int_equal(load_be16(packet + 2), UINT16_MAX);
	writer_zero(&w, 1);
	control_end(&w, begin);
	assert_false(writer_ok(&w));
	free(packet);
}

static struct reader body_of(const struct sample *s)
{
	struct reader r;

	reader_init(&r, s->wire + CONTROL_HEADER_LEN, s->len - CONTROL_HEADER_LEN);
	return r;
}

/* Counts and lengths above what the struct holds, with enough bytes behind them. */
static void counts_above_the_maximum(void **state)
{
	static const struct {
		unsigned sample;
		size_t offset; /* of the count in the body */
		uint8_t max;
	} counts[] = {
		{0, 0, ACK_RANGES_MAX},
		{4, 76, ROSTER_LOCATOR_MAX},
		{7, 17, ROSTER_PAGE_MAX},
		{7, 18 + 41, ROSTER_LOCATOR_MAX},
		{10, 17, CANDIDATES_MAX},
		{14, 23, CLAIM_ADDRESSES_MAX},
	};
	static struct sample s;
	uint8_t again[ROOM];

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		for (unsigned n = counts[i].max; n <= UINT8_MAX; n++) {
			struct control_msg m;
			struct writer w;

			memset(s.wire, 0, sizeof(s.wire));
			get_sample(&s, counts[i].sample);
			assert_int_equal(
				s.wire[CONTROL_HEADER_LEN + counts[i].offset], counts[i].max);
			s.wire[CONTROL_HEADER_LEN + counts[i].offset] = (uint8_t)n;
			m.type = s.type;
			reader_init(&m.body, s.wire + CONTROL_HEADER_LEN,
				sizeof(s.wire) - CONTROL_HEADER_LEN);
			writer_init(&w, again, sizeof(again));
			assert_int_equal(
				control_again(&w, &m), n == counts[i].max ? 0 : N2N_EINVAL);
		}
	}
}

static void ack_range_backwards(void **state)
{
	static struct sample s;
	struct control_ack m;

	(void)state;
	get_sample(&s, 0);
	store_be32(s.wire + CONTROL_HEADER_LEN + 1 + 3 * 8, 4);
	assert_int_equal(control_ack_decode(&m, body_of(&s)), N2N_EINVAL);
	store_be32(s.wire + CONTROL_HEADER_LEN + 1 + 3 * 8, 2);
	assert_int_equal(control_ack_decode(&m, body_of(&s)), 0);
}

static void unusable_candidates_are_dropped(void **state)
{
	static struct sample s;
	struct control_candidates in, out;
	struct writer w;

	(void)state;
	fill_candidates(&in);
	in.candidate[0].endpoint = (struct endpoint){0};
	in.candidate[4].endpoint.port = 0;
	in.candidate[15].endpoint.ip[0] = 0xff; /* multicast */
	writer_init(&w, s.wire, sizeof(s.wire));
	control_candidates_encode(&w, 1, &in);
	s.len = writer_len(&w);
	assert_int_equal(control_candidates_decode(&out, body_of(&s)), 0);
	assert_int_equal(out.n, CANDIDATES_MAX - 3);
	assert_int_equal(out.port_count, 1);
	for (unsigned i = 0, j = 0; i < CANDIDATES_MAX; i++) {
		if (i == 0 || i == 4 || i == 15)
			continue;
		assert_int_equal(out.candidate[j].kind, in.candidate[i].kind);
		assert_true(endpoint_equal(&out.candidate[j].endpoint, &in.candidate[i].endpoint));
		j++;
	}
}

static void observed_is_kept_as_it_is(void **state)
{
	static struct sample s;
	struct control_echo m;

	(void)state;
	get_sample(&s, 13);
	assert_int_equal(control_echo_decode(&m, body_of(&s)), 0);
	assert_true(
		endpoint_equal(&m.observed, &(struct endpoint){.ip = {[10] = 255, [11] = 255}}));
}

static void claim_prefixes(void **state)
{
	static struct sample s;
	struct control_claim m;

	(void)state;
	for (unsigned prefix = 0; prefix <= UINT8_MAX; prefix++) {
		get_sample(&s, 14);
		/* The first address is IPv4, the second is not. */
		s.wire[CONTROL_HEADER_LEN + 24 + 16] = (uint8_t)prefix;
		assert_int_equal(
			control_claim_decode(&m, body_of(&s)), prefix <= 32 ? 0 : N2N_EINVAL);
		get_sample(&s, 14);
		s.wire[CONTROL_HEADER_LEN + 24 + 17 + 16] = (uint8_t)prefix;
		assert_int_equal(
			control_claim_decode(&m, body_of(&s)), prefix <= 128 ? 0 : N2N_EINVAL);
	}
}

static void reserved_flags_are_ignored(void **state)
{
	static struct sample s;
	struct control_roster m;

	(void)state;
	get_sample(&s, 7);
	s.wire[1] = 0xff;
	s.wire[CONTROL_HEADER_LEN + 16] = 0xfe;
	s.wire[CONTROL_HEADER_LEN + 18] = 0xff;
	assert_int_equal(control_roster_decode(&m, only_message(s.wire, s.len).body), 0);
	assert_false(m.last);
	assert_true(m.entry[0].gone);
}

static void roles_that_have_no_name_are_not_said(void **state)
{
	static struct sample s;
	struct control_claim m;

	(void)state;
	get_sample(&s, 14);
	s.wire[CONTROL_HEADER_LEN + 6] = 0xff;
	assert_int_equal(control_claim_decode(&m, body_of(&s)), 0);
	assert_int_equal(m.roles, ROLES_ALL);
	assert_int_equal(m.roles & ROLE_OF_NOBODY, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_round_trips),
		cmocka_unit_test(fields_of_register),
		cmocka_unit_test(fields_of_roster),
		cmocka_unit_test(truncation),
		cmocka_unit_test(trailing_bytes_are_ignored),
		cmocka_unit_test(small_buffers),
		cmocka_unit_test(bit_flips),
		cmocka_unit_test(several_messages_in_a_packet),
		cmocka_unit_test(padding_of_every_length),
		cmocka_unit_test(empty_packet),
		cmocka_unit_test(body_above_its_length_field),
		cmocka_unit_test(counts_above_the_maximum),
		cmocka_unit_test(ack_range_backwards),
		cmocka_unit_test(unusable_candidates_are_dropped),
		cmocka_unit_test(observed_is_kept_as_it_is),
		cmocka_unit_test(claim_prefixes),
		cmocka_unit_test(reserved_flags_are_ignored),
		cmocka_unit_test(roles_that_have_no_name_are_not_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
