/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the making, running and ending of an edge. */
#include "host/community/edge_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/community/edge_host_state.h"
#include "host/community/keep.h"
#include "os/sys.h"

#define SAVE_PAUSE_MS	  5000u
#define SAVE_ANYWAY_MS	  3600000u
#define LIST_ADDRESSES_MS 60000u
#define ADDRESSES_MAX	  32

/* ---- the control thread's work ---- */

static void on_note(void *ctx, struct note *n, uint64_t now_ms)
{
	struct edge_host *h = ctx;
	struct frame f = {.data = n->data, .len = n->len};

	switch (n->kind) {
	case NOTE_CONTROL:
		edge_control(h->edge, n->index, n->data, n->len, &n->origin, now_ms);
		break;
	case NOTE_EARLY:
		edge_early_frame(h->edge, n->index, &f, now_ms);
		break;
	case NOTE_UNKNOWN:
		edge_unknown(h->edge, n->data, n->len, &n->origin, now_ms);
		break;
	case NOTE_HEARD:
		edge_heard(h->edge, n->index, &n->origin, now_ms);
		break;
	case NOTE_FRAME:
		edge_frame_waits(h->edge, n->community, n->index, &f, now_ms);
		break;
	}
}

static void deliver(void *ctx, unsigned community, const struct frame *f)
{
	const struct edge_host *h = ctx;
	const struct slice whole = {f->data, f->len};

	(void)community; /* one, for now */
	if (tap_write(h->tap[0], &whole, 1, &f->offload) != 0)
		drops_add(&h->host.node->drops, DROP_TAP, 1);
}

static void tell_addresses(struct edge_host *h, uint64_t now_ms)
{
	const char *own[] = {tap_name(h->tap[0])};
	struct endpoint list[ADDRESSES_MAX];
	size_t kept = 0;
	int n = netif_local_addresses(list, ADDRESSES_MAX, own, 1);

	h->listed_ms = now_ms;
	for (int i = 0; i < n; i++) {
		list[i].port = udp_port(h->host.udp, endpoint_is_v4(&list[i]) ? UDP_V4 : UDP_V6);
		if (list[i].port != 0 && (endpoint_is_none(&h->conf->local) ||
						 endpoint_same_ip(&list[i], &h->conf->local)))
			list[kept++] = list[i];
	}
	edge_local_addresses(h->edge, list, kept);
}

static void on_netif(uv_poll_t *p, int status, int events)
{
	struct edge_host *h = p->data;

	(void)status;
	(void)events;
	if (netif_watch_drain(h->watch))
		tell_addresses(h, sys_now_ms());
}

static void save(struct edge_host *h, uint64_t now_ms)
{
	struct os_error err;

	h->state_changed = false;
	h->saved_ms = now_ms;
	host_not_kept(&h->host, keep_freshness(h->host.state, h->host.node->freshness, &err), &err);
	host_not_kept(&h->host,
		keep_mask(h->host.state, h->tag, sys_wall_ms(), edge_mask(h->edge, 0), &err), &err);
	host_not_kept(&h->host, keep_peers(h->host.state, h->tag, h->edge, 0, &err), &err);
}

static void on_second(void *ctx, uint64_t now_ms)
{
	struct edge_host *h = ctx;

	resolver_tick(h->resolver, now_ms, !edge_is_registered(h->edge));
	if (now_ms >= h->listed_ms + LIST_ADDRESSES_MS)
		tell_addresses(h, now_ms);
	if (now_ms >= h->saved_ms + (h->state_changed ? SAVE_PAUSE_MS : SAVE_ANYWAY_MS))
		save(h, now_ms);
}

static void on_goodbye(void *ctx, uint64_t now_ms)
{
	struct edge_host *h = ctx;

	save(h, now_ms);
	edge_shutdown(h->edge, now_ms);
}

static void on_resolved(void *ctx, unsigned i, const struct endpoint *addresses, size_t n)
{
	struct edge_host *h = ctx;

	edge_supernode_resolved(h->edge, i, addresses, n);
}

static const struct host_role role = {
	.note = on_note,
	.event = edge_on_event,
	.deliver = deliver,
	.second = on_second,
	.goodbye = on_goodbye,
};

static const struct control_command commands[] = {{"status", edge_report}, {0}};

/* ---- making ---- */

