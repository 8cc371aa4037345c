/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns how an edge joins and leaves communities, at its start and while it runs. */
#include <stdio.h>
#include <string.h>

#include "host/community/keep.h"
#include "host/edge/edge_host_state.h"
#include "os/sys.h"

/* ---- what each directory has of the process ---- */

bool edge_known_supernode(const struct edge_host *h, const char *name, uint8_t key[KEY_LEN])
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (h->member[i].conf != NULL &&
			keep_find_supernode(h->instance[i]->state, name, key))
			return true;
	return false;
}

void edge_keep_supernode(struct edge_host *h, const char *name, const uint8_t key[KEY_LEN])
{
	struct os_error err;

	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (h->member[i].conf != NULL)
			host_not_kept(&h->host,
				keep_supernode(h->instance[i]->state, name, key, &err), &err);
}

void edge_share_supernodes(struct edge_host *h, unsigned community)
{
	struct state *st = h->instance[community]->state;
	uint8_t key[KEY_LEN], own[KEY_LEN];
	struct os_error err;

	for (unsigned i = 0; i < h->conf->supernode_count; i++)
		if (!keep_find_supernode(st, h->supernode[i], own) &&
			edge_known_supernode(h, h->supernode[i], key))
			host_not_kept(
				&h->host, keep_supernode(st, h->supernode[i], key, &err), &err);
}

/* ---- joining ---- */

/* A handshake of any community is above all that this device, and the process, ever began. */
static void raise_freshness(struct edge_host *h, struct state *st)
{
	struct core *core = &edge_node(h->edge)->core;
	uint64_t kept = keep_read_freshness(st);

	if (kept > core->freshness)
		core->freshness = kept;
}

/* Where its interface is to be; NULL: here. */
static const struct netns *place_of(
	struct netns *ns, const struct edge_host *h, const struct community_conf *conf)
{
	*ns = (struct netns){.parent = h->host.parent};
	if (conf->netns != NULL)
		strncpy(ns->name, conf->netns, NETNS_MAX);
	else if (h->conf->underlay_netns == NULL)
		return NULL;
	return ns;
}

static int join(struct edge_host *h, struct edge_instance *at, const struct community_conf *conf,
	const struct edge_secret *secret, struct os_error *err)
{
	uint8_t seed[SEED_LEN];
	struct netns ns;
	const struct membership_setup s = {
		.conf = conf,
		.key = secret->key,
		.prs = secret->prs,
		.seed = seed,
		.parent = h->host.parent,
		.ns = place_of(&ns, h, conf),
		.log = h->host.log,
	};
	struct membership m;
	int rc = keep_secret(at->state, "seed", seed, &h->host.random, err), index;

	if (rc == N2N_EINVAL)
		return rc;
	host_not_kept(&h->host, rc, err);
	raise_freshness(h, at->state);
	index = membership_join(&m, h->edge, at->state, &s, err);
	crypto_wipe(seed, sizeof(seed));
	if (index >= 0) {
		h->member[index] = m;
		h->instance[index] = at;
	}
	return index;
}

/* The workers read and write its queues from now on. */
static int attach(struct edge_host *h, unsigned community, struct os_error *err)
{
	struct membership *m = &h->member[community];

	for (unsigned i = 0; i < h->n_workers; i++) {
		int rc = worker_edge_attach(h->worker[i], community, m->tap[i]);

		if (rc != 0)
			return host_explain_worker(err, rc);
	}
	return 0;
}

static int bring_up(struct edge_host *h, unsigned community, struct os_error *err)
{
	struct membership *m = &h->member[community];
	int rc = membership_make_interface(
		m, h->edge, h->n_workers, h->conf->process.disabled, h->host.log, err);
	struct os_error why;

	if (rc == 0 && m->ns != NULL && netif_watch_open(m->ns, &m->watch, &why) != 0)
		log_warn(h->host.log, "%s", why.text);
	if (rc == 0)
		rc = attach(h, community, err);
	return rc == 0 ? edge_dhcp_start(h, community, err) : rc;
}

static int check_secret(const struct edge_secret *secret, const char *device, struct os_error *err)
{
	if (secret->why.code != 0) {
		*err = secret->why;
		return err->code;
	}
	if (secret->key != NULL || secret->passphrase != NULL)
		return 0;
	return os_error_set(err, N2N_EINVAL,
		"the key of \"%s\" comes from where it can be read once only; put it into a file, "
		"or start the program again",
		device);
}

