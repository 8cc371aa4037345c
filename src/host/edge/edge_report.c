/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the status of an edge as JSON (docs/CONTROL.md). */
#include <string.h>

#include "base/utf8.h"
#include "host/edge/edge_host_state.h"
#include "os/sys.h"

struct report {
	const struct edge_host *host;
	int asked; /* index of the community that is asked about */
	json_t *communities;
	json_t *community; /* the one asked about: its peers and supernodes follow. NULL: another */
};

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static void set(json_t *object, const char *name, json_t *value)
{
	json_object_set_new(object, name, value);
}

static json_t *age(uint64_t ms)
{
	return ms == NEVER_MS ? json_null() : json_real((double)ms / 1000);
}

static json_t *endpoint(const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_MAX];

	return endpoint_is_none(e) ? json_null() : json_string(endpoint_format(e, text));
}

static json_t *mac_address(const struct mac *m)
{
	char text[MAC_TEXT_MAX];

	return json_string(mac_format(m, text));
}

static json_t *id_text(const uint8_t id[EDGE_ID_LEN])
{
	char text[EDGE_ID_TEXT_LEN + 1];

	edge_id_format(id, text);
	return json_string(text);
}

static json_t *addresses(const struct claim_address *a, unsigned n)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < n; i++) {
		struct endpoint e = {0};
		char text[ENDPOINT_TEXT_MAX];

		memcpy(e.ip, a[i].ip, sizeof(e.ip));
		json_array_append_new(
			list, json_sprintf("%s/%u", endpoint_format_ip(&e, text), a[i].prefix));
	}
	return list;
}

static json_t *switch_of(const struct status_switch *s)
{
	return json_pack("{s:b, s:I, s:I, s:I}", "bridge", s->bridge, "learned",
		(json_int_t)s->learned, "room", (json_int_t)s->room, "unlearned",
		(json_int_t)s->unlearned);
}

static json_t *broadcast(const struct status_broadcast *b)
{
	return json_pack("{s:I, s:I, s:b, s:I, s:I, s:I}", "group", (json_int_t)b->fanned, "copies",
		(json_int_t)b->copies, "signed", b->is_signed, "frames", (json_int_t)b->frames,
		"saved", (json_int_t)b->saved, "refused", (json_int_t)b->refused);
}

static json_t *groups_of(const struct status_groups *g)
{
	json_t *macs = json_array();

	for (unsigned i = 0; i < g->n; i++)
		json_array_append_new(macs, mac_address(&g->group[i]));
	return json_pack("{s:s?, s:o}", "all", g->all, "macs", macs);
}

static void on_community(void *ctx, const struct status_community *c)
{
	struct report *r = ctx;
	const struct membership *m = &r->host->member[c->index];
	json_t *o;

	r->community = NULL;
	if ((int)c->index != r->asked)
		return;
	o = json_object();
	set(o, "name", json_string(m->name));
	set(o, "mode", json_string(c->by_key ? "key" : "passphrase"));
	set(o, "id", id_text(c->edge_id));
	set(o, "interface", json_string(m->watched.name));
	set(o, "interface_state", json_string(watched_state_name(m->watched.state)));
	set(o, "bridge", m->watched.bridge[0] != 0 ? json_string(m->watched.bridge) : json_null());
	set(o, "port", edge_bridge_report(c));
	set(o, "mac", mac_address(&c->mac));
	set(o, "mtu", json_integer(m->watched.mtu));
	set(o, "addresses", addresses(c->address, c->n_addresses));
	set(o, "dhcp", edge_dhcp_report(r->host, c->index));
	set(o, "state", json_string(community_state_name(c->state)));
	set(o, "state_text", json_string(community_text(c)));
	set(o, "members_listed", json_integer(c->listed));
	set(o, "members_up", json_integer(c->up));
	set(o, "supernode", c->supernode >= 0 ? json_integer(c->supernode) : json_null());
	set(o, "switch", switch_of(&c->fdb));
	set(o, "broadcast", broadcast(&c->broadcast));
	set(o, "groups", groups_of(&c->groups));
	set(o, "supernodes", json_array());
	set(o, "peers", json_array());
	r->community = o;
	json_array_append_new(r->communities, o);
}

static json_t *path(const struct status_peer *p)
{
	if (!p->up)
		return json_null();
	if (!p->direct)
		return json_pack(
			"{s:s, s:s}", "kind", "relay", "reason", relay_reason_name(p->reason));
	return json_pack("{s:s, s:o, s:I, s:I}", "kind", "direct", "endpoint", endpoint(&p->remote),
		"rtt_ms", (json_int_t)(p->rtt_us / 1000), "rtt_us", (json_int_t)p->rtt_us);
}

