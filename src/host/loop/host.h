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
	/* A terminal is gone, or somebody wants the files read again (SIGHUP); NULL: nothing. */
	void (*hangup)(void *ctx);
	/* The last packets; the loop ends afterwards. */
	void (*goodbye)(void *ctx, uint64_t now_ms);
	/* A signal ended it, and workers still move packets: what is to be done before goodbye may
	 * take a moment of host_linger. NULL: nothing. */
	void (*leave)(void *ctx);
};

struct host {
	const struct host_role *role;
	void *ctx;
	const struct log *log;
	const struct option_set *options;
	struct random random;
	struct aead_library *ciphers;
	const char *choice;
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
	bool ended;  /* a signal asked for it, which may come before it runs */
	bool runs;
	bool hangup_due; /* SIGHUP came before that */
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
	const char *choice;		  /* what makes it another instance: "name", "port" */
	const struct option_set *options; /* that errors may advise, or NULL; kept */
	struct parent *parent;		  /* that opens the sockets, or NULL */
	unsigned disabled;		  /* a set of enum feature */
};

/* Makes the loop, takes over the signals, chooses the ciphers' libraries. N2N_E*, explained. */
MUST_CHECK int host_open(struct host *h, const struct host_config *c, struct os_error *err);
/*
 * Opens the state directory of an instance, which is the caller's to close. N2N_EEXIST: a second
 * process; N2N_EINVAL as of state_open. One that cannot be written is a warning: then *out is NULL,
 * and nothing is kept. Before the sockets, which a process that ends may still have.
 */
MUST_CHECK int host_open_state(struct host *h, struct state **out, const char *dir,
	const char *instance, struct os_error *err);
/* Errors of udp_open_by. disabled: a set of enum feature. */
MUST_CHECK int host_open_sockets(
	struct host *h, const struct endpoint *local, unsigned disabled, struct os_error *err);
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
/*
 * Answers at the control socket of an instance; the server is the caller's to close before
 * host_close, ctx goes to commands. NULL: there is none, after a warning, and the program goes on.
 */
struct api_server *host_listen(struct host *h, const char *state_dir, const char *instance,
	const struct api_command *commands, void *ctx);
/*
 * Waits until no worker knows what was removed, and what was retired is destroyed, a second at
 * most: false, and that comes later. Workers go on meanwhile; the control thread does nothing else.
 */
bool host_settle(struct host *h);

/* Works on for a moment, while the role takes its leave, or waits for something before it runs. */
void host_linger(struct host *h);
/* The loop ends with this turn, and host_run says that something was taken away. */
void host_fail(struct host *h);
/* Until a signal ends it, which may have come by now: 0, or N2N_EIO when a worker could not go on.
 * Workers are stopped then. */
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
