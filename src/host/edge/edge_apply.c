/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Owns applying what the user wants by now: what can be applied is applied, community by community,
 * and the rest is told.
 */
#include <stdio.h>
#include <string.h>

#include "host/edge/edge_reload.h"
#include "host/loop/log.h"
#include "os/sys.h"

#define LINE_CAP 512

/* ---- telling ---- */

/* Takes the line over, of json_sprintf; without memory it is not said. */
static void done(struct reload *r, json_t *line)
{
	if (line == NULL)
		return;
	log_info(r->h->host.log, "%s", json_string_value(line));
	json_array_append_new(r->changes, line);
}

static void refuse(
	struct reload *r, const char *device, const char *what, const struct os_error *why)
{
	char line[REFUSAL_CAP];

	edge_refuse(r->h, device, what, why, r->now_ms, line);
	json_array_append_new(
		r->refused, json_pack("{s:s, s:s}", "device", device, "reason", line));
}

/* "the MTU, the MAC address" */
static const char *name_changes(char text[LINE_CAP], unsigned changes)
{
	size_t len = 0;

	text[0] = 0;
	for (unsigned c = 1; c < CHANGE_END && len < LINE_CAP; c <<= 1)
		if (changes & c)
			len += (size_t)snprintf(text + len, LINE_CAP - len, "%s%s",
				len > 0 ? ", " : "", edge_change_name((enum edge_change)c));
	return text;
}

/* ---- leaving ---- */

static int find_conf(const struct edge_conf *conf, const char *device)
{
	for (unsigned i = 0; i < conf->community_count; i++)
		if (strcmp(conf->community[i].device, device) == 0)
			return (int)i;
	return -1;
}

static void leave(struct reload *r, unsigned community)
{
	edge_leave(r->h, community, r->now_ms);
	r->left[community] = true;
}

/* What of it changes and takes leaving; those that go for good have nothing of that. */
static unsigned changed_of(const struct reload *r, int at)
{
	return at >= 0 ? r->diff.changed[at] & ~CHANGES_IN_PLACE : 0;
}

bool edge_is_to_be_left(const struct reload *r, unsigned community)
{
	const struct membership *m = &r->h->member[community];
	int at = find_conf(r->fresh.conf, m->conf->device);

	return at < 0 || changed_of(r, at) != 0 || r->fresh.secret[at].changed ||
	       membership_is_cut_off(m);
}

static void leave_if_needed(struct reload *r, unsigned community)
{
	const struct membership *m = &r->h->member[community];
	int at = find_conf(r->fresh.conf, m->conf->device);
	bool rekeyed = at >= 0 && r->fresh.secret[at].changed;
	unsigned changed = changed_of(r, at);
	char text[LINE_CAP];

	if (!edge_is_to_be_left(r, community))
		return;
	if (at < 0)
		done(r, json_sprintf(
				"community %s was left, %s is gone", m->name, m->conf->device));
	else if (changed != 0 || rekeyed)
		done(r, json_sprintf(
				"community %s is left and joined anew at %s, for another: %s%s%s",
				m->name, m->conf->device, rekeyed ? "the key" : "",
				rekeyed && changed != 0 ? ", " : "", name_changes(text, changed)));
	else
		done(r, json_sprintf("community %s is left and joined anew at %s, as its network "
				     "namespace was made anew",
				m->name, m->conf->device));
	leave(r, community);
}

static void leave_all(struct reload *r)
{
	bool any = false;

	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (r->h->member[i].conf != NULL)
			leave_if_needed(r, i);
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		any = any || r->left[i];
	if (any)
		edge_left(r->h, r->left);
}

/* ---- in place ---- */

