/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the joining of a community: its interface and what is kept of it. */
#include "host/community/membership.h"

#include <stdio.h>
#include <string.h>

#include "host/community/keep.h"
#include "os/sys.h"
#include "os/udp.h"

#define DAY_MS	       86400000u
#define SAVE_PAUSE_MS  5000u
#define SAVE_ANYWAY_MS 3600000u
#define DATAGRAM_USUAL 1472 /* over a link of 1,500 */

/* Of two results the first failure; its reason is in *err then. */
static int first_of(int rc, int next, struct os_error *err, const struct os_error *why)
{
	if (rc == 0 && next != 0)
		*err = *why;
	return rc != 0 ? rc : next;
}

/* ---- joining ---- */

static void set_name(struct membership *m, const struct membership_setup *setup)
{
	char id[EDGE_ID_TEXT_LEN + 1];

	if (setup->key != NULL)
		memcpy(m->tag, setup->key->id, sizeof(m->tag));
	else
		party_name_tag(m->tag, setup->conf->name);
	if (setup->conf->name != NULL) {
		snprintf(m->name, sizeof(m->name), "%s", setup->conf->name);
		return;
	}
	edge_id_format(setup->key->id, id);
	snprintf(m->name, sizeof(m->name), "%.8s", id);
}

static uint8_t roles_of(bool bridge, bool dhcp, bool router)
{
	return (uint8_t)((bridge ? ROLE_BRIDGE : 0) | (dhcp ? ROLE_DHCP : 0) |
			 (router ? ROLE_ROUTER : 0));
}

/* Returns how many they are. */
static size_t trusted_of(struct trusted out[TRUSTED_MAX], const struct community_conf *conf)
{
	for (size_t i = 0; i < conf->trusted_count; i++) {
		const struct trusted_conf *t = &conf->trusted[i];

		out[i].roles = roles_of(t->bridge, t->dhcp, t->router);
		memcpy(out[i].edge, t->edge, sizeof(out[i].edge));
	}
	return conf->trusted_count;
}

static void claims_of(
	struct claim_address out[CLAIM_ADDRESSES_MAX], const struct community_conf *conf)
{
	for (size_t i = 0; i < conf->address_count; i++) {
		memcpy(out[i].ip, conf->addresses[i].ip.ip, sizeof(out[i].ip));
		out[i].prefix = (uint8_t)conf->addresses[i].prefix;
	}
}

static struct community_config config_of(const struct membership_setup *setup)
{
	const struct community_conf *conf = setup->conf;
	struct community_config c = {
		.name = conf->name,
		.key = setup->key,
		.seed = setup->seed,
		.mac = conf->mac,
		.hold_ms = (uint64_t)conf->mac_hold_days * DAY_MS,
		.mtu = (uint16_t)conf->mtu,
		.n_addresses = (uint8_t)conf->address_count,
		.learn = conf->learn,
		.roles = roles_of(conf->bridge, conf->dhcp_server, conf->router),
		.bpdu_guard = conf->bpdu_guard,
		.signed_broadcast = conf->signed_broadcast,
	};

	claims_of(c.address, conf);
	return c;
}

int membership_join(struct membership *m, struct edge *e, struct state *st,
	const struct membership_setup *setup, struct os_error *err)
{
	struct community_config c = config_of(setup);
	struct trusted trusted[TRUSTED_MAX];
	uint8_t mask[MASK_LEN];
	int rc;

	*m = (struct membership){.conf = setup->conf, .parent = setup->parent};
	if (setup->ns != NULL)
		m->there = *setup->ns;
	m->has_ns = setup->ns != NULL;
	set_name(m, setup);
	c.n_trusted = trusted_of(trusted, setup->conf);
	c.trusted = trusted;
	if (keep_read_mask(st, m->tag, sys_wall_ms(), mask))
		c.mask = mask;
	if (setup->key == NULL)
		c.prs = setup->prs;
	rc = edge_add_community(e, &c);
	if (rc < 0)
		return os_error_set(
			err, rc, "cannot join community \"%s\": %s", m->name, n2n_err_text(rc));
	m->index = (unsigned)rc;
	if (keep_remember_owners(st, m->tag, e, m->index, err) != 0)
		log_warn(setup->log,
			"%s; it is replaced, and each MAC address goes to the member that claims "
			"it first",
			err->text);
	keep_remember_peers(st, m->tag, e, m->index);
	return rc;
}

/* ---- its interface ---- */

