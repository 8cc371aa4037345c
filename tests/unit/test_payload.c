/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The handshake payload. */
#include "wire/payload.h"
#include "wire_test.h"

#define SHARE_TLV_LEN (3 + CPACE_SHARE_LEN)
#define MASK_TLV_LEN  (3 + MASK_LEN)
#define FULL_LEN      (PAYLOAD_FIXED_LEN + SHARE_TLV_LEN + MASK_TLV_LEN)

static struct payload full_payload(void)
{
	struct payload p = {
		.freshness = UINT64_MAX,
		.caps = CAP_AES_FAST | CAP_BRIDGE,
		.transforms = 6,
		.generation = UINT32_MAX - 1,
		.incarnation = 0x01020304,
		.mtu = UINT16_MAX,
		.key_indexes = {1, 2, 3, UINT16_MAX},
		.result = UINT16_MAX,
		.has_share = true,
		.has_hop_mask = true,
	};

	memset(p.share, 0x51, sizeof(p.share));
	memset(p.hop_mask, 0x52, sizeof(p.hop_mask));
	return p;
}

static void assert_payload_equal(const struct payload *a, const struct payload *b)
{
	assert_int_equal(a->freshness, b->freshness);
	assert_int_equal(a->caps, b->caps);
	assert_int_equal(a->transforms, b->transforms);
	assert_int_equal(a->generation, b->generation);
	assert_int_equal(a->incarnation, b->incarnation);
	assert_int_equal(a->mtu, b->mtu);
	assert_memory_equal(a->key_indexes, b->key_indexes, sizeof(a->key_indexes));
	assert_int_equal(a->result, b->result);
	assert_int_equal(a->has_share, b->has_share);
	assert_memory_equal(a->share, b->share, sizeof(a->share));
	assert_int_equal(a->has_hop_mask, b->has_hop_mask);
	assert_memory_equal(a->hop_mask, b->hop_mask, sizeof(a->hop_mask));
}

static void round_trip(void **state)
{
	uint8_t wire[PAYLOAD_MAX_LEN];

	(void)state;
	for (unsigned has = 0; has < 4; has++) {
		struct payload p = full_payload(), q;
		size_t len = PAYLOAD_FIXED_LEN;

		p.has_share = has & 1;
		p.has_hop_mask = has & 2;
		if (p.has_share)
			len += SHARE_TLV_LEN;
		else
			memset(p.share, 0, sizeof(p.share));
		if (p.has_hop_mask)
			len += MASK_TLV_LEN;
		else
			memset(p.hop_mask, 0, sizeof(p.hop_mask));
		assert_int_equal(payload_encode(wire, sizeof(wire), &p), len);
		memset(&q, 0xff, sizeof(q));
		assert_int_equal(payload_decode(&q, wire, len), 0);
		assert_payload_equal(&p, &q);
	}
}

static void zero_payload(void **state)
{
	const struct payload p = {0};
	struct payload q = full_payload();
	uint8_t wire[PAYLOAD_FIXED_LEN], zero[PAYLOAD_FIXED_LEN] = {0};

	(void)state;
	assert_int_equal(payload_encode(wire, sizeof(wire), &p), sizeof(wire));
	assert_memory_equal(wire, zero, sizeof(wire));
	assert_int_equal(payload_decode(&q, wire, sizeof(wire)), 0);
	assert_payload_equal(&p, &q);
}

/* Every prefix fails, but those that end where a TLV does. */
static void truncation(void **state)
{
	const struct payload p = full_payload();
	uint8_t wire[PAYLOAD_MAX_LEN];
	size_t full = payload_encode(wire, sizeof(wire), &p);
	struct payload q;

	(void)state;
	assert_int_equal(full, FULL_LEN);
	for (size_t len = 0; len < full; len++) {
		bool whole = len == PAYLOAD_FIXED_LEN || len == PAYLOAD_FIXED_LEN + SHARE_TLV_LEN;
		uint8_t *in = exact_copy(wire, len);

		assert_int_equal(payload_decode(&q, in, len), whole ? 0 : N2N_EINVAL);
		free(in);
	}
}

static void small_buffers(void **state)
{
	const struct payload p = full_payload();

	(void)state;
	for (size_t cap = 0; cap < FULL_LEN; cap++) {
		uint8_t *out = malloc(cap);

		assert_non_null(out);
		assert_int_equal(payload_encode(out, cap, &p), 0);
		free(out);
	}
}

