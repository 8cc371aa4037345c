/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cursors: every access at, before and behind the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#include <cmocka.h>

static const uint8_t sample[15] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static void reads_big_endian(void **state)
{
	struct reader r;

	(void)state;
	reader_init(&r, sample, sizeof(sample));
	assert_int_equal(reader_u8(&r), 1);
	assert_int_equal(reader_u16(&r), 0x0203);
	assert_int_equal(reader_u32(&r), 0x04050607);
	assert_int_equal(reader_left(&r), 8);
	assert_false(reader_done(&r));
	assert_true(reader_u64(&r) == 0x08090a0b0c0d0e0fULL);
	assert_true(reader_done(&r));
	assert_true(reader_ok(&r));
	assert_int_equal(reader_left(&r), 0);
}

/* Reads what needs width bytes; returns the value. */
static uint64_t read_width(struct reader *r, size_t width)
{
	switch (width) {
	case 1:
		return reader_u8(r);
	case 2:
		return reader_u16(r);
	case 4:
		return reader_u32(r);
	default:
		return reader_u64(r);
	}
}

static void short_reads_give_zero_and_stick(void **state)
{
	static const size_t widths[] = {1, 2, 4, 8};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (size_t len = 0; len < widths[i]; len++) {
			uint8_t *data = malloc(len + 1);
			struct reader r;

			assert_non_null(data);
			memset(data, 0xff, len + 1);
			/* The block ends where the reader does, so that ASan sees an overread. */
			reader_init(&r, data + 1, len);
			assert_true(read_width(&r, widths[i]) == 0);
			assert_false(reader_ok(&r));
			assert_false(reader_done(&r));
			assert_int_equal(reader_left(&r), 0);
			assert_int_equal(reader_u8(&r), 0);
			assert_null(reader_take(&r, 0));
			free(data);
		}
	}
}

static void copies_and_takes(void **state)
{
	uint8_t buf[4] = {9, 9, 9, 9};
	struct reader r;

	(void)state;
	reader_init(&r, sample, 5);
	reader_copy(&r, buf, 4);
	assert_memory_equal(buf, sample, 4);
	reader_copy(&r, buf, 4);
	assert_false(reader_ok(&r));
	assert_memory_equal(buf, "\0\0\0\0", 4);

	reader_init(&r, sample, 5);
	assert_ptr_equal(reader_take(&r, 2), sample);
	assert_ptr_equal(reader_take(&r, 3), sample + 2);
	assert_ptr_equal(reader_take(&r, 0), sample + 5);
	assert_true(reader_done(&r));
	assert_null(reader_take(&r, 1));
	assert_false(reader_ok(&r));

	reader_init(&r, sample, 5);
	assert_null(reader_take(&r, SIZE_MAX));
	assert_false(reader_ok(&r));
}

static void empty_input_needs_no_pointer(void **state)
{
	struct reader r;

	(void)state;
	reader_init(&r, NULL, 0);
	assert_true(reader_ok(&r));
	assert_true(reader_done(&r));
	reader_copy(&r, NULL, 0);
	assert_true(reader_ok(&r));
	assert_int_equal(reader_u8(&r), 0);
	assert_false(reader_ok(&r));
	reader_init(&r, NULL, 1);
	assert_false(reader_ok(&r));
}

static void sub_readers_are_confined(void **state)
{
	struct reader r, sub;

	(void)state;
	reader_init(&r, sample, 6);
	sub = reader_sub(&r, 2);
	assert_int_equal(reader_left(&sub), 2);
	assert_int_equal(reader_u32(&sub), 0);
	assert_false(reader_ok(&sub));
	assert_true(reader_ok(&r));
	assert_int_equal(reader_u8(&r), 3);
	sub = reader_sub(&r, 0);
	assert_true(reader_done(&sub));
	sub = reader_sub(&r, 4);
	assert_false(reader_ok(&sub));
	assert_false(reader_ok(&r));
	assert_int_equal(reader_u8(&sub), 0);
}

