/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the edges of this host say of the way to an address. One thread. */
#ifndef N2N_CTL_BENCH_PEER_H
#define N2N_CTL_BENCH_PEER_H

#include <jansson.h>

/*
 * Asks the edges for a peer with this address ("10.1.2.2"). NULL when none knows it or may be
 * asked; else an object, the caller's: instance, id, path ("direct" or "relay", null without a
 * connection), endpoint or reason, cipher, library, workers, offloads; as of CONTROL.md, section 4.
 * state_dir: as given to the edges, or NULL.
 */
json_t *bench_peer_find(const char *address, const char *state_dir);

/* A line for people about an address; peer may be NULL. */
void bench_peer_print(const char *address, const json_t *peer);

#endif
