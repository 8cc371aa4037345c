/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All sets of features, for tests of each: for (use = 0; use <= of; use = next_set(use, of)). */
#ifndef N2N_TESTS_UNIT_FEATURE_SETS_H
#define N2N_TESTS_UNIT_FEATURE_SETS_H

/* The set after use among those within of; of + 1 after the last. */
static inline unsigned next_set(unsigned use, unsigned of)
{
	return use == of ? of + 1 : (use - of) & of;
}

#endif
