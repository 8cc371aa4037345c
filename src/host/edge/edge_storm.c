/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tells the user who sends more to everybody than passes, and what to do. */
#include "host/edge/edge_host_state.h"
#include "os/sys.h"

#define CODE "storm"

static const char *kind_text(enum flood_kind kind)
{
	static const char *const text[FLOOD_KINDS] = {
#define X(id, words) [FLOOD_##id] = words,
		FLOOD_KIND_LIST(X)
#undef X
	};

	return text[kind];
}

static void of_ours(struct edge_host *h, const struct event *e)
{
	const struct membership *m = &h->member[e->community];
	char mac[MAC_TEXT_MAX];

	if (e->value == 0) {
		if (notices_clear(&h->host.notices, CODE, m->conf->device))
			log_info(h->host.log, "community %s: what %s sends to all passes again",
				m->name, m->watched.name);
		return;
	}
	notices_raise(&h->host.notices, sys_now_ms(), CODE, m->conf->device,
		"community %s: %s brings %u %s a second more than pass, for example from %s; the "
		"rest is dropped. A loop in the network behind it, or a program of that host: "
		"find it by its MAC address, and unplug or stop it",
		m->name, m->watched.name, e->value, kind_text(e->flood), mac_format(&e->mac, mac));
}

static void of_peer(struct edge_host *h, const struct event *e)
{
	char name[PEER_NAME_MAX], id[EDGE_ID_TEXT_LEN + 1];
	const char *community = h->member[e->community].name;

	edge_name_member(name, h, e->community, e->edge, e->key);
	edge_id_format(e->edge, id);
	if (e->value == 0) {
		if (notices_clear(&h->host.notices, CODE, id))
			log_info(h->host.log,
				"community %s: what peer %s sends to all passes again", community,
				name);
		return;
	}
	notices_raise(&h->host.notices, sys_now_ms(), CODE, id,
		"community %s: peer %s sends %u %s a second more than pass; the rest is dropped. "
		"An edge as it should be does not send so many: ask whoever runs it, or take it "
		"out "
		"of the community",
		community, name, e->value, kind_text(e->flood));
}

void edge_storm_event(struct edge_host *h, const struct event *e)
{
	if (e->key != NULL)
		of_peer(h, e);
	else
		of_ours(h, e);
}
