/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A token bucket in whole tokens with millisecond time passed in. Zero-initialised it starts full
 * at its first use. One owner; not thread-safe.
 */
#ifndef N2N_BASE_BUCKET_H
#define N2N_BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	uint64_t credit; /* thousandths of a token */
	uint64_t last_ms;
	bool started;
};

/*
 * Takes one token; false when there is none. rate_per_s tokens flow in, at most burst are kept;
 * both may change from call to call. A clock that went back brings nothing until it has caught up.
 */
bool bucket_take(struct bucket *b, uint64_t now_ms, uint32_t rate_per_s, uint32_t burst);

#endif