/* Of full datagrams, even relayed ones; or of twice as many, if a full frame goes in halves. */
static unsigned segments_of_train(unsigned mtu)
{
	unsigned parts = FRAME_MIN + mtu + DATA_OVERHEAD > DATAGRAM_USUAL ? 2 : 1;
	unsigned datagram = SLOT_HEADROOM + (FRAME_MIN + mtu + 1) / parts + DATA_TAG_LEN;
	unsigned datagrams = UDP_TRAIN_SEND_MAX / datagram;

	datagrams = datagrams < UDP_TRAIN_SEGMENTS ? datagrams : UDP_TRAIN_SEGMENTS;
	return datagrams >= parts ? datagrams / parts : 1;
}

/*
 * So that a super-frame becomes one train. Without it, or where the system rounds otherwise, a
 * train is split. The host's own TCP keeps to it; of others a bridge gets larger ones, which the
 * system would cut to single frames.
 */
void membership_fit_trains(const struct membership *m, const struct log *log)
{
	unsigned segments =
		m->conf->bridge ? TAP_GSO_SEGMENTS_MAX : segments_of_train(m->watched.mtu);
	struct os_error err;

	if (netif_set_gso_limits(m->ns, m->watched.name, TAP_GSO_MAX, segments, &err) != 0)
		log_debug(log, "%s", err.text);
}

/* Who looks at the interface later says so if it is missing. */
static void mark(const struct membership *m, const struct log *log)
{
	struct os_error err;

	if (netif_mark(m->ns, m->conf->device, &err) != 0)
		log_debug(log, "%s", err.text);
}

/* A member is no router unless the user says so: one could draw all traffic of the others. */
void membership_ignore_routers(struct membership *m)
{
	struct netif_routers before;

	if (m->conf->accept_ra)
		return;
	if (netif_ignore_routers(m->ns, m->watched.name, &before, &m->believed) == 0)
		m->believed.code = 0;
	/* What it was at first is to be put back. */
	for (unsigned i = 0; i < NETIF_ROUTER_SETTINGS; i++)
		if (m->routers.value[i][0] == 0)
			memcpy(m->routers.value[i], before.value[i], sizeof(before.value[i]));
}

static int open_queues(
	struct membership *m, unsigned n_queues, unsigned disabled, struct os_error *err)
{
	const char *device = m->conf->device;
	unsigned use = FEATURES_OF_TAP & ~disabled;
	int rc;

	if (n_queues == 1)
		use &= ~(unsigned)FEATURE_QUEUES;
	rc = tap_open_by(&m->tap[0], m->parent, m->ns, device, use, err);
	if (rc != 0)
		return rc;
	m->n_queues = 1;
	if (n_queues > 1 && !(tap_uses(m->tap[0]) & FEATURE_QUEUES))
		return os_error_choose(err, N2N_EINVAL, SETTING_WORKERS,
			"interface \"%s\" has one queue, and %u workers need one each; make it "
			"anew with \"multi_queue\" behind \"mode tap\", or have one worker",
			device, n_queues);
	for (; rc == 0 && m->n_queues < n_queues; m->n_queues++)
		rc = tap_join(&m->tap[m->n_queues], m->tap[0], err);
	return rc;
}

int membership_make_interface(struct membership *m, const struct edge *e, unsigned n_queues,
	unsigned disabled, const struct log *log, struct os_error *err)
{
	const struct community_conf *conf = m->conf;
	struct mac mac = edge_mac(e, m->index);
	int rc;

	/* Not while it is joined: it is copied then. */
	m->ns = m->has_ns ? &m->there : NULL;
	rc = open_queues(m, n_queues, disabled, err);
	if (m->ns != NULL && netns_find(m->ns, &m->ns_id) != 0)
		m->ns_id = (struct netns_id){0, 0};
	if (m->n_queues > 0)
		watched_init(
			&m->watched, netif_index(m->ns, conf->device), conf->device, conf->mtu);
	if (rc == 0)
		rc = netif_set_mac(m->ns, conf->device, &mac, err);
	if (rc == 0)
		rc = netif_set_mtu(m->ns, conf->device, conf->mtu, err);
	if (rc == 0)
		membership_fit_trains(m, log);
	if (rc == 0)
		mark(m, log);
	if (rc == 0)
		membership_ignore_routers(m);
	for (size_t i = 0; rc == 0 && i < conf->address_count; i++)
		rc = netif_add_address(m->ns, conf->device, &conf->addresses[i].ip,
			conf->addresses[i].prefix, err);
	if (rc == 0)
		rc = netif_set_up(m->ns, conf->device, err);
	return rc;
}

/* ---- what changes of it ---- */

static bool has(const struct community_conf *conf, const struct overlay_address *a)
{
	for (size_t i = 0; i < conf->address_count; i++)
		if (endpoint_same_ip(&conf->addresses[i].ip, &a->ip) &&
			conf->addresses[i].prefix == a->prefix)
			return true;
	return false;
}

/*
 * Those that go first: a new one may be an old one with another prefix. One that fails is in the
 * way of no other.
 */
