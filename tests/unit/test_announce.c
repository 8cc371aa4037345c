/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The frames that tell where an address is, against bytes that were put together from the RFCs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/frame/announce.h"

#include <cmocka.h>

static const struct mac mac = {{2, 0, 0x5e, 0x10, 0, 1}};

static void an_ipv4_address_is_told_by_arp(void **state)
{
	static const uint8_t ip[16] = {[10] = 0xff, [11] = 0xff, 10, 1, 2, 3};
	static const uint8_t want[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0x5e, 0x10, 0, 1,
		0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1, 2, 0, 0x5e, 0x10, 0, 1, 10, 1, 2, 3, 0, 0, 0,
		0, 0, 0, 10, 1, 2, 3};
	uint8_t frame[ANNOUNCE_MAX];

	(void)state;
	assert_int_equal(announce_frame(frame, &mac, ip), sizeof(want));
	assert_memory_equal(frame, want, sizeof(want));
}

static void an_ipv6_address_is_told_by_an_advertisement(void **state)
{
	static const uint8_t ip[16] = {0xfd, [14] = 0xab, 0xcd};
	static const uint8_t want[] = {0x33, 0x33, 0, 0, 0, 1, 2, 0, 0x5e, 0x10, 0, 1, 0x86, 0xdd,
		0x60, 0, 0, 0, 0, 0x20, 0x3a, 0xff, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0xab, 0xcd, 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x88, 0, 0xa4, 0xf1,
		0x20, 0, 0, 0, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xab, 0xcd, 2, 1, 2, 0,
		0x5e, 0x10, 0, 1};
	uint8_t frame[ANNOUNCE_MAX];

	(void)state;
	assert_int_equal(announce_frame(frame, &mac, ip), sizeof(want));
	assert_int_equal(sizeof(want), ANNOUNCE_MAX);
	assert_memory_equal(frame, want, sizeof(want));
}

/* The sum over what it covers and itself is all ones, whatever the bytes. */
static void the_checksum_is_right_for_any_address(void **state)
{
	uint8_t frame[ANNOUNCE_MAX];

	(void)state;
	for (unsigned n = 0; n < 2000; n++) {
		struct mac m = {{(uint8_t)(n * 2), (uint8_t)(n * 7), 0xff, 0xff, (uint8_t)n, 0xff}};
		uint8_t ip[16];
		uint32_t sum = 32 + 58;

		for (unsigned i = 0; i < 16; i++)
			ip[i] = (uint8_t)(0xff - n * (i + 1) / 3);
		ip[0] = 0xfd;
		(void)announce_frame(frame, &m, ip);
		for (unsigned i = 14 + 8; i < ANNOUNCE_MAX; i += 2)
			sum += load_be16(frame + i);
		while (sum > 0xffff)
			sum = (sum & 0xffff) + (sum >> 16);
		assert_int_equal(sum, 0xffff);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ipv4_address_is_told_by_arp),
		cmocka_unit_test(an_ipv6_address_is_told_by_an_advertisement),
		cmocka_unit_test(the_checksum_is_right_for_any_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
