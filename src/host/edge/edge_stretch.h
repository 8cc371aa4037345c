/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Passphrases are stretched beside the control thread, in a thread of libuv's: it takes half a
 * second and 64 MiB, so that there is one at a time. Control thread.
 */
#ifndef N2N_HOST_EDGE_EDGE_STRETCH_H
#define N2N_HOST_EDGE_EDGE_STRETCH_H

#include "host/edge/edge_host.h"
#include "host/loop/host.h"

struct edge_stretch;

/*
 * Begins with the passphrase of secret, which is copied, for the community of this name. With a
 * turn of the loop secret->prs, or secret->why, is there, and done is called. NULL, and there is
 * secret->why: it was not begun.
 */
struct edge_stretch *edge_stretch_begin(uv_loop_t *loop, const char *name,
	struct edge_secret *secret, void (*done)(void *ctx), void *ctx);
/*
 * Nobody wants it any more: it goes on, as it cannot be taken back, but done is not called, and
 * secret not used. NULL is fine.
 */
void edge_stretch_forget(struct edge_stretch *s);

#endif
