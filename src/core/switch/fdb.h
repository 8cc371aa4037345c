/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The forwarding table of a community: behind which port an Ethernet address was heard last, for
 * addresses that no peer owns. Workers find and learn at line speed, without locks. Addresses are
 * 48-bit numbers whose first byte in transmission is the highest (frame_source).
 *
 * An entry is one atomic word: address 48 | port 13 | age 3, or 0. Its place is one of the eight of
 * a set, which is a cache line and is chosen by a hash. It is exchanged as a whole, and only if
 * port or age differ, so an address in use costs a few loads a frame and one write a step. A race
 * loses one lesson, which the next frame repeats. Two workers that learn the same new address while
 * another one goes may enter it twice: the first of both is found and refreshed, the other ages.
 *
 * Age is the number of the step when the address was heard, modulo 8. The control thread counts
 * steps, tells workers the number, and sweeps after each. A worker may be one step behind.
 *
 * A member that sends from as many addresses as it likes, so that others are forgotten and their
 * frames come to it as floods, gets nothing by that: what has to give way to a new address in a
 * full set is the oldest entry of the port that has most entries there, the new one counted, its
 * own port before others. So it takes from a port only what that has above an equal share. An entry
 * of a port that has one in the set, as most have, gives way only to a port that has none, and only
 * if not heard of in this step; else the new address is not learned, and its frames are flooded.
 * Since the sets are fair, the hash need not be strong: it is a mix with a secret, which keeps
 * colliding addresses from being known beforehand, at a fraction of the price of SipHash.
 *
 * Give it twice as many entries as addresses are expected: then one in a hundred finds no place.
 */
#ifndef N2N_CORE_SWITCH_FDB_H
#define N2N_CORE_SWITCH_FDB_H

#include <stdbool.h>
#include <stdint.h>

#include "core/switch/port_set.h"

#define FDB_KEY_LEN	16
#define FDB_ENTRIES_MAX (1u << 20) /* 8 MiB */
#define FDB_AGE_MAX	6	   /* steps: with the next one, an entry must go */

struct fdb;

/* What is learned of one address. */
struct fdb_entry {
	uint64_t address;
	uint16_t port;
	unsigned age; /* steps since it was heard last */
};

/*
 * For at least so many entries, at most FDB_ENTRIES_MAX, 8 bytes each; key: random, secret, copied.
 * NULL: no memory.
 */
struct fdb *fdb_create(uint32_t entries, const uint8_t key[FDB_KEY_LEN]);
/*
 * No worker may have it any more. Accepts NULL. The argument is void * so that it fits core_retire.
 */
void fdb_destroy(void *fdb);

/* Any thread. The port's number, or PORT_FLOOD if the address is not known. */
uint16_t fdb_find(const struct fdb *f, uint64_t address);
/*
 * Any thread. The address was heard from this port, which the caller found in its view and is not
 * PORT_FLOOD; step: as the control thread last told. Group addresses and zero are not learned. What
 * finds no place is counted.
 */
void fdb_learn(struct fdb *f, uint64_t address, uint16_t port, unsigned step);

/*
 * The control thread's. To be called whenever it has advanced the step, with the new one: entries
 * not heard of for more than max_age steps, at most FDB_AGE_MAX, go. After eight steps without a
 * sweep old entries would look young.
 */
void fdb_sweep(struct fdb *f, unsigned step, unsigned max_age);
/* Any thread. How often an address was not learned since its set was full of others'. */
uint64_t fdb_unlearned(const struct fdb *f);
/*
 * Any thread. The next entry from place *at on, and *at behind it: false when there is no more.
 *What is learned meanwhile may be missed. step: the control thread's. for (uint32_t at = 0;
 *fdb_next(f, step, &at, &entry);)
 */
bool fdb_next(const struct fdb *f, unsigned step, uint32_t *at, struct fdb_entry *out);
/* Any thread. How many places are taken; a walk over all. */
uint32_t fdb_count(const struct fdb *f);
/* The control thread's. All entries of these ports go; for good, if nobody learns them any more. */
void fdb_forget(struct fdb *f, const struct port_set *gone);

#endif
