/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a program remembers from one run to the next, as small files in its state directory:
 *
 *   seed         32 bytes, an edge's; its identities in all communities come of it
 *   key          32 bytes, a supernode's secret
 *   supernodes   "HOST:PORT KEY" a line: keys of supernodes met without one in -l
 *   freshness    u64, an edge's: above all handshakes ever started;
 *                a supernode's: no lower than all that were answered
 *   mask-TAG     u64 wall clock in ms | tag 16 | 16 bytes: the direct mask key
 *   owners-TAG   version u8 2 | tag 16 | count u16 | records of MAC 6 | static key 32 | u8 on trial
 * | u64 ms away peers-TAG    version u8 2 | tag 16 | records of static key 32 | freshness u64 |
 * endpoint 18
 *
 * All integers are big-endian. tag is that of the community, and TAG its first 8 bytes as hex; what
 * belongs to another one is as good as none, as is a file that is missing or damaged, but for seed
 * and key. st may be NULL everywhere: then nothing is remembered. Control thread.
 */
#ifndef N2N_HOST_COMMUNITY_KEEP_H
#define N2N_HOST_COMMUNITY_KEEP_H

#include "base/random.h"
#include "core/edge/edge.h"
#include "os/state.h"

/*
 * Reads 32 secret bytes, or makes and writes them if there are none. N2N_EINVAL: there is a file
 * and it cannot be used, and an identity is not replaced in silence; other errors: made ones were
 * not written.
 */
MUST_CHECK int keep_secret(struct state *st, const char *name, uint8_t secret[KEY_LEN],
	const struct random *rnd, struct os_error *err);

/*
 * Says why the remembered keys of supernodes, or some of them, cannot be used. N2N_EINVAL: a line
 * is damaged; the errors of state_read but N2N_ENOENT.
 */
MUST_CHECK int keep_check_supernodes(struct state *st, struct os_error *err);
/* The remembered key of a supernode called so; false when there is none. */
bool keep_find_supernode(struct state *st, const char *name, uint8_t key[KEY_LEN]);
/* Adds a key, or replaces the one of this name. A file that cannot be read is left as it is. */
MUST_CHECK int keep_supernode(
	struct state *st, const char *name, const uint8_t key[KEY_LEN], struct os_error *err);

/*
 * The lowest freshness that no earlier run has used (PROTOCOL.md 5.5), or, at a supernode, the
 * highest that one may have answered; 0 when none is known.
 */
uint64_t keep_read_freshness(struct state *st);
/* Writes it. This and the functions below that write: errors of state_write, explained. */
MUST_CHECK int keep_freshness(struct state *st, uint64_t freshness, struct os_error *err);

/*
 * Our direct mask key (PROTOCOL.md 6.3). False when there is none, it is older than a day, or was
 * saved in the future: the clock cannot be believed then.
 */
bool keep_read_mask(struct state *st, const uint8_t tag[COMMUNITY_TAG_LEN], uint64_t wall_ms,
	uint8_t mask[MASK_LEN]);
/* Saves it with wall_ms, milliseconds since 1970, as the time when it was made. */
MUST_CHECK int keep_mask(struct state *st, const uint8_t tag[COMMUNITY_TAG_LEN], uint64_t wall_ms,
	const uint8_t mask[MASK_LEN], struct os_error *err);

/*
 * Tells the edge whose addresses are whose (edge_remember_owner), before it is told of peers;
 * community: its index there. N2N_EINVAL: there is a file and it cannot be used, which is then as
 * if there were none; explained.
 */
MUST_CHECK int keep_remember_owners(struct state *st, const uint8_t tag[COMMUNITY_TAG_LEN],
	struct edge *e, unsigned community, struct os_error *err);
/* Saves that. N2N_ENOMEM too. */
MUST_CHECK int keep_owners(struct state *st, const uint8_t tag[COMMUNITY_TAG_LEN],
	const struct edge *e, unsigned community, struct os_error *err);

/* Tells the edge of the peers of earlier runs; community: its index there. */
void keep_remember_peers(
	struct state *st, const uint8_t tag[COMMUNITY_TAG_LEN], struct edge *e, unsigned community);
/* Saves the peers that ever confirmed, at most COMMUNITY_MEMBERS_MAX. N2N_ENOMEM too. */
MUST_CHECK int keep_peers(struct state *st, const uint8_t tag[COMMUNITY_TAG_LEN],
	const struct edge *e, unsigned community, struct os_error *err);

#endif
