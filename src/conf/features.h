/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The names of features, for users. Any thread. */
#ifndef N2N_CONF_FEATURES_H
#define N2N_CONF_FEATURES_H

#include <stddef.h>

#include "base/err.h"
#include "base/feature.h"

/* Static; "unknown" for what users need no name for. */
const char *feature_name(enum feature f);

/*
 * For option_spec.set: adds the names, separated by commas, to a set of enum feature (unsigned).
 * N2N_EINVAL: one is unknown, and none was added.
 */
int feature_disable(void *field, const char *value, char *why, size_t why_cap);

#endif