/* The address that it asked for in vain, and whose that is. */
static json_t *refusal(const struct status_peer *p)
{
	static const uint8_t nobody[EDGE_ID_LEN];

	if (!p->refused)
		return json_null();
	return json_pack("{s:o, s:o}", "mac", mac_address(&p->refused_mac), "owner",
		memcmp(p->owner, nobody, sizeof(nobody)) != 0 ? id_text(p->owner) : json_null());
}

/* What it calls the community, if not what we do. */
static json_t *label(const struct status_peer *p)
{
	char shown[UTF8_SHOWN(COMMUNITY_NAME_MAX)];

	if (p->label == NULL)
		return json_null();
	return json_string(utf8_show(shown, sizeof(shown), p->label));
}

static json_t *roles(unsigned set_of)
{
	static const char *const names[] = {"bridge", "dhcp", "router", "standby"};
	json_t *list = json_array();

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (set_of & 1u << i)
			json_array_append_new(list, json_string(names[i]));
	return list;
}

/* What of it was dropped, as it spoke for others. */
static json_t *barred(const struct status_peer *p)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < BARRED_KINDS; i++)
		if (p->barred[i] != 0)
			set(o, barred_name((enum barred)i), number(p->barred[i]));
	return o;
}

static void on_peer(void *ctx, const struct status_peer *p)
{
	struct report *r = ctx;
	json_t *o;

	if (r->community == NULL)
		return;
	o = json_object();
	set(o, "id", id_text(p->edge_id));
	set(o, "listed", json_boolean(p->listed));
	set(o, "state", json_string(peer_state_name(p->state)));
	set(o, "state_text", json_string(peer_state_text(p->state)));
	set(o, "up", json_boolean(p->up));
	set(o, "mac", p->has_mac ? mac_address(&p->mac) : json_null());
	set(o, "mac_refused", refusal(p));
	set(o, "groups", groups_of(&p->groups));
	set(o, "addresses", addresses(p->address, p->n_addresses));
	set(o, "label", label(p));
	set(o, "path", path(p));
	set(o, "cipher", p->up ? json_string(aead_suite_name(p->suite)) : json_null());
	set(o, "key_age_s", p->up ? age(p->key_age_ms) : json_null());
	set(o, "heard_s", age(p->heard_ms));
	set(o, "frames_in", number(p->rx_frames));
	set(o, "bytes_in", number(p->rx_bytes));
	set(o, "frames_out", number(p->tx_frames));
	set(o, "bytes_out", number(p->tx_bytes));
	set(o, "roles", roles(p->roles));
	set(o, "roles_said", roles(p->says));
	set(o, "barred", barred(p));
	json_array_append_new(json_object_get(r->community, "peers"), o);
}

static void on_supernode(void *ctx, const struct status_supernode *s)
{
	struct report *r = ctx;
	char key[PUBLIC_KEY_TEXT_LEN + 1];
	json_t *o;

	if (r->community == NULL)
		return;
	o = json_object();
	set(o, "name", json_string(r->host->supernode[s->index]));
	set(o, "endpoint", endpoint(&s->remote));
	set(o, "state", json_string(supernode_state_name(s->state)));
	set(o, "refused",
		s->refused != REGISTER_OK ? json_string(register_refusal_name(s->refused))
					  : json_null());
	set(o, "refused_text",
		s->refused != REGISTER_OK ? json_string(register_refusal_text(s->refused))
					  : json_null());
	set(o, "retry_s", s->state == SUPERNODE_REFUSED ? age(s->retry_ms) : json_null());
	public_key_format(s->key, key);
	set(o, "key", s->has_key ? json_string(key) : json_null());
	set(o, "key_changed", json_boolean(s->key_changed));
	set(o, "heard_s", age(s->heard_ms));
	set(o, "handle", s->state == SUPERNODE_UP ? number(s->handle) : json_null());
	set(o, "observed", endpoint(&s->observed));
	json_array_append_new(json_object_get(r->community, "supernodes"), o);
}

/* What all interfaces have in use. */
static unsigned uses(const struct edge_host *h)
{
	unsigned in_use = FEATURES_OF_TAP;

	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (h->member[i].conf != NULL)
			in_use &= tap_uses(h->member[i].tap[0]);
	return in_use;
}

json_t *edge_report(void *ctx, const json_t *request, struct api_error *err)
{
	const struct edge_instance *at = ctx;
	const struct edge_host *h = at->h;
	struct report r = {.host = h, .asked = at->community, .communities = json_array()};
	const struct status_sink sink = {
		.ctx = &r, .community = on_community, .peer = on_peer, .supernode = on_supernode};
	json_t *result;

	(void)request;
	(void)err;
	edge_status(h->edge, sys_now_ms(), &sink);
	result = json_pack("{s:o, s:o, s:o}", "node",
		host_describe(&h->host, "edge", at->device, uses(h)), "communities", r.communities,
		"notices", host_notices(&h->host));
	host_report_drops(&h->host, result);
	return result;
}
