/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An edge asks at its interface who listens to groups; tests of something else look away. */
#ifndef N2N_TESTS_OWN_QUERIES_H
#define N2N_TESTS_OWN_QUERIES_H

#include <string.h>

#include "core/frame/membership.h"

static inline bool is_own_query(const uint8_t *data, size_t len)
{
	static const uint8_t none_v4[16] = {[10] = 0xff, 0xff};
	struct membership m;

	return membership_read(&m, data, len) &&
	       (m.kind == MEMBERSHIP_QUERY || m.kind == MEMBERSHIP_ROUTER) &&
	       (m.v6 ? membership_is_edge(m.source) : memcmp(m.source, none_v4, 16) == 0);
}

#endif
