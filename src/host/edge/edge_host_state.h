/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a running edge, shared by the files beside this one. */
#ifndef N2N_HOST_EDGE_EDGE_HOST_STATE_H
#define N2N_HOST_EDGE_EDGE_HOST_STATE_H

#include "core/edge/edge.h"
#include "host/community/membership.h"
#include "host/edge/edge_dhcp.h"
#include "host/edge/edge_host.h"
#include "host/edge/edge_instance.h"
#include "host/edge/held.h"
#include "host/loop/host.h"
#include "host/loop/name_files.h"
#include "host/loop/resolve.h"
#include "host/worker/edge.h"
#include "host/worker/overlays.h"
#include "os/netif.h"
#include "os/underlay.h"

#define SUPERNODE_NAME_MAX (HOST_NAME_MAX_LEN + sizeof("[]:65535"))

struct edge_host {
	struct host host;
	const struct edge_conf *conf;	/* as it was started: what is said of the process */
	const struct edge_conf *blocks; /* as it is now: what is said of communities */
	struct edge_conf *fresh;	/* blocks, if it was read anew; owned */
	struct edge_reloader reloader;
	struct reload *reload; /* under way; NULL: none is */
	uv_timer_t reload_timer;
	struct log *log; /* that of host, to be changed */
	struct edge *edge;
	bool begun; /* no signal ended it before */
	unsigned n_workers;
	struct worker_edge *worker[WORKERS_MAX];
	struct membership member[COMMUNITIES_MAX];	 /* by index of the community */
	struct edge_instance *instance[COMMUNITIES_MAX]; /* the same */
	struct edge_instances instances;
	struct edge_dhcp dhcp[COMMUNITIES_MAX]; /* by index of the community, too */
	struct udp *joined[WORKERS_MAX];	/* of workers after the first */
	struct resolver *resolver;
	struct name_files name_files;
	struct netif_watch *watch;
	uv_poll_t watch_poll;
	struct underlay *underlay; /* NULL: the system cannot be asked */
	struct overlays overlays;  /* for the workers */
	struct held held;	   /* addresses of this host, now and of late */
	bool overlays_full;	   /* which was told */
	struct bucket looks;	   /* at interfaces and routes, when they changed */
	bool change_due;	   /* they did, and are to be looked at in the next second */
	struct endpoint places[COMMUNITIES_MAX];	    /* of supernodes, when last looked */
	char supernode[SUPERNODES_MAX][SUPERNODE_NAME_MAX]; /* "host:port" */
	uint64_t too_large, too_large_ms; /* datagrams refused so, and when the last were */
	unsigned too_large_s;		  /* seconds in a row in which some were */
	bool too_large_told;
	uint64_t looked_ms;	       /* at interfaces and routes */
	uint64_t watched_ms;	       /* at what became of our interfaces, last; 0: never */
	bool watch_due;		       /* something changed since, or is to be seen again */
	struct bucket interface_lines; /* about what others changed */
	uint64_t saved_freshness;
	uint64_t saved_ms; /* when it was */
};

#define PEER_NAME_MAX 128
#define REFUSAL_CAP   512

/* Tells the user; see event.h. */
void edge_on_event(void *ctx, const struct event *e);
/* Writes "4bxk2nfa (10.1.2.2, 02:..)": its id, and what else is known of it; key: its static. */
void edge_name_member(char name[PEER_NAME_MAX], const struct edge_host *h, unsigned community,
	const uint8_t edge[EDGE_ID_LEN], const uint8_t *key);
/* edge_first_hop.c: who speaks for others, or does no more. */
void edge_first_hop_event(struct edge_host *h, const struct event *e);
/*
 * edge_underlay.c: which of our addresses are told, and what others' addresses may be used. Opens
 * the watch; without it the host is looked at once a minute.
 */
void edge_underlay_open(struct edge_host *h);
void edge_underlay_close(struct edge_host *h);
/* Looks at the host's interfaces, addresses and routes, and tells core and workers. */
void edge_underlay_look(struct edge_host *h, uint64_t now_ms);
/* About once a second: what is due, and whether the supernode is elsewhere by now. */
void edge_underlay_second(struct edge_host *h, uint64_t now_ms);
/* For struct core_io; ctx is its struct host. */
bool edge_underlay_is_outside(void *ctx, const struct endpoint *to);
/* The same for how long datagrams to an address may be. */
uint16_t edge_underlay_limit(void *ctx, const struct endpoint *to);
/*
 * edge_own.c: our own datagrams that routes lead into our interface. Tells the core which sockets
 * are ours, whenever addresses change.
 */
void edge_own_look(struct edge_host *h, uint64_t now_ms);
/* They were: tells the user, or that it is over. */
void edge_own_event(struct edge_host *h, const struct event *e);
/*
 * edge_exit.c: has what we send leave as the user wants. Errors of udp_leave_by, explained: at the
 * start they end it.
 */
MUST_CHECK int edge_exit_set(struct edge_host *h, struct os_error *err);
/* The same when interfaces changed; then an error is a notice. */
void edge_exit_look(struct edge_host *h, uint64_t now_ms);
/* ---- edge_join.c ---- */