int edge_join(struct edge_host *h, const struct community_conf *conf,
	const struct edge_secret *secret, uint64_t now_ms, struct os_error *err)
{
	bool left[COMMUNITIES_MAX] = {false};
	struct edge_instance *at;
	int rc = check_secret(secret, conf->device, err), index = -1;

	if (rc == 0)
		rc = edge_instance_open(&at, h, conf->device, err);
	if (rc == 0)
		rc = index = join(h, at, conf, secret, err);
	if (index >= 0)
		rc = bring_up(h, (unsigned)index, err);
	if (rc == 0)
		return index;
	if (index >= 0) {
		edge_leave(h, (unsigned)index, now_ms);
		left[index] = true;
		edge_left(h, left);
	}
	return rc;
}

#define REFUSED "community-refused"

/* A right that was given up, or never had, comes with a start only. */
static bool takes_a_start(const struct os_error *why)
{
	return why->code == N2N_EPERM || why->code == N2N_ENOSYS;
}

void edge_refuse(struct edge_host *h, const char *device, const char *what,
	const struct os_error *why, uint64_t now_ms, char line[REFUSAL_CAP])
{
	char hint[OPTIONS_HINT_CAP];

	snprintf(line, REFUSAL_CAP, "%s: %s%s", what, why->text,
		options_hint(hint, h->host.options, why->setting));
	notices_raise(&h->host.notices, now_ms, REFUSED, device, "the community at %s %s%s", device,
		line, takes_a_start(why) ? "" : ". Then have the file read again (n2n reload)");
}

void edge_refuse_no_more(struct edge_host *h, const char *device)
{
	(void)notices_clear(&h->host.notices, REFUSED, device);
}

/* ---- leaving ---- */

static void forget_notices(struct edge_host *h, const struct membership *m)
{
	char ip[ENDPOINT_TEXT_MAX];

	notices_forget(&h->host.notices, m->conf->device);
	for (size_t i = 0; i < m->conf->address_count; i++)
		notices_forget(&h->host.notices, endpoint_format_ip(&m->conf->addresses[i].ip, ip));
}

void edge_leave(struct edge_host *h, unsigned community, uint64_t now_ms)
{
	struct core *core = &edge_node(h->edge)->core;
	struct membership *m = &h->member[community];
	struct state *st = h->instance[community]->state;
	struct os_error err;

	edge_dhcp_leave(h, community);
	host_not_kept(&h->host, membership_save(m, h->edge, st, now_ms, true, &err), &err);
	host_not_kept(&h->host, keep_freshness(st, core->freshness, &err), &err);
	edge_remove_community(h->edge, community, now_ms);
	for (unsigned i = 0; i < h->n_workers; i++)
		worker_edge_detach(h->worker[i], community);
	membership_retire_queues(m, core);
	forget_notices(h, m);
}

/* The interfaces are gone then, and their names free, unless a worker hangs. */
void edge_left(struct edge_host *h, const bool left[COMMUNITIES_MAX])
{
	if (host_settle(&h->host))
		edge_drained(h->edge);
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		if (!left[i])
			continue;
		edge_instance_leave(h->instance[i]);
		h->instance[i] = NULL;
		membership_close(&h->member[i]);
	}
}

/* ---- losing ---- */

static bool is_lost(const struct edge_host *h, unsigned community)
{
	for (unsigned i = 0; i < h->n_workers; i++)
		if (worker_edge_has_lost(h->worker[i], community))
			return true;
	return false;
}

static void leave_lost(struct edge_host *h, unsigned community, uint64_t now_ms)
{
	bool left[COMMUNITIES_MAX] = {false};
	char device[INTERFACE_NAME_MAX + 1] = "", name[COMMUNITY_NAME_MAX + 1];

	strncpy(device, h->member[community].conf->device, INTERFACE_NAME_MAX);
	memcpy(name, h->member[community].name, sizeof(name));
	left[community] = true;
	edge_leave(h, community, now_ms);
	edge_left(h, left);
	notices_raise(&h->host.notices, now_ms, "interface-gone", device,
		"%s was removed by somebody else, so that community %s was left; have the file "
		"read again (n2n reload), which makes it anew",
		device, name);
}

static bool is_only_one(const struct edge_host *h, unsigned community)
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (i != community && h->member[i].conf != NULL)
			return false;
	return true;
}

/*
 * Without any community nobody could ask the program for anything, and whoever watches it is to
 * start it.
 */
void edge_interfaces_lost(struct edge_host *h, uint64_t now_ms)
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		if (h->member[i].conf == NULL || !is_lost(h, i))
			continue;
		if (is_only_one(h, i))
			host_fail(&h->host);
		else
			leave_lost(h, i, now_ms);
	}
}
