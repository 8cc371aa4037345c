/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a registered edge may send through the relay to others who have not answered it: a few
 * packets a second, enough for handshakes, too little to be a nuisance (PROTOCOL.md 8.4). Who
 * answered within the last minute may be sent to without limit. One per worker, which all packets
 * of a sender reach; fixed size.
 */
#ifndef N2N_CORE_DATA_RELAY_BUDGET_H
#define N2N_CORE_DATA_RELAY_BUDGET_H

#include <stddef.h>

#include "base/bucket.h"
#include "core/data/relay_pairs.h"

#define RELAY_STRANGER_PER_S 50
#define RELAY_ANSWERED_MS    60000u

struct relay_budget;

/* pairs is borrowed; other workers use it too. NULL: no memory. */
struct relay_budget *relay_budget_create(struct relay_pairs *pairs);
/* Accepts NULL. */
void relay_budget_destroy(struct relay_budget *b);

/*
 * Notes n > 0 packets from one session to another, by their ids. Returns how many of them, from the
 * first, may pass.
 */
size_t relay_budget_take(
	struct relay_budget *b, uint32_t from, uint32_t to, size_t n, uint64_t now_ms);

#endif
