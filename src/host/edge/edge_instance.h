/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The instances of an edge: for each community that it is in the state directory of its device,
 * locked, and a control socket that answers for this community. Control thread.
 *
 * One whose community is left stays until the next second, so that the answer to who asked for that
 * is still written, or until the device is wanted again.
 */
#ifndef N2N_HOST_EDGE_EDGE_INSTANCE_H
#define N2N_HOST_EDGE_EDGE_INSTANCE_H

#include "api/server.h"
#include "host/loop/host.h"
#include "os/state.h"

struct edge_host;

#define INSTANCE_NONE (-1)

struct edge_instance {
	struct edge_host *h;
	char device[INTERFACE_NAME_MAX + 1]; /* empty: this place is free */
	struct state *state;		     /* NULL: nothing can be kept */
	struct api_server *api;		     /* NULL: it does not listen */
	int community;			     /* its index; INSTANCE_NONE: it was left */
};

struct edge_instances {
	struct edge_instance at[2 * COMMUNITIES_MAX]; /* some are left while others come */
};

/*
 * Takes the directory of a device for a community. Errors of host_open_state; N2N_ENOSPC: too many
 * were left in this second.
 */
MUST_CHECK int edge_instance_open(
	struct edge_instance **out, struct edge_host *h, const char *device, struct os_error *err);
/* Its community has this index from now on, and may be asked about. */
void edge_instance_serve(struct edge_instance *i, unsigned community);
/* Its community was left, or never came. */
void edge_instance_leave(struct edge_instance *i);
/* Closes what was left. About once a second. */
void edge_instances_tick(struct edge_host *h);
/* The control sockets, and then, last of all, the directories. */
void edge_instances_hang_up(struct edge_host *h);
void edge_instances_close(struct edge_host *h);

#endif
