/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Turns the names of supernodes into addresses, in the background and again and again: names move,
 * and at boot there may be no network yet. Control thread.
 */
#ifndef N2N_HOST_LOOP_RESOLVE_H
#define N2N_HOST_LOOP_RESOLVE_H

#include <uv.h>

#include "base/endpoint.h"
#include "base/limits.h"
#include "base/log.h"

struct resolver;

struct resolver_config {
	uv_loop_t *loop;
	const struct log *log;
	/* Name i stands for these addresses now, in the order of preference. n > 0, at most
	 * SUPERNODE_ADDRESSES. */
	void (*found)(void *ctx, unsigned i, const struct endpoint *addresses, size_t n);
	void *ctx;
};

/* N2N_ENOMEM. Before there are other threads: the environment is changed. */
MUST_CHECK int resolver_create(struct resolver **out, const struct resolver_config *c);
/*
 * At most SUPERNODES_MAX. host is a name or an address, kept by the caller. A literal is reported
 * at the next tick.
 */
void resolver_add(struct resolver *r, const char *host, uint16_t port);
/*
 * The network changed, or what is told about names: what has no address yet is looked up anew at
 * the next tick, and in a hurry everything, also while an older question is not answered. The
 * newest answer counts.
 */
void resolver_changed(struct resolver *r);
/*
 * To be called every second or so, which limits how often is asked. hurry: none of the addresses
 * known works; then a name is looked up after 1 s, 2 s and so on up to 10 s, else every 5 minutes.
 */
void resolver_tick(struct resolver *r, uint64_t now_ms, bool hurry);
/*
 * Gives up what is under way; nothing is reported any more. A look-up that hangs in the system's
 * resolver cannot be taken back: it keeps the loop busy, and r has to stay as long.
 */
void resolver_stop(struct resolver *r); /* NULL is fine */
/* After the loop was closed. */
void resolver_destroy(struct resolver *r); /* NULL is fine */

#endif