static int move_addresses(
	const struct membership *m, const struct community_conf *conf, struct os_error *err)
{
	struct os_error why;
	int rc = 0;

	for (size_t i = 0; i < m->conf->address_count; i++)
		if (!has(conf, &m->conf->addresses[i]))
			rc = first_of(rc,
				netif_remove_address(m->ns, m->watched.name,
					&m->conf->addresses[i].ip, m->conf->addresses[i].prefix,
					&why),
				err, &why);
	for (size_t i = 0; i < conf->address_count; i++)
		if (m->addresses_due || !has(m->conf, &conf->addresses[i]))
			rc = first_of(rc,
				netif_add_address(m->ns, m->watched.name, &conf->addresses[i].ip,
					conf->addresses[i].prefix, &why),
				err, &why);
	return rc;
}

int membership_change_addresses(struct membership *m, struct edge *e,
	const struct community_conf *conf, uint64_t now_ms, struct os_error *err)
{
	struct claim_address list[CLAIM_ADDRESSES_MAX] = {{.prefix = 0}};

	int rc;

	claims_of(list, conf);
	if (edge_set_addresses(e, m->index, list, (unsigned)conf->address_count, now_ms) != 0)
		rc = os_error_set(err, N2N_ENOMEM,
			"no memory for the addresses of \"%s\"; free some", conf->device);
	else
		rc = move_addresses(m, conf, err);
	m->addresses_due = rc != 0;
	return rc;
}

void membership_change_trust(
	struct membership *m, struct edge *e, const struct community_conf *conf, uint64_t now_ms)
{
	struct trusted trusted[TRUSTED_MAX];
	size_t n = trusted_of(trusted, conf);

	edge_set_trusted(e, m->index, trusted, n, now_ms);
}

bool membership_is_cut_off(const struct membership *m)
{
	struct netns_id now;
	int rc = m->ns != NULL ? netns_find(m->ns, &now) : 0;

	if (m->ns == NULL || (rc != 0 && rc != N2N_ENOENT))
		return false;
	return rc == N2N_ENOENT ||
	       (m->ns_id.file != 0 && (now.file != m->ns_id.file || now.device != m->ns_id.device));
}

bool membership_deliver(const struct membership *m, const struct frame *f)
{
	const struct slice whole = {f->data, f->len};

	return tap_write(m->tap[0], &whole, 1, &f->offload) == 0;
}

static void close_queue(void *tap)
{
	tap_close(tap);
}

void membership_retire_queues(struct membership *m, struct core *core)
{
	for (unsigned i = 0; i < m->n_queues; i++)
		core_retire(core, m->tap[i], close_queue);
	m->n_queues = 0;
}

void membership_close(struct membership *m)
{
	const struct watched *w = &m->watched;

	for (unsigned i = 0; i < m->n_queues; i++)
		tap_close(m->tap[i]);
	/* What has its name by now may be another one. */
	if (w->index != 0 && netif_index(m->ns, w->name) == w->index) {
		netif_restore_routers(m->ns, w->name, &m->routers);
		netif_unmark(m->ns, w->name);
	}
	netif_watch_close(m->watch);
	*m = (struct membership){.conf = NULL};
}

/* ---- what is kept ---- */

int membership_save(struct membership *m, const struct edge *e, struct state *st, uint64_t now_ms,
	bool at_once, struct os_error *err)
{
	struct os_error second;
	int rc;

	if (!at_once && now_ms < m->saved_ms + (m->changed ? SAVE_PAUSE_MS : SAVE_ANYWAY_MS))
		return 0;
	m->changed = false;
	m->saved_ms = now_ms;
	rc = keep_mask(st, m->tag, sys_wall_ms(), edge_mask(e, m->index), err);
	rc = first_of(rc, keep_peers(st, m->tag, e, m->index, &second), err, &second);
	return first_of(rc, keep_owners(st, m->tag, e, m->index, &second), err, &second);
}

void membership_say_ready(
	const struct membership *m, const struct edge *e, uint16_t port, const struct log *log)
{
	char ip[ENDPOINT_TEXT_MAX], mac[MAC_TEXT_MAX], with[ENDPOINT_TEXT_MAX + 16] = "no address";
	struct mac own = edge_mac(e, m->index);

	if (m->conf->dhcp)
		snprintf(with, sizeof(with), "DHCP");
	if (m->conf->address_count > 0)
		snprintf(with, sizeof(with), "%s/%u",
			endpoint_format_ip(&m->conf->addresses[0].ip, ip),
			m->conf->addresses[0].prefix);
	log_info(log, "%s is up with %s, MAC %s, UDP port %u, community %s", m->conf->device, with,
		mac_format(&own, mac), port, m->name);
}