static int make_core(struct edge_host *h, struct os_error *err)
{
	struct edge_config c = {.node = host_node_config(&h->host, h->n_workers)};
	int rc = keep_secret(h->host.state, "seed", c.seed, &h->host.random, err);

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

static int add_community(struct edge_host *h, const struct edge_setup *setup, struct os_error *err)
{
	const struct edge_conf *conf = setup->conf;
	uint8_t prs[KEY_LEN], mask[MASK_LEN];
	struct community_config c = {
		.name = conf->community,
		.key = setup->key,
		.mac = conf->mac,
		.mtu = (uint16_t)conf->mtu,
		.n_addresses = (uint8_t)conf->address_count,
	};
	int rc;

	for (size_t i = 0; i < conf->address_count; i++) {
		memcpy(c.address[i].ip, conf->addresses[i].ip.ip, sizeof(c.address[i].ip));
		c.address[i].prefix = (uint8_t)conf->addresses[i].prefix;
	}
	if (keep_read_mask(h->host.state, h->tag, sys_wall_ms(), mask))
		c.mask = mask;
	if (setup->key == NULL) {
		if (party_stretch(prs, conf->community, setup->passphrase) != 0)
			return os_error_set(err, N2N_ENOMEM,
				"no memory to stretch the passphrase; it takes 64 MiB for a "
				"moment");
		c.prs = prs;
	}
	rc = edge_add_community(h->edge, &c);
	crypto_wipe(prs, sizeof(prs));
	if (rc < 0)
		return os_error_set(err, rc, "cannot join community \"%s\": %s", h->community,
			n2n_err_text(rc));
	keep_remember_peers(h->host.state, h->tag, h->edge, (unsigned)rc);
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
	for (unsigned i = 0; rc == 0 && i < h->conf->supernode_count; i++)
		rc = add_supernode(h, i, &h->conf->supernodes[i], err);
	return rc;
}

/*
 * So that a super-frame becomes one train of full datagrams, even a relayed one. Without it, or
 * where the system rounds otherwise, a train is split.
 */
static void limit_trains(struct edge_host *h)
{
	unsigned datagram = SLOT_HEADROOM + FRAME_MIN + h->conf->mtu + DATA_TAG_LEN;
	unsigned segments = UDP_TRAIN_SEND_MAX / datagram;
	struct os_error err;

	segments = segments < UDP_TRAIN_SEGMENTS ? segments : UDP_TRAIN_SEGMENTS;
	if (netif_set_gso_limits(h->conf->device, TAP_GSO_MAX, segments, &err) != 0)
		log_debug(h->host.log, "%s", err.text);
}

static int make_interface(struct edge_host *h, struct os_error *err)
{
	const struct edge_conf *conf = h->conf;
	struct mac mac = edge_mac(h->edge, 0);
	unsigned use = FEATURES_OF_TAP & ~conf->disabled;
	int rc;

	if (h->n_workers == 1)
		use &= ~(unsigned)FEATURE_QUEUES;
	rc = tap_open(&h->tap[0], conf->device, use, err);
	if (rc == 0 && h->n_workers > 1 && !(tap_uses(h->tap[0]) & FEATURE_QUEUES))
		rc = os_error_choose(err, N2N_EINVAL, SETTING_WORKERS,
			"interface \"%s\" has one queue, and %u workers need one each; make it "
			"anew with \"multi_queue\" behind \"mode tap\", or have one worker",
			conf->device, h->n_workers);
	if (rc == 0)
		rc = netif_set_mac(conf->device, &mac, err);
	if (rc == 0)
		rc = netif_set_mtu(conf->device, conf->mtu, err);
	if (rc == 0)
		limit_trains(h);
	for (size_t i = 0; rc == 0 && i < conf->address_count; i++)
		rc = netif_add_address(
			conf->device, &conf->addresses[i].ip, conf->addresses[i].prefix, err);
	if (rc == 0)
		rc = netif_set_up(conf->device, err);
	return rc;
}

/* Each has a queue of the interface and sockets of its own. */
static int make_worker(struct edge_host *h, unsigned number, struct os_error *err)
{
	struct worker_config c = host_worker_config(&h->host, number, h->host.udp);
	int rc = 0;

	if (number > 0) {
		rc = tap_join(&h->tap[number], h->tap[0], err);
		if (rc == 0)
			rc = udp_join(&h->joined[number], h->host.udp, err);
		c.udp = h->joined[number];
	}
	if (rc != 0)
		return rc;
	rc = worker_edge_create(&h->worker[number], &c, &h->tap[number], 1);
	if (rc != 0)
		return host_explain_worker(err, rc);
	host_add_worker(&h->host, &h->worker[number]->base);
	return 0;
}

/* Without it the addresses are looked up once a minute. */
static void watch_interfaces(struct edge_host *h)
{
	struct os_error err;

	if (netif_watch_open(&h->watch, &err) != 0) {
		log_warn(h->host.log, "%s", err.text);
		return;
	}
	(void)uv_poll_init_socket(
		&h->host.loop, &h->watch_poll, (uv_os_sock_t)netif_watch_handle(h->watch).value);
	h->watch_poll.data = h;
	(void)uv_poll_start(&h->watch_poll, UV_READABLE, on_netif);
}

static void say_ready(const struct edge_host *h)
{
	char ip[ENDPOINT_TEXT_MAX], mac[MAC_TEXT_MAX], with[ENDPOINT_TEXT_MAX + 16] = "no address";
	struct mac own = edge_mac(h->edge, 0);
	uint16_t port = udp_port(h->host.udp, UDP_V4);

	if (h->conf->address_count > 0)
		snprintf(with, sizeof(with), "%s/%u",
			endpoint_format_ip(&h->conf->addresses[0].ip, ip),
			h->conf->addresses[0].prefix);
	log_info(h->host.log, "%s is up with %s, MAC %s, UDP port %u, community %s",
		h->conf->device, with, mac_format(&own, mac),
		port != 0 ? port : udp_port(h->host.udp, UDP_V6), h->community);
}

static void name_community(struct edge_host *h, const struct edge_setup *setup)
{
	char id[EDGE_ID_TEXT_LEN + 1];

	if (setup->key != NULL)
		memcpy(h->tag, setup->key->id, sizeof(h->tag));
	else
		party_name_tag(h->tag, setup->conf->community);
	if (setup->conf->community != NULL) {
		snprintf(h->community, sizeof(h->community), "%s", setup->conf->community);
		return;
	}
	edge_id_format(setup->key->id, id);
	snprintf(h->community, sizeof(h->community), "%.8s", id);
}

static int make(struct edge_host *h, const struct edge_setup *setup, struct os_error *err)
{
	const struct host_config c = {
		.role = &role,
		.ctx = h,
		.log = setup->log,
		.state_dir = setup->conf->state_dir,
		.instance = setup->conf->device,
		.choice = "name",
		.options = &edge_options,
		.local = setup->conf->local,
		.disabled = setup->conf->disabled,
	};
	int rc = host_open(&h->host, &c, err);

	if (rc == 0)
		rc = make_core(h, err);
	if (rc == 0)
		rc = add_community(h, setup, err);
	if (rc == 0)
		rc = add_supernodes(h, err);
	if (rc == 0)
		rc = make_interface(h, err);
	if (rc == 0 && host_set_node(&h->host, edge_node(h->edge), h->n_workers) != 0)
		rc = os_error_set(err, N2N_ENOMEM, "no memory for the edge; free some");
	for (unsigned i = 0; rc == 0 && i < h->n_workers; i++)
		rc = make_worker(h, i, err);
	return rc;
}

int edge_host_open(struct edge_host **out, const struct edge_setup *setup, struct os_error *err)
{
	struct edge_host *h;
	int rc;

	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return os_error_set(err, N2N_ENOMEM, "no memory for the edge; free some");
	h->conf = setup->conf;
	h->n_workers = h->conf->workers != 0 ? h->conf->workers : 1;
	name_community(h, setup);
	rc = make(h, setup, err);
	if (rc != 0) {
		(void)edge_host_close(h);
		return rc;
	}
	watch_interfaces(h);
	host_listen(&h->host, h->conf->state_dir, h->conf->device, commands);
	tell_addresses(h, sys_now_ms());
	save(h, sys_now_ms());
	say_ready(h);
	*out = h;
	return 0;
}

int edge_host_run(struct edge_host *h, struct os_error *err)
{
	int rc = host_run(&h->host, err);

	if (rc == 0)
		log_info(h->host.log, "%s is down, community %s was left", h->conf->device,
			h->community);
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
	for (unsigned i = 0; i < h->n_workers; i++) {
		udp_close(h->joined[i]);
		tap_close(h->tap[i]);
	}
	if (!closed)
		return false;
	resolver_destroy(h->resolver);
	netif_watch_close(h->watch);
	edge_destroy(h->edge);
	host_fini(&h->host);
	free(h);
	return true;
}
