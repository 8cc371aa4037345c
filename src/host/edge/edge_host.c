/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the making, running and ending of an edge. */
#include "host/edge/edge_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/community/keep.h"
#include "host/edge/edge_host_state.h"
#include "host/edge/edge_stretch.h"
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
				membership_save(&h->member[i], h->edge, h->instance[i]->state,
					now_ms, at_once, &err),
				&err);
}

/*
 * One for the process, kept in each directory: so none falls behind when they part again. It is
 * above all handshakes ever started, so that it may be a while behind. */
static void save_freshness(struct edge_host *h, uint64_t now_ms, bool at_once)
{
	uint64_t freshness = h->host.node->core.freshness;
	struct os_error err;

	if (!at_once &&
		(freshness == h->saved_freshness || now_ms < h->saved_ms + SAVE_FRESHNESS_MS))
		return;
	h->saved_freshness = freshness;
	h->saved_ms = now_ms;
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (h->member[i].conf != NULL)
			host_not_kept(&h->host,
				keep_freshness(h->instance[i]->state, freshness, &err), &err);
}

static void on_second(void *ctx, uint64_t now_ms)
{
	struct edge_host *h = ctx;

	if (name_files_changed(&h->name_files))
		resolver_changed(h->resolver);
	resolver_tick(h->resolver, now_ms, !edge_is_registered(h->edge));
	edge_underlay_second(h, now_ms);
	edge_interfaces_tick(h, now_ms);
	edge_dhcp_tick(h, now_ms);
	edge_alone_tick(h, now_ms);
	edge_instances_tick(h);
	edge_interfaces_lost(h, now_ms);
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

static void on_leave(void *ctx)
{
	edge_reload_forget(ctx);
	edge_dhcp_end(ctx);
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
	.hangup = edge_hangup,
	.goodbye = on_goodbye,
	.leave = on_leave,
};

/* ---- making ---- */

static int make_core(struct edge_host *h, struct os_error *err)
{
	struct edge_config c = {.node = host_core_config(&h->host, h->n_workers)};

	c.node.io.is_underlay = edge_underlay_is_outside;
	c.node.io.limit = edge_underlay_limit;
	h->edge = edge_create(&c);
	if (h->edge == NULL)
		return os_error_set(err, N2N_ENOMEM, "no memory for the edge; free some");
	return 0;
}

/*
 * All directories are locked before anything else is taken. Where that fails there is nothing to be
 * joined.
 */
static void open_instances(struct edge_host *h, struct edge_secret secret[COMMUNITIES_MAX])
{
	struct edge_instance *opened;
	struct os_error err;

	for (unsigned i = 0; i < h->blocks->community_count; i++) {
		if (edge_instance_open(&opened, h, h->blocks->community[i].device, &err) == 0)
			continue;
		secret[i].passphrase = NULL;
		secret[i].why = err;
	}
}

/* Whether there is a community that may be joined. */
static bool any_is_left(const struct edge_host *h, const struct edge_secret secret[COMMUNITIES_MAX])
{
	for (unsigned i = 0; i < h->blocks->community_count; i++)
		if (secret[i].why.code == 0)
			return true;
	return false;
}

static void on_stretched(void *ctx)
{
	bool *busy = ctx;

	*busy = false;
}

/* One after the other, until a signal ends it. */
static void stretch_all(struct edge_host *h, struct edge_secret secret[COMMUNITIES_MAX])
{
	for (unsigned i = 0; i < h->blocks->community_count && !h->host.ended; i++) {
		struct edge_stretch *s = NULL;
		bool busy = true;

		if (secret[i].passphrase != NULL)
			s = edge_stretch_begin(&h->host.loop, h->blocks->community[i].name,
				&secret[i], on_stretched, &busy);
		while (s != NULL && busy && !h->host.ended)
			host_linger(&h->host);
		if (busy)
			edge_stretch_forget(s);
	}
}

/*
 * What one of several lacks is no reason to be without the others: it is told, and a reload tries
 * again. Errors: none was joined.
 */
static int join_all(
	struct edge_host *h, const struct edge_secret secret[COMMUNITIES_MAX], struct os_error *err)
{
	const uint64_t now_ms = sys_now_ms();
	unsigned n = h->blocks->community_count, joined = 0;
	char line[REFUSAL_CAP];

	for (unsigned i = 0; i < n; i++) {
		const struct community_conf *conf = &h->blocks->community[i];

		if (edge_join(h, conf, &secret[i], now_ms, err) >= 0)
			joined++;
		else if (n > 1)
			edge_refuse(h, conf->device, "is not joined", err, now_ms, line);
	}
	if (joined > 0)
		return 0;
	return n == 1 ? err->code
		      : os_error_set(err, N2N_EINVAL,
				"none of the %u communities could be joined, as is said above", n);
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
	known = edge_known_supernode(h, h->supernode[i], pinned);
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

	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (h->member[i].conf != NULL &&
			keep_check_supernodes(h->instance[i]->state, err) != 0)
			log_warn(h->host.log,
				"%s%s; until then remembered keys of supernodes are not used",
				err->text, options_hint(hint, &edge_options, err->setting));
	if (rc != 0)
		return os_error_set(err, rc, "no memory for the list of supernodes; free some");
	name_files_init(&h->name_files, sys_name_files);
	for (unsigned i = 0; rc == 0 && i < h->conf->supernode_count; i++)
		rc = add_supernode(h, i, &h->conf->supernodes[i], err);
	for (unsigned i = 0; rc == 0 && i < COMMUNITIES_MAX; i++)
		if (h->member[i].conf != NULL)
			edge_share_supernodes(h, i);
	return rc;
}

/* Each has a queue of each interface and sockets of its own. */
static int make_worker(struct edge_host *h, unsigned number, struct os_error *err)
{
	struct worker_config c = host_worker_config(&h->host, number, h->host.udp);
	int rc;

	c.overlays = &h->overlays;
	if (number > 0) {
		rc = udp_join(&h->joined[number], h->host.udp, err);
		if (rc != 0)
			return rc;
		c.udp = h->joined[number];
	}
	rc = worker_edge_create(&h->worker[number], &c);
	if (rc != 0)
		return host_explain_worker(err, rc);
	/* What may go to many is the community's, whichever worker it comes by. */
	h->worker[number]->core.storm = &h->worker[0]->core.own_storm;
	host_add_worker(&h->host, &h->worker[number]->base);
	return 0;
}

static int make_workers(struct edge_host *h, struct os_error *err)
{
	int rc = 0;

	if (host_set_node(&h->host, edge_node(h->edge), h->n_workers) != 0)
		return os_error_set(err, N2N_ENOMEM, "no memory for the edge; free some");
	for (unsigned i = 0; rc == 0 && i < h->n_workers; i++)
		rc = make_worker(h, i, err);
	return rc;
}

/* What takes no while. */
static int open_all(struct edge_host *h, const struct edge_setup *setup,
	struct edge_secret secret[COMMUNITIES_MAX], struct os_error *err)
{
	const struct host_config c = {
		.role = &role,
		.ctx = h,
		.log = setup->log,
		.choice = "name",
		.options = &edge_options,
		.parent = setup->parent,
		.disabled = setup->conf->process.disabled,
	};
	int rc = host_open(&h->host, &c, err);

	if (rc == 0)
		rc = uv_timer_init(&h->host.loop, &h->reload_timer);
	h->reload_timer.data = h;
	if (rc == 0)
		open_instances(h, secret);
	/* It may be that all of this runs already. */
	if (rc == 0 && !any_is_left(h, secret))
		rc = join_all(h, secret, err);
	if (rc == 0)
		rc = host_open_sockets(&h->host, &h->conf->local, c.disabled, err);
	if (rc == 0)
		rc = make_core(h, err);
	if (rc == 0)
		rc = make_workers(h, err);
	return rc;
}

static int join_and_begin(
	struct edge_host *h, const struct edge_secret secret[COMMUNITIES_MAX], struct os_error *err)
{
	int rc = join_all(h, secret, err);

	if (rc == 0)
		rc = add_supernodes(h, err);
	return rc == 0 ? edge_exit_set(h, err) : rc;
}

void edge_say_ready(const struct edge_host *h, unsigned community)
{
	uint16_t port = udp_port(h->host.udp, UDP_V4);

	if (port == 0)
		port = udp_port(h->host.udp, UDP_V6);
	membership_say_ready(&h->member[community], h->edge, port, h->host.log);
}

/* Whoever asks is answered when all is there. */
static void serve_all(struct edge_host *h)
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (h->member[i].conf != NULL)
			edge_instance_serve(h->instance[i], i);
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (h->member[i].conf != NULL)
			edge_say_ready(h, i);
}

