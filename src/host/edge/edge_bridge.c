/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns what an edge tells the core of bridges on this host, and the user of loops and standby. */
#include <stdio.h>

#include "host/edge/edge_host_state.h"
#include "os/sys.h"

static const struct underlay_link *find_link(const struct underlay_host *seen, unsigned index)
{
	for (size_t i = 0; i < seen->n_links; i++)
		if (seen->link[i].index == index)
			return &seen->link[i];
	return NULL;
}

/* One that is in another network namespace is where it was, as far as is known here. */
void edge_bridge_look(struct edge_host *h, uint64_t now_ms)
{
	const struct underlay_host *seen = underlay_seen(h->underlay);

	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		const struct underlay_link *l =
			h->member[i].conf != NULL && h->member[i].ns == NULL
				? find_link(seen, h->member[i].watched.index)
				: NULL;

		if (l != NULL)
			edge_bridged(h->edge, i, l->master, now_ms);
	}
}

static void on_loop(struct edge_host *h, const struct event *e, const char *name)
{
	const struct membership *m = &h->member[e->community];
	struct notices *n = &h->host.notices;

	if (e->value == 0) {
		if (notices_clear(n, "loop", m->conf->device))
			log_info(h->host.log, "the loop at %s is gone, its port is open again",
				m->watched.name);
		return;
	}
	notices_raise(n, sys_now_ms(), "loop", m->conf->device,
		"%s is closed: what it sends to its LAN comes back out of community %s from peer "
		"%s, so that frames would go round and round. There is another way between the two "
		"LANs: remove it, or have the bridges on it use STP. It opens again when the loop "
		"is gone",
		m->watched.name, m->name, name);
}

static void on_standby(const struct edge_host *h, const struct event *e, const char *name)
{
	const struct membership *m = &h->member[e->community];

	if (e->value != 0)
		log_info(h->host.log,
			"%s is on standby: peer %s is on the same LAN and carries its frames",
			m->watched.name, name);
	else
		log_info(h->host.log, "%s carries the frames of its LAN now", m->watched.name);
}

static void on_bpdu(struct edge_host *h, const struct event *e, const char *name)
{
	char id[EDGE_ID_TEXT_LEN + 1];

	edge_id_format(e->edge, id);
	if (e->value == 0)
		(void)notices_clear(&h->host.notices, "bpdu", id);
	else
		notices_remark(&h->host.notices, sys_now_ms(), "bpdu", id,
			"peer %s %s into community %s; they are dropped here, as was asked for. If "
			"both sides are to be one spanning tree, take the guard away",
			name, event_text(e->kind), h->member[e->community].name);
}

void edge_bridge_event(struct edge_host *h, const struct event *e, const char *name)
{
	if (e->kind == EVENT_LOOP)
		on_loop(h, e, name);
	else if (e->kind == EVENT_STANDBY)
		on_standby(h, e, name);
	else
		on_bpdu(h, e, name);
}

static json_t *id_text(const uint8_t id[EDGE_ID_LEN])
{
	char text[EDGE_ID_TEXT_LEN + 1];

	edge_id_format(id, text);
	return json_string(text);
}

static json_t *vlans(const struct status_gate *g)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < g->n_vlans; i++) {
		const struct status_vlan *v = &g->vlan[i];

		json_array_append_new(
			list, json_pack("{s:i, s:b, s:s, s:o}", "id", (int)v->id, "service",
				      (int)v->service, "state",
				      gate_state_name(v->standby ? GATE_STANDBY : GATE_OPEN),
				      "peer", v->standby ? id_text(v->peer) : json_null()));
	}
	return list;
}

json_t *edge_bridge_report(const struct status_community *c)
{
	const struct status_gate *g = &c->gate;

	if (!g->bridge)
		return json_null();
	return json_pack("{s:s, s:s, s:o, s:o}", "state", gate_state_name(g->state), "state_text",
		gate_state_text(g->state), "peer", g->has_peer ? id_text(g->peer) : json_null(),
		"vlans", vlans(g));
}
