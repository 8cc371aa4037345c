/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the fuzz targets of src/wire share. A target returns 0; a failed CHECK is a finding. */
#ifndef N2N_TESTS_FUZZ_CHECK_H
#define N2N_TESTS_FUZZ_CHECK_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#endif
