/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a running edge, shared by the files beside this one. */
#ifndef N2N_HOST_EDGE_EDGE_HOST_STATE_H
#define N2N_HOST_EDGE_EDGE_HOST_STATE_H

#include "core/edge/edge.h"
#include "host/community/membership.h"
#include "host/edge/edge_host.h"
#include "host/loop/host.h"
#include "host/loop/name_files.h"
#include "host/loop/resolve.h"
#include "host/worker/edge.h"
#include "os/netif.h"

#define SUPERNODE_NAME_MAX (HOST_NAME_MAX_LEN + sizeof("[]:65535"))

struct edge_host {
	struct host host;
	const struct edge_conf *conf;
	struct edge *edge;
	unsigned n_workers;
	struct worker_edge *worker[WORKERS_MAX];
	struct membership member[COMMUNITIES_MAX]; /* by index of the community */
	struct udp *joined[WORKERS_MAX];	   /* of workers after the first */
	struct resolver *resolver;
	struct name_files name_files;
	struct netif_watch *watch;
	uv_poll_t watch_poll;
	char supernode[SUPERNODES_MAX][SUPERNODE_NAME_MAX]; /* "host:port" */
	uint64_t listed_ms;				    /* our addresses */
	uint64_t saved_freshness;
	uint64_t saved_ms; /* when it was */
};

/* Tells the user; see event.h. */
void edge_on_event(void *ctx, const struct event *e);
/* The answer to "status". */
json_t *edge_report(void *ctx, const json_t *request, struct api_error *err);
/* The answer to "forget". */
json_t *edge_forget(void *ctx, const json_t *request, struct api_error *err);

#endif
