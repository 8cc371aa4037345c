/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/frame/vital.h"

#include <cmocka.h>

enum what {
	ARP,
	DHCP_ASKS,
	DHCP_ANSWERS,
	DHCP6,
	SOLICITS,
	ADVERTISES,
	OTHER
};

/* Writes a frame with so many tags and returns its length. */
static size_t write_frame(uint8_t *data, enum what what, unsigned tags)
{
	uint8_t *at = data + 12;

	memset(data, 0, 128);
	for (unsigned i = 0; i < tags; i++, at += 4)
		store_be16(at, i == 0 && tags == 2 ? 0x88a8 : 0x8100);
	switch (what) {
	case ARP:
		store_be16(at, 0x0806);
		return (size_t)(at - data) + 2 + 28;
	case DHCP_ASKS:
	case DHCP_ANSWERS:
	case OTHER: /* mDNS */
		store_be16(at, 0x0800);
		at[2] = 0x46; /* with an option */
		at[2 + 9] = 17;
		store_be16(at + 2 + 24, what == OTHER ? 5353 : what == DHCP_ASKS ? 68 : 67);
		store_be16(at + 2 + 26, what == OTHER ? 5353 : what == DHCP_ASKS ? 67 : 68);
		return (size_t)(at - data) + 2 + 24 + 8;
	default:
		store_be16(at, 0x86dd);
		at[2] = 0x60;
		at[2 + 6] = what == DHCP6 ? 17 : 58;
		if (what == DHCP6)
			store_be16(at + 2 + 42, 547);
		else
			at[2 + 40] = what == SOLICITS ? 133 : 136;
		return (size_t)(at - data) + 2 + 40 + 8;
	}
}

static void what_hosts_cannot_do_without_is(void **state)
{
	uint8_t data[128];

	(void)state;
	for (unsigned tags = 0; tags < 3; tags++)
		for (enum what w = ARP; w <= OTHER; w++)
			assert_int_equal(
				frame_is_vital(data, write_frame(data, w, tags)), w != OTHER);
	/* An echo request, and a fragment behind which anything may be. */
	data[12] = 0x86;
	(void)write_frame(data, SOLICITS, 0);
	data[14 + 40] = 128;
	assert_false(frame_is_vital(data, 14 + 48));
	(void)write_frame(data, DHCP_ASKS, 0);
	store_be16(data + 14 + 6, 100);
	assert_false(frame_is_vital(data, 14 + 32));
}

/* Nothing is read behind the end, at any length. */
static void what_is_cut_short_is_not(void **state)
{
	uint8_t data[128];

	(void)state;
	for (enum what w = DHCP_ASKS; w <= OTHER; w++)
		for (size_t len = FRAME_MIN, all = write_frame(data, w, 2); len < all; len++) {
			uint8_t *cut = malloc(len);

			assert_non_null(cut);
			memcpy(cut, data, len);
			assert_false(frame_is_vital(cut, len));
			free(cut);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_hosts_cannot_do_without_is),
		cmocka_unit_test(what_is_cut_short_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
