/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data and relay headers, masks, hop MAC. */
#include "base/bytes.h"
#include "crypto/crypto.h"
#include "wire/packet.h"
#include "wire_test.h"

#define SAMPLES	      4096
#define CHI_SQUARE_OK 400.0 /* 255 degrees of freedom: by chance above it once in 10^7 */

static const uint8_t key[16] = {0xa5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static void data_header_round_trip(void **state)
{
	static const struct data_header headers[] = {
		{KIND_ETHERNET, PIECE_WHOLE, 0, false, 0, 0, false},
		{KIND_ETHERNET, PIECE_FIRST, 15, true, UINT32_MAX, UINT32_MAX, false},
		{KIND_ETHERNET, PIECE_LAST, 2, true, 1, 2, false},
		{KIND_CONTROL, PIECE_WHOLE, 1, false, 0x01020304, 0x05060708, false},
		{KIND_CONTROL, PIECE_WHOLE, 2, true, 0x80000000, 0x00000001, false},
	};
	uint8_t wire[DATA_HEADER_LEN];
	struct data_header h;

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		data_header_write(wire, &headers[i]);
		assert_true(data_header_read(&h, wire));
		assert_int_equal(h.kind, headers[i].kind);
		assert_int_equal(h.piece, headers[i].piece);
		assert_int_equal(h.cipher, headers[i].cipher);
		assert_int_equal(h.csum_unset, headers[i].csum_unset);
		assert_int_equal(h.index, headers[i].index);
		assert_int_equal(h.counter, headers[i].counter);
	}
	data_header_write(wire, &headers[2]);
	assert_memory_equal(wire, "\x42\x21\x00\x00\x00\x01\x00\x00\x00\x02", sizeof(wire));
	data_header_write(wire, &headers[3]);
	assert_memory_equal(wire, "\x4c\x10\x01\x02\x03\x04\x05\x06\x07\x08", sizeof(wire));
}

/* Of all values of the first two bytes exactly those are read that can be written. */
static void data_header_reserved_bits(void **state)
{
	uint8_t wire[DATA_HEADER_LEN] = {0}, again[DATA_HEADER_LEN];
	struct data_header h;
	unsigned valid = 0;

	(void)state;
	for (uint32_t first = 0; first <= UINT16_MAX; first++) {
		store_be16(wire, (uint16_t)first);
		if (!data_header_read(&h, wire))
			continue;
		data_header_write(again, &h);
		assert_memory_equal(again, wire, sizeof(wire));
		assert_true(h.kind == KIND_ETHERNET || h.kind == KIND_CONTROL);
		assert_true(h.piece <= PIECE_LAST);
		valid++;
	}
	assert_int_equal(valid, 2 * 3 * 16 * 2);
}

static void group_headers_carry_frames_alone(void **state)
{
	uint8_t wire[DATA_HEADER_LEN] = {0}, again[DATA_HEADER_LEN];
	struct data_header h, other;
	unsigned valid = 0;

	(void)state;
	for (uint32_t first = 0; first <= UINT16_MAX; first++) {
		store_be16(wire, (uint16_t)first);
		if (!group_header_read(&h, wire))
			continue;
		assert_false(data_header_read(&other, wire));
		assert_true(h.group);
		assert_int_equal(h.kind, KIND_ETHERNET);
		data_header_write(again, &h);
		assert_memory_equal(again, wire, sizeof(wire));
		valid++;
	}
	assert_int_equal(valid, 3 * 16 * 2);
}

static void relay_header_round_trip(void **state)
{
	static const struct relay_header headers[] = {
		{0, 0, 0, 0, false},
		{255, UINT32_MAX, UINT32_MAX, UINT32_MAX, true},
		{RELAY_HOP_LIMIT, 0x01020304, 0x05060708, 0x090a0b0c, false},
	};
	uint8_t wire[RELAY_MASKED_LEN];
	struct relay_header h;

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		relay_header_write(wire, &headers[i]);
		assert_true(relay_header_read(&h, wire));
		assert_int_equal(h.hop_limit, headers[i].hop_limit);
		assert_int_equal(h.index, headers[i].index);
		assert_int_equal(h.counter, headers[i].counter);
		assert_int_equal(h.handle, headers[i].handle);
		assert_int_equal(h.group, headers[i].group);
	}
	assert_memory_equal(wire, "\x60\x02\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c", 14);
	for (unsigned first = 0; first <= UINT8_MAX; first++) {
		wire[0] = (uint8_t)first;
		assert_int_equal(relay_header_read(&h, wire), first == 0x60 || first == 0x61);
	}
}

static void mask_is_an_involution(void **state)
{
	static const size_t masked[] = {DATA_HEADER_LEN, RELAY_MASKED_LEN};
	uint64_t seed = 1;
	uint8_t plain[80];

	(void)state;
	seeded_fill(&seed, plain, sizeof(plain));
	for (size_t i = 0; i < 2; i++) {
		size_t n = masked[i];

		for (size_t len = n + DATAGRAM_TAIL_LEN; len <= sizeof(plain); len++) {
			uint8_t *packet = exact_copy(plain, len);

			packet_mask(packet, len, n, key);
			assert_memory_not_equal(packet, plain, n);
			assert_memory_equal(packet + n, plain + n, len - n);
			packet_mask(packet, len, n, key);
			assert_memory_equal(packet, plain, len);
			free(packet);
		}
	}
}

