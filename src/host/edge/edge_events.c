/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns what an edge tells its user, a line per event, and which events it remembers. */
#include <stdio.h>
#include <string.h>

#include "base/rtt.h"
#include "base/utf8.h"
#include "host/community/keep.h"
#include "host/edge/edge_host_state.h"
#include "os/sys.h"

static void say_registered(const struct edge_host *h, const struct event *e)
{
	char remote[ENDPOINT_TEXT_MAX], observed[ENDPOINT_TEXT_MAX] = "not told";

	if (!endpoint_is_none(&e->observed))
		endpoint_format(&e->observed, observed);
	log_info(h->host.log, "supernode %s: %s in community %s at %s, we are seen as %s",
		h->supernode[e->supernode], event_text(e->kind), h->member[e->community].name,
		endpoint_format(&e->remote, remote), observed);
}

static void on_supernode_event(struct edge_host *h, const struct event *e)
{
	const char *name = h->supernode[e->supernode];
	const struct log *log = h->host.log;

	switch (e->kind) {
	case EVENT_SUPERNODE_UP:
		say_registered(h, e);
		break;
	case EVENT_SUPERNODE_KEY:
		edge_keep_supernode(h, name, e->key);
		break;
	case EVENT_SUPERNODE_KEY_MISMATCH:
		log_error(log, "supernode %s: %s", name, event_text(e->kind));
		break;
	case EVENT_SUPERNODE_REFUSED:
		if (e->value == REGISTER_IDENTITY_TWICE)
			break; /* a notice says it */
		log_warn(log, "supernode %s: %s: %s; trying again, less and less often", name,
			event_text(e->kind), register_refusal_text(e->value));
		break;
	default:
		log_warn(log, "supernode %s: %s", name, event_text(e->kind));
		break;
	}
}

void edge_name_member(char name[PEER_NAME_MAX], const struct edge_host *h, unsigned community,
	const uint8_t edge[EDGE_ID_LEN], const uint8_t *key)
{
	char id[EDGE_ID_TEXT_LEN + 1], ip[ENDPOINT_TEXT_MAX], mac[MAC_TEXT_MAX];
	struct endpoint first = {0};
	struct status_peer p;

	edge_id_format(edge, id);
	if (!edge_peer_status(h->edge, community, key, sys_now_ms(), &p) ||
		(!p.has_mac && p.n_addresses == 0)) {
		snprintf(name, PEER_NAME_MAX, "%.8s", id);
		return;
	}
	if (p.n_addresses > 0)
		memcpy(first.ip, p.address[0].ip, sizeof(first.ip));
	snprintf(name, PEER_NAME_MAX, "%.8s (%s%s%s)", id,
		p.n_addresses > 0 ? endpoint_format_ip(&first, ip) : "",
		p.has_mac && p.n_addresses > 0 ? ", " : "",
		p.has_mac ? mac_format(&p.mac, mac) : "");
}

static void name_peer(char name[PEER_NAME_MAX], const struct edge_host *h, const struct event *e)
{
	edge_name_member(name, h, e->community, e->edge, e->key);
}

