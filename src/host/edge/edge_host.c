/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the making, running and ending of an edge. */
#include "host/edge/edge_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/community/keep.h"
#include "host/edge/edge_host_state.h"
#include "os/sys.h"

#define SAVE_FRESHNESS_MS 5000u

/* ---- the control thread's work ---- */

static void deliver(void *ctx, unsigned community, const struct frame *f)
{
	const struct edge_host *h = ctx;

	if (!membership_deliver(&h->member[community], f))
		drops_add(&h->host.node->core.drops, DROP_TAP, 1);
}

static void save(struct edge_host *h, uint64_t now_ms, bool at_once)
{
	struct os_error err;

	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (h->member[i].conf != NULL)
			host_not_kept(&h->host,
				membership_save(&h->member[i], h->edge, h->host.state, now_ms,
					at_once, &err),
				&err);
}

/* It is above all handshakes ever started, so that it may be a while behind. */
static void save_freshness(struct edge_host *h, uint64_t now_ms, bool at_once)
{
	uint64_t freshness = h->host.node->core.freshness;
	struct os_error err;

	if (!at_once &&
		(freshness == h->saved_freshness || now_ms < h->saved_ms + SAVE_FRESHNESS_MS))
		return;
	h->saved_freshness = freshness;
	h->saved_ms = now_ms;
	host_not_kept(&h->host, keep_freshness(h->host.state, freshness, &err), &err);
}

static void on_second(void *ctx, uint64_t now_ms)
{
	struct edge_host *h = ctx;

	if (name_files_changed(&h->name_files))
		resolver_changed(h->resolver);
	resolver_tick(h->resolver, now_ms, !edge_is_registered(h->edge));
	edge_underlay_second(h, now_ms);
	edge_interfaces_tick(h, now_ms);
	edge_alone_tick(h, now_ms);
	save(h, now_ms, false);
	save_freshness(h, now_ms, false);
	if (host_is_drained(&h->host))
		edge_drained(h->edge);
}

static void on_goodbye(void *ctx, uint64_t now_ms)
{
	struct edge_host *h = ctx;

	save(h, now_ms, true);
	save_freshness(h, now_ms, true);
	edge_shutdown(h->edge, now_ms);
}

static void on_resolved(void *ctx, unsigned i, const struct endpoint *addresses, size_t n)
{
	struct edge_host *h = ctx;

	edge_supernode_resolved(h->edge, i, addresses, n);
}

static const struct host_role role = {
	.event = edge_on_event,
	.deliver = deliver,
	.second = on_second,
	.goodbye = on_goodbye,
};

static const struct api_command commands[] = {
	{"status", edge_report}, {"forget", edge_forget}, {"fdb", edge_fdb}, {0}};

/* ---- making ---- */

static int make_core(struct edge_host *h, struct os_error *err)
{
	struct edge_config c = {.node = host_core_config(&h->host, h->n_workers)};
	int rc = keep_secret(h->host.state, "seed", c.seed, &h->host.random, err);

	c.node.io.is_underlay = edge_underlay_is_outside;
	c.node.io.limit = edge_underlay_limit;
	if (rc == N2N_EINVAL)
		return rc;
	host_not_kept(&h->host, rc, err);
	c.node.freshness = keep_read_freshness(h->host.state);
	h->edge = edge_create(&c);
	crypto_wipe(c.seed, sizeof(c.seed));
	if (h->edge == NULL)
		return os_error_set(err, N2N_ENOMEM, "no memory for the edge; free some");
	return 0;
}

static int join(struct edge_host *h, const struct edge_setup *setup, struct os_error *err)
{
	const struct membership_setup s = {
		.conf = &setup->conf->community,
		.key = setup->key,
		.passphrase = setup->passphrase,
		.parent = setup->parent,
		.log = setup->log,
	};
	struct membership m;
	int index = membership_join(&m, h->edge, h->host.state, &s, err);

	if (index < 0)
		return index;
	h->member[index] = m;
	return 0;
}

static int add_supernode(
	struct edge_host *h, unsigned i, const struct edge_supernode *s, struct os_error *err)
{
	bool v6 = strchr(s->host, ':') != NULL;
	uint8_t given[KEY_LEN], pinned[KEY_LEN];
	char quoted[CONF_QUOTED_CAP];
	bool known;

	snprintf(h->supernode[i], sizeof(h->supernode[i]), "%s%s%s:%u", v6 ? "[" : "", s->host,
		v6 ? "]" : "", s->port);
	known = keep_find_supernode(h->host.state, h->supernode[i], pinned);
	if (s->key != NULL && public_key_parse(given, s->key) != 0)
		return os_error_choose(err, N2N_EINVAL, SETTING_SUPERNODE,
			"%s after \"%.40s/\" is not the public key of a supernode; copy the one "
			"that the supernode prints when it starts",
			conf_quote(quoted, s->key), h->supernode[i]);
	if (edge_add_supernode(h->edge, s->key != NULL ? given : NULL, known ? pinned : NULL) < 0)
		return os_error_set(
			err, N2N_ENOMEM, "no memory for supernode \"%.80s\"", h->supernode[i]);
	resolver_add(h->resolver, s->host, s->port);
	return 0;
}

