/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Owns what an edge says of addresses: where those that it knows lead to (docs/CONTROL.md 6), and
 * that hosts behind it are not carried.
 */
#include <stdio.h>

#include "host/edge/edge_host_state.h"
#include "os/sys.h"

/* Of learned addresses, so that an answer keeps the control thread for some milliseconds at most.
 */
#define PAGE_LEN 4096

/* Where a page begins: a place of the table of learned addresses, below this. */
#define PLACE_MAX ((1u << 24) - 1)

/* ---- frames of other hosts ---- */

void edge_fdb_event(struct edge_host *h, const struct event *e)
{
	const struct membership *m = &h->member[e->community];
	char mac[MAC_TEXT_MAX], hint[OPTIONS_HINT_CAP], port[INTERFACE_NAME_MAX + 32] = "";

	if (e->value == 0) {
		(void)notices_clear(&h->host.notices, "foreign-source", m->conf->device);
		return;
	}
	if (m->watched.bridge[0] != 0)
		snprintf(port, sizeof(port), ", a port of %s,", m->watched.bridge);
	notices_raise(&h->host.notices, sys_now_ms(), "foreign-source", m->conf->device,
		"community %s: frames of other hosts come by %s%s and are dropped, for example "
		"from %s, since this edge is no bridge. If they are meant to pass, start it as "
		"one%s",
		m->name, m->watched.name, port, mac_format(&e->mac, mac),
		options_hint(hint, h->host.options, SETTING_BRIDGE));
}

/* ---- the answer ---- */

static void add(void *ctx, const struct status_address *a)
{
	char mac[MAC_TEXT_MAX], id[EDGE_ID_TEXT_LEN + 1];
	json_t *o;

	edge_id_format(a->edge_id, id);
	o = json_pack("{s:s, s:s, s:s, s:s}", "mac", mac_format(&a->mac, mac), "port",
		a->here ? "here" : "peer", "id", id, "known", address_kind_name(a->how));
	if (!a->here)
		json_object_set_new(o, "peer_state", json_string(peer_state_name(a->state)));
	if (a->how == ADDRESS_LEARNED)
		json_object_set_new(o, "age_s", json_integer((json_int_t)(a->age_ms / 1000)));
	json_array_append_new(ctx, o);
}

/* From *place on, and *place behind it; false when nothing is left of this community. */
static bool add_page(const struct edge_host *h, unsigned community, uint32_t *place, json_t *list)
{
	json_t *addresses = json_array();
	bool more;

	if (*place == 0)
		edge_owned_addresses(h->edge, community, add, addresses);
	more = edge_learned_addresses(h->edge, community, place, PAGE_LEN, add, addresses);
	json_array_append_new(
		list, json_pack("{s:s, s:s, s:o}", "name", h->member[community].name, "interface",
			      h->member[community].watched.name, "addresses", addresses));
	return more;
}

json_t *edge_fdb(void *ctx, const json_t *request, struct api_error *err)
{
	const struct edge_instance *asked = ctx;
	const struct edge_host *h = asked->h;
	const json_t *from = json_object_get(request, "from");
	json_int_t at = json_integer_value(from);
	json_t *list, *next = NULL;
	uint32_t place = (uint32_t)at;

	if ((from != NULL && !json_is_integer(from)) || at < 0 || at > PLACE_MAX) {
		err->code = API_BAD_ARGUMENT;
		snprintf(err->message, sizeof(err->message),
			"\"from\" has to be what \"next\" of the answer before was");
		return NULL;
	}
	list = json_array();
	if (asked->community >= 0 && add_page(h, (unsigned)asked->community, &place, list))
		next = json_integer(place);
	return json_pack("{s:o, s:i, s:o}", "communities", list, "step_s", LEARNED_STEP_MS / 1000,
		"next", next != NULL ? next : json_null());
}