/* A peer claims a MAC address that is not its own: here. */
static void on_refused(struct edge_host *h, const struct event *e)
{
	char name[PEER_NAME_MAX], mac[MAC_TEXT_MAX], owner[EDGE_ID_TEXT_LEN + 1],
		id[EDGE_ID_TEXT_LEN + 1], hint[OPTIONS_HINT_CAP];
	struct notices *n = &h->host.notices;
	uint64_t now_ms = sys_now_ms();

	name_peer(name, h, e);
	edge_id_format(e->edge, id);
	mac_format(&e->mac, mac);
	options_hint(hint, h->host.options, SETTING_MAC);
	switch ((enum mac_refusal)e->value) {
	case MAC_IS_FREE:
		(void)notices_clear(n, "mac-conflict", id);
		break;
	case MAC_IS_OURS:
		notices_raise(n, now_ms, "mac-conflict", id,
			"peer %s: %s: %s is ours, so that nothing is sent to it. Give one of the "
			"two another MAC address%s",
			name, event_text(e->kind), mac, hint);
		break;
	case MAC_IS_OURS_BY_CHOICE:
		notices_raise(n, now_ms, "mac-conflict", id,
			"peer %s: claims %s, which comes of its key, so that the other members "
			"give it to that peer and not to us. Choose another MAC address here%s",
			name, mac, hint);
		break;
	case MAC_IS_ANOTHERS:
		edge_id_format(e->owner, owner);
		notices_raise(n, now_ms, "mac-conflict", id,
			"peer %s: %s: %s belongs to %.8s. If it has taken that member's place for "
			"good, say \"n2n forget %s\"; else give it another MAC address%s",
			name, event_text(e->kind), mac, owner, mac, hint);
		break;
	case MAC_IS_IN_USE:
		edge_id_format(e->owner, owner);
		notices_raise(n, now_ms, "mac-conflict", id,
			"peer %s: %s: a host behind the bridge %.8s uses %s. Give one of the two "
			"another MAC address%s; or, if that host is gone for good, wait: the peer "
			"has it once nothing came from it for 6 minutes",
			name, event_text(e->kind), owner, mac, hint);
		break;
	}
}

/* Others refuse us the MAC address that we claim. */
static void on_claim_refused(struct edge_host *h, const struct event *e)
{
	char name[PEER_NAME_MAX], mac[MAC_TEXT_MAX], owner[EDGE_ID_TEXT_LEN + 1], others[32] = "";
	char hint[OPTIONS_HINT_CAP];

	mac_format(&e->mac, mac);
	if (e->value == 0) {
		if (notices_clear(&h->host.notices, "mac-refused", mac))
			log_info(h->host.log, "community %s: our MAC address %s is refused no more",
				h->member[e->community].name, mac);
		return;
	}
	name_peer(name, h, e);
	edge_id_format(e->owner, owner);
	if (e->value > 1)
		snprintf(others, sizeof(others), " and %u other%s", e->value - 1,
			e->value > 2 ? "s" : "");
	notices_raise(&h->host.notices, sys_now_ms(), "mac-refused", mac,
		"community %s: our MAC address %s is refused by member %s%s, where it belongs to "
		"%.8s or a host behind it, so that nothing comes from there. If this host has "
		"taken that member's place for good, say \"n2n forget %s\" there; else choose "
		"another MAC address%s",
		h->member[e->community].name, mac, name, others, owner, mac,
		options_hint(hint, h->host.options, SETTING_MAC));
}

/* Two members claim one IP address. */
static void on_ip_conflict(struct edge_host *h, const struct event *e)
{
	char one[PEER_NAME_MAX], other[PEER_NAME_MAX], ip[ENDPOINT_TEXT_MAX];
	char hint[OPTIONS_HINT_CAP];
	struct notices *n = &h->host.notices;
	struct endpoint address = {0};

	memcpy(address.ip, e->ip, sizeof(address.ip));
	endpoint_format_ip(&address, ip);
	options_hint(hint, h->host.options, SETTING_ADDRESS);
	if (e->value == IP_IS_FREE) {
		if (notices_clear(n, "ip-conflict", ip))
			log_info(h->host.log, "community %s: %s is claimed by one member again",
				h->member[e->community].name, ip);
		return;
	}
	name_peer(one, h, e);
	if (e->owner_key == NULL) {
		notices_raise(n, sys_now_ms(), "ip-conflict", ip,
			"community %s: %s is ours, and peer %s claims it too, so that others reach "
			"one or the other. Give one of the two another address%s",
			h->member[e->community].name, ip, one, hint);
		return;
	}
	edge_name_member(other, h, e->community, e->owner, e->owner_key);
	if (e->value == IP_IS_LANS) {
		notices_raise(n, sys_now_ms(), "ip-conflict", ip,
			"community %s: a host behind the bridge %s uses %s, and peer %s claims it. "
			"Nothing that this peer says of it is believed. Give one of the two "
			"another "
			"address%s; or, if that host is gone for good, wait for 6 minutes",
			h->member[e->community].name, other, ip, one, hint);
		return;
	}
	notices_raise(n, sys_now_ms(), "ip-conflict", ip,
		"community %s: %s is claimed by two members, peer %s and peer %s. Give one of the "
		"two another address%s",
		h->member[e->community].name, ip, other, one, hint);
}