static void change(struct reload *r, unsigned community, unsigned at)
{
	struct membership *m = &r->h->member[community];
	const struct community_conf *conf = &r->fresh.conf->community[at];
	unsigned changed = r->diff.changed[at] | (m->addresses_due ? CHANGE_ADDRESSES : 0);
	struct os_error err;
	char text[LINE_CAP];
	int rc = 0;

	if (changed & CHANGE_ADDRESSES)
		rc = membership_change_addresses(m, r->h->edge, conf, r->now_ms, &err);
	if (changed & CHANGE_TRUST)
		membership_change_trust(m, r->h->edge, conf, r->now_ms);
	m->conf = conf;
	watched_addresses_changed(&m->watched);
	if (changed & CHANGE_ADDRESSES)
		edge_dhcp_change(r->h, community, r->now_ms);
	if (rc != 0) {
		refuse(r, conf->device, "has not all of its addresses", &err);
		return;
	}
	edge_refuse_no_more(r->h, conf->device);
	if (changed != 0)
		done(r, json_sprintf("community %s has another: %s", m->name,
				name_changes(text, changed)));
}

/* ---- joining ---- */

static void join(struct reload *r, unsigned at)
{
	const struct community_conf *conf = &r->fresh.conf->community[at];
	struct edge_host *h = r->h;
	struct os_error err;
	int index = edge_join(h, conf, &r->fresh.secret[at], r->now_ms, &err);

	if (index < 0) {
		refuse(r, conf->device, "is not joined", &err);
		return;
	}
	edge_share_supernodes(h, (unsigned)index);
	edge_instance_serve(h->instance[index], (unsigned)index);
	notices_forget(&h->host.notices, conf->device);
	edge_say_ready(h, (unsigned)index);
	done(r, json_sprintf("community %s was joined at %s", h->member[index].name, conf->device));
}

int edge_member_at(const struct edge_host *h, const char *device)
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (h->member[i].conf != NULL && strcmp(h->member[i].conf->device, device) == 0)
			return (int)i;
	return -1;
}

static void apply_communities(struct reload *r)
{
	leave_all(r);
	for (unsigned at = 0; at < r->fresh.conf->community_count; at++) {
		int member = edge_member_at(r->h, r->fresh.conf->community[at].device);

		if (member >= 0)
			change(r, (unsigned)member, at);
	}
}

/* What others leave is free by now. */
bool edge_apply_join(struct reload *r)
{
	r->now_ms = sys_now_ms();
	while (r->next < r->fresh.conf->community_count) {
		unsigned at = r->next++;

		if (edge_member_at(r->h, r->fresh.conf->community[at].device) < 0) {
			join(r, at);
			return true;
		}
	}
	return false;
}

/* ---- the process ---- */

static void apply_process(struct reload *r)
{
	const struct process_conf *p = &r->fresh.conf->process;
	struct edge_diff since_start;
	char text[LINE_CAP];

	edge_diff(&since_start, r->h->conf, r->fresh.conf);
	if (r->diff.process & CHANGE_VERBOSITY) {
		host_log_set_level(r->h->log, p->verbosity);
		done(r, json_sprintf("%s changed", edge_change_name(CHANGE_VERBOSITY)));
	}
	r->restart = since_start.process & ~(unsigned)CHANGE_VERBOSITY;
	for (unsigned c = 1; c < CHANGE_END; c <<= 1)
		if (r->restart & c)
			json_array_append_new(
				r->restarts, json_string(edge_change_name((enum edge_change)c)));
	if (r->restart != 0)
		log_warn(r->h->host.log,
			"what is in the file needs a restart, and is as it was until then: %s",
			name_changes(text, r->restart));
}

/* Those that the file does not name any more are no fault of it. */
static void forget_refused(struct reload *r)
{
	const struct edge_conf *before = r->h->blocks;

	for (unsigned i = 0; i < before->community_count; i++)
		if (r->diff.went[i])
			notices_forget(&r->h->host.notices, before->community[i].device);
}

static void keep_conf(struct reload *r)
{
	edge_reload_free(r->h->fresh);
	r->h->blocks = r->h->fresh = r->fresh.conf;
}

void edge_apply(struct reload *r)
{
	r->now_ms = sys_now_ms();
	forget_refused(r);
	apply_communities(r);
	apply_process(r);
	keep_conf(r);
	r->applied = true;
}
