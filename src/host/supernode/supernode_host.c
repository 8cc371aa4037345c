/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the making, running and ending of a supernode, and its status. */
#include "host/supernode/supernode_host.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/supernode/supernode.h"
#include "host/community/keep.h"
#include "host/loop/host.h"
#include "host/worker/supernode.h"
#include "os/netif_state.h"
#include "os/sys.h"
#include "os/underlay.h"

#define SAID_MS	  60000u
#define NOBODY_MS 60000u /* edges that are there already have come back by then */

/* Registrations refused for one reason. */
struct refusals {
	uint32_t count;
	uint32_t said; /* of them, when the last line was written */
	uint64_t said_ms;
};

struct supernode_host {
	struct host host;
	char instance[24];
	struct state *state; /* NULL: nothing can be kept */
	struct api_server *api;
	struct supernode *supernode;
	unsigned n_workers;
	struct worker_supernode *workers[WORKERS_MAX];
	struct udp *joined[WORKERS_MAX];	   /* of workers after the first */
	uint64_t floor;				   /* as it was kept */
	struct refusals refused[REGISTER_RESULTS]; /* by enum register_result */
	bool reached;				   /* from another host, ever */
};

/* Whether the sender of a genuine packet is another host, so that the port is open to some. */
static bool is_elsewhere(const struct endpoint *remote)
{
	bool own = endpoint_is_none(remote) || endpoint_is_loopback(remote);
	struct netif_state s;
	int rc = netif_state_read(NULL, &s);

	for (size_t i = 0; rc == 0 && !own && i < s.n_addresses; i++)
		own = endpoint_same_ip(&s.address[i].ip, remote);
	netif_state_free(&s);
	return !own;
}

static void note_reached(struct supernode_host *h, const struct event *e)
{
	h->reached = h->reached || is_elsewhere(&e->remote);
	if (h->reached)
		(void)notices_clear(&h->host.notices, "nobody-came", "");
}

/* A line for each kind of refusal and minute: of a flood people should know that it goes on. */
static void on_refused(struct supernode_host *h, const struct event *e)
{
	struct refusals *r = &h->refused[e->value];
	const uint64_t now_ms = sys_now_ms();
	const bool full_here = e->value == REGISTER_ADDRESS_LIMIT;
	char remote[ENDPOINT_TEXT_MAX], hint[OPTIONS_HINT_CAP];

	r->count++;
	if (r->said_ms != 0 && now_ms < r->said_ms + SAID_MS)
		return;
	log_warn(h->host.log, "%s (%s), %u times since it was said last, just now to %s%s%s",
		event_text(e->kind), register_refusal_name(e->value), r->count - r->said,
		endpoint_format(&e->remote, remote),
		full_here ? "; if all of them are welcome, allow more" : "",
		full_here ? options_hint(hint, &supernode_options, SETTING_PER_ADDRESS) : "");
	r->said = r->count;
	r->said_ms = now_ms;
}

static void on_event(void *ctx, const struct event *e)
{
	struct supernode_host *h = ctx;
	char remote[ENDPOINT_TEXT_MAX];

	if (e->kind == EVENT_MEMBER_UP || e->kind == EVENT_MEMBER_REFUSED)
		note_reached(h, e);
	if (e->kind == EVENT_MEMBER_REFUSED)
		on_refused(h, e);
	else if (e->kind == EVENT_MEMBER_UP)
		log_debug(h->host.log, "member %08x: %s from %s", e->value, event_text(e->kind),
			endpoint_format(&e->remote, remote));
	else if (e->kind == EVENT_MEMBER_DOWN)
		log_debug(h->host.log, "member %08x: %s", e->value, event_text(e->kind));
}

static void keep_floor(struct supernode_host *h, uint64_t floor)
{
	struct os_error err;

	int rc;

	/* What could not be written is tried again each second. */
	if (floor == h->floor)
		return;
	rc = keep_freshness(h->state, floor, &err);
	if (rc == 0)
		h->floor = floor;
	host_not_kept(&h->host, rc, &err);
}

static unsigned main_port(const struct supernode_host *h)
{
	unsigned v4 = udp_port(h->host.udp, UDP_V4);

	return v4 != 0 ? v4 : udp_port(h->host.udp, UDP_V6);
}

static void on_second(void *ctx, uint64_t now_ms)
{
	struct supernode_host *h = ctx;

	keep_floor(h, supernode_floor(h->supernode, now_ms));
	if (!h->reached && now_ms >= h->host.started_ms + NOBODY_MS)
		notices_remark(&h->host.notices, now_ms, "nobody-came", "",
			"no edge on another host has come to UDP port %u since the start; if there "
			"are any, open that port in the firewall of this host and of its network, "
			"and forward it where a router hides this host",
			main_port(h));
}

