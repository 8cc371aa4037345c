/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What both programs need around a core: the control thread's loop with its timers, signals and
 * queues, the sockets, the workers, the published view, the state directory, the control socket.
 * edge_host.c and supernode_host.c embed it.
 */
#ifndef N2N_HOST_LOOP_HOST_H
#define N2N_HOST_LOOP_HOST_H

#include <uv.h>

#include "api/notices.h"
#include "api/server.h"
#include "base/log.h"
#include "conf/options.h"
#include "conf/values.h"
#include "core/node.h"
#include "host/worker/publication.h"
#include "host/worker/worker.h"
#include "os/state.h"

/* What differs between the roles. Called on the control thread. */
struct host_role {
	void (*event)(void *ctx, const struct event *e);
	/* A frame for an interface; NULL where there are none. */
	void (*deliver)(void *ctx, unsigned community, const struct frame *f);
	/* About once a second. */
	void (*second)(void *ctx, uint64_t now_ms);
	/* The last packets; the loop ends afterwards. */
	void (*goodbye)(void *ctx, uint64_t now_ms);
};

struct host {
	const struct host_role *role;
	void *ctx;
	const struct log *log;
	const struct option_set *options;
	struct random random;
	struct aead_library *ciphers;
	struct state *state; /* NULL: nothing can be kept */
	struct api_server *api;
	struct notices notices;
	struct parent *parent; /* borrowed, or NULL */
	struct udp *udp;
	struct udp_batch *batch;
	struct node *node; /* borrowed from the role's core */
	struct publication views;
	unsigned n_workers;
	struct worker *workers[WORKERS_MAX]; /* borrowed from the role */
	uint64_t started_ms;
	uint64_t published_ms;
	bool failed; /* a worker ended by itself */
	bool keep_warned;
	bool has_loop;
	uv_loop_t loop;
	uv_timer_t tick;
	uv_timer_t second;
	uv_timer_t publish_later;
	uv_prepare_t publish;
	uv_async_t notes;
	struct os_handle interrupt;
	uv_poll_t signals;
};

struct host_config {
	const struct host_role *role;
	void *ctx;
	const struct log *log;
	const char *state_dir; /* or NULL */
	const char *instance;
	const char *choice;		  /* what makes it another instance: "name", "port" */
	const struct option_set *options; /* that errors may advise, or NULL; kept */
	struct endpoint local;		  /* of the sockets */
	struct parent *parent;		  /* that opens them, or NULL */
	unsigned disabled;		  /* a set of enum feature */
};

/*
 * Chooses the ciphers' libraries, opens state directory and sockets. N2N_EEXIST: a second process,
 * or the port is in use. A state directory that cannot be written is a warning: then nothing is
 * kept.
 */
MUST_CHECK int host_open(struct host *h, const struct host_config *c, struct os_error *err);
/* The way out of the core, for its configuration. */
struct core_config host_core_config(struct host *h, unsigned n_workers);
/* The core's node, before the first worker. N2N_ENOMEM. */
MUST_CHECK int host_set_node(struct host *h, struct node *node, unsigned n_workers);
/* What a worker with this number is made of; udp is borrowed, views and host outlive it. */
struct worker_config host_worker_config(struct host *h, unsigned number, struct udp *udp);
/* What to say of a worker that cannot be made. */
int host_explain_worker(struct os_error *err, int rc);
/* True when no worker has left a note that was not taken. */
bool host_is_drained(struct host *h);
/* Takes part from now on; stopped by host_run, destroyed by the role. */
void host_add_worker(struct host *h, struct worker *w);
/* Answers at the control socket. Without one the program goes on, after a warning. */
void host_listen(struct host *h, const char *state_dir, const char *instance,
	const struct api_command *commands);

/* Until a signal ends it: 0, or N2N_EIO when a worker could not go on. Workers are stopped then. */
MUST_CHECK int host_run(struct host *h, struct os_error *err);
/*
 * Closes what host_open opened, and the loop once nothing hangs on it. False when a look-up still
 * does: then h must not be freed.
 */
bool host_close(struct host *h);
/* Last of all, when the core with its keys is gone: closes the ciphers' libraries. */
void host_fini(struct host *h);

/* What is wrong at the moment: the status has it in both roles. */
json_t *host_notices(const struct host *h);
/* How many were dropped for this reason, by the control thread and all workers. */
uint64_t host_drops(const struct host *h, enum drop why);
/*
 * Adds to the status what was dropped: sums over control thread and workers of the reasons that are
 * not 0, and what these mean.
 */
void host_report_drops(const struct host *h, json_t *result);
/* What both roles tell about themselves. tap: what is in use of it, a set of enum feature. */
json_t *host_describe(const struct host *h, const char *role, const char *instance, unsigned tap);

/* Warns of a failed write to the state directory, the first time; later ones are debug lines. */
void host_not_kept(struct host *h, int rc, const struct os_error *err);

#endif
