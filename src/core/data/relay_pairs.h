/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who sent to whom through the relay of late: one table for all workers of a supernode, since the
 * two ends of a pair may be at different workers. Fixed size; forgets by overwriting what is
 * oldest. Any thread, without locks: each entry is one word.
 */
#ifndef N2N_CORE_DATA_RELAY_PAIRS_H
#define N2N_CORE_DATA_RELAY_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

struct relay_pairs;

/* NULL: no memory. */
struct relay_pairs *relay_pairs_create(void);
/* After all who were given it. Accepts NULL. */
void relay_pairs_destroy(struct relay_pairs *p);

/* from and to are session ids, random and known to nobody else. */
void relay_pairs_note(struct relay_pairs *p, uint32_t from, uint32_t to, uint64_t now_ms);
/* True when from sent to to less than ms milliseconds ago; with a chance of 2^-30 else, too. */
bool relay_pairs_sent(
	const struct relay_pairs *p, uint32_t from, uint32_t to, uint64_t now_ms, uint32_t ms);

#endif
