/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames of bridges: round trip, every length, what is none of them. */
#include "wire/loop_frame.h"
#include "wire_test.h"

#define FIELDS_LEN 42 /* what is read of one without a VLAN tag */

static const struct loop_frame frames[] = {
	{{{0x0a, 1, 2, 3, 4, 5}}, 0, LOOP_PROBE, LOOP_SERVES | LOOP_CARRIES, {1, 2, 3}, 7},
	{{{2, 1, 2, 3, 4, 5}}, 5, LOOP_PROBE, LOOP_CARRIED, {0xff}, UINT32_MAX},
	{{{2, 1, 2, 3, 4, 5}}, VLAN_SERVICE | 4095, LOOP_ANNOUNCEMENT, 0, {0}, 0},
};

#define FRAMES (sizeof(frames) / sizeof(frames[0]))

static void round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < FRAMES; i++) {
		uint8_t out[LOOP_FRAME_MAX];
		size_t len = loop_frame_encode(out, &frames[i]);
		struct loop_frame f;

		assert_int_equal(len, frames[i].vlan != 0 ? 64 : 60);
		assert_int_equal(loop_frame_decode(&f, out, len), 0);
		assert_memory_equal(&f, &frames[i], sizeof(f));
		loop_frame_carry(out);
		assert_int_equal(loop_frame_decode(&f, out, len), 0);
		assert_int_equal(f.flags, frames[i].flags | LOOP_CARRIED);
		assert_int_equal(f.number, frames[i].number);
	}
}

static void truncation(void **state)
{
	(void)state;
	for (size_t i = 0; i < FRAMES; i++) {
		uint8_t out[LOOP_FRAME_MAX];
		size_t len = loop_frame_encode(out, &frames[i]);
		size_t needed = frames[i].vlan != 0 ? FIELDS_LEN + 4 : FIELDS_LEN;

		for (size_t n = 0; n <= len; n++) {
			uint8_t *copy = exact_copy(out, n);
			struct loop_frame f;

			assert_int_equal(
				loop_frame_decode(&f, copy, n), n < needed ? N2N_EINVAL : 0);
			free(copy);
		}
	}
}

/* Each byte of what makes one is looked at. */
static void others_are_none(void **state)
{
	static const size_t fixed[] = {12, 13, 14, 15, 16, 17, 18};
	struct loop_frame f;
	uint8_t out[LOOP_FRAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		size_t len = loop_frame_encode(out, &frames[0]);

		out[fixed[i]] ^= 0x10;
		assert_int_equal(loop_frame_decode(&f, out, len), N2N_EINVAL);
	}
	for (unsigned kind = 0; kind < 256; kind++) {
		size_t len = loop_frame_encode(out, &frames[0]);

		out[19] = (uint8_t)kind;
		assert_int_equal(loop_frame_decode(&f, out, len),
			kind == LOOP_PROBE || kind == LOOP_ANNOUNCEMENT ? 0 : N2N_EINVAL);
	}
}

/* A tag for a priority alone is in no VLAN, and flags that are not known are nothing. */
static void what_is_not_known_is_ignored(void **state)
{
	struct loop_frame f;
	uint8_t out[LOOP_FRAME_MAX];
	size_t len = loop_frame_encode(out, &frames[1]);

	(void)state;
	out[14] = 0xe0;
	out[15] = 0;
	out[24] = 0xff;
	assert_int_equal(loop_frame_decode(&f, out, len), 0);
	assert_int_equal(f.vlan, 0);
	assert_int_equal(f.flags, LOOP_SERVES | LOOP_CARRIED | LOOP_CARRIES);
}

/* Behind tags that others put before it, at every length; the outer one says where it is. */
static void behind_tags(void **state)
{
	uint8_t out[LOOP_FRAME_MAX + 20];
	struct loop_frame f;

	(void)state;
	for (unsigned tags = 1; tags <= 5; tags++) {
		size_t len = loop_frame_encode(out, &frames[0]);

		memmove(out + 12 + tags * 4, out + 12, len - 12);
		len += tags * 4;
		for (unsigned i = 0; i < tags; i++)
			store_be32(out + 12 + i * 4, i == 0 ? 0x88a80007 : 0x81000000);
		for (size_t n = 0; n <= len; n++) {
			uint8_t *copy = exact_copy(out, n);
			bool whole = tags <= 4 && n >= FIELDS_LEN + tags * 4;

			assert_int_equal(loop_frame_decode(&f, copy, n), whole ? 0 : N2N_EINVAL);
			free(copy);
		}
		if (tags > 4)
			continue;
		loop_frame_carry(out);
		assert_int_equal(loop_frame_decode(&f, out, len), 0);
		assert_int_equal(f.vlan, VLAN_SERVICE | 7);
		assert_int_equal(f.flags, frames[0].flags | LOOP_CARRIED);
		assert_int_equal(f.number, frames[0].number);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(truncation),
		cmocka_unit_test(others_are_none),
		cmocka_unit_test(what_is_not_known_is_ignored),
		cmocka_unit_test(behind_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
