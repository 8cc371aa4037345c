/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the user wants was read anew: what is to be done until it is applied, and applying it.
 * Control thread.
 */
#ifndef N2N_HOST_EDGE_EDGE_RELOAD_H
#define N2N_HOST_EDGE_EDGE_RELOAD_H

#include "conf/edge_diff.h"
#include "host/edge/edge_host_state.h"
#include "host/edge/edge_stretch.h"

struct reload {
	struct edge_host *h;
	struct api_later *asked; /* who asked for it; NULL: a signal */
	struct edge_fresh fresh;
	struct edge_diff diff; /* from what the communities are as */
	struct edge_stretch *stretch;
	bool again;	/* the file is to be read once more afterwards */
	bool releasing; /* leases are given back, until: */
	uint64_t release_until_ms;
	bool applied; /* but for communities from this one on: */
	unsigned next;
	unsigned restart;	    /* changes of the process since it was started */
	bool left[COMMUNITIES_MAX]; /* by index of a membership */
	json_t *changes, *refused, *restarts;
	uint64_t now_ms;
};

/* ---- edge_apply.c ---- */

/* The index of the membership at the device, or -1. */
int edge_member_at(const struct edge_host *h, const char *device);
/* Whether a membership is to be left, for good or to be joined anew. */
bool edge_is_to_be_left(const struct reload *r, unsigned community);
/*
 * Applies it, but for the joining, and tells; r->fresh.conf is the edge's from then on. Leases are
 * given back, and the passphrases of those to be joined are stretched.
 */
void edge_apply(struct reload *r);
/* Joins one more of those to be joined; false: there is none. */
bool edge_apply_join(struct reload *r);

#endif
