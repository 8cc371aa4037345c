/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns "forget": the user says that a MAC address is not its owner's any more (docs/CONTROL.md). */
#include <stdio.h>

#include "host/edge/edge_host_state.h"
#include "os/sys.h"

static json_t *refuse(struct api_error *err, const char *code, const char *message)
{
	err->code = code;
	snprintf(err->message, sizeof(err->message), "%s", message);
	return NULL;
}

static bool forget_in(struct edge_host *h, unsigned community, const struct mac *mac, json_t *list)
{
	const char *name = h->member[community].name;
	char text[MAC_TEXT_MAX], owner[EDGE_ID_TEXT_LEN + 1], taker[EDGE_ID_TEXT_LEN + 1] = "";
	struct forgotten_owner f;

	if (!edge_forget_owner(h->edge, community, mac, sys_now_ms(), &f))
		return false;
	edge_id_format(f.owner, owner);
	if (f.taken)
		edge_id_format(f.taker, taker);
	log_info(h->host.log,
		"community %s: forgotten as asked that MAC address %s belongs to %.8s%s%.8s", name,
		mac_format(mac, text), owner, f.taken ? "; it belongs to " : "", taker);
	json_array_append_new(list, json_pack("{s:s, s:s, s:s?}", "community", name, "was", owner,
					    "is", f.taken ? taker : NULL));
	return true;
}

static bool is_ours(const struct edge_host *h, unsigned community, const struct mac *mac)
{
	const struct mac own = edge_mac(h->edge, community);

	return mac_equal(&own, mac);
}

json_t *edge_forget(void *ctx, const json_t *request, struct api_error *err)
{
	const struct edge_instance *asked = ctx;
	struct edge_host *h = asked->h;
	const char *text = json_string_value(json_object_get(request, "mac"));
	unsigned community = (unsigned)asked->community;
	struct mac mac;
	json_t *list;

	if (text == NULL || mac_parse(&mac, text) != 0)
		return refuse(err, API_BAD_ARGUMENT,
			"\"mac\" has to be a MAC address such as \"02:00:5e:10:00:01\"");
	if (asked->community < 0)
		return refuse(err, API_NOT_FOUND, "the community at this device was left");
	if (is_ours(h, community, &mac)) {
		err->code = API_BAD_ARGUMENT;
		snprintf(err->message, sizeof(err->message),
			"that MAC address is this edge's own in community %s; start it with "
			"another, or forget this one at the others",
			h->member[community].name);
		return NULL;
	}
	list = json_array();
	if (!forget_in(h, community, &mac, list)) {
		json_decref(list);
		return refuse(err, API_NOT_FOUND,
			"that MAC address belongs to no other member as far as is known here; "
			"\"n2n "
			"status\" shows whose addresses are refused");
	}
	return json_pack("{s:o}", "forgotten", list);
}