static void writes_big_endian(void **state)
{
	uint8_t buf[17];
	struct writer w;

	(void)state;
	writer_init(&w, buf, sizeof(buf));
	writer_u8(&w, 1);
	writer_u16(&w, 0x0203);
	writer_u32(&w, 0x04050607);
	writer_u64(&w, 0x08090a0b0c0d0e0fULL);
	assert_memory_equal(buf, sample, sizeof(sample));
	assert_int_equal(writer_len(&w), 15);
	assert_int_equal(writer_left(&w), 2);
	memset(buf + 15, 0xff, 2);
	writer_zero(&w, 2);
	assert_memory_equal(buf + 15, "\0\0", 2);
	assert_int_equal(writer_left(&w), 0);
	assert_true(writer_ok(&w));
	writer_copy(&w, NULL, 0);
	assert_true(writer_ok(&w));
}

static void write_width(struct writer *w, size_t width)
{
	switch (width) {
	case 1:
		writer_u8(w, 1);
		break;
	case 2:
		writer_u16(w, 1);
		break;
	case 4:
		writer_u32(w, 1);
		break;
	case 8:
		writer_u64(w, 1);
		break;
	case 3:
		writer_copy(w, sample, 3);
		break;
	default:
		writer_zero(w, width);
		break;
	}
}

static void short_writes_write_nothing_and_stick(void **state)
{
	static const size_t widths[] = {1, 2, 3, 4, 5, 8};

	(void)state;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		for (size_t cap = 0; cap < widths[i]; cap++) {
			uint8_t buf[8];
			struct writer w;

			memset(buf, 0xaa, sizeof(buf));
			writer_init(&w, buf, cap);
			write_width(&w, widths[i]);
			assert_false(writer_ok(&w));
			assert_int_equal(writer_len(&w), 0);
			assert_int_equal(writer_left(&w), 0);
			writer_zero(&w, 0);
			writer_u8(&w, 7);
			assert_null(writer_take(&w, 0));
			for (size_t k = 0; k < sizeof(buf); k++) {
				assert_int_equal(buf[k], 0xaa);
			}
		}
	}
}

static void takes_room_for_later(void **state)
{
	uint8_t buf[4];
	struct writer w;

	(void)state;
	writer_init(&w, buf, sizeof(buf));
	writer_u8(&w, 1);
	assert_ptr_equal(writer_take(&w, 3), buf + 1);
	assert_true(writer_ok(&w));
	assert_null(writer_take(&w, 1));
	assert_false(writer_ok(&w));
	assert_int_equal(writer_len(&w), 4);
}

static void loads_are_the_inverse_of_stores(void **state)
{
	uint8_t buf[9];

	(void)state;
	store_be16(buf + 1, 0xfedc);
	assert_memory_equal(buf + 1, "\xfe\xdc", 2);
	assert_int_equal(load_be16(buf + 1), 0xfedc);
	store_be32(buf + 1, 0xfedcba98);
	assert_memory_equal(buf + 1, "\xfe\xdc\xba\x98", 4);
	assert_true(load_be32(buf + 1) == 0xfedcba98);
	store_be64(buf + 1, 0xfedcba9876543210ULL);
	assert_memory_equal(buf + 1, "\xfe\xdc\xba\x98\x76\x54\x32\x10", 8);
	assert_true(load_be64(buf + 1) == 0xfedcba9876543210ULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_big_endian),
		cmocka_unit_test(short_reads_give_zero_and_stick),
		cmocka_unit_test(copies_and_takes),
		cmocka_unit_test(empty_input_needs_no_pointer),
		cmocka_unit_test(sub_readers_are_confined),
		cmocka_unit_test(writes_big_endian),
		cmocka_unit_test(short_writes_write_nothing_and_stick),
		cmocka_unit_test(takes_room_for_later),
		cmocka_unit_test(loads_are_the_inverse_of_stores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