static int add_supernodes(struct edge_host *h, struct os_error *err)
{
	struct resolver_config c = {
		.loop = &h->host.loop, .log = h->host.log, .found = on_resolved, .ctx = h};
	int rc = resolver_create(&h->resolver, &c);
	char hint[OPTIONS_HINT_CAP];

	if (keep_check_supernodes(h->host.state, err) != 0)
		log_warn(h->host.log, "%s%s; until then remembered keys of supernodes are not used",
			err->text, options_hint(hint, &edge_options, err->setting));
	if (rc != 0)
		return os_error_set(err, rc, "no memory for the list of supernodes; free some");
	name_files_init(&h->name_files, sys_name_files);
	for (unsigned i = 0; rc == 0 && i < h->conf->supernode_count; i++)
		rc = add_supernode(h, i, &h->conf->supernodes[i], err);
	return rc;
}

static int make_interfaces(struct edge_host *h, struct os_error *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < COMMUNITIES_MAX; i++)
		if (h->member[i].conf != NULL)
			rc = membership_make_interface(&h->member[i], h->edge, h->n_workers,
				h->conf->process.disabled, h->host.log, err);
	return rc;
}

/* Each has a queue of each interface and sockets of its own. */
static int make_worker(struct edge_host *h, unsigned number, struct os_error *err)
{
	struct worker_config c = host_worker_config(&h->host, number, h->host.udp);
	struct tap *tap[COMMUNITIES_MAX];
	int rc;

	c.overlays = &h->overlays;
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		tap[i] = h->member[i].tap[number];
	if (number > 0) {
		rc = udp_join(&h->joined[number], h->host.udp, err);
		if (rc != 0)
			return rc;
		c.udp = h->joined[number];
	}
	rc = worker_edge_create(&h->worker[number], &c, tap);
	if (rc != 0)
		return host_explain_worker(err, rc);
	host_add_worker(&h->host, &h->worker[number]->base);
	return 0;
}

static int make(struct edge_host *h, const struct edge_setup *setup, struct os_error *err)
{
	const struct host_config c = {
		.role = &role,
		.ctx = h,
		.log = setup->log,
		.state_dir = setup->conf->process.state_dir,
		.instance = setup->conf->community.device,
		.choice = "name",
		.options = &edge_options,
		.local = setup->conf->local,
		.parent = setup->parent,
		.disabled = setup->conf->process.disabled,
	};
	int rc = host_open(&h->host, &c, err);

	if (rc == 0)
		rc = make_core(h, err);
	if (rc == 0)
		rc = join(h, setup, err);
	if (rc == 0)
		rc = add_supernodes(h, err);
	if (rc == 0)
		rc = make_interfaces(h, err);
	if (rc == 0 && host_set_node(&h->host, edge_node(h->edge), h->n_workers) != 0)
		rc = os_error_set(err, N2N_ENOMEM, "no memory for the edge; free some");
	for (unsigned i = 0; rc == 0 && i < h->n_workers; i++)
		rc = make_worker(h, i, err);
	return rc == 0 ? edge_exit_set(h, err) : rc;
}

static void say_ready(const struct edge_host *h)
{
	uint16_t port = udp_port(h->host.udp, UDP_V4);

	if (port == 0)
		port = udp_port(h->host.udp, UDP_V6);
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (h->member[i].conf != NULL)
			membership_say_ready(&h->member[i], h->edge, port, h->host.log);
}

int edge_host_open(struct edge_host **out, const struct edge_setup *setup, struct os_error *err)
{
	uint64_t now_ms = sys_now_ms();
	struct edge_host *h;
	int rc;

	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return os_error_set(err, N2N_ENOMEM, "no memory for the edge; free some");
	h->conf = setup->conf;
	h->n_workers = h->conf->process.workers != 0 ? h->conf->process.workers : 1;
	rc = make(h, setup, err);
	if (rc != 0) {
		(void)edge_host_close(h);
		return rc;
	}
	edge_underlay_open(h);
	host_listen(&h->host, h->conf->process.state_dir, h->conf->community.device, commands);
	edge_underlay_look(h, now_ms);
	edge_interfaces_tick(h, now_ms);
	save(h, now_ms, true);
	save_freshness(h, now_ms, true);
	say_ready(h);
	*out = h;
	return 0;
}

int edge_host_run(struct edge_host *h, struct os_error *err)
{
	int rc = host_run(&h->host, err);

	for (unsigned i = 0; rc == 0 && i < COMMUNITIES_MAX; i++)
		if (h->member[i].conf != NULL)
			log_info(h->host.log, "%s is down, community %s was left",
				h->member[i].conf->device, h->member[i].name);
	return rc;
}

bool edge_host_close(struct edge_host *h)
{
	bool closed;

	if (h == NULL)
		return true;
	for (unsigned i = 0; i < h->n_workers; i++)
		worker_edge_destroy(h->worker[i]);
	resolver_stop(h->resolver);
	closed = host_close(&h->host);
	for (unsigned i = 0; i < h->n_workers; i++)
		udp_close(h->joined[i]);
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		membership_close(&h->member[i]);
	if (!closed)
		return false;
	resolver_destroy(h->resolver);
	edge_underlay_close(h);
	edge_destroy(h->edge);
	host_fini(&h->host);
	free(h);
	return true;
}
