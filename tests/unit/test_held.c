/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses are held for a minute after they are gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "host/edge/held.h"

#include <cmocka.h>

#define START 1000u

static struct endpoint ip_of(unsigned number)
{
	struct endpoint e = {.ip = {[10] = 0xff,
				     [11] = 0xff,
				     [12] = 10,
				     [14] = (uint8_t)(number >> 8),
				     [15] = (uint8_t)number}};

	return e;
}

static void address_that_moves_is_held(void **state)
{
	const struct endpoint both[] = {ip_of(1), ip_of(2)}, one = ip_of(2);
	struct endpoint gone[HELD_MAX];
	struct held h = {0};

	(void)state;
	assert_int_equal(held_look(&h, both, 2, START, gone), 0);
	assert_int_equal(held_look(&h, &one, 1, START + 500000, gone), 1);
	assert_true(endpoint_same_ip(&gone[0], &both[0]));
	assert_int_equal(held_look(&h, &one, 1, START + 500000 + HELD_MS - 1, gone), 1);
	assert_int_equal(held_look(&h, both, 2, START + 500000 + HELD_MS - 1, gone), 0);
	/* The minute begins anew when it is gone again. */
	assert_int_equal(held_look(&h, &one, 1, START + 600000, gone), 1);
	assert_int_equal(held_look(&h, &one, 1, START + 600000 + HELD_MS, gone), 0);
	assert_int_equal(held_look(&h, NULL, 0, START + 600001 + HELD_MS, gone), 1);
	assert_true(endpoint_same_ip(&gone[0], &both[1]));
}

static void more_than_there_is_room_for(void **state)
{
	struct endpoint many[HELD_MAX + 10], gone[HELD_MAX];
	struct held h = {0};

	(void)state;
	for (unsigned i = 0; i < HELD_MAX + 10; i++)
		many[i] = ip_of(i + 1);
	assert_int_equal(held_look(&h, many, HELD_MAX + 10, START, gone), 0);
	assert_int_equal(held_look(&h, many + HELD_MAX, 10, START + 1, gone), HELD_MAX);
	/* Their places are free after the minute. */
	assert_int_equal(held_look(&h, many + HELD_MAX, 10, START + 1 + HELD_MS, gone), 0);
	assert_int_equal(held_look(&h, NULL, 0, START + 2 + HELD_MS, gone), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(address_that_moves_is_held),
		cmocka_unit_test(more_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