static int make(struct edge_host *h, const struct edge_setup *setup, struct os_error *err)
{
	struct edge_secret secret[COMMUNITIES_MAX];
	int rc;

	memcpy(secret, setup->secret, sizeof(secret));
	rc = open_all(h, setup, secret, err);
	if (rc == 0)
		stretch_all(h, secret);
	if (rc == 0 && !h->host.ended)
		rc = join_and_begin(h, secret, err);
	crypto_wipe(secret, sizeof(secret));
	return rc;
}

/* What is there is seen and kept. */
static void settle_in(struct edge_host *h, uint64_t now_ms)
{
	edge_underlay_open(h);
	edge_underlay_look(h, now_ms);
	edge_interfaces_tick(h, now_ms);
	save(h, now_ms, true);
	save_freshness(h, now_ms, true);
	serve_all(h);
}

int edge_host_open(struct edge_host **out, const struct edge_setup *setup, struct os_error *err)
{
	struct edge_host *h;
	int rc;

	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return os_error_set(err, N2N_ENOMEM, "no memory for the edge; free some");
	h->conf = h->blocks = setup->conf;
	h->reloader = setup->reloader;
	h->log = setup->log;
	h->n_workers = h->conf->process.workers != 0 ? h->conf->process.workers : 1;
	rc = make(h, setup, err);
	if (rc != 0) {
		(void)edge_host_close(h);
		return rc;
	}
	h->begun = h->resolver != NULL;
	if (h->begun)
		settle_in(h, sys_now_ms());
	*out = h;
	return 0;
}

int edge_host_run(struct edge_host *h, struct os_error *err)
{
	int rc;

	if (!h->begun) {
		log_info(h->host.log, "asked to end before the start was over");
		return 0;
	}
	rc = host_run(&h->host, err);
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
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		dhcp_close(h->dhcp[i].client);
	resolver_stop(h->resolver);
	edge_instances_hang_up(h);
	closed = host_close(&h->host);
	for (unsigned i = 0; i < h->n_workers; i++)
		udp_close(h->joined[i]);
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		membership_close(&h->member[i]);
	edge_instances_close(h);
	edge_reload_free(h->fresh);
	if (!closed)
		return false;
	resolver_destroy(h->resolver);
	edge_underlay_close(h);
	edge_destroy(h->edge);
	host_fini(&h->host);
	free(h);
	return true;
}