static void on_goodbye(void *ctx, uint64_t now_ms)
{
	struct supernode_host *h = ctx;

	(void)now_ms;
	keep_floor(h, supernode_last_floor(h->supernode));
}

static const struct host_role role = {
	.event = on_event,
	.second = on_second,
	.goodbye = on_goodbye,
};

/* ---- status ---- */

static json_t *refused(const struct supernode_host *h)
{
	json_t *o = json_object();

	for (unsigned i = REGISTER_OK + 1; i < REGISTER_RESULTS; i++)
		if (h->refused[i].count > 0)
			json_object_set_new(o, register_refusal_name(i),
				json_integer((json_int_t)h->refused[i].count));
	return o;
}

/* Packets to many: what came to be sent on, what went out, and how much of that may. */
static json_t *groups(const struct supernode_host *h, const struct supernode_status *s)
{
	uint64_t packets = 0, copies = 0, bytes = 0;

	for (unsigned i = 0; i < h->n_workers; i++) {
		const struct copier *c = &h->workers[i]->core.copier;

		packets += atomic_load_explicit(&c->packets, memory_order_relaxed);
		copies += atomic_load_explicit(&c->copies, memory_order_relaxed);
		bytes += atomic_load_explicit(&c->bytes, memory_order_relaxed);
	}
	return json_pack("{s:I, s:I, s:I, s:i, s:I, s:{s:I, s:I, s:I}}", "packets",
		(json_int_t)packets, "copies", (json_int_t)copies, "bytes", (json_int_t)bytes,
		"sets", (int)s->sets, "handles", (json_int_t)s->handles, "limits", "packets",
		(json_int_t)s->limits.packets, "bits", (json_int_t)s->limits.bits, "copies",
		(json_int_t)s->limits.copies);
}

static json_t *report(void *ctx, const json_t *request, struct api_error *err)
{
	const struct supernode_host *h = ctx;
	char key[PUBLIC_KEY_TEXT_LEN + 1];
	struct supernode_status s;
	uint64_t packets = 0, bytes = 0;
	json_t *node = host_describe(&h->host, "supernode", h->instance, 0), *result;

	(void)request;
	(void)err;
	supernode_status(h->supernode, &s);
	for (unsigned i = 0; i < h->n_workers; i++) {
		packets += atomic_load_explicit(&h->workers[i]->core.packets, memory_order_relaxed);
		bytes += atomic_load_explicit(&h->workers[i]->core.bytes, memory_order_relaxed);
	}
	public_key_format(supernode_public(h->supernode), key);
	json_object_set_new(node, "key", json_string(key));
	result = json_pack("{s:o, s:{s:i, s:i, s:i, s:o}, s:{s:I, s:I, s:o}, s:o}", "node", node,
		"registry", "communities", (int)s.communities, "members", (int)s.members, "waiting",
		(int)s.waiting, "refused", refused(h), "relay", "packets", (json_int_t)packets,
		"bytes", (json_int_t)bytes, "groups", groups(h, &s), "notices",
		host_notices(&h->host));
	host_report_drops(&h->host, result);
	return result;
}

static const struct api_command commands[] = {{"status", report, NULL}, {0}};

/* ---- making ---- */

static int make_core(struct supernode_host *h, const struct supernode_conf *conf, unsigned workers,
	struct os_error *err)
{
	struct supernode_config c = {.node = host_core_config(&h->host, workers),
		.per_address = conf->per_address,
		.groups = {conf->group_packets, conf->group_bits, conf->group_copies}};
	int rc = keep_secret(h->state, "key", c.secret, &h->host.random, err);
	char hint[OPTIONS_HINT_CAP];

	if (rc == N2N_EINVAL)
		return rc;
	if (rc != 0)
		log_warn(h->host.log, "%s%s", err->text,
			options_hint(hint, &supernode_options, err->setting));
	if (rc != 0 || h->state == NULL)
		log_warn(h->host.log, "the key below will be another one after the next start, and "
				      "edges that were given it will refuse this supernode");
	c.floor = keep_read_freshness(h->state);
	h->supernode = supernode_create(&c);
	crypto_wipe(c.secret, sizeof(c.secret));
	if (h->supernode == NULL ||
		host_set_node(&h->host, supernode_node(h->supernode), workers) != 0)
		return os_error_set(err, N2N_ENOMEM, "no memory for the supernode; free some");
	keep_floor(h, supernode_floor(h->supernode, sys_now_ms()));
	return 0;
}

