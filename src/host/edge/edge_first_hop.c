/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tells the user who speaks for others, which is dropped, and what to do if that is not meant so.
 */
#include <stdio.h>
#include <string.h>

#include "host/edge/edge_host_state.h"
#include "os/sys.h"

#define CODE	    "first-hop"
#define SUBJECT_MAX (EDGE_ID_TEXT_LEN + 16)
#define REMEDY_MAX  (OPTIONS_HINT_CAP + 160)

static void write_subject(char out[SUBJECT_MAX], const struct event *e)
{
	char id[EDGE_ID_TEXT_LEN + 1];

	edge_id_format(e->edge, id);
	snprintf(out, SUBJECT_MAX, "%s %s", id, barred_name(e->barred));
}

/* Whether the user named members that alone may do that. */
static bool is_named(const struct edge_host *h, const struct event *e)
{
	const struct community_conf *conf = h->member[e->community].conf;

	for (size_t i = 0; i < conf->trusted_count; i++) {
		const struct trusted_conf *t = &conf->trusted[i];

		if ((e->barred == BARRED_SOURCE && t->bridge) ||
			(e->barred == BARRED_DHCP && t->dhcp) ||
			(e->barred == BARRED_ROUTER && t->router))
			return true;
	}
	return false;
}

static enum setting setting_of(enum barred what)
{
	switch (what) {
	case BARRED_SOURCE:
		return SETTING_BRIDGE;
	case BARRED_DHCP:
		return SETTING_DHCP_SERVER;
	case BARRED_ROUTER:
		return SETTING_ROUTER;
	case BARRED_NEIGHBOUR:
	case BARRED_KINDS:
		break;
	}
	return SETTING_NONE;
}

/* How the peer gets the role. */
static void write_remedy(const struct edge_host *h, const struct event *e, char out[REMEDY_MAX])
{
	char hint[OPTIONS_HINT_CAP];

	if (is_named(h, e))
		snprintf(out, REMEDY_MAX, "name it here like the others that may%s",
			options_hint(hint, h->host.options, SETTING_TRUST));
	else
		snprintf(out, REMEDY_MAX, "tell its edge at its start%s",
			options_hint(hint, h->host.options, setting_of(e->barred)));
}

static void on_neighbour(struct edge_host *h, const struct event *e, const char *subject)
{
	char name[PEER_NAME_MAX], owner[PEER_NAME_MAX] = "", ip[ENDPOINT_TEXT_MAX];
	struct endpoint address = {0};
	bool ours = e->owner_key == NULL;

	memcpy(address.ip, e->ip, sizeof(address.ip));
	edge_name_member(name, h, e->community, e->edge, e->key);
	if (!ours)
		edge_name_member(owner, h, e->community, e->owner, e->owner_key);
	notices_raise(&h->host.notices, sys_now_ms(), CODE, subject,
		"peer %s: says that %s is at a MAC address there, but that is %s%s; dropped. Does "
		"a host there, or behind it, have the same address, or answer for all of its "
		"interfaces (sysctl arp_ignore)? If not, the peer is not honest",
		name, endpoint_format_ip(&address, ip), ours ? "ours" : "of peer ", owner);
}

static void on_peer(struct edge_host *h, const struct event *e, const char *subject)
{
	static const char *const does[] = {
		[BARRED_SOURCE] = "sends from MAC addresses that are not its own, which is dropped "
				  "here. If it is to carry frames of other hosts",
		[BARRED_DHCP] = "answers as a DHCP server, which is dropped here. If it is to",
		[BARRED_ROUTER] = "sends what routers do without being one, or hides in fragments, "
				  "headers or tags what it sends, which is dropped here. If it is "
				  "to be a router",
	};
	char name[PEER_NAME_MAX], remedy[REMEDY_MAX];

	edge_name_member(name, h, e->community, e->edge, e->key);
	write_remedy(h, e, remedy);
	notices_raise(&h->host.notices, sys_now_ms(), CODE, subject, "peer %s: %s, %s", name,
		does[e->barred], remedy);
}

/* Between two LANs with a server or router each that is as it should be. */
static void on_ours(struct edge_host *h, const struct event *e, const char *subject)
{
	char hint[OPTIONS_HINT_CAP];

	notices_remark(&h->host.notices, sys_now_ms(), CODE, subject,
		"community %s: what %s here, or behind this host, sends is kept from the "
		"members. If it is meant for them, tell this edge at its start%s",
		h->member[e->community].name,
		e->barred == BARRED_DHCP ? "a DHCP server"
					 : "a router, or what hides in fragments, headers or tags,",
		options_hint(hint, h->host.options, setting_of(e->barred)));
}

void edge_first_hop_event(struct edge_host *h, const struct event *e)
{
	char subject[SUBJECT_MAX];

	write_subject(subject, e);
	if (e->value == 0)
		(void)notices_clear(&h->host.notices, CODE, subject);
	else if (e->key == NULL)
		on_ours(h, e, subject);
	else if (e->barred == BARRED_NEIGHBOUR)
		on_neighbour(h, e, subject);
	else
		on_peer(h, e, subject);
}