/*
 * Joins a community, in the directory of its device, makes its interface, has the workers serve it
 * and its DHCP client run: its index, or N2N_E*, explained, and it is left again. conf is kept.
 */
MUST_CHECK int edge_join(struct edge_host *h, const struct community_conf *conf,
	const struct edge_secret *secret, uint64_t now_ms, struct os_error *err);
/*
 * Something of the community at the device is not as the user wants, which is told until a reload
 * has it right: what ("is not joined"), and why. Writes the line without the device.
 */
void edge_refuse(struct edge_host *h, const char *device, const char *what,
	const struct os_error *why, uint64_t now_ms, char line[REFUSAL_CAP]);
/* It is right by now. */
void edge_refuse_no_more(struct edge_host *h, const char *device);
/* Leaves a community, with word to the others; edge_left is to be called then, for all that were.
 */
void edge_leave(struct edge_host *h, unsigned community, uint64_t now_ms);
void edge_left(struct edge_host *h, const bool left[COMMUNITIES_MAX]);
/* Communities whose interface somebody removed are left; a process that has one ends. */
void edge_interfaces_lost(struct edge_host *h, uint64_t now_ms);
/* The remembered key of a supernode called so, in whichever directory. */
bool edge_known_supernode(const struct edge_host *h, const char *name, uint8_t key[KEY_LEN]);
/* Remembers it in all of them. */
void edge_keep_supernode(struct edge_host *h, const char *name, const uint8_t key[KEY_LEN]);
/* What others know of supernodes, its directory does as well. */
void edge_share_supernodes(struct edge_host *h, unsigned community);
/* edge_host.c: a line that it is up. */
void edge_say_ready(const struct edge_host *h, unsigned community);

/* edge_reload.c: begins what "reload" asks for, and the same at SIGHUP. */
void edge_reload(void *ctx, const json_t *request, struct api_later *asked);
void edge_hangup(void *ctx);
/* The program ends: nothing is applied any more. */
void edge_reload_forget(struct edge_host *h);
/* What an earlier one kept; NULL is fine. */
void edge_reload_free(struct edge_conf *fresh);
/* The answer to "status"; ctx is a struct edge_instance, as for those below. */
json_t *edge_report(void *ctx, const json_t *request, struct api_error *err);
/* The answer to "forget". */
json_t *edge_forget(void *ctx, const json_t *request, struct api_error *err);

/* ---- edge_fdb.c: what is known of addresses, and frames of other hosts ---- */

/* The answer to "fdb". */
json_t *edge_fdb(void *ctx, const json_t *request, struct api_error *err);
/* Frames of other hosts come, and we are no bridge: tells the user, or that it is over. */
void edge_fdb_event(struct edge_host *h, const struct event *e);

/* edge_storm.c: more frames for many than may pass, of a member or of our interface. */
void edge_storm_event(struct edge_host *h, const struct event *e);

/* ---- edge_interface.c: the interfaces as others change them ---- */

/* The system says that something changed: looks, unless it did a moment ago. */
void edge_interfaces_changed(struct edge_host *h, uint64_t now_ms);
/* Looks if that is due. About once a second. */
void edge_interfaces_tick(struct edge_host *h, uint64_t now_ms);

/* ---- edge_bridge.c: bridges on their LAN (PROTOCOL.md 9.8) ---- */

/* Which interfaces are ports of a bridge, as they were just seen. */
void edge_bridge_look(struct edge_host *h, uint64_t now_ms);
/* Tells the user what became of the port; name: the peer's that it is about. */
void edge_bridge_event(struct edge_host *h, const struct event *e, const char *name);
/* Its state, for the status. */
json_t *edge_bridge_report(const struct status_community *c);

/* ---- edge_dhcp.c: addresses that the members are told and we did not choose ---- */

/*
 * Starts the DHCP client of a community that is to have one; its interface is up. Errors of
 * dhcp_open.
 */
MUST_CHECK int edge_dhcp_start(struct edge_host *h, unsigned community, struct os_error *err);
/* What the user wants of it is another: starts the client, or has it end. */
void edge_dhcp_change(struct edge_host *h, unsigned community, uint64_t now_ms);
/* The community is about to be left: its client is to release its lease. */
void edge_dhcp_release(struct edge_host *h, unsigned community);
/* Whether it has, or there is none. */
bool edge_dhcp_has_released(const struct edge_host *h, unsigned community);
/* The community is left: there is no client any more; one that has not ended does so. */
void edge_dhcp_leave(struct edge_host *h, unsigned community);
/* What became of the clients. About once a second. */
void edge_dhcp_tick(struct edge_host *h, uint64_t now_ms);
/* Which addresses its interface has, as they were just seen. */
void edge_dhcp_look(
	struct edge_host *h, unsigned community, const struct netif_state *s, uint64_t now_ms);
/* The clients release their leases; waits for them while all else goes on. */
void edge_dhcp_end(struct edge_host *h);
/* For the status; null: there is no client. */
json_t *edge_dhcp_report(const struct edge_host *h, unsigned community);

/* edge_alone.c: raises and ends the notice that nobody else is there. About once a second. */
void edge_alone_tick(struct edge_host *h, uint64_t now_ms);

#endif