static size_t put_tlv(uint8_t *out, uint8_t type, uint16_t len)
{
	out[0] = type;
	out[1] = (uint8_t)(len >> 8);
	out[2] = (uint8_t)len;
	memset(out + 3, type, len);
	return 3 + (size_t)len;
}

static int decode_with(const uint8_t *types, const uint16_t *lens, size_t n, struct payload *q)
{
	uint8_t wire[1000] = {0};
	size_t len = PAYLOAD_FIXED_LEN;
	uint8_t *in;
	int rc;

	for (size_t i = 0; i < n; i++)
		len += put_tlv(wire + len, types[i], lens[i]);
	in = exact_copy(wire, len);
	rc = payload_decode(q, in, len);
	free(in);
	return rc;
}

static void tlvs(void **state)
{
	struct payload q;

	(void)state;
	/* Any order, unknown and reserved types of any length in between, even twice. */
	assert_int_equal(decode_with((uint8_t[]){99, TLV_HOP_MASK, TLV_CREDENTIAL, 99,
					     TLV_CPACE_SHARE, TLV_PROVIDER_BLOB},
				 (uint16_t[]){0, MASK_LEN, 200, 5, CPACE_SHARE_LEN, 512}, 6, &q),
		0);
	assert_true(q.has_share && q.has_hop_mask);
	assert_int_equal(q.share[CPACE_SHARE_LEN - 1], TLV_CPACE_SHARE);
	assert_int_equal(q.hop_mask[MASK_LEN - 1], TLV_HOP_MASK);
	assert_int_equal(decode_with((uint8_t[]){TLV_CPACE_SHARE, TLV_CPACE_SHARE},
				 (uint16_t[]){CPACE_SHARE_LEN, CPACE_SHARE_LEN}, 2, &q),
		N2N_EINVAL);
	assert_int_equal(decode_with((uint8_t[]){TLV_HOP_MASK, 9, TLV_HOP_MASK},
				 (uint16_t[]){MASK_LEN, 1, MASK_LEN}, 3, &q),
		N2N_EINVAL);
	for (uint16_t len = 0; len <= 2 * CPACE_SHARE_LEN; len++) {
		assert_int_equal(decode_with((uint8_t[]){TLV_CPACE_SHARE}, &len, 1, &q),
			len == CPACE_SHARE_LEN ? 0 : N2N_EINVAL);
		assert_int_equal(decode_with((uint8_t[]){TLV_HOP_MASK}, &len, 1, &q),
			len == MASK_LEN ? 0 : N2N_EINVAL);
	}
}

static void reserved_field_is_ignored(void **state)
{
	const struct payload p = full_payload();
	uint8_t wire[PAYLOAD_MAX_LEN];
	size_t len = payload_encode(wire, sizeof(wire), &p);
	struct payload q;

	(void)state;
	wire[34] = 0xff;
	wire[35] = 0xff;
	assert_int_equal(payload_decode(&q, wire, len), 0);
	assert_payload_equal(&p, &q);
}

static void bit_flips(void **state)
{
	const struct payload p = full_payload();
	uint8_t wire[PAYLOAD_MAX_LEN], again[PAYLOAD_MAX_LEN];
	size_t len = payload_encode(wire, sizeof(wire), &p);
	unsigned read = 0;

	(void)state;
	for (size_t bit = 0; bit < len * 8; bit++) {
		struct payload q, r;
		uint8_t *in = exact_copy(wire, len);
		size_t again_len;

		in[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (payload_decode(&q, in, len) == 0) {
			again_len = payload_encode(again, sizeof(again), &q);
			assert_int_equal(payload_decode(&r, again, again_len), 0);
			assert_payload_equal(&q, &r);
			read++;
		}
		free(in);
	}
	/* All but some of those in the types and lengths of the TLVs. */
	assert_true(read >= (len - 6) * 8 && read < len * 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(zero_payload),
		cmocka_unit_test(truncation),
		cmocka_unit_test(small_buffers),
		cmocka_unit_test(tlvs),
		cmocka_unit_test(reserved_field_is_ignored),
		cmocka_unit_test(bit_flips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