#define NEW_IDENTITY                                                                               \
	"stop one of the two, move its state directory away, and start it again: it makes a new "  \
	"identity then"

/* Two hosts have one identity: a peer's, or ours. */
static void on_identity(struct edge_host *h, const struct event *e)
{
	char id[EDGE_ID_TEXT_LEN + 1], name[PEER_NAME_MAX];
	const struct state *st = h->instance[e->community]->state;
	const char *dir = st != NULL ? state_dir(st) : "not in use";
	const char *community = h->member[e->community].name;
	struct notices *n = &h->host.notices;
	uint64_t now_ms = sys_now_ms();

	edge_id_format(e->edge, id);
	if (e->key != NULL)
		name_peer(name, h, e);
	if (e->value == TWICE_NOT) {
		if (notices_clear(n, "identity-twice", id))
			log_info(
				h->host.log, "community %s: %.8s is one host again", community, id);
	} else if (e->key != NULL) {
		notices_raise(n, now_ms, "identity-twice", id,
			"peer %s: %s (a copied state directory), so that one of the two is "
			"refused; " NEW_IDENTITY,
			name, event_text(e->kind));
	} else if (e->value == TWICE_US) {
		notices_raise(n, now_ms, "identity-twice", id,
			"community %s: another host runs with a copy of our identity %.8s (state "
			"directory \"%s\") and is registered, so that we are refused and keep "
			"still; " NEW_IDENTITY,
			community, id, dir);
	} else {
		notices_raise(n, now_ms, "identity-twice", id,
			"community %s: another host runs with a copy of our identity %.8s (state "
			"directory \"%s\") and is refused; " NEW_IDENTITY,
			community, id, dir);
	}
}

static void on_peer_event(const struct edge_host *h, const struct event *e)
{
	char name[PEER_NAME_MAX], remote[ENDPOINT_TEXT_MAX], rtt[RTT_TEXT_MAX];
	const struct log *log = h->host.log;

	name_peer(name, h, e);
	switch (e->kind) {
	case EVENT_PATH_DIRECT:
		log_info(log, "peer %s: %s to %s, %s", name, event_text(e->kind),
			endpoint_format(&e->remote, remote), rtt_format(e->value, rtt));
		break;
	case EVENT_PATH_RELAY:
		log_info(log, "peer %s: %s, %s", name, event_text(e->kind),
			relay_reason_text((enum relay_reason)e->value));
		break;
	default:
		log_info(log, "peer %s: %s", name, event_text(e->kind));
		break;
	}
}

/* Whoever sits there knows it already; those who wait for him hear why he does not come. */
static void on_other_passphrase(struct edge_host *h, const struct event *e)
{
	char id[EDGE_ID_TEXT_LEN + 1], remote[ENDPOINT_TEXT_MAX];
	bool direct = !endpoint_is_none(&e->remote);

	edge_id_format(e->edge, id);
	endpoint_format(&e->remote, remote);
	if (e->value != 0)
		notices_raise(&h->host.notices, sys_now_ms(), "other-passphrase", id,
			"community %s: edge %.8s%s%s %s than ours, and reaches no member; is it "
			"typed right there? If nobody should be there, somebody may be guessing",
			h->member[e->community].name, id, direct ? " at " : "",
			direct ? remote : "", event_text(e->kind));
	else
		(void)notices_clear(&h->host.notices, "other-passphrase", id);
}

static void on_broadcast(struct edge_host *h, const struct event *e)
{
	const char *name = h->member[e->community].name;
	const char *device = h->member[e->community].conf->device;

	if (e->value == 0) {
		(void)notices_clear(&h->host.notices, "broadcast-limit", device);
		return;
	}
	notices_raise(&h->host.notices, sys_now_ms(), "broadcast-limit", device,
		"community %s: our supernode %s, %u a second, and drops the rest. Something at "
		"this host, or behind it, sends very many or very large ones; if that is right, "
		"who runs the supernode may allow more",
		name, event_text(e->kind), e->value);
}

