/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much of some memory the system has handed out. Needs _DEFAULT_SOURCE. */
#ifndef N2N_TESTS_UNIT_RESIDENT_TEST_H
#define N2N_TESTS_UNIT_RESIDENT_TEST_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Pages of these bytes that are not resident. */
static inline size_t pages_missing(const void *p, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), missing = 0;
	uintptr_t begin = (uintptr_t)p / page * page, end = (uintptr_t)p + len;

	for (; begin < end; begin += page) {
		unsigned char there = 0;

		if (mincore((void *)begin, page, &there) != 0)
			abort();
		missing += (there & 1) == 0;
	}
	return missing;
}

#endif