static int make_worker(struct supernode_host *h, unsigned number, struct os_error *err)
{
	struct worker_config c = host_worker_config(&h->host, number, h->host.udp);
	int rc;

	if (number > 0) {
		rc = udp_join(&h->joined[number], h->host.udp, err);
		if (rc != 0)
			return rc;
		c.udp = h->joined[number];
	}
	rc = worker_supernode_create(&h->workers[number], &c, supernode_pairs(h->supernode));
	if (rc != 0)
		return host_explain_worker(err, rc);
	h->n_workers++;
	host_add_worker(&h->host, &h->workers[number]->base);
	return 0;
}

/* The best address to tell others, "" if there is none. */
static void find_place(
	const struct host *h, const struct endpoint *local, char at[ENDPOINT_TEXT_MAX])
{
	uint16_t v4 = udp_port(h->udp, UDP_V4), v6 = udp_port(h->udp, UDP_V6);
	const struct underlay_socket socket = {.v4 = v4 != 0, .v6 = v6 != 0, .only = *local};
	struct underlay *u;
	struct endpoint place;
	struct os_error err;

	at[0] = 0;
	if (underlay_open(&u, &err) != 0)
		return;
	if (underlay_look(u, NULL, 0, NULL, 0) == 0 &&
		underlay_rank(underlay_seen(u), &socket, &place, 1) == 1) {
		place.port = endpoint_is_v4(&place) ? v4 : v6;
		endpoint_format(&place, at);
	}
	underlay_close(u);
}

/* What to give to edges: one address of this machine stands for all. */
static void say_ready(const struct supernode_host *h, const struct supernode_conf *conf)
{
	char key[PUBLIC_KEY_TEXT_LEN + 1], at[ENDPOINT_TEXT_MAX];

	find_place(&h->host, &conf->local, at);
	if (at[0] == 0)
		snprintf(at, sizeof(at), "THIS-HOST:%u", main_port(h));
	public_key_format(supernode_public(h->supernode), key);
	log_info(h->host.log, "listening at UDP port %u; for edges: -l %s or, safer, -l %s/%s",
		main_port(h), at, at, key);
}

static int make(struct supernode_host *h, const struct supernode_setup *setup, struct os_error *err)
{
	const struct host_config c = {
		.role = &role,
		.ctx = h,
		.log = setup->log,
		.choice = "port",
		.options = &supernode_options,
		.parent = setup->parent,
		.disabled = setup->conf->process.disabled,
	};
	const struct process_conf *process = &setup->conf->process;
	unsigned given = setup->conf->process.workers;
	unsigned workers = given != 0 ? given : uv_available_parallelism();
	int rc = host_open(&h->host, &c, err);

	workers = workers < WORKERS_MAX ? workers : WORKERS_MAX;
	if (rc == 0)
		rc = host_open_state(&h->host, &h->state, process->state_dir, h->instance, err);
	if (rc == 0)
		rc = host_open_sockets(&h->host, &setup->conf->local, process->disabled, err);
	if (rc == 0)
		rc = make_core(h, setup->conf, workers, err);
	for (unsigned i = 0; rc == 0 && i < workers; i++)
		rc = make_worker(h, i, err);
	return rc;
}

int supernode_host_open(
	struct supernode_host **out, const struct supernode_setup *setup, struct os_error *err)
{
	struct supernode_host *h = calloc(1, sizeof(*h));
	int rc;

	if (h == NULL)
		return os_error_set(err, N2N_ENOMEM, "no memory for the supernode; free some");
	snprintf(h->instance, sizeof(h->instance), "supernode-%u", setup->conf->local.port);
	rc = make(h, setup, err);
	if (rc != 0) {
		supernode_host_close(h);
		return rc;
	}
	if (h->state != NULL)
		h->api = host_listen(
			&h->host, setup->conf->process.state_dir, h->instance, commands, h);
	say_ready(h, setup->conf);
	*out = h;
	return 0;
}

int supernode_host_run(struct supernode_host *h, struct os_error *err)
{
	return host_run(&h->host, err);
}

void supernode_host_close(struct supernode_host *h)
{
	if (h == NULL)
		return;
	for (unsigned i = 0; i < h->n_workers; i++)
		worker_supernode_destroy(h->workers[i]);
	api_server_close(h->api);
	if (!host_close(&h->host))
		return;
	state_close(h->state);
	for (unsigned i = 0; i < WORKERS_MAX; i++)
		udp_close(h->joined[i]);
	supernode_destroy(h->supernode);
	host_fini(&h->host);
	free(h);
}