/* Nothing is wrong: it is slower. */
static void on_fanout(const struct edge_host *h, const struct event *e)
{
	log_info(h->host.log, "community %s: our supernode %s %s", h->member[e->community].name,
		e->value != 0 ? event_text(e->kind) : "takes all who are to get our broadcasts",
		e->value != 0 ? "; the others get copies of their own" : "again");
}

/* A member with the same key calls the community otherwise: what it says may be anything. */
static void on_label(struct edge_host *h, const struct event *e)
{
	char id[EDGE_ID_TEXT_LEN + 1], name[PEER_NAME_MAX], theirs[UTF8_SHOWN(COMMUNITY_NAME_MAX)];
	const char *ours = h->member[e->community].name;

	edge_id_format(e->edge, id);
	if (e->value == 0) {
		if (notices_clear(&h->host.notices, "label", id))
			log_info(h->host.log,
				"community %s: nobody called %.8s calls it otherwise any more",
				ours, id);
		return;
	}
	name_peer(name, h, e);
	notices_remark(&h->host.notices, sys_now_ms(), "label", id,
		"peer %s calls this community \"%s\", here it is \"%s\"; both are in it, the key "
		"decides. If it is meant to be another one, give it another key; else the same "
		"name%s",
		name, utf8_show(theirs, sizeof(theirs), e->label), ours,
		options_hint((char[OPTIONS_HINT_CAP]){0}, h->host.options, SETTING_COMMUNITY));
}

static void on_bridge(struct edge_host *h, const struct event *e)
{
	char name[PEER_NAME_MAX] = "";

	if (e->key != NULL)
		name_peer(name, h, e);
	edge_bridge_event(h, e, name);
}

void edge_on_event(void *ctx, const struct event *e)
{
	struct edge_host *h = ctx;

	switch (e->kind) {
	case EVENT_SUPERNODE_UP:
	case EVENT_SUPERNODE_SILENT:
	case EVENT_SUPERNODE_KEY:
	case EVENT_SUPERNODE_KEY_CHANGED:
	case EVENT_SUPERNODE_KEY_MISMATCH:
	case EVENT_SUPERNODE_REFUSED:
		on_supernode_event(h, e);
		break;
	case EVENT_PEER_UP:
	case EVENT_PEER_DOWN:
	case EVENT_PEER_RESTARTED:
	case EVENT_PATH_DIRECT:
	case EVENT_PATH_RELAY:
		on_peer_event(h, e);
		break;
	case EVENT_MAC_REFUSED:
		on_refused(h, e);
		break;
	case EVENT_CLAIM_REFUSED:
		on_claim_refused(h, e);
		break;
	case EVENT_IP_CONFLICT:
		on_ip_conflict(h, e);
		break;
	case EVENT_IDENTITY_TWICE:
		on_identity(h, e);
		break;
	case EVENT_OTHER_PASSPHRASE:
		on_other_passphrase(h, e);
		break;
	case EVENT_WRONG_KEY:
	case EVENT_WRONG_PASSPHRASE:
	case EVENT_GUESSING:
		log_warn(h->host.log, "community %s: %s", h->member[e->community].name,
			event_text(e->kind));
		break;
	case EVENT_STATE:
		h->member[e->community].changed = true;
		break;
	case EVENT_FIRST_HOP:
		edge_first_hop_event(h, e);
		break;
	case EVENT_BROADCAST_REFUSED:
		on_broadcast(h, e);
		break;
	case EVENT_FANOUT_REFUSED:
		on_fanout(h, e);
		break;
	case EVENT_LABEL:
		on_label(h, e);
		break;
	case EVENT_LOOP:
	case EVENT_STANDBY:
	case EVENT_BPDU:
		on_bridge(h, e);
		break;
	case EVENT_OWN_DATAGRAMS:
		edge_own_event(h, e);
		break;
	case EVENT_FOREIGN_SOURCE:
		edge_fdb_event(h, e);
		break;
	case EVENT_STORM:
		edge_storm_event(h, e);
		break;
	case EVENT_MEMBER_UP:
	case EVENT_MEMBER_DOWN:
	case EVENT_MEMBER_REFUSED: /* a supernode's */
		break;
	}
}
