/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory that is there from the start. */
#define _DEFAULT_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/resident.h"
#include "resident_test.h"

#include <cmocka.h>

#define BIG (4u << 20)

/* Otherwise the other tests could not fail. */
static void what_was_not_touched_is_not_there(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(p, MAP_FAILED);
	assert_int_equal(pages_missing(p, BIG), BIG / page);
	*((volatile char *)p + page) = 1;
	assert_int_equal(pages_missing(p, BIG), BIG / page - 1);
	assert_int_equal(munmap(p, BIG), 0);
}

static void all_of_it_is_there_and_zero(void **state)
{
	static const size_t sizes[] = {1, 4095, 4096, 4097, 100000, BIG, BIG + 1};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned char *p = resident_calloc(sizes[i], 1);

		assert_non_null(p);
		assert_int_equal(pages_missing(p, sizes[i]), 0);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(p[k], 0);
		free(p);
	}
}

static void sizes_are_multiplied_with_care(void **state)
{
	void *p = resident_calloc(3, 5000);

	(void)state;
	assert_non_null(p);
	assert_int_equal(pages_missing(p, 15000), 0);
	free(p);
	p = resident_calloc(0, 5000);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_touched_is_not_there),
		cmocka_unit_test(all_of_it_is_there_and_zero),
		cmocka_unit_test(sizes_are_multiplied_with_care),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