static void mask_is_siphash_of_the_tail(void **state)
{
	uint8_t mask[16], clear[RELAY_MASKED_LEN], packet[RELAYED_MIN_LEN] = {0};
	uint8_t *tail = packet + sizeof(packet) - DATAGRAM_TAIL_LEN;
	uint64_t seed = 2;

	(void)state;
	seeded_fill(&seed, tail, DATAGRAM_TAIL_LEN);
	crypto_siphash128(mask, key, tail, DATAGRAM_TAIL_LEN);
	packet_mask(packet, sizeof(packet), RELAY_MASKED_LEN, key);
	assert_memory_equal(packet, mask, RELAY_MASKED_LEN);
	for (size_t i = 0; i < DATAGRAM_TAIL_LEN; i++) {
		tail[i] ^= 1;
		packet_peek(clear, sizeof(clear), packet, sizeof(packet), key);
		tail[i] ^= 1;
		assert_false(crypto_is_zero(clear, sizeof(clear)));
	}
}

/* Peeking shows what unmasking would give, of the shortest packet too, and leaves it as it is. */
static void peeking_changes_nothing(void **state)
{
	uint8_t packet[DATAGRAM_MIN_LEN], before[DATAGRAM_MIN_LEN], clear[RELAY_MASKED_LEN];
	uint64_t seed = 3;

	(void)state;
	seeded_fill(&seed, packet, sizeof(packet));
	memcpy(before, packet, sizeof(packet));
	packet_peek(clear, RELAY_MASKED_LEN, packet, sizeof(packet), key);
	assert_memory_equal(packet, before, sizeof(packet));
	packet_mask(packet, sizeof(packet), DATA_HEADER_LEN, key);
	assert_memory_equal(packet, clear, DATA_HEADER_LEN);
}

static double chi_square(const unsigned counts[256])
{
	const double expected = SAMPLES / 256.0;
	double sum = 0;

	for (unsigned v = 0; v < 256; v++)
		sum += (counts[v] - expected) * (counts[v] - expected) / expected;
	return sum;
}

/* The same header under random tags: each masked byte is spread evenly, each clear one is not. */
static void masked_headers_look_random(void **state)
{
	static unsigned masked[RELAY_MASKED_LEN][256], clear[RELAY_MASKED_LEN][256];
	const struct relay_header h = {RELAY_HOP_LIMIT, 0x01020304, 7, 0x0a0b0c0d, false};
	uint8_t packet[RELAYED_MIN_LEN];
	uint64_t seed = 3;

	(void)state;
	for (unsigned n = 0; n < SAMPLES; n++) {
		relay_header_write(packet, &h);
		seeded_fill(&seed, packet + RELAY_MASKED_LEN, sizeof(packet) - RELAY_MASKED_LEN);
		for (size_t i = 0; i < RELAY_MASKED_LEN; i++)
			clear[i][packet[i]]++;
		packet_mask(packet, sizeof(packet), RELAY_MASKED_LEN, key);
		for (size_t i = 0; i < RELAY_MASKED_LEN; i++)
			masked[i][packet[i]]++;
	}
	for (size_t i = 0; i < RELAY_MASKED_LEN; i++) {
		assert_true(chi_square(masked[i]) < CHI_SQUARE_OK);
		assert_true(chi_square(clear[i]) > CHI_SQUARE_OK);
	}
}

static void relay_mac_covers_header_length_and_tail(void **state)
{
	uint8_t header[RELAY_MASKED_LEN], inner[64], mac[RELAY_MAC_LEN], other[RELAY_MAC_LEN];
	const size_t len = 40;
	uint64_t seed = 4;
	uint8_t other_key[16];

	(void)state;
	seeded_fill(&seed, header, sizeof(header));
	seeded_fill(&seed, inner, sizeof(inner));
	relay_mac(mac, key, header, inner, len);
	for (size_t i = 0; i < sizeof(header); i++) {
		header[i] ^= 0x80;
		relay_mac(other, key, header, inner, len);
		assert_memory_not_equal(mac, other, sizeof(mac));
		header[i] ^= 0x80;
	}
	for (size_t i = 0; i < len; i++) {
		inner[i] ^= 0x80;
		relay_mac(other, key, header, inner, len);
		assert_int_equal(memcmp(mac, other, sizeof(mac)) == 0, i < len - DATAGRAM_TAIL_LEN);
		inner[i] ^= 0x80;
	}
	/* The same last 16 bytes, one byte earlier. */
	relay_mac(other, key, header, inner + 1, len - 1);
	assert_memory_not_equal(mac, other, sizeof(mac));
	memcpy(other_key, key, sizeof(key));
	other_key[15] ^= 1;
	relay_mac(other, other_key, header, inner, len);
	assert_memory_not_equal(mac, other, sizeof(mac));
}

static void relay_mac_reads_the_shortest_inner_packet(void **state)
{
	const uint8_t header[RELAY_MASKED_LEN] = {0}, zero[RELAY_MAC_LEN] = {0};
	uint8_t mac[RELAY_MAC_LEN];
	uint8_t *inner = exact_copy((const uint8_t[DATAGRAM_TAIL_LEN]){1}, DATAGRAM_TAIL_LEN);

	(void)state;
	relay_mac(mac, key, header, inner, DATAGRAM_TAIL_LEN);
	assert_memory_not_equal(mac, zero, sizeof(mac));
	free(inner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_header_round_trip),
		cmocka_unit_test(data_header_reserved_bits),
		cmocka_unit_test(group_headers_carry_frames_alone),
		cmocka_unit_test(relay_header_round_trip),
		cmocka_unit_test(mask_is_an_involution),
		cmocka_unit_test(mask_is_siphash_of_the_tail),
		cmocka_unit_test(peeking_changes_nothing),
		cmocka_unit_test(masked_headers_look_random),
		cmocka_unit_test(relay_mac_covers_header_length_and_tail),
		cmocka_unit_test(relay_mac_reads_the_shortest_inner_packet),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
